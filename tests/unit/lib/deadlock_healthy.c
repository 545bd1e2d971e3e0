// SPDX-License-Identifier: MIT
/*
 * Programs that look as if they hung for a while, and do not: nothing is said, and
 * they end by themselves.
 *
 * All sleep for some 40 ms, which is longer than it takes until it is looked for
 * deadlocks.
 */
#include <errno.h>
#include <unistd.h>

#include "deadlocks.h"

#define WHILE_MS 40
#define WHILE (WHILE_MS * MSEC)

static struct fiber_mutex a = FIBER_MUTEX_INIT;
static struct fiber_mutex b = FIBER_MUTEX_INIT;
static struct fiber_cond cond = FIBER_COND_INIT;
static struct fiber_event event = FIBER_EVENT_INIT;
static struct fiber_barrier both = FIBER_BARRIER_INIT(2);
static struct fiber_sem sem = FIBER_SEM_INIT(0);
static struct fiber_chan *chan;
static struct fiber *one;
static struct fiber *two;

static int wait_for_event(void *arg)
{
	(void)arg;
	return fiber_event_wait(&event);
}

static void block_a_while(void)
{
	usleep(WHILE_MS * 1000);
}

static int sleeper(void *arg)
{
	(void)arg;
	return fiber_sleep(WHILE);
}

static int waits_for_a_sleeper(void *arg)
{
	(void)arg;
	return join(deadlocks_spawn("one", sleeper));
}

static int deadline_passes(void *arg)
{
	(void)arg;
	return fiber_event_wait_until(&event, fiber_after(WHILE)) != -ETIMEDOUT;
}

static int deadline_of_another(void *arg)
{
	(void)arg;
	one = deadlocks_spawn("one", deadline_passes);
	return join(one);
}

static int ambient_deadline(void *arg)
{
	int64_t before = fiber_deadline_push(fiber_after(WHILE));

	(void)arg;
	CHECK_EQ(fiber_event_wait(&event), -ETIMEDOUT);
	fiber_deadline_pop(before);
	return 0;
}

static int deadline_of_a_scope(void *arg)
{
	struct fiber_scope_attr attr = { .size = sizeof(attr),
					 .deadline = fiber_after(WHILE) };
	struct fiber_scope *scope;

	(void)arg;
	CHECK_EQ(fiber_scope_new(&scope, &attr), 0);
	CHECK_EQ(fiber_scope_go(scope, wait_for_event, NULL), 0);
	CHECK_EQ(fiber_scope_wait(scope), -ETIMEDOUT);
	fiber_scope_free(scope);
	return 0;
}

static int timer_once(void *arg)
{
	struct fiber_timer *timer;
	int64_t t;

	(void)arg;
	CHECK_EQ(fiber_timer_new(&timer, fiber_after(WHILE), 0), 0);
	CHECK_EQ(fiber_recv(fiber_timer_chan(timer), &t), 0);
	fiber_timer_free(timer);
	return 0;
}

static int ticker(void *arg)
{
	struct fiber_timer *timer;
	int64_t t;
	int i;

	(void)arg;
	CHECK_EQ(fiber_timer_new(&timer, fiber_after(WHILE / 2), WHILE / 2), 0);
	for (i = 0; i < 3; i++)
		CHECK_EQ(fiber_recv(fiber_timer_chan(timer), &t), 0);
	fiber_timer_free(timer);
	return 0;
}

static int timer_and_select(void *arg)
{
	struct fiber_case cases[2] = { { .op = FIBER_RECV } };
	struct fiber_timer *timer;

	(void)arg;
	chan = deadlocks_chan(0);
	CHECK_EQ(fiber_timer_new(&timer, fiber_after(WHILE), 0), 0);
	cases[0].chan = chan;
	cases[1] = (struct fiber_case){ .chan = fiber_timer_chan(timer),
					.op = FIBER_RECV };
	CHECK_EQ(fiber_select(cases, 2, 0), 1);
	fiber_timer_free(timer);
	return 0;
}

static int burn(void *arg)
{
	int64_t end = test_now() + WHILE;

	(void)arg;
	while (test_now() < end)
		;
	return fiber_event_set(&event);
}

static int computes(void *arg)
{
	one = deadlocks_spawn("one", burn);
	CHECK_EQ(wait_for_event(arg), 0);
	return join(one);
}

/* Cancelled waits. */
static int cancelled_recv(void *arg)
{
	int value;

	(void)arg;
	return fiber_recv(chan, &value) != -ECANCELED;
}

static int cancelled(void *arg)
{
	(void)arg;
	chan = deadlocks_chan(0);
	one = deadlocks_spawn("one", cancelled_recv);
	CHECK_EQ(fiber_sleep(WHILE), 0);
	CHECK_EQ(fiber_cancel(one, 1), 0);
	return join(one);
}

static int first_lock(void *arg)
{
	struct fiber_mutex *mutex = arg;
	int err;

	CHECK_EQ(fiber_mutex_lock(mutex), 0);
	CHECK(fiber_barrier_wait(&both) >= 0);
	err = fiber_mutex_lock(mutex == &a ? &b : &a);
	if (!err)
		CHECK_EQ(fiber_mutex_unlock(mutex == &a ? &b : &a), 0);
	return fiber_mutex_unlock(mutex);
}

/* Who looks after others sees to it: it is not taken for one that lasts yet. */
static int cycle_is_broken(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_spawn(&one, first_lock, &a, NULL), 0);
	CHECK_EQ(fiber_spawn(&two, first_lock, &b, NULL), 0);
	CHECK_EQ(fiber_sleep(20 * MSEC), 0);
	CHECK_EQ(fiber_cancel(one, 1), 0);
	CHECK_EQ(join(one), 0);
	return join(two);
}

static int second_lock_until(void *arg)
{
	struct fiber_mutex *mutex = arg;

	CHECK_EQ(fiber_mutex_lock(mutex), 0);
	CHECK(fiber_barrier_wait(&both) >= 0);
	if (!fiber_mutex_lock_until(mutex == &a ? &b : &a, fiber_after(WHILE)))
		CHECK_EQ(fiber_mutex_unlock(mutex == &a ? &b : &a), 0);
	return fiber_mutex_unlock(mutex);
}

/* One of the cycle gives up. */
static int cycle_with_a_deadline(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_spawn(&one, second_lock_until, &a, NULL), 0);
	CHECK_EQ(fiber_spawn(&two, first_lock, &b, NULL), 0);
	CHECK_EQ(join(one), 0);
	return join(two);
}

static int cycle_in_a_limited_scope(void *arg)
{
	struct fiber_scope_attr attr = { .size = sizeof(attr),
					 .deadline = fiber_after(WHILE) };
	struct fiber_scope *scope;

	(void)arg;
	deadlocks_go_on();
	CHECK_EQ(fiber_scope_new(&scope, &attr), 0);
	CHECK_EQ(fiber_scope_go(scope, first_lock, &a), 0);
	CHECK_EQ(fiber_scope_go(scope, first_lock, &b), 0);
	CHECK_EQ(fiber_scope_wait(scope), -ETIMEDOUT);
	fiber_scope_free(scope);
	return 0;
}

static int limited_first_lock(void *arg)
{
	int64_t before = fiber_deadline_push(fiber_after(WHILE));
	int err = first_lock(arg);

	fiber_deadline_pop(before);
	return err;
}

static int cycle_with_an_ambient_deadline(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_spawn(&one, first_lock, &a, NULL), 0);
	CHECK_EQ(fiber_spawn(&two, limited_first_lock, &b, NULL), 0);
	CHECK_EQ(join(one), 0);
	return join(two);
}

static void chain_link(void *arg)
{
	CHECK_EQ(fiber_mutex_lock(arg), 0);
	CHECK_EQ(fiber_sleep(MSEC), 0);
	CHECK_EQ(fiber_mutex_unlock(arg), 0);
	CHECK_EQ(fiber_sem_post(&sem), 0);
}

/* A long queue that moves. */
static int convoy(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < 50; i++)
		CHECK_EQ(fiber_go(chain_link, &a), 0);
	for (i = 0; i < 50; i++)
		CHECK_EQ(fiber_sem_wait(&sem), 0);
	return 0;
}

static int join_tree(void *arg)
{
	intptr_t depth = (intptr_t)arg;
	struct fiber *child;

	if (!depth)
		return fiber_sleep(WHILE);
	CHECK_EQ(fiber_spawn(&child, join_tree, (void *)(depth - 1), NULL), 0);
	return join(child);
}

static int joins_in_a_row(void *arg)
{
	(void)arg;
	return join_tree((void *)100);
}

static int unlock_later(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_mutex_lock(&a), 0);
	CHECK_EQ(fiber_sem_post(&sem), 0);
	CHECK_EQ(fiber_sleep(WHILE), 0);
	CHECK_EQ(fiber_cond_signal(&cond), 0);
	return fiber_mutex_unlock(&a);
}

static int condition(void *arg)
{
	(void)arg;
	one = deadlocks_spawn("one", unlock_later);
	CHECK_EQ(fiber_sem_wait(&sem), 0);
	CHECK_EQ(fiber_mutex_lock(&a), 0);
	CHECK_EQ(fiber_mutex_unlock(&a), 0);
	return join(one);
}

/* What is left when main returns: it is cancelled, and masks that for a while. */
static int clean_up(void *arg)
{
	CHECK_EQ(wait_for_event(arg), -ECANCELED);
	fiber_cancel_mask(1);
	CHECK_EQ(fiber_sleep(WHILE), 0);
	return 0;
}

static int others_clean_up(void *arg)
{
	(void)arg;
	deadlocks_spawn("one", clean_up);
	return fiber_sleep(MSEC);
}

static int clean_up_in_the_kernel(void *arg)
{
	CHECK_EQ(wait_for_event(arg), -ECANCELED);
	block_a_while();
	return 0;
}

static void stop_while_others_wait(void)
{
	int i;

	deadlocks_start();
	for (i = 0; i < 10; i++)
		deadlocks_spawn("one", clean_up_in_the_kernel);
	usleep(1000);
	CHECK_EQ(fiber_stop_until(fiber_after(10 * SEC)), 0);
	block_a_while();
}

static void no_fibers(void)
{
	deadlocks_start();
	block_a_while();
	CHECK_EQ(fiber_stop_until(fiber_after(10 * SEC)), 0);
}

/* Time is virtual, and jumps as soon as all sleep. */
static int virtual_time(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < 100; i++)
		CHECK_EQ(fiber_sleep(HOUR), 0);
	CHECK_EQ(fiber_event_wait_until(&event, fiber_after(HOUR)), -ETIMEDOUT);
	return 0;
}

static int pinned(void *arg)
{
	fiber_pin();
	CHECK_EQ(sleeper(arg), 0);
	fiber_unpin();
	return 0;
}

static int pinned_sleepers(void *arg)
{
	(void)arg;
	one = deadlocks_spawn("one", pinned);
	two = deadlocks_spawn("two", pinned);
	CHECK_EQ(join(one), 0);
	return join(two);
}

static const struct deadlock_case cases[] = {
#define CASE(fn)                                               \
	{                                                      \
#fn, HEALTHY, fn, NULL, NULL, NULL, 0, 0, NULL \
	}
#define ONE_WORKER(fn)                                                   \
	{                                                                \
#fn " of one", HEALTHY, fn, NULL, NULL, NULL, 1, 0, NULL \
	}
#define THREAD(fn)                                             \
	{                                                      \
#fn, HEALTHY, NULL, fn, NULL, NULL, 0, 0, NULL \
	}
	CASE(waits_for_a_sleeper),
	CASE(deadline_passes),
	CASE(deadline_of_another),
	CASE(ambient_deadline),
	CASE(deadline_of_a_scope),
	CASE(timer_once),
	CASE(ticker),
	CASE(timer_and_select),
	CASE(computes),
	CASE(cancelled),
	CASE(cycle_with_a_deadline),
	CASE(cycle_in_a_limited_scope),
	CASE(cycle_with_an_ambient_deadline),
	CASE(convoy),
	CASE(joins_in_a_row),
	CASE(condition),
	CASE(others_clean_up),
	THREAD(stop_while_others_wait),
	THREAD(no_fibers),
	CASE(pinned_sleepers),
	{ "virtual_time", HEALTHY, virtual_time, NULL, NULL, NULL, 0,
	  FIBER_TEST_CLOCK, NULL },
	{ "convoy that migrates", HEALTHY, convoy, NULL, NULL, NULL, 4,
	  FIBER_TEST_MIGRATE, NULL },
	/* However slowly all goes. */
	{ "cycle_is_broken", HEALTHY, cycle_is_broken, NULL, NULL, NULL, 0, 0,
	  "cycles=60000" },
	{ "nothing asked for", HEALTHY, joins_in_a_row, NULL, NULL, NULL, 0, 0,
	  "" },
};

static void no_false_alarm(void)
{
	deadlocks_score(cases, ARRAY_SIZE(cases));
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(no_false_alarm),
	};

	return RUN(argc, argv, tests);
}
