// SPDX-License-Identifier: GPL-2.0-only
/*
 * The operations on watches. A dump of watches goes by id: the cursor is the
 * last one told.
 */
#include <linux/fiber.h>
#include <linux/pid.h>
#include <linux/slab.h>
#include <net/genetlink.h>

#include "caller.h"
#include "compat.h"
#include "hist.h"
#include "netlink.h"
#include "watch.h"

#define ALL_KINDS (BIT(FIBER_HIST_KINDS) - 1)

static int put_hist(struct sk_buff *skb, const struct fiber_watch *w,
		    enum fiber_hist_kind kind)
{
	struct fiber_hist h;
	struct nlattr *nest;

	fiber_meter_read(&w->meter, kind, &h);
	nest = nla_nest_start(skb, FIBER_A_WATCH_HIST);
	if (!nest || nla_put_u32(skb, FIBER_A_HIST_KIND, kind) ||
	    nla_put_u64_64bit(skb, FIBER_A_HIST_COUNT, h.count,
			      FIBER_A_HIST_PAD) ||
	    nla_put_u64_64bit(skb, FIBER_A_HIST_SUM_NS, h.sum_ns,
			      FIBER_A_HIST_PAD) ||
	    nla_put_u64_64bit(skb, FIBER_A_HIST_MAX_NS, h.max_ns,
			      FIBER_A_HIST_PAD) ||
	    nla_put(skb, FIBER_A_HIST_BUCKETS, sizeof(h.buckets), h.buckets))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_hists(struct sk_buff *skb, const struct fiber_watch *w)
{
	int kind, err = 0;

	for (kind = 0; !err && kind < FIBER_HIST_KINDS; kind++)
		if (w->meter.kinds & BIT(kind))
			err = put_hist(skb, w, kind);
	return err;
}

struct put_watch {
	struct sk_buff *skb;
	const struct fiber_caller *caller;
};

static int put_watch(const struct fiber_watch *w, void *arg)
{
	const struct put_watch *to = arg;
	struct sk_buff *skb = to->skb;

	if (nla_put_u32(skb, FIBER_A_WATCH_ID, w->id) ||
	    (w->pid && nla_put_u32(skb, FIBER_A_WATCH_PID,
				   pid_nr_ns(w->pid, to->caller->pid_ns))) ||
	    nla_put_u32(skb, FIBER_A_WATCH_KINDS, w->meter.kinds) ||
	    nla_put_u64_64bit(skb, FIBER_A_WATCH_SINCE_NS,
			      ktime_get_ns() - w->began_ns,
			      FIBER_A_WATCH_PAD) ||
	    (fiber_watch_ended(w) && nla_put_flag(skb, FIBER_A_WATCH_ENDED)) ||
	    nla_put_u64_64bit(skb, FIBER_A_WATCH_LOST,
			      fiber_meter_lost(&w->meter), FIBER_A_WATCH_PAD))
		return -EMSGSIZE;
	return put_hists(skb, w);
}

static int add(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *pid = info->attrs[FIBER_A_WATCH_PID];
	struct nlattr *kinds = info->attrs[FIBER_A_WATCH_KINDS];
	struct fiber_caller caller;
	int id;

	id = fiber_caller_get(&caller, NETLINK_CB(skb).sk);
	if (id)
		return id;
	id = fiber_watch_add(skb, &caller, pid ? nla_get_u32(pid) : 0,
			     kinds ? nla_get_u32(kinds) : ALL_KINDS,
			     info->extack);
	fiber_caller_put(&caller);
	return id;
}

int fiber_watch_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *kinds = info->attrs[FIBER_A_WATCH_KINDS];
	struct fiber_reply r;
	int id, err;

	if (kinds && !nla_get_u32(kinds)) {
		NL_SET_ERR_MSG_ATTR(info->extack, kinds,
				    "an empty set of histograms");
		return -EINVAL;
	}
	/* The reply first: a watch that nobody heard of could not be ended. */
	err = fiber_reply_begin(&r, info);
	if (err)
		return err;
	id = add(skb, info);
	err = id < 0 ? id : nla_put_u32(r.message, FIBER_A_WATCH_ID, id);
	return fiber_reply_send(&r, info, err);
}

static int id_of(struct genl_info *info, u32 *id)
{
	if (GENL_REQ_ATTR_CHECK(info, FIBER_A_WATCH_ID)) {
		GENL_SET_ERR_MSG(info, "which watch? the id is missing");
		return -EINVAL;
	}
	*id = nla_get_u32(info->attrs[FIBER_A_WATCH_ID]);
	return 0;
}

static void explain(struct genl_info *info, int err)
{
	if (err == -ENOENT)
		GENL_SET_ERR_MSG(info, "this socket has no watch with this id");
	else if (err == -EPERM)
		GENL_SET_ERR_MSG(info, "the process is the caller's no more");
}

int fiber_unwatch_doit(struct sk_buff *skb, struct genl_info *info)
{
	u32 id;
	int err;

	err = id_of(info, &id);
	if (err)
		return err;
	err = fiber_watch_del(skb, id);
	explain(info, err);
	return err;
}

static int reply_watch(struct sk_buff *skb, struct genl_info *info,
		       const struct fiber_caller *c, u32 id)
{
	struct put_watch to = { .caller = c };
	struct fiber_reply r;
	int err;

	err = fiber_reply_begin(&r, info);
	if (err)
		return err;
	to.skb = r.message;
	err = fiber_watch_read(skb, id, c, put_watch, &to);
	explain(info, err);
	return fiber_reply_send(&r, info, err);
}

int fiber_hist_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct fiber_caller caller;
	u32 id;
	int err;

	err = id_of(info, &id);
	if (err)
		return err;
	err = fiber_caller_get(&caller, NETLINK_CB(skb).sk);
	if (err)
		return err;
	err = reply_watch(skb, info, &caller, id);
	fiber_caller_put(&caller);
	return err;
}

struct watch_dump {
	struct fiber_refusal refusal;
	struct fiber_caller caller;
	u32 last; /* id */
};

static struct watch_dump *dump_of(struct netlink_callback *cb)
{
	return *(struct watch_dump **)cb->ctx;
}

/* Return: 0 told or left out, -EMSGSIZE when there is no room. */
static int dump_watch(struct sk_buff *skb, struct netlink_callback *cb,
		      const struct fiber_caller *c, u32 id)
{
	struct put_watch to = { .skb = skb, .caller = c };
	void *header;
	int err;

	header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
			     cb->nlh->nlmsg_seq, &fiber_family, NLM_F_MULTI,
			     FIBER_CMD_HIST_GET);
	if (!header)
		return -EMSGSIZE;
	err = fiber_watch_read(cb->skb, id, c, put_watch, &to);
	if (err)
		genlmsg_cancel(skb, header);
	else
		genlmsg_end(skb, header);
	return err == -EMSGSIZE ? err : 0;
}

int fiber_hist_get_done(struct netlink_callback *cb)
{
	struct watch_dump *d = dump_of(cb);

	fiber_caller_put(&d->caller);
	kfree(d);
	return 0;
}

int fiber_hist_get_start(struct netlink_callback *cb)
{
	struct watch_dump *d = kzalloc(sizeof(*d), GFP_KERNEL_ACCOUNT);
	int err;

	if (!d)
		return -ENOMEM;
	err = fiber_caller_get(&d->caller, NETLINK_CB(cb->skb).sk);
	if (err) {
		kfree(d);
		return err;
	}
	*(struct watch_dump **)cb->ctx = d;
	if (fiber_dump_attrs(cb)[FIBER_A_WATCH_ID])
		err = fiber_refuse_dump(
			cb, &d->refusal, -EINVAL,
			"a dump gives all watches of the socket; ask for one by do");
	if (err)
		fiber_hist_get_done(cb);
	return err;
}

int fiber_hist_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct watch_dump *d = dump_of(cb);
	int err = fiber_refused(cb, &d->refusal);
	u32 id;

	if (err)
		return err;
	while ((id = fiber_watch_next(cb->skb, d->last))) {
		err = dump_watch(skb, cb, &d->caller, id);
		if (err)
			return skb->len ?: err;
		d->last = id;
	}
	/* The end's mark travels with the last watch. */
	return 0;
}
