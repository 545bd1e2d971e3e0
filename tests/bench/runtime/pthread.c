// SPDX-License-Identifier: MIT
/*
 * build/bench/pthread ROW WORKERS - the rows that threads can do, by mutexes and
 * condition variables. `Workers` are the CPUs that the process is bound to.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include "common.h"

#define RING 128

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static pthread_cond_t room = PTHREAD_COND_INITIALIZER;
static pthread_cond_t news = PTHREAD_COND_INITIALIZER;
static long trips;

static pthread_t spawn(void *(*fn)(void *), void *arg, size_t stack)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	if (stack)
		pthread_attr_setstacksize(&attr, stack);
	if (pthread_create(&thread, &attr, fn, arg))
		bench_die("no more threads");
	pthread_attr_destroy(&attr);
	return thread;
}

static void join(pthread_t thread)
{
	pthread_join(thread, NULL);
}

static void *yielder(void *arg)
{
	for (long i = 0; i < trips; i++)
		sched_yield();
	return arg;
}

static void yield2(void)
{
	pthread_t threads[2];
	int64_t t = bench_now();

	trips = bench_scaled(500000);
	for (int i = 0; i < 2; i++)
		threads[i] = spawn(yielder, NULL, 0);
	for (int i = 0; i < 2; i++)
		join(threads[i]);
	bench_print("yield2", (double)(bench_now() - t) / trips / 2, "ns");
}

static void *nothing(void *arg)
{
	return arg;
}

static void spawn_join(void)
{
	long n = bench_scaled(10000);
	int64_t t = 0;

	for (long i = -100; i < n; i++) {
		if (!i)
			t = bench_now();
		join(spawn(nothing, NULL, 0));
	}
	bench_print("spawn_join", (double)(bench_now() - t) / n, "ns");
}

/* Whose turn it is: a rendezvous in both directions. */
static int turn;

static void take_turns(int me)
{
	pthread_mutex_lock(&lock);
	for (long i = 0; i < trips; i++) {
		while (turn != me)
			pthread_cond_wait(&turned, &lock);
		turn = !me;
		pthread_cond_signal(&turned);
	}
	pthread_mutex_unlock(&lock);
}

static void *second(void *arg)
{
	take_turns(1);
	return arg;
}

static void pingpong(void)
{
	pthread_t other;
	int64_t t;

	trips = bench_scaled(50000);
	other = spawn(second, NULL, 0);
	t = bench_now();
	take_turns(0);
	join(other);
	bench_print("pingpong", (double)(bench_now() - t) / trips, "ns");
}

static uint64_t ring[RING];
static long head, tail;

static void *producer(void *arg)
{
	for (long i = 0; i < trips; i++) {
		pthread_mutex_lock(&lock);
		while (tail - head == RING)
			pthread_cond_wait(&room, &lock);
		ring[tail++ % RING] = i;
		pthread_cond_signal(&news);
		pthread_mutex_unlock(&lock);
	}
	return arg;
}

static void *consumer(void *arg)
{
	for (long i = 0; i < trips; i++) {
		pthread_mutex_lock(&lock);
		while (tail == head)
			pthread_cond_wait(&news, &lock);
		if (ring[head++ % RING] != (uint64_t)i)
			bench_die("a message came out wrong");
		pthread_cond_signal(&room);
		pthread_mutex_unlock(&lock);
	}
	return arg;
}

static void buffered128_spsc(void)
{
	pthread_t threads[2];
	int64_t t = bench_now();

	trips = bench_scaled(1000000);
	threads[0] = spawn(consumer, NULL, 0);
	threads[1] = spawn(producer, NULL, 0);
	for (int i = 0; i < 2; i++)
		join(threads[i]);
	bench_print("buffered128_spsc", (double)(bench_now() - t) / trips,
		    "ns");
}

static long parked, let_go;

static void *waiter(void *arg)
{
	pthread_mutex_lock(&lock);
	parked++;
	pthread_cond_signal(&turned);
	while (!let_go)
		pthread_cond_wait(&news, &lock);
	let_go--;
	pthread_mutex_unlock(&lock);
	return arg;
}

/*
 * As many threads as systems commonly allow, and 64 KiB of stack each; what the
 * kernel keeps for each, some 20 KiB, is not in their bytes.
 */
static void parked1m(void)
{
	long n = bench_scaled(5000);
	struct bench_memory before = bench_memory(), after;
	pthread_t *threads = bench_alloc(n, sizeof(*threads));
	int64_t t = bench_now();

	for (long i = 0; i < n; i++)
		threads[i] = spawn(waiter, NULL, 65536);
	pthread_mutex_lock(&lock);
	while (parked < n)
		pthread_cond_wait(&turned, &lock);
	pthread_mutex_unlock(&lock);
	bench_print("parked1m_create", (double)(bench_now() - t) / n, "ns");
	after = bench_memory();
	bench_print("parked1m_bytes", bench_memory_sum(&before, &after) / n,
		    "bytes");
	t = bench_now();
	for (long i = 0; i < n; i++) {
		pthread_mutex_lock(&lock);
		let_go++;
		pthread_cond_signal(&news);
		pthread_mutex_unlock(&lock);
	}
	for (long i = 0; i < n; i++)
		join(threads[i]);
	bench_print("parked1m_wake", (double)(bench_now() - t) / n, "ns");
}

static long counter;

static void mutex_uncontended(void)
{
	long n = bench_scaled(20000000);
	int64_t t = 0;

	for (long i = -1000; i < n; i++) {
		if (!i)
			t = bench_now();
		pthread_mutex_lock(&lock);
		pthread_mutex_unlock(&lock);
	}
	bench_print("mutex_uncontended", (double)(bench_now() - t) / n, "ns");
}

static void *count(void *arg)
{
	for (long i = 0; i < trips; i++) {
		pthread_mutex_lock(&lock);
		counter++;
		pthread_mutex_unlock(&lock);
	}
	return arg;
}

static void *hold_and_yield(void *arg)
{
	for (long i = 0; i < trips; i++) {
		pthread_mutex_lock(&lock);
		counter++;
		sched_yield();
		pthread_mutex_unlock(&lock);
	}
	return arg;
}

static void crowd(const char *name, void *(*fn)(void *), int n, long times)
{
	pthread_t threads[4];
	int64_t t = bench_now();

	trips = times / n;
	for (int i = 0; i < n; i++)
		threads[i] = spawn(fn, NULL, 0);
	for (int i = 0; i < n; i++)
		join(threads[i]);
	bench_print(name, (double)(bench_now() - t) / counter, "ns");
}

static void mutex_contended(void)
{
	crowd("mutex_contended", count, 4, bench_scaled(10000000));
}

static void mutex_handoff(void)
{
	crowd("mutex_handoff", hold_and_yield, 2, bench_scaled(200000));
}

/* To the first CPUs of those that the process may use. */
static void bind_to(int cpus)
{
	cpu_set_t may, set;

	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof(may), &may))
		return;
	for (int i = 0; i < CPU_SETSIZE && cpus; i++)
		if (CPU_ISSET(i, &may)) {
			CPU_SET(i, &set);
			cpus--;
		}
	sched_setaffinity(0, sizeof(set), &set);
}

static const struct bench_row rows[] = {
	{ "yield2", yield2 },
	{ "spawn_join", spawn_join },
	{ "pingpong", pingpong },
	{ "buffered128_spsc", buffered128_spsc },
	{ "parked1m", parked1m },
	{ "mutex_uncontended", mutex_uncontended },
	{ "mutex_contended", mutex_contended },
	{ "mutex_handoff", mutex_handoff },
	{ NULL, NULL },
};
static const struct bench_row *const tables[] = { rows, NULL };

int main(int argc, char **argv)
{
	const struct bench_row *row = bench_args(argc, argv, tables);

	bind_to(bench_workers);
	row->run();
	return 0;
}
