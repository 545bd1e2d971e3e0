// SPDX-License-Identifier: MIT
/*
 * Making, joining and ending fibers.
 */
#include <errno.h>
#include <string.h>

#include <fiber/cancel.h>
#include <fiber/fiber.h>
#include <fiber/run.h>

#include "bound.h"
#include "cancel.h"
#include "control.h"
#include "extra.h"
#include "life.h"
#include "probe.h"
#include "sized.h"
#include "stacks.h"

#define rt (&_fiber_rt)

static __attribute__((noinline)) struct fiber *refill(struct fiber_worker *w)
{
	struct fiber *f;

	w->nr_free = _fiber_control_get(&w->free, FIBER_CACHE_BATCH);
	f = w->free;
	if (f) {
		w->free = f->next;
		w->nr_free--;
	}
	return f;
}

/* By a thread that is no worker. */
static __attribute__((noinline)) struct fiber *get_control_far(void)
{
	struct fiber *f;

	_fiber_control_get(&f, 1);
	return f;
}

static inline struct fiber *get_control(struct fiber_here *here)
{
	struct fiber_worker *w = fiber_worker_of(here);
	struct fiber *f;

	if (unlikely(!here->is_worker))
		return get_control_far();
	f = w->free;
	if (unlikely(!f))
		return refill(w);
	w->free = f->next;
	w->nr_free--;
	return f;
}

static __attribute__((noinline)) void spill(struct fiber_worker *w)
{
	struct fiber *first = w->free;
	struct fiber *last = first;
	int i;

	for (i = 1; i < FIBER_CACHE_BATCH; i++)
		last = last->next;
	w->free = last->next;
	w->nr_free -= FIBER_CACHE_BATCH;
	_fiber_control_put(first, last);
}

static inline void put_control(struct fiber_here *here, struct fiber *f)
{
	struct fiber_worker *w = fiber_worker_of(here);

	at_set(&f->kind, FIBER_KIND_FREE);
	if (unlikely(f->extra))
		_fiber_extra_free(f);
	if (unlikely(!here || !here->is_worker)) {
		_fiber_control_put(f, f);
		return;
	}
	f->next = w->free;
	w->free = f;
	if (unlikely(++w->nr_free > FIBER_CACHE_MAX))
		spill(w);
}

/* A control block becomes a fiber. */
static inline void init(struct fiber *f, int (*fn)(void *), void *arg,
			uint16_t flags, uint32_t refs)
{
	f->stack = NULL;
	/* The last one in it may have been cancelled, and not waited since. */
	at_store(&f->park, _fiber_park_ticket(f) + FIBER_PARK_GENERATION,
		 RELAXED);
	at_store(&f->attention, 0, RELAXED);
	f->flags = flags;
	f->pins = 0;
	f->fn = fn;
	f->arg = arg;
	f->refs = refs;
	f->life++;
	at_set(&f->masked, 0);
	f->worker = 0;
	at_set(&f->why, 0);
	f->stack_class = 0;
	at_set(&f->kind, FIBER_KIND_FIBER);
}

/* Returns 0, to end with. */
static inline int launch(struct fiber_here *here, struct fiber *f)
{
	FIBER_PROBE2(spawn, f, f->fn);
	if (likely(here->is_worker))
		at_count(&fiber_worker_of(here)->spawned);
	else
		at_add(&rt->spawned, 1);
	return _fiber_sched_fresh(here, f);
}

/* Whether fibers can be made without further ado, by a worker with a free block. */
static inline bool is_easy(struct fiber_here *here)
{
	return here && here->is_worker && fiber_worker_of(here)->free &&
	       at_load(&rt->state, RELAXED) == FIBER_RT_RUNNING &&
	       !at_load(&rt->nr_starved, RELAXED);
}

/* Whether fibers can be made now, after starting if needed: 0 or -errno. */
static int may_make(void)
{
	int err = _fiber_rt_need();

	if (!err && at_load(&rt->nr_starved, RELAXED))
		err = -ENOMEM;
	return err;
}

/* NULL: *err says why. */
static struct fiber *get_control_slow(struct fiber_here **here, int *err)
{
	struct fiber *f;

	*here = fiber_here_get(err);
	if (!*here)
		return NULL;
	*err = may_make();
	if (*err)
		return NULL;
	f = get_control(*here);
	if (!f)
		*err = -ENOMEM;
	return f;
}

static __attribute__((noinline)) int go_slow(void (*fn)(void *), void *arg)
{
	struct fiber_here *here;
	struct fiber *f;
	int err;

	if (!fn)
		return -EINVAL;
	f = get_control_slow(&here, &err);
	if (!f)
		return err;
	init(f, (int (*)(void *))(void *)fn, arg,
	     FIBER_FLAG_VOID | FIBER_FLAG_DETACHED, 1);
	return launch(here, f);
}

int fiber_go(void (*fn)(void *), void *arg)
{
	struct fiber_here *here = _fiber_here();
	struct fiber *f;

	if (unlikely(!fn || !is_easy(here)))
		return go_slow(fn, arg);
	f = get_control(here);
	init(f, (int (*)(void *))(void *)fn, arg,
	     FIBER_FLAG_VOID | FIBER_FLAG_DETACHED, 1);
	return launch(here, f);
}

static int apply(struct fiber *f, const struct fiber_attr *given)
{
	struct fiber_attr attr;
	struct fiber_why why;
	int class;
	int err = _fiber_sized_get(&attr, sizeof(attr), given, given->size);

	if (err)
		return err;
	if (attr.flags & ~FIBER_BOUND || attr.reserved)
		return -EINVAL;
	if (attr.name) {
		if (!_fiber_extra_get(f))
			return -ENOMEM;
		_fiber_extra_set_name(f->extra, attr.name);
	}
	if (attr.flags & FIBER_BOUND)
		return _fiber_bound_make(f, attr.stack_size);
	class = _fiber_stacks_class(attr.stack_size, &why);
	if (class < 0) {
		_fiber_rt_failed(&why);
		return class;
	}
	f->stack_class = class;
	return 0;
}

int _fiber_life_make(struct fiber **fiber, int (*fn)(void *), void *arg,
		     const struct fiber_attr *attr, uint32_t refs)
{
	struct fiber_here *here;
	struct fiber *f;
	int err;

	f = get_control_slow(&here, &err);
	if (!f)
		return err;
	init(f, fn, arg, 0, refs);
	err = attr ? apply(f, attr) : 0;
	if (err)
		put_control(here, f);
	else
		*fiber = f;
	return err;
}

void _fiber_life_launch(struct fiber *f)
{
	if (likely(at_own(&f->kind) == FIBER_KIND_FIBER)) {
		launch(_fiber_here(), f);
		return;
	}
	at_add(&rt->spawned, 1);
	_fiber_bound_launch(f);
}

void _fiber_life_unmake(struct fiber *f)
{
	if (at_own(&f->kind) == FIBER_KIND_BOUND)
		_fiber_bound_unmake(f);
	put_control(_fiber_here(), f);
}

static __attribute__((noinline)) int spawn_slow(struct fiber **fiber,
						int (*fn)(void *), void *arg,
						const struct fiber_attr *attr)
{
	int err;

	if (!fiber || !fn)
		return -EINVAL;
	err = _fiber_life_make(fiber, fn, arg, attr, 2);
	if (!err)
		_fiber_life_launch(*fiber);
	return err;
}

int fiber_spawn(struct fiber **fiber, int (*fn)(void *), void *arg,
		const struct fiber_attr *attr)
{
	struct fiber_here *here = _fiber_here();
	struct fiber *f;

	if (unlikely(attr || !fiber || !fn || !is_easy(here)))
		return spawn_slow(fiber, fn, arg, attr);
	f = get_control(here);
	/* A reference of the fiber's own, and the caller's. */
	init(f, fn, arg, 0, 2);
	*fiber = f;
	return launch(here, f);
}

static bool has_ended(const struct fiber *f)
{
	return at_own(&f->kind) == FIBER_KIND_FREE;
}

/* f->lock is held: let it go, and f if this was the last reference. */
static inline void put_unlock(struct fiber_here *here, struct fiber *f)
{
	bool last = --f->refs == 0;

	fiber_unlock(&f->lock);
	if (last)
		put_control(here, f);
}

/* A joiner that was claimed has given its reference back. */
static inline void wake_joiner(struct fiber_here *here, struct fiber_waiter *w,
			       uint64_t won, int result)
{
	if (w->elem)
		*(int *)w->elem = result;
	w->result = 0;
	fiber_park_wake(here, w->fiber, won, w, 0);
}

/* All but the first; that there are more is rare. */
static __attribute__((noinline)) void
wake_more(struct fiber_here *here, struct fiber_waiter *first, int result)
{
	struct fiber_waiter *w;

	while ((w = first)) {
		fiber_waiter_del(&first, w);
		wake_joiner(here, w, w->ticket, result);
	}
}

/* f->lock is held: take out all that can be had, as a ring of their own. */
static __attribute__((noinline)) struct fiber_waiter *
claim_more(struct fiber *f)
{
	struct fiber_waiter *claimed = NULL;
	struct fiber_waiter *w;
	uint64_t won;

	while ((w = fiber_waiter_claim(&f->joiners, &won))) {
		f->refs--;
		/* Nobody else wants to know it any more. */
		w->ticket = won;
		fiber_waiter_add(&claimed, w);
	}
	return claimed;
}

static inline void end(struct fiber_here *here, struct fiber *f, int result)
{
	struct fiber_waiter *joiner = NULL;
	struct fiber_waiter *more = NULL;
	uint64_t won = 0;
	bool last;

	if (f->flags & FIBER_FLAG_DETACHED) {
		put_control(here, f);
		return;
	}
	fiber_lock(&f->lock);
	f->result = result;
	at_set(&f->kind, FIBER_KIND_FREE);
	f->refs--;
	if (f->joiners && (joiner = fiber_waiter_claim(&f->joiners, &won))) {
		f->refs--;
		if (unlikely(f->joiners))
			more = claim_more(f);
	}
	last = f->refs == 0;
	fiber_unlock(&f->lock);
	if (last)
		put_control(here, f);
	if (joiner)
		wake_joiner(here, joiner, won, result);
	if (unlikely(more))
		wake_more(here, more, result);
}

void _fiber_life_end(struct fiber_worker *w, struct fiber *f, int result)
{
	at_count(&w->ended);
	end(&w->here, f, result);
}

void _fiber_life_end_bound(struct fiber_here *here, struct fiber *f, int result)
{
	at_add(&rt->ended, 1);
	end(here, f, result);
}

/* f->lock is held and is let go. */
static __attribute__((noinline)) int join_ended(struct fiber_here *here,
						struct fiber *f, int *result)
{
	int value = f->result;

	put_unlock(here, f);
	if (result)
		*result = value;
	return 0;
}

/* Who calls, past the scheduling point; NULL: *err says why. */
static struct fiber_here *enter(struct fiber *f, int *err)
{
	struct fiber_here *here = _fiber_here();

	if (!f)
		*err = -EINVAL;
	else if (here && f == here->cur)
		*err = -EDEADLK;
	else
		return _fiber_enter(err);
	return NULL;
}

static int join(struct fiber *f, int *result, int64_t deadline)
{
	int err;
	struct fiber_here *here = enter(f, &err);

	if (!here)
		return err;
	fiber_lock(&f->lock);
	if (has_ended(f))
		return join_ended(here, f, result);
	return _fiber_park_queue(here, &f->lock, &f->joiners, result, deadline,
				 FIBER_CALL_JOIN);
}

int fiber_join(struct fiber *fiber, int *result)
{
	struct fiber_here *here = _fiber_here();

	if (unlikely(!fiber || !here || fiber == here->cur ||
		     fiber_attention(here) || !fiber_trylock(&fiber->lock)))
		return join(fiber, result, INT64_MAX);
	if (has_ended(fiber))
		return join_ended(here, fiber, result);
	return _fiber_park_queue(here, &fiber->lock, &fiber->joiners, result,
				 INT64_MAX, FIBER_CALL_JOIN);
}

int fiber_join_until(struct fiber *fiber, int *result, int64_t deadline)
{
	return join(fiber, result, deadline);
}

int fiber_try_join(struct fiber *fiber, int *result)
{
	int err;
	struct fiber_here *here = enter(fiber, &err);

	if (!here)
		return err == -ECANCELED ? -EAGAIN : err;
	fiber_lock(&fiber->lock);
	if (has_ended(fiber))
		return join_ended(here, fiber, result);
	fiber_unlock(&fiber->lock);
	return -EAGAIN;
}

struct fiber *fiber_get(struct fiber *fiber)
{
	struct fiber_here *here = _fiber_here();

	if (!fiber)
		return NULL;
	fiber_lock(&fiber->lock);
	/* Of a detached fiber, only itself can call this. */
	if (here && here->cur == fiber)
		fiber->flags &= ~FIBER_FLAG_DETACHED;
	fiber->refs++;
	fiber_unlock(&fiber->lock);
	return fiber;
}

void fiber_put(struct fiber *fiber)
{
	if (!fiber)
		return;
	fiber_lock(&fiber->lock);
	put_unlock(_fiber_here(), fiber);
}

uint64_t fiber_id(const struct fiber *fiber)
{
	return fiber ? (uint64_t)fiber->life << 32 | fiber->index : 0;
}

uint64_t _fiber_life_count(void)
{
	uint64_t n = -at_load(&rt->ended, SEQ_CST);
	uint32_t i;

	n += at_load(&rt->spawned, SEQ_CST);
	for (i = 0; i < fiber_workers_made(); i++) {
		/* First what has ended: never more than were made. */
		n -= at_load(&rt->workers[i]->ended, SEQ_CST);
	}
	for (i = 0; i < fiber_workers_made(); i++)
		n += at_load(&rt->workers[i]->spawned, SEQ_CST);
	return n;
}

uint64_t _fiber_life_cancel_all(void)
{
	struct fiber_here *known = _fiber_here();
	struct fiber_here *here = known ? known : &rt->monitor_here;
	uint32_t n = _fiber_control_count();
	uint32_t i;

	for (i = _fiber_control_first(); i < n; i++) {
		struct fiber *f = _fiber_control_at(i);

		if (fiber_kind_is_fiber(at_load(&f->kind, RELAXED)))
			_fiber_cancel(here, f, 1);
	}
	return _fiber_life_count();
}
