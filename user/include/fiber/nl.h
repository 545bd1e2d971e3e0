/* SPDX-License-Identifier: MIT */
/*
 * libfibernl: scheduling statistics of processes and threads from fiber.ko.
 *
 * MODEL. A handle (struct fiber_nl) talks to the module. Reads fill plain
 * structs; watches and the subscription belong to the handle and end with it.
 *
 * CONVENTIONS. Every call returns >= 0, or -errno; fiber_nl_error() then has a
 * sentence that says why. Times are nanoseconds, sizes are bytes, ids are as
 * the caller's pid namespace has them. Calls restart when a signal interrupts
 * them, but for fiber_nl_event_next().
 *
 * THREADS. A handle is for one thread at a time; different handles are
 * independent. A handle that fork() copied is for one of the two processes.
 *
 * GROWTH. Records grow only at their end. Of a module that is older than this
 * library the fields it does not know read as 0; `version` of a record tells.
 *
 * ERRORS of every call that asks the module:
 *   -ENODEV     the module is not loaded, or was unloaded since
 *   -EPERM      the caller may not see that task
 *   -EOPNOTSUPP the kernel or the module is too old for that
 *   -ENOMEM, -ENOBUFS
 *   -EBADMSG    the module's answer makes no sense
 */
#ifndef FIBER_NL_H
#define FIBER_NL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#define FIBER_NL_HIST_BUCKETS 40
#define FIBER_NL_COMM_LEN 16

/* What a task is doing, with the letter that ps has for it. */
enum fiber_nl_state {
	FIBER_NL_STATE_RUNNING, /* R: on a CPU, or waiting for one */
	FIBER_NL_STATE_SLEEPING, /* S: interruptible sleep */
	FIBER_NL_STATE_DISK_SLEEP, /* D: uninterruptible sleep */
	FIBER_NL_STATE_STOPPED, /* T: by a job control signal */
	FIBER_NL_STATE_TRACED, /* t: by a tracer */
	FIBER_NL_STATE_DEAD, /* X: being removed */
	FIBER_NL_STATE_ZOMBIE, /* Z: dead, not yet waited for */
	FIBER_NL_STATE_PARKED, /* P: a parked kernel thread */
	FIBER_NL_STATE_IDLE, /* I: a kernel thread without work */
	FIBER_NL_STATES
};

enum fiber_nl_kind {
	FIBER_NL_KIND_USER = 1 << 0,
	FIBER_NL_KIND_KERNEL = 1 << 1
};

/* Flags of a process. */
enum fiber_nl_process_flag {
	/* Summed while a thread exited: one may count twice or not at all. */
	FIBER_NL_PROCESS_APPROXIMATE = 1 << 0,
	FIBER_NL_PROCESS_KERNEL_THREAD = 1 << 1,
	FIBER_NL_PROCESS_EXITING = 1 << 2
};

/* Flags of a thread. */
enum fiber_nl_thread_flag {
	FIBER_NL_THREAD_LEADER = 1 << 0,
	FIBER_NL_THREAD_KERNEL_THREAD = 1 << 1,
	FIBER_NL_THREAD_EXITING = 1 << 2
};

/* Parts of a thread's record that come only when asked for. */
enum fiber_nl_want {
	FIBER_NL_WANT_AFFINITY = 1 << 0,
	FIBER_NL_WANT_SCHEDSTATS = 1 << 1
};

/*
 * One process. (all): over all threads, those that exited included. (live):
 * over the threads that are alive, because the kernel keeps no such total.
 */
struct fiber_nl_process_stats {
	uint16_t version;
	uint16_t flags; /* enum fiber_nl_process_flag */
	uint32_t pid;
	uint32_t ppid; /* 0: the parent is outside the namespace */
	uint32_t uid; /* effective */
	uint32_t state; /* enum fiber_nl_state, of the leader */
	uint32_t threads; /* not yet reaped */
	uint32_t policy; /* SCHED_*, of the leader */
	uint32_t rt_priority; /* of the leader */
	int32_t priority; /* of the leader, as /proc/PID/stat has it */
	int32_t nice; /* of the leader */
	uint32_t ns_level; /* pid namespaces below the caller's */
	uint32_t reserved;
	uint64_t start_ns; /* since boot */
	uint64_t utime_ns; /* (all), scaled to the run time */
	uint64_t stime_ns; /* (all), scaled to the run time */
	uint64_t runtime_ns; /* (all) on a CPU */
	uint64_t run_delay_ns; /* (live) runnable, waiting for a CPU */
	uint64_t timeslices; /* (live) times put on a CPU */
	uint64_t migrations; /* (live) moves between CPUs */
	uint64_t nvcsw; /* (all) voluntary context switches */
	uint64_t nivcsw; /* (all) involuntary context switches */
	uint64_t minflt; /* (all) */
	uint64_t majflt; /* (all) */
	uint64_t rss_bytes;
	uint64_t vsz_bytes;
	uint64_t cgroup_id; /* cgroup v2; 0: another cgroup namespace */
	char comm[FIBER_NL_COMM_LEN]; /* of the leader; any bytes, then NUL */
};

/* What the kernel keeps of a thread with kernel.sched_schedstats=1. */
struct fiber_nl_schedstats {
	uint32_t version;
	uint32_t reserved;
	uint64_t wait_sum_ns; /* waiting for a CPU */
	uint64_t wait_max_ns;
	uint64_t sleep_sum_ns; /* asleep, block_sum_ns included */
	uint64_t sleep_max_ns;
	uint64_t block_sum_ns; /* uninterruptible sleep */
	uint64_t block_max_ns;
	uint64_t iowait_sum_ns; /* the part of block that waited for I/O */
	uint64_t iowait_count;
	uint64_t exec_max_ns; /* longest run without a tick between */
	uint64_t slice_max_ns; /* longest slice */
};

/* One thread. */
struct fiber_nl_thread_stats {
	uint16_t version;
	uint16_t flags; /* enum fiber_nl_thread_flag */
	uint32_t tid;
	uint32_t pid;
	uint32_t uid; /* effective */
	uint32_t state; /* enum fiber_nl_state */
	uint32_t cpu; /* it runs on, or ran on last */
	uint32_t policy; /* SCHED_* */
	uint32_t rt_priority;
	int32_t priority; /* as /proc/PID/stat has it */
	int32_t nice;
	uint64_t start_ns; /* since boot */
	uint64_t utime_ns; /* scaled to the run time */
	uint64_t stime_ns; /* scaled to the run time */
	uint64_t runtime_ns; /* on a CPU; lags by up to a tick */
	uint64_t run_delay_ns; /* runnable, waiting for a CPU */
	uint64_t timeslices; /* times put on a CPU */
	uint64_t migrations; /* moves between CPUs */
	uint64_t nvcsw; /* voluntary context switches */
	uint64_t nivcsw; /* involuntary context switches */
	uint64_t minflt;
	uint64_t majflt;
	uint64_t blkio_delay_ns; /* 0 without delay accounting */
	uint64_t arrived_ago_ns; /* since last put on a CPU; ~0: never */
	char comm[FIBER_NL_COMM_LEN]; /* any bytes, then NUL */

	/*
	 * NULL when not asked for, or when the kernel has nothing in them. They
	 * are valid in the callback, or until the handle's next call. CPU n is
	 * bit n % 64 of word n / 64.
	 */
	const struct fiber_nl_schedstats *schedstats;
	const uint64_t *affinity;
	uint32_t affinity_words;
};

/* Only tasks that pass every field that is set; all zero is everything. */
struct fiber_nl_filter {
	uint32_t pid; /* of this process */
	uint32_t uid; /* of this effective user, with has_uid */
	bool has_uid;
	uint32_t kinds; /* set of enum fiber_nl_kind */
	uint32_t states; /* set of states: bit n is state n */
	uint32_t want; /* set of enum fiber_nl_want; threads only */
};

/* What the running kernel gives the module. */
enum fiber_nl_feature {
	FIBER_NL_FEATURE_SCHED_INFO = 1 << 0, /* run delay, time slices */
	FIBER_NL_FEATURE_SCHEDSTATS = 1 << 1,
	FIBER_NL_FEATURE_DELAY_ACCT = 1 << 2, /* block I/O delay */
	FIBER_NL_FEATURE_CGROUP = 1 << 3,
	FIBER_NL_FEATURE_HIST = 1 << 4,
	FIBER_NL_FEATURE_EVENTS = 1 << 5,
	FIBER_NL_FEATURE_PREEMPT_RT = 1 << 6
};

/* Tracepoints of the kernel. */
enum fiber_nl_probe {
	FIBER_NL_PROBE_SCHED_SWITCH = 1 << 0,
	FIBER_NL_PROBE_SCHED_PROCESS_FORK = 1 << 1,
	FIBER_NL_PROBE_SCHED_PROCESS_EXEC = 1 << 2,
	FIBER_NL_PROBE_SCHED_PROCESS_EXIT = 1 << 3
};

/* The module and its users. */
struct fiber_nl_module_info {
	char version[32];
	uint32_t features; /* set of enum fiber_nl_feature */
	uint32_t probes; /* hooked now; enum fiber_nl_probe */
	uint32_t watches; /* now */
	uint32_t watches_max;
	uint32_t watches_user_max; /* of one user */
	uint32_t subscribers; /* now */
	uint32_t subscribers_max;
	uint32_t subscribers_user_max; /* of one user */
	uint64_t events_lost; /* since load: a ring was full */
};

/* What a histogram counts. */
enum fiber_nl_hist_kind {
	FIBER_NL_HIST_RUNQ, /* runnable to running, per leg */
	FIBER_NL_HIST_SLICE, /* put on a CPU to taken off it */
	FIBER_NL_HIST_SLEEP, /* off CPU: interruptible sleep or stop */
	FIBER_NL_HIST_DISK, /* off CPU: uninterruptible sleep */
	FIBER_NL_HIST_PREEMPTED, /* off CPU while runnable */
	FIBER_NL_HIST_KINDS
};

/*
 * Bucket 0 counts 0 and 1 ns, bucket n from 2^n to 2^(n+1) - 1 ns, and the
 * last one all above.
 */
struct fiber_nl_hist {
	uint64_t count;
	uint64_t sum_ns;
	uint64_t max_ns;
	uint64_t buckets[FIBER_NL_HIST_BUCKETS];
};

/* What a watch has counted since it began. */
struct fiber_nl_watch_stats {
	uint32_t id;
	uint32_t pid; /* 0: the whole system */
	uint32_t kinds; /* bit n: hist[n] is counted */
	bool ended; /* the process has exited */
	uint64_t since_ns; /* time since the watch began */
	uint64_t lost; /* off-CPU times that found no slot */
	struct fiber_nl_hist hist[FIBER_NL_HIST_KINDS];
};

enum fiber_nl_event_type {
	FIBER_NL_EVENT_FORK, /* pid: the child, ppid: the parent */
	FIBER_NL_EVENT_EXEC, /* comm: the new name */
	FIBER_NL_EVENT_EXIT, /* the process, with its totals */
	FIBER_NL_EVENT_THREAD_CREATE,
	FIBER_NL_EVENT_THREAD_EXIT, /* any but the last, with its totals */
	FIBER_NL_EVENT_END, /* the module is being unloaded */
	FIBER_NL_EVENTS
};

struct fiber_nl_event {
	uint32_t type; /* enum fiber_nl_event_type */
	uint32_t pid;
	uint32_t tid;
	uint32_t ppid; /* 0: outside the namespace, or not told */
	uint32_t uid; /* effective */
	uint32_t exit_code; /* as wait(2) has it */
	uint64_t time_ns; /* since boot */
	uint64_t dropped; /* events this subscription has missed so far */
	char comm[FIBER_NL_COMM_LEN];
	bool has_process; /* process is filled */
	bool has_thread; /* thread is filled */
	struct fiber_nl_process_stats process; /* as of do_exit() */
	struct fiber_nl_thread_stats thread; /* as of do_exit() */
};

/* Only events that pass every field that is set; all zero is everything. */
struct fiber_nl_event_filter {
	uint32_t types; /* bit n: type n; the end event always comes */
	uint32_t pid;
	uint32_t uid; /* with has_uid */
	bool has_uid;
};

struct fiber_nl;

/**
 * fiber_nl_open() - open a handle.
 * @nlp: gets the handle; NULL after a failure.
 *
 * Needs no privilege. What may be seen is decided by who opened the handle and
 * by who calls, both. -ENODEV: the module is not loaded.
 */
int fiber_nl_open(struct fiber_nl **nlp);

/**
 * fiber_nl_close() - end a handle, with its watches and subscription.
 * @nl: the handle, or NULL.
 */
void fiber_nl_close(struct fiber_nl *nl);

/**
 * fiber_nl_error() - why the last failed call on the handle failed.
 * @nl: the handle.
 *
 * The kernel's own sentence when it gave one. Without a full stop; valid until
 * the handle's next call.
 */
const char *fiber_nl_error(const struct fiber_nl *nl);

/**
 * fiber_nl_strerror() - a sentence for an error of this library.
 * @err: what a call returned, an errno or its negative.
 *
 * For failures of fiber_nl_open(). Safe from any thread, but for errors that
 * only strerror() knows.
 */
const char *fiber_nl_strerror(int err);

/** fiber_nl_info() - read what the module says of itself into @info. */
int fiber_nl_info(struct fiber_nl *nl, struct fiber_nl_module_info *info);

/**
 * fiber_nl_process() - read one process.
 * @pid: its number; a thread's number other than the leader's is unknown.
 * @process: filled on success.
 *
 * -ESRCH: no such process.
 */
int fiber_nl_process(struct fiber_nl *nl, uint32_t pid,
		     struct fiber_nl_process_stats *process);

/**
 * fiber_nl_thread() - read one thread, with affinity and schedstats.
 * @tid: its number.
 * @thread: filled on success; its pointers live until the next call.
 *
 * -ESRCH: no such thread.
 */
int fiber_nl_thread(struct fiber_nl *nl, uint32_t tid,
		    struct fiber_nl_thread_stats *thread);

/* Called for each record; what is not 0 ends the list and is returned. */
typedef int fiber_nl_process_fn(const struct fiber_nl_process_stats *process,
				void *arg);
typedef int fiber_nl_thread_fn(const struct fiber_nl_thread_stats *thread,
			       void *arg);
typedef int fiber_nl_watch_fn(const struct fiber_nl_watch_stats *watch,
			      void *arg);

/**
 * fiber_nl_processes() - read all processes that pass a filter.
 * @filter: or NULL for all.
 * @fn: called for each, in the order of pid; it must not use the handle.
 * @arg: handed to @fn.
 *
 * The list is received whole before the first call of @fn. So a list that the
 * kernel had to interrupt is read again, at most 3 times, without a record
 * twice; after that -EAGAIN. Tasks that the caller may not see are left out.
 * Returns 0 or what @fn returned.
 */
int fiber_nl_processes(struct fiber_nl *nl,
		       const struct fiber_nl_filter *filter,
		       fiber_nl_process_fn *fn, void *arg);

/**
 * fiber_nl_threads() - read all threads that pass a filter.
 *
 * As fiber_nl_processes(). With filter->pid only that process is looked at.
 */
int fiber_nl_threads(struct fiber_nl *nl, const struct fiber_nl_filter *filter,
		     fiber_nl_thread_fn *fn, void *arg);

/**
 * fiber_nl_watch() - begin to count histograms.
 * @pid: the process, or 0 for the whole system, which asks for
 *	CAP_SYS_PTRACE.
 * @kinds: bit n is enum fiber_nl_hist_kind n; 0 is all.
 * @id: gets the number of the watch.
 *
 * -ENOSPC, -EDQUOT: too many watches in all, or of this user.
 */
int fiber_nl_watch(struct fiber_nl *nl, uint32_t pid, uint32_t kinds,
		   uint32_t *id);

/** fiber_nl_unwatch() - end a watch. -ENOENT: not a watch of this handle. */
int fiber_nl_unwatch(struct fiber_nl *nl, uint32_t id);

/** fiber_nl_hist() - read a watch. -ENOENT: not a watch of this handle. */
int fiber_nl_hist(struct fiber_nl *nl, uint32_t id,
		  struct fiber_nl_watch_stats *watch);

/** fiber_nl_hists() - read all watches of this handle; returns as @fn does. */
int fiber_nl_hists(struct fiber_nl *nl, fiber_nl_watch_fn *fn, void *arg);

/**
 * fiber_nl_subscribe() - have events collected for this handle.
 * @filter: or NULL for all that the caller may see.
 *
 * -EEXIST: the handle has a subscription. -ENOSPC, -EDQUOT: too many
 * subscribers in all, or of this user.
 */
int fiber_nl_subscribe(struct fiber_nl *nl,
		       const struct fiber_nl_event_filter *filter);

/** fiber_nl_unsubscribe() - end it; events not yet taken are gone. */
int fiber_nl_unsubscribe(struct fiber_nl *nl);

/**
 * fiber_nl_event_fd() - a descriptor that is readable when events wait.
 *
 * For poll(2) only. Take events until there are none before polling: some may
 * already have been read. -ENOENT: no subscription.
 */
int fiber_nl_event_fd(const struct fiber_nl *nl);

/**
 * fiber_nl_event_next() - take one event.
 * @event: filled when 1 is returned.
 * @timeout_ms: how long to wait; 0 not at all, -1 for ever.
 *
 * Returns 1, or 0 when no event came in time. -EINTR: a signal. -ENOBUFS: the
 * caller was too slow and events were lost; it is told once, the subscription
 * goes on, and `dropped` of the next event has the count. -ENOENT: no
 * subscription.
 */
int fiber_nl_event_next(struct fiber_nl *nl, struct fiber_nl_event *event,
			int timeout_ms);

/**
 * fiber_mod_load() - load the module into the kernel.
 * @path: a .ko file, or NULL to find the installed one.
 * @why: gets a sentence after a failure.
 * @why_size: its size in bytes.
 *
 * Returns 0, or 1 when it was loaded already. -EPERM: needs CAP_SYS_MODULE.
 * Safe from any thread, as the two below.
 */
int fiber_mod_load(const char *path, char *why, size_t why_size);

/** fiber_mod_unload() - unload it. -ENODEV: not loaded; -EBUSY: in use. */
int fiber_mod_unload(char *why, size_t why_size);

/** fiber_mod_loaded() - 1 when it is loaded, 0 when not. */
int fiber_mod_loaded(void);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif /* FIBER_NL_H */
