// SPDX-License-Identifier: MIT
/*
 * Deadlines in deadlines: they narrow only, and what is popped is what was.
 */
#include <errno.h>

#include "fibers.h"

static struct fiber_chan *never;

static void narrows(void)
{
	int64_t start = fiber_after(1);

	CHECK_EQ(fiber_deadline(), FIBER_FOREVER);
	CHECK_EQ(fiber_deadline_push(FIBER_FOREVER), FIBER_FOREVER);
	CHECK_EQ(fiber_deadline_push(start + 100), FIBER_FOREVER);
	CHECK_EQ(fiber_deadline_push(start + 200), start + 100);
	CHECK_EQ(fiber_deadline(), start + 100);
	CHECK_EQ(fiber_deadline_push(start + 50), start + 100);
	CHECK_EQ(fiber_deadline(), start + 50);
	CHECK_EQ(fiber_recv(never, NULL), -ETIMEDOUT);
	CHECK_EQ(fiber_now(), start + 50);
	CHECK_EQ(fiber_deadline_push(start), start + 50);
	CHECK_EQ(fiber_recv(never, NULL), -ETIMEDOUT);
	fiber_deadline_pop(start + 50);
	CHECK_EQ(fiber_recv(never, NULL), -ETIMEDOUT);
	CHECK_EQ(fiber_now(), start + 50);
	fiber_deadline_pop(start + 100);
	/* The outer one still comes, although the alarm has rung. */
	CHECK_EQ(fiber_recv(never, NULL), -ETIMEDOUT);
	CHECK_EQ(fiber_now(), start + 100);
	fiber_deadline_pop(start + 100);
	fiber_deadline_pop(FIBER_FOREVER);
	CHECK_EQ(fiber_deadline(), FIBER_FOREVER);
	CHECK_EQ(fiber_sleep_until(start + 300), 0);
}

/* Whatever is past is as good as 0: below that are errors. */
static void of_the_past(void)
{
	static const int64_t past[] = { 0, -1, -ENOMEM, INT64_MIN };

	for (size_t i = 0; i < ARRAY_SIZE(past); i++) {
		CHECK_EQ(fiber_deadline_push(past[i]), FIBER_FOREVER);
		CHECK_EQ(fiber_deadline(), 0);
		CHECK_EQ(fiber_deadline_push(past[i]), 0);
		CHECK_EQ(fiber_recv(never, NULL), -ETIMEDOUT);
		fiber_deadline_pop(-ENOMEM);
		CHECK_EQ(fiber_recv(never, NULL), -ETIMEDOUT);
		fiber_deadline_pop(FIBER_FOREVER);
		CHECK_EQ(fiber_sleep(1), 0);
	}
}

static int has_none(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_deadline(), FIBER_FOREVER);
	CHECK_EQ(fiber_sleep(HOUR), 0);
	CHECK_EQ(fiber_deadline_push(fiber_after(SEC)), FIBER_FOREVER);
	CHECK_EQ(fiber_recv(never, NULL), -ETIMEDOUT);
	/* It ends with it, and whoever is in its memory next has none. */
	return 0;
}

static void of_others(void)
{
	struct fiber *fibers[3];

	CHECK_EQ(fiber_deadline_push(fiber_after(SEC)), FIBER_FOREVER);
	for (size_t i = 0; i < ARRAY_SIZE(fibers); i++)
		fibers[i] = spawn(has_none, NULL);
	CHECK_EQ(fiber_join(fibers[0], NULL), -ETIMEDOUT);
	fiber_deadline_pop(FIBER_FOREVER);
	for (size_t i = 0; i < ARRAY_SIZE(fibers); i++)
		CHECK_EQ(join(fibers[i]), 0);
	for (int i = 0; i < 200; i++) {
		CHECK_EQ(fiber_deadline(), FIBER_FOREVER);
		CHECK_EQ(join(spawn(has_none, NULL)), 0);
	}
}

static int end_with_a_far_one(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_deadline_push(fiber_after(SEC)), FIBER_FOREVER);
	CHECK_EQ(fiber_sleep(1), 0);
	return 0;
}

/* The next one in the same memory waits for longer than that. */
static void left_behind(void)
{
	for (int i = 0; i < 20; i++) {
		CHECK_EQ(join(spawn(end_with_a_far_one, NULL)), 0);
		CHECK_EQ(join(spawn(has_none, NULL)), 0);
	}
}

static void with_chan(void (*fn)(void))
{
	never = new_chan(0, 0);
	fn();
	fiber_chan_put(never);
}

static void all(void)
{
	with_chan(narrows);
	with_chan(of_the_past);
	with_chan(of_others);
	with_chan(left_behind);
}

static void in_each_shape(void)
{
	run_shapes(FIBER_TEST_CLOCK, all);
}

static int push_and_wait(void *arg)
{
	int64_t before = fiber_deadline_push(fiber_after(*(int64_t *)arg));

	CHECK_EQ(fiber_recv(never, NULL), -ETIMEDOUT);
	CHECK(fiber_now() >= fiber_deadline());
	fiber_deadline_pop(before);
	return 0;
}

/* Many at once, on the real clock. */
static void many(void)
{
	int64_t times[100];

	never = new_chan(0, 0);
	for (size_t i = 0; i < ARRAY_SIZE(times); i++)
		times[i] = (int64_t)i * 100 * USEC;
	run_all(ARRAY_SIZE(times), push_and_wait, times, sizeof(times[0]));
	check_idle(never);
	fiber_chan_put(never);
}

static void of_many_fibers(void)
{
	run_shapes(0, many);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(in_each_shape),
		TEST(of_many_fibers),
	};

	return RUN(argc, argv, tests);
}
