// SPDX-License-Identifier: MIT
/*
 * A fiber can ask why it was cancelled: the first reason is the one that
 * counts.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>

#include "harness.h"
#include "runtime.h"

#define CANCELLERS 8

static atomic_int ready;

static int tell_why(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_cancelled(), 0);
	atomic_fetch_add(&ready, 1);
	CHECK_EQ(fiber_sleep(FIBER_FOREVER), -ECANCELED);
	return fiber_cancelled();
}

static int cancel_twice(void *arg)
{
	static const int whys[] = { 1, 2, 12345, INT_MAX };
	struct fiber *fiber;
	size_t i;

	(void)arg;
	for (i = 0; i < sizeof(whys) / sizeof(whys[0]); i++) {
		atomic_store(&ready, 0);
		fiber = runtime_spawn(tell_why, NULL);
		runtime_await(&ready, 1);
		CHECK_EQ(fiber_cancel(fiber, whys[i]), 0);
		CHECK_EQ(fiber_cancel(fiber, 5), 0);
		CHECK_EQ(fiber_cancel(fiber, INT_MAX), 0);
		CHECK_EQ(runtime_join(fiber), whys[i]);
	}
	return 0;
}

static void first_reason_stays(void)
{
	runtime_run(1, 0, cancel_twice, NULL);
}

struct race {
	struct fiber *fiber;
	pthread_barrier_t start;
};

static void *cancel_for_own_reason(void *arg)
{
	static atomic_int last;
	struct race *race = arg;
	int why = 1 + atomic_fetch_add(&last, 1) % CANCELLERS;
	int err;

	pthread_barrier_wait(&race->start);
	err = fiber_cancel(race->fiber, why);
	CHECK(err == 0 || err == -ESRCH);
	return NULL;
}

static int tell_often(void *arg)
{
	int why;
	int i;

	(void)arg;
	CHECK_EQ(fiber_sleep(FIBER_FOREVER), -ECANCELED);
	why = fiber_cancelled();
	CHECK(why >= 1 && why <= CANCELLERS);
	for (i = 0; i < 100; i++) {
		fiber_yield();
		CHECK_EQ(fiber_cancelled(), why);
	}
	return 0;
}

static void of_many_at_once(void)
{
	pthread_t threads[CANCELLERS];
	struct race race;
	int round, i;

	runtime_start(2, 0);
	for (round = 0; round < RUNTIME_TIMES(100); round++) {
		race.fiber = runtime_spawn(tell_often, NULL);
		pthread_barrier_init(&race.start, NULL, CANCELLERS);
		for (i = 0; i < CANCELLERS; i++)
			CHECK_EQ(pthread_create(&threads[i], NULL,
						cancel_for_own_reason, &race),
				 0);
		for (i = 0; i < CANCELLERS; i++)
			CHECK_EQ(pthread_join(threads[i], NULL), 0);
		CHECK_EQ(runtime_join(race.fiber), 0);
		pthread_barrier_destroy(&race.start);
	}
	runtime_stop();
}

static int misuse(void *arg)
{
	struct fiber *fiber = runtime_spawn(tell_why, NULL);

	(void)arg;
	runtime_await(&ready, 1);
	CHECK_EQ(fiber_cancel(NULL, 1), -EINVAL);
	CHECK_EQ(fiber_cancel(fiber, 0), -EINVAL);
	CHECK_EQ(fiber_cancel(fiber, -1), -EINVAL);
	CHECK_EQ(fiber_cancel(fiber, INT_MIN), -EINVAL);
	CHECK_EQ(fiber_cancel(fiber, 6), 0);
	CHECK_EQ(fiber_join(fiber_get(fiber), NULL), 0);
	CHECK_EQ(fiber_cancel(fiber, 1), -ESRCH);
	CHECK_EQ(runtime_join(fiber), 6);
	return 0;
}

static void nonsense_and_the_ended(void)
{
	runtime_run(1, 0, misuse, NULL);
}

static void threads_are_not(void)
{
	CHECK_EQ(fiber_cancelled(), 0);
	runtime_start(1, 0);
	CHECK_EQ(fiber_cancelled(), 0);
	runtime_stop();
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(first_reason_stays),
		TEST(of_many_at_once),
		TEST(nonsense_and_the_ended),
		TEST(threads_are_not),
	};

	return RUN(argc, argv, tests);
}
