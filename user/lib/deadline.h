/* SPDX-License-Identifier: MIT */
/*
 * The deadline of all that a fiber does: the inside of fiber/deadline.h.
 *
 * MODEL. It is no part of a wait: when it has passed it ends the wait that the
 * fiber is in as cancellation would, by an alarm of its own, and like
 * cancellation it stays in fiber->attention (FIBER_ATTENTION_EXPIRED), so that
 * every later wait ends as soon as the fiber has left its stack
 * (fiber_park_left()). Calls that need not wait never know. Until then nothing
 * in any call is different.
 *
 * To push and pop only store; the next call that may wait finds
 * FIBER_ATTENTION_DEADLINE, and puts the alarm in a heap.
 *
 * There are two: one that counts while cancellation is not masked, one that does
 * while it is.
 *
 * A fiber in a scope has the scope's deadline to begin with. It needs no alarm:
 * the scope has one, and cancels the fiber. It is found where the scope waits for
 * the fiber's end, first among those that join it.
 *
 * Threads that are no workers add it to each of their waits (_fiber_park_wait()).
 *
 * LIFETIME. Made when it is first pushed, until the end of the fiber; an alarm on
 * its way keeps it for longer, and finds no deadline in it.
 */
#ifndef FIBER_DEADLINE_PRIVATE_H
#define FIBER_DEADLINE_PRIVATE_H

#include "park.h"

struct fiber_ambient {
	struct fiber_timer_alarm alarm; /* first */
	struct fiber *fiber; /* I */
	/* Not masked and masked: set by the fiber under its lock. */
	int64_t of[2];
	int64_t base; /* I: of its scope */
} __attribute__((aligned(64)));

/* What f is to look up for, now that its mask has changed; f->lock is held. */
uint32_t _fiber_deadline_masked(struct fiber *f);

/* f is about to end: give back what it has for it. By who runs f. */
void _fiber_deadline_end(struct fiber *f);

#endif /* FIBER_DEADLINE_PRIVATE_H */
