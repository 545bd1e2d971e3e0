// SPDX-License-Identifier: MIT
/*
 * Attributes of another version of the library work as far as they can, and
 * what makes no sense is refused.
 */
#include <errno.h>
#include <stddef.h>

#include "harness.h"
#include "runtime.h"

struct newer_attr {
	struct fiber_attr attr;
	uint64_t more[4];
};

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

static int spawn_with(const struct fiber_attr *attr)
{
	struct fiber *fiber;
	int err;

	err = fiber_spawn(&fiber, nothing, NULL, attr);
	if (err == 0)
		CHECK_EQ(runtime_join(fiber), 0);
	return err;
}

static int try_sizes(void *arg)
{
	struct newer_attr newer = { 0 };

	(void)arg;
	CHECK_EQ(spawn_with(NULL), 0);
	CHECK_EQ(spawn_with(&newer.attr), -EINVAL);
	newer.attr.size = sizeof(size_t) - 1;
	CHECK_EQ(spawn_with(&newer.attr), -EINVAL);
	newer.attr.size = sizeof(newer.attr);
	CHECK_EQ(spawn_with(&newer.attr), 0);
	newer.attr.size = sizeof(newer);
	CHECK_EQ(spawn_with(&newer.attr), 0);
	newer.more[3] = 1;
	CHECK_EQ(spawn_with(&newer.attr), -E2BIG);
	/* What is past the end of an older one is not looked at. */
	newer.attr.size = offsetof(struct fiber_attr, flags);
	newer.attr.flags = 2;
	newer.attr.reserved = 1;
	CHECK_EQ(spawn_with(&newer.attr), 0);
	newer.attr.size = offsetof(struct fiber_attr, stack_size);
	newer.attr.stack_size = 1;
	CHECK_EQ(spawn_with(&newer.attr), 0);
	return 0;
}

static void older_and_newer(void)
{
	runtime_run(1, 0, try_sizes, NULL);
}

static int try_nonsense(void *arg)
{
	static const struct fiber_attr nonsense[] = {
		{ .flags = 2 },
		{ .flags = 1u << 31 },
		{ .reserved = 1 },
		{ .stack_size = 1 },
		{ .stack_size = 4096 },
		{ .stack_size = 64 * 1024 + 1 },
		{ .stack_size = 64 * 1024 + 2048 },
		{ .stack_size = SIZE_MAX },
		{ .stack_size = SIZE_MAX - 4095 },
	};
	size_t i;

	(void)arg;
	for (i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
		struct fiber_attr attr = nonsense[i];

		attr.size = sizeof(attr);
		CHECK_EQ(spawn_with(&attr), -EINVAL);
	}
	CHECK_EQ(runtime_status().fibers, 1);
	return 0;
}

static void nonsense_is_refused(void)
{
	runtime_run(1, 0, try_nonsense, NULL);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(older_and_newer),
		TEST(nonsense_is_refused),
	};

	return RUN(argc, argv, tests);
}
