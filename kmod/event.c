// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events: what tasks do, written down where it happens, read by a worker.
 *
 * MODEL. Probes on fork, exec and exit write fixed records into a ring of the
 * CPU they run on, and tell the reader. Nothing is allocated, and a full ring
 * loses the event and counts it. A record holds references (struct pid, cred)
 * rather than numbers, since the numbers differ by reader; references to a
 * struct pid keep its numbers of all levels after the task is gone.
 *
 *	producer	the CPU's probes, preemption off: head, events[head]
 *	consumer	the one reader: tail
 *	ring->head	release by the producer, acquire by the consumer
 *	ring->tail	release by the consumer, acquire by the producer
 *
 * The reader takes the oldest event of all rings, so that events of different
 * CPUs come in the order of their times, as far as they have been published.
 *
 * THE LAST THREAD. An exit is the process's when signal->live has fallen to 0.
 * Two threads that exit together may both find it so. The reader lets the first
 * stand for the process and makes the other one a thread's exit. It remembers
 * such a process only while other threads of it were still hashed, and forgets
 * it when the process is reaped.
 *
 * LIFETIME. The rings are made by the first subscriber and kept until unload.
 *
 * CONTEXT. The probes run in the task that forks, execs or exits, without
 * locks, with preemption off: no sleeping lock of PREEMPT_RT either.
 */
#include <linux/cred.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <trace/events/sched.h>

#include "compat.h"
#include "event.h"
#include "hook.h"
#include "stats.h"

/* About 120 KiB a CPU; the reader is woken by the first of them. */
#define RING_EVENTS 256

struct ring {
	u32 head;
	u64 lost; /* written by the producer */
	u32 tail ____cacheline_aligned;
	struct fiber_event events[RING_EVENTS];
};

static struct ring **rings; /* by CPU */
static DEFINE_MUTEX(rings_lock); /* makes them */
static void (*tell_reader)(void);

/* Writing */

static struct fiber_event *claim(struct ring *r)
{
	if (r->head - smp_load_acquire(&r->tail) == RING_EVENTS) {
		WRITE_ONCE(r->lost, r->lost + 1);
		return NULL;
	}
	return &r->events[r->head % RING_EVENTS];
}

static void publish(struct ring *r)
{
	smp_store_release(&r->head, r->head + 1);
	tell_reader();
}

/* Caller holds rcu_read_lock(): a pid that is found still has its reference. */
static void describe(struct fiber_event *e, enum fiber_event_type type,
		     struct task_struct *p)
{
	e->type = type;
	e->time_ns = ktime_get_boottime_ns();
	e->cred = get_cred(__task_cred(p));
	e->tgid = get_pid(task_tgid(p));
	e->tid = get_pid(task_pid(p));
	e->parent = get_pid(task_tgid(rcu_dereference(p->real_parent)));
	memcpy(e->comm, p->comm, sizeof(e->comm));
	e->comm[sizeof(e->comm) - 1] = 0;
}

static void describe_exit(struct fiber_event *e, struct task_struct *p)
{
	e->exit_code = p->exit_code;
	fiber_thread_fill(&e->thread, p);
	if (e->type != FIBER_EVENT_TYPE_EXIT)
		return;
	/* Set by the last thread to enter do_exit(), before live falls to 0. */
	e->group_exit_code = p->signal->group_exit_code;
	fiber_process_fill(&e->process, p, false);
}

static void record(enum fiber_event_type type, struct task_struct *p)
{
	struct fiber_event *e;
	struct ring *r;

	preempt_disable();
	rcu_read_lock();
	r = rings[smp_processor_id()];
	e = claim(r);
	if (e) {
		describe(e, type, p);
		if (type == FIBER_EVENT_TYPE_EXIT ||
		    type == FIBER_EVENT_TYPE_THREAD_EXIT)
			describe_exit(e, p);
		publish(r);
	}
	rcu_read_unlock();
	preempt_enable();
}

static void probe_fork(void *data, struct task_struct *parent,
		       struct task_struct *child)
{
	record(child->signal == parent->signal ?
		       FIBER_EVENT_TYPE_THREAD_CREATE :
		       FIBER_EVENT_TYPE_FORK,
	       child);
}

static void probe_exec(void *data, struct task_struct *p, pid_t old_pid,
		       struct linux_binprm *bprm)
{
	record(FIBER_EVENT_TYPE_EXEC, p);
}

static void probe_exit(FIBER_EXIT_PROBE_ARGS)
{
	record(atomic_read(&p->signal->live) ? FIBER_EVENT_TYPE_THREAD_EXIT :
					       FIBER_EVENT_TYPE_EXIT,
	       p);
}

static struct fiber_hook probes[] = {
	{
		.name = "sched_process_fork",
		.bit = FIBER_PROBE_SCHED_PROCESS_FORK,
		.function = probe_fork,
	},
	{
		.name = "sched_process_exec",
		.bit = FIBER_PROBE_SCHED_PROCESS_EXEC,
		.function = probe_exec,
	},
	{
		.name = "sched_process_exit",
		.bit = FIBER_PROBE_SCHED_PROCESS_EXIT,
		.function = probe_exit,
	},
};

/* Reading */

/* Processes whose exit was told while a second telling could still come. */
struct told {
	struct list_head link;
	struct pid *tgid; /* a reference */
};

static LIST_HEAD(told_exits); /* the reader's */

static void forget(struct told *t)
{
	list_del(&t->link);
	put_pid(t->tgid);
	kfree(t);
}

static bool reaped(struct pid *tgid)
{
	bool gone;

	rcu_read_lock();
	gone = !pid_task(tgid, PIDTYPE_TGID);
	rcu_read_unlock();
	return gone;
}

static bool told_before(struct pid *tgid)
{
	struct told *t, *next;
	bool before = false;

	list_for_each_entry_safe(t, next, &told_exits, link) {
		if (t->tgid == tgid)
			before = true;
		else if (reaped(t->tgid))
			forget(t);
	}
	return before;
}

static void remember(struct pid *tgid)
{
	struct told *t = kmalloc(sizeof(*t), GFP_KERNEL);

	/* Without memory the exit may be told twice. */
	if (!t)
		return;
	t->tgid = get_pid(tgid);
	list_add(&t->link, &told_exits);
}

static void tell_exit_once(struct fiber_event *e)
{
	if (told_before(e->tgid))
		e->type = FIBER_EVENT_TYPE_THREAD_EXIT;
	else if (e->process.threads > 1)
		remember(e->tgid);
}

static bool empty(const struct ring *r)
{
	return smp_load_acquire(&r->head) == r->tail;
}

static struct fiber_event *oldest(const struct ring *r)
{
	return (struct fiber_event *)&r->events[r->tail % RING_EVENTS];
}

static struct ring *ring_of_oldest(void)
{
	struct ring *found = NULL;
	int cpu;

	for_each_possible_cpu(cpu) {
		struct ring *r = rings[cpu];

		if (!empty(r) &&
		    (!found || oldest(r)->time_ns < oldest(found)->time_ns))
			found = r;
	}
	return found;
}

/**
 * fiber_event_take - take the oldest event
 * @e: to fill; give it to fiber_event_release() when done
 *
 * Context: the one reader, after fiber_event_start() has succeeded once.
 * Return: whether there was one.
 */
bool fiber_event_take(struct fiber_event *e)
{
	struct ring *r = ring_of_oldest();

	if (!r)
		return false;
	*e = *oldest(r);
	smp_store_release(&r->tail, r->tail + 1);
	if (e->type == FIBER_EVENT_TYPE_EXIT)
		tell_exit_once(e);
	return true;
}

/**
 * fiber_event_release - drop an event's references
 * @e: the event
 */
void fiber_event_release(struct fiber_event *e)
{
	put_cred(e->cred);
	put_pid(e->parent);
	put_pid(e->tid);
	put_pid(e->tgid);
}

/* On and off */

static void free_rings(struct ring **of)
{
	int cpu;

	for_each_possible_cpu(cpu)
		kvfree(of[cpu]);
	kfree(of);
}

static int make_rings(void)
{
	struct ring **made;
	int cpu;

	lockdep_assert_held(&rings_lock);
	if (rings)
		return 0;
	made = kcalloc(nr_cpu_ids, sizeof(*made), GFP_KERNEL);
	if (!made)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		made[cpu] = kvzalloc_node(sizeof(**made), GFP_KERNEL,
					  cpu_to_node(cpu));
		if (!made[cpu]) {
			free_rings(made);
			return -ENOMEM;
		}
	}
	smp_store_release(&rings, made); /* pairs with fiber_events_lost() */
	return 0;
}

static int hook_all(void)
{
	int i, err;

	for (i = 0; i < ARRAY_SIZE(probes); i++) {
		err = fiber_hook_get(&probes[i]);
		if (err)
			goto err_put;
	}
	return 0;

err_put:
	while (i--)
		fiber_hook_put(&probes[i]);
	return err;
}

/**
 * fiber_event_start - have events written down
 *
 * Return: 0; -EOPNOTSUPP when the kernel lacks a tracepoint; -ENOMEM.
 */
int fiber_event_start(void)
{
	int err;

	mutex_lock(&rings_lock);
	err = make_rings();
	mutex_unlock(&rings_lock);
	return err ?: hook_all();
}

/**
 * fiber_event_stop - undo one fiber_event_start()
 */
void fiber_event_stop(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(probes); i++)
		fiber_hook_put(&probes[i]);
}

/**
 * fiber_events_lost - events for which a ring had no room, since load
 */
u64 fiber_events_lost(void)
{
	struct ring **all =
		smp_load_acquire(&rings); /* pairs with make_rings() */
	u64 lost = 0;
	int cpu;

	if (all)
		for_each_possible_cpu(cpu)
			lost += READ_ONCE(all[cpu]->lost);
	return lost;
}

/**
 * fiber_event_available - can this kernel tell events?
 */
bool fiber_event_available(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(probes); i++)
		if (!fiber_hook_found(&probes[i]))
			return false;
	return true;
}

int __init fiber_event_init(void (*arrived)(void))
{
	int i;

	check_trace_callback_type_sched_process_fork(probe_fork);
	check_trace_callback_type_sched_process_exec(probe_exec);
	check_trace_callback_type_sched_process_exit(probe_exit);
	tell_reader = arrived;
	for (i = 0; i < ARRAY_SIZE(probes); i++)
		fiber_hook_add(&probes[i]);
	return 0;
}

/* The probes are unhooked and the reader is gone. */
void fiber_event_exit(void)
{
	struct fiber_event e;
	struct told *t, *next;

	if (!rings)
		return;
	while (fiber_event_take(&e))
		fiber_event_release(&e);
	list_for_each_entry_safe(t, next, &told_exits, link)
		forget(t);
	free_rings(rings);
}
