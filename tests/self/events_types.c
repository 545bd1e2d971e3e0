// SPDX-License-Identifier: MIT
/*
 * Each event comes, once, and says what happened.
 *
 * Children fork, exec, make threads and exit; the subscriber follows one of
 * them and compares with what it knows, with wait4 for the totals.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "self.h"

#define PATIENCE_MS 10000
/* Between do_exit's event and what wait4 counts: the rest of the exit. */
#define EXIT_SLACK 20
#define BURST 64

/* The next event about the process, of one type; false if it does not come. */
static bool next_of(struct nl *nl, uint32_t type, uint32_t pid, struct event *e)
{
	uint64_t until = now_ns() + PATIENCE_MS * MS;

	while (now_ns() < until)
		if (event_next(nl, e, 100) == 1 && e->type == type &&
		    e->pid == pid)
			return true;
	return false;
}

/* Another event than those: how many come within a moment. */
static int count_more(struct nl *nl, uint32_t type, uint32_t pid)
{
	struct event e;
	int n = 0;

	while (event_next(nl, &e, 300) == 1)
		n += e.type == type && e.pid == pid;
	return n;
}

static uint64_t boot_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec * SECOND + t.tv_nsec;
}

static int exit_seven(void *arg)
{
	gate_wait(arg);
	return 7;
}

TEST_F_TIMEOUT(fiber, fork_and_exit, SLOW_S)
{
	struct gate go;
	struct rusage r;
	struct event e;
	uint64_t before;
	int status;
	pid_t pid;

	ASSERT_TRUE(gate_make(&go));
	ASSERT_EQ(0, subscribe(&self->nl, 0, 0));
	before = boot_ns();
	pid = child_start(exit_seven, &go);
	ASSERT_TRUE(next_of(&self->nl, FIBER_EVENT_TYPE_FORK, pid, &e));
	EXPECT_EQ(getpid(), e.ppid);
	EXPECT_EQ(pid, e.tid);
	EXPECT_EQ(0, e.uid);
	EXPECT_STREQ("events_types", e.comm);
	EXPECT_LE(before, e.time_ns);
	EXPECT_GE(boot_ns(), e.time_ns);
	EXPECT_EQ(0, e.dropped);
	EXPECT_FALSE(e.has_exit_code);

	gate_open(&go, 1);
	ASSERT_EQ(pid, wait4(pid, &status, 0, &r));
	ASSERT_TRUE(next_of(&self->nl, FIBER_EVENT_TYPE_EXIT, pid, &e));
	EXPECT_TRUE(e.has_exit_code);
	EXPECT_EQ((uint32_t)status, e.exit_code);
	EXPECT_EQ(getpid(), e.ppid);
	ASSERT_TRUE(e.has_process);
	EXPECT_EQ(pid, e.process.pid);
	EXPECT_EQ(FIBER_PROCESS_STATS_VERSION, e.process.version);
	EXPECT_GE((uint64_t)r.ru_nvcsw, e.process.nvcsw);
	EXPECT_LE((uint64_t)r.ru_nvcsw, e.process.nvcsw + EXIT_SLACK);
	EXPECT_GE((uint64_t)r.ru_minflt, e.process.minflt);
	EXPECT_LE((uint64_t)r.ru_minflt, e.process.minflt + EXIT_SLACK);
	EXPECT_EQ((uint64_t)r.ru_majflt, e.process.majflt);
	EXPECT_EQ(0, count_more(&self->nl, FIBER_EVENT_TYPE_EXIT, pid));
}

static int wait_to_die(void *arg)
{
	return sleep_for_ever(arg);
}

TEST_F_TIMEOUT(fiber, killed, SLOW_S)
{
	pid_t pid = child_start(wait_to_die, NULL);
	struct event e;

	ASSERT_EQ(0, subscribe(&self->nl, FIBER_EVENT_MASK_EXIT, pid));
	child_kill(pid);
	ASSERT_TRUE(next_of(&self->nl, FIBER_EVENT_TYPE_EXIT, pid, &e));
	EXPECT_EQ(SIGKILL, e.exit_code);
}

static int exec_true(void *arg)
{
	gate_wait(arg);
	execl("/bin/true", "true", NULL);
	return 99;
}

TEST_F_TIMEOUT(fiber, exec, SLOW_S)
{
	struct gate go;
	struct event e;
	pid_t pid;

	ASSERT_TRUE(gate_make(&go));
	pid = child_start(exec_true, &go);
	ASSERT_EQ(0, subscribe(&self->nl, FIBER_EVENT_MASK_EXEC, 0));
	gate_open(&go, 1);
	ASSERT_TRUE(next_of(&self->nl, FIBER_EVENT_TYPE_EXEC, pid, &e));
	EXPECT_EQ(pid, e.tid);
	EXPECT_STREQ("true", e.comm);
	EXPECT_EQ(0, WEXITSTATUS(child_wait(pid)));
}

struct threader {
	struct gate go;
	pid_t tid;
};

static void *spin_and_end(void *arg)
{
	struct threader *t = arg;

	t->tid = gettid_();
	spin_ns(5 * MS);
	return NULL;
}

static int one_thread(void *arg)
{
	struct threader *t = arg;
	pthread_t thread;

	gate_wait(&t->go);
	if (pthread_create(&thread, NULL, spin_and_end, t) ||
	    pthread_join(thread, NULL))
		return 1;
	return sleep_for_ever(NULL);
}

TEST_F_TIMEOUT(fiber, threads, SLOW_S)
{
	struct threader *t = share(sizeof(*t));
	struct event e;
	uint32_t tid;
	pid_t pid;

	ASSERT_TRUE(gate_make(&t->go));
	pid = child_start(one_thread, t);
	ASSERT_EQ(0, subscribe(&self->nl, 0, pid));
	gate_open(&t->go, 1);
	ASSERT_TRUE(
		next_of(&self->nl, FIBER_EVENT_TYPE_THREAD_CREATE, pid, &e));
	tid = e.tid;
	EXPECT_NE(pid, tid);
	ASSERT_TRUE(next_of(&self->nl, FIBER_EVENT_TYPE_THREAD_EXIT, pid, &e));
	EXPECT_EQ(tid, e.tid);
	EXPECT_EQ(t->tid, e.tid);
	ASSERT_TRUE(e.has_thread);
	EXPECT_EQ(tid, e.thread.tid);
	EXPECT_EQ(pid, e.thread.pid);
	EXPECT_LE(4 * MS, e.thread.runtime_ns);
	child_kill(pid);
}

/* All threads exit at once: each once, and the process once, with all totals. */
static void *sleep_thread(void *arg)
{
	gate_open(arg, 1);
	return sleep_for_ever_thread(NULL);
}

static int burst(void *arg)
{
	struct gate *gate = arg;

	if (!threads_start(BURST, sleep_thread, &gate[1]))
		return 1;
	gate_wait(&gate[0]);
	return 3;
}

static void count_thread(const struct fiber_thread_stats *thread, void *arg)
{
	(void)thread;
	++*(int *)arg;
}

/* A thread that is killed on its way to sleep has not switched voluntarily. */
static bool all_asleep(struct nl *nl, pid_t pid)
{
	struct filter asleep = { .pid = pid,
				 .states = FIBER_STATE_MASK_SLEEPING };
	uint64_t until = now_ns() + PATIENCE_MS * MS;
	int n = 0;

	while (n <= BURST && now_ns() < until) {
		n = 0;
		if (thread_dump(nl, asleep, count_thread, &n))
			return false;
	}
	return n == BURST + 1;
}

static void expect_burst(TEST_ARG, struct nl *nl, pid_t pid)
{
	struct event e, last = { 0 };
	int exits = 0, thread_exits = 0, got;

	while ((got = event_next(nl, &e, exits ? 300 : PATIENCE_MS)) == 1) {
		EXPECT_EQ(pid, e.pid);
		exits += e.type == FIBER_EVENT_TYPE_EXIT;
		thread_exits += e.type == FIBER_EVENT_TYPE_THREAD_EXIT;
		if (e.type == FIBER_EVENT_TYPE_EXIT)
			last = e;
	}
	EXPECT_EQ(0, got);
	EXPECT_EQ(1, exits);
	EXPECT_EQ(BURST, thread_exits);
	EXPECT_EQ(3 << 8, last.exit_code);
	EXPECT_LE(BURST, last.process.nvcsw);
}

TEST_F_TIMEOUT(fiber, exit_group, SLOW_S)
{
	uint32_t types = FIBER_EVENT_MASK_EXIT | FIBER_EVENT_MASK_THREAD_EXIT;

	for (int round = 0; round < 5; round++) {
		struct gate gate[2];
		struct nl nl;
		pid_t pid;

		ASSERT_EQ(0, ask_open(&nl));
		ASSERT_TRUE(gate_make(&gate[0]) && gate_make(&gate[1]));
		pid = child_start(burst, gate);
		for (int i = 0; i < BURST; i++)
			gate_wait(&gate[1]);
		ASSERT_TRUE(all_asleep(&nl, pid));
		ASSERT_EQ(0, subscribe(&nl, types, pid));
		gate_open(&gate[0], 1);
		child_wait(pid);
		expect_burst(_metadata, &nl, pid);
		ask_close(&nl);
		gate_close(&gate[0]);
		gate_close(&gate[1]);
	}
}

/* Threads that leave one by one: the last one's code is the process's. */
static void *leave_last(void *arg)
{
	gate_wait(arg);
	syscall(SYS_exit, 7);
	return NULL;
}

static int leave_one_by_one(void *arg)
{
	if (!threads_start(1, leave_last, arg))
		return 1;
	syscall(SYS_exit, 5);
	return 1;
}

TEST_F_TIMEOUT(fiber, one_by_one, SLOW_S)
{
	struct gate gate;
	struct event e;
	pid_t pid;

	ASSERT_TRUE(gate_make(&gate));
	ASSERT_EQ(0, subscribe(&self->nl, 0, 0));
	pid = child_start(leave_one_by_one, &gate);
	ASSERT_TRUE(next_of(&self->nl, FIBER_EVENT_TYPE_THREAD_EXIT, pid, &e));
	EXPECT_EQ(pid, e.tid);
	EXPECT_EQ(5 << 8, e.exit_code);
	gate_open(&gate, 1);
	ASSERT_TRUE(next_of(&self->nl, FIBER_EVENT_TYPE_EXIT, pid, &e));
	EXPECT_NE(pid, e.tid);
	EXPECT_EQ(7 << 8, e.exit_code);
	EXPECT_EQ(child_wait(pid), e.exit_code);
}

TEST_HARNESS_MAIN
