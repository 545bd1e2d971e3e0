// SPDX-License-Identifier: MIT
/*
 * The numbers of a task that sleeps are those of /proc.
 *
 * Nothing moves while a task sleeps, so what the kernel keeps as a number is
 * compared exactly. CPU times in /proc are ticks, scaled to the run time
 * against what was shown before; resident memory is an approximate read.
 */
#include <stddef.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "self.h"

/* /proc cuts to whole ticks, and so may the two differ by one. */
#define TICKS_SLACK 1
/* The kernel's memory counters collect a batch a CPU before they are shared. */
#define RSS_BATCH 32
#define RSS_COUNTERS 3

#define USED_BYTES (4 << 20)

/* Has used its CPU in user and kernel mode, memory, and both kinds of switch. */
static int live(void *arg)
{
	char *memory = mmap(NULL, USED_BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memset(memory, 1, USED_BYTES);
	spin_ns(60 * MS);
	for (int i = 0; i < 20; i++)
		sleep_ns(MS);
	return sleep_for_ever(arg);
}

static uint64_t difference(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

static uint64_t tick_ns(void)
{
	return SECOND / sysconf(_SC_CLK_TCK);
}

/* The run time of a process, as the kernel's clock of that process has it. */
static uint64_t process_clock_ns(pid_t pid)
{
	struct timespec t = { 0 };
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &t))
		return 0;
	return t.tv_sec * SECOND + t.tv_nsec;
}

TEST_F_TIMEOUT(fiber, process, SLOW_S)
{
	pid_t pid = child_start(live, NULL);
	struct fiber_process_stats p;
	struct proc_stat stat;
	struct proc_sched sched;
	uint64_t slack_bytes = RSS_COUNTERS * RSS_BATCH *
			       sysconf(_SC_NPROCESSORS_CONF) * getpagesize();

	sleep_ns(100 * MS);
	ASSERT_TRUE(proc_settle(pid, pid));
	ASSERT_TRUE(proc_read_process(pid, &stat));
	ASSERT_TRUE(proc_read_sched(pid, pid, &sched));
	ASSERT_EQ(0, process_get(&self->nl, pid, &p));

	EXPECT_EQ(FIBER_PROCESS_STATS_VERSION, p.version);
	EXPECT_EQ(0, p.flags);
	EXPECT_EQ(0, p.reserved);
	EXPECT_EQ(0, p.ns_level);
	EXPECT_EQ(pid, p.pid);
	EXPECT_EQ(getpid(), p.ppid);
	EXPECT_EQ(geteuid(), p.uid);
	EXPECT_EQ(FIBER_STATE_SLEEPING, p.state);
	EXPECT_EQ(1, p.threads);
	EXPECT_EQ(stat.policy, p.policy);
	EXPECT_EQ(stat.rt_priority, p.rt_priority);
	EXPECT_EQ(stat.priority, p.priority);
	EXPECT_EQ(stat.nice, p.nice);
	EXPECT_EQ(stat.start, p.start_ns / tick_ns());
	EXPECT_STREQ(stat.comm, p.comm);
	EXPECT_EQ(stat.minflt, p.minflt);
	EXPECT_EQ(stat.majflt, p.majflt);
	EXPECT_EQ(stat.vsize, p.vsz_bytes);
	EXPECT_GE(slack_bytes,
		  difference(stat.rss_pages * getpagesize(), p.rss_bytes));
	EXPECT_LE(USED_BYTES, p.rss_bytes + slack_bytes);
	EXPECT_EQ(sched.runtime_ns, p.runtime_ns);
	EXPECT_EQ(process_clock_ns(pid), p.runtime_ns);
	EXPECT_EQ(sched.run_delay_ns, p.run_delay_ns);
	EXPECT_EQ(sched.timeslices, p.timeslices);
	EXPECT_EQ(sched.nvcsw, p.nvcsw);
	EXPECT_EQ(sched.nivcsw, p.nivcsw);
	EXPECT_EQ(p.runtime_ns, p.utime_ns + p.stime_ns);
	EXPECT_GE(TICKS_SLACK, difference(stat.utime, p.utime_ns / tick_ns()));
	EXPECT_GE(TICKS_SLACK, difference(stat.stime, p.stime_ns / tick_ns()));
	EXPECT_LE(60 * MS, p.runtime_ns);
	EXPECT_LE(20, p.nvcsw);
	child_kill(pid);
}

TEST_F_TIMEOUT(fiber, thread, SLOW_S)
{
	pid_t pid = child_start(live, NULL);
	struct fiber_thread_stats t;
	struct proc_stat stat;
	struct proc_sched sched;
	uint64_t before, after;

	sleep_ns(100 * MS);
	ASSERT_TRUE(proc_settle(pid, pid));
	ASSERT_TRUE(proc_read_thread(pid, pid, &stat));
	ASSERT_TRUE(proc_read_sched(pid, pid, &sched));
	before = now_ns();
	ASSERT_EQ(0, thread_get(&self->nl, pid, &t));
	after = now_ns();

	EXPECT_EQ(FIBER_THREAD_STATS_VERSION, t.version);
	EXPECT_EQ(FIBER_THREAD_FLAG_LEADER, t.flags);
	EXPECT_EQ(pid, t.tid);
	EXPECT_EQ(pid, t.pid);
	EXPECT_EQ(geteuid(), t.uid);
	EXPECT_EQ(FIBER_STATE_SLEEPING, t.state);
	EXPECT_EQ(stat.cpu, t.cpu);
	EXPECT_EQ(stat.policy, t.policy);
	EXPECT_EQ(stat.rt_priority, t.rt_priority);
	EXPECT_EQ(stat.priority, t.priority);
	EXPECT_EQ(stat.nice, t.nice);
	EXPECT_EQ(stat.start, t.start_ns / tick_ns());
	EXPECT_STREQ(stat.comm, t.comm);
	EXPECT_EQ(stat.minflt, t.minflt);
	EXPECT_EQ(stat.majflt, t.majflt);
	EXPECT_EQ(sched.runtime_ns, t.runtime_ns);
	EXPECT_EQ(sched.run_delay_ns, t.run_delay_ns);
	EXPECT_EQ(sched.timeslices, t.timeslices);
	EXPECT_EQ(sched.nvcsw, t.nvcsw);
	EXPECT_EQ(sched.nivcsw, t.nivcsw);
	EXPECT_EQ(t.runtime_ns, t.utime_ns + t.stime_ns);
	EXPECT_GE(TICKS_SLACK, difference(stat.utime, t.utime_ns / tick_ns()));
	EXPECT_GE(TICKS_SLACK, difference(stat.stime, t.stime_ns / tick_ns()));
	/* It has slept through two steps of the settling, since its last run. */
	EXPECT_LE(20 * MS, t.arrived_ago_ns);
	EXPECT_GE(20 * SECOND, t.arrived_ago_ns);
	EXPECT_GE(20 * SECOND, after - before);
	child_kill(pid);
}

/* Reading changes nothing: twice the same task is twice the same record. */
TEST_F(fiber, repeatable)
{
	pid_t pid = child_start(sleep_for_ever, NULL);
	struct fiber_process_stats p[2];
	struct fiber_thread_stats t[2];

	ASSERT_TRUE(proc_settle(pid, pid));
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, process_get(&self->nl, pid, &p[i]));
		ASSERT_EQ(0, thread_get(&self->nl, pid, &t[i]));
		t[i].arrived_ago_ns = 0;
	}
	EXPECT_EQ(0, memcmp(&p[0], &p[1], sizeof(p[0])));
	EXPECT_EQ(0, memcmp(&t[0], &t[1], sizeof(t[0])));
	child_kill(pid);
}

/* A kernel thread is one, and has no memory. */
TEST_F(fiber, kernel_thread)
{
	struct fiber_process_stats p;
	struct fiber_thread_stats t;

	ASSERT_EQ(0, process_get(&self->nl, 2, &p));
	EXPECT_STREQ("kthreadd", p.comm);
	EXPECT_EQ(FIBER_PROCESS_FLAG_KERNEL_THREAD, p.flags);
	EXPECT_EQ(0, p.ppid);
	EXPECT_EQ(0, p.rss_bytes);
	EXPECT_EQ(0, p.vsz_bytes);
	ASSERT_EQ(0, thread_get(&self->nl, 2, &t));
	EXPECT_STREQ("kthreadd", t.comm);
	EXPECT_EQ(FIBER_THREAD_FLAG_KERNEL_THREAD | FIBER_THREAD_FLAG_LEADER,
		  t.flags);
}

TEST_HARNESS_MAIN
