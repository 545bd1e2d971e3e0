// SPDX-License-Identifier: MIT
/*
 * A worker without work: looking for some, sleeping, being woken. The protocol
 * is in sched.h.
 */
#include <fiber/run.h>

#include "apart.h"
#include "clock.h"
#include "monitor.h"
#include "probe.h"
#include "queue.h"
#include "seat.h"
#include "stacks.h"

#define rt (&_fiber_rt)

/*
 * Looking: so many pauses before the first round, twice as many before each next
 * one up to PAUSES_MAX. All rounds together take some 30 us, about what it
 * takes to wake a thread.
 */
#define PAUSES 40
#define PAUSES_MAX 320
#define ROUNDS_MAX 10
/* Loot that lasts no longer is not worth the way; up to 16 times the pauses then. */
#define CRUMB_NS 4000
#define CRUMBS_MAX 4
/* So many rounds without progress of its worker, and a lone fiber is taken. */
#define LONE_ROUNDS 2

void _fiber_sched_token(struct fiber_worker *w, uint32_t token)
{
	at_add(&rt->wakes, 1);
	at_store(&w->wake, token, RELEASE);
	_fiber_futex_wake(&w->wake, 1);
}

/* FIBER_TEST_MIGRATE: one that is woken may be the one that is not to have it. */
static void kick_all(void)
{
	uint32_t i;

	/* Who has been given a seat since looks itself, after the same fence. */
	at_fence();
	for (i = 0; i < fiber_workers_made(); i++) {
		if (!fiber_is_spare(rt->workers[i]))
			_fiber_sched_kick(rt->workers[i]);
	}
}

void _fiber_sched_submit(void)
{
	struct fiber_worker *w;
	uint32_t none = 0;

	if (unlikely(rt->flags & FIBER_TEST_MIGRATE)) {
		kick_all();
		return;
	}

	/* Pairs with the fence in go_idle(). */
	at_fence();
	while (at_load(&rt->idle, RELAXED) &&
	       !at_load(&rt->spinning, RELAXED) &&
	       at_cas(&rt->spinning, &none, 1)) {
		w = _fiber_seat_pop_idle();
		if (w) {
			/* spinning counts it. */
			_fiber_sched_token(w, FIBER_TOKEN_SEARCH);
			return;
		}
		/*
		 * Whoever submitted meanwhile took us for one that looks, and
		 * woke nobody: if somebody has gone to sleep since, once more.
		 */
		at_add(&rt->spinning, -1);
		at_fence_after();
	}
}

void _fiber_sched_kick(struct fiber_worker *w)
{
	enum fiber_list list;

	/* Pairs with the fence in go_idle(). */
	at_fence();
	if (!at_load(&w->asleep, RELAXED))
		return;
	list = _fiber_seat_get_up(w);
	if (list == FIBER_LIST_IDLE) {
		at_add(&rt->spinning, 1);
		_fiber_sched_token(w, FIBER_TOKEN_SEARCH);
	} else if (list == FIBER_LIST_SPARE) {
		_fiber_sched_token(w, FIBER_TOKEN_INBOX);
	}
}

/* What a thief remembers of the others from round to round. */
struct seen {
	uint32_t n; /* workers there were in the last round */
	uint32_t tick[FIBER_THREADS_MAX];
	uint8_t rounds[FIBER_THREADS_MAX]; /* without progress */
};

/* Half of the ring, all of it if its owner is stuck; the first is returned. */
static struct fiber *rob_ring(struct fiber_worker *w, struct fiber_worker *from,
			      bool all)
{
	struct fiber *out[FIBER_RING_SIZE];
	uint32_t n = fiber_ring_take(&from->ring, out, FIBER_RING_SIZE, !all);
	uint32_t i;

	/* Ours is empty or nearly; what does not fit goes on to all. */
	for (i = 1; i < n; i++)
		_fiber_queue_ring_push(w, out[i]);
	if (!n)
		return NULL;
	at_store(&w->steals, at_load(&w->steals, RELAXED) + n, RELAXED);
	return out[0];
}

static struct fiber *rob_next(struct fiber_worker *w, struct fiber_worker *from)
{
	struct fiber *f = at_load(&from->next, RELAXED) ?
				  at_xchg(&from->next, NULL) :
				  NULL;

	if (f)
		at_count(&w->steals);
	return f;
}

static struct fiber *rob(struct fiber_worker *w, struct fiber_worker *from,
			 bool stands)
{
	uint32_t loot = fiber_worker_loot(from);
	bool robbed = at_load(&from->robbed, RELAXED);
	struct fiber *f;

	if (!loot || (loot == 1 && !stands && !robbed))
		return NULL;
	f = rob_ring(w, from, robbed);
	if (!f && fiber_deque_len(&from->deque) &&
	    (f = fiber_deque_steal(&from->deque)))
		at_count(&w->steals);
	if (!f && (stands || robbed))
		f = rob_next(w, from);
	if (f)
		FIBER_PROBE3(steal, w->number, from->number, f);
	return f;
}

static struct fiber *rob_all(struct fiber_worker *w, struct seen *seen,
			     int round)
{
	uint32_t made = fiber_workers_made();
	uint32_t first = fiber_random(&w->here) % made;
	uint32_t i;

	for (i = 0; i < made; i++) {
		uint32_t n = (first + i) % made;
		struct fiber_worker *from = rt->workers[n];
		uint32_t tick = at_load(&from->tick, RELAXED);
		struct fiber *f;

		if (from == w)
			continue;
		if (round == 0 || n >= seen->n || tick != seen->tick[n])
			seen->rounds[n] = 0;
		else if (seen->rounds[n] < LONE_ROUNDS)
			seen->rounds[n]++;
		seen->tick[n] = tick;
		f = rob(w, from, seen->rounds[n] >= LONE_ROUNDS);
		if (f)
			return f;
	}
	seen->n = made;
	return NULL;
}

/* Alarms of workers that are too busy to look at them. */
static bool run_others_alarms(struct fiber_worker *w)
{
	int64_t now = 0;
	bool any = false;
	uint32_t i;

	for (i = 0; i < fiber_workers_made(); i++) {
		struct fiber_heap *heap = &rt->workers[i]->heap;

		if (at_load(&heap->earliest, RELAXED) == INT64_MAX)
			continue;
		if (!now)
			now = _fiber_clock_now();
		any |= _fiber_heap_run(heap, &w->here, now);
	}
	return any;
}

static struct fiber *look(struct fiber_worker *w, struct seen *seen, int round)
{
	struct fiber *f;

	if ((f = _fiber_queue_global_pop(w)) || (f = rob_all(w, seen, round)))
		return f;
	if (at_load(&w->inbox_len, RELAXED))
		return _fiber_queue_inbox_pop(w);
	/* What an alarm wakes is in next, or the global queue. */
	if (round == 0 && run_others_alarms(w))
		return at_xchg(&w->next, NULL);
	return NULL;
}

/* Wait, but not for what was given to this worker or to all. */
static void pause_for(struct fiber_worker *w, uint32_t pauses)
{
	uint32_t i;

	for (i = 0; i < pauses; i++) {
		if (at_load(&w->inbox_len, RELAXED) ||
		    at_load(&rt->global_len, RELAXED) ||
		    at_load(&rt->quit, RELAXED))
			return;
		at_pause();
	}
}

/* How often in a row what it found was done in no time. */
static uint32_t count_crumbs(struct fiber_worker *w)
{
	if (_fiber_clock_real() - w->found_at > CRUMB_NS)
		w->crumbs = 0;
	else if (w->crumbs < CRUMBS_MAX)
		w->crumbs++;
	return w->crumbs;
}

/*
 * The worker is the one that spins. How long depends on how it went before. It
 * waits before it looks at the others' queues for the first time, too: a thief
 * that comes back for each of many short fibers costs more than it gains.
 */
static struct fiber *search(struct fiber_worker *w)
{
	struct seen seen;
	uint32_t pauses = PAUSES << count_crumbs(w);
	uint32_t round;

	for (round = 0; round < w->spin_rounds; round++) {
		struct fiber *f;

		pause_for(w, pauses);
		f = look(w, &seen, round);
		if (f) {
			w->spin_rounds += 2;
			if (w->spin_rounds > ROUNDS_MAX)
				w->spin_rounds = ROUNDS_MAX;
			w->found_at = _fiber_clock_real();
			return f;
		}
		if (pauses < PAUSES_MAX)
			pauses *= 2;
	}
	w->spin_rounds = (w->spin_rounds + 2) / 2;
	return NULL;
}

/* More than a lone fiber, which is left to its worker. */
static bool loot_visible(struct fiber_worker *w)
{
	uint32_t i;

	for (i = 0; i < fiber_workers_made(); i++) {
		if (rt->workers[i] != w &&
		    fiber_worker_loot(rt->workers[i]) > 1)
			return true;
	}
	return false;
}

/* What is this worker's own affair, with and without a seat. */
static bool is_wanted(struct fiber_worker *w)
{
	return at_load(&w->inbox_len, RELAXED) || at_load(&rt->quit, RELAXED);
}

/* What it may take without being the one that spins. */
static bool work_visible(struct fiber_worker *w)
{
	return is_wanted(w) ||
	       (!fiber_is_spare(w) && _fiber_queue_global_has(w));
}

/* Have somebody who sleeps look, if there is work. */
static void offer(struct fiber_worker *w)
{
	if (at_load(&rt->global_len, RELAXED) || loot_visible(w))
		_fiber_sched_submit();
}

/* It found something, or gives up: the next one looks if there is more. */
static void stop_spinning(struct fiber_worker *w)
{
	uint32_t before = at_add(&rt->spinning, -1);

	at_fence_after();
	if (before == 1)
		offer(w);
}

void _fiber_sched_offer(void)
{
	/* Pairs with the fence of who submitted when no worker was idle. */
	at_fence();
	offer(NULL);
}

/* The time of the earliest alarm of all, if all workers sleep. */
static int64_t all_idle_until(void)
{
	int64_t t = INT64_MAX;
	uint32_t made = fiber_workers_made();
	uint32_t i;

	fiber_lock(&rt->idle_lock);
	/* Under FIBER_TEST_MIGRATE there may be a fiber for another one. */
	if (at_load(&rt->idle, RELAXED) == rt->nr_workers &&
	    at_load(&rt->spares, RELAXED) + rt->nr_workers == made &&
	    !at_load(&rt->global_len, RELAXED) &&
	    !at_load(&rt->bound_awake, RELAXED)) {
		for (i = 0; i < made; i++) {
			int64_t at = at_load(&rt->workers[i]->heap.earliest,
					     RELAXED);

			t = at < t ? at : t;
		}
	}
	fiber_unlock(&rt->idle_lock);
	return t;
}

/* The virtual clock: nobody can run before the next alarm, so it is due now. */
static bool skip_time(void)
{
	int64_t t;

	if (!_fiber_clock_is_virtual() || (t = all_idle_until()) == INT64_MAX)
		return false;
	_fiber_clock_advance(t);
	return true;
}

/* In a list. Whether it was taken out by another, or by its own alarm. */
static bool sleep_until_woken(struct fiber_worker *w)
{
	int64_t until = INT64_MAX;
	int err;

	while (!at_load(&w->wake, ACQUIRE)) {
		if (!_fiber_clock_is_virtual())
			until = at_load(&w->heap.earliest, SEQ_CST);
		FIBER_PROBE2(worker__idle, w->number, until);
		err = _fiber_futex_wait(&w->wake, 0, until);
		FIBER_PROBE2(worker__wake, w->number, err);
		if (err)
			return _fiber_seat_get_up(w) == FIBER_LIST_NONE;
	}
	return true;
}

/* In a list: look once more, and sleep. As sleep_until_woken(). */
static bool look_and_sleep(struct fiber_worker *w, bool was_spinning)
{
	bool has_seat = !fiber_is_spare(w);

	/* Others have relied on our look, and our seat is another's now. */
	if (unlikely(was_spinning && !has_seat))
		offer(w);
	/* Loot is left to the one that spins; who stops spinning looks again. */
	if (work_visible(w) ||
	    (has_seat && !at_load(&rt->spinning, RELAXED) && loot_visible(w)) ||
	    skip_time())
		return _fiber_seat_get_up(w) == FIBER_LIST_NONE;
	return sleep_until_woken(w);
}

/* Who took us out of the list gives us the token, if it has not yet. */
static uint32_t await_token(struct fiber_worker *w)
{
	uint32_t token;

	while (!(token = at_load(&w->wake, ACQUIRE)))
		_fiber_futex_wait(&w->wake, 0, INT64_MAX);
	return token;
}

/*
 * Sleep until there may be work. Returns whether the worker has been woken as
 * the one that looks for it.
 */
static bool go_idle(struct fiber_worker *w, bool spinning)
{
	/* There may be many spares, each with stacks that it does not need. */
	if (unlikely(at_load(&rt->nr_starved, RELAXED) || fiber_is_spare(w)))
		_fiber_stacks_return(w);
	at_store(&w->wake, 0, RELAXED);
	at_store(&w->asleep, 1, RELAXED);
	_fiber_seat_lie_down(w);
	if (spinning)
		at_add(&rt->spinning, -1);
	/* Pairs with those in _fiber_sched_submit() and _fiber_sched_kick(). */
	at_fence();
	spinning = look_and_sleep(w, spinning) &&
		   await_token(w) == FIBER_TOKEN_SEARCH;
	at_store(&w->asleep, 0, RELAXED);
	at_fence();
	_fiber_monitor_rouse();
	return spinning;
}

/* One at a time, and none where there is nobody to take from. */
static bool start_spinning(void)
{
	uint32_t none = 0;

	return fiber_workers_made() > 1 && !(rt->flags & FIBER_TEST_MIGRATE) &&
	       !at_load(&rt->spinning, RELAXED) &&
	       at_cas(&rt->spinning, &none, 1);
}

static struct fiber *find(struct fiber_worker *w, bool *spinning)
{
	if (fiber_is_spare(w))
		return NULL;
	if (!*spinning)
		*spinning = start_spinning();
	return *spinning ? search(w) : _fiber_queue_global_pop(w);
}

/* It has run what it had: back to a seat, if there is one. */
static void come_back(struct fiber_worker *w)
{
	if (w->apart_fn)
		_fiber_apart_end(w);
	/* With a seat it might take up something else before what it is for. */
	if (fiber_is_spare(w) && !at_load(&w->inbox_len, RELAXED))
		_fiber_seat_regain(w);
}

struct fiber *_fiber_idle_find(struct fiber_worker *w)
{
	bool spinning = false;
	struct fiber *f = NULL;

	while (!at_load(&rt->quit, RELAXED)) {
		bool ran;

		come_back(w);
		ran = _fiber_clock_is_virtual() ? run_others_alarms(w) :
						  _fiber_queue_run_alarms(w);
		if (ran || at_load(&w->inbox_len, RELAXED))
			break;
		f = find(w, &spinning);
		if (f)
			break;
		spinning = go_idle(w, spinning);
	}
	if (spinning)
		stop_spinning(w);
	return f;
}
