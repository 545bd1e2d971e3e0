/* SPDX-License-Identifier: MIT */
/*
 * Fibers, and threads, that wait for each other over things that have an owner.
 *
 * MODEL. Who waits without a deadline, its own, that of all that it does, or its
 * scope's, is a node; an edge goes to whom alone it waits for (owner.h), and from
 * who waits for a scope to each of its children. Nobody of a cycle goes on unless
 * one of them is cancelled. And nobody gets a lock whose owner has ended.
 *
 * Nothing is stopped, and one that is found may be none: who is seen to have a
 * lock may let it go before it is seen to wait. So it has to be found again after
 * a while, with all of it in the same waits as before. Then it was read what they
 * wait for while they all waited. And who looks after others, and is about to
 * cancel one, has had the time.
 *
 * LIMITS. FIBER_CYCLE_NODES waits are looked at. Readers of an rwlock are not
 * known. An owner that has ended is not known as such once its control block is
 * another fiber's.
 *
 * CONTEXT. By the monitor only.
 */
#ifndef FIBER_CYCLE_H
#define FIBER_CYCLE_H

#include <stdbool.h>
#include <stdint.h>

#define FIBER_CYCLE_NODES 8192

/*
 * Look for cycles, and report those that were there a look `lasts` ns ago, each
 * once; at once if that is 0, when nothing moves. While idle is set the look is given up as soon as a
 * worker wakes. Returns when to look again for the sake of those that were found:
 * CLOCK_MONOTONIC, or INT64_MAX.
 */
int64_t _fiber_cycle_look(int64_t lasts, bool idle);

/* Forget what was found: another runtime starts. */
void _fiber_cycle_forget(void);

#endif /* FIBER_CYCLE_H */
