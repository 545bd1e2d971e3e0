/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every difference between kernel versions, and the only file that asks for
 * one. Each entry names what changed upstream and when it can go.
 */
#ifndef _FIBER_COMPAT_H
#define _FIBER_COMPAT_H

#include <linux/version.h>
#include <linux/mm_types.h>
#include <linux/sched/coredump.h>
#include <linux/sched/signal.h>
#include <net/genetlink.h>

#ifndef CONFIG_64BIT
#error "fiber.ko reads the kernel's 64-bit counters without a lock: 64-bit only"
#endif

/* The attributes of a dump request, in its start(). */
static inline struct nlattr **fiber_dump_attrs(struct netlink_callback *cb)
{
	/* 6.6, "genetlink: use attrs from struct genl_info". */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	return genl_info_dump(cb)->attrs;
#else
	return (struct nlattr **)genl_dumpit_info(cb)->attrs;
#endif
}

/*
 * Does the process of @mm let others of its user look inside? Where a module
 * cannot read that, the answer is no.
 */
static inline bool fiber_mm_dumpable(struct mm_struct *mm)
{
	/* 6.18 made mm->flags a bitmap behind unexported accessors. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
	return __get_dumpable(READ_ONCE(mm->flags)) == SUID_DUMP_USER;
#else
	return false;
#endif
}

/*
 * Is a task that is being switched out still runnable? Only under its run-queue
 * lock.
 */
static inline bool fiber_task_is_runnable(const struct task_struct *p)
{
	/* 6.12, "sched/fair: Implement delayed dequeue". */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	return p->on_rq && !p->se.sched_delayed;
#else
	return p->on_rq;
#endif
}

/*
 * For default_wake_function(): the waker is about to sleep, and where the
 * kernel can be told so, the woken one had best run where the waker did. The
 * kernel keeps its WF_ flags in a private header, and warns about any that it
 * does not take.
 */
#define FIBER_WF_SYNC 0x10
/* 6.6, "sched: add a few helpers to wake up tasks on the current cpu". */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
#define FIBER_WAKE_HERE (FIBER_WF_SYNC | 0x40)
#else
#define FIBER_WAKE_HERE FIBER_WF_SYNC
#endif

/* 6.16, "exit: move and extend sched_process_exit() tracepoint". */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#define FIBER_EXIT_PROBE_ARGS void *data, struct task_struct *p, bool unused
#else
#define FIBER_EXIT_PROBE_ARGS void *data, struct task_struct *p
#endif

#endif /* _FIBER_COMPAT_H */
