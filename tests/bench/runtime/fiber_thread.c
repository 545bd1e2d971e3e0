// SPDX-License-Identifier: MIT
/*
 * Across threads: waking a fiber of another worker, messages to and from a
 * thread that is no worker, and what workers use when there is nothing to do.
 */
#include <pthread.h>
#include <stdatomic.h>
#include "fiber_bench.h"

#define GIVE_UP INT64_C(5000000000)

static struct fiber_chan *there, *back;
static atomic_long arrived;
static double *samples;

static long arrivals(void)
{
	return atomic_load_explicit(&arrived, memory_order_acquire);
}

/* Keeps the worker until the other one's fiber has got as far. */
static void until_arrived(long n)
{
	int64_t end = bench_now() + GIVE_UP;

	while (arrivals() < n)
		if (bench_now() > end)
			bench_die("no other worker runs the other fiber");
}

static void woken(void *arg)
{
	long n = (long)(intptr_t)arg;

	fiber_pin();
	atomic_store_explicit(&arrived, 1, memory_order_release);
	for (long i = 0; i < n; i++) {
		int64_t sent = bench_recv(there);

		samples[i] = (bench_now() - sent) / 1e3;
		atomic_store_explicit(&arrived, i + 2, memory_order_release);
	}
}

/*
 * One fiber waits to receive on one worker; on another worker, one that keeps
 * its CPU sends to it, so long after the message before. Both are pinned.
 */
static void wake_remote(const char *p50, const char *p999, long n, int64_t gap)
{
	if (bench_workers < 2)
		bench_die("needs two workers");
	samples = bench_alloc(n, sizeof(*samples));
	there = bench_chan(0);
	fiber_pin();
	must(fiber_go(woken, (void *)(intptr_t)n));
	for (long i = 0; i < n; i++) {
		until_arrived(i + 1);
		bench_spin(gap);
		bench_send(there, bench_now());
	}
	until_arrived(n + 1);
	bench_print(p50, bench_quantile(samples, n, 0.5), "us");
	bench_print(p999, bench_quantile(samples, n, 0.999), "us");
}

/* So soon that the other worker is still looking for work. */
static void wake_remote_spin(void)
{
	wake_remote("wake_remote_spin_p50", "wake_remote_spin_p999",
		    bench_scaled(100000), 2000);
}

/* So late that it has gone to sleep. */
static void wake_remote_parked(void)
{
	wake_remote("wake_remote_parked_p50", "wake_remote_parked_p999",
		    bench_scaled(1000), 1500000);
}

static void echo(void *arg)
{
	(void)arg;
	for (;;)
		bench_send(back, bench_recv(there) + 1);
}

/* Runs fn in a thread and has the calling fiber wait for its end. */
static void in_thread(void *(*fn)(void *))
{
	pthread_t thread;
	struct fiber_chan *done = bench_chan(0);

	if (pthread_create(&thread, NULL, fn, done))
		bench_die("no thread");
	bench_recv(done);
}

/* Sends to who echoes, and measures. */
static void ask_echo(const char *name)
{
	long n = bench_scaled(50000);
	int64_t t = 0;

	for (long i = -100; i < n; i++) {
		if (!i)
			t = bench_now();
		bench_send(there, i);
		if (bench_recv(back) != (uint64_t)i + 1)
			bench_die("a message came out wrong");
	}
	bench_print(name, (double)(bench_now() - t) / n, "ns");
}

static void *thread_pingpong(void *done)
{
	ask_echo("thread_fiber_pingpong");
	bench_send(done, 0);
	return NULL;
}

/* As pingpong, but that one of the two is a thread. */
static void thread_fiber_pingpong(void)
{
	there = bench_chan(0);
	back = bench_chan(0);
	must(fiber_go(echo, NULL));
	in_thread(thread_pingpong);
}

static int answer(void *arg)
{
	echo(arg);
	return 0;
}

static int ask(void *arg)
{
	(void)arg;
	ask_echo("lock_os_thread");
	return 0;
}

/* As pingpong, between two that have a thread each. */
static void lock_os_thread(void)
{
	struct fiber_attr attr = { .size = sizeof(attr), .flags = FIBER_BOUND };
	struct fiber *one, *two;

	there = bench_chan(0);
	back = bench_chan(0);
	must(fiber_spawn(&one, answer, NULL, &attr));
	must(fiber_spawn(&two, ask, NULL, &attr));
	must(fiber_join(two, NULL));
}

/* What all but the calling thread use in so many seconds. */
static void use(const char *cpu, const char *wakeups, int seconds, int ask)
{
	struct bench_use before, after;
	double cpu_ns;

	bench_sleep(500 * 1000000);
	before = bench_others();
	for (int i = 0; i < seconds; i++) {
		if (ask) {
			bench_send(there, i);
			bench_recv(back);
		}
		bench_sleep(1000 * 1000000);
	}
	after = bench_others();
	/* The two clocks are not read at one instant. */
	cpu_ns = after.cpu_ns - before.cpu_ns;
	bench_print(cpu, cpu_ns > 0 ? cpu_ns / 1e6 / seconds : 0, "ms/s");
	bench_print(wakeups, (after.switches - before.switches) / seconds,
		    "1/s");
}

static void *watch(void *done)
{
	use("idle_cpu_started", "idle_wakeups_started", 2, 0);
	use("idle_cpu_1rps", "idle_wakeups_1rps", 3, 1);
	bench_send(done, 0);
	return NULL;
}

/* A fiber that answers; asked nothing, and then once a second by a thread. */
static void idle(void)
{
	there = bench_chan(0);
	back = bench_chan(0);
	must(fiber_go(echo, NULL));
	in_thread(watch);
}

const struct bench_row fiber_thread_rows[] = {
	{ "wake_remote_spin", wake_remote_spin },
	{ "wake_remote_parked", wake_remote_parked },
	{ "thread_fiber_pingpong", thread_fiber_pingpong },
	{ "lock_os_thread", lock_os_thread },
	{ "idle", idle },
	{ NULL, NULL },
};
