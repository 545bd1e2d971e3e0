// SPDX-License-Identifier: MIT
/*
 * A subscription begins with the subscription: what happened before it is not
 * told, also when another subscriber had it written down already. And it is
 * about a process: a thread's number does not name one.
 *
 * Method: while others fork without pause and somebody else listens, subscribe
 * again and again, and hold the first event against the time before the call.
 */
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "self.h"

#define ROUNDS 200
#define PATIENCE_MS 5000

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

static int fork_for_ever(void *arg)
{
	(void)arg;
	for (;;)
		child_run(nothing, NULL);
	return 0;
}

static uint64_t boottime_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec * SECOND + t.tv_nsec;
}

TEST_F_TIMEOUT(fiber, nothing_from_before, SLOW_S)
{
	pid_t storm = child_start(fork_for_ever, NULL);
	struct nl listener;
	int told = 0;

	ASSERT_EQ(0, ask_open(&listener));
	ASSERT_EQ(0, subscribe(&listener, 0, 0));
	for (int i = 0; i < ROUNDS; i++) {
		struct event e;
		uint64_t before;
		struct nl nl;

		ASSERT_EQ(0, ask_open(&nl));
		before = boottime_ns();
		ASSERT_EQ(0, subscribe(&nl, 0, 0));
		if (event_next(&nl, &e, PATIENCE_MS) == 1) {
			told++;
			EXPECT_LE(before, e.time_ns);
		}
		ask_close(&nl);
	}
	EXPECT_LT(ROUNDS / 2, told);
	child_kill(storm);
	ask_close(&listener);
}

static void *tell_tid(void *arg)
{
	*(pid_t *)arg = gettid_();
	return sleep_for_ever_thread(NULL);
}

TEST_F(fiber, a_thread_is_no_process)
{
	pid_t *tid = share(sizeof(*tid));

	ASSERT_TRUE(threads_start(1, tell_tid, tid));
	while (!__atomic_load_n(tid, __ATOMIC_RELAXED))
		usleep(1000);
	EXPECT_EQ(-ESRCH, subscribe(&self->nl, 0, *tid));
	EXPECT_NE('\0', self->nl.sentence[0]);
	EXPECT_EQ(0, subscribe(&self->nl, 0, getpid()));
}

TEST_HARNESS_MAIN
