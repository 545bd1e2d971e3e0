/* SPDX-License-Identifier: MIT */
/*
 * Structures that grow from release to release, known by their size.
 */
#ifndef FIBER_SIZED_H
#define FIBER_SIZED_H

#include <stddef.h>

/*
 * Copy a structure of the caller's, which is `given` bytes, to one of ours: what
 * it lacks is 0. Returns 0; -E2BIG if it has more and that is not 0; -EINVAL if
 * it cannot hold its size.
 */
int _fiber_sized_get(void *ours, size_t known, const void *theirs,
		     size_t given);

/* The other way: fill theirs as far as it goes, and the rest of it with 0. */
int _fiber_sized_put(void *theirs, size_t given, const void *ours,
		     size_t known);

#endif /* FIBER_SIZED_H */
