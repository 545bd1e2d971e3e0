/* SPDX-License-Identifier: MIT */
/*
 * Threads that are no workers; struct fiber_here is in park.h.
 */
#ifndef FIBER_HERE_H
#define FIBER_HERE_H

#include "sched.h"

/* In the child of a fork: what the thread had is left as it is. */
void _fiber_here_forget(void);

#endif /* FIBER_HERE_H */
