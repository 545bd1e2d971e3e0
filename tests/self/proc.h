/* SPDX-License-Identifier: MIT */
/* What /proc says of a task: the numbers that the module's are held against. */
#ifndef SELF_PROC_H
#define SELF_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* /proc/PID/stat of a process (whole) or /proc/PID/task/TID/stat of a thread. */
struct proc_stat {
	char comm[64];
	char state;
	int64_t ppid, minflt, majflt, utime, stime, priority, nice, threads;
	int64_t start, vsize, rss_pages, cpu, rt_priority, policy;
};

/* /proc/.../schedstat and /proc/.../status: of one thread, also where tid is a process. */
struct proc_sched {
	uint64_t runtime_ns, run_delay_ns, timeslices;
	uint64_t uid, nvcsw, nivcsw;
};

bool proc_read_process(pid_t pid, struct proc_stat *stat);
bool proc_read_thread(pid_t pid, pid_t tid, struct proc_stat *stat);
bool proc_read_sched(pid_t pid, pid_t tid, struct proc_sched *sched);
char proc_state(pid_t pid, pid_t tid);

/* The number after "name : " in /proc/PID/task/TID/sched, in ns; -1 without. */
int64_t proc_sched_ns(pid_t pid, pid_t tid, const char *name);

/* Until the thread sleeps and nothing about it moves; false after ten seconds. */
bool proc_settle(pid_t pid, pid_t tid);

bool file_read(const char *path, char *buf, size_t size);
bool file_write(const char *path, const char *text);

#endif
