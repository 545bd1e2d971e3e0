/* SPDX-License-Identifier: MIT */
/*
 * The lock inside of channels, fibers, and timers.
 *
 * MODEL. Any thread may be stopped at any instruction: by a page fault, by the
 * scheduler, by a quota. So nobody spins for long: who finds the lock held looks
 * SPINS times and then sleeps in the kernel. What is protected is a few
 * instructions without system call, allocation or memory of the user.
 *
 * To unlock is a plain store and a load of the number of sleepers, no locked
 * instruction. The CPU may do the load before the store is seen, and miss a
 * sleeper that has just found the lock held: so a sleeper, once it has counted
 * itself, has every thread of the process pass a barrier before it looks at the
 * lock for the last time (pairs with fiber_unlock()). Where the kernel refuses
 * that, sleepers look again every millisecond.
 *
 * CONTEXT. On any stack. Not across a switch: who unlocks is the thread that
 * locked. Two locks are only taken together by select, in the order of their
 * addresses.
 */
#ifndef FIBER_LOCK_H
#define FIBER_LOCK_H

#include <stdbool.h>

#include "futex.h"

struct fiber_lock {
	fiber_word held; /* 0 or 1 */
	at(uint32_t) sleepers;
};

void _fiber_lock_slow(struct fiber_lock *lock);
void _fiber_unlock_slow(struct fiber_lock *lock);

static inline bool fiber_trylock(struct fiber_lock *lock)
{
	uint32_t held = 0;

	return at_cas(&lock->held, &held, 1);
}

static inline void fiber_lock(struct fiber_lock *lock)
{
	if (unlikely(!fiber_trylock(lock)))
		_fiber_lock_slow(lock);
}

/* Whether there may be sleepers, who want _fiber_unlock_slow(). */
static inline bool fiber_unlock_fast(struct fiber_lock *lock)
{
	at_store(&lock->held, 0, RELEASE);
	/* Pairs with the barrier in _fiber_lock_slow(). */
	return unlikely(at_load(&lock->sleepers, RELAXED));
}

static inline void fiber_unlock(struct fiber_lock *lock)
{
	if (fiber_unlock_fast(lock))
		_fiber_unlock_slow(lock);
}

#endif /* FIBER_LOCK_H */
