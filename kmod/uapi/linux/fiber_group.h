/* SPDX-License-Identifier: ((GPL-2.0-only WITH Linux-syscall-note) OR MIT) */
/*
 * What can be done with the file descriptor of a group, which
 * FIBER_CMD_GROUP_CREATE of the netlink family hands out.
 *
 * A group is a set of threads of one process: those that attached themselves.
 * A thread is in one group at most. It is known to the others by its handle, a
 * small positive number, which is not given again before some two thousand
 * million others have been.
 *
 *  FIBER_IOC_ATTACH  with 0: the calling thread becomes a member. Returns its
 *                    handle. EBUSY: it is one already, of this group or
 *                    another; EDQUOT: the user has too many members; ENOMEM.
 *  FIBER_IOC_DETACH  with 0: it is a member no more. ENOENT: it was none.
 *  FIBER_IOC_SWITCH  with a struct fiber_switch: resume member target, unless
 *                    that is 0, and park the calling member, unless flags has
 *                    FIBER_SWITCH_FLAG_NOWAIT. For both in one call the thread
 *                    resumed takes the caller's CPU where the kernel can do so.
 *
 * All of them: EXDEV in another process than the group's, a fork of it or what
 * it became by exec; EINVAL for flags, or an argument, that have no meaning.
 *
 * A park lasts until somebody resumes the thread, and returns 0. A resume that
 * comes before the park is kept, one however many came, and that park returns
 * at once. Other ends of a park: ETIMEDOUT; EINTR when a signal handler ran. A
 * signal without a handler, a stop, a freeze and a tracer do not end it. To
 * park, the caller must be a member (ENOENT); to only resume, any thread of the
 * process will do.
 *
 * ESRCH: there is no such target, or it has ended; then the caller did not
 * park. With every other result of a park, the resume has been done; with EINTR
 * the kernel has set target to 0, so that the same call again only parks.
 * EFAULT: the struct cannot be read; or, after an interrupted park, not written.
 *
 * Closing the descriptor wakes nobody: a thread in a park keeps the group. A
 * thread that ends, or that runs another program, is a member no more; nobody
 * who waits for it is told.
 */
#ifndef _UAPI_LINUX_FIBER_GROUP_H
#define _UAPI_LINUX_FIBER_GROUP_H

#include <linux/fiber.h>
#include <linux/ioctl.h>

/* clang-format off */

#define FIBER_IOC_TYPE		0xFB

#define FIBER_IOC_ATTACH	_IO(FIBER_IOC_TYPE, 1)
#define FIBER_IOC_DETACH	_IO(FIBER_IOC_TYPE, 2)
#define FIBER_IOC_SWITCH	_IOWR(FIBER_IOC_TYPE, 3, struct fiber_switch)

/* clang-format on */

#endif /* _UAPI_LINUX_FIBER_GROUP_H */
