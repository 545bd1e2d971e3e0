// SPDX-License-Identifier: MIT
/*
 * After a close nothing is sent, what is there is received, and nobody waits.
 */
#include <errno.h>
#include <stdlib.h>

#include "fibers.h"

static struct fiber_chan *chan;

static void check_closed_and_empty(struct fiber_chan *c)
{
	int64_t past = fiber_now() - 1;
	int value = 11;

	CHECK_EQ(fiber_chan_len(c), 0);
	CHECK_EQ(fiber_recv(c, &value), -EPIPE);
	CHECK_EQ(fiber_recv(c, NULL), -EPIPE);
	CHECK_EQ(fiber_try_recv(c, &value), -EPIPE);
	CHECK_EQ(fiber_recv_until(c, &value, past), -EPIPE);
	CHECK_EQ(fiber_recv_until(c, &value, fiber_after(HOUR)), -EPIPE);
	CHECK_EQ(fiber_send(c, &value), -EPIPE);
	CHECK_EQ(fiber_try_send(c, &value), -EPIPE);
	CHECK_EQ(fiber_send_until(c, &value, past), -EPIPE);
	CHECK_EQ(fiber_send_until(c, &value, fiber_after(HOUR)), -EPIPE);
	CHECK_EQ(fiber_chan_close(c), -EPIPE);
	CHECK_EQ(value, 11);
}

static void drain_at_each_capacity(void)
{
	for (int capacity = 0; capacity <= 200; capacity++) {
		struct fiber_chan *c = new_chan(sizeof(int), capacity);
		int value = 0;

		for (int i = 0; i < capacity; i++)
			send_int(c, i);
		CHECK_EQ(fiber_chan_close(c), 0);
		CHECK_EQ(fiber_chan_len(c), capacity);
		CHECK_EQ(fiber_chan_cap(c), capacity);
		CHECK_EQ(fiber_send(c, &value), -EPIPE);
		CHECK_EQ(fiber_try_send(c, &value), -EPIPE);
		for (int i = 0; i < capacity; i++)
			CHECK_EQ(recv_int(c), i);
		check_closed_and_empty(c);
		fiber_chan_put(c);
	}
}

static void what_is_there_is_received(void)
{
	run_shapes(0, drain_at_each_capacity);
}

static int try_receive(void *c)
{
	int value;

	return fiber_recv(c, &value);
}

static int receive_late(void *c)
{
	int value;

	return fiber_recv_until(c, &value, fiber_after(HOUR));
}

static int try_to_send(void *c)
{
	int value = 1000;

	return fiber_send(c, &value);
}

static int send_late(void *c)
{
	int value = 1000;

	return fiber_send_until(c, &value, fiber_after(HOUR));
}

static void close_under(size_t capacity, int (*plain)(void *),
			int (*until)(void *), bool full)
{
	struct fiber_chan *c = new_chan(sizeof(int), capacity);
	struct fiber *fibers[10];

	for (int i = 0; full && i < (int)capacity; i++)
		send_int(c, i);
	for (int i = 0; i < 10; i++)
		fibers[i] = spawn(i % 2 ? until : plain, c);
	settle();
	CHECK_EQ(fiber_chan_close(c), 0);
	for (int i = 0; i < 10; i++)
		CHECK_EQ(join(fibers[i]), -EPIPE);
	/* What those who waited were to send is not there. */
	for (int i = 0; full && i < (int)capacity; i++)
		CHECK_EQ(recv_int(c), i);
	check_closed_and_empty(c);
	fiber_chan_put(c);
}

static void close_under_receivers(void)
{
	close_under(0, try_receive, receive_late, false);
	close_under(5, try_receive, receive_late, false);
}

static void close_under_senders(void)
{
	close_under(0, try_to_send, send_late, true);
	close_under(5, try_to_send, send_late, true);
}

static void waiting_receivers_are_told(void)
{
	run_shapes(FIBER_TEST_CLOCK, close_under_receivers);
}

static void waiting_senders_are_told(void)
{
	run_shapes(FIBER_TEST_CLOCK, close_under_senders);
}

struct count {
	int n;
	long sum;
};

static int send_until_closed(void *arg)
{
	struct count *count = arg;
	int value = 1;

	while (fiber_send(chan, &value) == 0) {
		count->n++;
		count->sum += value++;
	}
	CHECK_EQ(fiber_send(chan, &value), -EPIPE);
	return 0;
}

static int receive_until_closed(void *arg)
{
	struct count *count = arg;
	int value;

	while (fiber_recv(chan, &value) == 0) {
		count->n++;
		count->sum += value;
	}
	CHECK_EQ(fiber_recv(chan, &value), -EPIPE);
	return 0;
}

static int close_some_time(void *arg)
{
	for (int i = *(int *)arg; i > 0; i--)
		fiber_yield();
	CHECK_EQ(fiber_chan_close(chan), 0);
	return 0;
}

/* However a close falls, what was sent is what is received. */
static void close_amidst(size_t capacity, int delay)
{
	struct count sent[3] = { { 0 } }, received[3] = { { 0 } };
	struct count all_sent = { 0 }, all_received = { 0 };
	struct fiber *fibers[7];

	chan = new_chan(sizeof(int), capacity);
	for (int i = 0; i < 3; i++) {
		fibers[i] = spawn(send_until_closed, &sent[i]);
		fibers[3 + i] = spawn(receive_until_closed, &received[i]);
	}
	fibers[6] = spawn(close_some_time, &delay);
	for (int i = 0; i < 7; i++)
		CHECK_EQ(join(fibers[i]), 0);
	for (int i = 0; i < 3; i++) {
		all_sent.n += sent[i].n;
		all_sent.sum += sent[i].sum;
		all_received.n += received[i].n;
		all_received.sum += received[i].sum;
	}
	CHECK_EQ(all_sent.n, all_received.n);
	CHECK_EQ(all_sent.sum, all_received.sum);
	CHECK_EQ(fiber_chan_len(chan), 0);
	fiber_chan_put(chan);
}

static void closes_amidst(void)
{
	for (int i = 0; i < ROUNDS(500); i++) {
		close_amidst(0, i % 10);
		close_amidst(1, i % 10);
		close_amidst(16, i % 10);
	}
}

static void nothing_is_lost_in_a_close(void)
{
	run_shapes(0, closes_amidst);
}

static int try_close(void *arg)
{
	*(int *)arg = fiber_chan_close(chan);
	CHECK_EQ(fiber_recv(chan, NULL), -EPIPE);
	return 0;
}

static void several_close(void)
{
	for (int i = 0; i < ROUNDS(1000); i++) {
		int results[8];
		int good = 0;

		chan = new_chan(sizeof(int), 1);
		run_all(8, try_close, results, sizeof(int));
		for (int k = 0; k < 8; k++) {
			CHECK(results[k] == 0 || results[k] == -EPIPE);
			good += results[k] == 0;
		}
		CHECK_EQ(good, 1);
		fiber_chan_put(chan);
	}
}

static void one_close_is_the_first(void)
{
	run_shapes(0, several_close);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(what_is_there_is_received),
		TEST(waiting_receivers_are_told),
		TEST(waiting_senders_are_told),
		TEST(nothing_is_lost_in_a_close),
		TEST(one_close_is_the_first),
	};

	return RUN(argc, argv, tests);
}
