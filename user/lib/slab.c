// SPDX-License-Identifier: MIT
/*
 * Chunks of objects.
 */
#include <stdlib.h>
#include <string.h>

#include "slab.h"

#define CHUNK_SIZE (16 * 1024)

struct fiber_slab_chunk {
	struct fiber_slab_chunk *next;
};

/* An object is linked after its first 16 bytes, where its lock is. */
#define LINK 16

static void **link_of(void *object)
{
	return (void **)((char *)object + LINK);
}

static void *pop(struct fiber_slab_cache *cache)
{
	void *object;

	fiber_lock(&cache->lock);
	object = cache->free;
	if (object)
		cache->free = *link_of(object);
	fiber_unlock(&cache->lock);
	return object;
}

void _fiber_slab_put(struct fiber_slab_cache *cache, void *object)
{
	fiber_lock(&cache->lock);
	*link_of(object) = cache->free;
	cache->free = object;
	fiber_unlock(&cache->lock);
}

void *_fiber_slab_get(struct fiber_slab_cache *cache, size_t size)
{
	struct fiber_slab_chunk *chunk;
	void *object = pop(cache);
	size_t at;

	if (object)
		return object;
	chunk = aligned_alloc(64, CHUNK_SIZE);
	if (!chunk)
		return NULL;
	memset(chunk, 0, CHUNK_SIZE);
	fiber_lock(&cache->lock);
	chunk->next = cache->chunks;
	cache->chunks = chunk;
	fiber_unlock(&cache->lock);
	/* The first place is the chunk's own. */
	for (at = 2 * size; at + size <= CHUNK_SIZE; at += size)
		_fiber_slab_put(cache, (char *)chunk + at);
	return (char *)chunk + size;
}
