// SPDX-License-Identifier: MIT
/*
 * Every wait of what synchronises ends when its fiber is cancelled, and when its
 * deadline comes, and leaves the object as it was.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fibers.h"

#define WHY 5

static struct fiber_mutex mutex;
static struct fiber_cond cond;
static struct fiber_rwlock readers, writer;
static struct fiber_sem sem;
static struct fiber_waitgroup group;
static struct fiber_once once;
static struct fiber_barrier barrier = FIBER_BARRIER_INIT(2);
static struct fiber_event event;
static FIBER_WORD word;
static struct fiber_event let_go;

static int wait_mutex(int64_t t)
{
	return t == FIBER_FOREVER ? fiber_mutex_lock(&mutex) :
				    fiber_mutex_lock_until(&mutex, t);
}

static int wait_cond(int64_t t)
{
	struct fiber_mutex own = FIBER_MUTEX_INIT;
	int err;

	/* That one lock is not cancelled, or the other wait is not looked at. */
	CHECK_EQ(fiber_mutex_try_lock(&own), 0);
	err = t == FIBER_FOREVER ? fiber_cond_wait(&cond, &own) :
				   fiber_cond_wait_until(&cond, &own, t);
	CHECK_EQ(fiber_mutex_unlock(&own), 0);
	return err;
}

static int wait_read(int64_t t)
{
	return t == FIBER_FOREVER ? fiber_rwlock_rdlock(&writer) :
				    fiber_rwlock_rdlock_until(&writer, t);
}

static int wait_write(int64_t t)
{
	return t == FIBER_FOREVER ? fiber_rwlock_wrlock(&readers) :
				    fiber_rwlock_wrlock_until(&readers, t);
}

static int wait_sem(int64_t t)
{
	return t == FIBER_FOREVER ? fiber_sem_wait(&sem) :
				    fiber_sem_wait_until(&sem, t);
}

static int wait_group(int64_t t)
{
	return t == FIBER_FOREVER ? fiber_waitgroup_wait(&group) :
				    fiber_waitgroup_wait_until(&group, t);
}

static int wait_barrier(int64_t t)
{
	return t == FIBER_FOREVER ? fiber_barrier_wait(&barrier) :
				    fiber_barrier_wait_until(&barrier, t);
}

static int wait_event(int64_t t)
{
	return t == FIBER_FOREVER ? fiber_event_wait(&event) :
				    fiber_event_wait_until(&event, t);
}

static int wait_block(int64_t t)
{
	return fiber_block_on(&word, 0, t);
}

static int (*const waits[])(int64_t) = {
	wait_mutex, wait_cond,	  wait_read,  wait_write, wait_sem,
	wait_group, wait_barrier, wait_event, wait_block,
};

struct call {
	int (*wait)(int64_t);
	int64_t deadline;
};

static int do_call(void *arg)
{
	struct call *call = arg;

	return call->wait(call->deadline);
}

/* So that all of them wait. */
static void hold(void)
{
	CHECK_EQ(fiber_mutex_lock(&mutex), 0);
	CHECK_EQ(fiber_rwlock_rdlock(&readers), 0);
	CHECK_EQ(fiber_rwlock_wrlock(&writer), 0);
	CHECK_EQ(fiber_waitgroup_add(&group, 1), 0);
}

/* Nobody is queued, and all is as it was. */
static void let_all_go(void)
{
	static const struct fiber_mutex no_mutex;
	static const struct fiber_rwlock no_lock;

	CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
	CHECK_EQ(fiber_rwlock_unlock(&readers), 0);
	CHECK_EQ(fiber_rwlock_unlock(&writer), 0);
	CHECK_EQ(fiber_waitgroup_done(&group), 0);
	CHECK(!memcmp(&mutex, &no_mutex, sizeof(mutex)));
	CHECK(!memcmp(&readers, &no_lock, sizeof(readers)));
	CHECK(!memcmp(&writer, &no_lock, sizeof(writer)));
	CHECK_EQ(group.opaque[0] | group.opaque[1], 0);
	CHECK_EQ(fiber_sem_post(&sem), 0);
	CHECK_EQ(fiber_sem_try_wait(&sem), 0);
	CHECK_EQ(fiber_sem_try_wait(&sem), -EAGAIN);
	CHECK_EQ(sem.opaque[1] | cond.opaque[1] | event.opaque[1], 0);
	CHECK_EQ(barrier.opaque[0], 2);
	CHECK_EQ(barrier.opaque[1], 0);
	CHECK_EQ(fiber_wake(&word, INT32_MAX), 0);
}

static void cancel_each(bool settled)
{
	hold();
	for (size_t i = 0; i < 2 * ARRAY_SIZE(waits); i++) {
		struct call call = {
			waits[i / 2],
			i % 2 ? FIBER_FOREVER : fiber_after(HOUR),
		};
		struct fiber *fiber = spawn(do_call, &call);
		int64_t start;

		if (settled)
			settle();
		start = fiber_now();
		CHECK_EQ(fiber_cancel(fiber, WHY), 0);
		CHECK_EQ(join(fiber), -ECANCELED);
		CHECK_EQ(fiber_now(), start);
	}
	let_all_go();
}

static void while_waiting(void)
{
	cancel_each(true);
}

static void at_any_time(void)
{
	for (int i = 0; i < ROUNDS(50); i++)
		cancel_each(false);
}

static void cancelled_while_waiting(void)
{
	run_shapes(FIBER_TEST_CLOCK, while_waiting);
}

static void cancelled_at_any_time(void)
{
	run_shapes(FIBER_TEST_CLOCK, at_any_time);
}

static int every_call(void *arg)
{
	int64_t start = fiber_now();

	(void)arg;
	CHECK_EQ(fiber_cancel(fiber_self(), WHY), 0);
	for (size_t i = 0; i < ARRAY_SIZE(waits); i++) {
		CHECK_EQ(waits[i](FIBER_FOREVER), -ECANCELED);
		CHECK_EQ(waits[i](start + HOUR), -ECANCELED);
		CHECK_EQ(waits[i](start), -ECANCELED);
	}
	CHECK_EQ(fiber_once(&once, (void (*)(void *))abort, NULL), -ECANCELED);
	CHECK_EQ(fiber_now(), start);
	return 0;
}

/* Each could be done at once. */
static void later_calls(void)
{
	CHECK_EQ(join(spawn(every_call, NULL)), 0);
	hold();
	CHECK_EQ(join(spawn(every_call, NULL)), 0);
	let_all_go();
}

static void the_cancelled_do_not_wait(void)
{
	run_shapes(FIBER_TEST_CLOCK, later_calls);
}

static void time_out_each(void)
{
	hold();
	for (size_t i = 0; i < ARRAY_SIZE(waits); i++) {
		struct call call = { waits[i], fiber_now() };

		CHECK_EQ(join(spawn(do_call, &call)), -ETIMEDOUT);
		CHECK_EQ(fiber_now(), call.deadline);
		call.deadline = fiber_after(SEC);
		CHECK_EQ(join(spawn(do_call, &call)), -ETIMEDOUT);
		CHECK_EQ(fiber_now(), call.deadline);
	}
	let_all_go();
}

static void deadlines_come(void)
{
	run_shapes(FIBER_TEST_CLOCK, time_out_each);
}

/* By a thread, for which the kernel looks after the time. */
static void deadlines_of_threads(void)
{
	/* Of the one that it waits for, this thread is not the owner. */
	hold();
	for (size_t i = 0; i < ARRAY_SIZE(waits); i++) {
		int64_t t = fiber_after(2 * MSEC);

		if (waits[i] == wait_mutex || waits[i] == wait_read)
			continue;
		CHECK_EQ(waits[i](t), -ETIMEDOUT);
		CHECK(fiber_now() >= t);
		CHECK_EQ(waits[i](0), -ETIMEDOUT);
	}
	let_all_go();
}

static void in_once(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_event_wait(&let_go), 0);
}

static int call_once(void *arg)
{
	return fiber_once(&once, in_once, arg);
}

/* Who waits for another to do it leaves; who does it does not end. */
static void leave_once(void)
{
	struct fiber *caller, *waiter;

	once = (struct fiber_once)FIBER_ONCE_INIT;
	let_go = (struct fiber_event)FIBER_EVENT_INIT;
	caller = spawn(call_once, NULL);
	settle();
	waiter = spawn(call_once, NULL);
	settle();
	CHECK_EQ(fiber_cancel(waiter, WHY), 0);
	CHECK_EQ(join(waiter), -ECANCELED);
	CHECK_EQ(fiber_event_set(&let_go), 0);
	CHECK_EQ(join(caller), 0);
	CHECK_EQ(once.opaque[1], 0);
	once = (struct fiber_once)FIBER_ONCE_INIT;
}

static void once_is_left(void)
{
	run_shapes(FIBER_TEST_CLOCK, leave_once);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(cancelled_while_waiting),	 TEST(cancelled_at_any_time),
		TEST(the_cancelled_do_not_wait), TEST(deadlines_come),
		TEST(deadlines_of_threads),	 TEST(once_is_left),
	};

	return RUN(argc, argv, tests);
}
