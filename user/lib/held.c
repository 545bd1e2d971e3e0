// SPDX-License-Identifier: MIT
/*
 * Locks that a fiber holds.
 */
#include <errno.h>
#include <stdlib.h>

#include "extra.h"
#include "held.h"
#include "tell.h"

/* Control blocks are at multiples of 64. */
#define OWNER (~(uint64_t)63)
/* Places that have been reported. */
#define PLACES 256

fiber_word _fiber_held_on;

static at(uint64_t) places[PLACES];

int _fiber_held_set(const char *value)
{
	at_store(&_fiber_held_on, !value, RELAXED);
	return value && *value ? -EINVAL : 0;
}

/* By copy: it may have been unlocked, and not be there any more. */
static bool holds(const struct fiber *f, const void *lock)
{
	uint64_t word;

	return lock && _fiber_look_copy(&word, lock, sizeof(word)) &&
	       (word & OWNER) == (uintptr_t)f;
}

void _fiber_held_add(const void *lock)
{
	struct fiber *f = _fiber_here()->cur;
	struct fiber_extra *extra = _fiber_extra_get(f);
	const void **room = NULL;
	int i;

	for (i = 0; extra && i < FIBER_HELD_MAX; i++) {
		if (extra->held[i] == lock)
			return;
		if (!holds(f, extra->held[i]))
			room = &extra->held[i];
	}
	/* If it holds more than that, one more makes no difference. */
	if (room)
		*room = lock;
}

/* *first is one of them. */
static int count(const struct fiber *f, const void **first)
{
	int n = 0;
	int i;

	for (i = 0; i < FIBER_HELD_MAX; i++) {
		if (holds(f, f->extra->held[i])) {
			*first = f->extra->held[i];
			n++;
		}
	}
	return n;
}

/* The function that the fiber was entered at, and the call. */
static bool is_new_place(const struct fiber *f, enum fiber_call call)
{
	uint64_t place = (uintptr_t)f->fn * 32 + call;
	uint32_t i = place * 0x9e3779b97f4a7c15u >> 32;
	uint64_t seen;
	int n;

	for (n = 0; n < PLACES; n++) {
		seen = 0;
		if (at_cas(&places[(i + n) % PLACES], &seen, place))
			return true;
		if (seen == place)
			return false;
	}
	return false;
}

static bool is_nested(enum fiber_call call)
{
	return call == FIBER_CALL_MUTEX || call == FIBER_CALL_RDLOCK ||
	       call == FIBER_CALL_WRLOCK;
}

void _fiber_held_check(const struct fiber *f)
{
	const struct fiber_waiter *w = at_load(&f->waits, RELAXED);
	struct fiber_lines *lines;
	const void *first = NULL;
	char place[256];
	int n;

	if (!f->extra || is_nested(w->call) || !(n = count(f, &first)) ||
	    !is_new_place(f, w->call))
		return;
	/* Not on the stack, which may be a small one. */
	lines = calloc(1, sizeof(*lines));
	if (!lines)
		return;
	_fiber_tell(lines, "fiber: lock held: ");
	_fiber_tell_who(lines, f);
	_fiber_place(f, place, sizeof(place));
	_fiber_tell(lines, " waits in %s with %d lock%s held, %p%s%s%s\n",
		    _fiber_look_call_name(w->call), n, n > 1 ? "s" : "", first,
		    n > 1 ? " and others" : "", place[0] ? ", " : "", place);
	_fiber_tell_end(lines);
	free(lines);
}
