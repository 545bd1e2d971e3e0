// SPDX-License-Identifier: MIT
/*
 * A stack has the size that was asked for, all of which can be used, but for
 * the guard, the first frames and the colour.
 */
#include <stdio.h>
#include <string.h>

#include "harness.h"
#include "runtime.h"

#define KIB 1024
#define GUARD (16 * KIB)
/* Colour, the first frames, and what a call needs: more with the sanitizers. */
#define KEPT (RUNTIME_TIMES(10) == 10 ? 4 * KIB : 8 * KIB)

/* Not a loop: every call keeps its frame. It yields at the lowest. */
__attribute__((noinline)) static int dive(uintptr_t top, size_t depth)
{
	volatile char frame[256];
	int below;

	memset((char *)frame, 0x5a, sizeof(frame));
	if (top - (uintptr_t)frame < depth) {
		below = dive(top, depth);
	} else {
		fiber_yield();
		below = 0;
	}
	CHECK(frame[0] == 0x5a && frame[255] == 0x5a);
	return below + 1;
}

static int use_bytes(void *arg)
{
	char here;

	CHECK(dive((uintptr_t)&here, (size_t)(uintptr_t)arg) > 10);
	return 0;
}

static struct fiber *spawn_sized(size_t stack_size)
{
	struct fiber_attr attr = { .size = sizeof(attr),
				   .stack_size = stack_size };
	struct fiber *fiber;
	size_t bytes = (stack_size ? stack_size : 64 * KIB) - GUARD - KEPT;

	CHECK_EQ(fiber_spawn(&fiber, use_bytes, (void *)bytes, &attr), 0);
	return fiber;
}

static int use_default(void *arg)
{
	(void)arg;
	runtime_spawn_and_join(20, use_bytes,
			       (void *)(uintptr_t)(64 * KIB - GUARD - KEPT));
	return 0;
}

static void most_of_48_kib_is_there(void)
{
	runtime_run(1, 0, use_default, NULL);
	runtime_run(2, FIBER_TEST_MIGRATE, use_default, NULL);
}

static void first_fiber_too(void)
{
	runtime_run(1, 0, use_bytes,
		    (void *)(uintptr_t)(64 * KIB - GUARD - KEPT));
}

static int use_sizes(void *arg)
{
	static const size_t sizes[] = { 32 * KIB, 0,	     128 * KIB,
					36 * KIB, 256 * KIB, 1024 * KIB };
	const int n = sizeof(sizes) / sizeof(sizes[0]);
	struct fiber *fibers[120];
	int i;

	(void)arg;
	for (i = 0; i < 120; i++)
		fibers[i] = spawn_sized(sizes[i % n]);
	for (i = 0; i < 120; i++)
		CHECK_EQ(runtime_join(fibers[i]), 0);
	/* In the other order they get what the others have left. */
	for (i = 0; i < 120; i++)
		CHECK_EQ(runtime_join(spawn_sized(sizes[n - 1 - i % n])), 0);
	return 0;
}

static void each_has_its_own(void)
{
	runtime_run(1, 0, use_sizes, NULL);
	runtime_run(3, 0, use_sizes, NULL);
}

static void of_the_configuration(void)
{
	struct fiber_config config = { .size = sizeof(config),
				       .workers = 1,
				       .stack_size = 512 * KIB };

	CHECK_EQ(fiber_run(use_bytes,
			   (void *)(uintptr_t)(512 * KIB - GUARD - KEPT),
			   &config),
		 0);
	/* It is the default for those without one of their own. */
	CHECK_EQ(fiber_run(use_sizes, NULL, &config), 0);
}

static int call_libc(void *arg)
{
	char text[512];

	(void)arg;
	snprintf(text, sizeof(text), "%.300f %s", 1.0 / 3, "text");
	CHECK(strlen(text) > 300);
	return 0;
}

static void what_libc_needs_is_there(void)
{
	runtime_run(1, 0, call_libc, NULL);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(most_of_48_kib_is_there),	TEST(first_fiber_too),
		TEST(each_has_its_own),		TEST(of_the_configuration),
		TEST(what_libc_needs_is_there),
	};

	return RUN(argc, argv, tests);
}
