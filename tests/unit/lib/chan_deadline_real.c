// SPDX-License-Identifier: MIT
/*
 * Deadlines by the real clock: never early, and they do come.
 */
#include <errno.h>
#include <stdlib.h>

#include "fibers.h"

static void check_late(int64_t deadline)
{
	CHECK(fiber_now() >= deadline);
	CHECK(test_now() >= deadline);
}

static void all_kinds(void)
{
	struct fiber_chan *c = new_chan(sizeof(int), 0);
	int value = 0;
	struct fiber_case cases[] = {
		{ .chan = c, .elem = &value, .op = FIBER_RECV },
		{ .chan = c, .elem = &value, .op = FIBER_SEND },
	};

	for (int64_t wait = 1; wait < 20 * MSEC; wait *= 20) {
		int64_t at = fiber_after(wait);

		CHECK_EQ(fiber_recv_until(c, &value, at), -ETIMEDOUT);
		check_late(at);
		at = fiber_after(wait);
		CHECK_EQ(fiber_send_until(c, &value, at), -ETIMEDOUT);
		check_late(at);
		at = fiber_after(wait);
		CHECK_EQ(fiber_select_until(cases, 2, 0, at), -ETIMEDOUT);
		check_late(at);
	}
	check_idle(c);
	fiber_chan_put(c);
}

static void never_early(void)
{
	run_shapes(0, all_kinds);
}

static int send_one(void *c)
{
	send_int(c, 1);
	return 0;
}

/* If the later one hid it, this would take hours. */
static void after_a_far_one(void)
{
	struct fiber_chan *c = new_chan(sizeof(int), 0);
	int value = 0;

	for (int i = 0; i < 10; i++) {
		struct fiber *fiber = spawn(send_one, c);
		int64_t at;

		CHECK_EQ(fiber_recv_until(c, &value, fiber_after(HOUR)), 0);
		CHECK_EQ(join(fiber), 0);
		at = fiber_after(MSEC);
		CHECK_EQ(fiber_recv_until(c, &value, at), -ETIMEDOUT);
		check_late(at);
	}
	fiber_chan_put(c);
}

static void earlier_than_the_one_before(void)
{
	run_shapes(0, after_a_far_one);
}

/* While the far one is armed elsewhere and everybody sleeps. */
static int wait_an_hour(void *c)
{
	int value;

	return fiber_recv_until(c, &value, fiber_after(HOUR));
}

static void beside_a_far_one(void)
{
	struct fiber_chan *c = new_chan(sizeof(int), 0);
	struct fiber_chan *none = new_chan(sizeof(int), 0);
	struct fiber *fibers[4];
	int value = 0;

	for (int i = 0; i < 4; i++)
		fibers[i] = spawn(wait_an_hour, c);
	settle();
	for (int i = 0; i < 10; i++) {
		int64_t at = fiber_after(MSEC);

		CHECK_EQ(fiber_recv_until(none, &value, at), -ETIMEDOUT);
		check_late(at);
	}
	CHECK_EQ(fiber_chan_close(c), 0);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(join(fibers[i]), -EPIPE);
	fiber_chan_put(c);
	fiber_chan_put(none);
}

static void earlier_than_those_of_others(void)
{
	run_shapes(0, beside_a_far_one);
}

struct waiter {
	struct fiber_chan *chan;
	int64_t at;
};

static int wait_until(void *arg)
{
	struct waiter *waiter = arg;
	int value;

	CHECK_EQ(fiber_recv_until(waiter->chan, &value, waiter->at),
		 -ETIMEDOUT);
	check_late(waiter->at);
	return 0;
}

static void many_at_once(void)
{
	int n = ROUNDS(5000);
	struct waiter *waiters = calloc(n, sizeof(*waiters));
	struct fiber_chan *c = new_chan(sizeof(int), 0);
	unsigned int seed = 1;

	CHECK(waiters);
	for (int i = 0; i < n; i++) {
		waiters[i].chan = c;
		waiters[i].at = fiber_after(rand_r(&seed) % (50 * MSEC));
	}
	run_all(n, wait_until, waiters, sizeof(*waiters));
	check_idle(c);
	fiber_chan_put(c);
	free(waiters);
}

static void thousands_at_once(void)
{
	run_shapes(0, many_at_once);
}

/* One that never waits must not keep deadlines from others. */
static _Atomic bool stop;

static int never_wait(void *arg)
{
	(void)arg;
	while (!stop)
		fiber_yield();
	return 0;
}

static void beside_busy_ones(void)
{
	struct fiber *fibers[8];

	stop = false;
	for (int i = 0; i < 8; i++)
		fibers[i] = spawn(never_wait, NULL);
	all_kinds();
	stop = true;
	for (int i = 0; i < 8; i++)
		CHECK_EQ(join(fibers[i]), 0);
}

static void while_others_never_wait(void)
{
	run_shapes(0, beside_busy_ones);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(never_early),
		TEST(earlier_than_the_one_before),
		TEST(earlier_than_those_of_others),
		TEST(thousands_at_once),
		TEST(while_others_never_wait),
	};

	return RUN(argc, argv, tests);
}
