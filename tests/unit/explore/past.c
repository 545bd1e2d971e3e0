// SPDX-License-Identifier: MIT
/*
 * The last changes of all variables.
 */
#include <stdbool.h>
#include <string.h>

#include "core.h"
#include "past.h"

#define CHANGES 64

static struct change {
	const void *at;
	uint64_t old;
	uint64_t value;
	uint64_t time; /* 0: none */
} changes[CHANGES]; /* by their time */

static uint64_t now;

void explore_past_reset(void)
{
	memset(changes, 0, sizeof(changes));
	now = 0;
}

void explore_past_change(const void *at, uint64_t old, uint64_t value)
{
	now++;
	changes[now % CHANGES] = (struct change){
		.at = at,
		.old = old,
		.value = value,
		.time = now,
	};
}

void explore_past_fence(struct explore_past *past)
{
	past->horizon = now;
}

static unsigned int hash(const void *at)
{
	return ((uintptr_t)at >> 2) * 0x9e3779b1u >> 16 & (PAST_SEEN - 1);
}

/* When what the thread has seen there last was stored. */
static uint64_t seen_there(const struct explore_past *past, const void *at)
{
	unsigned int i = hash(at);

	return past->seen[i].at == at ? past->seen[i].time : 0;
}

static void see(struct explore_past *past, const void *at, uint64_t time)
{
	unsigned int i = hash(at);

	/* What makes room is not forgotten: nothing else gets older either. */
	if (past->seen[i].at != at && past->seen[i].time > past->horizon)
		past->horizon = past->seen[i].time;
	past->seen[i].at = at;
	past->seen[i].time = time;
}

void explore_past_own(struct explore_past *past, const void *at)
{
	see(past, at, now);
}

/* The last change of it before then; NULL. */
static const struct change *change_before(const void *at, uint64_t time)
{
	uint64_t end = now > CHANGES ? now - CHANGES : 0;

	while (time-- > end + 1) {
		if (changes[time % CHANGES].at == at)
			return &changes[time % CHANGES];
	}
	return NULL;
}

uint64_t explore_past_load(struct explore_past *past, const void *at,
			   uint64_t value, bool early, bool acquire)
{
	uint64_t first = seen_there(past, at);
	const struct change *c = change_before(at, now + 1);

	if (past->horizon > first)
		first = past->horizon;
	while (early && c && c->time > first && c->value == value &&
	       explore_choose(2)) {
		value = c->old;
		c = change_before(at, c->time);
	}
	if (c && c->value == value) {
		see(past, at, c->time);
		if (acquire && c->time > past->horizon)
			past->horizon = c->time;
	}
	return value;
}
