// SPDX-License-Identifier: MIT
/*
 * Nobody is beside a writer, and nobody starves: fibers and threads that read and
 * write, with deadlines, and are cancelled. STRESS_SECONDS sets how long it takes.
 */
#include <errno.h>
#include <pthread.h>

#include "harsh.h"

#define TIMES ROUNDS(3000)

static struct fiber_rwlock lock = FIBER_RWLOCK_INIT;
static _Atomic int readers, writers;
static long counter, written;
static struct harsh_actor *all; /* who lock, as one */

static void read_it(void)
{
	harsh_step(all, "read");
	readers++;
	CHECK_EQ(writers, 0);
	if (counter % 16 == 0)
		fiber_yield();
	CHECK_EQ(writers, 0);
	readers--;
	CHECK_EQ(fiber_rwlock_unlock(&lock), 0);
}

static void write_it(void)
{
	harsh_step(all, "write");
	CHECK_EQ(writers++, 0);
	CHECK_EQ(readers, 0);
	if (counter++ % 16 == 0)
		fiber_yield();
	CHECK_EQ(readers, 0);
	CHECK_EQ(--writers, 0);
	CHECK_EQ(fiber_rwlock_unlock(&lock), 0);
}

static int read_often(void *arg)
{
	for (int i = 0; i < TIMES; i++) {
		int err = i % 2 ? fiber_rwlock_rdlock(&lock) :
				  fiber_rwlock_rdlock_until(
					  &lock, fiber_after(20 * USEC));

		CHECK(!err || (i % 2 == 0 && err == -ETIMEDOUT));
		if (!err)
			read_it();
	}
	(void)arg;
	return 0;
}

static int write_often(void *arg)
{
	long n = 0;

	for (int i = 0; i < TIMES; i++) {
		int err = i % 2 ? fiber_rwlock_wrlock(&lock) :
				  fiber_rwlock_wrlock_until(
					  &lock, fiber_after(20 * USEC));

		CHECK(!err || (i % 2 == 0 && err == -ETIMEDOUT));
		if (!err) {
			write_it();
			n++;
		}
	}
	__atomic_add_fetch(&written, n, __ATOMIC_SEQ_CST);
	(void)arg;
	return 0;
}

static void *write_in_thread(void *arg)
{
	CHECK_EQ(write_often(arg), 0);
	return NULL;
}

static void *read_in_thread(void *arg)
{
	CHECK_EQ(read_often(arg), 0);
	return NULL;
}

static void crowd(void)
{
	struct fiber *fibers[6];
	pthread_t threads[2];

	counter = written = 0;
	CHECK(!pthread_create(&threads[0], NULL, read_in_thread, NULL));
	CHECK(!pthread_create(&threads[1], NULL, write_in_thread, NULL));
	for (int i = 0; i < 6; i++)
		fibers[i] = spawn(i % 3 ? read_often : write_often, NULL);
	for (int i = 0; i < 6; i++)
		CHECK_EQ(join(fibers[i]), 0);
	for (int i = 0; i < 2; i++)
		CHECK(!pthread_join(threads[i], NULL));
	CHECK_EQ(counter, written);
	CHECK_EQ(lock.opaque[1] | lock.opaque[2], 0);
}

/* Once, or for the time that was asked for. */
static void run_for_a_while(void (*fn)(void))
{
	int64_t end = test_now() + harsh_time(0, 2);

	harsh_watch();
	all = harsh_actor("all");
	do {
		run_shapes(0, fn);
	} while (test_now() < end);
	harsh_unwatch();
}

static void fibers_and_threads(void)
{
	run_for_a_while(crowd);
}

static int until_cancelled(void *arg)
{
	int err;

	for (;;) {
		err = arg ? fiber_rwlock_rdlock(&lock) :
			    fiber_rwlock_wrlock(&lock);
		if (err)
			break;
		if (arg)
			read_it();
		else
			write_it();
	}
	CHECK_EQ(err, -ECANCELED);
	return 0;
}

/* Those that never stop do not keep the one out who writes once. */
static void come_and_go(void)
{
	struct fiber *fibers[8];

	for (int round = 0; round < ROUNDS(40); round++) {
		for (int i = 0; i < 8; i++)
			fibers[i] =
				spawn(until_cancelled, i % 4 ? &lock : NULL);
		for (int i = 0; i < 8; i++) {
			CHECK_EQ(fiber_rwlock_wrlock(&lock), 0);
			fiber_yield();
			write_it();
			CHECK_EQ(fiber_rwlock_rdlock(&lock), 0);
			read_it();
			CHECK_EQ(fiber_cancel(fibers[i], 1), 0);
		}
		for (int i = 0; i < 8; i++)
			CHECK_EQ(join(fibers[i]), 0);
		CHECK_EQ(fiber_rwlock_try_wrlock(&lock), 0);
		CHECK_EQ(fiber_rwlock_unlock(&lock), 0);
	}
}

static void nobody_starves(void)
{
	run_for_a_while(come_and_go);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(fibers_and_threads),
		TEST(nobody_starves),
	};

	return RUN(argc, argv, tests);
}
