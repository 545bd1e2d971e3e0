// SPDX-License-Identifier: MIT
/*
 * fiber_run() runs a function in a fiber and returns what that returned, any
 * number of times in a process, but not inside another.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <unistd.h>

#include "harness.h"
#include "runtime.h"
#include "sanitize.h"

static int give(void *arg)
{
	CHECK(fiber_self());
	return (int)(intptr_t)arg;
}

static void result_of_main(void)
{
	static const int results[] = { 0, 1, -1, -EBUSY, 255, INT_MAX, INT_MIN };
	size_t i;

	for (i = 0; i < sizeof(results) / sizeof(results[0]); i++)
		CHECK_EQ(fiber_run(give, (void *)(intptr_t)results[i], NULL),
			 results[i]);
}

/* The thread sanitizer has one too, and another in a child of fork(). */
#ifdef FIBER_TSAN
#define THREADS 3
#else
#define THREADS 1
#endif

static int give_thread(void *thread)
{
	*(pid_t *)thread = gettid();
	return 0;
}

static void in_another_thread(void)
{
	pid_t thread;

	CHECK_EQ(fiber_run(give_thread, &thread, NULL), 0);
	CHECK(thread != gettid());
}

static int count_threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	int n = 0;

	CHECK(dir);
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

static int spawn_some(void *arg)
{
	runtime_spawn_and_join(100, give, NULL);
	return give(arg);
}

static void again_and_again(void)
{
	struct fiber_status status = { .size = sizeof(status) };
	struct fiber_config config = { .size = sizeof(config) };
	intptr_t i;

	for (i = 0; i < 30; i++) {
		config.workers = 1 + i % 4;
		CHECK_EQ(fiber_run(spawn_some, (void *)i, &config), i);
		CHECK_EQ(fiber_status(&status), -EPERM);
		/* A thread that was joined may be listed for an instant. */
		while (count_threads() > THREADS)
			usleep(1000);
	}
}

static void *run_in_thread(void *arg)
{
	CHECK_EQ(fiber_run(spawn_some, (void *)5, NULL), 5);
	return arg;
}

static void by_one_thread_after_another(void)
{
	int i;

	for (i = 0; i < 5; i++)
		runtime_in_thread(run_in_thread, NULL);
	run_in_thread(NULL);
}

static int run_inside(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_run(give, NULL, NULL), -EBUSY);
	CHECK_EQ(fiber_start(NULL), -EBUSY);
	return 3;
}

static int spawn_nested(void *arg)
{
	CHECK_EQ(runtime_join(runtime_spawn(run_inside, arg)), 3);
	return run_inside(arg);
}

static void not_inside_another(void)
{
	CHECK_EQ(fiber_run(spawn_nested, NULL, NULL), 3);
}

static void *run_beside(void *arg)
{
	CHECK_EQ(run_inside(arg), 3);
	return NULL;
}

static int run_in_another_thread(void *arg)
{
	runtime_in_thread(run_beside, arg);
	return 4;
}

static void not_beside_another(void)
{
	CHECK_EQ(fiber_run(run_in_another_thread, NULL, NULL), 4);
	CHECK_EQ(fiber_start(NULL), 0);
	CHECK_EQ(run_inside(NULL), 3);
	runtime_in_thread(run_beside, NULL);
	runtime_stop();
	CHECK_EQ(fiber_run(give, (void *)6, NULL), 6);
}

static void *race_to_run(void *barrier)
{
	int result;

	pthread_barrier_wait(barrier);
	result = fiber_run(give, (void *)1, NULL);
	CHECK(result == 1 || result == -EBUSY);
	return (void *)(intptr_t)(result == 1);
}

static void one_of_those_who_try(void)
{
	pthread_barrier_t barrier;
	pthread_t threads[4];
	int round, ran, i;
	void *one;

	pthread_barrier_init(&barrier, NULL, 4);
	for (round = 0; round < 20; round++) {
		ran = 0;
		for (i = 0; i < 4; i++)
			CHECK_EQ(pthread_create(&threads[i], NULL, race_to_run,
						&barrier),
				 0);
		for (i = 0; i < 4; i++) {
			CHECK_EQ(pthread_join(threads[i], &one), 0);
			ran += one != NULL;
		}
		CHECK(ran >= 1);
	}
	pthread_barrier_destroy(&barrier);
}

static void not_without_a_function(void)
{
	CHECK_EQ(fiber_run(NULL, NULL, NULL), -EINVAL);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(result_of_main),	    TEST(in_another_thread),
		TEST(again_and_again),	    TEST(by_one_thread_after_another),
		TEST(not_inside_another),   TEST(not_beside_another),
		TEST(one_of_those_who_try), TEST(not_without_a_function),
	};

	return RUN(argc, argv, tests);
}
