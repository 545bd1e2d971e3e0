// SPDX-License-Identifier: MIT
/*
 * Once.
 *
 * MODEL. The word is 0, or the address of the control block of who calls fn, or
 * DONE. Who waits is woken to look at it again.
 */
#include <errno.h>

#include <fiber/fiber.h>
#include <fiber/sync.h>

#include "bucket.h"

#define WAITERS FIBER_WAITERS
#define DONE ((uint64_t)2)
/* Control blocks are at multiples of 64. */
#define OWNER (~(uint64_t)63)

struct once {
	fiber_object_word word;
	struct fiber_waiter *queue; /* under the bucket's lock */
};

static inline struct once *once_of(struct fiber_once *once)
{
	_Static_assert(sizeof(struct once) == sizeof(*once), "public");
	_Static_assert(offsetof(struct once, queue) == sizeof(uint64_t),
		       "wait.h");
	return (struct once *)once;
}

static inline bool is_done(struct once *o)
{
	return at_load(&o->word, ACQUIRE) & DONE;
}

/* By who called fn: what the word is now. */
static void settle(struct once *o, uint64_t word)
{
	struct fiber_bucket *bucket = fiber_bucket_of(o);
	struct fiber_here *here = _fiber_here();
	uint64_t me = (uintptr_t)here->cur;

	if (at_cas(&o->word, &me, word))
		return;
	fiber_lock(&bucket->lock);
	if (!o->queue) {
		at_store(&o->word, word, RELEASE);
		fiber_unlock(&bucket->lock);
		return;
	}
	at_store(&o->word, word | WAITERS, RELEASE);
	_fiber_bucket_wake_all(here, bucket, &o->queue, &o->word);
}

/* The fiber exits in fn. */
static void give_up(void *arg)
{
	settle(arg, 0);
}

static int call(struct fiber_here *here, struct once *o, void (*fn)(void *),
		void *arg)
{
	bool is_fiber = fiber_here_is_fiber(here);
	struct fiber_cleanup cleanup;
	int err = 0;

	if (is_fiber)
		err = fiber_cleanup_push(&cleanup, give_up, o);
	if (err) {
		settle(o, 0);
		return err;
	}
	fn(arg);
	if (is_fiber)
		fiber_cleanup_pop(&cleanup, 0);
	settle(o, DONE);
	return 0;
}

/* Under the lock: whether somebody calls fn; then WAITERS is set. */
static bool tell(struct once *o)
{
	uint64_t word = at_load(&o->word, RELAXED);

	while (word & OWNER) {
		if (at_cas(&o->word, &word, word | WAITERS))
			return true;
	}
	return false;
}

static int wait(struct fiber_here *here, struct once *o)
{
	struct fiber_bucket *bucket = fiber_bucket_of(o);

	fiber_lock(&bucket->lock);
	if (tell(o))
		return _fiber_park_queue(here, &bucket->lock, &o->queue, NULL,
					 INT64_MAX, FIBER_CALL_ONCE);
	fiber_unlock(&bucket->lock);
	return 0;
}

static int call_or_wait(struct once *o, void (*fn)(void *), void *arg)
{
	struct fiber_here *here;
	uint64_t word;
	int err;

	do {
		here = _fiber_enter(&err);
		if (!here)
			return err;
		word = at_load(&o->word, ACQUIRE);
		if (word & DONE)
			return 0;
		if ((word & OWNER) == (uintptr_t)here->cur)
			return -EDEADLK;
		/* WAITERS may be of those who are just woken. */
		if (!(word & OWNER)) {
			uint64_t mine = word | (uintptr_t)here->cur;

			if (at_cas(&o->word, &word, mine))
				return call(here, o, fn, arg);
			continue;
		}
		err = wait(here, o);
	} while (!err && !is_done(o));
	return err;
}

int fiber_once(struct fiber_once *once, void (*fn)(void *), void *arg)
{
	struct fiber_here *here = _fiber_here();
	struct once *o = once_of(once);

	if (!o || !fn)
		return -EINVAL;
	if (likely(is_done(o) && (!here || !fiber_attention(here))))
		return 0;
	return call_or_wait(o, fn, arg);
}
