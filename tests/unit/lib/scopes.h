/* SPDX-License-Identifier: MIT */
/*
 * What the tests of scopes share. All of these end the test when something fails.
 */
#ifndef SCOPES_H
#define SCOPES_H

#include <errno.h>

#include "fibers.h"

static inline struct fiber_scope *new_scope(unsigned int policy,
					    int64_t deadline)
{
	struct fiber_scope_attr attr = {
		.size = sizeof(attr),
		.policy = policy,
		.deadline = deadline,
	};
	struct fiber_scope *scope;

	CHECK_EQ(fiber_scope_new(&scope, &attr), 0);
	return scope;
}

static inline void scope_go(struct fiber_scope *scope, int (*fn)(void *),
			    void *arg)
{
	CHECK_EQ(fiber_scope_go(scope, fn, arg), 0);
}

#endif /* SCOPES_H */
