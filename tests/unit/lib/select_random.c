// SPDX-License-Identifier: MIT
/*
 * Of several cases that are ready each is as likely as the others. Bounds are
 * ten standard deviations away.
 */
#include <errno.h>

#include "fibers.h"

#define TRIALS 10000

static int both_ways(void *c)
{
	for (int i = 0; i < TRIALS; i++) {
		int zero = 0, one = 1;
		struct fiber_case cases[] = {
			{ .chan = c, .elem = &zero, .op = FIBER_SEND },
			{ .chan = c, .elem = &one, .op = FIBER_SEND },
		};

		CHECK(fiber_select(cases, 2, 0) >= 0);
	}
	return 0;
}

/* Half of 10,000, and 50 is the deviation. */
static void check_half(int n)
{
	if (n < 4500 || n > 5500)
		test_note("one of two: %d times of %d", n, TRIALS);
	CHECK(n >= 4500 && n <= 5500);
}

static void send_either(size_t capacity)
{
	struct fiber_chan *c = new_chan(sizeof(int), capacity);
	struct fiber *fiber = spawn(both_ways, c);
	int ones = 0;

	for (int i = 0; i < TRIALS; i++)
		ones += recv_int(c);
	check_half(ones);
	CHECK_EQ(join(fiber), 0);
	fiber_chan_put(c);
}

static void sends(void)
{
	send_either(0);
	send_either(1);
	send_either(100);
}

static void what_is_sent_is_random(void)
{
	run_shapes(0, sends);
}

static void receive_either(void)
{
	struct fiber_chan *a = new_chan(0, TRIALS);
	struct fiber_chan *b = new_chan(0, TRIALS);
	struct fiber_case cases[] = {
		{ .chan = a, .op = FIBER_RECV },
		{ .chan = b, .op = FIBER_RECV },
	};
	int from_b = 0;

	for (int i = 0; i < TRIALS; i++) {
		CHECK_EQ(fiber_send(a, NULL), 0);
		CHECK_EQ(fiber_send(b, NULL), 0);
	}
	for (int i = 0; i < TRIALS; i++)
		from_b += fiber_select(cases, 2, 0);
	check_half(from_b);
	fiber_chan_put(a);
	fiber_chan_put(b);
}

static void what_is_received_is_random(void)
{
	run_shapes(0, receive_either);
}

/* With closed channels, which stay ready. */
static void one_of_all(int n)
{
	struct fiber_case cases[FIBER_CASES_MAX];
	int counts[FIBER_CASES_MAX] = { 0 };
	int mean = 200;

	for (int i = 0; i < n; i++) {
		cases[i].chan = new_chan(0, 0);
		cases[i].elem = NULL;
		cases[i].op = i % 2 ? FIBER_SEND : FIBER_RECV;
		CHECK_EQ(fiber_chan_close(cases[i].chan), 0);
	}
	for (int i = 0; i < n * mean; i++) {
		int at = fiber_select(cases, n, 0);

		CHECK(at >= 0 && at < n);
		CHECK_EQ(cases[at].result, -EPIPE);
		counts[at]++;
	}
	for (int i = 0; i < n; i++) {
		if (counts[i] < mean - 142 || counts[i] > mean + 142)
			test_note("case %d of %d: %d times of %d", i, n,
				  counts[i], n * mean);
		CHECK(counts[i] >= mean - 142 && counts[i] <= mean + 142);
		fiber_chan_put(cases[i].chan);
	}
}

static void many_cases(void)
{
	one_of_all(1);
	one_of_all(2);
	one_of_all(3);
	one_of_all(8);
	one_of_all(9);
	one_of_all(64);
}

static void each_of_many_has_its_share(void)
{
	run_shapes(0, many_cases);
}

/* Cases that cannot be done take nothing from those that can. */
static void only_some_ready(void)
{
	struct fiber_chan *none = new_chan(0, 0);
	struct fiber_chan *ready = new_chan(0, 0);
	struct fiber_case cases[] = {
		{ .chan = ready, .op = FIBER_RECV },
		{ .chan = none, .op = FIBER_RECV },
		{ .chan = none, .op = FIBER_SEND },
		{ .chan = NULL, .op = FIBER_RECV },
		{ .chan = none, .op = FIBER_RECV },
		{ .chan = ready, .op = FIBER_RECV },
	};
	int first = 0;

	CHECK_EQ(fiber_chan_close(ready), 0);
	for (int i = 0; i < TRIALS; i++) {
		int at = fiber_select(cases, 6, 0);

		CHECK(at == 0 || at == 5);
		first += at == 0;
	}
	check_half(first);
	check_idle(none);
	fiber_chan_put(none);
	fiber_chan_put(ready);
}

static void those_not_ready_do_not_count(void)
{
	run_shapes(0, only_some_ready);
}

/* Two channels always ready, two never; and somebody takes what comes out. */
static struct fiber_chan *inputs[4];
static struct fiber_chan *output;
static struct fiber_chan *stop;

static int merge(void *arg)
{
	unsigned char byte = 0;
	struct fiber_case cases[4];

	(void)arg;
	for (int i = 0; i < 4; i++) {
		cases[i].chan = inputs[i];
		cases[i].elem = &byte;
		cases[i].op = FIBER_RECV;
	}
	for (;;) {
		struct fiber_case out[] = {
			{ .chan = output, .elem = &byte, .op = FIBER_SEND },
			{ .chan = stop, .op = FIBER_RECV },
		};

		CHECK(fiber_select(cases, 4, 0) >= 2);
		if (fiber_select(out, 2, 0) == 1)
			return 0;
	}
}

static void two_of_four(void)
{
	struct fiber *merger;
	unsigned char byte;
	int ones = 0;

	for (int i = 0; i < 4; i++) {
		inputs[i] = new_chan(1, i < 2 ? 0 : TRIALS + 1);
		byte = i == 3;
		while (i >= 2 && fiber_try_send(inputs[i], &byte) == 0)
			;
	}
	output = new_chan(1, 0);
	stop = new_chan(0, 0);
	merger = spawn(merge, NULL);
	for (int i = 0; i < TRIALS; i++) {
		CHECK_EQ(fiber_recv(output, &byte), 0);
		ones += byte;
	}
	CHECK_EQ(fiber_chan_close(stop), 0);
	CHECK_EQ(join(merger), 0);
	check_half(ones);
	for (int i = 0; i < 4; i++)
		fiber_chan_put(inputs[i]);
	fiber_chan_put(output);
	fiber_chan_put(stop);
}

static void merging_is_fair(void)
{
	run_shapes(0, two_of_four);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(what_is_sent_is_random),
		TEST(what_is_received_is_random),
		TEST(each_of_many_has_its_share),
		TEST(those_not_ready_do_not_count),
		TEST(merging_is_fair),
	};

	return RUN(argc, argv, tests);
}
