// SPDX-License-Identifier: MIT
/*
 * What children return, and what the scope makes of it.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "scopes.h"

struct plan {
	int64_t after; /* when it returns, counted from its start */
	int result;
	int64_t was; /* what it returned; cancelled: why, and 1000 */
};

static int follow(void *arg)
{
	struct plan *plan = arg;
	int err = fiber_sleep(plan->after);

	plan->was = plan->result;
	if (err) {
		CHECK_EQ(err, -ECANCELED);
		plan->was = 1000ll + fiber_cancelled();
	}
	return err ? err : plan->result;
}

/* Runs the plans, and returns what the wait did, which took until then. */
static int run(unsigned int policy, struct plan *plans, int n, int64_t until)
{
	struct fiber_scope *scope = new_scope(policy, 0);
	int64_t start = fiber_now();
	int result;

	for (int i = 0; i < n; i++)
		scope_go(scope, follow, &plans[i]);
	result = fiber_scope_wait(scope);
	CHECK_EQ(fiber_now(), start + until);
	/* It stays so. */
	CHECK_EQ(fiber_scope_wait(scope), result);
	fiber_scope_free(scope);
	return result;
}

static void all_of_them(void)
{
	struct plan well[] = { { 10, 0, 0 }, { 30, 5, 0 }, { 20, 7, 0 } };
	struct plan ill[] = {
		{ 10, 1, 0 }, { 20, -EIO, 0 }, { 30, -EPIPE, 0 }, { 40, 3, 0 }
	};

	CHECK_EQ(run(FIBER_SCOPE_ALL, NULL, 0, 0), 0);
	CHECK_EQ(run(FIBER_SCOPE_ALL, well, 3, 30), 0);
	CHECK_EQ(well[1].was, 5);
	CHECK_EQ(run(FIBER_SCOPE_ALL, ill, 4, 20), -EIO);
	CHECK_EQ(ill[0].was, 1);
	CHECK_EQ(ill[2].was, 1000 + EIO);
	CHECK_EQ(ill[3].was, 1000 + EIO);
}

static void any_of_them(void)
{
	struct plan well[] = {
		{ 30, 8, 0 }, { 10, -EIO, 0 }, { 20, 7, 0 }, { 40, 1, 0 }
	};
	struct plan zero[] = { { 10, 0, 0 }, { 20, 7, 0 } };
	struct plan ill[] = { { 20, -EIO, 0 }, { 10, -EPIPE, 0 } };

	CHECK_EQ(run(FIBER_SCOPE_ANY, NULL, 0, 0), 0);
	CHECK_EQ(run(FIBER_SCOPE_ANY, well, 4, 20), 7);
	CHECK_EQ(well[1].was, -EIO);
	CHECK_EQ(well[0].was, 1000 + ECANCELED);
	CHECK_EQ(well[3].was, 1000 + ECANCELED);
	CHECK_EQ(run(FIBER_SCOPE_ANY, zero, 2, 10), 0);
	CHECK_EQ(zero[1].was, 1000 + ECANCELED);
	CHECK_EQ(run(FIBER_SCOPE_ANY, ill, 2, 20), -EPIPE);
	CHECK_EQ(ill[0].was, -EIO);
}

static void errors_of_all(void)
{
	struct plan plans[] = {
		{ 10, 1, 0 }, { 30, -EIO, 0 }, { 20, -EPIPE, 0 }, { 40, 3, 0 }
	};

	CHECK_EQ(run(FIBER_SCOPE_COLLECT, plans, 4, 40), -EPIPE);
	for (size_t i = 0; i < ARRAY_SIZE(plans); i++)
		CHECK_EQ(plans[i].was, plans[i].result);
	CHECK_EQ(run(FIBER_SCOPE_COLLECT, plans, 1, 10), 0);
}

static void errors_of_none(void)
{
	struct plan plans[] = { { 30, -EIO, 0 }, { 20, INT32_MIN, 0 } };

	CHECK_EQ(run(FIBER_SCOPE_IGNORE, plans, 2, 30), 0);
	CHECK_EQ(plans[0].was, -EIO);
	/* Of all errors there could be. */
	CHECK_EQ(run(FIBER_SCOPE_ALL, plans, 2, 20), INT32_MIN);
	CHECK_EQ(plans[0].was, 1000ll + INT32_MAX);
}

static void shape_all(void)
{
	all_of_them();
	any_of_them();
	errors_of_all();
	errors_of_none();
}

static void each_policy(void)
{
	run_shapes(FIBER_TEST_CLOCK, shape_all);
}

static int exit_with(void *arg)
{
	fiber_exit(*(int *)arg);
}

static atomic_int destroyed;

static void destroy(void *value)
{
	fiber_yield();
	atomic_fetch_add((atomic_int *)value, 1);
}

static int set_key(void *arg)
{
	CHECK_EQ(fiber_key_set(*(fiber_key *)arg, &destroyed), 0);
	return 0;
}

/* The end of a child is all of its end. */
static void ends(void)
{
	static fiber_key key;
	struct fiber_scope *scope = new_scope(FIBER_SCOPE_ALL, 0);
	int error = -EIO;
	int before;

	if (!atomic_load(&destroyed))
		CHECK_EQ(fiber_key_add(&key, destroy), 0);
	before = atomic_load(&destroyed);
	for (int i = 0; i < 10; i++)
		scope_go(scope, set_key, &key);
	CHECK_EQ(fiber_scope_wait(scope), 0);
	CHECK_EQ(atomic_load(&destroyed), before + 10);
	/* It can be used again until it is cancelled. */
	scope_go(scope, exit_with, &before);
	CHECK_EQ(fiber_scope_wait(scope), 0);
	scope_go(scope, exit_with, &error);
	CHECK_EQ(fiber_scope_wait(scope), -EIO);
	CHECK_EQ(fiber_scope_go(scope, exit_with, &error), -ECANCELED);
	fiber_scope_free(scope);
}

static void ends_of_children(void)
{
	run_shapes(0, ends);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(each_policy),
		TEST(ends_of_children),
	};

	return RUN(argc, argv, tests);
}
