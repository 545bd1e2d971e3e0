// SPDX-License-Identifier: MIT
/*
 * Locks for one writer or many readers.
 *
 * MODEL. The word is 0 when it is free; the address of the control block of the
 * writer that has it; or READ and the number of readers. WAITERS beside that
 * keeps new readers, too, from what is usual: they wait if a writer does.
 *
 * Who unlocks gives it away under the lock, so that it is never free while
 * somebody waits: a writer to all readers that wait, or else to a writer; the
 * last reader to a writer, or else to the readers. So each waits for two changes
 * at most, whoever else comes.
 *
 * INVARIANTS, under the lock, not counting waiters whose wait was won by others:
 *   1. If it is free nobody is queued.
 *   2. If readers have it and readers are queued, a writer is, too. So a writer
 *      that leaves the queue looks whether readers are there for it only.
 */
#include <errno.h>

#include <fiber/sync.h>

#include "bucket.h"
#include "held.h"

#define WAITERS FIBER_WAITERS
#define READ ((uint64_t)2)
/* Control blocks are at multiples of 64. */
#define READER ((uint64_t)64)
#define OWNER (~(uint64_t)63)

struct rwlock {
	fiber_object_word word;
	struct fiber_waiter *readers; /* under the bucket's lock */
	struct fiber_waiter *writers; /* under the bucket's lock */
};

static inline struct rwlock *rwlock_of(struct fiber_rwlock *lock)
{
	_Static_assert(sizeof(struct rwlock) == sizeof(*lock), "public");
	_Static_assert(offsetof(struct rwlock, readers) == sizeof(uint64_t),
		       "wait.h");
	return (struct rwlock *)lock;
}

static inline uint64_t me_of(const struct fiber_here *here)
{
	return (uintptr_t)here->cur;
}

static inline bool is_writer(uint64_t word, const struct fiber_here *here)
{
	return !(word & READ) && (word & OWNER) == me_of(here);
}

/* Under the lock. */
static inline uint64_t waiters(const struct rwlock *l)
{
	return l->readers || l->writers ? WAITERS : 0;
}

/*
 * Who comes. Both return whether it is the caller's now: without the lock, only
 * if nobody waits; with it they tell that somebody will, if it is not.
 */
static inline bool try_read(struct rwlock *l)
{
	uint64_t word = at_load(&l->word, RELAXED);

	while (!(word & WAITERS) && (!word || word & READ)) {
		if (at_cas(&l->word, &word, (word | READ) + READER))
			return true;
	}
	return false;
}

static inline bool try_write(struct rwlock *l, struct fiber_here *here)
{
	uint64_t word = 0;

	return at_cas(&l->word, &word, me_of(here));
}

static bool read_or_tell(struct rwlock *l)
{
	uint64_t word = at_load(&l->word, RELAXED);
	uint64_t flags = waiters(l);
	uint64_t next;
	bool may;

	do {
		uint64_t bare = word & ~WAITERS;

		may = !l->writers && (!bare || bare & READ);
		next = may ? ((bare | READ) + READER) | flags : word | WAITERS;
	} while (!at_cas(&l->word, &word, next));
	return may;
}

static bool write_or_tell(struct rwlock *l, struct fiber_here *here)
{
	uint64_t word = at_load(&l->word, RELAXED);
	uint64_t flags = waiters(l);
	uint64_t next;
	bool may;

	do {
		may = !(word & ~WAITERS);
		next = may ? me_of(here) | flags : word | WAITERS;
	} while (!at_cas(&l->word, &word, next));
	return may;
}

/*
 * Under the lock, with the word the caller's alone: give it to all readers that
 * wait; false if there are none. More batches may follow, as those that have it
 * do not know yet.
 */
static bool give_readers(struct rwlock *l, struct fiber_bucket *bucket,
			 struct fiber_waiter **claimed)
{
	unsigned int n;

	n = _fiber_bucket_claim(&l->readers, claimed, FIBER_CLAIM_BATCH);
	if (!n)
		return false;
	at_store(&l->word, READ | n * READER | waiters(l), RELEASE);
	while (n == FIBER_CLAIM_BATCH) {
		fiber_unlock(&bucket->lock);
		fiber_lock(&bucket->lock);
		n = _fiber_bucket_claim(&l->readers, claimed,
					FIBER_CLAIM_BATCH);
		at_add(&l->word, n * READER);
	}
	return true;
}

static bool give_writer(struct rwlock *l, struct fiber_waiter **claimed)
{
	if (!_fiber_bucket_claim(&l->writers, claimed, 1))
		return false;
	at_store(&l->word, (uintptr_t)(*claimed)->fiber | waiters(l), RELEASE);
	return true;
}

/* The lock is held and let go, and the word is the caller's alone. */
static int give(struct fiber_here *here, struct rwlock *l,
		struct fiber_bucket *bucket, bool to_readers)
{
	struct fiber_waiter *claimed = NULL;

	if (!(to_readers && give_readers(l, bucket, &claimed)) &&
	    !give_writer(l, &claimed) && !give_readers(l, bucket, &claimed))
		at_store(&l->word, 0, RELEASE);
	fiber_unlock(&bucket->lock);
	_fiber_bucket_end(here, claimed, 0);
	return 0;
}

/*
 * The lock is held and let go: a writer has left the queue. If it was the last
 * one, and readers have it, those that wait for the writer only do not any more.
 */
static void let_readers_in(struct fiber_here *here, struct rwlock *l,
			   struct fiber_bucket *bucket)
{
	struct fiber_waiter *claimed = NULL;
	unsigned int n = 0;

	if (!l->writers && at_load(&l->word, RELAXED) & READ) {
		do {
			if (n) {
				fiber_unlock(&bucket->lock);
				fiber_lock(&bucket->lock);
			}
			n = _fiber_bucket_claim(&l->readers, &claimed,
						FIBER_CLAIM_BATCH);
			at_add(&l->word, n * READER);
		} while (n == FIBER_CLAIM_BATCH);
	}
	fiber_unlock(&bucket->lock);
	_fiber_bucket_end(here, claimed, 0);
}

static int read_wait(struct fiber_here *here, struct rwlock *l,
		     int64_t deadline)
{
	struct fiber_bucket *bucket = fiber_bucket_of(l);

	fiber_lock(&bucket->lock);
	if (!read_or_tell(l))
		return _fiber_park_queue(here, &bucket->lock, &l->readers, NULL,
					 deadline, FIBER_CALL_RDLOCK);
	fiber_unlock(&bucket->lock);
	return 0;
}

static int write_wait(struct fiber_here *here, struct rwlock *l,
		      int64_t deadline)
{
	struct fiber_bucket *bucket = fiber_bucket_of(l);
	struct fiber_waiter w;
	bool left;
	int result;

	fiber_lock(&bucket->lock);
	if (write_or_tell(l, here)) {
		fiber_unlock(&bucket->lock);
		return 0;
	}
	if (fiber_park_past(here, deadline)) {
		fiber_unlock(&bucket->lock);
		return -ETIMEDOUT;
	}
	fiber_bucket_queue(here, &l->writers, &w, FIBER_CALL_WRLOCK, l);
	fiber_unlock(&bucket->lock);
	result = _fiber_bucket_wait(here, bucket, &l->writers, &w, deadline,
				    &left);
	if (!result)
		return 0;
	if (left)
		let_readers_in(_fiber_here(), l, bucket);
	else
		fiber_unlock(&bucket->lock);
	return result;
}

int fiber_rwlock_rdlock_until(struct fiber_rwlock *lock, int64_t deadline)
{
	struct fiber_here *here = _fiber_here();
	struct rwlock *l = rwlock_of(lock);
	int err;

	if (likely(l && here && !fiber_attention(here) && try_read(l)))
		return 0;
	if (!l)
		return -EINVAL;
	here = _fiber_enter(&err);
	if (!here)
		return err;
	if (is_writer(at_load(&l->word, RELAXED), here))
		return -EDEADLK;
	return read_wait(here, l, deadline);
}

int fiber_rwlock_rdlock(struct fiber_rwlock *lock)
{
	return fiber_rwlock_rdlock_until(lock, INT64_MAX);
}

int fiber_rwlock_try_rdlock(struct fiber_rwlock *lock)
{
	struct rwlock *l = rwlock_of(lock);
	struct fiber_here *here;
	int err;

	if (!l)
		return -EINVAL;
	here = _fiber_enter_try(&err);
	if (!here)
		return err;
	if (try_read(l))
		return 0;
	return is_writer(at_load(&l->word, RELAXED), here) ? -EDEADLK : -EAGAIN;
}

int fiber_rwlock_wrlock_until(struct fiber_rwlock *lock, int64_t deadline)
{
	struct fiber_here *here = _fiber_here();
	struct rwlock *l = rwlock_of(lock);
	int err;

	if (likely(l && here && !fiber_attention(here) && try_write(l, here)))
		return 0;
	if (!l)
		return -EINVAL;
	here = _fiber_enter(&err);
	if (!here)
		return err;
	if (is_writer(at_load(&l->word, RELAXED), here))
		return -EDEADLK;
	err = write_wait(here, l, deadline);
	return err ? err : fiber_held_add(l);
}

int fiber_rwlock_wrlock(struct fiber_rwlock *lock)
{
	return fiber_rwlock_wrlock_until(lock, INT64_MAX);
}

int fiber_rwlock_try_wrlock(struct fiber_rwlock *lock)
{
	struct rwlock *l = rwlock_of(lock);
	struct fiber_here *here;
	int err;

	if (!l)
		return -EINVAL;
	here = _fiber_enter_try(&err);
	if (!here)
		return err;
	if (try_write(l, here))
		return fiber_held_add(l);
	return is_writer(at_load(&l->word, RELAXED), here) ? -EDEADLK : -EAGAIN;
}

/* By the writer, or by who may be the last reader; WAITERS was set. */
static __attribute__((noinline)) int unlock_slow(struct fiber_here *here,
						 struct rwlock *l)
{
	struct fiber_bucket *bucket = fiber_bucket_of(l);
	uint64_t word;
	uint64_t next;

	fiber_lock(&bucket->lock);
	word = at_load(&l->word, RELAXED);
	/*
	 * More readers may have come, and who waited may have left. Without
	 * WAITERS they still do: it is not the caller's alone then.
	 */
	while (word & READ && (!(word & WAITERS) || (word & OWNER) > READER)) {
		next = (word & OWNER) > READER ? word - READER : 0;
		if (at_cas(&l->word, &word, next)) {
			fiber_unlock(&bucket->lock);
			return 0;
		}
	}
	return give(here, l, bucket, !(word & READ));
}

static int unlock_read(struct rwlock *l, uint64_t word)
{
	struct fiber_here *here;
	uint64_t next;
	int err;

	do {
		next = word - READER;
		if (next < READER) {
			if (word & WAITERS) {
				here = fiber_here_get(&err);
				return here ? unlock_slow(here, l) : err;
			}
			next = 0;
		}
	} while (!at_cas(&l->word, &word, next));
	return 0;
}

int fiber_rwlock_unlock(struct fiber_rwlock *lock)
{
	struct fiber_here *here = _fiber_here();
	struct rwlock *l = rwlock_of(lock);
	uint64_t word;

	if (!l)
		return -EINVAL;
	word = at_load(&l->word, RELAXED);
	if (word & READ)
		return unlock_read(l, word);
	if (!here || !is_writer(word, here))
		return -EPERM;
	word = me_of(here);
	if (at_cas(&l->word, &word, 0))
		return 0;
	return unlock_slow(here, l);
}
