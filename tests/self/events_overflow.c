// SPDX-License-Identifier: MIT
/*
 * A subscriber that does not read loses events, and is told so; it slows
 * nobody and leaves nothing behind.
 */
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "self.h"

#define FORKS_MAX 5000
#define RCVBUF 2048
#define OFF_NS (10 * SECOND)

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

static bool overflow(struct nl *nl)
{
	int size = RCVBUF, err;
	socklen_t len = sizeof(err);

	setsockopt(nl->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	for (int i = 0; i < FORKS_MAX; i++) {
		child_run(nothing, NULL);
		err = 0;
		if (i % 8 == 7 &&
		    !getsockopt(nl->fd, SOL_SOCKET, SO_ERROR, &err, &len) &&
		    err)
			return err == ENOBUFS;
	}
	return false;
}

TEST_F_TIMEOUT(fiber, told, SLOW_S)
{
	struct event e;
	uint64_t dropped = 0;
	int got;

	ASSERT_EQ(0, subscribe(&self->nl, 0, 0));
	ASSERT_TRUE(overflow(&self->nl));
	while ((got = event_next(&self->nl, &e, 500)) == 1 || got == -ENOBUFS)
		if (got == 1)
			dropped = e.dropped;
	EXPECT_EQ(0, got);
	/* What is sent from now on says how many were missed. */
	ASSERT_EQ(0, child_run(nothing, NULL));
	while (event_next(&self->nl, &e, 500) == 1) {
		EXPECT_LE(dropped, e.dropped);
		dropped = e.dropped;
	}
	EXPECT_LT(0, dropped);
}

/* Another subscriber does not suffer. */
TEST_F_TIMEOUT(fiber, others_unharmed, SLOW_S)
{
	struct event e;
	struct nl deaf;
	int size = 1 << 20, exits = 0;

	ASSERT_EQ(0, ask_open(&deaf));
	ASSERT_EQ(0, subscribe(&deaf, 0, 0));
	ASSERT_TRUE(overflow(&deaf));
	setsockopt(self->nl.fd, SOL_SOCKET, SO_RCVBUFFORCE, &size,
		   sizeof(size));
	ASSERT_EQ(0, subscribe(&self->nl, FIBER_EVENT_MASK_EXIT, 0));
	for (int i = 0; i < 20; i++)
		ASSERT_EQ(0, child_run(nothing, NULL));
	while (event_next(&self->nl, &e, 500) == 1) {
		exits++;
		EXPECT_EQ(0, e.dropped);
	}
	EXPECT_LE(20, exits);
}

struct deaf {
	struct gate ready;
};

static int subscribe_and_sleep(void *arg)
{
	struct deaf *deaf = arg;
	struct nl nl;

	if (ask_open(&nl) || subscribe(&nl, 0, 0))
		return 1;
	gate_open(&deaf->ready, 1);
	return sleep_for_ever(NULL);
}

TEST_F_TIMEOUT(fiber, killed, SLOW_S)
{
	struct deaf deaf;
	struct info info;
	uint64_t begin;
	pid_t pid;

	ASSERT_TRUE(gate_make(&deaf.ready));
	pid = child_start(subscribe_and_sleep, &deaf);
	ASSERT_TRUE(gate_wait_ms(&deaf.ready, 10000));
	ASSERT_EQ(0, info_get(&self->nl, &info));
	EXPECT_EQ(1, info.subscribers);
	EXPECT_NE(0, info.probes);
	for (int i = 0; i < 20; i++)
		child_run(nothing, NULL);
	child_kill(pid);
	for (begin = now_ns(); now_ns() - begin < OFF_NS; sleep_ns(20 * MS))
		if (!info_get(&self->nl, &info) && !info.probes)
			break;
	EXPECT_EQ(0, info.probes);
	EXPECT_EQ(0, info.subscribers);
}

TEST_F_TIMEOUT(fiber, limits, SLOW_S)
{
	struct info info;
	struct nl nl[65];
	uint32_t n = 0;
	int err = 0;

	ASSERT_EQ(0, info_get(&self->nl, &info));
	for (; n < 65 && !err; n++) {
		ASSERT_EQ(0, ask_open(&nl[n]));
		err = subscribe(&nl[n], FIBER_EVENT_MASK_EXEC, 0);
	}
	EXPECT_EQ(-EDQUOT, err);
	EXPECT_EQ(info.subscribers_user_max + 1, n);
	EXPECT_NE('\0', nl[n - 1].sentence[0]);
}

TEST_HARNESS_MAIN
