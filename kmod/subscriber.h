/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _FIBER_SUBSCRIBER_H
#define _FIBER_SUBSCRIBER_H

#include <linux/types.h>

#include "caller.h"
#include "owner.h"

struct fiber_event;
struct netlink_ext_ack;
struct pid;

/* Each may cost a message for every fork, exec and exit. */
#define FIBER_SUBSCRIBERS_MAX 64
#define FIBER_SUBSCRIBERS_USER_MAX 16

/* A socket that has asked for events, and which. */
struct fiber_subscriber {
	struct list_head link; /* subscribers_lock */
	struct fiber_owner owner;
	struct fiber_caller caller; /* whose rights and namespaces */
	u32 types; /* enum fiber_event_mask */
	struct pid *pid; /* a reference; NULL: any */
	bool by_uid;
	u32 uid;
	u64 since_ns; /* CLOCK_BOOTTIME; what happened before is not told */
	u64 dropped; /* the socket was full */
	u64 lost_before; /* fiber_events_lost() at the start */
};

/* Send @e, or the end when it is NULL. Returns 0 or -errno. */
typedef int fiber_send_fn(const struct fiber_subscriber *s,
			  const struct fiber_event *e, u64 dropped);

int fiber_subscriber_init(fiber_send_fn *send);
void fiber_subscriber_close(void);
void fiber_subscriber_exit(void);

int fiber_subscriber_add(const struct sk_buff *request,
			 struct fiber_subscriber *s,
			 struct netlink_ext_ack *extack);
int fiber_subscriber_del(const struct sk_buff *request);
void fiber_subscriber_free(struct fiber_subscriber *s);
void fiber_subscriber_socket_gone(const struct net *net, u32 portid);
u32 fiber_subscribers_now(void);

#endif /* _FIBER_SUBSCRIBER_H */
