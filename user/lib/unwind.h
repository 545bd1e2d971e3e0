/* SPDX-License-Identifier: MIT */
/*
 * From a copy of a stack to the functions that are on it.
 *
 * MODEL. By the unwind tables where libdw can be had, and else by the chain of
 * frame pointers as far as it makes sense: the library keeps it, a program may
 * not. Of the registers, those are followed that a parked fiber has: pc, stack and
 * frame pointer; what needs others ends it. What an address asks for is kept for
 * the next fiber that is there, so that 100,000 in the same place ask once.
 *
 * LOCKING. One thread at a time.
 */
#ifndef FIBER_UNWIND_H
#define FIBER_UNWIND_H

#include <stdbool.h>
#include <stdint.h>

#include "stackcopy.h"

#define FIBER_FRAMES_MAX 64

struct fiber_frames {
	unsigned int n;
	bool cut; /* there are more */
	/* Addresses to look up: in the call that it returns from. */
	uintptr_t pc[FIBER_FRAMES_MAX];
};

struct fiber_name {
	const char *name; /* of a function, or NULL */
	uintptr_t offset; /* in it; or in the file of the program */
	const char *file; /* of the source, or NULL */
	int line;
	const char *object; /* without a name: file that it is in, or NULL */
};

/* false if there is no memory. */
bool _fiber_unwind_init(void);
void _fiber_unwind_exit(void);
/* Whether there is libdw. */
bool _fiber_unwind_is_full(void);

void _fiber_unwind(const struct fiber_stackcopy *copy,
		   struct fiber_frames *frames);
/* Valid until the next call of this, its strings until the exit. */
const struct fiber_name *_fiber_unwind_name(uintptr_t pc);

#endif /* FIBER_UNWIND_H */
