// SPDX-License-Identifier: MIT
/*
 * The numbers of a task that runs lie between what /proc says before and after.
 *
 * /proc and the module read the same counters and none of them ever falls, so
 * the bracket needs no tolerance. Where times are scaled (user and system) the
 * scale moves: TICK_NS of slack.
 */
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>
#include "self.h"

#define ROUNDS 30
#define TICK_NS (2 * 10 * MS)

static int spin(void *arg)
{
	while (getppid() > 1)
		spin_ns(SECOND);
	return 0;
}

/* Kernel time, voluntary and involuntary switches. */
static int churn(void *arg)
{
	while (getppid() > 1) {
		for (int i = 0; i < 2000; i++)
			getppid();
		sched_yield();
		sleep_ns(MS / 10);
	}
	return 0;
}

struct bracket {
	struct proc_sched sched;
	struct proc_stat stat;
};

static void read_bracket(TEST_ARG, pid_t pid, struct bracket *b)
{
	ASSERT_TRUE(proc_read_sched(pid, pid, &b->sched));
	ASSERT_TRUE(proc_read_process(pid, &b->stat));
}

#define EXPECT_WITHIN(low, value, high) \
	do {                            \
		EXPECT_LE(low, value);  \
		EXPECT_GE(high, value); \
	} while (0)

static void check_process(TEST_ARG, struct nl *nl, pid_t pid)
{
	struct fiber_process_stats p;
	struct bracket a, b;

	read_bracket(_metadata, pid, &a);
	ASSERT_EQ(0, process_get(nl, pid, &p));
	read_bracket(_metadata, pid, &b);
	EXPECT_WITHIN(a.sched.runtime_ns, p.runtime_ns, b.sched.runtime_ns);
	EXPECT_WITHIN(a.sched.run_delay_ns, p.run_delay_ns,
		      b.sched.run_delay_ns);
	EXPECT_WITHIN(a.sched.timeslices, p.timeslices, b.sched.timeslices);
	EXPECT_WITHIN(a.sched.nvcsw, p.nvcsw, b.sched.nvcsw);
	EXPECT_WITHIN(a.sched.nivcsw, p.nivcsw, b.sched.nivcsw);
	EXPECT_WITHIN((uint64_t)a.stat.minflt, p.minflt,
		      (uint64_t)b.stat.minflt);
	EXPECT_WITHIN((uint64_t)a.stat.majflt, p.majflt,
		      (uint64_t)b.stat.majflt);
	EXPECT_EQ(p.runtime_ns, p.utime_ns + p.stime_ns);
	EXPECT_LE(a.stat.utime * 10 * MS, p.utime_ns + TICK_NS);
	EXPECT_LE(a.stat.stime * 10 * MS, p.stime_ns + TICK_NS);
}

static void check_thread(TEST_ARG, struct nl *nl, pid_t pid)
{
	struct fiber_thread_stats t;
	struct bracket a, b;

	read_bracket(_metadata, pid, &a);
	ASSERT_EQ(0, thread_get(nl, pid, &t));
	read_bracket(_metadata, pid, &b);
	EXPECT_WITHIN(a.sched.runtime_ns, t.runtime_ns, b.sched.runtime_ns);
	EXPECT_WITHIN(a.sched.run_delay_ns, t.run_delay_ns,
		      b.sched.run_delay_ns);
	EXPECT_WITHIN(a.sched.timeslices, t.timeslices, b.sched.timeslices);
	EXPECT_WITHIN(a.sched.nvcsw, t.nvcsw, b.sched.nvcsw);
	EXPECT_WITHIN(a.sched.nivcsw, t.nivcsw, b.sched.nivcsw);
	EXPECT_GT(sysconf(_SC_NPROCESSORS_CONF), t.cpu);
}

TEST_F_TIMEOUT(fiber, spinning, SLOW_S)
{
	pid_t pid = child_start(spin, NULL);
	struct fiber_process_stats p;

	sleep_ns(200 * MS);
	for (int i = 0; i < ROUNDS; i++) {
		check_process(_metadata, &self->nl, pid);
		check_thread(_metadata, &self->nl, pid);
	}
	ASSERT_EQ(0, process_get(&self->nl, pid, &p));
	EXPECT_EQ(FIBER_STATE_RUNNING, p.state);
	/* It spins in user mode; a tick that falls elsewhere counts as system. */
	EXPECT_GT(p.utime_ns, p.stime_ns);
	child_kill(pid);
}

TEST_F_TIMEOUT(fiber, churning, SLOW_S)
{
	pid_t pid = child_start(churn, NULL);

	sleep_ns(100 * MS);
	for (int i = 0; i < ROUNDS; i++) {
		check_process(_metadata, &self->nl, pid);
		check_thread(_metadata, &self->nl, pid);
	}
	child_kill(pid);
}

/* A task's view of itself, by getrusage. */
TEST_F_TIMEOUT(fiber, oneself, SLOW_S)
{
	struct fiber_process_stats p;
	struct rusage a, b;

	for (int i = 0; i < ROUNDS; i++) {
		sleep_ns(MS);
		ASSERT_EQ(0, getrusage(RUSAGE_SELF, &a));
		ASSERT_EQ(0, process_get(&self->nl, getpid(), &p));
		ASSERT_EQ(0, getrusage(RUSAGE_SELF, &b));
		EXPECT_WITHIN((uint64_t)a.ru_nvcsw, p.nvcsw,
			      (uint64_t)b.ru_nvcsw);
		EXPECT_WITHIN((uint64_t)a.ru_nivcsw, p.nivcsw,
			      (uint64_t)b.ru_nivcsw);
		EXPECT_WITHIN((uint64_t)a.ru_minflt, p.minflt,
			      (uint64_t)b.ru_minflt);
		EXPECT_WITHIN((uint64_t)a.ru_majflt, p.majflt,
			      (uint64_t)b.ru_majflt);
		EXPECT_EQ(FIBER_STATE_RUNNING, p.state);
		EXPECT_EQ(1, p.threads);
	}
}

/* States that do not run: stopped, and by whom. */
TEST_F(fiber, stopped)
{
	pid_t pid = child_start(spin, NULL);
	struct fiber_process_stats p;

	ASSERT_EQ(0, kill(pid, SIGSTOP));
	ASSERT_TRUE(proc_settle(pid, pid));
	ASSERT_EQ(0, process_get(&self->nl, pid, &p));
	EXPECT_EQ(FIBER_STATE_STOPPED, p.state);
	child_kill(pid);
}

TEST_HARNESS_MAIN
