// SPDX-License-Identifier: MIT
/*
 * Picking the next fiber, and switching to it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <fiber/run.h>

#include "apart.h"
#include "clock.h"
#include "control.h"
#include "extra.h"
#include "life.h"
#include "monitor.h"
#include "probe.h"
#include "queue.h"
#include "sched.h"
#include "seat.h"
#include "stacks.h"

/* From next in a row, so that two fibers cannot keep all others waiting. */
#define NEXT_MAX 16
/* Both are multiples of FAIR_EVERY. */
#define GLOBAL_EVERY 56
#define ALARMS_EVERY 32
#define BALANCE_EVERY 512
#define FAIR_EVERY 8

struct fiber_rt _fiber_rt;
__thread struct fiber_here *_fiber_here_tls;

#define rt (&_fiber_rt)

static bool migrates(void)
{
	return unlikely(rt->flags & FIBER_TEST_MIGRATE);
}

static void push_for_others(struct fiber *f)
{
	_fiber_queue_global_push(f, f, 1);
	_fiber_sched_submit();
}

/* A fiber that has run before and waits for its turn. */
static __attribute__((noinline)) void enqueue_slow(struct fiber_worker *w,
						   struct fiber *f)
{
	if (f->pins)
		_fiber_queue_inbox_push(rt->workers[f->worker], f);
	else if (!at_load(&w->here.is_direct, RELAXED))
		push_for_others(f);
	else
		_fiber_queue_ring_push(w, f);
}

static inline void enqueue(struct fiber_worker *w, struct fiber *f)
{
	if (unlikely(!at_load(&w->here.is_direct, RELAXED) || f->pins ||
		     !fiber_ring_push(&w->ring, f)))
		enqueue_slow(w, f);
}

static __attribute__((noinline)) int submit(void)
{
	_fiber_sched_submit();
	return 0;
}

/* Something was queued: more than the worker itself will do next? Returns 0. */
static inline int submit_from(struct fiber_worker *w)
{
	if (rt->nr_workers > 1 && fiber_worker_loot(w) > 1)
		return submit();
	return 0;
}

/* By a thread that is no worker, or of a fiber that is pinned. */
static __attribute__((noinline)) int ready_far(struct fiber *f)
{
	struct fiber_worker *to;

	if (!f->pins) {
		push_for_others(f);
		return 0;
	}
	to = rt->workers[f->worker];
	_fiber_queue_inbox_push(to, f);
	_fiber_sched_kick(to);
	return 0;
}

/* next had one already: that one's turn comes later. */
static __attribute__((noinline)) int ready_second(struct fiber_worker *w,
						  struct fiber *f)
{
	struct fiber *old = at_xchg(&w->next, f);

	if (old) {
		_fiber_queue_ring_push(w, old);
		submit_from(w);
	}
	return 0;
}

int _fiber_sched_ready(struct fiber_here *here, struct fiber *f)
{
	struct fiber_worker *w = fiber_worker_of(here);

	FIBER_PROBE1(ready, f);
	if (unlikely(!at_load(&here->is_direct, RELAXED) || f->pins))
		return ready_far(f);
	__builtin_prefetch((void *)f->ctx.sp);
	if (unlikely(at_load(&w->next, RELAXED)))
		return ready_second(w, f);
	/* Others only ever take from it: it is still empty. */
	at_store(&w->next, f, RELEASE);
	return 0;
}

/* Pinned ones are sorted out first: they have each a worker of their own. */
void _fiber_sched_ready_all(struct fiber_here *here, struct fiber *first,
			    struct fiber *last, unsigned int n)
{
	struct fiber *list = NULL;
	struct fiber **end = &list;
	struct fiber *f;
	unsigned int kept = 0;

	if (n == 1) {
		_fiber_sched_ready(here, first);
		return;
	}
	last->next = NULL;
	last = NULL;
	while ((f = first)) {
		first = f->next;
		if (unlikely(f->pins)) {
			_fiber_sched_ready(here, f);
			continue;
		}
		FIBER_PROBE1(ready, f);
		*end = f;
		end = &f->next;
		last = f;
		kept++;
	}
	if (kept) {
		_fiber_queue_global_push(list, last, kept);
		_fiber_sched_submit();
	}
}

static __attribute__((noinline)) int fresh_far(struct fiber *f)
{
	push_for_others(f);
	return 0;
}

int _fiber_sched_fresh(struct fiber_here *here, struct fiber *f)
{
	struct fiber_worker *w = fiber_worker_of(here);

	if (unlikely(!at_load(&here->is_direct, RELAXED) ||
		     !fiber_deque_push(&w->deque, f)))
		return fresh_far(f);
	return submit_from(w);
}

/* What must not wait for the worker to have nothing better to do. */
static __attribute__((noinline)) struct fiber *pick_fair(struct fiber_worker *w,
							 uint32_t tick)
{
	struct fiber *f;

	if (unlikely(at_load(&w->here.attention, RELAXED) &
		     FIBER_HERE_ABANDONED))
		_fiber_sched_abandoned();
	if (at_load(&w->inbox_len, RELAXED) && (f = _fiber_queue_inbox_pop(w)))
		return f;
	if (unlikely(fiber_is_spare(w)))
		return NULL;
	if (tick % ALARMS_EVERY == 0)
		_fiber_queue_run_alarms(w);
	if (tick % BALANCE_EVERY == 0 && at_load(&w->here.is_direct, RELAXED) &&
	    (f = _fiber_queue_balance(w)))
		return f;
	if ((int32_t)(tick - w->global_tick) >= 0) {
		w->global_tick = tick + GLOBAL_EVERY;
		if ((f = _fiber_queue_global_pop(w)))
			return f;
	}
	if (unlikely(at_load(&w->neglects, RELAXED))) {
		at_store(&w->neglects, 0, RELAXED);
		if ((f = fiber_deque_steal(&w->deque)))
			return f;
	}
	return fiber_deque_pop(&w->deque);
}

static __attribute__((noinline)) struct fiber *pick_far(struct fiber_worker *w)
{
	struct fiber *f;

	if ((f = fiber_deque_pop(&w->deque)))
		return f;
	if (likely(!fiber_is_spare(w)) && (f = _fiber_queue_global_pop(w)))
		return f;
	return at_load(&w->inbox_len, RELAXED) ? _fiber_queue_inbox_pop(w) :
						 NULL;
}

static inline struct fiber *pick_queued(struct fiber_worker *w)
{
	uint32_t tick = at_load(&w->tick, RELAXED) + 1;
	struct fiber *f;

	at_store(&w->tick, tick, RELAXED);
	if (unlikely(tick % FAIR_EVERY == 0) && (f = pick_fair(w, tick)))
		return f;
	if (at_load(&w->next, RELAXED) && (f = at_xchg(&w->next, NULL))) {
		if (likely(w->nexts++ < NEXT_MAX))
			return f;
		_fiber_queue_ring_push(w, f);
	}
	w->nexts = 0;
	f = fiber_ring_pop(&w->ring);
	return likely(f) ? f : pick_far(w);
}

/* Give a fiber that has not run before a stack and a context. */
static void entry(void *pass);
static bool start(struct fiber_worker *w, struct fiber *f)
{
	struct fiber_stack *stack = fiber_stacks_get(w, f->stack_class);

	if (unlikely(!stack)) {
		_fiber_stacks_starve(f);
		return false;
	}
	if (unlikely(at_load(&rt->nr_starved, RELAXED)))
		_fiber_stacks_feed();
	at_count(&w->stacks_got);
	f->stack = stack;
	f->flags |= FIBER_FLAG_STARTED;
	stack->entry = (uintptr_t)f->fn;
	stack->name = fiber_extra_name(f);
	_fiber_context_init(&f->ctx, stack->top, entry);
	_fiber_sanitize_init(&f->sanitize, stack->low, stack->top - stack->low);
	return true;
}

/* Whether the worker's seat was of use to others, and it has none now. */
static bool step_aside(struct fiber_worker *w)
{
	if (!_fiber_seat_pass(w))
		return false;
	_fiber_queue_hand_over(w);
	_fiber_sched_offer();
	return true;
}

/*
 * f is to run on a thread without a seat. Whether it is to do so here: without
 * other work at hand the thread may as well be this one.
 */
static bool keep_apart(struct fiber_worker *w, struct fiber *f)
{
	if (!fiber_is_spare(w) && !f->pins) {
		if (fiber_worker_loot(w) || at_load(&w->inbox_len, RELAXED) ||
		    at_load(&rt->global_len, RELAXED)) {
			if (_fiber_seat_give(f))
				return false;
		} else {
			step_aside(w);
		}
	}
	_fiber_apart_begin(w, f);
	return true;
}

/* Can be run without further ado. */
static inline bool is_plain(const struct fiber *f)
{
	return (f->flags & (FIBER_FLAG_STARTED | FIBER_FLAG_APART)) ==
	       FIBER_FLAG_STARTED;
}

/* It cannot: whether it can now. If not, it is nobody's business here. */
static __attribute__((noinline)) bool admit(struct fiber_worker *w,
					    struct fiber *f)
{
	bool started = f->flags & FIBER_FLAG_STARTED;

	if (!started && unlikely(at_load(&rt->nr_blockers, RELAXED)))
		_fiber_apart_guess(f);
	if (unlikely(fiber_is_apart(f)) && !keep_apart(w, f))
		return false;
	return started || start(w, f);
}

/* The next one to run, which can be switched to; NULL if there is none. */
static inline struct fiber *pick(struct fiber_worker *w)
{
	struct fiber *f;

	do {
		f = pick_queued(w);
	} while (f && unlikely(!is_plain(f)) && !admit(w, f));
	return f;
}

/* Now that nobody is on the stack that was left. */
static inline void arrive(struct fiber_worker *w)
{
	struct fiber *left = w->left;

	if (likely(w->left_how == FIBER_LEFT_PARKED)) {
		_fiber_sanitize_arrive(&w->here.cur->sanitize, &left->sanitize);
		if (unlikely(fiber_park_left(left)))
			_fiber_sched_ready(&w->here, left);
	} else if (w->left_how == FIBER_LEFT_ENDED) {
		_fiber_sanitize_arrive(&w->here.cur->sanitize,
				       &w->ended_sanitize);
		at_count(&w->stacks_put);
		fiber_stacks_put(w, w->left_stack, w->left_class);
	} else {
		_fiber_sanitize_arrive(&w->here.cur->sanitize, &left->sanitize);
		if (w->left_how == FIBER_LEFT_YIELDED)
			enqueue(w, left);
	}
}

/*
 * Switch from self, and return when somebody switches to it, on the worker that
 * it then is on.
 */
static inline __attribute__((always_inline)) struct fiber_worker *
leave_plainly(struct fiber_worker *w, struct fiber *self, struct fiber *to,
	      enum fiber_left how)
{
	w->left = self;
	w->left_how = how;
	w->here.cur = to;
	self->worker = w->number;
	_fiber_sanitize_leave(&self->sanitize, &to->sanitize);
	w = _fiber_switch(&self->ctx, &to->ctx, w);
	arrive(w);
	return w;
}

/* In the middle of handling an exception, which is the thread's for C++. */
static __attribute__((noinline, cold)) struct fiber_worker *
leave_handling(struct fiber_worker *w, struct fiber *self, struct fiber *to,
	       enum fiber_left how)
{
	struct fiber_exceptions kept = *w->exceptions;

	*w->exceptions = (struct fiber_exceptions){ NULL, 0 };
	w = leave_plainly(w, self, to, how);
	*w->exceptions = kept;
	return w;
}

static inline struct fiber_worker *leave(struct fiber_worker *w,
					 struct fiber *self, struct fiber *to,
					 enum fiber_left how)
{
	if (unlikely(w->exceptions->caught || w->exceptions->uncaught))
		return leave_handling(w, self, to, how);
	return leave_plainly(w, self, to, how);
}

static inline void park(struct fiber_here *here)
{
	struct fiber_worker *w = fiber_worker_of(here);
	struct fiber *to = pick(w);

	leave(w, here->cur, likely(to) ? to : &w->idle, FIBER_LEFT_PARKED);
}

void _fiber_sched_park(struct fiber_here *here)
{
	park(here);
}

__attribute__((flatten)) int _fiber_park_queue(struct fiber_here *here,
					       struct fiber_lock *lock,
					       struct fiber_waiter **queue,
					       void *elem, int64_t deadline,
					       enum fiber_call call)
{
	return fiber_park_queue(here, lock, queue, elem, deadline, call);
}

void _fiber_sched_yield(struct fiber_here *here)
{
	struct fiber_worker *w = fiber_worker_of(here);
	struct fiber *to = pick(w);

	if (likely(to))
		leave(w, here->cur, to, FIBER_LEFT_YIELDED);
	else if (migrates())
		leave(w, here->cur, &w->idle, FIBER_LEFT_YIELDED);
}

void _fiber_sched_apart(struct fiber_here *here)
{
	struct fiber_worker *w = fiber_worker_of(here);

	FIBER_PROBE2(block, w->number, here->cur);
	at_add(&rt->blocks, 1);
	step_aside(w);
}

bool _fiber_sched_seatless(struct fiber_here *here)
{
	struct fiber_worker *w = fiber_worker_of(here);
	struct fiber *f = here->cur;

	if (at_load(&here->attention, RELAXED) & FIBER_HERE_BLOCKED) {
		at_and(&here->attention, ~FIBER_HERE_BLOCKED);
		_fiber_apart_blocked(f);
	}
	if (fiber_is_apart(f) && _fiber_apart_check(w, f))
		return false;
	_fiber_seat_regain(w);
	/* To be pinned is to want this thread, seat or not. */
	if (!fiber_is_spare(w) || f->pins)
		return false;
	leave(w, f, &w->idle, FIBER_LEFT_YIELDED);
	return true;
}

/* The heap of the worker that calls; other threads take the first one's. */
static struct fiber_worker *heap_owner(struct fiber_here *here)
{
	return here->is_worker ? fiber_worker_of(here) : rt->workers[0];
}

/* Somebody else's worker may sleep until what was the earliest before. */
static int kick_if_earliest(struct fiber_here *here, struct fiber_worker *w,
			    int earliest)
{
	if (earliest > 0 && !here->is_worker)
		_fiber_sched_kick(w);
	/* While that one is away the monitor runs its alarms. */
	if (earliest > 0 && unlikely(fiber_is_spare(w)))
		_fiber_monitor_rouse();
	return earliest < 0 ? earliest : 0;
}

int _fiber_sched_deadline(struct fiber_here *here, struct fiber *f,
			  int64_t deadline)
{
	struct fiber_worker *w = heap_owner(here);

	return kick_if_earliest(here, w,
				_fiber_alarm_deadline(&w->heap, f, deadline));
}

int _fiber_sched_alarm(struct fiber_here *here, struct fiber_alarm *alarm,
		       int64_t at)
{
	struct fiber_worker *w;
	/* Fibers clean up while it stops, and may want to do so in time. */
	int err = here->is_worker ? 0 : _fiber_rt_need();

	if (err || at == INT64_MAX)
		return err;
	w = heap_owner(here);
	return kick_if_earliest(here, w, _fiber_alarm_add(&w->heap, alarm, at));
}

/*
 * The fiber is at its end, and on its stack for the last time. If a fiber is to
 * run next that has none yet, it takes this one over, and this returns.
 */
static struct fiber_worker *finish(struct fiber_worker *w, int result,
				   bool may_return)
{
	struct fiber *f = w->here.cur;
	struct fiber_stack *stack = f->stack;
	uint32_t class = f->stack_class;
	struct fiber *to;

	FIBER_PROBE2(end, f, result);
	if (unlikely(rt->arena.soft) && !_fiber_stack_intact(stack))
		_fiber_stacks_overflowed(f);
	w->ended_sanitize = f->sanitize;
	_fiber_life_end(w, f, result);
	/* f may be another fiber from here on. */
	to = pick_queued(w);
	if (to && !is_plain(to)) {
		if (may_return && to->stack_class == class &&
		    !(to->flags & (FIBER_FLAG_STARTED | FIBER_FLAG_APART)) &&
		    likely(!at_load(&rt->nr_blockers, RELAXED))) {
			to->stack = stack;
			to->flags |= FIBER_FLAG_STARTED;
			to->sanitize = w->ended_sanitize;
			stack->entry = (uintptr_t)to->fn;
			stack->name = fiber_extra_name(to);
			w->here.cur = to;
			return w;
		}
		if (!admit(w, to))
			to = pick(w);
	}
	if (!to)
		to = &w->idle;
	w->left_how = FIBER_LEFT_ENDED;
	w->left_stack = stack;
	w->left_class = class;
	w->here.cur = to;
	_fiber_sanitize_leave(NULL, &to->sanitize);
	_fiber_switch(&w->ended_ctx, &to->ctx, w);
	__builtin_trap();
}

void _fiber_sched_exit(struct fiber_here *here, int result)
{
	finish(fiber_worker_of(here), result, false);
	__builtin_trap();
}

/* The last frame of every stack but _fiber_context_start(). */
static void entry(void *pass)
{
	struct fiber_worker *w = pass;

	arrive(w);
	for (;;) {
		struct fiber *f = w->here.cur;
		struct fiber_here *here;
		int result = 0;

		FIBER_PROBE2(start, f, w->number);
		if (f->flags & FIBER_FLAG_VOID)
			((void (*)(void *))(void *)f->fn)(f->arg);
		else
			result = f->fn(f->arg);
		here = _fiber_here();
		/* A child of fork() has returned from the fiber that forked. */
		if (unlikely(!here || !here->is_worker))
			exit(result);
		if (unlikely(here->cur->extra)) {
			_fiber_extra_end(here->cur);
			here = _fiber_here();
		}
		w = finish(fiber_worker_of(here), result, true);
	}
}

/* Run f, and what comes after it, until there is nothing. */
static void run(struct fiber_worker *w, struct fiber *f)
{
	leave(w, &w->idle, f, FIBER_LEFT_NOTHING);
}

void _fiber_sched_loop(struct fiber_worker *w)
{
	struct fiber *f;

	w->here.cur = &w->idle;
	_fiber_here_tls = &w->here;
	while (!at_load(&rt->quit, RELAXED)) {
		f = pick(w);
		if (!f && (f = _fiber_idle_find(w)) && !is_plain(f) &&
		    !admit(w, f))
			f = NULL;
		if (f)
			run(w, f);
	}
	_fiber_here_tls = NULL;
}
