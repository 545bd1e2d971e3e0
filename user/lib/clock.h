/* SPDX-License-Identifier: MIT */
/*
 * The time, real or virtual.
 */
#ifndef FIBER_CLOCK_H
#define FIBER_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "futex.h"

/* CLOCK_MONOTONIC in nanoseconds. */
int64_t _fiber_clock_real(void);
/* What deadlines are measured by: virtual if that is chosen. */
int64_t _fiber_clock_now(void);

/* Choose before there are two threads; a virtual clock starts at 0. */
void _fiber_clock_init(bool virtual);
bool _fiber_clock_is_virtual(void);
/* Move the virtual clock forward to t, never back. */
void _fiber_clock_advance(int64_t t);

/*
 * The real time in milliseconds, as it was when the monitor last looked: of a few
 * milliseconds ago at most, unless all sleep. It costs a load.
 */
extern fiber_word _fiber_clock_ms;
static inline uint32_t _fiber_clock_coarse(void)
{
	return at_load(&_fiber_clock_ms, RELAXED);
}
/* By the monitor. */
void _fiber_clock_look(void);

#endif /* FIBER_CLOCK_H */
