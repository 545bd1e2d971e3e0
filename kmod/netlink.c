// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generic netlink family: its operations, its policies, its socket ends.
 *
 * Nothing here waits for another task: genl_rcv() holds cb_lock around every
 * doit, and a doit that waited would stop all generic netlink of the machine
 * as soon as somebody registered a family. The longest is the first watch or
 * subscription, which hooks tracepoints.
 *
 * parallel_ops: every room below has locks of its own.
 *
 * The policies say what fiber.yaml says; a self test compares the two through
 * CTRL_CMD_GETPOLICY. An operation without attributes has a policy all the
 * same, since the core ignores attributes where there is none.
 */
#include <linux/fiber.h>
#include <linux/kconfig.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <net/genetlink.h>
#include <net/netlink.h>

#include "event.h"
#include "group.h"
#include "hist.h"
#include "netlink.h"
#include "hook.h"
#include "subscriber.h"
#include "watch.h"

#define STATES (BIT(FIBER_STATE_IDLE + 1) - 1)
#define KINDS (FIBER_KIND_USER | FIBER_KIND_KERNEL)
#define WANTS (FIBER_WANT_AFFINITY | FIBER_WANT_SCHEDSTATS)
#define HISTS (BIT(FIBER_HIST_KIND_PREEMPTED + 1) - 1)
#define EVENTS (BIT(FIBER_EVENT_TYPE_END) - 1)

static const struct nla_policy none_policy[] = {
	[FIBER_A_INFO_PAD] = { .type = NLA_REJECT },
};

static const struct nla_policy process_policy[] = {
	[FIBER_A_TASK_PID] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIBER_A_TASK_UID] = { .type = NLA_U32 },
	[FIBER_A_TASK_KINDS] = NLA_POLICY_MASK(NLA_U32, KINDS),
	[FIBER_A_TASK_STATES] = NLA_POLICY_MASK(NLA_U32, STATES),
	/* As long as the threads' policy: the same code looks at both. */
	[FIBER_A_TASK_WANT] = { .type = NLA_REJECT },
};

static const struct nla_policy thread_policy[] = {
	[FIBER_A_TASK_PID] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIBER_A_TASK_TID] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIBER_A_TASK_UID] = { .type = NLA_U32 },
	[FIBER_A_TASK_KINDS] = NLA_POLICY_MASK(NLA_U32, KINDS),
	[FIBER_A_TASK_STATES] = NLA_POLICY_MASK(NLA_U32, STATES),
	[FIBER_A_TASK_WANT] = NLA_POLICY_MASK(NLA_U32, WANTS),
};

static const struct nla_policy watch_policy[] = {
	[FIBER_A_WATCH_PID] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIBER_A_WATCH_KINDS] = NLA_POLICY_MASK(NLA_U32, HISTS),
};

static const struct nla_policy watch_id_policy[] = {
	[FIBER_A_WATCH_ID] = NLA_POLICY_MIN(NLA_U32, 1),
};

static const struct nla_policy subscribe_policy[] = {
	[FIBER_A_EVENT_TYPES] = NLA_POLICY_MASK(NLA_U32, EVENTS),
	[FIBER_A_EVENT_PID] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIBER_A_EVENT_UID] = { .type = NLA_U32 },
};

static const struct nla_policy switch_policy[] = {
	[FIBER_A_GROUP_FD] = { .type = NLA_U32 },
	[FIBER_A_GROUP_TARGET] = { .type = NLA_U32 },
	[FIBER_A_GROUP_FLAGS] =
		NLA_POLICY_MASK(NLA_U32, FIBER_SWITCH_FLAG_NOWAIT),
	[FIBER_A_GROUP_UNTIL_NS] = { .type = NLA_S64 },
};

#define POLICY(p) .policy = (p), .maxattr = ARRAY_SIZE(p) - 1

static int info_get_doit(struct sk_buff *skb, struct genl_info *info);

static const struct genl_ops fiber_ops[] = {
	{
		.cmd = FIBER_CMD_INFO_GET,
		.doit = info_get_doit,
		POLICY(none_policy),
	},
	{
		.cmd = FIBER_CMD_PROCESS_GET,
		.doit = fiber_process_get_doit,
		.start = fiber_process_get_start,
		.dumpit = fiber_process_get_dumpit,
		.done = fiber_task_dump_done,
		POLICY(process_policy),
	},
	{
		.cmd = FIBER_CMD_THREAD_GET,
		.doit = fiber_thread_get_doit,
		.start = fiber_thread_get_start,
		.dumpit = fiber_thread_get_dumpit,
		.done = fiber_task_dump_done,
		POLICY(thread_policy),
	},
	{
		.cmd = FIBER_CMD_WATCH,
		.doit = fiber_watch_doit,
		POLICY(watch_policy),
	},
	{
		.cmd = FIBER_CMD_UNWATCH,
		.doit = fiber_unwatch_doit,
		POLICY(watch_id_policy),
	},
	{
		.cmd = FIBER_CMD_HIST_GET,
		.doit = fiber_hist_get_doit,
		.start = fiber_hist_get_start,
		.dumpit = fiber_hist_get_dumpit,
		.done = fiber_hist_get_done,
		POLICY(watch_id_policy),
	},
	{
		.cmd = FIBER_CMD_SUBSCRIBE,
		.doit = fiber_subscribe_doit,
		POLICY(subscribe_policy),
	},
	{
		.cmd = FIBER_CMD_UNSUBSCRIBE,
		.doit = fiber_unsubscribe_doit,
		POLICY(none_policy),
	},
	{
		.cmd = FIBER_CMD_GROUP_CREATE,
		.doit = fiber_group_create_doit,
		POLICY(none_policy),
	},
	{
		.cmd = FIBER_CMD_SWITCH,
		.doit = fiber_switch_doit,
		POLICY(switch_policy),
	},
};

struct genl_family fiber_family __ro_after_init = {
	.name = FIBER_FAMILY_NAME,
	.version = FIBER_FAMILY_VERSION,
	.module = THIS_MODULE,
	.netnsok = true,
	.parallel_ops = true,
	.ops = fiber_ops,
	.n_ops = ARRAY_SIZE(fiber_ops),
};

/**
 * fiber_reply_begin - begin the reply to a request
 * @r: the reply
 * @info: the request
 *
 * Return: 0, and fiber_reply_send() must follow; or -errno.
 */
int fiber_reply_begin(struct fiber_reply *r, struct genl_info *info)
{
	r->message = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!r->message)
		return -ENOMEM;
	r->header = genlmsg_put_reply(r->message, info, &fiber_family, 0,
				      info->genlhdr->cmd);
	if (r->header)
		return 0;
	nlmsg_free(r->message);
	return -EMSGSIZE;
}

/**
 * fiber_reply_send - send the reply, or drop it
 * @r: the reply
 * @info: the request
 * @err: 0 to send; else what went wrong
 *
 * Return: @err, or what sending gave.
 */
int fiber_reply_send(struct fiber_reply *r, struct genl_info *info, int err)
{
	if (err) {
		nlmsg_free(r->message);
		return err;
	}
	genlmsg_end(r->message, r->header);
	return genlmsg_reply(r->message, info);
}

/**
 * fiber_refuse_dump - refuse a dump in its start()
 * @cb: the dump
 * @r: kept by the dump until its first dumpit
 * @err: -errno
 * @why: a sentence
 *
 * Before 6.3, start() has no way to give a sentence: the refusal then waits for
 * the first dumpit, and reaches the client with the end of the dump.
 *
 * Return: what start() must return; when that is 0 the dump goes on, and
 * fiber_refused() must be asked first thing.
 */
int fiber_refuse_dump(struct netlink_callback *cb, struct fiber_refusal *r,
		      int err, const char *why)
{
	if (cb->extack) {
		cb->extack->_msg = why;
		return err;
	}
	r->err = err;
	r->why = why;
	return 0;
}

/**
 * fiber_refused - was this dump refused in its start()?
 * @cb: the dump
 * @r: what fiber_refuse_dump() was given
 *
 * Return: 0, or the -errno that dumpit must return.
 */
int fiber_refused(struct netlink_callback *cb, const struct fiber_refusal *r)
{
	if (r->err && cb->extack)
		cb->extack->_msg = r->why;
	return r->err;
}

static u32 features(void)
{
	u32 f = 0;

	if (IS_ENABLED(CONFIG_SCHED_INFO))
		f |= FIBER_FEATURE_SCHED_INFO;
	if (IS_ENABLED(CONFIG_SCHEDSTATS))
		f |= FIBER_FEATURE_SCHEDSTATS;
	if (IS_ENABLED(CONFIG_TASK_DELAY_ACCT))
		f |= FIBER_FEATURE_DELAY_ACCT;
	if (IS_ENABLED(CONFIG_CGROUPS))
		f |= FIBER_FEATURE_CGROUP;
	if (fiber_hist_available())
		f |= FIBER_FEATURE_HIST;
	if (fiber_event_available())
		f |= FIBER_FEATURE_EVENTS;
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		f |= FIBER_FEATURE_PREEMPT_RT;
	return f;
}

static int put_info(struct sk_buff *skb)
{
	const struct {
		int attr;
		u32 value;
	} words[] = {
		{ FIBER_A_INFO_FEATURES, features() },
		{ FIBER_A_INFO_PROBES, fiber_hooks_now() },
		{ FIBER_A_INFO_WATCHES, fiber_watches_now() },
		{ FIBER_A_INFO_WATCHES_MAX, FIBER_WATCHES_MAX },
		{ FIBER_A_INFO_WATCHES_USER_MAX, FIBER_WATCHES_USER_MAX },
		{ FIBER_A_INFO_SUBSCRIBERS, fiber_subscribers_now() },
		{ FIBER_A_INFO_SUBSCRIBERS_MAX, FIBER_SUBSCRIBERS_MAX },
		{ FIBER_A_INFO_SUBSCRIBERS_USER_MAX,
		  FIBER_SUBSCRIBERS_USER_MAX },
		{ FIBER_A_INFO_GROUPS, fiber_groups_now() },
		{ FIBER_A_INFO_GROUPS_USER_MAX, fiber_groups_user_max() },
		{ FIBER_A_INFO_MEMBERS, fiber_members_now() },
		{ FIBER_A_INFO_MEMBERS_USER_MAX, fiber_members_user_max() },
	};
	int i, err;

	err = nla_put_string(skb, FIBER_A_INFO_VERSION, THIS_MODULE->version);
	for (i = 0; !err && i < ARRAY_SIZE(words); i++)
		err = nla_put_u32(skb, words[i].attr, words[i].value);
	if (err)
		return err;
	return nla_put_u64_64bit(skb, FIBER_A_INFO_EVENTS_LOST,
				 fiber_events_lost(), FIBER_A_INFO_PAD);
}

static int info_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct fiber_reply r;
	int err;

	err = fiber_reply_begin(&r, info);
	if (err)
		return err;
	return fiber_reply_send(&r, info, put_info(r.message));
}

/* A socket is gone, and with it what belonged to it. */
static int socket_notify(struct notifier_block *nb, unsigned long what,
			 void *data)
{
	struct netlink_notify *gone = data;

	if (what == NETLINK_URELEASE && gone->protocol == NETLINK_GENERIC) {
		fiber_watch_socket_gone(gone->net, gone->portid);
		fiber_subscriber_socket_gone(gone->net, gone->portid);
	}
	return NOTIFY_DONE;
}

static struct notifier_block socket_nb = {
	.notifier_call = socket_notify,
};

int __init fiber_netlink_init(void)
{
	int err;

	err = netlink_register_notifier(&socket_nb);
	if (err)
		return err;
	err = genl_register_family(&fiber_family);
	if (err)
		netlink_unregister_notifier(&socket_nb);
	return err;
}

void fiber_netlink_exit(void)
{
	genl_unregister_family(&fiber_family);
	netlink_unregister_notifier(&socket_nb);
}
