// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who asks, and what they may see.
 *
 * MODEL. A request has two principals: whoever opened the socket and whoever
 * sent the message. Either may be the weaker one (a setuid program writes to a
 * socket it was handed; a service is tricked into passing on its socket), so
 * every rule here must hold for both.
 *
 * Two tiers. fiber_may_see() guards what /proc shows: the caller's own tasks,
 * or CAP_SYS_PTRACE in the task's user namespace. fiber_may_watch() guards
 * what /proc does not show: the same, and the process must be dumpable unless
 * the capability is held over its memory too; but a process may look at itself. What a security module would
 * add to ptrace's rule cannot be asked by a module.
 *
 * A dump goes on in later system calls, maybe of another task, and events are
 * sent from a worker, so nothing here looks at current but fiber_caller_get().
 *
 * CONTEXT. fiber_caller_get() may sleep. The rules may be called under RCU;
 * fiber_may_watch() takes task_lock.
 */
#include <linux/capability.h>
#include <linux/cgroup.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/nsproxy.h>
#include <linux/pid_namespace.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/time_namespace.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>
#include <net/sock.h>

#include "caller.h"
#include "compat.h"

/*
 * The capability of somebody who is not current, asked through the front door
 * so that security modules are heard.
 */
static bool can_ptrace(const struct cred *who, struct user_namespace *ns)
{
	const struct cred *old = override_creds(who);
	bool yes = ns_capable_noaudit(ns, CAP_SYS_PTRACE);

	revert_creds(old);
	return yes;
}

static bool both_can_ptrace(const struct fiber_caller *c,
			    struct user_namespace *ns)
{
	return can_ptrace(c->sender, ns) && can_ptrace(c->opener, ns);
}

/* All three ids of each kind, as ptrace asks: a setuid program is not ours. */
static bool owns(const struct cred *who, const struct cred *target)
{
	return uid_eq(who->fsuid, target->euid) &&
	       uid_eq(who->fsuid, target->suid) &&
	       uid_eq(who->fsuid, target->uid) &&
	       gid_eq(who->fsgid, target->egid) &&
	       gid_eq(who->fsgid, target->sgid) &&
	       gid_eq(who->fsgid, target->gid);
}

static bool both_own(const struct fiber_caller *c, const struct cred *target)
{
	return owns(c->sender, target) && owns(c->opener, target);
}

/* Only the initial namespace knows what a cgroup id of the machine means. */
static bool in_initial_cgroup_ns(void)
{
#ifdef CONFIG_CGROUPS
	return current->nsproxy->cgroup_ns == init_task.nsproxy->cgroup_ns;
#else
	return false;
#endif
}

/**
 * fiber_caller_get - take down who sends the request being handled
 * @c: to fill; only a success must be given to fiber_caller_put()
 * @sk: the socket it came from
 *
 * Context: the sender's, in doit or in a dump's start.
 * Return: 0, or -EPERM for a socket without an opener.
 */
int fiber_caller_get(struct fiber_caller *c, struct sock *sk)
{
	struct file *file = sk->sk_socket ? sk->sk_socket->file : NULL;

	if (!file)
		return -EPERM;
	c->opener = get_cred(file->f_cred);
	c->sender = get_current_cred();
	c->tgid = get_pid(task_tgid(current));
	c->pid_ns = get_pid_ns(task_active_pid_ns(current));
	c->boottime_offset = timens_add_boottime_ns(0);
	c->sees_all = both_can_ptrace(c, &init_user_ns);
	c->sees_cgroups = in_initial_cgroup_ns();
	return 0;
}

/**
 * fiber_caller_put - drop what fiber_caller_get() took
 * @c: the caller
 */
void fiber_caller_put(struct fiber_caller *c)
{
	put_pid_ns(c->pid_ns);
	put_pid(c->tgid);
	put_cred(c->sender);
	put_cred(c->opener);
}

/**
 * fiber_caller_opened - is the sender's user also the opener's?
 * @c: the caller
 *
 * For what is done to the sender rather than told to it.
 */
bool fiber_caller_opened(const struct fiber_caller *c)
{
	return uid_eq(c->opener->euid, c->sender->euid);
}

/**
 * fiber_may_see - may the caller see what /proc shows of a task?
 * @c: the caller
 * @target: the task's objective credentials
 */
bool fiber_may_see(const struct fiber_caller *c, const struct cred *target)
{
	return c->sees_all || both_own(c, target) ||
	       both_can_ptrace(c, target->user_ns);
}

/*
 * A process that looks at itself through a socket which it opened with the
 * credentials that it still has: nobody else reads the answer.
 */
static bool is_self(const struct fiber_caller *c, struct task_struct *task)
{
	return c->opener == c->sender && c->tgid == task_tgid(task);
}

/* A task without memory has nothing left to protect that /proc would hide. */
static bool open_to(const struct fiber_caller *c, struct task_struct *task)
{
	bool open = true;

	task_lock(task);
	if (task->mm)
		open = fiber_mm_dumpable(task->mm) ||
		       both_can_ptrace(c, task->mm->user_ns);
	task_unlock(task);
	return open;
}

/**
 * fiber_may_watch - may the caller see more of a process than /proc shows?
 * @c: the caller
 * @task: a task of the process, which the caller keeps alive
 *
 * Ask again at each read: the process may have changed its credentials since.
 */
bool fiber_may_watch(const struct fiber_caller *c, struct task_struct *task)
{
	bool sees;

	if (c->sees_all || is_self(c, task))
		return true;
	rcu_read_lock();
	sees = fiber_may_see(c, __task_cred(task));
	rcu_read_unlock();
	return sees && open_to(c, task);
}

/**
 * fiber_caller_uid - a task's effective user as the caller numbers users
 * @c: the caller
 * @target: the task's objective credentials
 */
u32 fiber_caller_uid(const struct fiber_caller *c, const struct cred *target)
{
	return from_kuid_munged(c->sender->user_ns, target->euid);
}
