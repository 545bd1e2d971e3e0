// SPDX-License-Identifier: MIT
/*
 * The ways in which an owner leaves a scope: no child is left behind in any.
 */
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "scopes.h"

static struct fiber_chan *never;
static atomic_int live;

static int wait_for_it(void *arg)
{
	(void)arg;
	atomic_fetch_add(&live, 1);
	CHECK_EQ(fiber_recv(never, NULL), -ECANCELED);
	CHECK_EQ(fiber_cancelled(), ECANCELED);
	CHECK_EQ(fiber_cancel_mask(1), 0);
	CHECK_EQ(fiber_sleep(10), 0);
	atomic_fetch_sub(&live, 1);
	return 0;
}

static struct fiber_scope *open_one(void)
{
	struct fiber_scope *scope = new_scope(FIBER_SCOPE_ALL, 0);

	for (int i = 0; i < 3; i++)
		scope_go(scope, wait_for_it, NULL);
	return scope;
}

static void by_free(void)
{
	struct fiber_scope *scope = open_one();

	fiber_scope_free(scope);
	CHECK_EQ(atomic_load(&live), 0);
	scope = open_one();
	settle();
	fiber_scope_free(scope);
	CHECK_EQ(atomic_load(&live), 0);
	fiber_scope_free(NULL);
}

static int forget(void *arg)
{
	(void)arg;
	open_one();
	open_one();
	settle();
	return 6;
}

static int forget_and_exit(void *arg)
{
	open_one();
	settle();
	forget(arg);
	fiber_exit(7);
}

static void set_at_the_end(void *scope)
{
	CHECK(atomic_load(&live) == 0);
	*(struct fiber_scope **)scope = open_one();
	settle();
}

static int open_at_the_end(void *arg)
{
	static fiber_key key;
	static struct fiber_scope *scope;

	(void)arg;
	if (!scope)
		CHECK_EQ(fiber_key_add(&key, set_at_the_end), 0);
	CHECK_EQ(fiber_key_set(key, &scope), 0);
	open_one();
	settle();
	return 8;
}

static void by_the_owners_end(void)
{
	CHECK_EQ(join(spawn(forget, NULL)), 6);
	CHECK_EQ(atomic_load(&live), 0);
	CHECK_EQ(join(spawn(forget_and_exit, NULL)), 7);
	CHECK_EQ(atomic_load(&live), 0);
	CHECK_EQ(join(spawn(open_at_the_end, NULL)), 8);
	CHECK_EQ(atomic_load(&live), 0);
}

static int forget_when_cancelled(void *arg)
{
	open_one();
	CHECK_EQ(fiber_recv(never, NULL), -ECANCELED);
	(void)arg;
	return 9;
}

static void by_the_owners_end_when_cancelled(void)
{
	struct fiber *fiber = spawn(forget_when_cancelled, NULL);

	settle();
	CHECK_EQ(fiber_cancel(fiber, 1), 0);
	CHECK_EQ(join(fiber), 9);
	CHECK_EQ(atomic_load(&live), 0);
}

/* In any order. */
static void of_several(void)
{
	struct fiber_scope *scopes[3];

	for (int first = 0; first < 3; first++) {
		for (int i = 0; i < 3; i++)
			scopes[i] = open_one();
		for (int i = 0; i < 3; i++)
			fiber_scope_free(scopes[(first + i) % 3]);
		CHECK_EQ(atomic_load(&live), 0);
	}
}

static void all(void)
{
	never = new_chan(0, 0);
	by_free();
	by_the_owners_end();
	by_the_owners_end_when_cancelled();
	of_several();
	check_idle(never);
	fiber_chan_put(never);
}

static void in_each_shape(void)
{
	run_shapes(FIBER_TEST_CLOCK, all);
}

static int free_it(void *scope)
{
	fiber_scope_free(scope);
	return 0;
}

static void free_by_another(void)
{
	struct fiber_scope *scope = new_scope(FIBER_SCOPE_ALL, 0);

	/* It would wait for itself. */
	scope_go(scope, free_it, scope);
	fiber_scope_wait(scope);
}

static void die(void *arg)
{
	(void)arg;
	run_with(1, 0, free_by_another);
}

static void by_another_is_a_bug(void)
{
	char said[500];

	CHECK_EQ(test_death(die, NULL, said, sizeof(said)), SIGABRT);
	CHECK_IN(said, "fiber: a scope is freed by somebody other than who "
		       "opened it");
}

/* With the runtime: the scope of main, and what is in it. */
static void stop(void)
{
	open_one();
	settle();
	CHECK_EQ(join(spawn(forget, NULL)), 6);
}

static void by_the_end_of_main(void)
{
	struct fiber_config config = { .size = sizeof(config) };

	CHECK_EQ(fiber_start(&config), 0);
	never = new_chan(0, 0);
	CHECK_EQ(fiber_stop_until(fiber_after(10 * SEC)), 0);
	run_with(2, 0, stop);
	CHECK_EQ(atomic_load(&live), 0);
	fiber_chan_put(never);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(in_each_shape),
		TEST(by_another_is_a_bug),
		TEST(by_the_end_of_main),
	};

	return RUN(argc, argv, tests);
}
