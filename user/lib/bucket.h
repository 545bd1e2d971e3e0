/* SPDX-License-Identifier: MIT */
/*
 * What mutexes, conditions and the like rest on: locks that are outside of them.
 *
 * MODEL. An object of the program's (fiber/sync.h) is a word, in which all that
 * is usual is done by one atomic operation, and one or two queues of waiters. The
 * queues are protected by the lock of a bucket, found by a hash of the object's
 * address. Bit 0 of the word says that somebody may be queued: then the word only
 * changes under the lock, but for what each file says.
 *
 * LIFETIME. The object may be freed by whoever returns from a call on it, as soon
 * as nobody else has to. So whoever wakes has to be done with the object before:
 *   1. The atomic operation that lets somebody return is the last access.
 *   2. Under the lock, while somebody is queued the object is there: who is
 *      queued takes the lock before it returns, or is woken after it is let go.
 *   3. Whose wait is won, but not ended yet, has not returned. So when many are
 *      woken, all are won first, a batch under each hold of the lock, and then
 *      all are ended.
 *   4. Who left the queue for a reason of its own looks, under the lock, at its
 *      waiter: if that is out of the queue already, somebody is through with it,
 *      and the object may be gone. fiber_park_queue() does not look at the queue
 *      then either, so that all who have nothing else to do wait by that.
 * The lock itself cannot be in the object: who unlocks it still looks at its
 * sleepers (lock.h). Buckets are never freed.
 *
 * LOCKING. Of no two buckets at once, nor one within another lock.
 */
#ifndef FIBER_BUCKET_H
#define FIBER_BUCKET_H

#include "park.h"

/* Fewer for the explorer, so that all objects share one. */
#ifndef FIBER_BUCKETS
#define FIBER_BUCKETS 512u
#endif

/* How many waiters are won under one hold of the lock. */
#ifndef FIBER_CLAIM_BATCH
#define FIBER_CLAIM_BATCH 64u
#endif

/* What every object begins with, and its bit 0. */
typedef at(uint64_t) fiber_object_word;
#define FIBER_WAITERS ((uint64_t)1)

struct fiber_bucket {
	struct fiber_lock lock;
	struct fiber_waiter *words; /* lock: in fiber_block_on() */
} __attribute__((aligned(64)));

extern struct fiber_bucket _fiber_buckets[FIBER_BUCKETS];

/* In the child of a fork: nobody is in any of them. */
void _fiber_bucket_forget(void);

static inline struct fiber_bucket *fiber_bucket_of(const void *object)
{
	uint64_t hash = (uintptr_t)object * 0x9e3779b97f4a7c15u;

	return &_fiber_buckets[(hash >> 32) % FIBER_BUCKETS];
}

/* Under the lock: w becomes the last in the queue, for the coming wait. */
static inline void fiber_bucket_queue(struct fiber_here *here,
				      struct fiber_waiter **queue,
				      struct fiber_waiter *w,
				      enum fiber_call call, const void *on)
{
	w->fiber = here->cur;
	w->ticket = _fiber_park_ticket(here->cur);
	w->elem = NULL;
	fiber_waiter_add(queue, w);
	fiber_wait_note(here->cur, w, call, on, 1);
}

/*
 * Wait, with w queued and the lock not held. Returns the result that who won
 * gave, 0 or more; or -errno: then the lock is held, and w out of the queue.
 * *left: it was still in it, so that the object is there.
 */
int _fiber_bucket_wait(struct fiber_here *here, struct fiber_bucket *bucket,
		       struct fiber_waiter **queue, struct fiber_waiter *w,
		       int64_t deadline, bool *left);

/*
 * For those who do more than fiber_park_queue() before they wait, and have nothing
 * to do when w has left: the lock is not held after.
 */
int _fiber_bucket_wait_simply(struct fiber_here *here,
			      struct fiber_bucket *bucket,
			      struct fiber_waiter **queue,
			      struct fiber_waiter *w, int64_t deadline);

/*
 * Under the lock: win up to max waits, whose waiters are then in *claimed.
 * Returns how many, less than max if there are no more.
 */
unsigned int _fiber_bucket_claim(struct fiber_waiter **queue,
				 struct fiber_waiter **claimed,
				 unsigned int max);
/* Without the lock: end all of them. */
void _fiber_bucket_end(struct fiber_here *here, struct fiber_waiter *claimed,
		       int result);

/* The lock is held and let go, somebody is queued: wake all, with result 0. */
void _fiber_bucket_wake_all(struct fiber_here *here,
			    struct fiber_bucket *bucket,
			    struct fiber_waiter **queue,
			    fiber_object_word *word);

#endif /* FIBER_BUCKET_H */
