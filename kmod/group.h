/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _FIBER_GROUP_H
#define _FIBER_GROUP_H

#include <linux/types.h>

struct fiber_switch;
struct file;
struct netlink_ext_ack;

/* A process wants one; each is a file and some hundred bytes. */
#define FIBER_GROUPS_USER_MAX 256
/* Each keeps the task of a thread that may have ended, some 12 KiB. */
#define FIBER_MEMBERS_USER_MAX 16384

void fiber_group_exit(void);

struct file *fiber_group_new(u32 *id, struct netlink_ext_ack *extack);
int fiber_group_switch(u32 fd, const struct fiber_switch *s);

u32 fiber_groups_now(void);
u32 fiber_groups_user_max(void);
u32 fiber_members_now(void);
u32 fiber_members_user_max(void);

#endif /* _FIBER_GROUP_H */
