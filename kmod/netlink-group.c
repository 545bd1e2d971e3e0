// SPDX-License-Identifier: GPL-2.0-only
/*
 * The operations on groups.
 *
 * A reply that hands out a file descriptor may fail on its way; a descriptor
 * cannot be taken back. So the number is reserved first, and gets its file only
 * when the reply has been sent. Another thread that receives the reply before
 * the sender's send() has returned may find the number not yet open.
 */
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/fiber.h>
#include <linux/file.h>
#include <linux/sched.h>
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
