// SPDX-License-Identifier: MIT
/*
 * Joining with a deadline gives up at that time and not before, and then the
 * caller has its reference still.
 */
#include <errno.h>

#include "harness.h"
#include "runtime.h"

static atomic_int gate;

static int wait_for_gate(void *arg)
{
	(void)arg;
	while (!atomic_load(&gate))
		CHECK_EQ(fiber_sleep(RUNTIME_MS), 0);
	return 42;
}

static int end_at_once(void *arg)
{
	(void)arg;
	return 43;
}

static int time_out_and_join(void *arg)
{
	struct fiber *fiber = runtime_spawn(wait_for_gate, NULL);
	int64_t deadline;
	int result = 5;
	int i;

	(void)arg;
	for (i = 0; i < 5; i++) {
		deadline = fiber_after(i * RUNTIME_MS);
		CHECK_EQ(fiber_join_until(fiber, &result, deadline),
			 -ETIMEDOUT);
		CHECK(fiber_now() >= deadline);
	}
	CHECK_EQ(result, 5);
	atomic_store(&gate, 1);
	deadline = fiber_after(20 * RUNTIME_SECOND);
	CHECK_EQ(fiber_join_until(fiber, &result, deadline), 0);
	CHECK_EQ(result, 42);
	return 0;
}

static void times_out_and_then_works(void)
{
	runtime_run(1, 0, time_out_and_join, NULL);
	atomic_store(&gate, 0);
	runtime_run(2, FIBER_TEST_MIGRATE, time_out_and_join, NULL);
}

static void *time_out_in_thread(void *arg)
{
	time_out_and_join(arg);
	return NULL;
}

static void in_a_thread(void)
{
	runtime_start(1, 0);
	runtime_in_thread(time_out_in_thread, NULL);
	runtime_stop();
}

static int join_in_the_past(void *arg)
{
	static const int64_t past[] = { INT64_MIN, -1, 0, 1 };
	struct fiber *running = runtime_spawn(wait_for_gate, NULL);
	struct fiber *ended;
	size_t i;
	int result;

	(void)arg;
	for (i = 0; i < sizeof(past) / sizeof(past[0]); i++) {
		CHECK_EQ(fiber_join_until(running, &result, past[i]),
			 -ETIMEDOUT);
		ended = runtime_spawn(end_at_once, NULL);
		while (runtime_status().fibers > 2)
			fiber_yield();
		CHECK_EQ(fiber_join_until(ended, &result, past[i]), 0);
		CHECK_EQ(result, 43);
	}
	atomic_store(&gate, 1);
	CHECK_EQ(runtime_join(running), 42);
	return 0;
}

static void deadline_in_the_past_tries_once(void)
{
	runtime_run(1, 0, join_in_the_past, NULL);
}

static int join_without_deadline(void *arg)
{
	struct fiber *fiber = runtime_spawn(wait_for_gate, NULL);
	int result;

	(void)arg;
	fiber_yield();
	atomic_store(&gate, 1);
	CHECK_EQ(fiber_join_until(fiber, &result, FIBER_FOREVER), 0);
	CHECK_EQ(result, 42);
	return 0;
}

static void forever_is_no_deadline(void)
{
	runtime_run(1, 0, join_without_deadline, NULL);
}

/* The end and the deadline come at the same time: one of them it must be. */
static int end_in_time(void *arg)
{
	fiber_sleep_until(*(const int64_t *)arg);
	return 44;
}

static int race_for_it(void *arg)
{
	int late = 0;
	int result;
	int err;
	int i;

	(void)arg;
	for (i = 0; i < RUNTIME_TIMES(2000); i++) {
		int64_t t = fiber_after(i % 50 * 1000);
		struct fiber *fiber = runtime_spawn(end_in_time, &t);

		err = fiber_join_until(fiber, &result, t);
		if (err) {
			CHECK_EQ(err, -ETIMEDOUT);
			CHECK(fiber_now() >= t);
			late++;
			result = runtime_join(fiber);
		}
		CHECK_EQ(result, 44);
	}
	test_note("%d of %d timed out", late, i);
	return 0;
}

static void end_races_deadline(void)
{
	runtime_run(1, 0, race_for_it, NULL);
	runtime_run(2, 0, race_for_it, NULL);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(times_out_and_then_works),
		TEST(in_a_thread),
		TEST(deadline_in_the_past_tries_once),
		TEST(forever_is_no_deadline),
		TEST(end_races_deadline),
	};

	return RUN(argc, argv, tests);
}
