// SPDX-License-Identifier: MIT
/*
 * A fiber that is cancelled while it waits is woken, and what it waited for has
 * not happened.
 */
#include <errno.h>

#include "harness.h"
#include "runtime.h"

static atomic_int ready;
static atomic_int gate;

static int sleep_on(void *arg)
{
	(void)arg;
	atomic_fetch_add(&ready, 1);
	return fiber_sleep(FIBER_FOREVER);
}

static int sleep_on_until(void *arg)
{
	(void)arg;
	atomic_fetch_add(&ready, 1);
	return fiber_sleep_until(fiber_after(3600 * RUNTIME_SECOND));
}

static int sleep_on_for_ever(void *arg)
{
	(void)arg;
	atomic_fetch_add(&ready, 1);
	return fiber_sleep_until(FIBER_FOREVER);
}

static int join_other(void *other)
{
	int result = 5;

	atomic_fetch_add(&ready, 1);
	CHECK_EQ(fiber_join(other, &result), -ECANCELED);
	CHECK_EQ(result, 5);
	/* The reference is still there. */
	fiber_put(other);
	return -ECANCELED;
}

static int join_other_until(void *other)
{
	int64_t deadline = fiber_after(3600 * RUNTIME_SECOND);

	atomic_fetch_add(&ready, 1);
	CHECK_EQ(fiber_join_until(other, NULL, deadline), -ECANCELED);
	fiber_put(other);
	return -ECANCELED;
}

static int pass_gate(void *arg)
{
	(void)arg;
	while (!atomic_load(&gate))
		CHECK_EQ(fiber_sleep(RUNTIME_MS), 0);
	return 6;
}

/* Just started, on its way to wait, and when it has waited for long. */
static void cancel_soon_and_late(int (*fn)(void *), struct fiber *other)
{
	int64_t pause;

	for (pause = 0; pause < 3 * RUNTIME_MS; pause += RUNTIME_MS / 2) {
		struct fiber *fiber;

		atomic_store(&ready, 0);
		fiber = runtime_spawn(fn, other ? fiber_get(other) : NULL);
		runtime_await(&ready, 1);
		CHECK_EQ(fiber_sleep(pause), 0);
		CHECK_EQ(fiber_cancel(fiber, 1), 0);
		CHECK_EQ(runtime_join(fiber), -ECANCELED);
	}
}

static int cancel_all_kinds(void *arg)
{
	struct fiber *other;

	(void)arg;
	atomic_store(&gate, 0);
	other = runtime_spawn(pass_gate, NULL);
	cancel_soon_and_late(sleep_on, NULL);
	cancel_soon_and_late(sleep_on_until, NULL);
	cancel_soon_and_late(sleep_on_for_ever, NULL);
	cancel_soon_and_late(join_other, other);
	cancel_soon_and_late(join_other_until, other);
	atomic_store(&gate, 1);
	CHECK_EQ(runtime_join(other), 6);
	return 0;
}

static void sleeping_and_joining(void)
{
	runtime_run(1, 0, cancel_all_kinds, NULL);
	runtime_run(2, 0, cancel_all_kinds, NULL);
	runtime_run(2, FIBER_TEST_MIGRATE, cancel_all_kinds, NULL);
}

static void by_a_thread(void)
{
	runtime_start(2, 0);
	CHECK_EQ(cancel_all_kinds(NULL), 0);
	runtime_stop();
}

static int cancel_a_thousand(void *arg)
{
	struct fiber *fibers[1000];
	int i;

	(void)arg;
	atomic_store(&ready, 0);
	for (i = 0; i < 1000; i++)
		fibers[i] = runtime_spawn(sleep_on, NULL);
	runtime_await(&ready, 1000);
	for (i = 999; i >= 0; i--)
		CHECK_EQ(fiber_cancel(fibers[i], 1), 0);
	for (i = 0; i < 1000; i++)
		CHECK_EQ(runtime_join(fibers[i]), -ECANCELED);
	return 0;
}

static void a_thousand(void)
{
	runtime_run(1, 0, cancel_a_thousand, NULL);
	runtime_run(2, 0, cancel_a_thousand, NULL);
}

/* One of many that join the same fiber: the others do not notice. */
static int join_in_vain(void *other)
{
	atomic_fetch_add(&ready, 1);
	CHECK_EQ(fiber_join(other, NULL), -ECANCELED);
	fiber_put(other);
	return 0;
}

static int join_well(void *other)
{
	atomic_fetch_add(&ready, 1);
	CHECK_EQ(runtime_join(other), 6);
	return 0;
}

static int cancel_every_other(void *arg)
{
	struct fiber *other;
	struct fiber *fibers[100];
	int i;

	(void)arg;
	atomic_store(&gate, 0);
	atomic_store(&ready, 0);
	other = runtime_spawn(pass_gate, NULL);
	for (i = 0; i < 100; i++)
		fibers[i] = runtime_spawn(i % 2 ? join_in_vain : join_well,
					  fiber_get(other));
	runtime_await(&ready, 100);
	for (i = 1; i < 100; i += 2) {
		CHECK_EQ(fiber_cancel(fibers[i], 1), 0);
		CHECK_EQ(runtime_join(fibers[i]), 0);
	}
	atomic_store(&gate, 1);
	for (i = 0; i < 100; i += 2)
		CHECK_EQ(runtime_join(fibers[i]), 0);
	CHECK_EQ(runtime_join(other), 6);
	return 0;
}

static void some_of_those_who_join_one(void)
{
	runtime_run(1, 0, cancel_every_other, NULL);
	runtime_run(2, 0, cancel_every_other, NULL);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(sleeping_and_joining),
		TEST(by_a_thread),
		TEST(a_thousand),
		TEST(some_of_those_who_join_one),
	};

	return RUN(argc, argv, tests);
}
