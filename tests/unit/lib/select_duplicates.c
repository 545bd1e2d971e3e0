// SPDX-License-Identifier: MIT
/*
 * The same channel in several cases of a select: each is as good as the others,
 * and none stays behind.
 */
#include <errno.h>

#include "fibers.h"

static struct fiber_chan *c, *d, *e;

static int wait_twice(void *arg)
{
	int value = 0;
	struct fiber_case cases[] = {
		{ .chan = c, .elem = &value, .op = FIBER_RECV },
		{ .chan = c, .elem = &value, .op = FIBER_RECV },
		{ .chan = d, .elem = &value, .op = FIBER_RECV },
	};

	(void)arg;
	CHECK_EQ(fiber_select(cases, 3, 0), 2);
	CHECK_EQ(value, 7);
	send_int(e, 9);
	return 0;
}

static int wait_once(void *arg)
{
	(void)arg;
	return recv_int(c);
}

/*
 * One waits twice in c and is woken by d. That must take both places from the
 * queue of c, and leave the place of another behind them.
 */
static void both_places_are_left(void)
{
	for (int i = 0; i < 100; i++) {
		struct fiber *twice, *once;

		c = new_chan(sizeof(int), 0);
		d = new_chan(sizeof(int), 0);
		e = new_chan(sizeof(int), 0);
		twice = spawn(wait_twice, NULL);
		settle();
		once = spawn(wait_once, NULL);
		settle();
		send_int(d, 7);
		CHECK_EQ(recv_int(e), 9);
		send_int(c, 8);
		CHECK_EQ(join(once), 8);
		CHECK_EQ(join(twice), 0);
		check_idle(c);
		check_idle(d);
		fiber_chan_put(c);
		fiber_chan_put(d);
		fiber_chan_put(e);
	}
}

static void places_are_left(void)
{
	run_shapes(FIBER_TEST_CLOCK, both_places_are_left);
}

static struct fiber_case cases[FIBER_CASES_MAX];

static void fill(int n, int op, int *values)
{
	for (int i = 0; i < n; i++) {
		cases[i] = (struct fiber_case){
			.chan = c,
			.elem = &values[i],
			.op = op,
		};
	}
}

static int send_number(void *number)
{
	send_int(c, *(int *)number);
	return 0;
}

/* The element is in the case that is named, and in no other. */
static void receive_in_one_of(int n)
{
	int values[FIBER_CASES_MAX];
	struct fiber *fiber;
	int at, number = 1;

	c = new_chan(sizeof(int), 0);
	fill(n, FIBER_RECV, values);
	for (int i = 0; i < n; i++)
		values[i] = -1;
	for (number = 1; number < 50; number++) {
		fiber = spawn(send_number, &number);
		/* It waits already, or comes while the select waits. */
		if (number % 2)
			settle();
		at = fiber_select(cases, n, 0);
		CHECK(at >= 0 && at < n);
		CHECK_EQ(cases[at].result, 0);
		CHECK_EQ(values[at], number);
		values[at] = -1;
		for (int i = 0; i < n; i++)
			CHECK_EQ(values[i], -1);
		CHECK_EQ(join(fiber), 0);
	}
	check_idle(c);
	fiber_chan_put(c);
}

static int receive_number(void *chan)
{
	return recv_int(chan);
}

static void send_one_of(int n)
{
	int values[FIBER_CASES_MAX];
	struct fiber *fiber;
	int at;

	c = new_chan(sizeof(int), 0);
	fill(n, FIBER_SEND, values);
	for (int i = 0; i < n; i++)
		values[i] = i;
	for (int k = 0; k < 50; k++) {
		fiber = spawn(receive_number, c);
		if (k % 2)
			settle();
		at = fiber_select(cases, n, 0);
		CHECK(at >= 0 && at < n);
		CHECK_EQ(join(fiber), at);
	}
	check_idle(c);
	fiber_chan_put(c);
}

static void some_numbers(void)
{
	static const int numbers[] = { 1, 2, 3, 8, 9, 64 };

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		receive_in_one_of(numbers[i]);
		send_one_of(numbers[i]);
	}
}

static void one_of_the_same_is_named(void)
{
	run_shapes(FIBER_TEST_CLOCK, some_numbers);
	run_shapes(0, some_numbers);
}

/* Two cases have two shares: bounds are ten deviations away. */
static void weights(void)
{
	int counts[3] = { 0 };
	int n = 9000;

	c = new_chan(0, 0);
	d = new_chan(0, 0);
	CHECK_EQ(fiber_chan_close(c), 0);
	CHECK_EQ(fiber_chan_close(d), 0);
	for (int i = 0; i < 3; i++)
		cases[i] = (struct fiber_case){
			i < 2 ? c : d,
			NULL,
			FIBER_RECV,
			0,
		};
	for (int i = 0; i < n; i++)
		counts[fiber_select(cases, 3, 0)]++;
	for (int i = 0; i < 3; i++)
		CHECK(counts[i] > n / 3 - 450 && counts[i] < n / 3 + 450);
	fiber_chan_put(c);
	fiber_chan_put(d);
}

static void each_counts(void)
{
	run_shapes(0, weights);
}

static int wait_often(void *arg)
{
	struct fiber_case mine[FIBER_CASES_MAX];
	int value = 0;

	for (int i = 0; i < FIBER_CASES_MAX; i++)
		mine[i] = (struct fiber_case){ c, &value, FIBER_RECV, 0 };
	for (;;) {
		int at = fiber_select(mine, FIBER_CASES_MAX, 0);

		CHECK(at >= 0 && at < FIBER_CASES_MAX);
		if (mine[at].result == -EPIPE)
			return 0;
		*(long *)arg += value;
	}
}

static int send_rising(void *arg)
{
	(void)arg;
	for (int i = 1; i <= ROUNDS(1000); i++)
		send_int(c, i);
	return 0;
}

/* Many places in the queue for each, with the others' in between. */
static void crowd(void)
{
	struct fiber *fibers[4];
	long sums[4] = { 0 };
	long each = ROUNDS(1000) * (ROUNDS(1000) + 1) / 2;

	c = new_chan(sizeof(int), 0);
	for (int i = 0; i < 4; i++)
		fibers[i] = spawn(wait_often, &sums[i]);
	run_all(3, send_rising, sums, 0);
	CHECK_EQ(fiber_chan_close(c), 0);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(join(fibers[i]), 0);
	CHECK_EQ(sums[0] + sums[1] + sums[2] + sums[3], 3 * each);
	fiber_chan_put(c);
}

static void many_with_many_places(void)
{
	run_shapes(0, crowd);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(places_are_left),
		TEST(one_of_the_same_is_named),
		TEST(each_counts),
		TEST(many_with_many_places),
	};

	return RUN(argc, argv, tests);
}
