// SPDX-License-Identifier: MIT
/*
 * A cancellation that comes together with what a fiber waits for: one of the
 * two it is, and after the cancellation every call fails.
 */
#include <errno.h>

#include "harness.h"
#include "runtime.h"

#define ROUNDS RUNTIME_TIMES(2000)

static atomic_int slept, joined, cancelled;

static void check_state(int err)
{
	if (err)
		CHECK_EQ(fiber_cancelled(), 2);
	while (!fiber_cancelled())
		fiber_yield();
	CHECK_EQ(fiber_sleep(FIBER_FOREVER), -ECANCELED);
	CHECK_EQ(fiber_sleep_until(0), -ECANCELED);
}

static int sleep_a_little(void *ns)
{
	int err = fiber_sleep((int64_t)(intptr_t)ns);

	CHECK(err == 0 || err == -ECANCELED);
	atomic_fetch_add(err ? &cancelled : &slept, 1);
	check_state(err);
	return 0;
}

static int race_with_sleep(void *arg)
{
	int i;

	(void)arg;
	atomic_store(&slept, 0);
	atomic_store(&cancelled, 0);
	for (i = 0; i < ROUNDS; i++) {
		struct fiber *fiber = runtime_spawn(
			sleep_a_little, (void *)(intptr_t)(i % 30 * 1000));
		int turns = i % 20;

		while (turns-- > 0)
			fiber_yield();
		CHECK_EQ(fiber_cancel(fiber, 2), 0);
		CHECK_EQ(runtime_join(fiber), 0);
	}
	test_note("%d slept, %d were cancelled", atomic_load(&slept),
		  atomic_load(&cancelled));
	return 0;
}

static void with_a_deadline(void)
{
	runtime_run(1, 0, race_with_sleep, NULL);
	runtime_run(2, 0, race_with_sleep, NULL);
	runtime_run(3, FIBER_TEST_MIGRATE, race_with_sleep, NULL);
}

static int end_soon(void *turns)
{
	int i;

	for (i = 0; i < (int)(intptr_t)turns; i++)
		fiber_yield();
	return 9;
}

/* It has given its reference back if it has the result, and only then. */
static int join_another(void *other)
{
	int result;
	int err = fiber_join(other, &result);

	CHECK(err == 0 || err == -ECANCELED);
	if (err == 0)
		CHECK_EQ(result, 9);
	else
		fiber_put(other);
	atomic_fetch_add(err ? &cancelled : &joined, 1);
	check_state(err);
	return 0;
}

static int race_with_end(void *arg)
{
	int i;

	(void)arg;
	atomic_store(&joined, 0);
	atomic_store(&cancelled, 0);
	for (i = 0; i < ROUNDS; i++) {
		struct fiber *other =
			runtime_spawn(end_soon, (void *)(intptr_t)(i % 5));
		struct fiber *fiber =
			runtime_spawn(join_another, fiber_get(other));
		int turns = i / 5 % 7;

		while (turns-- > 0)
			fiber_yield();
		CHECK_EQ(fiber_cancel(fiber, 2), 0);
		CHECK_EQ(runtime_join(fiber), 0);
		CHECK_EQ(runtime_join(other), 9);
	}
	test_note("%d joined, %d were cancelled", atomic_load(&joined),
		  atomic_load(&cancelled));
	return 0;
}

static void with_the_end_of_another(void)
{
	runtime_run(1, 0, race_with_end, NULL);
	runtime_run(2, 0, race_with_end, NULL);
	runtime_run(3, FIBER_TEST_MIGRATE, race_with_end, NULL);
}

/* Of one that ends meanwhile: it is cancelled, or it has ended. */
static int race_with_own_end(void *arg)
{
	int late = 0;
	int err;
	int i;

	(void)arg;
	for (i = 0; i < ROUNDS; i++) {
		struct fiber *fiber =
			runtime_spawn(end_soon, (void *)(intptr_t)(i % 5));
		int turns = i / 5 % 7;

		while (turns-- > 0)
			fiber_yield();
		err = fiber_cancel(fiber, 2);
		CHECK(err == 0 || err == -ESRCH);
		late += err != 0;
		CHECK_EQ(runtime_join(fiber), 9);
	}
	test_note("%d of %d were too late", late, i);
	return 0;
}

static void with_its_own_end(void)
{
	runtime_run(1, 0, race_with_own_end, NULL);
	runtime_run(2, 0, race_with_own_end, NULL);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(with_a_deadline),
		TEST(with_the_end_of_another),
		TEST(with_its_own_end),
	};

	return RUN(argc, argv, tests);
}
