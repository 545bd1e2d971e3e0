/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _FIBER_HIST_H
#define _FIBER_HIST_H

#include <linux/fiber.h>
#include <linux/list.h>
#include <linux/types.h>

struct signal_struct;

#define FIBER_HIST_KINDS (FIBER_HIST_KIND_PREEMPTED + 1)

struct fiber_hist {
	u64 count;
	u64 sum_ns;
	u64 max_ns;
	u64 buckets[FIBER_HIST_BUCKETS];
};

/* What one CPU has counted. Only that CPU writes, with interrupts off. */
struct fiber_counts {
	struct fiber_hist hist[FIBER_HIST_KINDS];
	u64 lost;
};

/* One set of histograms under way. Constant between start and stop. */
struct fiber_meter {
	struct hlist_node link; /* RCU */
	struct signal_struct *process; /* kept alive; NULL: whole system */
	u32 kinds; /* enum fiber_hist_mask */
	struct fiber_counts __percpu *counts;
};

int fiber_hist_init(void);
void fiber_hist_exit(void);
bool fiber_hist_available(void);

int fiber_meter_start(struct fiber_meter *m);
void fiber_meter_stop(struct fiber_meter *m);
void fiber_meter_release(struct fiber_meter *m);
void fiber_meter_read(const struct fiber_meter *m, enum fiber_hist_kind kind,
		      struct fiber_hist *sum);
u64 fiber_meter_lost(const struct fiber_meter *m);

#endif /* _FIBER_HIST_H */
