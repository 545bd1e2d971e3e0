/* SPDX-License-Identifier: MIT */
/*
 * FIBER_FORCE: make the library take a fallback where it would do better.
 *
 * MODEL. Where the library has a ladder of ways to do something, it takes the
 * best that works here, and the other rungs would never be tested. The
 * environment variable names rungs to take instead: `ladder=rung`, separated by
 * commas. A forced rung that does not work here is an error, never a reason to
 * take another. This is the one place that knows the variable.
 *
 *	guard=install|protect|soft	what stops a stack that overflows (guard.h)
 */
#ifndef FIBER_FORCE_H
#define FIBER_FORCE_H

#include "why.h"

/* The rungs of each ladder, best first; 0 is to take the best that works. */
enum fiber_guard {
	FIBER_GUARD_BEST,
	FIBER_GUARD_INSTALL,
	FIBER_GUARD_PROTECT,
	FIBER_GUARD_SOFT, /* only ever on demand */
};

struct fiber_force {
	enum fiber_guard guard;
};

/* Read the variable. Returns 0, or -EINVAL if it is not understood. */
int _fiber_force_read(struct fiber_force *force, struct fiber_why *why);

#endif /* FIBER_FORCE_H */
