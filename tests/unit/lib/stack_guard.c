// SPDX-License-Identifier: MIT
/*
 * Every rung of guards keeps what it promises: touching a guard is a SIGSEGV at
 * every byte of it, the bytes on both sides of it are stacks.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "arena.h"
#include "harness.h"

#define GUARD (16 * 1024)

static struct fiber_stack_arena arena;
static struct fiber_stack *stacks[3];

static void write_to(void *at)
{
	*(volatile char *)at = 1;
}

static int touch(char *at)
{
	return test_death(write_to, at, NULL, 0);
}

/* In a child, but with guards that were put up in that same process. */
static void write_to_own_guard(void *rung)
{
	arena_init(&arena, (enum fiber_guard)(uintptr_t)rung, 0);
	write_to(arena_get(&arena)->low - 1);
}

static void check_middle_guard(void)
{
	char *low = stacks[1]->low;

	CHECK_EQ(touch(low - 1), SIGSEGV);
	CHECK_EQ(touch(low - GUARD / 2), SIGSEGV);
	CHECK_EQ(touch(low - GUARD), SIGSEGV);
	CHECK_EQ(touch(low - GUARD - 1), 0);
	CHECK_EQ(touch(low), 0);
	CHECK_EQ(touch(stacks[1]->top - 1), 0);
	CHECK_EQ(touch(stacks[1]->low + 48 * 1024 - 1), 0);
	CHECK_EQ(touch(stacks[2]->low), 0);
}

static void check_hard_rung(enum fiber_guard rung)
{
	int i;

	CHECK_EQ(test_death(write_to_own_guard, (void *)(uintptr_t)rung, NULL,
			    0),
		 SIGSEGV);
	arena_init(&arena, rung, 0);
	arena_get_all(&arena, stacks, 3);
	CHECK_EQ(arena.ladder.rung, rung);
	CHECK_EQ(stacks[1]->low - stacks[0]->low, FIBER_STACK_SIZE);
	check_middle_guard();
	/* It outlives that the memory of its stack is taken. */
	for (i = 0; i < 3; i++)
		write_to(stacks[i]->low);
	_fiber_stack_put(&arena, stacks, 3);
	check_middle_guard();
	_fiber_stack_arena_exit(&arena);
}

static void install_stops(void)
{
	arena_needs_install();
	check_hard_rung(FIBER_GUARD_INSTALL);
}

static void protect_stops(void)
{
	check_hard_rung(FIBER_GUARD_PROTECT);
}

static void soft_notices(void)
{
	int i;

	arena_init(&arena, FIBER_GUARD_SOFT, 0);
	arena_get_all(&arena, stacks, 3);
	for (i = 0; i < 3; i++)
		CHECK(_fiber_stack_intact(stacks[i]));
	write_to(stacks[1]->low - 1);
	CHECK(!_fiber_stack_intact(stacks[1]));
	/* It is contained: the neighbour does not notice. */
	write_to(stacks[1]->low - 64 * 1024);
	CHECK(_fiber_stack_intact(stacks[0]));
	CHECK_EQ(stacks[1]->low - stacks[0]->low, (64 + 48) * 1024);
	/* Taking the memory forgets it. */
	_fiber_stack_put(&arena, stacks, 3);
	arena_get_all(&arena, stacks, 3);
	for (i = 0; i < 3; i++)
		CHECK(_fiber_stack_intact(stacks[i]));
	_fiber_stack_arena_exit(&arena);
}

static void best_is_install_or_protect(void)
{
	arena_init(&arena, FIBER_GUARD_BEST, 0);
	CHECK_EQ(touch(arena_get(&arena)->low - 1), SIGSEGV);
	CHECK(arena.ladder.rung == FIBER_GUARD_INSTALL ||
	      arena.ladder.rung == FIBER_GUARD_PROTECT);
	_fiber_stack_arena_exit(&arena);
}

static void force_goes_before_configuration(void)
{
	setenv("FIBER_FORCE", "guard=soft", 1);
	arena_init(&arena, FIBER_GUARD_PROTECT, 0);
	CHECK_EQ(arena.ladder.rung, FIBER_GUARD_SOFT);
	_fiber_stack_arena_exit(&arena);
	setenv("FIBER_FORCE", "guard=soft,guard=protect", 1);
	arena_init(&arena, FIBER_GUARD_BEST, 0);
	CHECK_EQ(touch(arena_get(&arena)->low - 1), SIGSEGV);
	CHECK_EQ(arena.ladder.rung, FIBER_GUARD_PROTECT);
	_fiber_stack_arena_exit(&arena);
	setenv("FIBER_FORCE", "guard=install", 1);
	arena_init(&arena, FIBER_GUARD_SOFT, 0);
	CHECK_EQ(arena.ladder.rung, FIBER_GUARD_INSTALL);
	_fiber_stack_arena_exit(&arena);
	setenv("FIBER_FORCE", "", 1);
	arena_init(&arena, FIBER_GUARD_SOFT, 0);
	CHECK_EQ(arena.ladder.rung, FIBER_GUARD_SOFT);
	_fiber_stack_arena_exit(&arena);
}

static void nonsense_is_refused(void)
{
	static const char *const forces[] = {
		"guard", "guard=", "guard=hard", "guard=soft;", ",", "soft"
	};
	static const size_t sizes[] = { 4096, 28 * 1024, 64 * 1024 + 8,
					((size_t)1 << 30) + 4096 };
	struct fiber_stack_config config = { 0 };
	struct fiber_why why;
	size_t i;

	for (i = 0; i < sizeof(forces) / sizeof(forces[0]); i++) {
		setenv("FIBER_FORCE", forces[i], 1);
		CHECK_EQ(_fiber_stack_arena_init(&arena, &config, &why),
			 -EINVAL);
		CHECK_IN(why.text, "FIBER_FORCE: '");
	}
	unsetenv("FIBER_FORCE");
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		config.size = sizes[i];
		CHECK_EQ(_fiber_stack_arena_init(&arena, &config, &why),
			 -EINVAL);
		CHECK_IN(why.text, "from 32 to 1048576 KiB");
	}
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(install_stops),
		TEST(protect_stops),
		TEST(soft_notices),
		TEST(best_is_install_or_protect),
		TEST(force_goes_before_configuration),
		TEST(nonsense_is_refused),
	};

	return RUN(argc, argv, tests);
}
