// SPDX-License-Identifier: MIT
/*
 * A wait group lets go on when all is done, not before.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>

#include "fibers.h"

static void numbers(void)
{
	struct fiber_waitgroup group = FIBER_WAITGROUP_INIT;

	CHECK_EQ(fiber_waitgroup_wait(&group), 0);
	CHECK_EQ(fiber_waitgroup_wait_until(&group, 0), 0);
	CHECK_EQ(fiber_waitgroup_done(&group), -EINVAL);
	CHECK_EQ(fiber_waitgroup_add(&group, INT_MIN), -EINVAL);
	CHECK_EQ(fiber_waitgroup_add(&group, INT_MAX), 0);
	CHECK_EQ(fiber_waitgroup_add(&group, 1), -EOVERFLOW);
	CHECK_EQ(fiber_waitgroup_wait_until(&group, 0), -ETIMEDOUT);
	CHECK_EQ(fiber_waitgroup_add(&group, -INT_MAX), 0);
	CHECK_EQ(fiber_waitgroup_wait(&group), 0);
	CHECK_EQ(fiber_waitgroup_add(&group, 0), 0);
	CHECK_EQ(fiber_waitgroup_add(&group, 2), 0);
	CHECK_EQ(fiber_waitgroup_add(&group, -3), -EINVAL);
	CHECK_EQ(fiber_waitgroup_done(&group), 0);
	CHECK_EQ(fiber_waitgroup_wait_until(&group, 0), -ETIMEDOUT);
	CHECK_EQ(fiber_waitgroup_done(&group), 0);
	CHECK_EQ(fiber_waitgroup_wait(&group), 0);
}

static void it_counts(void)
{
	numbers();
	run_shapes(0, numbers);
}

static void null_is_refused(void)
{
	CHECK_EQ(fiber_waitgroup_add(NULL, 1), -EINVAL);
	CHECK_EQ(fiber_waitgroup_done(NULL), -EINVAL);
	CHECK_EQ(fiber_waitgroup_wait(NULL), -EINVAL);
	CHECK_EQ(fiber_waitgroup_wait_until(NULL, 0), -EINVAL);
}

static struct fiber_waitgroup group = FIBER_WAITGROUP_INIT;
static _Atomic int finished;

static void work(void *arg)
{
	(void)arg;
	fiber_yield();
	finished++;
	CHECK_EQ(fiber_waitgroup_done(&group), 0);
}

static int wait_for(void *arg)
{
	CHECK_EQ(fiber_waitgroup_wait(&group), 0);
	CHECK_EQ(finished, *(int *)arg);
	return 0;
}

static void *thread_waits_for(void *arg)
{
	CHECK_EQ(wait_for(arg), 0);
	return NULL;
}

static void many_work(void)
{
	struct fiber *waiters[100];
	pthread_t thread;
	int n = 200;

	for (int round = 0; round < ROUNDS(20); round++) {
		finished = 0;
		CHECK_EQ(fiber_waitgroup_add(&group, n), 0);
		CHECK(!pthread_create(&thread, NULL, thread_waits_for, &n));
		/* More than are woken at once. */
		for (size_t i = 0; i < ARRAY_SIZE(waiters); i++)
			waiters[i] = spawn(wait_for, &n);
		for (int i = 0; i < n; i++)
			CHECK_EQ(fiber_go(work, NULL), 0);
		wait_for(&n);
		for (size_t i = 0; i < ARRAY_SIZE(waiters); i++)
			CHECK_EQ(join(waiters[i]), 0);
		CHECK(!pthread_join(thread, NULL));
	}
}

static void it_waits_for_all(void)
{
	run_shapes(0, many_work);
}

static int add_and_go(void *arg)
{
	int depth = *(int *)arg;
	int less = depth - 1;
	struct fiber *children[2];

	for (int i = 0; depth && i < 2; i++) {
		CHECK_EQ(fiber_waitgroup_add(&group, 1), 0);
		children[i] = spawn(add_and_go, &less);
	}
	for (int i = 0; depth && i < 2; i++)
		CHECK_EQ(join(children[i]), 0);
	finished++;
	CHECK_EQ(fiber_waitgroup_done(&group), 0);
	return 0;
}

/* What is added while it is not 0 is waited for, too. */
static void a_tree(void)
{
	int depth = 8;
	struct fiber *root;

	finished = 0;
	CHECK_EQ(fiber_waitgroup_add(&group, 1), 0);
	root = spawn(add_and_go, &depth);
	CHECK_EQ(fiber_waitgroup_wait(&group), 0);
	CHECK_EQ(finished, (2 << depth) - 1);
	CHECK_EQ(join(root), 0);
}

static void more_may_be_added(void)
{
	run_shapes(0, a_tree);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(it_counts),
		TEST(null_is_refused),
		TEST(it_waits_for_all),
		TEST(more_may_be_added),
	};

	return RUN(argc, argv, tests);
}
