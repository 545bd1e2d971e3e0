// SPDX-License-Identifier: MIT
/*
 * A timer that does not repeat sends its time once, at its time.
 */
#include <errno.h>

#include "fibers.h"

static int64_t recv_time(struct fiber_timer *timer)
{
	int64_t value = -1;

	CHECK_EQ(fiber_recv(fiber_timer_chan(timer), &value), 0);
	return value;
}

static struct fiber_timer *new_timer(int64_t at, int64_t every)
{
	struct fiber_timer *timer;

	CHECK_EQ(fiber_timer_new(&timer, at, every), 0);
	return timer;
}

static void exact(void)
{
	static const int64_t waits[] = { 1, 5, USEC, SEC, 1000 * HOUR };

	for (size_t i = 0; i < ARRAY_SIZE(waits); i++) {
		int64_t at = fiber_after(waits[i]);
		struct fiber_timer *timer = new_timer(at, 0);
		int64_t value;

		CHECK_EQ(fiber_try_recv(fiber_timer_chan(timer), &value),
			 -EAGAIN);
		CHECK_EQ(recv_time(timer), at);
		CHECK_EQ(fiber_now(), at);
		CHECK_EQ(fiber_recv_until(fiber_timer_chan(timer), &value,
					  at + 2 * HOUR),
			 -ETIMEDOUT);
		CHECK_EQ(fiber_now(), at + 2 * HOUR);
		fiber_timer_free(timer);
	}
}

static void at_its_time_and_never_again(void)
{
	run_shapes(FIBER_TEST_CLOCK, exact);
}

static void past(void)
{
	static const int64_t times[] = { INT64_MIN, -1, 0, 50, 100 };

	CHECK_EQ(fiber_sleep_until(fiber_now() + 100), 0);
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		int64_t now = fiber_now();
		struct fiber_timer *timer = new_timer(times[i], 0);
		int64_t value = recv_time(timer);

		CHECK_EQ(fiber_now(), now);
		CHECK(value >= times[i] && value <= now);
		fiber_timer_free(timer);
	}
}

static void at_once_if_it_has_passed(void)
{
	run_shapes(FIBER_TEST_CLOCK, past);
}

/* Also when nobody waits for it, and when it is never looked at. */
static void nobody_waits(void)
{
	int64_t at = fiber_after(100);
	struct fiber_timer *timer = new_timer(at, 0);
	struct fiber_timer *other = new_timer(at, 0);

	CHECK_EQ(fiber_sleep(HOUR), 0);
	CHECK_EQ(fiber_chan_len(fiber_timer_chan(timer)), 1);
	CHECK_EQ(fiber_chan_len(fiber_timer_chan(other)), 1);
	CHECK_EQ(recv_time(timer), at);
	CHECK_EQ(fiber_now(), at - 100 + HOUR);
	fiber_timer_free(timer);
	fiber_timer_free(other);
}

static void when_nobody_waits(void)
{
	run_shapes(FIBER_TEST_CLOCK, nobody_waits);
}

/* A channel may outlive its timer, and then nothing comes. */
static void freed(void)
{
	struct fiber_timer *timer = new_timer(fiber_after(100), 0);
	struct fiber_chan *c = fiber_chan_get(fiber_timer_chan(timer));
	int64_t value;

	fiber_timer_free(timer);
	CHECK_EQ(fiber_recv_until(c, &value, fiber_after(HOUR)), -ETIMEDOUT);
	fiber_chan_put(c);

	timer = new_timer(fiber_after(100), 0);
	c = fiber_chan_get(fiber_timer_chan(timer));
	CHECK_EQ(fiber_sleep(200), 0);
	fiber_timer_free(timer);
	CHECK_EQ(fiber_recv(c, &value), 0);
	CHECK_EQ(fiber_now(), value + 100);
	CHECK_EQ(fiber_try_recv(c, &value), -EAGAIN);
	fiber_chan_put(c);
}

static void freed_it_sends_nothing(void)
{
	run_shapes(FIBER_TEST_CLOCK, freed);
}

/* As a timeout beside other channels, the usual use. */
static void in_select(void)
{
	struct fiber_chan *c = new_chan(sizeof(int), 0);
	struct fiber_timer *timer = new_timer(fiber_after(SEC), 0);
	int value;
	int64_t at = 0;
	struct fiber_case cases[] = {
		{ .chan = c, .elem = &value, .op = FIBER_RECV },
		{ fiber_timer_chan(timer), &at, FIBER_RECV, -1 },
	};

	CHECK_EQ(fiber_select(cases, 2, 0), 1);
	CHECK_EQ(cases[1].result, 0);
	CHECK_EQ(at, fiber_now());
	check_idle(c);
	fiber_timer_free(timer);
	fiber_chan_put(c);
}

static void beside_other_channels(void)
{
	run_shapes(FIBER_TEST_CLOCK, in_select);
}

static void real(void)
{
	for (int64_t wait = 1; wait < 20 * MSEC; wait *= 20) {
		int64_t at = fiber_after(wait);
		struct fiber_timer *timer = new_timer(at, 0);
		int64_t value = recv_time(timer);

		CHECK(value >= at && value <= fiber_now());
		fiber_timer_free(timer);
	}
}

static void by_the_real_clock(void)
{
	run_shapes(0, real);
}

/* The last reference to a timer goes just when it is due. */
static void free_when_due(void)
{
	for (int i = 0; i < ROUNDS(2000); i++) {
		int64_t at = fiber_after(i % 50 * USEC);
		struct fiber_timer *timer = new_timer(at, i % 2);

		if (i % 3 == 0)
			fiber_yield();
		else
			while (fiber_now() < at)
				;
		fiber_timer_free(timer);
	}
}

static void freed_when_it_is_due(void)
{
	run_shapes(0, free_when_due);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(at_its_time_and_never_again),
		TEST(at_once_if_it_has_passed),
		TEST(when_nobody_waits),
		TEST(freed_it_sends_nothing),
		TEST(beside_other_channels),
		TEST(by_the_real_clock),
		TEST(freed_when_it_is_due),
	};

	return RUN(argc, argv, tests);
}
