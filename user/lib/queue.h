/* SPDX-License-Identifier: MIT */
/*
 * The slower queues: what a full ring runs over to, what is everybody's, what is
 * pinned, and alarms.
 */
#ifndef FIBER_QUEUE_H
#define FIBER_QUEUE_H

#include "sched.h"

/* The global queue: n fibers, linked by next from first to last. */
void _fiber_queue_global_push(struct fiber *first, struct fiber *last,
			      uint32_t n);
/*
 * Take one, and move as many as are the worker's share to its ring. Under
 * FIBER_TEST_MIGRATE only one that ran elsewhere, unless all others are stuck.
 */
struct fiber *_fiber_queue_global_pop(struct fiber_worker *w);
/* Whether there is one. */
bool _fiber_queue_global_has(const struct fiber_worker *w);

/* The worker's own: half of its ring goes to the global queue if it is full. */
void _fiber_queue_ring_push(struct fiber_worker *w, struct fiber *f);

/*
 * A worker is never idle while it has one fiber, and the others may have many:
 * take from the ring of one, at random, if it is much longer than w's.
 */
struct fiber *_fiber_queue_balance(struct fiber_worker *w);

/* By anybody: all that the worker has goes to the global queue, but the pinned. */
void _fiber_queue_hand_over(struct fiber_worker *w);

/* From any thread. Who pushes sees to it that the worker wakes. */
void _fiber_queue_inbox_push(struct fiber_worker *w, struct fiber *f);
struct fiber *_fiber_queue_inbox_pop(struct fiber_worker *w);

/* Run the worker's alarms that are due. Whether there were any. */
bool _fiber_queue_run_alarms(struct fiber_worker *w);

/* idle.c: look for work everywhere, sleep if there is none. NULL at the end. */
struct fiber *_fiber_idle_find(struct fiber_worker *w);

#endif /* FIBER_QUEUE_H */
