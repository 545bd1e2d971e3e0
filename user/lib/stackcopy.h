/* SPDX-License-Identifier: MIT */
/*
 * A copy of a stack, and the registers it is read with.
 */
#ifndef FIBER_STACKCOPY_H
#define FIBER_STACKCOPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is deeper is not looked at. */
#define FIBER_STACKCOPY_MAX (64 * 1024)

struct fiber_stackcopy {
	uintptr_t pc;
	uintptr_t sp;
	uintptr_t fp;
	uintptr_t lr; /* aarch64; 0: not known */
	size_t len; /* bytes, from sp up */
	char bytes[FIBER_STACKCOPY_MAX];
};

/* The word that was at that address: whether it is in the copy. */
static inline bool fiber_stackcopy_word(const struct fiber_stackcopy *copy,
					uintptr_t address, uintptr_t *word)
{
	uintptr_t at = address - copy->sp;

	if (at % sizeof(*word) || at >= copy->len ||
	    copy->len - at < sizeof(*word))
		return false;
	*word = *(const uintptr_t *)(const void *)(copy->bytes + at);
	return true;
}

#endif /* FIBER_STACKCOPY_H */
