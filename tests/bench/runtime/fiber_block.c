// SPDX-License-Identifier: MIT
/*
 * Fibers that block their threads, or compute, beside others.
 */
#include <unistd.h>
#include "fiber_bench.h"

#define BLOCKERS 64
#define NAPS 200
#define ALONE_NS INT64_C(500000000)

static _Atomic int stop;
static _Atomic long units; /* of computing */

static int compute(void *arg)
{
	volatile uint32_t x = 1;

	while (!stop) {
		for (int i = 0; i < 20000; i++)
			x = x * 1664525 + 1013904223;
		units++;
	}
	return !!arg;
}

static void start_hogs(void)
{
	for (int i = 0; i < bench_workers; i++)
		bench_spawn(compute, NULL);
}

static int nap(void *arg)
{
	for (int i = 0; i < NAPS; i++)
		usleep(5000);
	return !!arg;
}

/*
 * As many as there are workers compute, and 64 sleep 200 times for 5 ms each in
 * the kernel, of which the library is told nothing: how long that takes, ideally
 * a second, and what part of its speed is left to the computation.
 */
static void storm(void)
{
	struct fiber *fibers[BLOCKERS];
	double alone, beside;
	int64_t t;
	long n;

	start_hogs();
	bench_sleep(20000000);
	n = units;
	t = bench_now();
	bench_sleep(ALONE_NS);
	alone = (double)(units - n) / (bench_now() - t);
	n = units;
	t = bench_now();
	for (int i = 0; i < BLOCKERS; i++)
		fibers[i] = bench_spawn(nap, NULL);
	for (int i = 0; i < BLOCKERS; i++)
		must(fiber_join(fibers[i], NULL));
	t = bench_now() - t;
	beside = (double)(units - n) / t;
	bench_print("storm_total", t / 1e6, "ms");
	bench_print("storm_compute", 100 * beside / alone, "%");
	bench_print("storm_threads", bench_status().threads, "");
}

/* A fiber sleeps, and every worker computes and never calls the library. */
static void sleep1ms_hogs(void)
{
	long n = bench_scaled(300);
	double *ms = bench_alloc(n, sizeof(*ms));
	int64_t t;

	start_hogs();
	must(fiber_sleep(50000000));
	for (long i = 0; i < n; i++) {
		t = bench_now();
		must(fiber_sleep(1000000));
		ms[i] = (bench_now() - t - 1000000) / 1e6;
	}
	bench_print("sleep1ms_hogs", bench_quantile(ms, n, 0.5), "ms");
	bench_print("sleep1ms_hogs_max", ms[n - 1], "ms");
}

const struct bench_row fiber_block_rows[] = {
	{ "storm", storm },
	{ "sleep1ms_hogs", sleep1ms_hogs },
	{ NULL, NULL },
};
