// SPDX-License-Identifier: GPL-2.0-only
/*
 * Histograms of scheduling delays, counted at each context switch.
 *
 * MODEL. One probe, on sched_switch. It runs on the CPU that switches, before
 * the scheduler updates the task's sched_info, so three of the five histograms
 * need no memory of ours:
 *
 *	slice	now - prev->sched_info.last_arrival
 *	runq	now - next->sched_info.last_queued	(0: it was not queued)
 *
 * A migration takes a waiting task off one queue and puts it on another; its
 * wait then counts as two legs. The clock is that of the CPU's run queue, as
 * the scheduler's own stamps are.
 *
 * Time off CPU needs memory from the departure to the next arrival, and a task
 * has no room for a module. So there is a table of slots, indexed by a hash of
 * the task's address. Departure claims the slot if it is free:
 *
 *	owner: NULL -> BUSY	cmpxchg
 *	since, cause		plain
 *	owner: BUSY -> prev	release
 *
 * Arrival finds its task as the owner (acquire), reads, and sets NULL. A slot
 * that another sleeper has is not claimed: that sleep is counted as lost. A
 * task's slot is freed before the task can die, for it must arrive to die,
 * and while the table exists every arrival looks, watched or not. So no slot
 * outlives its task, and an address that is used again finds no old stamp.
 *
 * COST. 0 when nobody watches (the probe is not hooked). With watches: some
 * hundred instructions a switch, no lock, no allocation.
 *
 * LOCKING. meters_lock guards the lists for writers, and their count; the probe
 * reads them under RCU. The table is made by the first meter that needs it and freed once the
 * probe is unhooked, when nothing can look at it.
 *
 * CONTEXT. The probe: run-queue lock held, interrupts off. No wakeup, no
 * printk, no allocation there.
 */
#include <linux/hash.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/rculist.h>
#include <linux/sched/clock.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <trace/events/sched.h>

#include "compat.h"
#include "hist.h"
#include "hook.h"

/* 2^16 slots of 24 bytes: a thousand sleepers lose under one sleep in fifty. */
#define SLOT_BITS 16
#define PROCESS_BITS 6

#define OFF_CPU                                         \
	(FIBER_HIST_MASK_SLEEP | FIBER_HIST_MASK_DISK | \
	 FIBER_HIST_MASK_PREEMPTED)

struct slot {
	struct task_struct *owner; /* NULL free, SLOT_BUSY being filled */
	u64 since;
	enum fiber_hist_kind cause;
};

#define SLOT_BUSY ((struct task_struct *)1)

static DEFINE_MUTEX(meters_lock);
static HLIST_HEAD(system_meters);
static struct hlist_head process_meters[1 << PROCESS_BITS];
static unsigned int process_meters_n; /* in all of them */
static struct slot *slots;

static void probe_sched_switch(void *data, bool preempt,
			       struct task_struct *prev,
			       struct task_struct *next,
			       unsigned int prev_state);
static void free_slots(void);

static struct fiber_hook switch_probe = {
	.name = "sched_switch",
	.bit = FIBER_PROBE_SCHED_SWITCH,
	.function = probe_sched_switch,
	.unhooked = free_slots,
};

static struct hlist_head *meters_of(const struct signal_struct *process)
{
	return &process_meters[hash_ptr(process, PROCESS_BITS)];
}

static struct hlist_head *list_of(const struct fiber_meter *m)
{
	return m->process ? meters_of(m->process) : &system_meters;
}

/* Counting */

static __always_inline void hist_add(struct fiber_hist *h, u64 ns)
{
	u32 bucket = ilog2(ns | 1);

	h->count++;
	h->sum_ns += ns;
	if (ns > h->max_ns)
		h->max_ns = ns;
	h->buckets[min_t(u32, bucket, FIBER_HIST_BUCKETS - 1)]++;
}

/* What a task has just gone through; bit 0: nothing of that kind. */
struct span {
	enum fiber_hist_kind kind;
	u32 bit;
	u64 ns;
};

#define NO_SPAN ((struct span){})

static __always_inline u32 meter_add(struct fiber_meter *m, struct span a,
				     struct span b)
{
	struct fiber_counts *counts = this_cpu_ptr(m->counts);
	u32 kinds = m->kinds;

	if (kinds & a.bit)
		hist_add(&counts->hist[a.kind], a.ns);
	if (kinds & b.bit)
		hist_add(&counts->hist[b.kind], b.ns);
	return kinds;
}

/*
 * Tell every meter that a task is about. Return: what they want, together.
 * Inline, as what it calls: this is paid at every switch of a watched machine.
 */
static __always_inline u32 count(const struct signal_struct *process,
				 struct span a, struct span b)
{
	struct fiber_meter *m;
	u32 wanted = 0;

	hlist_for_each_entry_rcu(m, &system_meters, link)
		wanted |= meter_add(m, a, b);
	if (!READ_ONCE(process_meters_n))
		return wanted;
	hlist_for_each_entry_rcu(m, meters_of(process), link)
		if (m->process == process)
			wanted |= meter_add(m, a, b);
	return wanted;
}

static void count_lost(const struct signal_struct *process)
{
	struct fiber_meter *m;

	hlist_for_each_entry_rcu(m, &system_meters, link)
		if (m->kinds & OFF_CPU)
			this_cpu_ptr(m->counts)->lost++;
	hlist_for_each_entry_rcu(m, meters_of(process), link)
		if (m->process == process && m->kinds & OFF_CPU)
			this_cpu_ptr(m->counts)->lost++;
}

/* Off CPU */

static struct slot *slot_of(struct slot *table, const struct task_struct *p)
{
	return &table[hash_ptr(p, SLOT_BITS)];
}

/*
 * Why the task leaves. Whether it can go on is not what @state says: a task that
 * is preempted on its way to sleep, or has a signal, stays runnable. A task that dies has no next arrival, and a wait for a
 * lock of PREEMPT_RT is part of running: false for both.
 */
static bool cause_of(const struct task_struct *prev, unsigned int state,
		     enum fiber_hist_kind *cause)
{
	if (fiber_task_is_runnable(prev))
		*cause = FIBER_HIST_KIND_PREEMPTED;
	else if (state & (TASK_DEAD | TASK_RTLOCK_WAIT))
		return false;
	else if (state & TASK_UNINTERRUPTIBLE && !(state & TASK_NOLOAD))
		*cause = FIBER_HIST_KIND_DISK;
	else
		*cause = FIBER_HIST_KIND_SLEEP;
	return true;
}

static void depart(struct slot *table, struct task_struct *p, u64 now,
		   enum fiber_hist_kind cause)
{
	struct slot *s = slot_of(table, p);

	if (READ_ONCE(s->owner) || cmpxchg(&s->owner, NULL, SLOT_BUSY)) {
		count_lost(p->signal);
		return;
	}
	s->since = now;
	s->cause = cause;
	/* Pairs with the acquire in arrive(), maybe on another CPU. */
	smp_store_release(&s->owner, p);
}

/* How long the task was off CPU, if its departure was seen. */
static __always_inline struct span arrive(struct slot *table,
					  struct task_struct *p, u64 now)
{
	struct slot *s = slot_of(table, p);
	struct span off;

	if (smp_load_acquire(&s->owner) != p)
		return NO_SPAN;
	off.kind = s->cause;
	off.bit = BIT(off.kind);
	/* The clocks of two CPUs may differ by a little. */
	off.ns = now > s->since ? now - s->since : 0;
	/* The reads above come before the slot is anybody's. */
	smp_store_release(&s->owner, NULL);
	return off;
}

static int make_slots(void)
{
	struct slot *table;

	if (slots)
		return 0;
	table = kvcalloc(1 << SLOT_BITS, sizeof(*table), GFP_KERNEL);
	if (!table)
		return -ENOMEM;
	smp_store_release(&slots, table); /* pairs with the probe's acquire */
	return 0;
}

/* The probe is unhooked and has no user, so no meter needs the table. */
static void free_slots(void)
{
	kvfree(slots);
	slots = NULL;
}

/* The probe */

/* A stamp of 0 is none, and the clock may be a little behind the scheduler's. */
static __always_inline struct span span_since(u64 stamp, u64 now,
					      enum fiber_hist_kind kind)
{
	return (struct span){
		.kind = kind,
		.bit = stamp ? BIT(kind) : 0,
		.ns = now > stamp ? now - stamp : 0,
	};
}

static __always_inline struct span slice_of(const struct task_struct *p,
					    u64 now)
{
#ifdef CONFIG_SCHED_INFO
	return span_since(p->sched_info.last_arrival, now,
			  FIBER_HIST_KIND_SLICE);
#else
	return NO_SPAN;
#endif
}

static __always_inline struct span runq_of(const struct task_struct *p, u64 now)
{
#ifdef CONFIG_SCHED_INFO
	return span_since(p->sched_info.last_queued, now, FIBER_HIST_KIND_RUNQ);
#else
	return NO_SPAN;
#endif
}

static __always_inline void count_departure(struct slot *table,
					    struct task_struct *prev,
					    unsigned int state, u64 now)
{
	u32 wanted = count(prev->signal, slice_of(prev, now), NO_SPAN);
	enum fiber_hist_kind cause;

	if (table && cause_of(prev, state, &cause) && wanted & BIT(cause))
		depart(table, prev, now, cause);
}

static __always_inline void count_arrival(struct slot *table,
					  struct task_struct *next, u64 now)
{
	count(next->signal, runq_of(next, now),
	      table ? arrive(table, next, now) : NO_SPAN);
}

/* Interrupts are off, which is as good as rcu_read_lock(). */
static void probe_sched_switch(void *data, bool preempt,
			       struct task_struct *prev,
			       struct task_struct *next,
			       unsigned int prev_state)
{
	struct slot *table = smp_load_acquire(&slots);
	u64 now = sched_clock_cpu(smp_processor_id());

	if (!is_idle_task(prev))
		count_departure(table, prev, prev_state, now);
	if (!is_idle_task(next))
		count_arrival(table, next, now);
}

/* Meters */

static void link_meter(struct fiber_meter *m)
{
	hlist_add_head_rcu(&m->link, list_of(m));
	process_meters_n += !!m->process;
}

/**
 * fiber_meter_start - begin to count
 * @m: process and kinds filled in
 *
 * Context: process; may sleep.
 * Return: 0; -EOPNOTSUPP when the kernel lacks the tracepoint; -ENOMEM.
 */
int fiber_meter_start(struct fiber_meter *m)
{
	int err;

	m->counts = alloc_percpu_gfp(struct fiber_counts, GFP_KERNEL_ACCOUNT);
	if (!m->counts)
		return -ENOMEM;
	/* A user of the probe first: it keeps the table from being freed. */
	err = fiber_hook_get(&switch_probe);
	if (err)
		goto err_free_counts;
	mutex_lock(&meters_lock);
	if (m->kinds & OFF_CPU)
		err = make_slots();
	if (!err)
		link_meter(m);
	mutex_unlock(&meters_lock);
	if (err)
		goto err_put_probe;
	return 0;

err_put_probe:
	fiber_hook_put(&switch_probe);
err_free_counts:
	free_percpu(m->counts);
	return err;
}

/**
 * fiber_meter_stop - count no more
 * @m: a started meter; what it counted can still be read
 *
 * Context: process. fiber_meter_release() must follow, an RCU grace period
 * later.
 */
void fiber_meter_stop(struct fiber_meter *m)
{
	mutex_lock(&meters_lock);
	hlist_del_rcu(&m->link);
	process_meters_n -= !!m->process;
	mutex_unlock(&meters_lock);
}

/**
 * fiber_meter_release - free what a stopped meter held
 * @m: the meter, a grace period after fiber_meter_stop()
 */
void fiber_meter_release(struct fiber_meter *m)
{
	fiber_hook_put(&switch_probe);
	free_percpu(m->counts);
}

static void hist_merge(struct fiber_hist *sum, const struct fiber_hist *h)
{
	int i;

	sum->count += data_race(h->count);
	sum->sum_ns += data_race(h->sum_ns);
	sum->max_ns = max(sum->max_ns, data_race(h->max_ns));
	for (i = 0; i < FIBER_HIST_BUCKETS; i++)
		sum->buckets[i] += data_race(h->buckets[i]);
}

/**
 * fiber_meter_read - what was counted so far, by all CPUs
 * @m: the meter
 * @kind: which histogram
 * @sum: to fill whole; its parts may be some events apart
 */
void fiber_meter_read(const struct fiber_meter *m, enum fiber_hist_kind kind,
		      struct fiber_hist *sum)
{
	int cpu;

	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu)
		hist_merge(sum, &per_cpu_ptr(m->counts, cpu)->hist[kind]);
}

/**
 * fiber_meter_lost - times off CPU that found no free slot
 * @m: the meter
 */
u64 fiber_meter_lost(const struct fiber_meter *m)
{
	u64 lost = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		lost += data_race(per_cpu_ptr(m->counts, cpu)->lost);
	return lost;
}

/**
 * fiber_hist_available - can this kernel be watched?
 */
bool fiber_hist_available(void)
{
	return fiber_hook_found(&switch_probe);
}

int __init fiber_hist_init(void)
{
	/* A tracepoint of another shape must not compile. */
	check_trace_callback_type_sched_switch(probe_sched_switch);
	fiber_hook_add(&switch_probe);
	return 0;
}

/* Every meter is gone; the table goes when the probe is unhooked. */
void fiber_hist_exit(void)
{
	WARN_ON_ONCE(!hlist_empty(&system_meters));
}
