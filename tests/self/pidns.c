// SPDX-License-Identifier: MIT
/*
 * In a pid namespace there are only its own tasks, with its own numbers.
 *
 * A child is the first process of new pid, user and network namespaces. It
 * looks around from inside; its parent looks in from outside.
 */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "self.h"

#define INSIDE_MAX 4

struct inside {
	struct gate mapped, ready;
	pid_t grandchild; /* as the namespace numbers it */
	int failed; /* number of the check that failed first */
	int got;
};

struct seen {
	int total, foreign, zero;
};

static void see_process(const struct fiber_process_stats *p, void *arg)
{
	struct seen *seen = arg;

	seen->total++;
	seen->foreign += p->pid > INSIDE_MAX;
	seen->zero += !p->pid;
}

static void see_thread(const struct fiber_thread_stats *t, void *arg)
{
	struct fiber_process_stats p = { .pid = t->pid && t->tid ? t->pid : 0 };

	see_process(&p, arg);
}

static bool check(struct inside *in, int number, bool ok, int got)
{
	if (!ok && !in->failed) {
		in->failed = number;
		in->got = got;
	}
	return ok;
}

static void look_around(struct inside *in, struct nl *nl)
{
	struct seen p = { 0 }, t = { 0 };
	struct fiber_process_stats process;
	struct fiber_thread_stats thread;
	uint32_t id;
	int err;

	err = process_dump(nl, (struct filter){ 0 }, see_process, &p);
	check(in, 10, !err, err);
	check(in, 11, p.total == 2, p.total);
	check(in, 12, !p.foreign && !p.zero, p.foreign);
	err = thread_dump(nl, (struct filter){ 0 }, see_thread, &t);
	check(in, 13, !err, err);
	check(in, 14, t.total == 2, t.total);
	check(in, 15, !t.foreign && !t.zero, t.foreign);
	err = process_get(nl, 1, &process);
	check(in, 16, !err, err);
	check(in, 17, process.pid == 1 && !process.ppid && !process.ns_level,
	      process.ppid);
	check(in, 18, process.uid == 0, process.uid);
	err = process_get(nl, in->grandchild, &process);
	check(in, 19, !err && process.ppid == 1, err);
	err = thread_get(nl, in->grandchild, &thread);
	check(in, 20, !err && thread.pid == (uint32_t)in->grandchild, err);
	err = process_get(nl, 30000, &process);
	check(in, 21, err == -ESRCH, err);
	err = watch_start(nl, 0, 0, &id);
	check(in, 22, err == -EPERM, err);
	err = watch_start(nl, in->grandchild, 0, &id);
	check(in, 23, !err, err);
}

static int live_inside(void *arg)
{
	struct inside *in = arg;
	struct nl nl;
	int err;

	gate_wait(&in->mapped);
	/* The mapping does not change who we are: take the ids it gives. */
	if (setresgid(0, 0, 0) || setresuid(0, 0, 0) ||
	    prctl(PR_SET_DUMPABLE, 1))
		check(in, 1, false, errno);
	err = ask_open(&nl);
	if (check(in, 2, !err, err)) {
		in->grandchild = child_start(sleep_for_ever, NULL);
		look_around(in, &nl);
	}
	gate_open(&in->ready, 1);
	return sleep_for_ever(NULL);
}

static bool write_map(pid_t pid, const char *file)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	return file_write(path, "0 1000 1\n");
}

static pid_t start_inside(struct inside *in)
{
	static char stack[256 * 1024] __attribute__((aligned(16)));
	int flags = CLONE_NEWPID | CLONE_NEWUSER | CLONE_NEWNET | SIGCHLD;
	pid_t pid = clone(live_inside, stack + sizeof(stack), flags, in);

	if (pid < 0 || !write_map(pid, "uid_map") || !write_map(pid, "gid_map"))
		return -1;
	gate_open(&in->mapped, 1);
	return pid;
}

static uint32_t inner_pid;
static uint32_t inner_level;

static void find_child(const struct fiber_process_stats *p, void *arg)
{
	if (p->ppid == *(uint32_t *)arg) {
		inner_pid = p->pid;
		inner_level = p->ns_level;
	}
}

TEST_F_TIMEOUT(fiber, namespaces, SLOW_S)
{
	struct inside *in = share(sizeof(*in));
	struct fiber_process_stats p;
	uint32_t pid;

	ASSERT_TRUE(gate_make(&in->mapped) && gate_make(&in->ready));
	pid = start_inside(in);
	if ((int)pid < 0)
		SKIP(return, "no pid, user or network namespaces");
	ASSERT_TRUE(gate_wait_ms(&in->ready, 60000));
	EXPECT_EQ(0, in->failed)
	TH_LOG("check %d inside the namespace got %d", in->failed, in->got);

	ASSERT_EQ(0, process_get(&self->nl, pid, &p));
	EXPECT_EQ(pid, p.pid);
	EXPECT_EQ(getpid(), p.ppid);
	EXPECT_EQ(1, p.ns_level);
	EXPECT_EQ(USER_ID, p.uid);
	ASSERT_EQ(0, process_dump(&self->nl, (struct filter){ 0 }, find_child,
				  &pid));
	EXPECT_NE(0, inner_pid);
	EXPECT_NE(in->grandchild, inner_pid);
	EXPECT_EQ(1, inner_level);
	child_kill(pid);
}

/* A reader inside sees as many levels below itself as there are. */
static int deeper(void *arg)
{
	struct nl *nl = arg;
	struct fiber_process_stats p;
	pid_t child;

	if (unshare(CLONE_NEWPID))
		return 2;
	child = child_start(sleep_for_ever, NULL);
	if (process_get(nl, child, &p) || p.ns_level != 1)
		return 3;
	if (process_get(nl, getpid(), &p) || p.ns_level)
		return 4;
	return 0;
}

TEST_F(fiber, level)
{
	EXPECT_EQ(0, child_run(deeper, &self->nl));
}

TEST_HARNESS_MAIN
