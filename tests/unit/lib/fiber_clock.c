// SPDX-License-Identifier: MIT
/*
 * Deadlines are points of the monotonic clock, and never wrap.
 */
#include "harness.h"
#include "runtime.h"

static void now_is_monotonic_time(void)
{
	int64_t before = test_now();
	int64_t now = fiber_now();
	int64_t after = test_now();

	CHECK(before <= now && now <= after);
}

static int see_now(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < 100; i++) {
		now_is_monotonic_time();
		fiber_yield();
	}
	return 0;
}

static void in_fibers_too(void)
{
	runtime_run(2, FIBER_TEST_MIGRATE, see_now, NULL);
}

static void after_is_so_much_later(void)
{
	int64_t before = test_now();
	int64_t t = fiber_after(RUNTIME_SECOND);
	int64_t after = test_now();

	CHECK(before + RUNTIME_SECOND <= t && t <= after + RUNTIME_SECOND);
}

static void after_saturates(void)
{
	int64_t before = test_now();
	int64_t t;

	CHECK_EQ(fiber_after(FIBER_FOREVER), FIBER_FOREVER);
	CHECK_EQ(fiber_after(FIBER_FOREVER - 1), FIBER_FOREVER);
	t = fiber_after(-1);
	CHECK(t >= before && t <= test_now());
	t = fiber_after(INT64_MIN);
	CHECK(t >= before && t <= test_now());
	t = fiber_after(0);
	CHECK(t >= before && t <= test_now());
}

static int sleep_for_nothing(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_sleep(0), 0);
	CHECK_EQ(fiber_sleep(-1), 0);
	CHECK_EQ(fiber_sleep(INT64_MIN), 0);
	CHECK_EQ(fiber_sleep_until(0), 0);
	CHECK_EQ(fiber_sleep_until(INT64_MIN), 0);
	CHECK_EQ(fiber_sleep_until(fiber_now()), 0);
	return 0;
}

static void past_is_over_at_once(void)
{
	runtime_run(1, 0, sleep_for_nothing, NULL);
	sleep_for_nothing(NULL);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(now_is_monotonic_time),  TEST(in_fibers_too),
		TEST(after_is_so_much_later), TEST(after_saturates),
		TEST(past_is_over_at_once),
	};

	return RUN(argc, argv, tests);
}
