/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _FIBER_NETLINK_H
#define _FIBER_NETLINK_H

#include <linux/netlink.h>

struct fiber_event;
struct fiber_subscriber;
struct genl_family;
struct genl_info;
struct sk_buff;

extern struct genl_family fiber_family;

int fiber_netlink_init(void);
void fiber_netlink_exit(void);

/* A reply under way; message is NULL when there was no memory. */
struct fiber_reply {
	struct sk_buff *message;
	void *header;
};

int fiber_reply_begin(struct fiber_reply *r, struct genl_info *info);
int fiber_reply_send(struct fiber_reply *r, struct genl_info *info, int err);

/* A dump that start() would have refused, had it been able to say why. */
struct fiber_refusal {
	int err;
	const char *why;
};

int fiber_refuse_dump(struct netlink_callback *cb, struct fiber_refusal *r,
		      int err, const char *why);
int fiber_refused(struct netlink_callback *cb, const struct fiber_refusal *r);

/* netlink-task.c */
int fiber_process_get_doit(struct sk_buff *skb, struct genl_info *info);
int fiber_thread_get_doit(struct sk_buff *skb, struct genl_info *info);
int fiber_process_get_start(struct netlink_callback *cb);
int fiber_thread_get_start(struct netlink_callback *cb);
int fiber_process_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int fiber_thread_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int fiber_task_dump_done(struct netlink_callback *cb);

/* netlink-watch.c */
int fiber_watch_doit(struct sk_buff *skb, struct genl_info *info);
int fiber_unwatch_doit(struct sk_buff *skb, struct genl_info *info);
int fiber_hist_get_doit(struct sk_buff *skb, struct genl_info *info);
int fiber_hist_get_start(struct netlink_callback *cb);
int fiber_hist_get_done(struct netlink_callback *cb);
int fiber_hist_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);

/* netlink-event.c */
int fiber_subscribe_doit(struct sk_buff *skb, struct genl_info *info);
int fiber_unsubscribe_doit(struct sk_buff *skb, struct genl_info *info);
int fiber_event_send(const struct fiber_subscriber *s,
		     const struct fiber_event *e, u64 dropped);

/* netlink-group.c */
int fiber_group_create_doit(struct sk_buff *skb, struct genl_info *info);
int fiber_switch_doit(struct sk_buff *skb, struct genl_info *info);

#endif /* _FIBER_NETLINK_H */
