// SPDX-License-Identifier: MIT
/*
 * The switch by one send() to the family: the same as by ioctl, but that a
 * signal is always told, and that a refusal comes as a message.
 *
 * Requests are made by hand: each thread has a socket of its own, and libnl is
 * not needed for four attributes.
 */
#include <linux/genetlink.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include "self.h"
#include "group.h"
#include "module.h"

struct request {
	struct nlmsghdr nlh;
	struct genlmsghdr genl;
	struct {
		struct nlattr head;
		uint32_t value;
	} fd, target, flags;
	struct {
		struct nlattr head;
		int64_t value;
	} __attribute__((packed, aligned(4))) until;
};

static void make(struct request *r, int family, int fd, uint32_t target,
		 uint32_t flags, int64_t until_ns)
{
	*r = (struct request){
		.nlh = { .nlmsg_len = sizeof(*r),
			 .nlmsg_type = family,
			 .nlmsg_flags = NLM_F_REQUEST,
			 .nlmsg_seq = 1 },
		.genl = { .cmd = FIBER_CMD_SWITCH,
			  .version = FIBER_FAMILY_VERSION },
		.fd = { { 8, FIBER_A_GROUP_FD }, fd },
		.target = { { 8, FIBER_A_GROUP_TARGET }, target },
		.flags = { { 8, FIBER_A_GROUP_FLAGS }, flags },
		.until = { { 12, FIBER_A_GROUP_UNTIL_NS }, until_ns },
	};
}

/* The error that the family has answered with; 0: it has not answered. */
static int refusal(int sock)
{
	char buf[1024] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = (struct nlmsghdr *)buf;

	if (recv(sock, buf, sizeof(buf), MSG_DONTWAIT) < (ssize_t)sizeof(*nlh))
		return 0;
	if (nlh->nlmsg_type != NLMSG_ERROR)
		return -EBADMSG;
	/* Every refusal has a sentence. */
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return -ENODATA;
	return ((struct nlmsgerr *)NLMSG_DATA(nlh))->error;
}

static int send_request(int sock, const struct request *r)
{
	ssize_t sent = send(sock, r, sizeof(*r), 0);

	if (sent != sizeof(*r))
		return sent < 0 ? -errno : -EMSGSIZE;
	return refusal(sock);
}

static int switch_by(struct nl *nl, int fd, uint32_t target, uint32_t flags,
		     int64_t until_ns)
{
	struct request r;

	make(&r, nl->family, fd, target, flags, until_ns);
	return send_request(nl->fd, &r);
}

/* ---- one thread ---- */

TEST_F(fiber, token)
{
	int fd = group_create(&self->nl), me;

	ASSERT_LE(0, fd);
	me = group_attach(fd);
	EXPECT_EQ(0, switch_by(&self->nl, fd, me, 1, 0));
	EXPECT_EQ(0, switch_by(&self->nl, fd, me, 1, 0));
	EXPECT_EQ(0, switch_by(&self->nl, fd, 0, 0, FOREVER));
	EXPECT_EQ(0, group_has_token(fd));
	EXPECT_EQ(0, group_resume(fd, me));
	EXPECT_EQ(0, switch_by(&self->nl, fd, 0, 0, 1));
	EXPECT_EQ(-ETIMEDOUT, switch_by(&self->nl, fd, 0, 0, 1));
	EXPECT_EQ(0, switch_by(&self->nl, fd, me, 0, FOREVER));
}

TEST_F(fiber, deadline)
{
	int fd = group_create(&self->nl);
	int64_t until = in_ns(30 * MS);

	ASSERT_LE(0, fd);
	ASSERT_LT(0, group_attach(fd));
	EXPECT_EQ(-ETIMEDOUT, switch_by(&self->nl, fd, 0, 0, until));
	EXPECT_LE(until, in_ns(0));
}

TEST_F(fiber, refused)
{
	struct nl *nl = &self->nl;
	int fd = group_create(nl), me;

	ASSERT_LE(0, fd);
	EXPECT_EQ(-ENOENT, switch_by(nl, fd, 0, 0, FOREVER));
	me = group_attach(fd);
	ASSERT_LT(0, me);
	EXPECT_EQ(-EBADF, switch_by(nl, 1000, 0, 0, FOREVER));
	EXPECT_EQ(-EBADF, switch_by(nl, -1, 0, 0, FOREVER));
	EXPECT_EQ(-EBADF, switch_by(nl, fd | INT32_MIN, 0, 0, FOREVER));
	EXPECT_EQ(-EBADF, switch_by(nl, nl->fd, 0, 0, FOREVER));
	EXPECT_EQ(-ESRCH, switch_by(nl, fd, me + 1, 0, FOREVER));
	EXPECT_EQ(-ESRCH, switch_by(nl, fd, me + 1, 1, 0));
	EXPECT_EQ(-EINVAL, switch_by(nl, fd, 0, 1, 0));
	EXPECT_EQ(-EINVAL, switch_by(nl, fd, me, 1, 1));
	EXPECT_EQ(-EINVAL, switch_by(nl, fd, 0, 2, FOREVER));
	EXPECT_EQ(0, group_has_token(fd));
}

static int switch_foreign(void *arg)
{
	struct nl nl;

	return ask_open(&nl) ||
	       switch_by(&nl, *(int *)arg, 1, 0, FOREVER) != -EXDEV ||
	       switch_by(&nl, *(int *)arg, 1, 1, 0) != -EXDEV;
}

TEST_F(fiber, another_process)
{
	int fd = group_create(&self->nl);

	ASSERT_LE(0, fd);
	ASSERT_EQ(1, group_attach(fd));
	EXPECT_EQ(0, child_run(switch_foreign, &fd));
	EXPECT_EQ(0, group_has_token(fd));
}

/* ---- who may send it ---- */

TEST_F(fiber, other_calls)
{
	struct request r;
	struct iovec iov = { &r, sizeof(r) };
	struct mmsghdr many = { .msg_hdr = { .msg_iov = &iov,
					     .msg_iovlen = 1 } };
	int fd = group_create(&self->nl), sock = self->nl.fd;

	ASSERT_LE(0, fd);
	ASSERT_LT(0, group_attach(fd));
	make(&r, self->nl.family, fd, 0, 0, in_ns(5 * MS));
	EXPECT_EQ(-1, write(sock, &r, sizeof(r)));
	EXPECT_EQ(ETIMEDOUT, errno);
	EXPECT_EQ(-1, sendmsg(sock, &many.msg_hdr, 0));
	EXPECT_EQ(ETIMEDOUT, errno);
	EXPECT_EQ(sizeof(r), writev(sock, &iov, 1));
	EXPECT_EQ(-EOPNOTSUPP, refusal(sock));
	EXPECT_EQ(1, sendmmsg(sock, &many, 1, 0));
	EXPECT_EQ(-EOPNOTSUPP, refusal(sock));
	/* What does not park may come by any of them. */
	make(&r, self->nl.family, fd, 1, 1, 0);
	EXPECT_EQ(sizeof(r), writev(sock, &iov, 1));
	EXPECT_EQ(1, group_has_token(fd));
}

/* Two in one message: the first parks, the second is refused. */
TEST_F(fiber, two_at_once)
{
	struct request r[2];
	int fd = group_create(&self->nl);

	ASSERT_LE(0, fd);
	ASSERT_LT(0, group_attach(fd));
	make(&r[0], self->nl.family, fd, 0, 0, in_ns(5 * MS));
	r[1] = r[0];
	EXPECT_EQ(-1, send(self->nl.fd, r, sizeof(r), 0));
	EXPECT_EQ(ETIMEDOUT, errno);
	EXPECT_EQ(-EBUSY, refusal(self->nl.fd));
}

/*
 * io_uring sends in the submitter's thread, or in a worker of its own. The
 * thread that sent must be able to go on either way.
 */
struct ring {
	int fd;
	struct io_uring_params p;
	char *sq;
	struct io_uring_sqe *sqe;
};

static bool ring_make(struct ring *ring)
{
	size_t size;

	ring->fd = syscall(SYS_io_uring_setup, 4, &ring->p);
	if (ring->fd < 0 || !(ring->p.features & IORING_FEAT_SINGLE_MMAP))
		return false;
	size = ring->p.sq_off.array + 4096;
	ring->sq = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
			ring->fd, IORING_OFF_SQ_RING);
	ring->sqe = mmap(NULL, 4 * sizeof(*ring->sqe), PROT_READ | PROT_WRITE,
			 MAP_SHARED, ring->fd, IORING_OFF_SQES);
	return ring->sq != MAP_FAILED && (void *)ring->sqe != MAP_FAILED;
}

/*
 * Submits one SENDMSG and waits for its completion. None is taken off the ring,
 * so there are as many by then as have been submitted.
 */
static int ring_send(struct ring *ring, int sock, struct msghdr *msg, int flags)
{
	uint32_t *tail = (uint32_t *)(ring->sq + ring->p.sq_off.tail);
	uint32_t *array = (uint32_t *)(ring->sq + ring->p.sq_off.array);
	uint32_t slot = *tail % 4;

	ring->sqe[slot] = (struct io_uring_sqe){ .opcode = IORING_OP_SENDMSG,
						 .flags = flags,
						 .fd = sock,
						 .addr = (uintptr_t)msg,
						 .len = 1 };
	array[slot] = slot;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	return syscall(SYS_io_uring_enter, ring->fd, 1, *tail,
		       IORING_ENTER_GETEVENTS, NULL, 0);
}

TEST_F(fiber, io_uring)
{
	struct ring ring = { 0 };
	struct request r;
	struct iovec iov = { &r, sizeof(r) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fd = group_create(&self->nl), sock = self->nl.fd;

	ASSERT_LE(0, fd);
	ASSERT_LT(0, group_attach(fd));
	if (!ring_make(&ring))
		SKIP(return, "no io_uring");
	make(&r, self->nl.family, fd, 0, 0, FOREVER);
	EXPECT_EQ(1, ring_send(&ring, sock, &msg, 0));
	EXPECT_EQ(-EOPNOTSUPP, refusal(sock));
	EXPECT_EQ(1, ring_send(&ring, sock, &msg, IOSQE_ASYNC));
	EXPECT_EQ(-EOPNOTSUPP, refusal(sock));
}

/* ---- several threads ---- */

#define SWITCHES (8 * 1000)

/* Every other mate switches by ioctl: the two are one primitive. */
static int go(struct mate *mate, struct nl *nl, uint32_t target)
{
	int64_t until = in_ns(PATIENCE_NS);

	if (mate->crew->n > 2 && mate->index % 2)
		return group_switch_to(mate->crew->fd, target, until);
	return switch_by(nl, mate->crew->fd, target, 0, until);
}

static void *play(struct mate *mate)
{
	struct crew *crew = mate->crew;
	uint32_t next = crew->mate[(mate->index + 1) % crew->n].handle;
	unsigned long *turn = crew->arg;
	struct nl nl;

	mate->err = ask_open(&nl);
	if (!mate->err && mate->index)
		mate->err = go(mate, &nl, 0);
	while (!mate->err && *turn < SWITCHES) {
		if (*turn % crew->n != (unsigned long)mate->index) {
			mate->err = -EPROTO;
			break;
		}
		__atomic_fetch_add(turn, 1, __ATOMIC_RELAXED);
		mate->count++;
		mate->err = go(mate, &nl, next);
	}
	group_resume(crew->fd, next);
	ask_close(&nl);
	return NULL;
}

static void round_robin(TEST_ARG, struct nl *nl, int n)
{
	int fd = group_create(nl);
	unsigned long turn = 0;
	struct crew crew;

	ASSERT_LE(0, fd);
	ASSERT_TRUE(crew_start(&crew, n, fd, play, &turn));
	crew_join(&crew);
	for (int i = 0; i < n; i++) {
		EXPECT_EQ(0, crew.mate[i].err);
		EXPECT_EQ(SWITCHES / n, crew.mate[i].count);
	}
	crew_free(&crew);
	close(fd);
	EXPECT_EQ(0, members_now(nl));
}

TEST_F_TIMEOUT(fiber, pingpong, SLOW_S)
{
	round_robin(_metadata, &self->nl, 2);
}

TEST_F_TIMEOUT(fiber, eight_both_ways, SLOW_S)
{
	round_robin(_metadata, &self->nl, 8);
}

static void *park_a_second(struct mate *mate)
{
	struct nl nl;

	mate->err = ask_open(&nl);
	if (!mate->err)
		mate->err = switch_by(&nl, mate->crew->fd, 0, 0, in_ns(SECOND));
	return NULL;
}

/* The park holds the group; others' requests go on meanwhile. */
TEST_F_TIMEOUT(fiber, close_while_parked, SLOW_S)
{
	int fd = group_create(&self->nl);
	struct crew crew;

	ASSERT_LE(0, fd);
	ASSERT_TRUE(crew_start(&crew, 4, fd, park_a_second, NULL));
	for (int i = 0; i < 4; i++)
		ASSERT_TRUE(wait_asleep(crew.mate[i].tid));
	close(fd);
	EXPECT_EQ(1, groups_now(&self->nl));
	EXPECT_EQ(4, members_now(&self->nl));
	EXPECT_EQ(-EAGAIN, module_unload());
	crew_join(&crew);
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(-ETIMEDOUT, crew.mate[i].err);
	crew_free(&crew);
	EXPECT_EQ(0, groups_now(&self->nl));
}

/* ---- signals ---- */

static void handle(int sig)
{
	(void)sig;
}

static void *interrupt(struct mate *mate)
{
	uint32_t tid = getpid(); /* the first thread's */

	mate->err = group_park(mate->crew->fd, in_ns(PATIENCE_NS));
	if (!wait_asleep(tid))
		mate->err = -ETIME;
	syscall(SYS_tgkill, tid, tid, SIGUSR1);
	return NULL;
}

TEST_F(fiber, signal)
{
	struct sigaction act = { .sa_handler = handle, .sa_flags = SA_RESTART };
	int fd = group_create(&self->nl);
	struct crew crew;

	ASSERT_LE(0, fd);
	ASSERT_LT(0, group_attach(fd));
	sigaction(SIGUSR1, &act, NULL);
	ASSERT_TRUE(crew_start(&crew, 1, fd, interrupt, NULL));
	EXPECT_EQ(-EINTR, switch_by(&self->nl, fd, crew.mate[0].handle, 0,
				    in_ns(PATIENCE_NS)));
	crew_join(&crew);
	EXPECT_EQ(0, crew.mate[0].err);
	crew_free(&crew);
}

static void *go_round(struct mate *mate)
{
	struct crew *crew = mate->crew;
	uint32_t next = crew->mate[(mate->index + 1) % crew->n].handle;
	struct nl nl;

	mate->err = ask_open(&nl);
	while (!mate->err)
		mate->err = switch_by(&nl, crew->fd, next, 0, FOREVER);
	return NULL;
}

static int go_round_for_ever(void *arg)
{
	struct crew crew;
	struct nl nl;

	if (ask_open(&nl) ||
	    !crew_start(&crew, 8, group_create(&nl), go_round, NULL))
		return 1;
	gate_open(arg, 1);
	return sleep_for_ever(NULL);
}

TEST_F_TIMEOUT(fiber, kill, SLOW_S)
{
	struct gate going;

	for (int i = 0; i < 20; i++) {
		pid_t pid;

		ASSERT_TRUE(gate_make(&going));
		pid = child_start(go_round_for_ever, &going);
		gate_wait(&going);
		sleep_ns(i * MS / 2);
		child_kill(pid);
		gate_close(&going);
	}
	EXPECT_EQ(0, groups_now(&self->nl));
	EXPECT_EQ(0, members_now(&self->nl));
}

TEST_HARNESS_MAIN
