// SPDX-License-Identifier: MIT
/*
 * A hundred thousand guarded stacks fit: in address space, in mappings, and in
 * what an idle one costs.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "arena.h"
#include "harness.h"
#include "maplimit.h"

#define STACKS 100000

static struct fiber_stack_arena arena;
static struct fiber_stack *stacks[STACKS];

/* What the process has in memory, page tables and all, in bytes. */
static long read_memory(void)
{
	FILE *status = fopen("/proc/self/status", "r");
	char line[256];
	long sum = 0;
	long kib;

	CHECK(status);
	while (fgets(line, sizeof(line), status)) {
		if (sscanf(line, "VmRSS: %ld kB", &kib) == 1 ||
		    sscanf(line, "VmPTE: %ld kB", &kib) == 1)
			sum += kib * 1024;
	}
	fclose(status);
	return sum;
}

static void write_to(void *at)
{
	*(volatile char *)at = 1;
}

static void hundred_thousand(void)
{
	long memory, mappings;
	int64_t start;
	int i;

	arena_needs_install();
	memset(stacks, 0, sizeof(stacks));
	arena_init(&arena, FIBER_GUARD_INSTALL, 0);
	memory = read_memory();
	mappings = _fiber_maplimit_maps_used();
	start = test_now();
	arena_get_all(&arena, stacks, STACKS);
	test_note("%.0f ns, %.0f bytes a stack that is not used",
		  (double)(test_now() - start) / STACKS,
		  (double)(read_memory() - memory) / STACKS);
	CHECK(_fiber_maplimit_maps_used() - mappings < 64);
	for (i = 0; i < STACKS; i += STACKS / 10) {
		CHECK_EQ(test_death(write_to, stacks[i]->low - 1, NULL, 0),
			 SIGSEGV);
		CHECK_EQ(test_death(write_to, stacks[i]->low, NULL, 0), 0);
	}
	for (i = 0; i < STACKS; i++)
		stacks[i]->top[-1] = 1;
	test_note("%.0f bytes a stack with one page in use",
		  (double)(read_memory() - memory) / STACKS);
	_fiber_stack_put(&arena, stacks, STACKS);
	for (i = 0; i < STACKS; i += STACKS / 10)
		CHECK_EQ(stacks[i]->top[-1], 0);
	_fiber_stack_arena_exit(&arena);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(hundred_thousand),
	};

	return RUN(argc, argv, tests);
}
