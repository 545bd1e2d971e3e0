// SPDX-License-Identifier: MIT
/*
 * Semaphores.
 *
 * MODEL. The word is twice the count, and WAITERS, with which the count is 0: who
 * posts then gives to the first of the queue, or, if none is left, clears
 * WAITERS under the lock.
 */
#include <errno.h>

#include <fiber/sync.h>

#include "bucket.h"

#define WAITERS FIBER_WAITERS
#define ONE ((uint64_t)2)

struct sem {
	fiber_object_word word;
	struct fiber_waiter *queue; /* under the bucket's lock */
};

static inline struct sem *sem_of(struct fiber_sem *sem)
{
	_Static_assert(sizeof(struct sem) == sizeof(*sem), "public");
	return (struct sem *)sem;
}

/* Whether one could be taken off. */
static inline bool take(struct sem *s)
{
	uint64_t word = at_load(&s->word, RELAXED);

	while (word >= ONE) {
		if (at_cas(&s->word, &word, word - ONE))
			return true;
	}
	return false;
}

static int wait(struct fiber_here *here, struct sem *s, int64_t deadline)
{
	struct fiber_bucket *bucket = fiber_bucket_of(s);
	uint64_t word;

	fiber_lock(&bucket->lock);
	for (;;) {
		if (take(s)) {
			fiber_unlock(&bucket->lock);
			return 0;
		}
		word = 0;
		if (at_cas(&s->word, &word, WAITERS) || word == WAITERS)
			return _fiber_park_queue(here, &bucket->lock, &s->queue,
						 NULL, deadline,
						 FIBER_CALL_SEM);
	}
}

static __attribute__((noinline)) int wait_slow(struct sem *s, int64_t deadline)
{
	struct fiber_here *here;
	int err;

	if (!s)
		return -EINVAL;
	here = _fiber_enter(&err);
	if (!here)
		return err;
	return take(s) ? 0 : wait(here, s, deadline);
}

int fiber_sem_wait_until(struct fiber_sem *sem, int64_t deadline)
{
	struct fiber_here *here = _fiber_here();
	struct sem *s = sem_of(sem);

	if (likely(s && here && !fiber_attention(here) && take(s)))
		return 0;
	return wait_slow(s, deadline);
}

int fiber_sem_wait(struct fiber_sem *sem)
{
	return fiber_sem_wait_until(sem, INT64_MAX);
}

int fiber_sem_try_wait(struct fiber_sem *sem)
{
	int err;

	if (!sem)
		return -EINVAL;
	if (!_fiber_enter_try(&err))
		return err;
	return take(sem_of(sem)) ? 0 : -EAGAIN;
}

/* Under the lock: nobody is queued. */
static int add_one(struct sem *s)
{
	uint64_t word = at_load(&s->word, RELAXED);

	do {
		if (word / ONE >= FIBER_SEM_MAX)
			return -EOVERFLOW;
	} while (!at_cas(&s->word, &word, (word & ~WAITERS) + ONE));
	return 0;
}

static __attribute__((noinline)) int post_slow(struct sem *s)
{
	struct fiber_bucket *bucket = fiber_bucket_of(s);
	struct fiber_here *here;
	struct fiber_waiter *w;
	uint64_t won;
	int err;

	here = fiber_here_get(&err);
	if (!here)
		return err;
	fiber_lock(&bucket->lock);
	w = fiber_waiter_claim(&s->queue, &won);
	err = w ? 0 : add_one(s);
	fiber_unlock(&bucket->lock);
	if (!w)
		return err;
	w->result = 0;
	return fiber_park_wake(here, w->fiber, won, w, 0);
}

int fiber_sem_post(struct fiber_sem *sem)
{
	struct sem *s = sem_of(sem);
	uint64_t word;

	if (!s)
		return -EINVAL;
	word = at_load(&s->word, RELAXED);
	while (likely(!(word & WAITERS))) {
		if (unlikely(word / ONE >= FIBER_SEM_MAX))
			return -EOVERFLOW;
		if (likely(at_cas(&s->word, &word, word + ONE)))
			return 0;
	}
	return post_slow(s);
}
