// SPDX-License-Identifier: MIT
/*
 * A semaphore lets as many go on as it was posted, in the order in which they
 * came.
 */
#include <errno.h>
#include <pthread.h>

#include "fibers.h"

#define TIMES ROUNDS(5000)

static void count(void)
{
	struct fiber_sem sem = FIBER_SEM_INIT(2);

	CHECK_EQ(fiber_sem_wait(&sem), 0);
	CHECK_EQ(fiber_sem_wait_until(&sem, 0), 0);
	CHECK_EQ(fiber_sem_wait_until(&sem, 0), -ETIMEDOUT);
	CHECK_EQ(fiber_sem_try_wait(&sem), -EAGAIN);
	CHECK_EQ(fiber_sem_post(&sem), 0);
	CHECK_EQ(fiber_sem_post(&sem), 0);
	CHECK_EQ(fiber_sem_try_wait(&sem), 0);
	CHECK_EQ(fiber_sem_try_wait(&sem), 0);
	CHECK_EQ(fiber_sem_try_wait(&sem), -EAGAIN);
}

static void it_counts(void)
{
	count();
	run_shapes(0, count);
}

static void too_much(void)
{
	struct fiber_sem sem = FIBER_SEM_INIT(FIBER_SEM_MAX - 1);

	CHECK_EQ(fiber_sem_post(&sem), 0);
	CHECK_EQ(fiber_sem_post(&sem), -EOVERFLOW);
	CHECK_EQ(fiber_sem_post(&sem), -EOVERFLOW);
	CHECK_EQ(fiber_sem_wait(&sem), 0);
	CHECK_EQ(fiber_sem_post(&sem), 0);
}

static void null_is_refused(void)
{
	CHECK_EQ(fiber_sem_wait(NULL), -EINVAL);
	CHECK_EQ(fiber_sem_wait_until(NULL, 0), -EINVAL);
	CHECK_EQ(fiber_sem_try_wait(NULL), -EINVAL);
	CHECK_EQ(fiber_sem_post(NULL), -EINVAL);
}

static struct fiber_sem sem = FIBER_SEM_INIT(0);
static int order[6];
static int nr_order;

static int wait_in_order(void *arg)
{
	CHECK_EQ(fiber_sem_wait(&sem), 0);
	order[nr_order++] = *(int *)arg;
	return 0;
}

static void queue_up(void)
{
	static int numbers[6] = { 0, 1, 2, 3, 4, 5 };
	struct fiber *fibers[6];

	nr_order = 0;
	for (int i = 0; i < 6; i++) {
		fibers[i] = spawn(wait_in_order, &numbers[i]);
		settle();
	}
	for (int i = 0; i < 6; i++) {
		CHECK_EQ(fiber_sem_post(&sem), 0);
		/* It is given to who waits, not to who is faster. */
		CHECK_EQ(fiber_sem_try_wait(&sem), -EAGAIN);
		settle();
		CHECK_EQ(nr_order, i + 1);
		CHECK_EQ(order[i], i);
	}
	for (int i = 0; i < 6; i++)
		CHECK_EQ(join(fibers[i]), 0);
}

static void first_come_first_served(void)
{
	run_shapes(FIBER_TEST_CLOCK, queue_up);
}

/* At most two are in it at any time. */
static struct fiber_sem places = FIBER_SEM_INIT(2);
static _Atomic int inside;

static int go_in_often(void *arg)
{
	(void)arg;
	for (int i = 0; i < TIMES; i++) {
		while (i % 3 == 0 && fiber_sem_try_wait(&places))
			fiber_yield();
		if (i % 3)
			CHECK_EQ(fiber_sem_wait(&places), 0);
		CHECK(inside++ < 2);
		if (i % 16 == 0)
			fiber_yield();
		inside--;
		CHECK_EQ(fiber_sem_post(&places), 0);
	}
	return 0;
}

static void *thread_goes_in(void *arg)
{
	CHECK_EQ(go_in_often(arg), 0);
	return NULL;
}

static void crowd(void)
{
	struct fiber *fibers[5];
	pthread_t thread;

	CHECK(!pthread_create(&thread, NULL, thread_goes_in, NULL));
	for (int i = 0; i < 5; i++)
		fibers[i] = spawn(go_in_often, NULL);
	for (int i = 0; i < 5; i++)
		CHECK_EQ(join(fibers[i]), 0);
	CHECK(!pthread_join(thread, NULL));
	CHECK_EQ(places.opaque[0], 4);
}

static void no_more_than_there_is_room(void)
{
	run_shapes(0, crowd);
}

static int take_in_time(void *arg)
{
	int got = 0;

	for (int i = 0; i < TIMES; i++)
		got += !fiber_sem_wait_until(&sem, fiber_after(i % 5 * USEC));
	(void)arg;
	return got;
}

static void lose_nothing(void)
{
	struct fiber *fibers[4];
	int got = 0;

	for (int i = 0; i < 4; i++)
		fibers[i] = spawn(take_in_time, NULL);
	for (int i = 0; i < TIMES; i++) {
		CHECK_EQ(fiber_sem_post(&sem), 0);
		if (i % 8 == 0)
			fiber_yield();
	}
	for (int i = 0; i < 4; i++)
		got += join(fibers[i]);
	while (!fiber_sem_try_wait(&sem))
		got++;
	CHECK_EQ(got, TIMES);
}

static void a_deadline_loses_nothing(void)
{
	run_shapes(0, lose_nothing);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(it_counts),
		TEST(too_much),
		TEST(null_is_refused),
		TEST(first_come_first_served),
		TEST(no_more_than_there_is_room),
		TEST(a_deadline_loses_nothing),
	};

	return RUN(argc, argv, tests);
}
