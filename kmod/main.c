// SPDX-License-Identifier: GPL-2.0-only
/*
 * fiber.ko: load and unload.
 *
 * The way out is the way in, upside down, with one step before it: subscribers
 * are told while the family still has its number. Then no request can come
 * (family), what was asked for ends (watches), nothing calls in from the
 * scheduler (probes), and what that had written down is dropped.
 */
#include <linux/init.h>
#include <linux/module.h>

#include "event.h"
#include "group.h"
#include "hist.h"
#include "netlink.h"
#include "hook.h"
#include "subscriber.h"
#include "watch.h"

static int __init fiber_init(void)
{
	int err;

	err = fiber_hist_init();
	if (err)
		return err;
	err = fiber_subscriber_init(fiber_event_send);
	if (err)
		return err;
	return fiber_netlink_init();
}

static void __exit fiber_exit(void)
{
	fiber_subscriber_close();
	fiber_netlink_exit();
	fiber_group_exit();
	fiber_watch_exit();
	fiber_hook_exit();
	fiber_subscriber_exit();
	fiber_hist_exit();
}

module_init(fiber_init);
module_exit(fiber_exit);

MODULE_AUTHOR("the fiber authors");
MODULE_DESCRIPTION(
	"Scheduling statistics of processes and threads over generic netlink, and the switch between threads");
MODULE_LICENSE("GPL");
MODULE_VERSION(FIBER_VERSION);
