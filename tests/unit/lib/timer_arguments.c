// SPDX-License-Identifier: MIT
/*
 * Timers that make no sense are refused.
 */
#include <errno.h>

#include "fibers.h"

static void refused(void)
{
	struct fiber_timer *timer;
	int64_t value;

	CHECK_EQ(fiber_timer_new(NULL, FIBER_FOREVER, 0), -EINVAL);
	CHECK_EQ(fiber_timer_new(&timer, 0, -1), -EINVAL);
	CHECK_EQ(fiber_timer_new(&timer, FIBER_FOREVER, INT64_MIN), -EINVAL);
	CHECK_EQ(fiber_timer_set(NULL, FIBER_FOREVER, 0), -EINVAL);
	CHECK_EQ(fiber_timer_new(&timer, fiber_after(5), 0), 0);
	CHECK_EQ(fiber_timer_set(timer, FIBER_FOREVER, -1), -EINVAL);
	/* As it was. */
	CHECK_EQ(fiber_recv(fiber_timer_chan(timer), &value), 0);
	fiber_timer_free(timer);
}

static void senseless_ones_are_refused(void)
{
	run_with(2, FIBER_TEST_CLOCK, refused);
}

static void channel(void)
{
	struct fiber_timer *timer;

	CHECK_EQ(fiber_timer_new(&timer, FIBER_FOREVER, 0), 0);
	CHECK(fiber_timer_chan(timer));
	CHECK(fiber_timer_chan(timer) == fiber_timer_chan(timer));
	CHECK_EQ(fiber_chan_cap(fiber_timer_chan(timer)), 1);
	CHECK_EQ(fiber_chan_len(fiber_timer_chan(timer)), 0);
	fiber_timer_free(timer);
}

static void channel_holds_one(void)
{
	run_with(2, FIBER_TEST_CLOCK, channel);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(senseless_ones_are_refused),
		TEST(channel_holds_one),
	};

	return RUN(argc, argv, tests);
}
