// SPDX-License-Identifier: MIT
/*
 * Starting and ending workers.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include <fiber/run.h>

#include "bound.h"
#include "clock.h"
#include "control.h"
#include "here.h"
#include "monitor.h"
#include "stacks.h"
#include "thread.h"
#include "worker.h"

#define rt (&_fiber_rt)

/* Workers with a fiber that was left over, of an earlier runtime. */
static fiber_word abandoned;
/* Of who started them. */
static sigset_t mask_before;

/* They run the scheduler's loop only; fibers have stacks of their own. */
#define STACK_SIZE (128 * 1024)

/* When there could be no more threads, so long until that is tried again. */
#define RETRY_NS 100000000

/* The C++ runtime's, if the program has one. */
extern struct fiber_exceptions *__cxa_get_globals(void) __attribute__((weak));

static struct fiber_exceptions *exceptions_of_thread(void)
{
	static struct fiber_exceptions none;

	return __cxa_get_globals ? __cxa_get_globals() : &none;
}

static void *run(void *arg)
{
	struct fiber_worker *w = arg;
	char name[16];
	struct fiber_why why;

	at_store(&w->tid, gettid(), RELAXED);
	snprintf(name, sizeof(name), "fiber/%u", w->number);
	prctl(PR_SET_NAME, name);
	/* Sleeps end when they should, and not up to 50 us later. */
	prctl(PR_SET_TIMERSLACK, 1);
	if (_fiber_overflow_thread_init(&w->altstack, &why))
		_fiber_rt_failed(&why);
	w->exceptions = exceptions_of_thread();
	/* It is nobody's to cancel, and who enables that will hear of it. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	_fiber_here_hold(&w->here);
	_fiber_sched_loop(w);
	_fiber_here_release();
	_fiber_overflow_thread_exit(&w->altstack);
	if (at_load(&w->here.attention, ACQUIRE) & FIBER_HERE_ABANDONED)
		at_add(&abandoned, -1);
	return NULL;
}

/* rt->workers[i], unless it was made before and there was no thread for it. */
static int make(uint32_t i, struct fiber_why *why)
{
	struct fiber_worker *w;

	if (rt->workers[i])
		return 0;
	w = aligned_alloc(64, sizeof(*w));
	if (!w)
		return _fiber_why(why, -ENOMEM, "no memory for a worker");
	memset(w, 0, sizeof(*w));
	if (_fiber_heap_init(&w->heap)) {
		free(w);
		return _fiber_why(why, -ENOMEM, "no memory for alarms");
	}
	w->here.is_worker = true;
	at_store(&w->here.is_direct, !(rt->flags & FIBER_TEST_MIGRATE),
		 RELAXED);
	w->here.cur = &w->idle;
	w->here.past = _fiber_clock_now();
	w->number = i;
	w->here.random = (rt->seed + i) * 0x9e3779b97f4a7c15u | 1;
	w->spin_rounds = 4;
	at_set(&w->idle.kind, FIBER_KIND_IDLE);
	rt->workers[i] = w;
	return 0;
}

static int make_all(struct fiber_why *why)
{
	uint32_t i;
	int err;

	rt->workers =
		calloc(rt->nr_workers + rt->nr_spares, sizeof(*rt->workers));
	if (!rt->workers)
		return _fiber_why(why, -ENOMEM, "no memory for workers");
	for (i = 0; i < rt->nr_workers; i++) {
		err = make(i, why);
		if (err)
			return err;
	}
	at_store(&rt->nr_made, rt->nr_workers, RELEASE);
	return 0;
}

/* Returns how many were started. */
static uint32_t start_all(struct fiber_why *why, int *err)
{
	uint32_t i;

	for (i = 0; i < rt->nr_workers; i++) {
		struct fiber_worker *w = rt->workers[i];

		*err = _fiber_thread_start(&w->thread, run, w, STACK_SIZE, why);
		if (*err)
			return i;
	}
	*err = _fiber_thread_start(&rt->monitor, _fiber_monitor,
				   &rt->monitor_here, STACK_SIZE, why);
	return i;
}

/* rt->making is held. */
static struct fiber_worker *make_spare(struct fiber_why *why)
{
	uint32_t i = at_load(&rt->nr_made, RELAXED);
	struct fiber_worker *w;

	if (i >= rt->nr_workers + rt->nr_spares || make(i, why))
		return NULL;
	w = rt->workers[i];
	at_store(&w->here.attention, FIBER_HERE_SPARE, RELAXED);
	at_store(&w->here.is_direct, false, RELAXED);
	/* Before it runs, as who counts those asleep wants to know them all. */
	at_store(&rt->nr_made, i + 1, RELEASE);
	if (!_fiber_thread_start(&w->thread, run, w, STACK_SIZE, why))
		return w;
	at_store(&rt->nr_made, i, RELEASE);
	return NULL;
}

struct fiber_worker *_fiber_worker_make(void)
{
	struct fiber_why why = { "" };
	struct fiber_worker *w;
	bool is_first;

	pthread_mutex_lock(&rt->making);
	w = _fiber_clock_real() < rt->make_again ? NULL : make_spare(&why);
	is_first = why.text[0] && !rt->make_again;
	if (why.text[0])
		rt->make_again = _fiber_clock_real() + RETRY_NS;
	pthread_mutex_unlock(&rt->making);
	if (is_first)
		_fiber_rt_failed(&why);
	return w;
}

/* From now on there are no more than there are. */
static void make_no_more(void)
{
	pthread_mutex_lock(&rt->making);
	rt->nr_spares = 0;
	pthread_mutex_unlock(&rt->making);
}

static void join_workers(uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++) {
		_fiber_sched_kick(rt->workers[i]);
		pthread_join(rt->workers[i]->thread, NULL);
	}
}

int _fiber_workers_start(struct fiber_why *why)
{
	uint32_t started = 0;
	int err;

	pthread_mutex_init(&rt->making, NULL);
	rt->max_made = rt->nr_workers + rt->nr_spares;
	err = make_all(why);

	if (!err) {
		pthread_sigmask(SIG_SETMASK, NULL, &mask_before);
		started = start_all(why, &err);
	}
	if (err) {
		at_store(&rt->quit, 1, SEQ_CST);
		join_workers(started);
		_fiber_workers_free(false);
	}
	return err;
}

static void stop_monitor(void)
{
	at_store(&rt->monitor_wake, 1, SEQ_CST);
	_fiber_futex_wake(&rt->monitor_wake, 1);
	pthread_join(rt->monitor, NULL);
}

void _fiber_workers_stop(void)
{
	/* They wake fibers at their end. */
	_fiber_bound_await();
	make_no_more();
	at_store(&rt->quit, 1, SEQ_CST);
	stop_monitor();
	join_workers(fiber_workers_made());
}

void _fiber_workers_abandon(void)
{
	uint32_t i;

	make_no_more();
	at_store(&abandoned, fiber_workers_made(), SEQ_CST);
	_fiber_bound_abandon(&abandoned);
	for (i = 0; i < fiber_workers_made(); i++)
		at_or(&rt->workers[i]->here.attention, FIBER_HERE_ABANDONED);
	at_store(&rt->quit, 1, SEQ_CST);
	stop_monitor();
	for (i = 0; i < fiber_workers_made(); i++) {
		_fiber_sched_kick(rt->workers[i]);
		pthread_detach(rt->workers[i]->thread);
	}
}

uint32_t _fiber_workers_abandoned(void)
{
	return at_load(&abandoned, ACQUIRE);
}

void _fiber_sched_abandoned(void)
{
	fiber_word never;

	at_add(&abandoned, -1);
	at_store(&never, 0, RELAXED);
	for (;;)
		_fiber_futex_wait(&never, 0, INT64_MAX);
}

void _fiber_workers_unmask(void)
{
	struct fiber_here *here = _fiber_here();

	if (here && fiber_here_is_fiber(here))
		pthread_sigmask(SIG_SETMASK, &mask_before, NULL);
}

static void free_worker(struct fiber_worker *w)
{
	struct fiber *f;

	while ((f = w->free)) {
		w->free = f->next;
		_fiber_control_put(f, f);
	}
	_fiber_heap_exit(&w->heap);
	free(w);
}

void _fiber_workers_free(bool left)
{
	uint32_t i;

	/* They may be on their way to where they see that they are abandoned. */
	if (left || !rt->workers)
		return;
	for (i = 0; i < rt->max_made; i++) {
		if (rt->workers[i])
			free_worker(rt->workers[i]);
	}
	free(rt->workers);
	rt->workers = NULL;
}
