// SPDX-License-Identifier: MIT
/*
 * Whatever allocation fails, a request fails cleanly or succeeds.
 *
 * Each request is repeated with its first, second, third... allocation made to
 * fail (/proc/self/fail-nth), until it runs to its end without one. Each
 * answer is an error or success, and the same request then works. What is left
 * behind, kmemleak finds after the tests.
 *
 * A request is sent and its answer received by one system call each, and
 * either may allocate; each is a point of its own.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "self.h"
#include "group.h"

/* More allocations than any request makes. */
#define NTH_MAX 200

static int fail_fd = -1;

static bool fault_injection(void)
{
	return file_write("/sys/kernel/debug/failslab/ignore-gfp-wait", "N") &&
	       file_write("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait",
			  "N") &&
	       file_write("/sys/kernel/debug/fail_page_alloc/min-order", "0") &&
	       file_write("/sys/kernel/debug/failslab/verbose", "0") &&
	       file_write("/sys/kernel/debug/fail_page_alloc/verbose", "0") &&
	       (fail_fd = open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC)) >= 0;
}

static void fail_set(int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", nth);

	if (pwrite(fail_fd, text, len, 0) != len)
		abort();
}

/* Whether the failure that was asked for is still to come; and calls it off. */
static bool fail_pending(void)
{
	char text[16] = "";

	if (pread(fail_fd, text, sizeof(text) - 1, 0) < 0)
		abort();
	fail_set(0);
	return atoi(text) != 0;
}

enum phase {
	SENDING,
	RECEIVING,
	PHASES
};

/*
 * One request, with an allocation failing while it is sent, or while its first
 * answer is read. Returns whether the failure never came; counts refusals.
 */
static bool try_once(TEST_ARG, struct nl *nl, struct nl_msg *msg,
		     enum phase phase, int nth, int *refused)
{
	static char first[64 * 1024];
	bool pending;
	int seq, err;

	if (phase == SENDING)
		fail_set(nth);
	seq = ask_send(nl, msg);
	if (phase == SENDING) {
		pending = fail_pending();
	} else {
		fail_set(nth);
		/* Peeking has the dump go on, as reading does. */
		recv(nl->fd, first, sizeof(first), MSG_PEEK | MSG_DONTWAIT);
		pending = fail_pending();
	}
	err = seq < 0 ? seq : ask_answer(nl, seq, NULL, NULL);
	*refused += err != 0;
	EXPECT_TRUE(err <= 0 && err != -EAGAIN && err != -EPROTO &&
		    err != -EBADMSG)
	TH_LOG("allocation %d: answer %d", nth, err);
	return pending;
}

typedef struct nl_msg *(*make_fn)(struct nl *nl);

/*
 * A new socket each time: what a half-done request left on the old one ends
 * with it. Of an answer that could not be allocated the socket says ENOBUFS.
 */
static void fail_each(TEST_ARG, const char *what, make_fn make,
		      enum phase phase)
{
	int nth = 1, refused = 0;
	bool pending = false;

	for (; !pending && nth < NTH_MAX; nth++) {
		struct nl nl;

		ASSERT_EQ(0, ask_open(&nl));
		pending = try_once(_metadata, &nl, make(&nl), phase, nth,
				   &refused);
		ask_close(&nl);
	}
	TH_LOG("%s, %s: %d allocations, %d refusals", what,
	       phase == SENDING ? "sent" : "received", nth - 2, refused);
	EXPECT_GT(NTH_MAX, nth);
	/* Else nothing has failed, and nothing been tested. */
	if (phase == SENDING)
		EXPECT_LT(0, refused);
}

static struct nl_msg *info_do(struct nl *nl)
{
	return ask_new(nl, FIBER_CMD_INFO_GET, NLM_F_ACK);
}

static struct nl_msg *with_u32(struct nl *nl, int cmd, int flags, int type,
			       uint32_t value)
{
	struct nl_msg *msg = ask_new(nl, cmd, flags);

	nla_put_u32(msg, type, value);
	return msg;
}

static struct nl_msg *process_do(struct nl *nl)
{
	return with_u32(nl, FIBER_CMD_PROCESS_GET, NLM_F_ACK, FIBER_A_TASK_PID,
			getpid());
}

static struct nl_msg *thread_do(struct nl *nl)
{
	return with_u32(nl, FIBER_CMD_THREAD_GET, NLM_F_ACK, FIBER_A_TASK_TID,
			getpid());
}

static struct nl_msg *process_all(struct nl *nl)
{
	return ask_new(nl, FIBER_CMD_PROCESS_GET, NLM_F_DUMP);
}

static struct nl_msg *thread_all(struct nl *nl)
{
	return ask_new(nl, FIBER_CMD_THREAD_GET, NLM_F_DUMP);
}

static struct nl_msg *thread_of_one(struct nl *nl)
{
	return with_u32(nl, FIBER_CMD_THREAD_GET, NLM_F_DUMP, FIBER_A_TASK_PID,
			getpid());
}

static struct nl_msg *watch_system(struct nl *nl)
{
	return ask_new(nl, FIBER_CMD_WATCH, NLM_F_ACK);
}

static struct nl_msg *watch_self(struct nl *nl)
{
	return with_u32(nl, FIBER_CMD_WATCH, NLM_F_ACK, FIBER_A_WATCH_PID,
			getpid());
}

static struct nl_msg *hist_do(struct nl *nl)
{
	uint32_t id = 0;

	watch_start(nl, getpid(), 0, &id);
	return with_u32(nl, FIBER_CMD_HIST_GET, NLM_F_ACK, FIBER_A_WATCH_ID,
			id);
}

static struct nl_msg *hist_all(struct nl *nl)
{
	uint32_t id = 0;

	watch_start(nl, getpid(), 0, &id);
	return ask_new(nl, FIBER_CMD_HIST_GET, NLM_F_DUMP);
}

static struct nl_msg *unwatch(struct nl *nl)
{
	uint32_t id = 0;

	watch_start(nl, getpid(), 0, &id);
	return with_u32(nl, FIBER_CMD_UNWATCH, NLM_F_ACK, FIBER_A_WATCH_ID, id);
}

static struct nl_msg *subscribe_all(struct nl *nl)
{
	return ask_new(nl, FIBER_CMD_SUBSCRIBE, NLM_F_ACK);
}

static struct nl_msg *subscribe_pid(struct nl *nl)
{
	return with_u32(nl, FIBER_CMD_SUBSCRIBE, NLM_F_ACK, FIBER_A_EVENT_PID,
			getpid());
}

static struct nl_msg *unsubscribe_(struct nl *nl)
{
	subscribe(nl, 0, 0);
	return ask_new(nl, FIBER_CMD_UNSUBSCRIBE, NLM_F_ACK);
}

static struct nl_msg *group_create_(struct nl *nl)
{
	return ask_new(nl, FIBER_CMD_GROUP_CREATE, NLM_F_ACK);
}

#define EACH(request)                                                      \
	TEST_F_TIMEOUT(fiber, request, SLOW_S)                             \
	{                                                                  \
		struct info info;                                          \
                                                                           \
		if (!fault_injection())                                    \
			SKIP(return, "the kernel has no fault injection"); \
		for (enum phase phase = SENDING; phase < PHASES; phase++)  \
			fail_each(_metadata, #request, request, phase);    \
		EXPECT_EQ(0, info_get(&self->nl, &info));                  \
	}

EACH(info_do)
EACH(process_do)
EACH(thread_do)
EACH(process_all)
EACH(thread_all)
EACH(thread_of_one)
EACH(watch_system)
EACH(watch_self)
EACH(hist_do)
EACH(hist_all)
EACH(unwatch)
EACH(subscribe_all)
EACH(subscribe_pid)
EACH(unsubscribe_)
EACH(group_create_)

/* What needs memory in a group is to become a member. */
TEST_F_TIMEOUT(fiber, group_attach_, SLOW_S)
{
	int fd = group_create(&self->nl), nth = 1, refused = 0;
	bool pending = false;

	if (!fault_injection())
		SKIP(return, "the kernel has no fault injection");
	ASSERT_LE(0, fd);
	for (; !pending && nth < NTH_MAX; nth++) {
		int handle;

		fail_set(nth);
		handle = group_attach(fd);
		pending = fail_pending();
		refused += handle == -ENOMEM;
		EXPECT_TRUE(handle > 0 || handle == -ENOMEM);
		EXPECT_EQ(handle > 0 ? 0 : -ENOENT, group_detach(fd));
	}
	EXPECT_LT(0, refused);
	EXPECT_EQ(0, members_now(&self->nl));
}

TEST_HARNESS_MAIN
