// SPDX-License-Identifier: GPL-2.0-only
/*
 * Park a thread, and resume it: the two halves of a switch.
 *
 * MODEL. A thread parks in its parker until somebody resumes it. The two
 * commute: a resume that comes first leaves a token, which the next park takes
 * instead of sleeping. There is one token, however many resumes left it.
 *
 * A switch is fiber_unpark(target) and then fiber_park(self), and the two need
 * not be one step: a resume that comes in between leaves its token.
 *
 * INVARIANTS.
 *  - A park that returns 0 has taken the token of at least one resume, and one
 *    that returns anything else has taken none: no resume is lost.
 *  - A thread is woken only while it is inside fiber_park(), never out of a
 *    sleep of its own elsewhere. Hence the wake is under the lock: without it,
 *    the thread could see the token, return, and be asleep in a read(2) by the
 *    time that it is woken.
 *  - Nothing depends on what the wake function returns: a frozen thread is not
 *    woken, and finds the token when it thaws.
 *
 * LOCKING. p->lock guards p->state. It is raw and a leaf but for what the wake
 * takes in it (the thread's pi_lock, a run queue's lock). Two parkers are never
 * locked at once.
 *
 * CONTEXT. Process; fiber_unpark() may be called under RCU. Not from an
 * interrupt: the lock is taken without disabling them.
 *
 * NOT DONE. No restart block: its function pointer stays in the task, for
 * restart_syscall(2) to call, when the module may be gone. Not yield_to(): a
 * hint to one scheduling class. Preemption between the wake and the sleep is
 * not prevented: what that takes is not exported, and it costs one switch.
 */
#include <linux/file.h>
#include <linux/freezer.h>
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/nsproxy.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/task_work.h>
#include <linux/time_namespace.h>
#include <linux/wait.h>
#include <asm/syscall.h>

#include "compat.h"
#include "switch.h"

/**
 * fiber_parker_init - make a parker
 * @p: the parker
 * @task: whose; the owner of @p holds a reference
 */
void fiber_parker_init(struct fiber_parker *p, struct task_struct *task)
{
	raw_spin_lock_init(&p->lock);
	p->state = FIBER_PARKER_AWAY;
	p->task = task;
	p->pending = NULL;
}

/* Take the token, or be parked. Return: whether there was a token. */
static bool enter(struct fiber_parker *p)
{
	bool token;

	raw_spin_lock(&p->lock);
	token = p->state == FIBER_PARKER_TOKEN;
	WRITE_ONCE(p->state, token ? FIBER_PARKER_AWAY : FIBER_PARKER_PARKED);
	raw_spin_unlock(&p->lock);
	return token;
}

/*
 * Be parked no more. A token that came wins over any other reason to leave. The
 * lock also waits for the end of the wake, if one is under way.
 */
static int leave(struct fiber_parker *p, int err)
{
	raw_spin_lock(&p->lock);
	if (p->state == FIBER_PARKER_TOKEN)
		err = 0;
	WRITE_ONCE(p->state, FIBER_PARKER_AWAY);
	raw_spin_unlock(&p->lock);
	return err;
}

/* Sleep until there is a reason to leave; 0: it may be the token. */
static int sleep_parked(const struct fiber_parker *p, ktime_t *until)
{
	bool late = false;

	for (;;) {
		/* The barrier pairs with that of the wake in fiber_unpark(). */
		set_current_state(TASK_INTERRUPTIBLE | TASK_FREEZABLE);
		if (READ_ONCE(p->state) != FIBER_PARKER_PARKED)
			return 0;
		if (signal_pending(current))
			return -ERESTARTNOHAND;
		if (late)
			return -ETIMEDOUT;
		late = !schedule_hrtimeout_range(until, current->timer_slack_ns,
						 HRTIMER_MODE_ABS);
	}
}

/**
 * fiber_park - sleep until resumed
 * @p: the caller's own parker
 * @until: from fiber_deadline()
 *
 * With a token, takes it and does not sleep, whatever the deadline and the
 * signals. A signal includes a stop, a freeze by cgroup and a tracer: the
 * caller decides whether the system call is run again.
 *
 * Context: may sleep; freezable. The caller holds nothing.
 * Return: 0 when resumed, -ETIMEDOUT, or -ERESTARTNOHAND for a signal.
 */
int fiber_park(struct fiber_parker *p, ktime_t until)
{
	int err;

	if (enter(p))
		return 0;
	err = sleep_parked(p, until == KTIME_MAX ? NULL : &until);
	__set_current_state(TASK_RUNNING);
	return leave(p, err);
}

/*
 * A queued park: the thread is on its way to user mode, or to its end, and
 * holds nothing. There is no request to run again, so a signal is always told.
 *
 * The file's last reference may be this one. fput() then leaves the rest to a
 * task work of its own, which runs after this function has returned: the kernel
 * drops the module from there.
 */
static void park_queued(struct callback_head *work)
{
	struct fiber_parker *p = container_of(work, struct fiber_parker, work);
	struct file *file = p->pending;
	int err = 0;

	if (!p->called_off && !(current->flags & PF_EXITING))
		err = fiber_park(p, p->until);
	if (err == -ERESTARTNOHAND)
		err = -EINTR;
	if (err)
		syscall_set_return_value(current, task_pt_regs(current), err,
					 0);
	/* The last use of p; pairs with fiber_park_is_queued(). */
	smp_store_release(&p->pending, NULL);
	fput(file);
}

/**
 * fiber_park_queue - park on the way to user mode
 * @p: the caller's own parker
 * @file: what keeps @p; its reference is taken over, but not on failure
 * @until: from fiber_deadline()
 *
 * What ends the park is told by what the system call returns: an error of the
 * park replaces what it would have returned.
 *
 * Context: a system call of the native table; sleeps not.
 * Return: 0, -EBUSY when one is queued, -ESRCH when the caller is exiting.
 */
int fiber_park_queue(struct fiber_parker *p, struct file *file, ktime_t until)
{
	int err;

	if (p->pending)
		return -EBUSY;
	p->until = until;
	p->called_off = false;
	init_task_work(&p->work, park_queued);
	WRITE_ONCE(p->pending, file);
	err = task_work_add(current, &p->work, TWA_RESUME);
	if (err)
		WRITE_ONCE(p->pending, NULL);
	return err;
}

/**
 * fiber_park_call_off - have a queued park do nothing
 * @p: the caller's own parker, in the call that queued it
 *
 * It cannot be taken back: task_work_cancel() is not exported.
 */
void fiber_park_call_off(struct fiber_parker *p)
{
	p->called_off = true;
}

/**
 * fiber_park_is_queued - may a queued park still use the parker?
 * @p: anybody's parker
 */
bool fiber_park_is_queued(const struct fiber_parker *p)
{
	return smp_load_acquire(&p->pending);
}

/**
 * fiber_unpark - resume a thread, now or when it parks
 * @p: its parker, which the caller keeps alive
 * @then_park: the caller parks next: the thread had best run on this CPU
 *
 * Context: process, RCU; sleeps not.
 */
void fiber_unpark(struct fiber_parker *p, bool then_park)
{
	struct wait_queue_entry wake = { .private = p->task };
	bool parked;

	raw_spin_lock(&p->lock);
	parked = p->state == FIBER_PARKER_PARKED;
	WRITE_ONCE(p->state, FIBER_PARKER_TOKEN);
	/* Orders the token before the look at the thread's state; see above. */
	if (parked)
		default_wake_function(&wake, TASK_INTERRUPTIBLE,
				      then_park ? FIBER_WAKE_HERE : 0, NULL);
	raw_spin_unlock(&p->lock);
}

/**
 * fiber_deadline - a deadline as the kernel counts
 * @until_ns: CLOCK_MONOTONIC as the caller's time namespace sees it; S64_MAX
 *            for none
 *
 * Context: process, not exiting.
 * Return: the time for fiber_park(); KTIME_MAX for no deadline. What the
 * kernel has for this is not exported.
 */
ktime_t fiber_deadline(s64 until_ns)
{
	struct timespec64 offset = { 0 };
	s64 host;

	if (until_ns == S64_MAX)
		return KTIME_MAX;
	timens_add_monotonic(&offset);
	if (check_sub_overflow(until_ns, timespec64_to_ns(&offset), &host))
		return until_ns < 0 ? 0 : KTIME_MAX;
	/* A time of 0 is one that has passed. */
	return max_t(s64, host, 0);
}
