/* SPDX-License-Identifier: MIT */
/*
 * Threads that end: those that are no workers may; struct fiber_here is in
 * park.h.
 */
#ifndef FIBER_HERE_H
#define FIBER_HERE_H

#include "sched.h"

/*
 * From here to there a thread is a worker. If it ends in between, by
 * pthread_exit() on the stack of a fiber, that ends the process.
 */
void _fiber_here_hold(struct fiber_here *here);
void _fiber_here_release(void);

/* In the child of a fork: what the thread had is left as it is. */
void _fiber_here_forget(void);

#endif /* FIBER_HERE_H */
