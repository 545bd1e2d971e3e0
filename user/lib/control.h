/* SPDX-License-Identifier: MIT */
/*
 * Control blocks: where they come from.
 *
 * MODEL. A struct fiber (park.h) is one of a slab that only grows: its memory is
 * never given back, so that whoever has a stale pointer to one finds a control
 * block, if perhaps another fiber's. They are numbered; the number and how many
 * fibers were in it before make the id of a fiber. Workers keep some free ones
 * and exchange them in batches.
 *
 * LOCKING. Functions may be called from anywhere. The lock of the free ones is
 * held over a few instructions; memory is mapped under a mutex of its own.
 */
#ifndef FIBER_CONTROL_H
#define FIBER_CONTROL_H

#include "park.h"

/* Linked by next; returns how many, up to n: 0 if there is no memory. */
uint32_t _fiber_control_get(struct fiber **list, uint32_t n);
/* Linked by next, from first to last. */
void _fiber_control_put(struct fiber *first, struct fiber *last);

/* How many there ever were, from which number on; and one of them. */
uint32_t _fiber_control_first(void);
uint32_t _fiber_control_count(void);
struct fiber *_fiber_control_at(uint32_t index);

/* In the child of a fork: those of the parent are left as they are. */
void _fiber_control_forget(void);

#endif /* FIBER_CONTROL_H */
