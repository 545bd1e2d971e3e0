// SPDX-License-Identifier: MIT
/*
 * A fiber that nobody waits for runs all the same.
 */
#include <errno.h>

#include "harness.h"
#include "runtime.h"

#define FIBERS 5000

static atomic_int sum;
static atomic_int ran;

static void add(void *arg)
{
	atomic_fetch_add(&sum, (int)(intptr_t)arg);
	atomic_fetch_add(&ran, 1);
}

static int go_many(void *arg)
{
	int i;

	(void)arg;
	atomic_store(&sum, 0);
	atomic_store(&ran, 0);
	for (i = 1; i <= FIBERS; i++)
		CHECK_EQ(fiber_go(add, (void *)(intptr_t)i), 0);
	runtime_await(&ran, FIBERS);
	CHECK_EQ(atomic_load(&sum), FIBERS * (FIBERS + 1) / 2);
	return 0;
}

static void each_runs_once_with_its_argument(void)
{
	runtime_run(1, 0, go_many, NULL);
	runtime_run(3, 0, go_many, NULL);
}

/* Each makes two more, until there are enough. */
static void multiply(void *arg)
{
	intptr_t depth = (intptr_t)arg;

	if (depth > 0) {
		CHECK_EQ(fiber_go(multiply, (void *)(depth - 1)), 0);
		CHECK_EQ(fiber_go(multiply, (void *)(depth - 1)), 0);
	}
	atomic_fetch_add(&ran, 1);
}

static int go_deep(void *arg)
{
	(void)arg;
	atomic_store(&ran, 0);
	CHECK_EQ(fiber_go(multiply, (void *)12), 0);
	runtime_await(&ran, (1 << 13) - 1);
	return 0;
}

static void by_fibers_of_its_kind(void)
{
	runtime_run(1, 0, go_deep, NULL);
	runtime_run(2, 0, go_deep, NULL);
	runtime_run(2, FIBER_TEST_MIGRATE, go_deep, NULL);
}

static int go_nowhere(void *arg)
{
	struct fiber *fiber;

	(void)arg;
	CHECK_EQ(fiber_go(NULL, NULL), -EINVAL);
	CHECK_EQ(fiber_spawn(&fiber, NULL, NULL, NULL), -EINVAL);
	CHECK_EQ(fiber_spawn(NULL, go_nowhere, NULL, NULL), -EINVAL);
	CHECK_EQ(runtime_status().fibers, 1);
	return 0;
}

static void not_without_a_function(void)
{
	runtime_run(1, 0, go_nowhere, NULL);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(each_runs_once_with_its_argument),
		TEST(by_fibers_of_its_kind),
		TEST(not_without_a_function),
	};

	return RUN(argc, argv, tests);
}
