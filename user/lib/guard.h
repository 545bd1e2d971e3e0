/* SPDX-License-Identifier: MIT */
/*
 * Guards: what lies below a stack, so that an overflow does not go unnoticed.
 *
 * MODEL. A ladder; the best rung that works here is taken.
 *   install  MADV_GUARD_INSTALL (Linux 6.13): marks in the page tables, so that
 *            a million guards need no mapping of their own. Touching one is a
 *            SIGSEGV. Put up in batches. Refused for locked memory.
 *   protect  mprotect(PROT_NONE): the same, for two mappings a stack, of which
 *            a process may have vm.max_map_count. The rest of the program is
 *            left MAPS_KEPT of them. After that: -ENOMEM, and the sentence
 *            names the sysctl.
 *   soft     none at all, only on demand: a longer stretch that nobody uses,
 *            and looking afterwards whether somebody did (stack.h). It contains
 *            an overflow and names it, but does not stop it.
 *
 * A guard is 16 KiB: code that was compiled without probes of large frames can
 * jump over a smaller one.
 *
 * REJECTED. Holes between the stacks instead of guards would halve the mappings
 * of `protect`, but anybody's mmap() may land in a hole, and there the overflow
 * goes unnoticed. One guard for several stacks does not guard those inside.
 *
 * LOCKING. The caller keeps two threads from using one ladder at a time.
 */
#ifndef FIBER_GUARD_H
#define FIBER_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

#include "force.h"

/* How many ranges are advised at once. */
#define FIBER_ADVISE_MAX 64

struct fiber_ladder {
	enum fiber_guard rung; /* the one in use */
	bool fixed; /* it was asked for: no other will do */
	size_t size; /* of a guard */
	long left; /* PROTECT: how many more; -1 if not yet known */
};

/* Take the best rung, or the one that is wanted. */
void _fiber_ladder_init(struct fiber_ladder *ladder, enum fiber_guard wanted);

/*
 * Put up n guards, at most FIBER_ADVISE_MAX: the first at low, each next one
 * stride further. Goes down the ladder if it must. Returns how many of them,
 * from the first on, stand: at least 1, or -errno.
 */
int _fiber_ladder_guard(struct fiber_ladder *ladder, char *low, size_t stride,
			unsigned int n, struct fiber_why *why);

/* madvise() of n ranges, at most FIBER_ADVISE_MAX. Returns 0 or -errno. */
int _fiber_advise(const struct iovec *ranges, unsigned int n, int advice);

#endif /* FIBER_GUARD_H */
