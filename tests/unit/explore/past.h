/* SPDX-License-Identifier: MIT */
/*
 * What variables were a short while ago: loads that come early.
 *
 * MODEL. A load may find what a later one would not, since the CPU has done it
 * before those that precede it in the program. Every change of a variable has a
 * time, which counts changes. A thread has a horizon, before which it sees
 * nothing any more: the time of the last fence, or of the last value that it
 * acquired. Between that and now a load may return whatever the variable was,
 * but never something older than what the thread has seen there before.
 *
 * It is as C11 has it: that a load whose address another load has found comes
 * after that one is not relied on, though CPUs see to it.
 *
 * Changes that were not made by the macros of explore_atomic.h are not known. A
 * variable whose value is not that of its last change is no longer the one that
 * was there, and has no past.
 */
#ifndef PAST_H
#define PAST_H

#include <stddef.h>
#include <stdint.h>

#define PAST_SEEN 16

struct explore_past {
	uint64_t horizon;
	struct {
		const void *at;
		uint64_t time;
	} seen[PAST_SEEN]; /* by a hash of the address */
};

void explore_past_reset(void);
/* The variable changes; time passes. */
void explore_past_change(const void *at, uint64_t old, uint64_t value);
/* The thread passes a fence. */
void explore_past_fence(struct explore_past *past);
/*
 * What a load finds, if `now` is in memory. An early one picks by the schedule,
 * others find what is there now.
 */
uint64_t explore_past_load(struct explore_past *past, const void *at,
			   uint64_t now, bool early, bool acquire);
/* The thread's own store is seen. */
void explore_past_own(struct explore_past *past, const void *at);

#endif /* PAST_H */
