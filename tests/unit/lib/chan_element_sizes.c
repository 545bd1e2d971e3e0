// SPDX-License-Identifier: MIT
/*
 * Elements of every size arrive as they were when they were sent, whichever way
 * they go: through the channel, or from one who waits to one who waits; and not
 * a byte beside them is written.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fibers.h"

#define EDGE 16
#define EDGE_BYTE 0xa5
#define SENDERS 4
#define RECEIVERS 3
#define SENT_BYTE 0x5a

/* Around 8, 128 and a page the library is likely to change its ways. */
static const size_t sizes[] = {
	0, 1, 2, 3, 4, 7, 8, 9, 16, 24, 127, 128, 129, 1000, 4096, 5000,
};

static struct fiber_chan *chan;
static size_t size;

/* The byte at place `at` of element number `number`. */
static unsigned char byte_of(uint32_t number, size_t at)
{
	if (at < 4)
		return number >> (8 * at);
	return (number * 31 + at * 7) ^ (at >> 8);
}

static void fill(unsigned char *elem, uint32_t number)
{
	for (size_t i = 0; i < size; i++)
		elem[i] = byte_of(number, i);
}

/* As much of its number as there is room for in an element. */
static uint32_t number_of(const unsigned char *elem)
{
	uint32_t number = 0;

	for (size_t i = 0; i < size && i < 4; i++)
		number |= (uint32_t)elem[i] << (8 * i);
	return number;
}

static unsigned char *new_buffer(void)
{
	unsigned char *buffer = malloc(size + 2 * EDGE);

	CHECK(buffer);
	memset(buffer, EDGE_BYTE, size + 2 * EDGE);
	return buffer;
}

static void check_edges(const unsigned char *buffer)
{
	for (size_t i = 0; i < EDGE; i++) {
		CHECK_EQ(buffer[i], EDGE_BYTE);
		CHECK_EQ(buffer[EDGE + size + i], EDGE_BYTE);
	}
}

/* Whole, and of that number as far as an element can tell. */
static void check_elem(const unsigned char *elem, uint32_t number)
{
	if (size < 4)
		number &= (1u << (8 * size)) - 1;
	CHECK_EQ(number_of(elem), number);
	for (size_t i = 0; i < size; i++)
		CHECK_EQ(elem[i], byte_of(number, i));
}

static void send_number(unsigned char *buffer, uint32_t number)
{
	fill(buffer + EDGE, number);
	CHECK_EQ(fiber_send(chan, buffer + EDGE), 0);
	/* Nobody may look at it any more. */
	memset(buffer + EDGE, SENT_BYTE, size);
	check_edges(buffer);
}

static void recv_number(unsigned char *buffer, uint32_t number)
{
	CHECK_EQ(fiber_recv(chan, buffer + EDGE), 0);
	check_elem(buffer + EDGE, number);
	check_edges(buffer);
}

static void each_size(void (*fn)(size_t))
{
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		size = sizes[i];
		for (size_t capacity = 0; capacity <= 5; capacity++) {
			chan = new_chan(size, capacity);
			fn(capacity);
			CHECK_EQ(fiber_chan_len(chan), 0);
			fiber_chan_put(chan);
		}
	}
}

static int send_own(void *arg)
{
	unsigned char *buffer = new_buffer();

	send_number(buffer, *(int *)arg);
	free(buffer);
	return 0;
}

static int receive_own(void *arg)
{
	unsigned char *buffer = new_buffer();

	recv_number(buffer, *(int *)arg);
	free(buffer);
	return 0;
}

/* First through the room there is, then from those who wait. */
static void senders_wait(size_t capacity)
{
	unsigned char *buffer = new_buffer();
	struct fiber *fibers[10];
	int numbers[10];

	(void)capacity;
	for (int i = 0; i < 10; i++) {
		numbers[i] = 0x1010101 * i;
		fibers[i] = spawn(send_own, &numbers[i]);
		settle();
	}
	for (int i = 0; i < 10; i++)
		recv_number(buffer, numbers[i]);
	for (int i = 0; i < 10; i++)
		CHECK_EQ(join(fibers[i]), 0);
	free(buffer);
}

static void receivers_wait(size_t capacity)
{
	unsigned char *buffer = new_buffer();
	struct fiber *fibers[10];
	int numbers[10];

	(void)capacity;
	for (int i = 0; i < 10; i++) {
		numbers[i] = 0x1010101 * i;
		fibers[i] = spawn(receive_own, &numbers[i]);
		settle();
	}
	for (int i = 0; i < 10; i++)
		send_number(buffer, numbers[i]);
	for (int i = 0; i < 10; i++)
		CHECK_EQ(join(fibers[i]), 0);
	free(buffer);
}

static void senders_of_each_size(void)
{
	each_size(senders_wait);
}

static void receivers_of_each_size(void)
{
	each_size(receivers_wait);
}

static void from_waiting_senders(void)
{
	run_shapes(FIBER_TEST_CLOCK, senders_of_each_size);
}

static void to_waiting_receivers(void)
{
	run_shapes(FIBER_TEST_CLOCK, receivers_of_each_size);
}

/* Select takes the same ways. */
static int select_number(void *arg)
{
	struct fiber_case *c = arg;

	CHECK_EQ(fiber_select(c, 1, 0), 0);
	CHECK_EQ(c->result, 0);
	return 0;
}

static void select_both(size_t capacity)
{
	unsigned char *in = new_buffer();
	unsigned char *out = new_buffer();
	struct fiber_case cases[] = {
		{ .chan = chan, .elem = in + EDGE, .op = FIBER_SEND },
		{ .chan = chan, .elem = out + EDGE, .op = FIBER_RECV },
	};

	for (uint32_t i = 0; i < 10; i++) {
		fill(in + EDGE, i);
		memset(out + EDGE, SENT_BYTE, size);
		/* Either waits for the other. */
		if ((i + capacity) % 2) {
			cases[0].result = cases[1].result = -1;
			run_all(2, select_number, cases, sizeof(cases[0]));
			check_elem(out + EDGE, i);
		} else {
			struct fiber *fiber = spawn(select_number, &cases[0]);

			recv_number(out, i);
			CHECK_EQ(join(fiber), 0);
		}
		check_edges(in);
		check_edges(out);
	}
	free(in);
	free(out);
}

static void selects_of_each_size(void)
{
	each_size(select_both);
}

static void by_select(void)
{
	run_shapes(0, selects_of_each_size);
}

/* Many at once, as it comes. */
static _Atomic uint32_t seen_sum;

static int send_many(void *arg)
{
	unsigned char *buffer = new_buffer();

	for (int i = 0; i < ROUNDS(100); i++)
		send_number(buffer, i * SENDERS + *(int *)arg);
	free(buffer);
	return 0;
}

static int receive_many(void *arg)
{
	unsigned char *buffer = new_buffer();

	while (fiber_recv(chan, buffer + EDGE) == 0) {
		check_elem(buffer + EDGE, number_of(buffer + EDGE));
		check_edges(buffer);
		seen_sum += number_of(buffer + EDGE);
		++*(int *)arg;
		memset(buffer + EDGE, SENT_BYTE, size);
	}
	check_edges(buffer);
	free(buffer);
	return 0;
}

static void crowd(size_t capacity)
{
	struct fiber *receivers[RECEIVERS];
	int numbers[SENDERS] = { 0, 1, 2, 3 };
	int got[RECEIVERS] = { 0 };
	uint32_t total = SENDERS * ROUNDS(100);

	(void)capacity;
	seen_sum = 0;
	for (int i = 0; i < RECEIVERS; i++)
		receivers[i] = spawn(receive_many, &got[i]);
	run_all(SENDERS, send_many, numbers, sizeof(int));
	CHECK_EQ(fiber_chan_close(chan), 0);
	for (int i = 0; i < RECEIVERS; i++)
		CHECK_EQ(join(receivers[i]), 0);
	CHECK_EQ(got[0] + got[1] + got[2], total);
	if (size >= 2)
		CHECK_EQ(seen_sum, total * (total - 1) / 2);
}

static void crowds_of_each_size(void)
{
	each_size(crowd);
}

static void in_a_crowd(void)
{
	run_shapes(0, crowds_of_each_size);
}

static void drop(size_t capacity)
{
	int number = 1;
	struct fiber *fiber = spawn(send_own, &number);
	unsigned char *buffer = new_buffer();

	CHECK_EQ(fiber_recv(chan, NULL), 0);
	CHECK_EQ(join(fiber), 0);
	for (uint32_t i = 0; i < capacity; i++)
		send_number(buffer, i);
	for (size_t i = 0; i < capacity; i++)
		CHECK_EQ(fiber_try_recv(chan, NULL), 0);
	free(buffer);
}

static void drops_of_each_size(void)
{
	each_size(drop);
}

static void received_into_nothing(void)
{
	run_shapes(0, drops_of_each_size);
}

static int send_signals(void *arg)
{
	(void)arg;
	for (int i = 0; i < 100; i++)
		CHECK_EQ(fiber_send(chan, NULL), 0);
	return 0;
}

static void signals(void)
{
	for (size_t capacity = 0; capacity <= 5; capacity++) {
		struct fiber *fiber;

		chan = new_chan(0, capacity);
		for (size_t i = 0; i < capacity; i++)
			CHECK_EQ(fiber_try_send(chan, NULL), 0);
		CHECK_EQ(fiber_try_send(chan, NULL), -EAGAIN);
		CHECK_EQ(fiber_chan_len(chan), capacity);
		fiber = spawn(send_signals, NULL);
		for (size_t i = 0; i < 100 + capacity; i++)
			CHECK_EQ(fiber_recv(chan, NULL), 0);
		CHECK_EQ(join(fiber), 0);
		CHECK_EQ(fiber_try_recv(chan, NULL), -EAGAIN);
		fiber_chan_put(chan);
	}
}

static void none_at_all(void)
{
	run_shapes(0, signals);
}

/* They are bytes: no alignment is asked for. */
static void shifted(void)
{
	for (size_t shift = 0; shift < 8; shift++) {
		unsigned char in[64], out[64];

		size = 8 * shift + 8 > 40 ? 40 : 8 * shift + 8;
		chan = new_chan(size, 1);
		fill(in + shift, shift);
		CHECK_EQ(fiber_send(chan, in + shift), 0);
		CHECK_EQ(fiber_recv(chan, out + 7 - shift), 0);
		check_elem(out + 7 - shift, shift);
		fiber_chan_put(chan);
	}
}

static void at_odd_addresses(void)
{
	run_shapes(0, shifted);
}

static void megabytes(void)
{
	size = 3 << 20;
	for (size_t capacity = 0; capacity <= 2; capacity++) {
		int numbers[] = { 1, 2, 3 };

		chan = new_chan(size, capacity);
		for (int i = 0; i < 3; i++) {
			struct fiber *fiber = spawn(send_own, &numbers[i]);

			CHECK_EQ(receive_own(&numbers[i]), 0);
			CHECK_EQ(join(fiber), 0);
		}
		fiber_chan_put(chan);
	}
}

static void of_megabytes(void)
{
	run_with(2, 0, megabytes);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(from_waiting_senders),
		TEST(to_waiting_receivers),
		TEST(by_select),
		TEST(in_a_crowd),
		TEST(received_into_nothing),
		TEST(none_at_all),
		TEST(at_odd_addresses),
		TEST(of_megabytes),
	};

	return RUN(argc, argv, tests);
}
