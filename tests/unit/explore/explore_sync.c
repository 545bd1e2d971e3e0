// SPDX-License-Identifier: MIT
/*
 * Semaphores, wait groups, events, barriers, once: whoever may go on does, nobody
 * else, and what was waited for may be given back at once.
 */
#include <errno.h>

#include <fiber/cancel.h>
#include <fiber/sync.h>

#include "core.h"
#include "env.h"
#include "grave.h"

#define WHY 7

static struct fiber_sem *sem;
static struct fiber_waitgroup *group;
static struct fiber_event *event;
static struct fiber_barrier *barrier;
static struct fiber_once *once;
static struct fiber *victim;
static at(uint32_t) count, users;

static int64_t soon(void)
{
	return explore_now() + explore_choose(15);
}

static void post_twice(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < 2; i++)
		EXPECT_EQ(fiber_sem_post(sem), 0);
}

static void take_one(void *arg)
{
	(void)arg;
	EXPECT_EQ(fiber_sem_wait(sem), 0);
	at_add(&count, 1);
}

static void take_in_time(void *arg)
{
	int err = fiber_sem_wait_until(sem, soon());

	(void)arg;
	EXPECT(!err || err == -ETIMEDOUT || err == -ECANCELED);
	if (!err)
		at_add(&count, 1);
	if (!fiber_sem_try_wait(sem))
		EXPECT_EQ(fiber_sem_post(sem), 0);
}

/* Four are posted, two are waited for, of two more it depends. */
static void sem_shape(void)
{
	uint32_t left = 0;

	sem = grave_new(sizeof(*sem));
	at_store(&count, 0, RELAXED);
	explore_add_clock();
	explore_add_fiber("poster 0", post_twice, NULL);
	explore_add_client("poster 1", post_twice, NULL);
	explore_add_fiber("taker 0", take_one, NULL);
	explore_add_client("taker 1", take_one, NULL);
	victim = explore_add_fiber("victim", take_in_time, NULL);
	explore_add_canceller(&victim, WHY);
	explore_run();
	while (!fiber_sem_try_wait(sem))
		left++;
	EXPECT_EQ(at_load(&count, RELAXED) + left, 4);
	EXPECT_EQ(sem->opaque[1], 0);
	grave_check();
}

static void take_and_bury(void *arg)
{
	take_one(arg);
	grave_bury(sem);
}

static void post_once(void *arg)
{
	(void)arg;
	EXPECT_EQ(fiber_sem_post(sem), 0);
}

static void sem_bury_shape(void)
{
	sem = grave_new(sizeof(*sem));
	explore_add_fiber("taker", take_and_bury, NULL);
	explore_add_fiber("poster", post_once, NULL);
	explore_run();
	grave_check();
}

static uint32_t jobs;

static void work(void *arg)
{
	(void)arg;
	explore_yield();
	at_add(&count, 1);
	EXPECT_EQ(fiber_waitgroup_done(group), 0);
}

static void wait_for_work(void *arg)
{
	EXPECT_EQ(fiber_waitgroup_wait(group), 0);
	EXPECT_EQ(at_load(&count, RELAXED), jobs);
	if (at_add(&users, -1) == 1)
		grave_bury(group);
	(void)arg;
}

static void wait_for_work_in_time(void *arg)
{
	int err = fiber_waitgroup_wait_until(group, soon());

	EXPECT(!err || err == -ETIMEDOUT || err == -ECANCELED);
	if (!err)
		EXPECT_EQ(at_load(&count, RELAXED), jobs);
	if (at_add(&users, -1) == 1)
		grave_bury(group);
	(void)arg;
}

static void group_shape(void)
{
	group = grave_new(sizeof(*group));
	jobs = 3;
	EXPECT_EQ(fiber_waitgroup_add(group, jobs), 0);
	at_store(&count, 0, RELAXED);
	at_store(&users, 3, RELAXED);
	explore_add_clock();
	explore_add_fiber("worker 0", work, NULL);
	explore_add_fiber("worker 1", work, NULL);
	explore_add_client("worker 2", work, NULL);
	explore_add_fiber("waiter 0", wait_for_work, NULL);
	explore_add_client("waiter 1", wait_for_work, NULL);
	victim = explore_add_fiber("waiter 2", wait_for_work_in_time, NULL);
	explore_run();
	grave_check();
}

/* One leaves, after which nobody is queued; one comes when it is done. */
static void work_late(void *arg)
{
	while (at_load(&users, RELAXED) == 2)
		explore_wait_other(&users, "for who leaves");
	work(arg);
}

static void wait_late(void *arg)
{
	while (!at_load(&count, RELAXED))
		explore_wait_other(&count, "for the work");
	wait_for_work(arg);
}

static void group_bury_shape(void)
{
	group = grave_new(sizeof(*group));
	jobs = 1;
	EXPECT_EQ(fiber_waitgroup_add(group, jobs), 0);
	at_store(&count, 0, RELAXED);
	at_store(&users, 2, RELAXED);
	explore_add_clock();
	explore_add_fiber("worker", work_late, NULL);
	explore_add_fiber("waiter 0", wait_late, NULL);
	explore_add_fiber("waiter 1", wait_for_work_in_time, NULL);
	explore_run();
	grave_check();
}

static void set_it(void *arg)
{
	(void)arg;
	at_store(&count, 1, RELAXED);
	EXPECT_EQ(fiber_event_set(event), 0);
}

static void wait_for_it(void *arg)
{
	int err = arg ? fiber_event_wait_until(event, soon()) :
			fiber_event_wait(event);

	EXPECT(!err || (arg && err == -ETIMEDOUT));
	if (!err)
		EXPECT_EQ(at_load(&count, RELAXED), 1);
	/* Not who left before it was set: whoever sets it still may. */
	if (at_add(&users, -1) == 1)
		grave_bury(event);
}

static void event_shape(void)
{
	event = grave_new(sizeof(*event));
	at_store(&count, 0, RELAXED);
	at_store(&users, 4, RELAXED);
	explore_add_clock();
	explore_add_fiber("setter", set_it, NULL);
	explore_add_fiber("waiter 0", wait_for_it, NULL);
	explore_add_fiber("waiter 1", wait_for_it, NULL);
	explore_add_client("waiter 2", wait_for_it, NULL);
	explore_add_fiber("waiter 3", wait_for_it, &event);
	explore_run();
	grave_check();
}

/* Set and cleared and set: who waits is woken by one of the two. */
static void set_and_clear(void *arg)
{
	at_store(&count, 1, RELAXED);
	EXPECT_EQ(fiber_event_set(event), 0);
	EXPECT_EQ(fiber_event_clear(event), 0);
	EXPECT_EQ(fiber_event_set(event), 0);
	(void)arg;
}

static void clear_shape(void)
{
	event = grave_new(sizeof(*event));
	at_store(&count, 0, RELAXED);
	at_store(&users, 9, RELAXED);
	explore_add_fiber("setter", set_and_clear, NULL);
	explore_add_fiber("waiter 0", wait_for_it, NULL);
	explore_add_client("waiter 1", wait_for_it, NULL);
	explore_run();
	EXPECT_EQ(event->opaque[1], 0);
	EXPECT_EQ(fiber_event_wait_until(event, 0), 0);
	grave_check();
}

static uint32_t parties;

/* Who comes in time or comes again is there once. */
static void come(void *arg)
{
	int err;

	at_add(&count, 1);
	do {
		err = arg ? fiber_barrier_wait_until(barrier, soon()) :
			    fiber_barrier_wait(barrier);
		EXPECT(err == 0 || err == 1 || (arg && err == -ETIMEDOUT));
	} while (err < 0);
	EXPECT_EQ(at_load(&count, RELAXED), parties);
	if (err)
		at_add(&users, 1);
}

static void barrier_shape(void)
{
	barrier = grave_new(sizeof(*barrier));
	*barrier = (struct fiber_barrier)FIBER_BARRIER_INIT(3);
	parties = 3;
	at_store(&count, 0, RELAXED);
	at_store(&users, 0, RELAXED);
	explore_add_clock();
	explore_add_fiber("party 0", come, NULL);
	explore_add_client("party 1", come, NULL);
	explore_add_fiber("party 2", come, &barrier);
	explore_run();
	/* One was the last. */
	EXPECT_EQ(at_load(&users, RELAXED), 1);
	EXPECT_EQ(barrier->opaque[1], 0);
	grave_check();
}

/* The last one gives it back, and may do so while others return. */
static void come_and_bury(void *arg)
{
	int err = fiber_barrier_wait(barrier);

	(void)arg;
	EXPECT(err == 0 || err == 1);
	if (at_add(&users, -1) == 1)
		grave_bury(barrier);
}

static void barrier_bury_shape(void)
{
	barrier = grave_new(sizeof(*barrier));
	*barrier = (struct fiber_barrier)FIBER_BARRIER_INIT(3);
	at_store(&users, 3, RELAXED);
	explore_add_fiber("party 0", come_and_bury, NULL);
	explore_add_fiber("party 1", come_and_bury, NULL);
	explore_add_client("party 2", come_and_bury, NULL);
	explore_run();
	grave_check();
}

static void do_it(void *arg)
{
	int err = fiber_once(once, do_it, arg);

	EXPECT(err == -EDEADLK || (fiber_cancelled() && err == -ECANCELED));
	explore_yield();
	at_add(&count, 1);
}

static void do_it_once(void *arg)
{
	int err = fiber_once(once, do_it, NULL);

	EXPECT(!err || (arg && err == -ECANCELED));
	if (!err)
		EXPECT_EQ(at_load(&count, RELAXED), 1);
	if (!arg && at_add(&users, -1) == 1)
		EXPECT_EQ(at_load(&count, RELAXED), 1);
}

static void once_shape(void)
{
	once = grave_new(sizeof(*once));
	at_store(&count, 0, RELAXED);
	at_store(&users, 3, RELAXED);
	explore_add_fiber("caller 0", do_it_once, NULL);
	explore_add_fiber("caller 1", do_it_once, NULL);
	explore_add_client("caller 2", do_it_once, NULL);
	victim = explore_add_fiber("caller 3", do_it_once, &once);
	explore_add_canceller(&victim, WHY);
	explore_run();
	EXPECT_EQ(at_load(&count, RELAXED), 1);
	EXPECT_EQ(once->opaque[1], 0);
	grave_check();
}

static void semaphore(void)
{
	EXPLORE(sem_shape, 8000);
}

static void semaphore_given_back(void)
{
	EXPLORE(sem_bury_shape, 6000);
}

static void wait_group(void)
{
	EXPLORE(group_shape, 8000);
}

static void wait_group_given_back(void)
{
	EXPLORE(group_bury_shape, 8000);
}

static void event_set(void)
{
	EXPLORE(event_shape, 8000);
}

static void event_cleared(void)
{
	EXPLORE(clear_shape, 6000);
}

static void barrier_of_three(void)
{
	EXPLORE(barrier_shape, 8000);
}

static void barrier_given_back(void)
{
	EXPLORE(barrier_bury_shape, 6000);
}

static void done_once(void)
{
	EXPLORE(once_shape, 8000);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(semaphore),	TEST(semaphore_given_back),
		TEST(wait_group),	TEST(wait_group_given_back),
		TEST(event_set),	TEST(event_cleared),
		TEST(barrier_of_three), TEST(barrier_given_back),
		TEST(done_once),
	};

	return EXPLORE_RUN(argc, argv, tests);
}
