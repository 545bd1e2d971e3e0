/* SPDX-License-Identifier: MIT */
/*
 * The queues of a worker.
 *
 * MODEL. Two of the four containers that a worker has (sched.h): `ring`, first
 * in first out, of fibers that have run before, and `deque`, of those that have
 * not. The end where fibers are put in belongs to one thread for life, the
 * worker's. The other end belongs to nobody, so that a worker that is stopped
 * at any instruction is emptied by others and finds, when it goes on, an
 * ordinary race lost.
 *
 * ring: everybody, the owner too, takes by moving head with a compare-and-swap,
 * one or many at once. The owner stores to a slot and then moves tail.
 *
 * deque: after Chase and Lev, with the orders of Le, Pop, Cohen and Zappa
 * Nardelli (PPoPP 2013), of a fixed size. The owner puts and takes at the
 * bottom, others take the oldest at the top, one at a time.
 *
 * What is in a queue belongs to whoever takes it out: taking orders all that
 * was done before it was put in.
 */
#ifndef FIBER_RUNQ_H
#define FIBER_RUNQ_H

#include <stdbool.h>
#include <stddef.h>

#include "atomic.h"

struct fiber;

#ifndef FIBER_RING_SIZE
#define FIBER_RING_SIZE 256u
#endif
#ifndef FIBER_DEQUE_SIZE
#define FIBER_DEQUE_SIZE 1024u
#endif

struct fiber_ring {
	at(uint32_t) head; /* anybody's */
	at(uint32_t) tail __attribute__((aligned(64))); /* the owner's */
	at(struct fiber *) slot[FIBER_RING_SIZE];
};

struct fiber_deque {
	at(int64_t) top __attribute__((aligned(64))); /* anybody's */
	at(int64_t) bottom __attribute__((aligned(64))); /* the owner's */
	at(struct fiber *) slot[FIBER_DEQUE_SIZE];
};

static inline uint32_t fiber_ring_len(const struct fiber_ring *q)
{
	uint32_t head = at_load(&q->head, RELAXED);

	return at_load(&q->tail, RELAXED) - head;
}

/* The owner only. False if it is full. */
static inline bool fiber_ring_push(struct fiber_ring *q, struct fiber *f)
{
	uint32_t tail = at_load(&q->tail, RELAXED);

	/* Pairs with the swap in take: the slot has been read. */
	if (tail - at_load(&q->head, ACQUIRE) >= FIBER_RING_SIZE)
		return false;
	at_store(&q->slot[tail % FIBER_RING_SIZE], f, RELAXED);
	/* Pairs with the load in take. */
	at_store(&q->tail, tail + 1, RELEASE);
	return true;
}

/* Up to max, at most half of them (rounded up) if half. Returns how many. */
static inline uint32_t fiber_ring_take(struct fiber_ring *q, struct fiber **out,
				       uint32_t max, bool half)
{
	uint32_t head = at_load(&q->head, ACQUIRE);

	for (;;) {
		/* Pairs with the store in push. */
		uint32_t n = at_load(&q->tail, ACQUIRE) - head;
		uint32_t i;

		/* Torn: head is older than tail by more than there is room. */
		if (n > FIBER_RING_SIZE) {
			head = at_load(&q->head, ACQUIRE);
			continue;
		}
		if (half)
			n -= n / 2;
		if (n > max)
			n = max;
		if (!n)
			return 0;
		for (i = 0; i < n; i++)
			out[i] = at_load(&q->slot[(head + i) % FIBER_RING_SIZE],
					 RELAXED);
		if (at_cas(&q->head, &head, head + n))
			return n;
	}
}

static inline struct fiber *fiber_ring_pop(struct fiber_ring *q)
{
	uint32_t head = at_load(&q->head, ACQUIRE);

	for (;;) {
		struct fiber *f;

		if (head == at_load(&q->tail, ACQUIRE))
			return NULL;
		f = at_load(&q->slot[head % FIBER_RING_SIZE], RELAXED);
		if (at_cas(&q->head, &head, head + 1))
			return f;
	}
}

static inline int64_t fiber_deque_len(const struct fiber_deque *q)
{
	int64_t top = at_load(&q->top, RELAXED);
	int64_t n = at_load(&q->bottom, RELAXED) - top;

	return n > 0 ? n : 0;
}

/* The owner only. False if it is full. */
static inline bool fiber_deque_push(struct fiber_deque *q, struct fiber *f)
{
	int64_t bottom = at_load(&q->bottom, RELAXED);

	if (bottom - at_load(&q->top, ACQUIRE) >= (int64_t)FIBER_DEQUE_SIZE)
		return false;
	at_store(&q->slot[bottom % FIBER_DEQUE_SIZE], f, RELAXED);
	/* Pairs with the load in steal. */
	at_store(&q->bottom, bottom + 1, RELEASE);
	return true;
}

/* The only one, at top: as thieves take it, of whom one is the first. */
static inline struct fiber *fiber_deque_take_last(struct fiber_deque *q,
						  int64_t top)
{
	struct fiber *f = at_load(&q->slot[top % FIBER_DEQUE_SIZE], RELAXED);

	return at_cas(&q->top, &top, top + 1) ? f : NULL;
}

/* The owner only: the newest. */
static inline struct fiber *fiber_deque_pop(struct fiber_deque *q)
{
	int64_t bottom = at_load(&q->bottom, RELAXED) - 1;
	int64_t top = at_load(&q->top, RELAXED);
	struct fiber *f;

	if (bottom < top)
		return NULL;
	if (bottom == top)
		return fiber_deque_take_last(q, top);
	at_store(&q->bottom, bottom, RELAXED);
	/* A thief sees that it is gone, or we see that the thief took it. */
	at_fence();
	top = at_load(&q->top, RELAXED);
	if (top > bottom) {
		at_store(&q->bottom, bottom + 1, RELAXED);
		return NULL;
	}
	f = at_load(&q->slot[bottom % FIBER_DEQUE_SIZE], RELAXED);
	if (top == bottom) {
		/* The last one: whoever moves top has it. */
		if (!at_cas(&q->top, &top, top + 1))
			f = NULL;
		at_store(&q->bottom, bottom + 1, RELAXED);
	}
	return f;
}

/* Anybody: the oldest; NULL if there is none, or somebody else was faster. */
static inline struct fiber *fiber_deque_steal(struct fiber_deque *q)
{
	int64_t top = at_load(&q->top, ACQUIRE);
	struct fiber *f;

	at_fence();
	/* Pairs with the store in push. */
	if (top >= at_load(&q->bottom, ACQUIRE))
		return NULL;
	f = at_load(&q->slot[top % FIBER_DEQUE_SIZE], RELAXED);
	return at_cas(&q->top, &top, top + 1) ? f : NULL;
}

#endif /* FIBER_RUNQ_H */
