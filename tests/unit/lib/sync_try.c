// SPDX-License-Identifier: MIT
/*
 * Who tries again and again, and does nothing else, lets others run all the same,
 * cancelled or not.
 */
#include <errno.h>

#include "fibers.h"

static struct fiber_mutex mutex = FIBER_MUTEX_INIT;
static struct fiber_rwlock lock = FIBER_RWLOCK_INIT;
static struct fiber_sem sem = FIBER_SEM_INIT(0);
static _Atomic bool held;

/* Gets on only if the one who tries does not keep the worker to itself. */
static int hold_for_a_while(void *arg)
{
	CHECK_EQ(fiber_mutex_lock(&mutex), 0);
	CHECK_EQ(fiber_rwlock_wrlock(&lock), 0);
	held = true;
	for (int i = 0; i < 3; i++)
		fiber_yield();
	CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
	for (int i = 0; i < 3; i++)
		fiber_yield();
	CHECK_EQ(fiber_rwlock_unlock(&lock), 0);
	for (int i = 0; i < 3; i++)
		fiber_yield();
	CHECK_EQ(fiber_sem_post(&sem), 0);
	(void)arg;
	return 0;
}

static int try_until_done(void *arg)
{
	struct fiber *holder;
	int err;

	held = false;
	holder = spawn(hold_for_a_while, NULL);
	while (!held)
		fiber_yield();
	if (arg)
		CHECK_EQ(fiber_cancel(fiber_self(), 1), 0);
	while ((err = fiber_mutex_try_lock(&mutex)) == -EAGAIN)
		;
	CHECK_EQ(err, 0);
	CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
	while ((err = fiber_rwlock_try_rdlock(&lock)) == -EAGAIN)
		;
	CHECK_EQ(err, 0);
	CHECK_EQ(fiber_rwlock_unlock(&lock), 0);
	while ((err = fiber_rwlock_try_wrlock(&lock)) == -EAGAIN)
		;
	CHECK_EQ(err, 0);
	CHECK_EQ(fiber_rwlock_unlock(&lock), 0);
	while ((err = fiber_sem_try_wait(&sem)) == -EAGAIN)
		;
	CHECK_EQ(err, 0);
	fiber_cancel_mask(1);
	CHECK_EQ(join(holder), 0);
	return 0;
}

static void try_it(void)
{
	CHECK_EQ(join(spawn(try_until_done, NULL)), 0);
	CHECK_EQ(join(spawn(try_until_done, &mutex)), 0);
}

static void others_run(void)
{
	run_shapes(0, try_it);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(others_run),
	};

	return RUN(argc, argv, tests);
}
