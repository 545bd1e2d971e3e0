// SPDX-License-Identifier: MIT
/*
 * The futex for fibers: who changes the word and wakes leaves nobody behind.
 */
#include <errno.h>

#include <fiber/block.h>
#include <fiber/cancel.h>

#include "bucket.h"
#include "core.h"
#include "env.h"

#define WHY 7

/* In the explorer's way, as the library reads it. */
static fiber_word word, other;
#define WORD ((const FIBER_WORD *)(const void *)&word)
#define OTHER ((const FIBER_WORD *)(const void *)&other)

static struct fiber *victim;
static at(uint32_t) victim_done;
static unsigned int inside, victim_woken;

static void reset(void)
{
	at_store(&word, 0, RELAXED);
	at_store(&other, 0, RELAXED);
	at_store(&victim_done, 0, RELAXED);
	inside = victim_woken = 0;
}

static void check_empty(void)
{
	EXPECT(!_fiber_buckets[0].words);
}

/* A lock built on it: 1 is held, 2 is held and somebody waits. */
static void lock_each(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < 2; i++) {
		uint32_t seen = 0;

		if (!at_cas(&word, &seen, 1)) {
			while (at_xchg(&word, 2)) {
				int err = fiber_block_on(WORD, 2, INT64_MAX);

				EXPECT(!err || err == -EAGAIN);
			}
		}
		EXPECT_EQ(inside++, 0);
		explore_point("inside");
		EXPECT_EQ(--inside, 0);
		if (at_xchg(&word, 0) == 2)
			EXPECT(fiber_wake(WORD, 1) <= 1);
	}
}

static void lock_shape(void)
{
	reset();
	explore_add_fiber("fiber 0", lock_each, NULL);
	explore_add_fiber("fiber 1", lock_each, NULL);
	explore_add_client("thread", lock_each, NULL);
	explore_run();
	EXPECT_EQ(at_load(&word, RELAXED), 0);
	check_empty();
}

static void wait_for_change(void *arg)
{
	bool leaves = arg;

	while (!at_load(&word, ACQUIRE)) {
		int err = fiber_block_on(
			WORD, 0,
			leaves ? explore_now() + explore_choose(9) : INT64_MAX);

		EXPECT(!err || err == -EAGAIN ||
		       (leaves && (err == -ETIMEDOUT || err == -ECANCELED)));
		if (err == -ECANCELED)
			break;
	}
}

static void wait_for_other(void *arg)
{
	(void)arg;
	while (!at_load(&other, ACQUIRE))
		(void)fiber_block_on(OTHER, 0, INT64_MAX);
}

static void change_and_wake(void *arg)
{
	int n;

	(void)arg;
	at_store(&word, 1, RELEASE);
	n = fiber_wake(WORD, INT32_MAX);
	EXPECT(n >= 0 && n <= 3);
	/* In the same bucket, and not woken with the others. */
	at_store(&other, 1, RELEASE);
	n = fiber_wake(OTHER, 1);
	EXPECT(n >= 0 && n <= 1);
}

static void change_shape(void)
{
	reset();
	explore_add_clock();
	explore_add_fiber("steady 0", wait_for_change, NULL);
	explore_add_client("steady 1", wait_for_change, NULL);
	victim = explore_add_fiber("victim", wait_for_change, &word);
	explore_add_fiber("other", wait_for_other, NULL);
	explore_add_fiber("waker", change_and_wake, NULL);
	explore_add_canceller(&victim, WHY);
	explore_run();
	check_empty();
}

/* One is woken at a time: the victim, or the steady one, never both or none. */
static void victim_waits(void *arg)
{
	int err = fiber_block_on(WORD, 0, INT64_MAX);

	(void)arg;
	EXPECT(!err || err == -ECANCELED);
	victim_woken = !err;
	at_store(&victim_done, 1, RELEASE);
}

static void steady_waits(void *arg)
{
	(void)arg;
	EXPECT_EQ(fiber_block_on(WORD, 0, INT64_MAX), 0);
}

static void wake_who_waits(void *arg)
{
	unsigned int n = 0;

	(void)arg;
	while (!at_load(&victim_done, ACQUIRE) || n < 1 + victim_woken) {
		int err = fiber_wake(WORD, 1);

		EXPECT(err == 0 || err == 1);
		n += err;
		explore_yield();
	}
	EXPECT_EQ(n, 1 + victim_woken);
}

static void one_shape(void)
{
	reset();
	victim = explore_add_fiber("victim", victim_waits, NULL);
	explore_add_fiber("steady", steady_waits, NULL);
	explore_add_fiber("waker", wake_who_waits, NULL);
	explore_add_canceller(&victim, WHY);
	explore_run();
	check_empty();
}

static void lock_built_on_it(void)
{
	EXPLORE(lock_shape, 8000);
}

static void changed_and_woken(void)
{
	EXPLORE(change_shape, 8000);
}

static void woken_one_by_one(void)
{
	EXPLORE(one_shape, 4000);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(lock_built_on_it),
		TEST(changed_and_woken),
		TEST(woken_one_by_one),
	};

	return EXPLORE_RUN(argc, argv, tests);
}
