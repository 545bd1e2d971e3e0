/* SPDX-License-Identifier: MIT */
/*
 * What tests share that see the runtime by its public headers only.
 *
 * All of these end the test when something fails.
 */
#ifndef FIBERS_H
#define FIBERS_H

#include <fiber.h>

#include "harness.h"

#define USEC 1000ll
#define MSEC (1000 * USEC)
#define SEC (1000 * MSEC)
#define HOUR (3600 * SEC)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* As many rounds, or fewer where each of them is slow. */
#define ROUNDS(n) TEST_TIMES(n)

/*
 * Run fn as the main fiber. Others that are left when it returns are cancelled
 * and have ten seconds to end.
 */
void run_with(unsigned int workers, unsigned int flags, void (*fn)(void));

/* That with 1, 2 and 4 workers, and with 2 and 4 under forced migration. */
void run_shapes(unsigned int flags, void (*fn)(void));

/*
 * With FIBER_TEST_CLOCK: return when all others wait for the caller or for a
 * later time. Without: give them a millisecond.
 */
void settle(void);

struct fiber *spawn(int (*fn)(void *), void *arg);
/* What the fiber returned. */
int join(struct fiber *fiber);

/* Run n fibers, fn(&args[i]) each, until all have returned 0. */
void run_all(int n, int (*fn)(void *), void *args, size_t arg_size);

struct fiber_chan *new_chan(size_t elem_size, size_t capacity);

/* Of channels of int. */
void send_int(struct fiber_chan *chan, int value);
int recv_int(struct fiber_chan *chan);

/* Neither an element nor somebody who waits is in the channel of int. */
void check_idle(struct fiber_chan *chan);

#endif /* FIBERS_H */
