// SPDX-License-Identifier: MIT
/*
 * A timer that repeats keeps to its times; what finds the channel full is
 * dropped.
 */
#include <errno.h>

#include "fibers.h"

static struct fiber_timer *new_timer(int64_t at, int64_t every)
{
	struct fiber_timer *timer;

	CHECK_EQ(fiber_timer_new(&timer, at, every), 0);
	return timer;
}

static int64_t recv_time(struct fiber_timer *timer)
{
	int64_t value = -1;

	CHECK_EQ(fiber_recv(fiber_timer_chan(timer), &value), 0);
	return value;
}

static void ticks(int64_t first, int64_t every)
{
	int64_t at = fiber_after(first);
	struct fiber_timer *timer = new_timer(at, every);

	for (int i = 0; i < 100; i++) {
		CHECK_EQ(recv_time(timer), at);
		CHECK_EQ(fiber_now(), at);
		at += every;
	}
	fiber_timer_free(timer);
}

static void some_tickers(void)
{
	ticks(10, 10);
	ticks(5, 1);
	ticks(1, SEC);
	ticks(HOUR, 3);
	ticks(7, 24 * HOUR);
}

static void comes_again_and_again(void)
{
	run_shapes(FIBER_TEST_CLOCK, some_tickers);
}

static void slow_receiver(void)
{
	int64_t start = fiber_now();
	struct fiber_timer *timer = new_timer(start + 10, 10);
	struct fiber_chan *c = fiber_timer_chan(timer);
	int64_t value;

	CHECK_EQ(fiber_sleep_until(start + 55), 0);
	CHECK_EQ(fiber_chan_len(c), 1);
	/* The first stayed, and none of the later ones. */
	CHECK_EQ(recv_time(timer), start + 10);
	CHECK_EQ(fiber_try_recv(c, &value), -EAGAIN);
	CHECK_EQ(fiber_now(), start + 55);
	CHECK_EQ(recv_time(timer), start + 60);
	CHECK_EQ(fiber_now(), start + 60);
	CHECK_EQ(fiber_sleep_until(start + 10005), 0);
	CHECK_EQ(recv_time(timer), start + 70);
	CHECK_EQ(recv_time(timer), start + 10010);
	CHECK_EQ(recv_time(timer), start + 10020);
	fiber_timer_free(timer);
}

static void drops_what_finds_no_room(void)
{
	run_shapes(FIBER_TEST_CLOCK, slow_receiver);
}

static int count_ticks(void *arg)
{
	struct fiber_timer *timer = arg;
	int64_t value;
	int n = 0;

	while (fiber_recv(fiber_timer_chan(timer), &value) == 0)
		n++;
	return n;
}

/* Each of several tickers goes on beside the others. */
static void side_by_side(void)
{
	int64_t start = fiber_now();
	struct fiber_timer *timers[5];
	struct fiber *fibers[5];

	for (int i = 0; i < 5; i++) {
		timers[i] = new_timer(start + 2 * (i + 1), 2 * (i + 1));
		fibers[i] = spawn(count_ticks, timers[i]);
	}
	/* When all that was to be at 600 has been. */
	CHECK_EQ(fiber_sleep_until(start + 601), 0);
	for (int i = 0; i < 5; i++) {
		/* A closed channel takes nothing, and that is all. */
		CHECK_EQ(fiber_chan_close(fiber_timer_chan(timers[i])), 0);
		CHECK_EQ(join(fibers[i]), 300 / (i + 1));
	}
	CHECK_EQ(fiber_sleep(100), 0);
	for (int i = 0; i < 5; i++)
		fiber_timer_free(timers[i]);
}

static void several_side_by_side(void)
{
	run_shapes(FIBER_TEST_CLOCK, side_by_side);
}

/* By the real clock some may be dropped, but all are times that were to be. */
static void real_ticks(void)
{
	int64_t first = fiber_after(MSEC), every = MSEC / 2;
	struct fiber_timer *timer = new_timer(first, every);
	int64_t last = 0;

	for (int i = 0; i < 20; i++) {
		int64_t value = recv_time(timer);

		CHECK(value > last && value <= fiber_now());
		CHECK(value >= first + i * every);
		last = value;
	}
	fiber_timer_free(timer);
}

static void by_the_real_clock(void)
{
	run_shapes(0, real_ticks);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(comes_again_and_again),
		TEST(drops_what_finds_no_room),
		TEST(several_side_by_side),
		TEST(by_the_real_clock),
	};

	return RUN(argc, argv, tests);
}
