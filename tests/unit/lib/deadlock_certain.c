// SPDX-License-Identifier: MIT
/*
 * Programs in which all wait for ever: each is reported, with a line for the
 * fiber that is to blame, and aborted.
 */
#include <errno.h>
#include <stdatomic.h>

#include "deadlocks.h"

static struct fiber_mutex a = FIBER_MUTEX_INIT;
static struct fiber_mutex b = FIBER_MUTEX_INIT;
static struct fiber_mutex c = FIBER_MUTEX_INIT;
static struct fiber_rwlock rwlock = FIBER_RWLOCK_INIT;
static struct fiber_cond cond = FIBER_COND_INIT;
static struct fiber_sem sem = FIBER_SEM_INIT(0);
static struct fiber_event event = FIBER_EVENT_INIT;
static struct fiber_chan *chan;
static struct fiber_chan *results;
static struct fiber *one;
static struct fiber *two;

/* So that those that were made have come to where they wait. */
static void give_way(void)
{
	CHECK_EQ(fiber_sleep((TEST_SLOWER > 1 ? 40 : 2) * MSEC), 0);
}

/* Until so many have what they have. */
static void meet(int n)
{
	static atomic_int come;

	atomic_fetch_add(&come, 1);
	while (atomic_load(&come) < n)
		CHECK_EQ(fiber_sleep(MSEC), 0);
}

static int send_without_receiver(void *arg)
{
	(void)arg;
	chan = deadlocks_chan(0);
	return fiber_send(chan, &(int){ 1 });
}

static int recv_without_sender(void *arg)
{
	int value;

	(void)arg;
	chan = deadlocks_chan(0);
	return fiber_recv(chan, &value);
}

static int send_to_full(void *arg)
{
	int i;

	(void)arg;
	chan = deadlocks_chan(3);
	for (i = 0; i < 4; i++)
		CHECK_EQ(fiber_send(chan, &i), 0);
	return 0;
}

static int select_without_partner(void *arg)
{
	struct fiber_case cases[2] = {
		{ .chan = deadlocks_chan(0), .op = FIBER_RECV },
		{ .chan = deadlocks_chan(0), .elem = &(int){ 1 } },
	};

	(void)arg;
	cases[1].op = FIBER_SEND;
	return fiber_select(cases, 2, 0);
}

static int select_of_null(void *arg)
{
	struct fiber_case cases[6] = { { .op = FIBER_RECV } };
	int i;

	(void)arg;
	for (i = 0; i < 6; i++)
		cases[i].op = FIBER_RECV;
	return fiber_select(cases, 6, 0);
}

static int lost_wake(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_cond_signal(&cond), 0);
	CHECK_EQ(fiber_mutex_lock(&a), 0);
	return fiber_cond_wait(&cond, &a);
}

static int lockers;

static int lock_b_then_a(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_mutex_lock(&b), 0);
	meet(lockers);
	return fiber_mutex_lock(&a);
}

static int mutex_ab_ba(void *arg)
{
	(void)arg;
	lockers = 2;
	one = deadlocks_spawn("one", lock_b_then_a);
	CHECK_EQ(fiber_mutex_lock(&a), 0);
	meet(lockers);
	return fiber_mutex_lock(&b);
}

static int lock_c_then_b(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_mutex_lock(&c), 0);
	meet(lockers);
	return fiber_mutex_lock(&b);
}

static int mutex_of_three(void *arg)
{
	(void)arg;
	lockers = 3;
	one = deadlocks_spawn("one", lock_b_then_a);
	two = deadlocks_spawn("two", lock_c_then_b);
	CHECK_EQ(fiber_mutex_lock(&a), 0);
	meet(lockers);
	return fiber_mutex_lock(&c);
}

static int lock_and_end(void *arg)
{
	(void)arg;
	return fiber_mutex_lock(&a);
}

static int mutex_owner_ended(void *arg)
{
	(void)arg;
	CHECK_EQ(join(deadlocks_spawn("one", lock_and_end)), 0);
	return fiber_mutex_lock(&a);
}

static int rwlock_upgrade(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_rwlock_rdlock(&rwlock), 0);
	return fiber_rwlock_wrlock(&rwlock);
}

static int write_it(void *arg)
{
	(void)arg;
	return fiber_rwlock_wrlock(&rwlock);
}

/* A writer that waits keeps new readers out, this one too. */
static int rwlock_read_twice(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_rwlock_rdlock(&rwlock), 0);
	deadlocks_spawn("one", write_it);
	give_way();
	return fiber_rwlock_rdlock(&rwlock);
}

static int read_it(void *arg)
{
	(void)arg;
	return fiber_rwlock_rdlock(&rwlock);
}

static int rwlock_writer_joins(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_rwlock_wrlock(&rwlock), 0);
	return join(deadlocks_spawn("reader", read_it));
}

static int join_two(void *arg)
{
	(void)arg;
	give_way();
	return join(two);
}

static int join_one(void *arg)
{
	(void)arg;
	give_way();
	return join(one);
}

static int join_each_other(void *arg)
{
	(void)arg;
	one = deadlocks_spawn("one", join_two);
	two = deadlocks_spawn("two", join_one);
	return fiber_event_wait(&event);
}

static int join_oneself_by_another(void *arg)
{
	(void)arg;
	one = fiber_get(fiber_self());
	return join(deadlocks_spawn("two", join_one));
}

static int child_joins_owner(void *arg)
{
	struct fiber_scope *scope;

	(void)arg;
	one = fiber_get(fiber_self());
	CHECK_EQ(fiber_scope_new(&scope, NULL), 0);
	CHECK_EQ(fiber_scope_go(scope, join_one, NULL), 0);
	return fiber_scope_wait(scope);
}

static int recv_it(void *arg)
{
	int value;

	(void)arg;
	return fiber_recv(chan, &value);
}

static int child_waits(void *arg)
{
	struct fiber_scope *scope;

	(void)arg;
	chan = deadlocks_chan(1);
	CHECK_EQ(fiber_scope_new(&scope, NULL), 0);
	CHECK_EQ(fiber_scope_go(scope, recv_it, NULL), 0);
	return fiber_scope_wait(scope);
}

static int group_never_done(void *arg)
{
	static struct fiber_waitgroup group = FIBER_WAITGROUP_INIT;

	(void)arg;
	CHECK_EQ(fiber_waitgroup_add(&group, 2), 0);
	CHECK_EQ(fiber_waitgroup_done(&group), 0);
	return fiber_waitgroup_wait(&group);
}

static struct fiber_barrier barrier = FIBER_BARRIER_INIT(3);

static int come(void *arg)
{
	(void)arg;
	return fiber_barrier_wait(&barrier);
}

static int too_few_come(void *arg)
{
	(void)arg;
	return join(deadlocks_spawn("one", come)) + come(NULL);
}

static int semaphore_of_none(void *arg)
{
	(void)arg;
	return fiber_sem_wait(&sem);
}

static struct fiber_once once_x = FIBER_ONCE_INIT;
static struct fiber_once once_y = FIBER_ONCE_INIT;

static void nothing(void *arg)
{
	(void)arg;
}

static void x_needs_y(void *arg)
{
	(void)arg;
	meet(2);
	CHECK_EQ(fiber_once(&once_y, nothing, NULL), 0);
}

static void y_needs_x(void *arg)
{
	(void)arg;
	meet(2);
	CHECK_EQ(fiber_once(&once_x, nothing, NULL), 0);
}

static int begin_y(void *arg)
{
	(void)arg;
	return fiber_once(&once_y, y_needs_x, NULL);
}

static int once_in_once(void *arg)
{
	(void)arg;
	deadlocks_spawn("one", begin_y);
	return fiber_once(&once_x, x_needs_y, NULL);
}

static int event_never_set(void *arg)
{
	(void)arg;
	return fiber_event_wait(&event);
}

static int block_on_never_woken(void *arg)
{
	static _Atomic uint32_t word;

	(void)arg;
	return fiber_block_on(&word, 0, FIBER_FOREVER);
}

static int drain(void *arg)
{
	int value;

	(void)arg;
	while (!fiber_recv(chan, &value))
		;
	return 0;
}

static int closed_too_late(void *arg)
{
	(void)arg;
	chan = deadlocks_chan(4);
	one = deadlocks_spawn("drain", drain);
	CHECK_EQ(fiber_send(chan, &(int){ 1 }), 0);
	CHECK_EQ(join(one), 0);
	return fiber_chan_close(chan);
}

static int work(void *arg)
{
	int value;

	(void)arg;
	while (!fiber_recv(chan, &value))
		CHECK_EQ(fiber_send(results, &value), 0);
	return 0;
}

/* The results are only read when all who send them have ended. */
static int pool_in_wrong_order(void *arg)
{
	struct fiber *pool[3];
	int i;

	(void)arg;
	chan = deadlocks_chan(10);
	results = deadlocks_chan(0);
	for (i = 0; i < 3; i++)
		pool[i] = deadlocks_spawn("worker", work);
	for (i = 0; i < 10; i++)
		CHECK_EQ(fiber_send(chan, &i), 0);
	CHECK_EQ(fiber_chan_close(chan), 0);
	for (i = 0; i < 3; i++)
		CHECK_EQ(join(pool[i]), 0);
	return fiber_recv(results, &i);
}

static int produce(void *arg)
{
	(void)arg;
	return fiber_send(chan, &(int){ 1 });
}

/* Nobody says that there will be no more. */
static int forgotten_close(void *arg)
{
	(void)arg;
	chan = deadlocks_chan(0);
	one = deadlocks_spawn("drain", drain);
	CHECK_EQ(join(deadlocks_spawn("produce", produce)), 0);
	return join(one);
}

#define SEATS 5
static struct fiber_mutex forks[SEATS];
static struct fiber_waitgroup seated = FIBER_WAITGROUP_INIT;

static int dine(void *arg)
{
	struct fiber_mutex *left = arg;
	struct fiber_mutex *right = &forks[(left - forks + 1) % SEATS];

	CHECK_EQ(fiber_mutex_lock(left), 0);
	CHECK_EQ(fiber_waitgroup_done(&seated), 0);
	CHECK_EQ(fiber_waitgroup_wait(&seated), 0);
	return fiber_mutex_lock(right);
}

static int philosophers(void *arg)
{
	struct fiber_attr attr = { .size = sizeof(attr), .name = "thinker" };
	struct fiber *all[SEATS];
	int i;

	(void)arg;
	CHECK_EQ(fiber_waitgroup_add(&seated, SEATS), 0);
	for (i = 0; i < SEATS; i++)
		CHECK_EQ(fiber_spawn(&all[i], dine, &forks[i], &attr), 0);
	for (i = 0; i < SEATS; i++)
		CHECK_EQ(join(all[i]), 0);
	return 0;
}

static int lock_then_send(void *arg)
{
	CHECK_EQ(fiber_mutex_lock(&a), 0);
	return produce(arg);
}

/* What is waited for needs the lock that is held. */
static int receives_with_lock(void *arg)
{
	(void)arg;
	chan = deadlocks_chan(0);
	CHECK_EQ(fiber_mutex_lock(&a), 0);
	deadlocks_spawn("sender", lock_then_send);
	return recv_it(NULL);
}

static int lock_then_signal(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_mutex_lock(&b), 0);
	return fiber_cond_signal(&cond);
}

static int waits_with_second_lock(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_mutex_lock(&a), 0);
	CHECK_EQ(fiber_mutex_lock(&b), 0);
	deadlocks_spawn("signaller", lock_then_signal);
	return fiber_cond_wait(&cond, &a);
}

/* What was waited for before, with a deadline, is not what it waits for. */
static int after_a_deadline(void *arg)
{
	int value;

	(void)arg;
	chan = deadlocks_chan(0);
	one = deadlocks_spawn("producer", produce);
	CHECK_EQ(fiber_recv_until(chan, &value, fiber_after(HOUR)), 0);
	CHECK_EQ(join(one), 0);
	return recv_it(NULL);
}

static int after_a_timer(void *arg)
{
	struct fiber_timer *timer;
	int64_t t;

	(void)arg;
	CHECK_EQ(fiber_timer_new(&timer, fiber_after(MSEC), 0), 0);
	CHECK_EQ(fiber_recv(fiber_timer_chan(timer), &t), 0);
	return fiber_recv(fiber_timer_chan(timer), &t);
}

static int masked(void *arg)
{
	(void)arg;
	fiber_cancel_mask(1);
	return fiber_event_wait(&event);
}

static int cancelled_but_masked(void *arg)
{
	(void)arg;
	one = deadlocks_spawn("masked", masked);
	give_way();
	CHECK_EQ(fiber_cancel(one, 1), 0);
	return join(one);
}

static int pinned(void *arg)
{
	(void)arg;
	fiber_pin();
	return fiber_event_wait(&event);
}

static int sleeps_first(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_sleep(HOUR), 0);
	return fiber_event_wait(&event);
}

static int a_thousand(void *arg)
{
	int i;

	(void)arg;
	CHECK_EQ(fiber_mutex_lock(&a), 0);
	for (i = 0; i < 1000; i++)
		deadlocks_spawn("one of many", lock_and_end);
	return fiber_event_wait(&event);
}

static const struct deadlock_case cases[] = {
#define CASE(fn, who, call)                                   \
	{                                                     \
#fn, CERTAIN, fn, NULL, who, call, 0, 0, NULL \
	}
	CASE(send_without_receiver, "'main'", "fiber_send"),
	CASE(recv_without_sender, "'main'", "fiber_recv"),
	CASE(send_to_full, "'main'", "fiber_send"),
	CASE(select_without_partner, "'main'", "fiber_select"),
	CASE(select_of_null, "'main'", "fiber_select"),
	CASE(lost_wake, "'main'", "fiber_cond_wait"),
	CASE(mutex_ab_ba, "'one'", "fiber_mutex_lock"),
	CASE(mutex_of_three, "'two'", "fiber_mutex_lock"),
	CASE(mutex_owner_ended, "'main'", "fiber_mutex_lock"),
	CASE(rwlock_upgrade, "'main'", "fiber_rwlock_wrlock"),
	CASE(rwlock_read_twice, "'main'", "fiber_rwlock_rdlock"),
	CASE(rwlock_writer_joins, "'reader'", "fiber_rwlock_rdlock"),
	CASE(join_each_other, "'one'", "fiber_join"),
	CASE(join_oneself_by_another, "'two'", "fiber_join"),
	CASE(child_joins_owner, "'main'", "fiber_scope_wait"),
	CASE(child_waits, "'main'", "fiber_scope_wait"),
	CASE(group_never_done, "'main'", "fiber_waitgroup_wait"),
	CASE(too_few_come, "'one'", "fiber_barrier_wait"),
	CASE(semaphore_of_none, "'main'", "fiber_sem_wait"),
	CASE(once_in_once, "'one'", "fiber_once"),
	CASE(event_never_set, "'main'", "fiber_event_wait"),
	CASE(block_on_never_woken, "'main'", "fiber_block_on"),
	CASE(closed_too_late, "'drain'", "fiber_recv"),
	CASE(pool_in_wrong_order, "'worker'", "fiber_send"),
	CASE(forgotten_close, "'drain'", "fiber_recv"),
	CASE(philosophers, "'thinker'", "fiber_mutex_lock"),
	CASE(receives_with_lock, "'sender'", "fiber_mutex_lock"),
	CASE(waits_with_second_lock, "'signaller'", "fiber_mutex_lock"),
	CASE(after_a_deadline, "'main'", "fiber_recv"),
	CASE(after_a_timer, "'main'", "fiber_recv"),
	CASE(cancelled_but_masked, "'masked'", "fiber_event_wait"),
	CASE(pinned, "'main'", "fiber_event_wait"),
	CASE(a_thousand, "'one of many'", "fiber_mutex_lock"),
	{ "virtual_time", CERTAIN, sleeps_first, NULL, "'main'",
	  "fiber_event_wait", 0, FIBER_TEST_CLOCK, NULL },
	{ "migrating", CERTAIN, mutex_of_three, NULL, "'two'",
	  "fiber_mutex_lock", 4, FIBER_TEST_MIGRATE, NULL },
	{ "one_worker", CERTAIN, philosophers, NULL, "'thinker'",
	  "fiber_mutex_lock", 1, 0, NULL },
};

static void all_are_found(void)
{
	deadlocks_score(cases, ARRAY_SIZE(cases));
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(all_are_found),
	};

	return RUN(argc, argv, tests);
}
