// SPDX-License-Identifier: MIT
/*
 * The length is what is in the channel, without those who wait; the capacity
 * stays.
 */
#include <errno.h>

#include "fibers.h"

static int send_one(void *c)
{
	send_int(c, 1);
	return 0;
}

static int receive_one(void *c)
{
	recv_int(c);
	return 0;
}

static void up_and_down(void)
{
	for (size_t capacity = 0; capacity <= 200; capacity += 10) {
		struct fiber_chan *c = new_chan(sizeof(int), capacity);

		CHECK_EQ(fiber_chan_cap(c), capacity);
		for (size_t i = 0; i < capacity; i++) {
			CHECK_EQ(fiber_chan_len(c), i);
			send_int(c, 1);
		}
		for (size_t i = capacity; i > 0; i--) {
			CHECK_EQ(fiber_chan_len(c), i);
			recv_int(c);
		}
		CHECK_EQ(fiber_chan_len(c), 0);
		CHECK_EQ(fiber_chan_cap(c), capacity);
		fiber_chan_put(c);
	}
}

/* The places of a ring are used again and again. */
static void round_and_round(void)
{
	struct fiber_chan *c = new_chan(sizeof(int), 3);

	send_int(c, 0);
	for (int i = 1; i < 1000; i++) {
		send_int(c, i);
		CHECK_EQ(fiber_chan_len(c), 2);
		CHECK_EQ(recv_int(c), i - 1);
		CHECK_EQ(fiber_chan_len(c), 1);
	}
	fiber_chan_put(c);
}

static void with_waiters(void)
{
	for (size_t capacity = 0; capacity <= 3; capacity++) {
		struct fiber_chan *c = new_chan(sizeof(int), capacity);
		struct fiber *fiber = spawn(receive_one, c);

		settle();
		CHECK_EQ(fiber_chan_len(c), 0);
		send_int(c, 1);
		CHECK_EQ(join(fiber), 0);
		CHECK_EQ(fiber_chan_len(c), 0);
		for (size_t i = 0; i < capacity; i++)
			send_int(c, 1);
		fiber = spawn(send_one, c);
		settle();
		CHECK_EQ(fiber_chan_len(c), capacity);
		for (size_t i = 0; i <= capacity; i++)
			recv_int(c);
		CHECK_EQ(join(fiber), 0);
		CHECK_EQ(fiber_chan_len(c), 0);
		fiber_chan_put(c);
	}
}

static void counts_elements(void)
{
	run_shapes(0, up_and_down);
}

static void stays_right_around_the_ring(void)
{
	run_shapes(0, round_and_round);
}

static void does_not_count_waiters(void)
{
	run_shapes(FIBER_TEST_CLOCK, with_waiters);
}

static void is_nothing_without_a_channel(void)
{
	CHECK_EQ(fiber_chan_len(NULL), 0);
	CHECK_EQ(fiber_chan_cap(NULL), 0);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(counts_elements),
		TEST(stays_right_around_the_ring),
		TEST(does_not_count_waiters),
		TEST(is_nothing_without_a_channel),
	};

	return RUN(argc, argv, tests);
}
