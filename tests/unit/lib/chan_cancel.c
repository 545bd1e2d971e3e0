// SPDX-License-Identifier: MIT
/*
 * A cancelled fiber waits for nothing: what it waits in ends, and so does every
 * later call that may wait, until it says that it is not to be disturbed.
 */
#include <errno.h>

#include "fibers.h"

#define WHY 5

static struct fiber_chan *chan;
static struct fiber *joined;

static int wait_recv(void *arg)
{
	int value = -1;
	int err = fiber_recv(chan, &value);

	(void)arg;
	CHECK_EQ(value, -1);
	return err;
}

static int wait_recv_until(void *arg)
{
	int value;

	(void)arg;
	return fiber_recv_until(chan, &value, fiber_after(HOUR));
}

static int wait_send(void *arg)
{
	int value = 1;

	(void)arg;
	return fiber_send(chan, &value);
}

static int wait_send_until(void *arg)
{
	int value = 1;

	(void)arg;
	return fiber_send_until(chan, &value, fiber_after(HOUR));
}

static int wait_select(void *arg)
{
	struct fiber_chan *own = new_chan(sizeof(int), 0);
	int value = 1;
	struct fiber_case cases[] = {
		{ .chan = own, .elem = &value, .op = FIBER_RECV },
		{ .chan = chan, .elem = &value, .op = FIBER_RECV },
		{ .chan = chan, .elem = &value, .op = FIBER_SEND },
		{ .chan = chan, .elem = &value, .op = FIBER_RECV },
	};
	int err;

	err = arg ? fiber_select_until(cases, 4, 0, fiber_after(HOUR)) :
		    fiber_select(cases, 4, FIBER_SELECT_ORDERED);
	fiber_chan_put(own);
	return err;
}

static int wait_select_nothing(void *arg)
{
	struct fiber_case cases[] = { { .op = FIBER_RECV } };

	(void)arg;
	return fiber_select(cases, 1, 0);
}

static int wait_select_no_cases(void *arg)
{
	(void)arg;
	return fiber_select(NULL, 0, 0);
}

static int wait_sleep(void *arg)
{
	(void)arg;
	return fiber_sleep(HOUR);
}

static int wait_sleep_for_ever(void *arg)
{
	(void)arg;
	return fiber_sleep_until(FIBER_FOREVER);
}

static int wait_join(void *arg)
{
	int err = fiber_join(fiber_get(joined), NULL);

	(void)arg;
	/* On an error the reference stays. */
	fiber_put(joined);
	return err;
}

static int wait_join_until(void *arg)
{
	int err = fiber_join_until(fiber_get(joined), NULL, fiber_after(HOUR));

	(void)arg;
	fiber_put(joined);
	return err;
}

static int (*const waits[])(void *) = {
	wait_recv,
	wait_recv_until,
	wait_send,
	wait_send_until,
	wait_select,
	wait_select_nothing,
	wait_select_no_cases,
	wait_sleep,
	wait_sleep_for_ever,
	wait_join,
	wait_join_until,
};

static int wait_here(void *c)
{
	return fiber_recv(c, NULL);
}

static void in_each_wait(bool settled)
{
	struct fiber_chan *other = new_chan(sizeof(int), 0);
	int64_t start;

	chan = new_chan(sizeof(int), 0);
	joined = spawn(wait_here, other);
	for (size_t i = 0; i < 2 * ARRAY_SIZE(waits); i++) {
		struct fiber *fiber =
			spawn(waits[i / 2], i % 2 ? (void *)chan : NULL);

		if (settled)
			settle();
		start = fiber_now();
		CHECK_EQ(fiber_cancel(fiber, WHY), 0);
		CHECK_EQ(join(fiber), -ECANCELED);
		CHECK_EQ(fiber_now(), start);
		/* It is in no queue any more. */
		check_idle(chan);
	}
	send_int(other, 1);
	CHECK_EQ(join(joined), 0);
	fiber_chan_put(other);
	fiber_chan_put(chan);
}

static void while_waiting(void)
{
	in_each_wait(true);
}

static void at_any_time(void)
{
	for (int i = 0; i < ROUNDS(50); i++)
		in_each_wait(false);
}

static void ends_every_wait(void)
{
	run_shapes(FIBER_TEST_CLOCK, while_waiting);
}

static void ends_it_before_it_begins(void)
{
	run_shapes(FIBER_TEST_CLOCK, at_any_time);
}

static int give_three(void *arg)
{
	(void)arg;
	return 3;
}

/* Everything here could be done at once. */
static int every_call(void *arg)
{
	struct fiber_chan *c = arg;
	struct fiber *ended = spawn(give_three, NULL);
	int64_t start;
	int value = 8, result = 8;
	struct fiber_case cases[] = {
		{ .chan = c, .elem = &value, .op = FIBER_SEND, .result = 8 },
		{ .chan = c, .elem = &value, .op = FIBER_RECV, .result = 8 },
	};

	CHECK_EQ(fiber_join(fiber_get(ended), NULL), 0);
	send_int(c, 1);
	CHECK_EQ(fiber_cancel(fiber_self(), WHY), 0);
	start = fiber_now();
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(fiber_send(c, &value), -ECANCELED);
		CHECK_EQ(fiber_send_until(c, &value, 0), -ECANCELED);
		CHECK_EQ(fiber_send_until(c, &value, start + HOUR), -ECANCELED);
		CHECK_EQ(fiber_recv(c, &value), -ECANCELED);
		CHECK_EQ(fiber_recv_until(c, &value, 0), -ECANCELED);
		CHECK_EQ(fiber_recv_until(c, &value, start + HOUR), -ECANCELED);
		CHECK_EQ(fiber_select(cases, 2, 0), -ECANCELED);
		CHECK_EQ(fiber_select_until(cases, 2, 0, start + HOUR),
			 -ECANCELED);
		CHECK_EQ(fiber_sleep(1), -ECANCELED);
		CHECK_EQ(fiber_sleep_until(start + HOUR), -ECANCELED);
		CHECK_EQ(fiber_join(ended, &result), -ECANCELED);
		CHECK_EQ(fiber_join_until(ended, &result, start + HOUR),
			 -ECANCELED);
		fiber_yield();
	}
	CHECK_EQ(fiber_now(), start);
	CHECK_EQ(value, 8);
	CHECK_EQ(result, 8);
	CHECK_EQ(fiber_chan_len(c), 1);
	/* What does not wait is done. */
	CHECK_EQ(fiber_chan_close(c), 0);
	CHECK_EQ(fiber_cancelled(), WHY);
	fiber_put(ended);
	fiber_chan_put(c);
	return 4;
}

static void later_calls(void)
{
	struct fiber_chan *c = new_chan(sizeof(int), 2);
	struct fiber *fiber = spawn(every_call, fiber_chan_get(c));

	CHECK_EQ(join(fiber), 4);
	CHECK_EQ(recv_int(c), 1);
	CHECK_EQ(fiber_recv(c, NULL), -EPIPE);
	fiber_chan_put(c);
}

static void ends_every_later_call(void)
{
	run_shapes(FIBER_TEST_CLOCK, later_calls);
}

/* Cancelled while it waits undisturbed, and told only afterwards. */
static int wait_masked(void *arg)
{
	struct fiber_chan *c = arg;
	int value = -1;

	CHECK_EQ(fiber_cancel_mask(1), 0);
	CHECK_EQ(fiber_cancel_mask(1), 1);
	CHECK_EQ(fiber_recv(c, &value), 0);
	CHECK_EQ(value, 6);
	CHECK_EQ(fiber_cancelled(), WHY);
	CHECK_EQ(fiber_sleep(SEC), 0);
	CHECK_EQ(fiber_recv_until(c, &value, fiber_after(SEC)), -ETIMEDOUT);
	send_int(c, 7);
	CHECK_EQ(fiber_cancel_mask(0), 1);
	CHECK_EQ(fiber_send(c, &value), -ECANCELED);
	CHECK_EQ(fiber_cancel_mask(1), 0);
	CHECK_EQ(fiber_recv(c, &value), 0);
	CHECK_EQ(value, 8);
	CHECK_EQ(fiber_cancel_mask(0), 1);
	CHECK_EQ(fiber_cancel_mask(0), 0);
	CHECK_EQ(fiber_cancelled(), WHY);
	return fiber_sleep(1);
}

static void masked(void)
{
	struct fiber_chan *c = new_chan(sizeof(int), 0);
	struct fiber *fiber = spawn(wait_masked, c);

	settle();
	CHECK_EQ(fiber_cancel(fiber, WHY), 0);
	settle();
	send_int(c, 6);
	CHECK_EQ(recv_int(c), 7);
	send_int(c, 8);
	CHECK_EQ(join(fiber), -ECANCELED);
	check_idle(c);
	fiber_chan_put(c);
}

static void may_be_put_off(void)
{
	run_shapes(FIBER_TEST_CLOCK, masked);
}

static int tell_why(void *c)
{
	CHECK_EQ(fiber_cancelled(), 0);
	CHECK_EQ(fiber_recv(c, NULL), -ECANCELED);
	return fiber_cancelled();
}

static void reasons(void)
{
	struct fiber_chan *c = new_chan(sizeof(int), 0);
	struct fiber *fiber = spawn(tell_why, c);
	int err;

	settle();
	CHECK_EQ(fiber_cancel(fiber, 0), -EINVAL);
	CHECK_EQ(fiber_cancel(fiber, -1), -EINVAL);
	CHECK_EQ(fiber_cancel(NULL, 1), -EINVAL);
	CHECK_EQ(fiber_cancel(fiber, INT32_MAX), 0);
	err = fiber_cancel(fiber, 2);
	CHECK(err == 0 || err == -ESRCH);
	CHECK_EQ(fiber_join(fiber_get(fiber), NULL), 0);
	CHECK_EQ(fiber_cancel(fiber, 3), -ESRCH);
	CHECK_EQ(join(fiber), INT32_MAX);
	check_idle(c);
	fiber_chan_put(c);
}

static void first_reason_stays(void)
{
	run_with(1, FIBER_TEST_CLOCK, reasons);
	run_with(4, FIBER_TEST_CLOCK, reasons);
}

static int receive(void *c)
{
	int value = -1;
	int err = fiber_recv(c, &value);

	return err ? err : value;
}

static int receive_by_select(void *c)
{
	int value = -1;
	struct fiber_case cases[] = {
		{ .chan = c, .elem = &value, .op = FIBER_RECV },
		{ .chan = c, .elem = &value, .op = FIBER_RECV },
	};
	int at = fiber_select(cases, 2, 0);

	return at < 0 ? at : value;
}

/* Who goes leaves the queue; the order of the others stays. */
static void some_go(void)
{
	struct fiber_chan *c = new_chan(sizeof(int), 0);
	struct fiber *fibers[9];

	for (int i = 0; i < 9; i++) {
		fibers[i] = spawn(i % 3 == 1 ? receive_by_select : receive, c);
		settle();
	}
	/* First, last, and in the midst. */
	for (int i = 0; i < 9; i += 4)
		CHECK_EQ(fiber_cancel(fibers[i], WHY), 0);
	settle();
	for (int i = 0; i < 9; i++)
		if (i % 4)
			send_int(c, i);
	for (int i = 0; i < 9; i++)
		CHECK_EQ(join(fibers[i]), i % 4 ? i : -ECANCELED);
	check_idle(c);
	fiber_chan_put(c);
}

static void others_keep_their_places(void)
{
	run_shapes(FIBER_TEST_CLOCK, some_go);
}

static _Atomic int told;

static void count_when_told(void *c)
{
	CHECK_EQ(fiber_recv(c, NULL), -ECANCELED);
	CHECK(fiber_cancelled() > 0);
	CHECK_EQ(fiber_sleep(1), -ECANCELED);
	told++;
	fiber_chan_put(c);
}

static void leave_them_waiting(void)
{
	struct fiber_chan *c = new_chan(sizeof(int), 0);

	told = 0;
	/* Some have started by then, and some have not. */
	for (int i = 0; i < 100; i++) {
		CHECK_EQ(fiber_go(count_when_told, fiber_chan_get(c)), 0);
		if (i == 50)
			settle();
	}
	fiber_chan_put(c);
}

static void comes_when_main_returns(void)
{
	for (unsigned int workers = 1; workers <= 4; workers *= 2) {
		run_with(workers, FIBER_TEST_CLOCK, leave_them_waiting);
		CHECK_EQ(told, 100);
		run_with(workers, 0, leave_them_waiting);
		CHECK_EQ(told, 100);
	}
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(ends_every_wait),	       TEST(ends_it_before_it_begins),
		TEST(ends_every_later_call),   TEST(may_be_put_off),
		TEST(first_reason_stays),      TEST(others_keep_their_places),
		TEST(comes_when_main_returns),
	};

	return RUN(argc, argv, tests);
}
