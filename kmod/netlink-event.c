// SPDX-License-Identifier: GPL-2.0-only
/*
 * The operations on events, and the event message itself.
 */
#include <linux/fiber.h>
#include <linux/ktime.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/slab.h>
#include <net/genetlink.h>

#include "caller.h"
#include "event.h"
#include "netlink.h"
#include "stats.h"
#include "subscriber.h"

#define ALL_TYPES (BIT(FIBER_EVENT_TYPE_END) - 1)

static int put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, FIBER_A_EVENT_PAD);
}

static int put_stats(struct sk_buff *skb, const struct fiber_event *e,
		     const struct fiber_view *v)
{
	if (e->type == FIBER_EVENT_TYPE_EXIT) {
		struct fiber_process_stats s = e->process;

		fiber_process_view(&s, v);
		return nla_put(skb, FIBER_A_EVENT_PROCESS, sizeof(s), &s);
	}
	if (e->type == FIBER_EVENT_TYPE_THREAD_EXIT) {
		struct fiber_thread_stats s = e->thread;

		fiber_thread_view(&s, v);
		return nla_put(skb, FIBER_A_EVENT_THREAD, sizeof(s), &s);
	}
	return 0;
}

static int put_exit_code(struct sk_buff *skb, const struct fiber_event *e)
{
	if (e->type == FIBER_EVENT_TYPE_EXIT)
		return nla_put_u32(skb, FIBER_A_EVENT_EXIT_CODE,
				   e->group_exit_code);
	if (e->type == FIBER_EVENT_TYPE_THREAD_EXIT)
		return nla_put_u32(skb, FIBER_A_EVENT_EXIT_CODE, e->exit_code);
	return 0;
}

static int put_event(struct sk_buff *skb, const struct fiber_subscriber *s,
		     const struct fiber_event *e)
{
	struct fiber_view v = {
		.caller = &s->caller,
		.cred = e->cred,
		.tgid = e->tgid,
		.tid = e->tid,
		.parent = e->parent,
	};
	struct pid_namespace *ns = s->caller.pid_ns;

	if (nla_put_u32(skb, FIBER_A_EVENT_TYPE, e->type) ||
	    nla_put_u32(skb, FIBER_A_EVENT_PID, pid_nr_ns(e->tgid, ns)) ||
	    nla_put_u32(skb, FIBER_A_EVENT_TID, pid_nr_ns(e->tid, ns)) ||
	    nla_put_u32(skb, FIBER_A_EVENT_PPID, pid_nr_ns(e->parent, ns)) ||
	    nla_put_u32(skb, FIBER_A_EVENT_UID,
			fiber_caller_uid(&s->caller, e->cred)) ||
	    nla_put_string(skb, FIBER_A_EVENT_COMM, e->comm) ||
	    put_u64(skb, FIBER_A_EVENT_TIME_NS,
		    e->time_ns + s->caller.boottime_offset) ||
	    put_exit_code(skb, e))
		return -EMSGSIZE;
	return put_stats(skb, e, &v);
}

static int put_end(struct sk_buff *skb, const struct fiber_subscriber *s)
{
	u64 now = ktime_get_boottime_ns() + s->caller.boottime_offset;

	if (nla_put_u32(skb, FIBER_A_EVENT_TYPE, FIBER_EVENT_TYPE_END))
		return -EMSGSIZE;
	return put_u64(skb, FIBER_A_EVENT_TIME_NS, now);
}

static int put_message(struct sk_buff *skb, const struct fiber_subscriber *s,
		       const struct fiber_event *e, u64 dropped)
{
	void *header;
	int err;

	header = genlmsg_put(skb, 0, 0, &fiber_family, 0, FIBER_CMD_EVENT);
	if (!header)
		return -EMSGSIZE;
	err = e ? put_event(skb, s, e) : put_end(skb, s);
	if (!err && dropped)
		err = put_u64(skb, FIBER_A_EVENT_DROPPED, dropped);
	genlmsg_end(skb, header);
	return err;
}

/* A fiber_send_fn. */
int fiber_event_send(const struct fiber_subscriber *s,
		     const struct fiber_event *e, u64 dropped)
{
	struct sk_buff *skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	int err;

	if (!skb)
		return -ENOMEM;
	err = put_message(skb, s, e, dropped);
	if (err) {
		nlmsg_free(skb);
		return err;
	}
	return genlmsg_unicast(sock_net(s->owner.sk), skb, s->owner.portid);
}

/* A pid that names a process in the caller's namespace; a reference. */
static struct pid *process_pid(const struct fiber_caller *c, u32 nr)
{
	struct pid *pid;

	rcu_read_lock();
	pid = find_pid_ns(nr, c->pid_ns);
	if (pid && !pid_task(pid, PIDTYPE_TGID))
		pid = NULL;
	get_pid(pid);
	rcu_read_unlock();
	return pid;
}

static int fill(struct fiber_subscriber *s, struct genl_info *info)
{
	struct nlattr **a = info->attrs;

	s->types = ALL_TYPES;
	if (a[FIBER_A_EVENT_TYPES])
		s->types = nla_get_u32(a[FIBER_A_EVENT_TYPES]);
	s->by_uid = a[FIBER_A_EVENT_UID];
	if (s->by_uid)
		s->uid = nla_get_u32(a[FIBER_A_EVENT_UID]);
	if (!a[FIBER_A_EVENT_PID])
		return 0;
	s->pid = process_pid(&s->caller, nla_get_u32(a[FIBER_A_EVENT_PID]));
	if (s->pid)
		return 0;
	NL_SET_ERR_MSG_ATTR(info->extack, a[FIBER_A_EVENT_PID],
			    "no such process in the caller's pid namespace");
	return -ESRCH;
}

int fiber_subscribe_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct fiber_subscriber *s;
	int err;

	s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);
	if (!s)
		return -ENOMEM;
	err = fiber_caller_get(&s->caller, NETLINK_CB(skb).sk);
	if (err) {
		kfree(s);
		return err;
	}
	fiber_owner_init(&s->owner, skb);
	err = fill(s, info);
	if (!err)
		err = fiber_subscriber_add(skb, s, info->extack);
	if (err)
		fiber_subscriber_free(s);
	return err;
}

int fiber_unsubscribe_doit(struct sk_buff *skb, struct genl_info *info)
{
	int err = fiber_subscriber_del(skb);

	if (err)
		GENL_SET_ERR_MSG(info, "this socket has not subscribed");
	return err;
}
