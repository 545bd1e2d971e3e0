// SPDX-License-Identifier: MIT
/*
 * The monitor's loop.
 */
#include <sys/prctl.h>

#include "clock.h"
#include "deadlock.h"
#include "monitor.h"
#include "queue.h"
#include "relief.h"
#include "schedtrace.h"
#include "seat.h"
#include "stacks.h"

#define rt (&_fiber_rt)

/* So long without progress, and the running fiber has had its share. */
#define SLICE_LOOKS 10
/* So long with all workers asleep, and the monitor sleeps too. */
#define DEEP_LOOKS 10
/* How often it looks whether stacks can be trimmed, or starved ones fed. */
#define STACKS_LOOKS 16

/* What it was asked to call; NULL. */
static at(fiber_monitor_fn *) asked;

void _fiber_monitor_ask(fiber_monitor_fn *fn)
{
	/* It is seen by who finds monitor_wake 0 again (sleep_deeply()). */
	(void)at_xchg(&asked, fn);
	at_store(&rt->monitor_wake, 1, RELEASE);
	_fiber_futex_wake(&rt->monitor_wake, 1);
}

static void do_asked(void)
{
	fiber_monitor_fn *fn;

	if (at_load(&asked, RELAXED) && (fn = at_xchg(&asked, NULL)))
		fn();
}

static bool alarm_due(struct fiber_worker *w)
{
	return !_fiber_clock_is_virtual() &&
	       at_load(&w->heap.earliest, RELAXED) <= _fiber_clock_now();
}

/* Newer ones may go before the oldest of a deque, but not for ever. */
static void look_at_deque(struct fiber_worker *w)
{
	int64_t top = at_load(&w->deque.top, RELAXED);

	if (top == w->seen_top && fiber_deque_len(&w->deque))
		at_store(&w->neglects, 1, RELAXED);
	w->seen_top = top;
}

static void look_after(struct fiber_worker *w, struct fiber_here *here)
{
	uint32_t tick = at_load(&w->tick, RELAXED);
	uint32_t stuck = at_load(&w->stuck, RELAXED) + 1;

	look_at_deque(w);
	if (tick != w->seen_tick || at_load(&w->asleep, RELAXED)) {
		w->seen_tick = tick;
		at_store(&w->stuck, 0, RELAXED);
		at_store(&w->robbed, 0, RELAXED);
		return;
	}
	at_store(&w->stuck, stuck, RELAXED);
	if (alarm_due(w))
		_fiber_heap_run(&w->heap, here, _fiber_clock_now());
	if (stuck >= SLICE_LOOKS)
		at_or(&w->here.attention, FIBER_HERE_SLICE);
	/* Under FIBER_TEST_MIGRATE some waited for it. */
	if (stuck == FIBER_STUCK_LOOKS && at_load(&rt->global_len, RELAXED))
		_fiber_sched_submit();
	if (fiber_is_spare(w)) {
		/* It computes on, and has made more. */
		_fiber_queue_hand_over(w);
	} else if (fiber_worker_loot(w)) {
		at_store(&w->robbed, 1, RELAXED);
		_fiber_sched_submit();
	}
}

/* Workers that sleep may keep stacks, and give them back when they do so again. */
static void feed_starved(void)
{
	uint32_t i;

	for (i = 0; i < fiber_workers_made(); i++)
		_fiber_sched_kick(rt->workers[i]);
	_fiber_stacks_feed();
}

static bool all_asleep(void)
{
	return at_load(&rt->idle, RELAXED) == rt->nr_workers &&
	       !at_load(&rt->nr_starved, RELAXED);
}

/*
 * The earliest alarm of those who are awake without a seat: only they can add
 * to their heaps, and those who do tell us (sched.c). Or when there is a line to
 * be printed, or another look for deadlocks to be had.
 */
static int64_t away_until(void)
{
	int64_t t = _fiber_schedtrace_next();
	int64_t next = _fiber_deadlock_next();
	uint32_t i;

	t = next < t ? next : t;

	for (i = 0; i < fiber_workers_made(); i++) {
		struct fiber_worker *w = rt->workers[i];
		int64_t at = at_load(&w->heap.earliest, RELAXED);

		if (!_fiber_clock_is_virtual() &&
		    !at_load(&w->asleep, RELAXED) && at < t)
			t = at;
	}
	return t;
}

static void sleep_deeply(void)
{
	at_store(&rt->monitor_wake, 0, RELAXED);
	at_store(&rt->monitor_deep, 1, RELAXED);
	/* Pairs with a worker's leaving the idle list before it looks. */
	at_fence();
	while (all_asleep() && !at_load(&rt->quit, RELAXED) &&
	       !at_load(&rt->monitor_wake, ACQUIRE) &&
	       !at_load(&asked, RELAXED) && !_fiber_deadlock_is_new()) {
		if (_fiber_futex_wait(&rt->monitor_wake, 0, away_until()))
			break;
	}
	at_store(&rt->monitor_deep, 0, RELAXED);
}

void _fiber_monitor_rouse_slow(void)
{
	if (!at_xchg(&rt->monitor_deep, 0))
		return;
	/* It has not looked for as long as it slept. */
	_fiber_clock_look();
	at_store(&rt->monitor_wake, 1, RELEASE);
	_fiber_futex_wake(&rt->monitor_wake, 1);
}

void *_fiber_monitor(void *arg)
{
	struct fiber_here *here = arg;
	uint32_t asleep = 0;
	uint32_t look;
	uint32_t i;

	prctl(PR_SET_NAME, "fiber-monitor");
	prctl(PR_SET_TIMERSLACK, 1);
	for (look = 0; !at_load(&rt->quit, RELAXED); look++) {
		_fiber_futex_wait(&rt->monitor_wake, 0,
				  _fiber_clock_real() + FIBER_MONITOR_NS);
		at_store(&rt->monitor_wake, 0, RELAXED);
		_fiber_clock_look();
		for (i = 0; i < fiber_workers_made(); i++)
			look_after(rt->workers[i], here);
		_fiber_relief(look);
		_fiber_schedtrace();
		do_asked();
		_fiber_deadlock_run();
		if (look % STACKS_LOOKS == 0) {
			if (at_load(&rt->nr_starved, RELAXED))
				feed_starved();
			_fiber_stacks_trim();
		}
		asleep = all_asleep() ? asleep + 1 : 0;
		if (asleep >= DEEP_LOOKS)
			_fiber_deadlock_idle();
		if (asleep >= DEEP_LOOKS && _fiber_stacks_trimmed())
			sleep_deeply();
	}
	return NULL;
}
