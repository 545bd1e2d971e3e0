// SPDX-License-Identifier: GPL-2.0-only
/*
 * The operations on groups.
 *
 * A switch parks whoever sends it, but not here: the caller parks on its way
 * back to user mode, and is told by what its system call returns. So it must be
 * one, and of a kind that returns straight from here: io_uring sends messages in
 * the submitter's own thread, from io_uring_enter or on the way out of any other
 * call. What it does on the way out of a send() looks like that send(), and
 * parks it: the same process's doing, and no harm to anybody else.
 *
 * A reply that hands out a file descriptor may fail on its way; a descriptor
 * cannot be taken back. So the number is reserved first, and gets its file only
 * when the reply has been sent. Another thread that receives the reply before
 * the sender's send() has returned may find the number not yet open.
 */
#include <linux/compat.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/fiber.h>
#include <linux/file.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>
#include <asm/syscall.h>
#include <asm/unistd.h>
#include <net/genetlink.h>

#include "caller.h"
#include "group.h"
#include "netlink.h"

/*
 * The descriptor opens in the sender, its number is told to whoever has the
 * socket: a privileged program must not be made to open it by a message that
 * it only passes on.
 */
static int may_create(struct sk_buff *skb, struct genl_info *info)
{
	struct fiber_caller caller;
	bool own;
	int err;

	if (!current->mm || current->flags & PF_KTHREAD) {
		GENL_SET_ERR_MSG(info, "a kernel thread has no groups");
		return -EINVAL;
	}
	err = fiber_caller_get(&caller, NETLINK_CB(skb).sk);
	if (err)
		return err;
	own = fiber_caller_opened(&caller);
	fiber_caller_put(&caller);
	if (own)
		return 0;
	GENL_SET_ERR_MSG(info, "another user opened this socket");
	return -EPERM;
}

static int put_group(struct sk_buff *skb, u32 id, int fd)
{
	return nla_put_u32(skb, FIBER_A_GROUP_ID, id) ?:
		       nla_put_u32(skb, FIBER_A_GROUP_FD, fd);
}

/* Make the group and tell of it under the number @fd, which is not open yet. */
static int create(struct genl_info *info, int fd)
{
	struct fiber_reply r;
	struct file *file;
	u32 id;
	int err;

	err = fiber_reply_begin(&r, info);
	if (err)
		return err;
	file = fiber_group_new(&id, info->extack);
	err = PTR_ERR_OR_ZERO(file) ?: put_group(r.message, id, fd);
	err = fiber_reply_send(&r, info, err);
	if (!err)
		fd_install(fd, file);
	else if (!IS_ERR(file))
		fput(file);
	return err;
}

int fiber_group_create_doit(struct sk_buff *skb, struct genl_info *info)
{
	int fd, err;

	err = may_create(skb, info);
	if (err)
		return err;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		GENL_SET_ERR_MSG(info, "no file descriptor is free");
		return fd;
	}
	err = create(info, fd);
	if (err)
		put_unused_fd(fd);
	return err;
}

static bool is_sent_by_system_call(void)
{
	int nr;

	if (current->flags & (PF_KTHREAD | PF_IO_WORKER) || in_compat_syscall())
		return false;
	nr = syscall_get_nr(current, task_pt_regs(current));
	return nr == __NR_sendto || nr == __NR_sendmsg || nr == __NR_write;
}

static int take_switch(struct genl_info *info, struct fiber_switch *s)
{
	struct nlattr *target = info->attrs[FIBER_A_GROUP_TARGET];
	struct nlattr *flags = info->attrs[FIBER_A_GROUP_FLAGS];
	struct nlattr *until = info->attrs[FIBER_A_GROUP_UNTIL_NS];
	bool waits;

	if (GENL_REQ_ATTR_CHECK(info, FIBER_A_GROUP_FD)) {
		GENL_SET_ERR_MSG(info, "which group? the fd is missing");
		return -EINVAL;
	}
	s->target = target ? nla_get_u32(target) : 0;
	s->flags = flags ? nla_get_u32(flags) : 0;
	waits = !(s->flags & FIBER_SWITCH_FLAG_NOWAIT);
	s->until_ns = until ? nla_get_s64(until) : waits ? S64_MAX : 0;
	if (waits && !is_sent_by_system_call()) {
		GENL_SET_ERR_MSG(
			info,
			"only a native sendto, sendmsg or write of the thread itself can park");
		return -EOPNOTSUPP;
	}
	return 0;
}

static void explain(struct genl_info *info, int err)
{
	if (err == -EBADF)
		GENL_SET_ERR_MSG(info, "the fd is not an open one of a group");
	else if (err == -EXDEV)
		GENL_SET_ERR_MSG(info, "this group is another process's");
	else if (err == -EINVAL)
		GENL_SET_ERR_MSG(
			info,
			"a switch that does not wait takes a target and no deadline");
	else if (err == -ENOENT)
		GENL_SET_ERR_MSG(info, "the caller is no member of the group");
	else if (err == -ESRCH)
		GENL_SET_ERR_MSG(info, "no such member, or it has ended");
	else if (err == -EBUSY)
		GENL_SET_ERR_MSG(info, "one system call, one switch");
}

int fiber_switch_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct fiber_switch s;
	int err = take_switch(info, &s);

	if (err)
		return err;
	err = fiber_group_switch(nla_get_u32(info->attrs[FIBER_A_GROUP_FD]),
				 &s);
	explain(info, err);
	return err;
}
