// SPDX-License-Identifier: MIT
/*
 * A case without a channel is never ready, and keeps its number.
 */
#include <errno.h>

#include "fibers.h"

static int send_one(void *c)
{
	send_int(c, 1);
	return 0;
}

static void beside_others(void)
{
	struct fiber_chan *c = new_chan(sizeof(int), 0);

	for (int at = 0; at < 8; at++) {
		struct fiber_case cases[8] = { { 0 } };
		struct fiber *fiber = spawn(send_one, c);
		int value = 0;

		for (int i = 0; i < 8; i++)
			cases[i].op = i % 2 ? FIBER_SEND : FIBER_RECV;
		cases[at].chan = c;
		cases[at].elem = &value;
		cases[at].op = FIBER_RECV;
		CHECK_EQ(fiber_select(cases, 8, 0), at);
		CHECK_EQ(cases[at].result, 0);
		CHECK_EQ(value, 1);
		CHECK_EQ(join(fiber), 0);
		CHECK_EQ(fiber_try_select(cases, 8, 0), -EAGAIN);
	}
	check_idle(c);
	fiber_chan_put(c);
}

static void alone(void)
{
	struct fiber_case cases[FIBER_CASES_MAX] = { { 0 } };
	int64_t start = fiber_now();

	for (int i = 0; i < FIBER_CASES_MAX; i++)
		cases[i].op = i % 2 ? FIBER_SEND : FIBER_RECV;
	for (int n = 0; n <= FIBER_CASES_MAX; n += 16) {
		CHECK_EQ(fiber_try_select(cases, n, 0), -EAGAIN);
		CHECK_EQ(fiber_select_until(cases, n, 0, start - 1),
			 -ETIMEDOUT);
		CHECK_EQ(fiber_now(), start);
		start += HOUR;
		CHECK_EQ(fiber_select_until(cases, n, 0, start), -ETIMEDOUT);
		CHECK_EQ(fiber_now(), start);
	}
	start += HOUR;
	CHECK_EQ(fiber_select_until(NULL, 0, 0, start), -ETIMEDOUT);
	CHECK_EQ(fiber_now(), start);
}

/* Switch a case off when its channel has ended, as one does. */
static void switched_off(void)
{
	struct fiber_chan *a = new_chan(sizeof(int), 1);
	struct fiber_chan *b = new_chan(sizeof(int), 1);
	struct fiber *fibers[] = { spawn(send_one, a), spawn(send_one, b) };
	int value = 0, sum = 0, ended = 0;
	struct fiber_case cases[] = {
		{ .chan = a, .elem = &value, .op = FIBER_RECV },
		{ .chan = b, .elem = &value, .op = FIBER_RECV },
	};

	CHECK_EQ(join(fibers[0]) + join(fibers[1]), 0);
	CHECK_EQ(fiber_chan_close(a), 0);
	CHECK_EQ(fiber_chan_close(b), 0);
	while (ended < 2) {
		int i = fiber_select(cases, 2, 0);

		CHECK(i == 0 || i == 1);
		if (cases[i].result == 0) {
			sum += value;
			continue;
		}
		CHECK_EQ(cases[i].result, -EPIPE);
		CHECK(cases[i].chan);
		cases[i].chan = NULL;
		ended++;
	}
	CHECK_EQ(sum, 2);
	fiber_chan_put(a);
	fiber_chan_put(b);
}

static void others_go_on(void)
{
	run_shapes(0, beside_others);
}

static void alone_it_waits(void)
{
	run_shapes(FIBER_TEST_CLOCK, alone);
}

static void case_is_switched_off(void)
{
	run_shapes(0, switched_off);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(others_go_on),
		TEST(alone_it_waits),
		TEST(case_is_switched_off),
	};

	return RUN(argc, argv, tests);
}
