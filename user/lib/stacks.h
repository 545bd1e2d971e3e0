/* SPDX-License-Identifier: MIT */
/*
 * Stacks for fibers: those a worker keeps, and fibers that find none.
 *
 * MODEL. A worker keeps up to FIBER_CACHE_MAX stacks of the default size. Others
 * come from an arena for each power of two, the default ones from the first.
 * A stack is only wanted when a fiber is run first. If there is no memory for
 * it then, the fiber is put aside (starved) until one can be had, in no order, and
 * while there are such, no fibers can be made, and workers that sleep keep none.
 */
#ifndef FIBER_STACKS_H
#define FIBER_STACKS_H

#include "sched.h"

/* What size a stack is to have; class < 0 is -errno, and why says it. */
int _fiber_stacks_class(size_t size, struct fiber_why *why);

/* By the worker itself; NULL if there is no memory. */
struct fiber_stack *_fiber_stacks_get_slow(struct fiber_worker *w,
					   uint32_t class);
void _fiber_stacks_put_slow(struct fiber_worker *w, struct fiber_stack *stack,
			    uint32_t class);

static inline struct fiber_stack *fiber_stacks_get(struct fiber_worker *w,
						   uint32_t class)
{
	struct fiber_stack *stack = w->stacks;

	if (unlikely(class || !stack || !_fiber_sanitize_has_room()))
		return _fiber_stacks_get_slow(w, class);
	w->stacks = stack->next;
	w->nr_stacks--;
	return stack;
}

/* Among those that the worker keeps. */
static inline void fiber_stacks_keep(struct fiber_worker *w,
				     struct fiber_stack *stack)
{
	stack->name = NULL;
	stack->entry = 0;
	_fiber_sanitize_wipe(stack->low, stack->top - stack->low);
	stack->next = w->stacks;
	w->stacks = stack;
	w->nr_stacks++;
}

static inline void fiber_stacks_put(struct fiber_worker *w,
				    struct fiber_stack *stack, uint32_t class)
{
	if (unlikely(class || w->nr_stacks >= FIBER_CACHE_MAX ||
		     at_load(&_fiber_rt.nr_starved, RELAXED)))
		_fiber_stacks_put_slow(w, stack, class);
	else
		fiber_stacks_keep(w, stack);
}

void _fiber_stacks_starve(struct fiber *f);
/*
 * Have one of the starved ones try again: if it gets a stack, the next one is let
 * try then.
 */
void _fiber_stacks_feed(void);
/* Give back those that the worker keeps. By itself. */
void _fiber_stacks_return(struct fiber_worker *w);

/* Soft guards: say so, and abort. */
void _fiber_stacks_overflowed(const struct fiber *f) __attribute__((noreturn));

/* Give back memory of stacks that nobody has wanted for a while. */
void _fiber_stacks_trim(void);
/* Whether there is nothing left to give back. */
bool _fiber_stacks_trimmed(void);

int _fiber_stacks_init(size_t size, enum fiber_guard guard,
		       struct fiber_why *why);
/* No worker runs. If fibers are left, what they stand on stays. */
void _fiber_stacks_exit(bool left);

#endif /* FIBER_STACKS_H */
