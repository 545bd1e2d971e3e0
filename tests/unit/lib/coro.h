/* SPDX-License-Identifier: MIT */
/*
 * The least that can be switched: a context, its stack, and who is running.
 */
#ifndef CORO_H
#define CORO_H

#include "arch/switch.h"
#include "sanitize.h"

#define CORO_STACK (64 * 1024)

struct coro {
	struct fiber_context ctx;
	struct fiber_sanitize sanitize;
	void (*fn)(struct coro *self, void *arg);
	void *stack; /* malloc'ed, or NULL */
	struct fiber_sanitize_stack known; /* if it is */
	struct coro *from; /* who switched to this one last */
	struct coro *to; /* whom this one switched to last, */
	void *pass; /* and passed this */
};

/* fn gets what the first switch to co passes, and never returns. */
void coro_init(struct coro *co, void (*fn)(struct coro *self, void *arg));
/* The same on a stack of the caller's. */
void coro_init_on(struct coro *co, void *low, size_t size, void *top,
		  void (*fn)(struct coro *self, void *arg));
void coro_free(struct coro *co);

/* The switch as a function: what is live across it is in saved registers. */
void *coro_switch(struct coro *from, struct coro *to, void *pass);
/* The last switch of one that is not needed any more. */
_Noreturn void coro_end(struct coro *self, struct coro *to, void *pass);

#endif /* CORO_H */
