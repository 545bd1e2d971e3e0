/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _FIBER_STATS_H
#define _FIBER_STATS_H

#include <linux/fiber.h>
#include <linux/types.h>

struct fiber_caller;
struct cred;
struct pid;
struct task_struct;

/* The numbers of a record that depend on who reads it. */
struct fiber_view {
	const struct fiber_caller *caller;
	const struct cred *cred; /* objective, of the task */
	struct pid *tgid; /* of its process */
	struct pid *tid; /* of the thread; of the leader */
	struct pid *parent; /* process id of the parent, or NULL */
};

void fiber_thread_fill(struct fiber_thread_stats *s, struct task_struct *p);
void fiber_process_fill(struct fiber_process_stats *s, struct task_struct *p,
			bool may_lock);
bool fiber_schedstats_fill(struct fiber_schedstats *s, struct task_struct *p);

void fiber_thread_view(struct fiber_thread_stats *s,
		       const struct fiber_view *v);
void fiber_process_view(struct fiber_process_stats *s,
			const struct fiber_view *v);

#endif /* _FIBER_STATS_H */
