// SPDX-License-Identifier: MIT
/*
 * Scopes, with the library's own scheduler: children that end, fail, start more
 * and are cancelled, at any moment of their owner's wait. Whatever it returns, none
 * of them is left.
 */
#include <errno.h>

#include <fiber/cancel.h>
#include <fiber/scope.h>

#include "chan.h"
#include "core.h"
#include "extra.h"
#include "workers.h"

#define WHY 3

static struct fiber_scope *scope;
static struct fiber_chan *never;
static at(uint32_t) live; /* children that were started and have not ended */
static at(uint32_t) ready; /* somebody may begin */

static void open_scope(unsigned int policy, int64_t deadline)
{
	struct fiber_scope_attr attr = {
		.size = sizeof(attr),
		.policy = policy,
		.deadline = deadline,
	};

	EXPECT_EQ(fiber_scope_new(&scope, &attr), 0);
}

/* Whether it was started. */
static bool go(int (*fn)(void *), int arg)
{
	int err;

	at_add(&live, 1);
	err = fiber_scope_go(scope, fn, (void *)(intptr_t)arg);
	EXPECT(!err || err == -ECANCELED);
	if (err)
		at_add(&live, -1);
	return !err;
}

static int leave(int result)
{
	at_add(&live, -1);
	return result;
}

static void close_scope(void)
{
	EXPECT_EQ(at_load(&live, RELAXED), 0);
	fiber_scope_free(scope);
}

static int end_with(void *arg)
{
	if (explore_choose(2))
		fiber_yield();
	return leave((intptr_t)arg);
}

static int wait_for_it(void *arg)
{
	int err = fiber_recv(never, NULL);

	(void)arg;
	EXPECT_EQ(err, -ECANCELED);
	EXPECT(fiber_cancelled() > 0);
	return leave(err);
}

static int start_another(void *arg)
{
	go(end_with, 0);
	return end_with(arg);
}

/* All end well, one of them after it has started another. */
static void wait_for_all(void *arg)
{
	int i;

	(void)arg;
	open_scope(FIBER_SCOPE_ALL, 0);
	for (i = 0; i < 2; i++) {
		EXPECT(go(start_another, i));
		if (explore_choose(2))
			EXPECT_EQ(fiber_scope_wait(scope), 0);
	}
	EXPECT_EQ(fiber_scope_wait(scope), 0);
	close_scope();
}

/* The error ends what would never end. */
static void fail_one(void *arg)
{
	(void)arg;
	open_scope(FIBER_SCOPE_ALL, 0);
	EXPECT(go(wait_for_it, 0));
	EXPECT(go(end_with, -EIO));
	go(explore_choose(2) ? wait_for_it : end_with, -EPIPE);
	EXPECT(fiber_scope_wait(scope) < 0);
	close_scope();
}

static void take_the_first(void *arg)
{
	int result;

	(void)arg;
	open_scope(FIBER_SCOPE_ANY, 0);
	EXPECT(go(end_with, -EIO));
	EXPECT(go(end_with, 4));
	go(end_with, 5);
	go(wait_for_it, 0);
	result = fiber_scope_wait(scope);
	EXPECT(result == 4 || result == 5);
	close_scope();
}

/* With what it has, which may be much or nothing. */
static void free_at_once(void *arg)
{
	(void)arg;
	open_scope(FIBER_SCOPE_ALL, 0);
	EXPECT(go(wait_for_it, 0));
	EXPECT(go(start_another, 0));
	fiber_scope_free(scope);
	EXPECT_EQ(at_load(&live, RELAXED), 0);
}

static struct fiber *owner;

/* The wait ends by the child's end or by the cancellation of who waits. */
static int own_until_cancelled(void *arg)
{
	bool endless = arg;
	int err;

	open_scope(FIBER_SCOPE_ALL, 0);
	go(endless ? wait_for_it : end_with, 0);
	go(start_another, 0);
	at_store(&ready, 1, RELEASE);
	err = fiber_scope_wait(scope);
	EXPECT(err == -ECANCELED || (!endless && !err));
	close_scope();
	return 0;
}

static int cancel_owner(void *arg)
{
	int err;

	(void)arg;
	while (!at_load(&ready, ACQUIRE))
		fiber_yield();
	err = fiber_cancel(owner, WHY);
	EXPECT(!err || err == -ESRCH);
	return 0;
}

static void cancel_the_owner(void *arg)
{
	struct fiber *canceller;

	at_store(&ready, 0, RELAXED);
	EXPECT_EQ(fiber_spawn(&owner, own_until_cancelled, arg, NULL), 0);
	EXPECT_EQ(fiber_spawn(&canceller, cancel_owner, NULL, NULL), 0);
	EXPECT_EQ(fiber_join(canceller, NULL), 0);
	EXPECT_EQ(fiber_join(owner, NULL), 0);
}

static int cancel_scope(void *arg)
{
	(void)arg;
	EXPECT_EQ(fiber_scope_cancel(scope, WHY), 0);
	return 0;
}

/* By somebody who is no child, while children start others. */
static void cancel_from_outside(void *arg)
{
	struct fiber *canceller;
	int err;

	(void)arg;
	open_scope(FIBER_SCOPE_COLLECT, 0);
	EXPECT_EQ(fiber_spawn(&canceller, cancel_scope, NULL, NULL), 0);
	go(start_another, 0);
	go(wait_for_it, 0);
	err = fiber_scope_wait(scope);
	EXPECT_EQ(err, -ECANCELED);
	EXPECT_EQ(at_load(&live, RELAXED), 0);
	EXPECT_EQ(fiber_join(canceller, NULL), 0);
	close_scope();
}

static void wait_until_deadline(void *arg)
{
	int err;

	(void)arg;
	open_scope(FIBER_SCOPE_ALL, explore_now() + 1 + explore_choose(20));
	go(wait_for_it, 0);
	go(start_another, 0);
	err = fiber_scope_wait_until(scope, explore_now() + explore_choose(30));
	EXPECT_EQ(err, -ETIMEDOUT);
	err = fiber_scope_wait(scope);
	EXPECT_EQ(err, -ETIMEDOUT);
	close_scope();
}

static void (*body)(void *);

static int in_fiber(void *arg)
{
	body(arg);
	return 0;
}

/* What a thread keeps goes with it. */
static void in_client(void *arg)
{
	struct fiber *f = _fiber_here()->cur;

	body(arg);
	if (f->extra)
		_fiber_extra_end(f);
	_fiber_extra_free(f);
	explore_stop_workers();
}

static void run_in_fiber(void *arg)
{
	struct fiber *f;

	EXPECT_EQ(fiber_spawn(&f, in_fiber, arg, NULL), 0);
	EXPECT_EQ(fiber_join(f, NULL), 0);
	explore_stop_workers();
}

/* The owner is a fiber or a thread. */
static void run(unsigned int workers, void (*fn)(void *), bool arg)
{
	body = fn;
	at_store(&live, 0, RELAXED);
	CHECK(!fiber_chan_new(&never, 0, 0, NULL));
	explore_add_workers(workers, 0);
	explore_add_client("main", explore_choose(3) ? run_in_fiber : in_client,
			   arg ? &live : NULL);
	explore_run();
	explore_check_workers();
	EXPECT(!never->recvq);
	fiber_chan_put(never);
}

static void all_shape(void)
{
	run(2, wait_for_all, false);
}

static void fail_shape(void)
{
	run(2, fail_one, false);
}

static void first_shape(void)
{
	run(2, take_the_first, false);
}

static void free_shape(void)
{
	run(2, free_at_once, false);
}

static void owner_shape(void)
{
	run(2, cancel_the_owner, explore_choose(2));
}

static void outside_shape(void)
{
	run(2, cancel_from_outside, false);
}

static void deadline_shape(void)
{
	run(2, wait_until_deadline, false);
}

static void all_end(void)
{
	EXPLORE(all_shape, 3000);
}

static void one_fails(void)
{
	EXPLORE(fail_shape, 3000);
}

static void first_wins(void)
{
	EXPLORE(first_shape, 2000);
}

static void freed_at_once(void)
{
	EXPLORE(free_shape, 2000);
}

static void owner_is_cancelled(void)
{
	EXPLORE(owner_shape, 4000);
}

static void cancelled_from_outside(void)
{
	EXPLORE(outside_shape, 3000);
}

static void deadline_comes(void)
{
	EXPLORE(deadline_shape, 2000);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(all_end),
		TEST(one_fails),
		TEST(first_wins),
		TEST(freed_at_once),
		TEST(deadline_comes),
		TEST(owner_is_cancelled),
		TEST(cancelled_from_outside),
	};

	return EXPLORE_RUN(argc, argv, tests);
}
