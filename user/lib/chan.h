/* SPDX-License-Identifier: MIT */
/*
 * Channels, on the inside.
 *
 * INVARIANTS, under the lock, not counting waiters whose wait was won by others
 * (a deadline, cancellation, another case) and who are about to leave the queue:
 *   1. Of recvq and sendq at most one has waiters.
 *   2. If there are elements in the buffer, recvq has none.
 *   3. If there is room in the buffer, sendq has none.
 *
 * LOCK. chan->lock protects all of it. Under it is no memory of the caller's, as
 * that may take long to be read or written: somebody else's element is copied
 * after its waiter has been claimed and the lock let go, one's own by way of the
 * stack. So what goes through the buffer, in `slots`, is small: the element
 * itself up to ELEM_SMALL bytes, or a pointer to a box with a copy of it. A
 * sender that waits for room has that at waiter->elem, a sender that waits for a
 * receiver the element itself, as have all receivers.
 *
 * LIFETIME. Control blocks of channels are type-stable (slab.h): a receiver may
 * have its element, and have given back the last reference, before the sender
 * is quite out of the unlock.
 */
#ifndef FIBER_CHAN_PRIVATE_H
#define FIBER_CHAN_PRIVATE_H

#include <string.h>

#include <fiber/chan.h>

#include "park.h"

#define FIBER_ELEM_SMALL 128

struct fiber_box {
	struct fiber_box *next; /* box_lock: of the free ones */
	char elem[];
};

/* Tags: L lock, B box_lock, I immutable. */
struct fiber_chan {
	struct fiber_lock lock;
	struct fiber_waiter *recvq; /* L */
	struct fiber_waiter *sendq; /* L */
	char *slots; /* I: a ring of cap */
	uint64_t cap; /* I */
	uint64_t count; /* L: elements in it */
	uint64_t head; /* L: the oldest one's slot */
	uint32_t slot_size; /* I: that of an element, unless it is boxed */
	uint8_t closed; /* L */
	uint8_t boxed; /* I */
	uint8_t words; /* I: has a buffer, and elements of 8 bytes in it */

	/* To here, one cache line: all that is touched but for boxes. */
	uint32_t elem_size; /* I */
	at(uint32_t) refs;
	struct fiber_lock box_lock;
	struct fiber_box *boxes; /* B: free ones */
	uint64_t nr_boxes; /* B */
} __attribute__((aligned(64)));

/* What takes the place of an element on the stack. */
union fiber_slot {
	uint64_t word;
	struct fiber_box *box;
	char bytes[FIBER_ELEM_SMALL];
};

/* The sizes that are common are one instruction or two. */
static inline void fiber_chan_copy(void *to, const void *from, size_t size)
{
	switch (size) {
	case 8:
		memcpy(to, from, 8);
		break;
	case 4:
		memcpy(to, from, 4);
		break;
	case 0:
		break;
	default:
		memcpy(to, from, size);
	}
}

static inline char *fiber_chan_slot(const struct fiber_chan *c, uint64_t i)
{
	return c->slots + i * c->slot_size;
}

/* Lock is held, and there is room. */
static inline void fiber_chan_put_slot(struct fiber_chan *c, const void *slot)
{
	uint64_t i = c->head + c->count;

	if (i >= c->cap)
		i -= c->cap;
	fiber_chan_copy(fiber_chan_slot(c, i), slot, c->slot_size);
	c->count++;
}

/* Lock is held, and there is an element. */
static inline void fiber_chan_take_slot(struct fiber_chan *c, void *slot)
{
	fiber_chan_copy(slot, fiber_chan_slot(c, c->head), c->slot_size);
	if (++c->head == c->cap)
		c->head = 0;
	c->count--;
}

/* The same for a channel of words. */
static inline void fiber_chan_put_word(struct fiber_chan *c, uint64_t word)
{
	uint64_t i = c->head + c->count;

	if (i >= c->cap)
		i -= c->cap;
	((uint64_t *)(void *)c->slots)[i] = word;
	c->count++;
}

static inline uint64_t fiber_chan_take_word(struct fiber_chan *c)
{
	uint64_t word = ((uint64_t *)(void *)c->slots)[c->head];

	if (++c->head == c->cap)
		c->head = 0;
	c->count--;
	return word;
}

/* The lock is not held: end the wait of who was claimed, with its result. */
static inline int fiber_chan_wake(struct fiber_here *here,
				  struct fiber_waiter *w, uint64_t won,
				  int result)
{
	w->result = result;
	return fiber_park_wake(here, w->fiber, won, w, 0);
}

/*
 * fiber_try_send() for the scheduler itself: no scheduling point. The element is
 * small.
 */
int _fiber_chan_offer(struct fiber_here *here, struct fiber_chan *c,
		      const void *elem);

/* A box with a copy of elem; NULL if there is no memory. And give it back. */
struct fiber_box *_fiber_box_get(struct fiber_chan *c, const void *elem);
void _fiber_box_put(struct fiber_chan *c, struct fiber_box *box);

/* Copy the element out of what was in a slot; elem may be NULL. */
void _fiber_box_open(struct fiber_chan *c, void *elem, struct fiber_box *box);
static inline void fiber_chan_open(struct fiber_chan *c, void *elem,
				   const union fiber_slot *slot)
{
	if (unlikely(c->boxed))
		_fiber_box_open(c, elem, slot->box);
	else if (elem)
		fiber_chan_copy(elem, slot, c->slot_size);
}

#endif /* FIBER_CHAN_PRIVATE_H */
