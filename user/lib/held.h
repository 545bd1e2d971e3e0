/* SPDX-License-Identifier: MIT */
/*
 * FIBER_DEBUG=locks: who waits while it holds a lock.
 *
 * MODEL. While it is on, every call takes the slow way in (FIBER_HERE_LOCKS), where
 * who has locked a mutex, or an rwlock to write, adds its address to a few that
 * are kept for the fiber. Nothing is done to unlock: whether a lock is still held,
 * its word says, when the fiber is about to wait. So neither locking nor
 * unlocking has an instruction more while it is off.
 *
 * Not counted is a mutex that a condition waits with, since it is not held then,
 * and not reported is who waits for a lock with another one held, as that is how
 * locks are nested.
 *
 * CONTEXT. By the fiber. Without a lock.
 */
#ifndef FIBER_HELD_H
#define FIBER_HELD_H

#include "park.h"

#ifndef FIBER_EXPLORE

/*
 * The option "locks" of FIBER_DEBUG, before anything runs; "" is that it is not
 * given, NULL that it has no value. 0, or -EINVAL.
 */
int _fiber_held_set(const char *value);

void _fiber_held_add(const void *lock);

/* The calling fiber has locked it. Returns 0, to end with. */
static inline int fiber_held_add(const void *lock)
{
	if (unlikely(fiber_held_on()))
		_fiber_held_add(lock);
	return 0;
}

#else

static inline int _fiber_held_set(const char *value)
{
	(void)value;
	return 0;
}

static inline int fiber_held_add(const void *lock)
{
	(void)lock;
	return 0;
}

#endif /* FIBER_EXPLORE */

#endif /* FIBER_HELD_H */
