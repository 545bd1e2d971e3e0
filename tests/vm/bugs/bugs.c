// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module with bugs: does the debug kernel find them, and the harness hear of it?
 *
 * `insmod bugs.ko kind=NAME` makes one mistake, harmless to what runs after. But lockdep switches
 * itself off once it, or KASAN, has found something: lock_order and use_after_free come last.
 */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

static char *kind = "";
module_param(kind, charp, 0);

static DEFINE_SPINLOCK(lock);
static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);
static int __rcu *shared;

static void use_after_free(void)
{
	int *p = kmalloc(64, GFP_KERNEL);

	kfree(p);
	OPTIMIZER_HIDE_VAR(p);
	pr_info("bugs: %d\n", READ_ONCE(*p));
}

static void shift_too_far(void)
{
	int by = 40;

	OPTIMIZER_HIDE_VAR(by);
	pr_info("bugs: %d\n", 1 << by);
}

static void sleep_in_atomic(void)
{
	spin_lock(&lock);
	might_sleep();
	spin_unlock(&lock);
}

static void read_without_rcu(void)
{
	pr_info("bugs: %p\n", rcu_dereference(shared));
}

static void fire(struct timer_list *timer)
{
}

static void free_active_timer(void)
{
	struct timer_list *timer = kmalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return;
	timer_setup(timer, fire, 0);
	mod_timer(timer, jiffies + 1000 * HZ);
	kfree(timer);
}

static void forget_memory(void)
{
	void *p = kmalloc(100, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(p);
}

static void lock_order(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);
	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

static const struct {
	const char *kind;
	void (*make)(void);
} bugs[] = {
	{ "use_after_free", use_after_free },
	{ "shift_too_far", shift_too_far },
	{ "sleep_in_atomic", sleep_in_atomic },
	{ "read_without_rcu", read_without_rcu },
	{ "free_active_timer", free_active_timer },
	{ "forget_memory", forget_memory },
	{ "lock_order", lock_order },
};

static int __init bugs_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(bugs); i++) {
		if (!strcmp(bugs[i].kind, kind)) {
			bugs[i].make();
			return 0;
		}
	}
	return -EINVAL;
}

static void __exit bugs_exit(void)
{
}

module_init(bugs_init);
module_exit(bugs_exit);
MODULE_DESCRIPTION("Bugs, for the checkers of a debug kernel to find");
MODULE_LICENSE("GPL");
