/* SPDX-License-Identifier: MIT */
/*
 * Deadlocks: found when nothing is left that could go on.
 *
 * MODEL. The monitor looks when it is about to sleep deeply, since then all who
 * hold seats sleep. There are three findings.
 *
 *	deadlock  nobody can ever go on. Reported, and the process is aborted.
 *	stalled   the same, but that there are other threads, which may do anything
 *	          some time. Only if asked for, as for a server that is idle that is
 *	          as it should be. Reported.
 *	cycle     some wait for each other (cycle.h), and the rest may go on.
 *	          Reported.
 *
 * PROOF of a deadlock. In this order:
 *	1. All workers are in the lists of those that sleep, no queue has a fiber,
 *	   nobody is on the way; what changes with every dispatch and every wake is
 *	   noted.
 *	2. Every fiber waits without a deadline, and nobody has won its wait; so do
 *	   some threads, all park words of which are noted.
 *	3. No heap has an alarm that could end a wait.
 *	4. The kernel says how many threads the process has: no more than the
 *	   runtime's and those of 2.
 *	5. 2 and 1 again: nothing has changed.
 * Who was as noted in 2 and 5 was so at 4. So at that moment all threads but the
 * monitor waited for somebody to win a wait, or to queue a fiber, and there was
 * nobody left to do that.
 *
 * NOT COUNTED as what could wake somebody: handlers of signals, which must not
 * call the library (a process that is only there to be ended by one has all its
 * fibers wait, too: let one of them sleep for ever, or a thread pause()); other
 * processes, as no object of the library may be shared with one; a debugger. Who
 * sleeps until FIBER_FOREVER, or selects from no cases, does so on purpose: that
 * is no deadlock.
 *
 * Who adds another source of wakes, such as a poller, adds it to 3.
 *
 * COST. Nothing while a worker is awake. Then some microseconds for 1, 3 and 4, and
 * 2 only if these do not rule it out; to look for cycles takes as long as there
 * are fibers, and is only done so often that it is 1 % of the time. As a thread of
 * the program may end, or call, without the runtime's knowledge, it is looked
 * again after 16 times as long each time.
 *
 * CONTEXT. By the monitor only, where nothing else is said.
 */
#ifndef FIBER_DEADLOCK_H
#define FIBER_DEADLOCK_H

#include <stdbool.h>
#include <stdint.h>

#ifndef FIBER_EXPLORE

/* Before anything runs. */
void _fiber_deadlock_init(void);
/*
 * Options of FIBER_DEBUG; "" is that it is not given, NULL that it has no value. 0,
 * or -EINVAL.
 *	deadlock=abort	what is done about one: the default,
 *	deadlock=report	only a report,
 *	deadlock=off	nothing; of cycles neither, unless they are asked for
 *	stalled=MS	report when all have waited for so long
 *	cycles=MS	look for cycles so often while the program runs; report
 *			those that last for as long
 */
int _fiber_deadlock_set(const char *value);
int _fiber_deadlock_set_stalled(const char *value);
int _fiber_deadlock_set_cycles(const char *value);

/* All who hold seats have slept for a while. */
void _fiber_deadlock_idle(void);
/* At every look. */
void _fiber_deadlock_run(void);
/* When it is to be looked again if nothing happens: real time, or INT64_MAX. */
int64_t _fiber_deadlock_next(void);
/* Whether something has happened since _fiber_deadlock_idle() has looked. */
bool _fiber_deadlock_is_new(void);
/* By any thread: something has changed that no worker knows of. */
void _fiber_deadlock_poke(void);
/* In the child of a fork: no thread waits. */
void _fiber_deadlock_forget(void);

#else

static inline int _fiber_deadlock_set(const char *value)
{
	(void)value;
	return 0;
}

static inline int _fiber_deadlock_set_stalled(const char *value)
{
	(void)value;
	return 0;
}

static inline int _fiber_deadlock_set_cycles(const char *value)
{
	(void)value;
	return 0;
}

static inline void _fiber_deadlock_init(void)
{
}

static inline void _fiber_deadlock_idle(void)
{
}

static inline void _fiber_deadlock_run(void)
{
}

static inline int64_t _fiber_deadlock_next(void)
{
	return INT64_MAX;
}

static inline bool _fiber_deadlock_is_new(void)
{
	return false;
}

static inline void _fiber_deadlock_poke(void)
{
}

static inline void _fiber_deadlock_forget(void)
{
}

#endif /* FIBER_EXPLORE */

#endif /* FIBER_DEADLOCK_H */
