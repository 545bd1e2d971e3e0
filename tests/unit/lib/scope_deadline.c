// SPDX-License-Identifier: MIT
/*
 * Deadlines of scopes, of their owners, and of a wait for one; the clock is the
 * virtual one.
 */
#include <stdlib.h>

#include "scopes.h"

static struct fiber_chan *never;

/* Returns when it was cancelled, after the start of the test. */
static int wait_for_it(void *arg)
{
	int64_t *deadline = arg;

	if (deadline)
		CHECK_EQ(fiber_deadline(), *deadline);
	CHECK_EQ(fiber_recv(never, NULL), -ECANCELED);
	CHECK_EQ(fiber_cancelled(), ETIMEDOUT);
	if (deadline)
		CHECK_EQ(fiber_now(), *deadline);
	return -ECANCELED;
}

static int refused(void *arg)
{
	(void)arg;
	CHECK(!"it was started");
	return 0;
}

static void of_a_scope(void)
{
	int64_t at = fiber_after(100);
	struct fiber_scope *scope = new_scope(FIBER_SCOPE_ALL, at);

	for (int i = 0; i < 3; i++)
		scope_go(scope, wait_for_it, &at);
	CHECK_EQ(fiber_scope_wait(scope), -ETIMEDOUT);
	CHECK_EQ(fiber_now(), at);
	CHECK_EQ(fiber_scope_go(scope, refused, NULL), -ECANCELED);
	fiber_scope_free(scope);
	/* It has passed already. */
	scope = new_scope(FIBER_SCOPE_ALL, at);
	CHECK_EQ(fiber_scope_go(scope, refused, NULL), -ECANCELED);
	CHECK_EQ(fiber_scope_wait(scope), -ETIMEDOUT);
	fiber_scope_free(scope);
	scope = new_scope(FIBER_SCOPE_ALL, -5);
	CHECK_EQ(fiber_scope_wait(scope), -ETIMEDOUT);
	fiber_scope_free(scope);
}

static int sleep_so_long(void *arg)
{
	return fiber_sleep(*(int64_t *)arg);
}

/* What did not come is nothing, to others that come to be in the same memory. */
static void that_does_not_come(void)
{
	int64_t ns = 10;

	for (int i = 0; i < 20; i++) {
		struct fiber_scope *scope =
			new_scope(FIBER_SCOPE_ALL, fiber_after(15));

		scope_go(scope, sleep_so_long, &ns);
		CHECK_EQ(fiber_scope_wait(scope), 0);
		fiber_scope_free(scope);
		scope = new_scope(FIBER_SCOPE_ALL, 0);
		scope_go(scope, sleep_so_long, &ns);
		CHECK_EQ(fiber_scope_wait(scope), 0);
		fiber_scope_free(scope);
	}
}

static int narrow(void *arg)
{
	int64_t outer = *(int64_t *)arg;
	int64_t at = fiber_after(10);

	CHECK_EQ(fiber_deadline_push(at), outer);
	CHECK_EQ(fiber_recv(never, NULL), -ETIMEDOUT);
	CHECK_EQ(fiber_now(), at);
	fiber_deadline_pop(FIBER_FOREVER);
	/* Not beyond that of the scope. */
	CHECK_EQ(fiber_deadline(), outer);
	CHECK_EQ(fiber_deadline_push(FIBER_FOREVER), outer);
	/* Which cancels it, as it does the others. */
	CHECK_EQ(fiber_recv(never, NULL), -ECANCELED);
	CHECK_EQ(fiber_now(), outer);
	return -ECANCELED;
}

/* The earlier one of outside and inside is also what is inside of that. */
static int open_another(void *arg)
{
	int64_t outer = *(int64_t *)arg;
	int64_t inner = outer - 50;
	struct fiber_scope *scope;
	int err;

	scope = new_scope(FIBER_SCOPE_ALL, inner);
	scope_go(scope, wait_for_it, &inner);
	CHECK_EQ(fiber_scope_wait(scope), -ETIMEDOUT);
	CHECK_EQ(fiber_now(), inner);
	fiber_scope_free(scope);
	scope = new_scope(FIBER_SCOPE_ALL, outer + 100);
	scope_go(scope, wait_for_it, &outer);
	err = fiber_scope_wait(scope);
	CHECK(err == -ETIMEDOUT || err == -ECANCELED);
	CHECK_EQ(fiber_now(), outer);
	fiber_scope_free(scope);
	return err;
}

static void of_children(void)
{
	int64_t at = fiber_after(100);
	struct fiber_scope *scope = new_scope(FIBER_SCOPE_ALL, at);

	scope_go(scope, narrow, &at);
	scope_go(scope, open_another, &at);
	CHECK_EQ(fiber_scope_wait(scope), -ETIMEDOUT);
	CHECK_EQ(fiber_now(), at);
	fiber_scope_free(scope);
}

static int clean_up(void *arg)
{
	struct fiber_scope *scope;
	int64_t ns = 50;

	(void)arg;
	CHECK_EQ(fiber_recv(never, NULL), -ECANCELED);
	CHECK_EQ(fiber_cancel_mask(1), 0);
	CHECK_EQ(fiber_deadline(), FIBER_FOREVER);
	/* With help. */
	scope = new_scope(FIBER_SCOPE_ALL, 0);
	scope_go(scope, sleep_so_long, &ns);
	CHECK_EQ(fiber_scope_wait(scope), 0);
	fiber_scope_free(scope);
	return 0;
}

static void of_who_cleans_up(void)
{
	int64_t at = fiber_after(100);
	struct fiber_scope *scope = new_scope(FIBER_SCOPE_ALL, at);

	scope_go(scope, clean_up, NULL);
	CHECK_EQ(fiber_scope_wait(scope), -ETIMEDOUT);
	CHECK_EQ(fiber_now(), at + 50);
	fiber_scope_free(scope);
}

static void of_the_owner(void)
{
	int64_t at = fiber_after(100);
	struct fiber_scope *scope;
	struct fiber_scope *earlier = new_scope(FIBER_SCOPE_ALL, 0);

	scope_go(earlier, wait_for_it, NULL);
	CHECK_EQ(fiber_deadline_push(at), FIBER_FOREVER);
	scope = new_scope(FIBER_SCOPE_ALL, 0);
	scope_go(scope, wait_for_it, &at);
	CHECK_EQ(fiber_scope_wait(scope), -ETIMEDOUT);
	CHECK_EQ(fiber_now(), at);
	fiber_scope_free(scope);
	/* Only the wait has that one: as a look, and as the end. */
	CHECK_EQ(fiber_scope_wait_until(earlier, FIBER_FOREVER), -ETIMEDOUT);
	CHECK_EQ(fiber_scope_wait(earlier), -ETIMEDOUT);
	CHECK_EQ(fiber_now(), at);
	fiber_deadline_pop(FIBER_FOREVER);
	fiber_scope_free(earlier);
}

static void of_a_wait(void)
{
	int64_t ns[] = { 100, 200 };
	int64_t start = fiber_now();
	struct fiber_scope *scope = new_scope(FIBER_SCOPE_ALL, 0);

	for (size_t i = 0; i < ARRAY_SIZE(ns); i++)
		scope_go(scope, sleep_so_long, &ns[i]);
	CHECK_EQ(fiber_scope_wait_until(scope, start), -ETIMEDOUT);
	CHECK_EQ(fiber_scope_wait_until(scope, start + 150), -ETIMEDOUT);
	CHECK_EQ(fiber_now(), start + 150);
	scope_go(scope, sleep_so_long, &ns[0]);
	CHECK_EQ(fiber_scope_wait_until(scope, start + 260), 0);
	CHECK_EQ(fiber_now(), start + 250);
	CHECK_EQ(fiber_scope_wait_until(scope, start), 0);
	fiber_scope_free(scope);
}

static void all(void)
{
	static void (*const parts[])(void) = {
		of_a_scope,	  that_does_not_come, of_children,
		of_who_cleans_up, of_the_owner,	      of_a_wait,
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
