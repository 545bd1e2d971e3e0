// SPDX-License-Identifier: MIT
/*
 * Every refusal is the documented errno, with a sentence.
 */
#include <sys/wait.h>
#include <unistd.h>
#include "self.h"

#define NOBODY 0x3ffffff /* no such pid: above the kernel's limit */

struct attr {
	int type;
	uint32_t value;
};

#define ATTRS_MAX 3

struct refusal {
	const char *what;
	int cmd, flags, err;
	struct attr attr[ATTRS_MAX];
};

#define DO NLM_F_ACK
#define DUMP NLM_F_DUMP

static const struct refusal refusals[] = {
	{ "process: no pid", FIBER_CMD_PROCESS_GET, DO, -EINVAL, { { 0, 0 } } },
	{ "thread: no tid", FIBER_CMD_THREAD_GET, DO, -EINVAL, { { 0, 0 } } },
	{ "process: pid 0",
	  FIBER_CMD_PROCESS_GET,
	  DO,
	  -ERANGE,
	  { { FIBER_A_TASK_PID, 0 } } },
	{ "thread: tid 0",
	  FIBER_CMD_THREAD_GET,
	  DO,
	  -ERANGE,
	  { { FIBER_A_TASK_TID, 0 } } },
	{ "process: nobody",
	  FIBER_CMD_PROCESS_GET,
	  DO,
	  -ESRCH,
	  { { FIBER_A_TASK_PID, NOBODY } } },
	{ "thread: nobody",
	  FIBER_CMD_THREAD_GET,
	  DO,
	  -ESRCH,
	  { { FIBER_A_TASK_TID, NOBODY } } },
	{ "process: negative",
	  FIBER_CMD_PROCESS_GET,
	  DO,
	  -ESRCH,
	  { { FIBER_A_TASK_PID, UINT32_MAX } } },
	{ "process: tid in a do",
	  FIBER_CMD_PROCESS_GET,
	  DO,
	  -EINVAL,
	  { { FIBER_A_TASK_PID, 1 }, { FIBER_A_TASK_TID, 1 } } },
	{ "process: uid in a do",
	  FIBER_CMD_PROCESS_GET,
	  DO,
	  -EINVAL,
	  { { FIBER_A_TASK_PID, 1 }, { FIBER_A_TASK_UID, 1 } } },
	{ "process: kinds in a do",
	  FIBER_CMD_PROCESS_GET,
	  DO,
	  -EINVAL,
	  { { FIBER_A_TASK_PID, 1 }, { FIBER_A_TASK_KINDS, 1 } } },
	{ "process: states in a do",
	  FIBER_CMD_PROCESS_GET,
	  DO,
	  -EINVAL,
	  { { FIBER_A_TASK_PID, 1 }, { FIBER_A_TASK_STATES, 1 } } },
	{ "thread: want in a do",
	  FIBER_CMD_THREAD_GET,
	  DO,
	  -EINVAL,
	  { { FIBER_A_TASK_TID, 1 }, { FIBER_A_TASK_WANT, 1 } } },
	{ "thread: pid in a do",
	  FIBER_CMD_THREAD_GET,
	  DO,
	  -EINVAL,
	  { { FIBER_A_TASK_TID, 1 }, { FIBER_A_TASK_PID, 1 } } },
	{ "thread: uid in a do",
	  FIBER_CMD_THREAD_GET,
	  DO,
	  -EINVAL,
	  { { FIBER_A_TASK_TID, 1 }, { FIBER_A_TASK_UID, 1 } } },
	{ "process: tid in a dump",
	  FIBER_CMD_PROCESS_GET,
	  DUMP,
	  -EINVAL,
	  { { FIBER_A_TASK_TID, 1 } } },
	{ "thread: tid in a dump",
	  FIBER_CMD_THREAD_GET,
	  DUMP,
	  -EINVAL,
	  { { FIBER_A_TASK_TID, 1 } } },
	{ "process: want in a dump",
	  FIBER_CMD_PROCESS_GET,
	  DUMP,
	  -EINVAL,
	  { { FIBER_A_TASK_WANT, 1 } } },
	{ "thread: unknown want",
	  FIBER_CMD_THREAD_GET,
	  DUMP,
	  -EINVAL,
	  { { FIBER_A_TASK_WANT, 4 } } },
	{ "process: unknown kind",
	  FIBER_CMD_PROCESS_GET,
	  DUMP,
	  -EINVAL,
	  { { FIBER_A_TASK_KINDS, 4 } } },
	{ "process: unknown state",
	  FIBER_CMD_PROCESS_GET,
	  DUMP,
	  -EINVAL,
	  { { FIBER_A_TASK_STATES, 1 << 9 } } },
	{ "process: a reply's attribute",
	  FIBER_CMD_PROCESS_GET,
	  DUMP,
	  -EINVAL,
	  { { FIBER_A_TASK_PROCESS, 1 } } },
	{ "process: unknown attribute",
	  FIBER_CMD_PROCESS_GET,
	  DO,
	  -EINVAL,
	  { { FIBER_A_TASK_MAX + 1, 1 } } },
	{ "info: an attribute", FIBER_CMD_INFO_GET, DO, -EINVAL, { { 1, 1 } } },
	{ "info: a dump", FIBER_CMD_INFO_GET, DUMP, -EOPNOTSUPP, { { 0, 0 } } },
	{ "unsubscribe: an attribute",
	  FIBER_CMD_UNSUBSCRIBE,
	  DO,
	  -EINVAL,
	  { { 1, 1 } } },
	{ "unsubscribe: nothing there",
	  FIBER_CMD_UNSUBSCRIBE,
	  DO,
	  -ENOENT,
	  { { 0, 0 } } },
	{ "unwatch: no id", FIBER_CMD_UNWATCH, DO, -EINVAL, { { 0, 0 } } },
	{ "unwatch: id 0",
	  FIBER_CMD_UNWATCH,
	  DO,
	  -ERANGE,
	  { { FIBER_A_WATCH_ID, 0 } } },
	{ "unwatch: no such",
	  FIBER_CMD_UNWATCH,
	  DO,
	  -ENOENT,
	  { { FIBER_A_WATCH_ID, 77 } } },
	{ "hist: no id", FIBER_CMD_HIST_GET, DO, -EINVAL, { { 0, 0 } } },
	{ "hist: no such",
	  FIBER_CMD_HIST_GET,
	  DO,
	  -ENOENT,
	  { { FIBER_A_WATCH_ID, 77 } } },
	{ "hist: id in a dump",
	  FIBER_CMD_HIST_GET,
	  DUMP,
	  -EINVAL,
	  { { FIBER_A_WATCH_ID, 1 } } },
	{ "watch: nobody",
	  FIBER_CMD_WATCH,
	  DO,
	  -ESRCH,
	  { { FIBER_A_WATCH_PID, NOBODY } } },
	{ "watch: unknown kind",
	  FIBER_CMD_WATCH,
	  DO,
	  -EINVAL,
	  { { FIBER_A_WATCH_KINDS, 1 << 5 } } },
	{ "watch: no kind",
	  FIBER_CMD_WATCH,
	  DO,
	  -EINVAL,
	  { { FIBER_A_WATCH_KINDS, 0 } } },
	{ "subscribe: unknown type",
	  FIBER_CMD_SUBSCRIBE,
	  DO,
	  -EINVAL,
	  { { FIBER_A_EVENT_TYPES, 1 << 5 } } },
	{ "group: an attribute",
	  FIBER_CMD_GROUP_CREATE,
	  DO,
	  -EINVAL,
	  { { FIBER_A_GROUP_ID, 1 } } },
	{ "group: a dump",
	  FIBER_CMD_GROUP_CREATE,
	  DUMP,
	  -EOPNOTSUPP,
	  { { 0, 0 } } },
	{ "event: not to be asked",
	  FIBER_CMD_EVENT,
	  DO,
	  -EOPNOTSUPP,
	  { { 0, 0 } } },
	{ "no such command", FIBER_CMD_MAX + 1, DO, -EOPNOTSUPP, { { 0, 0 } } },
};

/* The kernel's own refusals of an operation that does not exist say no more. */
static bool has_sentence(const struct refusal *r)
{
	return r->err != -EOPNOTSUPP;
}

TEST_F(fiber, refusals)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
		const struct refusal *r = &refusals[i];
		struct nl_msg *msg = ask_new(&self->nl, r->cmd, r->flags);

		for (int k = 0; k < ATTRS_MAX && r->attr[k].type; k++)
			nla_put_u32(msg, r->attr[k].type, r->attr[k].value);
		EXPECT_EQ(r->err, ask(&self->nl, msg, NULL, NULL))
		TH_LOG("%s: \"%s\"", r->what, self->nl.sentence);
		if (has_sentence(r))
			EXPECT_NE('\0', self->nl.sentence[0])
		TH_LOG("%s: no sentence", r->what);
	}
}

/* An attribute that is too short, too long, or followed by stray bytes. */
TEST_F(fiber, lengths)
{
	static const int lengths[] = { 0, 1, 3, 5, 8, 400 };
	static const char zeros[400];

	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		struct nl_msg *msg =
			ask_new(&self->nl, FIBER_CMD_PROCESS_GET, DO);

		nla_put(msg, FIBER_A_TASK_PID, lengths[i], zeros);
		EXPECT_GT(0, ask(&self->nl, msg, NULL, NULL))
		TH_LOG("length %d", lengths[i]);
		EXPECT_NE('\0', self->nl.sentence[0]);
	}
}

/* A thread is no process, and a thread's number is refused for one. */
static void *say_tid(void *arg)
{
	*(pid_t *)arg = gettid_();
	return sleep_for_ever_thread(NULL);
}

TEST_F(fiber, tid_is_no_pid)
{
	struct fiber_process_stats p;
	struct fiber_thread_stats t;
	volatile pid_t tid = 0;
	uint32_t id;

	ASSERT_TRUE(threads_start(1, say_tid, (void *)&tid));
	while (!tid)
		sleep_ns(MS);
	EXPECT_EQ(0, thread_get(&self->nl, tid, &t));
	EXPECT_EQ(getpid(), t.pid);
	EXPECT_EQ(-ESRCH, process_get(&self->nl, tid, &p));
	EXPECT_EQ(-ESRCH, watch_start(&self->nl, tid, 0, &id));
	EXPECT_NE('\0', self->nl.sentence[0]);
	EXPECT_EQ(-ESRCH, subscribe(&self->nl, 0, tid));
	EXPECT_NE('\0', self->nl.sentence[0]);
}

TEST_F(fiber, subscribe_twice)
{
	ASSERT_EQ(0, subscribe(&self->nl, 0, 0));
	EXPECT_EQ(-EEXIST, subscribe(&self->nl, 0, 0));
	EXPECT_NE('\0', self->nl.sentence[0]);
	EXPECT_EQ(0, unsubscribe(&self->nl));
	EXPECT_EQ(-ENOENT, unsubscribe(&self->nl));
	EXPECT_EQ(0, subscribe(&self->nl, 0, 0));
}

/* A watch is its socket's, and no other's. */
TEST_F(fiber, foreign_watch)
{
	struct watch watch;
	struct nl other;
	uint32_t id;

	ASSERT_EQ(0, ask_open(&other));
	ASSERT_EQ(0, watch_start(&self->nl, getpid(), 0, &id));
	EXPECT_EQ(-ENOENT, watch_get(&other, id, &watch));
	EXPECT_EQ(-ENOENT, watch_stop(&other, id));
	EXPECT_EQ(0, watch_get(&self->nl, id, &watch));
	EXPECT_EQ(0, watch_stop(&self->nl, id));
	EXPECT_EQ(-ENOENT, watch_get(&self->nl, id, &watch));
	EXPECT_EQ(-ENOENT, watch_stop(&self->nl, id));
	EXPECT_NE('\0', self->nl.sentence[0]);
	ask_close(&other);
}

TEST_HARNESS_MAIN
