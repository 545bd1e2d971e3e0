// SPDX-License-Identifier: MIT
/*
 * However deadlines fall among sends and receives, an element that was sent is
 * received once, and one that was not sent is not.
 */
#include <errno.h>
#include <stdlib.h>

#include "fibers.h"

#define SIDES 4
#define EACH ROUNDS(1000)

static struct fiber_chan *chan;
static struct fiber_chan *other;
static int64_t wait_max;

struct side {
	unsigned int seed;
	int n;
	long sum;
};

static int64_t soon(struct side *side)
{
	return fiber_after(rand_r(&side->seed) % wait_max);
}

static int send_in_time(void *arg)
{
	struct side *side = arg;

	for (int i = 0; i < EACH; i++) {
		int value = rand_r(&side->seed) % 1000;
		int err = fiber_send_until(chan, &value, soon(side));

		if (err == 0) {
			side->n++;
			side->sum += value;
		} else {
			CHECK_EQ(err, -ETIMEDOUT);
		}
	}
	return 0;
}

static int receive_in_time(void *arg)
{
	struct side *side = arg;

	for (int i = 0; i < EACH; i++) {
		int value = -1;
		int err = fiber_recv_until(chan, &value, soon(side));

		if (err == 0) {
			side->n++;
			side->sum += value;
		} else {
			CHECK_EQ(err, -ETIMEDOUT);
			CHECK_EQ(value, -1);
		}
	}
	return 0;
}

/* With two channels, and twice in one of them. */
static int select_in_time(void *arg, int op)
{
	struct side *side = arg;
	int value;
	struct fiber_case cases[] = {
		{ .chan = chan, .elem = &value, .op = op },
		{ .chan = other, .elem = &value, .op = op },
		{ .chan = chan, .elem = &value, .op = op },
	};

	for (int i = 0; i < EACH; i++) {
		int at;

		value = op == FIBER_SEND ? rand_r(&side->seed) % 1000 : -1;
		at = fiber_select_until(cases, 3, 0, soon(side));
		if (at >= 0) {
			CHECK_EQ(cases[at].result, 0);
			side->n++;
			side->sum += value;
		} else {
			CHECK_EQ(at, -ETIMEDOUT);
			CHECK(op == FIBER_SEND || value == -1);
		}
	}
	return 0;
}

static int select_send_in_time(void *arg)
{
	return select_in_time(arg, FIBER_SEND);
}

static int select_receive_in_time(void *arg)
{
	return select_in_time(arg, FIBER_RECV);
}

static void drain(struct fiber_chan *c, struct side *side)
{
	int value;

	while (fiber_try_recv(c, &value) == 0) {
		side->n++;
		side->sum += value;
	}
	check_idle(c);
	fiber_chan_put(c);
}

static void race(size_t capacity, int (*send)(void *), int (*receive)(void *))
{
	struct side sides[2 * SIDES] = { { 0 } };
	struct side sent = { 0 }, received = { 0 };
	struct fiber *fibers[2 * SIDES];

	chan = new_chan(sizeof(int), capacity);
	other = new_chan(sizeof(int), capacity);
	for (int i = 0; i < 2 * SIDES; i++) {
		sides[i].seed = i + 1;
		fibers[i] = spawn(i % 2 ? receive : send, &sides[i]);
	}
	for (int i = 0; i < 2 * SIDES; i++) {
		struct side *sum = i % 2 ? &received : &sent;

		CHECK_EQ(join(fibers[i]), 0);
		sum->n += sides[i].n;
		sum->sum += sides[i].sum;
	}
	drain(chan, &received);
	drain(other, &received);
	CHECK_EQ(sent.n, received.n);
	CHECK_EQ(sent.sum, received.sum);
}

static void plain_races(void)
{
	race(0, send_in_time, receive_in_time);
	race(1, send_in_time, receive_in_time);
	race(7, send_in_time, receive_in_time);
}

static void select_races(void)
{
	race(0, select_send_in_time, select_receive_in_time);
	race(2, select_send_in_time, select_receive_in_time);
	race(0, select_send_in_time, receive_in_time);
	race(0, send_in_time, select_receive_in_time);
}

static void nothing_is_lost(void)
{
	wait_max = 10 * USEC;
	run_shapes(0, plain_races);
}

static void nothing_is_lost_in_selects(void)
{
	wait_max = 10 * USEC;
	run_shapes(0, select_races);
}

/* Deadlines of many fall on the same instants. */
static void nothing_is_lost_at_one_instant(void)
{
	wait_max = 5;
	run_shapes(FIBER_TEST_CLOCK, plain_races);
	run_shapes(FIBER_TEST_CLOCK, select_races);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(nothing_is_lost),
		TEST(nothing_is_lost_in_selects),
		TEST(nothing_is_lost_at_one_instant),
	};

	return RUN(argc, argv, tests);
}
