// SPDX-License-Identifier: MIT
/*
 * Putting up guards.
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "guard.h"
#include "maplimit.h"
#include "sanitize.h"

/* C libraries older than Linux 6.13 do not have it. */
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

#define GUARD_SIZE (16 * 1024)
/* As much as a stack usually is: an overflow rarely gets further. */
#define SOFT_SIZE (64 * 1024)
/* Mappings that the rest of the program may yet want. */
#define MAPS_KEPT 8192

static size_t in_pages(size_t size)
{
	size_t page = sysconf(_SC_PAGESIZE);

	return (size + page - 1) & ~(page - 1);
}

void _fiber_ladder_init(struct fiber_ladder *ladder, enum fiber_guard wanted)
{
	*ladder = (struct fiber_ladder){
		.rung = wanted ? wanted : FIBER_GUARD_INSTALL,
		.fixed = wanted != FIBER_GUARD_BEST,
		.left = -1,
	};
	ladder->size = in_pages(ladder->rung == FIBER_GUARD_SOFT ? SOFT_SIZE :
								   GUARD_SIZE);
}

static int advise_each(const struct iovec *ranges, unsigned int n, int advice)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (madvise(ranges[i].iov_base, ranges[i].iov_len, advice))
			return -errno;
	}
	return 0;
}

/*
 * One call for all ranges takes half the time of one each. Kernels before 6.13
 * refuse these advices there, filters of system calls may refuse the call, and
 * it may stop half way: then each range is advised on its own, those that were
 * done once more, which does no harm.
 *
 * The pidfd is not kept: after a fork() it would be the parent's memory.
 */
int _fiber_advise(const struct iovec *ranges, unsigned int n, int advice)
{
	size_t all = 0;
	unsigned int i;
	ssize_t done;
	int self;

	for (i = 0; i < n; i++)
		all += ranges[i].iov_len;
	self = n > 1 && !_fiber_sanitize_is_valgrind() ?
		       pidfd_open(getpid(), 0) :
		       -1;
	if (self >= 0) {
		done = process_madvise(self, ranges, n, advice, 0);
		close(self);
		if (done >= 0 && (size_t)done == all)
			return 0;
	}
	return advise_each(ranges, n, advice);
}

static int install(const struct fiber_ladder *ladder, char *low, size_t stride,
		   unsigned int n)
{
	struct iovec guards[FIBER_ADVISE_MAX];
	unsigned int i;

	for (i = 0; i < n; i++) {
		guards[i].iov_base = low + i * stride;
		guards[i].iov_len = ladder->size;
	}
	return _fiber_advise(guards, n, MADV_GUARD_INSTALL);
}

static int out_of_mappings(struct fiber_why *why)
{
	return _fiber_why(why, -ENOMEM,
			  "no more guarded stacks: each takes two mappings, "
			  "and vm.max_map_count is %ld; raise it, or use a "
			  "kernel from 6.13 on",
			  _fiber_maplimit_maps_max());
}

static int protect(struct fiber_ladder *ladder, char *low, size_t stride,
		   unsigned int n, struct fiber_why *why)
{
	unsigned int i;

	if (ladder->left < 0) {
		ladder->left = (_fiber_maplimit_maps_max() -
				_fiber_maplimit_maps_used() - MAPS_KEPT) /
			       2;
	}
	for (i = 0; i < n && ladder->left > 0; i++, ladder->left--) {
		if (!mprotect(low + i * stride, ladder->size, PROT_NONE))
			continue;
		if (errno != ENOMEM)
			return _fiber_why(why, -errno,
					  "mprotect() of a guard failed");
		/* Others have mappings too: count anew when asked again. */
		ladder->left = -1;
		break;
	}
	return i ? (int)i : out_of_mappings(why);
}

int _fiber_ladder_guard(struct fiber_ladder *ladder, char *low, size_t stride,
			unsigned int n, struct fiber_why *why)
{
	int err;

	if (ladder->rung == FIBER_GUARD_SOFT)
		return n;
	if (ladder->rung == FIBER_GUARD_INSTALL) {
		err = install(ladder, low, stride, n);
		if (!err)
			return n;
		/* An old kernel, or a filter of system calls. */
		if (err != -EINVAL && err != -ENOSYS && err != -EPERM)
			return err == -ENOMEM ?
				       _fiber_maplimit_explain(n * ladder->size,
							       why) :
				       _fiber_why(why, err,
						  "MADV_GUARD_INSTALL failed");
		if (ladder->fixed)
			return _fiber_why(why, -EOPNOTSUPP,
					  "no MADV_GUARD_INSTALL here: it "
					  "takes Linux 6.13 and memory that "
					  "is not locked");
		ladder->rung = FIBER_GUARD_PROTECT;
	}
	return protect(ladder, low, stride, n, why);
}
