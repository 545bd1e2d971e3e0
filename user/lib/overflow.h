/* SPDX-License-Identifier: MIT */
/*
 * The report of a stack that overflowed.
 *
 * MODEL. A fiber that touches the guard of its stack gets SIGSEGV. The handler
 * runs on an alternate stack, since there is nothing left of the other, looks
 * the address up, and writes one line to standard error: which fiber it is and
 * where it was entered, as its owner noted in struct fiber_stack. Then, and for
 * every other SIGSEGV at once, what was set for the signal before has its turn,
 * with the same arguments; where that is the default, the process ends by the
 * same signal at the same instruction, and a core file shows it.
 *
 * A stray pointer into a guard gives the same report: the address is in it.
 *
 * CONTEXT. The handler calls write(), sigaction() and raise(), and nothing else
 * of libc but _dl_find_object(), which is made for signal handlers. It takes no
 * lock and no memory.
 *
 * LOCKING. init and exit: by one thread, once each. thread_init and thread_exit:
 * by each thread that runs fibers, on its own stack.
 */
#ifndef FIBER_OVERFLOW_H
#define FIBER_OVERFLOW_H

#include <stddef.h>

#include "why.h"

int _fiber_overflow_init(struct fiber_why *why);
/* Puts back what was set before, unless somebody has set something since. */
void _fiber_overflow_exit(void);

struct fiber_altstack {
	void *map; /* NULL if the thread had an alternate stack before */
	size_t size;
};

int _fiber_overflow_thread_init(struct fiber_altstack *alt,
				struct fiber_why *why);
void _fiber_overflow_thread_exit(struct fiber_altstack *alt);

#endif /* FIBER_OVERFLOW_H */
