// SPDX-License-Identifier: MIT
/*
 * A watch lives from watch to unwatch, or to the end of its socket.
 *
 * However it ends, and in whatever its owner was doing, soon no watch is
 * counted and no tracepoint is hooked; and there are never more than allowed.
 */
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include "self.h"

/* The module keeps its hooks for a second after the last user. */
#define OFF_NS (2 * SECOND)
/* What an emulated debug kernel may take on top, to run the work at all. */
#define OFF_SLACK_NS (8 * SECOND)

static bool all_off(struct nl *nl)
{
	struct info info;

	return !info_get(nl, &info) && !info.watches && !info.subscribers &&
	       !info.probes;
}

/* How long it took until nothing was on; 0 if that never came. */
static uint64_t wait_off(struct nl *nl)
{
	uint64_t begin = now_ns();

	while (now_ns() - begin < OFF_NS + OFF_SLACK_NS) {
		if (all_off(nl))
			return now_ns() - begin + 1;
		sleep_ns(20 * MS);
	}
	return 0;
}

#define EXPECT_OFF(nl)                                    \
	do {                                              \
		uint64_t off_ns = wait_off(nl);           \
		EXPECT_NE(0, off_ns);                     \
		EXPECT_GE(OFF_NS + OFF_SLACK_NS, off_ns); \
	} while (0)

TEST_F_TIMEOUT(fiber, counted, SLOW_S)
{
	struct info info;
	uint32_t id[3];

	EXPECT_OFF(&self->nl);
	for (int i = 0; i < 3; i++)
		ASSERT_EQ(0,
			  watch_start(&self->nl, i ? getpid() : 0, 0, &id[i]));
	EXPECT_NE(id[0], id[1]);
	EXPECT_NE(id[1], id[2]);
	ASSERT_EQ(0, info_get(&self->nl, &info));
	EXPECT_EQ(3, info.watches);
	EXPECT_TRUE(info.probes & FIBER_PROBE_SCHED_SWITCH);
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(0, watch_stop(&self->nl, id[i]));
		ASSERT_EQ(0, info_get(&self->nl, &info));
		EXPECT_EQ(2 - i, info.watches);
	}
	EXPECT_OFF(&self->nl);
}

static void note_id(const struct watch *watch, void *arg)
{
	uint32_t *ids = arg;

	ids[0]++;
	if (ids[0] < 4)
		ids[ids[0]] = watch->id;
}

TEST_F_TIMEOUT(fiber, dump, SLOW_S)
{
	uint32_t id[2], seen[4] = { 0 };

	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, watch_start(&self->nl, getpid(), 0, &id[i]));
	ASSERT_EQ(0, watch_dump(&self->nl, note_id, seen));
	EXPECT_EQ(2, seen[0]);
	EXPECT_EQ(id[0] + id[1], seen[1] + seen[2]);
	EXPECT_NE(seen[1], seen[2]);
}

/* A counter never falls, and an unwatched one is gone. */
TEST_F_TIMEOUT(fiber, grows, SLOW_S)
{
	struct watch w, last = { 0 };
	uint32_t id;

	ASSERT_EQ(0, watch_start(&self->nl, 0, 0, &id));
	for (int i = 0; i < 20; i++) {
		sleep_ns(2 * MS);
		ASSERT_EQ(0, watch_get(&self->nl, id, &w));
		for (int k = 0; k <= FIBER_HIST_KIND_PREEMPTED; k++) {
			EXPECT_LE(last.hist[k].count, w.hist[k].count);
			EXPECT_LE(last.hist[k].sum_ns, w.hist[k].sum_ns);
			EXPECT_LE(last.hist[k].max_ns, w.hist[k].max_ns);
		}
		EXPECT_LT(last.since_ns, w.since_ns);
		last = w;
	}
	EXPECT_LT(20, w.hist[FIBER_HIST_KIND_SLICE].count);
}

TEST_F_TIMEOUT(fiber, ended, SLOW_S)
{
	pid_t pid = child_start(sleep_for_ever, NULL);
	struct watch w;
	uint32_t id;

	ASSERT_TRUE(proc_settle(pid, pid));
	ASSERT_EQ(0, watch_start(&self->nl, pid, 0, &id));
	ASSERT_EQ(0, watch_get(&self->nl, id, &w));
	EXPECT_FALSE(w.ended);
	child_kill(pid);
	ASSERT_EQ(0, watch_get(&self->nl, id, &w));
	EXPECT_TRUE(w.ended);
	EXPECT_EQ(pid, w.pid);
	EXPECT_EQ(0, watch_stop(&self->nl, id));
	EXPECT_OFF(&self->nl);
}

/* Of one user, and of all: no more than the module says, each refused by name. */
TEST_F_TIMEOUT(fiber, limits, SLOW_S)
{
	struct info info;
	uint32_t id, n = 0;
	int err = 0;

	ASSERT_EQ(0, info_get(&self->nl, &info));
	EXPECT_LT(0, info.watches_user_max);
	EXPECT_LE(info.watches_user_max, info.watches_max);
	while (n <= info.watches_max &&
	       !(err = watch_start(&self->nl, getpid(), 1, &id)))
		n++;
	EXPECT_EQ(info.watches_user_max, n);
	EXPECT_EQ(-EDQUOT, err);
	EXPECT_NE('\0', self->nl.sentence[0]);
}

struct filler {
	struct gate done;
	uint32_t uid;
	int err;
};

static int fill(void *arg)
{
	struct filler *f = arg;
	struct nl nl;
	uint32_t id;

	if (!become(f->uid) || ask_open(&nl))
		return 1;
	while (!(f->err = watch_start(&nl, getpid(), 1, &id)))
		;
	gate_open(&f->done, 1);
	return sleep_for_ever(NULL);
}

TEST_F_TIMEOUT(fiber, system_limit, SLOW_S)
{
	struct filler *f = share(sizeof(*f));
	struct info info;
	pid_t pid[64];
	uint32_t users;

	ASSERT_EQ(0, info_get(&self->nl, &info));
	users = info.watches_max / info.watches_user_max + 1;
	ASSERT_GE(64, users);
	ASSERT_TRUE(gate_make(&f->done));
	for (uint32_t i = 0; i < users; i++) {
		f->uid = USER_ID + i;
		pid[i] = child_start(fill, f);
		ASSERT_TRUE(gate_wait_ms(&f->done, 30000));
		/* Who takes the last one may be told of either limit. */
		if (i + 2 != users)
			EXPECT_EQ(i + 1 < users ? -EDQUOT : -ENOSPC, f->err);
	}
	ASSERT_EQ(0, info_get(&self->nl, &info));
	EXPECT_EQ(info.watches_max, info.watches);
	for (uint32_t i = 0; i < users; i++)
		child_kill(pid[i]);
	EXPECT_OFF(&self->nl);
}

/* ---- killed watchers ---- */

enum doing {
	NOTHING,
	READING,
	DUMPING,
	TOGGLING,
	STOPPED,
	WAYS
};

struct watcher {
	struct gate ready;
	enum doing doing;
};

static void do_for_ever(struct nl *nl, enum doing doing, uint32_t id)
{
	struct watch w;

	while (getppid() > 1) {
		if (doing == READING)
			watch_get(nl, id, &w);
		else if (doing == DUMPING)
			watch_dump(nl, note_id, (uint32_t[4]){ 0 });
		else if (doing == TOGGLING && !watch_start(nl, 0, 0, &id))
			watch_stop(nl, id);
		else
			pause();
	}
}

static int watcher_body(void *arg)
{
	struct watcher *w = arg;
	struct nl nl;
	uint32_t id;

	if (ask_open(&nl) || watch_start(&nl, 0, 0, &id) ||
	    watch_start(&nl, getppid(), 0, &id) || subscribe(&nl, 0, 0))
		return 1;
	gate_open(&w->ready, 1);
	do_for_ever(&nl, w->doing, id);
	return 0;
}

TEST_F_TIMEOUT(fiber, killed, SLOW_S)
{
	struct watcher *w = share(sizeof(*w));

	ASSERT_TRUE(gate_make(&w->ready));
	for (w->doing = NOTHING; w->doing < WAYS; w->doing++) {
		pid_t pid = child_start(watcher_body, w);

		ASSERT_TRUE(gate_wait_ms(&w->ready, 30000));
		sleep_ns(10 * MS);
		if (w->doing == STOPPED)
			kill(pid, SIGSTOP);
		child_kill(pid);
		EXPECT_OFF(&self->nl);
	}
}

/* A dump that nobody reads on, and its socket closed under it. */
TEST_F_TIMEOUT(fiber, closed_in_dump, SLOW_S)
{
	uint32_t id;

	for (int i = 0; i < 20; i++) {
		struct nl nl;

		ASSERT_EQ(0, ask_open(&nl));
		for (int k = 0; k < 10; k++)
			ASSERT_EQ(0, watch_start(&nl, 0, 0, &id));
		ASSERT_LT(0, ask_send(&nl, ask_new(&nl, FIBER_CMD_HIST_GET,
						   NLM_F_DUMP)));
		ask_close(&nl);
	}
	EXPECT_OFF(&self->nl);
}

/* A socket that a child inherited keeps the watch; the last copy ends it. */
TEST_F_TIMEOUT(fiber, inherited, SLOW_S)
{
	struct nl nl;
	struct info info;
	uint32_t id;
	pid_t pid;

	ASSERT_EQ(0, ask_open(&nl));
	ASSERT_EQ(0, watch_start(&nl, 0, 0, &id));
	pid = child_start(sleep_for_ever, NULL);
	ask_close(&nl);
	ASSERT_EQ(0, info_get(&self->nl, &info));
	EXPECT_EQ(1, info.watches);
	child_kill(pid);
	EXPECT_OFF(&self->nl);
}

TEST_HARNESS_MAIN
