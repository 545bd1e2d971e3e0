/* SPDX-License-Identifier: MIT */
/*
 * What a fiber is at, as seen from outside (fiber/debug.h).
 *
 * MODEL. Whoever looks takes no lock that fibers take, but for those of
 * fiber_status(): the control block is copied while it may change, and what was
 * read is of one moment if the park word is the same after as before. What a
 * fiber that does not run has in its control block and on its stack stays as it
 * is until it does.
 */
#ifndef FIBER_DEBUG_PRIVATE_H
#define FIBER_DEBUG_PRIVATE_H

#include <fiber/debug.h>

#include "look.h"
#include "sched.h"
#include "stackcopy.h"

/* A fiber at one moment. */
struct fiber_sight {
	struct fiber *fiber;
	struct fiber copy; /* of its control block */
	struct fiber_stack stack; /* that it is on; low is NULL: none */
	struct fiber_look look; /* at what it waits for */
	uint32_t tid; /* RUNS: of the worker's thread */
	int64_t now; /* WAITS: by the clock of its deadline */
	struct fiber_info info;
};

/*
 * false if nobody is in this control block whom there is anything to say of. copy,
 * which may be NULL, gets the stack if the fiber has one and does not run: else
 * its len is 0, and pc too.
 */
bool _fiber_debug_look(struct fiber *f, struct fiber_sight *sight,
		       struct fiber_stackcopy *copy);

/* The channel of a case of a select, or NULL; *is_send is what it wants. */
const void *_fiber_debug_case(struct fiber_sight *sight, unsigned int i,
			      bool *is_send);

/* The runtime stops: name those that have not ended on standard error. */
void _fiber_debug_left_over(void);

/* scope.c: whose waiters they are. */
const void *_fiber_scope_of(const void *waiters);

/*
 * run.c: the runtime does not start or stop, and its workers are there, until it
 * is released. false if there is none. Not by who runs the monitor, and not while
 * anything is waited for.
 */
bool _fiber_rt_hold(void);
void _fiber_rt_release(void);

#endif /* FIBER_DEBUG_PRIVATE_H */
