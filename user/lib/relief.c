// SPDX-License-Identifier: MIT
/*
 * Who loses a seat.
 */
#include "apart.h"
#include "blocked.h"
#include "probe.h"
#include "queue.h"
#include "relief.h"
#include "seat.h"

#define rt (&_fiber_rt)

#define HOG_LOOKS 2
/* On a CPU, not as the clock on the wall has it. */
#define HOG_NS 700000
#define HOG_EVERY 10
#define HOGS_MIN 4
/* So many looks in the kernel, and nobody waits for the seat. */
#define LONG_LOOKS 10

/* Work waits that those who make progress will not do at once. */
static bool is_pressed(void)
{
	uint32_t i;

	if (at_load(&rt->idle, RELAXED))
		return false;
	if (at_load(&rt->global_len, RELAXED))
		return true;
	for (i = 0; i < fiber_workers_made(); i++) {
		struct fiber_worker *w = rt->workers[i];
		uint32_t loot = fiber_worker_loot(w);

		if (loot > 1 || (loot && at_load(&w->stuck, RELAXED)))
			return true;
	}
	return false;
}

/* It holds a seat and has made no progress for so many looks. */
static bool is_stuck(const struct fiber_worker *w, uint32_t looks)
{
	return at_load(&w->stuck, RELAXED) >= looks && !fiber_is_spare(w) &&
	       !at_load(&w->asleep, RELAXED);
}

/* What it runs, for a hint: it may be another fiber's by now, or no fiber's. */
static __attribute__((no_sanitize("thread"))) void note(struct fiber_worker *w)
{
	const volatile struct fiber *f =
		*(struct fiber *volatile *)&w->here.cur;
	int (*fn)(void *) = f->fn;

	FIBER_PROBE2(block, w->number, f);
	at_add(&rt->blocks, 1);
	if (fn)
		_fiber_apart_saw(fn);
}

/* Those who hold seats may be too busy to look at what it had. */
static void take_over(struct fiber_worker *w)
{
	_fiber_queue_hand_over(w);
	_fiber_sched_submit();
}

static void replace_blocked(bool pressed)
{
	uint32_t made = fiber_workers_made();
	uint32_t i;

	for (i = 0; i < made; i++) {
		struct fiber_worker *w = rt->workers[i];
		uint32_t stuck = at_load(&w->stuck, RELAXED);

		if (!is_stuck(w, 1) || !(pressed || stuck % LONG_LOOKS == 0) ||
		    !_fiber_blocked(w))
			continue;
		note(w);
		if (_fiber_seat_take(w, FIBER_HERE_BLOCKED))
			take_over(w);
	}
}

/* Who has lost a seat and computes on. */
static uint32_t count_relieved(void)
{
	uint32_t n = 0;
	uint32_t i;

	for (i = 0; i < fiber_workers_made(); i++) {
		struct fiber_worker *w = rt->workers[i];

		w->relieved = w->relieved && fiber_is_spare(w) &&
			      at_load(&w->stuck, RELAXED);
		n += w->relieved;
	}
	return n;
}

/* For how long each has run, from when it first made no progress. */
static void start_clocks(void)
{
	uint32_t i;

	for (i = 0; i < fiber_workers_made(); i++) {
		struct fiber_worker *w = rt->workers[i];

		if (is_stuck(w, 1) && at_load(&w->stuck, RELAXED) == 1)
			w->hog_cpu = _fiber_blocked_ran(w);
	}
}

/* One that waits for a CPU has none to share. */
static bool has_computed(const struct fiber_worker *w)
{
	int64_t ran = _fiber_blocked_ran(w);

	return ran < 0 || ran - w->hog_cpu >= HOG_NS;
}

/* The one that has computed for longest, if all have for a while. */
static struct fiber_worker *longest(void)
{
	struct fiber_worker *found = NULL;
	uint32_t seats = 0;
	uint32_t i;

	for (i = 0; i < fiber_workers_made(); i++) {
		struct fiber_worker *w = rt->workers[i];

		if (!is_stuck(w, HOG_LOOKS))
			continue;
		seats++;
		if (!found || at_load(&w->stuck, RELAXED) >
				      at_load(&found->stuck, RELAXED))
			found = w;
	}
	return seats == rt->nr_workers ? found : NULL;
}

static void relieve_hog(uint32_t number)
{
	uint32_t relieved = count_relieved();
	uint32_t most = rt->nr_workers > HOGS_MIN ? rt->nr_workers : HOGS_MIN;
	struct fiber_worker *w;

	if (relieved >= most || (relieved && number % HOG_EVERY))
		return;
	w = longest();
	if (!w || !has_computed(w) || !_fiber_seat_take(w, 0))
		return;
	w->relieved = true;
	take_over(w);
}

void _fiber_relief(uint32_t number)
{
	bool pressed = is_pressed();

	if (at_load(&rt->wanted, RELAXED))
		_fiber_seat_stock();
	start_clocks();
	replace_blocked(pressed);
	if (pressed && is_pressed())
		relieve_hog(number);
}
