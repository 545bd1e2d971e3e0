// SPDX-License-Identifier: MIT
/*
 * Masked, what was pushed before does not count, what is pushed then does; and
 * cancellation comes before a deadline.
 */
#include <errno.h>

#include "fibers.h"

#define WHY 9

static struct fiber_chan *never;

static void masked(void)
{
	int64_t start = fiber_now();

	CHECK_EQ(fiber_deadline_push(start + 100), FIBER_FOREVER);
	CHECK_EQ(fiber_cancel_mask(1), 0);
	CHECK_EQ(fiber_deadline(), FIBER_FOREVER);
	CHECK_EQ(fiber_sleep_until(start + 50), 0);
	CHECK_EQ(fiber_cancel_mask(0), 1);
	CHECK_EQ(fiber_deadline(), start + 100);
	CHECK_EQ(fiber_recv(never, NULL), -ETIMEDOUT);
	CHECK_EQ(fiber_now(), start + 100);
	/* When it has passed already, and while it passes. */
	CHECK_EQ(fiber_cancel_mask(1), 0);
	CHECK_EQ(fiber_sleep_until(start + 200), 0);
	CHECK_EQ(fiber_cancel_mask(0), 1);
	CHECK_EQ(fiber_recv(never, NULL), -ETIMEDOUT);
	fiber_deadline_pop(FIBER_FOREVER);
	CHECK_EQ(fiber_deadline_push(start + 300), FIBER_FOREVER);
	CHECK_EQ(fiber_sleep_until(start + 250), 0);
	CHECK_EQ(fiber_cancel_mask(1), 0);
	CHECK_EQ(fiber_sleep_until(start + 400), 0);
	CHECK_EQ(fiber_cancel_mask(0), 1);
	CHECK_EQ(fiber_recv(never, NULL), -ETIMEDOUT);
	CHECK_EQ(fiber_now(), start + 400);
	fiber_deadline_pop(FIBER_FOREVER);
	CHECK_EQ(fiber_sleep(1), 0);
}

/* With a limit of its own, which may be later than the outer one. */
static void pushed_then(void)
{
	int64_t start = fiber_now();

	CHECK_EQ(fiber_deadline_push(start), FIBER_FOREVER);
	CHECK_EQ(fiber_recv(never, NULL), -ETIMEDOUT);
	CHECK_EQ(fiber_cancel_mask(1), 0);
	CHECK_EQ(fiber_deadline_push(start + 100), FIBER_FOREVER);
	CHECK_EQ(fiber_cancel_mask(1), 1);
	CHECK_EQ(fiber_deadline(), start + 100);
	CHECK_EQ(fiber_sleep_until(start + 50), 0);
	CHECK_EQ(fiber_recv(never, NULL), -ETIMEDOUT);
	CHECK_EQ(fiber_now(), start + 100);
	fiber_deadline_pop(FIBER_FOREVER);
	CHECK_EQ(fiber_sleep(100), 0);
	/* What is not popped ends with the mask. */
	CHECK_EQ(fiber_deadline_push(start), FIBER_FOREVER);
	CHECK_EQ(fiber_cancel_mask(0), 1);
	CHECK_EQ(fiber_deadline(), start);
	fiber_deadline_pop(FIBER_FOREVER);
	CHECK_EQ(fiber_sleep(1), 0);
	CHECK_EQ(fiber_cancel_mask(1), 0);
	CHECK_EQ(fiber_deadline(), FIBER_FOREVER);
	CHECK_EQ(fiber_sleep(1), 0);
	CHECK_EQ(fiber_cancel_mask(0), 1);
}

static int clean_up(void *arg)
{
	int64_t start = fiber_now();

	(void)arg;
	CHECK_EQ(fiber_deadline_push(start + 100), FIBER_FOREVER);
	CHECK_EQ(fiber_recv(never, NULL), -ECANCELED);
	CHECK_EQ(fiber_cancelled(), WHY);
	CHECK_EQ(fiber_now(), start + 50);
	CHECK_EQ(fiber_cancel_mask(1), 0);
	CHECK_EQ(fiber_sleep(100), 0);
	CHECK_EQ(fiber_deadline_push(fiber_after(100)), FIBER_FOREVER);
	CHECK_EQ(fiber_recv(never, NULL), -ETIMEDOUT);
	CHECK_EQ(fiber_now(), start + 250);
	CHECK_EQ(fiber_cancel_mask(0), 1);
	/* Both: and once more when nothing is left but that. */
	CHECK_EQ(fiber_recv(never, NULL), -ECANCELED);
	fiber_deadline_pop(FIBER_FOREVER);
	CHECK_EQ(fiber_recv(never, NULL), -ECANCELED);
	CHECK_EQ(fiber_deadline_push(0), FIBER_FOREVER);
	CHECK_EQ(fiber_recv(never, NULL), -ECANCELED);
	return 0;
}

static void cancelled(void)
{
	struct fiber *fiber = spawn(clean_up, NULL);

	CHECK_EQ(fiber_sleep(50), 0);
	CHECK_EQ(fiber_cancel(fiber, WHY), 0);
	CHECK_EQ(join(fiber), 0);
}

static void all(void)
{
	never = new_chan(0, 0);
	masked();
	pushed_then();
	cancelled();
	check_idle(never);
	fiber_chan_put(never);
}

static void in_each_shape(void)
{
	run_shapes(FIBER_TEST_CLOCK, all);
}

/* Threads have a mask in name only. */
static void threads_have_none(void)
{
	CHECK_EQ(fiber_deadline_push(5), FIBER_FOREVER);
	CHECK_EQ(fiber_cancel_mask(1), 0);
	CHECK_EQ(fiber_deadline(), 5);
	fiber_deadline_pop(FIBER_FOREVER);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(in_each_shape),
		TEST(threads_have_none),
	};

	return RUN(argc, argv, tests);
}
