// SPDX-License-Identifier: MIT
/*
 * Arenas that must work.
 */
#include <errno.h>

#include "arena.h"
#include "harness.h"

void arena_init(struct fiber_stack_arena *arena, enum fiber_guard guard,
		unsigned int warm_max)
{
	struct fiber_stack_config config = { .guard = guard,
					     .warm_max = warm_max };
	struct fiber_why why;

	if (_fiber_stack_arena_init(arena, &config, &why))
		test_fail(__FILE__, __LINE__, "%s", why.text);
}

void arena_get_all(struct fiber_stack_arena *arena, struct fiber_stack **stacks,
		   unsigned int n)
{
	struct fiber_why why;
	unsigned int i;
	int got;

	for (i = 0; i < n; i += got) {
		got = _fiber_stack_get(arena, stacks + i, n - i, &why);
		if (got < 0)
			test_fail(__FILE__, __LINE__, "%s", why.text);
		CHECK(got > 0 && (unsigned int)got <= n - i);
	}
}

struct fiber_stack *arena_get(struct fiber_stack_arena *arena)
{
	struct fiber_stack *stack;

	arena_get_all(arena, &stack, 1);
	return stack;
}

void arena_put(struct fiber_stack_arena *arena, struct fiber_stack *stack)
{
	_fiber_stack_put(arena, &stack, 1);
}

void arena_needs_install(void)
{
	struct fiber_stack_arena arena;
	struct fiber_stack *stack;
	struct fiber_why why;
	int err;

	arena_init(&arena, FIBER_GUARD_INSTALL, 0);
	err = _fiber_stack_get(&arena, &stack, 1, &why);
	if (err == -EOPNOTSUPP)
		test_skip("%s", why.text);
	CHECK_EQ(err, 1);
	_fiber_stack_arena_exit(&arena);
}
