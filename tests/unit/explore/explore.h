/* SPDX-License-Identifier: MIT */
/*
 * The explorer: the library's own files under every order of events.
 *
 * MODEL. A shape is a small program: it makes what is shared, adds a few test
 * threads, runs them until all have ended, and looks at what is left. Test
 * threads are contexts of one real thread. One of them runs at a time, and
 * another may go on at every access to an atomic variable (explore_atomic.h),
 * and nowhere else. All choices come from a number, the seed, so that a seed is
 * a schedule, and a failure can be seen again:
 *
 *	build/unit/explore/explore_chan TEST SEED
 *
 * with EXPLORE_TRACE=1 step by step.
 *
 * SCHEDULES. Half of them pick at random who goes on, every so often. The other
 * half are PCT's (Burckhardt and others, ASPLOS 2010): threads have random
 * priorities, the highest that can runs, and at a few random steps whoever runs
 * becomes the lowest. That finds what takes few preemptions, if at the right
 * places.
 *
 * MEMORY. Stores of a thread wait in its buffer (buffer.h) as long as the
 * schedule likes. Plain variables are seen by all at once: those have an owner.
 *
 * Who waits, waits for somebody else or for a time. When nobody can run, and no
 * time is to come, a wake was lost: that fails, and says where everybody is.
 *
 * ENVIRONMENT. EXPLORE_SECONDS runs each test for so long, with seeds that
 * follow those of a usual run. EXPLORE_SCHEDULES replaces their number,
 * EXPLORE_MEMORY=sc|tso|pso|llsc|weak the kind of memory.
 */
#ifndef EXPLORE_H
#define EXPLORE_H

#include <stdbool.h>
#include <stdint.h>

#include "harness.h"

struct explore_thread;

/* A test of harness.h: so many schedules of the shape. */
void explore(const char *test, void (*shape)(void), unsigned int schedules);
#define EXPLORE(shape, schedules) explore(__func__, shape, schedules)

#define EXPLORE_RUN(argc, argv, tests) \
	explore_main(argc, argv, tests, sizeof(tests) / sizeof((tests)[0]))
int explore_main(int argc, char **argv, const struct test *tests, size_t n);

/* By a shape, before it runs. The name is for reports. */
struct explore_thread *explore_add(const char *name, void (*fn)(void *),
				   void *arg);
/* One that serves the others, in a loop around explore_nap(). */
struct explore_thread *explore_add_daemon(const char *name, void (*fn)(void *),
					  void *arg);
/* Return when all have ended but daemons, which nap. */
void explore_run(void);

/*
 * By a daemon: let others run for a while. Returns false when all have ended, on
 * which the daemon does too. *nobody: none of them can run, and it is up to the
 * daemon.
 */
bool explore_nap(bool *nobody);

/* Less than n, by the schedule. */
uint32_t explore_choose(uint32_t n);
/* Somebody else may come in. */
void explore_yield(void);

/* The time, of which none passes by itself. */
int64_t explore_now(void);

#define EXPECT(condition)        \
	((condition) ? (void)0 : \
		       explore_fail(__FILE__, __LINE__, "%s", #condition))
#define EXPECT_EQ(a, b) explore_equal(__FILE__, __LINE__, #a, a, #b, b)

_Noreturn void explore_fail(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void explore_equal(const char *file, int line, const char *a_text, long long a,
		   const char *b_text, long long b);

#endif /* EXPLORE_H */
