/* SPDX-License-Identifier: MIT */
/*
 * Stacks of fibers.
 *
 * MODEL. An arena has stacks of one size. Their address space comes in slabs, of
 * 64 stacks first and then ever more, and memory comes when they are touched. A
 * stack in its slab, from low to high addresses:
 *
 *	| guard 16 KiB | body 48 KiB                      | colour |
 *	               ^ low                        top ^
 *
 * The colour is 0 to 1920 bytes, another for each of 16 neighbours, since
 * otherwise the first frames of all fibers would compete for the same lines of
 * the L1 cache. It stays within the first page, so that a fiber that is not deep
 * costs one page. Huge pages are refused: one would give a fiber 2 MiB.
 *
 * What describes a stack is beside the stacks, not in them, and is never given
 * back before the arena: it can be looked at at any time.
 *
 * FREE STACKS. Up to warm_max of them keep their memory, and the last one that
 * came is the first to go, with its lines still in the cache. From those beyond
 * that, the memory is taken when they come (MADV_DONTNEED), in batches; only
 * their address space and their guards are kept. MADV_FREE would be cheaper but
 * leaves the memory counted as used until the system is short of it, which
 * looks like a leak, and a stack would not be zero again, on which the census
 * and the soft guards rest.
 *
 * LIMITS. FIBER_SLABS_MAX slabs in a process: at the default size, 4 million
 * stacks.
 *
 * LOCKING. All functions may be called from any thread and any stack; none
 * switches. `lists` is held for a few instructions over the lists of free
 * stacks; `grow` over system calls by which new ones are made, and inside it
 * `lists` may be taken. They are the arena's own and nothing else is taken
 * inside. Callers that want neither keep stacks of their own and exchange them
 * in batches. A child of fork() uses no arena of its parent, as another thread
 * may have held a lock. A stack that was got belongs to who got it.
 *
 * The process-wide table of slabs is written by compare-and-swap and read by
 * signal handlers.
 */
#ifndef FIBER_STACK_H
#define FIBER_STACK_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "atomic.h"
#include "guard.h"
#include "sanitize.h"

#define FIBER_STACK_SIZE (64 * 1024)
#define FIBER_SLABS_MAX 256

/* Tags: I immutable, L arena->lists, G arena->grow, O who got the stack. */

struct fiber_stack {
	char *low; /* I: the lowest byte to use */
	char *top; /* I: where a context starts */
	struct fiber_stack *next; /* L: of the free ones */
	const char *name; /* O: for the report of an overflow; or NULL */
	uintptr_t entry; /* O: likewise; or 0 */
	struct fiber_sanitize_stack sanitize; /* I */
};

struct fiber_stack_config {
	size_t size; /* with the guard; 0 is FIBER_STACK_SIZE */
	unsigned int warm_max; /* free stacks that keep their memory */
	enum fiber_guard guard; /* FIBER_FORCE goes before it */
};

struct fiber_slab;

struct fiber_stack_arena {
	size_t size; /* I: that was asked for */
	size_t stride; /* I: of the stacks in a slab */
	size_t body; /* I */
	size_t soft; /* I: what is below a body without a guard, or 0 */
	unsigned int warm_max; /* I */

	pthread_mutex_t grow;
	struct fiber_ladder ladder; /* G */
	struct fiber_slab *slab; /* G: the newest */

	pthread_mutex_t lists;
	struct fiber_stack *warm; /* L */
	struct fiber_stack *cold; /* L: without memory */
	at(unsigned int) nr_warm; /* set under L */
	unsigned int low_warm; /* L: the least that there were since a trim */
};

/* Returns 0, or -EINVAL for a size or FIBER_FORCE that makes no sense. */
int _fiber_stack_arena_init(struct fiber_stack_arena *arena,
			    const struct fiber_stack_config *config,
			    struct fiber_why *why);
/* Unmap it all. No stack of it is in use, and nobody else uses the arena. */
void _fiber_stack_arena_exit(struct fiber_stack_arena *arena);

/*
 * Get up to n stacks. Returns how many: at least 1, or -errno. A stack is zero
 * or has what its last owner left.
 */
int _fiber_stack_get(struct fiber_stack_arena *arena,
		     struct fiber_stack **stacks, unsigned int n,
		     struct fiber_why *why);
void _fiber_stack_put(struct fiber_stack_arena *arena,
		      struct fiber_stack **stacks, unsigned int n);

/*
 * Take the memory of free stacks that nobody has needed since the last call, up
 * to `most` of them, and leave it to `keep`.
 */
void _fiber_stack_trim(struct fiber_stack_arena *arena, unsigned int keep,
		       unsigned int most);

/*
 * How many bytes of the stack, from its top, have been used since its memory was
 * last taken (warm_max 0: by its owner). A page that is swapped out, and what
 * was written as 0, do not count.
 */
size_t _fiber_stack_used(const struct fiber_stack *stack);

/*
 * Soft guards: whether the memory just below the stack is untouched, likewise.
 * Where a guard is real, what is there must not be asked.
 */
bool _fiber_stack_intact(const struct fiber_stack *stack);

/* Whose guard is at the address, or NULL. For signal handlers. */
const struct fiber_stack *_fiber_stack_guarded(uintptr_t address);

#endif /* FIBER_STACK_H */
