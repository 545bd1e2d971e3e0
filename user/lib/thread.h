/* SPDX-License-Identifier: MIT */
/*
 * Threads of the runtime: how they are made.
 */
#ifndef FIBER_THREAD_H
#define FIBER_THREAD_H

#include <pthread.h>
#include <stddef.h>

#include "why.h"

/*
 * Start a thread that blocks all signals but those that an instruction causes,
 * SIGABRT and SIGPROF: what is sent to the process is for other threads.
 * stack_size in bytes; 0, or too small for this C library: its default. 0 or
 * -errno.
 */
int _fiber_thread_start(pthread_t *thread, void *(*fn)(void *), void *arg,
			size_t stack_size, struct fiber_why *why);

#endif /* FIBER_THREAD_H */
