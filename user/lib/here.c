// SPDX-License-Identifier: MIT
/*
 * Threads that are no workers: what they need to wait.
 *
 * MODEL. On its first call that may wait a thread is given a control block, and
 * thread-local memory that points to it. Both go back when it ends, or calls
 * fiber_thread_detach().
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include <fiber/run.h>

#include "clock.h"
#include "control.h"
#include "extra.h"
#include "here.h"

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int key_err;

static void detach(void *arg)
{
	struct fiber_here *here = arg;
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
}

static void make_key(void)
{
	key_err = -pthread_key_create(&key, detach);
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
	if (here->is_worker)
		return -EPERM;
	pthread_setspecific(key, NULL);
	detach(here);
	return 0;
}

void _fiber_here_forget(void)
{
	if (!_fiber_here_tls)
		return;
	if (!_fiber_here_tls->is_worker)
		pthread_setspecific(key, NULL);
	_fiber_here_tls = NULL;
}
