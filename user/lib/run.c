// SPDX-License-Identifier: MIT
/*
 * Starting and stopping; what there is to know about it.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <fiber/cancel.h>
#include <fiber/fiber.h>
#include <fiber/run.h>

#include "bound.h"
#include "bucket.h"
#include "clock.h"
#include "config.h"
#include "control.h"
#include "deadlock.h"
#include "debug.h"
#include "debugenv.h"
#include "dump.h"
#include "here.h"
#include "life.h"
#include "monitor.h"
#include "sigquit.h"
#include "sized.h"
#include "stacks.h"
#include "worker.h"

#define rt (&_fiber_rt)
#define FLAGS_ALL (FIBER_TEST_MIGRATE | FIBER_TEST_CLOCK)
/* How often it is looked whether all fibers have ended, when stopping. */
#define LOOK_US_MIN 50
#define LOOK_US_MAX 5000

/* For those that are at their ends anyway, or end when they are cancelled. */
#define GRACE_NS 1000000000

/* Of starting and stopping. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool hooked; /* lock: at fork and exit */
/* It never waits by it. */
static struct fiber monitor_self = { .kind = { FIBER_KIND_IDLE } };

void _fiber_rt_failed(const struct fiber_why *why)
{
	bool is_new;

	fiber_lock(&rt->why_lock);
	is_new = strcmp(rt->why.text, why->text);
	rt->why = *why;
	fiber_unlock(&rt->why_lock);
	if (is_new)
		fprintf(stderr, "fiber: %s\n", why->text);
}

/*
 * The child has one thread: the one that called fork(), on the stack that it
 * had. All else of the runtime may be in any state, and is not used again.
 */
static void after_fork(void)
{
	_fiber_workers_unmask();
	_fiber_here_forget();
	_fiber_control_forget();
	_fiber_bucket_forget();
	_fiber_bound_forget();
	_fiber_dump_forget();
	_fiber_deadlock_forget();
	if (at_load(&rt->state, RELAXED) != FIBER_RT_NONE)
		_fiber_overflow_exit();
	memset(rt, 0, sizeof(*rt));
	at_store(&rt->state, FIBER_RT_FORKED, RELAXED);
	pthread_mutex_init(&lock, NULL);
}

/* Who calls exit() does not want more to be done meanwhile. */
static void at_exit(void)
{
	at_store(&rt->quit, 1, RELAXED);
}

static int hook(struct fiber_why *why)
{
	if (hooked)
		return 0;
	if (pthread_atfork(NULL, NULL, after_fork) || atexit(at_exit))
		return _fiber_why(why, -ENOMEM, "no memory for a handler");
	hooked = true;
	return 0;
}

static int check(const struct fiber_config *config, struct fiber_why *why)
{
	if (config->workers > FIBER_WORKERS_MAX)
		return _fiber_why(why, -EINVAL, "%u workers: at most %u",
				  config->workers, FIBER_WORKERS_MAX);
	if (config->spares > FIBER_SPARES_MAX &&
	    config->spares != FIBER_SPARES_NONE)
		return _fiber_why(why, -EINVAL, "%u spares: at most %u",
				  config->spares, FIBER_SPARES_MAX);
	if (config->flags & ~FLAGS_ALL)
		return _fiber_why(why, -EINVAL, "unknown flags in the config");
	if (config->guard > FIBER_GUARDS_SOFT)
		return _fiber_why(why, -EINVAL, "there is no guard %u",
				  config->guard);
	if (config->grace_ns < 0)
		return _fiber_why(why, -EINVAL, "a negative grace_ns");
	return 0;
}

static uint64_t random_seed(void)
{
	uint64_t seed = 0;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
		seed = _fiber_clock_real();
	return seed;
}

static void reset(const struct fiber_config *config)
{
	/* Others may be looking at the state, which is the first. */
	memset(&rt->state + 1, 0, sizeof(*rt) - sizeof(rt->state));
	at_store(&rt->state, FIBER_RT_NONE, RELAXED);
	rt->nr_workers = config->workers ? config->workers :
					   _fiber_config_cpus();
	if (rt->nr_workers > FIBER_WORKERS_MAX)
		rt->nr_workers = FIBER_WORKERS_MAX;
	rt->nr_spares = config->spares ? config->spares : FIBER_SPARES_MAX;
	if (config->spares == FIBER_SPARES_NONE)
		rt->nr_spares = 0;
	rt->monitor_here.cur = &monitor_self;
	rt->flags = config->flags;
	rt->seed = config->seed ? config->seed : random_seed();
}

/* lock is held, and the runtime is not running. */
static int start(const struct fiber_config *config, struct fiber_why *why)
{
	int err = check(config, why);

	if (!err)
		err = hook(why);
	if (!err && _fiber_workers_abandoned())
		err = _fiber_why(why, -EBUSY,
				 "a fiber that was left over when "
				 "the runtime stopped still runs");
	if (err)
		return err;
	reset(config);
	_fiber_barrier_init();
	_fiber_clock_init(config->flags & FIBER_TEST_CLOCK);
	err = _fiber_stacks_init(config->stack_size, config->guard, why);
	if (err)
		return err;
	err = _fiber_debugenv_init(why);
	if (!err)
		err = _fiber_overflow_init(why);
	if (err)
		goto err_stacks;
	err = _fiber_workers_start(why);
	if (err)
		goto err_overflow;
	at_store(&rt->state, FIBER_RT_RUNNING, RELEASE);
	_fiber_sigquit_init();
	return 0;

err_overflow:
	_fiber_overflow_exit();
err_stacks:
	_fiber_stacks_exit(false);
	at_store(&rt->quit, 0, RELAXED);
	return err;
}

static bool is_stopped(void)
{
	uint32_t state = at_load(&rt->state, ACQUIRE);

	return state == FIBER_RT_NONE || state == FIBER_RT_FORKED;
}

bool _fiber_rt_hold(void)
{
	pthread_mutex_lock(&lock);
	if (!is_stopped())
		return true;
	pthread_mutex_unlock(&lock);
	return false;
}

void _fiber_rt_release(void)
{
	pthread_mutex_unlock(&lock);
}

/* config as it was given; what to do if it is running already. */
static int start_given(const struct fiber_config *given, int if_running)
{
	struct fiber_config config = { .size = sizeof(config) };
	struct fiber_why why = { "" };
	int err = 0;

	if (given)
		err = _fiber_sized_get(&config, sizeof(config), given,
				       given->size);
	if (err)
		return err;
	if (!is_stopped())
		return if_running;
	pthread_mutex_lock(&lock);
	if (!is_stopped()) {
		pthread_mutex_unlock(&lock);
		return if_running;
	}
	err = start(&config, &why);
	pthread_mutex_unlock(&lock);
	if (err && why.text[0])
		fprintf(stderr, "fiber: %s\n", why.text);
	return err;
}

int fiber_start(const struct fiber_config *config)
{
	return start_given(config, -EBUSY);
}

int _fiber_rt_need(void)
{
	uint32_t state = at_load(&rt->state, ACQUIRE);

	if (state == FIBER_RT_RUNNING)
		return 0;
	return state == FIBER_RT_NONE ? start_given(NULL, 0) : -EPERM;
}

/* Whether all have ended before the deadline. */
static bool await_all(int64_t deadline)
{
	useconds_t pause = LOOK_US_MIN;

	/* Again each time: somebody may just have been making one. */
	while (_fiber_life_cancel_all()) {
		/* Virtual time does not pass while we wait for it. */
		if (_fiber_clock_real() >= deadline)
			return false;
		usleep(pause);
		if (pause < LOOK_US_MAX)
			pause *= 2;
	}
	return true;
}

/* lock is held, and no fibers are made. */
static void tear_down(bool left)
{
	_fiber_sigquit_exit();
	if (left)
		_fiber_workers_abandon();
	else
		_fiber_workers_stop();
	_fiber_workers_free(left);
	_fiber_stacks_exit(left);
	_fiber_overflow_exit();
	at_store(&rt->state, FIBER_RT_NONE, RELEASE);
}

/* Whether it was running, and is from now on stopping. */
static bool begin_stop(void)
{
	uint32_t running = FIBER_RT_RUNNING;

	return at_cas(&rt->state, &running, FIBER_RT_STOPPING);
}

int fiber_stop_until(int64_t deadline)
{
	struct fiber_here *here = _fiber_here();
	bool left;

	if (here && fiber_here_is_fiber(here))
		return -EDEADLK;
	if (!begin_stop())
		return -EPERM;
	left = !await_all(deadline);
	if (left)
		_fiber_debug_left_over();
	pthread_mutex_lock(&lock);
	tear_down(left);
	pthread_mutex_unlock(&lock);
	return left ? -ETIMEDOUT : 0;
}

int fiber_run(int (*main)(void *), void *arg, const struct fiber_config *config)
{
	struct fiber_here *here = _fiber_here();
	int64_t grace = GRACE_NS;
	struct fiber *f;
	int result;
	int err;

	if (!main)
		return -EINVAL;
	if (here && fiber_here_is_fiber(here))
		return -EBUSY;
	err = start_given(config, -EBUSY);
	if (err)
		return err;
	if (config && config->size >= offsetof(struct fiber_config, seed) &&
	    config->grace_ns)
		grace = config->grace_ns;
	err = fiber_spawn(&f, main, arg, NULL);
	if (!err)
		err = fiber_join(f, &result);
	fiber_stop_until(grace < INT64_MAX - _fiber_clock_real() ?
				 _fiber_clock_real() + grace :
				 INT64_MAX);
	return err ? err : result;
}

static void count(struct fiber_status *s)
{
	uint32_t i;

	for (i = 0; i < fiber_workers_made(); i++) {
		struct fiber_worker *w = rt->workers[i];

		s->spawned += at_load(&w->spawned, RELAXED);
		s->dispatches += at_load(&w->tick, RELAXED);
		s->steals += at_load(&w->steals, RELAXED);
		s->stacks += at_load(&w->stacks_got, RELAXED);
		s->stacks -= at_load(&w->stacks_put, RELAXED);
	}
	s->spawned += at_load(&rt->spawned, RELAXED);
	s->fibers = _fiber_life_count();
}

int fiber_status(struct fiber_status *status)
{
	struct fiber_status s = { 0 };

	if (!status)
		return -EINVAL;
	if (!_fiber_rt_hold())
		return -EPERM;
	s.workers = rt->nr_workers;
	s.bound = _fiber_bound_count();
	s.threads = fiber_workers_made() + s.bound + 1;
	s.excess = fiber_workers_away();
	s.blocks = at_load(&rt->blocks, RELAXED);
	s.replaced = at_load(&rt->replaced, RELAXED);
	s.idle = at_load(&rt->idle, RELAXED);
	s.guard = rt->arena.ladder.rung;
	s.wakes = at_load(&rt->wakes, RELAXED);
	s.starved = at_load(&rt->nr_starved, RELAXED);
	count(&s);
	strcpy(s.blocking, "monitor");
	fiber_lock(&rt->why_lock);
	memcpy(s.why, rt->why.text, sizeof(s.why));
	fiber_unlock(&rt->why_lock);
	_fiber_rt_release();
	return _fiber_sized_put(status, status->size, &s, sizeof(s));
}
