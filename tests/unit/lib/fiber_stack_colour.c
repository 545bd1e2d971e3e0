// SPDX-License-Identifier: MIT
/*
 * The first frames of fibers that run the same function do not all compete for the
 * same few sets of the cache: neighbours' stacks begin at 16 different places in a
 * page, 128 bytes from one to the next, which costs no stack a second page.
 */
#include "harness.h"
#include "park.h"
#include "runtime.h"
#include "stack.h"

#define COLOURS 16
#define COLOUR_SIZE 128
#define FIBERS (8 * COLOURS)

/* Where the first frame of each is, in bytes from the low end of its stack. */
static size_t frames[FIBERS];
static atomic_int gate;
static atomic_int begun;

static int stand(void *arg)
{
	char *frame = __builtin_frame_address(0);

	*(size_t *)arg = frame - fiber_self()->stack->low;
	atomic_fetch_add(&begun, 1);
	runtime_await(&gate, 1);
	return 0;
}

static size_t find_highest(void)
{
	size_t highest = 0;
	size_t i;

	for (i = 0; i < FIBERS; i++) {
		if (frames[i] > highest)
			highest = frames[i];
	}
	return highest;
}

static void check_colours(void)
{
	size_t highest = find_highest();
	int seen[COLOURS] = { 0 };
	size_t colour;
	size_t i;

	for (i = 0; i < FIBERS; i++) {
		colour = highest - frames[i];
		CHECK_EQ(colour % COLOUR_SIZE, 0);
		CHECK(colour / COLOUR_SIZE < COLOURS);
		seen[colour / COLOUR_SIZE]++;
	}
	/* One as often as the other, but for stacks that are somebody else's. */
	for (i = 0; i < COLOURS; i++)
		CHECK(seen[i] >= FIBERS / COLOURS / 2);
}

static int look(void *arg)
{
	struct fiber *fibers[FIBERS];
	int i;

	(void)arg;
	for (i = 0; i < FIBERS; i++)
		fibers[i] = runtime_spawn(stand, &frames[i]);
	runtime_await(&begun, FIBERS);
	check_colours();
	atomic_store(&gate, 1);
	for (i = 0; i < FIBERS; i++)
		CHECK_EQ(runtime_join(fibers[i]), 0);
	return 0;
}

/* One worker: as many stacks as there are fibers are in use, side by side. */
static void neighbours_differ(void)
{
	runtime_run(1, 0, look, NULL);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(neighbours_differ),
	};

	return RUN(argc, argv, tests);
}
