/* SPDX-License-Identifier: MIT */
/*
 * Waiting for a word to change, in the kernel.
 */
#ifndef FIBER_FUTEX_H
#define FIBER_FUTEX_H

#include <stdint.h>

#include "atomic.h"

typedef at(uint32_t) fiber_word;

/*
 * Sleep while *word is seen, until the deadline (CLOCK_MONOTONIC, FIBER_FOREVER
 * for none). Returns 0, also for no reason at all, or -ETIMEDOUT.
 */
int _fiber_futex_wait(fiber_word *word, uint32_t seen, int64_t deadline);
/* Wake up to n that sleep. It may be gone: the address is all that is used. */
void _fiber_futex_wake(fiber_word *word, int n);

/* Whether all threads of the process can be made to pass a barrier. */
void _fiber_barrier_init(void);
/* 0, or -errno where they cannot. */
int _fiber_barrier(void);

#endif /* FIBER_FUTEX_H */
