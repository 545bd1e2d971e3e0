// SPDX-License-Identifier: MIT
/*
 * A signal wakes one, the first that waits, a broadcast all; and whoever returns
 * has the mutex.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "fibers.h"

static struct fiber_mutex mutex = FIBER_MUTEX_INIT;
static struct fiber_cond cond = FIBER_COND_INIT;
static int woken[200];
static int nr_woken;

static int wait_once(void *arg)
{
	CHECK_EQ(fiber_mutex_lock(&mutex), 0);
	CHECK_EQ(fiber_cond_wait(&cond, &mutex), 0);
	CHECK_EQ(fiber_mutex_try_lock(&mutex), -EDEADLK);
	woken[nr_woken++] = *(int *)arg;
	CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
	return 0;
}

static int numbers[200];
static struct fiber *fibers[200];

static void queue_up(int n)
{
	nr_woken = 0;
	for (int i = 0; i < n; i++) {
		numbers[i] = i;
		fibers[i] = spawn(wait_once, &numbers[i]);
		settle();
	}
}

static void by_signals(void)
{
	CHECK_EQ(fiber_cond_signal(&cond), 0);
	queue_up(5);
	for (int i = 0; i < 5; i++) {
		/* With the mutex, and without. */
		if (i % 2)
			CHECK_EQ(fiber_mutex_lock(&mutex), 0);
		CHECK_EQ(fiber_cond_signal(&cond), 0);
		if (i % 2)
			CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
		settle();
		CHECK_EQ(nr_woken, i + 1);
		CHECK_EQ(woken[i], i);
	}
	for (int i = 0; i < 5; i++)
		CHECK_EQ(join(fibers[i]), 0);
}

static void a_signal_wakes_the_first(void)
{
	run_shapes(FIBER_TEST_CLOCK, by_signals);
}

static void by_broadcast(void)
{
	CHECK_EQ(fiber_cond_broadcast(&cond), 0);
	/* More than are won at once. */
	for (int n = 1; n <= 200; n += 199) {
		queue_up(n);
		CHECK_EQ(fiber_cond_broadcast(&cond), 0);
		for (int i = 0; i < n; i++)
			CHECK_EQ(join(fibers[i]), 0);
		CHECK_EQ(nr_woken, n);
	}
}

static void a_broadcast_wakes_all(void)
{
	run_shapes(FIBER_TEST_CLOCK, by_broadcast);
}

/* Nobody waits yet: it wakes nobody later. */
static void too_early(void)
{
	CHECK_EQ(fiber_mutex_lock(&mutex), 0);
	CHECK_EQ(fiber_cond_signal(&cond), 0);
	CHECK_EQ(fiber_cond_broadcast(&cond), 0);
	CHECK_EQ(fiber_cond_wait_until(&cond, &mutex, fiber_after(SEC)),
		 -ETIMEDOUT);
	CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
}

static void a_signal_is_not_kept(void)
{
	run_shapes(FIBER_TEST_CLOCK, too_early);
}

static void refusals(void)
{
	CHECK_EQ(fiber_cond_wait(NULL, &mutex), -EINVAL);
	CHECK_EQ(fiber_cond_wait(&cond, NULL), -EINVAL);
	CHECK_EQ(fiber_cond_wait_until(NULL, NULL, 0), -EINVAL);
	CHECK_EQ(fiber_cond_signal(NULL), -EINVAL);
	CHECK_EQ(fiber_cond_broadcast(NULL), -EINVAL);
	CHECK_EQ(fiber_cond_wait(&cond, &mutex), -EPERM);
	CHECK_EQ(fiber_cond_wait_until(&cond, &mutex, 0), -EPERM);
}

static void it_takes_the_mutex(void)
{
	refusals();
	run_shapes(0, refusals);
}

/* A buffer of one word, between fibers and threads. */
#define WORDS ROUNDS(5000)

static struct fiber_cond filled = FIBER_COND_INIT;
static struct fiber_cond emptied = FIBER_COND_INIT;
static long word, sum;

static int put_words(void *arg)
{
	for (long i = 1; i <= WORDS; i++) {
		CHECK_EQ(fiber_mutex_lock(&mutex), 0);
		while (word)
			CHECK_EQ(fiber_cond_wait(&emptied, &mutex), 0);
		word = i;
		CHECK_EQ(fiber_cond_signal(&filled), 0);
		CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
	}
	(void)arg;
	return 0;
}

static int get_words(void *arg)
{
	for (long i = 1; i <= WORDS; i++) {
		CHECK_EQ(fiber_mutex_lock(&mutex), 0);
		while (!word)
			CHECK_EQ(fiber_cond_wait_until(&filled, &mutex,
						       fiber_after(HOUR)),
				 0);
		sum += word;
		word = 0;
		CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
		CHECK_EQ(fiber_cond_signal(&emptied), 0);
	}
	(void)arg;
	return 0;
}

static void *put_in_thread(void *arg)
{
	CHECK_EQ(put_words(arg), 0);
	return NULL;
}

static void *get_in_thread(void *arg)
{
	CHECK_EQ(get_words(arg), 0);
	return NULL;
}

static void check_sum(int n)
{
	CHECK_EQ(sum, (long)n * WORDS * (WORDS + 1) / 2);
	CHECK_EQ(word, 0);
	sum = 0;
}

static void both(void)
{
	struct fiber *two[2];
	pthread_t threads[2];

	CHECK(!pthread_create(&threads[0], NULL, put_in_thread, NULL));
	CHECK(!pthread_create(&threads[1], NULL, get_in_thread, NULL));
	two[0] = spawn(put_words, NULL);
	two[1] = spawn(get_words, NULL);
	CHECK_EQ(join(two[0]), 0);
	CHECK_EQ(join(two[1]), 0);
	CHECK(!pthread_join(threads[0], NULL));
	CHECK(!pthread_join(threads[1], NULL));
	check_sum(2);
}

static void between_fibers_and_threads(void)
{
	run_shapes(0, both);
}

static void between_threads(void)
{
	pthread_t thread;

	CHECK(!pthread_create(&thread, NULL, put_in_thread, NULL));
	CHECK_EQ(get_words(NULL), 0);
	CHECK(!pthread_join(thread, NULL));
	check_sum(1);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(a_signal_wakes_the_first),	  TEST(a_broadcast_wakes_all),
		TEST(a_signal_is_not_kept),	  TEST(it_takes_the_mutex),
		TEST(between_fibers_and_threads), TEST(between_threads),
	};

	return RUN(argc, argv, tests);
}
