/* SPDX-License-Identifier: MIT */
/*
 * Bound fibers: each has a thread of its own.
 *
 * MODEL. A bound fiber (FIBER_KIND_BOUND) is a thread to the scheduler and a fiber
 * to everybody else: it has an id and a name, is joined and cancelled, and runs on
 * the thread's stack from beginning to end. It is in no queue, and waits as
 * threads do (park.c); what it makes ready goes to the global queue.
 *
 * Its thread is made with it, by the maker, so that there is an error if there
 * are no more threads, and waits until it is told what to do: to run the fiber, or
 * to end.
 *
 * With a virtual clock rt->bound_awake counts those that do not wait: while there
 * are any, time stands still. Who wakes one counts it, so that no time
 * passes before it has run.
 *
 * LOCKING. A lock of bound.c is over the list of all. struct fiber_bound belongs to
 * its thread, which frees it.
 */
#ifndef FIBER_BOUND_H
#define FIBER_BOUND_H

#include "sched.h"

/*
 * Make f, which is not launched yet, a bound fiber. stack_size is of the thread;
 * 0 is what other threads have. 0, -ENOMEM, -EAGAIN.
 */
int _fiber_bound_make(struct fiber *f, size_t stack_size);
/* Run it, some time. */
void _fiber_bound_launch(struct fiber *f);
/* It is not to be launched; f is its maker's again. */
void _fiber_bound_unmake(struct fiber *f);

/* End the calling fiber, which is one of them. */
void _fiber_bound_exit(struct fiber_here *here, int result)
	__attribute__((noreturn));

/* How many threads there are for them. */
uint32_t _fiber_bound_count(void);

/* All have ended, or are about to: until their threads use nothing any more. */
void _fiber_bound_await(void);
/* None goes on in the library; *count is raised for each that has not ended. */
void _fiber_bound_abandon(fiber_word *count);

/* In the child of a fork. */
void _fiber_bound_forget(void);

#endif /* FIBER_BOUND_H */
