// SPDX-License-Identifier: MIT
/*
 * The census tells how deep a stack was used.
 */
#include <string.h>

#include "arena.h"
#include "coro.h"
#include "harness.h"

/* What the coroutine's own frames may add, with a sanitizer. */
#define FRAMES 4096

static struct fiber_stack_arena arena;
static struct fiber_stack *stack;
static struct coro root;

/* Use so many bytes and come back. */
static void go_down(struct coro *self, void *arg)
{
	for (;;) {
		size_t depth = (uintptr_t)arg;
		char *here = __builtin_frame_address(0);

		/* As a deeper frame would. */
		*(volatile char *)(here - depth) = 1;
		arg = coro_switch(self, self->from, NULL);
	}
}

static size_t used_after(struct coro *co, size_t depth)
{
	coro_switch(&root, co, (void *)(uintptr_t)depth);
	return _fiber_stack_used(stack);
}

static void check_between(size_t used, size_t low, size_t high)
{
	if (used < low || used > high)
		test_fail(__FILE__, __LINE__, "%zu is not from %zu to %zu",
			  used, low, high);
}

static void start(struct coro *co)
{
	stack = arena_get(&arena);
	CHECK_EQ(_fiber_stack_used(stack), 0);
	coro_init_on(co, stack->low, stack->top - stack->low, stack->top,
		     go_down);
}

static void deepest_counts(void)
{
	struct coro co;

	arena_init(&arena, FIBER_GUARD_BEST, 0);
	start(&co);
	check_between(used_after(&co, 1000), 1000, 1000 + FRAMES);
	check_between(used_after(&co, 20000), 20000, 20000 + FRAMES);
	check_between(used_after(&co, 5000), 20000, 20000 + FRAMES);
	check_between(used_after(&co, 45000), 45000, 45000 + FRAMES);
	arena_put(&arena, stack);
	_fiber_stack_arena_exit(&arena);
}

static void starts_anew_with_each_owner(void)
{
	struct coro co;

	arena_init(&arena, FIBER_GUARD_BEST, 0);
	start(&co);
	used_after(&co, 20000);
	arena_put(&arena, stack);
	start(&co);
	check_between(used_after(&co, 1000), 1000, 1000 + FRAMES);
	_fiber_stack_arena_exit(&arena);
}

static void warm_stack_remembers(void)
{
	struct coro co;

	arena_init(&arena, FIBER_GUARD_BEST, 1);
	start(&co);
	used_after(&co, 20000);
	arena_put(&arena, stack);
	stack = arena_get(&arena);
	check_between(_fiber_stack_used(stack), 20000, 20000 + FRAMES);
	_fiber_stack_arena_exit(&arena);
}

static void reading_is_not_using(void)
{
	char *at;
	int sum = 0;

	arena_init(&arena, FIBER_GUARD_BEST, 0);
	stack = arena_get(&arena);
	for (at = stack->low; at < stack->top; at += 512)
		sum += *(volatile char *)at;
	CHECK_EQ(sum, 0);
	CHECK_EQ(_fiber_stack_used(stack), 0);
	_fiber_stack_arena_exit(&arena);
}

static void to_the_last_byte_of_large_ones(void)
{
	struct fiber_stack_config config = { .size = 8 << 20 };
	struct fiber_why why;
	size_t body = config.size - 16 * 1024;

	CHECK_EQ(_fiber_stack_arena_init(&arena, &config, &why), 0);
	stack = arena_get(&arena);
	CHECK_EQ(stack->top - stack->low, body);
	stack->top[-1] = 1;
	CHECK_EQ(_fiber_stack_used(stack), 8);
	memset(stack->low + body / 2, 1, 1);
	CHECK_EQ(_fiber_stack_used(stack), body / 2);
	stack->low[0] = 1;
	CHECK_EQ(_fiber_stack_used(stack), body);
	_fiber_stack_arena_exit(&arena);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(deepest_counts),
		TEST(starts_anew_with_each_owner),
		TEST(warm_stack_remembers),
		TEST(reading_is_not_using),
		TEST(to_the_last_byte_of_large_ones),
	};

	return RUN(argc, argv, tests);
}
