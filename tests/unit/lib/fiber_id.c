// SPDX-License-Identifier: MIT
/*
 * No two fibers of a process have the same number, however many there were.
 */
#include <pthread.h>
#include <stdlib.h>

#include "harness.h"
#include "runtime.h"

#define IDS RUNTIME_TIMES(200000)
#define THREADS 4

static uint64_t ids[IDS];
static int nr_ids;

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void check_all_differ(void)
{
	int i;

	qsort(ids, nr_ids, sizeof(ids[0]), compare);
	CHECK(ids[0] != 0);
	for (i = 1; i < nr_ids; i++)
		CHECK(ids[i] != ids[i - 1]);
}

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

/* In batches, so that some are alive together and some are not. */
static int collect(void *arg)
{
	struct fiber *fibers[100];
	int i;

	(void)arg;
	ids[nr_ids++] = fiber_id(fiber_self());
	while (nr_ids < IDS / 2) {
		for (i = 0; i < 100; i++) {
			fibers[i] = runtime_spawn(nothing, NULL);
			ids[nr_ids++] = fiber_id(fibers[i]);
		}
		for (i = 0; i < 100; i++)
			CHECK_EQ(runtime_join(fibers[i]), 0);
	}
	return 0;
}

static void are_never_used_again(void)
{
	runtime_run(1, 0, collect, NULL);
	check_all_differ();
}

static int collect_a_few(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < 100; i++) {
		struct fiber *fiber = runtime_spawn(nothing, NULL);

		ids[nr_ids++] = fiber_id(fiber);
		CHECK_EQ(runtime_join(fiber), 0);
	}
	return 0;
}

static void not_by_another_runtime_of_the_process(void)
{
	int i;

	for (i = 0; i < 10; i++)
		runtime_run(1 + i % 2, 0, collect_a_few, NULL);
	check_all_differ();
}

static void *collect_in_thread(void *arg)
{
	uint64_t *part = arg;
	int i;

	for (i = 0; i < IDS / THREADS / 10; i++) {
		struct fiber *fiber = runtime_spawn(nothing, NULL);

		part[i] = fiber_id(fiber);
		CHECK_EQ(runtime_join(fiber), 0);
	}
	return NULL;
}

static void many_spawn_at_once(void)
{
	pthread_t threads[THREADS];
	int i;

	runtime_start(2, 0);
	for (i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, collect_in_thread,
					&ids[nr_ids + IDS / THREADS / 10 * i]),
			 0);
	for (i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	nr_ids = IDS / THREADS / 10 * THREADS;
	check_all_differ();
	runtime_stop();
}

static int report_own(void *id)
{
	*(uint64_t *)id = fiber_id(fiber_self());
	fiber_yield();
	CHECK_EQ(fiber_id(fiber_self()), *(uint64_t *)id);
	return 0;
}

static int compare_inside_and_outside(void *arg)
{
	uint64_t inside = 0;
	struct fiber *fiber = runtime_spawn(report_own, &inside);
	uint64_t outside = fiber_id(fiber);

	(void)arg;
	CHECK_EQ(runtime_join(fiber), 0);
	CHECK_EQ(inside, outside);
	return 0;
}

static void same_from_inside_and_outside(void)
{
	runtime_run(2, FIBER_TEST_MIGRATE, compare_inside_and_outside, NULL);
}

static void nobody_has_0(void)
{
	CHECK_EQ(fiber_id(NULL), 0);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(are_never_used_again),
		TEST(not_by_another_runtime_of_the_process),
		TEST(many_spawn_at_once),
		TEST(same_from_inside_and_outside),
		TEST(nobody_has_0),
	};

	return RUN(argc, argv, tests);
}
