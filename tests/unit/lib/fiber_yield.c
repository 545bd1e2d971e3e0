// SPDX-License-Identifier: MIT
/*
 * Who yields lets the others go first, and goes on after them.
 */
#include "harness.h"
#include "runtime.h"

#define TURNS 1000

static atomic_int log_len;
static int turns[2 * TURNS];
static atomic_int started;
static atomic_int sum;

static int yield_alone(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < TURNS; i++)
		fiber_yield();
	return 0;
}

static void alone(void)
{
	runtime_run(1, 0, yield_alone, NULL);
	runtime_run(2, 0, yield_alone, NULL);
	runtime_run(2, FIBER_TEST_MIGRATE, yield_alone, NULL);
}

static int take_turns(void *who)
{
	int i;

	atomic_fetch_add(&started, 1);
	runtime_await(&started, 2);
	for (i = 0; i < TURNS; i++) {
		turns[atomic_fetch_add(&log_len, 1)] = (int)(intptr_t)who;
		fiber_yield();
	}
	return 0;
}

static int two_take_turns(void *arg)
{
	struct fiber *one = runtime_spawn(take_turns, (void *)1);
	struct fiber *two = runtime_spawn(take_turns, (void *)2);
	int i;

	(void)arg;
	CHECK_EQ(runtime_join(one), 0);
	CHECK_EQ(runtime_join(two), 0);
	CHECK_EQ(atomic_load(&log_len), 2 * TURNS);
	for (i = 1; i < 2 * TURNS; i++)
		CHECK(turns[i] != turns[i - 1]);
	return 0;
}

static void two_of_one_worker_take_turns(void)
{
	runtime_run(1, 0, two_take_turns, NULL);
}

static int add(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < TURNS / 10; i++) {
		atomic_fetch_add(&sum, 1);
		fiber_yield();
	}
	return 0;
}

static int many_add(void *arg)
{
	(void)arg;
	atomic_store(&sum, 0);
	/* More than a queue of one worker takes. */
	runtime_spawn_and_join(700, add, NULL);
	CHECK_EQ(atomic_load(&sum), 700 * (TURNS / 10));
	return 0;
}

static void none_is_lost(void)
{
	runtime_run(1, 0, many_add, NULL);
	runtime_run(2, 0, many_add, NULL);
	runtime_run(4, 0, many_add, NULL);
	runtime_run(3, FIBER_TEST_MIGRATE, many_add, NULL);
}

static void *yield_in_thread(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < TURNS; i++)
		fiber_yield();
	return NULL;
}

static void threads_may(void)
{
	yield_in_thread(NULL);
	runtime_start(1, 0);
	yield_in_thread(NULL);
	runtime_in_thread(yield_in_thread, NULL);
	runtime_stop();
	yield_in_thread(NULL);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(alone),
		TEST(two_of_one_worker_take_turns),
		TEST(none_is_lost),
		TEST(threads_may),
	};

	return RUN(argc, argv, tests);
}
