/* SPDX-License-Identifier: MIT */
/*
 * A row: a process, a thread or an event, with all numbers that columns show.
 */
#ifndef CTL_TASK_H
#define CTL_TASK_H

#include <fiber/nl.h>

/* What a row has; a column names which of these give it a value. */
enum {
	HAS_PROCESS = 1 << 0,
	HAS_THREAD = 1 << 1,
	HAS_EVENT = 1 << 2,
	HAS_SCHEDSTATS = 1 << 3,
	HAS_CPUS = 1 << 4,
	HAS_RATES = 1 << 5,
	HAS_ARRIVED = 1 << 6, /* it was once put on a CPU */
	HAS_DEPTH = 1 << 7, /* in a tree */
	HAS_CODE = 1 << 8, /* of an exit */
};

struct task {
	unsigned int has;
	uint64_t pid, tid, ppid, uid;
	uint64_t flags, state, threads, policy, rt_priority, cpu, ns_level;
	int64_t priority, nice;
	uint64_t start_ns, age_ns, utime_ns, stime_ns, runtime_ns, run_delay_ns;
	uint64_t timeslices, migrations, nvcsw, nivcsw, minflt, majflt;
	uint64_t rss_bytes, vsz_bytes, cgroup_id;
	uint64_t blkio_delay_ns, arrived_ago_ns;
	struct fiber_nl_schedstats sched;
	/* Over the life of the task, or over the interval in top. */
	double cpu_pct, delay_pct, blkio_pct;
	double vcsw_rate, icsw_rate, mig_rate, slice_rate, minflt_rate,
		majflt_rate;
	/* Of an event. */
	uint64_t event, time_ns, exit_code;
	/* In a tree. */
	uint64_t depth;
	const char *art; /* branches drawn before the name, or NULL */
	const char *user; /* in struct users; NULL in an event of end */
	char *cpus; /* allocated */
	char comm[FIBER_NL_COMM_LEN];
};

/* Names of users, each asked for once. */
struct users {
	struct user {
		uint32_t uid;
		char *name;
	} * v;
	size_t n, cap;
};

const char *users_name(struct users *users, uint32_t uid);
void users_free(struct users *users);

/* Rows, in the order in which the kernel gave them. */
struct tasks {
	struct task *v;
	size_t n, cap;
	uint64_t read_ns; /* CLOCK_MONOTONIC */
};

/* Which tasks to read. */
struct query {
	bool threads;
	bool append; /* to the rows that are there */
	bool missing_ok; /* a pid may have gone; top says nothing */
	struct fiber_nl_filter filter;
	const uint32_t *pids; /* only these processes, when there are any */
	size_t n_pids;
};

/* What a subcommand reads with. */
struct session {
	struct fiber_nl *nl;
	struct users users;
	bool silent; /* a screen is up: keep complaints for later */
	char complaint[320]; /* the last one */
};

int session_open(struct session *session);
void session_close(struct session *session);

int tasks_read(struct session *session, const struct query *query,
	       struct tasks *tasks);
void tasks_clear(struct tasks *tasks);
void tasks_free(struct tasks *tasks);

void task_from_process(struct task *task,
		       const struct fiber_nl_process_stats *stats);
int task_from_thread(struct task *task,
		     const struct fiber_nl_thread_stats *stats);
void task_from_event(struct task *task, const struct fiber_nl_event *event);
void task_rates(struct task *task, const struct task *before, uint64_t ns);
uint64_t clock_ns(int clock);

#endif /* CTL_TASK_H */
