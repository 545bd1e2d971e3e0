// SPDX-License-Identifier: MIT
/*
 * Signals that are sent to the process come to threads that are no workers, and
 * a child of fork() has the mask that the program had, not the worker's.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "runtime.h"

#define WORKING 20

static atomic_int seen;
static _Atomic pid_t seen_by;
static _Atomic pid_t threads[WORKING]; /* where each of them is */

static void note_thread(int sig)
{
	(void)sig;
	atomic_store(&seen_by, gettid());
	atomic_fetch_add(&seen, 1);
}

static void handle(int sig)
{
	struct sigaction action = { .sa_handler = note_thread };

	CHECK_EQ(sigaction(sig, &action, NULL), 0);
}

static int signal_often(void *thread)
{
	int i;

	for (i = 0; i < 100; i++) {
		CHECK_EQ(kill(getpid(), SIGUSR1), 0);
		while (atomic_load(&seen) <= i)
			fiber_yield();
		CHECK_EQ(atomic_load(&seen_by), *(const pid_t *)thread);
	}
	return 0;
}

static void come_to_other_threads(void)
{
	pid_t thread = gettid();

	handle(SIGUSR1);
	runtime_run(1, 0, signal_often, &thread);
	atomic_store(&seen, 0);
	runtime_run(3, 0, signal_often, &thread);
}

static int see_mask(void *arg)
{
	static const int open[] = { SIGSEGV, SIGBUS,  SIGILL, SIGFPE,
				    SIGTRAP, SIGABRT, SIGPROF };
	static const int blocked[] = { SIGTERM, SIGINT,	 SIGCHLD, SIGALRM,
				       SIGUSR1, SIGPIPE, SIGHUP };
	sigset_t mask;
	size_t i;

	(void)arg;
	CHECK_EQ(pthread_sigmask(SIG_SETMASK, NULL, &mask), 0);
	for (i = 0; i < sizeof(open) / sizeof(open[0]); i++)
		CHECK_EQ(sigismember(&mask, open[i]), 0);
	for (i = 0; i < sizeof(blocked) / sizeof(blocked[0]); i++)
		CHECK_EQ(sigismember(&mask, blocked[i]), 1);
	return 0;
}

static void workers_block_most(void)
{
	runtime_run(2, FIBER_TEST_MIGRATE, see_mask, NULL);
}

/* Whoever starts the runtime keeps its own. */
static void starter_keeps_its_mask(void)
{
	sigset_t before, after;

	sigemptyset(&before);
	sigaddset(&before, SIGUSR2);
	CHECK_EQ(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
	runtime_start(2, 0);
	CHECK_EQ(pthread_sigmask(SIG_SETMASK, NULL, &after), 0);
	CHECK_EQ(sigismember(&after, SIGUSR2), 1);
	CHECK_EQ(sigismember(&after, SIGTERM), 0);
	runtime_stop();
	CHECK_EQ(pthread_sigmask(SIG_SETMASK, NULL, &after), 0);
	CHECK_EQ(sigismember(&after, SIGUSR2), 1);
	CHECK_EQ(sigismember(&after, SIGTERM), 0);
}

static int fork_one(void *arg)
{
	int status;
	pid_t pid = fork();

	(void)arg;
	CHECK(pid >= 0);
	if (pid == 0) {
		/* It is blocked where the program blocks it, and only there. */
		raise(SIGUSR2);
		raise(SIGTERM);
		_exit(1);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status));
	CHECK_EQ(WTERMSIG(status), SIGTERM);
	return 0;
}

static void child_has_the_mask_of_the_program(void)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR2);
	CHECK_EQ(pthread_sigmask(SIG_SETMASK, &mask, NULL), 0);
	runtime_run(1, 0, fork_one, NULL);
	runtime_run(2, FIBER_TEST_MIGRATE, fork_one, NULL);
	CHECK_EQ(fork_one(NULL), 0);
}

static int work_on(void *nr)
{
	int i;

	for (i = 0; i < 300; i++) {
		atomic_store(&threads[(intptr_t)nr], gettid());
		fiber_yield();
		CHECK_EQ(fiber_sleep(i % 10 * 1000), 0);
	}
	return 0;
}

static int work_in_all(void *arg)
{
	struct fiber *fibers[WORKING];
	intptr_t i;

	(void)arg;
	for (i = 0; i < WORKING; i++)
		fibers[i] = runtime_spawn(work_on, (void *)i);
	for (i = 0; i < WORKING; i++)
		CHECK_EQ(runtime_join(fibers[i]), 0);
	return 0;
}

static void *interrupt_workers(void *stop)
{
	unsigned int i;

	for (i = 0; !atomic_load((atomic_int *)stop); i++) {
		pid_t thread = atomic_load(&threads[i % WORKING]);

		/* It may have ended by now. */
		if (thread)
			tgkill(getpid(), thread, SIGPROF);
		usleep(20);
	}
	return NULL;
}

/* Workers let it in: in the kernel, between instructions, anywhere. */
static void profiler_interrupts_anything(void)
{
	atomic_int stop = 0;
	pthread_t thread;

	handle(SIGPROF);
	CHECK_EQ(pthread_create(&thread, NULL, interrupt_workers, &stop), 0);
	runtime_run(1, 0, work_in_all, NULL);
	runtime_run(2, 0, work_in_all, NULL);
	atomic_store(&stop, 1);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	test_note("interrupted %d times", atomic_load(&seen));
	CHECK(atomic_load(&seen) > 0);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(come_to_other_threads),
		TEST(workers_block_most),
		TEST(starter_keeps_its_mask),
		TEST(child_has_the_mask_of_the_program),
		TEST(profiler_interrupts_anything),
	};

	return RUN(argc, argv, tests);
}
