/* SPDX-License-Identifier: MIT */
/*
 * libfiber: fibers and channels on few threads.
 *
 *	#include <fiber.h>
 *	#include <stdio.h>
 *
 *	static void producer(void *c)
 *	{
 *		for (int i = 0; i < 3; i++)
 *			fiber_send(c, &i);
 *		fiber_chan_close(c);
 *	}
 *
 *	static int start(void *arg)
 *	{
 *		struct fiber_chan *c;
 *		int i;
 *
 *		(void)arg;
 *		if (fiber_chan_new(&c, sizeof(i), 0, NULL))
 *			return 1;
 *		fiber_go(producer, c);
 *		while (fiber_recv(c, &i) == 0)
 *			printf("%d\n", i);
 *		fiber_chan_put(c);
 *		return 0;
 *	}
 *
 *	int main(void)
 *	{
 *		return fiber_run(start, NULL, NULL);
 *	}
 *
 * A fiber is a function with a stack of its own that is run by one of a few
 * threads, the workers, and gives its place to another fiber whenever it waits.
 * A fiber may go on on another thread than before, but only ever changes it
 * inside a call of this library.
 *
 * ERRORS. Every call that can fail returns 0 or more, or a negative error number
 * (-EINVAL, ...). The library neither reads nor writes errno; errno is valid
 * only until the next call, as the next one may return on another thread.
 *
 * TIME is in nanoseconds of CLOCK_MONOTONIC, in an int64_t. A deadline is a
 * point in time, never a duration; what takes one is named _until. One that has
 * passed still lets the call try once.
 *
 * THREADS. Unless it says otherwise, a function may be called by fibers and by
 * any other thread. The first call starts the library where that is needed.
 */
#ifndef FIBER_H
#define FIBER_H

#include <fiber/base.h>
#include <fiber/block.h>
#include <fiber/cancel.h>
#include <fiber/chan.h>
#include <fiber/debug.h>
#include <fiber/deadline.h>
#include <fiber/fiber.h>
#include <fiber/run.h>
#include <fiber/scope.h>
#include <fiber/select.h>
#include <fiber/sync.h>
#include <fiber/time.h>

#endif /* FIBER_H */
