// SPDX-License-Identifier: MIT
/*
 * While a fiber masks cancellation its calls work as if there was none; then
 * they fail again.
 */
#include <errno.h>

#include "harness.h"
#include "runtime.h"

static atomic_int ready;
static atomic_int gate;

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

static int mask_itself(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_cancel(fiber_self(), 3), 0);
	CHECK_EQ(fiber_cancel_mask(1), 0);
	CHECK_EQ(fiber_cancelled(), 3);
	CHECK_EQ(fiber_sleep(RUNTIME_MS), 0);
	CHECK_EQ(runtime_join(runtime_spawn(nothing, NULL)), 0);
	CHECK_EQ(fiber_cancelled(), 3);
	CHECK_EQ(fiber_cancel_mask(0), 1);
	CHECK_EQ(fiber_sleep(RUNTIME_MS), -ECANCELED);
	CHECK_EQ(fiber_cancelled(), 3);
	return 0;
}

static void calls_work(void)
{
	runtime_run(1, 0, mask_itself, NULL);
	runtime_run(2, FIBER_TEST_MIGRATE, mask_itself, NULL);
}

static void clean_up(void)
{
	int before = fiber_cancel_mask(1);

	CHECK_EQ(fiber_sleep(1000), 0);
	fiber_cancel_mask(before);
}

static int nest(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_cancel(fiber_self(), 3), 0);
	clean_up();
	CHECK_EQ(fiber_sleep(0), -ECANCELED);
	CHECK_EQ(fiber_cancel_mask(1), 0);
	CHECK_EQ(fiber_cancel_mask(1), 1);
	clean_up();
	/* It is as it was before. */
	CHECK_EQ(fiber_sleep(1000), 0);
	CHECK_EQ(fiber_cancel_mask(0), 1);
	CHECK_EQ(fiber_cancel_mask(0), 0);
	CHECK_EQ(fiber_sleep(0), -ECANCELED);
	return 0;
}

static void returns_what_was_set(void)
{
	runtime_run(1, 0, nest, NULL);
}

/* Cancelled while it waits, it waits on. */
static int wait_masked(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_cancel_mask(1), 0);
	atomic_store(&ready, 1);
	while (!atomic_load(&gate))
		CHECK_EQ(fiber_sleep(RUNTIME_MS), 0);
	CHECK_EQ(fiber_cancelled(), 8);
	CHECK_EQ(fiber_cancel_mask(0), 1);
	CHECK_EQ(fiber_sleep(FIBER_FOREVER), -ECANCELED);
	return 42;
}

static int sleep_masked(void *deadline)
{
	CHECK_EQ(fiber_cancel_mask(1), 0);
	atomic_store(&ready, 1);
	CHECK_EQ(fiber_sleep_until(*(const int64_t *)deadline), 0);
	CHECK(fiber_now() >= *(const int64_t *)deadline);
	return 43;
}

static int join_masked(void *fiber)
{
	CHECK_EQ(fiber_cancel_mask(1), 0);
	atomic_store(&ready, 1);
	CHECK_EQ(runtime_join(fiber), 42);
	return 44;
}

static struct fiber *spawn_and_cancel(int (*fn)(void *), void *arg)
{
	struct fiber *fiber;
	int err;

	atomic_store(&ready, 0);
	fiber = runtime_spawn(fn, arg);
	runtime_await(&ready, 1);
	CHECK_EQ(fiber_sleep(RUNTIME_MS), 0);
	err = fiber_cancel(fiber, 8);
	/* Or the one with a deadline is past it. */
	CHECK(err == 0 || (err == -ESRCH && fn == sleep_masked));
	return fiber;
}

static int cancel_those_who_wait(void *arg)
{
	int64_t deadline = fiber_after(20 * RUNTIME_MS);
	struct fiber *waiting, *sleeping, *joining;

	(void)arg;
	atomic_store(&gate, 0);
	waiting = spawn_and_cancel(wait_masked, NULL);
	sleeping = spawn_and_cancel(sleep_masked, &deadline);
	joining = spawn_and_cancel(join_masked, fiber_get(waiting));
	CHECK_EQ(runtime_join(sleeping), 43);
	atomic_store(&gate, 1);
	CHECK_EQ(runtime_join(waiting), 42);
	CHECK_EQ(runtime_join(joining), 44);
	return 0;
}

static void who_waits_is_not_woken(void)
{
	runtime_run(1, 0, cancel_those_who_wait, NULL);
	runtime_run(2, 0, cancel_those_who_wait, NULL);
}

static int end_masked(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_cancel_mask(1), 0);
	return 0;
}

static int see_mask(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_cancel_mask(0), 0);
	return 0;
}

static int spawn_after_masked(void *arg)
{
	int i;

	(void)arg;
	CHECK_EQ(fiber_cancel_mask(1), 0);
	for (i = 0; i < 20; i++) {
		CHECK_EQ(runtime_join(runtime_spawn(end_masked, NULL)), 0);
		CHECK_EQ(runtime_join(runtime_spawn(see_mask, NULL)), 0);
	}
	return 0;
}

static void is_of_one_fiber(void)
{
	runtime_run(1, 0, spawn_after_masked, NULL);
}

static void threads_have_none(void)
{
	CHECK_EQ(fiber_cancel_mask(1), 0);
	CHECK_EQ(fiber_cancel_mask(1), 0);
	runtime_start(1, 0);
	CHECK_EQ(fiber_cancel_mask(1), 0);
	CHECK_EQ(fiber_cancel_mask(0), 0);
	runtime_stop();
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(calls_work),
		TEST(returns_what_was_set),
		TEST(who_waits_is_not_woken),
		TEST(is_of_one_fiber),
		TEST(threads_have_none),
	};

	return RUN(argc, argv, tests);
}
