// SPDX-License-Identifier: MIT
/*
 * A futex for fibers.
 *
 * MODEL. Who waits is in the queue of the bucket of the word's address, which is
 * in waiter->elem. It is queued first, and looks at the word then, so that no
 * memory of the program's is read under the lock:
 *
 *	wait  lock;  queue;  unlock;  look at the word;  park
 *	wake  (the word has changed)  lock;  look at the queue;  unlock
 *
 * The queue is that of all words with this bucket: who wakes looks at each, under
 * one hold of the lock. If the first lock comes first, it is found in the queue; if not, it sees what the
 * word was changed to, as the locks are in order.
 */
#include <errno.h>

#include <fiber/block.h>

#include "bucket.h"

static inline uint32_t look(const _Atomic uint32_t *word)
{
	return at_load((const fiber_word *)(const void *)word, ACQUIRE);
}

/* Whether the wait need not begin, as nobody has won it. */
static bool withdraw(struct fiber_bucket *bucket, struct fiber_waiter *w)
{
	bool may;

	fiber_lock(&bucket->lock);
	may = !(at_load(&w->fiber->park, RELAXED) & FIBER_PARK_CLAIMED);
	if (may)
		fiber_waiter_del(&bucket->words, w);
	fiber_unlock(&bucket->lock);
	return may;
}

static int wait(struct fiber_here *here, const _Atomic uint32_t *word,
		uint32_t seen, int64_t deadline)
{
	struct fiber_bucket *bucket = fiber_bucket_of((const void *)word);
	struct fiber_waiter w;

	fiber_lock(&bucket->lock);
	fiber_bucket_queue(here, &bucket->words, &w, FIBER_CALL_BLOCK_ON,
			   (const void *)word);
	w.elem = (void *)word;
	fiber_unlock(&bucket->lock);
	/* If somebody is about to end the wait, it has to be waited. */
	if (look(word) != seen && withdraw(bucket, &w))
		return -EAGAIN;
	return _fiber_bucket_wait_simply(here, bucket, &bucket->words, &w,
					 deadline);
}

int fiber_block_on(const _Atomic uint32_t *word, uint32_t seen,
		   int64_t deadline)
{
	struct fiber_here *here;
	int err;

	if (!word)
		return -EINVAL;
	here = _fiber_enter(&err);
	if (!here)
		return err;
	if (look(word) != seen)
		return -EAGAIN;
	if (fiber_park_past(here, deadline))
		return -ETIMEDOUT;
	return wait(here, word, seen, deadline);
}

/* Under the lock: win up to n waits for the word. Returns how many. */
static int claim(struct fiber_bucket *bucket, const void *word,
		 struct fiber_waiter **claimed, int n)
{
	struct fiber_waiter *w = bucket->words;
	struct fiber_waiter *last = w ? w->prev : NULL;
	struct fiber_waiter *next;
	int i = 0;

	for (; w && i < n; w = next) {
		next = w == last ? NULL : w->next;
		if (w->elem != word)
			continue;
		fiber_waiter_del(&bucket->words, w);
		w->ticket = _fiber_park_claim(w->fiber, w->ticket);
		if (!w->ticket)
			continue;
		fiber_waiter_add(claimed, w);
		i++;
	}
	return i;
}

int fiber_wake(const _Atomic uint32_t *word, int n)
{
	struct fiber_bucket *bucket = fiber_bucket_of((const void *)word);
	struct fiber_waiter *claimed = NULL;
	struct fiber_here *here;
	int err;

	if (!word || n < 0)
		return -EINVAL;
	here = fiber_here_get(&err);
	if (!here)
		return err;
	fiber_lock(&bucket->lock);
	n = claim(bucket, (const void *)word, &claimed, n);
	fiber_unlock(&bucket->lock);
	_fiber_bucket_end(here, claimed, 0);
	return n;
}
