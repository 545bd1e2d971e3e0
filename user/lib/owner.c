// SPDX-License-Identifier: MIT
/*
 * Owners, as the words of objects have them.
 */
#include "bucket.h"
#include "owner.h"

/* Control blocks are at multiples of 64. */
#define OWNER (~(uint64_t)63)
/* In a mutex: one is on its way. In others: there is no owner (READ, DONE). */
#define NONE ((uint64_t)2)

/* The object's word; NULL if it names nobody. */
static const uint64_t *word_of(const struct fiber_look *look)
{
	const uint64_t *on = look->on;

	switch (look->call) {
	case FIBER_CALL_MUTEX:
	case FIBER_CALL_WRLOCK:
		return on;
	case FIBER_CALL_RDLOCK:
	case FIBER_CALL_ONCE:
		/* The queue is right after it. */
		return on - 1;
	default:
		return NULL;
	}
}

struct fiber *_fiber_owner(const struct fiber *f, const struct fiber_look *look)
{
	const uint64_t *at = word_of(look);
	uint64_t word;

	if (look->call == FIBER_CALL_JOIN)
		return (struct fiber *)((char *)look->on -
					offsetof(struct fiber, joiners));
	if (!at || !_fiber_look_copy(&word, at, sizeof(word)))
		return NULL;
	/* While f waits the object is there: then that was its word. */
	at_fence();
	if (at_load(&f->park, RELAXED) != look->park)
		return NULL;
	if (word & NONE && look->call != FIBER_CALL_MUTEX)
		return NULL;
	return (struct fiber *)(uintptr_t)(word & OWNER);
}
