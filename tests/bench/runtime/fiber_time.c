// SPDX-License-Identifier: MIT
/*
 * Sleeping and timers.
 */
#include "fiber_bench.h"

#define HOUR INT64_C(3600000000000)

/* One fiber sleeps, and nothing else is there to run. */
static void sleep50us(void)
{
	long n = bench_scaled(2000);
	double *us = bench_alloc(n, sizeof(*us));
	int64_t t;

	for (long i = 0; i < n; i++) {
		t = bench_now();
		must(fiber_sleep(50000));
		us[i] = (bench_now() - t - 50000) / 1e3;
	}
	bench_print("sleep50us_overshoot", bench_quantile(us, n, 0.5), "us");
}

static void set(struct fiber_timer *timer, int64_t at)
{
	must(fiber_timer_set(timer, at, 0));
}

/* All of them at a random time within a millisecond that is yet to come. */
static void expire(struct fiber_timer **timers, long n)
{
	int64_t at = fiber_after(2000 * INT64_C(1000000));
	uint32_t state = 1;
	int64_t t;

	for (long i = 0; i < n - 1; i++)
		set(timers[i], at + bench_random(&state) % 1000000);
	set(timers[n - 1], at + 1000000); /* the latest of them */
	if (fiber_now() > at)
		bench_die("the time came before all timers were set");
	must(fiber_recv(fiber_timer_chan(timers[n - 1]), &t));
	for (long i = 0; i < n - 1; i++)
		while (!fiber_chan_len(fiber_timer_chan(timers[i])))
			fiber_yield();
	bench_print("timers1m_expire", (double)(fiber_now() - at) / n, "ns");
}

/*
 * Of each of a million timers: being set to a random time within an hour, being
 * stopped before that, and coming due; the sender's side of it.
 */
static void timers1m(void)
{
	long n = bench_scaled(1000000);
	struct fiber_timer **timers = bench_alloc(n, sizeof(*timers));
	int64_t t, at = fiber_after(HOUR);
	uint32_t state = 1;

	for (long i = 0; i < n; i++)
		must(fiber_timer_new(&timers[i], FIBER_FOREVER, 0));
	t = bench_now();
	for (long i = 0; i < n; i++)
		set(timers[i], at + bench_random(&state) * INT64_C(800));
	bench_print("timers1m_arm", (double)(bench_now() - t) / n, "ns");
	t = bench_now();
	for (long i = 0; i < n; i++)
		set(timers[i], FIBER_FOREVER);
	bench_print("timers1m_cancel", (double)(bench_now() - t) / n, "ns");
	expire(timers, n);
}

const struct bench_row fiber_time_rows[] = {
	{ "sleep50us", sleep50us },
	{ "timers1m", timers1m },
	{ NULL, NULL },
};
