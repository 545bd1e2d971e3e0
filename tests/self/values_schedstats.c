// SPDX-License-Identifier: MIT
/*
 * With kernel.sched_schedstats=1 a thread has wait, sleep and block times.
 *
 * A child sleeps and blocks for known times; /proc/PID/sched, where the kernel
 * has it, shows the same numbers.
 */
#include <signal.h>
#include <unistd.h>
#include "self.h"

#define SWITCH "/proc/sys/kernel/sched_schedstats"
#define NAP_NS (20 * MS)
#define NAPS 5

/* A parent waits for its vfork child in uninterruptible sleep. */
static void block(uint64_t ns)
{
	if (!vfork()) {
		sleep_ns(ns);
		_exit(0);
	}
}

static int nap_and_block(void *arg)
{
	for (int i = 0; i < NAPS; i++)
		sleep_ns(NAP_NS);
	block(3 * NAP_NS);
	gate_open(arg, 1);
	return sleep_for_ever(NULL);
}

static void check_proc(TEST_ARG, pid_t pid, const char *name, uint64_t ns)
{
	int64_t proc = proc_sched_ns(pid, pid, name);

	if (proc >= 0)
		EXPECT_EQ((uint64_t)proc, ns)
	TH_LOG("%s", name);
}

TEST_F_TIMEOUT(fiber, schedstats, SLOW_S)
{
	struct thread_extra extra;
	struct fiber_schedstats *s = &extra.schedstats;
	struct info info;
	struct gate done;
	pid_t pid;

	ASSERT_EQ(0, info_get(&self->nl, &info));
	if (!(info.features & FIBER_FEATURE_SCHEDSTATS) ||
	    !file_write(SWITCH, "1"))
		SKIP(return, "the kernel has no schedstats");
	ASSERT_TRUE(gate_make(&done));
	pid = child_start(nap_and_block, &done);
	gate_wait(&done);
	ASSERT_TRUE(proc_settle(pid, pid));
	ASSERT_EQ(0, thread_get_extra(&self->nl, pid, &extra));
	EXPECT_TRUE(file_write(SWITCH, "0"));

	ASSERT_TRUE(extra.has_schedstats);
	EXPECT_EQ(FIBER_SCHEDSTATS_VERSION, s->version);
	EXPECT_EQ(0, s->reserved);
	EXPECT_LE(NAPS * NAP_NS, s->sleep_sum_ns);
	EXPECT_LE(NAP_NS, s->sleep_max_ns);
	EXPECT_LE(3 * NAP_NS, s->block_sum_ns);
	EXPECT_LE(3 * NAP_NS, s->block_max_ns);
	EXPECT_GE(s->sleep_sum_ns, s->sleep_max_ns);
	EXPECT_GE(s->block_sum_ns, s->block_max_ns);
	EXPECT_GE(s->wait_sum_ns, s->wait_max_ns);
	check_proc(_metadata, pid, "wait_sum", s->wait_sum_ns);
	check_proc(_metadata, pid, "wait_max", s->wait_max_ns);
	check_proc(_metadata, pid, "sum_sleep_runtime", s->sleep_sum_ns);
	check_proc(_metadata, pid, "sleep_max", s->sleep_max_ns);
	check_proc(_metadata, pid, "sum_block_runtime", s->block_sum_ns);
	check_proc(_metadata, pid, "block_max", s->block_max_ns);
	check_proc(_metadata, pid, "iowait_sum", s->iowait_sum_ns);
	check_proc(_metadata, pid, "exec_max", s->exec_max_ns);
	check_proc(_metadata, pid, "slice_max", s->slice_max_ns);
	child_kill(pid);
}

static void count_extras(struct nlattr **attr, void *arg)
{
	int *count = arg;

	count[0]++;
	count[1] += attr[FIBER_A_TASK_AFFINITY] ? 1 : 0;
	count[2] += attr[FIBER_A_TASK_SCHEDSTATS] ? 1 : 0;
}

static void dump_want(TEST_ARG, struct nl *nl, pid_t pid, uint32_t want,
		      int *count)
{
	struct nl_msg *msg = ask_new(nl, FIBER_CMD_THREAD_GET, NLM_F_DUMP);

	memset(count, 0, 3 * sizeof(*count));
	nla_put_u32(msg, FIBER_A_TASK_PID, pid);
	nla_put_u32(msg, FIBER_A_TASK_WANT, want);
	ASSERT_EQ(0, ask(nl, msg, count_extras, count));
	EXPECT_EQ(1, count[0]);
}

/* A dump has the extras only when they are asked for. */
TEST_F_TIMEOUT(fiber, want, SLOW_S)
{
	struct info info;
	struct gate done;
	int count[3];
	pid_t pid;

	ASSERT_EQ(0, info_get(&self->nl, &info));
	if (!(info.features & FIBER_FEATURE_SCHEDSTATS) ||
	    !file_write(SWITCH, "1"))
		SKIP(return, "the kernel has no schedstats");
	ASSERT_TRUE(gate_make(&done));
	pid = child_start(nap_and_block, &done);
	gate_wait(&done);
	dump_want(_metadata, &self->nl, pid, 0, count);
	EXPECT_EQ(0, count[1] + count[2]);
	dump_want(_metadata, &self->nl, pid, FIBER_WANT_AFFINITY, count);
	EXPECT_EQ(1, count[1]);
	EXPECT_EQ(0, count[2]);
	dump_want(_metadata, &self->nl, pid, FIBER_WANT_SCHEDSTATS, count);
	EXPECT_EQ(0, count[1]);
	EXPECT_EQ(1, count[2]);
	EXPECT_TRUE(file_write(SWITCH, "0"));
	child_kill(pid);
}

TEST_HARNESS_MAIN
