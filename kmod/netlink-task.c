// SPDX-License-Identifier: GPL-2.0-only
/*
 * The operations on processes and threads.
 *
 * DUMPS. A dump walks pid numbers upwards in the caller's pid namespace; the
 * cursor is the next number. A number does not move while its task lives, so a
 * task that lives throughout appears once, whatever comes and goes beside it.
 * (An exec by a thread that is not the leader moves the leader's number.)
 *
 * The threads of one process are not found by walking every number of the
 * machine: start() writes down their numbers, and the dump looks each of them
 * up again. The same promise holds, and nothing has to be kept alive between
 * two calls. The list is charged to the caller's memory cgroup.
 *
 * No dump sets NLM_F_DUMP_INTR: no cursor here can be lost.
 *
 * LIFETIME. struct task_dump is made in start() and freed in done(), which the
 * netlink core calls also when the socket is closed midway. It holds a module
 * reference meanwhile.
 */
#include <linux/cred.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/fiber.h>
#include <net/genetlink.h>

#include "caller.h"
#include "compat.h"
#include "netlink.h"
#include "stats.h"

/* Which tasks a dump is about; every filter that is set must pass. */
struct filter {
	u32 pid;
	bool by_uid;
	u32 uid; /* as the caller numbers users */
	u32 kinds; /* enum fiber_kind */
	u32 states; /* enum fiber_state_mask */
	u32 want; /* enum fiber_want */
};

struct task_dump {
	struct fiber_refusal refusal;
	struct fiber_caller caller;
	struct filter filter;
	int next; /* walk: the number to look at next */
	pid_t *tids; /* list: the numbers, or NULL to walk */
	unsigned int tids_n;
	unsigned int tids_at;
};

static struct task_dump *dump_of(struct netlink_callback *cb)
{
	return *(struct task_dump **)cb->ctx;
}

/* Caller holds rcu_read_lock(), and so do the pids that @v gets. */
static bool view_of(struct fiber_view *v, struct task_struct *p,
		    const struct fiber_caller *c)
{
	v->caller = c;
	v->cred = __task_cred(p);
	v->tid = task_pid(p);
	v->tgid = task_tgid(p);
	v->parent = task_tgid(rcu_dereference(p->real_parent));
	/* Unhashed since it was found: dead for everybody. */
	return v->tid && v->tgid;
}

static bool passes(const struct filter *f, const struct fiber_view *v,
		   struct task_struct *p)
{
	u32 kind = p->flags & PF_KTHREAD ? FIBER_KIND_KERNEL : FIBER_KIND_USER;

	if (f->kinds && !(f->kinds & kind))
		return false;
	if (f->states && !(f->states & BIT(task_state_index(p))))
		return false;
	return !f->by_uid || f->uid == fiber_caller_uid(v->caller, v->cred);
}

static int put_process(struct sk_buff *skb, struct task_struct *p,
		       const struct fiber_view *v)
{
	struct fiber_process_stats s;

	fiber_process_fill(&s, p, true);
	fiber_process_view(&s, v);
	return nla_put(skb, FIBER_A_TASK_PROCESS, sizeof(s), &s);
}

static int put_affinity(struct sk_buff *skb, struct task_struct *p)
{
	return nla_put(skb, FIBER_A_TASK_AFFINITY,
		       BITS_TO_LONGS(nr_cpu_ids) * sizeof(long),
		       cpumask_bits(&p->cpus_mask));
}

static int put_schedstats(struct sk_buff *skb, struct task_struct *p)
{
	struct fiber_schedstats s;

	if (!fiber_schedstats_fill(&s, p))
		return 0;
	return nla_put(skb, FIBER_A_TASK_SCHEDSTATS, sizeof(s), &s);
}

static int put_thread(struct sk_buff *skb, struct task_struct *p,
		      const struct fiber_view *v, u32 want)
{
	struct fiber_thread_stats s;
	int err;

	fiber_thread_fill(&s, p);
	fiber_thread_view(&s, v);
	err = nla_put(skb, FIBER_A_TASK_THREAD, sizeof(s), &s);
	if (!err && want & FIBER_WANT_AFFINITY)
		err = put_affinity(skb, p);
	if (!err && want & FIBER_WANT_SCHEDSTATS)
		err = put_schedstats(skb, p);
	return err;
}

/* One task by number */

static int refuse_filters(struct genl_info *info, int first, int last)
{
	int i;

	for (i = first; i <= last; i++) {
		if (!info->attrs[i])
			continue;
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[i],
				    "this attribute is a filter for dumps");
		return -EINVAL;
	}
	return 0;
}

static int put_one(struct sk_buff *skb, struct genl_info *info,
		   const struct fiber_caller *c, enum pid_type type, u32 nr)
{
	struct task_struct *p = pid_task(find_pid_ns(nr, c->pid_ns), type);
	struct fiber_view v;

	if (!p || !view_of(&v, p, c)) {
		if (type == PIDTYPE_TGID)
			GENL_SET_ERR_MSG(
				info,
				"no such process in the caller's pid namespace");
		else
			GENL_SET_ERR_MSG(
				info,
				"no such thread in the caller's pid namespace");
		return -ESRCH;
	}
	if (!fiber_may_see(c, v.cred)) {
		GENL_SET_ERR_MSG(
			info,
			"this task belongs to another user; CAP_SYS_PTRACE is needed to see it");
		return -EPERM;
	}
	if (type == PIDTYPE_TGID)
		return put_process(skb, p, &v);
	return put_thread(skb, p, &v,
			  FIBER_WANT_AFFINITY | FIBER_WANT_SCHEDSTATS);
}

static int reply_one(struct sk_buff *skb, struct genl_info *info,
		     enum pid_type type, u32 nr)
{
	struct fiber_caller caller;
	struct fiber_reply r;
	int err;

	err = fiber_caller_get(&caller, NETLINK_CB(skb).sk);
	if (err)
		return err;
	err = fiber_reply_begin(&r, info);
	if (!err) {
		rcu_read_lock();
		err = put_one(r.message, info, &caller, type, nr);
		rcu_read_unlock();
		err = fiber_reply_send(&r, info, err);
	}
	fiber_caller_put(&caller);
	return err;
}

int fiber_process_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	if (GENL_REQ_ATTR_CHECK(info, FIBER_A_TASK_PID)) {
		GENL_SET_ERR_MSG(info, "which process? the pid is missing");
		return -EINVAL;
	}
	if (refuse_filters(info, FIBER_A_TASK_TID, FIBER_A_TASK_WANT))
		return -EINVAL;
	return reply_one(skb, info, PIDTYPE_TGID,
			 nla_get_u32(info->attrs[FIBER_A_TASK_PID]));
}

int fiber_thread_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	if (GENL_REQ_ATTR_CHECK(info, FIBER_A_TASK_TID)) {
		GENL_SET_ERR_MSG(info, "which thread? the tid is missing");
		return -EINVAL;
	}
	if (refuse_filters(info, FIBER_A_TASK_PID, FIBER_A_TASK_PID) ||
	    refuse_filters(info, FIBER_A_TASK_UID, FIBER_A_TASK_WANT))
		return -EINVAL;
	return reply_one(skb, info, PIDTYPE_PID,
			 nla_get_u32(info->attrs[FIBER_A_TASK_TID]));
}

/* Dumps */

static u32 attr_u32(struct nlattr **attrs, int type)
{
	return attrs[type] ? nla_get_u32(attrs[type]) : 0;
}

static void filter_of(struct filter *f, struct nlattr **attrs)
{
	f->pid = attr_u32(attrs, FIBER_A_TASK_PID);
	f->by_uid = attrs[FIBER_A_TASK_UID];
	f->uid = attr_u32(attrs, FIBER_A_TASK_UID);
	f->kinds = attr_u32(attrs, FIBER_A_TASK_KINDS);
	f->states = attr_u32(attrs, FIBER_A_TASK_STATES);
	f->want = attr_u32(attrs, FIBER_A_TASK_WANT);
}

static int dump_start(struct netlink_callback *cb)
{
	struct task_dump *d = kzalloc(sizeof(*d), GFP_KERNEL_ACCOUNT);
	int err;

	if (!d)
		return -ENOMEM;
	err = fiber_caller_get(&d->caller, NETLINK_CB(cb->skb).sk);
	if (err) {
		kfree(d);
		return err;
	}
	filter_of(&d->filter, fiber_dump_attrs(cb));
	d->next = 1;
	*(struct task_dump **)cb->ctx = d;
	return 0;
}

int fiber_task_dump_done(struct netlink_callback *cb)
{
	struct task_dump *d = dump_of(cb);

	fiber_caller_put(&d->caller);
	kvfree(d->tids);
	kfree(d);
	return 0;
}

/* When start() fails, done() is not called. */
static int refuse(struct netlink_callback *cb, int err, const char *why)
{
	err = fiber_refuse_dump(cb, &dump_of(cb)->refusal, err, why);
	if (err)
		fiber_task_dump_done(cb);
	return err;
}

static int refuse_tid(struct netlink_callback *cb)
{
	return refuse(cb, -EINVAL,
		      "a dump does not take a tid; ask for the thread by do");
}

int fiber_process_get_start(struct netlink_callback *cb)
{
	int err = dump_start(cb);

	if (!err && fiber_dump_attrs(cb)[FIBER_A_TASK_TID])
		err = refuse_tid(cb);
	return err;
}

static struct task_struct *process_of(const struct task_dump *d)
{
	return pid_task(find_pid_ns(d->filter.pid, d->caller.pid_ns),
			PIDTYPE_TGID);
}

/* Threads that come while the list is made were not there at its start. */
#define TIDS_SLACK 64

static int count_threads(const struct task_dump *d)
{
	struct task_struct *p;
	int n;

	rcu_read_lock();
	p = process_of(d);
	n = p ? data_race(p->signal->nr_threads) + TIDS_SLACK : -ESRCH;
	rcu_read_unlock();
	return n;
}

/* Return: whether all of them fitted. */
static bool list_tids(struct task_dump *d, unsigned int room)
{
	struct task_struct *p, *t;
	bool fitted = true;

	rcu_read_lock();
	p = process_of(d);
	d->tids_n = 0;
	if (p) {
		for_each_thread(p, t) {
			fitted = d->tids_n < room;
			if (!fitted)
				break;
			d->tids[d->tids_n++] =
				task_pid_nr_ns(t, d->caller.pid_ns);
		}
	}
	rcu_read_unlock();
	return fitted;
}

/* A process that grows faster than this is listed as far as it went. */
#define TIDS_TRIES 4

static int take_tids(struct task_dump *d)
{
	int tries;

	for (tries = 0; tries < TIDS_TRIES; tries++) {
		int room = count_threads(d);

		if (room < 0)
			return room;
		kvfree(d->tids);
		d->tids = kvmalloc_array(room << tries, sizeof(*d->tids),
					 GFP_KERNEL_ACCOUNT);
		if (!d->tids)
			return -ENOMEM;
		if (list_tids(d, room << tries))
			break;
	}
	return 0;
}

int fiber_thread_get_start(struct netlink_callback *cb)
{
	struct task_dump *d;
	int err;

	err = dump_start(cb);
	if (err)
		return err;
	d = dump_of(cb);
	if (fiber_dump_attrs(cb)[FIBER_A_TASK_TID])
		return refuse_tid(cb);
	if (!d->filter.pid)
		return 0;
	err = take_tids(d);
	if (err == -ESRCH)
		return refuse(cb, err,
			      "no such process in the caller's pid namespace");
	if (err)
		fiber_task_dump_done(cb);
	return err;
}

static bool look_listed(const struct task_dump *d, struct task_struct **p)
{
	if (d->tids_at >= d->tids_n)
		return false;
	*p = pid_task(find_pid_ns(d->tids[d->tids_at], d->caller.pid_ns),
		      PIDTYPE_PID);
	/* The number may have gone to a thread of another process. */
	if (*p && task_tgid_nr_ns(*p, d->caller.pid_ns) != d->filter.pid)
		*p = NULL;
	return true;
}

/* Numbers that are no task of the type sought, in one RCU section. */
#define WALK_BATCH 64

static bool look_along(struct task_dump *d, enum pid_type type,
		       struct task_struct **p)
{
	int n;

	for (n = 0;; n++) {
		struct pid *pid = find_ge_pid(d->next, d->caller.pid_ns);

		if (!pid)
			return false;
		d->next = pid_nr_ns(pid, d->caller.pid_ns);
		*p = pid_task(pid, type);
		if (*p || n == WALK_BATCH)
			return true;
		d->next++;
	}
}

/*
 * What is at the dump's cursor. @p is NULL when that is no task of the type.
 * RCU, which the caller holds, is held over a few numbers only.
 * Return: false at the end.
 */
static bool look(struct task_dump *d, enum pid_type type,
		 struct task_struct **p)
{
	if (d->tids)
		return look_listed(d, p);
	if (type != PIDTYPE_TGID || !d->filter.pid)
		return look_along(d, type, p);
	*p = process_of(d);
	return d->next == 1;
}

static void advance(struct task_dump *d)
{
	if (d->tids)
		d->tids_at++;
	else
		d->next++;
}

static int put_record(struct sk_buff *skb, struct netlink_callback *cb,
		      struct task_struct *p, const struct fiber_view *v,
		      enum pid_type type)
{
	u8 cmd = type == PIDTYPE_TGID ? FIBER_CMD_PROCESS_GET :
					FIBER_CMD_THREAD_GET;
	void *header;
	int err;

	header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
			     cb->nlh->nlmsg_seq, &fiber_family, NLM_F_MULTI,
			     cmd);
	if (!header)
		return -EMSGSIZE;
	err = type == PIDTYPE_TGID ?
		      put_process(skb, p, v) :
		      put_thread(skb, p, v, dump_of(cb)->filter.want);
	if (err)
		genlmsg_cancel(skb, header);
	else
		genlmsg_end(skb, header);
	return err;
}

/* One step of a dump. Return: 1 at the end, 0 to go on, -errno when full. */
static int dump_step(struct sk_buff *skb, struct netlink_callback *cb,
		     enum pid_type type)
{
	struct task_dump *d = dump_of(cb);
	struct task_struct *p = NULL;
	struct fiber_view v;
	bool more;
	int err = 0;

	rcu_read_lock();
	more = look(d, type, &p);
	if (more && p && view_of(&v, p, &d->caller) &&
	    passes(&d->filter, &v, p) && fiber_may_see(&d->caller, v.cred))
		err = put_record(skb, cb, p, &v, type);
	rcu_read_unlock();
	if (!more)
		return 1;
	if (!err)
		advance(d);
	return err;
}

static int dump_tasks(struct sk_buff *skb, struct netlink_callback *cb,
		      enum pid_type type)
{
	int end = fiber_refused(cb, &dump_of(cb)->refusal);

	if (end)
		return end;
	do {
		end = dump_step(skb, cb, type);
		cond_resched();
	} while (!end);
	/* 0 at the end: its mark then travels with the last records. */
	if (end > 0)
		return 0;
	/* Full with nothing in it would never end. */
	return skb->len ?: end;
}

int fiber_process_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump_tasks(skb, cb, PIDTYPE_TGID);
}

int fiber_thread_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump_tasks(skb, cb, PIDTYPE_PID);
}
