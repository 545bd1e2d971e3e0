// SPDX-License-Identifier: MIT
/*
 * For a key every fiber and every other thread has a value of its own, which is
 * destroyed with the fiber.
 */
#include <errno.h>

#include "harness.h"
#include "runtime.h"

static fiber_key key, other;
static atomic_int destroyed;
static atomic_int sum;

static void destroy(void *value)
{
	atomic_fetch_add(&destroyed, 1);
	atomic_fetch_add(&sum, (int)(intptr_t)value);
}

static int use_own(void *value)
{
	int i;

	CHECK(!fiber_key_get(key));
	CHECK(!fiber_key_get(other));
	CHECK_EQ(fiber_key_set(key, value), 0);
	CHECK_EQ(fiber_key_set(other, &sum), 0);
	for (i = 0; i < 20; i++) {
		fiber_yield();
		CHECK(fiber_key_get(key) == value);
		CHECK(fiber_key_get(other) == &sum);
	}
	return 0;
}

static void *use_own_in_thread(void *arg)
{
	use_own(arg);
	return NULL;
}

static int share_keys(void *arg)
{
	struct fiber *fibers[100];
	intptr_t i;

	(void)arg;
	CHECK_EQ(fiber_key_set(key, &key), 0);
	for (i = 0; i < 100; i++)
		fibers[i] = runtime_spawn(use_own, (void *)(i + 1));
	for (i = 0; i < 100; i++)
		CHECK_EQ(runtime_join(fibers[i]), 0);
	runtime_in_thread(use_own_in_thread, (void *)7);
	CHECK(fiber_key_get(key) == &key);
	CHECK_EQ(fiber_key_set(key, NULL), 0);
	CHECK(!fiber_key_get(key));
	return 0;
}

static void everybody_has_its_own(void)
{
	CHECK_EQ(fiber_key_add(&key, NULL), 0);
	CHECK_EQ(fiber_key_add(&other, NULL), 0);
	CHECK(key != other);
	CHECK_EQ(fiber_key_set(key, &other), 0);
	runtime_run(1, 0, share_keys, NULL);
	runtime_run(3, FIBER_TEST_MIGRATE, share_keys, NULL);
	/* Mine, of a thread outside, until it says goodbye. */
	CHECK(fiber_key_get(key) == &other);
	CHECK_EQ(fiber_thread_detach(), 0);
	CHECK(!fiber_key_get(key));
}

static int set_and_return(void *value)
{
	CHECK_EQ(fiber_key_set(key, value), 0);
	return 0;
}

static int set_and_exit(void *value)
{
	CHECK_EQ(fiber_key_set(key, value), 0);
	fiber_exit(0);
}

static int destroy_some(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_key_add(&key, destroy), 0);
	runtime_spawn_and_join(10, set_and_return, (void *)5);
	CHECK_EQ(atomic_load(&destroyed), 10);
	CHECK_EQ(atomic_load(&sum), 50);
	runtime_spawn_and_join(10, set_and_exit, (void *)7);
	CHECK_EQ(atomic_load(&destroyed), 20);
	CHECK_EQ(atomic_load(&sum), 120);
	/* There is nothing to destroy. */
	runtime_spawn_and_join(10, set_and_return, NULL);
	CHECK_EQ(atomic_load(&destroyed), 20);
	return 0;
}

static void destroyed_before_the_join(void)
{
	runtime_run(2, 0, destroy_some, NULL);
}

static int leave_own(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_key_add(&key, destroy), 0);
	CHECK_EQ(fiber_key_set(key, (void *)1), 0);
	return 0;
}

static void destroyed_with_the_first_fiber(void)
{
	runtime_run(1, 0, leave_own, NULL);
	CHECK_EQ(atomic_load(&destroyed), 1);
}

static void set_again(void *value)
{
	intptr_t rounds = (intptr_t)value;

	atomic_fetch_add(&destroyed, 1);
	CHECK(!fiber_key_get(key));
	if (rounds > 1)
		CHECK_EQ(fiber_key_set(key, (void *)(rounds - 1)), 0);
}

static int set_again_and_again(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_key_add(&key, set_again), 0);
	atomic_store(&destroyed, 0);
	CHECK_EQ(runtime_join(runtime_spawn(set_and_return, (void *)3)), 0);
	CHECK_EQ(atomic_load(&destroyed), 3);
	atomic_store(&destroyed, 0);
	CHECK_EQ(runtime_join(runtime_spawn(set_and_return, (void *)100)), 0);
	CHECK_EQ(atomic_load(&destroyed), 4);
	return 0;
}

static void up_to_four_rounds(void)
{
	runtime_run(1, 0, set_again_and_again, NULL);
}

/* A destructor may set the value of another key, also of an earlier one. */
static void set_the_other(void *value)
{
	(void)value;
	CHECK_EQ(fiber_key_set(key, (void *)9), 0);
}

static int set_other_only(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_key_set(other, (void *)1), 0);
	return 0;
}

static int set_through_another(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_key_add(&key, destroy), 0);
	CHECK_EQ(fiber_key_add(&other, set_the_other), 0);
	CHECK_EQ(runtime_join(runtime_spawn(set_other_only, NULL)), 0);
	CHECK_EQ(atomic_load(&destroyed), 1);
	CHECK_EQ(atomic_load(&sum), 9);
	return 0;
}

static void set_by_another_destructor(void)
{
	runtime_run(1, 0, set_through_another, NULL);
}

static void *set_in_thread(void *value)
{
	CHECK_EQ(fiber_key_set(key, value), 0);
	return NULL;
}

static void *set_and_detach(void *value)
{
	CHECK_EQ(fiber_key_set(key, value), 0);
	CHECK_EQ(fiber_thread_detach(), 0);
	CHECK_EQ(atomic_load(&sum), 24);
	CHECK(!fiber_key_get(key));
	return NULL;
}

static void destroyed_with_threads(void)
{
	CHECK_EQ(fiber_key_add(&key, destroy), 0);
	runtime_start(1, 0);
	runtime_in_thread(set_in_thread, (void *)11);
	CHECK_EQ(atomic_load(&sum), 11);
	runtime_in_thread(set_and_detach, (void *)13);
	CHECK_EQ(atomic_load(&sum), 24);
	runtime_stop();
}

static void wait_and_destroy(void *value)
{
	fiber_yield();
	CHECK_EQ(fiber_sleep(RUNTIME_MS), 0);
	destroy(value);
}

static int let_it_wait(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_key_add(&key, wait_and_destroy), 0);
	runtime_spawn_and_join(10, set_and_return, (void *)1);
	CHECK_EQ(atomic_load(&destroyed), 10);
	return 0;
}

static void destructor_may_wait(void)
{
	runtime_run(2, FIBER_TEST_MIGRATE, let_it_wait, NULL);
}

static int fill(void *arg)
{
	fiber_key keys[FIBER_KEYS_MAX];
	fiber_key more = 12345;
	intptr_t i;

	(void)arg;
	for (i = 0; i < FIBER_KEYS_MAX; i++)
		CHECK_EQ(fiber_key_add(&keys[i], NULL), 0);
	CHECK_EQ(fiber_key_add(&more, NULL), -EAGAIN);
	for (i = 0; i < FIBER_KEYS_MAX; i++)
		CHECK_EQ(fiber_key_set(keys[i], (void *)(i + 1)), 0);
	fiber_yield();
	for (i = 0; i < FIBER_KEYS_MAX; i++)
		CHECK_EQ((intptr_t)fiber_key_get(keys[i]), i + 1);
	return 0;
}

static void there_are_so_many(void)
{
	runtime_run(1, 0, fill, NULL);
}

static int use_nonsense(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_key_add(NULL, NULL), -EINVAL);
	CHECK_EQ(fiber_key_set(FIBER_KEYS_MAX, NULL), -EINVAL);
	CHECK_EQ(fiber_key_set(UINT32_MAX, NULL), -EINVAL);
	CHECK(!fiber_key_get(FIBER_KEYS_MAX));
	CHECK(!fiber_key_get(UINT32_MAX));
	/* Not made yet. */
	CHECK_EQ(fiber_key_set(FIBER_KEYS_MAX - 1, &sum), -EINVAL);
	CHECK(!fiber_key_get(FIBER_KEYS_MAX - 1));
	return 0;
}

static void others_are_none(void)
{
	runtime_run(1, 0, use_nonsense, NULL);
	use_nonsense(NULL);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(everybody_has_its_own),
		TEST(destroyed_before_the_join),
		TEST(destroyed_with_the_first_fiber),
		TEST(destroyed_with_threads),
		TEST(up_to_four_rounds),
		TEST(set_by_another_destructor),
		TEST(destructor_may_wait),
		TEST(there_are_so_many),
		TEST(others_are_none),
	};

	return RUN(argc, argv, tests);
}
