/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _FIBER_WATCH_H
#define _FIBER_WATCH_H

#include <linux/types.h>

#include "hist.h"
#include "owner.h"

struct fiber_caller;
struct netlink_ext_ack;
struct pid;
struct task_struct;

/* Each has 2 KiB a CPU, and costs every context switch it is about. */
#define FIBER_WATCHES_MAX 64
#define FIBER_WATCHES_USER_MAX 16

/* The histograms that one socket has asked for. */
struct fiber_watch {
	struct list_head link; /* watch_lock */
	struct fiber_owner owner;
	u32 id; /* 0: being made */
	u64 began_ns; /* CLOCK_MONOTONIC */
	struct pid *pid; /* a reference; NULL: whole system */
	struct task_struct *task; /* a reference; keeps meter.process */
	struct fiber_meter meter;
};

void fiber_watch_exit(void);

int fiber_watch_add(const struct sk_buff *request, const struct fiber_caller *c,
		    u32 pid, u32 kinds, struct netlink_ext_ack *extack);
int fiber_watch_del(const struct sk_buff *request, u32 id);
void fiber_watch_socket_gone(const struct net *net, u32 portid);

int fiber_watch_read(const struct sk_buff *request, u32 id,
		     const struct fiber_caller *c,
		     int (*put)(const struct fiber_watch *w, void *arg),
		     void *arg);
u32 fiber_watch_next(const struct sk_buff *request, u32 id);
bool fiber_watch_ended(const struct fiber_watch *w);
u32 fiber_watches_now(void);

#endif /* _FIBER_WATCH_H */
