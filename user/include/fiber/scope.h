/* SPDX-License-Identifier: MIT */
/*
 * Scopes: fibers that end together.
 *
 *	struct fiber_scope *scope;
 *
 *	err = fiber_scope_new(&scope, NULL);
 *	if (err)
 *		return err;
 *	fiber_scope_go(scope, fetch, &left);
 *	fiber_scope_go(scope, fetch, &right);
 *	err = fiber_scope_wait(scope);
 *	fiber_scope_free(scope);
 *	return err;
 *
 * Whoever opens a scope, a fiber or another thread, owns it: starts fibers in it,
 * its children, waits for all of them, and frees it. No child outlives its scope,
 * in whatever way the owner leaves it: to free it cancels those that are left and
 * waits for them, and so does the end of the owner if it has not freed it.
 *
 * CANCELLATION. To cancel a scope is to cancel all its children, and to start no
 * more. What does is fiber_scope_cancel(), the deadline of the scope, what a child
 * returns, as the policy has it, and cancellation of the owner, as soon as that
 * starts or waits for children: so it comes down through scopes within scopes.
 * fiber_cancelled() tells a child why. Children that mask it are waited for.
 *
 * DEADLINE. The scope's own or its owner's when it was opened (deadline.h),
 * whichever is earlier, is also the deadline that children begin with.
 */
#ifndef FIBER_SCOPE_H
#define FIBER_SCOPE_H

#include <fiber/deadline.h>
#include <fiber/fiber.h>

#ifdef __cplusplus
extern "C" {
#endif

struct fiber_scope;

/*
 * What the results of children, errors if they are below 0, are to the scope. What
 * comes when it is cancelled already is nothing to it.
 */
enum fiber_scope_policy {
	/* The first error cancels the scope. */
	FIBER_SCOPE_ALL,
	/* The first that is no error does, and is what to wait returns. */
	FIBER_SCOPE_ANY,
	/* Nothing does; the first error is what to wait returns. */
	FIBER_SCOPE_COLLECT,
	/* Nothing. */
	FIBER_SCOPE_IGNORE,
};

/* Set size to sizeof(struct fiber_scope_attr); all else may be 0. */
struct fiber_scope_attr {
	size_t size;
	int64_t deadline; /* 0 is none: see fiber_after() */
	unsigned int policy; /* enum fiber_scope_policy */
	unsigned int flags; /* 0 */
};

/*
 * Open a scope, owned by the caller; attr may be NULL. -EINVAL; -E2BIG, -ENOMEM,
 * -EPERM as fiber_spawn().
 */
FIBER_API int fiber_scope_new(struct fiber_scope **scope,
			      const struct fiber_scope_attr *attr);

/*
 * Run fn(arg) in a new fiber of the scope: called by anybody while the scope is
 * there, its children, say. -ECANCELED if it is cancelled; otherwise errors as
 * fiber_go(). spawn takes what fiber_spawn() does; fiber may be NULL, or is where
 * to put a reference, which fiber_join() or fiber_put() takes back.
 */
FIBER_API int fiber_scope_go(struct fiber_scope *scope, int (*fn)(void *),
			     void *arg);
FIBER_API int fiber_scope_spawn(struct fiber_scope *scope, struct fiber **fiber,
				int (*fn)(void *), void *arg,
				const struct fiber_attr *attr);

/*
 * Cancel the scope, for a reason of the caller's own, 1 or more, which is the
 * children's too. The first one stays. Does not wait. -EINVAL.
 */
FIBER_API int fiber_scope_cancel(struct fiber_scope *scope, int why);

/*
 * Wait until all children have ended; called by the owner. Afterwards more can be
 * started unless it is cancelled. Returns, whichever came first:
 *
 *	0            they have ended, and well
 *	an error     of a child, as the policy has it
 *	-ETIMEDOUT   the deadline had come, the scope's or the caller's
 *	-ECANCELED   the scope was cancelled, or the caller
 *
 * with FIBER_SCOPE_ANY also what the first child without an error returned, or if
 * there was none the first error. In all these cases no child is left.
 *
 * until: -ETIMEDOUT at its own deadline, or the caller's (deadline.h), leaves the
 * scope as it is. -EINVAL, -EPERM if the caller is not the owner, -ENOMEM (as calls
 * with a deadline), after which the scope is as it was.
 */
FIBER_API int fiber_scope_wait(struct fiber_scope *scope);
FIBER_API int fiber_scope_wait_until(struct fiber_scope *scope,
				     int64_t deadline);

/*
 * Cancel what is left in it, wait until that has ended, even if the caller is
 * cancelled, and free the scope. By the owner, others: aborts. NULL: nothing.
 */
FIBER_API void fiber_scope_free(struct fiber_scope *scope);

#ifdef __cplusplus
}
#endif

#endif /* FIBER_SCOPE_H */
