/* SPDX-License-Identifier: MIT */
/*
 * What the system lets this process map, and which limit was met.
 */
#ifndef FIBER_MAPLIMIT_H
#define FIBER_MAPLIMIT_H

#include <stddef.h>

#include "why.h"

/* How many mappings a process may have: vm.max_map_count. */
long _fiber_maplimit_maps_max(void);
/* How many it has now. Reads them all: not for a fast path. */
long _fiber_maplimit_maps_used(void);

/*
 * mmap() or madvise() gave ENOMEM for so many bytes of stacks: say which limit
 * it was and how it is raised. Returns -ENOMEM.
 */
int _fiber_maplimit_explain(size_t bytes, struct fiber_why *why);

#endif /* FIBER_MAPLIMIT_H */
