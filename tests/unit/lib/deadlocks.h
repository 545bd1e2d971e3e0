/* SPDX-License-Identifier: MIT */
/*
 * Programs that hang, and such that only look like it: what is said about them.
 *
 * Each runs in a process of its own. What it prints on standard error decides
 * the class in which it was found, which is compared with the one that it is in;
 * a score by class is printed. A program that hangs is ended when it was found.
 */
#ifndef DEADLOCKS_H
#define DEADLOCKS_H

#include <fiber.h>

#include "fibers.h"

enum deadlock_class {
	HEALTHY, /* nothing may be said, and it ends by itself */
	CERTAIN, /* reported, and aborted */
	STALLED, /* reported if that is asked for */
	CYCLE, /* reported, and the rest goes on */
	UNKNOWABLE, /* some hang, and nobody can know: nothing may be said */
	CLASSES
};

struct deadlock_case {
	const char *name;
	enum deadlock_class class;
	int (*main)(void *); /* the main fiber, named so; or */
	void (*thread)(void); /* the main thread of the process */
	/* "WHO waits in CALL()": a line of the report. */
	const char *who;
	const char *call;
	unsigned int workers; /* 0 is 2 */
	unsigned int flags; /* of the config */
	const char *debug; /* FIBER_DEBUG, if not that of the class */
};

/* Run all of them. Fails if one is in another class than it was found in. */
void deadlocks_score(const struct deadlock_case *cases, size_t n);

/* For the cases: a fiber with a name. */
struct fiber *deadlocks_spawn(const char *name, int (*fn)(void *));
/* One that does something every millisecond until the process ends. */
void deadlocks_go_on(void);
/* The runtime, for cases with a main thread of their own. */
void deadlocks_start(void);
/* A channel of ints. */
struct fiber_chan *deadlocks_chan(size_t capacity);

#endif /* DEADLOCKS_H */
