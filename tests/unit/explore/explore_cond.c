// SPDX-License-Identifier: MIT
/*
 * Conditions: a signal reaches somebody who waits, whoever leaves meanwhile, and
 * all that return have the mutex.
 */
#include <errno.h>

#include <fiber/cancel.h>

#include "core.h"
#include "env.h"
#include "grave.h"
#include "mutex.h"

#define WHY 7

static struct fiber_mutex *mutex;
static struct fiber_cond *cond, *other;
static unsigned int inside;
static int tokens, taken;
static int victim_got; /* -1: not known yet */
static at(uint32_t) victim_done;
static struct fiber *victim;

static void reset(void)
{
	mutex = grave_new(sizeof(*mutex));
	cond = grave_new(sizeof(*cond));
	other = grave_new(sizeof(*other));
	inside = 0;
	tokens = taken = 0;
	at_store(&victim_done, 0, RELAXED);
}

static void enter(void)
{
	EXPECT_EQ(fiber_mutex_lock(mutex), 0);
	EXPECT_EQ(inside++, 0);
}

static void leave(void)
{
	EXPECT_EQ(--inside, 0);
	EXPECT_EQ(fiber_mutex_unlock(mutex), 0);
}

static int wait_until(struct fiber_cond *c, int64_t deadline)
{
	int err;

	EXPECT_EQ(--inside, 0);
	err = fiber_cond_wait_until(c, mutex, deadline);
	EXPECT_EQ(inside++, 0);
	return err;
}

static void give(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < 2; i++) {
		enter();
		while (tokens)
			EXPECT_EQ(wait_until(other, INT64_MAX), 0);
		tokens = 1;
		/* With the mutex, or without. */
		if (i)
			leave();
		EXPECT_EQ(fiber_cond_signal(cond), 0);
		if (!i)
			leave();
	}
}

static void take(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < 2; i++) {
		enter();
		while (!tokens)
			EXPECT_EQ(wait_until(cond, INT64_MAX), 0);
		tokens = 0;
		taken++;
		EXPECT_EQ(fiber_cond_signal(other), 0);
		leave();
	}
}

static void pass_on_shape(void)
{
	reset();
	explore_add_fiber("giver 0", give, NULL);
	explore_add_client("giver 1", give, NULL);
	explore_add_fiber("taker 0", take, NULL);
	explore_add_client("taker 1", take, NULL);
	explore_run();
	EXPECT_EQ(taken, 4);
	grave_check();
}

static void wait_for_all(void *arg)
{
	(void)arg;
	enter();
	while (!tokens)
		EXPECT_EQ(wait_until(cond, INT64_MAX), 0);
	taken++;
	leave();
}

static void wake_all(void *arg)
{
	(void)arg;
	enter();
	tokens = 1;
	leave();
	EXPECT_EQ(fiber_cond_broadcast(cond), 0);
}

static void broadcast_shape(void)
{
	reset();
	explore_add_fiber("waiter 0", wait_for_all, NULL);
	explore_add_fiber("waiter 1", wait_for_all, NULL);
	explore_add_client("waiter 2", wait_for_all, NULL);
	explore_add_fiber("waker", wake_all, NULL);
	explore_run();
	EXPECT_EQ(taken, 3);
	grave_check();
}

/* One wait: whether a token came of it. */
static void wait_once(void *arg)
{
	int err = 0;
	bool got;

	if (fiber_mutex_lock(mutex)) {
		victim_got = 0;
		at_store(&victim_done, 1, RELEASE);
		return;
	}
	EXPECT_EQ(inside++, 0);
	while (!tokens && !err)
		err = wait_until(cond, arg ? explore_now() + explore_choose(9) :
					     INT64_MAX);
	EXPECT(!err || err == (arg ? -ETIMEDOUT : -ECANCELED));
	/* Not even one that it was not woken for: that is for another. */
	got = !err;
	if (got)
		tokens--;
	leave();
	victim_got = got;
	at_store(&victim_done, 1, RELEASE);
}

static void wait_for_one(void *arg)
{
	(void)arg;
	enter();
	while (!tokens)
		EXPECT_EQ(wait_until(cond, INT64_MAX), 0);
	tokens--;
	leave();
}

/* If the one who leaves did not get the first token, the other one has to. */
static void give_what_is_missing(void *arg)
{
	(void)arg;
	enter();
	tokens++;
	EXPECT_EQ(fiber_cond_signal(cond), 0);
	leave();
	while (!at_load(&victim_done, ACQUIRE))
		explore_wait_other(&victim_done, "for the victim");
	if (!victim_got)
		return;
	enter();
	tokens++;
	EXPECT_EQ(fiber_cond_signal(cond), 0);
	leave();
}

static void leave_on(bool deadline)
{
	reset();
	explore_add_clock();
	victim = explore_add_fiber("victim", wait_once,
				   deadline ? &victim : NULL);
	explore_add_fiber("steady", wait_for_one, NULL);
	explore_add_fiber("giver", give_what_is_missing, NULL);
	if (!deadline)
		explore_add_canceller(&victim, WHY);
	explore_run();
	EXPECT_EQ(tokens, 0);
	grave_check();
}

static void cancel_shape(void)
{
	leave_on(false);
}

static void deadline_shape(void)
{
	leave_on(true);
}

/* Who was woken gives back both, while the other may still be in its calls. */
static void wait_and_bury(void *arg)
{
	wait_for_one(arg);
	grave_bury(mutex);
	grave_bury(cond);
}

static void give_one(void *arg)
{
	enter();
	tokens = 1;
	EXPECT_EQ(arg ? fiber_cond_broadcast(cond) : fiber_cond_signal(cond),
		  0);
	leave();
}

static void bury_shape(void)
{
	reset();
	explore_add_fiber("waiter", wait_and_bury, NULL);
	explore_add_fiber("giver", give_one,
			  explore_choose(2) ? &victim : NULL);
	explore_run();
	grave_check();
}

static void passed_on(void)
{
	EXPLORE(pass_on_shape, 8000);
}

static void broadcast(void)
{
	EXPLORE(broadcast_shape, 8000);
}

static void against_cancellation(void)
{
	EXPLORE(cancel_shape, 10000);
}

static void against_deadlines(void)
{
	EXPLORE(deadline_shape, 10000);
}

static void given_back_when_woken(void)
{
	EXPLORE(bury_shape, 8000);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(passed_on),
		TEST(broadcast),
		TEST(against_cancellation),
		TEST(against_deadlines),
		TEST(given_back_when_woken),
	};

	return EXPLORE_RUN(argc, argv, tests);
}
