// SPDX-License-Identifier: MIT
/*
 * Mutexes: one at a time has it, whoever waits gets it or leaves in time, and it
 * may be given back to the system by the last one.
 */
#include <errno.h>

#include <fiber/cancel.h>

#include "core.h"
#include "env.h"
#include "grave.h"
#include "mutex.h"

#define WHY 7

static struct fiber_mutex *mutex;
static unsigned int inside, entered, users;
static unsigned int rounds;
static struct fiber *victim;

static void reset(unsigned int n)
{
	mutex = grave_new(sizeof(*mutex));
	inside = entered = 0;
	rounds = n;
}

static void in_it(void)
{
	EXPECT_EQ(inside++, 0);
	entered++;
	explore_point("inside");
	explore_point("inside");
	EXPECT_EQ(--inside, 0);
}

static void check_free(void)
{
	struct mutex *m = fiber_mutex_of(mutex);

	EXPECT_EQ(at_load(&m->word, RELAXED) & FIBER_MUTEX_OWNER, 0);
	EXPECT(!m->queue);
	grave_check();
}

static void lock_each(void *arg)
{
	unsigned int i;

	(void)arg;
	for (i = 0; i < rounds; i++) {
		EXPECT_EQ(fiber_mutex_lock(mutex), 0);
		EXPECT_EQ(fiber_mutex_lock(mutex), -EDEADLK);
		in_it();
		EXPECT_EQ(fiber_mutex_unlock(mutex), 0);
		EXPECT_EQ(fiber_mutex_unlock(mutex), -EPERM);
	}
}

static void fibers_shape(void)
{
	reset(2);
	explore_add_fiber("fiber 0", lock_each, NULL);
	explore_add_fiber("fiber 1", lock_each, NULL);
	explore_add_fiber("fiber 2", lock_each, NULL);
	explore_run();
	EXPECT_EQ(entered, 6);
	check_free();
}

static void threads_shape(void)
{
	reset(3);
	explore_add_fiber("fiber", lock_each, NULL);
	explore_add_client("thread", lock_each, NULL);
	explore_run();
	EXPECT_EQ(entered, 6);
	check_free();
}

static void try_each(void *arg)
{
	unsigned int i;
	int err;

	(void)arg;
	for (i = 0; i < rounds; i++) {
		err = fiber_mutex_try_lock(mutex);
		EXPECT(!err || err == -EAGAIN);
		if (err)
			continue;
		in_it();
		EXPECT_EQ(fiber_mutex_unlock(mutex), 0);
	}
}

static void until_each(void *arg)
{
	unsigned int i;
	int err;

	(void)arg;
	for (i = 0; i < rounds; i++) {
		err = fiber_mutex_lock_until(mutex, explore_now() +
							    explore_choose(20));
		if (err) {
			EXPECT(err == -ETIMEDOUT || err == -ECANCELED);
			EXPECT_EQ(fiber_mutex_unlock(mutex), -EPERM);
			continue;
		}
		in_it();
		EXPECT_EQ(fiber_mutex_unlock(mutex), 0);
	}
}

/* Time passes, so that some are given it. */
static void deadline_shape(void)
{
	reset(2);
	explore_add_clock();
	explore_add_fiber("steady", lock_each, NULL);
	explore_add_fiber("in time", until_each, NULL);
	explore_add_client("thread in time", until_each, NULL);
	explore_add_fiber("trying", try_each, NULL);
	explore_run();
	EXPECT(entered >= 2);
	check_free();
}

static void lock_until_cancelled(void *arg)
{
	int err;

	(void)arg;
	while (!(err = fiber_mutex_lock(mutex))) {
		in_it();
		EXPECT_EQ(fiber_mutex_unlock(mutex), 0);
	}
	EXPECT_EQ(err, -ECANCELED);
	EXPECT_EQ(fiber_mutex_unlock(mutex), -EPERM);
}

static void cancel_shape(void)
{
	reset(2);
	explore_add_clock();
	victim = explore_add_fiber("victim", lock_until_cancelled, NULL);
	explore_add_fiber("steady 0", lock_each, NULL);
	explore_add_fiber("steady 1", lock_each, NULL);
	explore_add_canceller(&victim, WHY);
	explore_run();
	EXPECT(entered >= 4);
	check_free();
}

/* Whoever is the last to have it gives it back. */
static void lock_and_bury(void *arg)
{
	bool last;

	(void)arg;
	EXPECT_EQ(fiber_mutex_lock(mutex), 0);
	in_it();
	last = --users == 0;
	EXPECT_EQ(fiber_mutex_unlock(mutex), 0);
	if (last)
		grave_bury(mutex);
}

static void bury_shape(void)
{
	reset(1);
	users = 3;
	explore_add_clock();
	explore_add_fiber("user 0", lock_and_bury, NULL);
	explore_add_fiber("user 1", lock_and_bury, NULL);
	explore_add_client("user 2", lock_and_bury, NULL);
	explore_run();
	EXPECT_EQ(entered, 3);
	grave_check();
}

static void three_fibers(void)
{
	EXPLORE(fibers_shape, 8000);
}

static void fiber_and_thread(void)
{
	EXPLORE(threads_shape, 8000);
}

static void against_deadlines(void)
{
	EXPLORE(deadline_shape, 8000);
}

static void against_cancellation(void)
{
	EXPLORE(cancel_shape, 8000);
}

static void given_back_by_the_last(void)
{
	EXPLORE(bury_shape, 8000);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(three_fibers),	      TEST(fiber_and_thread),
		TEST(against_deadlines),      TEST(against_cancellation),
		TEST(given_back_by_the_last),
	};

	return EXPLORE_RUN(argc, argv, tests);
}
