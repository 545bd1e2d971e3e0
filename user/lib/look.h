/* SPDX-License-Identifier: MIT */
/*
 * A look at what a fiber waits for, from outside of it (wait.h).
 */
#ifndef FIBER_LOOK_H
#define FIBER_LOOK_H

#include "park.h"

struct fiber_look {
	uint64_t park; /* the word, of the moment that this is about */
	bool waits; /* nobody has ended its wait; what follows is of that */
	enum fiber_call call;
	const void *on; /* wait.h */
	uint32_t since; /* _fiber_clock_coarse() */
	unsigned int row; /* waiters in a row, from this one */
	const struct fiber_waiter *waiter;
};

/*
 * f, which is any control block, at one moment. Takes no lock, and delays nobody.
 * By any thread.
 */
void _fiber_look(const struct fiber *f, struct fiber_look *look);

/* The number'th waiter of the row, what it waits on; NULL if that is over. */
const void *_fiber_look_on(const struct fiber *f, const struct fiber_look *look,
			   unsigned int number);

/* Copy n bytes that may not be there: whether they were. */
bool _fiber_look_copy(void *to, const void *from, size_t n);

#endif /* FIBER_LOOK_H */
