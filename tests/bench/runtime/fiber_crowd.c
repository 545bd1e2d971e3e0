// SPDX-License-Identifier: MIT
/*
 * A million fibers that wait, and a thousand that are woken at once.
 */
#include <fcntl.h>
#include <math.h>
#include <stdatomic.h>
#include "fiber_bench.h"

#define MILLION 1000000
#define RECEIVERS 1000
#define REST_MAX 30

static struct fiber_chan *chan;
static atomic_long begun;
static uint64_t fibers_before;

static void waiter(void *arg)
{
	uint64_t value;

	(void)arg;
	atomic_fetch_add_explicit(&begun, 1, memory_order_relaxed);
	fiber_recv(chan, &value);
}

/* n fibers that wait to receive. The others get a turn after every 64. */
static void park(long n)
{
	chan = bench_chan(0);
	fibers_before = bench_status().fibers;
	for (long i = 0; i < n; i++) {
		must(fiber_go(waiter, NULL));
		if (i % 64 == 63)
			fiber_yield();
	}
	while (atomic_load_explicit(&begun, memory_order_relaxed) < n)
		fiber_yield();
}

static void all_ended(void)
{
	while (bench_status().fibers > fibers_before)
		fiber_yield();
}

/* Cold stacks: making one includes the first touch of its memory. */
static void parked1m(void)
{
	struct bench_memory before = bench_memory(), after;
	long n = bench_scaled(MILLION);
	int64_t t = bench_now();

	park(n);
	bench_print("parked1m_create", (double)(bench_now() - t) / n, "ns");
	must(fiber_sleep(50 * 1000000)); /* the last ones may just begin */
	after = bench_memory();
	bench_print("parked1m_bytes", bench_memory_sum(&before, &after) / n,
		    "bytes");
	t = bench_now();
	for (long i = 0; i < n; i++)
		bench_send(chan, i);
	all_ended();
	bench_print("parked1m_wake", (double)(bench_now() - t) / n, "ns");
}

/* The call, and until the last one that waited has ended. */
static void close1m(void)
{
	long n = bench_scaled(MILLION);
	int64_t t, called;

	park(n);
	must(fiber_sleep(50 * 1000000));
	t = bench_now();
	must(fiber_chan_close(chan));
	called = bench_now() - t;
	all_ended();
	bench_print("close1m", (double)(bench_now() - t) / n, "ns");
	bench_print("close1m_call", called / 1e6, "ms");
}

/* Once a second gives back less than a MiB, which is what a minute would, too. */
static void rss_at_rest(double before)
{
	double last = INFINITY, rss = bench_memory().rss;

	for (int i = 0; i < REST_MAX && rss < last - 1048576; i++) {
		last = rss;
		must(fiber_sleep(1000 * 1000000));
		rss = bench_memory().rss;
	}
	bench_print("rss_after_burst_rest", (rss - before) / 1048576, "MiB");
}

static void rss_after_burst(void)
{
	double before = bench_memory().rss;

	park(bench_scaled(MILLION));
	must(fiber_chan_close(chan));
	all_ended();
	bench_print("rss_after_burst", (bench_memory().rss - before) / 1048576,
		    "MiB");
	must(fiber_sleep(1000 * 1000000));
	bench_print("rss_after_burst_1s",
		    (bench_memory().rss - before) / 1048576, "MiB");
	rss_at_rest(before);
}

static void receiver(void *arg)
{
	(void)arg;
	for (;;) {
		bench_recv(chan);
		atomic_fetch_add_explicit(&begun, 1, memory_order_relaxed);
	}
}

static void until_begun(long n)
{
	while (atomic_load_explicit(&begun, memory_order_relaxed) < n)
		fiber_yield();
}

/*
 * 1000 receivers wait, and all workers are idle. Then one fiber sends 1000
 * messages in a row. Until the last one has been received; and how often a
 * sleeping worker was woken for it.
 */
static void wakestorm(void)
{
	long rounds = bench_scaled(300);
	int64_t t, ns = 0;
	uint64_t wakes = 0, before;

	chan = bench_chan(0);
	for (int i = 0; i < RECEIVERS; i++)
		must(fiber_go(receiver, NULL));
	for (long round = 0; round < rounds; round++) {
		must(fiber_sleep(2 * 1000000));
		before = bench_status().wakes;
		t = bench_now();
		for (int i = 0; i < RECEIVERS; i++)
			bench_send(chan, i);
		until_begun((round + 1) * RECEIVERS);
		ns += bench_now() - t;
		wakes += bench_status().wakes - before;
	}
	bench_print("wakestorm", ns / 1e3 / rounds, "us");
	bench_print("wakestorm_wakes", (double)wakes / rounds, "wakes");
}

/* All of 100,000 that wait, as text, with their stacks and without. */
static void dump100k(void)
{
	int fd = open("/dev/null", O_WRONLY);
	int64_t t;

	must(fd);
	park(bench_scaled(100000));
	must(fiber_sleep(50 * 1000000));
	t = bench_now();
	must(fiber_dump(fd, 0));
	bench_print("dump100k", (bench_now() - t) / 1e6, "ms");
	t = bench_now();
	must(fiber_dump(fd, FIBER_DUMP_BRIEF));
	bench_print("dump100k_brief", (bench_now() - t) / 1e6, "ms");
}

const struct bench_row fiber_crowd_rows[] = {
	{ "parked1m", parked1m },
	{ "close1m", close1m },
	{ "rss_after_burst", rss_after_burst },
	{ "wakestorm", wakestorm },
	{ "dump100k", dump100k },
	{ NULL, NULL },
};
