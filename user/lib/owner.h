/* SPDX-License-Identifier: MIT */
/*
 * Who could end a wait, where that is for one fiber to do: who holds the mutex,
 * who writes in the rwlock, who is in the once, who is joined, the children of a
 * scope. Of all else that can be waited for anybody may be the one.
 */
#ifndef FIBER_OWNER_H
#define FIBER_OWNER_H

#include "look.h"

/*
 * The fiber, or the thread, that f's wait is for, of which look is; NULL if there
 * is none. It may have ended. Takes no lock.
 */
struct fiber *_fiber_owner(const struct fiber *f,
			   const struct fiber_look *look);

/*
 * scope.c: who opened the scope that f is a child of, or NULL; *on is what a wait
 * for it is on. *deadline is the scope's. f is any control block.
 */
struct fiber *_fiber_owner_scope(struct fiber *f, const void **on,
				 int64_t *deadline);

#endif /* FIBER_OWNER_H */
