/* SPDX-License-Identifier: MIT */
/*
 * Cancelling a fiber: the inside of fiber/cancel.h.
 */
#ifndef FIBER_CANCEL_PRIVATE_H
#define FIBER_CANCEL_PRIVATE_H

#include "park.h"

/* 0, or -ESRCH if it has ended. */
int _fiber_cancel(struct fiber *f, int why);

#endif /* FIBER_CANCEL_PRIVATE_H */
