// SPDX-License-Identifier: MIT
/*
 * FIBER_TEST_MIGRATE: a fiber that waits goes on on another thread each time.
 */
#include <unistd.h>

#include "harness.h"
#include "runtime.h"

#define TURNS 200

static void check_moved(pid_t *thread)
{
	pid_t now = gettid();

	CHECK(now != *thread);
	*thread = now;
}

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

static int move_by_yield(void *arg)
{
	pid_t thread = gettid();
	int i;

	(void)arg;
	for (i = 0; i < TURNS; i++) {
		fiber_yield();
		check_moved(&thread);
	}
	return 0;
}

/* Or the time was over before it was waited for. */
static int move_by_sleep(void *arg)
{
	pid_t thread = gettid();
	int moved = 0;
	int i;

	(void)arg;
	for (i = 0; i < TURNS / 4; i++) {
		CHECK_EQ(fiber_sleep(RUNTIME_MS / 10), 0);
		moved += gettid() != thread;
		thread = gettid();
	}
	CHECK(moved > 0);
	return 0;
}

/* Or the other has ended before it was waited for. */
static int move_by_join(void *arg)
{
	pid_t thread = gettid();
	int moved = 0;
	int i;

	(void)arg;
	for (i = 0; i < TURNS; i++) {
		CHECK_EQ(runtime_join(runtime_spawn(nothing, NULL)), 0);
		moved += gettid() != thread;
		thread = gettid();
	}
	CHECK(moved > 0);
	return 0;
}

static int move_many(void *arg)
{
	(void)arg;
	runtime_spawn_and_join(20, move_by_yield, NULL);
	runtime_spawn_and_join(20, move_by_sleep, NULL);
	runtime_spawn_and_join(20, move_by_join, NULL);
	return 0;
}

static void by_every_yield(void)
{
	runtime_run(2, FIBER_TEST_MIGRATE, move_by_yield, NULL);
	runtime_run(3, FIBER_TEST_MIGRATE, move_by_yield, NULL);
}

static void by_sleeps(void)
{
	runtime_run(2, FIBER_TEST_MIGRATE, move_by_sleep, NULL);
}

static void by_joins(void)
{
	runtime_run(2, FIBER_TEST_MIGRATE, move_by_join, NULL);
}

static void many_at_once(void)
{
	runtime_run(2, FIBER_TEST_MIGRATE, move_many, NULL);
	runtime_run(4, FIBER_TEST_MIGRATE, move_many, NULL);
}

static int stay(void *arg)
{
	pid_t thread = gettid();
	int i;

	(void)arg;
	for (i = 0; i < TURNS; i++) {
		fiber_yield();
		CHECK_EQ(gettid(), thread);
	}
	return 0;
}

static void not_where_there_is_no_choice(void)
{
	runtime_run(1, FIBER_TEST_MIGRATE, stay, NULL);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(by_every_yield),
		TEST(by_sleeps),
		TEST(by_joins),
		TEST(many_at_once),
		TEST(not_where_there_is_no_choice),
	};

	return RUN(argc, argv, tests);
}
