/* SPDX-License-Identifier: MIT */
/*
 * What the library's files find in place of the system, and of those files that
 * are not explored.
 *
 * MODEL. env.c has futexes, barriers and clocks. threads.c has the scheduler of
 * shapes in which every test thread is a fiber on a worker of its own, or a
 * thread that is no worker; workers.h is for those with the real scheduler.
 */
#ifndef ENV_H
#define ENV_H

#include "explore.h"
#include "sched.h"

/* What a shape may choose before it runs; back to the usual for the next one. */
extern struct explore_env {
	bool barrier_refused; /* membarrier() is */
	bool clock_is_virtual; /* the library believes */
	bool is_blocked; /* whoever makes no progress is said to be */
} explore_env;

/* Whoever has a deadline before then, and is in nobody's hands, was forgotten. */
void explore_check_deadline(const struct fiber *f, int64_t until);

/* threads.c: a fiber that runs fn, on a worker of its own. */
struct fiber *explore_add_fiber(const char *name, void (*fn)(void *),
				void *arg);
/* A fiber with a thread of its own (bound.h). */
struct fiber *explore_add_bound(const char *name, void (*fn)(void *),
				void *arg);
/* A thread that is none. */
struct fiber *explore_add_client(const char *name, void (*fn)(void *),
				 void *arg);
/*
 * A thread that cancels *victim at any time, which may have ended by then. The
 * shape writes to *victim before it runs.
 */
void explore_add_canceller(struct fiber **victim, int why);
/* Somebody who lets time pass, and runs the alarms of all workers. */
void explore_add_clock(void);

#endif /* ENV_H */
