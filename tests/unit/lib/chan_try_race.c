// SPDX-License-Identifier: MIT
/*
 * A try_ that could be done at every instant is done, whatever else happens to
 * the channel meanwhile.
 */
#include <errno.h>

#include "fibers.h"

static int try_receive(void *c)
{
	int value;

	return fiber_try_recv(c, &value);
}

/* The element is there until it is taken, and then the channel is closed. */
static void receive_or_closed(void)
{
	for (int i = 0; i < ROUNDS(5000); i++) {
		struct fiber_chan *c = new_chan(sizeof(int), 1);
		struct fiber *fiber;
		int mine, other;

		send_int(c, 1);
		fiber = spawn(try_receive, c);
		CHECK_EQ(fiber_chan_close(c), 0);
		mine = try_receive(c);
		other = join(fiber);
		CHECK((mine == 0 && other == -EPIPE) ||
		      (mine == -EPIPE && other == 0));
		fiber_chan_put(c);
	}
}

static void an_element_or_the_end(void)
{
	run_shapes(0, receive_or_closed);
}

static int try_to_send(void *c)
{
	int value = 1;

	return fiber_try_send(c, &value);
}

/* One of two has the only place, the other nothing. */
static void last_place(void)
{
	struct fiber_chan *c = new_chan(sizeof(int), 3);

	for (int i = 0; i < ROUNDS(5000); i++) {
		struct fiber *fiber;
		int mine, other;

		send_int(c, 0);
		send_int(c, 0);
		fiber = spawn(try_to_send, c);
		mine = try_to_send(c);
		other = join(fiber);
		CHECK((mine == 0 && other == -EAGAIN) ||
		      (mine == -EAGAIN && other == 0));
		for (int k = 0; k < 3; k++)
			recv_int(c);
		CHECK_EQ(try_receive(c), -EAGAIN);
	}
	fiber_chan_put(c);
}

static void one_has_the_last_place(void)
{
	run_shapes(0, last_place);
}

static void last_element(void)
{
	struct fiber_chan *c = new_chan(sizeof(int), 3);

	for (int i = 0; i < ROUNDS(5000); i++) {
		struct fiber *fiber;
		int mine, other;

		send_int(c, 0);
		fiber = spawn(try_receive, c);
		mine = try_receive(c);
		other = join(fiber);
		CHECK((mine == 0 && other == -EAGAIN) ||
		      (mine == -EAGAIN && other == 0));
	}
	fiber_chan_put(c);
}

static void one_has_the_last_element(void)
{
	run_shapes(0, last_element);
}

/* With tries on both sides only, a channel without capacity moves nothing. */
static struct fiber_chan *chan;

static int try_for_long(void *arg)
{
	int value = 1;

	for (int i = 0; i < ROUNDS(5000); i++) {
		CHECK_EQ(*(int *)arg % 2 ? fiber_try_send(chan, &value) :
					   fiber_try_recv(chan, &value),
			 -EAGAIN);
		if (i % 16 == 0)
			fiber_yield();
	}
	return 0;
}

static void tries_on_both_sides(void)
{
	int args[] = { 0, 1, 2, 3 };

	chan = new_chan(sizeof(int), 0);
	run_all(4, try_for_long, args, sizeof(int));
	fiber_chan_put(chan);
}

static void two_tries_never_meet(void)
{
	run_shapes(0, tries_on_both_sides);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(an_element_or_the_end),
		TEST(one_has_the_last_place),
		TEST(one_has_the_last_element),
		TEST(two_tries_never_meet),
	};

	return RUN(argc, argv, tests);
}
