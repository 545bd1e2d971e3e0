// SPDX-License-Identifier: MIT
/*
 * Work that comes while workers sleep wakes one, whoever brings it.
 *
 * Who brings it then computes, without a call of the library, until somebody
 * else has done the work.
 */
#include <unistd.h>

#include "harness.h"
#include "runtime.h"

/* Enough for pauses after which a worker sleeps. */
#define ROUNDS (TEST_SLOWER > 1 ? 25 : 50)

static atomic_int done;

static void do_work(void *arg)
{
	(void)arg;
	atomic_store(&done, 1);
}

static int do_work_and_return(void *arg)
{
	do_work(arg);
	return 0;
}

static void burn_until_done(void)
{
	while (!atomic_load(&done))
		;
	atomic_store(&done, 0);
}

/* From a spinning worker to a sleeping one, every length of a pause. */
static void pause_for(int round)
{
	usleep(round * 40);
}

static int spawn_beside(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < ROUNDS; i++) {
		pause_for(i);
		CHECK_EQ(fiber_go(do_work, NULL), 0);
		burn_until_done();
	}
	CHECK(runtime_status().wakes > 0);
	return 0;
}

static void by_a_fiber_that_is_spawned(void)
{
	runtime_run(2, 0, spawn_beside, NULL);
	runtime_run(4, 0, spawn_beside, NULL);
}

static int work_for_each(void *chan)
{
	while (fiber_recv(chan, NULL) == 0)
		do_work(NULL);
	return 0;
}

static int wake_beside(void *arg)
{
	struct fiber_chan *chan;
	struct fiber *fiber;
	int i;

	(void)arg;
	CHECK_EQ(fiber_chan_new(&chan, 0, 0, NULL), 0);
	fiber = runtime_spawn(work_for_each, chan);
	for (i = 0; i < ROUNDS; i++) {
		pause_for(i);
		CHECK_EQ(fiber_send(chan, NULL), 0);
		burn_until_done();
	}
	CHECK_EQ(fiber_chan_close(chan), 0);
	CHECK_EQ(runtime_join(fiber), 0);
	fiber_chan_put(chan);
	return 0;
}

static void by_a_fiber_that_is_woken(void)
{
	runtime_run(2, 0, wake_beside, NULL);
	runtime_run(4, 0, wake_beside, NULL);
}

static void by_a_thread_that_spawns(void)
{
	int i;

	runtime_start(2, 0);
	for (i = 0; i < ROUNDS; i++) {
		pause_for(i);
		CHECK_EQ(fiber_go(do_work, NULL), 0);
		burn_until_done();
		pause_for(i);
		CHECK_EQ(runtime_join(runtime_spawn(do_work_and_return, NULL)),
			 0);
		burn_until_done();
	}
	runtime_stop();
}

static void by_a_thread_that_sends(void)
{
	struct fiber_chan *chan;
	struct fiber *fiber;
	int i;

	runtime_start(2, 0);
	CHECK_EQ(fiber_chan_new(&chan, 0, 0, NULL), 0);
	fiber = runtime_spawn(work_for_each, chan);
	for (i = 0; i < ROUNDS; i++) {
		pause_for(i);
		CHECK_EQ(fiber_send(chan, NULL), 0);
		burn_until_done();
	}
	CHECK_EQ(fiber_chan_close(chan), 0);
	CHECK_EQ(runtime_join(fiber), 0);
	fiber_chan_put(chan);
	runtime_stop();
}

static int sleep_long(void *arg)
{
	(void)arg;
	CHECK(fiber_sleep(3600 * RUNTIME_SECOND) < 0);
	do_work(NULL);
	return 0;
}

static void by_a_cancellation(void)
{
	int i;

	runtime_start(2, 0);
	for (i = 0; i < ROUNDS; i++) {
		struct fiber *fiber = runtime_spawn(sleep_long, NULL);

		pause_for(i);
		CHECK_EQ(fiber_cancel(fiber, 1), 0);
		burn_until_done();
		CHECK_EQ(runtime_join(fiber), 0);
	}
	runtime_stop();
}

/* An earlier deadline than the one that somebody sleeps for. */
static int sleep_shortly(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_sleep(RUNTIME_MS), 0);
	do_work(NULL);
	return 0;
}

static void by_an_earlier_deadline(void)
{
	struct fiber *late[10];
	int i;

	runtime_start(2, 0);
	for (i = 0; i < 10; i++)
		late[i] = runtime_spawn(sleep_long, NULL);
	for (i = 0; i < ROUNDS; i++) {
		pause_for(i);
		fiber_put(runtime_spawn(sleep_shortly, NULL));
		burn_until_done();
	}
	for (i = 0; i < 10; i++) {
		CHECK_EQ(fiber_cancel(late[i], 1), 0);
		CHECK_EQ(runtime_join(late[i]), 0);
	}
	runtime_stop();
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(by_a_fiber_that_is_spawned),
		TEST(by_a_fiber_that_is_woken),
		TEST(by_a_thread_that_spawns),
		TEST(by_a_thread_that_sends),
		TEST(by_a_cancellation),
		TEST(by_an_earlier_deadline),
	};

	return RUN(argc, argv, tests);
}
