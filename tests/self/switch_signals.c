// SPDX-License-Identifier: MIT
/*
 * Signals to those who park: a handler ends the park, nothing else does, and
 * nobody is resumed twice for it.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "self.h"
#include "group.h"

static void handle(int sig)
{
	(void)sig;
}

static void on_signal(int flags)
{
	struct sigaction act = { .sa_handler = handle, .sa_flags = flags };

	sigaction(SIGUSR1, &act, NULL);
}

/* ---- with a handler ---- */

/* A, the first thread of the test, switches to B, the only mate. */
struct pair {
	pthread_t a;
	uint32_t a_tid, a_handle;
	bool again; /* A parks for the second time, or is about to */
};

static void await(bool *flag)
{
	while (!__atomic_load_n(flag, __ATOMIC_ACQUIRE))
		sleep_ns(MS);
}

static void *interrupt(struct mate *mate)
{
	struct pair *pair = mate->crew->arg;

	mate->err = group_park(mate->crew->fd, in_ns(PATIENCE_NS));
	if (!wait_asleep(pair->a_tid))
		mate->err = -ETIME;
	pthread_kill(pair->a, SIGUSR1);
	await(&pair->again);
	if (!wait_asleep(pair->a_tid))
		mate->err = -ETIME;
	mate->count = group_has_token(mate->crew->fd);
	group_resume(mate->crew->fd, pair->a_handle);
	return NULL;
}

static void interrupted(TEST_ARG, struct nl *nl, int flags)
{
	struct pair pair = { .a = pthread_self(), .a_tid = gettid_() };
	struct fiber_switch s = { .until_ns = in_ns(PATIENCE_NS) };
	int fd = group_create(nl);
	struct crew crew;

	ASSERT_LE(0, fd);
	on_signal(flags);
	pair.a_handle = group_attach(fd);
	ASSERT_TRUE(crew_start(&crew, 1, fd, interrupt, &pair));
	s.target = crew.mate[0].handle;
	EXPECT_EQ(-EINTR, group_switch(fd, &s));
	EXPECT_EQ(0, s.target);
	__atomic_store_n(&pair.again, true, __ATOMIC_RELEASE);
	EXPECT_EQ(0, group_switch(fd, &s));
	crew_join(&crew);
	EXPECT_EQ(0, crew.mate[0].err);
	EXPECT_EQ(0, crew.mate[0].count);
	crew_free(&crew);
}

TEST_F(fiber, handler)
{
	interrupted(_metadata, &self->nl, 0);
}

/* No different: a park has a deadline, and who set it wants to hear. */
TEST_F(fiber, handler_that_restarts)
{
	interrupted(_metadata, &self->nl, SA_RESTART);
}

/* A token that is there is taken, a signal that is there as well can wait. */
TEST_F(fiber, token_beats_signal)
{
	int fd = group_create(&self->nl), me;

	ASSERT_LE(0, fd);
	me = group_attach(fd);
	on_signal(0);
	for (int i = 0; i < 100; i++) {
		EXPECT_EQ(0, group_resume(fd, me));
		pthread_kill(pthread_self(), SIGUSR1);
		EXPECT_EQ(0, group_park(fd, FOREVER));
	}
}

/* ---- without one ---- */

struct victim {
	struct gate parked, finish;
	uint32_t a_tid;
	uint32_t a_handle;
	int fd;
};

/* Once A is to finish, it is resumed; B must have been so once. */
static void *be_resumed_once(struct mate *mate)
{
	struct victim *v = mate->crew->arg;

	mate->err = group_park(mate->crew->fd, in_ns(PATIENCE_NS));
	gate_wait(&v->finish);
	mate->count = group_has_token(mate->crew->fd);
	group_resume(mate->crew->fd, v->a_handle);
	return NULL;
}

static int park_undisturbed(void *arg)
{
	struct victim *v = arg;
	struct fiber_switch s = { .until_ns = in_ns(PATIENCE_NS) };
	struct crew crew;
	struct nl nl;

	if (ask_open(&nl))
		return 1;
	v->fd = group_create(&nl);
	v->a_tid = gettid_();
	v->a_handle = group_attach(v->fd);
	if (!crew_start(&crew, 1, v->fd, be_resumed_once, v))
		return 2;
	s.target = crew.mate[0].handle;
	gate_open(&v->parked, 1);
	if (group_switch(v->fd, &s))
		return 3;
	crew_join(&crew);
	return crew.mate[0].err ? 4 : crew.mate[0].count ? 5 : 0;
}

static void stop_and_continue(TEST_ARG, pid_t pid)
{
	int status;

	for (int i = 0; i < 5; i++) {
		ASSERT_EQ(0, kill(pid, SIGSTOP));
		ASSERT_EQ(pid, waitpid(pid, &status, WUNTRACED));
		ASSERT_TRUE(WIFSTOPPED(status));
		ASSERT_EQ(0, kill(pid, SIGCONT));
		ASSERT_TRUE(wait_asleep(pid));
	}
}

static void trace(TEST_ARG, pid_t pid)
{
	int status;

	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, pid, NULL, NULL));
	for (int i = 0; i < 5; i++) {
		ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, pid, NULL, NULL));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_TRUE(WIFSTOPPED(status));
		ASSERT_EQ(0, ptrace(PTRACE_CONT, pid, NULL, NULL));
		ASSERT_TRUE(wait_asleep(pid));
	}
	ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, pid, NULL, NULL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, pid, NULL, NULL));
}

#define CGROUP "/sys/fs/cgroup/fiber-switch"

static bool write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) > 0;

	close(fd);
	return ok;
}

static bool is_frozen(void)
{
	char text[128] = "";
	int fd = open(CGROUP "/cgroup.events", O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	return strstr(text, "frozen 1");
}

static void freeze_and_thaw(TEST_ARG, pid_t pid)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", pid);
	ASSERT_TRUE(write_to(CGROUP "/cgroup.procs", number));
	for (int i = 0; i < 5; i++) {
		ASSERT_TRUE(write_to(CGROUP "/cgroup.freeze", "1"));
		for (int k = 0; k < 1000 && !is_frozen(); k++)
			sleep_ns(MS);
		ASSERT_TRUE(is_frozen());
		ASSERT_TRUE(write_to(CGROUP "/cgroup.freeze", "0"));
		ASSERT_TRUE(wait_asleep(pid));
	}
}

static void disturb(TEST_ARG, void (*how)(TEST_ARG, pid_t pid))
{
	struct victim v = { 0 };
	int status;
	pid_t pid;

	ASSERT_TRUE(gate_make(&v.parked));
	ASSERT_TRUE(gate_make(&v.finish));
	pid = child_start(park_undisturbed, &v);
	gate_wait(&v.parked);
	ASSERT_TRUE(wait_asleep(pid));
	how(_metadata, pid);
	gate_open(&v.finish, 1);
	status = child_wait(pid);
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status));
}

TEST_F_TIMEOUT(fiber, stop, SLOW_S)
{
	disturb(_metadata, stop_and_continue);
}

TEST_F_TIMEOUT(fiber, tracer, SLOW_S)
{
	disturb(_metadata, trace);
}

TEST_F_TIMEOUT(fiber, freezer, SLOW_S)
{
	if (mkdir(CGROUP, 0755) || access(CGROUP "/cgroup.freeze", W_OK))
		SKIP(return, "no cgroup v2 with a freezer");
	disturb(_metadata, freeze_and_thaw);
	EXPECT_EQ(0, rmdir(CGROUP));
}

/* ---- SIGKILL ---- */

static void *go_round(struct mate *mate)
{
	struct crew *crew = mate->crew;
	uint32_t next = crew->mate[(mate->index + 1) % crew->n].handle;

	while (!mate->err)
		mate->err = group_switch_to(crew->fd, next, FOREVER);
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

/* All park but one or two, whoever has the turn. */
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

/* ---- a storm of them ---- */

#define STORM_SWITCHES 4000

struct storm {
	unsigned long turn;
};

static void *play(struct mate *mate)
{
	struct crew *crew = mate->crew;
	struct storm *storm = crew->arg;
	struct fiber_switch s = { .until_ns = in_ns(PATIENCE_NS) };

	if (!mate->index)
		s.target = crew->mate[1].handle;
	while (!mate->err) {
		unsigned long turn;

		do {
			mate->err = group_switch(crew->fd, &s);
			mate->count += mate->err == -EINTR;
		} while (mate->err == -EINTR);
		turn = __atomic_add_fetch(&storm->turn, 1, __ATOMIC_RELAXED);
		if (turn >= STORM_SWITCHES)
			break;
		if (turn % 2 != (unsigned long)mate->index)
			mate->err = -EPROTO;
		s.target = crew->mate[!mate->index].handle;
	}
	group_resume(crew->fd, crew->mate[!mate->index].handle);
	return NULL;
}

TEST_F_TIMEOUT(fiber, storm, SLOW_S)
{
	struct storm storm = { 0 };
	int fd = group_create(&self->nl);
	struct crew crew;

	ASSERT_LE(0, fd);
	on_signal(0);
	ASSERT_TRUE(crew_start(&crew, 2, fd, play, &storm));
	while (__atomic_load_n(&storm.turn, __ATOMIC_RELAXED) <
	       STORM_SWITCHES) {
		pthread_kill(crew.mate[storm.turn & 1].thread, SIGUSR1);
		if (crew.mate[0].err && crew.mate[0].err != -EINTR)
			break;
	}
	crew_join(&crew);
	for (int i = 0; i < 2; i++)
		EXPECT_EQ(0, crew.mate[i].err);
	TH_LOG("%lu and %lu interruptions", crew.mate[0].count,
	       crew.mate[1].count);
	crew_free(&crew);
}

TEST_HARNESS_MAIN
