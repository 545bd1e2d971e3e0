// SPDX-License-Identifier: MIT
/*
 * A fiber cannot end the thread that it happens to run on: pthread_exit() ends
 * the process with a sentence, and pthread_cancel() does nothing.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "runtime.h"

static char said[4096];

static int exit_thread(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_name_set("marvin"), 0);
	fiber_yield();
	pthread_exit(NULL);
}

static int exit_beside_others(void *flags)
{
	struct fiber_attr attr = { .size = sizeof(attr),
				   .flags = *(unsigned int *)flags };
	struct fiber *f;

	CHECK_EQ(fiber_spawn(&f, exit_thread, NULL, &attr), 0);
	return runtime_join(f);
}

static void exit_a_thread(void *flags)
{
	runtime_run(2, 0, exit_beside_others, flags);
}

static void exit_aborts(void)
{
	static unsigned int flags[] = { 0, FIBER_BOUND };
	int i;

	for (i = 0; i < 2; i++) {
		CHECK_EQ(test_death(exit_a_thread, &flags[i], said,
				    sizeof(said)),
			 SIGABRT);
		CHECK_IN(said, " 'marvin' ended its thread by "
			       "pthread_exit() or pthread_cancel(); "
			       "a fiber ends by fiber_exit()\n");
	}
}

static int cancel_thread(void *arg)
{
	(void)arg;
	CHECK_EQ(pthread_cancel(pthread_self()), 0);
	pthread_testcancel();
	/* This is where one could end, too. */
	usleep(1000);
	fiber_yield();
	return 0;
}

static int cancel_threads(void *arg)
{
	(void)arg;
	runtime_spawn_and_join(20, cancel_thread, NULL);
	return 0;
}

static void cancel_is_ignored(void)
{
	runtime_run(1, 0, cancel_threads, NULL);
	runtime_run(3, 0, cancel_threads, NULL);
}

static int ask_and_cancel(void *arg)
{
	(void)arg;
	CHECK_EQ(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL), 0);
	CHECK_EQ(pthread_cancel(pthread_self()), 0);
	pthread_testcancel();
	return 0;
}

static void cancel_a_worker(void *arg)
{
	runtime_run(2, 0, ask_and_cancel, arg);
}

static void cancel_that_was_enabled_aborts(void)
{
	CHECK_EQ(test_death(cancel_a_worker, NULL, said, sizeof(said)),
		 SIGABRT);
	CHECK_IN(said, " ended its thread by pthread_exit() or ");
}

static void leave(void)
{
	_exit(7);
}

static void exit_thread_of_child(void *arg)
{
	(void)arg;
	CHECK_EQ(atexit(leave), 0);
	pthread_exit(NULL);
}

static int fork_and_exit(void *arg)
{
	int status = runtime_in_child(exit_thread_of_child, NULL);

	(void)arg;
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 7);
	return 0;
}

/*
 * There the fiber's thread is a worker no more, and the only one: with it the
 * process ends, as by exit().
 */
static void exit_in_a_child_process(void)
{
	if (TEST_SLOWER > 1)
		test_skip("with a sanitizer the child may hang at its end");
	runtime_run(2, 0, fork_and_exit, NULL);
}

static void *use_and_exit(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_sleep(RUNTIME_MS), 0);
	pthread_exit(NULL);
}

/* Others that wait here may end as they like. */
static void exit_of_a_client(void)
{
	runtime_start(2, 0);
	runtime_in_thread(use_and_exit, NULL);
	runtime_stop();
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(exit_aborts),
		TEST(cancel_is_ignored),
		TEST(cancel_that_was_enabled_aborts),
		TEST(exit_in_a_child_process),
		TEST(exit_of_a_client),
	};

	return RUN(argc, argv, tests);
}
