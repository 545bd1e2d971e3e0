// SPDX-License-Identifier: MIT
/*
 * Rights are asked again: who becomes somebody else is out of sight.
 *
 * A child of the same user keeps the capability to change its user, as a
 * setuid program would. Once it has, an unprivileged watcher's watch tells no
 * more, and its subscription hears no more of it.
 */
#include <grp.h>
#include <sys/prctl.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "self.h"

struct changer {
	struct gate ready, go, changed;
	pid_t pid;
};

static bool raise_capabilities(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data))
		return false;
	data[0].effective = data[0].permitted;
	return !syscall(SYS_capset, &head, data);
}

static int change(void *arg)
{
	struct changer *c = arg;

	if (prctl(PR_SET_KEEPCAPS, 1) || !become(USER_ID) ||
	    !raise_capabilities())
		return 1;
	gate_open(&c->ready, 1);
	gate_wait(&c->go);
	if (setresuid(OTHER_ID, OTHER_ID, OTHER_ID))
		return 2;
	gate_open(&c->changed, 1);
	gate_wait(&c->go);
	return 0;
}

static bool start(struct changer *c)
{
	if (!gate_make(&c->ready) || !gate_make(&c->go) ||
	    !gate_make(&c->changed))
		return false;
	c->pid = child_start(change, c);
	return gate_wait_ms(&c->ready, 10000);
}

static bool let_change(struct changer *c)
{
	gate_open(&c->go, 1);
	return gate_wait_ms(&c->changed, 10000);
}

TEST_F_TIMEOUT(fiber, watch, SLOW_S)
{
	struct fiber_process_stats p;
	struct changer c;
	struct watch w;
	struct nl nl;
	uint32_t id;

	ASSERT_TRUE(start(&c));
	ASSERT_TRUE(become(USER_ID));
	ASSERT_EQ(0, ask_open(&nl));
	ASSERT_EQ(0, process_get(&nl, c.pid, &p));
	ASSERT_EQ(0, watch_start(&nl, c.pid, 0, &id));
	ASSERT_EQ(0, watch_get(&nl, id, &w));
	ASSERT_TRUE(let_change(&c));
	EXPECT_EQ(-EPERM, process_get(&nl, c.pid, &p));
	EXPECT_EQ(-EPERM, watch_get(&nl, id, &w));
	EXPECT_NE('\0', nl.sentence[0]);
	EXPECT_EQ(0, watch_stop(&nl, id));
	gate_open(&c.go, 1);
}

TEST_F_TIMEOUT(fiber, subscription, SLOW_S)
{
	struct changer c;
	struct event e;
	struct nl nl;

	ASSERT_TRUE(start(&c));
	ASSERT_TRUE(become(USER_ID));
	ASSERT_EQ(0, ask_open(&nl));
	ASSERT_EQ(0, subscribe(&nl, 0, c.pid));
	ASSERT_TRUE(let_change(&c));
	gate_open(&c.go, 1);
	EXPECT_EQ(0, event_next(&nl, &e, 1000));
}

TEST_HARNESS_MAIN
