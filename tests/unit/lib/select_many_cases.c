// SPDX-License-Identifier: MIT
/*
 * Of as many cases as a select can have, the right one is done, and one only.
 */
#include <errno.h>

#include "fibers.h"

#define N FIBER_CASES_MAX

static struct fiber_chan *chans[N];
static int values[N];
static struct fiber_case cases[N];

static void set_up(int n, size_t capacity)
{
	for (int i = 0; i < n; i++) {
		chans[i] = new_chan(sizeof(int), capacity);
		values[i] = i;
		/* Neither the order of addresses nor its reverse. */
		cases[(i * 5) % n] = (struct fiber_case){
			.chan = chans[i],
			.elem = &values[(i * 5) % n],
			.op = (i * 5) % n % 2 ? FIBER_SEND : FIBER_RECV,
		};
	}
}

static void tear_down(int n)
{
	for (int i = 0; i < n; i++) {
		check_idle(chans[i]);
		fiber_chan_put(chans[i]);
	}
}

/* Do the other side of that case. */
static int answer(void *arg)
{
	struct fiber_case *c = arg;

	if (c->op == FIBER_RECV)
		send_int(c->chan, 1000 + (c - cases));
	else
		CHECK_EQ(recv_int(c->chan), c - cases);
	return 0;
}

static void check_done(int n, int at)
{
	CHECK_EQ(cases[at].result, 0);
	for (int i = 0; i < n; i++) {
		bool received = i == at && cases[i].op == FIBER_RECV;

		CHECK_EQ(values[i], received ? 1000 + i : i);
	}
	values[at] = at;
}

static void by_number_of_cases(int n)
{
	set_up(n, 0);
	for (int i = 0; i < n; i++) {
		struct fiber *fiber = spawn(answer, &cases[i]);

		/* It comes before, or while, or after. */
		if (i % 3 == 0)
			settle();
		CHECK_EQ(fiber_select(cases, n, 0), i);
		check_done(n, i);
		CHECK_EQ(join(fiber), 0);
		CHECK_EQ(fiber_try_select(cases, n, 0), -EAGAIN);
	}
	tear_down(n);
}

static void each_number(void)
{
	/* 5 has no factor in common with these. */
	static const int numbers[] = { 1, 2, 3, 4, 7, 8, 9, 16, 33, 63, 64 };

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		by_number_of_cases(numbers[i]);
}

static void the_one_that_is_ready(void)
{
	run_shapes(FIBER_TEST_CLOCK, each_number);
	run_with(4, 0, each_number);
}

/* Everything is ready, and each is done once in the end. */
static void all_ready(void)
{
	bool done[N] = { false };

	set_up(N, 1);
	for (int i = 0; i < N; i++)
		if (cases[i].op == FIBER_RECV)
			send_int(cases[i].chan, 1000 + i);
	for (int k = 0; k < N; k++) {
		int i = fiber_try_select(cases, N, 0);

		CHECK(i >= 0 && i < N && !done[i]);
		done[i] = true;
		check_done(N, i);
	}
	CHECK_EQ(fiber_try_select(cases, N, 0), -EAGAIN);
	for (int i = 0; i < N; i++)
		if (cases[i].op == FIBER_SEND)
			CHECK_EQ(recv_int(cases[i].chan), i);
	tear_down(N);
}

static void each_is_done_once(void)
{
	run_shapes(0, all_ready);
}

/*
 * Selects over all channels on both sides, in orders of their own: that nothing
 * stands still shows that they do not wait for each other in a circle.
 */
struct side {
	int op;
	int step;
	long sum;
};

#define EACH ROUNDS(500)

static int select_all(void *arg)
{
	struct side *side = arg;
	struct fiber_case mine[N];
	int value = 0;

	for (int i = 0; i < N; i++) {
		mine[i] = (struct fiber_case){
			.chan = chans[(i * side->step) % N],
			.elem = &value,
			.op = side->op,
		};
	}
	for (int i = 0; i < EACH; i++) {
		int at;

		if (side->op == FIBER_SEND)
			value = i;
		at = fiber_select(mine, N, 0);
		CHECK(at >= 0 && at < N);
		CHECK_EQ(mine[at].result, 0);
		side->sum += value;
	}
	return 0;
}

static void against_each_other(void)
{
	struct side sides[] = {
		{ FIBER_SEND, 1, 0 },  { FIBER_RECV, 3, 0 },
		{ FIBER_SEND, 63, 0 }, { FIBER_RECV, 61, 0 },
		{ FIBER_SEND, 31, 0 }, { FIBER_RECV, 1, 0 },
	};

	set_up(N, 0);
	run_all(6, select_all, sides, sizeof(sides[0]));
	CHECK_EQ(sides[0].sum + sides[2].sum + sides[4].sum,
		 sides[1].sum + sides[3].sum + sides[5].sum);
	tear_down(N);
}

static void select_meets_select(void)
{
	run_shapes(0, against_each_other);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(the_one_that_is_ready),
		TEST(each_is_done_once),
		TEST(select_meets_select),
	};

	return RUN(argc, argv, tests);
}
