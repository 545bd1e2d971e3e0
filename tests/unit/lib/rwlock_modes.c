// SPDX-License-Identifier: MIT
/*
 * Many readers or one writer; who comes while a writer waits, and who leaves.
 */
#include <errno.h>
#include <string.h>

#include "fibers.h"

static struct fiber_rwlock lock = FIBER_RWLOCK_INIT;
static struct fiber_event go_on;
static char order[16];
static int nr_order;

static void note(char c)
{
	order[nr_order++] = c;
	order[nr_order] = 0;
}

static int reader(void *arg)
{
	CHECK_EQ(fiber_rwlock_rdlock(&lock), 0);
	note(*(char *)arg);
	CHECK_EQ(fiber_event_wait(&go_on), 0);
	CHECK_EQ(fiber_rwlock_unlock(&lock), 0);
	return 0;
}

static int writer(void *arg)
{
	CHECK_EQ(fiber_rwlock_wrlock(&lock), 0);
	note(*(char *)arg);
	CHECK_EQ(fiber_rwlock_wrlock(&lock), -EDEADLK);
	CHECK_EQ(fiber_rwlock_rdlock(&lock), -EDEADLK);
	CHECK_EQ(fiber_rwlock_try_wrlock(&lock), -EDEADLK);
	CHECK_EQ(fiber_rwlock_try_rdlock(&lock), -EDEADLK);
	CHECK_EQ(fiber_event_wait(&go_on), 0);
	CHECK_EQ(fiber_rwlock_unlock(&lock), 0);
	return 0;
}

static int try_both(void *arg)
{
	int want_read = ((int *)arg)[0];
	int want_write = ((int *)arg)[1];
	int err = fiber_rwlock_try_rdlock(&lock);

	CHECK_EQ(err, want_read);
	if (!err)
		CHECK_EQ(fiber_rwlock_unlock(&lock), 0);
	err = fiber_rwlock_try_wrlock(&lock);
	CHECK_EQ(err, want_write);
	if (!err)
		CHECK_EQ(fiber_rwlock_unlock(&lock), 0);
	return 0;
}

static void expect_try(int want_read, int want_write)
{
	int want[] = { want_read, want_write };

	CHECK_EQ(join(spawn(try_both, want)), 0);
}

static void start(const char *who)
{
	nr_order = 0;
	order[0] = 0;
	go_on = (struct fiber_event)FIBER_EVENT_INIT;
	for (; *who; who++) {
		CHECK_EQ(fiber_go((void (*)(void *))(
					  void *)(*who < 'a' ? writer : reader),
				  (void *)who),
			 0);
		settle();
	}
}

static void finish(void)
{
	CHECK_EQ(fiber_event_set(&go_on), 0);
	/* After all the others. */
	while (fiber_rwlock_try_wrlock(&lock))
		settle();
	CHECK_EQ(fiber_rwlock_unlock(&lock), 0);
	CHECK_EQ(fiber_rwlock_unlock(&lock), -EPERM);
	CHECK_EQ(lock.opaque[0] | lock.opaque[1] | lock.opaque[2], 0);
}

static void modes(void)
{
	expect_try(0, 0);
	start("abc");
	CHECK(!strcmp(order, "abc"));
	expect_try(0, -EAGAIN);
	finish();
	start("A");
	CHECK(!strcmp(order, "A"));
	expect_try(-EAGAIN, -EAGAIN);
	CHECK_EQ(fiber_rwlock_unlock(&lock), -EPERM);
	finish();
	/* A writer that waits keeps readers out. */
	start("aAb");
	CHECK(!strcmp(order, "a"));
	expect_try(-EAGAIN, -EAGAIN);
	finish();
	CHECK(!strcmp(order, "aAb"));
}

static void many_readers_or_one_writer(void)
{
	run_shapes(FIBER_TEST_CLOCK, modes);
}

/* A writer has it; readers that wait are before the next writer. */
static void turns(void)
{
	start("AbBcC");
	CHECK(!strcmp(order, "A"));
	finish();
	CHECK(!strcmp(order, "AbcBC"));
	/* Readers have it, then a writer, then all readers. */
	start("aAbBc");
	CHECK(!strcmp(order, "a"));
	finish();
	CHECK(!strcmp(order, "aAbcB"));
}

static void they_take_turns(void)
{
	run_with(1, FIBER_TEST_CLOCK, turns);
}

static int write_until(void *arg)
{
	return fiber_rwlock_wrlock_until(&lock, *(int64_t *)arg);
}

/* Readers who wait for the writer only go on when it leaves. */
static void leave(bool cancelled)
{
	int64_t t = cancelled ? FIBER_FOREVER : fiber_after(SEC);
	struct fiber *fiber;
	char names[] = "bcd";

	start("a");
	fiber = spawn(write_until, &t);
	settle();
	for (int i = 0; i < 3; i++)
		CHECK_EQ(fiber_go((void (*)(void *))(void *)reader, &names[i]),
			 0);
	settle();
	CHECK(!strcmp(order, "a"));
	if (cancelled)
		CHECK_EQ(fiber_cancel(fiber, 1), 0);
	CHECK_EQ(join(fiber), cancelled ? -ECANCELED : -ETIMEDOUT);
	settle();
	CHECK_EQ(nr_order, 4);
	finish();
}

static void leave_twice(void)
{
	leave(false);
	leave(true);
}

static void a_writer_that_leaves_lets_readers_in(void)
{
	/* They note their names at the same time. */
	run_with(1, FIBER_TEST_CLOCK, leave_twice);
}

static int many_read(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_rwlock_rdlock(&lock), 0);
	CHECK_EQ(fiber_rwlock_unlock(&lock), 0);
	return 0;
}

/* More than are let in under one hold of the lock inside. */
static void crowd(void)
{
	struct fiber *fibers[300];

	CHECK_EQ(fiber_rwlock_wrlock(&lock), 0);
	for (size_t i = 0; i < ARRAY_SIZE(fibers); i++)
		fibers[i] = spawn(many_read, NULL);
	settle();
	CHECK_EQ(fiber_rwlock_unlock(&lock), 0);
	for (size_t i = 0; i < ARRAY_SIZE(fibers); i++)
		CHECK_EQ(join(fibers[i]), 0);
	CHECK_EQ(fiber_rwlock_try_wrlock(&lock), 0);
	CHECK_EQ(fiber_rwlock_unlock(&lock), 0);
}

static void a_crowd_of_readers(void)
{
	run_shapes(FIBER_TEST_CLOCK, crowd);
}

static void null_is_refused(void)
{
	CHECK_EQ(fiber_rwlock_rdlock(NULL), -EINVAL);
	CHECK_EQ(fiber_rwlock_rdlock_until(NULL, 0), -EINVAL);
	CHECK_EQ(fiber_rwlock_try_rdlock(NULL), -EINVAL);
	CHECK_EQ(fiber_rwlock_wrlock(NULL), -EINVAL);
	CHECK_EQ(fiber_rwlock_wrlock_until(NULL, 0), -EINVAL);
	CHECK_EQ(fiber_rwlock_try_wrlock(NULL), -EINVAL);
	CHECK_EQ(fiber_rwlock_unlock(NULL), -EINVAL);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(many_readers_or_one_writer),
		TEST(they_take_turns),
		TEST(a_writer_that_leaves_lets_readers_in),
		TEST(a_crowd_of_readers),
		TEST(null_is_refused),
	};

	return RUN(argc, argv, tests);
}
