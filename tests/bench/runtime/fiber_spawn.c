// SPDX-License-Identifier: MIT
/*
 * Yielding, and fibers that begin and end.
 */
#include "fiber_bench.h"

#define FIBERS 1000

static struct fiber *fibers[FIBERS];
static long yields;

static int yielder(void *arg)
{
	(void)arg;
	for (long i = 0; i < yields; i++)
		fiber_yield();
	return 0;
}

static void spawn_all(int n, int (*fn)(void *))
{
	for (int i = 0; i < n; i++)
		fibers[i] = bench_spawn(fn, NULL);
}

static void join_all(int n)
{
	for (int i = 0; i < n; i++)
		must(fiber_join(fibers[i], NULL));
}

/* n fibers that do nothing else, until the last one has ended. */
static double yield_ns(int n)
{
	int64_t t;

	yields = 10; /* for warm stacks */
	spawn_all(n, yielder);
	join_all(n);
	yields = bench_scaled(4000000 / n);
	t = bench_now();
	spawn_all(n, yielder);
	join_all(n);
	return (double)(bench_now() - t) / ((double)yields * n);
}

static void yield2(void)
{
	bench_print("yield2", yield_ns(2), "ns");
}

static void yield1000(void)
{
	bench_print("yield1000", yield_ns(FIBERS), "ns");
}

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

/* One after the other, each waited for. */
static void spawn_join(void)
{
	long n = bench_scaled(1000000);
	int64_t t = 0;

	for (long i = -1000; i < n; i++) {
		if (!i)
			t = bench_now();
		must(fiber_join(bench_spawn(nothing, NULL), NULL));
	}
	bench_print("spawn_join", (double)(bench_now() - t) / n, "ns");
}

/* 1000, and then all of them waited for. */
static void spawn_batch1000(void)
{
	long n = bench_scaled(1000);
	int64_t t = 0;

	for (long i = -1; i < n; i++) {
		if (!i)
			t = bench_now();
		spawn_all(FIBERS, nothing);
		join_all(FIBERS);
	}
	bench_print("spawn_batch1000",
		    (double)(bench_now() - t) / ((double)n * FIBERS), "ns");
}

static int fib_alone(int n)
{
	return n < 2 ? n : fib_alone(n - 1) + fib_alone(n - 2);
}

/* One half is a new fiber's, the other one's own; from 10 down it is a call. */
static int fib(void *arg)
{
	int n = (int)(intptr_t)arg;
	struct fiber *other;
	int sum, result;

	if (n <= 10)
		return fib_alone(n);
	other = bench_spawn(fib, (void *)(intptr_t)(n - 1));
	sum = fib((void *)(intptr_t)(n - 2));
	must(fiber_join(other, &result));
	return sum + result;
}

static void fib35_cut10(void)
{
	int64_t t = bench_now();

	if (fib((void *)(intptr_t)35) != 9227465)
		bench_die("fib(35) came out wrong");
	bench_print("fib35_cut10", (bench_now() - t) / 1e6, "ms");
}

const struct bench_row fiber_spawn_rows[] = {
	{ "yield2", yield2 },		{ "yield1000", yield1000 },
	{ "spawn_join", spawn_join },	{ "spawn_batch1000", spawn_batch1000 },
	{ "fib35_cut10", fib35_cut10 }, { NULL, NULL },
};
