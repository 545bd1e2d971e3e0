// SPDX-License-Identifier: MIT
/*
 * A subscriber has the events it asked for, of tasks that it may see, numbered
 * for its pid namespace.
 */
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include "self.h"

#define QUIET_MS 400

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

static int nothing_as_user(void *arg)
{
	(void)arg;
	return become(USER_ID) ? 0 : 1;
}

struct seen {
	int total, by_type[FIBER_EVENT_TYPE_END + 1], foreign;
};

static struct seen drain(struct nl *nl, uint32_t uid)
{
	struct seen seen = { 0 };
	struct event e;

	while (event_next(nl, &e, QUIET_MS) == 1) {
		seen.total++;
		if (e.type <= FIBER_EVENT_TYPE_END)
			seen.by_type[e.type]++;
		seen.foreign += e.uid != uid;
	}
	return seen;
}

TEST_F_TIMEOUT(fiber, by_type, SLOW_S)
{
	struct seen seen;

	ASSERT_EQ(0, subscribe(&self->nl, FIBER_EVENT_MASK_FORK, 0));
	for (int i = 0; i < 5; i++)
		ASSERT_EQ(0, child_run(nothing, NULL));
	seen = drain(&self->nl, 0);
	EXPECT_LE(5, seen.by_type[FIBER_EVENT_TYPE_FORK]);
	EXPECT_EQ(seen.total, seen.by_type[FIBER_EVENT_TYPE_FORK]);
}

/* With a pid: what that process does, and not what others do. */
TEST_F_TIMEOUT(fiber, by_pid, SLOW_S)
{
	struct event e;
	pid_t pid = child_start(sleep_for_ever, NULL);

	ASSERT_EQ(0, subscribe(&self->nl, 0, pid));
	for (int i = 0; i < 5; i++)
		ASSERT_EQ(0, child_run(nothing, NULL));
	child_kill(pid);
	ASSERT_EQ(1, event_next(&self->nl, &e, 5000));
	EXPECT_EQ(FIBER_EVENT_TYPE_EXIT, e.type);
	EXPECT_EQ(pid, e.pid);
	EXPECT_EQ(0, event_next(&self->nl, &e, QUIET_MS));
}

TEST_F_TIMEOUT(fiber, by_uid, SLOW_S)
{
	struct nl_msg *msg = ask_new(&self->nl, FIBER_CMD_SUBSCRIBE, NLM_F_ACK);
	struct seen seen;

	nla_put_u32(msg, FIBER_A_EVENT_UID, USER_ID);
	ASSERT_EQ(0, ask(&self->nl, msg, NULL, NULL));
	ASSERT_EQ(0, child_run(nothing, NULL));
	ASSERT_EQ(0, child_run(nothing_as_user, NULL));
	seen = drain(&self->nl, USER_ID);
	EXPECT_EQ(1, seen.total);
	EXPECT_EQ(1, seen.by_type[FIBER_EVENT_TYPE_EXIT]);
	EXPECT_EQ(0, seen.foreign);
}

TEST_F_TIMEOUT(fiber, unsubscribed, SLOW_S)
{
	struct seen seen;

	ASSERT_EQ(0, subscribe(&self->nl, 0, 0));
	ASSERT_EQ(0, unsubscribe(&self->nl));
	drain(&self->nl, 0);
	ASSERT_EQ(0, child_run(nothing, NULL));
	seen = drain(&self->nl, 0);
	EXPECT_EQ(0, seen.total);
}

struct user {
	struct gate ready, go, done;
	struct seen seen;
};

static int listen_as_user(void *arg)
{
	struct user *u = arg;
	struct nl nl;

	if (!become(USER_ID) || ask_open(&nl) || subscribe(&nl, 0, 0))
		return 1;
	gate_open(&u->ready, 1);
	gate_wait(&u->go);
	u->seen = drain(&nl, USER_ID);
	gate_open(&u->done, 1);
	return 0;
}

/* An unprivileged subscriber hears of its own user's tasks alone. */
TEST_F_TIMEOUT(fiber, rights, SLOW_S)
{
	struct user *u = share(sizeof(*u));
	pid_t pid;

	ASSERT_TRUE(gate_make(&u->ready) && gate_make(&u->go) &&
		    gate_make(&u->done));
	pid = child_start(listen_as_user, u);
	ASSERT_TRUE(gate_wait_ms(&u->ready, 10000));
	ASSERT_EQ(0, child_run(nothing, NULL));
	ASSERT_EQ(0, child_run(nothing_as_user, NULL));
	gate_open(&u->go, 1);
	ASSERT_TRUE(gate_wait_ms(&u->done, 10000));
	EXPECT_EQ(1, u->seen.total);
	EXPECT_EQ(1, u->seen.by_type[FIBER_EVENT_TYPE_EXIT]);
	EXPECT_EQ(0, u->seen.foreign);
	child_wait(pid);
}

struct inside {
	struct gate ready, go, done;
	int events, wrong;
	uint32_t child, seen_child, seen_parent;
};

static int listen_inside(void *arg)
{
	struct inside *in = arg;
	struct event e;
	struct nl nl;

	if (ask_open(&nl) || subscribe(&nl, 0, 0))
		return 1;
	gate_open(&in->ready, 1);
	gate_wait(&in->go);
	in->child = child_start(nothing, NULL);
	child_wait(in->child);
	while (event_next(&nl, &e, QUIET_MS) == 1) {
		in->events++;
		in->wrong += e.pid != in->child ||
			     (e.has_process && e.process.pid != in->child);
		if (e.type == FIBER_EVENT_TYPE_FORK) {
			in->seen_child = e.pid;
			in->seen_parent = e.ppid;
		}
	}
	gate_open(&in->done, 1);
	return 0;
}

static int become_namespace(void *arg)
{
	if (unshare(CLONE_NEWPID))
		return 4;
	return child_run(listen_inside, arg);
}

TEST_F_TIMEOUT(fiber, pid_namespace, SLOW_S)
{
	struct inside *in = share(sizeof(*in));
	struct event e;
	pid_t pid;
	int inner = 0;

	ASSERT_TRUE(gate_make(&in->ready) && gate_make(&in->go) &&
		    gate_make(&in->done));
	pid = child_start(become_namespace, in);
	if (!gate_wait_ms(&in->ready, 10000))
		SKIP(return, "no pid namespaces");
	ASSERT_EQ(0, subscribe(&self->nl, FIBER_EVENT_MASK_FORK, 0));
	ASSERT_EQ(0, child_run(nothing, NULL));
	gate_open(&in->go, 1);
	ASSERT_TRUE(gate_wait_ms(&in->done, 20000));
	/* Its own fork and exit, by its own numbers. */
	EXPECT_EQ(2, in->events);
	EXPECT_EQ(0, in->wrong);
	EXPECT_EQ(in->child, in->seen_child);
	EXPECT_EQ(1, in->seen_parent);
	/* Outside they have others. */
	while (event_next(&self->nl, &e, QUIET_MS) == 1)
		inner += e.pid > in->child && e.ppid > in->child;
	EXPECT_LE(1, inner);
	child_wait(pid);
}

/* Who opened the socket and who subscribes must both have the right. */
static int subscribe_as_user(void *arg)
{
	struct nl *nl = arg;
	struct event e;

	if (!become(USER_ID) || subscribe(nl, 0, 0))
		return 1;
	while (event_next(nl, &e, QUIET_MS) == 1)
		if (e.uid != USER_ID)
			return 2;
	return 0;
}

static int noise(void *arg)
{
	while (getppid() > 1)
		child_run(nothing, arg);
	return 0;
}

TEST_F_TIMEOUT(fiber, opened_by_root, SLOW_S)
{
	pid_t pid = child_start(noise, NULL);

	EXPECT_EQ(0, child_run(subscribe_as_user, &self->nl));
	kill(pid, SIGKILL);
}

TEST_HARNESS_MAIN
