/* SPDX-License-Identifier: MIT */
/*
 * Whether a thread waits in the kernel.
 */
#ifndef FIBER_BLOCKED_H
#define FIBER_BLOCKED_H

#include "sched.h"

/*
 * By the monitor only. Whether w's thread sleeps, in a system call, a page fault
 * or a lock, rather than runs or waits for a CPU. The kernel says so in /proc;
 * where that is not to be had, one whose CPU clock has stood still since the
 * last question is taken for one that sleeps. Some 10 us.
 */
bool _fiber_blocked(struct fiber_worker *w);

/* How long w's thread has run on a CPU, in ns; -1 if that is not known. */
int64_t _fiber_blocked_ran(const struct fiber_worker *w);

/* How often the calling thread has waited in the kernel. Some 300 ns. */
uint64_t _fiber_blocked_count(void);

#endif /* FIBER_BLOCKED_H */
