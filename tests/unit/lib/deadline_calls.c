// SPDX-License-Identifier: MIT
/*
 * A deadline of all that a fiber does ends every call at its time and no other;
 * afterwards each call that would have to wait ends at once, and each that need
 * not is done. The clock is the virtual one, so that times are exact.
 */
#include <errno.h>

#include "fibers.h"

static int wait_for_ever(void *chan)
{
	return fiber_recv(chan, NULL);
}

enum call {
	RECV,
	SEND,
	SEND_BUFFERED,
	SELECT,
	SELECT_NONE,
	JOIN,
	SLEEP,
	RECV_UNTIL,
	JOIN_UNTIL,
	NR_CALLS,
};

struct things {
	struct fiber_chan *empty;
	struct fiber_chan *full;
	struct fiber *fiber;
};

/* Each would have to wait for ever, or far longer. */
static int do_call(struct things *t, enum call call)
{
	int value = 4;
	struct fiber_case cases[] = {
		{ .chan = t->empty, .elem = &value, .op = FIBER_RECV },
		{ .chan = t->full, .elem = &value, .op = FIBER_SEND },
	};

	switch (call) {
	case RECV:
		return fiber_recv(t->empty, &value);
	case SEND:
		return fiber_send(t->empty, &value);
	case SEND_BUFFERED:
		return fiber_send(t->full, &value);
	case SELECT:
		return fiber_select(cases, 2, 0);
	case SELECT_NONE:
		return fiber_select(NULL, 0, 0);
	case JOIN:
		return fiber_join(t->fiber, NULL);
	case SLEEP:
		return fiber_sleep(HOUR);
	case RECV_UNTIL:
		return fiber_recv_until(t->empty, &value, fiber_after(HOUR));
	default:
		return fiber_join_until(t->fiber, NULL, fiber_after(HOUR));
	}
}

static void make_things(struct things *t, struct fiber_chan *gate)
{
	t->empty = new_chan(sizeof(int), 0);
	t->full = new_chan(sizeof(int), 1);
	send_int(t->full, 3);
	t->fiber = spawn(wait_for_ever, gate);
}

static void unmake_things(struct things *t, struct fiber_chan *gate)
{
	check_idle(t->empty);
	CHECK_EQ(recv_int(t->full), 3);
	check_idle(t->full);
	send_int(gate, 1);
	CHECK_EQ(join(t->fiber), 0);
	fiber_chan_put(t->empty);
	fiber_chan_put(t->full);
}

static void each_call(void)
{
	struct fiber_chan *gate = new_chan(sizeof(int), 0);
	struct things t;

	make_things(&t, gate);
	for (enum call call = RECV; call < NR_CALLS; call++) {
		int64_t at = fiber_after(SEC);

		CHECK_EQ(fiber_deadline_push(at), FIBER_FOREVER);
		CHECK_EQ(fiber_deadline(), at);
		CHECK_EQ(do_call(&t, call), -ETIMEDOUT);
		CHECK_EQ(fiber_now(), at);
		/* And all of them, from now on. */
		for (enum call next = RECV; next < NR_CALLS; next++)
			CHECK_EQ(do_call(&t, next), -ETIMEDOUT);
		CHECK_EQ(fiber_now(), at);
		fiber_deadline_pop(FIBER_FOREVER);
		CHECK_EQ(fiber_deadline(), FIBER_FOREVER);
		CHECK_EQ(fiber_sleep(2 * SEC), 0);
		CHECK_EQ(fiber_now(), at + 2 * SEC);
	}
	unmake_things(&t, gate);
	fiber_chan_put(gate);
}

static void ends_each_call(void)
{
	run_shapes(FIBER_TEST_CLOCK, each_call);
}

static int nothing(void *arg)
{
	(void)arg;
	return 3;
}

static void try_each(void)
{
	struct fiber_chan *c = new_chan(sizeof(int), 1);
	struct fiber_chan *none = new_chan(sizeof(int), 0);
	struct fiber *waiting = spawn(wait_for_ever, none);
	struct fiber *ended = spawn(nothing, NULL);
	int64_t now;
	int value = 4;
	struct fiber_case cases[] = {
		{ .chan = c, .elem = &value, .op = FIBER_RECV },
	};

	settle();
	now = fiber_now();
	CHECK_EQ(fiber_deadline_push(now), FIBER_FOREVER);
	CHECK_EQ(fiber_recv(c, &value), -ETIMEDOUT);
	CHECK_EQ(fiber_send(c, &value), 0);
	CHECK_EQ(fiber_send(c, &value), -ETIMEDOUT);
	CHECK_EQ(fiber_recv(c, &value), 0);
	CHECK_EQ(fiber_select(cases, 1, 0), -ETIMEDOUT);
	CHECK_EQ(fiber_send(c, &value), 0);
	CHECK_EQ(fiber_select(cases, 1, 0), 0);
	CHECK_EQ(fiber_try_recv(c, &value), -EAGAIN);
	/* Somebody waits there. */
	CHECK_EQ(fiber_send(none, &value), 0);
	CHECK_EQ(fiber_send(none, &value), -ETIMEDOUT);
	CHECK_EQ(join(ended), 3);
	CHECK_EQ(fiber_sleep(0), 0);
	CHECK_EQ(fiber_sleep_until(now), 0);
	CHECK_EQ(fiber_sleep(1), -ETIMEDOUT);
	fiber_yield();
	CHECK_EQ(fiber_now(), now);
	fiber_deadline_pop(FIBER_FOREVER);
	CHECK_EQ(join(waiting), 0);
	check_idle(c);
	check_idle(none);
	fiber_chan_put(c);
	fiber_chan_put(none);
}

static void past_one_tries_once(void)
{
	run_shapes(FIBER_TEST_CLOCK, try_each);
}

static void whichever_is_earlier(void)
{
	struct fiber_chan *c = new_chan(sizeof(int), 0);
	int64_t start = fiber_now();
	int value;

	CHECK_EQ(fiber_deadline_push(start + 100), FIBER_FOREVER);
	CHECK_EQ(fiber_recv_until(c, &value, start + 10), -ETIMEDOUT);
	CHECK_EQ(fiber_now(), start + 10);
	CHECK_EQ(fiber_sleep_until(start + 20), 0);
	CHECK_EQ(fiber_now(), start + 20);
	CHECK_EQ(fiber_recv_until(c, &value, start + 200), -ETIMEDOUT);
	CHECK_EQ(fiber_now(), start + 100);
	fiber_deadline_pop(FIBER_FOREVER);
	/* At the same time: it has slept for as long as it wanted. */
	CHECK_EQ(fiber_deadline_push(start + 300), FIBER_FOREVER);
	CHECK_EQ(fiber_sleep_until(start + 300), 0);
	fiber_deadline_pop(FIBER_FOREVER);
	CHECK_EQ(fiber_now(), start + 300);
	fiber_chan_put(c);
}

static void earlier_one_counts(void)
{
	run_shapes(FIBER_TEST_CLOCK, whichever_is_earlier);
}

static int send_late(void *chan)
{
	CHECK_EQ(fiber_sleep(100), 0);
	send_int(chan, 5);
	CHECK_EQ(fiber_sleep(100), 0);
	send_int(chan, 6);
	return 0;
}

/* A deadline that does not come changes nothing, then or later. */
static void partner_first(void)
{
	struct fiber_chan *c = new_chan(sizeof(int), 0);
	struct fiber *sender = spawn(send_late, c);
	int64_t start = fiber_now();

	CHECK_EQ(fiber_deadline_push(start + 150), FIBER_FOREVER);
	CHECK_EQ(recv_int(c), 5);
	CHECK_EQ(fiber_now(), start + 100);
	fiber_deadline_pop(FIBER_FOREVER);
	CHECK_EQ(recv_int(c), 6);
	CHECK_EQ(fiber_now(), start + 200);
	CHECK_EQ(join(sender), 0);
	check_idle(c);
	fiber_chan_put(c);
}

static void popped_one_is_nothing(void)
{
	run_shapes(FIBER_TEST_CLOCK, partner_first);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(ends_each_call),
		TEST(past_one_tries_once),
		TEST(earlier_one_counts),
		TEST(popped_one_is_nothing),
	};

	return RUN(argc, argv, tests);
}
