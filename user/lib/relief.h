/* SPDX-License-Identifier: MIT */
/*
 * Relief: what the monitor does when workers hold seats and make no progress.
 *
 * MODEL. A worker that has run the same fiber since the last look is looked at
 * more closely if work waits and no seat is idle. If its thread sleeps in the
 * kernel, its seat goes to a spare at once. If it computes, its CPU is busy
 * and there is nothing to gain but fairness: when all who hold seats have
 * made no progress for HOG_LOOKS, and one has really computed meanwhile, one of them loses its seat, and a thread more than
 * there are seats shares their CPUs, so that short work and fibers whose sleep
 * has ended do not wait for the end of a computation. As long as that lasts
 * another one follows every HOG_EVERY looks, as if fibers had slices, up
 * to HOGS_MIN or the number of seats.
 *
 * A worker that has slept in the kernel for long gives up its seat even when
 * nothing waits, so that the monitor may sleep too.
 */
#ifndef FIBER_RELIEF_H
#define FIBER_RELIEF_H

#include "sched.h"

/* After a look at all workers; number is of the look. */
void _fiber_relief(uint32_t number);

#endif /* FIBER_RELIEF_H */
