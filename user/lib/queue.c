// SPDX-License-Identifier: MIT
/*
 * Global queue, overflow, inbox.
 */
#include <fiber/run.h>

#include "clock.h"
#include "queue.h"
#include "seat.h"

#define rt (&_fiber_rt)
#define HALF (FIBER_RING_SIZE / 2)

static void append(struct fiber **first, struct fiber **last,
		   struct fiber *head, struct fiber *tail)
{
	tail->next = NULL;
	if (*first)
		(*last)->next = head;
	else
		*first = head;
	*last = tail;
}

void _fiber_queue_global_push(struct fiber *first, struct fiber *last,
			      uint32_t n)
{
	fiber_lock(&rt->global_lock);
	append(&rt->global, &rt->global_last, first, last);
	at_store(&rt->global_len, at_load(&rt->global_len, RELAXED) + n,
		 RELAXED);
	fiber_unlock(&rt->global_lock);
}

/*
 * FIBER_TEST_MIGRATE: is there nobody else who could take what ran here? No seat
 * is passed on meanwhile from one that was not looked at to one that was.
 */
static bool is_alone(const struct fiber_worker *w)
{
	bool alone = true;
	uint32_t i;

	fiber_lock(&rt->idle_lock);
	for (i = 0; i < fiber_workers_made() && alone; i++) {
		alone = rt->workers[i] == w || fiber_is_spare(rt->workers[i]) ||
			at_load(&rt->workers[i]->stuck, RELAXED) >=
				FIBER_STUCK_LOOKS;
	}
	fiber_unlock(&rt->idle_lock);
	return alone;
}

/*
 * global_lock is held. The first that w may run, and in *before the one before
 * it: under FIBER_TEST_MIGRATE the first that ran on another worker.
 */
static struct fiber *find_first(const struct fiber_worker *w,
				struct fiber **before)
{
	struct fiber *f = rt->global;

	*before = NULL;
	if (likely(!(rt->flags & FIBER_TEST_MIGRATE)) || is_alone(w))
		return f;
	while (f && f->stack && f->worker == w->number) {
		*before = f;
		f = f->next;
	}
	return f;
}

/* global_lock is held. */
static struct fiber *unlink_first(const struct fiber_worker *w)
{
	struct fiber *before;
	struct fiber *f = find_first(w, &before);

	if (!f)
		return NULL;
	if (before)
		before->next = f->next;
	else
		rt->global = f->next;
	if (rt->global_last == f)
		rt->global_last = before;
	at_store(&rt->global_len, at_load(&rt->global_len, RELAXED) - 1,
		 RELAXED);
	return f;
}

bool _fiber_queue_global_has(const struct fiber_worker *w)
{
	struct fiber *before;
	bool has;

	if (!at_load(&rt->global_len, RELAXED))
		return false;
	if (likely(!(rt->flags & FIBER_TEST_MIGRATE)))
		return true;
	fiber_lock(&rt->global_lock);
	has = find_first(w, &before);
	fiber_unlock(&rt->global_lock);
	return has;
}

/* How many more the worker may take: its share, and what fits in its ring. */
static uint32_t share(struct fiber_worker *w)
{
	uint32_t n = at_load(&rt->global_len, RELAXED) / rt->nr_workers;
	uint32_t len = fiber_ring_len(&w->ring);
	uint32_t room = len < HALF ? HALF - len : 0;

	if (rt->flags & FIBER_TEST_MIGRATE)
		return 0;
	return n < room ? n : room;
}

struct fiber *_fiber_queue_global_pop(struct fiber_worker *w)
{
	struct fiber *f;
	struct fiber *more;
	uint32_t n;

	if (!at_load(&rt->global_len, RELAXED))
		return NULL;
	fiber_lock(&rt->global_lock);
	f = unlink_first(w);
	for (n = f ? share(w) : 0; n > 0; n--) {
		more = unlink_first(w);
		if (!more || !fiber_ring_push(&w->ring, more))
			break;
	}
	fiber_unlock(&rt->global_lock);
	return f;
}

void _fiber_queue_ring_push(struct fiber_worker *w, struct fiber *f)
{
	struct fiber *out[HALF];
	uint32_t n;
	uint32_t i;

	while (unlikely(!fiber_ring_push(&w->ring, f))) {
		n = fiber_ring_take(&w->ring, out, HALF, false);
		if (!n)
			continue;
		for (i = 0; i + 1 < n; i++)
			out[i]->next = out[i + 1];
		_fiber_queue_global_push(out[0], out[n - 1], n);
	}
}

static void add(struct fiber_batch *batch, struct fiber *f)
{
	if (!f)
		return;
	append(&batch->first, &batch->last, f, f);
	batch->n++;
}

/* Those that are not pinned, and so need not wait for this one. */
static void empty_inbox(struct fiber_worker *w, struct fiber_batch *batch)
{
	struct fiber *f;
	struct fiber *list;
	uint32_t kept = 0;

	if (!at_load(&w->inbox_len, RELAXED))
		return;
	fiber_lock(&w->inbox_lock);
	list = w->inbox;
	w->inbox = NULL;
	while ((f = list)) {
		list = f->next;
		if (f->pins) {
			append(&w->inbox, &w->inbox_last, f, f);
			kept++;
		} else {
			add(batch, f);
		}
	}
	at_store(&w->inbox_len, kept, RELAXED);
	fiber_unlock(&w->inbox_lock);
}

void _fiber_queue_hand_over(struct fiber_worker *w)
{
	struct fiber_batch batch = { 0 };
	struct fiber *f;

	empty_inbox(w, &batch);
	add(&batch, at_xchg(&w->next, NULL));
	while ((f = fiber_ring_pop(&w->ring)))
		add(&batch, f);
	while (fiber_deque_len(&w->deque))
		add(&batch, fiber_deque_steal(&w->deque));
	if (!batch.n)
		return;
	_fiber_queue_global_push(batch.first, batch.last, batch.n);
	_fiber_sched_submit();
}

struct fiber *_fiber_queue_balance(struct fiber_worker *w)
{
	struct fiber *out[HALF];
	uint32_t other = fiber_random(&w->here) % fiber_workers_made();
	uint32_t theirs = fiber_ring_len(&rt->workers[other]->ring);
	uint32_t ours = fiber_ring_len(&w->ring);
	uint32_t n;
	uint32_t i;

	if (theirs < ours + 2)
		return NULL;
	n = (theirs - ours) / 2;
	n = fiber_ring_take(&rt->workers[other]->ring, out, n < HALF ? n : HALF,
			    false);
	for (i = 1; i < n; i++)
		_fiber_queue_ring_push(w, out[i]);
	at_store(&w->steals, at_load(&w->steals, RELAXED) + n, RELAXED);
	return n ? out[0] : NULL;
}

void _fiber_queue_inbox_push(struct fiber_worker *w, struct fiber *f)
{
	fiber_lock(&w->inbox_lock);
	append(&w->inbox, &w->inbox_last, f, f);
	at_store(&w->inbox_len, at_load(&w->inbox_len, RELAXED) + 1, RELAXED);
	fiber_unlock(&w->inbox_lock);
}

struct fiber *_fiber_queue_inbox_pop(struct fiber_worker *w)
{
	struct fiber *f;

	fiber_lock(&w->inbox_lock);
	f = w->inbox;
	if (f) {
		w->inbox = f->next;
		at_store(&w->inbox_len, at_load(&w->inbox_len, RELAXED) - 1,
			 RELAXED);
	}
	fiber_unlock(&w->inbox_lock);
	return f;
}

bool _fiber_queue_run_alarms(struct fiber_worker *w)
{
	if (at_load(&w->heap.earliest, RELAXED) == INT64_MAX)
		return false;
	w->here.past = _fiber_clock_now();
	return _fiber_heap_run(&w->heap, &w->here, w->here.past);
}
