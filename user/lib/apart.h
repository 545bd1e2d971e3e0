/* SPDX-License-Identifier: MIT */
/*
 * Fibers that block their thread in the kernel often.
 *
 * MODEL. What has blocked twice of late is expected to do so again, and is run
 * by a thread without a seat from the start: 64 such fibers do not wait for the
 * monitor to find them out one by one. Counted is for each fiber (score, in its
 * flags), and for each function that fibers are entered at, for those that have
 * not run yet. Whether it has blocked since it was last looked at is what
 * the kernel counts: how often the thread has waited. Who has not for two looks
 * runs like any other again.
 *
 * LOCKING. None: flags are the running fiber's, blockers are hints.
 */
#ifndef FIBER_APART_H
#define FIBER_APART_H

#include "sched.h"

static inline bool fiber_is_apart(const struct fiber *f)
{
	return f->flags & FIBER_FLAG_APART;
}

/* A fiber that was entered at fn has been seen to block. */
void _fiber_apart_saw(int (*fn)(void *));

/* The worker's running fiber has: the monitor said so. */
void _fiber_apart_blocked(struct fiber *f);

/* f has not run yet: will it block? */
void _fiber_apart_guess(struct fiber *f);

/* f, which is apart, is about to run on w. */
void _fiber_apart_begin(struct fiber_worker *w, struct fiber *f);
/* It runs: whether it is still to be apart. */
bool _fiber_apart_check(struct fiber_worker *w, struct fiber *f);
/* It has left w. */
void _fiber_apart_end(struct fiber_worker *w);

#endif /* FIBER_APART_H */
