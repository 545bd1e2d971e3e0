// SPDX-License-Identifier: MIT
/*
 * Who stops waiting for a mutex, at its deadline or cancelled, leaves it to the
 * others as it was.
 */
#include <errno.h>

#include "fibers.h"

#define WHY 3

static struct fiber_mutex mutex = FIBER_MUTEX_INIT;

static int lock_until(void *arg)
{
	int err = fiber_mutex_lock_until(&mutex, *(int64_t *)arg);

	if (!err)
		CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
	else
		CHECK_EQ(fiber_mutex_unlock(&mutex), -EPERM);
	return err;
}

/* The second of four goes, by either; the others get it. */
static void one_of_four(bool cancelled)
{
	int64_t soon = fiber_after(SEC);
	int64_t late = fiber_after(HOUR);
	int64_t never = FIBER_FOREVER;
	struct fiber *fibers[4];

	CHECK_EQ(fiber_mutex_lock(&mutex), 0);
	for (int i = 0; i < 4; i++) {
		fibers[i] = spawn(lock_until, i == 1 && !cancelled ? &soon :
					      i % 2		   ? &late :
								     &never);
		settle();
	}
	if (cancelled)
		CHECK_EQ(fiber_cancel(fibers[1], WHY), 0);
	CHECK_EQ(join(fibers[1]), cancelled ? -ECANCELED : -ETIMEDOUT);
	if (!cancelled)
		CHECK_EQ(fiber_now(), soon);
	CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
	for (int i = 0; i < 4; i++)
		if (i != 1)
			CHECK_EQ(join(fibers[i]), 0);
	CHECK_EQ(fiber_mutex_try_lock(&mutex), 0);
	CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
}

static void leave(void)
{
	one_of_four(false);
	one_of_four(true);
}

static void others_get_it(void)
{
	run_shapes(FIBER_TEST_CLOCK, leave);
}

static void past_deadlines(void)
{
	int64_t past = fiber_now() - 1;
	int64_t now = fiber_now();

	CHECK_EQ(lock_until(&past), 0);
	CHECK_EQ(fiber_mutex_lock(&mutex), 0);
	CHECK_EQ(join(spawn(lock_until, &past)), -ETIMEDOUT);
	CHECK_EQ(join(spawn(lock_until, &now)), -ETIMEDOUT);
	CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
	CHECK_EQ(join(spawn(lock_until, &now)), 0);
}

static void a_past_deadline_tries_once(void)
{
	run_shapes(FIBER_TEST_CLOCK, past_deadlines);
}

static int cancelled_locks(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_mutex_lock(&mutex), 0);
	CHECK_EQ(fiber_cancel(fiber_self(), WHY), 0);
	/* What does not wait is done. */
	CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
	CHECK_EQ(fiber_mutex_lock(&mutex), -ECANCELED);
	CHECK_EQ(fiber_mutex_lock_until(&mutex, 0), -ECANCELED);
	CHECK_EQ(fiber_mutex_try_lock(&mutex), 0);
	CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
	fiber_cancel_mask(1);
	CHECK_EQ(fiber_mutex_lock(&mutex), 0);
	fiber_cancel_mask(0);
	CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
	return 0;
}

static void cancelled(void)
{
	CHECK_EQ(join(spawn(cancelled_locks, NULL)), 0);
}

static void the_cancelled_lock_nothing(void)
{
	run_shapes(0, cancelled);
}

static _Atomic int inside;

static int lock_or_leave(void *arg)
{
	(void)arg;
	for (int i = 0;; i++) {
		int64_t t = i % 2 ? fiber_after(i % 7 * 10 * USEC) :
				    FIBER_FOREVER;
		int err = fiber_mutex_lock_until(&mutex, t);

		if (err == -ETIMEDOUT)
			continue;
		if (err) {
			CHECK_EQ(err, -ECANCELED);
			return 0;
		}
		CHECK_EQ(inside++, 0);
		if (i % 5 == 0)
			fiber_yield();
		CHECK_EQ(--inside, 0);
		CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
	}
}

static void come_and_go(void)
{
	struct fiber *fibers[6];

	for (int round = 0; round < ROUNDS(40); round++) {
		for (int i = 0; i < 6; i++)
			fibers[i] = spawn(lock_or_leave, NULL);
		for (int i = 0; i < 6; i++) {
			fiber_yield();
			CHECK_EQ(fiber_mutex_lock(&mutex), 0);
			CHECK_EQ(fiber_cancel(fibers[i], WHY), 0);
			CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
		}
		for (int i = 0; i < 6; i++)
			CHECK_EQ(join(fibers[i]), 0);
		CHECK_EQ(fiber_mutex_try_lock(&mutex), 0);
		CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
	}
}

static void many_come_and_go(void)
{
	run_shapes(0, come_and_go);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(others_get_it),
		TEST(a_past_deadline_tries_once),
		TEST(the_cancelled_lock_nothing),
		TEST(many_come_and_go),
	};

	return RUN(argc, argv, tests);
}
