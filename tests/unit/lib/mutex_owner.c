// SPDX-License-Identifier: MIT
/*
 * A mutex belongs to who has locked it: others cannot unlock it, and the owner
 * cannot lock it again.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "fibers.h"

static struct fiber_mutex mutex = FIBER_MUTEX_INIT;

static int cannot_unlock(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_mutex_unlock(&mutex), -EPERM);
	CHECK_EQ(fiber_mutex_try_lock(&mutex), -EAGAIN);
	return 0;
}

static void *thread_cannot_unlock(void *arg)
{
	/* Before it is known to the library, and after. */
	CHECK_EQ(fiber_mutex_unlock(&mutex), -EPERM);
	cannot_unlock(arg);
	return NULL;
}

static void lock_and_unlock(void)
{
	pthread_t thread;

	for (int i = 0; i < 3; i++) {
		CHECK_EQ(fiber_mutex_unlock(&mutex), -EPERM);
		CHECK_EQ(i ? fiber_mutex_lock(&mutex) :
			     fiber_mutex_try_lock(&mutex),
			 0);
		CHECK_EQ(fiber_mutex_lock(&mutex), -EDEADLK);
		CHECK_EQ(fiber_mutex_lock_until(&mutex, fiber_now()), -EDEADLK);
		CHECK_EQ(fiber_mutex_try_lock(&mutex), -EDEADLK);
		CHECK_EQ(join(spawn(cannot_unlock, NULL)), 0);
		CHECK_EQ(pthread_create(&thread, NULL, thread_cannot_unlock,
					NULL),
			 0);
		CHECK_EQ(pthread_join(thread, NULL), 0);
		CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
	}
}

static void has_an_owner(void)
{
	run_shapes(0, lock_and_unlock);
}

static int lock_it(void *arg)
{
	CHECK_EQ(fiber_mutex_lock(&mutex), 0);
	CHECK_EQ(fiber_mutex_lock(&mutex), -EDEADLK);
	CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
	CHECK_EQ(fiber_mutex_unlock(&mutex), -EPERM);
	(void)arg;
	return 0;
}

/* It was handed over, and is the one's who waited. */
static void hand_over(void)
{
	struct fiber *fibers[3];

	CHECK_EQ(fiber_mutex_lock(&mutex), 0);
	for (int i = 0; i < 3; i++)
		fibers[i] = spawn(lock_it, NULL);
	settle();
	CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(join(fibers[i]), 0);
	CHECK_EQ(fiber_mutex_unlock(&mutex), -EPERM);
}

static void is_the_next_ones(void)
{
	run_shapes(FIBER_TEST_CLOCK, hand_over);
}

static void bytes_of_0_are_a_mutex(void)
{
	struct fiber_mutex other = FIBER_MUTEX_INIT;
	struct fiber_mutex m;

	memset(&m, 0, sizeof(m));
	CHECK(!memcmp(&m, &other, sizeof(m)));
	CHECK_EQ(sizeof(m), 16);
	CHECK_EQ(fiber_mutex_lock(&m), 0);
	CHECK_EQ(fiber_mutex_unlock(&m), 0);
	CHECK(!memcmp(&m, &other, sizeof(m)));
}

static void null_is_refused(void)
{
	CHECK_EQ(fiber_mutex_lock(NULL), -EINVAL);
	CHECK_EQ(fiber_mutex_lock_until(NULL, 0), -EINVAL);
	CHECK_EQ(fiber_mutex_try_lock(NULL), -EINVAL);
	CHECK_EQ(fiber_mutex_unlock(NULL), -EINVAL);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(has_an_owner),
		TEST(is_the_next_ones),
		TEST(bytes_of_0_are_a_mutex),
		TEST(null_is_refused),
	};

	return RUN(argc, argv, tests);
}
