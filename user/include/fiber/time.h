/* SPDX-License-Identifier: MIT */
/*
 * Sleeping, timers and tickers.
 */
#ifndef FIBER_TIME_H
#define FIBER_TIME_H

#include <fiber/chan.h>

#ifdef __cplusplus
extern "C" {
#endif

struct fiber_timer;

/*
 * Sleep for so many nanoseconds, or until then. 0; -ECANCELED, -ENOMEM;
 * -ETIMEDOUT where a deadline (deadline.h) comes first.
 */
FIBER_API int fiber_sleep(int64_t ns);
FIBER_API int fiber_sleep_until(int64_t t);

/*
 * Make a timer with a channel of int64_t: at the time `at` the time is sent to
 * it, and then again every `every` nanoseconds (0: once). The channel holds one
 * element; while it is full what would be sent is dropped. Times never go back. at = FIBER_FOREVER
 * is a timer that is not set. -EINVAL, -ENOMEM.
 */
FIBER_API int fiber_timer_new(struct fiber_timer **timer, int64_t at,
			      int64_t every);

/*
 * Set it anew; FIBER_FOREVER stops it. What it has sent stays in the channel, and
 * what another thread is just sending still comes.
 * Returns 1 if it was set before, 0 if not; -EINVAL, -ENOMEM.
 */
FIBER_API int fiber_timer_set(struct fiber_timer *timer, int64_t at,
			      int64_t every);

/* Its channel, for as long as the timer exists, or fiber_chan_get(). */
FIBER_API struct fiber_chan *fiber_timer_chan(struct fiber_timer *timer);

/* Stop it, and give up its reference to the channel. Not while it is in use. */
FIBER_API void fiber_timer_free(struct fiber_timer *timer);

#ifdef __cplusplus
}
#endif

#endif /* FIBER_TIME_H */
