// SPDX-License-Identifier: MIT
/*
 * A case on a closed channel is ready, and its result says why.
 */
#include <errno.h>

#include "fibers.h"

static void closed_before(void)
{
	struct fiber_chan *c = new_chan(sizeof(int), 2);
	struct fiber_chan *none = new_chan(sizeof(int), 0);
	int value = 0;
	struct fiber_case cases[] = {
		{ .chan = none, .elem = &value, .op = FIBER_RECV },
		{ .chan = c, .elem = &value, .op = FIBER_RECV },
	};

	send_int(c, 5);
	send_int(c, 6);
	CHECK_EQ(fiber_chan_close(c), 0);
	/* What is there comes first. */
	for (int i = 5; i <= 6; i++) {
		cases[1].result = -1;
		CHECK_EQ(fiber_select(cases, 2, 0), 1);
		CHECK_EQ(cases[1].result, 0);
		CHECK_EQ(value, i);
	}
	for (int i = 0; i < 10; i++) {
		cases[1].result = 0;
		cases[1].op = i % 2 ? FIBER_RECV : FIBER_SEND;
		CHECK_EQ(fiber_select(cases, 2, 0), 1);
		CHECK_EQ(cases[1].result, -EPIPE);
		cases[1].result = 0;
		CHECK_EQ(fiber_try_select(cases, 2, 0), 1);
		CHECK_EQ(cases[1].result, -EPIPE);
		cases[1].result = 0;
		CHECK_EQ(fiber_select_until(cases, 2, 0, fiber_now() - 1), 1);
		CHECK_EQ(cases[1].result, -EPIPE);
	}
	check_idle(none);
	fiber_chan_put(none);
	fiber_chan_put(c);
}

static void a_closed_one_is_ready(void)
{
	run_shapes(0, closed_before);
}

/* A send is not done because there is room: the channel is closed. */
static void room_in_closed(void)
{
	struct fiber_chan *c = new_chan(sizeof(int), 2);
	int value = 0;
	struct fiber_case cases[] = {
		{ .chan = c, .elem = &value, .op = FIBER_SEND, .result = -1 },
	};

	CHECK_EQ(fiber_chan_close(c), 0);
	CHECK_EQ(fiber_select(cases, 1, 0), 0);
	CHECK_EQ(cases[0].result, -EPIPE);
	CHECK_EQ(fiber_chan_len(c), 0);
	fiber_chan_put(c);
}

static void room_does_not_count(void)
{
	run_shapes(0, room_in_closed);
}

#define N 6

static struct fiber_chan *chans[N];

static int wait_for_any(void *arg)
{
	int value = 0;
	struct fiber_case cases[N];
	int at;

	(void)arg;
	for (int i = 0; i < N; i++) {
		cases[i] = (struct fiber_case){
			.chan = chans[i],
			.elem = &value,
			.op = i % 2 ? FIBER_SEND : FIBER_RECV,
		};
	}
	at = fiber_select(cases, N, 0);
	CHECK(at >= 0 && at < N);
	CHECK_EQ(cases[at].result, -EPIPE);
	return at;
}

static void closed_under_select(void)
{
	for (int at = 0; at < N; at++) {
		struct fiber *fibers[10];

		for (int i = 0; i < N; i++) {
			chans[i] = new_chan(sizeof(int), i % 3);
			while (i % 2 && fiber_try_send(chans[i], &i) == 0)
				;
		}
		for (int i = 0; i < 10; i++)
			fibers[i] = spawn(wait_for_any, NULL);
		settle();
		CHECK_EQ(fiber_chan_close(chans[at]), 0);
		for (int i = 0; i < 10; i++)
			CHECK_EQ(join(fibers[i]), at);
		for (int i = 0; i < N; i++) {
			if (i != at) {
				while (fiber_try_recv(chans[i], NULL) == 0)
					;
				check_idle(chans[i]);
			}
			fiber_chan_put(chans[i]);
		}
	}
}

static void those_who_wait_are_told(void)
{
	run_shapes(FIBER_TEST_CLOCK, closed_under_select);
}

static int close_one(void *arg)
{
	CHECK_EQ(fiber_chan_close(arg), 0);
	return 0;
}

/* Several closes at once, while it comes to wait. */
static void closes_at_once(void)
{
	for (int k = 0; k < ROUNDS(1000); k++) {
		struct fiber *fibers[N + 2];

		for (int i = 0; i < N; i++)
			chans[i] = new_chan(sizeof(int), 0);
		fibers[N] = spawn(wait_for_any, NULL);
		for (int i = 0; i < N; i++)
			fibers[i] = spawn(close_one, chans[i]);
		fibers[N + 1] = spawn(wait_for_any, NULL);
		for (int i = 0; i < N; i++)
			CHECK_EQ(join(fibers[i]), 0);
		CHECK(join(fibers[N]) >= 0);
		CHECK(join(fibers[N + 1]) >= 0);
		for (int i = 0; i < N; i++)
			fiber_chan_put(chans[i]);
	}
}

static void one_close_of_many(void)
{
	run_shapes(0, closes_at_once);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(a_closed_one_is_ready),
		TEST(room_does_not_count),
		TEST(those_who_wait_are_told),
		TEST(one_close_of_many),
	};

	return RUN(argc, argv, tests);
}
