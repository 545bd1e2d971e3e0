// SPDX-License-Identifier: MIT
/*
 * The public header says what the kernel's header says.
 *
 * fiber/nl.h restates the protocol's constants and records, so that callers
 * need no kernel header. Records are copied as bytes: their layouts are equal.
 */
#include <assert.h>
#include <stddef.h>

#include <fiber/nl.h>
#include <linux/fiber.h>

#define SAME(a, b) static_assert((int)(a) == (int)(b), #a " is not " #b)
#define SAME_STATE(s) SAME(FIBER_NL_STATE_##s, FIBER_STATE_##s)
#define SAME_FIELD(type, field)                                     \
	static_assert(offsetof(struct fiber_nl_##type, field) ==    \
			      offsetof(struct fiber_##type, field), \
		      #type "." #field " is elsewhere in the kernel's record")

SAME(FIBER_NL_HIST_BUCKETS, FIBER_HIST_BUCKETS);
SAME(FIBER_NL_COMM_LEN, FIBER_COMM_LEN);

SAME_STATE(RUNNING);
SAME_STATE(SLEEPING);
SAME_STATE(DISK_SLEEP);
SAME_STATE(STOPPED);
SAME_STATE(TRACED);
SAME_STATE(DEAD);
SAME_STATE(ZOMBIE);
SAME_STATE(PARKED);
SAME_STATE(IDLE);
SAME(FIBER_NL_STATES, FIBER_STATE_IDLE + 1);

SAME(FIBER_NL_KIND_USER, FIBER_KIND_USER);
SAME(FIBER_NL_KIND_KERNEL, FIBER_KIND_KERNEL);
SAME(FIBER_NL_WANT_AFFINITY, FIBER_WANT_AFFINITY);
SAME(FIBER_NL_WANT_SCHEDSTATS, FIBER_WANT_SCHEDSTATS);

SAME(FIBER_NL_PROCESS_APPROXIMATE, FIBER_PROCESS_FLAG_APPROXIMATE);
SAME(FIBER_NL_PROCESS_KERNEL_THREAD, FIBER_PROCESS_FLAG_KERNEL_THREAD);
SAME(FIBER_NL_PROCESS_EXITING, FIBER_PROCESS_FLAG_EXITING);
SAME(FIBER_NL_THREAD_LEADER, FIBER_THREAD_FLAG_LEADER);
SAME(FIBER_NL_THREAD_KERNEL_THREAD, FIBER_THREAD_FLAG_KERNEL_THREAD);
SAME(FIBER_NL_THREAD_EXITING, FIBER_THREAD_FLAG_EXITING);

SAME(FIBER_NL_FEATURE_SCHED_INFO, FIBER_FEATURE_SCHED_INFO);
SAME(FIBER_NL_FEATURE_SCHEDSTATS, FIBER_FEATURE_SCHEDSTATS);
SAME(FIBER_NL_FEATURE_DELAY_ACCT, FIBER_FEATURE_DELAY_ACCT);
SAME(FIBER_NL_FEATURE_CGROUP, FIBER_FEATURE_CGROUP);
SAME(FIBER_NL_FEATURE_HIST, FIBER_FEATURE_HIST);
SAME(FIBER_NL_FEATURE_EVENTS, FIBER_FEATURE_EVENTS);
SAME(FIBER_NL_FEATURE_PREEMPT_RT, FIBER_FEATURE_PREEMPT_RT);
SAME(FIBER_NL_PROBE_SCHED_SWITCH, FIBER_PROBE_SCHED_SWITCH);
SAME(FIBER_NL_PROBE_SCHED_PROCESS_FORK, FIBER_PROBE_SCHED_PROCESS_FORK);
SAME(FIBER_NL_PROBE_SCHED_PROCESS_EXEC, FIBER_PROBE_SCHED_PROCESS_EXEC);
SAME(FIBER_NL_PROBE_SCHED_PROCESS_EXIT, FIBER_PROBE_SCHED_PROCESS_EXIT);

SAME(FIBER_NL_HIST_RUNQ, FIBER_HIST_KIND_RUNQ);
SAME(FIBER_NL_HIST_SLICE, FIBER_HIST_KIND_SLICE);
SAME(FIBER_NL_HIST_SLEEP, FIBER_HIST_KIND_SLEEP);
SAME(FIBER_NL_HIST_DISK, FIBER_HIST_KIND_DISK);
SAME(FIBER_NL_HIST_PREEMPTED, FIBER_HIST_KIND_PREEMPTED);
SAME(FIBER_NL_HIST_KINDS, FIBER_HIST_KIND_PREEMPTED + 1);

SAME(FIBER_NL_EVENT_FORK, FIBER_EVENT_TYPE_FORK);
SAME(FIBER_NL_EVENT_EXEC, FIBER_EVENT_TYPE_EXEC);
SAME(FIBER_NL_EVENT_EXIT, FIBER_EVENT_TYPE_EXIT);
SAME(FIBER_NL_EVENT_THREAD_CREATE, FIBER_EVENT_TYPE_THREAD_CREATE);
SAME(FIBER_NL_EVENT_THREAD_EXIT, FIBER_EVENT_TYPE_THREAD_EXIT);
SAME(FIBER_NL_EVENT_END, FIBER_EVENT_TYPE_END);
SAME(FIBER_NL_EVENTS, FIBER_EVENT_TYPE_END + 1);

SAME(sizeof(struct fiber_nl_process_stats), sizeof(struct fiber_process_stats));
SAME_FIELD(process_stats, version);
SAME_FIELD(process_stats, flags);
SAME_FIELD(process_stats, pid);
SAME_FIELD(process_stats, ppid);
SAME_FIELD(process_stats, uid);
SAME_FIELD(process_stats, state);
SAME_FIELD(process_stats, threads);
SAME_FIELD(process_stats, policy);
SAME_FIELD(process_stats, rt_priority);
SAME_FIELD(process_stats, priority);
SAME_FIELD(process_stats, nice);
SAME_FIELD(process_stats, ns_level);
SAME_FIELD(process_stats, reserved);
SAME_FIELD(process_stats, start_ns);
SAME_FIELD(process_stats, utime_ns);
SAME_FIELD(process_stats, stime_ns);
SAME_FIELD(process_stats, runtime_ns);
SAME_FIELD(process_stats, run_delay_ns);
SAME_FIELD(process_stats, timeslices);
SAME_FIELD(process_stats, migrations);
SAME_FIELD(process_stats, nvcsw);
SAME_FIELD(process_stats, nivcsw);
SAME_FIELD(process_stats, minflt);
SAME_FIELD(process_stats, majflt);
SAME_FIELD(process_stats, rss_bytes);
SAME_FIELD(process_stats, vsz_bytes);
SAME_FIELD(process_stats, cgroup_id);
SAME_FIELD(process_stats, comm);

/* The library's own fields of a thread follow the kernel's record. */
SAME(offsetof(struct fiber_nl_thread_stats, schedstats),
     sizeof(struct fiber_thread_stats));
SAME_FIELD(thread_stats, version);
SAME_FIELD(thread_stats, flags);
SAME_FIELD(thread_stats, tid);
SAME_FIELD(thread_stats, pid);
SAME_FIELD(thread_stats, uid);
SAME_FIELD(thread_stats, state);
SAME_FIELD(thread_stats, cpu);
SAME_FIELD(thread_stats, policy);
SAME_FIELD(thread_stats, rt_priority);
SAME_FIELD(thread_stats, priority);
SAME_FIELD(thread_stats, nice);
SAME_FIELD(thread_stats, start_ns);
SAME_FIELD(thread_stats, utime_ns);
SAME_FIELD(thread_stats, stime_ns);
SAME_FIELD(thread_stats, runtime_ns);
SAME_FIELD(thread_stats, run_delay_ns);
SAME_FIELD(thread_stats, timeslices);
SAME_FIELD(thread_stats, migrations);
SAME_FIELD(thread_stats, nvcsw);
SAME_FIELD(thread_stats, nivcsw);
SAME_FIELD(thread_stats, minflt);
SAME_FIELD(thread_stats, majflt);
SAME_FIELD(thread_stats, blkio_delay_ns);
SAME_FIELD(thread_stats, arrived_ago_ns);
SAME_FIELD(thread_stats, comm);

SAME(sizeof(struct fiber_nl_schedstats), sizeof(struct fiber_schedstats));
SAME_FIELD(schedstats, version);
SAME_FIELD(schedstats, wait_sum_ns);
SAME_FIELD(schedstats, wait_max_ns);
SAME_FIELD(schedstats, sleep_sum_ns);
SAME_FIELD(schedstats, sleep_max_ns);
SAME_FIELD(schedstats, block_sum_ns);
SAME_FIELD(schedstats, block_max_ns);
SAME_FIELD(schedstats, iowait_sum_ns);
SAME_FIELD(schedstats, iowait_count);
SAME_FIELD(schedstats, exec_max_ns);
SAME_FIELD(schedstats, slice_max_ns);
