/* SPDX-License-Identifier: MIT */
/*
 * Cancellation of a fiber.
 *
 * A cancelled fiber is not stopped: from then on each of its calls that may
 * wait fails with -ECANCELED, at once, whether it would have to wait or not,
 * and the one that it waits in does, until the fiber ends. A call that failed
 * so did nothing: no element was sent or taken, no reference given back. A call
 * that had its effect before the cancellation came reports the effect.
 */
#ifndef FIBER_CANCEL_H
#define FIBER_CANCEL_H

#include <fiber/fiber.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Cancel the fiber, for a reason of the caller's own, 1 or more; the first one
 * stays. -EINVAL, -ESRCH if it has ended.
 */
FIBER_API int fiber_cancel(struct fiber *fiber, int why);

/*
 * Why the calling fiber was cancelled, masked or not; 0 if it was not, and in
 * other threads.
 */
FIBER_API int fiber_cancelled(void);

/*
 * on = 1: calls of this fiber work as if it were not cancelled, for cleaning up;
 * on = 0: no longer. Returns what was set before, to be set again; 0 in other
 * threads. A deadline of all that the fiber does is masked too (deadline.h).
 */
FIBER_API int fiber_cancel_mask(int on);

#ifdef __cplusplus
}
#endif

#endif /* FIBER_CANCEL_H */
