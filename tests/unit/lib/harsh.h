/* SPDX-License-Identifier: MIT */
/*
 * What the tests share that make life hard for the runtime.
 *
 * They have in common that they draw at random, that they must notice if
 * nothing goes on any more, and that they want all of the library to be used.
 */
#ifndef HARSH_H
#define HARSH_H

#include <stdatomic.h>

#include "fibers.h"

/* FIBER_TEST_SEED, or a new one; printed, never 0. */
uint64_t harsh_seed(void);
/* xorshift64*: the next one, from 0 to n - 1. */
uint32_t harsh_draw(uint64_t *state, uint32_t n);
/* So long, or its share of STRESS_SECONDS if a program has n such. */
int64_t harsh_time(int64_t ns, int n);

/*
 * Who does something, and how far it has come. If none of them has made a step
 * in HARSH_SILENCE, the watch prints what each did last, and what the runtime is at,
 * and ends the test.
 */
#define HARSH_SILENCE ((TEST_SLOWER > 1 ? 20 : 5) * SEC)
extern int64_t harsh_silence; /* that, but for who looks at the watch itself */
#define HARSH_ACTORS_MAX 64

struct harsh_actor {
	char name[16];
	atomic_ulong steps;
	_Atomic(const char *) doing;
};

/* In a thread of its own, from the one to the other. */
void harsh_watch(void);
void harsh_unwatch(void);
struct harsh_actor *harsh_actor(const char *name);
/* One more step is done, and this is next: a string that stays. */
void harsh_step(struct harsh_actor *actor, const char *doing);

/*
 * Run fibers, and a few plain threads, that do everything with channels at
 * random, and make and end fibers, for so long. What is sent is received once,
 * whole and in order; whoever waits when a channel is closed is woken.
 */
void harsh_traffic(unsigned int workers, unsigned int flags, int64_t ns,
		   uint64_t seed);

/*
 * All of the library once, from its start to its stop, done by a plain thread.
 * Returns 0, or the first error of a call, after which whatever had been made
 * was given back, and the runtime was stopped. *where, if there is one, is the
 * call. Errors other than -ENOMEM and -EAGAIN end the test.
 */
int harsh_scenario(const char **where);

#endif /* HARSH_H */
