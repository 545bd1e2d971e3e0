// SPDX-License-Identifier: MIT
/*
 * A select that always has something that can be done never says that it has
 * nothing, and never does two things.
 */
#include <errno.h>

#include "fibers.h"

static struct fiber_chan *a, *b;

static int try_both(void *arg)
{
	struct fiber_case cases[] = {
		{ .chan = a, .op = FIBER_RECV },
		{ .chan = b, .op = FIBER_RECV },
	};

	(void)arg;
	return fiber_try_select(cases, 2, 0);
}

/* b has an element before a loses its own. */
static void element_moves(void)
{
	for (int i = 0; i < ROUNDS(5000); i++) {
		struct fiber *fiber;

		a = new_chan(sizeof(int), 1);
		b = new_chan(sizeof(int), 1);
		send_int(a, 1);
		fiber = spawn(try_both, NULL);
		send_int(b, 1);
		fiber_try_recv(a, NULL);
		CHECK(join(fiber) >= 0);
		fiber_chan_put(a);
		fiber_chan_put(b);
	}
}

/* b is closed before a loses its element. */
static void element_or_close(void)
{
	for (int i = 0; i < ROUNDS(5000); i++) {
		struct fiber *fiber;

		a = new_chan(sizeof(int), 1);
		b = new_chan(sizeof(int), 0);
		send_int(a, 1);
		fiber = spawn(try_both, NULL);
		CHECK_EQ(fiber_chan_close(b), 0);
		fiber_try_recv(a, NULL);
		CHECK(join(fiber) >= 0);
		fiber_chan_put(a);
		fiber_chan_put(b);
	}
}

static void one_of_two_has_an_element(void)
{
	run_shapes(0, element_moves);
}

static void an_element_or_the_end(void)
{
	run_shapes(0, element_or_close);
}

/*
 * Two or three come to one that waits for either: it takes one, and the others
 * still have what they have.
 */
static int wait_for_either(void *arg)
{
	int in = 0, out = 3;
	struct fiber_case cases[] = {
		{ .chan = a, .elem = &in, .op = FIBER_RECV },
		{ .chan = b, .elem = &in, .op = FIBER_RECV },
		{ .chan = arg, .elem = &out, .op = FIBER_SEND },
	};
	int at = fiber_select(cases, 3, 0);

	CHECK(at >= 0 && at < 3);
	CHECK_EQ(cases[at].result, 0);
	CHECK_EQ(in, at == 2 ? 0 : at + 1);
	return at;
}

static int send_one(void *c)
{
	send_int(c, c == a ? 1 : 2);
	return 0;
}

static int receive_one(void *c)
{
	CHECK_EQ(recv_int(c), 3);
	return 0;
}

static void come_together(void)
{
	struct fiber_chan *c = new_chan(sizeof(int), 0);

	a = new_chan(sizeof(int), 0);
	b = new_chan(sizeof(int), 0);
	for (int i = 0; i < ROUNDS(3000); i++) {
		struct fiber *fibers[4];
		int value = 3;
		int at;

		fibers[3] = spawn(wait_for_either, c);
		fibers[0] = spawn(send_one, a);
		fibers[1] = spawn(send_one, b);
		fibers[2] = spawn(receive_one, c);
		at = join(fibers[3]);
		if (at != 0)
			CHECK_EQ(recv_int(a), 1);
		if (at != 1)
			CHECK_EQ(recv_int(b), 2);
		if (at != 2)
			CHECK_EQ(fiber_send(c, &value), 0);
		for (int k = 0; k < 3; k++)
			CHECK_EQ(join(fibers[k]), 0);
		check_idle(a);
		check_idle(b);
		check_idle(c);
	}
	fiber_chan_put(a);
	fiber_chan_put(b);
	fiber_chan_put(c);
}

static void takes_one_and_leaves_the_others(void)
{
	run_shapes(0, come_together);
}

/* Everybody selects over the same channels, both to send and to receive. */
#define PLAYERS 6
#define EACH ROUNDS(2000)

struct player {
	int number;
	int sent;
	int received;
};

static struct fiber_chan *ring[4];
static _Atomic int finished;

static int play(void *arg)
{
	struct player *player = arg;
	int in = 0, out = player->number;
	struct fiber_case cases[8];

	for (int i = 0; i < 4; i++) {
		struct fiber_chan *c = ring[(i + player->number) % 4];

		cases[i] = (struct fiber_case){ c, &out, FIBER_SEND, 0 };
		cases[i + 4] = (struct fiber_case){ c, &in, FIBER_RECV, 0 };
	}
	for (int i = 0; i < EACH; i++) {
		int at = fiber_select(cases, 8, 0);

		CHECK(at >= 0 && at < 8);
		if (cases[at].result == -EPIPE)
			return 0;
		CHECK_EQ(cases[at].result, 0);
		if (at < 4) {
			player->sent++;
		} else {
			player->received++;
			CHECK(in != player->number);
		}
	}
	/* The last one has nobody to play with. */
	if (++finished == PLAYERS - 1)
		for (int i = 0; i < 4; i++)
			CHECK_EQ(fiber_chan_close(ring[i]), 0);
	return 0;
}

static void everybody(void)
{
	struct player players[PLAYERS] = { { 0 } };
	int sent = 0, received = 0;

	finished = 0;
	for (int i = 0; i < 4; i++)
		ring[i] = new_chan(sizeof(int), 0);
	for (int i = 0; i < PLAYERS; i++)
		players[i].number = i;
	run_all(PLAYERS, play, players, sizeof(players[0]));
	for (int i = 0; i < PLAYERS; i++) {
		sent += players[i].sent;
		received += players[i].received;
	}
	CHECK_EQ(sent, received);
	CHECK(sent + received >= (PLAYERS - 1) * EACH);
	for (int i = 0; i < 4; i++)
		fiber_chan_put(ring[i]);
}

static void every_send_is_a_receive(void)
{
	run_shapes(0, everybody);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(one_of_two_has_an_element),
		TEST(an_element_or_the_end),
		TEST(takes_one_and_leaves_the_others),
		TEST(every_send_is_a_receive),
	};

	return RUN(argc, argv, tests);
}
