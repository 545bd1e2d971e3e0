/* SPDX-License-Identifier: MIT */
/*
 * The runtime, for tests that are about what runs in it.
 */
#ifndef TEST_RUNTIME_H
#define TEST_RUNTIME_H

#include <fiber.h>
#include <stdatomic.h>
#include <stdint.h>

#include "harness.h"

#define RUNTIME_MS INT64_C(1000000)
#define RUNTIME_SECOND INT64_C(1000000000)

/* How many times: some ways of running them are slower. */
#define RUNTIME_TIMES(n) TEST_TIMES(n)

/*
 * fiber_run() of a main that returns 0; workers and flags of the config. One
 * worker is one thread: what fibers do is then done in turn.
 */
void runtime_run(unsigned int workers, unsigned int flags, int (*main)(void *),
		 void *arg);
/* The same around what the calling thread does. Nothing may be left. */
void runtime_start(unsigned int workers, unsigned int flags);
void runtime_stop(void);

struct fiber *runtime_spawn(int (*fn)(void *), void *arg);
struct fiber *runtime_spawn_named(const char *name, int (*fn)(void *),
				  void *arg);
/* Returns what the fiber returned. */
int runtime_join(struct fiber *fiber);
/* Spawn n of them, and join them: each returns 0. At most 1000. */
void runtime_spawn_and_join(int n, int (*fn)(void *), void *arg);

struct fiber_status runtime_status(void);

/* Yield until the word is at least so much. */
void runtime_await(atomic_int *word, int value);
/* Compute, in no call of the library, until so much time is over. */
void runtime_burn(int64_t ns);

/* Run fn(arg) in a thread of its own, and wait for its end. */
void runtime_in_thread(void *(*fn)(void *), void *arg);
/*
 * Run fn(arg), and then _exit(0), in a child process. Returns what waitpid()
 * says. Also from a fiber, whose worker waits.
 */
int runtime_in_child(void (*fn)(void *), void *arg);

#endif /* TEST_RUNTIME_H */
