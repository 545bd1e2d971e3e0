// SPDX-License-Identifier: MIT
/*
 * What makes no sense, and whose it is.
 */
#include <stdlib.h>
#include <string.h>

#include "scopes.h"

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

static void of_new(void)
{
	struct {
		struct fiber_scope_attr attr;
		int more;
	} larger = { .attr = { .size = sizeof(larger) } };
	struct fiber_scope_attr attr = { .size = sizeof(attr) };
	struct fiber_scope *scope;

	CHECK_EQ(fiber_scope_new(NULL, NULL), -EINVAL);
	attr.policy = FIBER_SCOPE_IGNORE + 1;
	CHECK_EQ(fiber_scope_new(&scope, &attr), -EINVAL);
	attr.policy = 0;
	attr.flags = 2;
	CHECK_EQ(fiber_scope_new(&scope, &attr), -EINVAL);
	attr.flags = 0;
	attr.size = 1;
	CHECK_EQ(fiber_scope_new(&scope, &attr), -EINVAL);
	larger.more = 1;
	CHECK_EQ(fiber_scope_new(&scope, &larger.attr), -E2BIG);
	larger.more = 0;
	CHECK_EQ(fiber_scope_new(&scope, &larger.attr), 0);
	fiber_scope_free(scope);
	/* An older one, without the rest. */
	attr.size = offsetof(struct fiber_scope_attr, policy);
	CHECK_EQ(fiber_scope_new(&scope, &attr), 0);
	fiber_scope_free(scope);
	CHECK_EQ(fiber_scope_new(&scope, NULL), 0);
	fiber_scope_free(scope);
}

static int use_anothers(void *scope)
{
	CHECK_EQ(fiber_scope_wait(scope), -EPERM);
	CHECK_EQ(fiber_scope_wait_until(scope, 0), -EPERM);
	CHECK_EQ(fiber_scope_go(scope, nothing, NULL), 0);
	return 0;
}

static int tell_name(void *name)
{
	char is[FIBER_NAME_SIZE];
	char deep[200 * 1024];

	memset(deep, 1, sizeof(deep));
	__asm__ volatile("" ::"r"(deep) : "memory");
	CHECK_EQ(fiber_name_get(fiber_self(), is, sizeof(is)), 0);
	CHECK_EQ(strcmp(is, name), 0);
	return 5;
}

static void of_go(void)
{
	struct fiber_scope *scope = new_scope(FIBER_SCOPE_ALL, 0);
	struct fiber_attr attr = {
		.size = sizeof(attr),
		.name = "child",
		.stack_size = 1 << 20,
	};
	struct fiber *child = NULL;

	CHECK_EQ(fiber_scope_go(NULL, nothing, NULL), -EINVAL);
	CHECK_EQ(fiber_scope_go(scope, NULL, NULL), -EINVAL);
	CHECK_EQ(fiber_scope_wait(NULL), -EINVAL);
	CHECK_EQ(fiber_scope_wait_until(NULL, 0), -EINVAL);
	CHECK_EQ(fiber_scope_cancel(NULL, 1), -EINVAL);
	attr.flags = 2;
	CHECK_EQ(fiber_scope_spawn(scope, &child, nothing, NULL, &attr),
		 -EINVAL);
	CHECK(!child);
	attr.flags = 0;
	CHECK_EQ(fiber_scope_spawn(scope, &child, tell_name, "child", &attr),
		 0);
	CHECK_EQ(fiber_scope_spawn(scope, NULL, tell_name, "child", &attr), 0);
	CHECK_EQ(fiber_scope_wait(scope), 0);
	CHECK_EQ(join(child), 5);
	scope_go(scope, use_anothers, scope);
	CHECK_EQ(fiber_scope_wait(scope), 0);
	CHECK_EQ(join(spawn(use_anothers, scope)), 0);
	/* Several wait for one child, in their ways. */
	CHECK_EQ(fiber_scope_spawn(scope, &child, use_anothers, scope, NULL),
		 0);
	CHECK_EQ(join(child), 0);
	CHECK_EQ(fiber_scope_wait(scope), 0);
	fiber_scope_free(scope);
}

static void all(void)
{
	of_new();
	of_go();
}

static void in_each_shape(void)
{
	run_shapes(0, all);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(in_each_shape),
	};

	return RUN(argc, argv, tests);
}
