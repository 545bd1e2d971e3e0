/* SPDX-License-Identifier: MIT */
/*
 * What few fibers have: a name, values of keys, handlers of their end, a
 * deadline, things to give up.
 *
 * It is made when the first of these is wanted, and belongs to whoever runs the
 * fiber; it goes when the control block does. Threads that are no workers may have
 * one too, for keys and the like.
 */
#ifndef FIBER_EXTRA_H
#define FIBER_EXTRA_H

#include <fiber/fiber.h>

#include "park.h"

struct fiber_ambient;

/* Locks that are remembered of a fiber (held.h). */
#define FIBER_HELD_MAX 8

/* What somebody holds, and gives up at his end at the latest. */
struct fiber_owned {
	struct fiber_owned *next;
	void (*give_up)(struct fiber_owned *owned); /* unlinks it; may switch */
};

struct fiber_extra {
	char name[FIBER_NAME_SIZE];
	struct fiber_cleanup *cleanup; /* latest first */
	struct fiber_owned *owned; /* latest first */
	struct fiber_ambient *ambient; /* deadline.h; or NULL */
	void *values[FIBER_KEYS_MAX];
	const void *held[FIBER_HELD_MAX]; /* held.h: may be unlocked again */
};

/* f's, made if needed; NULL if there is no memory. */
struct fiber_extra *_fiber_extra_get(struct fiber *f);

/* Run destructors, and give up the rest. By who runs f; may switch. */
void _fiber_extra_end(struct fiber *f);
/* Give it back, if there is one. Nobody else uses f. */
void _fiber_extra_free(struct fiber *f);

static inline const char *fiber_extra_name(const struct fiber *f)
{
	return f->extra && f->extra->name[0] ? f->extra->name : NULL;
}

/* Copied, cut to fit. */
void _fiber_extra_set_name(struct fiber_extra *extra, const char *name);

#endif /* FIBER_EXTRA_H */
