/* SPDX-License-Identifier: MIT */
/*
 * Waiting: the one place where a fiber, or another thread, sleeps.
 *
 * MODEL. Whoever can wait has a struct fiber: fibers do, and other threads are
 * given one when they first wait (FIBER_KIND_THREAD). Its park word says how far
 * the present wait has come, and decides who ends it.
 *
 *	generation  which wait: one more after each
 *	CLAIMED     somebody has won it, and is the only one who may end it
 *	PARKED      the fiber has left its stack; a thread is going to sleep
 *	READY       the winner is done
 *
 * 1. The waiter takes a ticket (the generation), leaves it with everybody who
 *    may end the wait (in queues of channels, as a deadline), and parks.
 * 2. Of partner, close, deadline, cancellation and the cases of a select, one
 *    wins: the first whose compare-and-swap sets CLAIMED. A ticket of an
 *    earlier wait never wins.
 * 3. The winner does its part, such as to copy an element, holding no lock, and
 *    writes how it ended to fired and outcome.
 * 4. If the winner found PARKED, the fiber is now its to make ready. If not, it
 *    sets READY, and whoever of the two comes second sees the bit of the first
 *    and makes the fiber ready: the winner, or the worker that left its stack.
 *
 * So no lock is held across a switch, and a fiber whose stack is slow to be left
 * holds up nobody. A wait costs two locked instructions: PARKED and CLAIMED.
 *
 * Cancellation may claim a wait that has not begun yet. The next one then ends
 * as soon as it begins.
 *
 * LIFETIME. A struct fiber is never unmapped, so that a stale ticket finds a
 * park word to fail on, and a late wake an address to wake.
 */
#ifndef FIBER_PARK_H
#define FIBER_PARK_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include "alarm.h"
#include "arch/switch.h"
#include "clock.h"
#include "lock.h"
#include "probe.h"
#include "sanitize.h"
#include "wait.h"

#define FIBER_PARK_CLAIMED 1u
#define FIBER_PARK_PARKED 2u
#define FIBER_PARK_READY 4u
#define FIBER_PARK_GONE 8u /* of a thread that never goes on */
#define FIBER_PARK_GENERATION ((uint64_t)1 << 32)

enum fiber_kind {
	FIBER_KIND_FREE, /* control block without an owner */
	FIBER_KIND_FIBER,
	FIBER_KIND_BOUND, /* a fiber with a thread of its own (bound.h) */
	FIBER_KIND_THREAD,
	FIBER_KIND_IDLE, /* what a worker runs when it has no fiber */
	FIBER_KIND_CALL, /* nobody: when its wait ends, fn(arg) is called */
};

/* fiber->attention: why the next call that may wait has to look up. */
#define FIBER_ATTENTION_CANCEL 1u
#define FIBER_ATTENTION_EXPIRED 2u /* its deadline has passed (deadline.h) */
#define FIBER_ATTENTION_DEADLINE 4u /* it has one that is in no heap yet */

/* fiber->flags. R: of the running fiber itself, others look but do not write. */
#define FIBER_FLAG_STARTED 1u /* has a context */
#define FIBER_FLAG_DETACHED 2u /* nobody has a reference */
/* How often it has blocked of late, 0 to 3: twice, and it runs apart (apart.h). */
#define FIBER_FLAG_SCORE 0x30u
#define FIBER_FLAG_SCORE_ONE 0x10u
/* Depth of fiber_blocking_begin(). */
#define FIBER_FLAG_DEPTH 0xff00u
#define FIBER_FLAG_DEPTH_ONE 0x100u
/* Any of these, and it runs on a thread that has no seat. */
#define FIBER_FLAG_APART (2 * FIBER_FLAG_SCORE_ONE | FIBER_FLAG_DEPTH)

struct fiber_stack;
struct fiber_extra;
struct fiber_waiter;

/*
 * The control block. Tags: S whoever runs the fiber, or holds it between two
 * runs; L fiber->lock; I set when it is made.
 *
 * The first cache line is all that a wait and a switch touch, the second is for
 * spawn and join.
 */
struct fiber {
	struct fiber_context ctx; /* S */
	at(uint64_t) park;
	struct fiber_waiter *fired; /* winner: which of the waiters; or NULL */
	int outcome; /* winner: how the wait ended */
	at(uint32_t) attention; /* set under L, read by the fiber */
	uint16_t flags; /* R */
	uint16_t pins; /* R: depth of fiber_pin() */
	uint16_t worker; /* S: number of the one that it last ran on */
	at(uint8_t) kind; /* S; L if others may know it: enum fiber_kind */
	at(uint8_t) masked; /* L: cancellation is */
	union {
		struct fiber_stack *stack; /* S: NULL before the first run */
		struct fiber_bound *bound; /* BOUND: I */
	};

	int (*fn)(void *); /* I */
	void *arg; /* I */
	struct fiber *next; /* S: in the queue that it is in */
	struct fiber_lock lock;
	uint32_t refs; /* L */
	int result; /* L */
	struct fiber_waiter *joiners; /* L */
	uint32_t index; /* I: for ever; which control block */
	uint32_t life; /* L: how many fibers were in this control block */
	at(struct fiber_waiter *) waits; /* for looks only (wait.h) */

	struct fiber_alarm alarm;
	at(int64_t) deadline; /* of the present wait; FIBER_FOREVER. CALL: I */
	at(int) why; /* L: cancelled: the reason; 0 is not */
	uint32_t stack_class; /* I: of its stack's size */
	struct fiber_extra *extra; /* S: name, keys, handlers; or NULL */

	struct fiber_sanitize sanitize; /* S */
} __attribute__((aligned(64)));

/*
 * What runs the caller: a worker, or another thread. Thread-local, and so only
 * valid until the next switch.
 */
struct fiber_here {
	struct fiber *cur;
	fiber_word attention; /* FIBER_HERE_... */
	bool is_worker;
	bool is_bound; /* the thread of one fiber */
	/* A worker that may take what it makes ready itself. Set as a seat is. */
	at(bool) is_direct;
	/* It is later than this: to know of a deadline long past for nothing. */
	int64_t past;
	uint64_t random; /* state of fiber_random(), not 0 */
};

#define FIBER_HERE_SLICE 1u /* the running fiber has had its share */
#define FIBER_HERE_ABANDONED 2u /* it is left over; the runtime has stopped */
#define FIBER_HERE_SPARE 4u /* the worker has no seat (seat.h) */
#define FIBER_HERE_BLOCKED 8u /* it lost it as it blocked */
#define FIBER_HERE_LOCKS 16u /* locks are looked at (held.h) */

/* Whether it is a fiber that calls, and not another thread. */
static inline bool fiber_here_is_fiber(const struct fiber_here *here)
{
	return here->is_worker || here->is_bound;
}

static inline bool fiber_kind_is_fiber(enum fiber_kind kind)
{
	return kind == FIBER_KIND_FIBER || kind == FIBER_KIND_BOUND;
}

/* xorshift64: not for secrets. */
static inline uint64_t fiber_random(struct fiber_here *here)
{
	uint64_t x = here->random;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	here->random = x;
	return x;
}

/*
 * One place in a queue of somebody to wait for; on the stack of the waiter,
 * which does not return before it is out of the queue. L: the lock of the queue.
 */
struct fiber_waiter {
	struct fiber_waiter *next; /* L: in a ring; NULL when not queued */
	struct fiber_waiter *prev; /* L */
	struct fiber *fiber;
	uint64_t ticket;
	void *elem; /* where to copy from or to; the winner's once it has won */
	int result; /* winner */
	int number; /* of the case of a select */
	const void *on; /* wait.h, as all that follow */
	uint16_t call; /* enum fiber_call */
	uint16_t row; /* so many in a row, from this one */
	uint32_t since; /* _fiber_clock_coarse() */
};

/*
 * f is going to wait, with w, or with n in a row from w. In the explorer nobody
 * looks, and each store would be a step of its schedules.
 */
static inline void fiber_wait_note(struct fiber *f, struct fiber_waiter *w,
				   enum fiber_call call, const void *on,
				   unsigned int n)
{
#ifndef FIBER_EXPLORE
	w->on = on;
	w->call = call;
	w->row = n;
	w->since = _fiber_clock_coarse();
	at_store(&f->waits, w, RELAXED);
	FIBER_PROBE3(park, f, call, on);
#else
	(void)f, (void)w, (void)call, (void)on, (void)n;
#endif
}

/* Waiters in a ring, the first first. */
static inline void fiber_waiter_add(struct fiber_waiter **first,
				    struct fiber_waiter *w)
{
	struct fiber_waiter *head = *first;

	if (!head) {
		w->next = w->prev = w;
		*first = w;
		return;
	}
	w->next = head;
	w->prev = head->prev;
	head->prev->next = w;
	head->prev = w;
}

/* Nothing if it is not queued. */
static inline void fiber_waiter_del(struct fiber_waiter **first,
				    struct fiber_waiter *w)
{
	if (!w->next)
		return;
	if (w->next == w) {
		*first = NULL;
	} else {
		w->prev->next = w->next;
		w->next->prev = w->prev;
		if (*first == w)
			*first = w->next;
	}
	w->next = NULL;
}

/* The ticket of f's present wait, or the next one if it is in none. */
static inline uint64_t _fiber_park_ticket(const struct fiber *f)
{
	return at_load(&f->park, ACQUIRE) & ~(FIBER_PARK_GENERATION - 1);
}

/*
 * Try to win the wait. Returns 0, or what the park word is now: to be handed to
 * _fiber_park_end() when the winner is done.
 */
static inline uint64_t _fiber_park_claim(struct fiber *f, uint64_t ticket)
{
	uint64_t seen = ticket | FIBER_PARK_PARKED;
	uint64_t won = seen | FIBER_PARK_CLAIMED;

	if (likely(at_cas(&f->park, &seen, won)))
		return won;
	while (seen == ticket || seen == (ticket | FIBER_PARK_PARKED)) {
		won = seen | FIBER_PARK_CLAIMED;
		if (at_cas(&f->park, &seen, won))
			return won;
	}
	return 0;
}

/*
 * The queue's lock is held. The first whose wait can be won, out of the queue, or
 * NULL; *won is for _fiber_park_end().
 */
static inline struct fiber_waiter *
fiber_waiter_claim(struct fiber_waiter **first, uint64_t *won)
{
	struct fiber_waiter *w;

	while ((w = *first)) {
		fiber_waiter_del(first, w);
		*won = _fiber_park_claim(w->fiber, w->ticket);
		if (likely(*won))
			return w;
	}
	return NULL;
}

/*
 * Part 4: fired and outcome are written. Returns whether f is now the caller's
 * to make ready (fibers only). It holds no lock of anybody.
 */
bool _fiber_park_end_slow(struct fiber *f, uint64_t won);
static inline bool _fiber_park_end(struct fiber *f, uint64_t won)
{
	if (likely((won & FIBER_PARK_PARKED) &&
		   at_own(&f->kind) == FIBER_KIND_FIBER))
		return true;
	return _fiber_park_end_slow(f, won);
}

/*
 * Wait until somebody wins and is done, or until the deadline. Returns the
 * outcome: what the winner gave, or -ETIMEDOUT, -ECANCELED, -ENOMEM (there is
 * no memory for the deadline); *fired is which of the waiters it was, or NULL.
 * f is who calls; on return it may be on another thread.
 */
int _fiber_park_wait(struct fiber_here *here, struct fiber *f, int64_t deadline,
		     struct fiber_waiter **fired);

/*
 * The wait is over. What the winner wrote is read before the next generation
 * begins, as a cancellation may claim that one at once and write there.
 */
static inline int fiber_park_over(struct fiber *f, uint64_t ticket,
				  struct fiber_waiter **fired)
{
	int outcome = f->outcome;

	*fired = f->fired;
	/* Nobody else changes the word of a wait that is over. */
	at_store(&f->park, ticket + FIBER_PARK_GENERATION, RELEASE);
	return outcome;
}

/* f, which is a thread, is to stop where it waits next, if it does not already. */
void _fiber_park_abandon(struct fiber *f);

/* Whether a wait until then need not begin. */
bool _fiber_park_past_slow(struct fiber_here *here, int64_t deadline);
static inline bool fiber_park_past(struct fiber_here *here, int64_t deadline)
{
	if (likely(here->is_worker && deadline > here->past))
		return false;
	return deadline != INT64_MAX && _fiber_park_past_slow(here, deadline);
}

/*
 * Every call that may wait passes here first. Returns 0, or -ECANCELED. A fiber
 * may be on another thread on return.
 */
int _fiber_checkpoint_slow(struct fiber_here *here);
static inline bool fiber_attention(struct fiber_here *here)
{
	return unlikely(at_load(&here->cur->attention, RELAXED) |
			at_load(&here->attention, RELAXED));
}

static inline int fiber_checkpoint(struct fiber_here *here)
{
	return fiber_attention(here) ? _fiber_checkpoint_slow(here) : 0;
}

/*
 * What the scheduler does for the above (sched.c), and, in its place, the
 * explorer.
 */

/*
 * A thread that is no worker is about to wait, with no deadline, or has: n is 1 or
 * -1 (deadlock.c).
 */
#ifndef FIBER_EXPLORE
void _fiber_deadlock_thread(int n);
#else
static inline void _fiber_deadlock_thread(int n)
{
	(void)n;
}
#endif

/* Whether locks are looked at that are held; and: f is about to wait (held.c). */
#ifndef FIBER_EXPLORE
extern fiber_word _fiber_held_on __attribute__((visibility("hidden")));
void _fiber_held_check(const struct fiber *f);
static inline bool fiber_held_on(void)
{
	return at_load(&_fiber_held_on, RELAXED);
}
#else
static inline bool fiber_held_on(void)
{
	return false;
}
static inline void _fiber_held_check(const struct fiber *f)
{
	(void)f;
}
#endif

/* Leave f's stack; set PARKED from outside of it. Returns when it runs again. */
void _fiber_sched_park(struct fiber_here *here);
/* Put a fiber that is nobody's in a queue to be run. Returns 0, to end with. */
int _fiber_sched_ready(struct fiber_here *here, struct fiber *f);
/* The same for n of them, linked by next from first to last. */
void _fiber_sched_ready_all(struct fiber_here *here, struct fiber *first,
			    struct fiber *last, unsigned int n);
/*
 * The worker has no seat. Returns when the calling fiber is to go on: whether it
 * has left the thread for others.
 */
bool _fiber_sched_seatless(struct fiber_here *here);
/* Let others run, if there are any. */
void _fiber_sched_yield(struct fiber_here *here);
/* Never go on: FIBER_HERE_ABANDONED. */
void _fiber_sched_abandoned(void) __attribute__((noreturn));
/* With a virtual clock: a bound fiber goes to sleep; or is going to run again. */
void _fiber_sched_bound_rests(void);
void _fiber_sched_bound_stirs(void);
/* Have f's deadline looked after: 0, or -ENOMEM. */
int _fiber_sched_deadline(struct fiber_here *here, struct fiber *f,
			  int64_t deadline);

/* Have the alarm, which is in no heap, run at a time: 0 or -errno. */
int _fiber_sched_alarm(struct fiber_here *here, struct fiber_alarm *alarm,
		       int64_t at);

/*
 * What deadline.c does for it, where there is one for all that the caller does.
 */

/* f's, who calls; INT64_MAX. */
int64_t _fiber_deadline_of(struct fiber *f);
/* FIBER_ATTENTION_DEADLINE: see to it. 0, or -ENOMEM. */
int _fiber_deadline_arm(struct fiber_here *here);

/* Fibers whose waits somebody has won and ended, to be made ready together. */
struct fiber_batch {
	struct fiber *first;
	struct fiber *last;
	unsigned int n;
};

/*
 * Who calls, made known to the library first if needed: NULL if that failed,
 * then *err says how.
 */
struct fiber_here *_fiber_here_slow(int *err);

#ifdef FIBER_EXPLORE
struct fiber_here *_fiber_here(void);
#else
extern __thread struct fiber_here *_fiber_here_tls
	__attribute__((tls_model("initial-exec"), visibility("hidden")));

/*
 * By an instruction that the compiler does not know: it would keep the address
 * of the thread-local variable across a switch. The only access there is.
 */
static inline struct fiber_here *_fiber_here(void)
{
	struct fiber_here *here;

#if defined(__x86_64__)
	__asm__ volatile("movq _fiber_here_tls@gottpoff(%%rip), %0\n\t"
			 "movq %%fs:(%0), %0"
			 : "=r"(here));
#elif defined(__aarch64__)
	uintptr_t offset;

	__asm__ volatile("adrp %0, :gottprel:_fiber_here_tls\n\t"
			 "ldr %0, [%0, :gottprel_lo12:_fiber_here_tls]\n\t"
			 "mrs %1, tpidr_el0\n\t"
			 "ldr %0, [%0, %1]"
			 : "=&r"(here), "=&r"(offset));
#endif
	return here;
}
#endif /* FIBER_EXPLORE */

/*
 * Part 4, the fiber's side: its stack has been left. Whether it is the caller's
 * to make ready, as its wait has ended already.
 */
bool _fiber_park_left_cancelled(struct fiber *f, uint64_t ticket);
static inline bool fiber_park_left(struct fiber *f)
{
	/* Pairs with the setting of READY by the winner. */
	uint64_t seen = at_add(&f->park, FIBER_PARK_PARKED);

	if (unlikely(seen & FIBER_PARK_READY))
		return true;
	/*
	 * Pairs with the fence of who cancels, and took this wait for the one
	 * before. f may be running elsewhere by now: then the ticket is old.
	 */
	at_fence_after();
	return unlikely(at_load(&f->attention, RELAXED)) &&
	       _fiber_park_left_cancelled(f, seen & -FIBER_PARK_GENERATION);
}

/*
 * End a wait that was won, holding no lock; here is the caller's. Returns 0, so
 * that it can be what a function ends with.
 */
static inline int fiber_park_wake(struct fiber_here *here, struct fiber *f,
				  uint64_t won, struct fiber_waiter *fired,
				  int outcome)
{
	f->fired = fired;
	f->outcome = outcome;
	return likely(_fiber_park_end(f, won)) ? _fiber_sched_ready(here, f) :
						 0;
}

/* The same for many: what is to be made ready goes to the batch. */
static inline void fiber_batch_end(struct fiber_batch *batch, struct fiber *f,
				   uint64_t won, struct fiber_waiter *fired,
				   int outcome)
{
	f->fired = fired;
	f->outcome = outcome;
	if (!_fiber_park_end(f, won))
		return;
	if (batch->last)
		batch->last->next = f;
	else
		batch->first = f;
	batch->last = f;
	batch->n++;
}

static inline void fiber_batch_ready(struct fiber_here *here,
				     struct fiber_batch *batch)
{
	if (batch->n)
		_fiber_sched_ready_all(here, batch->first, batch->last,
				       batch->n);
}

/* _fiber_park_wait(), the usual case inline. */
static inline int fiber_park_wait(struct fiber_here *here, struct fiber *f,
				  int64_t deadline, struct fiber_waiter **fired)
{
	uint64_t ticket;

	if (unlikely(deadline != INT64_MAX ||
		     at_own(&f->kind) != FIBER_KIND_FIBER || fiber_held_on()))
		return _fiber_park_wait(here, f, deadline, fired);
	ticket = _fiber_park_ticket(f);
	_fiber_sched_park(here);
	return fiber_park_over(f, ticket, fired);
}

/*
 * Wait in a queue, whose lock is held and is let go. elem is for whoever wins.
 * Returns the winner's result, or -ETIMEDOUT, -ECANCELED, -ENOMEM: then the
 * waiter is out of the queue again. If somebody else took it out, the queue may
 * be gone by then; the lock may not.
 *
 * It is compiled together with the switch (sched.c), and callers return what it
 * returns: between the frame of the program and the switch is one frame only,
 * and the CPU mispredicts one return and not three.
 */
int _fiber_park_queue(struct fiber_here *here, struct fiber_lock *lock,
		      struct fiber_waiter **queue, void *elem, int64_t deadline,
		      enum fiber_call call);
static inline int fiber_park_queue(struct fiber_here *here,
				   struct fiber_lock *lock,
				   struct fiber_waiter **queue, void *elem,
				   int64_t deadline, enum fiber_call call)
{
	struct fiber *f = here->cur;
	struct fiber_waiter *fired;
	struct fiber_waiter w;
	int err;

	if (unlikely(fiber_park_past(here, deadline))) {
		fiber_unlock(lock);
		return -ETIMEDOUT;
	}
	w.fiber = f;
	w.ticket = _fiber_park_ticket(f);
	w.elem = elem;
	fiber_waiter_add(queue, &w);
	fiber_unlock(lock);
	fiber_wait_note(f, &w, call, queue, 1);
	err = fiber_park_wait(here, f, deadline, &fired);
	if (likely(fired == &w))
		return w.result;
	fiber_lock(lock);
	fiber_waiter_del(queue, &w);
	fiber_unlock(lock);
	return err;
}

static inline struct fiber_here *fiber_here_get(int *err)
{
	struct fiber_here *here = _fiber_here();

	return likely(here) ? here : _fiber_here_slow(err);
}

/* Who calls, past the scheduling point; NULL: *err says why. */
struct fiber_here *_fiber_enter(int *err);
/* The same for a call that only tries, and takes no notice of cancellation. */
struct fiber_here *_fiber_enter_try(int *err);

#endif /* FIBER_PARK_H */
