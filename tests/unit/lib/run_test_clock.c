// SPDX-License-Identifier: MIT
/*
 * FIBER_TEST_CLOCK: time stands still while anybody does something, and then
 * jumps to where somebody waits for. Hours pass in an instant, and exactly.
 */
#include <errno.h>
#include <unistd.h>

#include "harness.h"
#include "runtime.h"

#define FIBERS 100
#define HOUR (3600 * RUNTIME_SECOND)

static atomic_int order;
static atomic_int woken;

static int sleep_for_hours(void *arg)
{
	int i;

	(void)arg;
	CHECK_EQ(fiber_now(), 0);
	for (i = 1; i <= 100; i++) {
		CHECK_EQ(fiber_sleep(HOUR), 0);
		CHECK_EQ(fiber_now(), i * HOUR);
		CHECK_EQ(fiber_after(5), i * HOUR + 5);
	}
	CHECK_EQ(fiber_sleep_until(1000 * HOUR + 1), 0);
	CHECK_EQ(fiber_now(), 1000 * HOUR + 1);
	/* What has passed is over at once. */
	CHECK_EQ(fiber_sleep_until(HOUR), 0);
	CHECK_EQ(fiber_sleep(0), 0);
	CHECK_EQ(fiber_sleep(-HOUR), 0);
	CHECK_EQ(fiber_now(), 1000 * HOUR + 1);
	return 0;
}

static void jumps_to_where_somebody_waits_for(void)
{
	runtime_run(1, FIBER_TEST_CLOCK, sleep_for_hours, NULL);
	runtime_run(2, FIBER_TEST_CLOCK, sleep_for_hours, NULL);
	runtime_run(2, FIBER_TEST_CLOCK | FIBER_TEST_MIGRATE, sleep_for_hours,
		    NULL);
}

/* The nth that wakes is the one of the nth deadline. */
static int wake_in_order(void *arg)
{
	int nr = (int)(intptr_t)arg;

	CHECK_EQ(fiber_sleep_until((nr + 1) * RUNTIME_SECOND), 0);
	CHECK_EQ(fiber_now(), (nr + 1) * RUNTIME_SECOND);
	CHECK_EQ(atomic_fetch_add(&order, 1), nr);
	return 0;
}

static int sleep_in_any_order(void *arg)
{
	struct fiber *fibers[FIBERS];
	int i;

	(void)arg;
	atomic_store(&order, 0);
	/* 37 and 100 have no common divisor: each comes once. */
	for (i = 0; i < FIBERS; i++)
		fibers[i] = runtime_spawn(wake_in_order,
					  (void *)(intptr_t)(i * 37 % FIBERS));
	for (i = 0; i < FIBERS; i++)
		CHECK_EQ(runtime_join(fibers[i]), 0);
	CHECK_EQ(fiber_now(), FIBERS * RUNTIME_SECOND);
	return 0;
}

static void one_deadline_after_another(void)
{
	runtime_run(1, FIBER_TEST_CLOCK, sleep_in_any_order, NULL);
	runtime_run(4, FIBER_TEST_CLOCK, sleep_in_any_order, NULL);
}

static int sleep_an_hour(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_sleep(HOUR), 0);
	atomic_fetch_add(&woken, 1);
	return 7;
}

static int time_out(void *arg)
{
	struct fiber *fiber = runtime_spawn(sleep_an_hour, NULL);
	struct fiber_chan *chan;
	int i, result;

	(void)arg;
	for (i = 1; i < 10; i++) {
		CHECK_EQ(fiber_join_until(fiber, NULL, i), -ETIMEDOUT);
		CHECK_EQ(fiber_now(), i);
	}
	CHECK_EQ(fiber_chan_new(&chan, 0, 0, NULL), 0);
	CHECK_EQ(fiber_recv_until(chan, NULL, 20), -ETIMEDOUT);
	CHECK_EQ(fiber_now(), 20);
	fiber_chan_put(chan);
	/* It ends first. */
	CHECK_EQ(fiber_join_until(fiber, &result, HOUR + 1), 0);
	CHECK_EQ(result, 7);
	CHECK_EQ(fiber_now(), HOUR);
	return 0;
}

static void deadlines_of_other_calls(void)
{
	runtime_run(1, FIBER_TEST_CLOCK, time_out, NULL);
	runtime_run(2, FIBER_TEST_CLOCK, time_out, NULL);
}

static int tick(void *arg)
{
	struct fiber_timer *timer;
	int64_t t;
	int i;

	(void)arg;
	CHECK_EQ(fiber_timer_new(&timer, HOUR, RUNTIME_SECOND), 0);
	for (i = 0; i < 100; i++) {
		CHECK_EQ(fiber_recv(fiber_timer_chan(timer), &t), 0);
		CHECK_EQ(t, HOUR + i * RUNTIME_SECOND);
		CHECK_EQ(fiber_now(), t);
	}
	fiber_timer_free(timer);
	return 0;
}

static void timers(void)
{
	runtime_run(1, FIBER_TEST_CLOCK, tick, NULL);
	runtime_run(2, FIBER_TEST_CLOCK, tick, NULL);
}

/* Who computes, yields, or blocks its worker, is not waiting. */
static int hold_time(void *arg)
{
	struct fiber *fiber = runtime_spawn(sleep_an_hour, NULL);
	int i;

	(void)arg;
	atomic_store(&woken, 0);
	for (i = 0; i < 1000; i++)
		fiber_yield();
	CHECK_EQ(fiber_now(), 0);
	runtime_burn(5 * RUNTIME_MS);
	CHECK_EQ(fiber_now(), 0);
	usleep(30 * 1000);
	CHECK_EQ(fiber_now(), 0);
	for (i = 0; i < 1000; i++)
		fiber_yield();
	CHECK_EQ(fiber_now(), 0);
	CHECK_EQ(atomic_load(&woken), 0);
	CHECK_EQ(runtime_join(fiber), 7);
	CHECK_EQ(fiber_now(), HOUR);
	return 0;
}

static void stands_still_while_somebody_runs(void)
{
	runtime_run(1, FIBER_TEST_CLOCK, hold_time, NULL);
	runtime_run(3, FIBER_TEST_CLOCK, hold_time, NULL);
}

static void *sleep_in_thread(void *arg)
{
	int64_t start = fiber_now();

	(void)arg;
	CHECK_EQ(fiber_sleep(HOUR), 0);
	CHECK_EQ(fiber_now(), start + HOUR);
	CHECK_EQ(runtime_join(runtime_spawn(sleep_an_hour, NULL)), 7);
	CHECK_EQ(fiber_now(), start + 2 * HOUR);
	return NULL;
}

static void threads_in_calls_count(void)
{
	runtime_start(2, FIBER_TEST_CLOCK);
	sleep_in_thread(NULL);
	runtime_in_thread(sleep_in_thread, NULL);
	CHECK_EQ(fiber_now(), 4 * HOUR);
	runtime_stop();
}

static int see_zero(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_now(), 0);
	return 0;
}

static void only_where_it_was_asked_for(void)
{
	runtime_run(1, FIBER_TEST_CLOCK, sleep_for_hours, NULL);
	CHECK(fiber_now() >= test_now() - RUNTIME_SECOND);
	runtime_start(1, 0);
	CHECK(fiber_now() >= test_now() - RUNTIME_SECOND);
	runtime_stop();
	runtime_run(1, FIBER_TEST_CLOCK, see_zero, NULL);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(jumps_to_where_somebody_waits_for),
		TEST(one_deadline_after_another),
		TEST(deadlines_of_other_calls),
		TEST(timers),
		TEST(stands_still_while_somebody_runs),
		TEST(threads_in_calls_count),
		TEST(only_where_it_was_asked_for),
	};

	return RUN(argc, argv, tests);
}
