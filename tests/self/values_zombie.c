// SPDX-License-Identifier: MIT
/*
 * A zombie's totals are those that wait4 hands to its parent.
 *
 * Nothing of a zombie changes any more, so counts are compared exactly. Its
 * times come scaled from wait4 as well, by the same rule but against what was
 * shown before: one microsecond of rounding, one tick of scale.
 */
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "self.h"

#define SCALE_SLACK (10 * MS)

static void *work(void *arg)
{
	spin_ns(10 * MS);
	sleep_ns(MS);
	return arg;
}

static int live_and_die(void *arg)
{
	pthread_t thread[3];

	for (int i = 0; i < 3; i++)
		if (pthread_create(&thread[i], NULL, work, arg))
			return 1;
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	work(NULL);
	return 7;
}

static uint64_t tv_ns(struct timeval tv)
{
	return tv.tv_sec * SECOND + tv.tv_usec * 1000ull;
}

static uint64_t difference(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

TEST_F_TIMEOUT(fiber, zombie, SLOW_S)
{
	pid_t pid = child_start(live_and_die, NULL);
	struct fiber_process_stats p;
	struct fiber_thread_stats t;
	struct proc_stat stat;
	siginfo_t info;
	struct rusage r;
	int status;

	ASSERT_EQ(0, waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
	ASSERT_TRUE(proc_settle(pid, pid));
	ASSERT_TRUE(proc_read_process(pid, &stat));
	ASSERT_EQ(0, process_get(&self->nl, pid, &p));
	ASSERT_EQ(0, thread_get(&self->nl, pid, &t));
	ASSERT_EQ(pid, wait4(pid, &status, 0, &r));
	ASSERT_EQ(7, WEXITSTATUS(status));

	EXPECT_EQ(FIBER_STATE_ZOMBIE, p.state);
	EXPECT_EQ(FIBER_STATE_ZOMBIE, t.state);
	EXPECT_EQ(FIBER_PROCESS_FLAG_EXITING, p.flags);
	EXPECT_EQ(FIBER_THREAD_FLAG_LEADER | FIBER_THREAD_FLAG_EXITING,
		  t.flags);
	EXPECT_EQ(1, p.threads);
	EXPECT_EQ(0, p.rss_bytes);
	EXPECT_EQ(0, p.vsz_bytes);
	EXPECT_EQ(getpid(), p.ppid);
	EXPECT_STREQ(stat.comm, p.comm);
	EXPECT_EQ((uint64_t)r.ru_nvcsw, p.nvcsw);
	EXPECT_EQ((uint64_t)r.ru_nivcsw, p.nivcsw);
	EXPECT_EQ((uint64_t)r.ru_minflt, p.minflt);
	EXPECT_EQ((uint64_t)r.ru_majflt, p.majflt);
	EXPECT_GE(2000, difference(tv_ns(r.ru_utime) + tv_ns(r.ru_stime),
				   p.runtime_ns));
	EXPECT_GE(SCALE_SLACK, difference(tv_ns(r.ru_utime), p.utime_ns));
	EXPECT_GE(SCALE_SLACK, difference(tv_ns(r.ru_stime), p.stime_ns));
	EXPECT_GT(p.runtime_ns, t.runtime_ns);
	EXPECT_LE(40 * MS, p.runtime_ns);
}

/* Once reaped it is gone. */
TEST_F(fiber, reaped)
{
	pid_t pid = child_start(sleep_for_ever, NULL);
	struct fiber_process_stats p;
	struct fiber_thread_stats t;

	child_kill(pid);
	EXPECT_EQ(-ESRCH, process_get(&self->nl, pid, &p));
	EXPECT_EQ(-ESRCH, thread_get(&self->nl, pid, &t));
}

/* An orphan has a new parent. */
static int leave_orphan(void *arg)
{
	pid_t pid = fork();

	if (!pid)
		sleep_for_ever(NULL);
	*(pid_t *)arg = pid;
	return 0;
}

TEST_F(fiber, orphan)
{
	struct fiber_process_stats p;
	struct proc_stat stat;
	pid_t *orphan = share(sizeof(*orphan));

	ASSERT_EQ(0, child_run(leave_orphan, orphan));
	ASSERT_EQ(0, process_get(&self->nl, *orphan, &p));
	ASSERT_TRUE(proc_read_process(*orphan, &stat));
	EXPECT_EQ(stat.ppid, p.ppid);
	kill(*orphan, SIGKILL);
}

TEST_HARNESS_MAIN
