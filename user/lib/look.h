/* SPDX-License-Identifier: MIT */
/*
 * A look at what a fiber waits for, from outside of it (wait.h).
 */
#ifndef FIBER_LOOK_H
#define FIBER_LOOK_H

#include "park.h"
#include "stack.h"

struct fiber_look {
	uint64_t park; /* the word, of the moment that this is about */
	bool waits; /* nobody has ended its wait; what follows is of that */
	enum fiber_call call;
	const void *on; /* wait.h */
	uint32_t since; /* _fiber_clock_coarse() */
	unsigned int row; /* waiters in a row, from this one */
	const struct fiber_waiter *waiter;
	const struct fiber_stack *stack; /* that its waiter may be on, or NULL */
};

/*
 * f, which is any control block, at one moment. Takes no lock, and delays nobody.
 * By any thread.
 */
void _fiber_look(const struct fiber *f, struct fiber_look *look);
/*
 * The same without a system call, if the waiter is on that stack, which stays
 * mapped while somebody looks; NULL is that it may not.
 */
void _fiber_look_within(const struct fiber *f, struct fiber_look *look,
			const struct fiber_stack *stack);

/* The number'th waiter of the row, what it waits on; NULL if that is over. */
const void *_fiber_look_on(const struct fiber *f, const struct fiber_look *look,
			   unsigned int number);

/*
 * Copy n bytes that may not be there: whether they were. By any thread, and in
 * handlers of signals.
 */
bool _fiber_look_copy(void *to, const void *from, size_t n);

/*
 * Whether that is by process_vm_readv(); if it is refused, a pipe is made for
 * every copy, which takes four times as long.
 */
bool _fiber_look_is_direct(void);

/*
 * Copy whole words that stay mapped, though others may be writing them: each is
 * old or new. No system call.
 */
void _fiber_look_words(void *to, const void *from, size_t n);

/* Whether f waits, nobody has won its wait, and that has no deadline of its own. */
bool _fiber_look_is_for_ever(const struct fiber *f);

/* debug.c: the object itself, from what a wait is on (wait.h), which is not NULL. */
const void *_fiber_look_object(enum fiber_call call, const void *on);

/* What the program calls it: "fiber_recv()" and so on. */
const char *_fiber_look_call_name(unsigned int call);

#endif /* FIBER_LOOK_H */
