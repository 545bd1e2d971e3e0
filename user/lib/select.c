// SPDX-License-Identifier: MIT
/*
 * Select.
 *
 * MODEL. All channels are locked, in the order of their addresses, each once.
 * 1. Look for a case that can be done, in a random order or the given one.
 * 2. If there is none, queue a waiter in each channel, all with the same ticket,
 *    of which one wins. Unlock, and wait.
 * 3. Take those that did not win out of their queues, channel by channel.
 * Elements are copied before the first lock and after the last, as in chan.c.
 *
 * A call never meets itself: it looks before it queues.
 */
#include <errno.h>
#include <stdlib.h>

#include <fiber/select.h>

#include "chan.h"

#define SMALL 4 /* cases, so that a fiber that waits in few stays small */
#define SLOT_ALIGN 8
#define SLOTS_SMALL 64 /* bytes */
#define SLOTS_LARGE 1024

enum how {
	WAIT,
	TRY,
};

struct select {
	struct fiber_case *cases;
	int n;
	struct fiber_waiter *waiters; /* one for each case */
	unsigned char *poll; /* numbers of cases, to be looked at in this order */
	unsigned char *locks; /* of cases whose channels are to be locked */
	int nr_locks;
	char *slots; /* copies of what goes into buffers */
	char *allocated; /* they, if there are too many for the stack */
};

/* A case that could be done, and what is left to do without the locks. */
struct done {
	int number;
	int result;
	struct fiber_waiter *partner; /* whose wait is won, or NULL */
	uint64_t won;
	bool buffered; /* by way of the buffer */
	union fiber_slot slot;
};

static size_t slot_room(const struct fiber_case *k)
{
	if (!k->chan || k->op != FIBER_SEND || !k->chan->cap)
		return 0;
	return (k->chan->slot_size + SLOT_ALIGN - 1) & -SLOT_ALIGN;
}

static int check(const struct fiber_case *cases, int n, unsigned int flags)
{
	int i;

	if (n < 0 || n > FIBER_CASES_MAX || (n && !cases) ||
	    flags & ~FIBER_SELECT_ORDERED)
		return -EINVAL;
	for (i = 0; i < n; i++) {
		const struct fiber_case *k = &cases[i];

		if (k->op != FIBER_SEND && k->op != FIBER_RECV)
			return -EINVAL;
		if (k->op == FIBER_SEND && k->chan && !k->elem &&
		    k->chan->elem_size)
			return -EINVAL;
	}
	return 0;
}

/* Give back the boxes of all sends but one, whose box is in the channel. */
static void free_slots(struct select *s, int n, int kept)
{
	int i;

	for (i = 0; i < n; i++) {
		struct fiber_case *k = &s->cases[i];
		struct fiber_box *box;

		if (i == kept || !slot_room(k) || !k->chan->boxed)
			continue;
		memcpy(&box, s->waiters[i].elem, sizeof(box));
		_fiber_box_put(k->chan, box);
	}
	free(s->allocated);
}

static int fill_slot(struct fiber_case *k, char *slot)
{
	struct fiber_box *box;

	if (!k->chan->boxed) {
		fiber_chan_copy(slot, k->elem, k->chan->elem_size);
		return 0;
	}
	box = _fiber_box_get(k->chan, k->elem);
	memcpy(slot, &box, sizeof(box));
	return box ? 0 : -ENOMEM;
}

/* Where each case's element is copied from or to. */
static int fill_slots(struct select *s, size_t room)
{
	size_t need = 0;
	char *slot = s->slots;
	int i;

	for (i = 0; i < s->n; i++)
		need += slot_room(&s->cases[i]);
	if (need > room) {
		slot = s->allocated = malloc(need);
		if (!slot)
			return -ENOMEM;
	}
	for (i = 0; i < s->n; i++) {
		struct fiber_case *k = &s->cases[i];

		s->waiters[i].elem = k->elem;
		need = slot_room(k);
		if (!need)
			continue;
		s->waiters[i].elem = slot;
		if (fill_slot(k, slot)) {
			free_slots(s, i, -1);
			return -ENOMEM;
		}
		slot += need;
	}
	return 0;
}

static void shuffle(struct select *s, struct fiber_here *here,
		    unsigned int flags)
{
	int i;

	for (i = 0; i < s->n; i++) {
		int j = i;

		if (!(flags & FIBER_SELECT_ORDERED))
			j = (fiber_random(here) >> 32) * (i + 1) >> 32;
		s->poll[i] = s->poll[j];
		s->poll[j] = i;
	}
}

/* Each channel once, by its address. */
static void sort(struct select *s)
{
	int i;
	int j;

	s->nr_locks = 0;
	for (i = 0; i < s->n; i++) {
		struct fiber_chan *c = s->cases[i].chan;

		if (!c)
			continue;
		for (j = s->nr_locks; j > 0; j--) {
			if (s->cases[s->locks[j - 1]].chan <= c)
				break;
		}
		if (j > 0 && s->cases[s->locks[j - 1]].chan == c)
			continue;
		memmove(s->locks + j + 1, s->locks + j, s->nr_locks - j);
		s->locks[j] = i;
		s->nr_locks++;
	}
}

static void lock_all(struct select *s)
{
	int i;

	for (i = 0; i < s->nr_locks; i++)
		fiber_lock(&s->cases[s->locks[i]].chan->lock);
}

static void unlock_all(struct select *s)
{
	int i;

	for (i = s->nr_locks; i-- > 0;)
		fiber_unlock(&s->cases[s->locks[i]].chan->lock);
}

static bool try_send(struct fiber_chan *c, void *slot, struct done *done)
{
	done->result = c->closed ? -EPIPE : 0;
	if (c->closed)
		return true;
	done->partner = fiber_waiter_claim(&c->recvq, &done->won);
	if (done->partner)
		return true;
	if (c->count == c->cap)
		return false;
	fiber_chan_put_slot(c, slot);
	done->buffered = true;
	return true;
}

static bool try_recv(struct fiber_chan *c, struct done *done)
{
	done->result = 0;
	done->partner = NULL;
	if (c->count) {
		fiber_chan_take_slot(c, &done->slot);
		done->buffered = true;
	}
	/* Those that wait when it is closed have sent nothing. */
	if (!c->closed)
		done->partner = fiber_waiter_claim(&c->sendq, &done->won);
	if (done->buffered) {
		if (done->partner)
			fiber_chan_put_slot(c, done->partner->elem);
		return true;
	}
	if (done->partner)
		return true;
	done->result = c->closed ? -EPIPE : 0;
	return c->closed;
}

static bool try_all(struct select *s, struct done *done)
{
	int i;

	for (i = 0; i < s->n; i++) {
		int number = s->poll[i];
		struct fiber_case *k = &s->cases[number];

		done->number = number;
		if (!k->chan)
			continue;
		if (k->op == FIBER_SEND ?
			    try_send(k->chan, s->waiters[number].elem, done) :
			    try_recv(k->chan, done))
			return true;
	}
	return false;
}

/* The part of a case that is done without locks. */
static void complete(struct select *s, struct fiber_here *here,
		     struct done *done)
{
	struct fiber_case *k = &s->cases[done->number];
	struct fiber_waiter *partner = done->partner;
	bool sent = k->op == FIBER_SEND && done->buffered;

	k->result = done->result;
	if (k->op == FIBER_RECV && done->buffered)
		fiber_chan_open(k->chan, k->elem, &done->slot);
	else if (k->op == FIBER_RECV && partner && k->elem)
		fiber_chan_copy(k->elem, partner->elem, k->chan->elem_size);
	else if (k->op == FIBER_SEND && partner && partner->elem)
		fiber_chan_copy(partner->elem, k->elem, k->chan->elem_size);
	free_slots(s, s->n, sent ? done->number : -1);
	if (partner)
		fiber_chan_wake(here, partner, done->won, 0);
}

static struct fiber_waiter **queue_of(const struct fiber_case *k)
{
	return k->op == FIBER_SEND ? &k->chan->sendq : &k->chan->recvq;
}

static void enqueue_all(struct select *s, struct fiber *f)
{
	uint64_t ticket = _fiber_park_ticket(f);
	int i;

	/* In this order, since a channel may be in several cases. */
	for (i = 0; i < s->n; i++) {
		struct fiber_case *k = &s->cases[s->poll[i]];
		struct fiber_waiter *w = &s->waiters[s->poll[i]];

		w->next = NULL;
		w->fiber = f;
		w->ticket = ticket;
		w->number = s->poll[i];
		w->on = k->chan ? queue_of(k) : NULL;
		if (k->chan)
			fiber_waiter_add(queue_of(k), w);
	}
	fiber_wait_note(f, s->waiters, FIBER_CALL_SELECT, s->waiters->on, s->n);
}

static void dequeue_all(struct select *s, const struct fiber_waiter *fired)
{
	int i;

	for (i = 0; i < s->n; i++) {
		struct fiber_chan *c = s->cases[i].chan;

		if (!c || &s->waiters[i] == fired)
			continue;
		fiber_lock(&c->lock);
		fiber_waiter_del(queue_of(&s->cases[i]), &s->waiters[i]);
		fiber_unlock(&c->lock);
	}
}

/* Queued and unlocked: the number of the case that came, or -errno. */
static int wait(struct select *s, struct fiber_here *here, int64_t deadline)
{
	struct fiber *f = here->cur;
	struct fiber_waiter *fired;
	int err = fiber_park_wait(here, f, deadline, &fired);
	struct fiber_case *k;

	dequeue_all(s, fired);
	if (!fired) {
		free_slots(s, s->n, -1);
		return err;
	}
	k = &s->cases[fired->number];
	k->result = fired->result;
	free_slots(s, s->n, fired->result ? -1 : fired->number);
	return fired->number;
}

static int run(struct select *s, struct fiber_here *here, unsigned int flags,
	       enum how how, int64_t deadline)
{
	struct done done = { .partner = NULL };
	int err = 0;

	shuffle(s, here, flags);
	sort(s);
	lock_all(s);
	if (try_all(s, &done)) {
		unlock_all(s);
		complete(s, here, &done);
		return done.number;
	}
	if (how == TRY)
		err = -EAGAIN;
	else if (fiber_park_past(here, deadline))
		err = -ETIMEDOUT;
	else
		enqueue_all(s, here->cur);
	unlock_all(s);
	if (err) {
		free_slots(s, s->n, -1);
		return err;
	}
	return wait(s, here, deadline);
}

static int enter(struct select *s, size_t room, unsigned int flags,
		 enum how how, int64_t deadline)
{
	struct fiber_here *here;
	int err;

	here = fiber_here_get(&err);
	if (unlikely(!here))
		return err;
	err = fiber_checkpoint(here);
	if (unlikely(err && how == WAIT))
		return err;
	err = fill_slots(s, room);
	if (unlikely(err))
		return err;
	return run(s, _fiber_here(), flags, how, deadline);
}

static __attribute__((noinline)) int enter_small(struct fiber_case *cases,
						 int n, unsigned int flags,
						 enum how how, int64_t deadline)
{
	struct fiber_waiter waiters[SMALL];
	unsigned char poll[SMALL];
	unsigned char locks[SMALL + 1];
	uint64_t slots[SLOTS_SMALL / sizeof(uint64_t)];
	struct select s = {
		.cases = cases,
		.n = n,
		.waiters = waiters,
		.poll = poll,
		.locks = locks,
		.slots = (char *)slots,
	};

	return enter(&s, sizeof(slots), flags, how, deadline);
}

static __attribute__((noinline)) int enter_large(struct fiber_case *cases,
						 int n, unsigned int flags,
						 enum how how, int64_t deadline)
{
	struct fiber_waiter waiters[FIBER_CASES_MAX];
	unsigned char poll[FIBER_CASES_MAX];
	unsigned char locks[FIBER_CASES_MAX + 1];
	uint64_t slots[SLOTS_LARGE / sizeof(uint64_t)];
	struct select s = {
		.cases = cases,
		.n = n,
		.waiters = waiters,
		.poll = poll,
		.locks = locks,
		.slots = (char *)slots,
	};

	return enter(&s, sizeof(slots), flags, how, deadline);
}

static int select_how(struct fiber_case *cases, int n, unsigned int flags,
		      enum how how, int64_t deadline)
{
	int err = check(cases, n, flags);

	if (unlikely(err))
		return err;
	return n <= SMALL ? enter_small(cases, n, flags, how, deadline) :
			    enter_large(cases, n, flags, how, deadline);
}

int fiber_select(struct fiber_case *cases, int n, unsigned int flags)
{
	return select_how(cases, n, flags, WAIT, INT64_MAX);
}

int fiber_select_until(struct fiber_case *cases, int n, unsigned int flags,
		       int64_t deadline)
{
	return select_how(cases, n, flags, WAIT, deadline);
}

int fiber_try_select(struct fiber_case *cases, int n, unsigned int flags)
{
	return select_how(cases, n, flags, TRY, 0);
}
