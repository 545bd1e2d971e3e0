// SPDX-License-Identifier: MIT
/*
 * FIBER_SELECT_ORDERED takes the first of those that are ready.
 */
#include <errno.h>

#include "fibers.h"

#define N 8
#define ORDERED FIBER_SELECT_ORDERED

static struct fiber_chan *chans[N];
static struct fiber_case cases[N];
static int values[N];

static void set_up(size_t capacity)
{
	for (int i = 0; i < N; i++) {
		/* Addresses shall not go the way the numbers go. */
		int at = i * 3 % N;

		chans[at] = new_chan(sizeof(int), capacity);
		cases[at] = (struct fiber_case){
			.chan = chans[at],
			.elem = &values[at],
			.op = FIBER_RECV,
		};
	}
}

static void tear_down(void)
{
	for (int i = 0; i < N; i++) {
		check_idle(chans[i]);
		fiber_chan_put(chans[i]);
	}
}

static void all_from_the_first(void)
{
	set_up(100);
	for (int i = 0; i < N; i++)
		for (int k = 0; k < 100; k++)
			send_int(chans[i], k);
	for (int i = 0; i < N; i++) {
		for (int k = 0; k < 100; k++) {
			CHECK_EQ(k % 2 ? fiber_select(cases, N, ORDERED) :
					 fiber_try_select(cases, N, ORDERED),
				 i);
			CHECK_EQ(cases[i].result, 0);
			CHECK_EQ(values[i], k);
		}
	}
	CHECK_EQ(fiber_try_select(cases, N, ORDERED), -EAGAIN);
	tear_down();
}

/* The second comes first when it alone can be done. */
static void first_that_is_ready(void)
{
	set_up(1);
	cases[2].op = FIBER_SEND;
	cases[5].chan = NULL;
	for (int i = 0; i < 50; i++) {
		send_int(chans[7], 70);
		send_int(chans[4], 40);
		CHECK_EQ(fiber_select(cases, N, ORDERED), 2);
		CHECK_EQ(fiber_select(cases, N, ORDERED), 4);
		CHECK_EQ(fiber_select(cases, N, ORDERED), 7);
		CHECK_EQ(fiber_select_until(cases, N, ORDERED, fiber_now()),
			 -ETIMEDOUT);
		recv_int(chans[2]);
	}
	tear_down();
}

/* Closed is ready as well. */
static void closed_ones(void)
{
	set_up(0);
	CHECK_EQ(fiber_chan_close(chans[6]), 0);
	CHECK_EQ(fiber_select(cases, N, ORDERED), 6);
	CHECK_EQ(fiber_chan_close(chans[3]), 0);
	for (int i = 0; i < 50; i++) {
		CHECK_EQ(fiber_select(cases, N, ORDERED), 3);
		CHECK_EQ(cases[3].result, -EPIPE);
	}
	for (int i = 0; i < N; i++)
		fiber_chan_put(chans[i]);
}

static int send_after(void *arg)
{
	fiber_yield();
	send_int(arg, 1);
	return 0;
}

/* When it has to wait, what comes first is what it takes. */
static void waits(void)
{
	set_up(0);
	for (int i = N - 1; i >= 0; i--) {
		struct fiber *fiber = spawn(send_after, chans[i]);

		CHECK_EQ(fiber_select(cases, N, ORDERED), i);
		CHECK_EQ(join(fiber), 0);
	}
	tear_down();
}

static void first_one_is_emptied_first(void)
{
	run_shapes(0, all_from_the_first);
}

static void those_not_ready_are_passed_over(void)
{
	run_shapes(0, first_that_is_ready);
}

static void first_closed_one(void)
{
	run_shapes(0, closed_ones);
}

static void none_ready_at_first(void)
{
	run_shapes(0, waits);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(first_one_is_emptied_first),
		TEST(those_not_ready_are_passed_over),
		TEST(first_closed_one),
		TEST(none_ready_at_first),
	};

	return RUN(argc, argv, tests);
}
