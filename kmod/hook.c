// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tracepoints: found by name, hooked while somebody uses them.
 *
 * MODEL. The scheduler's tracepoints are not exported, but the list of all
 * tracepoints is. A probe is hooked by its first user and unhooked within LINGER
 * of the last one's going. The delay is there because hooking patches kernel text
 * on every CPU, and who may watch is not always who may stop the machine: an
 * unprivileged user can have it patched at most once per LINGER.
 *
 * INVARIANT. While h->users, h->hooked.
 *
 * LOCKING. hook_lock guards all fields but the constant ones. Hooking takes
 * the kernel's tracepoints_mutex and text_mutex inside it, and may wait for a
 * grace period. Nothing that a probe runs takes hook_lock.
 */
#include <linux/fiber.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include <linux/workqueue.h>

#include "hook.h"

#define LINGER HZ

static DEFINE_MUTEX(hook_lock);
static LIST_HEAD(hooks);

static void unhook_idle(struct work_struct *work);
static DECLARE_DELAYED_WORK(unhook_work, unhook_idle);

static void match(struct tracepoint *tp, void *data)
{
	struct fiber_hook *h = data;

	if (!strcmp(tp->name, h->name))
		h->tracepoint = tp;
}

/**
 * fiber_hook_add - look for a probe's tracepoint
 * @h: the probe, which stays where it is
 *
 * Context: module init.
 */
void __init fiber_hook_add(struct fiber_hook *h)
{
	for_each_kernel_tracepoint(match, h);
	list_add_tail(&h->link, &hooks);
}

/**
 * fiber_hook_found - has the running kernel the tracepoint?
 * @h: the probe
 */
bool fiber_hook_found(const struct fiber_hook *h)
{
	return h->tracepoint;
}

static int hook(struct fiber_hook *h)
{
	int err;

	if (h->hooked)
		return 0;
	err = tracepoint_probe_register(h->tracepoint, h->function, NULL);
	WRITE_ONCE(h->hooked, !err);
	return err;
}

/**
 * fiber_hook_get - become a user of a probe
 * @h: the probe
 *
 * Context: process; may sleep.
 * Return: 0, -EOPNOTSUPP when the kernel has no such tracepoint, or -ENOMEM.
 */
int fiber_hook_get(struct fiber_hook *h)
{
	int err;

	if (!h->tracepoint)
		return -EOPNOTSUPP;
	mutex_lock(&hook_lock);
	err = hook(h);
	if (!err)
		h->users++;
	mutex_unlock(&hook_lock);
	return err;
}

/**
 * fiber_hook_put - be a user of a probe no more
 * @h: the probe; its function may still be called for a while
 *
 * Context: process; may sleep, but waits for nobody.
 */
void fiber_hook_put(struct fiber_hook *h)
{
	mutex_lock(&hook_lock);
	h->users--;
	if (!h->users)
		schedule_delayed_work(&unhook_work, LINGER);
	mutex_unlock(&hook_lock);
}

/**
 * fiber_hooks_now - the tracepoints hooked at this moment
 *
 * Return: a set of enum fiber_probe bits.
 */
u32 fiber_hooks_now(void)
{
	struct fiber_hook *h;
	u32 hooked = 0;

	/* The list never changes after init; unhooking may hold the lock long. */
	list_for_each_entry(h, &hooks, link)
		if (READ_ONCE(h->hooked))
			hooked |= h->bit;
	return hooked;
}

/*
 * A probe that cannot be unhooked for want of memory is replaced by the kernel
 * with a stub, so it counts as unhooked all the same.
 */
static void unhook_idle(struct work_struct *work)
{
	struct fiber_hook *h;
	u32 gone = 0;

	mutex_lock(&hook_lock);
	list_for_each_entry(h, &hooks, link) {
		if (!h->hooked || h->users)
			continue;
		tracepoint_probe_unregister(h->tracepoint, h->function, NULL);
		WRITE_ONCE(h->hooked, false);
		gone |= h->bit;
	}
	/* Whatever ran the functions has left them after this. */
	if (gone)
		tracepoint_synchronize_unregister();
	list_for_each_entry(h, &hooks, link)
		if (gone & h->bit && h->unhooked)
			h->unhooked();
	mutex_unlock(&hook_lock);
}

/* No user is left: the rooms that had them have gone before. */
void fiber_hook_exit(void)
{
	cancel_delayed_work_sync(&unhook_work);
	unhook_idle(NULL);
}
