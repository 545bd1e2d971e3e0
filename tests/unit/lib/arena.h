/* SPDX-License-Identifier: MIT */
/*
 * Arenas for tests that are not about how they fail.
 */
#ifndef ARENA_H
#define ARENA_H

#include "stack.h"

/* Of stacks of the default size. */
void arena_init(struct fiber_stack_arena *arena, enum fiber_guard guard,
		unsigned int warm_max);
struct fiber_stack *arena_get(struct fiber_stack_arena *arena);
void arena_put(struct fiber_stack_arena *arena, struct fiber_stack *stack);
/* All n of them. */
void arena_get_all(struct fiber_stack_arena *arena, struct fiber_stack **stacks,
		   unsigned int n);

/* End the test unless the kernel has this rung. */
void arena_needs_install(void);

#endif /* ARENA_H */
