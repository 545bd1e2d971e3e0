// SPDX-License-Identifier: MIT
/*
 * Who opened a socket and who speaks through it must both have the right.
 *
 * Else a privileged program could be made to ask for an unprivileged one that
 * left it a socket, or the other way round.
 */
#include <sys/syscall.h>
#include <unistd.h>
#include "self.h"

struct seen {
	int total, foreign;
};

static void see(const struct fiber_process_stats *p, void *arg)
{
	struct seen *seen = arg;

	seen->total++;
	seen->foreign += p->uid != USER_ID;
}

static void expect_refused(TEST_ARG, struct nl *nl, pid_t foreign)
{
	struct fiber_process_stats p;
	struct fiber_thread_stats t;
	struct seen seen = { 0 };
	uint32_t id;

	EXPECT_EQ(-EPERM, process_get(nl, foreign, &p));
	EXPECT_EQ(-EPERM, thread_get(nl, foreign, &t));
	EXPECT_EQ(-EPERM, watch_start(nl, 0, 0, &id));
	EXPECT_EQ(-EPERM, watch_start(nl, foreign, 0, &id));
	EXPECT_EQ(0, process_dump(nl, (struct filter){ 0 }, see, &seen));
	EXPECT_EQ(0, seen.foreign);
}

/* Root opens, an unprivileged child speaks. */
TEST_F_TIMEOUT(fiber, opened_by_root, SLOW_S)
{
	pid_t parent = getpid();

	ASSERT_TRUE(become(USER_ID));
	expect_refused(_metadata, &self->nl, parent == 1 ? 2 : 1);
}

struct opener {
	struct gate ready;
	int fd, family;
};

static int open_as_user(void *arg)
{
	struct opener *opener = arg;
	struct nl nl;

	if (!become(USER_ID) || ask_open(&nl))
		return 1;
	opener->fd = nl.fd;
	opener->family = nl.family;
	gate_open(&opener->ready, 1);
	return sleep_for_ever(NULL);
}

/* An unprivileged child opens, root speaks through a copy of its socket. */
TEST_F_TIMEOUT(fiber, opened_by_user, SLOW_S)
{
	struct opener *opener = share(sizeof(*opener));
	struct nl nl;
	pid_t pid;
	int pidfd, fd;

	ASSERT_TRUE(gate_make(&opener->ready));
	pid = child_start(open_as_user, opener);
	ASSERT_TRUE(gate_wait_ms(&opener->ready, 10000));
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	fd = syscall(SYS_pidfd_getfd, pidfd, opener->fd, 0);
	ASSERT_LE(0, fd);
	ask_adopt(&nl, fd, opener->family);
	expect_refused(_metadata, &nl, 1);
	child_kill(pid);
}

/*
 * A dump begun by root and read on by an unprivileged child stays root's: the
 * rights are those of its start. The socket was root's to give.
 */
TEST_F_TIMEOUT(fiber, continued_by_user, SLOW_S)
{
	struct nl_msg *msg =
		ask_new(&self->nl, FIBER_CMD_PROCESS_GET, NLM_F_DUMP);
	int seq = ask_send(&self->nl, msg);

	ASSERT_LT(0, seq);
	ASSERT_TRUE(become(USER_ID));
	EXPECT_EQ(0, ask_answer(&self->nl, seq, NULL, NULL));
}

TEST_HARNESS_MAIN
