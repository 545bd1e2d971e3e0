// SPDX-License-Identifier: MIT
/*
 * Waiting for a lock.
 */
#include "clock.h"
#include "lock.h"

#define SPINS 100
/* How long to sleep where a barrier cannot be had. */
#define LOOK_AGAIN_NS 1000000

static bool look(struct fiber_lock *lock)
{
	return !at_load(&lock->held, RELAXED) && fiber_trylock(lock);
}

__attribute__((noinline, cold)) void _fiber_lock_slow(struct fiber_lock *lock)
{
	int64_t deadline = INT64_MAX;
	int i;

	for (i = 0; i < SPINS; i++) {
		if (look(lock))
			return;
		at_pause();
	}
	at_add(&lock->sleepers, 1);
	/* Pairs with the load in fiber_unlock(). */
	if (_fiber_barrier())
		deadline = 0;
	while (!look(lock)) {
		if (deadline != INT64_MAX)
			deadline = _fiber_clock_real() + LOOK_AGAIN_NS;
		_fiber_futex_wait(&lock->held, 1, deadline);
	}
	at_add(&lock->sleepers, -1);
}

__attribute__((noinline, cold)) void _fiber_unlock_slow(struct fiber_lock *lock)
{
	_fiber_futex_wake(&lock->held, 1);
}
