// SPDX-License-Identifier: MIT
/*
 * A dump has the tasks that pass every filter given, and no others.
 *
 * Children of several users and states stand still; what a filtered dump has
 * is compared with the full dump, filtered here.
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include "self.h"

enum who {
	SLEEPER,
	USER_SLEEPER,
	STOPPED,
	ZOMBIE,
	CHILDREN
};

FIXTURE(zoo)
{
	struct nl nl;
	pid_t pid[CHILDREN];
};

static int user_sleep(void *arg)
{
	return become(USER_ID) ? sleep_for_ever(arg) : 1;
}

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

FIXTURE_SETUP(zoo)
{
	int err = ask_open(&self->nl);
	siginfo_t info;

	if (err == -ENOENT)
		SKIP(return, "the kernel has no family \"fiber\"");
	ASSERT_EQ(0, err);
	self->pid[SLEEPER] = child_start(sleep_for_ever, NULL);
	self->pid[USER_SLEEPER] = child_start(user_sleep, NULL);
	self->pid[STOPPED] = child_start(sleep_for_ever, NULL);
	self->pid[ZOMBIE] = child_start(nothing, NULL);
	kill(self->pid[STOPPED], SIGSTOP);
	ASSERT_EQ(0,
		  waitid(P_PID, self->pid[ZOMBIE], &info, WEXITED | WNOWAIT));
	for (int i = 0; i < CHILDREN; i++)
		ASSERT_TRUE(proc_settle(self->pid[i], self->pid[i]));
}

FIXTURE_TEARDOWN(zoo)
{
	for (int i = 0; i < CHILDREN; i++)
		child_kill(self->pid[i]);
	ask_close(&self->nl);
}

struct seen {
	const pid_t *pid;
	struct filter filter;
	unsigned int children; /* bit N: child N was there */
	int total, wrong;
};

static bool passes(const struct filter *f, uint32_t pid, uint32_t uid,
		   bool kernel)
{
	uint32_t kind = kernel ? FIBER_KIND_KERNEL : FIBER_KIND_USER;

	return (!f->pid || f->pid == pid) && (!f->by_uid || f->uid == uid) &&
	       (!f->kinds || f->kinds & kind);
}

static void note(struct seen *seen, uint32_t pid, uint32_t uid, uint32_t state,
		 bool kernel)
{
	seen->total++;
	for (int i = 0; i < CHILDREN; i++)
		if ((uint32_t)seen->pid[i] == pid)
			seen->children |= 1u << i;
	if (!passes(&seen->filter, pid, uid, kernel) ||
	    (seen->filter.states && !(seen->filter.states & (1u << state))))
		seen->wrong++;
}

static void see_process(const struct fiber_process_stats *p, void *arg)
{
	note(arg, p->pid, p->uid, p->state,
	     p->flags & FIBER_PROCESS_FLAG_KERNEL_THREAD);
}

static void see_thread(const struct fiber_thread_stats *t, void *arg)
{
	note(arg, t->pid, t->uid, t->state,
	     t->flags & FIBER_THREAD_FLAG_KERNEL_THREAD);
}

static unsigned int dump(TEST_ARG, FIXTURE_DATA(zoo) * self,
			 struct filter filter, int *total)
{
	struct seen p = { .pid = self->pid, .filter = filter }, t = p;

	EXPECT_EQ(0, process_dump(&self->nl, filter, see_process, &p));
	EXPECT_EQ(0, thread_dump(&self->nl, filter, see_thread, &t));
	EXPECT_EQ(0, p.wrong);
	EXPECT_EQ(0, t.wrong);
	EXPECT_EQ(p.children, t.children);
	*total = p.total;
	return p.children;
}

#define ONE(who) (1u << (who))
#define ALL (ONE(CHILDREN) - 1)

TEST_F_TIMEOUT(zoo, none, SLOW_S)
{
	int total;

	EXPECT_EQ(ALL, dump(_metadata, self, (struct filter){ 0 }, &total));
	EXPECT_LT(CHILDREN + 2, total);
}

TEST_F_TIMEOUT(zoo, pid, SLOW_S)
{
	int total;

	for (int i = 0; i < CHILDREN; i++) {
		struct filter filter = { .pid = self->pid[i] };

		EXPECT_EQ(ONE(i), dump(_metadata, self, filter, &total));
		EXPECT_EQ(1, total);
	}
}

TEST_F_TIMEOUT(zoo, uid, SLOW_S)
{
	struct filter filter = { .by_uid = true, .uid = USER_ID };
	int total;

	EXPECT_EQ(ONE(USER_SLEEPER), dump(_metadata, self, filter, &total));
	EXPECT_EQ(1, total);
	filter.uid = 0;
	EXPECT_EQ(ALL & ~ONE(USER_SLEEPER),
		  dump(_metadata, self, filter, &total));
	filter.uid = 54321;
	EXPECT_EQ(0, dump(_metadata, self, filter, &total));
	EXPECT_EQ(0, total);
}

TEST_F_TIMEOUT(zoo, kinds, SLOW_S)
{
	struct filter filter = { .kinds = FIBER_KIND_KERNEL };
	int user, kernel, both;

	EXPECT_EQ(0, dump(_metadata, self, filter, &kernel));
	filter.kinds = FIBER_KIND_USER;
	EXPECT_EQ(ALL, dump(_metadata, self, filter, &user));
	filter.kinds |= FIBER_KIND_KERNEL;
	EXPECT_EQ(ALL, dump(_metadata, self, filter, &both));
	EXPECT_LT(3, kernel);
	EXPECT_LE(CHILDREN + 2, user);
	EXPECT_LT(user, both);
}

TEST_F_TIMEOUT(zoo, states, SLOW_S)
{
	struct filter filter = { .states = FIBER_STATE_MASK_SLEEPING };
	int total;

	EXPECT_EQ(ONE(SLEEPER) | ONE(USER_SLEEPER),
		  dump(_metadata, self, filter, &total));
	filter.states = FIBER_STATE_MASK_STOPPED | FIBER_STATE_MASK_ZOMBIE;
	EXPECT_EQ(ONE(STOPPED) | ONE(ZOMBIE),
		  dump(_metadata, self, filter, &total));
	EXPECT_EQ(2, total);
	filter.states = FIBER_STATE_MASK_TRACED;
	EXPECT_EQ(0, dump(_metadata, self, filter, &total));
	EXPECT_EQ(0, total);
}

TEST_F_TIMEOUT(zoo, together, SLOW_S)
{
	struct filter filter = { .kinds = FIBER_KIND_USER,
				 .states = FIBER_STATE_MASK_SLEEPING,
				 .by_uid = true,
				 .uid = USER_ID };
	int total;

	EXPECT_EQ(ONE(USER_SLEEPER), dump(_metadata, self, filter, &total));
	EXPECT_EQ(1, total);
	filter.pid = self->pid[SLEEPER];
	EXPECT_EQ(0, dump(_metadata, self, filter, &total));
	EXPECT_EQ(0, total);
}

TEST_HARNESS_MAIN
