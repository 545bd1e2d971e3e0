// SPDX-License-Identifier: MIT
/*
 * The slab of control blocks.
 */
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include "control.h"

#define CHUNK 4096u /* control blocks that are mapped at once */
#define CHUNKS 16384u

static struct fiber_lock lock;
static struct fiber *free_list; /* lock */
static uint32_t used; /* lock: from here on they were never given out */
static uint32_t first; /* of this process: those before are its parent's */
static at(uint32_t) mapped; /* set under grow */
static at(struct fiber *) chunks[CHUNKS]; /* set under grow */
static pthread_mutex_t grow = PTHREAD_MUTEX_INITIALIZER;

static void init(struct fiber *f, uint32_t index)
{
	at_store(&f->park, FIBER_PARK_GENERATION, RELAXED);
	at_store(&f->deadline, INT64_MAX, RELAXED);
	f->index = index;
}

/* Have some that were never given out; false if there is no memory. */
static bool map_chunk(uint32_t seen)
{
	uint32_t n;
	void *at;

	pthread_mutex_lock(&grow);
	n = at_load(&mapped, RELAXED);
	if (n == seen && n < CHUNK * CHUNKS) {
		at = mmap(NULL, CHUNK * sizeof(struct fiber),
			  PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
		if (at != MAP_FAILED) {
			_fiber_sanitize_root(at, CHUNK * sizeof(struct fiber));
			at_store(&chunks[n / CHUNK], at, RELEASE);
			n += CHUNK;
			at_store(&mapped, n, RELEASE);
		}
	}
	pthread_mutex_unlock(&grow);
	return n > seen;
}

/* First those that were free, then new ones: *from to *end, to be made. */
static uint32_t take(struct fiber **list, uint32_t n, uint32_t *from,
		     uint32_t *end)
{
	uint32_t got = 0;
	uint32_t room;

	fiber_lock(&lock);
	while (got < n && free_list) {
		struct fiber *f = free_list;

		free_list = f->next;
		f->next = *list;
		*list = f;
		got++;
	}
	room = at_load(&mapped, ACQUIRE) - used;
	*from = used;
	used += n - got < room ? n - got : room;
	*end = used;
	fiber_unlock(&lock);
	return got;
}

uint32_t _fiber_control_get(struct fiber **list, uint32_t n)
{
	uint32_t from;
	uint32_t end;
	uint32_t got;
	uint32_t seen;

	*list = NULL;
	do {
		seen = at_load(&mapped, ACQUIRE);
		got = take(list, n, &from, &end);
	} while (!got && from == end && map_chunk(seen));
	for (; from < end; from++, got++) {
		struct fiber *f = _fiber_control_at(from);

		init(f, from);
		f->next = *list;
		*list = f;
	}
	return got;
}

void _fiber_control_put(struct fiber *first, struct fiber *last)
{
	fiber_lock(&lock);
	last->next = free_list;
	free_list = first;
	fiber_unlock(&lock);
}

uint32_t _fiber_control_first(void)
{
	return first;
}

uint32_t _fiber_control_count(void)
{
	uint32_t n;

	fiber_lock(&lock);
	n = used;
	fiber_unlock(&lock);
	return n;
}

struct fiber *_fiber_control_at(uint32_t index)
{
	return at_load(&chunks[index / CHUNK], ACQUIRE) + index % CHUNK;
}

void _fiber_control_forget(void)
{
	memset(&lock, 0, sizeof(lock));
	pthread_mutex_init(&grow, NULL);
	free_list = NULL;
	/* Numbers are not used again: a handle of the parent's stays stale. */
	first = used = at_load(&mapped, RELAXED);
}
