// SPDX-License-Identifier: MIT
/*
 * Who gets a turn, beside 100 fibers that do nothing but yield.
 */
#include <stdatomic.h>
#include "fiber_bench.h"

#define YIELDERS 100

/* A cache line each: counting is not to be what is measured. */
static struct {
	_Alignas(64) atomic_long turns;
} yielders[YIELDERS];

static void yielder(void *arg)
{
	atomic_long *turns = arg;

	for (long i = 1;; i++) {
		atomic_store_explicit(turns, i, memory_order_relaxed);
		fiber_yield();
	}
}

static void begin(void)
{
	for (int i = 0; i < YIELDERS; i++)
		must(fiber_go(yielder, &yielders[i].turns));
	must(fiber_sleep(20 * 1000000));
}

static long turns(int i)
{
	return atomic_load_explicit(&yielders[i].turns, memory_order_relaxed);
}

static long all_turns(void)
{
	long sum = 0;

	for (int i = 0; i < YIELDERS; i++)
		sum += turns(i);
	return sum;
}

/* Of the turns within half a second: the least that one got by the most. */
static void fairness(void)
{
	long before[YIELDERS], least = 0, most = 0, share;

	begin();
	for (int i = 0; i < YIELDERS; i++)
		before[i] = turns(i);
	must(fiber_sleep(500 * 1000000));
	for (int i = 0; i < YIELDERS; i++) {
		share = turns(i) - before[i];
		if (!i || share < least)
			least = share;
		if (share > most)
			most = share;
	}
	bench_print("fairness", most ? (double)least / most : 0, "min/max");
}

static atomic_int ran;
static int64_t ran_at;
static long ran_turns;

static void fresh(void *arg)
{
	(void)arg;
	ran_at = bench_now();
	ran_turns = all_turns();
	atomic_store_explicit(&ran, 1, memory_order_release);
}

/*
 * A new fiber, made by one that goes on by yielding as the others do: the time
 * until it runs, and how many turns they have before.
 */
static void starved_fresh(void)
{
	long n = bench_scaled(2000), before;
	double *ns = bench_alloc(n, sizeof(*ns));
	double *waited = bench_alloc(n, sizeof(*waited));
	int64_t t;

	begin();
	for (long i = 0; i < n; i++) {
		atomic_store_explicit(&ran, 0, memory_order_relaxed);
		before = all_turns();
		t = bench_now();
		must(fiber_go(fresh, NULL));
		while (!atomic_load_explicit(&ran, memory_order_acquire))
			fiber_yield();
		ns[i] = ran_at - t;
		waited[i] = ran_turns - before;
	}
	bench_print("starved_fresh", bench_quantile(ns, n, 0.5), "ns");
	bench_print("starved_fresh_turns", bench_quantile(waited, n, 0.5),
		    "turns");
	bench_print("starved_fresh_turns_max", waited[n - 1], "turns");
}

const struct bench_row fiber_fair_rows[] = {
	{ "fairness", fairness },
	{ "starved_fresh", starved_fresh },
	{ NULL, NULL },
};
