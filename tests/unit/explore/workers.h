/* SPDX-License-Identifier: MIT */
/*
 * For shapes with the library's own scheduler.
 */
#ifndef WORKERS_H
#define WORKERS_H

#include <fiber/fiber.h>
#include <fiber/run.h>

#include "env.h"

/* That many workers; flags are FIBER_TEST_MIGRATE and so on. */
void explore_add_workers(unsigned int n, uint32_t flags);
/* And so many without seats. */
void explore_add_spares(unsigned int n);
/* And so many more, each of which is not there before the monitor makes it. */
void explore_allow_spares(unsigned int n);
/* The thread that looks after them. Without it nobody looks twice. */
void explore_add_monitor(void);
/* There are so many stacks, all in all. */
void explore_set_stacks(unsigned int n);
/* A fiber that runs fn(arg). */
void explore_spawn(struct fiber **fiber, int (*fn)(void *), void *arg);
/* Returns what it returned. */
int explore_join(struct fiber *fiber);
/* By a client, when all fibers have ended: the workers end too. */
void explore_stop_workers(void);
/* After that: nothing is left. */
void explore_check_workers(void);

#endif /* WORKERS_H */
