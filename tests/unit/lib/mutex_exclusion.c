// SPDX-License-Identifier: MIT
/*
 * One at a time has the mutex, and everybody gets it: fibers, threads, both.
 */
#include <errno.h>
#include <pthread.h>

#include "fibers.h"

#define CROWD 8
#define TIMES ROUNDS(5000)

static struct fiber_mutex mutex = FIBER_MUTEX_INIT;
static _Atomic int inside;
static long counter;

static void in_it(int i)
{
	CHECK_EQ(inside++, 0);
	counter++;
	/* Some hold it while others run. */
	if (i % 64 == 0)
		fiber_yield();
	CHECK_EQ(--inside, 0);
}

static int enter(struct fiber_mutex *m, int i)
{
	int err;

	switch (i % 3) {
	case 0:
		return fiber_mutex_lock(m);
	case 1:
		while ((err = fiber_mutex_try_lock(m)) == -EAGAIN)
			fiber_yield();
		return err;
	default:
		while ((err = fiber_mutex_lock_until(
				m, fiber_after(i % 2 * 50 * USEC))) ==
		       -ETIMEDOUT)
			fiber_yield();
		return err;
	}
}

static int lock_often(void *arg)
{
	(void)arg;
	for (int i = 0; i < TIMES; i++) {
		CHECK_EQ(enter(&mutex, i), 0);
		in_it(i);
		CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
	}
	return 0;
}

static void *thread_locks_often(void *arg)
{
	CHECK_EQ(lock_often(arg), 0);
	return NULL;
}

static void threads_and_fibers(int threads, int fibers)
{
	struct fiber *of[CROWD];
	pthread_t thread[CROWD];

	counter = 0;
	for (int i = 0; i < threads; i++)
		CHECK(!pthread_create(&thread[i], NULL, thread_locks_often,
				      NULL));
	for (int i = 0; i < fibers; i++)
		of[i] = spawn(lock_often, NULL);
	for (int i = 0; i < fibers; i++)
		CHECK_EQ(join(of[i]), 0);
	for (int i = 0; i < threads; i++)
		CHECK(!pthread_join(thread[i], NULL));
	CHECK_EQ(counter, (long)(threads + fibers) * TIMES);
}

static void fibers_only(void)
{
	threads_and_fibers(0, CROWD);
}

static void both(void)
{
	threads_and_fibers(2, 4);
}

static void among_fibers(void)
{
	run_shapes(0, fibers_only);
}

static void among_fibers_and_threads(void)
{
	run_shapes(0, both);
}

/* No runtime was ever started. */
static void among_threads(void)
{
	threads_and_fibers(4, 0);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(among_fibers),
		TEST(among_fibers_and_threads),
		TEST(among_threads),
	};

	return RUN(argc, argv, tests);
}
