/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _FIBER_HOOK_H
#define _FIBER_HOOK_H

#include <linux/list.h>
#include <linux/types.h>

struct tracepoint;

/* One tracepoint that a room may hook. Everything below @unhooked is hook.c's. */
struct fiber_hook {
	const char *name; /* of the tracepoint */
	u32 bit; /* enum fiber_probe of the uapi */
	void *function;
	void (*unhooked)(void); /* no call is under way any more; may sleep */

	struct list_head link;
	struct tracepoint *tracepoint; /* NULL: this kernel has none */
	unsigned int users;
	bool hooked;
};

void fiber_hook_exit(void);

void fiber_hook_add(struct fiber_hook *h);
bool fiber_hook_found(const struct fiber_hook *h);
int fiber_hook_get(struct fiber_hook *h);
void fiber_hook_put(struct fiber_hook *h);
u32 fiber_hooks_now(void);

#endif /* _FIBER_HOOK_H */
