// SPDX-License-Identifier: MIT
/*
 * A thread that execs takes over its process, and its process's watch.
 *
 * When it is not the leader it takes the leader's number, the others end, and
 * the leader that a watcher may have held on to is gone. The process is still
 * the same one: its number, its totals and its histograms go on.
 */
#include <signal.h>
#include <unistd.h>
#include "self.h"

#define OTHERS 3
#define PATIENCE_MS 10000

struct take_over {
	struct gate ready, go;
	pid_t tid;
};

static void *exec_thread(void *arg)
{
	struct take_over *t = arg;

	t->tid = gettid_();
	spin_ns(20 * MS);
	gate_open(&t->ready, 1);
	gate_wait(&t->go);
	execl("/bin/sleep", "sleep", "1000", NULL);
	_exit(99);
}

static int body(void *arg)
{
	if (!threads_start(OTHERS, sleep_for_ever_thread, NULL) ||
	    !threads_start(1, exec_thread, arg))
		return 1;
	return sleep_for_ever(NULL);
}

static pid_t start(TEST_ARG, struct take_over *t)
{
	pid_t pid;

	EXPECT_TRUE(gate_make(&t->ready) && gate_make(&t->go));
	pid = child_start(body, t);
	EXPECT_TRUE(gate_wait_ms(&t->ready, PATIENCE_MS));
	return pid;
}

static bool wait_exec(struct nl *nl, pid_t pid, struct fiber_process_stats *p)
{
	for (int i = 0; i < 500; i++, sleep_ns(20 * MS))
		if (!process_get(nl, pid, p) && !strcmp(p->comm, "sleep"))
			return proc_settle(pid, pid) &&
			       !process_get(nl, pid, p);
	return false;
}

TEST_F_TIMEOUT(fiber, totals_go_on, SLOW_S)
{
	struct take_over *t = share(sizeof(*t));
	pid_t pid = start(_metadata, t);
	struct fiber_process_stats before, after;
	struct fiber_thread_stats thread;

	ASSERT_EQ(0, process_get(&self->nl, pid, &before));
	EXPECT_EQ(OTHERS + 2, before.threads);
	gate_open(&t->go, 1);
	ASSERT_TRUE(wait_exec(&self->nl, pid, &after));
	EXPECT_EQ(1, after.threads);
	EXPECT_EQ(0, after.flags);
	EXPECT_EQ(before.start_ns, after.start_ns);
	EXPECT_LE(before.runtime_ns, after.runtime_ns);
	EXPECT_LE(before.nvcsw, after.nvcsw);
	EXPECT_LE(before.minflt, after.minflt);
	EXPECT_EQ(0, thread_get(&self->nl, pid, &thread));
	EXPECT_EQ(FIBER_THREAD_FLAG_LEADER, thread.flags);
	/* The thread that ran 20 ms is the leader now. */
	EXPECT_LE(20 * MS, thread.runtime_ns);
	EXPECT_EQ(-ESRCH, thread_get(&self->nl, t->tid, &thread));
	child_kill(pid);
}

TEST_F_TIMEOUT(fiber, watch_goes_on, SLOW_S)
{
	struct take_over *t = share(sizeof(*t));
	pid_t pid = start(_metadata, t);
	struct fiber_process_stats p;
	struct watch before, after;
	uint32_t id;

	ASSERT_EQ(0, watch_start(&self->nl, pid, 0, &id));
	ASSERT_EQ(0, watch_get(&self->nl, id, &before));
	gate_open(&t->go, 1);
	ASSERT_TRUE(wait_exec(&self->nl, pid, &p));
	ASSERT_EQ(0, watch_get(&self->nl, id, &after));
	EXPECT_FALSE(after.ended);
	EXPECT_EQ(pid, after.pid);
	EXPECT_LT(before.hist[FIBER_HIST_KIND_SLICE].count,
		  after.hist[FIBER_HIST_KIND_SLICE].count);
	child_kill(pid);
	ASSERT_EQ(0, watch_get(&self->nl, id, &after));
	EXPECT_TRUE(after.ended);
}

/* The others exit as threads; the process does not, and says what it runs. */
TEST_F_TIMEOUT(fiber, events, SLOW_S)
{
	struct take_over *t = share(sizeof(*t));
	pid_t pid = start(_metadata, t);
	int by_type[FIBER_EVENT_TYPE_END + 1] = { 0 };
	struct fiber_process_stats p;
	struct event e;
	struct nl told;

	/* A socket of its own: requests skip the events among their answers. */
	ASSERT_EQ(0, ask_open(&told));
	ASSERT_EQ(0, subscribe(&told, 0, pid));
	gate_open(&t->go, 1);
	ASSERT_TRUE(wait_exec(&self->nl, pid, &p));
	while (event_next(&told, &e, 500) == 1) {
		EXPECT_EQ(pid, e.pid);
		by_type[e.type]++;
		if (e.type != FIBER_EVENT_TYPE_EXEC)
			continue;
		EXPECT_EQ(pid, e.tid);
		EXPECT_STREQ("sleep", e.comm);
	}
	EXPECT_EQ(1, by_type[FIBER_EVENT_TYPE_EXEC]);
	EXPECT_EQ(OTHERS + 1, by_type[FIBER_EVENT_TYPE_THREAD_EXIT]);
	EXPECT_EQ(0, by_type[FIBER_EVENT_TYPE_EXIT]);
	child_kill(pid);
	ASSERT_EQ(1, event_next(&told, &e, PATIENCE_MS));
	EXPECT_EQ(FIBER_EVENT_TYPE_EXIT, e.type);
	EXPECT_EQ(SIGKILL, e.exit_code);
}

TEST_HARNESS_MAIN
