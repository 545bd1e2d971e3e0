// SPDX-License-Identifier: MIT
/*
 * More workers than CPUs, of which runtime-report gives a process but a few: the
 * same work with as many as there are takes as much of the CPU, or it is spent on
 * looking for work and on waking one another.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include "fiber_bench.h"

#define PAIRS 64
#define ROUND_TRIPS 200000
#define STEPS 1500 /* of computing in each, about a microsecond */

static long trips; /* of each pair */

static uint64_t compute(uint64_t x)
{
	for (int i = 0; i < STEPS; i++)
		x = x * 1664525 + 1013904223;
	return x;
}

/* Another program, which wants all of a CPU. */
static pid_t start_hog(void)
{
	pid_t pid = fork();

	if (pid < 0)
		bench_die("no child");
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		__asm__ volatile("");
}

struct pair {
	struct fiber_chan *there;
	struct fiber_chan *back;
};

static int answer(void *arg)
{
	struct pair *pair = arg;

	for (long i = 0; i < trips; i++)
		bench_send(pair->back, compute(bench_recv(pair->there)));
	return 0;
}

static int ask(void *arg)
{
	struct pair pair = { bench_chan(0), bench_chan(0) };
	struct fiber *other = bench_spawn(answer, &pair);

	for (long i = 0; i < trips; i++) {
		bench_send(pair.there, i);
		bench_recv(pair.back);
	}
	must(fiber_join(other, NULL));
	return !!arg;
}

static void work(void)
{
	struct fiber *fibers[PAIRS];

	trips = bench_scaled(ROUND_TRIPS / PAIRS);
	for (int i = 0; i < PAIRS; i++)
		fibers[i] = bench_spawn(ask, NULL);
	for (int i = 0; i < PAIRS; i++)
		must(fiber_join(fibers[i], NULL));
}

static double ms(struct timeval t)
{
	return t.tv_sec * 1e3 + t.tv_usec / 1e3;
}

static void print(const char *row, const char *what, double value,
		  const char *unit)
{
	char name[64];

	snprintf(name, sizeof(name), "%s%s", row, what);
	bench_print(name, value, unit);
}

static void measure(const char *row)
{
	struct rusage from, to;
	uint64_t wakes;
	int64_t t;

	/* The workers are there, and asleep. */
	bench_sleep(20000000);
	wakes = bench_status().wakes;
	getrusage(RUSAGE_SELF, &from);
	t = bench_now();
	work();
	t = bench_now() - t;
	getrusage(RUSAGE_SELF, &to);
	print(row, "", t / 1e6, "ms");
	print(row, "_used",
	      ms(to.ru_utime) - ms(from.ru_utime) + ms(to.ru_stime) -
		      ms(from.ru_stime),
	      "ms");
	print(row, "_waits", to.ru_nvcsw - from.ru_nvcsw, "");
	print(row, "_wakes", bench_status().wakes - wakes, "");
}

static void beside_hog(void)
{
	pid_t hog = start_hog();

	measure("oversubscribed");
	kill(hog, SIGKILL);
}

static void on_one_cpu(void)
{
	measure("oversubscribed_1cpu");
}

const struct bench_row fiber_oversubscribed_rows[] = {
	{ "oversubscribed", beside_hog },
	{ "oversubscribed_1cpu", on_one_cpu },
	{ NULL, NULL },
};
