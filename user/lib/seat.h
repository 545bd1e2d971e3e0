/* SPDX-License-Identifier: MIT */
/*
 * Seats: which workers take work from the queues.
 *
 * MODEL. There are rt->nr_workers seats, and there may be more workers (threads)
 * than that. A worker without a seat is a spare. It sleeps, or it runs one
 * fiber apart from the others: one that blocks in the kernel, or that computes
 * for so long that it has lost its seat. A spare runs what is in its inbox, and
 * alarms of its own heap, but takes nothing from a queue, and what its fiber
 * makes ready goes to the global queue.
 *
 *	pass    the worker's seat goes to a spare. By the worker itself when it is
 *	        about to block, or by the monitor when it does (relief.h). If the
 *	        spare sleeps, it goes on doing so as one that is idle: to pass a
 *	        seat wakes nobody, what is put in a queue does.
 *	regain  a spare takes the seat of one that is idle, which goes on sleeping
 *	        as a spare.
 *
 * So one who blocks and finds nobody in need of its CPU has moved two entries of
 * two lists. A spare that does not get a seat back puts its fiber in the global
 * queue at its next call of the library, and sleeps.
 *
 * LOCKING. rt->idle_lock is over both lists, worker->list, and the changing of
 * FIBER_HERE_SPARE, by which a worker knows that it has no seat. Who loses it in
 * the middle of a call may put one more fiber in a queue of its own; the
 * monitor looks often enough after it has taken a seat.
 */
#ifndef FIBER_SEAT_H
#define FIBER_SEAT_H

#include "sched.h"

static inline bool fiber_is_spare(const struct fiber_worker *w)
{
	return at_load(&w->here.attention, RELAXED) & FIBER_HERE_SPARE;
}

/* The calling worker goes to sleep: into the list of its kind. */
void _fiber_seat_lie_down(struct fiber_worker *w);

/*
 * Out of the list that it is in, which is returned: FIBER_LIST_NONE if somebody
 * else was faster, who is about to give it a token.
 */
enum fiber_list _fiber_seat_get_up(struct fiber_worker *w);

/* One of those that are idle, out of the list; NULL if there is none. */
struct fiber_worker *_fiber_seat_pop_idle(void);

/*
 * By w: pass its seat on. false if it has none, or no spare is there: then the
 * monitor is asked to make some.
 */
bool _fiber_seat_pass(struct fiber_worker *w);

/*
 * By the monitor: take w's seat and pass it on. false if it has none, is asleep,
 * or there can be no more threads. because is 0 or FIBER_HERE_BLOCKED, for w to
 * know.
 */
bool _fiber_seat_take(struct fiber_worker *w, uint32_t because);
/* By the monitor: spares were asked for; make them. */
void _fiber_seat_stock(void);

/* By w, a spare: have a seat again, if one is to be had. */
void _fiber_seat_regain(struct fiber_worker *w);

/* Have a spare run f. false if there is none; as _fiber_seat_pass(). */
bool _fiber_seat_give(struct fiber *f);

#endif /* FIBER_SEAT_H */
