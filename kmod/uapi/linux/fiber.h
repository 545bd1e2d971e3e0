/* SPDX-License-Identifier: ((GPL-2.0-only WITH Linux-syscall-note) OR MIT) */
/*
 * The generic netlink family "fiber".
 *
 * The protocol is specified in fiber.yaml, next door; `make lint` checks that
 * this header says the same. In short:
 *
 *  FIBER_CMD_INFO_GET     do: the module and its users        (FIBER_A_INFO_*)
 *  FIBER_CMD_PROCESS_GET  do: the process FIBER_A_TASK_PID.   (FIBER_A_TASK_*)
 *                         dump: every process that passes the filters PID,
 *                         UID, KINDS and STATES. Each reply has one
 *                         FIBER_A_TASK_PROCESS, a struct fiber_process_stats.
 *  FIBER_CMD_THREAD_GET   do: the thread FIBER_A_TASK_TID, with affinity and
 *                         schedstats. dump: as above; with PID the threads of
 *                         that process; WANT asks for affinity, schedstats.
 *                         Each reply has one FIBER_A_TASK_THREAD.
 *  FIBER_CMD_WATCH        do: begin to count histograms KINDS (all when left
 *                         out) of process PID, or of the whole system without
 *                         it. Replies with FIBER_A_WATCH_ID.
 *  FIBER_CMD_UNWATCH      do: end watch ID.                  (FIBER_A_WATCH_*)
 *  FIBER_CMD_HIST_GET     do: read watch ID; dump: all of this socket.
 *  FIBER_CMD_SUBSCRIBE    do: have events sent to this socket, only of TYPES,
 *                         PID, UID when given.               (FIBER_A_EVENT_*)
 *  FIBER_CMD_UNSUBSCRIBE  do: end that.
 *  FIBER_CMD_EVENT        sent to subscribers, unicast, with sequence number 0.
 *  FIBER_CMD_GROUP_CREATE do: make a group of threads of the calling process;
 *                         replies with ID and FD, for which see
 *                         <linux/fiber_group.h>.             (FIBER_A_GROUP_*)
 *  FIBER_CMD_SWITCH       do: resume member TARGET of group FD, and park the
 *                         sender in its send(), until UNTIL_NS; or only one of
 *                         the two.
 *
 * A watch and a subscription belong to the socket and end with it, or with
 * the last copy of it where it was inherited.
 *
 * Structs grow only at their end. A reader takes the smaller of its own size
 * and the attribute's, and reads fields past that as unknown. Attribute
 * payloads are aligned to 4 bytes, so copy a struct out before using it.
 */
#ifndef _UAPI_LINUX_FIBER_H
#define _UAPI_LINUX_FIBER_H

#include <linux/types.h>

/* Tables, lined up for reading. */
/* clang-format off */

#define FIBER_FAMILY_NAME	"fiber"
#define FIBER_FAMILY_VERSION	1

#define FIBER_HIST_BUCKETS	40
#define FIBER_COMM_LEN		16

/* What a task is doing, as /proc/PID/stat has it. */
enum fiber_state {
	FIBER_STATE_RUNNING,
	FIBER_STATE_SLEEPING,
	FIBER_STATE_DISK_SLEEP,
	FIBER_STATE_STOPPED,
	FIBER_STATE_TRACED,
	FIBER_STATE_DEAD,
	FIBER_STATE_ZOMBIE,
	FIBER_STATE_PARKED,
	FIBER_STATE_IDLE,
};

/* A set of states: bit N is the state of value N. */
enum fiber_state_mask {
	FIBER_STATE_MASK_RUNNING	= 1 << 0,
	FIBER_STATE_MASK_SLEEPING	= 1 << 1,
	FIBER_STATE_MASK_DISK_SLEEP	= 1 << 2,
	FIBER_STATE_MASK_STOPPED	= 1 << 3,
	FIBER_STATE_MASK_TRACED		= 1 << 4,
	FIBER_STATE_MASK_DEAD		= 1 << 5,
	FIBER_STATE_MASK_ZOMBIE		= 1 << 6,
	FIBER_STATE_MASK_PARKED		= 1 << 7,
	FIBER_STATE_MASK_IDLE		= 1 << 8,
};

enum fiber_kind {
	FIBER_KIND_USER		= 1 << 0,
	FIBER_KIND_KERNEL	= 1 << 1,
};

/* Attributes that a thread record has only when it is asked for them. */
enum fiber_want {
	FIBER_WANT_AFFINITY	= 1 << 0,
	FIBER_WANT_SCHEDSTATS	= 1 << 1,
};

enum fiber_process_flag {
	/* Summed while a thread exited: one may count twice or not at all. */
	FIBER_PROCESS_FLAG_APPROXIMATE		= 1 << 0,
	FIBER_PROCESS_FLAG_KERNEL_THREAD	= 1 << 1,
	FIBER_PROCESS_FLAG_EXITING		= 1 << 2,
};

enum fiber_thread_flag {
	FIBER_THREAD_FLAG_LEADER	= 1 << 0,
	FIBER_THREAD_FLAG_KERNEL_THREAD	= 1 << 1,
	FIBER_THREAD_FLAG_EXITING	= 1 << 2,
};

#define FIBER_PROCESS_STATS_VERSION	1

/*
 * One process. (all): over all threads, those that exited included. (live):
 * over the threads that are alive, because the kernel keeps no such total.
 */
struct fiber_process_stats {
	__u16 version;
	__u16 flags;		/* enum fiber_process_flag */
	__u32 pid;
	__u32 ppid;		/* 0: the parent is outside the pid namespace */
	__u32 uid;		/* effective */
	__u32 state;		/* enum fiber_state, of the leader */
	__u32 threads;		/* not yet reaped */
	__u32 policy;		/* SCHED_*, of the leader */
	__u32 rt_priority;	/* of the leader */
	__s32 priority;		/* of the leader, as /proc/PID/stat has it */
	__s32 nice;		/* of the leader */
	__u32 ns_level;		/* pid namespaces below the reader's */
	__u32 reserved;		/* 0 */
	__u64 start_ns;		/* since boot */
	__u64 utime_ns;		/* (all), scaled to the run time */
	__u64 stime_ns;		/* (all), scaled to the run time */
	__u64 runtime_ns;	/* (all) on a CPU */
	__u64 run_delay_ns;	/* (live) runnable, waiting for a CPU */
	__u64 timeslices;	/* (live) times put on a CPU */
	__u64 migrations;	/* (live) moves between CPUs */
	__u64 nvcsw;		/* (all) voluntary context switches */
	__u64 nivcsw;		/* (all) involuntary context switches */
	__u64 minflt;		/* (all) */
	__u64 majflt;		/* (all) */
	__u64 rss_bytes;
	__u64 vsz_bytes;
	__u64 cgroup_id;	/* cgroup v2; 0: other cgroup namespace */
	char  comm[FIBER_COMM_LEN];	/* of the leader */
};

#define FIBER_THREAD_STATS_VERSION	1

/* One thread. */
struct fiber_thread_stats {
	__u16 version;
	__u16 flags;		/* enum fiber_thread_flag */
	__u32 tid;
	__u32 pid;
	__u32 uid;		/* effective */
	__u32 state;		/* enum fiber_state */
	__u32 cpu;		/* it runs on, or ran on last */
	__u32 policy;		/* SCHED_* */
	__u32 rt_priority;
	__s32 priority;		/* as /proc/PID/stat has it */
	__s32 nice;
	__u64 start_ns;		/* since boot */
	__u64 utime_ns;		/* scaled to the run time */
	__u64 stime_ns;		/* scaled to the run time */
	__u64 runtime_ns;	/* on a CPU; lags by up to a tick */
	__u64 run_delay_ns;	/* runnable, waiting for a CPU */
	__u64 timeslices;	/* times put on a CPU */
	__u64 migrations;	/* moves between CPUs */
	__u64 nvcsw;		/* voluntary context switches */
	__u64 nivcsw;		/* involuntary context switches */
	__u64 minflt;
	__u64 majflt;
	__u64 blkio_delay_ns;	/* 0 without delay accounting */
	__u64 arrived_ago_ns;	/* since last put on a CPU; ~0: never */
	char  comm[FIBER_COMM_LEN];
};

#define FIBER_SCHEDSTATS_VERSION	1

/* What the kernel keeps of a thread with kernel.sched_schedstats=1. */
struct fiber_schedstats {
	__u32 version;
	__u32 reserved;		/* 0 */
	__u64 wait_sum_ns;	/* waiting for a CPU */
	__u64 wait_max_ns;
	__u64 sleep_sum_ns;	/* sleep of both kinds */
	__u64 sleep_max_ns;
	__u64 block_sum_ns;	/* uninterruptible: a part of sleep */
	__u64 block_max_ns;
	__u64 iowait_sum_ns;	/* the part of block that waited for I/O */
	__u64 iowait_count;
	__u64 exec_max_ns;	/* longest run without a tick between */
	__u64 slice_max_ns;	/* longest slice */
};

/* What a histogram counts; nanoseconds in log2 buckets. */
enum fiber_hist_kind {
	FIBER_HIST_KIND_RUNQ,		/* runnable to running, per leg */
	FIBER_HIST_KIND_SLICE,		/* put on a CPU to taken off it */
	FIBER_HIST_KIND_SLEEP,		/* interruptible sleep or stop */
	FIBER_HIST_KIND_DISK,		/* uninterruptible sleep */
	FIBER_HIST_KIND_PREEMPTED,	/* off CPU while runnable */
};

enum fiber_hist_mask {
	FIBER_HIST_MASK_RUNQ		= 1 << 0,
	FIBER_HIST_MASK_SLICE		= 1 << 1,
	FIBER_HIST_MASK_SLEEP		= 1 << 2,
	FIBER_HIST_MASK_DISK		= 1 << 3,
	FIBER_HIST_MASK_PREEMPTED	= 1 << 4,
};

enum fiber_event_type {
	FIBER_EVENT_TYPE_FORK,		/* pid: the child, ppid: the parent */
	FIBER_EVENT_TYPE_EXEC,		/* comm: the new name */
	FIBER_EVENT_TYPE_EXIT,		/* process: totals as of do_exit() */
	FIBER_EVENT_TYPE_THREAD_CREATE,
	FIBER_EVENT_TYPE_THREAD_EXIT,	/* thread: totals as of do_exit() */
	FIBER_EVENT_TYPE_END,		/* the module is being unloaded */
};

/* The end event always comes. */
enum fiber_event_mask {
	FIBER_EVENT_MASK_FORK		= 1 << 0,
	FIBER_EVENT_MASK_EXEC		= 1 << 1,
	FIBER_EVENT_MASK_EXIT		= 1 << 2,
	FIBER_EVENT_MASK_THREAD_CREATE	= 1 << 3,
	FIBER_EVENT_MASK_THREAD_EXIT	= 1 << 4,
};

enum fiber_feature {
	FIBER_FEATURE_SCHED_INFO	= 1 << 0,
	FIBER_FEATURE_SCHEDSTATS	= 1 << 1,
	FIBER_FEATURE_DELAY_ACCT	= 1 << 2,
	FIBER_FEATURE_CGROUP		= 1 << 3,
	FIBER_FEATURE_HIST		= 1 << 4,
	FIBER_FEATURE_EVENTS		= 1 << 5,
	FIBER_FEATURE_PREEMPT_RT	= 1 << 6,
};

enum fiber_probe {
	FIBER_PROBE_SCHED_SWITCH	= 1 << 0,
	FIBER_PROBE_SCHED_PROCESS_FORK	= 1 << 1,
	FIBER_PROBE_SCHED_PROCESS_EXEC	= 1 << 2,
	FIBER_PROBE_SCHED_PROCESS_EXIT	= 1 << 3,
};

enum fiber_switch_flag {
	FIBER_SWITCH_FLAG_NOWAIT	= 1 << 0,	/* only resume */
};

/* For FIBER_IOC_SWITCH of <linux/fiber_group.h>. */
struct fiber_switch {
	__u32 target;		/* member to resume; 0: only park */
	__u32 flags;		/* enum fiber_switch_flag */
	__s64 until_ns;		/* CLOCK_MONOTONIC; the largest value: none */
};

enum {
	FIBER_A_INFO_PAD = 1,
	FIBER_A_INFO_VERSION,			/* string */
	FIBER_A_INFO_FEATURES,			/* u32, enum fiber_feature */
	FIBER_A_INFO_PROBES,			/* u32, enum fiber_probe */
	FIBER_A_INFO_WATCHES,			/* u32 */
	FIBER_A_INFO_WATCHES_MAX,		/* u32 */
	FIBER_A_INFO_WATCHES_USER_MAX,		/* u32 */
	FIBER_A_INFO_SUBSCRIBERS,		/* u32 */
	FIBER_A_INFO_SUBSCRIBERS_MAX,		/* u32 */
	FIBER_A_INFO_SUBSCRIBERS_USER_MAX,	/* u32 */
	FIBER_A_INFO_EVENTS_LOST,		/* u64 */
	FIBER_A_INFO_GROUPS,			/* u32 */
	FIBER_A_INFO_GROUPS_USER_MAX,		/* u32 */
	FIBER_A_INFO_MEMBERS,			/* u32 */
	FIBER_A_INFO_MEMBERS_USER_MAX,		/* u32 */

	__FIBER_A_INFO_MAX,
	FIBER_A_INFO_MAX = __FIBER_A_INFO_MAX - 1
};

enum {
	FIBER_A_TASK_PAD = 1,
	FIBER_A_TASK_PID,		/* u32 */
	FIBER_A_TASK_TID,		/* u32 */
	FIBER_A_TASK_UID,		/* u32 */
	FIBER_A_TASK_KINDS,		/* u32, enum fiber_kind */
	FIBER_A_TASK_STATES,		/* u32, enum fiber_state_mask */
	FIBER_A_TASK_WANT,		/* u32, enum fiber_want */
	FIBER_A_TASK_PROCESS,		/* struct fiber_process_stats */
	FIBER_A_TASK_THREAD,		/* struct fiber_thread_stats */
	FIBER_A_TASK_AFFINITY,		/* u64[] */
	FIBER_A_TASK_SCHEDSTATS,	/* struct fiber_schedstats */

	__FIBER_A_TASK_MAX,
	FIBER_A_TASK_MAX = __FIBER_A_TASK_MAX - 1
};

enum {
	FIBER_A_WATCH_PAD = 1,
	FIBER_A_WATCH_ID,		/* u32 */
	FIBER_A_WATCH_PID,		/* u32 */
	FIBER_A_WATCH_KINDS,		/* u32, enum fiber_hist_mask */
	FIBER_A_WATCH_SINCE_NS,		/* u64 */
	FIBER_A_WATCH_ENDED,		/* flag */
	FIBER_A_WATCH_LOST,		/* u64 */
	FIBER_A_WATCH_HIST,		/* nest of FIBER_A_HIST_*, repeated */

	__FIBER_A_WATCH_MAX,
	FIBER_A_WATCH_MAX = __FIBER_A_WATCH_MAX - 1
};

enum {
	FIBER_A_HIST_PAD = 1,
	FIBER_A_HIST_KIND,		/* u32, enum fiber_hist_kind */
	FIBER_A_HIST_COUNT,		/* u64 */
	FIBER_A_HIST_SUM_NS,		/* u64 */
	FIBER_A_HIST_MAX_NS,		/* u64 */
	FIBER_A_HIST_BUCKETS,		/* u64[FIBER_HIST_BUCKETS] */

	__FIBER_A_HIST_MAX,
	FIBER_A_HIST_MAX = __FIBER_A_HIST_MAX - 1
};

enum {
	FIBER_A_EVENT_PAD = 1,
	FIBER_A_EVENT_TYPES,		/* u32, enum fiber_event_mask */
	FIBER_A_EVENT_TYPE,		/* u32, enum fiber_event_type */
	FIBER_A_EVENT_PID,		/* u32 */
	FIBER_A_EVENT_UID,		/* u32 */
	FIBER_A_EVENT_TID,		/* u32 */
	FIBER_A_EVENT_PPID,		/* u32 */
	FIBER_A_EVENT_COMM,		/* string */
	FIBER_A_EVENT_EXIT_CODE,	/* u32, as wait(2) has it */
	FIBER_A_EVENT_TIME_NS,		/* u64, since boot */
	FIBER_A_EVENT_DROPPED,		/* u64 */
	FIBER_A_EVENT_PROCESS,		/* struct fiber_process_stats */
	FIBER_A_EVENT_THREAD,		/* struct fiber_thread_stats */

	__FIBER_A_EVENT_MAX,
	FIBER_A_EVENT_MAX = __FIBER_A_EVENT_MAX - 1
};

enum {
	FIBER_A_GROUP_PAD = 1,
	FIBER_A_GROUP_ID,		/* u32 */
	FIBER_A_GROUP_FD,		/* u32 */
	FIBER_A_GROUP_TARGET,		/* u32 */
	FIBER_A_GROUP_FLAGS,		/* u32, enum fiber_switch_flag */
	FIBER_A_GROUP_UNTIL_NS,		/* s64 */

	__FIBER_A_GROUP_MAX,
	FIBER_A_GROUP_MAX = __FIBER_A_GROUP_MAX - 1
};

enum {
	FIBER_CMD_INFO_GET = 1,
	FIBER_CMD_PROCESS_GET,
	FIBER_CMD_THREAD_GET,
	FIBER_CMD_WATCH,
	FIBER_CMD_UNWATCH,
	FIBER_CMD_HIST_GET,
	FIBER_CMD_SUBSCRIBE,
	FIBER_CMD_UNSUBSCRIBE,
	FIBER_CMD_EVENT,
	FIBER_CMD_GROUP_CREATE,
	FIBER_CMD_SWITCH,

	__FIBER_CMD_MAX,
	FIBER_CMD_MAX = __FIBER_CMD_MAX - 1
};

/* clang-format on */

#endif /* _UAPI_LINUX_FIBER_H */
