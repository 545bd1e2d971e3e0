// SPDX-License-Identifier: MIT
/*
 * Stacks go round: to one owner at a time, the warm ones first, and no more
 * memory is kept than was agreed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arena.h"
#include "coro.h"
#include "harness.h"
#include "maplimit.h"

#define THREADS 4
#define ROUNDS 2000

static struct fiber_stack_arena arena;
static struct coro root;

static unsigned int pages_of(const struct fiber_stack *stack)
{
	size_t page = sysconf(_SC_PAGESIZE);
	unsigned char in[64];
	unsigned int n = 0;
	size_t i;

	CHECK_EQ(mincore(stack->low, 48 * 1024, in), 0);
	for (i = 0; i < 48 * 1024 / page; i++)
		n += in[i] & 1;
	return n;
}

static void last_put_is_first_got(void)
{
	struct fiber_stack *stacks[3];

	arena_init(&arena, FIBER_GUARD_BEST, 2);
	arena_get_all(&arena, stacks, 3);
	arena_put(&arena, stacks[2]);
	arena_put(&arena, stacks[0]);
	CHECK(arena_get(&arena) == stacks[0]);
	CHECK(arena_get(&arena) == stacks[2]);
	_fiber_stack_arena_exit(&arena);
}

static void only_warm_ones_keep_memory(void)
{
	struct fiber_stack *stacks[100];
	unsigned int kept = 0;
	int i;

	arena_init(&arena, FIBER_GUARD_BEST, 4);
	arena_get_all(&arena, stacks, 100);
	for (i = 0; i < 100; i++)
		memset(stacks[i]->low, 1, stacks[i]->top - stacks[i]->low);
	_fiber_stack_put(&arena, stacks, 100);
	for (i = 0; i < 100; i++) {
		CHECK(pages_of(stacks[i]) == 0 || stacks[i]->low[0] == 1);
		kept += pages_of(stacks[i]) > 0;
	}
	CHECK_EQ(kept, 4);
	/* And these go first. */
	for (i = 0; i < 100; i++)
		CHECK_EQ(arena_get(&arena)->low[0], i < 4);
	_fiber_stack_arena_exit(&arena);
}

static void owner_is_forgotten(void)
{
	struct fiber_stack *stack;

	arena_init(&arena, FIBER_GUARD_BEST, 1);
	stack = arena_get(&arena);
	stack->name = "somebody";
	stack->entry = 1;
	arena_put(&arena, stack);
	CHECK(arena_get(&arena) == stack);
	CHECK(!stack->name && !stack->entry);
	_fiber_stack_arena_exit(&arena);
}

/* Every slab is full once, so that the sizes of several are seen. */
static void none_overlap(void)
{
	static struct fiber_stack *stacks[1000];
	int i;

	arena_init(&arena, FIBER_GUARD_BEST, 0);
	arena_get_all(&arena, stacks, 1000);
	for (i = 0; i < 1000; i++) {
		*(int *)stacks[i]->low = i;
		*((int *)stacks[i]->top - 1) = i;
	}
	for (i = 0; i < 1000; i++) {
		CHECK_EQ(*(int *)stacks[i]->low, i);
		CHECK_EQ(*((int *)stacks[i]->top - 1), i);
	}
	_fiber_stack_arena_exit(&arena);
}

static void tops_are_coloured_in_one_page(void)
{
	struct fiber_stack *stacks[16];
	bool seen[16] = { 0 };
	size_t colour;
	int i;

	arena_init(&arena, FIBER_GUARD_BEST, 0);
	arena_get_all(&arena, stacks, 16);
	for (i = 0; i < 16; i++) {
		colour = stacks[i]->low + 48 * 1024 - stacks[i]->top;
		CHECK(colour % 128 == 0 && colour / 128 < 16);
		CHECK(!seen[colour / 128]);
		seen[colour / 128] = true;
	}
	_fiber_stack_arena_exit(&arena);
}

static void park(struct coro *self, void *arg)
{
	coro_switch(self, self->from, arg);
}

static void parked_one_keeps_one_page(void)
{
	struct fiber_stack *stacks[16];
	struct coro co[16];
	int i;

	arena_init(&arena, FIBER_GUARD_BEST, 0);
	arena_get_all(&arena, stacks, 16);
	for (i = 0; i < 16; i++) {
		coro_init_on(&co[i], stacks[i]->low,
			     stacks[i]->top - stacks[i]->low, stacks[i]->top,
			     park);
		CHECK_EQ(pages_of(stacks[i]), 0);
		coro_switch(&root, &co[i], NULL);
		CHECK_EQ(pages_of(stacks[i]), 1);
	}
	_fiber_stack_arena_exit(&arena);
}

/* The flags of the mapping that the address is in. */
static void read_flags(const void *at, char *flags, size_t size)
{
	FILE *smaps = fopen("/proc/self/smaps", "r");
	unsigned long from, to;
	bool inside = false;
	char line[512];

	CHECK(smaps);
	flags[0] = '\0';
	while (fgets(line, sizeof(line), smaps)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			inside = (uintptr_t)at >= from && (uintptr_t)at < to;
		else if (inside && !strncmp(line, "VmFlags:", 8))
			snprintf(flags, size, "%s", line);
	}
	fclose(smaps);
}

static void huge_pages_are_refused(void)
{
	char flags[512];

	if (access("/sys/kernel/mm/transparent_hugepage", F_OK))
		test_skip("the kernel has no huge pages");
	arena_init(&arena, FIBER_GUARD_BEST, 0);
	read_flags(arena_get(&arena)->low, flags, sizeof(flags));
	CHECK_IN(flags, " nh");
	_fiber_stack_arena_exit(&arena);
}

static void exit_gives_all_back(void)
{
	struct fiber_stack *stacks[100];
	uintptr_t guard = 0;
	long before = 0;
	int i;

	for (i = 0; i < 2; i++) {
		/* The first round warms up what libc keeps. */
		before = _fiber_maplimit_maps_used();
		arena_init(&arena, FIBER_GUARD_PROTECT, 50);
		arena_get_all(&arena, stacks, 100);
		guard = (uintptr_t)stacks[0]->low - 1;
		CHECK(_fiber_stack_guarded(guard) == stacks[0]);
		_fiber_stack_put(&arena, stacks, 100);
		_fiber_stack_arena_exit(&arena);
	}
	CHECK_EQ(_fiber_maplimit_maps_used(), before);
	CHECK(!_fiber_stack_guarded(guard));
}

static void *take_turns(void *arg)
{
	unsigned int seed = (uintptr_t)arg;
	struct fiber_stack *mine[8];
	struct fiber_why why;
	int got;

	for (int round = 0; round < ROUNDS; round++) {
		got = _fiber_stack_get(&arena, mine, rand_r(&seed) % 8 + 1,
				       &why);
		CHECK(got > 0);
		for (int i = 0; i < got; i++) {
			CHECK_EQ(mine[i]->entry, 0);
			mine[i]->entry = (uintptr_t)arg;
			*mine[i]->low = 1;
		}
		for (int i = 0; i < got; i++)
			CHECK_EQ(mine[i]->entry, (uintptr_t)arg);
		_fiber_stack_put(&arena, mine, got);
	}
	return NULL;
}

static void one_owner_at_a_time(void)
{
	pthread_t threads[THREADS];
	uintptr_t i;

	arena_init(&arena, FIBER_GUARD_BEST, 6);
	for (i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, take_turns,
					(void *)(i + 1)),
			 0);
	for (i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	CHECK_EQ(at_load(&arena.nr_warm, RELAXED), 6);
	_fiber_stack_arena_exit(&arena);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(last_put_is_first_got),
		TEST(only_warm_ones_keep_memory),
		TEST(owner_is_forgotten),
		TEST(none_overlap),
		TEST(tops_are_coloured_in_one_page),
		TEST(parked_one_keeps_one_page),
		TEST(huge_pages_are_refused),
		TEST(exit_gives_all_back),
		TEST(one_owner_at_a_time),
	};

	return RUN(argc, argv, tests);
}
