/* SPDX-License-Identifier: MIT */
/*
 * The threads of the runtime.
 */
#ifndef FIBER_WORKER_H
#define FIBER_WORKER_H

#include "sched.h"

/* Make rt->nr_workers workers and the monitor, and start them all. */
int _fiber_workers_start(struct fiber_why *why);

/* End them: rt->quit is set. None runs a fiber, or they never end it. */
void _fiber_workers_stop(void);

/* Give back what they were. If fibers are left, so is what those stand on. */
void _fiber_workers_free(bool left);

#endif /* FIBER_WORKER_H */
