// SPDX-License-Identifier: GPL-2.0-only
/*
 * Watches: who has asked for which histograms, and for how long.
 *
 * LIFETIME. A watch belongs to a socket. It ends by unwatch, by the end of the
 * socket, or at unload. Ending takes it off the list and out of the probe's
 * sight at once, and moves it to a graveyard; a worker frees the graveyard
 * after an RCU grace period. So neither a doit nor the close of a socket waits.
 *
 * A watch on a process keeps a task of it, and through that the signal_struct
 * by which the probe knows the process. It also keeps the struct pid: an exec
 * may replace the leader, and the pid then leads to the new one.
 *
 * RIGHTS. Asked at the start, and again at each read: a process that has since
 * become somebody else's (it ran a setuid program) tells no more.
 *
 * LOCKING. watch_lock guards both lists and the ids.
 */
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "caller.h"
#include "watch.h"

static DEFINE_MUTEX(watch_lock);
static LIST_HEAD(watches);
static LIST_HEAD(graveyard);
static u32 watches_n;
static u32 last_id;

static void bury(struct work_struct *work);
static DECLARE_WORK(bury_work, bury);

static void watch_free(struct fiber_watch *w)
{
	if (w->task)
		put_task_struct(w->task);
	put_pid(w->pid);
	fiber_owner_exit(&w->owner);
	kfree(w);
}

static void bury(struct work_struct *work)
{
	struct fiber_watch *w, *next;
	LIST_HEAD(dead);

	mutex_lock(&watch_lock);
	list_splice_init(&graveyard, &dead);
	mutex_unlock(&watch_lock);
	if (list_empty(&dead))
		return;
	/* The probe may still be looking at their meters. */
	synchronize_rcu();
	list_for_each_entry_safe(w, next, &dead, link) {
		fiber_meter_release(&w->meter);
		watch_free(w);
	}
}

static void end(struct fiber_watch *w)
{
	lockdep_assert_held(&watch_lock);
	fiber_meter_stop(&w->meter);
	list_move(&w->link, &graveyard);
	watches_n--;
	schedule_work(&bury_work);
}

static u32 watches_of(kuid_t uid)
{
	struct fiber_watch *w;
	u32 n = 0;

	list_for_each_entry(w, &watches, link)
		n += uid_eq(w->owner.uid, uid);
	return n;
}

static struct fiber_watch *find(const struct sk_buff *request, u32 id)
{
	struct fiber_watch *w;

	lockdep_assert_held(&watch_lock);
	list_for_each_entry(w, &watches, link)
		if (w->id == id && fiber_owner_is(&w->owner, request))
			return w;
	return NULL;
}

static bool id_taken(u32 id)
{
	struct fiber_watch *w;

	list_for_each_entry(w, &watches, link)
		if (w->id == id)
			return true;
	return false;
}

/* Ids go round in 31 bits, so that one fits the int of a return value. */
static u32 new_id(void)
{
	do
		last_id = last_id % INT_MAX + 1;
	while (id_taken(last_id));
	return last_id;
}

static struct task_struct *task_of(struct pid *pid)
{
	struct task_struct *task;

	rcu_read_lock();
	task = pid_task(pid, PIDTYPE_TGID);
	if (task)
		get_task_struct(task);
	rcu_read_unlock();
	return task;
}

/* The task that now stands for the process; a reference. */
static struct task_struct *task_now(const struct fiber_watch *w)
{
	return task_of(w->pid) ?: get_task_struct(w->task);
}

static bool may_read(const struct fiber_watch *w, const struct fiber_caller *c)
{
	struct task_struct *task;
	bool may;

	if (!w->pid)
		return c->sees_all;
	task = task_now(w);
	may = fiber_may_watch(c, task);
	put_task_struct(task);
	return may;
}

/* Fill in what is watched, and whether the caller may. */
static int aim(struct fiber_watch *w, const struct fiber_caller *c, u32 nr,
	       struct netlink_ext_ack *extack)
{
	if (nr) {
		rcu_read_lock();
		w->pid = get_pid(find_pid_ns(nr, c->pid_ns));
		rcu_read_unlock();
		w->task = w->pid ? task_of(w->pid) : NULL;
		if (!w->task) {
			NL_SET_ERR_MSG(
				extack,
				"no such process in the caller's pid namespace");
			return -ESRCH;
		}
		w->meter.process = w->task->signal;
	}
	if (may_read(w, c))
		return 0;
	if (nr)
		NL_SET_ERR_MSG(
			extack,
			"this process is not the caller's, or it is not dumpable; CAP_SYS_PTRACE is needed to watch it");
	else
		NL_SET_ERR_MSG(
			extack,
			"watching the whole system needs CAP_SYS_PTRACE in the initial user namespace");
	return -EPERM;
}

static int room_for(kuid_t uid, struct netlink_ext_ack *extack)
{
	if (watches_n >= FIBER_WATCHES_MAX) {
		NL_SET_ERR_MSG(extack,
			       "the system's limit of watches is reached");
		return -ENOSPC;
	}
	if (watches_of(uid) >= FIBER_WATCHES_USER_MAX) {
		NL_SET_ERR_MSG(extack,
			       "the user's limit of watches is reached");
		return -EDQUOT;
	}
	return 0;
}

/*
 * Take a place among the watches before anything is made: what follows may
 * wait, and a socket's close must not wait behind it. With id 0 nobody finds
 * the watch yet, and its socket cannot close while its request is handled.
 */
static int reserve(struct fiber_watch *w, struct netlink_ext_ack *extack)
{
	int err;

	mutex_lock(&watch_lock);
	err = room_for(w->owner.uid, extack);
	if (!err) {
		list_add(&w->link, &watches);
		watches_n++;
	}
	mutex_unlock(&watch_lock);
	return err;
}

static void unreserve(struct fiber_watch *w)
{
	mutex_lock(&watch_lock);
	list_del(&w->link);
	watches_n--;
	mutex_unlock(&watch_lock);
}

static u32 publish(struct fiber_watch *w)
{
	u32 id;

	mutex_lock(&watch_lock);
	id = new_id();
	w->began_ns = ktime_get_ns();
	w->id = id;
	mutex_unlock(&watch_lock);
	return id;
}

static int begin(struct fiber_watch *w, struct netlink_ext_ack *extack)
{
	int err;

	err = reserve(w, extack);
	if (err)
		return err;
	err = fiber_meter_start(&w->meter);
	if (!err)
		return publish(w);
	unreserve(w);
	if (err == -EOPNOTSUPP)
		NL_SET_ERR_MSG(extack,
			       "this kernel has no sched_switch tracepoint");
	return err;
}

/**
 * fiber_watch_add - begin a watch
 * @request: whose socket will own it
 * @c: the sender
 * @pid: a process in the caller's pid namespace, or 0 for the whole system
 * @kinds: which histograms
 * @extack: for the sentence of a refusal
 *
 * Return: the watch's id; -ESRCH, -EPERM, -ENOSPC, -EDQUOT, -EOPNOTSUPP,
 * -ENOMEM.
 */
int fiber_watch_add(const struct sk_buff *request, const struct fiber_caller *c,
		    u32 pid, u32 kinds, struct netlink_ext_ack *extack)
{
	struct fiber_watch *w;
	int err;

	w = kzalloc(sizeof(*w), GFP_KERNEL_ACCOUNT);
	if (!w)
		return -ENOMEM;
	fiber_owner_init(&w->owner, request);
	w->meter.kinds = kinds;
	err = aim(w, c, pid, extack);
	if (!err)
		err = begin(w, extack);
	if (err < 0)
		watch_free(w);
	return err;
}

/**
 * fiber_watch_del - end a watch
 * @request: whose socket must own it
 * @id: of the watch
 *
 * Return: 0, or -ENOENT.
 */
int fiber_watch_del(const struct sk_buff *request, u32 id)
{
	struct fiber_watch *w;

	mutex_lock(&watch_lock);
	w = find(request, id);
	if (w)
		end(w);
	mutex_unlock(&watch_lock);
	return w ? 0 : -ENOENT;
}

/**
 * fiber_watch_socket_gone - end what a closed socket owned
 * @net: its network namespace
 * @portid: its port
 */
void fiber_watch_socket_gone(const struct net *net, u32 portid)
{
	struct fiber_watch *w, *next;

	mutex_lock(&watch_lock);
	list_for_each_entry_safe(w, next, &watches, link)
		if (fiber_owner_gone(&w->owner, net, portid))
			end(w);
	mutex_unlock(&watch_lock);
}

/**
 * fiber_watch_read - look at a watch
 * @request: whose socket must own it
 * @id: of the watch
 * @c: who reads
 * @put: what to do with it; must not come back here
 * @arg: for @put
 *
 * Return: what @put gave; -ENOENT; -EPERM when the process is the reader's no
 * more.
 */
int fiber_watch_read(const struct sk_buff *request, u32 id,
		     const struct fiber_caller *c,
		     int (*put)(const struct fiber_watch *w, void *arg),
		     void *arg)
{
	struct fiber_watch *w;
	int err = -ENOENT;

	mutex_lock(&watch_lock);
	w = find(request, id);
	if (w)
		err = may_read(w, c) ? put(w, arg) : -EPERM;
	mutex_unlock(&watch_lock);
	return err;
}

/**
 * fiber_watch_next - the socket's watch with the lowest id above another
 * @request: whose socket
 * @id: the other, or 0
 *
 * Return: its id, or 0 when there is none.
 */
u32 fiber_watch_next(const struct sk_buff *request, u32 id)
{
	struct fiber_watch *w;
	u32 next = 0;

	mutex_lock(&watch_lock);
	list_for_each_entry(w, &watches, link)
		if (fiber_owner_is(&w->owner, request) && w->id > id &&
		    (!next || w->id < next))
			next = w->id;
	mutex_unlock(&watch_lock);
	return next;
}

/**
 * fiber_watch_ended - has the watched process exited?
 * @w: the watch
 */
bool fiber_watch_ended(const struct fiber_watch *w)
{
	return w->task && !atomic_read(&w->task->signal->live);
}

/**
 * fiber_watches_now - how many there are
 */
u32 fiber_watches_now(void)
{
	return READ_ONCE(watches_n);
}

/* The family is gone, so no watch can come. */
void fiber_watch_exit(void)
{
	struct fiber_watch *w, *next;

	mutex_lock(&watch_lock);
	list_for_each_entry_safe(w, next, &watches, link)
		end(w);
	mutex_unlock(&watch_lock);
	flush_work(&bury_work);
}
