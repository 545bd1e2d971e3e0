// SPDX-License-Identifier: MIT
/*
 * When the first fiber returns the others are cancelled and have time to end,
 * and the runtime stops when they have.
 */
#include <errno.h>

#include "harness.h"
#include "runtime.h"

#define FIBERS 100

static atomic_int ready;
static atomic_int ended;
static atomic_int made;
static struct fiber_chan *chan;

static int wait_in_sleep(void *arg)
{
	(void)arg;
	atomic_fetch_add(&ready, 1);
	CHECK_EQ(fiber_sleep(FIBER_FOREVER), -ECANCELED);
	CHECK(fiber_cancelled() > 0);
	CHECK_EQ(fiber_sleep(FIBER_FOREVER), -ECANCELED);
	atomic_fetch_add(&ended, 1);
	return 0;
}

static int wait_in_receive(void *arg)
{
	(void)arg;
	atomic_fetch_add(&ready, 1);
	CHECK_EQ(fiber_recv(chan, NULL), -ECANCELED);
	atomic_fetch_add(&ended, 1);
	return 0;
}

static int wait_in_yield(void *arg)
{
	(void)arg;
	atomic_fetch_add(&ready, 1);
	while (!fiber_cancelled())
		fiber_yield();
	atomic_fetch_add(&ended, 1);
	return 0;
}

static int wait_in_join(void *arg)
{
	struct fiber *fiber = runtime_spawn(wait_in_sleep, arg);
	int err;

	atomic_fetch_add(&ready, 1);
	err = fiber_join(fiber, NULL);
	/* Or that one was cancelled first, and has ended. */
	CHECK(err == -ECANCELED || err == 0);
	if (err)
		fiber_put(fiber);
	atomic_fetch_add(&ended, 1);
	return 0;
}

/* Its deferred work takes longer than an instant. */
static int wait_and_clean_up(void *arg)
{
	(void)arg;
	atomic_fetch_add(&ready, 1);
	CHECK_EQ(fiber_sleep(FIBER_FOREVER), -ECANCELED);
	CHECK_EQ(fiber_cancel_mask(1), 0);
	CHECK_EQ(fiber_sleep(20 * RUNTIME_MS), 0);
	atomic_fetch_add(&ended, 1);
	return 0;
}

static int leave_all(void *arg)
{
	static int (*const fns[])(void *) = { wait_in_sleep, wait_in_receive,
					      wait_in_yield, wait_in_join,
					      wait_and_clean_up };
	int i;

	(void)arg;
	for (i = 0; i < FIBERS; i++)
		fiber_put(runtime_spawn(fns[i % 5], NULL));
	/* One in five has one of its own. */
	runtime_await(&ready, FIBERS + FIBERS / 5);
	CHECK_EQ(fiber_cancelled(), 0);
	return 12;
}

static void run_with_grace(unsigned int workers, int64_t grace_ns)
{
	struct fiber_config config = { .size = sizeof(config),
				       .workers = workers,
				       .grace_ns = grace_ns };

	atomic_store(&ready, 0);
	atomic_store(&ended, 0);
	CHECK_EQ(fiber_chan_new(&chan, 0, 0, NULL), 0);
	CHECK_EQ(fiber_run(leave_all, NULL, &config), 12);
	CHECK_EQ(atomic_load(&ended), FIBERS + FIBERS / 5);
	fiber_chan_put(chan);
}

static void whatever_they_wait_in(void)
{
	run_with_grace(1, 20 * RUNTIME_SECOND);
	run_with_grace(2, 20 * RUNTIME_SECOND);
	run_with_grace(4, 20 * RUNTIME_SECOND);
}

static void no_longer_than_they_need(void)
{
	run_with_grace(2, FIBER_FOREVER);
}

static int end_late(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_sleep(FIBER_FOREVER), -ECANCELED);
	CHECK(fiber_cancelled() > 0);
	atomic_fetch_add(&ended, 1);
	return 0;
}

static int leave_unstarted(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < FIBERS; i++)
		fiber_put(runtime_spawn(end_late, NULL));
	return 0;
}

static void those_that_have_not_started(void)
{
	runtime_run(1, 0, leave_unstarted, NULL);
	CHECK_EQ(atomic_load(&ended), FIBERS);
}

static void nothing(void *arg)
{
	(void)arg;
}

static int spawn_cancelled(void *arg)
{
	struct fiber *fiber;

	(void)arg;
	atomic_fetch_add(&ready, 1);
	CHECK_EQ(fiber_sleep(FIBER_FOREVER), -ECANCELED);
	CHECK_EQ(fiber_spawn(&fiber, spawn_cancelled, NULL, NULL), -EPERM);
	CHECK_EQ(fiber_go(nothing, NULL), -EPERM);
	atomic_fetch_add(&ended, 1);
	return 0;
}

static int leave_one_that_spawns(void *arg)
{
	(void)arg;
	fiber_put(runtime_spawn(spawn_cancelled, NULL));
	runtime_await(&ready, 1);
	return 0;
}

static void no_new_ones_then(void)
{
	runtime_run(2, 0, leave_one_that_spawns, NULL);
	CHECK_EQ(atomic_load(&ended), 1);
}

/* They make others as fast as they can, until they may not. */
static int spawn_until_refused(void *arg)
{
	struct fiber *fiber;
	int err;

	(void)arg;
	atomic_fetch_add(&ready, 1);
	while ((err = fiber_spawn(&fiber, end_late, NULL, NULL)) == 0) {
		atomic_fetch_add(&made, 1);
		fiber_put(fiber);
		fiber_yield();
	}
	CHECK_EQ(err, -EPERM);
	return 0;
}

static int leave_those_that_spawn(void *turns)
{
	int i;

	for (i = 0; i < 4; i++)
		fiber_put(runtime_spawn(spawn_until_refused, NULL));
	runtime_await(&ready, 4);
	for (i = 0; i < (int)(intptr_t)turns; i++)
		fiber_yield();
	return 0;
}

static void whoever_was_made_before_the_last_moment(void)
{
	intptr_t i;

	for (i = 0; i < RUNTIME_TIMES(40); i++) {
		atomic_store(&ready, 0);
		atomic_store(&ended, 0);
		atomic_store(&made, 0);
		runtime_run(1 + i % 4, 0, leave_those_that_spawn, (void *)i);
		CHECK_EQ(atomic_load(&ended), atomic_load(&made));
	}
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(whatever_they_wait_in),
		TEST(no_longer_than_they_need),
		TEST(those_that_have_not_started),
		TEST(no_new_ones_then),
		TEST(whoever_was_made_before_the_last_moment),
	};

	return RUN(argc, argv, tests);
}
