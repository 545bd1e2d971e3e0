// SPDX-License-Identifier: MIT
/*
 * What is to be done once is, and whoever comes waits until it is.
 */
#include <errno.h>
#include <pthread.h>

#include "fibers.h"

static struct fiber_once once;
static _Atomic int calls, ends;
static _Atomic bool may_end;

static void init(void *arg)
{
	CHECK_EQ(calls++, 0);
	CHECK_EQ(fiber_once(&once, init, arg), -EDEADLK);
	for (int i = 0; i < 10; i++)
		fiber_yield();
	ends++;
}

static int call(void *arg)
{
	CHECK_EQ(fiber_once(&once, init, arg), 0);
	CHECK_EQ(ends, 1);
	return 0;
}

static void *thread_calls(void *arg)
{
	CHECK_EQ(call(arg), 0);
	return NULL;
}

static void many_call(void)
{
	struct fiber *fibers[100];
	pthread_t thread;

	for (int round = 0; round < ROUNDS(50); round++) {
		once = (struct fiber_once)FIBER_ONCE_INIT;
		calls = ends = 0;
		CHECK(!pthread_create(&thread, NULL, thread_calls, NULL));
		for (int i = 0; i < 100; i++)
			fibers[i] = spawn(call, NULL);
		CHECK_EQ(call(NULL), 0);
		for (int i = 0; i < 100; i++)
			CHECK_EQ(join(fibers[i]), 0);
		CHECK(!pthread_join(thread, NULL));
		CHECK_EQ(calls, 1);
		CHECK_EQ(call(NULL), 0);
	}
}

static void it_is_done_once(void)
{
	run_shapes(0, many_call);
}

static void exit_first(void *arg)
{
	(void)arg;
	if (calls++ == 0) {
		while (!may_end)
			fiber_yield();
		fiber_exit(7);
	}
	ends++;
}

static int call_exit_first(void *arg)
{
	CHECK_EQ(fiber_once(&once, exit_first, arg), 0);
	CHECK_EQ(ends, 1);
	return 0;
}

/* The fiber that does it ends: the next one does it. */
static void exit_within(void)
{
	struct fiber *first, *others[3];

	once = (struct fiber_once)FIBER_ONCE_INIT;
	calls = ends = 0;
	may_end = false;
	first = spawn(call_exit_first, NULL);
	while (!calls)
		fiber_yield();
	for (int i = 0; i < 3; i++)
		others[i] = spawn(call_exit_first, NULL);
	settle();
	may_end = true;
	CHECK_EQ(join(first), 7);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(join(others[i]), 0);
	CHECK_EQ(calls, 2);
	CHECK_EQ(ends, 1);
}

static void who_ends_within_has_not_done_it(void)
{
	run_shapes(0, exit_within);
}

static void in_a_thread(void)
{
	pthread_t threads[3];

	once = (struct fiber_once)FIBER_ONCE_INIT;
	for (int i = 0; i < 3; i++)
		CHECK(!pthread_create(&threads[i], NULL, thread_calls, NULL));
	for (int i = 0; i < 3; i++)
		CHECK(!pthread_join(threads[i], NULL));
	CHECK_EQ(calls, 1);
	CHECK_EQ(fiber_once(NULL, init, NULL), -EINVAL);
	CHECK_EQ(fiber_once(&once, NULL, NULL), -EINVAL);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(it_is_done_once),
		TEST(who_ends_within_has_not_done_it),
		TEST(in_a_thread),
	};

	return RUN(argc, argv, tests);
}
