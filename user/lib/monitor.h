/* SPDX-License-Identifier: MIT */
/*
 * The monitor: a thread that looks after workers which are busy.
 *
 * MODEL. While any worker is awake it looks every MONITOR_NS. A worker whose
 * tick has not moved since the last look runs one fiber for long, or is blocked
 * in the kernel. Then what waits at that worker (a fiber in next, a lone one in
 * its queues, its alarms) is not left to it: alarms that are due are run by the
 * monitor, and an idle worker is sent to take the rest. The fiber that it runs
 * is asked to yield at its next call.
 *
 * If none is idle, a spare is put in its place (relief.h).
 *
 * When all who hold seats have slept for DEEP_LOOKS looks it sleeps until one wakes,
 * so that an idle program does not run at all.
 *
 * LOCKING. The monitor holds no lock but those of the functions that it calls.
 */
#ifndef FIBER_MONITOR_H
#define FIBER_MONITOR_H

#include "sched.h"

#define FIBER_MONITOR_NS 1000000

/* The thread's function; until rt->quit. */
void *_fiber_monitor(void *arg);

/* Have it call fn, once and soon. In handlers of signals too. */
typedef void fiber_monitor_fn(void);
void _fiber_monitor_ask(fiber_monitor_fn *fn);

/* A worker wakes. */
void _fiber_monitor_rouse_slow(void);
static inline void _fiber_monitor_rouse(void)
{
	/* Pairs with the fence in the monitor's going to sleep. */
	if (unlikely(at_load(&_fiber_rt.monitor_deep, RELAXED)))
		_fiber_monitor_rouse_slow();
}

#endif /* FIBER_MONITOR_H */
