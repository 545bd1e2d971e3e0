// SPDX-License-Identifier: GPL-2.0-only
/*
 * Groups: threads of one process that switch to each other.
 *
 * MODEL. A group is a file. Its members are the threads that attached
 * themselves, known by handles. A thread is a member of at most one group.
 *
 * LIFETIME. The group ends with its file, and the file holds the module (its
 * operations have an owner, and the kernel drops that after release() has
 * returned). Whoever is in an ioctl, a park included, holds the file, and so
 * does a park that a netlink request has queued: so while anybody uses the
 * group, it is there, and so is this code. Closing the
 * descriptor under a parked thread is safe and wakes nobody.
 *
 * A member ends by detach, or with its group. A thread that ends tells us
 * nothing (the kernel exports no hook that would be called for one thread only),
 * so its member stays until a sweep finds it. That is safe because a member
 * keeps its task: the address, by which a thread is found, cannot become another
 * thread's; and a resume looks whether the thread is exiting. Sweeps are at
 * attach: when there are twice the members that the last one left, so that they
 * cost little for each attach, and when the user is at the limit.
 *
 * FORK AND EXEC. A group belongs to a memory and a thread group. A child has
 * the descriptor but neither, and is refused. After exec the thread group is the
 * same, but not the memory; the thread's old member is dropped when it attaches
 * to a group of the new program. Exec by a thread that is not the leader changes
 * its number, but not its task.
 *
 * LOCKING. group_lock guards everything that is written here, but for what
 * switch.c does in a parker. Readers of a group's handles and of the table of
 * members are under RCU; members are freed after a grace period. A thread may
 * use its own member without either: only a detach by itself, or the end of
 * the group's file, could take it away.
 *
 * CONTEXT. Process, throughout.
 */
#include <linux/anon_inodes.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/fiber_group.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hashtable.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/netlink.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/xarray.h>

#include "group.h"
#include "switch.h"

#define MEMBERS_HASH_BITS 12
#define SWEEP_MIN 16

/* What one user has. */
struct account {
	struct list_head link;
	kuid_t uid;
	unsigned int groups, members;
};

struct group {
	u32 id;
	struct account *account;
	struct mm_struct *mm; /* mmgrab()bed: only its address is of use */
	struct pid *tgid; /* a reference */
	struct xarray members; /* by handle; written under group_lock */
	u32 next_handle;
	unsigned int members_n;
	unsigned int sweep_at; /* so many members */
};

/* One thread of a group. Constant but for the parker. */
struct member {
	struct group *group;
	u32 handle;
	struct fiber_parker parker; /* keeps a reference to the task */
	struct hlist_node node; /* in members_by_task */
	struct rcu_head rcu;
};

static DEFINE_MUTEX(group_lock);
static LIST_HEAD(accounts);
static DEFINE_XARRAY_FLAGS(groups, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
static u32 next_id;
static u32 groups_n;
static u32 members_n;
static DEFINE_HASHTABLE(members_by_task, MEMBERS_HASH_BITS);

static unsigned int groups_user_max = FIBER_GROUPS_USER_MAX;
module_param(groups_user_max, uint, 0644);
MODULE_PARM_DESC(groups_user_max, "Groups that one user may have");

static unsigned int members_user_max = FIBER_MEMBERS_USER_MAX;
module_param(members_user_max, uint, 0644);
MODULE_PARM_DESC(members_user_max,
		 "Threads that one user may have attached to groups");

/* ---- accounts ---- */

static struct account *account_get(kuid_t uid)
{
	struct account *a;

	lockdep_assert_held(&group_lock);
	list_for_each_entry(a, &accounts, link)
		if (uid_eq(a->uid, uid))
			return a;
	a = kzalloc(sizeof(*a), GFP_KERNEL_ACCOUNT);
	if (!a)
		return NULL;
	a->uid = uid;
	list_add(&a->link, &accounts);
	return a;
}

/* Forget a user who has nothing left. */
static void account_put(struct account *a)
{
	lockdep_assert_held(&group_lock);
	if (a->groups)
		return;
	WARN_ON_ONCE(a->members);
	list_del(&a->link);
	kfree(a);
}

/* ---- members ---- */

static struct member *member_new(struct group *g)
{
	struct member *m = kzalloc(sizeof(*m), GFP_KERNEL_ACCOUNT);

	if (!m)
		return NULL;
	m->group = g;
	fiber_parker_init(&m->parker, get_task_struct(current));
	return m;
}

static void member_free(struct member *m)
{
	put_task_struct(m->parker.task);
	kfree(m);
}

static void member_free_rcu(struct rcu_head *rcu)
{
	member_free(container_of(rcu, struct member, rcu));
}

/*
 * The member that a thread is, of whatever group. Under RCU or group_lock. The
 * group may be looked at only with group_lock, or when it is the caller's.
 */
static struct member *member_of(const struct task_struct *task)
{
	struct member *m;

	hash_for_each_possible_rcu(members_by_task, m, node,
				   (unsigned long)task,
				   lockdep_is_held(&group_lock))
		if (m->parker.task == task)
			return m;
	return NULL;
}

/* The calling thread's member, if it is one of this group. */
static struct member *member_self(const struct group *g)
{
	struct member *m;

	rcu_read_lock();
	m = member_of(current);
	if (m && m->group != g)
		m = NULL;
	rcu_read_unlock();
	return m;
}

static bool has_ended(const struct member *m)
{
	return READ_ONCE(m->parker.task->flags) & PF_EXITING;
}

/* A thread may begin to exit with its park queued, which has then still to run. */
static bool is_left(const struct member *m)
{
	return has_ended(m) && !fiber_park_is_queued(&m->parker);
}

static int member_add(struct member *m)
{
	struct group *g = m->group;
	int err;

	lockdep_assert_held(&group_lock);
	err = xa_alloc_cyclic(&g->members, &m->handle, m, xa_limit_31b,
			      &g->next_handle, GFP_KERNEL);
	if (err < 0)
		return err;
	hash_add_rcu(members_by_task, &m->node, (unsigned long)m->parker.task);
	g->members_n++;
	g->account->members++;
	WRITE_ONCE(members_n, members_n + 1);
	return 0;
}

static void member_del(struct member *m)
{
	struct group *g = m->group;

	lockdep_assert_held(&group_lock);
	hash_del_rcu(&m->node);
	xa_erase(&g->members, m->handle);
	g->members_n--;
	g->account->members--;
	WRITE_ONCE(members_n, members_n - 1);
	call_rcu(&m->rcu, member_free_rcu);
}

/* Drop the members of a group whose threads have ended. */
static void sweep(struct group *g)
{
	struct member *m;
	unsigned long handle;

	xa_for_each(&g->members, handle, m)
		if (is_left(m))
			member_del(m);
	g->sweep_at = max(SWEEP_MIN, 2 * g->members_n);
}

static void sweep_account(const struct account *a)
{
	struct group *g;
	unsigned long id;

	xa_for_each(&groups, id, g)
		if (g->account == a)
			sweep(g);
}

static bool is_full(const struct account *a)
{
	return a->members >= READ_ONCE(members_user_max);
}

/* Is there room for one more of the group's user? */
static bool make_room(struct group *g)
{
	if (g->members_n >= g->sweep_at)
		sweep(g);
	if (is_full(g->account))
		sweep_account(g->account);
	return !is_full(g->account);
}

/* ---- what a thread may do with a group ---- */

static bool is_of_this_process(const struct group *g)
{
	return g->mm == current->mm && g->tgid == task_tgid(current);
}

static int attach_locked(struct member *m)
{
	struct member *old = member_of(current);

	lockdep_assert_held(&group_lock);
	if (old && is_of_this_process(old->group))
		return -EBUSY;
	if (old) /* from before an exec */
		member_del(old);
	if (!make_room(m->group))
		return -EDQUOT;
	return member_add(m);
}

/* Return: the handle, or -errno. */
static int attach(struct group *g)
{
	struct member *m = member_new(g);
	int err;

	if (!m)
		return -ENOMEM;
	mutex_lock(&group_lock);
	err = attach_locked(m);
	mutex_unlock(&group_lock);
	if (!err)
		return m->handle;
	member_free(m);
	return err;
}

static int detach(const struct group *g)
{
	struct member *m = member_self(g);

	if (!m)
		return -ENOENT;
	mutex_lock(&group_lock);
	member_del(m);
	mutex_unlock(&group_lock);
	return 0;
}

/* The thread may end right after; a resume does not promise that it runs. */
static int resume(struct group *g, u32 handle, bool then_park)
{
	struct member *m;
	int err = -ESRCH;

	rcu_read_lock();
	m = xa_load(&g->members, handle);
	if (m && !has_ended(m)) {
		fiber_unpark(&m->parker, then_park);
		err = 0;
	}
	rcu_read_unlock();
	return err;
}

static bool makes_sense(const struct fiber_switch *s)
{
	if (s->flags & FIBER_SWITCH_FLAG_NOWAIT)
		return s->flags == FIBER_SWITCH_FLAG_NOWAIT && s->target &&
		       !s->until_ns;
	return !s->flags;
}

static int switch_to_member(struct group *g, const struct fiber_switch *s)
{
	struct member *self = member_self(g);
	int err;

	if (!self)
		return -ENOENT;
	err = s->target ? resume(g, s->target, true) : 0;
	if (err)
		return err;
	return fiber_park(&self->parker, fiber_deadline(s->until_ns));
}

/*
 * An interrupted park is run again by the kernel if no handler runs, and else
 * by the caller. The target must not be resumed twice for it, so it is taken
 * out of what was asked.
 */
static int switch_ioctl(struct group *g, struct fiber_switch __user *arg)
{
	struct fiber_switch s;
	int err;

	if (copy_from_user(&s, arg, sizeof(s)))
		return -EFAULT;
	if (!makes_sense(&s))
		return -EINVAL;
	if (s.flags & FIBER_SWITCH_FLAG_NOWAIT)
		return resume(g, s.target, false);
	err = switch_to_member(g, &s);
	if (err == -ERESTARTNOHAND && s.target && put_user(0, &arg->target))
		return -EFAULT;
	return err;
}

static long group_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct group *g = file->private_data;

	if (!is_of_this_process(g))
		return -EXDEV;
	switch (cmd) {
	case FIBER_IOC_ATTACH:
		return arg ? -EINVAL : attach(g);
	case FIBER_IOC_DETACH:
		return arg ? -EINVAL : detach(g);
	case FIBER_IOC_SWITCH:
		return switch_ioctl(g, (void __user *)arg);
	default:
		return -ENOTTY;
	}
}

/* ---- groups ---- */

static void group_free(struct group *g)
{
	xa_destroy(&g->members);
	put_pid(g->tgid);
	mmdrop(g->mm);
	kfree(g);
}

static struct group *group_alloc(void)
{
	struct group *g = kzalloc(sizeof(*g), GFP_KERNEL_ACCOUNT);

	if (!g)
		return NULL;
	xa_init_flags(&g->members, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	g->sweep_at = SWEEP_MIN;
	g->tgid = get_pid(task_tgid(current));
	g->mm = current->mm;
	mmgrab(g->mm);
	return g;
}

static int group_number(struct group *g, struct account *a,
			struct netlink_ext_ack *extack)
{
	int err;

	if (a->groups >= READ_ONCE(groups_user_max)) {
		NL_SET_ERR_MSG(extack, "the user's limit of groups is reached");
		return -EDQUOT;
	}
	err = xa_alloc_cyclic(&groups, &g->id, g, xa_limit_31b, &next_id,
			      GFP_KERNEL);
	if (err < 0)
		return err;
	g->account = a;
	a->groups++;
	WRITE_ONCE(groups_n, groups_n + 1);
	return 0;
}

static int group_add(struct group *g, struct netlink_ext_ack *extack)
{
	struct account *a;
	int err = -ENOMEM;

	mutex_lock(&group_lock);
	a = account_get(current_uid());
	if (a) {
		err = group_number(g, a, extack);
		account_put(a);
	}
	mutex_unlock(&group_lock);
	return err;
}

static void group_del(struct group *g)
{
	struct member *m;
	unsigned long handle;

	mutex_lock(&group_lock);
	xa_for_each(&g->members, handle, m)
		member_del(m);
	xa_erase(&groups, g->id);
	g->account->groups--;
	account_put(g->account);
	WRITE_ONCE(groups_n, groups_n - 1);
	mutex_unlock(&group_lock);
}

/* Nobody is in an ioctl, so nobody is parked. */
static int group_release(struct inode *inode, struct file *file)
{
	struct group *g = file->private_data;

	group_del(g);
	group_free(g);
	return 0;
}

static const struct file_operations group_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = group_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.release = group_release,
};

/**
 * fiber_group_new - make a group of the calling process
 * @id: its number, to set
 * @extack: for the sentence of a refusal
 *
 * Context: a process with a memory.
 * Return: its file, for the caller to install or to put; or -EDQUOT, -ENOMEM,
 * -ENFILE.
 */
struct file *fiber_group_new(u32 *id, struct netlink_ext_ack *extack)
{
	struct group *g = group_alloc();
	struct file *file;
	int err;

	if (!g)
		return ERR_PTR(-ENOMEM);
	err = group_add(g, extack);
	if (err) {
		group_free(g);
		return ERR_PTR(err);
	}
	*id = g->id;
	file = anon_inode_getfile("[fiber-group]", &group_fops, g, O_RDWR);
	if (IS_ERR(file)) {
		group_del(g);
		group_free(g);
	}
	return file;
}

/*
 * The park is queued first, because that can fail, and a resume cannot be taken
 * back.
 */
static int switch_queued(struct file *file, const struct fiber_switch *s)
{
	struct group *g = file->private_data;
	struct member *self = member_self(g);
	int err;

	if (!self)
		return -ENOENT;
	err = fiber_park_queue(&self->parker, get_file(file),
			       fiber_deadline(s->until_ns));
	if (err) {
		fput(file);
		return err;
	}
	err = s->target ? resume(g, s->target, true) : 0;
	if (err)
		fiber_park_call_off(&self->parker);
	return err;
}

static int switch_file(struct file *file, const struct fiber_switch *s)
{
	struct group *g = file->private_data;

	if (file->f_op != &group_fops)
		return -EBADF;
	if (!is_of_this_process(g))
		return -EXDEV;
	if (!makes_sense(s))
		return -EINVAL;
	if (s->flags & FIBER_SWITCH_FLAG_NOWAIT)
		return resume(g, s->target, false);
	return switch_queued(file, s);
}

/**
 * fiber_group_switch - switch, with the park left for the way to user mode
 * @fd: a group's descriptor
 * @s: what to do
 *
 * Context: unless @s does not wait, a system call of the native table that
 * returns to user mode next; sleeps not.
 * Return: 0, and the caller will park if it waits; -EBADF, -EINVAL, -EXDEV,
 * -ENOENT, -ESRCH, -EBUSY for a second one in the same call, and it will not.
 */
int fiber_group_switch(u32 fd, const struct fiber_switch *s)
{
	struct file *file = fget(fd);
	int err;

	if (!file)
		return -EBADF;
	err = switch_file(file, s);
	fput(file);
	return err;
}

/* For information. Members that have ended count until they are swept. */

u32 fiber_groups_now(void)
{
	return READ_ONCE(groups_n);
}

u32 fiber_groups_user_max(void)
{
	return READ_ONCE(groups_user_max);
}

u32 fiber_members_now(void)
{
	return READ_ONCE(members_n);
}

u32 fiber_members_user_max(void)
{
	return READ_ONCE(members_user_max);
}

/* No group is left, each held the module; but members may wait to be freed. */
void fiber_group_exit(void)
{
	rcu_barrier();
}
