// SPDX-License-Identifier: MIT
/*
 * A child of fork() has no runtime: calls answer so until it starts one of its
 * own. It keeps the stack that it was on, and may end or go on there. The
 * parent does not notice.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "runtime.h"

/* What other threads had allocated is in the child, and nobody frees it. */
int __lsan_is_turned_off(void) __attribute__((visibility("default")));
int __lsan_is_turned_off(void)
{
	return 1;
}

#define SANITIZED (RUNTIME_TIMES(10) != 10)

static struct fiber_chan *chan;
static struct fiber *parked;
static fiber_key key;
static atomic_int stop;

static void nothing(void *arg)
{
	(void)arg;
}

static int give(void *arg)
{
	return (int)(intptr_t)arg;
}

static int give_later(void *arg)
{
	CHECK_EQ(fiber_sleep(RUNTIME_MS), 0);
	return give(arg);
}

static void check_refused(void)
{
	struct fiber_status status = { .size = sizeof(status) };
	struct fiber_timer *timer;
	struct fiber *fiber;

	CHECK_EQ(fiber_go(nothing, NULL), -EPERM);
	CHECK_EQ(fiber_spawn(&fiber, give, NULL, NULL), -EPERM);
	CHECK_EQ(fiber_stop_until(0), -EPERM);
	CHECK_EQ(fiber_status(&status), -EPERM);
	CHECK_EQ(fiber_sleep(0), -EPERM);
	CHECK_EQ(fiber_sleep(FIBER_FOREVER), -EPERM);
	CHECK_EQ(fiber_join(parked, NULL), -EPERM);
	CHECK_EQ(fiber_try_join(parked, NULL), -EPERM);
	CHECK_EQ(fiber_cancel(parked, 1), -EPERM);
	CHECK_EQ(fiber_send(chan, NULL), -EPERM);
	CHECK_EQ(fiber_recv(chan, NULL), -EPERM);
	CHECK_EQ(fiber_try_recv(chan, NULL), -EPERM);
	CHECK_EQ(fiber_chan_close(chan), -EPERM);
	CHECK_EQ(fiber_timer_new(&timer, FIBER_FOREVER, 0), -EPERM);
	CHECK_EQ(fiber_key_set(key, NULL), -EPERM);
	CHECK_EQ(fiber_name_set("child"), -EPERM);
}

static void check_base_works(void)
{
	CHECK(fiber_now() > 0);
	CHECK(fiber_after(1) > 0);
	CHECK_EQ(fiber_version(), FIBER_VERSION_NUMBER);
	CHECK(fiber_strerror(-EPERM));
}

static void check_works(void)
{
	struct fiber_chan *own;
	int i;

	for (i = 0; i < 20; i++) {
		CHECK_EQ(runtime_join(runtime_spawn(give, (void *)7)), 7);
		CHECK_EQ(runtime_join(runtime_spawn(give_later, (void *)8)), 8);
	}
	CHECK_EQ(fiber_chan_new(&own, 0, 1, NULL), 0);
	CHECK_EQ(fiber_send(own, NULL), 0);
	CHECK_EQ(fiber_recv(own, NULL), 0);
	fiber_chan_put(own);
}

static void use_child(void *arg)
{
	(void)arg;
	check_refused();
	check_base_works();
	runtime_start(2, 0);
	/* Not one of its fibers, wherever it runs. */
	CHECK(!fiber_self());
	check_works();
	runtime_stop();
	CHECK_EQ(fiber_run(give, (void *)9, NULL), 9);
}

/* The other call that starts one. */
static void run_child(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_run(give_later, (void *)9, NULL), 9);
	runtime_start(2, 0);
	check_works();
	runtime_stop();
}

static void only_end(void *arg)
{
	(void)arg;
}

static void exit_with_9(void *arg)
{
	(void)arg;
	exit(9);
}

/*
 * The sanitizers' malloc() has locks that fork() does not know of: in the child
 * they stay held if another thread, just starting, say, held one.
 */
static void let_others_rest(void)
{
	if (SANITIZED)
		usleep(50 * 1000);
}

static int park(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_sleep(FIBER_FOREVER), -ECANCELED);
	return 3;
}

static void prepare(void)
{
	CHECK_EQ(fiber_chan_new(&chan, 0, 0, NULL), 0);
	CHECK_EQ(fiber_key_add(&key, NULL), 0);
	parked = runtime_spawn(park, NULL);
	CHECK_EQ(fiber_sleep(RUNTIME_MS), 0);
	let_others_rest();
}

static void finish(void)
{
	check_works();
	CHECK_EQ(fiber_cancel(parked, 1), 0);
	CHECK_EQ(runtime_join(parked), 3);
	fiber_chan_put(chan);
}

static int fork_some(void *arg)
{
	struct fiber *self = fiber_self();

	(void)arg;
	prepare();
	CHECK_EQ(runtime_in_child(only_end, NULL), 0);
	CHECK_EQ(runtime_in_child(use_child, NULL), 0);
	CHECK_EQ(runtime_in_child(run_child, NULL), 0);
	CHECK_EQ(WEXITSTATUS(runtime_in_child(exit_with_9, NULL)), 9);
	CHECK(fiber_self() == self);
	finish();
	return 0;
}

static void by_a_fiber(void)
{
	runtime_run(1, 0, fork_some, NULL);
}

static void by_one_of_several_workers(void)
{
	runtime_run(3, 0, fork_some, NULL);
}

static void by_a_thread(void)
{
	runtime_start(2, 0);
	CHECK_EQ(fork_some(NULL), 0);
	runtime_stop();
}

/* The function returns in the child, on the stack of what was a fiber. */
static int return_in_child(void *arg)
{
	int status;
	pid_t pid;

	let_others_rest();
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		alarm(20);
		return 11;
	}
	(void)arg;
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	test_note("a child whose fiber returns has the status 0x%x", status);
	CHECK(!WIFSIGNALED(status) || WTERMSIG(status) != SIGALRM);
	return 0;
}

static int return_in_spawned(void *arg)
{
	return runtime_join(runtime_spawn(return_in_child, arg));
}

static void child_may_return(void)
{
	fflush(stdout);
	runtime_run(2, 0, return_in_spawned, NULL);
	runtime_run(1, 0, return_in_spawned, NULL);
}

/* It has had a runtime of its own meanwhile, of which the fiber is no part. */
static int start_and_return(void *arg)
{
	int result = -1;
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		alarm(20);
		if (fiber_start(NULL) ||
		    runtime_join(runtime_spawn(give, (void *)7)) != 7)
			_exit(1);
		return 11;
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status));
	result = WEXITSTATUS(status);
	CHECK_EQ(result, 11);
	return !!arg;
}

static int fork_bound(void *arg)
{
	struct fiber_attr attr = { .size = sizeof(attr), .flags = FIBER_BOUND };
	struct fiber *f;

	CHECK_EQ(fiber_spawn(&f, start_and_return, arg, &attr), 0);
	return runtime_join(f);
}

static void so_may_the_child_of_one_with_a_thread(void)
{
	runtime_run(2, 0, fork_bound, NULL);
}

static void child_may_start_and_return(void)
{
	fflush(stdout);
	runtime_run(1, 0, start_and_return, NULL);
}

/* Locks, queues and memory in every state that there is. */
static int busy(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop)) {
		CHECK_EQ(runtime_join(runtime_spawn(give, (void *)7)), 7);
		CHECK_EQ(fiber_sleep(1000), 0);
		fiber_try_send(chan, NULL);
		fiber_try_recv(chan, NULL);
	}
	return 0;
}

static void start_and_end(void *arg)
{
	(void)arg;
	runtime_start(2, 0);
	CHECK_EQ(runtime_join(runtime_spawn(give, (void *)7)), 7);
	CHECK_EQ(fiber_sleep(1000), 0);
	runtime_stop();
}

static void while_all_is_busy(void)
{
	struct fiber *fibers[10];
	int i;

	if (SANITIZED)
		test_skip("malloc() of the sanitizers does not survive this");
	runtime_start(3, 0);
	CHECK_EQ(fiber_chan_new(&chan, 0, 2, NULL), 0);
	for (i = 0; i < 10; i++)
		fibers[i] = runtime_spawn(busy, NULL);
	for (i = 0; i < 100; i++)
		CHECK_EQ(runtime_in_child(start_and_end, NULL), 0);
	atomic_store(&stop, 1);
	for (i = 0; i < 10; i++)
		CHECK_EQ(runtime_join(fibers[i]), 0);
	fiber_chan_put(chan);
	runtime_stop();
}

static void fork_again(void *arg)
{
	runtime_start(1, 0);
	let_others_rest();
	CHECK_EQ(runtime_in_child(start_and_end, arg), 0);
	check_works();
	runtime_stop();
	CHECK_EQ(runtime_in_child(start_and_end, arg), 0);
}

static void by_a_child(void)
{
	runtime_start(2, 0);
	let_others_rest();
	CHECK_EQ(runtime_in_child(fork_again, NULL), 0);
	check_works();
	runtime_stop();
}

/* Nothing runs: the child is like any process. */
static void before_and_after_a_runtime(void)
{
	CHECK_EQ(runtime_in_child(start_and_end, NULL), 0);
	start_and_end(NULL);
	CHECK_EQ(runtime_in_child(start_and_end, NULL), 0);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(by_a_fiber),
		TEST(by_one_of_several_workers),
		TEST(by_a_thread),
		TEST(child_may_return),
		TEST(child_may_start_and_return),
		TEST(so_may_the_child_of_one_with_a_thread),
		TEST(while_all_is_busy),
		TEST(by_a_child),
		TEST(before_and_after_a_runtime),
	};

	return RUN(argc, argv, tests);
}
