// SPDX-License-Identifier: MIT
/*
 * Mutexes: mutex.h says how.
 */
#include <errno.h>

#include <fiber/cancel.h>

#include "clock.h"
#include "held.h"
#include "mutex.h"

/* Who has waited for so long is given the mutex. */
#ifndef FIBER_STARVED_NS
#define FIBER_STARVED_NS 1000000
#endif
/* How often to look at a mutex whose owner may be running, before waiting. */
#define SPINS 100

#define WAITERS FIBER_WAITERS
#define WOKEN FIBER_MUTEX_WOKEN
#define OWNER FIBER_MUTEX_OWNER

/* waiter->result */
enum {
	GIVEN, /* it is the waiter's */
	TRY_AGAIN, /* WOKEN is to be cleared */
};

/* Whether the mutex was free, and is the caller's now, without these flags. */
static inline bool take(struct mutex *m, uint64_t me, uint64_t flags)
{
	uint64_t word = at_load(&m->word, RELAXED);

	while (!(word & OWNER)) {
		if (at_cas(&m->word, &word, (word & ~flags) | me))
			return true;
	}
	return false;
}

/*
 * take(), with some patience if the owner may be running on another CPU, and done
 * soon. It is not if it waits for something. If the caller's worker has others
 * to run, they are a better use of the time, and the owner may be one of them.
 */
static bool spin(struct fiber_here *here, struct mutex *m, uint64_t flags)
{
	uint64_t me = fiber_mutex_me(here);
	struct fiber *owner;
	int i;

	if (take(m, me, flags))
		return true;
	if (!_fiber_sched_alone(here))
		return false;
	for (i = 0; i < SPINS; i++) {
		owner = (struct fiber *)(at_load(&m->word, RELAXED) & OWNER);
		/* Control blocks do not go. */
		if (owner && at_load(&owner->park, RELAXED) & FIBER_PARK_PARKED)
			return false;
		at_pause();
		if (take(m, me, flags))
			return true;
	}
	return false;
}

/*
 * Under the lock: take the mutex, or else let its owner know that somebody is
 * going to be queued. Either clears the flags.
 */
static bool take_or_tell(struct mutex *m, uint64_t me, uint64_t flags)
{
	uint64_t word = at_load(&m->word, RELAXED);
	uint64_t next;

	do {
		next = (word & ~flags) | (word & OWNER ? WAITERS : me);
	} while (!at_cas(&m->word, &word, next));
	return !(word & OWNER);
}

/* It is not the caller's: wait for it. */
static int wait(struct fiber_here *here, struct mutex *m, int64_t deadline)
{
	struct fiber_bucket *bucket = fiber_bucket_of(m);
	int64_t since = _fiber_clock_now();
	uint64_t me = fiber_mutex_me(here);
	bool starved = false;
	uint64_t flags = 0;
	int result;

	for (;;) {
		struct fiber_waiter w;

		fiber_lock(&bucket->lock);
		if (take_or_tell(m, me, flags)) {
			fiber_unlock(&bucket->lock);
			return 0;
		}
		if (fiber_park_past(here, deadline)) {
			fiber_unlock(&bucket->lock);
			return -ETIMEDOUT;
		}
		fiber_bucket_queue(here, &m->queue, &w, FIBER_CALL_MUTEX, m);
		/* In a ring, that makes the last the first. */
		if (flags)
			m->queue = &w;
		if (starved)
			w.elem = &w;
		fiber_unlock(&bucket->lock);
		result = _fiber_bucket_wait_simply(here, bucket, &m->queue, &w,
						   deadline);
		if (result != TRY_AGAIN)
			return result;
		here = _fiber_here();
		flags = WOKEN;
		if (spin(here, m, flags))
			return 0;
		starved = _fiber_clock_now() - since > FIBER_STARVED_NS;
	}
}

static __attribute__((noinline)) int lock_slow(struct mutex *m,
					       int64_t deadline)
{
	struct fiber_here *here;
	uint64_t me;
	int err;

	if (!m)
		return -EINVAL;
	here = _fiber_enter(&err);
	if (!here)
		return err;
	me = fiber_mutex_me(here);
	if ((at_load(&m->word, RELAXED) & OWNER) == me)
		return -EDEADLK;
	err = spin(here, m, 0) ? 0 : wait(here, m, deadline);
	return err ? err : fiber_held_add(m);
}

static inline int lock(struct mutex *m, int64_t deadline)
{
	struct fiber_here *here = _fiber_here();
	uint64_t word;

	if (likely(m && here && !fiber_attention(here))) {
		word = 0;
		if (likely(at_cas(&m->word, &word, fiber_mutex_me(here))))
			return 0;
		/* Free, and somebody waits. */
		if (!(word & OWNER) &&
		    at_cas(&m->word, &word, word | fiber_mutex_me(here)))
			return 0;
	}
	return lock_slow(m, deadline);
}

int fiber_mutex_lock(struct fiber_mutex *mutex)
{
	return lock(fiber_mutex_of(mutex), INT64_MAX);
}

int fiber_mutex_lock_until(struct fiber_mutex *mutex, int64_t deadline)
{
	return lock(fiber_mutex_of(mutex), deadline);
}

int fiber_mutex_try_lock(struct fiber_mutex *mutex)
{
	struct mutex *m = fiber_mutex_of(mutex);
	struct fiber_here *here;
	uint64_t me;
	int err;

	if (!m)
		return -EINVAL;
	here = _fiber_enter_try(&err);
	if (!here)
		return err;
	me = fiber_mutex_me(here);
	if (take(m, me, 0))
		return fiber_held_add(m);
	return (at_load(&m->word, RELAXED) & OWNER) == me ? -EDEADLK : -EAGAIN;
}

void _fiber_mutex_relock(struct fiber_here *here, struct mutex *m)
{
	int masked;

	if (spin(here, m, 0))
		return;
	masked = fiber_cancel_mask(1);
	(void)wait(here, m, INT64_MAX);
	fiber_cancel_mask(masked);
}

/* There may be waiters, and none that is on its way: wake one. */
static int unlock_wake(struct fiber_here *here, struct mutex *m)
{
	struct fiber_bucket *bucket = fiber_bucket_of(m);
	struct fiber_waiter *w;
	uint64_t word = 0;
	uint64_t won;

	fiber_lock(&bucket->lock);
	w = fiber_waiter_claim(&m->queue, &won);
	if (w) {
		w->result = w->elem ? GIVEN : TRY_AGAIN;
		word = w->elem ? (uintptr_t)w->fiber : 0;
		if (m->queue)
			word |= w->elem ? WAITERS : WAITERS | WOKEN;
	}
	/* Unless it is the waiter's, anybody may have it now, and free it. */
	at_store(&m->word, word, RELEASE);
	fiber_unlock(&bucket->lock);
	return w ? fiber_park_wake(here, w->fiber, won, w, 0) : 0;
}

static __attribute__((noinline)) int unlock_slow(struct fiber_here *here,
						 struct mutex *m, uint64_t word)
{
	uint64_t me;

	if (!m)
		return -EINVAL;
	me = here ? fiber_mutex_me(here) : 0;
	if (!me || (word & OWNER) != me)
		return -EPERM;
	/* WOKEN may be cleared meanwhile. */
	while (!(word & WAITERS) || word & WOKEN) {
		if (at_cas(&m->word, &word, word & ~OWNER))
			return 0;
	}
	return unlock_wake(here, m);
}

int fiber_mutex_unlock(struct fiber_mutex *mutex)
{
	struct fiber_here *here = _fiber_here();
	struct mutex *m = fiber_mutex_of(mutex);
	uint64_t word = 0;

	if (likely(m && here)) {
		word = fiber_mutex_me(here);
		if (likely(at_cas(&m->word, &word, 0)))
			return 0;
		/* One is on its way. */
		if ((word & OWNER) == fiber_mutex_me(here) && word & WOKEN &&
		    at_cas(&m->word, &word, word & ~OWNER))
			return 0;
	}
	return unlock_slow(here, m, word);
}

int _fiber_mutex_unlock(struct fiber_here *here, struct mutex *m)
{
	uint64_t word = fiber_mutex_me(here);

	return at_cas(&m->word, &word, 0) ? 0 : unlock_slow(here, m, word);
}
