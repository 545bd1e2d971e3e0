// SPDX-License-Identifier: MIT
/*
 * A process whose leader has exited lives on, with all its numbers.
 *
 * The leader alone exits, as by pthread_exit, while other threads go on: /proc shows a
 * zombie that runs. And while threads come and go, totals only ever grow.
 */
#include <sys/syscall.h>
#include <unistd.h>
#include "self.h"

#define OTHERS 3
#define STORM_ROUNDS 200

static void *work_and_sleep(void *arg)
{
	spin_ns(5 * MS);
	gate_open(arg, 1);
	return sleep_for_ever_thread(NULL);
}

static int leave(void *arg)
{
	if (!threads_start(OTHERS, work_and_sleep, arg))
		return 1;
	return syscall(SYS_exit, 0);
}

struct seen {
	uint64_t runtime_ns, nvcsw;
	int threads, leaders;
};

static void see(const struct fiber_thread_stats *t, void *arg)
{
	struct seen *seen = arg;

	seen->threads++;
	seen->leaders += t->flags & FIBER_THREAD_FLAG_LEADER ? 1 : 0;
	seen->runtime_ns += t->runtime_ns;
	seen->nvcsw += t->nvcsw;
}

static void settle(const struct fiber_thread_stats *t, void *arg)
{
	pid_t pid = *(pid_t *)arg;

	if (t->tid != (uint32_t)pid)
		proc_settle(pid, t->tid);
}

TEST_F_TIMEOUT(fiber, leader_gone, SLOW_S)
{
	struct gate ready;
	struct fiber_process_stats p;
	struct fiber_thread_stats t;
	struct proc_stat stat;
	struct seen seen = { 0 };
	pid_t pid;

	ASSERT_TRUE(gate_make(&ready));
	pid = child_start(leave, &ready);
	for (int i = 0; i < OTHERS; i++)
		gate_wait(&ready);
	while (proc_state(pid, pid) != 'Z')
		sleep_ns(5 * MS);
	ASSERT_EQ(0, thread_dump(&self->nl, (struct filter){ .pid = pid },
				 settle, &pid));

	ASSERT_TRUE(proc_read_process(pid, &stat));
	ASSERT_EQ(0, process_get(&self->nl, pid, &p));
	EXPECT_EQ(FIBER_STATE_ZOMBIE, p.state);
	EXPECT_EQ(OTHERS + 1, p.threads);
	EXPECT_EQ(0, p.flags & FIBER_PROCESS_FLAG_EXITING);
	EXPECT_EQ(stat.minflt, p.minflt);
	EXPECT_EQ(getpid(), p.ppid);

	ASSERT_EQ(0, thread_get(&self->nl, pid, &t));
	EXPECT_EQ(FIBER_STATE_ZOMBIE, t.state);
	EXPECT_EQ(FIBER_THREAD_FLAG_LEADER | FIBER_THREAD_FLAG_EXITING,
		  t.flags);

	/* A leader is counted as living until it is reaped. */
	ASSERT_EQ(0, thread_dump(&self->nl, (struct filter){ .pid = pid }, see,
				 &seen));
	EXPECT_EQ(OTHERS + 1, seen.threads);
	EXPECT_EQ(1, seen.leaders);
	EXPECT_EQ(seen.runtime_ns, p.runtime_ns);
	EXPECT_EQ(seen.nvcsw, p.nvcsw);
	child_kill(pid);
}

static void *brief(void *arg)
{
	(void)arg;
	sleep_ns(MS / 10);
	return NULL;
}

static int storm(void *arg)
{
	while (getppid() > 1)
		if (!threads_start(4, brief, NULL))
			sleep_ns(MS);
	return 0;
}

/* A thread on its way out is counted once: neither twice nor not at all. */
TEST_F_TIMEOUT(fiber, totals_grow, SLOW_S)
{
	pid_t pid = child_start(storm, NULL);
	struct fiber_process_stats last = { 0 }, p;
	int exact = 0;

	sleep_ns(50 * MS);
	for (int i = 0; i < STORM_ROUNDS; i++) {
		ASSERT_EQ(0, process_get(&self->nl, pid, &p));
		if (p.flags & FIBER_PROCESS_FLAG_APPROXIMATE)
			continue;
		exact++;
		EXPECT_LE(last.runtime_ns, p.runtime_ns);
		EXPECT_LE(last.nvcsw, p.nvcsw);
		EXPECT_LE(last.nivcsw, p.nivcsw);
		EXPECT_LE(last.minflt, p.minflt);
		last = p;
	}
	EXPECT_LE(STORM_ROUNDS / 2, exact);
	child_kill(pid);
}

TEST_HARNESS_MAIN
