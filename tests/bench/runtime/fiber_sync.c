// SPDX-License-Identifier: MIT
/*
 * Mutexes: by one, by many who want it all the time, and handed over.
 */
#include "fiber_bench.h"

#define CROWD 4

static struct fiber_mutex mutex = FIBER_MUTEX_INIT;
static long trips, counter;

static void mutex_uncontended(void)
{
	long n = bench_scaled(20000000);
	int64_t t = 0;

	for (long i = -1000; i < n; i++) {
		if (!i)
			t = bench_now();
		must(fiber_mutex_lock(&mutex));
		must(fiber_mutex_unlock(&mutex));
	}
	bench_print("mutex_uncontended", (double)(bench_now() - t) / n, "ns");
}

static int count(void *arg)
{
	(void)arg;
	for (long i = 0; i < trips; i++) {
		must(fiber_mutex_lock(&mutex));
		counter++;
		must(fiber_mutex_unlock(&mutex));
	}
	return 0;
}

/* The others wait for it when it is unlocked. */
static int hold_and_yield(void *arg)
{
	(void)arg;
	for (long i = 0; i < trips; i++) {
		must(fiber_mutex_lock(&mutex));
		counter++;
		fiber_yield();
		must(fiber_mutex_unlock(&mutex));
	}
	return 0;
}

static void crowd(const char *name, int (*fn)(void *), int fibers, long n)
{
	struct fiber *of[CROWD];
	int64_t t = bench_now();

	trips = n / fibers;
	for (int i = 0; i < fibers; i++)
		of[i] = bench_spawn(fn, NULL);
	for (int i = 0; i < fibers; i++)
		must(fiber_join(of[i], NULL));
	t = bench_now() - t;
	if (counter != trips * fibers)
		bench_die("two had the mutex at once");
	bench_print(name, (double)t / counter, "ns");
}

static void mutex_contended(void)
{
	crowd("mutex_contended", count, CROWD, bench_scaled(10000000));
}

static void mutex_handoff(void)
{
	crowd("mutex_handoff", hold_and_yield, 2, bench_scaled(2000000));
}

const struct bench_row fiber_sync_rows[] = {
	{ "mutex_uncontended", mutex_uncontended },
	{ "mutex_contended", mutex_contended },
	{ "mutex_handoff", mutex_handoff },
	{ NULL, NULL },
};
