// SPDX-License-Identifier: MIT
/*
 * A fiber that is cancelled while it does not wait goes on, and then each of
 * its calls that may wait fails, whether it would have to wait or not.
 */
#include <errno.h>

#include "harness.h"
#include "runtime.h"

static atomic_int ready;
static atomic_int ran;

static int give(void *arg)
{
	return (int)(intptr_t)arg;
}

/* Each time again: it is a state and not an event. */
static void check_calls_fail(struct fiber *ended)
{
	int i;

	for (i = 0; i < 10; i++) {
		CHECK_EQ(fiber_sleep(RUNTIME_MS), -ECANCELED);
		CHECK_EQ(fiber_sleep_until(FIBER_FOREVER), -ECANCELED);
		CHECK_EQ(fiber_join(ended, NULL), -ECANCELED);
		CHECK_EQ(fiber_join_until(ended, NULL, FIBER_FOREVER),
			 -ECANCELED);
		CHECK_EQ(fiber_join_until(ended, NULL, 0), -ECANCELED);
	}
}

static int fail_in_calls(void *ended)
{
	atomic_store(&ready, 1);
	while (!fiber_cancelled())
		fiber_yield();
	check_calls_fail(ended);
	return 42;
}

static int fail_after_computing(void *ended)
{
	atomic_store(&ready, 1);
	/* In no call at all. */
	while (atomic_load(&ready) < 2)
		;
	check_calls_fail(ended);
	return 42;
}

static int cancel_one_that_runs(void *fn)
{
	struct fiber *ended = runtime_spawn(give, (void *)7);
	int (*const *running)(void *) = fn;
	struct fiber *fiber;

	while (runtime_status().fibers > 1)
		fiber_yield();
	atomic_store(&ready, 0);
	fiber = runtime_spawn(*running, ended);
	runtime_await(&ready, 1);
	CHECK_EQ(fiber_cancel(fiber, 3), 0);
	atomic_store(&ready, 2);
	CHECK_EQ(runtime_join(fiber), 42);
	CHECK_EQ(runtime_join(ended), 7);
	return 0;
}

static void between_calls(void)
{
	int (*fn)(void *) = fail_in_calls;

	runtime_run(1, 0, cancel_one_that_runs, &fn);
	runtime_run(2, 0, cancel_one_that_runs, &fn);
}

static void outside_the_library(void)
{
	int (*fn)(void *) = fail_after_computing;

	runtime_run(2, 0, cancel_one_that_runs, &fn);
}

static int cancel_itself(void *arg)
{
	struct fiber *ended = runtime_spawn(give, (void *)7);

	(void)arg;
	while (runtime_status().fibers > 1)
		fiber_yield();
	CHECK_EQ(fiber_cancel(fiber_self(), 9), 0);
	CHECK_EQ(fiber_cancelled(), 9);
	check_calls_fail(ended);
	fiber_put(ended);
	return 0;
}

static void itself(void)
{
	runtime_run(1, 0, cancel_itself, NULL);
}

static int fail_from_the_start(void *ended)
{
	CHECK_EQ(fiber_cancelled(), 4);
	check_calls_fail(ended);
	atomic_fetch_add(&ran, 1);
	return 42;
}

static int cancel_before_start(void *arg)
{
	struct fiber *ended = runtime_spawn(give, (void *)7);
	struct fiber *fiber;

	(void)arg;
	while (runtime_status().fibers > 1)
		fiber_yield();
	fiber = runtime_spawn(fail_from_the_start, ended);
	CHECK_EQ(fiber_cancel(fiber, 4), 0);
	CHECK_EQ(runtime_join(fiber), 42);
	CHECK_EQ(atomic_load(&ran), 1);
	fiber_put(ended);
	return 0;
}

static void before_it_starts(void)
{
	runtime_run(1, 0, cancel_before_start, NULL);
}

/* What does not wait goes on working. */
static int go_on(void *arg)
{
	struct fiber *fiber;
	int i;

	(void)arg;
	CHECK_EQ(fiber_cancel(fiber_self(), 1), 0);
	for (i = 0; i < 10; i++) {
		fiber = runtime_spawn(give, (void *)7);
		CHECK_EQ(fiber_name_set("cancelled"), 0);
		fiber_yield();
		CHECK_EQ(runtime_status().workers, 1);
		fiber_put(fiber);
	}
	return 0;
}

static void other_calls_work(void)
{
	runtime_run(1, 0, go_on, NULL);
}

/* Those that a cancelled fiber spawns are not cancelled. */
static int not_cancelled(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_cancelled(), 0);
	CHECK_EQ(fiber_sleep(1000), 0);
	CHECK_EQ(fiber_cancelled(), 0);
	atomic_fetch_add(&ran, 1);
	return 0;
}

static int spawn_cancelled(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_cancel(fiber_self(), 1), 0);
	fiber_put(runtime_spawn(not_cancelled, NULL));
	return 0;
}

static int spawn_beside_cancelled(void *arg)
{
	int i;

	(void)arg;
	CHECK_EQ(runtime_join(runtime_spawn(spawn_cancelled, NULL)), 0);
	runtime_await(&ran, 1);
	/* Nor those that come where it was. */
	for (i = 0; i < 100; i++)
		CHECK_EQ(runtime_join(runtime_spawn(not_cancelled, NULL)), 0);
	return 0;
}

static void nobody_else(void)
{
	runtime_run(1, 0, spawn_beside_cancelled, NULL);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(between_calls),	TEST(outside_the_library),
		TEST(itself),		TEST(before_it_starts),
		TEST(other_calls_work), TEST(nobody_else),
	};

	return RUN(argc, argv, tests);
}
