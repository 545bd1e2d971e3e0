/* SPDX-License-Identifier: MIT */
/*
 * Memory of one size that never goes back to the system.
 *
 * Whoever unlocks a lock in it may still look at the lock's sleepers when
 * another thread has given the memory back already: it then finds an object of
 * the same kind.
 */
#ifndef FIBER_SLAB_H
#define FIBER_SLAB_H

#include <stddef.h>

#include "lock.h"

struct fiber_slab_chunk;

struct fiber_slab_cache {
	struct fiber_lock lock;
	void *free; /* lock */
	struct fiber_slab_chunk *chunks; /* lock: all, so that none looks lost */
};

/*
 * size is a multiple of 64, and so is the address. New memory is 0; of what was
 * in use before, 8 bytes from the 16th on have changed.
 */
void *_fiber_slab_get(struct fiber_slab_cache *cache, size_t size);
void _fiber_slab_put(struct fiber_slab_cache *cache, void *object);

#endif /* FIBER_SLAB_H */
