/* SPDX-License-Identifier: MIT */
/*
 * FIBER_DEBUG=schedtrace=MS: a line about the scheduler every so often.
 */
#ifndef FIBER_SCHEDTRACE_H
#define FIBER_SCHEDTRACE_H

#include "sched.h"

/* debugenv.c, before anything runs. */
int _fiber_schedtrace_set(const char *value);

/* By the monitor: the line, if it is time for one. */
void _fiber_schedtrace(void);

/* When that is next, CLOCK_MONOTONIC; INT64_MAX if never. */
int64_t _fiber_schedtrace_next(void);

#endif /* FIBER_SCHEDTRACE_H */
