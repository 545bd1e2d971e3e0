// SPDX-License-Identifier: MIT
/*
 * Channels: senders, receivers, and whoever closes them.
 */
#include <errno.h>
#include <string.h>

#include "chan.h"
#include "env.h"
#include "ledger.h"

#define SIZE_LARGE 200

/* An element: the ledger's number, and as often again as there is room. */
struct element {
	int value;
	int copies[SIZE_LARGE / sizeof(int) - 1];
};

static struct fiber_chan *chan;
static int each; /* elements of a sender, or for a receiver */
static const int numbers[] = { 0, 1, 2, 3 };
#define NUMBER(i) ((void *)&numbers[i])

static void fill(struct element *e, int value)
{
	size_t i;

	e->value = value;
	for (i = 0; i < SIZE_LARGE / sizeof(int) - 1; i++)
		e->copies[i] = value;
}

static void received(int receiver, const struct element *e)
{
	size_t n = chan->elem_size / sizeof(int) - 1;
	size_t i;

	for (i = 0; i < n; i++)
		EXPECT_EQ(e->copies[i], e->value);
	ledger_received(receiver, e->value);
}

static void new_chan(size_t elem_size, size_t capacity)
{
	CHECK(!fiber_chan_new(&chan, elem_size, capacity, NULL));
	ledger_reset();
}

/* Returns what the send did. */
static int send_one(int sender, int (*send)(struct fiber_chan *, const void *))
{
	struct element e;
	int err;

	fill(&e, ledger_next(sender));
	err = send(chan, &e);
	ledger_sent(e.value, err);
	return err;
}

static int receive_one(int receiver, int (*recv)(struct fiber_chan *, void *))
{
	struct element e = { 0 };
	int err = recv(chan, &e);

	if (err)
		EXPECT_EQ(e.value, 0);
	else
		received(receiver, &e);
	return err;
}

static void send_each(void *arg)
{
	int i;

	for (i = 0; i < each; i++)
		EXPECT_EQ(send_one(*(const int *)arg, fiber_send), 0);
}

static void receive_each(void *arg)
{
	int i;

	for (i = 0; i < each; i++)
		EXPECT_EQ(receive_one(*(const int *)arg, fiber_recv), 0);
}

/* Two of each, of which one is a thread that is no worker. */
static void two_and_two(size_t elem_size, size_t capacity, int n)
{
	new_chan(elem_size, capacity);
	each = n;
	explore_add_fiber("sender 0", send_each, NUMBER(0));
	explore_add_client("sender 1", send_each, NUMBER(1));
	explore_add_fiber("receiver 0", receive_each, NUMBER(0));
	explore_add_client("receiver 1", receive_each, NUMBER(1));
	explore_run();
	ledger_drain(chan);
	EXPECT_EQ(ledger_check(), 2 * n);
}

static void unbuffered_shape(void)
{
	two_and_two(8, 0, 2);
}

static void unbuffered_large_shape(void)
{
	two_and_two(SIZE_LARGE, 0, 2);
}

static void buffer_of_one_shape(void)
{
	two_and_two(8, 1, 3);
}

static void buffer_of_two_shape(void)
{
	two_and_two(24, 2, 3);
}

static void boxed_shape(void)
{
	two_and_two(SIZE_LARGE, 1, 2);
}

/* Two elements are left: whoever waited for room gets it, and is told so. */
static void room_shape(void)
{
	new_chan(8, 2);
	each = 2;
	explore_add_fiber("sender 0", send_each, NUMBER(0));
	explore_add_client("sender 1", send_each, NUMBER(1));
	explore_add_fiber("receiver", receive_each, NUMBER(0));
	explore_run();
	EXPECT_EQ(fiber_chan_len(chan), 2);
	ledger_drain(chan);
	EXPECT_EQ(ledger_check(), 4);
}

static void send_until_closed(void *arg)
{
	int i;

	for (i = 0; i < each; i++) {
		int err = send_one(*(const int *)arg, fiber_send);

		if (!err)
			continue;
		EXPECT_EQ(err, -EPIPE);
		EXPECT_EQ(send_one(*(const int *)arg, fiber_send), -EPIPE);
		return;
	}
}

static void receive_until_closed(void *arg)
{
	int err;

	while (!(err = receive_one(*(const int *)arg, fiber_recv)))
		;
	EXPECT_EQ(err, -EPIPE);
	EXPECT_EQ(receive_one(*(const int *)arg, fiber_recv), -EPIPE);
}

static void close_it(void *arg)
{
	(void)arg;
	explore_yield();
	EXPECT_EQ(fiber_chan_close(chan), 0);
	EXPECT_EQ(fiber_chan_close(chan), -EPIPE);
}

static void close_on(size_t elem_size, size_t capacity)
{
	new_chan(elem_size, capacity);
	each = 3;
	explore_add_fiber("sender 0", send_until_closed, NUMBER(0));
	explore_add_client("sender 1", send_until_closed, NUMBER(1));
	explore_add_fiber("receiver 0", receive_until_closed, NUMBER(0));
	explore_add_client("receiver 1", receive_until_closed, NUMBER(1));
	explore_add_fiber("closer", close_it, NULL);
	explore_run();
	ledger_drain(chan);
	ledger_check();
}

static void close_unbuffered_shape(void)
{
	close_on(8, 0);
}

static void close_buffered_shape(void)
{
	close_on(8, 1);
}

static void close_boxed_shape(void)
{
	close_on(SIZE_LARGE, 2);
}

/* Nobody receives: senders wait, and are told. */
static void close_on_senders_shape(void)
{
	new_chan(8, 1);
	each = 2;
	explore_add_fiber("sender 0", send_until_closed, NUMBER(0));
	explore_add_fiber("sender 1", send_until_closed, NUMBER(1));
	explore_add_client("sender 2", send_until_closed, NUMBER(2));
	explore_add_fiber("closer", close_it, NULL);
	explore_run();
	ledger_drain(chan);
	EXPECT(ledger_check() <= 1);
}

static void try_to_send(void *arg)
{
	int i;

	for (i = 0; i < each; i++) {
		int err = send_one(*(const int *)arg, fiber_try_send);

		EXPECT(!err || err == -EAGAIN || err == -EPIPE);
	}
}

static void try_to_receive(void *arg)
{
	int i;

	for (i = 0; i < each; i++) {
		int err = receive_one(*(const int *)arg, fiber_try_recv);

		EXPECT(!err || err == -EAGAIN || err == -EPIPE);
	}
}

/* Who tries meets who waits, or who tries too. */
static void try_on(size_t capacity)
{
	new_chan(8, capacity);
	each = 3;
	explore_add_fiber("sender 0", try_to_send, NUMBER(0));
	explore_add_client("sender 1", send_until_closed, NUMBER(1));
	explore_add_fiber("receiver 0", receive_until_closed, NUMBER(0));
	explore_add_client("receiver 1", try_to_receive, NUMBER(1));
	explore_add_fiber("closer", close_it, NULL);
	explore_run();
	ledger_drain(chan);
	ledger_check();
}

static void try_unbuffered_shape(void)
{
	try_on(0);
}

static void try_buffered_shape(void)
{
	try_on(2);
}

/*
 * The receiver has the last reference, and gives it back when it has the last
 * element; the next channel is likely to be in the same place. The sender may
 * still be in its call.
 */
static void receive_and_put(void *arg)
{
	struct fiber_chan *next;
	int value = ledger_next(3);

	receive_each(arg);
	fiber_chan_put(chan);
	CHECK(!fiber_chan_new(&next, sizeof(int), 1, NULL));
	EXPECT_EQ(fiber_send(next, &value), 0);
	ledger_sent(value, 0);
	ledger_drain(next);
}

/* With a reference of its own: large elements are copied to a box of chan's. */
static void send_and_put(void *arg)
{
	struct fiber_chan *c = chan;

	send_each(arg);
	fiber_chan_put(c);
}

static void last_reference_on(size_t elem_size, size_t capacity)
{
	bool boxed = capacity && elem_size > FIBER_ELEM_SMALL;

	new_chan(elem_size, capacity);
	each = 2;
	if (boxed)
		fiber_chan_get(chan);
	explore_add_fiber("sender", boxed ? send_and_put : send_each,
			  NUMBER(0));
	explore_add_fiber("receiver", receive_and_put, NUMBER(0));
	explore_run();
	EXPECT_EQ(ledger_check(), 3);
}

static void last_reference_unbuffered_shape(void)
{
	last_reference_on(8, 0);
}

static void last_reference_buffered_shape(void)
{
	last_reference_on(8, 1);
}

static void last_reference_boxed_shape(void)
{
	last_reference_on(SIZE_LARGE, 1);
}

static void unbuffered(void)
{
	EXPLORE(unbuffered_shape, 10000);
}

static void unbuffered_large(void)
{
	EXPLORE(unbuffered_large_shape, 3000);
}

static void buffer_of_one(void)
{
	EXPLORE(buffer_of_one_shape, 8000);
}

static void buffer_of_two(void)
{
	EXPLORE(buffer_of_two_shape, 6000);
}

static void room_for_who_waits(void)
{
	EXPLORE(room_shape, 6000);
}

static void boxed_elements(void)
{
	EXPLORE(boxed_shape, 4000);
}

static void close_unbuffered(void)
{
	EXPLORE(close_unbuffered_shape, 8000);
}

static void close_buffered(void)
{
	EXPLORE(close_buffered_shape, 8000);
}

static void close_boxed(void)
{
	EXPLORE(close_boxed_shape, 4000);
}

static void close_on_senders(void)
{
	EXPLORE(close_on_senders_shape, 6000);
}

static void try_unbuffered(void)
{
	EXPLORE(try_unbuffered_shape, 6000);
}

static void try_buffered(void)
{
	EXPLORE(try_buffered_shape, 6000);
}

static void last_reference_unbuffered(void)
{
	EXPLORE(last_reference_unbuffered_shape, 6000);
}

static void last_reference_buffered(void)
{
	EXPLORE(last_reference_buffered_shape, 6000);
}

static void last_reference_boxed(void)
{
	EXPLORE(last_reference_boxed_shape, 3000);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(unbuffered),
		TEST(unbuffered_large),
		TEST(buffer_of_one),
		TEST(buffer_of_two),
		TEST(room_for_who_waits),
		TEST(boxed_elements),
		TEST(close_unbuffered),
		TEST(close_buffered),
		TEST(close_boxed),
		TEST(close_on_senders),
		TEST(try_unbuffered),
		TEST(try_buffered),
		TEST(last_reference_unbuffered),
		TEST(last_reference_buffered),
		TEST(last_reference_boxed),
	};

	return EXPLORE_RUN(argc, argv, tests);
}
