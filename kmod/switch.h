/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _FIBER_SWITCH_H
#define _FIBER_SWITCH_H

#include <linux/ktime.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct file;
struct task_struct;

enum fiber_parker_state {
	/* It runs, or sleeps somewhere else. Next: any of the others. */
	FIBER_PARKER_AWAY,
	/* Resumed before it parked: the next park is over at once. Next: AWAY. */
	FIBER_PARKER_TOKEN,
	/* In fiber_park(), and nobody has resumed it. Next: TOKEN or AWAY. */
	FIBER_PARKER_PARKED,
};

/*
 * Where one thread parks. Only that thread goes to PARKED and AWAY; anybody
 * goes to TOKEN.
 */
struct fiber_parker {
	raw_spinlock_t lock; /* state, for writes */
	enum fiber_parker_state state;
	struct task_struct *task; /* the owner keeps it as long as this */

	/* Of a park on the way to user mode: the thread's own. */
	struct callback_head work;
	struct file *pending; /* a reference; NULL: none is queued */
	ktime_t until;
	bool called_off;
};

void fiber_parker_init(struct fiber_parker *p, struct task_struct *task);

int fiber_park(struct fiber_parker *p, ktime_t until);
int fiber_park_queue(struct fiber_parker *p, struct file *file, ktime_t until);
void fiber_park_call_off(struct fiber_parker *p);
bool fiber_park_is_queued(const struct fiber_parker *p);
void fiber_unpark(struct fiber_parker *p, bool then_park);

ktime_t fiber_deadline(s64 until_ns);

#endif /* _FIBER_SWITCH_H */
