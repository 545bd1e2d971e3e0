// SPDX-License-Identifier: MIT
/*
 * Handlers that were pushed run when a fiber ends by fiber_exit(), latest
 * first, and only then; popped ones run if it is said.
 */
#include <errno.h>
#include <string.h>

#include "harness.h"
#include "runtime.h"

static char done[32];
static fiber_key key;

static void note(void *letter)
{
	size_t len = strlen(done);

	CHECK(len + 1 < sizeof(done));
	done[len] = *(const char *)letter;
}

#define LETTER(c) ((void *)(uintptr_t)(c))

static int exit_with_three(void *arg)
{
	struct fiber_cleanup a, b, c;

	(void)arg;
	CHECK_EQ(fiber_cleanup_push(&a, note, LETTER("a")), 0);
	CHECK_EQ(fiber_cleanup_push(&b, note, LETTER("b")), 0);
	fiber_yield();
	CHECK_EQ(fiber_cleanup_push(&c, note, LETTER("c")), 0);
	fiber_exit(3);
}

static int return_with_two(void *arg)
{
	static struct fiber_cleanup a, b;

	(void)arg;
	CHECK_EQ(fiber_cleanup_push(&a, note, LETTER("a")), 0);
	CHECK_EQ(fiber_cleanup_push(&b, note, LETTER("b")), 0);
	return 2;
}

static int pop_both_ways(void *arg)
{
	struct fiber_cleanup a, b, c, d;

	(void)arg;
	CHECK_EQ(fiber_cleanup_push(&a, note, LETTER("a")), 0);
	CHECK_EQ(fiber_cleanup_push(&b, note, LETTER("b")), 0);
	CHECK_EQ(fiber_cleanup_push(&c, note, LETTER("c")), 0);
	CHECK_EQ(fiber_cleanup_push(&d, note, LETTER("d")), 0);
	CHECK_EQ(fiber_cleanup_pop(&d, 1), 0);
	CHECK(!strcmp(done, "d"));
	CHECK_EQ(fiber_cleanup_pop(&c, 0), 0);
	CHECK(!strcmp(done, "d"));
	CHECK_EQ(fiber_cleanup_pop(&b, 1), 0);
	CHECK(!strcmp(done, "db"));
	/* One that was popped can be pushed again. */
	CHECK_EQ(fiber_cleanup_push(&d, note, LETTER("e")), 0);
	fiber_exit(4);
}

static int expect(int (*fn)(void *), int result, const char *expected)
{
	memset(done, 0, sizeof(done));
	CHECK_EQ(runtime_join(runtime_spawn(fn, NULL)), result);
	CHECK_EQ(strcmp(done, expected), 0);
	return 0;
}

static int see_exit(void *arg)
{
	(void)arg;
	return expect(exit_with_three, 3, "cba");
}

static int see_return(void *arg)
{
	(void)arg;
	return expect(return_with_two, 2, "");
}

static int see_pop(void *arg)
{
	(void)arg;
	return expect(pop_both_ways, 4, "dbea");
}

static void run_by_exit_latest_first(void)
{
	runtime_run(1, 0, see_exit, NULL);
	runtime_run(2, FIBER_TEST_MIGRATE, see_exit, NULL);
}

static void not_by_return(void)
{
	runtime_run(1, 0, see_return, NULL);
}

static void popped_with_and_without_a_call(void)
{
	runtime_run(1, 0, see_pop, NULL);
}

static int exit_with_value(void *arg)
{
	struct fiber_cleanup a;

	(void)arg;
	CHECK_EQ(fiber_key_set(key, LETTER("k")), 0);
	CHECK_EQ(fiber_cleanup_push(&a, note, LETTER("a")), 0);
	fiber_exit(5);
}

static int see_order(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_key_add(&key, note), 0);
	return expect(exit_with_value, 5, "ak");
}

static void before_destructors_of_keys(void)
{
	runtime_run(1, 0, see_order, NULL);
}

static void wait_and_note(void *letter)
{
	fiber_yield();
	CHECK_EQ(fiber_sleep(RUNTIME_MS), 0);
	note(letter);
}

static int exit_with_one_that_waits(void *arg)
{
	struct fiber_cleanup a, b;

	(void)arg;
	CHECK_EQ(fiber_cleanup_push(&a, wait_and_note, LETTER("a")), 0);
	CHECK_EQ(fiber_cleanup_push(&b, wait_and_note, LETTER("b")), 0);
	fiber_exit(6);
}

static int see_waiting(void *arg)
{
	(void)arg;
	return expect(exit_with_one_that_waits, 6, "ba");
}

static void may_wait(void)
{
	runtime_run(1, 0, see_waiting, NULL);
	runtime_run(2, FIBER_TEST_MIGRATE, see_waiting, NULL);
}

static void push_and_pop(void *letter)
{
	struct fiber_cleanup inner;

	CHECK_EQ(fiber_cleanup_push(&inner, note, letter), 0);
	CHECK_EQ(fiber_cleanup_pop(&inner, 1), 0);
}

static int exit_with_one_that_pushes(void *arg)
{
	struct fiber_cleanup a, b;

	(void)arg;
	CHECK_EQ(fiber_cleanup_push(&a, note, LETTER("a")), 0);
	CHECK_EQ(fiber_cleanup_push(&b, push_and_pop, LETTER("b")), 0);
	fiber_exit(7);
}

static int see_pushing(void *arg)
{
	(void)arg;
	return expect(exit_with_one_that_pushes, 7, "ba");
}

static void may_have_some_of_their_own(void)
{
	runtime_run(1, 0, see_pushing, NULL);
}

static int misuse(void *arg)
{
	struct fiber_cleanup a, b;

	(void)arg;
	CHECK_EQ(fiber_cleanup_push(NULL, note, NULL), -EINVAL);
	CHECK_EQ(fiber_cleanup_push(&a, NULL, NULL), -EINVAL);
	CHECK_EQ(fiber_cleanup_pop(NULL, 0), -EINVAL);
	/* There is none. */
	CHECK_EQ(fiber_cleanup_pop(&a, 1), -EINVAL);
	/* It is not the latest. */
	CHECK_EQ(fiber_cleanup_push(&a, note, LETTER("a")), 0);
	CHECK_EQ(fiber_cleanup_push(&b, note, LETTER("b")), 0);
	CHECK_EQ(fiber_cleanup_pop(&a, 1), -EINVAL);
	CHECK(!done[0]);
	CHECK_EQ(fiber_cleanup_pop(&b, 0), 0);
	CHECK_EQ(fiber_cleanup_pop(&a, 0), 0);
	return 0;
}

static void misuse_is_refused(void)
{
	runtime_run(1, 0, misuse, NULL);
}

static void threads_have_none(void)
{
	struct fiber_cleanup a;

	CHECK_EQ(fiber_cleanup_push(&a, note, LETTER("a")), -EPERM);
	CHECK_EQ(fiber_cleanup_pop(&a, 0), -EPERM);
	runtime_start(1, 0);
	CHECK_EQ(fiber_cleanup_push(&a, note, LETTER("a")), -EPERM);
	CHECK_EQ(fiber_cleanup_pop(&a, 0), -EPERM);
	runtime_stop();
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(run_by_exit_latest_first),
		TEST(not_by_return),
		TEST(popped_with_and_without_a_call),
		TEST(before_destructors_of_keys),
		TEST(may_wait),
		TEST(may_have_some_of_their_own),
		TEST(misuse_is_refused),
		TEST(threads_have_none),
	};

	return RUN(argc, argv, tests);
}
