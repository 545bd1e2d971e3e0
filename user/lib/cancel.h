/* SPDX-License-Identifier: MIT */
/*
 * Cancelling a fiber: the inside of fiber/cancel.h.
 */
#ifndef FIBER_CANCEL_PRIVATE_H
#define FIBER_CANCEL_PRIVATE_H

#include "park.h"

/* 0, or -ESRCH if it has ended. here is the caller's. */
int _fiber_cancel(struct fiber_here *here, struct fiber *f, int why);

/* As fiber_cancel_mask(), of f, who calls and may be a thread. */
int _fiber_cancel_mask(struct fiber *f, int on);

/*
 * f->lock is held. Have f look up for this one more reason, and end its wait with
 * the outcome, or the next one if it is in none. Returns whether f is the caller's
 * to make ready, once it has let go of the lock.
 */
bool _fiber_cancel_deliver(struct fiber *f, uint32_t attention, int outcome);

/*
 * f->lock is held, by f itself. From now on it has to look up for this and
 * nothing else. If its next wait has been ended in advance, it no longer is.
 */
void _fiber_cancel_attend(struct fiber *f, uint32_t attention);

#endif /* FIBER_CANCEL_PRIVATE_H */
