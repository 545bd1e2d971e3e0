// SPDX-License-Identifier: MIT
/*
 * Locks for one writer or many readers: nobody beside a writer, and nobody waits
 * for somebody who has left.
 */
#include <errno.h>

#include <fiber/cancel.h>
#include <fiber/sync.h>

#include "core.h"
#include "env.h"
#include "grave.h"

#define WHY 7

static struct fiber_rwlock *lock;
static unsigned int readers, writers, read, written;
static at(uint32_t) users;
static at(uint32_t) second_is_in;
static struct fiber *victim;

static void reset(void)
{
	lock = grave_new(sizeof(*lock));
	readers = writers = read = written = 0;
	at_store(&second_is_in, 0, RELAXED);
}

static void check_free(void)
{
	EXPECT_EQ(fiber_rwlock_unlock(lock), -EPERM);
	EXPECT_EQ(fiber_rwlock_try_wrlock(lock), 0);
	EXPECT_EQ(fiber_rwlock_unlock(lock), 0);
	EXPECT(!lock->opaque[1] && !lock->opaque[2]);
	grave_check();
}

static void as_reader(void)
{
	readers++;
	EXPECT_EQ(writers, 0);
	explore_point("reads");
	explore_point("reads");
	EXPECT_EQ(writers, 0);
	readers--;
	read++;
	EXPECT_EQ(fiber_rwlock_unlock(lock), 0);
}

static void as_writer(void)
{
	EXPECT_EQ(writers++, 0);
	EXPECT_EQ(readers, 0);
	explore_point("writes");
	explore_point("writes");
	EXPECT_EQ(readers, 0);
	EXPECT_EQ(--writers, 0);
	written++;
	EXPECT_EQ(fiber_rwlock_unlock(lock), 0);
}

static void read_twice(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(fiber_rwlock_rdlock(lock), 0);
		as_reader();
	}
}

static void write_twice(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(fiber_rwlock_wrlock(lock), 0);
		EXPECT_EQ(fiber_rwlock_wrlock(lock), -EDEADLK);
		EXPECT_EQ(fiber_rwlock_rdlock(lock), -EDEADLK);
		as_writer();
	}
}

static void usual_shape(void)
{
	reset();
	explore_add_fiber("reader 0", read_twice, NULL);
	explore_add_client("reader 1", read_twice, NULL);
	explore_add_fiber("reader 2", read_twice, NULL);
	explore_add_fiber("writer 0", write_twice, NULL);
	explore_add_client("writer 1", write_twice, NULL);
	explore_run();
	EXPECT_EQ(read, 6);
	EXPECT_EQ(written, 4);
	check_free();
}

static int64_t soon(void)
{
	return explore_now() + explore_choose(20);
}

static void read_in_time(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < 2; i++) {
		int err = fiber_rwlock_rdlock_until(lock, soon());

		EXPECT(!err || err == -ETIMEDOUT);
		if (!err)
			as_reader();
		err = fiber_rwlock_try_rdlock(lock);
		EXPECT(!err || err == -EAGAIN);
		if (!err)
			as_reader();
	}
}

static void write_in_time(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < 2; i++) {
		int err = fiber_rwlock_wrlock_until(lock, soon());

		EXPECT(!err || err == -ETIMEDOUT);
		if (!err)
			as_writer();
		err = fiber_rwlock_try_wrlock(lock);
		EXPECT(!err || err == -EAGAIN);
		if (!err)
			as_writer();
	}
}

static void deadline_shape(void)
{
	reset();
	explore_add_clock();
	explore_add_fiber("reader", read_twice, NULL);
	explore_add_fiber("writer", write_twice, NULL);
	explore_add_fiber("reader in time", read_in_time, NULL);
	explore_add_client("writer in time", write_in_time, NULL);
	explore_run();
	EXPECT(read >= 2);
	EXPECT(written >= 2);
	check_free();
}

static void write_or_leave(void *arg)
{
	int err = arg ? fiber_rwlock_wrlock_until(lock, soon()) :
			fiber_rwlock_wrlock(lock);

	if (!err)
		as_writer();
	else
		EXPECT(err == -ECANCELED || (arg && err == -ETIMEDOUT));
}

static void read_until_cancelled(void *arg)
{
	int err;

	(void)arg;
	while (!(err = fiber_rwlock_rdlock(lock)))
		as_reader();
	EXPECT_EQ(err, -ECANCELED);
}

static void cancel_shape(void)
{
	bool writes = explore_choose(2);

	reset();
	explore_add_fiber("reader", read_twice, NULL);
	explore_add_fiber("writer", write_twice, NULL);
	victim = explore_add_fiber(
		"victim", writes ? write_or_leave : read_until_cancelled, NULL);
	explore_add_canceller(&victim, WHY);
	explore_run();
	check_free();
}

/*
 * The first reader goes only when the second is in, which may wait for a writer
 * that leaves.
 */
static void read_first(void *arg)
{
	(void)arg;
	while (!at_load(&second_is_in, ACQUIRE))
		explore_wait_other(&second_is_in, "for the second");
	as_reader();
}

static void read_second(void *arg)
{
	(void)arg;
	EXPECT_EQ(fiber_rwlock_rdlock(lock), 0);
	readers++;
	at_store(&second_is_in, 1, RELEASE);
	readers--;
	as_reader();
}

static void has_it_and_goes(void *arg)
{
	EXPECT_EQ(fiber_rwlock_rdlock(lock), 0);
	at_add(&users, 1);
	read_first(arg);
}

static void write_third(void *arg)
{
	int err;

	(void)arg;
	/* Once the first has it. */
	while (!at_load(&users, ACQUIRE))
		explore_wait_other(&users, "for the first");
	err = fiber_rwlock_wrlock_until(lock, soon());
	EXPECT(!err || err == -ETIMEDOUT);
	if (!err)
		as_writer();
}

static void leaving_shape(void)
{
	reset();
	at_store(&users, 0, RELAXED);
	explore_add_clock();
	explore_add_fiber("first", has_it_and_goes, NULL);
	explore_add_fiber("second", read_second, NULL);
	explore_add_fiber("writer 0", write_third, NULL);
	explore_add_client("writer 1", write_third, NULL);
	explore_run();
	EXPECT_EQ(read, 2);
	check_free();
}

static void use_and_bury(void *arg)
{
	if (arg) {
		EXPECT_EQ(fiber_rwlock_wrlock(lock), 0);
		EXPECT_EQ(readers, 0);
	} else {
		EXPECT_EQ(fiber_rwlock_rdlock(lock), 0);
	}
	/* The last one is the last to have it only if it is for itself. */
	if (at_add(&users, -1) != 1) {
		EXPECT_EQ(fiber_rwlock_unlock(lock), 0);
		return;
	}
	EXPECT_EQ(fiber_rwlock_unlock(lock), 0);
	/* Readers that had it beside this one may have it still. */
	EXPECT_EQ(fiber_rwlock_wrlock(lock), 0);
	EXPECT_EQ(fiber_rwlock_unlock(lock), 0);
	grave_bury(lock);
}

static void bury_shape(void)
{
	reset();
	at_store(&users, 3, RELAXED);
	explore_add_fiber("user 0", use_and_bury, NULL);
	explore_add_fiber("user 1", use_and_bury, &lock);
	explore_add_client("user 2", use_and_bury,
			   explore_choose(2) ? &lock : NULL);
	explore_run();
	grave_check();
}

static void readers_and_writers(void)
{
	EXPLORE(usual_shape, 8000);
}

static void against_deadlines(void)
{
	EXPLORE(deadline_shape, 30000);
}

static void against_cancellation(void)
{
	EXPLORE(cancel_shape, 8000);
}

static void a_writer_leaves(void)
{
	EXPLORE(leaving_shape, 8000);
}

static void given_back_by_the_last(void)
{
	EXPLORE(bury_shape, 8000);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(readers_and_writers),    TEST(against_deadlines),
		TEST(against_cancellation),   TEST(a_writer_leaves),
		TEST(given_back_by_the_last),
	};

	return EXPLORE_RUN(argc, argv, tests);
}
