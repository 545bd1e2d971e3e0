// SPDX-License-Identifier: MIT
/*
 * Events.
 *
 * MODEL. The word is SET, and WAITERS, with which SET is set under the lock only.
 */
#include <errno.h>

#include <fiber/sync.h>

#include "bucket.h"

#define WAITERS FIBER_WAITERS
#define SET ((uint64_t)2)

struct event {
	fiber_object_word word;
	struct fiber_waiter *queue; /* under the bucket's lock */
};

static inline struct event *event_of(struct fiber_event *event)
{
	_Static_assert(sizeof(struct event) == sizeof(*event), "public");
	return (struct event *)event;
}

static __attribute__((noinline)) int set_slow(struct event *e)
{
	struct fiber_bucket *bucket = fiber_bucket_of(e);
	struct fiber_here *here;
	int err;

	here = fiber_here_get(&err);
	if (!here)
		return err;
	fiber_lock(&bucket->lock);
	if (!e->queue) {
		at_store(&e->word, SET, RELEASE);
		fiber_unlock(&bucket->lock);
		return 0;
	}
	/* While somebody is queued the event is there. */
	at_or(&e->word, SET);
	_fiber_bucket_wake_all(here, bucket, &e->queue, &e->word);
	return 0;
}

int fiber_event_set(struct fiber_event *event)
{
	struct event *e = event_of(event);
	uint64_t word = 0;

	if (!e)
		return -EINVAL;
	while (!at_cas(&e->word, &word, SET)) {
		if (word & WAITERS)
			return set_slow(e);
		if (word & SET)
			return 0;
	}
	return 0;
}

int fiber_event_clear(struct fiber_event *event)
{
	if (!event)
		return -EINVAL;
	at_and(&event_of(event)->word, ~SET);
	return 0;
}

/* Under the lock: whether it is not set; then WAITERS is. */
static bool tell(struct event *e)
{
	uint64_t word = at_load(&e->word, ACQUIRE);

	while (!(word & SET)) {
		if (at_cas(&e->word, &word, word | WAITERS))
			return true;
	}
	return false;
}

static int wait(struct fiber_here *here, struct event *e, int64_t deadline)
{
	struct fiber_bucket *bucket = fiber_bucket_of(e);

	fiber_lock(&bucket->lock);
	if (tell(e))
		return _fiber_park_queue(here, &bucket->lock, &e->queue, NULL,
					 deadline, FIBER_CALL_EVENT);
	fiber_unlock(&bucket->lock);
	return 0;
}

int fiber_event_wait_until(struct fiber_event *event, int64_t deadline)
{
	struct event *e = event_of(event);
	struct fiber_here *here;
	int err;

	if (!e)
		return -EINVAL;
	here = _fiber_enter(&err);
	if (!here)
		return err;
	if (at_load(&e->word, ACQUIRE) & SET)
		return 0;
	return wait(here, e, deadline);
}

int fiber_event_wait(struct fiber_event *event)
{
	return fiber_event_wait_until(event, INT64_MAX);
}
