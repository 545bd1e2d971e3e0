// SPDX-License-Identifier: MIT
/* Reads /proc; the contract is in proc.h. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "proc.h"

#define SETTLE_STEP_MS 20
#define SETTLE_STEPS 500

bool file_read(const char *path, char *buf, size_t size)
{
	size_t at = 0;
	ssize_t len;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	while (at < size - 1 && (len = read(fd, buf + at, size - 1 - at)) > 0)
		at += len;
	close(fd);
	buf[at] = '\0';
	return at > 0;
}

bool file_write(const char *path, const char *text)
{
	ssize_t len = strlen(text);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, len) == len;

	if (fd >= 0)
		close(fd);
	return ok;
}

/* The name may hold spaces and brackets: what follows the last one is numbers. */
static bool parse_stat(char *text, struct proc_stat *s)
{
	char *open = strchr(text, '('), *close = strrchr(text, ')');

	memset(s, 0, sizeof(*s));
	if (!open || !close)
		return false;
	snprintf(s->comm, sizeof(s->comm), "%.*s", (int)(close - open - 1),
		 open + 1);
	return sscanf(close + 2,
		      "%c %" SCNd64 " %*d %*d %*d %*d %*u %" SCNd64
		      " %*d %" SCNd64 " %*d %" SCNd64 " %" SCNd64
		      " %*d %*d %" SCNd64 " %" SCNd64 " %" SCNd64
		      " %*d %" SCNd64 " %" SCNd64 " %" SCNd64
		      " %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*d %" SCNd64
		      " %" SCNd64 " %" SCNd64,
		      &s->state, &s->ppid, &s->minflt, &s->majflt, &s->utime,
		      &s->stime, &s->priority, &s->nice, &s->threads, &s->start,
		      &s->vsize, &s->rss_pages, &s->cpu, &s->rt_priority,
		      &s->policy) == 15;
}

bool proc_read_process(pid_t pid, struct proc_stat *stat)
{
	char path[64], text[1024];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	return file_read(path, text, sizeof(text)) && parse_stat(text, stat);
}

bool proc_read_thread(pid_t pid, pid_t tid, struct proc_stat *stat)
{
	char path[64], text[1024];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	return file_read(path, text, sizeof(text)) && parse_stat(text, stat);
}

static uint64_t status_number(const char *text, const char *key, int column)
{
	const char *at = strstr(text, key);
	char *end;

	if (!at)
		return 0;
	at += strlen(key);
	while (--column > 0) {
		strtoull(at, &end, 10);
		at = end;
	}
	return strtoull(at, NULL, 10);
}

bool proc_read_sched(pid_t pid, pid_t tid, struct proc_sched *sched)
{
	char path[64], text[8192];

	memset(sched, 0, sizeof(*sched));
	snprintf(path, sizeof(path), "/proc/%d/task/%d/schedstat", pid, tid);
	if (!file_read(path, text, sizeof(text)) ||
	    sscanf(text, "%" SCNu64 " %" SCNu64 " %" SCNu64, &sched->runtime_ns,
		   &sched->run_delay_ns, &sched->timeslices) != 3)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", pid, tid);
	if (!file_read(path, text, sizeof(text)))
		return false;
	sched->uid = status_number(text, "\nUid:", 2);
	sched->nvcsw = status_number(text, "\nvoluntary_ctxt_switches:", 1);
	sched->nivcsw = status_number(text, "\nnonvoluntary_ctxt_switches:", 1);
	return true;
}

char proc_state(pid_t pid, pid_t tid)
{
	struct proc_stat stat;

	return proc_read_thread(pid, tid, &stat) ? stat.state : '\0';
}

int64_t proc_sched_ns(pid_t pid, pid_t tid, const char *name)
{
	char path[64], text[8192], *at = text;
	int64_t ms, ns;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/sched", pid, tid);
	if (!file_read(path, text, sizeof(text)))
		return -1;
	while ((at = strstr(at, name))) {
		char *colon = at + strcspn(at, ": ");

		if (colon == at + strlen(name) &&
		    sscanf(colon, " : %" SCNd64 ".%" SCNd64, &ms, &ns) == 2)
			return ms * 1000000 + ns;
		at++;
	}
	return -1;
}

/*
 * A task shows S from before it leaves the CPU; only when its counters stand
 * still has it left.
 */
bool proc_settle(pid_t pid, pid_t tid)
{
	struct timespec step = { .tv_nsec = SETTLE_STEP_MS * 1000000L };
	struct proc_sched last, now;

	memset(&last, 0, sizeof(last));
	for (int i = 0; i < SETTLE_STEPS; i++) {
		if (!proc_read_sched(pid, tid, &now))
			return false;
		if (proc_state(pid, tid) != 'R' &&
		    !memcmp(&now, &last, sizeof(now)))
			return true;
		last = now;
		nanosleep(&step, NULL);
	}
	return false;
}
