// SPDX-License-Identifier: MIT
/*
 * The table of columns, in the order of -o help and of JSON.
 */
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "column.h"
#include "fmt.h"

const char state_letters[] = "RSDTtXZPI";

static const char *letter(const char *letters, uint64_t at, char *scratch)
{
	scratch[0] = at < strlen(letters) ? letters[at] : '?';
	scratch[1] = '\0';
	return scratch;
}

static const char *text_state(const struct task *task, char *scratch)
{
	return letter(state_letters, task->state, scratch);
}

static const char *text_user(const struct task *task, char *scratch)
{
	(void)scratch;
	return task->user ? task->user : "-";
}

static const char *text_comm(const struct task *task, char *scratch)
{
	(void)scratch;
	return task->comm;
}

static const char *text_cpus(const struct task *task, char *scratch)
{
	(void)scratch;
	return task->cpus;
}

static const char *text_kind(const struct task *task, char *scratch)
{
	/* Both kinds of record have the flag in the same place. */
	(void)scratch;
	return task->flags & FIBER_NL_THREAD_KERNEL_THREAD ? "kernel" : "user";
}

static const char *text_policy(const struct task *task, char *scratch)
{
	static const char *const names[] = { "other",	 "fifo", "rr",
					     "batch",	 "4",	 "idle",
					     "deadline", "ext" };

	if (task->policy < sizeof(names) / sizeof(names[0]))
		return names[task->policy];
	snprintf(scratch, FMT_SIZE, "%u", (unsigned int)task->policy);
	return scratch;
}

/* Small letters that may stand together: e exiting, l leader, ~ approximate. */
static const char *text_flags(const struct task *task, char *scratch)
{
	bool thread = task->has & HAS_THREAD;
	char *p = scratch;

	if (thread && task->flags & FIBER_NL_THREAD_LEADER)
		*p++ = 'l';
	if (task->flags & FIBER_NL_THREAD_KERNEL_THREAD)
		*p++ = 'k';
	if (task->flags & FIBER_NL_THREAD_EXITING)
		*p++ = 'e';
	if (!thread && task->flags & FIBER_NL_PROCESS_APPROXIMATE)
		*p++ = '~';
	if (p == scratch)
		*p++ = '-';
	*p = '\0';
	return scratch;
}

static const char *text_event(const struct task *task, char *scratch)
{
	static const char *const names[] = { "fork",	    "exec",
					     "exit",	    "thread-create",
					     "thread-exit", "end" };

	if (task->event < FIBER_NL_EVENTS)
		return names[task->event];
	snprintf(scratch, FMT_SIZE, "%u", (unsigned int)task->event);
	return scratch;
}

/* 0, or the status, or the name of the signal that ended it. */
static const char *text_result(const struct task *task, char *scratch)
{
	int code = (int)task->exit_code;
	const char *name;

	if (!WIFSIGNALED(code)) {
		snprintf(scratch, FMT_SIZE, "%d", WEXITSTATUS(code));
		return scratch;
	}
	name = sigabbrev_np(WTERMSIG(code));
	if (name)
		snprintf(scratch, FMT_SIZE, "SIG%s%s", name,
			 WCOREDUMP(code) ? "+core" : "");
	else
		snprintf(scratch, FMT_SIZE, "signal %d", WTERMSIG(code));
	return scratch;
}

#define ANY (HAS_PROCESS | HAS_THREAD | HAS_EVENT)
#define TASK (HAS_PROCESS | HAS_THREAD)
#define PROC HAS_PROCESS
#define THREAD HAS_THREAD
#define EVENT HAS_EVENT
#define SCHED HAS_SCHEDSTATS
#define RATES HAS_RATES

#define TEXT(name, header, width, has, doc)                              \
	{                                                                \
#name, header, width, COL_TEXT, has, 0, text_##name, doc \
	}
#define NUM(name, header, width, type, has, field, doc)         \
	{                                                       \
#name, header, width, COL_##type, has,          \
			offsetof(struct task, field), NULL, doc \
	}

static const struct column columns[] = {
	NUM(time, "TIME", 13, CLOCK, EVENT, time_ns, "when, since boot"),
	TEXT(event, "EVENT", 13, EVENT,
	     "fork, exec, exit, thread-create, thread-exit or end"),
	NUM(pid, "PID", 7, ID, ANY, pid, "number of the process"),
	NUM(tid, "TID", 7, ID, ANY, tid, "number of the thread"),
	NUM(ppid, "PPID", 7, ID, PROC | EVENT, ppid,
	    "number of the parent; 0: outside the pid namespace"),
	NUM(uid, "UID", 5, ID, ANY, uid, "effective user id"),
	TEXT(user, "USER", 8, ANY, "effective user's name"),
	TEXT(kind, "KIND", 6, TASK, "user or kernel"),
	TEXT(state, "S", 1, TASK,
	     "R running, S sleeping, D disk sleep, T stopped, t traced, Z zombie, X dead, P parked, I idle; of a process, its leader's"),
	TEXT(flags, "FLAGS", 5, TASK,
	     "l leader, k kernel, e exiting, ~ totals may miss a thread"),
	NUM(threads, "THR", 4, COUNT, PROC, threads, "threads not yet reaped"),
	NUM(cpu, "CPU", 3, ID, THREAD, cpu, "CPU that it runs on, or ran on"),
	TEXT(policy, "POLICY", 6, TASK,
	     "other, fifo, rr, batch, idle, deadline or ext"),
	NUM(rtprio, "RTPRIO", 6, ID, TASK, rt_priority, "real-time priority"),
	NUM(prio, "PRIO", 4, INT, TASK, priority,
	    "priority as /proc/PID/stat has it"),
	NUM(nice, "NI", 3, INT, TASK, nice, "nice value"),
	NUM(nslevel, "NS", 2, ID, PROC, ns_level,
	    "depth of its pid namespace below the reader's"),
	NUM(cgroup, "CGROUP", 8, ID, PROC, cgroup_id, "id of its cgroup (v2)"),
	NUM(start, "START", 11, CLOCK, TASK, start_ns, "start, since boot"),
	NUM(age, "AGE", 11, NS, TASK, age_ns, "time since its start"),
	NUM(utime, "UTIME", 9, NS, TASK, utime_ns,
	    "user time; of a process, exited threads included"),
	NUM(stime, "STIME", 9, NS, TASK, stime_ns,
	    "system time; of a process, exited threads included"),
	NUM(runtime, "RUNTIME", 9, NS, TASK, runtime_ns,
	    "time on a CPU; of a process, exited threads included"),
	NUM(delay, "DELAY", 9, NS, TASK, run_delay_ns,
	    "time runnable but waiting for a CPU; of live threads"),
	NUM(blkio, "BLKIO", 9, NS, THREAD, blkio_delay_ns,
	    "time waiting for block I/O, with kernel.task_delayacct=1"),
	NUM(slices, "SLICES", 8, COUNT, TASK, timeslices,
	    "times put on a CPU; of live threads"),
	NUM(migrations, "MIGR", 6, COUNT, TASK, migrations,
	    "moves between CPUs; of live threads"),
	NUM(vcsw, "VCSW", 8, COUNT, TASK, nvcsw,
	    "voluntary context switches, exited threads included"),
	NUM(icsw, "ICSW", 8, COUNT, TASK, nivcsw,
	    "involuntary context switches, exited threads included"),
	NUM(minflt, "MINFLT", 8, COUNT, TASK, minflt,
	    "minor faults, exited threads included"),
	NUM(majflt, "MAJFLT", 6, COUNT, TASK, majflt,
	    "major faults, exited threads included"),
	NUM(rss, "RSS", 6, BYTES, PROC, rss_bytes, "resident memory"),
	NUM(vsz, "VSZ", 6, BYTES, PROC, vsz_bytes, "virtual memory"),
	NUM(arrived, "ARRIVED", 9, NS, HAS_ARRIVED, arrived_ago_ns,
	    "time since it was last put on a CPU"),
	TEXT(cpus, "CPUS", 6, HAS_CPUS, "CPUs that it may use"),
	NUM(cpu_pct, "%CPU", 5, PERCENT, RATES, cpu_pct,
	    "share of time on a CPU; in top over the interval, elsewhere over its life"),
	NUM(delay_pct, "%DELAY", 6, PERCENT, RATES, delay_pct,
	    "share of time waiting for a CPU; likewise"),
	NUM(blkio_pct, "%BLKIO", 6, PERCENT, THREAD, blkio_pct,
	    "share of time waiting for block I/O; likewise"),
	NUM(vcsw_rate, "VCSW/s", 7, RATE, RATES, vcsw_rate,
	    "voluntary context switches a second; likewise"),
	NUM(icsw_rate, "ICSW/s", 7, RATE, RATES, icsw_rate,
	    "involuntary context switches a second; likewise"),
	NUM(slice_rate, "SLICE/s", 7, RATE, RATES, slice_rate,
	    "times put on a CPU a second; likewise"),
	NUM(mig_rate, "MIGR/s", 6, RATE, RATES, mig_rate,
	    "moves between CPUs a second; likewise"),
	NUM(minflt_rate, "MINF/s", 7, RATE, RATES, minflt_rate,
	    "minor faults a second; likewise"),
	NUM(majflt_rate, "MAJF/s", 6, RATE, RATES, majflt_rate,
	    "major faults a second; likewise"),
	NUM(wait_sum, "WAIT", 9, NS, SCHED, sched.wait_sum_ns,
	    "waiting for a CPU, with kernel.sched_schedstats=1 as all below"),
	NUM(wait_max, "WAITMAX", 9, NS, SCHED, sched.wait_max_ns,
	    "the longest of these"),
	NUM(sleep_sum, "SLEEP", 9, NS, SCHED, sched.sleep_sum_ns,
	    "sleep; kernels count what is in block_sum here, too"),
	NUM(sleep_max, "SLEEPMAX", 9, NS, SCHED, sched.sleep_max_ns,
	    "the longest of these"),
	NUM(block_sum, "BLOCK", 9, NS, SCHED, sched.block_sum_ns,
	    "uninterruptible sleep"),
	NUM(block_max, "BLOCKMAX", 9, NS, SCHED, sched.block_max_ns,
	    "the longest of these"),
	NUM(iowait_sum, "IOWAIT", 9, NS, SCHED, sched.iowait_sum_ns,
	    "the part of block_sum that waited for I/O"),
	NUM(iowait_count, "IOWAITS", 7, COUNT, SCHED, sched.iowait_count,
	    "the number of these"),
	NUM(exec_max, "EXECMAX", 9, NS, SCHED, sched.exec_max_ns,
	    "longest run without a tick between"),
	NUM(slice_max, "SLICEMAX", 9, NS, SCHED, sched.slice_max_ns,
	    "longest slice"),
	TEXT(result, "RESULT", 6, HAS_CODE,
	     "of an exit: the status, or the signal"),
	NUM(code, "CODE", 5, ID, HAS_CODE, exit_code,
	    "of an exit: the status as wait(2) has it"),
	NUM(depth, "DEPTH", 5, ID, HAS_DEPTH, depth,
	    "in a tree: distance from the root"),
	TEXT(comm, "COMMAND", 15, ANY,
	     "command name; of a process, its leader's"),
};

/* The column after @column, the first after NULL, and NULL after the last. */
const struct column *column_next(const struct column *column)
{
	const struct column *end =
		columns + sizeof(columns) / sizeof(columns[0]);

	column = column ? column + 1 : columns;
	return column < end ? column : NULL;
}
