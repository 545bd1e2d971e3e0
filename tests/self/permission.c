// SPDX-License-Identifier: MIT
/*
 * Who may see what: one's own, and with CAP_SYS_PTRACE everything.
 *
 * Children of two users and of root stand still. Each test becomes someone and
 * looks: into dumps, where what may not be seen is left out, and at single
 * tasks, where it is refused.
 */
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "self.h"

enum who {
	ROOTS,
	USERS,
	OTHERS,
	MIXED,
	CHILDREN
};

FIXTURE(crowd)
{
	pid_t pid[CHILDREN];
};

static int as_user(void *arg)
{
	return become(USER_ID) ? sleep_for_ever(arg) : 1;
}

static int as_other(void *arg)
{
	return become(OTHER_ID) ? sleep_for_ever(arg) : 1;
}

/* All but the saved user id are the user's, as after a setuid program's exec. */
static int as_mixed(void *arg)
{
	if (setgroups(0, NULL) || setresgid(USER_ID, USER_ID, USER_ID) ||
	    setresuid(USER_ID, USER_ID, OTHER_ID))
		return 1;
	return sleep_for_ever(arg);
}

FIXTURE_SETUP(crowd)
{
	static int (*const body[])(void *) = { sleep_for_ever, as_user,
					       as_other, as_mixed };

	struct nl nl;

	if (ask_open(&nl))
		SKIP(return, "the kernel has no family \"fiber\"");
	ask_close(&nl);
	if (geteuid())
		SKIP(return, "only root can become others");
	for (int i = 0; i < CHILDREN; i++) {
		self->pid[i] = child_start(body[i], NULL);
		ASSERT_TRUE(proc_settle(self->pid[i], self->pid[i]));
	}
}

/* By root, which the test itself may be no longer. */
FIXTURE_TEARDOWN_PARENT(crowd)
{
	for (int i = 0; i < CHILDREN; i++)
		child_kill(self->pid[i]);
}

struct seen {
	const pid_t *pid;
	unsigned int children;
	uint32_t uid;
	int total, foreign;
};

static void see_process(const struct fiber_process_stats *p, void *arg)
{
	struct seen *seen = arg;

	seen->total++;
	seen->foreign += p->uid != seen->uid;
	for (int i = 0; i < CHILDREN; i++)
		if ((uint32_t)seen->pid[i] == p->pid)
			seen->children |= 1u << i;
}

static void see_thread(const struct fiber_thread_stats *t, void *arg)
{
	struct fiber_process_stats p = { .pid = t->pid, .uid = t->uid };

	see_process(&p, arg);
}

#define ONE(who) (1u << (who))
#define ALL (ONE(CHILDREN) - 1)

/* What a dump shows, of processes and of threads alike. */
static struct seen look(TEST_ARG, struct nl *nl, const pid_t *pid, uint32_t uid)
{
	struct seen p = { .pid = pid, .uid = uid }, t = p;

	EXPECT_EQ(0, process_dump(nl, (struct filter){ 0 }, see_process, &p));
	EXPECT_EQ(0, thread_dump(nl, (struct filter){ 0 }, see_thread, &t));
	EXPECT_EQ(p.children, t.children);
	EXPECT_EQ(p.foreign, t.foreign);
	return p;
}

/* The same by name: what the dump leaves out is refused, with a sentence. */
static void ask_each(TEST_ARG, struct nl *nl, const pid_t *pid,
		     unsigned int allowed)
{
	struct fiber_process_stats p;
	struct fiber_thread_stats t;

	for (int i = 0; i < CHILDREN; i++) {
		int expected = allowed & ONE(i) ? 0 : -EPERM;

		EXPECT_EQ(expected, process_get(nl, pid[i], &p));
		EXPECT_EQ(!expected, !nl->sentence[0]);
		EXPECT_EQ(expected, thread_get(nl, pid[i], &t));
		EXPECT_EQ(!expected, !nl->sentence[0]);
	}
}

TEST_F_TIMEOUT(crowd, root, SLOW_S)
{
	struct nl nl;
	struct seen seen;

	ASSERT_EQ(0, ask_open(&nl));
	seen = look(_metadata, &nl, self->pid, 0);
	EXPECT_EQ(ALL, seen.children);
	ask_each(_metadata, &nl, self->pid, ALL);
}

TEST_F_TIMEOUT(crowd, user, SLOW_S)
{
	struct fiber_process_stats p;
	struct nl nl;
	struct seen seen;

	ASSERT_TRUE(become(USER_ID));
	ASSERT_EQ(0, ask_open(&nl));
	seen = look(_metadata, &nl, self->pid, USER_ID);
	EXPECT_EQ(ONE(USERS), seen.children);
	EXPECT_EQ(0, seen.foreign);
	EXPECT_EQ(2, seen.total);
	ask_each(_metadata, &nl, self->pid, ONE(USERS));
	EXPECT_EQ(-EPERM, process_get(&nl, 1, &p));
	EXPECT_EQ(-EPERM, process_get(&nl, 2, &p));
	EXPECT_EQ(0, process_get(&nl, getpid(), &p));
}

/* A filter is no oracle: what may not be seen is absent, not refused. */
TEST_F_TIMEOUT(crowd, filtered, SLOW_S)
{
	struct filter filter = { .pid = self->pid[ROOTS] };
	struct seen seen = { .pid = self->pid };
	struct nl nl;
	int foreign, absent;

	ASSERT_TRUE(become(USER_ID));
	ASSERT_EQ(0, ask_open(&nl));
	EXPECT_EQ(0, process_dump(&nl, filter, see_process, &seen));
	filter = (struct filter){ .by_uid = true, .uid = 0 };
	EXPECT_EQ(0, process_dump(&nl, filter, see_process, &seen));
	EXPECT_EQ(0, thread_dump(&nl, filter, see_thread, &seen));
	filter = (struct filter){ .kinds = FIBER_KIND_KERNEL };
	EXPECT_EQ(0, process_dump(&nl, filter, see_process, &seen));
	EXPECT_EQ(0, seen.total);
	/* A foreign process's threads answer as those of a kind nobody has. */
	filter = (struct filter){ .pid = self->pid[ROOTS],
				  .states = FIBER_STATE_MASK_TRACED };
	foreign = thread_dump(&nl, filter, see_thread, &seen);
	filter.states = 0;
	absent = thread_dump(&nl, filter, see_thread, &seen);
	EXPECT_EQ(foreign, absent);
	EXPECT_EQ(0, seen.total);
}

/* Keep only CAP_SYS_PTRACE over the change of user. */
static bool become_tracer(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct data[2] = { { 0 } };

	data[0].effective = data[0].permitted = 1u << CAP_SYS_PTRACE;
	return !prctl(PR_SET_KEEPCAPS, 1) && become(USER_ID) &&
	       !syscall(SYS_capset, &head, data);
}

TEST_F_TIMEOUT(crowd, ptrace_capability, SLOW_S)
{
	struct nl nl;
	struct seen seen;

	ASSERT_TRUE(become_tracer());
	ASSERT_EQ(0, ask_open(&nl));
	seen = look(_metadata, &nl, self->pid, USER_ID);
	EXPECT_EQ(ALL, seen.children);
	ask_each(_metadata, &nl, self->pid, ALL);
}

/* Root without capabilities sees root's tasks, by its ids, and no others. */
TEST_F_TIMEOUT(crowd, no_capability, SLOW_S)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct data[2] = { { 0 } };
	struct nl nl;
	struct seen seen;

	ASSERT_EQ(0, syscall(SYS_capset, &head, data));
	ASSERT_EQ(0, ask_open(&nl));
	seen = look(_metadata, &nl, self->pid, 0);
	EXPECT_EQ(ONE(ROOTS), seen.children);
	ask_each(_metadata, &nl, self->pid, ONE(ROOTS));
}

/* Root of a user namespace of its own has no right over tasks outside it. */
TEST_F_TIMEOUT(crowd, user_namespace, SLOW_S)
{
	struct nl nl;
	struct seen seen;

	ASSERT_TRUE(become(USER_ID));
	if (unshare(CLONE_NEWUSER))
		SKIP(return, "no user namespaces");
	ASSERT_EQ(0, ask_open(&nl));
	seen = look(_metadata, &nl, self->pid, USER_ID);
	EXPECT_EQ(0, seen.children & ~ONE(USERS));
	ask_each(_metadata, &nl, self->pid, seen.children);
}

/* Histograms ask for more than sight. */
TEST_F_TIMEOUT(crowd, watch, SLOW_S)
{
	struct nl nl;
	uint32_t id;

	ASSERT_TRUE(become(USER_ID));
	ASSERT_EQ(0, ask_open(&nl));
	EXPECT_EQ(-EPERM, watch_start(&nl, 0, 0, &id));
	EXPECT_NE('\0', nl.sentence[0]);
	EXPECT_EQ(-EPERM, watch_start(&nl, self->pid[ROOTS], 0, &id));
	EXPECT_NE('\0', nl.sentence[0]);
	EXPECT_EQ(-EPERM, watch_start(&nl, self->pid[OTHERS], 0, &id));
	EXPECT_EQ(-EPERM, watch_start(&nl, self->pid[MIXED], 0, &id));
	EXPECT_EQ(0, watch_start(&nl, self->pid[USERS], 0, &id));
	EXPECT_EQ(0, watch_start(&nl, getpid(), 0, &id));
}

/* Nobody else may look at an undumpable process, but it may. */
static int watch_myself(void *arg)
{
	struct nl nl;
	uint32_t id;

	(void)arg;
	if (!become(USER_ID) || prctl(PR_SET_DUMPABLE, 0) || ask_open(&nl))
		return 1;
	return watch_start(&nl, getpid(), 0, &id) ? 2 : 0;
}

TEST_F_TIMEOUT(crowd, watch_oneself, SLOW_S)
{
	EXPECT_EQ(0, child_run(watch_myself, NULL));
}

static int as_undumpable(void *arg)
{
	if (!become(USER_ID) || prctl(PR_SET_DUMPABLE, 0))
		return 1;
	return sleep_for_ever(arg);
}

TEST_F_TIMEOUT(crowd, watch_undumpable, SLOW_S)
{
	pid_t pid = child_start(as_undumpable, NULL);
	struct fiber_process_stats p;
	struct nl nl;
	uint32_t id;

	ASSERT_TRUE(proc_settle(pid, pid));
	ASSERT_TRUE(become(USER_ID));
	ASSERT_EQ(0, ask_open(&nl));
	EXPECT_EQ(-EPERM, watch_start(&nl, pid, 0, &id));
	/* /proc/PID/stat shows it to everybody, dumpable or not. */
	EXPECT_EQ(0, process_get(&nl, pid, &p));
}

TEST_HARNESS_MAIN
