// SPDX-License-Identifier: MIT
/*
 * Elements come in the order in which they were sent, and who waited longest
 * goes first.
 */
#include <errno.h>
#include <stdlib.h>

#include "fibers.h"

#define WAITERS 20

static struct fiber_chan *chan;

static int send_hundred(void *c)
{
	for (int i = 0; i < 100; i++)
		send_int(c, i);
	return 0;
}

static void hundred_at_each_capacity(void)
{
	for (size_t capacity = 0; capacity <= 200; capacity++) {
		struct fiber_chan *c = new_chan(sizeof(int), capacity);
		struct fiber *sender = spawn(send_hundred, c);

		for (int i = 0; i < 100; i++)
			CHECK_EQ(recv_int(c), i);
		CHECK_EQ(join(sender), 0);
		check_idle(c);
		fiber_chan_put(c);
	}
}

static void elements_keep_their_order(void)
{
	run_shapes(0, hundred_at_each_capacity);
}

static int send_own(void *arg)
{
	send_int(chan, *(int *)arg);
	return 0;
}

static int select_send_own(void *arg)
{
	struct fiber_case cases[] = {
		{ .chan = chan, .elem = arg, .op = FIBER_SEND },
	};

	CHECK_EQ(fiber_select(cases, 1, 0), 0);
	CHECK_EQ(cases[0].result, 0);
	return 0;
}

static int receive_own(void *arg)
{
	CHECK_EQ(recv_int(chan), *(int *)arg);
	return 0;
}

static int receive_own_until(void *arg)
{
	int value;

	CHECK_EQ(fiber_recv_until(chan, &value, fiber_after(HOUR)), 0);
	CHECK_EQ(value, *(int *)arg);
	return 0;
}

static int select_own(void *arg)
{
	int value;
	struct fiber_case cases[] = {
		{ .chan = NULL, .op = FIBER_RECV },
		{ .chan = chan, .elem = &value, .op = FIBER_RECV },
	};

	CHECK_EQ(fiber_select(cases, 2, 0), 1);
	CHECK_EQ(cases[1].result, 0);
	CHECK_EQ(value, *(int *)arg);
	return 0;
}

/* What was in the channel comes first, then who waited, one after the other. */
static void waiting_senders(size_t capacity)
{
	struct fiber *fibers[WAITERS];
	int numbers[WAITERS];

	chan = new_chan(sizeof(int), capacity);
	for (int i = 0; i < (int)capacity; i++)
		send_int(chan, i);
	for (int i = 0; i < WAITERS; i++) {
		numbers[i] = capacity + i;
		fibers[i] = spawn(i % 3 == 2 ? select_send_own : send_own,
				  &numbers[i]);
		settle();
	}
	for (int i = 0; i < (int)capacity + WAITERS; i++)
		CHECK_EQ(recv_int(chan), i);
	for (int i = 0; i < WAITERS; i++)
		CHECK_EQ(join(fibers[i]), 0);
	check_idle(chan);
	fiber_chan_put(chan);
}

static void waiting_receivers(size_t capacity)
{
	static int (*const kinds[])(void *) = {
		receive_own,
		select_own,
		receive_own_until,
	};
	struct fiber *fibers[WAITERS];
	int numbers[WAITERS];

	chan = new_chan(sizeof(int), capacity);
	for (int i = 0; i < WAITERS; i++) {
		numbers[i] = i;
		fibers[i] = spawn(kinds[i % ARRAY_SIZE(kinds)], &numbers[i]);
		settle();
	}
	for (int i = 0; i < WAITERS; i++)
		send_int(chan, i);
	for (int i = 0; i < WAITERS; i++)
		CHECK_EQ(join(fibers[i]), 0);
	check_idle(chan);
	fiber_chan_put(chan);
}

static void senders_at_some_capacities(void)
{
	waiting_senders(0);
	waiting_senders(1);
	waiting_senders(7);
}

static void receivers_at_some_capacities(void)
{
	waiting_receivers(0);
	waiting_receivers(1);
	waiting_receivers(7);
}

static void senders_go_by_age(void)
{
	run_shapes(FIBER_TEST_CLOCK, senders_at_some_capacities);
}

static void receivers_go_by_age(void)
{
	run_shapes(FIBER_TEST_CLOCK, receivers_at_some_capacities);
}

/*
 * Several on either side: which receiver gets an element is open, but none gets
 * an earlier one of the same sender after a later one.
 */
#define SENDERS 4
#define RECEIVERS 3
#define EACH ROUNDS(2000)

static int send_numbered(void *arg)
{
	for (int i = 0; i < EACH; i++)
		send_int(chan, i * SENDERS + *(int *)arg);
	return 0;
}

static int receive_rising(void *arg)
{
	int last[SENDERS] = { -1, -1, -1, -1 };
	int *got = arg;
	int value;

	while (fiber_recv(chan, &value) == 0) {
		CHECK(value / SENDERS > last[value % SENDERS]);
		last[value % SENDERS] = value / SENDERS;
		++*got;
	}
	return 0;
}

static void many_to_many(size_t capacity)
{
	struct fiber *receivers[RECEIVERS];
	int numbers[SENDERS] = { 0, 1, 2, 3 };
	int got[RECEIVERS] = { 0 };
	int sum = 0;

	chan = new_chan(sizeof(int), capacity);
	for (int i = 0; i < RECEIVERS; i++)
		receivers[i] = spawn(receive_rising, &got[i]);
	run_all(SENDERS, send_numbered, numbers, sizeof(int));
	CHECK_EQ(fiber_chan_close(chan), 0);
	for (int i = 0; i < RECEIVERS; i++) {
		CHECK_EQ(join(receivers[i]), 0);
		sum += got[i];
	}
	CHECK_EQ(sum, SENDERS * EACH);
	fiber_chan_put(chan);
}

static void many_at_some_capacities(void)
{
	many_to_many(0);
	many_to_many(1);
	many_to_many(16);
}

static void each_sender_keeps_its_order(void)
{
	run_shapes(0, many_at_some_capacities);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(elements_keep_their_order),
		TEST(senders_go_by_age),
		TEST(receivers_go_by_age),
		TEST(each_sender_keeps_its_order),
	};

	return RUN(argc, argv, tests);
}
