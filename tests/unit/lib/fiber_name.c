// SPDX-License-Identifier: MIT
/*
 * Fibers can have names, which are copies, and cut when they are long.
 */
#include <errno.h>
#include <string.h>

#include "harness.h"
#include "runtime.h"

#define LONG "a name that is longer than there is room for it"

static atomic_int gate;

static void check_name(const struct fiber *fiber, const char *expected)
{
	char name[2 * FIBER_NAME_SIZE];

	memset(name, 'x', sizeof(name));
	CHECK_EQ(fiber_name_get(fiber, name, sizeof(name)), 0);
	CHECK_EQ(strlen(name), strlen(expected));
	CHECK(!strcmp(name, expected));
}

static int wait_for_gate(void *arg)
{
	(void)arg;
	runtime_await(&gate, 1);
	return 0;
}

static int spawn_named(void *arg)
{
	char name[] = "deep thought";
	struct fiber *fiber = runtime_spawn_named(name, wait_for_gate, NULL);

	(void)arg;
	memset(name, 'x', sizeof(name) - 1);
	check_name(fiber, "deep thought");
	fiber_yield();
	check_name(fiber, "deep thought");
	atomic_store(&gate, 1);
	CHECK_EQ(fiber_join(fiber_get(fiber), NULL), 0);
	check_name(fiber, "deep thought");
	fiber_put(fiber);
	return 0;
}

static void is_a_copy(void)
{
	runtime_run(1, 0, spawn_named, NULL);
}

static int without(void *arg)
{
	(void)arg;
	check_name(fiber_self(), "");
	return 0;
}

static int with(void *arg)
{
	(void)arg;
	check_name(fiber_self(), "A");
	return 0;
}

static int spawn_without(void *arg)
{
	int i;

	(void)arg;
	/* Also where one with a name was before. */
	for (i = 0; i < 10; i++) {
		struct fiber *fiber = runtime_spawn_named("A", with, NULL);

		CHECK_EQ(runtime_join(fiber), 0);
		CHECK_EQ(runtime_join(runtime_spawn(without, NULL)), 0);
	}
	return 0;
}

static int name_itself(void *arg)
{
	struct fiber *self = fiber_self();

	check_name(self, arg);
	CHECK_EQ(fiber_name_set("one"), 0);
	check_name(self, "one");
	fiber_yield();
	check_name(self, "one");
	CHECK_EQ(fiber_name_set(""), 0);
	check_name(self, "");
	CHECK_EQ(fiber_name_set("two"), 0);
	CHECK_EQ(fiber_name_set(NULL), -EINVAL);
	check_name(self, "two");
	return 0;
}

static int spawn_those_that_name_themselves(void *arg)
{
	struct fiber *fiber;

	(void)arg;
	fiber = runtime_spawn_named("zero", name_itself, (void *)"zero");
	CHECK_EQ(fiber_join(fiber_get(fiber), NULL), 0);
	check_name(fiber, "two");
	fiber_put(fiber);
	return 0;
}

static void can_be_changed(void)
{
	runtime_run(1, 0, name_itself, (void *)"");
	runtime_run(2, FIBER_TEST_MIGRATE, spawn_those_that_name_themselves,
		    NULL);
}

static int cut(void *arg)
{
	char expected[FIBER_NAME_SIZE];
	struct fiber *fiber = runtime_spawn_named(LONG, wait_for_gate, NULL);

	(void)arg;
	memcpy(expected, LONG, sizeof(expected) - 1);
	expected[sizeof(expected) - 1] = '\0';
	check_name(fiber, expected);
	CHECK_EQ(fiber_name_set(LONG), 0);
	check_name(fiber_self(), expected);
	/* One that just fits is not. */
	CHECK_EQ(fiber_name_set(expected), 0);
	check_name(fiber_self(), expected);
	atomic_store(&gate, 1);
	CHECK_EQ(runtime_join(fiber), 0);
	return 0;
}

static void is_cut_when_it_is_long(void)
{
	runtime_run(1, 0, cut, NULL);
}

static int get_into_little(void *arg)
{
	char buf[6] = "12345";

	(void)arg;
	CHECK_EQ(fiber_name_set("abcdef"), 0);
	CHECK_EQ(fiber_name_get(fiber_self(), buf, 4), 0);
	CHECK(!memcmp(buf, "abc\0005", 6));
	CHECK_EQ(fiber_name_get(fiber_self(), buf, 1), 0);
	CHECK(!memcmp(buf, "\0bc\0005", 6));
	CHECK_EQ(fiber_name_get(fiber_self(), buf, 0), -EINVAL);
	CHECK_EQ(fiber_name_get(fiber_self(), NULL, 6), -EINVAL);
	CHECK_EQ(fiber_name_get(NULL, buf, 6), -EINVAL);
	CHECK(!memcmp(buf + 1, "bc\0005", 5));
	return 0;
}

static void is_cut_to_the_buffer(void)
{
	runtime_run(1, 0, get_into_little, NULL);
}

static void none_is_empty(void)
{
	runtime_run(1, 0, without, NULL);
	runtime_run(1, 0, spawn_without, NULL);
}

static int no_attr(void *arg)
{
	struct fiber *fiber = runtime_spawn_named(NULL, without, NULL);

	(void)arg;
	CHECK_EQ(runtime_join(fiber), 0);
	return 0;
}

static void none_in_the_attributes(void)
{
	runtime_run(1, 0, no_attr, NULL);
}

static void threads_have_none(void)
{
	CHECK_EQ(fiber_name_set("thread"), -EPERM);
	runtime_start(1, 0);
	CHECK_EQ(fiber_name_set("thread"), -EPERM);
	runtime_stop();
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(is_a_copy),
		TEST(can_be_changed),
		TEST(is_cut_when_it_is_long),
		TEST(is_cut_to_the_buffer),
		TEST(none_is_empty),
		TEST(none_in_the_attributes),
		TEST(threads_have_none),
	};

	return RUN(argc, argv, tests);
}
