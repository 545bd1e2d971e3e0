// SPDX-License-Identifier: MIT
/*
 * Conditions.
 *
 * MODEL. Who waits is queued before it unlocks the mutex: a signal by somebody
 * who has had the mutex since finds it. The word is only WAITERS, so that a
 * signal for nobody is a load: with the mutex locked, or after that, it sees
 * WAITERS of whoever unlocked the mutex before.
 *
 * Of a signal and a deadline or a cancellation one wins the wait (park.h). If it
 * is not the signal, that goes to the next one: none is lost.
 *
 * After its wait nobody touches the condition, only the mutex.
 */
#include <errno.h>

#include "mutex.h"

#define WAITERS FIBER_WAITERS

struct cond {
	fiber_object_word word;
	struct fiber_waiter *queue; /* under the bucket's lock */
};

static inline struct cond *cond_of(struct fiber_cond *cond)
{
	_Static_assert(sizeof(struct cond) == sizeof(*cond), "public");
	return (struct cond *)cond;
}

static int wait(struct fiber_here *here, struct cond *c, struct mutex *m,
		int64_t deadline)
{
	struct fiber_bucket *bucket = fiber_bucket_of(c);
	struct fiber_waiter w;
	int result = -ETIMEDOUT;

	if (fiber_park_past(here, deadline)) {
		_fiber_mutex_unlock(here, m);
	} else {
		fiber_lock(&bucket->lock);
		fiber_bucket_queue(here, &c->queue, &w, FIBER_CALL_COND, c);
		at_store(&c->word, WAITERS, RELAXED);
		fiber_unlock(&bucket->lock);
		_fiber_mutex_unlock(here, m);
		result = _fiber_bucket_wait_simply(here, bucket, &c->queue, &w,
						   deadline);
	}
	_fiber_mutex_relock(_fiber_here(), m);
	return result;
}

int fiber_cond_wait_until(struct fiber_cond *cond, struct fiber_mutex *mutex,
			  int64_t deadline)
{
	struct mutex *m = fiber_mutex_of(mutex);
	struct fiber_here *here;
	int err;

	if (!cond || !m)
		return -EINVAL;
	here = _fiber_enter(&err);
	if (!here)
		return err;
	if ((at_load(&m->word, RELAXED) & FIBER_MUTEX_OWNER) !=
	    fiber_mutex_me(here))
		return -EPERM;
	return wait(here, cond_of(cond), m, deadline);
}

int fiber_cond_wait(struct fiber_cond *cond, struct fiber_mutex *mutex)
{
	return fiber_cond_wait_until(cond, mutex, INT64_MAX);
}

/* Under the lock, which is let go. */
static int signal_one(struct fiber_here *here, struct fiber_bucket *bucket,
		      struct cond *c)
{
	struct fiber_waiter *w;
	uint64_t won;

	w = fiber_waiter_claim(&c->queue, &won);
	if (!c->queue)
		at_store(&c->word, 0, RELAXED);
	fiber_unlock(&bucket->lock);
	if (!w)
		return 0;
	w->result = 0;
	return fiber_park_wake(here, w->fiber, won, w, 0);
}

static int wake(struct cond *c, bool all)
{
	struct fiber_bucket *bucket;
	struct fiber_here *here;
	int err;

	if (!c)
		return -EINVAL;
	if (!at_load(&c->word, RELAXED))
		return 0;
	here = fiber_here_get(&err);
	if (!here)
		return err;
	bucket = fiber_bucket_of(c);
	fiber_lock(&bucket->lock);
	if (!all || !c->queue)
		return signal_one(here, bucket, c);
	_fiber_bucket_wake_all(here, bucket, &c->queue, &c->word);
	return 0;
}

int fiber_cond_signal(struct fiber_cond *cond)
{
	return wake(cond_of(cond), false);
}

int fiber_cond_broadcast(struct fiber_cond *cond)
{
	return wake(cond_of(cond), true);
}
