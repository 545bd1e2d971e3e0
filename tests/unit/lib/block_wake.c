// SPDX-License-Identifier: MIT
/*
 * The futex for fibers: nobody waits for a word that has changed, and as many are
 * woken as asked for, of those that wait for this word.
 */
#include <errno.h>
#include <pthread.h>

#include "fibers.h"

#define TIMES ROUNDS(5000)

static FIBER_WORD words[600];
static int order[8];
static _Atomic int nr_order;

static int wait_for(void *arg)
{
	FIBER_WORD *word = arg;

	CHECK_EQ(fiber_block_on(word, 0, FIBER_FOREVER), 0);
	order[nr_order++ % 8] = word - words;
	return 0;
}

static void some_of_many(void)
{
	struct fiber *fibers[8];

	nr_order = 0;
	CHECK_EQ(fiber_block_on(&words[0], 1, FIBER_FOREVER), -EAGAIN);
	CHECK_EQ(fiber_block_on(&words[0], 0, 0), -ETIMEDOUT);
	CHECK_EQ(fiber_wake(&words[0], INT32_MAX), 0);
	for (int i = 0; i < 8; i++) {
		fibers[i] = spawn(wait_for, &words[i % 2]);
		settle();
	}
	CHECK_EQ(fiber_wake(&words[2], INT32_MAX), 0);
	CHECK_EQ(fiber_wake(&words[0], 0), 0);
	CHECK_EQ(fiber_wake(&words[0], 3), 3);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(join(fibers[2 * i]), 0);
	CHECK_EQ(nr_order, 3);
	CHECK_EQ(fiber_wake(&words[1], INT32_MAX), 4);
	CHECK_EQ(fiber_wake(&words[0], INT32_MAX), 1);
	for (int i = 0; i < 8; i++)
		if (i % 2 || i == 6)
			CHECK_EQ(join(fibers[i]), 0);
}

static void those_of_the_word(void)
{
	run_shapes(FIBER_TEST_CLOCK, some_of_many);
}

/* More words than there are queues: some share one. */
static void all_words(void)
{
	static struct fiber *fibers[ARRAY_SIZE(words)];

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		fibers[i] = spawn(wait_for, &words[i]);
	settle();
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		CHECK_EQ(fiber_wake(&words[i], INT32_MAX), 1);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		CHECK_EQ(join(fibers[i]), 0);
}

static void many_words(void)
{
	run_shapes(FIBER_TEST_CLOCK, all_words);
}

/* A lock: 1 is held, 2 is held and somebody may wait. */
static FIBER_WORD held;
static long counter;

static int lock_often(void *arg)
{
	for (int i = 0; i < TIMES; i++) {
		uint32_t seen = 0;

		if (!__atomic_compare_exchange_n((uint32_t *)&held, &seen, 1,
						 false, __ATOMIC_SEQ_CST,
						 __ATOMIC_SEQ_CST)) {
			while (__atomic_exchange_n((uint32_t *)&held, 2,
						   __ATOMIC_SEQ_CST)) {
				int err = fiber_block_on(&held, 2,
							 fiber_after(HOUR));

				CHECK(!err || err == -EAGAIN);
			}
		}
		counter++;
		if (i % 16 == 0)
			fiber_yield();
		if (__atomic_exchange_n((uint32_t *)&held, 0,
					__ATOMIC_SEQ_CST) == 2)
			CHECK(fiber_wake(&held, 1) <= 1);
	}
	(void)arg;
	return 0;
}

static void *thread_locks(void *arg)
{
	CHECK_EQ(lock_often(arg), 0);
	return NULL;
}

static void crowd(void)
{
	struct fiber *fibers[5];
	pthread_t thread;

	counter = 0;
	CHECK(!pthread_create(&thread, NULL, thread_locks, NULL));
	for (int i = 0; i < 5; i++)
		fibers[i] = spawn(lock_often, NULL);
	for (int i = 0; i < 5; i++)
		CHECK_EQ(join(fibers[i]), 0);
	CHECK(!pthread_join(thread, NULL));
	CHECK_EQ(counter, 6l * TIMES);
}

static void a_lock_built_on_it(void)
{
	run_shapes(0, crowd);
}

static void between_threads(void)
{
	pthread_t threads[3];

	for (int i = 0; i < 3; i++)
		CHECK(!pthread_create(&threads[i], NULL, thread_locks, NULL));
	for (int i = 0; i < 3; i++)
		CHECK(!pthread_join(threads[i], NULL));
	CHECK_EQ(counter, 3l * TIMES);
}

static void refusals(void)
{
	CHECK_EQ(fiber_block_on(NULL, 0, 0), -EINVAL);
	CHECK_EQ(fiber_wake(NULL, 1), -EINVAL);
	CHECK_EQ(fiber_wake(&words[0], -1), -EINVAL);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(those_of_the_word),  TEST(many_words),
		TEST(a_lock_built_on_it), TEST(between_threads),
		TEST(refusals),
	};

	return RUN(argc, argv, tests);
}
