// SPDX-License-Identifier: MIT
/*
 * Joining a fiber waits for its end, and gives what it returned to everybody
 * who joins it.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>

#include "harness.h"
#include "runtime.h"

#define JOINERS 20

static atomic_int gate;
static struct fiber *target;

static int give(void *arg)
{
	return (int)(intptr_t)arg;
}

static int give_late(void *arg)
{
	runtime_await(&gate, 1);
	return (int)(intptr_t)arg;
}

static int join_each(void *arg)
{
	static const int results[] = { 0,	1,	 -1,	 -EAGAIN,
				       -EINVAL, INT_MAX, INT_MIN };
	size_t i;

	(void)arg;
	for (i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
		void *result = (void *)(intptr_t)results[i];

		CHECK_EQ(runtime_join(runtime_spawn(give, result)), results[i]);
	}
	return 0;
}

static void result_is_what_the_function_returned(void)
{
	runtime_run(1, 0, join_each, NULL);
	runtime_run(2, 0, join_each, NULL);
}

static int join_ended(void *arg)
{
	struct fiber *fiber = runtime_spawn(give, (void *)7);

	(void)arg;
	while (runtime_status().fibers > 1)
		fiber_yield();
	CHECK_EQ(runtime_join(fiber), 7);
	return 0;
}

static void after_the_end(void)
{
	runtime_run(1, 0, join_ended, NULL);
	runtime_run(2, 0, join_ended, NULL);
}

static int join_for_the_end_only(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_join(runtime_spawn(give, (void *)7), NULL), 0);
	return 0;
}

static void nobody_has_to_look_at_the_result(void)
{
	runtime_run(1, 0, join_for_the_end_only, NULL);
}

static int join_target(void *arg)
{
	(void)arg;
	CHECK_EQ(runtime_join(fiber_get(target)), 42);
	return 0;
}

static void *join_target_in_thread(void *arg)
{
	join_target(arg);
	return NULL;
}

static void several_join_one(void)
{
	struct fiber *fibers[JOINERS];
	pthread_t threads[JOINERS];
	int i;

	runtime_start(2, 0);
	target = runtime_spawn(give_late, (void *)42);
	for (i = 0; i < JOINERS; i++) {
		fibers[i] = runtime_spawn(join_target, NULL);
		CHECK_EQ(pthread_create(&threads[i], NULL,
					join_target_in_thread, NULL),
			 0);
	}
	/* Let most of them wait before it ends. */
	fiber_sleep(10 * RUNTIME_MS);
	atomic_store(&gate, 1);
	for (i = 0; i < JOINERS; i++) {
		CHECK_EQ(runtime_join(fibers[i]), 0);
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	}
	CHECK_EQ(runtime_join(target), 42);
	runtime_stop();
}

static int try_until_it_works(void *arg)
{
	struct fiber *fiber = runtime_spawn(give_late, (void *)42);
	int result = 5;
	int err;

	(void)arg;
	CHECK_EQ(fiber_try_join(fiber, &result), -EAGAIN);
	fiber_yield();
	CHECK_EQ(fiber_try_join(fiber, &result), -EAGAIN);
	CHECK_EQ(result, 5);
	atomic_store(&gate, 1);
	while ((err = fiber_try_join(fiber, &result)) == -EAGAIN)
		fiber_yield();
	CHECK_EQ(err, 0);
	CHECK_EQ(result, 42);
	return 0;
}

static void trying_does_not_wait(void)
{
	runtime_run(1, 0, try_until_it_works, NULL);
}

static int join_itself(void *arg)
{
	struct fiber *self = fiber_self();

	(void)arg;
	CHECK_EQ(fiber_join(self, NULL), -EDEADLK);
	CHECK_EQ(fiber_join_until(self, NULL, FIBER_FOREVER), -EDEADLK);
	CHECK_EQ(fiber_try_join(self, NULL), -EDEADLK);
	return 0;
}

static void itself(void)
{
	runtime_run(1, 0, join_itself, NULL);
}

static int join_nobody(void *arg)
{
	int result = 5;

	(void)arg;
	CHECK_EQ(fiber_join(NULL, &result), -EINVAL);
	CHECK_EQ(fiber_join_until(NULL, &result, FIBER_FOREVER), -EINVAL);
	CHECK_EQ(fiber_try_join(NULL, &result), -EINVAL);
	CHECK_EQ(result, 5);
	return 0;
}

static void nobody(void)
{
	runtime_run(1, 0, join_nobody, NULL);
}

/* Each joins the one before it: the end of the first goes through all. */
static int join_previous(void *arg)
{
	return (arg ? runtime_join(arg) : 0) + 1;
}

static int make_chain(void *arg)
{
	struct fiber *last = NULL;
	int i;

	(void)arg;
	for (i = 0; i < 1000; i++)
		last = runtime_spawn(join_previous, last);
	CHECK_EQ(runtime_join(last), 1000);
	return 0;
}

static void in_a_chain(void)
{
	runtime_run(1, 0, make_chain, NULL);
	runtime_run(4, 0, make_chain, NULL);
	runtime_run(2, FIBER_TEST_MIGRATE, make_chain, NULL);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(result_is_what_the_function_returned),
		TEST(after_the_end),
		TEST(nobody_has_to_look_at_the_result),
		TEST(several_join_one),
		TEST(trying_does_not_wait),
		TEST(itself),
		TEST(nobody),
		TEST(in_a_chain),
	};

	return RUN(argc, argv, tests);
}
