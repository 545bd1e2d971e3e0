// SPDX-License-Identifier: MIT
/*
 * fiber_try_select() does what can be done at once, and otherwise nothing.
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
	return recv_int(c);
}

static void when_nothing_is_ready(void)
{
	struct fiber_chan *full = new_chan(sizeof(int), 1);
	struct fiber_chan *none = new_chan(sizeof(int), 0);
	int in = 5, out = 6;
	struct fiber_case cases[] = {
		{ .chan = none, .elem = &out, .op = FIBER_RECV, .result = 7 },
		{ .chan = none, .elem = &in, .op = FIBER_SEND, .result = 7 },
		{ .chan = full, .elem = &in, .op = FIBER_SEND, .result = 7 },
	};

	send_int(full, 9);
	CHECK_EQ(fiber_try_select(cases, 3, 0), -EAGAIN);
	CHECK_EQ(fiber_try_select(cases, 3, FIBER_SELECT_ORDERED), -EAGAIN);
	CHECK_EQ(fiber_try_select(cases, 0, 0), -EAGAIN);
	CHECK_EQ(fiber_try_select(NULL, 0, 0), -EAGAIN);
	CHECK_EQ(out, 6);
	CHECK_EQ(fiber_chan_len(full), 1);
	CHECK_EQ(recv_int(full), 9);
	/* And it is not there any more for others to meet. */
	check_idle(none);
	check_idle(full);
	fiber_chan_put(full);
	fiber_chan_put(none);
}

static void when_one_is_ready(void)
{
	struct fiber_chan *c = new_chan(sizeof(int), 1);
	struct fiber_chan *none = new_chan(sizeof(int), 0);
	int in = 5, out = 6;
	struct fiber_case cases[] = {
		{ .chan = none, .elem = &out, .op = FIBER_RECV, .result = 7 },
		{ .chan = c, .elem = &in, .op = FIBER_SEND, .result = 7 },
		{ .chan = none, .elem = &in, .op = FIBER_SEND, .result = 7 },
	};

	CHECK_EQ(fiber_try_select(cases, 3, 0), 1);
	CHECK_EQ(cases[1].result, 0);
	CHECK_EQ(fiber_try_select(cases, 3, 0), -EAGAIN);
	cases[1] = (struct fiber_case){
		.chan = c,
		.elem = &out,
		.op = FIBER_RECV,
		.result = 7,
	};
	CHECK_EQ(fiber_try_select(cases, 3, 0), 1);
	CHECK_EQ(cases[1].result, 0);
	CHECK_EQ(out, 5);
	check_idle(none);
	check_idle(c);
	fiber_chan_put(c);
	fiber_chan_put(none);
}

static void when_somebody_waits(void)
{
	struct fiber_chan *c = new_chan(sizeof(int), 0);
	struct fiber *fiber = spawn(send_one, c);
	int value = 0;
	struct fiber_case cases[] = {
		{ .chan = c, .elem = &value, .op = FIBER_RECV, .result = 7 },
	};

	settle();
	CHECK_EQ(fiber_try_select(cases, 1, 0), 0);
	CHECK_EQ(cases[0].result, 0);
	CHECK_EQ(value, 1);
	CHECK_EQ(join(fiber), 0);
	fiber = spawn(receive_one, c);
	settle();
	cases[0].op = FIBER_SEND;
	value = 3;
	CHECK_EQ(fiber_try_select(cases, 1, 0), 0);
	CHECK_EQ(join(fiber), 3);
	check_idle(c);
	fiber_chan_put(c);
}

static void nothing_is_done(void)
{
	run_shapes(0, when_nothing_is_ready);
}

static void one_is_done(void)
{
	run_shapes(0, when_one_is_ready);
}

static void meets_who_waits(void)
{
	run_shapes(FIBER_TEST_CLOCK, when_somebody_waits);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(nothing_is_done),
		TEST(one_is_done),
		TEST(meets_who_waits),
	};

	return RUN(argc, argv, tests);
}
