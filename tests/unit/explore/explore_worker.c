// SPDX-License-Identifier: MIT
/*
 * Workers that look for work, sleep and are woken: no fiber waits while nobody
 * is going to run it, and each runs once at a time.
 */
#include <errno.h>

#include <fiber/time.h>

#include "chan.h"
#include "workers.h"

#define FIBERS 6

static struct fiber *fibers[FIBERS];
static unsigned int runs; /* how many fibers have run to their end */
static at(uint32_t) freed; /* who keeps a worker busy may go on */
static struct fiber_chan *chan;

/* What the fiber's control block says is that it runs, and here. */
static void check_self(void)
{
	EXPECT(fiber_self() == _fiber_here()->cur);
}

static int return_number(void *arg)
{
	check_self();
	runs++;
	return (intptr_t)arg;
}

static void spawn_and_join(void *arg)
{
	intptr_t n = (intptr_t)arg;
	intptr_t i;

	for (i = 0; i < n; i++)
		explore_spawn(&fibers[i], return_number, (void *)i);
	for (i = 0; i < n; i++)
		EXPECT_EQ(explore_join(fibers[i]), i);
	EXPECT_EQ(runs, n);
	explore_stop_workers();
}

static void run_main(unsigned int workers, uint32_t flags, void (*fn)(void *),
		     int n)
{
	runs = 0;
	explore_env.clock_is_virtual = flags & FIBER_TEST_CLOCK;
	explore_add_workers(workers, flags);
	explore_add_client("main", fn, (void *)(intptr_t)n);
	/* What waits for another worker is its to see to. */
	if (flags & FIBER_TEST_MIGRATE)
		explore_add_monitor();
	explore_run();
	explore_check_workers();
}

/* One after the other, so that workers go to sleep in between. */
static void spawn_one_by_one(void *arg)
{
	intptr_t n = (intptr_t)arg;
	intptr_t i;

	for (i = 0; i < n; i++) {
		explore_spawn(&fibers[0], return_number, (void *)i);
		EXPECT_EQ(explore_join(fibers[0]), i);
	}
	explore_stop_workers();
}

/* Makes two, each of which makes one. */
static int tree(void *arg)
{
	intptr_t depth = (intptr_t)arg;
	struct fiber *children[2];
	int n = depth < 2 ? depth : 2;
	int sum = 1;
	int i;

	for (i = 0; i < n; i++)
		explore_spawn(&children[i], tree, (void *)(depth - 1));
	for (i = 0; i < n; i++)
		sum += explore_join(children[i]);
	return sum;
}

static void grow_tree(void *arg)
{
	struct fiber *root;

	explore_spawn(&root, tree, arg);
	EXPECT_EQ(explore_join(root), (intptr_t)arg == 2 ? 5 : 11);
	explore_stop_workers();
}

static int yield_often(void *arg)
{
	int i;

	for (i = 0; i < 3; i++) {
		fiber_yield();
		check_self();
	}
	return (intptr_t)arg;
}

/* More than fit in a ring; and all from one fiber, so from one worker. */
static int make_yielders(void *arg)
{
	intptr_t n = (intptr_t)arg;
	intptr_t i;

	for (i = 0; i < n; i++)
		explore_spawn(&fibers[i], yield_often, (void *)i);
	for (i = 0; i < n; i++)
		EXPECT_EQ(explore_join(fibers[i]), i);
	return 0;
}

static void run_yielders(void *arg)
{
	struct fiber *f;

	explore_spawn(&f, make_yielders, arg);
	EXPECT_EQ(explore_join(f), 0);
	explore_stop_workers();
}

static int send_numbers(void *arg)
{
	int n = (intptr_t)arg;
	int i;

	for (i = 1; i <= n; i++)
		EXPECT_EQ(fiber_send(chan, &i), 0);
	return 0;
}

static int sum_numbers(void *arg)
{
	int n = (intptr_t)arg;
	int sum = 0;
	int value;

	while (n--) {
		EXPECT_EQ(fiber_recv(chan, &value), 0);
		sum += value;
	}
	return sum;
}

/* Two fibers, and the thread itself. */
static void pass_numbers(void *arg)
{
	intptr_t n = (intptr_t)arg;
	int sum;

	CHECK(!fiber_chan_new(&chan, sizeof(int), 0, NULL));
	explore_spawn(&fibers[0], send_numbers, (void *)(2 * n));
	explore_spawn(&fibers[1], sum_numbers, (void *)n);
	sum = sum_numbers((void *)n);
	sum += explore_join(fibers[1]);
	EXPECT_EQ(sum, n * (2 * n + 1));
	EXPECT_EQ(explore_join(fibers[0]), 0);
	fiber_chan_put(chan);
	explore_stop_workers();
}

/* Where it is pinned it stays, whoever wakes it. */
static int receive_pinned(void *arg)
{
	struct fiber_here *here;
	int n = (intptr_t)arg;
	int sum = 0;
	int value;

	fiber_pin();
	here = _fiber_here();
	while (n--) {
		EXPECT_EQ(fiber_recv(chan, &value), 0);
		EXPECT(here == _fiber_here());
		sum += value;
		fiber_yield();
		EXPECT(here == _fiber_here());
	}
	fiber_unpin();
	return sum;
}

static void pass_to_pinned(void *arg)
{
	intptr_t n = (intptr_t)arg;

	CHECK(!fiber_chan_new(&chan, sizeof(int), 0, NULL));
	explore_spawn(&fibers[0], receive_pinned, (void *)n);
	explore_spawn(&fibers[1], receive_pinned, (void *)n);
	explore_spawn(&fibers[2], send_numbers, (void *)n);
	send_numbers((void *)n);
	EXPECT_EQ(explore_join(fibers[0]) + explore_join(fibers[1]),
		  n * (n + 1));
	EXPECT_EQ(explore_join(fibers[2]), 0);
	fiber_chan_put(chan);
	explore_stop_workers();
}

static int sleep_twice(void *arg)
{
	int64_t start = explore_now();
	int64_t ns = (intptr_t)arg;

	EXPECT_EQ(fiber_sleep(ns), 0);
	EXPECT(explore_now() >= start + ns);
	EXPECT_EQ(fiber_sleep(3), 0);
	EXPECT(explore_now() >= start + ns + 3);
	return ns;
}

static void run_sleepers(void *arg)
{
	intptr_t n = (intptr_t)arg;
	intptr_t i;

	for (i = 0; i < n; i++)
		explore_spawn(&fibers[i], sleep_twice, (void *)(10 * i + 5));
	EXPECT_EQ(fiber_sleep(7), 0);
	for (i = 0; i < n; i++)
		EXPECT_EQ(explore_join(fibers[i]), 10 * i + 5);
	explore_stop_workers();
}

/* Keeps its worker busy until somebody else has run. */
static int wait_busily(void *arg)
{
	(void)arg;
	while (!at_load(&freed, ACQUIRE))
		explore_yield();
	return 0;
}

static int free_busy(void *arg)
{
	at_store(&freed, 1, RELEASE);
	return (intptr_t)arg;
}

/* All workers but one are busy: that one has to find what comes last. */
static void keep_busy(void *arg)
{
	intptr_t n = (intptr_t)arg;
	intptr_t i;

	at_store(&freed, 0, RELAXED);
	for (i = 0; i < n; i++)
		explore_spawn(&fibers[i], wait_busily, NULL);
	explore_spawn(&fibers[n], free_busy, (void *)0);
	for (i = 0; i <= n; i++)
		EXPECT_EQ(explore_join(fibers[i]), 0);
	explore_stop_workers();
}

/* Its own children wait at its worker: the monitor sends somebody for them. */
static int wait_for_child(void *arg)
{
	struct fiber *child;

	explore_spawn(&child, free_busy, arg);
	wait_busily(NULL);
	return explore_join(child);
}

static void keep_parent_busy(void *arg)
{
	struct fiber *f;

	at_store(&freed, 0, RELAXED);
	explore_spawn(&f, wait_for_child, arg);
	EXPECT_EQ(explore_join(f), (intptr_t)arg);
	explore_stop_workers();
}

static int sleep_and_free(void *arg)
{
	EXPECT_EQ(fiber_sleep((intptr_t)arg), 0);
	return free_busy(arg);
}

/* An alarm of a worker that does not look at it. */
static void keep_alarm_waiting(void *arg)
{
	at_store(&freed, 0, RELAXED);
	explore_spawn(&fibers[0], sleep_and_free, arg);
	explore_spawn(&fibers[1], wait_busily, NULL);
	EXPECT_EQ(explore_join(fibers[0]), (intptr_t)arg);
	EXPECT_EQ(explore_join(fibers[1]), 0);
	explore_stop_workers();
}

static void one_worker_shape(void)
{
	run_main(1, 0, spawn_and_join, 3);
}

static void two_workers_shape(void)
{
	run_main(2, 0, spawn_and_join, 3);
}

static void three_workers_shape(void)
{
	run_main(3, 0, spawn_and_join, 4);
}

static void one_by_one_shape(void)
{
	run_main(2, 0, spawn_one_by_one, 4);
}

static void tree_shape(void)
{
	run_main(2, 0, grow_tree, 2);
}

static void large_tree_shape(void)
{
	run_main(3, 0, grow_tree, 3);
}

static void yield_shape(void)
{
	run_main(2, 0, run_yielders, 6);
}

static void pass_shape(void)
{
	run_main(2, 0, pass_numbers, 2);
}

static void pinned_shape(void)
{
	run_main(2, 0, pass_to_pinned, 2);
}

static void sleep_shape(void)
{
	run_main(2, 0, run_sleepers, 3);
}

static void virtual_sleep_shape(void)
{
	run_main(2, FIBER_TEST_CLOCK, run_sleepers, 3);
}

static void migrate_shape(void)
{
	run_main(2, FIBER_TEST_MIGRATE, run_yielders, 3);
}

static void migrate_pass_shape(void)
{
	run_main(2, FIBER_TEST_MIGRATE, pass_numbers, 2);
}

static void busy_shape(void)
{
	run_main(2, 0, keep_busy, 1);
}

static void busier_shape(void)
{
	run_main(3, 0, keep_busy, 2);
}

static void busy_parent_shape(void)
{
	explore_add_monitor();
	run_main(2, 0, keep_parent_busy, 3);
}

static void busy_alarm_shape(void)
{
	explore_add_monitor();
	run_main(2, 0, keep_alarm_waiting, 5);
}

static void one_worker(void)
{
	EXPLORE(one_worker_shape, 1000);
}

static void two_workers(void)
{
	EXPLORE(two_workers_shape, 2500);
}

static void three_workers(void)
{
	EXPLORE(three_workers_shape, 2000);
}

static void work_that_comes_one_by_one(void)
{
	EXPLORE(one_by_one_shape, 2500);
}

static void fibers_that_make_fibers(void)
{
	EXPLORE(tree_shape, 2500);
}

static void three_levels_of_fibers(void)
{
	EXPLORE(large_tree_shape, 1000);
}

static void more_than_a_ring(void)
{
	EXPLORE(yield_shape, 1500);
}

static void senders_and_receivers(void)
{
	EXPLORE(pass_shape, 2500);
}

static void pinned(void)
{
	EXPLORE(pinned_shape, 2000);
}

static void alarms_of_workers_that_sleep(void)
{
	EXPLORE(sleep_shape, 2000);
}

static void virtual_time_of_workers_that_sleep(void)
{
	EXPLORE(virtual_sleep_shape, 2000);
}

static void forced_migration(void)
{
	EXPLORE(migrate_shape, 1500);
}

static void forced_migration_of_receivers(void)
{
	EXPLORE(migrate_pass_shape, 1500);
}

static void a_worker_beside_a_busy_one(void)
{
	EXPLORE(busy_shape, 3000);
}

static void a_worker_beside_two_busy_ones(void)
{
	EXPLORE(busier_shape, 2000);
}

static void child_of_a_busy_fiber(void)
{
	EXPLORE(busy_parent_shape, 1000);
}

static void alarm_of_a_busy_worker(void)
{
	EXPLORE(busy_alarm_shape, 1000);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(one_worker),
		TEST(two_workers),
		TEST(three_workers),
		TEST(work_that_comes_one_by_one),
		TEST(fibers_that_make_fibers),
		TEST(three_levels_of_fibers),
		TEST(more_than_a_ring),
		TEST(senders_and_receivers),
		TEST(pinned),
		TEST(alarms_of_workers_that_sleep),
		TEST(virtual_time_of_workers_that_sleep),
		TEST(a_worker_beside_a_busy_one),
		TEST(a_worker_beside_two_busy_ones),
		TEST(child_of_a_busy_fiber),
		TEST(alarm_of_a_busy_worker),
		TEST(forced_migration),
		TEST(forced_migration_of_receivers),
	};

	return EXPLORE_RUN(argc, argv, tests);
}
