// SPDX-License-Identifier: MIT
/*
 * A fiber has a stack from its first turn to its end, and not before or after.
 */
#include "harness.h"
#include "runtime.h"

#define FIBERS 1000

static atomic_int gate;
static atomic_int waiting;

static int wait_for_gate(void *arg)
{
	(void)arg;
	atomic_fetch_add(&waiting, 1);
	runtime_await(&gate, 1);
	return 0;
}

static int start_late(void *arg)
{
	struct fiber *fibers[FIBERS];
	int i;

	(void)arg;
	CHECK_EQ(runtime_status().stacks, 1);
	for (i = 0; i < FIBERS; i++)
		fibers[i] = runtime_spawn(wait_for_gate, NULL);
	/* There is one worker, and it has run nobody else. */
	CHECK_EQ(runtime_status().fibers, FIBERS + 1);
	CHECK_EQ(runtime_status().stacks, 1);
	runtime_await(&waiting, FIBERS);
	CHECK_EQ(runtime_status().stacks, FIBERS + 1);
	atomic_store(&gate, 1);
	for (i = 0; i < FIBERS; i++)
		CHECK_EQ(fiber_join(fiber_get(fibers[i]), NULL), 0);
	/* With references left, they have no stacks left. */
	CHECK_EQ(runtime_status().fibers, 1);
	CHECK_EQ(runtime_status().stacks, 1);
	for (i = 0; i < FIBERS; i++)
		fiber_put(fibers[i]);
	return 0;
}

static void from_first_turn_to_end(void)
{
	runtime_run(1, 0, start_late, NULL);
}

static int make_two(void *arg)
{
	intptr_t depth = (intptr_t)arg;
	struct fiber *fibers[2];

	if (depth == 0)
		return 0;
	fibers[0] = runtime_spawn(make_two, (void *)(depth - 1));
	fibers[1] = runtime_spawn(make_two, (void *)(depth - 1));
	CHECK(runtime_status().stacks <= 500);
	CHECK_EQ(runtime_join(fibers[0]), 0);
	CHECK_EQ(runtime_join(fibers[1]), 0);
	return 0;
}

/*
 * Of 8191 fibers few have stacks at a time, as the latest is the first to be
 * started: those on the way to a leaf, and some that the rule against starving
 * starts out of turn.
 */
static void few_of_a_tree(void)
{
	runtime_run(1, 0, make_two, (void *)12);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(from_first_turn_to_end),
		TEST(few_of_a_tree),
	};

	return RUN(argc, argv, tests);
}
