// SPDX-License-Identifier: MIT
/*
 * Scores.
 */
#include "apart.h"
#include "blocked.h"

#define rt (&_fiber_rt)

/* Of a function: from so many on its new fibers are apart from the start. */
#define KNOWN 2
#define KNOWN_MAX 8

static fiber_word *score_of(int (*fn)(void *))
{
	/* How far it is from here, which does not depend on the loader's mood. */
	uint64_t far = (uintptr_t)fn - (uintptr_t)_fiber_apart_saw;
	uint64_t hash = far * 0x9e3779b97f4a7c15u;

	return &rt->blockers[hash >> 32 & (FIBER_BLOCKERS - 1)];
}

void _fiber_apart_saw(int (*fn)(void *))
{
	fiber_word *score = score_of(fn);
	uint32_t seen = at_load(score, RELAXED);

	while (seen < KNOWN_MAX && !at_cas(score, &seen, seen + 1))
		;
	if (seen == KNOWN - 1)
		at_add(&rt->nr_blockers, 1);
}

static void saw_none(int (*fn)(void *))
{
	fiber_word *score = score_of(fn);
	uint32_t seen = at_load(score, RELAXED);

	while (seen && !at_cas(score, &seen, seen - 1))
		;
	if (seen == KNOWN)
		at_add(&rt->nr_blockers, -1);
}

void _fiber_apart_blocked(struct fiber *f)
{
	if ((f->flags & FIBER_FLAG_SCORE) != FIBER_FLAG_SCORE)
		f->flags += FIBER_FLAG_SCORE_ONE;
}

void _fiber_apart_guess(struct fiber *f)
{
	if (at_load(score_of(f->fn), RELAXED) >= KNOWN)
		f->flags |= 2 * FIBER_FLAG_SCORE_ONE;
}

void _fiber_apart_begin(struct fiber_worker *w, struct fiber *f)
{
	w->apart_fn = f->fn;
	w->apart_waits = _fiber_blocked_count();
}

bool _fiber_apart_check(struct fiber_worker *w, struct fiber *f)
{
	uint64_t now;

	if (f->flags & FIBER_FLAG_DEPTH)
		return true;
	now = _fiber_blocked_count();
	if (w->apart_fn && now == w->apart_waits) {
		saw_none(f->fn);
		f->flags -= FIBER_FLAG_SCORE_ONE;
	} else {
		_fiber_apart_blocked(f);
	}
	w->apart_fn = f->fn;
	w->apart_waits = now;
	return fiber_is_apart(f);
}

void _fiber_apart_end(struct fiber_worker *w)
{
	if (_fiber_blocked_count() == w->apart_waits)
		saw_none(w->apart_fn);
	w->apart_fn = NULL;
}
