// SPDX-License-Identifier: MIT
/*
 * Thousands sleep, each until its own time.
 */
#include <errno.h>
#include <stdlib.h>

#include "fibers.h"

#define SLEEPERS ROUNDS(10000)

struct sleeper {
	int64_t at;
	unsigned int seed;
};

static int sleep_long(void *arg)
{
	struct sleeper *sleeper = arg;
	int64_t at = sleeper->at;

	for (int i = 0; i < 3; i++) {
		CHECK_EQ(fiber_sleep_until(at), 0);
		CHECK_EQ(fiber_now(), at);
		/* Not many different ones, so that some end together. */
		at += (1 + rand_r(&sleeper->seed) % 300) * HOUR;
	}
	return 0;
}

static int sleep_short(void *arg)
{
	struct sleeper *sleeper = arg;

	CHECK_EQ(fiber_sleep_until(sleeper->at), 0);
	CHECK(fiber_now() >= sleeper->at);
	return 0;
}

static struct sleeper *new_sleepers(int64_t most)
{
	struct sleeper *sleepers = calloc(SLEEPERS, sizeof(*sleepers));
	unsigned int seed = 1;

	CHECK(sleepers);
	for (int i = 0; i < SLEEPERS; i++) {
		sleepers[i].seed = i;
		sleepers[i].at = fiber_after(rand_r(&seed) % most);
	}
	return sleepers;
}

static void virtual_sleeps(void)
{
	struct sleeper *sleepers = new_sleepers(500);

	run_all(SLEEPERS, sleep_long, sleepers, sizeof(*sleepers));
	free(sleepers);
}

static void real_sleeps(void)
{
	struct sleeper *sleepers = new_sleepers(50 * MSEC);

	run_all(SLEEPERS, sleep_short, sleepers, sizeof(*sleepers));
	free(sleepers);
}

static void for_days_of_the_virtual_clock(void)
{
	run_shapes(FIBER_TEST_CLOCK, virtual_sleeps);
}

static void for_a_moment_of_the_real_one(void)
{
	run_shapes(0, real_sleeps);
}

/* As many timers, of which a few are waited for. */
static void many_timers(void)
{
	struct fiber_timer **timers = calloc(SLEEPERS, sizeof(*timers));
	int64_t start = fiber_now();
	int64_t value;

	CHECK(timers);
	for (int i = 0; i < SLEEPERS; i++) {
		int64_t at = start + 1 + (int64_t)i * 7919 % SLEEPERS;

		CHECK_EQ(fiber_timer_new(&timers[i], at, 0), 0);
	}
	for (int i = 0; i < SLEEPERS; i += 7) {
		int64_t at = start + 1 + (int64_t)i * 7919 % SLEEPERS;

		CHECK_EQ(fiber_recv(fiber_timer_chan(timers[i]), &value), 0);
		CHECK_EQ(value, at);
	}
	/* Some are due by now, and some are not. */
	for (int i = 0; i < SLEEPERS; i++)
		fiber_timer_free(timers[i]);
	free(timers);
}

static void timers_in_thousands(void)
{
	run_shapes(FIBER_TEST_CLOCK, many_timers);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(for_days_of_the_virtual_clock),
		TEST(for_a_moment_of_the_real_one),
		TEST(timers_in_thousands),
	};

	return RUN(argc, argv, tests);
}
