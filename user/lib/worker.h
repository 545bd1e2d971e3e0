/* SPDX-License-Identifier: MIT */
/*
 * The threads of the runtime.
 */
#ifndef FIBER_WORKER_H
#define FIBER_WORKER_H

#include "sched.h"

/* Make rt->nr_workers workers and the monitor, and start them all. */
int _fiber_workers_start(struct fiber_why *why);

/* End them; none runs a fiber. */
void _fiber_workers_stop(void);

/*
 * End those that run no fiber. Those that do end when it calls the library, or
 * waits: never, in the worst case.
 */
void _fiber_workers_abandon(void);
/* How many such are still running a fiber. */
uint32_t _fiber_workers_abandoned(void);

/* In a child of fork(): the signal mask of who started them, if a worker forked. */
void _fiber_workers_unmask(void);

/* Give back what they were. If fibers are left, so is what those stand on. */
void _fiber_workers_free(bool left);

#endif /* FIBER_WORKER_H */
