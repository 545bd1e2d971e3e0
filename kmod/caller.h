/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _FIBER_CALLER_H
#define _FIBER_CALLER_H

#include <linux/types.h>

struct cred;
struct genl_info;
struct pid;
struct pid_namespace;
struct sk_buff;
struct sock;
struct task_struct;

/* Who asks: taken when the request arrives, valid until fiber_caller_put(). */
struct fiber_caller {
	const struct cred *opener; /* of the socket; a reference */
	const struct cred *sender; /* of the request; a reference */
	struct pid *tgid; /* of the sender; a reference */
	struct pid_namespace *pid_ns; /* of the sender; a reference */
	s64 boottime_offset; /* of the sender's time namespace */
	bool sees_all; /* both hold CAP_SYS_PTRACE in init */
	bool sees_cgroups; /* the sender is in the initial one */
};

int fiber_caller_get(struct fiber_caller *c, struct sock *sk);
void fiber_caller_put(struct fiber_caller *c);

bool fiber_may_see(const struct fiber_caller *c, const struct cred *target);
bool fiber_caller_opened(const struct fiber_caller *c);
bool fiber_may_watch(const struct fiber_caller *c, struct task_struct *task);

u32 fiber_caller_uid(const struct fiber_caller *c, const struct cred *target);

#endif /* _FIBER_CALLER_H */
