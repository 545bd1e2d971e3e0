// SPDX-License-Identifier: MIT
/*
 * Who waits gets the mutex: in order, and after a while before all others.
 */
#include <errno.h>

#include "fibers.h"

static struct fiber_mutex mutex = FIBER_MUTEX_INIT;
static _Atomic bool got_it, stop;
static int order[5];
static int nr_order;

static int wait_for_it(void *arg)
{
	int number = *(int *)arg;

	CHECK_EQ(fiber_mutex_lock(&mutex), 0);
	order[nr_order++] = number;
	CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
	return 0;
}

static void queue_up(void)
{
	static int numbers[5] = { 0, 1, 2, 3, 4 };
	struct fiber *fibers[5];

	nr_order = 0;
	CHECK_EQ(fiber_mutex_lock(&mutex), 0);
	for (int i = 0; i < 5; i++) {
		fibers[i] = spawn(wait_for_it, &numbers[i]);
		settle();
	}
	CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
	for (int i = 0; i < 5; i++)
		CHECK_EQ(join(fibers[i]), 0);
	for (int i = 0; i < 5; i++)
		CHECK_EQ(order[i], i);
}

static void who_waited_longest_is_first(void)
{
	run_with(1, FIBER_TEST_CLOCK, queue_up);
}

static int wait_and_tell(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_mutex_lock(&mutex), 0);
	got_it = true;
	CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
	return 0;
}

/*
 * The waiter runs only while the mutex is held. Woken by the first unlock, it has
 * not waited for long; by the second, it has; and so it is given it by the third,
 * however fast the owner locks it again.
 */
static void hold_it_always(void)
{
	struct fiber *waiter;
	int unlocks = 0;

	got_it = false;
	CHECK_EQ(fiber_mutex_lock(&mutex), 0);
	waiter = spawn(wait_and_tell, NULL);
	settle();
	while (!got_it) {
		CHECK(unlocks++ < 3);
		CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
		CHECK_EQ(fiber_mutex_lock(&mutex), 0);
		CHECK_EQ(fiber_sleep(2 * MSEC), 0);
	}
	CHECK_EQ(unlocks, 3);
	CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
	CHECK_EQ(join(waiter), 0);
}

static void who_waits_for_long_is_given_it(void)
{
	run_with(1, FIBER_TEST_CLOCK, hold_it_always);
}

static int hold_for_a_moment(void *arg)
{
	(void)arg;
	while (!stop) {
		CHECK_EQ(fiber_mutex_lock(&mutex), 0);
		fiber_yield();
		CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
	}
	return 0;
}

static void crowd_it(void)
{
	struct fiber *fibers[8];

	stop = false;
	for (int i = 0; i < 8; i++)
		fibers[i] = spawn(hold_for_a_moment, NULL);
	settle();
	for (int i = 0; i < 20; i++)
		CHECK_EQ(join(spawn(wait_and_tell, NULL)), 0);
	stop = true;
	for (int i = 0; i < 8; i++)
		CHECK_EQ(join(fibers[i]), 0);
}

static void nobody_starves_in_a_crowd(void)
{
	run_shapes(0, crowd_it);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(who_waited_longest_is_first),
		TEST(who_waits_for_long_is_given_it),
		TEST(nobody_starves_in_a_crowd),
	};

	return RUN(argc, argv, tests);
}
