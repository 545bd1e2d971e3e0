/* SPDX-License-Identifier: MIT */
/*
 * libdw of elfutils, which knows unwind tables and names.
 *
 * MODEL. It is loaded when it is first wanted, and libfiber does without: so what
 * is used of it is declared here and not by its headers. That is part of its
 * ABI; each function has had one version since it came, 0.158 at the latest.
 *
 * No debug information is fetched from a network: what the files themselves have,
 * and what is on this machine by build id.
 *
 * LOCKING. One thread at a time.
 */
#ifndef FIBER_DWARF_H
#define FIBER_DWARF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Dwarf_Op. */
struct fiber_dwarf_op {
	uint8_t atom;
	uint64_t number;
	uint64_t number2;
	uint64_t offset;
};

/* How to find what a register was in the caller: an expression. */
struct fiber_dwarf_place {
	const struct fiber_dwarf_op *ops;
	size_t n;
	bool undefined;
	bool same; /* as it is now */
	struct fiber_dwarf_op room[3]; /* may be where ops are */
};

/* What the unwind tables say of one address. Not to be moved. */
struct fiber_dwarf_rule {
	void *frame; /* NULL: nothing */
	const struct fiber_dwarf_op *cfa;
	size_t nr_cfa;
	bool is_signal; /* what it returns to is no call */
	struct fiber_dwarf_place ra;
	struct fiber_dwarf_place fp;
};

/* Where an address is; strings are valid until the exit. */
struct fiber_dwarf_name {
	const char *name; /* of a function, or NULL */
	uint64_t offset; /* in it */
	const char *file; /* of the source, or NULL */
	int line;
};

/* Of this process, as it is mapped now. Whether it can be used. */
bool _fiber_dwarf_init(void);
void _fiber_dwarf_exit(void);

/* frame is freed with free(). */
void _fiber_dwarf_rule(uintptr_t pc, struct fiber_dwarf_rule *rule);
void _fiber_dwarf_name(uintptr_t pc, struct fiber_dwarf_name *name);

#endif /* FIBER_DWARF_H */
