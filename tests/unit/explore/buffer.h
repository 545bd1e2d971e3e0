/* SPDX-License-Identifier: MIT */
/*
 * The stores of a test thread that others do not see yet.
 *
 * MODEL. What a thread stores goes to the end of its buffer, and from there to
 * memory when the schedule says so. Its own loads find the latest in the buffer.
 *
 *	sc	there is no buffer
 *	tso	the first goes first: x86
 *	pso	stores to different variables go in any order, but one that
 *		releases after all before it
 *	llsc	the same, but what releases is seen before its thread acquires,
 *		and a read-modify-write is a store that releases: loads after it
 *		may come before it is seen, as on ARM without its atomic
 *		instructions
 *	weak	the same, and loads may come early (past.h)
 *
 * Fences, system calls and, but for llsc, read-modify-writes empty the buffer of
 * who comes to them; a sequentially consistent load does if there is such a
 * store in it.
 */
#ifndef BUFFER_H
#define BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum explore_memory {
	EXPLORE_SC,
	EXPLORE_TSO,
	EXPLORE_PSO,
	EXPLORE_LLSC,
	EXPLORE_WEAK,
};

#define BUFFER_MAX 8

struct explore_entry {
	void *at;
	uint64_t value; /* the first `size` bytes of it */
	uint8_t size;
	bool release;
	bool seq_cst;
	bool rmw; /* nobody may change the variable before it is seen */
};

struct explore_buffer {
	unsigned int n;
	struct explore_entry entries[BUFFER_MAX]; /* oldest first */
};

/* Make all stores of the thread visible. */
void explore_drain(struct explore_buffer *buffer);
/* Make one visible, any that can be; there is one. */
void explore_flush_some(struct explore_buffer *buffer);

#endif /* BUFFER_H */
