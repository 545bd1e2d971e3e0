// SPDX-License-Identifier: MIT
/*
 * FIBER_DEBUG=locks says who waits while it holds a lock, once for each function
 * and call; and nothing of those who do not, or only wait for another lock.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fibers.h"

static struct fiber_mutex mutex = FIBER_MUTEX_INIT;
static struct fiber_mutex other = FIBER_MUTEX_INIT;
static struct fiber_rwlock rwlock = FIBER_RWLOCK_INIT;
static struct fiber_cond cond = FIBER_COND_INIT;
static struct fiber_event event = FIBER_EVENT_INIT;
static struct fiber_chan *chan;
static char said[65536];

static int sleep_a_bit(void *arg)
{
	(void)arg;
	return fiber_sleep(MSEC);
}

static void run_test(void *arg)
{
	struct fiber_attr attr = { .size = sizeof(attr), .name = "tested" };
	struct fiber_config config = { .size = sizeof(config), .workers = 2 };
	int (*const *fn)(void *) = arg;

	CHECK_EQ(setenv("FIBER_DEBUG", "locks", 1), 0);
	CHECK_EQ(fiber_start(&config), 0);
	for (int i = 0; i < 3; i++) {
		struct fiber *fiber;

		CHECK_EQ(fiber_spawn(&fiber, *fn, NULL, &attr), 0);
		CHECK_EQ(join(fiber), 0);
	}
	CHECK_EQ(fiber_stop_until(fiber_after(10 * SEC)), 0);
}

static int count_lines(void)
{
	int n = 0;

	for (const char *at = said; (at = strchr(at, '\n')); at++)
		n++;
	return n;
}

/* Three times the same: one line. */
static void expect(int (*fn)(void *), const char *call, const char *held)
{
	CHECK_EQ(test_death(run_test, &fn, said, sizeof(said)), 0);
	CHECK_EQ(count_lines(), 1);
	CHECK_IN(said, "fiber: lock held: fiber ");
	CHECK_IN(said, "'tested' waits in ");
	CHECK_IN(said, call);
	CHECK_IN(said, held);
	CHECK_IN(said, "entered at ");
}

static void expect_nothing(int (*fn)(void *))
{
	CHECK_EQ(test_death(run_test, &fn, said, sizeof(said)), 0);
	if (said[0])
		test_note("%s", said);
	CHECK_EQ(strlen(said), 0);
}

static int sleep_with_mutex(void *arg)
{
	CHECK_EQ(fiber_mutex_lock(&mutex), 0);
	CHECK_EQ(sleep_a_bit(arg), 0);
	return fiber_mutex_unlock(&mutex);
}

static int recv_until_with_rwlock(void *arg)
{
	int value;

	(void)arg;
	chan = new_chan(sizeof(int), 0);
	CHECK_EQ(fiber_rwlock_wrlock(&rwlock), 0);
	CHECK_EQ(fiber_recv_until(chan, &value, fiber_after(MSEC)), -ETIMEDOUT);
	return fiber_rwlock_unlock(&rwlock);
}

static int select_with_tried(void *arg)
{
	struct fiber_case cases[1] = { { .op = FIBER_RECV } };

	(void)arg;
	cases[0].chan = new_chan(sizeof(int), 0);
	CHECK_EQ(fiber_rwlock_try_wrlock(&rwlock), 0);
	CHECK_EQ(fiber_select_until(cases, 1, 0, fiber_after(MSEC)),
		 -ETIMEDOUT);
	return fiber_rwlock_unlock(&rwlock);
}

static int join_with_two(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_mutex_try_lock(&mutex), 0);
	CHECK_EQ(fiber_mutex_lock(&other), 0);
	CHECK_EQ(join(spawn(sleep_a_bit, NULL)), 0);
	CHECK_EQ(fiber_mutex_unlock(&other), 0);
	return fiber_mutex_unlock(&mutex);
}

static int signal_it(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_mutex_lock(&mutex), 0);
	CHECK_EQ(fiber_cond_signal(&cond), 0);
	return fiber_mutex_unlock(&mutex);
}

static int condition_with_another(void *arg)
{
	struct fiber *fiber;

	(void)arg;
	CHECK_EQ(fiber_mutex_lock(&other), 0);
	CHECK_EQ(fiber_mutex_lock(&mutex), 0);
	fiber = spawn(signal_it, NULL);
	CHECK_EQ(fiber_cond_wait(&cond, &mutex), 0);
	CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
	CHECK_EQ(fiber_mutex_unlock(&other), 0);
	return join(fiber);
}

/* The lock is the condition's again when it has waited. */
static int sleep_after_condition(void *arg)
{
	struct fiber *fiber;

	CHECK_EQ(fiber_mutex_lock(&mutex), 0);
	fiber = spawn(signal_it, NULL);
	CHECK_EQ(fiber_cond_wait(&cond, &mutex), 0);
	CHECK_EQ(sleep_a_bit(arg), 0);
	CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
	return join(fiber);
}

static void waits_are_told(void)
{
	expect(sleep_with_mutex, "fiber_sleep()", "with 1 lock held");
	expect(recv_until_with_rwlock, "fiber_recv()", "with 1 lock held");
	expect(select_with_tried, "fiber_select()", "with 1 lock held");
	expect(join_with_two, "fiber_join()", "with 2 locks held");
	expect(condition_with_another, "fiber_cond_wait()", "with 1 lock held");
	expect(sleep_after_condition, "fiber_sleep()", "with 1 lock held");
}

static int unlock_first(void *arg)
{
	CHECK_EQ(fiber_mutex_lock(&mutex), 0);
	CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
	CHECK_EQ(fiber_rwlock_wrlock(&rwlock), 0);
	CHECK_EQ(fiber_rwlock_unlock(&rwlock), 0);
	return sleep_a_bit(arg);
}

/* One that was held is in memory that is gone. */
static int free_first(void *arg)
{
	struct fiber_mutex *mine = calloc(1, sizeof(*mine));

	CHECK(mine);
	CHECK_EQ(fiber_mutex_lock(mine), 0);
	CHECK_EQ(fiber_mutex_unlock(mine), 0);
	free(mine);
	return sleep_a_bit(arg);
}

static int condition_only(void *arg)
{
	struct fiber *fiber;

	(void)arg;
	CHECK_EQ(fiber_mutex_lock(&mutex), 0);
	fiber = spawn(signal_it, NULL);
	CHECK_EQ(fiber_cond_wait(&cond, &mutex), 0);
	CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
	return join(fiber);
}

static int lock_and_set(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_mutex_lock(&other), 0);
	CHECK_EQ(fiber_event_set(&event), 0);
	fiber_yield();
	return fiber_mutex_unlock(&other);
}

static int nested(void *arg)
{
	struct fiber *fiber = spawn(lock_and_set, NULL);

	(void)arg;
	CHECK_EQ(fiber_event_wait(&event), 0);
	CHECK_EQ(fiber_mutex_lock(&mutex), 0);
	CHECK_EQ(fiber_mutex_lock(&other), 0);
	CHECK_EQ(fiber_mutex_unlock(&other), 0);
	CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
	CHECK_EQ(fiber_event_clear(&event), 0);
	return join(fiber);
}

/* It does not wait. */
static int send_at_once(void *arg)
{
	(void)arg;
	chan = new_chan(sizeof(int), 1);
	CHECK_EQ(fiber_mutex_lock(&mutex), 0);
	send_int(chan, 1);
	return fiber_mutex_unlock(&mutex);
}

static int read_lock(void *arg)
{
	CHECK_EQ(fiber_rwlock_rdlock(&rwlock), 0);
	CHECK_EQ(sleep_a_bit(arg), 0);
	return fiber_rwlock_unlock(&rwlock);
}

static void others_are_not(void)
{
	expect_nothing(unlock_first);
	expect_nothing(free_first);
	expect_nothing(condition_only);
	expect_nothing(nested);
	expect_nothing(send_at_once);
	expect_nothing(read_lock);
}

#define MANY 20

static int with_many(void *arg)
{
	static struct fiber_mutex many[MANY];
	int i;

	for (i = 0; i < MANY; i++)
		CHECK_EQ(fiber_mutex_lock(&many[i]), 0);
	CHECK_EQ(sleep_a_bit(arg), 0);
	for (i = 0; i < MANY; i++)
		CHECK_EQ(fiber_mutex_unlock(&many[i]), 0);
	return 0;
}

static void some_of_many(void)
{
	expect(with_many, "fiber_sleep()", " locks held, ");
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(waits_are_told),
		TEST(others_are_not),
		TEST(some_of_many),
	};

	return RUN(argc, argv, tests);
}
