/* SPDX-License-Identifier: MIT */
/*
 * A deadline for all that a fiber does.
 *
 *	int64_t outer = fiber_deadline_push(fiber_after(200 * MS));
 *
 *	err = talk_to(server);
 *	fiber_deadline_pop(outer);
 *
 * Until it is popped every call of the fiber that may wait, in whatever function,
 * works as its _until form with this deadline would, or with its own if that is
 * earlier: when the time has come, what would have to wait returns -ETIMEDOUT, at
 * once, and what need not wait is still done. fiber_sleep() does when it would
 * take longer. Calls may return -ENOMEM, as _until forms do.
 *
 * A fiber that is started in a scope (scope.h) has the scope's deadline to begin
 * with, at which it is cancelled; other fibers have none. Other threads may have
 * one as well.
 *
 * While cancellation is masked (fiber_cancel_mask()), for cleaning up, what was
 * pushed before does not count. What is pushed then does, until the mask is taken
 * off.
 */
#ifndef FIBER_DEADLINE_H
#define FIBER_DEADLINE_H

#include <fiber/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The calling fiber's; FIBER_FOREVER if it has none. */
FIBER_API int64_t fiber_deadline(void);

/*
 * Make it t, unless it is earlier already. Returns what it was before, which is
 * what to pop. -ENOMEM: nothing has changed, and to pop that changes nothing.
 */
FIBER_API int64_t fiber_deadline_push(int64_t t);
FIBER_API void fiber_deadline_pop(int64_t before);

#ifdef __cplusplus
}
#endif

#endif /* FIBER_DEADLINE_H */
