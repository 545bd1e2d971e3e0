// SPDX-License-Identifier: MIT
/*
 * Barriers.
 *
 * MODEL. All is under the lock: as many as have come are queued. The last one
 * takes all out of the queue, and that is when the barrier opens: who finds
 * itself out of the queue has passed, though its wait may have ended for a
 * reason of its own. Who leaves the queue itself has not come.
 *
 * They are won under one hold of the lock, since those who come next are queued
 * after them.
 */
#include <errno.h>
#include <limits.h>

#include <fiber/sync.h>

#include "bucket.h"

struct barrier {
	uint32_t count; /* I */
	uint32_t come; /* under the bucket's lock */
	struct fiber_waiter *queue; /* under the bucket's lock */
};

static inline struct barrier *barrier_of(struct fiber_barrier *barrier)
{
	_Static_assert(sizeof(struct barrier) == sizeof(*barrier), "public");
	return (struct barrier *)barrier;
}

/* Under the lock, which is let go. */
static int open(struct fiber_here *here, struct fiber_bucket *bucket,
		struct barrier *b)
{
	struct fiber_waiter *claimed = NULL;

	b->come = 0;
	_fiber_bucket_claim(&b->queue, &claimed, UINT_MAX);
	fiber_unlock(&bucket->lock);
	_fiber_bucket_end(here, claimed, 0);
	return 1;
}

/* Under the lock, which is let go. */
static int wait(struct fiber_here *here, struct fiber_bucket *bucket,
		struct barrier *b, int64_t deadline)
{
	struct fiber_waiter w;
	bool left;
	int result;

	b->come++;
	fiber_bucket_queue(here, &b->queue, &w, FIBER_CALL_BARRIER, b);
	fiber_unlock(&bucket->lock);
	result = _fiber_bucket_wait(here, bucket, &b->queue, &w, deadline,
				    &left);
	if (!result)
		return 0;
	if (left)
		b->come--;
	fiber_unlock(&bucket->lock);
	return left ? result : 0;
}

int fiber_barrier_wait_until(struct fiber_barrier *barrier, int64_t deadline)
{
	struct barrier *b = barrier_of(barrier);
	struct fiber_bucket *bucket;
	struct fiber_here *here;
	int err;

	if (!b || !b->count)
		return -EINVAL;
	here = _fiber_enter(&err);
	if (!here)
		return err;
	bucket = fiber_bucket_of(b);
	fiber_lock(&bucket->lock);
	if (b->come + 1 >= b->count)
		return open(here, bucket, b);
	if (!fiber_park_past(here, deadline))
		return wait(here, bucket, b, deadline);
	fiber_unlock(&bucket->lock);
	return -ETIMEDOUT;
}

int fiber_barrier_wait(struct fiber_barrier *barrier)
{
	return fiber_barrier_wait_until(barrier, INT64_MAX);
}
