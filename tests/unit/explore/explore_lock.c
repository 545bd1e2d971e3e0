// SPDX-License-Identifier: MIT
/*
 * The lock: one at a time is inside, and nobody sleeps for ever, whether the
 * kernel has a barrier or not.
 */
#include "core.h"
#include "env.h"

#define ROUNDS 3

static struct fiber_lock lock;
static unsigned int inside;
static unsigned int entered;

static void enter_and_leave(void *arg)
{
	unsigned int i;

	(void)arg;
	for (i = 0; i < ROUNDS; i++) {
		fiber_lock(&lock);
		EXPECT_EQ(inside++, 0);
		entered++;
		explore_point("inside");
		explore_point("inside");
		inside--;
		fiber_unlock(&lock);
	}
}

static void run_threads(unsigned int n)
{
	unsigned int i;

	lock = (struct fiber_lock){ 0 };
	inside = entered = 0;
	for (i = 0; i < n; i++)
		explore_add("locker", enter_and_leave, NULL);
	explore_run();
	EXPECT_EQ(entered, n * ROUNDS);
	EXPECT_EQ(at_load(&lock.held, RELAXED), 0);
	EXPECT_EQ(at_load(&lock.sleepers, RELAXED), 0);
}

static void two(void)
{
	run_threads(2);
}

static void three(void)
{
	run_threads(3);
}

static void three_without_barrier(void)
{
	explore_env.barrier_refused = true;
	run_threads(3);
}

static void lock_of_two(void)
{
	EXPLORE(two, 6000);
}

static void lock_of_three(void)
{
	EXPLORE(three, 6000);
}

static void lock_without_membarrier(void)
{
	EXPLORE(three_without_barrier, 6000);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(lock_of_two),
		TEST(lock_of_three),
		TEST(lock_without_membarrier),
	};

	return EXPLORE_RUN(argc, argv, tests);
}
