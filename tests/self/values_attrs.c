// SPDX-License-Identifier: MIT
/*
 * Scheduling attributes, user, name and cgroup of a task are what was set.
 *
 * A child sets one thing and sleeps; the module must say that thing.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "self.h"

#define CGROUP_DIR "/sys/fs/cgroup/fiber-self"

struct setting {
	int policy, rt_priority, nice;
	int priority; /* as /proc shows it */
};

static int set_and_sleep(void *arg)
{
	const struct setting *s = arg;
	struct sched_param param = { .sched_priority = s->rt_priority };

	if (setpriority(PRIO_PROCESS, 0, s->nice) ||
	    sched_setscheduler(0, s->policy, &param))
		return 1;
	return sleep_for_ever(NULL);
}

static void check_setting(TEST_ARG, struct nl *nl, struct setting s)
{
	pid_t pid = child_start(set_and_sleep, &s);
	struct fiber_process_stats p;
	struct fiber_thread_stats t;

	ASSERT_TRUE(proc_settle(pid, pid));
	ASSERT_EQ(0, process_get(nl, pid, &p));
	ASSERT_EQ(0, thread_get(nl, pid, &t));
	EXPECT_EQ(s.policy, p.policy);
	EXPECT_EQ(s.policy, t.policy);
	EXPECT_EQ(s.rt_priority, p.rt_priority);
	EXPECT_EQ(s.rt_priority, t.rt_priority);
	EXPECT_EQ(s.nice, p.nice);
	EXPECT_EQ(s.nice, t.nice);
	EXPECT_EQ(s.priority, p.priority);
	EXPECT_EQ(s.priority, t.priority);
	child_kill(pid);
}

TEST_F(fiber, policy)
{
	static const struct setting settings[] = {
		{ SCHED_OTHER, 0, 0, 20 },   { SCHED_OTHER, 0, 19, 39 },
		{ SCHED_OTHER, 0, -20, 0 },  { SCHED_BATCH, 0, 7, 27 },
		{ SCHED_IDLE, 0, 0, 20 },    { SCHED_FIFO, 10, 0, -11 },
		{ SCHED_FIFO, 99, 3, -100 }, { SCHED_RR, 1, 0, -2 },
	};

	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++)
		check_setting(_metadata, &self->nl, settings[i]);
}

static int pin_and_sleep(void *arg)
{
	if (sched_setaffinity(0, sizeof(cpu_set_t), arg))
		return 1;
	spin_ns(MS);
	return sleep_for_ever(NULL);
}

TEST_F(fiber, affinity)
{
	int cpu = sysconf(_SC_NPROCESSORS_ONLN) - 1;
	struct fiber_thread_stats t;
	struct thread_extra extra;
	cpu_set_t set;
	pid_t pid;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	pid = child_start(pin_and_sleep, &set);
	ASSERT_TRUE(proc_settle(pid, pid));
	ASSERT_EQ(0, thread_get(&self->nl, pid, &t));
	EXPECT_EQ(cpu, t.cpu);
	ASSERT_EQ(0, thread_get_extra(&self->nl, pid, &extra));
	ASSERT_LE(1, extra.affinity_words);
	EXPECT_EQ(1ull << cpu, extra.affinity[0]);
	for (size_t i = 1; i < sizeof(extra.affinity) / sizeof(*extra.affinity);
	     i++)
		EXPECT_EQ(0, extra.affinity[i]);
	child_kill(pid);
}

static int become_and_sleep(void *arg)
{
	(void)arg;
	if (setresgid(7, 8, 9) || setresuid(USER_ID, OTHER_ID, USER_ID))
		return 1;
	return sleep_for_ever(NULL);
}

TEST_F(fiber, effective_uid)
{
	pid_t pid = child_start(become_and_sleep, NULL);
	struct fiber_process_stats p;
	struct fiber_thread_stats t;

	ASSERT_TRUE(proc_settle(pid, pid));
	ASSERT_EQ(0, process_get(&self->nl, pid, &p));
	ASSERT_EQ(0, thread_get(&self->nl, pid, &t));
	EXPECT_EQ(OTHER_ID, p.uid);
	EXPECT_EQ(OTHER_ID, t.uid);
	child_kill(pid);
}

static int rename_and_sleep(void *arg)
{
	prctl(PR_SET_NAME, arg);
	return sleep_for_ever(NULL);
}

/* Brackets, spaces, bytes that are no characters, and the full length. */
TEST_F(fiber, comm)
{
	static char names[][FIBER_COMM_LEN] = { "a) R (b", "\xff\x01\n",
						"fifteen letters", "" };
	struct fiber_process_stats p;
	struct fiber_thread_stats t;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		pid_t pid = child_start(rename_and_sleep, names[i]);

		ASSERT_TRUE(proc_settle(pid, pid));
		ASSERT_EQ(0, process_get(&self->nl, pid, &p));
		ASSERT_EQ(0, thread_get(&self->nl, pid, &t));
		EXPECT_STREQ(names[i], p.comm);
		EXPECT_STREQ(names[i], t.comm);
		child_kill(pid);
	}
}

/* The id of a cgroup is the inode number of its folder. */
TEST_F(fiber, cgroup)
{
	pid_t pid = child_start(sleep_for_ever, NULL);
	struct fiber_process_stats p;
	struct stat root, dir;
	char text[16];

	if (stat("/sys/fs/cgroup/cgroup.procs", &root))
		SKIP(return, "no cgroup v2 tree on /sys/fs/cgroup");
	ASSERT_EQ(0, stat("/sys/fs/cgroup", &root));
	rmdir(CGROUP_DIR);
	ASSERT_EQ(0, mkdir(CGROUP_DIR, 0755));
	ASSERT_EQ(0, stat(CGROUP_DIR, &dir));
	snprintf(text, sizeof(text), "%d", pid);
	ASSERT_TRUE(file_write(CGROUP_DIR "/cgroup.procs", text));
	EXPECT_EQ(0, process_get(&self->nl, pid, &p));
	EXPECT_EQ(dir.st_ino, p.cgroup_id);
	ASSERT_TRUE(file_write("/sys/fs/cgroup/cgroup.procs", text));
	EXPECT_EQ(0, process_get(&self->nl, pid, &p));
	EXPECT_EQ(root.st_ino, p.cgroup_id);
	EXPECT_EQ(0, rmdir(CGROUP_DIR));
	child_kill(pid);
}

/* A reader in another cgroup namespace is not told of the tree outside. */
TEST_F(fiber, cgroup_namespace)
{
	struct fiber_process_stats p;

	if (unshare(CLONE_NEWCGROUP))
		SKIP(return, "no cgroup namespaces");
	ASSERT_EQ(0, process_get(&self->nl, getppid(), &p));
	EXPECT_EQ(0, p.cgroup_id);
}

TEST_HARNESS_MAIN
