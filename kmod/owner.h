/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A socket that owns something: a watch or a subscription.
 *
 * A port id alone does not name a socket: a socket that is being closed has
 * given up its port before its end is announced, and the next one may have
 * taken it. So an owner keeps the socket itself, which also keeps its network
 * namespace.
 */
#ifndef _FIBER_OWNER_H
#define _FIBER_OWNER_H

#include <linux/cred.h>
#include <linux/netlink.h>
#include <net/genetlink.h>
#include <net/sock.h>

struct fiber_owner {
	struct sock *sk; /* a reference */
	u32 portid;
	kuid_t uid; /* for the limit of one user */
};

static inline void fiber_owner_init(struct fiber_owner *o,
				    const struct sk_buff *request)
{
	o->sk = NETLINK_CB(request).sk;
	o->portid = NETLINK_CB(request).portid;
	o->uid = current_uid();
	sock_hold(o->sk);
}

static inline void fiber_owner_exit(struct fiber_owner *o)
{
	sock_put(o->sk);
}

static inline bool fiber_owner_is(const struct fiber_owner *o,
				  const struct sk_buff *request)
{
	return o->sk == NETLINK_CB(request).sk;
}

/* Is it this one whose end is announced? */
static inline bool fiber_owner_gone(const struct fiber_owner *o,
				    const struct net *net, u32 portid)
{
	return o->portid == portid && sock_net(o->sk) == net &&
	       sock_flag(o->sk, SOCK_DEAD);
}

#endif /* _FIBER_OWNER_H */
