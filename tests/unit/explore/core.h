/* SPDX-License-Identifier: MIT */
/*
 * The explorer, on the inside: test threads, and what the schedule is made of.
 */
#ifndef CORE_H
#define CORE_H

#include "buffer.h"
#include "coro.h"
#include "explore.h"
#include "past.h"

#define THREADS_MAX 8

enum thread_state {
	THREAD_RUNS, /* or could */
	THREAD_WAITS,
	THREAD_NAPS,
	THREAD_ENDED,
};

struct explore_thread {
	struct coro co; /* first */
	const char *name;
	void (*fn)(void *);
	void *arg;
	enum thread_state state;
	bool daemon;
	bool nobody; /* it was woken from its nap because nobody else can run */
	int priority;
	uint64_t ran; /* the step at which it went on last */

	const void *word; /* what it waits for */
	const char *why; /* in words */
	int64_t until;
	bool for_store; /* it waits for a store to word */
	bool may_return; /* from the wait for no reason at all */
	bool timed_out;

	const char *place; /* its last access */
	uint64_t loads; /* hash of those since it paused, if nothing else was */
	uint64_t loads_before; /* of those before that */
	unsigned int spins; /* how often it was the same */
	struct explore_buffer buffer;
	struct explore_past past;
	uint64_t loaded; /* what its last load found */
	void *here; /* the environment's */
};

/* What a seed decides at its beginning. */
struct explore_profile {
	enum explore_memory memory;
	bool pct;
	unsigned int switch_gap; /* mean steps between events; 0 for never */
	unsigned int flush_gap;
	unsigned int time_gap;
	unsigned int pause; /* one of so many pauses lets others run; 0: none */
	unsigned int buffer_max;
};

struct explorer {
	struct explore_thread threads[THREADS_MAX];
	unsigned int n;
	struct explore_thread *self; /* who runs; NULL: the shape */
	struct coro shape;
	uint64_t seed;
	uint64_t random;
	struct explore_profile profile;
	uint64_t steps;
	uint64_t next_event; /* the earliest of: */
	uint64_t next_switch;
	uint64_t next_flush;
	uint64_t next_time;
	uint64_t next_fair;
	unsigned int changes; /* PCT: switches that are left */
	uint64_t length; /* steps of a run without preemption */
	int lowest; /* PCT: given last; and: */
	int highest;
	unsigned int store_waits; /* how many wait for a store */
	int64_t now;
	bool trace;
};

extern struct explorer explorer;

/* All that is due at this step. */
void explore_event(void);

/* A step of who runs: others may come in before what it is going to do. */
static inline void explore_point(const char *place)
{
	struct explore_thread *self = explorer.self;

	if (!self)
		return;
	self->place = place;
	if (++explorer.steps >= explorer.next_event)
		explore_event();
}

/* One of so many; never for 0. */
static inline bool explore_chance(uint32_t n)
{
	return n && !explore_choose(n);
}

/* By a thread: its stores are seen, and it sees what is there now. */
void explore_pass_fence(struct explore_thread *self);

/* Wait for explore_wake() of word. Returns whether the time came first. */
bool explore_wait(const void *word, int64_t until, bool may_return,
		  const char *why);
/* Wait until there is another value there than this thread just loaded. */
#define explore_wait_other(p, why) explore_wait_store(p, sizeof((p)->v), why)
void explore_wait_store(const void *at, size_t size, const char *why);
void explore_stored(const void *at);
/* Wake up to n. Returns how many. */
unsigned int explore_wake(const void *word, unsigned int n);

/* Move the time forward, and wake who waited for it. */
void explore_set_now(int64_t now);
/* No store waits for ever. */
void explore_drain_all(void);
/* When somebody's wait ends; INT64_MAX. */
int64_t explore_next_time(void);
/* Whether nobody else can run. */
bool explore_alone(void);
/* There is no time to come: fail if nobody can run, even so. */
void explore_stuck(void);

/* The environment's: be as new, for the next run. */
void explore_reset(void);
/* Nobody can run before then: nobody waits for an earlier time. */
void explore_check_time(int64_t until);
/* After the last one: no memory is kept. */
void explore_done(void);

/* For replays: a line about a step. */
void explore_trace(const char *what, const void *at, uint64_t value);

/* report.c: the seed, and what each thread is doing. */
void explore_report(void);
void explore_report_deaths(void);
void explore_report_test(const char *test);

#endif /* CORE_H */
