// SPDX-License-Identifier: MIT
/*
 * Who finds no element, or no room, waits until there is; the try_ forms say so
 * instead. At every capacity from 0 to 200.
 */
#include <errno.h>

#include "fibers.h"

#define CAPACITY_MAX 200

static _Atomic int done;

static int receive(void *c)
{
	int value = recv_int(c);

	done++;
	return value;
}

static int send_seven(void *c)
{
	send_int(c, 7);
	done++;
	return 0;
}

static void receive_from_empty(size_t capacity)
{
	struct fiber_chan *c = new_chan(sizeof(int), capacity);
	struct fiber *first = spawn(receive, c);
	struct fiber *second = spawn(receive, c);
	int value = 0;

	done = 0;
	settle();
	CHECK_EQ(done, 0);
	CHECK_EQ(fiber_try_recv(c, &value), -EAGAIN);
	send_int(c, 1);
	settle();
	CHECK_EQ(done, 1);
	CHECK_EQ(fiber_try_recv(c, &value), -EAGAIN);
	send_int(c, 2);
	CHECK_EQ(join(first) + join(second), 3);
	check_idle(c);
	fiber_chan_put(c);
}

static void send_to_full(size_t capacity)
{
	struct fiber_chan *c = new_chan(sizeof(int), capacity);
	struct fiber *fiber;
	int value = 0;

	for (size_t i = 0; i < capacity; i++)
		CHECK_EQ(fiber_try_send(c, &value), 0);
	done = 0;
	fiber = spawn(send_seven, c);
	settle();
	CHECK_EQ(done, 0);
	CHECK_EQ(fiber_try_send(c, &value), -EAGAIN);
	for (size_t i = 0; i < capacity; i++)
		CHECK_EQ(recv_int(c), 0);
	CHECK_EQ(recv_int(c), 7);
	CHECK_EQ(join(fiber), 0);
	check_idle(c);
	fiber_chan_put(c);
}

/* Room for one lets one go on, not more. */
static void one_of_two_senders(size_t capacity)
{
	struct fiber_chan *c = new_chan(sizeof(int), capacity);
	struct fiber *first, *second;
	int value = 0;

	while (fiber_try_send(c, &value) == 0)
		;
	done = 0;
	first = spawn(send_seven, c);
	second = spawn(send_seven, c);
	settle();
	CHECK_EQ(done, 0);
	recv_int(c);
	settle();
	CHECK_EQ(done, 1);
	recv_int(c);
	settle();
	CHECK_EQ(done, 2);
	for (size_t i = 0; i < capacity; i++)
		recv_int(c);
	CHECK_EQ(join(first) + join(second), 0);
	check_idle(c);
	fiber_chan_put(c);
}

static void every_capacity(void (*fn)(size_t))
{
	for (size_t capacity = 0; capacity <= CAPACITY_MAX; capacity++)
		fn(capacity);
}

static void receives(void)
{
	every_capacity(receive_from_empty);
}

static void sends(void)
{
	every_capacity(send_to_full);
}

static void pairs_of_sends(void)
{
	every_capacity(one_of_two_senders);
}

static void receivers_wait_for_elements(void)
{
	run_shapes(FIBER_TEST_CLOCK, receives);
}

static void senders_wait_for_room(void)
{
	run_shapes(FIBER_TEST_CLOCK, sends);
}

static void one_goes_on_at_a_time(void)
{
	run_shapes(FIBER_TEST_CLOCK, pairs_of_sends);
}

/* By the real clock nobody knows who waits already: both orders happen. */
static void whoever_comes_first(void)
{
	struct fiber_chan *c = new_chan(sizeof(int), 0);

	for (int i = 0; i < ROUNDS(3000); i++) {
		struct fiber *sender = spawn(send_seven, c);
		struct fiber *receiver = spawn(receive, c);

		CHECK_EQ(join(receiver), 7);
		CHECK_EQ(join(sender), 0);
	}
	check_idle(c);
	fiber_chan_put(c);
}

static void sender_and_receiver_meet(void)
{
	run_shapes(0, whoever_comes_first);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(receivers_wait_for_elements),
		TEST(senders_wait_for_room),
		TEST(one_goes_on_at_a_time),
		TEST(sender_and_receiver_meet),
	};

	return RUN(argc, argv, tests);
}
