// SPDX-License-Identifier: MIT
/*
 * A fiber lives on when nobody has a reference to it, and what a reference
 * points to stays what it is however long the fiber has ended.
 */
#include <errno.h>
#include <string.h>

#include "harness.h"
#include "runtime.h"

#define KEPT 100

static atomic_int gate;
static atomic_int ended;

static int pass_gate(void *arg)
{
	(void)arg;
	runtime_await(&gate, 1);
	atomic_fetch_add(&ended, 1);
	return 0;
}

static int give(void *arg)
{
	return (int)(intptr_t)arg;
}

static int give_up(void *arg)
{
	struct fiber *fiber = runtime_spawn(pass_gate, NULL);

	(void)arg;
	fiber_yield();
	fiber_put(fiber);
	/* One that did not even start. */
	fiber_put(runtime_spawn(pass_gate, NULL));
	atomic_store(&gate, 1);
	runtime_await(&ended, 2);
	return 0;
}

static void fiber_outlives_its_last_one(void)
{
	runtime_run(1, 0, give_up, NULL);
	atomic_store(&gate, 0);
	atomic_store(&ended, 0);
	runtime_run(2, 0, give_up, NULL);
}

static int join_thrice(void *arg)
{
	struct fiber *fiber = runtime_spawn(give, (void *)3);

	(void)arg;
	CHECK(fiber_get(fiber) == fiber);
	CHECK(fiber_get(fiber) == fiber);
	CHECK_EQ(runtime_join(fiber), 3);
	CHECK_EQ(runtime_join(fiber), 3);
	CHECK_EQ(runtime_join(fiber), 3);
	return 0;
}

static void each_is_taken_back_by_one_join(void)
{
	runtime_run(1, 0, join_thrice, NULL);
}

/* Others come and go meanwhile, many more than there were before. */
static int keep_ended(void *arg)
{
	struct fiber *kept[KEPT];
	uint64_t ids[KEPT];
	char name[FIBER_NAME_SIZE];
	int i;

	(void)arg;
	for (i = 0; i < KEPT; i++) {
		kept[i] =
			runtime_spawn_named("kept", give, (void *)(intptr_t)i);
		ids[i] = fiber_id(kept[i]);
	}
	while (runtime_status().fibers > 1)
		fiber_yield();
	for (i = 0; i < 10; i++)
		runtime_spawn_and_join(500, give, NULL);
	for (i = 0; i < KEPT; i++) {
		CHECK_EQ(fiber_id(kept[i]), ids[i]);
		CHECK_EQ(fiber_name_get(kept[i], name, sizeof(name)), 0);
		CHECK(!strcmp(name, "kept"));
		CHECK_EQ(fiber_cancel(kept[i], 1), -ESRCH);
		CHECK_EQ(runtime_join(kept[i]), i);
	}
	return 0;
}

static void keeps_what_has_ended(void)
{
	runtime_run(1, 0, keep_ended, NULL);
	runtime_run(2, 0, keep_ended, NULL);
}

static int hold(void *arg)
{
	fiber_yield();
	CHECK(fiber_id(arg) > 0);
	fiber_put(arg);
	return 0;
}

static int put_by_all(void *arg)
{
	struct fiber *fiber;
	int i;

	(void)arg;
	for (i = 0; i < RUNTIME_TIMES(20000); i++) {
		fiber = runtime_spawn(give, (void *)3);
		fiber_put(runtime_spawn(hold, fiber_get(fiber)));
		fiber_put(runtime_spawn(hold, fiber_get(fiber)));
		if (i % 2)
			CHECK_EQ(runtime_join(fiber), 3);
		else
			fiber_put(fiber);
	}
	return 0;
}

static void taken_and_given_back_at_once(void)
{
	runtime_run(1, 0, put_by_all, NULL);
	runtime_run(3, 0, put_by_all, NULL);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(fiber_outlives_its_last_one),
		TEST(each_is_taken_back_by_one_join),
		TEST(keeps_what_has_ended),
		TEST(taken_and_given_back_at_once),
	};

	return RUN(argc, argv, tests);
}
