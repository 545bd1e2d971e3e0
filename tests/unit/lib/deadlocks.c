// SPDX-License-Identifier: MIT
/*
 * Running a program, reading what it says, and the score.
 */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "deadlocks.h"

#define SECONDS_MAX (TEST_SLOWER > 1 ? 40 : 10)
/* After it was found, so long until it is ended: it might say more. */
#define MORE_MS 20

static const char *const names[CLASSES] = {
	[HEALTHY] = "healthy",	     [CERTAIN] = "certain",
	[STALLED] = "stalled",	     [CYCLE] = "cycle",
	[UNKNOWABLE] = "unknowable",
};

static const char *const debugs[CLASSES] = {
	[HEALTHY] = "cycles=20",
	/* Where others are there (foreign_threads()), that is what is found. */
	[CERTAIN] = "stalled=30",
	[STALLED] = "stalled=30",
	[CYCLE] = "cycles=20",
	[UNKNOWABLE] = "cycles=20",
};

struct fiber *deadlocks_spawn(const char *name, int (*fn)(void *))
{
	struct fiber_attr attr = { .size = sizeof(attr), .name = name };
	struct fiber *fiber = NULL;

	CHECK_EQ(fiber_spawn(&fiber, fn, NULL, &attr), 0);
	return fiber;
}

static void go_on(void *arg)
{
	(void)arg;
	while (!fiber_sleep(MSEC))
		;
}

void deadlocks_go_on(void)
{
	CHECK_EQ(fiber_go(go_on, NULL), 0);
}

struct fiber_chan *deadlocks_chan(size_t capacity)
{
	struct fiber_chan *chan;

	CHECK_EQ(fiber_chan_new(&chan, sizeof(int), capacity, NULL), 0);
	return chan;
}

static const struct deadlock_case *current;

static struct fiber_config config_of(const struct deadlock_case *it)
{
	return (struct fiber_config){
		.size = sizeof(struct fiber_config),
		.workers = it->workers ? it->workers : 2,
		.flags = it->flags,
		.grace_ns = 10 * SEC,
	};
}

void deadlocks_start(void)
{
	struct fiber_config config = config_of(current);

	CHECK_EQ(fiber_start(&config), 0);
}

static int named_main(void *arg)
{
	CHECK_EQ(fiber_name_set("main"), 0);
	return current->main(arg);
}

static _Noreturn void be(const struct deadlock_case *it)
{
	struct fiber_config config = config_of(it);
	static const struct rlimit none;

	signal(SIGABRT, SIG_DFL);
	setrlimit(RLIMIT_CORE, &none);
	alarm(SECONDS_MAX);
	setenv("FIBER_DEBUG", it->debug ? it->debug : debugs[it->class], 1);
	current = it;
	if (it->thread)
		it->thread();
	else
		CHECK_EQ(fiber_run(named_main, NULL, &config), 0);
	_exit(0);
}

struct run {
	char said[65536];
	size_t len;
	int fd;
	pid_t pid;
	bool aborted;
	bool ended; /* by itself, as it should */
};

static void start(struct run *run, const struct deadlock_case *it)
{
	int fds[2];

	CHECK(pipe(fds) == 0);
	fflush(stdout);
	run->pid = fork();
	CHECK(run->pid >= 0);
	if (run->pid == 0) {
		dup2(fds[1], STDERR_FILENO);
		close(fds[0]);
		close(fds[1]);
		be(it);
	}
	close(fds[1]);
	run->fd = fds[0];
	run->len = 0;
}

/* Whether there was more. */
static bool hear(struct run *run, int ms)
{
	struct pollfd poll_fd = { .fd = run->fd, .events = POLLIN };
	ssize_t n;

	if (poll(&poll_fd, 1, ms) <= 0)
		return false;
	n = read(run->fd, run->said + run->len,
		 sizeof(run->said) - 1 - run->len);
	if (n <= 0)
		return false;
	run->len += n;
	run->said[run->len] = '\0';
	return true;
}

static bool says(const struct run *run, enum deadlock_class class)
{
	static const char *const marks[CLASSES] = {
		[CERTAIN] = "fiber: deadlock: ",
		[STALLED] = "fiber: stalled: ",
		[CYCLE] = "fiber: cycle: ",
	};

	return marks[class] && strstr(run->said, marks[class]);
}

static void finish(struct run *run)
{
	int status;

	while (waitpid(run->pid, &status, 0) < 0)
		CHECK_EQ(errno, EINTR);
	close(run->fd);
	run->aborted = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
	run->ended = WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static enum deadlock_class class_of(const struct run *run)
{
	if (says(run, CERTAIN))
		return CERTAIN;
	if (says(run, STALLED))
		return STALLED;
	return says(run, CYCLE) ? CYCLE : HEALTHY;
}

static void watch(struct run *run, const struct deadlock_case *it,
		  enum deadlock_class expected)
{
	run->said[0] = '\0';
	start(run, it);
	while (hear(run, SECONDS_MAX * 1000)) {
		if ((expected == STALLED || expected == CYCLE) &&
		    says(run, expected)) {
			while (hear(run, MORE_MS))
				;
			kill(run->pid, SIGKILL);
			break;
		}
	}
	finish(run);
}

/* What it has to say, or NULL. */
static const char *complaint(const struct run *run,
			     const struct deadlock_case *it,
			     enum deadlock_class expected)
{
	enum deadlock_class found = class_of(run);
	char line[256];

	if (expected == HEALTHY || expected == UNKNOWABLE) {
		if (found != HEALTHY)
			return "a false alarm";
		if (run->len)
			return "it says something";
		return run->ended ? NULL : "it failed";
	}
	if (found != expected)
		return found == HEALTHY ? "not found" : "in another class";
	if (run->aborted != (expected == CERTAIN))
		return "not aborted, or without need";
	if (it->call) {
		snprintf(line, sizeof(line), "%s waits in %s()", it->who,
			 it->call);
		if (!strstr(run->said, line))
			return "not named as it should";
	}
	return strstr(run->said, it->who) ? NULL : "nobody named";
}

static void *nothing(void *arg)
{
	return arg;
}

/* Those of a sanitizer, or an emulator: nothing is certain then. */
static bool foreign_threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	pthread_t thread;
	int n = 0;

	CHECK_EQ(pthread_create(&thread, NULL, nothing, NULL), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n != 3;
}

void deadlocks_score(const struct deadlock_case *cases, size_t n)
{
	static struct run run;
	bool foreign = foreign_threads();
	int all[CLASSES] = { 0 };
	int right[CLASSES] = { 0 };
	bool good = true;
	size_t i;

	for (i = 0; i < n; i++) {
		enum deadlock_class class = cases[i].class;
		bool is_less = class == CERTAIN && foreign;
		enum deadlock_class expected = is_less ? STALLED : class;
		const char *why;

		watch(&run, &cases[i], expected);
		if (is_less && says(&run, CERTAIN))
			expected = CERTAIN;
		why = complaint(&run, &cases[i], expected);
		all[class]++;
		right[class] += !why;
		good &= !why;
		if (why)
			test_note("%s (%s): %s: '%s'", cases[i].name,
				  names[class], why, run.said);
	}
	for (i = 0; i < CLASSES; i++) {
		if (all[i])
			test_note("%s: %d of %d%s", names[i], right[i], all[i],
				  foreign && i == CERTAIN ?
					  ", as stalled: there are threads "
					  "that are nobody's" :
					  "");
	}
	CHECK(good);
}
