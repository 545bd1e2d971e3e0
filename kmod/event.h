/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _FIBER_EVENT_H
#define _FIBER_EVENT_H

#include <linux/fiber.h>
#include <linux/types.h>

struct cred;
struct pid;

/* What happened, as the probe wrote it down. Holds references. */
struct fiber_event {
	enum fiber_event_type type;
	u32 exit_code; /* of the thread */
	u32 group_exit_code; /* of the process */
	u64 time_ns; /* CLOCK_BOOTTIME */
	const struct cred *cred; /* objective, of the task */
	struct pid *tgid;
	struct pid *tid;
	struct pid *parent; /* process id of the parent, or NULL */
	char comm[FIBER_COMM_LEN];
	struct fiber_process_stats process; /* filled on exit */
	struct fiber_thread_stats thread; /* filled on exits */
};

int fiber_event_init(void (*arrived)(void));
void fiber_event_exit(void);
bool fiber_event_available(void);

int fiber_event_start(void);
void fiber_event_stop(void);
bool fiber_event_take(struct fiber_event *e);
void fiber_event_release(struct fiber_event *e);
u64 fiber_events_lost(void);

#endif /* _FIBER_EVENT_H */
