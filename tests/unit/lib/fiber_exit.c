// SPDX-License-Identifier: MIT
/*
 * A fiber can end from anywhere inside it, as if its function had returned.
 */
#include <limits.h>
#include <signal.h>

#include "harness.h"
#include "runtime.h"

static atomic_int ended;

__attribute__((noinline)) static int exit_below(volatile int *depth, int result)
{
	if (--*depth == 0)
		fiber_exit(result);
	/* Never; but the compiler wants a way out. */
	if (*depth < 0)
		return 0;
	return exit_below(depth, result) + *depth;
}

static int exit_deep(void *result)
{
	volatile int depth = 50;

	exit_below(&depth, (int)(intptr_t)result);
	test_fail(__FILE__, __LINE__, "it went on");
}

static int join_exits(void *arg)
{
	static const int results[] = { 0, 1, -1, INT_MAX, INT_MIN };
	size_t i;

	(void)arg;
	for (i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
		void *result = (void *)(intptr_t)results[i];

		CHECK_EQ(runtime_join(runtime_spawn(exit_deep, result)),
			 results[i]);
	}
	return 0;
}

static void from_deep_inside(void)
{
	runtime_run(1, 0, join_exits, NULL);
	runtime_run(2, FIBER_TEST_MIGRATE, join_exits, NULL);
}

static int yield_and_exit(void *arg)
{
	fiber_yield();
	return exit_deep(arg);
}

static int exit_many(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < 50; i++)
		runtime_spawn_and_join(100, yield_and_exit, NULL);
	return 0;
}

static void stacks_are_as_good_as_new(void)
{
	runtime_run(1, 0, exit_many, NULL);
	runtime_run(2, 0, exit_many, NULL);
}

static void exit_detached(void *arg)
{
	(void)arg;
	atomic_fetch_add(&ended, 1);
	fiber_exit(5);
}

static int go_exits(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < 100; i++)
		CHECK_EQ(fiber_go(exit_detached, NULL), 0);
	runtime_await(&ended, 100);
	while (runtime_status().fibers > 1)
		fiber_yield();
	return 0;
}

static void nobody_waits_for_it(void)
{
	runtime_run(1, 0, go_exits, NULL);
}

static void first_fiber(void)
{
	CHECK_EQ(fiber_run(exit_deep, (void *)77, NULL), 77);
}

static void exit_thread(void *arg)
{
	(void)arg;
	fiber_exit(0);
}

static void exit_client(void *arg)
{
	runtime_start(1, 0);
	exit_thread(arg);
}

static void threads_abort(void)
{
	char said[1024];

	CHECK_EQ(test_death(exit_thread, NULL, said, sizeof(said)), SIGABRT);
	CHECK_IN(said, "fiber_exit");
	CHECK_EQ(test_death(exit_client, NULL, said, sizeof(said)), SIGABRT);
	CHECK_IN(said, "fiber_exit");
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(from_deep_inside),	   TEST(stacks_are_as_good_as_new),
		TEST(nobody_waits_for_it), TEST(first_fiber),
		TEST(threads_abort),
	};

	return RUN(argc, argv, tests);
}
