// SPDX-License-Identifier: MIT
/*
 * What many tests do with the runtime, and what has to work for that.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "runtime.h"

#define FIBERS_MAX 1000

/*
 * With one worker tests count on it that only one fiber runs at a time, in the
 * order in which they are ready: no thread stands in for it then, which happens
 * whenever a busy machine stops it for long enough.
 */
static struct fiber_config make_config(unsigned int workers, unsigned int flags)
{
	return (struct fiber_config){ .size = sizeof(struct fiber_config),
				      .workers = workers,
				      .spares = workers == 1 ?
							FIBER_SPARES_NONE :
							0,
				      .flags = flags,
				      .grace_ns = 10 * RUNTIME_SECOND };
}

void runtime_run(unsigned int workers, unsigned int flags, int (*main)(void *),
		 void *arg)
{
	struct fiber_config config = make_config(workers, flags);

	CHECK_EQ(fiber_run(main, arg, &config), 0);
}

void runtime_start(unsigned int workers, unsigned int flags)
{
	struct fiber_config config = make_config(workers, flags);

	CHECK_EQ(fiber_start(&config), 0);
}

void runtime_stop(void)
{
	CHECK_EQ(fiber_stop_until(fiber_after(10 * RUNTIME_SECOND)), 0);
}

struct fiber *runtime_spawn_named(const char *name, int (*fn)(void *),
				  void *arg)
{
	struct fiber_attr attr = { .size = sizeof(attr), .name = name };
	struct fiber *fiber = NULL;

	CHECK_EQ(fiber_spawn(&fiber, fn, arg, &attr), 0);
	CHECK(fiber);
	return fiber;
}

struct fiber *runtime_spawn(int (*fn)(void *), void *arg)
{
	struct fiber *fiber = NULL;

	CHECK_EQ(fiber_spawn(&fiber, fn, arg, NULL), 0);
	CHECK(fiber);
	return fiber;
}

int runtime_join(struct fiber *fiber)
{
	int result;

	CHECK_EQ(fiber_join(fiber, &result), 0);
	return result;
}

void runtime_spawn_and_join(int n, int (*fn)(void *), void *arg)
{
	/* Not static: several fibers may be at it. */
	struct fiber *fibers[FIBERS_MAX];
	int i;

	CHECK(n <= FIBERS_MAX);
	for (i = 0; i < n; i++)
		fibers[i] = runtime_spawn(fn, arg);
	for (i = 0; i < n; i++)
		CHECK_EQ(runtime_join(fibers[i]), 0);
}

struct fiber_status runtime_status(void)
{
	struct fiber_status status = { .size = sizeof(status) };

	CHECK_EQ(fiber_status(&status), 0);
	return status;
}

void runtime_await(atomic_int *word, int value)
{
	while (atomic_load(word) < value)
		fiber_yield();
}

void runtime_burn(int64_t ns)
{
	int64_t end = test_now() + ns;

	while (test_now() < end)
		;
}

void runtime_in_thread(void *(*fn)(void *), void *arg)
{
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, fn, arg), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
}

int runtime_in_child(void (*fn)(void *), void *arg)
{
	sigset_t none;
	int status;
	pid_t pid;

	/* Or the child prints again what the parent has not yet. */
	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		/* Alarms are not inherited, and nobody else would end it. */
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		alarm(20);
		fn(arg);
		fflush(stdout);
		_exit(0);
	}
	while (waitpid(pid, &status, 0) < 0)
		CHECK_EQ(fiber_errno(), EINTR);
	return status;
}
