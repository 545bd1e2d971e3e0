// SPDX-License-Identifier: MIT
/*
 * Deadlines: an element is received, or it was not sent, whatever the alarm
 * meets; no wait ends before its time, and none is forgotten. The alarm of a
 * fiber stays in a heap over many waits, and moves between two.
 */
#include <errno.h>

#include <fiber/time.h>

#include "chan.h"
#include "env.h"
#include "ledger.h"

#define LARGE 160

static struct fiber_chan *chan;
static int each;
static const int numbers[] = { 0, 1, 2, 3 };
#define NUMBER(i) ((void *)&numbers[i])

static void check_in_time(int err, int64_t deadline)
{
	if (!err)
		return;
	EXPECT_EQ(err, -ETIMEDOUT);
	EXPECT(explore_now() >= deadline);
}

/* Mostly soon, sometimes past, or far enough to outlast the next few waits. */
static int64_t some_deadline(void)
{
	if (!explore_choose(4))
		return explore_now() + 60 + explore_choose(3);
	return explore_now() + explore_choose(20) - 1;
}

static int send_one(int sender, int64_t deadline)
{
	char element[LARGE] = { 0 };
	int value = ledger_next(sender);
	int err;

	*(int *)element = value;
	err = fiber_send_until(chan, element, deadline);
	ledger_sent(value, err);
	return err;
}

static int receive_one(int receiver, int64_t deadline)
{
	char element[LARGE] = { 0 };
	int err = fiber_recv_until(chan, element, deadline);

	if (!err)
		ledger_received(receiver, *(int *)element);
	else
		EXPECT_EQ(*(int *)element, 0);
	return err;
}

static void send_in_time(void *arg)
{
	int i;

	for (i = 0; i < each; i++) {
		int64_t deadline = some_deadline();

		check_in_time(send_one(*(const int *)arg, deadline), deadline);
	}
}

static void receive_in_time(void *arg)
{
	int i;

	for (i = 0; i < each; i++) {
		int64_t deadline = some_deadline();

		check_in_time(receive_one(*(const int *)arg, deadline),
			      deadline);
	}
}

static void all_in_time(size_t elem_size, size_t capacity)
{
	CHECK(!fiber_chan_new(&chan, elem_size, capacity, NULL));
	ledger_reset();
	each = 3;
	explore_add_clock();
	explore_add_clock();
	explore_add_fiber("sender 0", send_in_time, NUMBER(0));
	explore_add_client("sender 1", send_in_time, NUMBER(1));
	explore_add_fiber("receiver 0", receive_in_time, NUMBER(0));
	explore_add_client("receiver 1", receive_in_time, NUMBER(1));
	explore_run();
	ledger_drain(chan);
	ledger_check();
}

static void unbuffered_shape(void)
{
	all_in_time(8, 0);
}

static void buffered_shape(void)
{
	all_in_time(8, 1);
}

static void boxed_shape(void)
{
	all_in_time(LARGE, 1);
}

/* All deadlines are alarms, those of threads too. */
static void virtual_shape(void)
{
	explore_env.clock_is_virtual = true;
	all_in_time(8, 0);
}

/* Waits of one fiber: with a deadline far or near, or with none. */
static void receive_variously(void *arg)
{
	int left = each;

	while (left > 0) {
		int64_t deadline = explore_choose(3) ? some_deadline() :
						       INT64_MAX;
		int err = receive_one(*(const int *)arg, deadline);

		check_in_time(err, deadline);
		left -= !err;
	}
}

static void sleep_and_send(void *arg)
{
	int i;

	for (i = 0; i < each; i++) {
		int64_t t = explore_now() + explore_choose(30);

		EXPECT_EQ(fiber_sleep_until(t), 0);
		EXPECT(explore_now() >= t);
		EXPECT_EQ(send_one(*(const int *)arg, INT64_MAX), 0);
	}
}

static void one_alarm_shape(void)
{
	CHECK(!fiber_chan_new(&chan, 8, 0, NULL));
	ledger_reset();
	each = 5;
	explore_add_clock();
	explore_add_clock();
	explore_add_fiber("sender", sleep_and_send, NUMBER(0));
	explore_add_fiber("receiver", receive_variously, NUMBER(0));
	explore_run();
	ledger_drain(chan);
	EXPECT_EQ(ledger_check(), 5);
}

static void sleep_often(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < each; i++) {
		int64_t t = some_deadline();

		EXPECT_EQ(fiber_sleep_until(t), 0);
		EXPECT(explore_now() >= t);
	}
}

static void sleepers_shape(void)
{
	each = 4;
	explore_add_clock();
	explore_add_clock();
	explore_add_fiber("sleeper 0", sleep_often, NULL);
	explore_add_fiber("sleeper 1", sleep_often, NULL);
	explore_add_client("sleeper 2", sleep_often, NULL);
	explore_run();
}

static void deadlines_unbuffered(void)
{
	EXPLORE(unbuffered_shape, 8000);
}

static void deadlines_buffered(void)
{
	EXPLORE(buffered_shape, 6000);
}

static void deadlines_boxed(void)
{
	EXPLORE(boxed_shape, 4000);
}

static void deadlines_of_the_virtual_clock(void)
{
	EXPLORE(virtual_shape, 6000);
}

static void one_alarm_for_many_waits(void)
{
	EXPLORE(one_alarm_shape, 15000);
}

static void sleepers(void)
{
	EXPLORE(sleepers_shape, 8000);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(deadlines_unbuffered),
		TEST(deadlines_buffered),
		TEST(deadlines_boxed),
		TEST(deadlines_of_the_virtual_clock),
		TEST(one_alarm_for_many_waits),
		TEST(sleepers),
	};

	return EXPLORE_RUN(argc, argv, tests);
}
