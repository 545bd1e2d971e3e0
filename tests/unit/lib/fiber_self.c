// SPDX-License-Identifier: MIT
/*
 * A fiber knows which one it is, wherever it runs; other threads are none.
 */
#include <unistd.h>

#include "harness.h"
#include "runtime.h"

struct known {
	struct fiber *self;
	atomic_int set;
};

static fiber_key key;
static atomic_int seen;

static int compare_self(void *arg)
{
	struct known *known = arg;
	int i;

	runtime_await(&known->set, 1);
	for (i = 0; i < 100; i++) {
		CHECK(fiber_self() == known->self);
		fiber_yield();
	}
	return 0;
}

static int spawn_some(void *arg)
{
	struct known known[10] = { 0 };
	struct fiber *self = fiber_self();
	int i;

	(void)arg;
	CHECK(self);
	for (i = 0; i < 10; i++) {
		known[i].self = runtime_spawn(compare_self, &known[i]);
		CHECK(known[i].self != self);
		atomic_store(&known[i].set, 1);
	}
	for (i = 0; i < 10; i++)
		CHECK_EQ(runtime_join(known[i].self), 0);
	CHECK(fiber_self() == self);
	return 0;
}

static void is_what_spawn_gave(void)
{
	runtime_run(1, 0, spawn_some, NULL);
	runtime_run(3, FIBER_TEST_MIGRATE, spawn_some, NULL);
}

static void *see_nobody(void *arg)
{
	(void)arg;
	CHECK(!fiber_self());
	return NULL;
}

static int thread_from_fiber(void *arg)
{
	(void)arg;
	runtime_in_thread(see_nobody, NULL);
	CHECK(fiber_self());
	return 0;
}

static void threads_are_nobody(void)
{
	CHECK(!fiber_self());
	runtime_run(1, 0, thread_from_fiber, NULL);
	CHECK(!fiber_self());
	runtime_start(1, 0);
	CHECK_EQ(runtime_join(runtime_spawn(thread_from_fiber, NULL)), 0);
	CHECK(!fiber_self());
	runtime_stop();
	CHECK(!fiber_self());
}

static void see_self(void *self)
{
	CHECK(fiber_self() == self);
	atomic_fetch_add(&seen, 1);
}

static int end_with_handlers(void *arg)
{
	struct fiber_cleanup cleanup;

	(void)arg;
	CHECK_EQ(fiber_cleanup_push(&cleanup, see_self, fiber_self()), 0);
	CHECK_EQ(fiber_key_set(key, fiber_self()), 0);
	fiber_exit(0);
}

static int spawn_one_with_handlers(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_key_add(&key, see_self), 0);
	CHECK_EQ(runtime_join(runtime_spawn(end_with_handlers, NULL)), 0);
	CHECK_EQ(atomic_load(&seen), 2);
	return 0;
}

static void still_while_it_ends(void)
{
	runtime_run(2, FIBER_TEST_MIGRATE, spawn_one_with_handlers, NULL);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(is_what_spawn_gave),
		TEST(threads_are_nobody),
		TEST(still_while_it_ends),
	};

	return RUN(argc, argv, tests);
}
