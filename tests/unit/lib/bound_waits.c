// SPDX-License-Identifier: MIT
/*
 * Bound fibers wait and wake as others do, with others and among themselves.
 */
#include <errno.h>
#include <fiber/cancel.h>
#include <fiber/chan.h>
#include <fiber/deadline.h>
#include <fiber/scope.h>
#include <fiber/select.h>
#include <fiber/sync.h>
#include <fiber/time.h>

#include "harness.h"
#include "runtime.h"

#define ROUNDS RUNTIME_TIMES(2000)
#define HOUR (3600 * RUNTIME_SECOND)

static struct fiber_chan *there, *back;
static atomic_int sum;
static atomic_int waiting;

static struct fiber *spawn(int (*fn)(void *), void *arg, unsigned int flags)
{
	struct fiber_attr attr = { .size = sizeof(attr), .flags = flags };
	struct fiber *f = NULL;

	CHECK_EQ(fiber_spawn(&f, fn, arg, &attr), 0);
	return f;
}

static int echo(void *arg)
{
	int value;

	(void)arg;
	while (!fiber_recv(there, &value))
		CHECK_EQ(fiber_send(back, &value), 0);
	return 0;
}

static int call(void *arg)
{
	int value;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		CHECK_EQ(fiber_send(there, &i), 0);
		CHECK_EQ(fiber_recv(back, &value), 0);
		CHECK_EQ(value, i);
	}
	CHECK_EQ(fiber_chan_close(there), 0);
	return !!arg;
}

static void ping_pong(unsigned int a, unsigned int b)
{
	struct fiber *one, *two;

	CHECK_EQ(fiber_chan_new(&there, sizeof(int), 0, NULL), 0);
	CHECK_EQ(fiber_chan_new(&back, sizeof(int), 0, NULL), 0);
	one = spawn(echo, NULL, a);
	two = spawn(call, NULL, b);
	CHECK_EQ(runtime_join(one), 0);
	CHECK_EQ(runtime_join(two), 0);
	fiber_chan_put(there);
	fiber_chan_put(back);
}

static int all_pairs(void *arg)
{
	(void)arg;
	ping_pong(FIBER_BOUND, FIBER_BOUND);
	ping_pong(FIBER_BOUND, 0);
	ping_pong(0, FIBER_BOUND);
	return 0;
}

static void in_channels(void)
{
	runtime_run(1, 0, all_pairs, NULL);
	runtime_run(2, 0, all_pairs, NULL);
	runtime_run(2, FIBER_TEST_MIGRATE, all_pairs, NULL);
}

static int wait_for_ever(void *arg)
{
	struct fiber_case cases[2] = {
		{ .chan = there, .op = FIBER_RECV },
		{ .chan = back, .op = FIBER_RECV },
	};
	int err;

	atomic_fetch_add(&waiting, 1);
	err = arg ? fiber_select(cases, 2, 0) : fiber_recv(there, NULL);
	CHECK_EQ(err, -ECANCELED);
	CHECK_EQ(fiber_sleep(HOUR), -ECANCELED);
	CHECK_EQ(fiber_cancelled(), 9);
	CHECK_EQ(fiber_cancel_mask(1), 0);
	CHECK_EQ(fiber_sleep(1000), 0);
	CHECK_EQ(fiber_cancel_mask(0), 1);
	CHECK_EQ(fiber_sleep(HOUR), -ECANCELED);
	return 4;
}

static int cancel_them(void *arg)
{
	int i;

	(void)arg;
	CHECK_EQ(fiber_chan_new(&there, 0, 0, NULL), 0);
	CHECK_EQ(fiber_chan_new(&back, 0, 0, NULL), 0);
	for (i = 0; i < 50; i++) {
		struct fiber *f = spawn(wait_for_ever, i % 2 ? &waiting : NULL,
					FIBER_BOUND);

		/* At any point of its life. */
		if (i % 3 == 0)
			runtime_await(&waiting, i + 1);
		if (i % 5 == 0)
			CHECK_EQ(fiber_sleep(100000), 0);
		CHECK_EQ(fiber_cancel(f, 9), 0);
		CHECK_EQ(runtime_join(f), 4);
	}
	fiber_chan_put(there);
	fiber_chan_put(back);
	return 0;
}

static void until_they_are_cancelled(void)
{
	atomic_store(&waiting, 0);
	runtime_run(2, 0, cancel_them, NULL);
}

static int keep_deadlines(void *arg)
{
	struct fiber_timer *timer;
	int64_t start = fiber_now();
	int64_t before;
	int64_t t;

	(void)arg;
	CHECK_EQ(fiber_recv_until(there, NULL, fiber_after(RUNTIME_MS)),
		 -ETIMEDOUT);
	before = fiber_deadline_push(fiber_after(2 * RUNTIME_MS));
	CHECK_EQ(fiber_recv(there, NULL), -ETIMEDOUT);
	fiber_deadline_pop(before);
	CHECK(fiber_now() >= start + 3 * RUNTIME_MS);
	CHECK_EQ(fiber_sleep(RUNTIME_MS), 0);
	CHECK_EQ(fiber_timer_new(&timer, fiber_after(RUNTIME_MS), 0), 0);
	CHECK_EQ(fiber_recv(fiber_timer_chan(timer), &t), 0);
	fiber_timer_free(timer);
	CHECK(fiber_now() >= start + 5 * RUNTIME_MS);
	return 0;
}

static int deadlines(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_chan_new(&there, 0, 0, NULL), 0);
	CHECK_EQ(runtime_join(spawn(keep_deadlines, NULL, FIBER_BOUND)), 0);
	fiber_chan_put(there);
	return 0;
}

static void until_deadlines(void)
{
	runtime_run(1, 0, deadlines, NULL);
	runtime_run(2, FIBER_TEST_CLOCK, deadlines, NULL);
}

/* While one computes, no time passes. */
static int compute_in_virtual_time(void *arg)
{
	int i;

	for (i = 0; i < 20; i++) {
		int64_t start = fiber_now();

		runtime_burn(2 * RUNTIME_MS);
		CHECK_EQ(fiber_now(), start);
		CHECK_EQ(fiber_sleep(HOUR), 0);
		CHECK(fiber_now() >= start + HOUR);
	}
	return !!arg;
}

static int virtual_time(void *arg)
{
	struct fiber *one = spawn(compute_in_virtual_time, NULL, FIBER_BOUND);
	struct fiber *two = spawn(compute_in_virtual_time, NULL, FIBER_BOUND);

	(void)arg;
	CHECK_EQ(runtime_join(one), 0);
	CHECK_EQ(runtime_join(two), 0);
	CHECK(fiber_now() >= 20 * HOUR);
	CHECK(fiber_now() <= 40 * HOUR);
	return 0;
}

static void and_virtual_time_waits_for_them(void)
{
	runtime_run(1, FIBER_TEST_CLOCK, virtual_time, NULL);
	runtime_run(3, FIBER_TEST_CLOCK, virtual_time, NULL);
}

static struct fiber_mutex mutex = FIBER_MUTEX_INIT;
static struct fiber_cond cond = FIBER_COND_INIT;
static int turn;

static int take_turns(void *arg)
{
	int me = (int)(intptr_t)arg;
	int i;

	for (i = 0; i < ROUNDS / 10; i++) {
		CHECK_EQ(fiber_mutex_lock(&mutex), 0);
		while (turn % 4 != me)
			CHECK_EQ(fiber_cond_wait(&cond, &mutex), 0);
		turn++;
		CHECK_EQ(fiber_cond_broadcast(&cond), 0);
		CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
	}
	return 0;
}

static int locks(void *arg)
{
	struct fiber *fibers[4];
	int i;

	(void)arg;
	turn = 0;
	for (i = 0; i < 4; i++)
		fibers[i] = spawn(take_turns, (void *)(intptr_t)i,
				  i % 2 ? FIBER_BOUND : 0);
	for (i = 0; i < 4; i++)
		CHECK_EQ(runtime_join(fibers[i]), 0);
	CHECK_EQ(turn, 4 * (ROUNDS / 10));
	return 0;
}

static void for_locks_and_conditions(void)
{
	runtime_run(1, 0, locks, NULL);
	runtime_run(2, 0, locks, NULL);
}

static int add_one(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_sleep(1000), 0);
	atomic_fetch_add(&sum, 1);
	return 0;
}

static int own_scope(void *arg)
{
	struct fiber_attr attr = { .size = sizeof(attr), .flags = FIBER_BOUND };
	struct fiber_scope *scope;
	int i;

	(void)arg;
	CHECK_EQ(fiber_scope_new(&scope, NULL), 0);
	for (i = 0; i < 10; i++)
		CHECK_EQ(fiber_scope_spawn(scope, NULL, add_one, NULL,
					   i % 2 ? &attr : NULL),
			 0);
	CHECK_EQ(fiber_scope_wait(scope), 0);
	CHECK_EQ(atomic_load(&sum), 10);
	CHECK_EQ(fiber_scope_cancel(scope, 1), 0);
	CHECK_EQ(fiber_scope_spawn(scope, NULL, add_one, NULL, &attr),
		 -ECANCELED);
	fiber_scope_free(scope);
	return 0;
}

static int scopes(void *arg)
{
	(void)arg;
	atomic_store(&sum, 0);
	CHECK_EQ(runtime_join(spawn(own_scope, NULL, FIBER_BOUND)), 0);
	return 0;
}

static void in_scopes_and_with_scopes(void)
{
	runtime_run(2, 0, scopes, NULL);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(in_channels),
		TEST(until_they_are_cancelled),
		TEST(until_deadlines),
		TEST(and_virtual_time_waits_for_them),
		TEST(for_locks_and_conditions),
		TEST(in_scopes_and_with_scopes),
	};

	return RUN(argc, argv, tests);
}
