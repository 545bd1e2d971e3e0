// SPDX-License-Identifier: MIT
/*
 * What the objects of fiber/sync.h share.
 */
#include <string.h>

#include "bucket.h"

struct fiber_bucket _fiber_buckets[FIBER_BUCKETS];

void _fiber_bucket_forget(void)
{
	memset(_fiber_buckets, 0, sizeof(_fiber_buckets));
}

int _fiber_bucket_wait(struct fiber_here *here, struct fiber_bucket *bucket,
		       struct fiber_waiter **queue, struct fiber_waiter *w,
		       int64_t deadline, bool *left)
{
	struct fiber_waiter *fired;
	int err = fiber_park_wait(here, here->cur, deadline, &fired);

	*left = false;
	if (likely(fired == w))
		return w->result;
	fiber_lock(&bucket->lock);
	*left = w->next;
	fiber_waiter_del(queue, w);
	return err;
}

int _fiber_bucket_wait_simply(struct fiber_here *here,
			      struct fiber_bucket *bucket,
			      struct fiber_waiter **queue,
			      struct fiber_waiter *w, int64_t deadline)
{
	bool left;
	int result =
		_fiber_bucket_wait(here, bucket, queue, w, deadline, &left);

	if (result < 0)
		fiber_unlock(&bucket->lock);
	return result;
}

unsigned int _fiber_bucket_claim(struct fiber_waiter **queue,
				 struct fiber_waiter **claimed,
				 unsigned int max)
{
	struct fiber_waiter *w;
	unsigned int n = 0;
	uint64_t won;

	while (n < max && (w = fiber_waiter_claim(queue, &won))) {
		/* Nobody else wants to know it any more. */
		w->ticket = won;
		fiber_waiter_add(claimed, w);
		n++;
	}
	return n;
}

void _fiber_bucket_end(struct fiber_here *here, struct fiber_waiter *claimed,
		       int result)
{
	struct fiber_batch batch = { NULL, NULL, 0 };
	struct fiber_waiter *w;

	while ((w = claimed)) {
		fiber_waiter_del(&claimed, w);
		w->result = result;
		fiber_batch_end(&batch, w->fiber, w->ticket, w, 0);
	}
	fiber_batch_ready(here, &batch);
}

void _fiber_bucket_wake_all(struct fiber_here *here,
			    struct fiber_bucket *bucket,
			    struct fiber_waiter **queue,
			    fiber_object_word *word)
{
	struct fiber_waiter *claimed = NULL;

	while (_fiber_bucket_claim(queue, &claimed, FIBER_CLAIM_BATCH) ==
	       FIBER_CLAIM_BATCH) {
		fiber_unlock(&bucket->lock);
		fiber_lock(&bucket->lock);
	}
	at_and(word, ~FIBER_WAITERS);
	fiber_unlock(&bucket->lock);
	_fiber_bucket_end(here, claimed, 0);
}
