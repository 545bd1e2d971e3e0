/* SPDX-License-Identifier: MIT */
/*
 * The stack of a fiber that runs, taken by its own worker.
 *
 * MODEL. The worker's thread is sent a signal, and its handler copies the
 * registers that it interrupted and the stack; then the fiber goes on. There is
 * one place for a copy, and it has a word:
 *
 *	FREE    nobody is asked
 *	ASKED   a signal is on its way: with a number, of the question
 *	TAKEN   the handler writes the copy
 *	DONE    it has
 *
 * Who asks waits so long, and then takes the question back (ASKED to FREE); a
 * handler that comes later finds another number and does nothing. While it is TAKEN
 * nobody else is asked.
 *
 * THE SIGNAL is SIGPROF: workers have it unblocked for profilers as it is, so
 * that no signal of the program's own is taken from it, and a real-time signal
 * that a program has meant for its main thread goes by no worker. It is sent with
 * the address of the place, by which it is told from a profiler's; those are passed
 * on. The handler is there for the time of a dump, and stays if a signal may be on
 * its way yet, as the default action would end the process.
 *
 * LOCKING. One thread at a time asks.
 */
#ifndef FIBER_SHOT_H
#define FIBER_SHOT_H

#include "park.h"
#include "stackcopy.h"

/* 0, or -errno. */
int _fiber_shot_begin(void);
void _fiber_shot_end(void);

/*
 * Ask the thread of a worker, and wait until the time (of the real clock). 0: then
 * *fiber with that life is what it runs, with its stack in *copy; *fiber is NULL if
 * it is between two. -ETIMEDOUT, -ESRCH.
 */
int _fiber_shot_take(uint32_t tid, int64_t until, struct fiber_stackcopy *copy,
		     const struct fiber **fiber, uint32_t *life);

/* In the child of a fork: nobody was asked. */
void _fiber_shot_forget(void);

#endif /* FIBER_SHOT_H */
