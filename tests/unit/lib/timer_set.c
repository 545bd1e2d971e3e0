// SPDX-License-Identifier: MIT
/*
 * A timer may be set anew and stopped at any time, and says whether it was set.
 */
#include <errno.h>

#include "fibers.h"

static struct fiber_timer *timer;
static struct fiber_chan *chan;

static void set_up(int64_t at, int64_t every)
{
	CHECK_EQ(fiber_timer_new(&timer, at, every), 0);
	chan = fiber_timer_chan(timer);
}

static void check_next(int64_t at)
{
	int64_t value = -1;

	CHECK_EQ(fiber_recv(chan, &value), 0);
	CHECK_EQ(value, at);
}

static void check_silence(void)
{
	int64_t value;

	CHECK_EQ(fiber_recv_until(chan, &value, fiber_after(100 * HOUR)),
		 -ETIMEDOUT);
}

static void stop_it(void)
{
	set_up(fiber_after(SEC), 0);
	CHECK_EQ(fiber_timer_set(timer, FIBER_FOREVER, 0), 1);
	CHECK_EQ(fiber_timer_set(timer, FIBER_FOREVER, 0), 0);
	check_silence();
	fiber_timer_free(timer);

	set_up(fiber_after(SEC), SEC);
	check_next(fiber_now() + SEC);
	CHECK_EQ(fiber_timer_set(timer, FIBER_FOREVER, 0), 1);
	CHECK_EQ(fiber_timer_set(timer, FIBER_FOREVER, SEC), 0);
	check_silence();
	fiber_timer_free(timer);

	set_up(FIBER_FOREVER, SEC);
	check_silence();
	CHECK_EQ(fiber_timer_set(timer, FIBER_FOREVER, 0), 0);
	fiber_timer_free(timer);
}

static void stopped(void)
{
	run_shapes(FIBER_TEST_CLOCK, stop_it);
}

static void set_it(void)
{
	int64_t start = fiber_now();

	set_up(FIBER_FOREVER, 0);
	/* Sooner, later, sooner than before. */
	CHECK_EQ(fiber_timer_set(timer, start + SEC, 0), 0);
	CHECK_EQ(fiber_timer_set(timer, start + HOUR, 0), 1);
	CHECK_EQ(fiber_timer_set(timer, start + 10, 0), 1);
	check_next(start + 10);
	CHECK_EQ(fiber_now(), start + 10);
	check_silence();
	start = fiber_now();
	CHECK_EQ(fiber_timer_set(timer, start + 1, 0), 0);
	CHECK_EQ(fiber_timer_set(timer, start + HOUR, 0), 1);
	check_next(start + HOUR);
	CHECK_EQ(fiber_now(), start + HOUR);
	/* One that has been is not set any more. */
	CHECK_EQ(fiber_timer_set(timer, start, 0), 0);
	CHECK_EQ(fiber_recv(chan, NULL), 0);
	CHECK_EQ(fiber_now(), start + HOUR);
	fiber_timer_free(timer);
}

static void set_sooner_and_later(void)
{
	run_shapes(FIBER_TEST_CLOCK, set_it);
}

static void change_it(void)
{
	int64_t start = fiber_now();

	set_up(start + 10, 10);
	check_next(start + 10);
	check_next(start + 20);
	/* Other times, then once only, then again and again. */
	CHECK_EQ(fiber_timer_set(timer, start + 25, 7), 1);
	check_next(start + 25);
	check_next(start + 32);
	check_next(start + 39);
	CHECK_EQ(fiber_timer_set(timer, start + 40, 0), 1);
	check_next(start + 40);
	check_silence();
	start = fiber_now();
	CHECK_EQ(fiber_timer_set(timer, start + 5, 1), 0);
	check_next(start + 5);
	check_next(start + 6);
	fiber_timer_free(timer);
}

static void set_to_repeat_and_not(void)
{
	run_shapes(FIBER_TEST_CLOCK, change_it);
}

/* What it has sent before it was set anew stays. */
static void what_is_there(void)
{
	int64_t start = fiber_now();

	set_up(start + 10, 0);
	CHECK_EQ(fiber_sleep_until(start + 20), 0);
	CHECK_EQ(fiber_timer_set(timer, start + 30, 0), 0);
	check_next(start + 10);
	CHECK_EQ(fiber_now(), start + 20);
	check_next(start + 30);

	CHECK_EQ(fiber_timer_set(timer, start + 40, 0), 0);
	CHECK_EQ(fiber_sleep_until(start + 50), 0);
	CHECK_EQ(fiber_timer_set(timer, FIBER_FOREVER, 0), 0);
	check_next(start + 40);
	check_silence();
	fiber_timer_free(timer);
}

static void what_it_sent_stays(void)
{
	run_shapes(FIBER_TEST_CLOCK, what_is_there);
}

static int wait_for_it(void *arg)
{
	(void)arg;
	check_next(fiber_now() + SEC + HOUR);
	return 0;
}

/* Somebody waits for it all the while. */
static void under_a_waiter(void)
{
	int64_t start = fiber_now();
	struct fiber *fiber;

	set_up(start + HOUR, 0);
	fiber = spawn(wait_for_it, NULL);
	CHECK_EQ(fiber_sleep(SEC), 0);
	CHECK_EQ(fiber_timer_set(timer, FIBER_FOREVER, 0), 1);
	CHECK_EQ(fiber_sleep(HOUR), 0);
	CHECK_EQ(fiber_timer_set(timer, start + SEC + HOUR, 0), 0);
	CHECK_EQ(join(fiber), 0);
	CHECK_EQ(fiber_now(), start + SEC + HOUR);
	fiber_timer_free(timer);
}

static void while_somebody_waits(void)
{
	run_shapes(FIBER_TEST_CLOCK, under_a_waiter);
}

/* Set when it is due, by several: each time it was set it sends at most once. */
static _Atomic int sets, times;

static int set_again(void *arg)
{
	for (int i = 0; i < ROUNDS(1000); i++) {
		int64_t at = fiber_after(i % 20 * USEC);

		sets++;
		CHECK(fiber_timer_set(timer, at, 0) >= 0);
		if (i % 4 == *(int *)arg % 4)
			fiber_yield();
	}
	return 0;
}

static int count_times(void *arg)
{
	int64_t value, last = 0;

	(void)arg;
	while (fiber_recv(chan, &value) == 0) {
		CHECK(value >= last && value <= fiber_now());
		last = value;
		times++;
	}
	return 0;
}

static void by_several(void)
{
	int numbers[] = { 0, 1, 2 };
	struct fiber *fiber;
	int before;

	sets = 0;
	times = 0;
	set_up(FIBER_FOREVER, 0);
	fiber = spawn(count_times, NULL);
	run_all(3, set_again, numbers, sizeof(int));
	CHECK(fiber_timer_set(timer, FIBER_FOREVER, 0) >= 0);
	before = times;
	/* It is as good as new: one of these is the last time. */
	CHECK_EQ(fiber_timer_set(timer, fiber_now(), 0), 0);
	while (times == before)
		CHECK_EQ(fiber_sleep(100 * USEC), 0);
	CHECK_EQ(fiber_chan_close(chan), 0);
	CHECK_EQ(join(fiber), 0);
	CHECK(times <= sets + 1);
	fiber_timer_free(timer);
}

static void by_several_when_due(void)
{
	run_shapes(0, by_several);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(stopped),
		TEST(set_sooner_and_later),
		TEST(set_to_repeat_and_not),
		TEST(what_it_sent_stays),
		TEST(while_somebody_waits),
		TEST(by_several_when_due),
	};

	return RUN(argc, argv, tests);
}
