// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel keeps of a task, copied into the records of <linux/fiber.h>.
 *
 * MODEL. Two steps. Fill: the numbers that are the same for every reader,
 * copied from the task. View: the numbers that depend on the reader (pids,
 * user id, start time, cgroup), put in afterwards. An exit event is filled
 * once, by the dying thread, and viewed once for each subscriber.
 *
 * PROCESS TOTALS. The kernel adds a thread's times, switches and faults to its
 * signal_struct when the thread is unhashed, so those totals are
 *
 *	signal_struct + the sum over the threads still hashed
 *
 * for user and system time, run time, voluntary and involuntary switches, minor
 * and major faults. Run-queue delay, time slices and migrations of the dead are
 * kept nowhere: those are sums over the living, and fiber.yaml says so.
 *
 * A thread that exits between the two halves would count twice or never. The
 * kernel writes both under signal->stats_lock, a seqlock, so the sum is taken
 * without the lock first, and again with it when a thread exited meanwhile.
 * The lock stops interrupts, so a process of more than LOCKED_THREADS_MAX
 * threads keeps the first sum and says so (FIBER_PROCESS_FLAG_APPROXIMATE).
 *
 * LOCKING. The caller holds rcu_read_lock() and knows that the task was not
 * freed. Fields of running tasks are read without a lock, one word each: a
 * word is never torn, and two words may be a few nanoseconds apart. Reads are
 * marked data_race() or READ_ONCE() to say that this is meant.
 *
 * CONTEXT. Any that may take task_lock; with may_lock false, also one that
 * must not sleep on PREEMPT_RT (no lock is taken, the memory is not looked at).
 */
#include <linux/cgroup.h>
#include <linux/cred.h>
#include <linux/delayacct.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/pid_namespace.h>
#include <linux/sched/clock.h>
#include <linux/sched/cputime.h>
#include <linux/sched/prio.h>
#include <linux/sched/rt.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/string.h>

#include "caller.h"
#include "compat.h"
#include "stats.h"

/* Interrupts stay off for the sum: about 20 us for this many threads. */
#define LOCKED_THREADS_MAX 1024

/*
 * /proc numbers priorities from 0 for nice -20 to 39, real-time ones below 0.
 */
static s32 proc_priority(const struct task_struct *p)
{
	return data_race(p->prio) - MAX_RT_PRIO;
}

/*
 * The name may change while it is copied; its last byte is always 0. Without
 * task_lock, because probes may not take it on PREEMPT_RT.
 */
static void copy_comm(char *to, const struct task_struct *p)
{
	BUILD_BUG_ON(FIBER_COMM_LEN != TASK_COMM_LEN);
	data_race(memcpy(to, p->comm, TASK_COMM_LEN));
	to[TASK_COMM_LEN - 1] = 0;
	/* A longer name that was there before must not show behind this one. */
	memset(to + strlen(to), 0, TASK_COMM_LEN - strlen(to));
}

/* Since the task was last put on a CPU, by the clock of that CPU. */
static u64 arrived_ago(const struct task_struct *p, unsigned int cpu)
{
#ifdef CONFIG_SCHED_INFO
	u64 arrival = data_race(p->sched_info.last_arrival);
	u64 now = sched_clock_cpu(cpu);

	if (arrival)
		return now > arrival ? now - arrival : 0;
#endif
	return U64_MAX;
}

static u64 run_delay(const struct task_struct *p)
{
#ifdef CONFIG_SCHED_INFO
	return data_race(p->sched_info.run_delay);
#else
	return 0;
#endif
}

static u64 timeslices(const struct task_struct *p)
{
#ifdef CONFIG_SCHED_INFO
	return data_race(p->sched_info.pcount);
#else
	return 0;
#endif
}

static u64 blkio_delay(const struct task_struct *p)
{
#ifdef CONFIG_TASK_DELAY_ACCT
	if (p->delays)
		return data_race(p->delays->blkio_delay);
#endif
	return 0;
}

/**
 * fiber_thread_fill - the numbers of a thread that every reader sees alike
 * @s: to fill whole
 * @p: the thread
 */
void fiber_thread_fill(struct fiber_thread_stats *s, struct task_struct *p)
{
	unsigned int cpu = task_cpu(p);

	memset(s, 0, sizeof(*s));
	s->version = FIBER_THREAD_STATS_VERSION;
	if (thread_group_leader(p))
		s->flags |= FIBER_THREAD_FLAG_LEADER;
	if (p->flags & PF_KTHREAD)
		s->flags |= FIBER_THREAD_FLAG_KERNEL_THREAD;
	if (p->flags & PF_EXITING)
		s->flags |= FIBER_THREAD_FLAG_EXITING;
	s->state = task_state_index(p);
	s->cpu = cpu;
	s->policy = data_race(p->policy);
	s->rt_priority = data_race(p->rt_priority);
	s->priority = proc_priority(p);
	s->nice = task_nice(p);
	s->start_ns = p->start_boottime;
	task_cputime_adjusted(p, &s->utime_ns, &s->stime_ns);
	s->runtime_ns = data_race(p->se.sum_exec_runtime);
	s->run_delay_ns = run_delay(p);
	s->timeslices = timeslices(p);
	s->migrations = data_race(p->se.nr_migrations);
	s->nvcsw = data_race(p->nvcsw);
	s->nivcsw = data_race(p->nivcsw);
	s->minflt = data_race(p->min_flt);
	s->majflt = data_race(p->maj_flt);
	s->blkio_delay_ns = blkio_delay(p);
	s->arrived_ago_ns = arrived_ago(p, cpu);
	copy_comm(s->comm, p);
}

static void add_dead(struct fiber_process_stats *s,
		     const struct signal_struct *sig)
{
	s->utime_ns = data_race(sig->utime);
	s->stime_ns = data_race(sig->stime);
	s->runtime_ns = data_race(sig->sum_sched_runtime);
	s->nvcsw = data_race(sig->nvcsw);
	s->nivcsw = data_race(sig->nivcsw);
	s->minflt = data_race(sig->min_flt);
	s->majflt = data_race(sig->maj_flt);
	s->run_delay_ns = 0;
	s->timeslices = 0;
	s->migrations = 0;
}

static void add_thread(struct fiber_process_stats *s,
		       const struct task_struct *t)
{
	s->utime_ns += data_race(t->utime);
	s->stime_ns += data_race(t->stime);
	s->runtime_ns += data_race(t->se.sum_exec_runtime);
	s->nvcsw += data_race(t->nvcsw);
	s->nivcsw += data_race(t->nivcsw);
	s->minflt += data_race(t->min_flt);
	s->majflt += data_race(t->maj_flt);
	s->run_delay_ns += run_delay(t);
	s->timeslices += timeslices(t);
	s->migrations += data_race(t->se.nr_migrations);
}

static void sum_threads(struct fiber_process_stats *s, struct task_struct *p)
{
	struct task_struct *t;

	add_dead(s, p->signal);
	for_each_thread(p, t)
		add_thread(s, t);
}

static void sum_exactly(struct fiber_process_stats *s, struct task_struct *p)
{
	seqlock_t *lock = &p->signal->stats_lock;
	unsigned int seq = read_seqbegin(lock);
	unsigned long flags;

	sum_threads(s, p);
	if (!read_seqretry(lock, seq))
		return;
	if (s->threads > LOCKED_THREADS_MAX) {
		s->flags |= FIBER_PROCESS_FLAG_APPROXIMATE;
		return;
	}
	read_seqlock_excl_irqsave(lock, flags);
	sum_threads(s, p);
	read_sequnlock_excl_irqrestore(lock, flags);
}

/* Nothing may be locked, so whether a thread exits beside us cannot be known. */
static void sum_unlocked(struct fiber_process_stats *s, struct task_struct *p)
{
	sum_threads(s, p);
	if (s->threads > 1)
		s->flags |= FIBER_PROCESS_FLAG_APPROXIMATE;
}

static u64 scaled_stime(const struct fiber_process_stats *s)
{
	if (!s->stime_ns)
		return 0;
	if (!s->utime_ns)
		return s->runtime_ns;
	return mul_u64_u64_div_u64(s->stime_ns, s->runtime_ns,
				   s->stime_ns + s->utime_ns);
}

/*
 * User and system time are counted in ticks, run time exactly; the ticks only
 * say how to split the run time. The split may shift to and fro, and /proc never
 * takes back what it has told: neither do we. See cputime_adjust().
 */
static void scale_times(struct fiber_process_stats *s, struct task_struct *p)
{
	const struct prev_cputime *told = &p->signal->prev_cputime;
	u64 stime = max(scaled_stime(s), data_race(told->stime));
	u64 utime = s->runtime_ns - min(stime, s->runtime_ns);

	utime = max(utime, data_race(told->utime));
	s->utime_ns = min(utime, s->runtime_ns);
	s->stime_ns = s->runtime_ns - s->utime_ns;
}

/* The leader may be dead while its process lives: ask until one has memory. */
static void fill_memory(struct fiber_process_stats *s, struct task_struct *p)
{
	struct task_struct *t;

	if (p->flags & PF_KTHREAD)
		return;
	for_each_thread(p, t) {
		struct mm_struct *mm;

		task_lock(t);
		mm = t->mm;
		if (mm) {
			s->rss_bytes = (u64)get_mm_rss(mm) << PAGE_SHIFT;
			s->vsz_bytes = (u64)mm->total_vm << PAGE_SHIFT;
		}
		task_unlock(t);
		if (mm)
			return;
	}
}

static u64 task_cgroup_id(struct task_struct *p)
{
#ifdef CONFIG_CGROUPS
	return cgroup_id(task_dfl_cgroup(p));
#else
	return 0;
#endif
}

/**
 * fiber_process_fill - the numbers of a process that every reader sees alike
 * @s: to fill whole
 * @p: the leader, or any thread that can stand for it
 * @may_lock: whether spinlock_t may be taken here
 */
void fiber_process_fill(struct fiber_process_stats *s, struct task_struct *p,
			bool may_lock)
{
	memset(s, 0, sizeof(*s));
	s->version = FIBER_PROCESS_STATS_VERSION;
	if (p->flags & PF_KTHREAD)
		s->flags |= FIBER_PROCESS_FLAG_KERNEL_THREAD;
	if (!atomic_read(&p->signal->live))
		s->flags |= FIBER_PROCESS_FLAG_EXITING;
	s->threads = data_race(p->signal->nr_threads);
	s->state = task_state_index(p);
	s->policy = data_race(p->policy);
	s->rt_priority = data_race(p->rt_priority);
	s->priority = proc_priority(p);
	s->nice = task_nice(p);
	s->start_ns = p->start_boottime;
	s->cgroup_id = task_cgroup_id(p);
	copy_comm(s->comm, p);
	if (may_lock) {
		sum_exactly(s, p);
		fill_memory(s, p);
	} else {
		sum_unlocked(s, p);
	}
	scale_times(s, p);
}

/**
 * fiber_schedstats_fill - what the kernel keeps with schedstats=enable
 * @s: to fill whole
 * @p: the thread
 *
 * Return: whether there is anything but zeros.
 */
bool fiber_schedstats_fill(struct fiber_schedstats *s, struct task_struct *p)
{
	memset(s, 0, sizeof(*s));
	s->version = FIBER_SCHEDSTATS_VERSION;
#ifdef CONFIG_SCHEDSTATS
	s->wait_sum_ns = data_race(p->stats.wait_sum);
	s->wait_max_ns = data_race(p->stats.wait_max);
	s->sleep_sum_ns = data_race(p->stats.sum_sleep_runtime);
	s->sleep_max_ns = data_race(p->stats.sleep_max);
	s->block_sum_ns = data_race(p->stats.sum_block_runtime);
	s->block_max_ns = data_race(p->stats.block_max);
	s->iowait_sum_ns = data_race(p->stats.iowait_sum);
	s->iowait_count = data_race(p->stats.iowait_count);
	s->exec_max_ns = data_race(p->stats.exec_max);
	s->slice_max_ns = data_race(p->stats.slice_max);
#endif
	return s->wait_sum_ns || s->sleep_sum_ns || s->block_sum_ns ||
	       s->exec_max_ns || s->slice_max_ns;
}

static u64 start_in(const struct fiber_caller *c, u64 start_ns)
{
	s64 seen = (s64)start_ns + c->boottime_offset;

	return seen > 0 ? seen : 0;
}

/**
 * fiber_thread_view - put in what depends on the reader
 * @s: a filled record
 * @v: the task, and who reads
 */
void fiber_thread_view(struct fiber_thread_stats *s, const struct fiber_view *v)
{
	struct pid_namespace *ns = v->caller->pid_ns;

	s->tid = pid_nr_ns(v->tid, ns);
	s->pid = pid_nr_ns(v->tgid, ns);
	s->uid = fiber_caller_uid(v->caller, v->cred);
	s->start_ns = start_in(v->caller, s->start_ns);
}

/**
 * fiber_process_view - put in what depends on the reader
 * @s: a filled record
 * @v: the task, and who reads
 */
void fiber_process_view(struct fiber_process_stats *s,
			const struct fiber_view *v)
{
	struct pid_namespace *ns = v->caller->pid_ns;

	s->pid = pid_nr_ns(v->tgid, ns);
	s->ppid = pid_nr_ns(v->parent, ns);
	s->uid = fiber_caller_uid(v->caller, v->cred);
	s->ns_level = v->tgid->level - ns->level;
	s->start_ns = start_in(v->caller, s->start_ns);
	if (!v->caller->sees_cgroups)
		s->cgroup_id = 0;
}
