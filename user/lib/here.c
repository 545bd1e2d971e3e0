// SPDX-License-Identifier: MIT
/*
 * Threads that are no workers: what they need to wait. And the end of those that
 * are workers.
 *
 * MODEL. On its first call that may wait a thread is given a control block, and
 * thread-local memory that points to it. Both go back when it ends, or calls
 * fiber_thread_detach().
 *
 * A worker has the same key for as long as it runs fibers, and clears it before
 * it ends. pthread_exit() on the stack of a fiber comes by no frame of the
 * worker's own, but the C library calls the key's destructor even then.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <fiber/fiber.h>
#include <fiber/run.h>

#include "clock.h"
#include "control.h"
#include "deadlock.h"
#include "debug.h"
#include "extra.h"
#include "held.h"
#include "here.h"

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int key_err;

static void detach(struct fiber_here *here)
{
	struct fiber *f = here->cur;

	if (f->extra)
		_fiber_extra_end(f);
	_fiber_extra_free(f);
	_fiber_here_tls = NULL;
	fiber_lock(&f->lock);
	at_set(&f->kind, FIBER_KIND_FREE);
	fiber_unlock(&f->lock);
	_fiber_alarm_del(&f->alarm);
	_fiber_control_put(f, f);
	free(here);
	/* The thread may have been all that could wake others. */
	if (_fiber_rt_hold()) {
		_fiber_deadlock_poke();
		_fiber_rt_release();
	}
}

static _Noreturn void die(struct fiber *f)
{
	const char *name = fiber_extra_name(f);

	fprintf(stderr,
		"fiber: %llu%s%s%s ended its thread by pthread_exit() or "
		"pthread_cancel(); a fiber ends by fiber_exit()\n",
		(unsigned long long)fiber_id(f), name ? " '" : "",
		name ? name : "", name ? "'" : "");
	abort();
}

static void end(void *arg)
{
	struct fiber_here *here = arg;

	if (fiber_here_is_fiber(here))
		die(here->cur);
	detach(here);
}

static void make_key(void)
{
	key_err = -pthread_key_create(&key, end);
}

/* Without a key it does not hear of its end, and that is all. */
void _fiber_here_hold(struct fiber_here *here)
{
	if (fiber_held_on())
		at_or(&here->attention, FIBER_HERE_LOCKS);
	pthread_once(&once, make_key);
	if (!key_err)
		pthread_setspecific(key, here);
}

void _fiber_here_release(void)
{
	if (!key_err)
		pthread_setspecific(key, NULL);
}

static struct fiber_here *attach(void)
{
	struct fiber_here *here = calloc(1, sizeof(*here));
	struct fiber *f;

	if (!here)
		return NULL;
	_fiber_control_get(&f, 1);
	if (!f || pthread_setspecific(key, here)) {
		if (f)
			_fiber_control_put(f, f);
		free(here);
		return NULL;
	}
	at_set(&f->kind, FIBER_KIND_THREAD);
	f->life++;
	f->pins = 0;
	/* The fiber that was in it may have been cancelled, and masked that. */
	at_set(&f->masked, 0);
	at_set(&f->why, 0);
	f->stack = NULL;
	at_store(&f->attention, 0, RELAXED);
	at_store(&f->park, _fiber_park_ticket(f) + FIBER_PARK_GENERATION,
		 RELAXED);
	here->cur = f;
	if (fiber_held_on())
		at_store(&here->attention, FIBER_HERE_LOCKS, RELAXED);
	here->random = (_fiber_clock_real() + f->index) | 1;
	_fiber_here_tls = here;
	return here;
}

__attribute__((noinline, cold)) struct fiber_here *_fiber_here_slow(int *err)
{
	struct fiber_here *here;

	pthread_once(&once, make_key);
	*err = at_load(&_fiber_rt.state, ACQUIRE) == FIBER_RT_FORKED ? -EPERM :
								       key_err;
	if (*err)
		return NULL;
	here = attach();
	if (!here)
		*err = -ENOMEM;
	return here;
}

int fiber_thread_detach(void)
{
	struct fiber_here *here = _fiber_here();

	if (!here)
		return 0;
	if (fiber_here_is_fiber(here))
		return -EPERM;
	pthread_setspecific(key, NULL);
	detach(here);
	return 0;
}

void _fiber_here_forget(void)
{
	if (!_fiber_here_tls)
		return;
	_fiber_here_release();
	_fiber_here_tls = NULL;
}
