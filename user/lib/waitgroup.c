// SPDX-License-Identifier: MIT
/*
 * Wait groups.
 *
 * MODEL. The word is twice the count, and WAITERS, with which the count becomes 0
 * only under the lock.
 */
#include <errno.h>

#include <fiber/sync.h>

#include "bucket.h"

#define WAITERS FIBER_WAITERS
#define ONE ((uint64_t)2)

struct group {
	fiber_object_word word;
	struct fiber_waiter *queue; /* under the bucket's lock */
};

static inline struct group *group_of(struct fiber_waitgroup *group)
{
	_Static_assert(sizeof(struct group) == sizeof(*group), "public");
	return (struct group *)group;
}

/* The count after adding n: or -errno. */
static inline int64_t sum(uint64_t word, int n)
{
	int64_t count = (int64_t)(word / ONE) + n;

	if (count < 0)
		return -EINVAL;
	return count > INT32_MAX ? -EOVERFLOW : count;
}

/* Under the lock, which is let go: it may be that the last one is done. */
static int add_locked(struct fiber_here *here, struct fiber_bucket *bucket,
		      struct group *g, int n)
{
	uint64_t word = at_load(&g->word, RELAXED);
	/* While it is not empty, the group is there. */
	uint64_t flags = g->queue ? WAITERS : 0;
	int64_t count;

	do {
		count = sum(word, n);
		if (count < 0) {
			fiber_unlock(&bucket->lock);
			return count;
		}
	} while (!at_cas(&g->word, &word, count * ONE | flags));
	if (count || !flags)
		fiber_unlock(&bucket->lock);
	else
		_fiber_bucket_wake_all(here, bucket, &g->queue, &g->word);
	return 0;
}

static __attribute__((noinline)) int add_slow(struct group *g, int n)
{
	struct fiber_bucket *bucket = fiber_bucket_of(g);
	struct fiber_here *here;
	int err;

	here = fiber_here_get(&err);
	if (!here)
		return err;
	fiber_lock(&bucket->lock);
	return add_locked(here, bucket, g, n);
}

int fiber_waitgroup_add(struct fiber_waitgroup *group, int n)
{
	struct group *g = group_of(group);
	uint64_t word;
	int64_t count;

	if (!g)
		return -EINVAL;
	word = at_load(&g->word, RELAXED);
	do {
		count = sum(word, n);
		if (unlikely(count < 0))
			return count;
		if (unlikely(!count && word & WAITERS))
			return add_slow(g, n);
	} while (!at_cas(&g->word, &word, count * ONE | (word & WAITERS)));
	return 0;
}

int fiber_waitgroup_done(struct fiber_waitgroup *group)
{
	return fiber_waitgroup_add(group, -1);
}

static inline bool is_done(struct group *g)
{
	return at_load(&g->word, ACQUIRE) < ONE;
}

/* Under the lock: whether there is something to wait for; then WAITERS is set. */
static bool tell(struct group *g)
{
	uint64_t word = at_load(&g->word, ACQUIRE);

	while (word >= ONE) {
		if (at_cas(&g->word, &word, word | WAITERS))
			return true;
	}
	return false;
}

static int wait(struct fiber_here *here, struct group *g, int64_t deadline)
{
	struct fiber_bucket *bucket = fiber_bucket_of(g);

	fiber_lock(&bucket->lock);
	if (tell(g))
		return _fiber_park_queue(here, &bucket->lock, &g->queue, NULL,
					 deadline, FIBER_CALL_WAITGROUP);
	fiber_unlock(&bucket->lock);
	return 0;
}

int fiber_waitgroup_wait_until(struct fiber_waitgroup *group, int64_t deadline)
{
	struct group *g = group_of(group);
	struct fiber_here *here;
	int err;

	if (!g)
		return -EINVAL;
	here = _fiber_enter(&err);
	if (!here)
		return err;
	return is_done(g) ? 0 : wait(here, g, deadline);
}

int fiber_waitgroup_wait(struct fiber_waitgroup *group)
{
	return fiber_waitgroup_wait_until(group, INT64_MAX);
}
