// SPDX-License-Identifier: MIT
/*
 * Deadlines end a wait at their time and no other, and do nothing else. The
 * clock is the virtual one, so that times are exact; chan_deadline_real.c has
 * the real one.
 */
#include <errno.h>
#include <stdlib.h>

#include "fibers.h"

static int nothing(void *arg)
{
	(void)arg;
	return 3;
}

static int wait_for_ever(void *c)
{
	return fiber_recv(c, NULL);
}

/* Deadlines that have passed, however long ago. */
static void try_once(int64_t past)
{
	struct fiber_chan *c = new_chan(sizeof(int), 1);
	struct fiber_chan *none = new_chan(sizeof(int), 0);
	struct fiber *fiber = spawn(wait_for_ever, none);
	int64_t start;
	int value = 4;
	struct fiber_case cases[] = {
		{ .chan = c, .elem = &value, .op = FIBER_RECV },
	};

	settle();
	start = fiber_now();
	CHECK_EQ(fiber_recv_until(c, &value, past), -ETIMEDOUT);
	CHECK_EQ(fiber_send_until(c, &value, past), 0);
	CHECK_EQ(fiber_send_until(c, &value, past), -ETIMEDOUT);
	CHECK_EQ(fiber_recv_until(c, &value, past), 0);
	CHECK_EQ(fiber_select_until(cases, 1, 0, past), -ETIMEDOUT);
	CHECK_EQ(fiber_select_until(NULL, 0, 0, past), -ETIMEDOUT);
	send_int(c, 4);
	CHECK_EQ(fiber_select_until(cases, 1, 0, past), 0);
	CHECK_EQ(fiber_join_until(fiber, NULL, past), -ETIMEDOUT);
	/* Somebody waits there. */
	CHECK_EQ(fiber_send_until(none, &value, past), 0);
	CHECK_EQ(fiber_send_until(none, &value, past), -ETIMEDOUT);
	settle();
	CHECK_EQ(fiber_join_until(fiber, NULL, past), 0);
	CHECK_EQ(fiber_sleep_until(past), 0);
	CHECK_EQ(fiber_now(), start + 1);
	check_idle(c);
	check_idle(none);
	fiber_chan_put(c);
	fiber_chan_put(none);
}

static void past_ones(void)
{
	settle();
	try_once(fiber_now());
	try_once(fiber_now() - 1);
	try_once(0);
	try_once(-1);
	try_once(INT64_MIN);
}

static void past_one_tries_once(void)
{
	run_shapes(FIBER_TEST_CLOCK, past_ones);
}

static void future_ones(void)
{
	static const int64_t waits[] = { 1, 2, 999, MSEC, SEC, 1000 * HOUR };
	struct fiber_chan *c = new_chan(sizeof(int), 0);
	struct fiber *fiber = spawn(wait_for_ever, c);
	struct fiber_chan *none = new_chan(sizeof(int), 0);
	int value = 4;
	struct fiber_case cases[] = {
		{ .chan = none, .elem = &value, .op = FIBER_RECV },
		{ .chan = none, .elem = &value, .op = FIBER_SEND },
	};

	for (size_t i = 0; i < ARRAY_SIZE(waits); i++) {
		int64_t at = fiber_now();

		at += waits[i];
		CHECK_EQ(fiber_recv_until(none, &value, at), -ETIMEDOUT);
		CHECK_EQ(fiber_now(), at);
		at += waits[i];
		CHECK_EQ(fiber_send_until(none, &value, at), -ETIMEDOUT);
		CHECK_EQ(fiber_now(), at);
		at += waits[i];
		CHECK_EQ(fiber_select_until(cases, 2, 0, at), -ETIMEDOUT);
		CHECK_EQ(fiber_now(), at);
		at += waits[i];
		CHECK_EQ(fiber_join_until(fiber, NULL, at), -ETIMEDOUT);
		CHECK_EQ(fiber_now(), at);
	}
	CHECK_EQ(value, 4);
	check_idle(none);
	send_int(c, 1);
	CHECK_EQ(join(fiber), 0);
	fiber_chan_put(c);
	fiber_chan_put(none);
}

static void future_one_comes_at_its_time(void)
{
	run_shapes(FIBER_TEST_CLOCK, future_ones);
}

struct sender {
	struct fiber_chan *chan;
	int64_t at;
};

static int send_at(void *arg)
{
	struct sender *sender = arg;

	CHECK_EQ(fiber_sleep_until(sender->at), 0);
	send_int(sender->chan, 8);
	return 0;
}

static int receive_at(void *arg)
{
	struct sender *sender = arg;

	CHECK_EQ(fiber_sleep_until(sender->at), 0);
	CHECK_EQ(recv_int(sender->chan), 8);
	return 0;
}

static void partner_first(void)
{
	struct sender sender = { new_chan(sizeof(int), 0), fiber_after(100) };
	struct fiber *fiber = spawn(send_at, &sender);
	int64_t start = fiber_now();
	int value = 0;

	CHECK_EQ(fiber_recv_until(sender.chan, &value, start + 101), 0);
	CHECK_EQ(value, 8);
	CHECK_EQ(fiber_now(), start + 100);
	CHECK_EQ(join(fiber), 0);
	/* What was left of that deadline is nothing to later waits. */
	CHECK_EQ(fiber_recv_until(sender.chan, &value, start + 200),
		 -ETIMEDOUT);
	CHECK_EQ(fiber_now(), start + 200);

	sender.at = start + 300;
	fiber = spawn(receive_at, &sender);
	CHECK_EQ(fiber_send_until(sender.chan, &value, start + 301), 0);
	CHECK_EQ(fiber_now(), start + 300);
	CHECK_EQ(join(fiber), 0);
	sender.at = start + 400;
	fiber = spawn(send_at, &sender);
	CHECK_EQ(recv_int(sender.chan), 8);
	CHECK_EQ(fiber_now(), start + 400);
	CHECK_EQ(join(fiber), 0);
	fiber_chan_put(sender.chan);
}

static void success_is_before_it(void)
{
	run_shapes(FIBER_TEST_CLOCK, partner_first);
}

static int send_many(void *c)
{
	for (int i = 0; i < ROUNDS(10000); i++) {
		if (i % 100 == 0)
			CHECK_EQ(fiber_sleep(1), 0);
		send_int(c, i);
	}
	return 0;
}

/* The usual loop: deadlines far away that are never reached. */
static void far_ones(void)
{
	for (size_t capacity = 0; capacity <= 3; capacity += 3) {
		struct fiber_chan *c = new_chan(sizeof(int), capacity);
		struct fiber *fiber = spawn(send_many, c);
		int64_t start = fiber_now();
		int value = -1;

		for (int i = 0; i < ROUNDS(10000); i++) {
			CHECK_EQ(fiber_recv_until(c, &value, fiber_after(HOUR)),
				 0);
			CHECK_EQ(value, i);
		}
		CHECK_EQ(fiber_now(), start + ROUNDS(10000) / 100);
		CHECK_EQ(join(fiber), 0);
		/* None of them is left to end this. */
		CHECK_EQ(fiber_sleep(2 * HOUR), 0);
		CHECK_EQ(fiber_now(), start + ROUNDS(10000) / 100 + 2 * HOUR);
		fiber_chan_put(c);
	}
}

static void far_ones_again_and_again(void)
{
	run_shapes(FIBER_TEST_CLOCK, far_ones);
}

/* Each earlier than the one before it, which was not reached. */
static void earlier_and_earlier(void)
{
	struct fiber_chan *c = new_chan(sizeof(int), 0);
	struct sender sender = { .chan = c };
	int value;

	for (int i = 0; i < 100; i++) {
		int64_t start = fiber_now();
		struct fiber *fiber;

		sender.at = start + 1;
		fiber = spawn(send_at, &sender);
		CHECK_EQ(fiber_recv_until(c, &value, start + HOUR), 0);
		CHECK_EQ(join(fiber), 0);
		CHECK_EQ(fiber_recv_until(c, &value, start + 5), -ETIMEDOUT);
		CHECK_EQ(fiber_now(), start + 5);
		CHECK_EQ(fiber_recv_until(c, &value, start + 7), -ETIMEDOUT);
		CHECK_EQ(fiber_now(), start + 7);
	}
	fiber_chan_put(c);
}

static void earlier_than_the_one_before(void)
{
	run_shapes(FIBER_TEST_CLOCK, earlier_and_earlier);
}

#define CROWD ROUNDS(2000)

struct waiter {
	struct fiber_chan *chan;
	int64_t at;
	int way;
};

static int wait_until(void *arg)
{
	struct waiter *waiter = arg;
	int value = 0;
	struct fiber_case cases[] = {
		{ .chan = waiter->chan, .elem = &value, .op = FIBER_SEND },
		{ .chan = waiter->chan, .elem = &value, .op = FIBER_SEND },
	};

	if (waiter->way == 0)
		CHECK_EQ(fiber_send_until(waiter->chan, &value, waiter->at),
			 -ETIMEDOUT);
	else if (waiter->way == 1)
		CHECK_EQ(fiber_select_until(cases, 2, 0, waiter->at),
			 -ETIMEDOUT);
	else
		CHECK_EQ(fiber_sleep_until(waiter->at), 0);
	CHECK_EQ(fiber_now(), waiter->at);
	return 0;
}

/* In one queue, and they leave it from the midst of it. */
static void many_at_once(void)
{
	struct waiter *waiters = calloc(CROWD, sizeof(*waiters));
	struct fiber_chan *c = new_chan(sizeof(int), 0);
	int64_t start = fiber_now();
	unsigned int seed = 1;

	CHECK(waiters);
	for (int i = 0; i < CROWD; i++) {
		waiters[i].chan = c;
		waiters[i].at = start + 1000 + rand_r(&seed) % 5000;
		waiters[i].way = i % 3;
	}
	run_all(CROWD, wait_until, waiters, sizeof(*waiters));
	check_idle(c);
	fiber_chan_put(c);
	free(waiters);
}

static void each_of_many_has_its_own(void)
{
	run_shapes(FIBER_TEST_CLOCK, many_at_once);
}

static int receive_or_give_up(void *arg)
{
	struct waiter *waiter = arg;
	int value = -1;
	int err = fiber_recv_until(waiter->chan, &value, waiter->at);

	return err ? err : value;
}

/* Who gives up leaves the queue; the order of the others stays. */
static void some_give_up(void)
{
	struct fiber_chan *c = new_chan(sizeof(int), 0);
	struct waiter waiters[9];
	struct fiber *fibers[9];

	for (int i = 0; i < 9; i++) {
		waiters[i].chan = c;
		/* First, last, and in the midst. */
		waiters[i].at = fiber_now() + (i % 4 == 0 ? SEC : HOUR);
		fibers[i] = spawn(receive_or_give_up, &waiters[i]);
		settle();
	}
	CHECK_EQ(fiber_sleep(2 * SEC), 0);
	for (int i = 0; i < 9; i++)
		if (i % 4)
			send_int(c, i);
	for (int i = 0; i < 9; i++)
		CHECK_EQ(join(fibers[i]), i % 4 ? i : -ETIMEDOUT);
	check_idle(c);
	fiber_chan_put(c);
}

static void others_keep_their_places(void)
{
	run_shapes(FIBER_TEST_CLOCK, some_give_up);
}

static void never(void)
{
	struct fiber_chan *c = new_chan(sizeof(int), 1);
	struct fiber *fiber = spawn(nothing, NULL);
	int value = 2, result = 0;
	struct fiber_case cases[] = {
		{ .chan = c, .elem = &value, .op = FIBER_RECV },
	};
	struct sender sender = { c, fiber_after(1000 * HOUR) };

	CHECK_EQ(fiber_send_until(c, &value, FIBER_FOREVER), 0);
	CHECK_EQ(fiber_recv_until(c, &value, FIBER_FOREVER), 0);
	CHECK_EQ(fiber_join_until(fiber, &result, FIBER_FOREVER), 0);
	CHECK_EQ(result, 3);
	fiber = spawn(send_at, &sender);
	CHECK_EQ(fiber_select_until(cases, 1, 0, FIBER_FOREVER), 0);
	CHECK_EQ(fiber_now(), sender.at);
	CHECK_EQ(join(fiber), 0);
	sender.at = fiber_after(1000 * HOUR);
	fiber = spawn(send_at, &sender);
	CHECK_EQ(fiber_recv_until(c, &value, FIBER_FOREVER - 1), 0);
	CHECK_EQ(fiber_now(), sender.at);
	CHECK_EQ(join(fiber), 0);
	fiber_chan_put(c);
}

static void the_one_that_never_comes(void)
{
	run_shapes(FIBER_TEST_CLOCK, never);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(past_one_tries_once),
		TEST(future_one_comes_at_its_time),
		TEST(success_is_before_it),
		TEST(far_ones_again_and_again),
		TEST(earlier_than_the_one_before),
		TEST(each_of_many_has_its_own),
		TEST(others_keep_their_places),
		TEST(the_one_that_never_comes),
	};

	return RUN(argc, argv, tests);
}
