// SPDX-License-Identifier: MIT
/*
 * A select that sends and receives on the same channel never meets itself.
 */
#include <errno.h>

#include "fibers.h"

#define EACH ROUNDS(3000)

static size_t capacity;

struct player {
	struct fiber_chan *chan;
	int number;
};

static int play(void *arg)
{
	struct player *player = arg;
	int in = 0, out = player->number;
	struct fiber_case send = { player->chan, &out, FIBER_SEND, -1 };
	struct fiber_case recv = { player->chan, &in, FIBER_RECV, -1 };

	for (int i = 0; i < EACH; i++) {
		/* One of them has either order in turn. */
		bool receive_first = player->number && i % 2;
		struct fiber_case cases[] = {
			receive_first ? recv : send,
			receive_first ? send : recv,
		};
		int at = fiber_select(cases, 2, 0);

		CHECK(at == 0 || at == 1);
		CHECK_EQ(cases[at].result, 0);
		if (capacity == 0 && cases[at].op == FIBER_RECV)
			CHECK(in != player->number);
	}
	return 0;
}

static void two_players(void)
{
	struct fiber_chan *c = new_chan(sizeof(int), capacity);
	struct player players[] = { { c, 0 }, { c, 1 } };

	run_all(2, play, players, sizeof(players[0]));
	while (fiber_try_recv(c, NULL) == 0)
		;
	check_idle(c);
	fiber_chan_put(c);
}

static void two_meet_each_other(void)
{
	capacity = 0;
	run_shapes(0, two_players);
}

static void two_share_a_queue(void)
{
	capacity = 10;
	run_shapes(0, two_players);
}

static void alone(void)
{
	struct fiber_chan *c = new_chan(sizeof(int), 0);
	int in = -1, out = 1;
	struct fiber_case cases[] = {
		{ .chan = c, .elem = &out, .op = FIBER_SEND },
		{ .chan = c, .elem = &in, .op = FIBER_RECV },
		{ .chan = c, .elem = &in, .op = FIBER_RECV },
		{ .chan = c, .elem = &out, .op = FIBER_SEND },
	};
	int64_t deadline = fiber_after(SEC);

	CHECK_EQ(fiber_try_select(cases, 4, 0), -EAGAIN);
	CHECK_EQ(fiber_select_until(cases, 4, 0, deadline), -ETIMEDOUT);
	CHECK_EQ(fiber_now(), deadline);
	CHECK_EQ(in, -1);
	check_idle(c);
	fiber_chan_put(c);
}

static void one_meets_nobody(void)
{
	run_shapes(FIBER_TEST_CLOCK, alone);
}

/* A queue is not oneself: with one place it goes to and fro. */
static void alone_with_a_queue(void)
{
	struct fiber_chan *c = new_chan(sizeof(int), 1);
	int in = -1, out = 0;
	struct fiber_case cases[] = {
		{ .chan = c, .elem = &out, .op = FIBER_SEND },
		{ .chan = c, .elem = &in, .op = FIBER_RECV },
	};

	for (out = 0; out < 100; out++) {
		CHECK_EQ(fiber_select(cases, 2, 0), 0);
		CHECK_EQ(fiber_select(cases, 2, 0), 1);
		CHECK_EQ(in, out);
	}
	fiber_chan_put(c);
}

static void one_may_use_a_queue(void)
{
	run_shapes(0, alone_with_a_queue);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(two_meet_each_other),
		TEST(two_share_a_queue),
		TEST(one_meets_nobody),
		TEST(one_may_use_a_queue),
	};

	return RUN(argc, argv, tests);
}
