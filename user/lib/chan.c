// SPDX-License-Identifier: MIT
/*
 * Sending and receiving.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <fiber/base.h>

#include "chan.h"
#include "probe.h"
#include "sized.h"
#include "slab.h"

/* How many waiters are taken out of a closed channel before it is let go. */
#define CLOSE_BATCH 64

enum how {
	WAIT,
	TRY,
};

static struct fiber_slab_cache chans;

/* Where elements of no size are. */
static char nothing[1];

static void free_slots(char *slots)
{
	if (slots != nothing)
		free(slots);
}

static int check_attr(const struct fiber_chan_attr *given)
{
	struct fiber_chan_attr attr;
	int err = 0;

	if (given)
		err = _fiber_sized_get(&attr, sizeof(attr), given, given->size);
	if (!err && given && (attr.flags || attr.reserved))
		err = -EINVAL;
	return err;
}

int fiber_chan_new(struct fiber_chan **chan, size_t elem_size, size_t capacity,
		   const struct fiber_chan_attr *attr)
{
	size_t slot_size = elem_size > FIBER_ELEM_SMALL && capacity ?
				   sizeof(struct fiber_box *) :
				   elem_size;
	struct fiber_chan *c;
	char *slots = nothing;
	int err = check_attr(attr);

	if (err)
		return err;
	if (!chan || elem_size > FIBER_ELEM_SIZE_MAX ||
	    (elem_size && capacity > FIBER_CHAN_SIZE_MAX / elem_size))
		return -EINVAL;
	if (slot_size && capacity) {
		/* Touched now, and not under the lock. */
		slots = calloc(capacity, slot_size);
		if (!slots)
			return -ENOMEM;
		memset(slots, 0, capacity * slot_size);
	}
	c = _fiber_slab_get(&chans, sizeof(*c));
	if (!c) {
		free_slots(slots);
		return -ENOMEM;
	}
	c->recvq = c->sendq = NULL;
	c->slots = slots;
	c->cap = capacity;
	c->count = c->head = 0;
	c->slot_size = slot_size;
	c->closed = 0;
	c->boxed = slot_size != elem_size;
	c->words = capacity && elem_size == sizeof(uint64_t);
	c->elem_size = elem_size;
	at_store(&c->refs, 1, RELAXED);
	c->boxes = NULL;
	c->nr_boxes = 0;
	*chan = c;
	return 0;
}

struct fiber_chan *fiber_chan_get(struct fiber_chan *chan)
{
	if (chan)
		at_add(&chan->refs, 1);
	return chan;
}

static void check_unused(struct fiber_chan *c)
{
	if (!c->recvq && !c->sendq)
		return;
	fprintf(stderr, "fiber: the last reference to a channel is given up "
			"while somebody waits in it\n");
	abort();
}

static void free_boxes(struct fiber_chan *c)
{
	struct fiber_box *box;
	union fiber_slot slot;

	while (c->count) {
		fiber_chan_take_slot(c, &slot);
		free(slot.box);
	}
	while ((box = c->boxes)) {
		c->boxes = box->next;
		free(box);
	}
}

void fiber_chan_put(struct fiber_chan *chan)
{
	if (!chan || at_add(&chan->refs, -1) != 1)
		return;
	fiber_lock(&chan->lock);
	check_unused(chan);
	if (chan->boxed)
		free_boxes(chan);
	fiber_unlock(&chan->lock);
	free_slots(chan->slots);
	_fiber_slab_put(&chans, chan);
}

/*
 * Each operation is a short function that looks which of a few cases it is, and
 * ends with a jump to the function for that case: the usual ones then save no
 * registers but once, and have one frame above the program's when they switch.
 */

/* The lock is held: let it go, and say why not. */
static int refuse(struct fiber_chan *c)
{
	int err = c->closed ? -EPIPE : -EAGAIN;

	fiber_unlock(&c->lock);
	return err;
}

/*
 * The channel has no buffer, the lock is held, it is not closed, and receivers are
 * queued: the first gets the element. If none is left, wait for one.
 */
static __attribute__((noinline)) int send_direct(struct fiber_here *here,
						 struct fiber_chan *c,
						 const void *elem, enum how how,
						 int64_t deadline)
{
	size_t size = c->elem_size;
	uint64_t won;
	struct fiber_waiter *w = fiber_waiter_claim(&c->recvq, &won);

	if (unlikely(!w)) {
		if (how == TRY)
			return refuse(c);
		return _fiber_park_queue(here, &c->lock, &c->sendq,
					 (void *)elem, deadline,
					 FIBER_CALL_SEND);
	}
	fiber_unlock(&c->lock);
	if (likely(w->elem))
		fiber_chan_copy(w->elem, elem, size);
	return fiber_chan_wake(here, w, won, 0);
}

/*
 * The channel has a buffer, slot is what goes into it, elem what a receiver that
 * waits gets. *kept: the slot is somebody else's now.
 */
static inline int send_slot(struct fiber_here *here, struct fiber_chan *c,
			    void *slot, const void *elem, enum how how,
			    int64_t deadline, bool *kept)
{
	struct fiber_waiter *w;
	uint64_t won;
	int err;

	*kept = false;
	fiber_lock(&c->lock);
	if (unlikely(c->closed))
		return refuse(c);
	if (unlikely(c->recvq) && (w = fiber_waiter_claim(&c->recvq, &won))) {
		size_t size = c->elem_size;

		fiber_unlock(&c->lock);
		if (w->elem)
			fiber_chan_copy(w->elem, elem, size);
		return fiber_chan_wake(here, w, won, 0);
	}
	if (likely(c->count < c->cap)) {
		fiber_chan_put_slot(c, slot);
		*kept = true;
		fiber_unlock(&c->lock);
		return 0;
	}
	if (how == TRY)
		return refuse(c);
	err = _fiber_park_queue(here, &c->lock, &c->sendq, slot, deadline,
				FIBER_CALL_SEND);
	*kept = !err;
	return err;
}

static __attribute__((noinline)) int send_boxed(struct fiber_here *here,
						struct fiber_chan *c,
						const void *elem, enum how how,
						int64_t deadline)
{
	struct fiber_box *box = _fiber_box_get(c, elem);
	bool kept;
	int err;

	if (!box)
		return -ENOMEM;
	err = send_slot(here, c, &box, elem, how, deadline, &kept);
	/* Not to the channel: who has the element may have given it up. */
	if (!kept)
		free(box);
	return err;
}

static __attribute__((noinline)) int
send_buffered(struct fiber_here *here, struct fiber_chan *c, const void *elem,
	      enum how how, int64_t deadline)
{
	union fiber_slot slot;
	bool kept;

	if (unlikely(c->boxed))
		return send_boxed(here, c, elem, how, deadline);
	fiber_chan_copy(&slot, elem, c->elem_size);
	return send_slot(here, c, &slot, elem, how, deadline, &kept);
}

static struct fiber_here *enter_slow(enum how how, int *err)
{
	return how == WAIT ? _fiber_enter(err) : _fiber_enter_try(err);
}

/* The first call of a thread, attention, or the lock is held by somebody. */
static __attribute__((noinline, cold)) int send_slow(struct fiber_chan *c,
						     const void *elem,
						     enum how how,
						     int64_t deadline)
{
	int err;
	struct fiber_here *here = enter_slow(how, &err);

	if (!here)
		return err;
	if (c->cap)
		return send_buffered(here, c, elem, how, deadline);
	fiber_lock(&c->lock);
	if (c->closed)
		return refuse(c);
	return send_direct(here, c, elem, how, deadline);
}

/* The lock is held, and is let go: it went through a buffer. Returns 0. */
static inline int done_buffered(struct fiber_chan *c)
{
	fiber_unlock(&c->lock);
	return 0;
}

/*
 * Words through a buffer in which there is room and nobody waits: all that such
 * a channel does most of the time, in a function that calls no other.
 */
static inline __attribute__((always_inline)) int
send_word(struct fiber_here *here, struct fiber_chan *c, const void *elem,
	  enum how how, int64_t deadline)
{
	uint64_t word;

	memcpy(&word, elem, sizeof(word));
	if (unlikely(!fiber_trylock(&c->lock)))
		return send_slow(c, elem, how, deadline);
	if (unlikely(c->closed || c->recvq || c->count >= c->cap)) {
		fiber_unlock(&c->lock);
		return send_buffered(here, c, elem, how, deadline);
	}
	fiber_chan_put_word(c, word);
	return done_buffered(c);
}

static inline __attribute__((always_inline)) int
send(struct fiber_chan *c, const void *elem, enum how how, int64_t deadline)
{
	struct fiber_here *here = _fiber_here();

	FIBER_PROBE2(send, c, elem);
	if (unlikely(!c || (!elem && c->elem_size)))
		return -EINVAL;
	if (unlikely(!here || fiber_attention(here)))
		return send_slow(c, elem, how, deadline);
	if (c->cap) {
		if (c->words)
			return send_word(here, c, elem, how, deadline);
		return send_buffered(here, c, elem, how, deadline);
	}
	if (unlikely(!fiber_trylock(&c->lock)))
		return send_slow(c, elem, how, deadline);
	if (unlikely(c->closed))
		return refuse(c);
	if (c->recvq)
		return send_direct(here, c, elem, how, deadline);
	if (how == TRY)
		return refuse(c);
	return _fiber_park_queue(here, &c->lock, &c->sendq, (void *)elem,
				 deadline, FIBER_CALL_SEND);
}

/* The lock is held, and there are elements. */
static inline int recv_slot(struct fiber_here *here, struct fiber_chan *c,
			    void *elem, union fiber_slot *slot)
{
	struct fiber_waiter *w = NULL;
	uint64_t won;

	fiber_chan_take_slot(c, slot);
	/* Who waited for room has it now. */
	if (unlikely(c->sendq) && !c->closed &&
	    (w = fiber_waiter_claim(&c->sendq, &won)))
		fiber_chan_put_slot(c, w->elem);
	fiber_unlock(&c->lock);
	fiber_chan_open(c, elem, slot);
	return unlikely(w) ? fiber_chan_wake(here, w, won, 0) : 0;
}

static __attribute__((noinline)) int
recv_buffered(struct fiber_here *here, struct fiber_chan *c, void *elem)
{
	union fiber_slot slot;

	return recv_slot(here, c, elem, &slot);
}

/*
 * The lock is held, there is nothing in a buffer, and senders are queued: the
 * element of the first. If none is left, wait for one.
 */
static __attribute__((noinline)) int recv_direct(struct fiber_here *here,
						 struct fiber_chan *c,
						 void *elem, enum how how,
						 int64_t deadline)
{
	size_t size = c->slot_size;
	struct fiber_waiter *w = NULL;
	uint64_t won;

	/* Those that wait when it is closed have sent nothing. */
	if (likely(!c->closed))
		w = fiber_waiter_claim(&c->sendq, &won);
	if (unlikely(!w)) {
		if (c->closed || how == TRY)
			return refuse(c);
		return _fiber_park_queue(here, &c->lock, &c->recvq, elem,
					 deadline, FIBER_CALL_RECV);
	}
	fiber_unlock(&c->lock);
	if (likely(elem))
		fiber_chan_copy(elem, w->elem, size);
	return fiber_chan_wake(here, w, won, 0);
}

static __attribute__((noinline, cold)) int
recv_slow(struct fiber_chan *c, void *elem, enum how how, int64_t deadline)
{
	int err;
	struct fiber_here *here = enter_slow(how, &err);

	if (!here)
		return err;
	fiber_lock(&c->lock);
	if (c->count)
		return recv_buffered(here, c, elem);
	return recv_direct(here, c, elem, how, deadline);
}

static __attribute__((noinline, cold)) int
recv_word_slow(struct fiber_chan *c, void *elem, uint64_t word)
{
	_fiber_unlock_slow(&c->lock);
	memcpy(elem, &word, sizeof(word));
	return 0;
}

/* The lock is held; as send_word(). */
static inline __attribute__((always_inline)) int recv_word(struct fiber_chan *c,
							   void *elem)
{
	uint64_t word = fiber_chan_take_word(c);

	/* Before the program's memory is touched. */
	if (fiber_unlock_fast(&c->lock))
		return recv_word_slow(c, elem, word);
	memcpy(elem, &word, sizeof(word));
	return 0;
}

static inline __attribute__((always_inline)) int
recv(struct fiber_chan *c, void *elem, enum how how, int64_t deadline)
{
	struct fiber_here *here = _fiber_here();

	FIBER_PROBE2(recv, c, elem);
	if (unlikely(!c))
		return -EINVAL;
	if (unlikely(!here || fiber_attention(here) ||
		     !fiber_trylock(&c->lock)))
		return recv_slow(c, elem, how, deadline);
	if (c->count) {
		if (likely(c->words && elem && !c->sendq))
			return recv_word(c, elem);
		return recv_buffered(here, c, elem);
	}
	if (c->sendq)
		return recv_direct(here, c, elem, how, deadline);
	if (unlikely(c->closed || how == TRY))
		return refuse(c);
	return _fiber_park_queue(here, &c->lock, &c->recvq, elem, deadline,
				 FIBER_CALL_RECV);
}

int _fiber_chan_offer(struct fiber_here *here, struct fiber_chan *c,
		      const void *elem)
{
	union fiber_slot slot;
	bool kept;

	fiber_chan_copy(&slot, elem, c->elem_size);
	return send_slot(here, c, &slot, elem, TRY, 0, &kept);
}

int fiber_send(struct fiber_chan *chan, const void *elem)
{
	return send(chan, elem, WAIT, INT64_MAX);
}

int fiber_send_until(struct fiber_chan *chan, const void *elem,
		     int64_t deadline)
{
	return send(chan, elem, WAIT, deadline);
}

int fiber_try_send(struct fiber_chan *chan, const void *elem)
{
	return send(chan, elem, TRY, 0);
}

int fiber_recv(struct fiber_chan *chan, void *elem)
{
	return recv(chan, elem, WAIT, INT64_MAX);
}

int fiber_recv_until(struct fiber_chan *chan, void *elem, int64_t deadline)
{
	return recv(chan, elem, WAIT, deadline);
}

int fiber_try_recv(struct fiber_chan *chan, void *elem)
{
	return recv(chan, elem, TRY, 0);
}

/* Claimed waiters, to be woken together. */
struct claimed {
	unsigned int n;
	struct {
		struct fiber_waiter *waiter;
		uint64_t won;
	} of[CLOSE_BATCH];
};

/* Lock is held. Whether there are more. */
static bool collect(struct fiber_chan *c, struct claimed *claimed)
{
	claimed->n = 0;
	while (claimed->n < CLOSE_BATCH) {
		struct fiber_waiter **q = c->recvq ? &c->recvq : &c->sendq;
		struct fiber_waiter *w =
			fiber_waiter_claim(q, &claimed->of[claimed->n].won);

		if (w)
			claimed->of[claimed->n++].waiter = w;
		else if (!c->recvq && !c->sendq)
			return false;
	}
	return c->recvq || c->sendq;
}

static void wake_claimed(struct fiber_here *here, struct claimed *claimed)
{
	struct fiber_batch batch = { NULL, NULL, 0 };
	unsigned int i;

	for (i = 0; i < claimed->n; i++) {
		struct fiber_waiter *w = claimed->of[i].waiter;

		w->result = -EPIPE;
		fiber_batch_end(&batch, w->fiber, claimed->of[i].won, w, 0);
	}
	fiber_batch_ready(here, &batch);
}

int fiber_chan_close(struct fiber_chan *chan)
{
	struct fiber_here *here;
	struct claimed claimed;
	bool more;
	int err;

	FIBER_PROBE1(close, chan);
	if (!chan)
		return -EINVAL;
	here = fiber_here_get(&err);
	if (!here)
		return err;
	fiber_lock(&chan->lock);
	if (chan->closed) {
		fiber_unlock(&chan->lock);
		return -EPIPE;
	}
	chan->closed = 1;
	do {
		more = collect(chan, &claimed);
		fiber_unlock(&chan->lock);
		wake_claimed(here, &claimed);
		/* Without waiters it may be gone by now. */
		if (more)
			fiber_lock(&chan->lock);
	} while (more);
	return 0;
}

size_t fiber_chan_len(const struct fiber_chan *chan)
{
	struct fiber_lock *lock;
	size_t len;

	if (!chan)
		return 0;
	/* The lock is not part of what is constant. */
	lock = (struct fiber_lock *)&chan->lock;
	fiber_lock(lock);
	len = chan->count;
	fiber_unlock(lock);
	return len;
}

size_t fiber_chan_cap(const struct fiber_chan *chan)
{
	return chan ? chan->cap : 0;
}
