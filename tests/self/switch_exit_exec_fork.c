// SPDX-License-Identifier: MIT
/*
 * Members that end, run another program, or have children.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "self.h"
#include "group.h"

/* ---- exit ---- */

static void *end(struct mate *mate)
{
	return mate;
}

TEST_F(fiber, target_has_ended)
{
	int fd = group_create(&self->nl), me;
	struct crew crew;

	ASSERT_LE(0, fd);
	me = group_attach(fd);
	ASSERT_TRUE(crew_start(&crew, 4, fd, end, NULL));
	crew_join(&crew);
	for (int i = 0; i < 4; i++) {
		uint32_t handle = crew.mate[i].handle;

		/* Joined, but maybe not yet as far as the kernel is concerned. */
		while (!kill(crew.mate[i].tid, 0))
			sleep_ns(MS);
		EXPECT_EQ(-ESRCH, group_resume(fd, handle));
		EXPECT_EQ(-ESRCH, group_switch_to(fd, handle, FOREVER));
	}
	EXPECT_EQ(0, group_resume(fd, me));
	crew_free(&crew);
}

#define THREADS 400

/* Their members go by and by, though nobody detaches. */
TEST_F_TIMEOUT(fiber, many_end, SLOW_S)
{
	int fd = group_create(&self->nl);
	uint32_t last = 0;
	struct crew crew;

	ASSERT_LE(0, fd);
	for (int i = 0; i < THREADS / 4; i++) {
		ASSERT_TRUE(crew_start(&crew, 4, fd, end, NULL));
		crew_join(&crew);
		EXPECT_LT(last, crew.mate[0].handle);
		last = crew.mate[0].handle;
		crew_free(&crew);
		EXPECT_GE(64, members_now(&self->nl));
	}
	close(fd);
	EXPECT_EQ(0, members_now(&self->nl));
}

static void *park_for_ever(struct mate *mate)
{
	mate->err = group_park(mate->crew->fd, FOREVER);
	return NULL;
}

static int exit_with_parked(void *arg)
{
	struct crew crew;
	struct nl nl;

	if (ask_open(&nl) ||
	    !crew_start(&crew, 8, group_create(&nl), park_for_ever, NULL))
		return 1;
	for (int i = 0; i < 8; i++)
		if (!wait_asleep(crew.mate[i].tid))
			return 2;
	return arg ? 3 : 0;
}

TEST_F(fiber, process_exits)
{
	EXPECT_EQ(0, child_run(exit_with_parked, NULL));
	EXPECT_EQ(0, groups_now(&self->nl));
	EXPECT_EQ(0, members_now(&self->nl));
}

/* ---- fork ---- */

static int use_foreign(void *arg)
{
	int fd = *(int *)arg;

	if (group_attach(fd) != -EXDEV || group_detach(fd) != -EXDEV)
		return 1;
	if (group_park(fd, FOREVER) != -EXDEV || group_resume(fd, 1) != -EXDEV)
		return 2;
	return 0;
}

/* The child's copy keeps the group, and is no good for anything else. */
static int keep_foreign(void *arg)
{
	return use_foreign(arg) ? 1 : sleep_for_ever(NULL);
}

TEST_F(fiber, fork)
{
	int fd = group_create(&self->nl);
	uint32_t me;
	pid_t pid;

	ASSERT_LE(0, fd);
	me = group_attach(fd);
	EXPECT_EQ(0, child_run(use_foreign, &fd));
	EXPECT_EQ(0, group_has_token(fd));
	EXPECT_EQ(0, group_switch_to(fd, me, FOREVER));
	pid = child_start(keep_foreign, &fd);
	close(fd);
	EXPECT_EQ(1, groups_now(&self->nl));
	fd = group_create(&self->nl);
	EXPECT_EQ(-EBUSY, group_attach(fd));
	child_kill(pid);
	EXPECT_EQ(1, groups_now(&self->nl));
	EXPECT_LT(0, group_attach(fd));
}

/* Memory in common does not make it one process. */
static int use_foreign_clone(void *arg)
{
	_exit(use_foreign(arg));
}

TEST_F(fiber, clone_with_memory)
{
	static char stack[65536] __attribute__((aligned(16)));
	int fd = group_create(&self->nl), status = -1;
	pid_t pid;

	ASSERT_LE(0, fd);
	pid = clone(use_foreign_clone, stack + sizeof(stack),
		    CLONE_VM | CLONE_FILES | SIGCHLD, &fd);
	ASSERT_LT(0, pid);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* ---- exec ---- */

/* What this program does when a test below has executed it, before main(). */
static int after_exec(int fd)
{
	struct nl nl;
	int own;

	if (use_foreign(&fd))
		return 1;
	if (ask_open(&nl) || groups_now(&nl) != 1)
		return 2;
	own = group_create(&nl);
	if (own < 0 || group_attach(own) <= 0)
		return 3;
	if (group_has_token(own) || group_attach(own) != -EBUSY)
		return 4;
	close(fd);
	/* Those who ended in the exec have gone with the group. */
	if (groups_now(&nl) != 1 || members_now(&nl) != 1)
		return 5;
	return 42;
}

static __attribute__((constructor)) void maybe_after_exec(void)
{
	const char *fd = getenv("GROUP_FD");

	if (fd)
		_exit(after_exec(atoi(fd)));
}

static void exec_self(int fd)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", fd);
	setenv("GROUP_FD", number, 1);
	fcntl(fd, F_SETFD, 0);
	execl("/proc/self/exe", "self", (char *)NULL);
	_exit(97);
}

static void *exec_as_mate(struct mate *mate)
{
	if (mate->index)
		return park_for_ever(mate);
	if (!wait_asleep(mate->crew->mate[1].tid))
		_exit(96);
	exec_self(mate->crew->fd);
	return NULL;
}

/* Other members are parked, one runs the program: the leader, or another. */
static int exec_in_group(void *arg)
{
	struct crew crew;
	struct nl nl;
	int fd;

	if (ask_open(&nl))
		return 98;
	fd = group_create(&nl);
	if (group_attach(fd) <= 0 ||
	    !crew_start(&crew, 4, fd, arg ? park_for_ever : exec_as_mate, NULL))
		return 95;
	if (!arg)
		return group_park(fd, FOREVER) ? 94 : 93;
	exec_self(fd);
	return 92;
}

TEST_F_TIMEOUT(fiber, exec_by_leader, SLOW_S)
{
	EXPECT_EQ(42, child_run(exec_in_group, self));
	EXPECT_EQ(0, groups_now(&self->nl));
	EXPECT_EQ(0, members_now(&self->nl));
}

TEST_F_TIMEOUT(fiber, exec_by_another, SLOW_S)
{
	EXPECT_EQ(42, child_run(exec_in_group, NULL));
	EXPECT_EQ(0, groups_now(&self->nl));
	EXPECT_EQ(0, members_now(&self->nl));
}

TEST_HARNESS_MAIN
