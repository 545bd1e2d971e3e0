// SPDX-License-Identifier: MIT
/*
 * A select that makes no sense is refused before anything is done.
 */
#include <errno.h>

#include "fibers.h"

static int value;

static void check_refused(struct fiber_case *cases, int n, unsigned int flags)
{
	CHECK_EQ(fiber_select(cases, n, flags), -EINVAL);
	CHECK_EQ(fiber_try_select(cases, n, flags), -EINVAL);
	CHECK_EQ(fiber_select_until(cases, n, flags, fiber_after(HOUR)),
		 -EINVAL);
}

static void numbers_of_cases(void)
{
	struct fiber_chan *c = new_chan(sizeof(int), 1);
	struct fiber_case cases[FIBER_CASES_MAX + 1];

	for (int i = 0; i <= FIBER_CASES_MAX; i++) {
		cases[i] = (struct fiber_case){
			.chan = c,
			.elem = &value,
			.op = FIBER_SEND,
		};
	}
	check_refused(cases, FIBER_CASES_MAX + 1, 0);
	check_refused(cases, INT32_MAX, 0);
	check_refused(cases, -1, 0);
	check_refused(cases, INT32_MIN, 0);
	check_refused(NULL, 1, 0);
	CHECK_EQ(fiber_chan_len(c), 0);
	CHECK(fiber_select(cases, FIBER_CASES_MAX, 0) >= 0);
	CHECK_EQ(fiber_chan_len(c), 1);
	fiber_chan_put(c);
}

static void operations(void)
{
	static const int bad[] = { 0, 3, -1, 4, INT32_MAX };
	struct fiber_chan *c = new_chan(sizeof(int), 1);
	struct fiber_case cases[] = {
		{ .chan = c, .elem = &value, .op = FIBER_SEND },
		{ .chan = c, .elem = &value },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cases[1].op = bad[i];
		check_refused(cases, 2, 0);
	}
	CHECK_EQ(fiber_chan_len(c), 0);
	fiber_chan_put(c);
}

static void flags(void)
{
	struct fiber_chan *c = new_chan(sizeof(int), 1);
	struct fiber_case cases[] = {
		{ .chan = c, .elem = &value, .op = FIBER_SEND },
	};

	check_refused(cases, 1, FIBER_SELECT_ORDERED << 1);
	check_refused(cases, 1, FIBER_SELECT_ORDERED | 1u << 31);
	CHECK_EQ(fiber_chan_len(c), 0);
	fiber_chan_put(c);
}

static void elements(void)
{
	struct fiber_chan *c = new_chan(sizeof(int), 1);
	struct fiber_chan *signals = new_chan(0, 1);
	struct fiber_case cases[] = {
		{ .chan = signals, .op = FIBER_SEND },
		{ .chan = c, .op = FIBER_SEND },
	};

	check_refused(cases, 2, 0);
	CHECK_EQ(fiber_chan_len(signals), 0);
	CHECK_EQ(fiber_chan_len(c), 0);
	/* Nothing is needed for a signal, nor to receive. */
	CHECK_EQ(fiber_select(cases, 1, 0), 0);
	cases[0].op = FIBER_RECV;
	CHECK_EQ(fiber_select(cases, 1, 0), 0);
	send_int(c, 1);
	cases[1].op = FIBER_RECV;
	CHECK_EQ(fiber_select(cases, 2, 0), 1);
	CHECK_EQ(fiber_chan_len(c), 0);
	fiber_chan_put(c);
	fiber_chan_put(signals);
}

static void too_many_cases(void)
{
	run_with(2, 0, numbers_of_cases);
}

static void unknown_operations(void)
{
	run_with(2, 0, operations);
}

static void unknown_flags(void)
{
	run_with(2, 0, flags);
}

static void missing_elements(void)
{
	run_with(2, 0, elements);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(too_many_cases),
		TEST(unknown_operations),
		TEST(unknown_flags),
		TEST(missing_elements),
	};

	return RUN(argc, argv, tests);
}
