// SPDX-License-Identifier: MIT
/*
 * Timers: set, stopped and freed while they fire, at two workers.
 */
#include <errno.h>

#include <fiber/time.h>

#include "chan.h"
#include "env.h"

static struct fiber_timer *timer;
static struct fiber_chan *chan; /* the timer's, with a reference of its own */

static void new_timer(int64_t at, int64_t every)
{
	EXPECT_EQ(fiber_timer_new(&timer, at, every), 0);
	chan = fiber_chan_get(fiber_timer_chan(timer));
}

/* Nobody has the timer any more, and perhaps it has sent something. */
static void check_gone(void)
{
	EXPECT(!chan->recvq);
	EXPECT(fiber_chan_len(chan) <= 1);
	EXPECT_EQ(at_load(&chan->refs, RELAXED), 1);
	fiber_chan_put(chan);
}

static int64_t receive(void)
{
	int64_t t = -1;

	EXPECT_EQ(fiber_recv(chan, &t), 0);
	EXPECT(t <= explore_now());
	return t;
}

/* Set to a later time and an earlier one; what was sent before may be there. */
static void set_often(void *arg)
{
	int64_t at = explore_now() + explore_choose(10);
	int fired = 0;
	int i;

	(void)arg;
	new_timer(at, 0);
	for (i = 0; i < 3; i++) {
		at = explore_now() + explore_choose(25);
		fired += fiber_timer_set(timer, at, 0) == 0;
		EXPECT(fired <= i + 1);
	}
	/* The last, or one of those that came before they were set anew. */
	receive();
	EXPECT(fired || explore_now() >= at);
	EXPECT(fiber_timer_set(timer, INT64_MAX, 0) <= 1);
	fiber_timer_free(timer);
}

static void set_shape(void)
{
	explore_add_clock();
	explore_add_clock();
	explore_add_fiber("user", set_often, NULL);
	explore_run();
	check_gone();
}

static void free_at_once(void *arg)
{
	int64_t t = explore_now() + explore_choose(12);

	(void)arg;
	new_timer(t, explore_choose(2) ? 3 : 0);
	EXPECT_EQ(fiber_sleep_until(explore_now() + explore_choose(15)), 0);
	fiber_timer_free(timer);
}

static void free_shape(void)
{
	explore_add_clock();
	explore_add_clock();
	explore_add_fiber("user", free_at_once, NULL);
	explore_run();
	check_gone();
}

/*
 * Ticks come, none before its time, and stop. They are in order if there is one
 * who runs alarms: of two, one may be stopped between an alarm and its tick.
 */
static void count_ticks(void *arg)
{
	bool in_order = *(const bool *)arg;
	int64_t last = explore_now();
	int64_t t;
	int i;

	new_timer(last + 5, 5);
	for (i = 0; i < 4; i++) {
		t = receive();
		EXPECT(t > last || !in_order);
		EXPECT(i || t >= last + 5);
		last = t;
	}
	EXPECT_EQ(fiber_timer_set(timer, INT64_MAX, 0), 1);
	EXPECT_EQ(fiber_timer_set(timer, INT64_MAX, 0), 0);
	fiber_timer_free(timer);
}

static void ticker_shape(void)
{
	static const bool in_order = true;

	explore_add_clock();
	explore_add_fiber("user", count_ticks, (void *)&in_order);
	explore_run();
	check_gone();
}

static void ticker_of_two_shape(void)
{
	static const bool in_order;

	explore_add_clock();
	explore_add_clock();
	explore_add_fiber("user", count_ticks, (void *)&in_order);
	explore_run();
	check_gone();
}

static void set_while_it_fires(void)
{
	EXPLORE(set_shape, 10000);
}

static void freed_while_it_fires(void)
{
	EXPLORE(free_shape, 10000);
}

static void ticker(void)
{
	EXPLORE(ticker_shape, 4000);
}

static void ticker_at_two_workers(void)
{
	EXPLORE(ticker_of_two_shape, 8000);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(set_while_it_fires),
		TEST(freed_while_it_fires),
		TEST(ticker),
		TEST(ticker_at_two_workers),
	};

	return EXPLORE_RUN(argc, argv, tests);
}
