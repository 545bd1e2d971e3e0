// SPDX-License-Identifier: MIT
/*
 * A scope is cancelled: by anybody, with its owner, through scopes in scopes; and
 * nothing of it goes on when its owner does.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "scopes.h"

#define WHY 7

static struct fiber_chan *never;
static atomic_int live;

/* Ends when it is cancelled, and no earlier. */
static int wait_for_it(void *why)
{
	atomic_fetch_add(&live, 1);
	CHECK_EQ(fiber_recv(never, NULL), -ECANCELED);
	if (why)
		CHECK_EQ(fiber_cancelled(), *(int *)why);
	atomic_fetch_sub(&live, 1);
	return -ECANCELED;
}

/* Takes its time, in which it cannot be cancelled. */
static int clean_up(void *why)
{
	atomic_fetch_add(&live, 1);
	CHECK_EQ(fiber_recv(never, NULL), -ECANCELED);
	CHECK_EQ(fiber_cancelled(), *(int *)why);
	CHECK_EQ(fiber_cancel_mask(1), 0);
	CHECK_EQ(fiber_sleep(100), 0);
	CHECK_EQ(fiber_cancel_mask(0), 1);
	atomic_fetch_sub(&live, 1);
	return 0;
}

static int refused(void *arg)
{
	(void)arg;
	CHECK(!"it was started");
	return 0;
}

static void by_its_owner(void)
{
	struct fiber_scope *scope = new_scope(FIBER_SCOPE_ALL, 0);
	int why = WHY;
	int64_t start;

	CHECK_EQ(fiber_scope_cancel(scope, 0), -EINVAL);
	for (int i = 0; i < 5; i++)
		scope_go(scope, i % 2 ? clean_up : wait_for_it, &why);
	settle();
	start = fiber_now();
	CHECK_EQ(atomic_load(&live), 5);
	CHECK_EQ(fiber_scope_cancel(scope, WHY), 0);
	CHECK_EQ(fiber_scope_cancel(scope, WHY + 1), 0);
	CHECK_EQ(fiber_scope_go(scope, refused, NULL), -ECANCELED);
	CHECK_EQ(fiber_scope_wait(scope), -ECANCELED);
	CHECK_EQ(fiber_now(), start + 100);
	CHECK_EQ(atomic_load(&live), 0);
	CHECK_EQ(fiber_scope_go(scope, refused, NULL), -ECANCELED);
	fiber_scope_free(scope);
}

/* Before any of them has run. */
static void at_once(void)
{
	struct fiber_scope *scope = new_scope(FIBER_SCOPE_ALL, 0);
	int why = WHY;

	for (int i = 0; i < 5; i++)
		scope_go(scope, wait_for_it, &why);
	CHECK_EQ(fiber_scope_cancel(scope, WHY), 0);
	CHECK_EQ(fiber_scope_wait(scope), -ECANCELED);
	CHECK_EQ(atomic_load(&live), 0);
	fiber_scope_free(scope);
	scope = new_scope(FIBER_SCOPE_COLLECT, 0);
	CHECK_EQ(fiber_scope_cancel(scope, WHY), 0);
	CHECK_EQ(fiber_scope_go(scope, refused, NULL), -ECANCELED);
	CHECK_EQ(fiber_scope_wait(scope), -ECANCELED);
	fiber_scope_free(scope);
}

static int cancel_it(void *scope)
{
	CHECK_EQ(fiber_scope_cancel(scope, WHY), 0);
	/* It is one of them. */
	CHECK_EQ(fiber_recv(never, NULL), -ECANCELED);
	CHECK_EQ(fiber_cancelled(), WHY);
	return 0;
}

static void by_a_child(void)
{
	struct fiber_scope *scope = new_scope(FIBER_SCOPE_COLLECT, 0);
	int why = WHY;

	scope_go(scope, clean_up, &why);
	scope_go(scope, wait_for_it, &why);
	scope_go(scope, cancel_it, scope);
	CHECK_EQ(fiber_scope_wait(scope), -ECANCELED);
	CHECK_EQ(atomic_load(&live), 0);
	fiber_scope_free(scope);
}

static int own_one(void *arg)
{
	struct fiber_scope *scope = new_scope(FIBER_SCOPE_ALL, 0);
	int why = WHY;

	for (int i = 0; i < 3; i++)
		scope_go(scope, i % 2 ? clean_up : wait_for_it, &why);
	CHECK_EQ(fiber_scope_wait(scope), -ECANCELED);
	CHECK_EQ(fiber_cancelled(), WHY);
	CHECK_EQ(fiber_scope_wait(scope), -ECANCELED);
	CHECK_EQ(fiber_scope_wait_until(scope, 0), -ECANCELED);
	fiber_scope_free(scope);
	(void)arg;
	return 0;
}

static void with_its_owner(void)
{
	struct fiber *owner = spawn(own_one, NULL);
	int64_t start;

	settle();
	start = fiber_now();
	CHECK_EQ(atomic_load(&live), 3);
	CHECK_EQ(fiber_cancel(owner, WHY), 0);
	CHECK_EQ(join(owner), 0);
	CHECK_EQ(fiber_now(), start + 100);
	CHECK_EQ(atomic_load(&live), 0);
}

static int start_when_cancelled(void *arg)
{
	struct fiber_scope *before = new_scope(FIBER_SCOPE_ALL, 0);
	struct fiber_scope *scope;
	int why = WHY;

	(void)arg;
	scope_go(before, wait_for_it, &why);
	CHECK_EQ(fiber_recv(never, NULL), -ECANCELED);
	/* Masked, it is as if it were not. */
	CHECK_EQ(fiber_cancel_mask(1), 0);
	scope = new_scope(FIBER_SCOPE_ALL, 0);
	scope_go(scope, wait_for_it, NULL);
	CHECK_EQ(fiber_scope_wait_until(scope, fiber_after(10)), -ETIMEDOUT);
	CHECK_EQ(fiber_scope_wait_until(before, fiber_after(10)), -ETIMEDOUT);
	CHECK_EQ(fiber_cancel_mask(0), 1);
	CHECK_EQ(fiber_scope_go(scope, refused, NULL), -ECANCELED);
	fiber_scope_free(scope);
	CHECK_EQ(fiber_scope_go(before, refused, NULL), -ECANCELED);
	CHECK_EQ(fiber_scope_wait(before), -ECANCELED);
	fiber_scope_free(before);
	scope = new_scope(FIBER_SCOPE_ALL, 0);
	CHECK_EQ(fiber_scope_wait(scope), -ECANCELED);
	fiber_scope_free(scope);
	return 0;
}

static void when_its_owner_looks(void)
{
	struct fiber *owner = spawn(start_when_cancelled, NULL);

	settle();
	CHECK_EQ(fiber_cancel(owner, WHY), 0);
	CHECK_EQ(join(owner), 0);
	CHECK_EQ(atomic_load(&live), 0);
}

/* A tree of scopes, four deep, three wide. */
static int own_some(void *arg)
{
	struct fiber_scope *scope = new_scope(FIBER_SCOPE_ALL, 0);
	intptr_t depth = (intptr_t)arg;
	int err;

	for (int i = 0; i < 3; i++) {
		if (depth > 0)
			scope_go(scope, own_some, (void *)(depth - 1));
		else
			scope_go(scope, wait_for_it, NULL);
	}
	err = fiber_scope_wait(scope);
	CHECK_EQ(err, -ECANCELED);
	fiber_scope_free(scope);
	return err;
}

static void scopes_in_scopes(void)
{
	struct fiber *owner = spawn(own_some, (void *)3);

	settle();
	CHECK_EQ(atomic_load(&live), 81);
	CHECK_EQ(fiber_cancel(owner, WHY), 0);
	CHECK_EQ(join(owner), -ECANCELED);
	CHECK_EQ(atomic_load(&live), 0);
}

static int fail_soon(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_sleep(50), 0);
	return -EIO;
}

/* An error deep down comes up, and goes down on the other side. */
static int own_a_failing_one(void *arg)
{
	struct fiber_scope *scope = new_scope(FIBER_SCOPE_ALL, 0);
	int err;

	(void)arg;
	scope_go(scope, fail_soon, NULL);
	scope_go(scope, wait_for_it, NULL);
	err = fiber_scope_wait(scope);
	CHECK_EQ(err, -EIO);
	fiber_scope_free(scope);
	return err;
}

static void errors_through_scopes(void)
{
	struct fiber_scope *scope = new_scope(FIBER_SCOPE_ALL, 0);
	int64_t start = fiber_now();

	scope_go(scope, own_some, (void *)1);
	scope_go(scope, own_a_failing_one, NULL);
	CHECK_EQ(fiber_scope_wait(scope), -EIO);
	CHECK_EQ(atomic_load(&live), 0);
	CHECK_EQ(fiber_now(), start + 50);
	fiber_scope_free(scope);
}

/* Who is cancelled by hand is a child with an error, as it likes. */
static void one_child(void)
{
	struct fiber_scope *scope = new_scope(FIBER_SCOPE_COLLECT, 0);
	struct fiber *child;
	int why = WHY;
	int result;

	CHECK_EQ(fiber_scope_spawn(scope, &child, wait_for_it, &why, NULL), 0);
	settle();
	CHECK_EQ(fiber_cancel(child, WHY), 0);
	CHECK_EQ(fiber_scope_wait(scope), -ECANCELED);
	/* The reference is ours, and does not keep it. */
	CHECK_EQ(fiber_join(child, &result), 0);
	CHECK_EQ(result, -ECANCELED);
	fiber_scope_free(scope);
}

static void all(void)
{
	static void (*const parts[])(void) = {
		by_its_owner,
		at_once,
		by_a_child,
		with_its_owner,
		when_its_owner_looks,
		scopes_in_scopes,
		errors_through_scopes,
		one_child,
	};

	never = new_chan(0, 0);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		parts[i]();
	check_idle(never);
	fiber_chan_put(never);
}

static void in_each_shape(void)
{
	run_shapes(FIBER_TEST_CLOCK, all);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(in_each_shape),
	};

	return RUN(argc, argv, tests);
}
