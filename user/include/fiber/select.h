/* SPDX-License-Identifier: MIT */
/*
 * Waiting for whichever of several channels is ready first.
 */
#ifndef FIBER_SELECT_H
#define FIBER_SELECT_H

#include <fiber/chan.h>

#ifdef __cplusplus
extern "C" {
#endif

enum fiber_op {
	FIBER_SEND = 1,
	FIBER_RECV = 2,
};

/* Of several that are ready, the first one and not a random one. */
#define FIBER_SELECT_ORDERED 1u

/* How many cases one call can have. */
#define FIBER_CASES_MAX 64

struct fiber_case {
	struct fiber_chan *chan; /* NULL: never ready */
	void *elem; /* as in fiber_send() or fiber_recv() */
	int op; /* enum fiber_op */
	int result; /* of the case that is chosen: 0, or -EPIPE */
};

/*
 * Do exactly one of n cases, waiting until one can be done, and return its
 * number; cases[number].result is what the plain call would have returned.
 * A channel may be in several cases, to send and to receive; a case never meets
 * another one of the same call. If several can be done one is chosen at random,
 * each as likely as the others.
 *
 * -EINVAL for more than FIBER_CASES_MAX cases, an op that is none or unknown
 * flags; -ENOMEM as fiber_send(); -ECANCELED; until: -ETIMEDOUT; try: -EAGAIN
 * if none can be done now. Without a case, or with NULL channels only, it waits
 * for cancellation or the deadline.
 */
FIBER_API int fiber_select(struct fiber_case *cases, int n, unsigned int flags);
FIBER_API int fiber_select_until(struct fiber_case *cases, int n,
				 unsigned int flags, int64_t deadline);
FIBER_API int fiber_try_select(struct fiber_case *cases, int n,
			       unsigned int flags);

#ifdef __cplusplus
}
#endif

#endif /* FIBER_SELECT_H */
