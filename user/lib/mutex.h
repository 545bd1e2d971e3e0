/* SPDX-License-Identifier: MIT */
/*
 * Mutexes, on the inside.
 *
 * MODEL. The word is the address of the owner's control block, 0 when free, with
 * flags in its low bits:
 *
 *	WAITERS  somebody may be queued; it is set and cleared under the lock
 *	WOKEN    one was woken and is on its way: unlocking wakes no other of those
 *	         that are queued. It is set by the owner, under the lock, and cleared
 *	         by whoever was woken, which at worst wakes one too many
 *
 * Locking takes a free mutex whatever the flags are. Unlocking wakes the first of
 * the queue, if nobody is on the way, to try again; who fails is the first in the
 * queue again. If it has waited for FIBER_STARVED_NS by then it is given the mutex when
 * that is unlocked next, which is never free in between.
 *
 * Only the owner makes the word free, so that what it finds in the word under the
 * lock stays, until it does; and who clears WOKEN finds an owner who will look at
 * the queue, or is the owner.
 */
#ifndef FIBER_MUTEX_H
#define FIBER_MUTEX_H

#include <fiber/sync.h>

#include "bucket.h"

#define FIBER_MUTEX_WOKEN ((uint64_t)2)
/* Control blocks are at multiples of 64. */
#define FIBER_MUTEX_OWNER (~(uint64_t)63)

struct mutex {
	fiber_object_word word;
	struct fiber_waiter *queue; /* under the bucket's lock */
};

static inline struct mutex *fiber_mutex_of(struct fiber_mutex *mutex)
{
	_Static_assert(sizeof(struct mutex) == sizeof(*mutex), "public");
	return (struct mutex *)mutex;
}

/* Control block as it is in the word. */
static inline uint64_t fiber_mutex_me(const struct fiber_here *here)
{
	return (uintptr_t)here->cur;
}

/* alone.c: whether the caller's worker has nobody else to run. */
bool _fiber_sched_alone(struct fiber_here *here);

/* By the owner. */
int _fiber_mutex_unlock(struct fiber_here *here, struct mutex *m);
/* Whatever comes, cancellation included. */
void _fiber_mutex_relock(struct fiber_here *here, struct mutex *m);

#endif /* FIBER_MUTEX_H */
