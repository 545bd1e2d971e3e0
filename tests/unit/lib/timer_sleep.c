// SPDX-License-Identifier: MIT
/*
 * A sleep ends at its time, and lets others run meanwhile.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "fibers.h"

#define SLEEPERS 50

static void exact_sleeps(void)
{
	static const int64_t times[] = { 1, 2, 1000, SEC, HOUR, 100000 * HOUR };
	int64_t at = fiber_now();

	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		CHECK_EQ(fiber_sleep(times[i]), 0);
		at += times[i];
		CHECK_EQ(fiber_now(), at);
		at += times[i];
		CHECK_EQ(fiber_sleep_until(at), 0);
		CHECK_EQ(fiber_now(), at);
	}
}

static void no_sleeps(void)
{
	int64_t start;

	CHECK_EQ(fiber_sleep(SEC), 0);
	start = fiber_now();
	CHECK_EQ(fiber_sleep(0), 0);
	CHECK_EQ(fiber_sleep(-1), 0);
	CHECK_EQ(fiber_sleep(INT64_MIN), 0);
	CHECK_EQ(fiber_sleep_until(start), 0);
	CHECK_EQ(fiber_sleep_until(start - 1), 0);
	CHECK_EQ(fiber_sleep_until(0), 0);
	CHECK_EQ(fiber_sleep_until(INT64_MIN), 0);
	CHECK_EQ(fiber_now(), start);
}

static void ends_at_its_time(void)
{
	run_shapes(FIBER_TEST_CLOCK, exact_sleeps);
}

static void ends_at_once_if_that_has_been(void)
{
	run_shapes(FIBER_TEST_CLOCK, no_sleeps);
}

struct sleeper {
	int64_t at;
	int place;
};

static _Atomic int places;

static int sleep_and_see(void *arg)
{
	struct sleeper *sleeper = arg;

	CHECK_EQ(fiber_sleep_until(sleeper->at), 0);
	sleeper->place = places++;
	CHECK_EQ(fiber_now(), sleeper->at);
	return 0;
}

/* Whatever the order in which they lay down. */
static void by_time(void)
{
	struct sleeper sleepers[SLEEPERS];

	places = 0;
	for (int i = 0; i < SLEEPERS; i++)
		sleepers[i].at = fiber_now() + 1 + i * 37 % SLEEPERS;
	run_all(SLEEPERS, sleep_and_see, sleepers, sizeof(sleepers[0]));
	for (int i = 0; i < SLEEPERS; i++)
		CHECK_EQ(sleepers[i].place, i * 37 % SLEEPERS);
}

static void earlier_ones_end_first(void)
{
	run_shapes(FIBER_TEST_CLOCK, by_time);
}

static int sleep_a_little(void *arg)
{
	unsigned int seed = *(int *)arg;

	for (int i = 0; i < 20; i++) {
		int64_t at = fiber_after(rand_r(&seed) % (500 * USEC));

		CHECK_EQ(fiber_sleep_until(at), 0);
		CHECK(fiber_now() >= at);
		CHECK(test_now() >= at);
	}
	return 0;
}

static void real_sleeps(void)
{
	int64_t start = test_now();
	int seeds[10];

	CHECK_EQ(fiber_sleep(2 * MSEC), 0);
	CHECK(test_now() - start >= 2 * MSEC);
	for (int i = 0; i < 10; i++)
		seeds[i] = i + 1;
	run_all(10, sleep_a_little, seeds, sizeof(seeds[0]));
}

static void never_ends_early(void)
{
	run_shapes(0, real_sleeps);
}

static _Atomic bool stop;

static int run_meanwhile(void *arg)
{
	while (!stop) {
		++*(_Atomic int *)arg;
		fiber_yield();
	}
	return 0;
}

/* A busy machine may have its one worker wait for longer than a sleep. */
static void others_meanwhile(void)
{
	struct fiber *fiber;
	_Atomic int n = 0;

	stop = false;
	fiber = spawn(run_meanwhile, (void *)&n);
	for (int i = 0; i < 1000 && n <= 1; i++)
		CHECK_EQ(fiber_sleep(5 * MSEC), 0);
	stop = true;
	CHECK_EQ(join(fiber), 0);
	CHECK(n > 1);
}

static void lets_others_run(void)
{
	run_shapes(0, others_meanwhile);
}

/* In a thread as well, with and without a runtime. */
static void *sleep_in_thread(void *arg)
{
	(void)arg;
	for (int i = 0; i < 5; i++) {
		int64_t at = fiber_after(i * MSEC);

		CHECK_EQ(fiber_sleep(i * MSEC), 0);
		CHECK(test_now() >= at);
		CHECK_EQ(fiber_sleep_until(at), 0);
		CHECK_EQ(fiber_sleep(-1), 0);
	}
	return NULL;
}

static void a_thread_sleeps(void)
{
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, sleep_in_thread, NULL), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
}

static void threads_sleep(void)
{
	run_shapes(0, a_thread_sleeps);
	a_thread_sleeps();
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(ends_at_its_time),
		TEST(ends_at_once_if_that_has_been),
		TEST(earlier_ones_end_first),
		TEST(never_ends_early),
		TEST(lets_others_run),
		TEST(threads_sleep),
	};

	return RUN(argc, argv, tests);
}
