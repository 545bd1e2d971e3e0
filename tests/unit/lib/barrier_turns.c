// SPDX-License-Identifier: MIT
/*
 * A barrier opens when all have come, again and again; who leaves has not come.
 */
#include <errno.h>
#include <pthread.h>

#include "fibers.h"

#define PARTIES 5
#define TURNS ROUNDS(1000)

static struct fiber_barrier barrier;
static _Atomic long come, last;

static int take_turns(void *arg)
{
	for (long turn = 1; turn <= TURNS; turn++) {
		int err;

		come++;
		err = fiber_barrier_wait(&barrier);
		CHECK(err == 0 || err == 1);
		last += err;
		/* All of this turn; nobody of the next, before the second. */
		CHECK_EQ(come, turn * PARTIES);
		CHECK(fiber_barrier_wait(&barrier) >= 0);
	}
	(void)arg;
	return 0;
}

static void *thread_takes_turns(void *arg)
{
	CHECK_EQ(take_turns(arg), 0);
	return NULL;
}

static void all_take_turns(void)
{
	struct fiber *fibers[PARTIES];
	pthread_t thread;

	barrier = (struct fiber_barrier)FIBER_BARRIER_INIT(PARTIES);
	come = last = 0;
	CHECK(!pthread_create(&thread, NULL, thread_takes_turns, NULL));
	for (int i = 1; i < PARTIES; i++)
		fibers[i] = spawn(take_turns, NULL);
	for (int i = 1; i < PARTIES; i++)
		CHECK_EQ(join(fibers[i]), 0);
	CHECK(!pthread_join(thread, NULL));
	CHECK_EQ(come, (long)TURNS * PARTIES);
	/* One of each turn is the last. */
	CHECK_EQ(last, TURNS);
}

static void it_opens_again_and_again(void)
{
	run_shapes(0, all_take_turns);
}

static int wait_until(void *arg)
{
	return fiber_barrier_wait_until(&barrier, *(int64_t *)arg);
}

static void leave(void)
{
	int64_t soon = fiber_after(SEC);
	int64_t never = FIBER_FOREVER;
	struct fiber *timed, *cancelled, *other;

	barrier = (struct fiber_barrier)FIBER_BARRIER_INIT(3);
	timed = spawn(wait_until, &soon);
	settle();
	other = spawn(wait_until, &never);
	settle();
	CHECK_EQ(join(timed), -ETIMEDOUT);
	/* It takes two more again. */
	cancelled = spawn(wait_until, &never);
	settle();
	CHECK_EQ(fiber_cancel(cancelled, 1), 0);
	CHECK_EQ(join(cancelled), -ECANCELED);
	CHECK_EQ(fiber_barrier_wait_until(&barrier, fiber_now()), -ETIMEDOUT);
	cancelled = spawn(wait_until, &never);
	settle();
	CHECK_EQ(fiber_try_join(other, NULL), -EAGAIN);
	/* The last one comes in time, whatever its deadline is. */
	CHECK_EQ(fiber_barrier_wait_until(&barrier, 0), 1);
	CHECK_EQ(join(other), 0);
	CHECK_EQ(join(cancelled), 0);
}

static void who_leaves_has_not_come(void)
{
	run_shapes(FIBER_TEST_CLOCK, leave);
}

static void numbers(void)
{
	struct fiber_barrier none = FIBER_BARRIER_INIT(0);
	struct fiber_barrier one = FIBER_BARRIER_INIT(1);

	CHECK_EQ(fiber_barrier_wait(NULL), -EINVAL);
	CHECK_EQ(fiber_barrier_wait_until(NULL, 0), -EINVAL);
	CHECK_EQ(fiber_barrier_wait(&none), -EINVAL);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(fiber_barrier_wait(&one), 1);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(it_opens_again_and_again),
		TEST(who_leaves_has_not_come),
		TEST(numbers),
	};

	return RUN(argc, argv, tests);
}
