// SPDX-License-Identifier: MIT
/*
 * Writing the dump.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include <fiber/block.h>
#include <fiber/run.h>

#include "clock.h"
#include "control.h"
#include "debug.h"
#include "dump.h"
#include "shot.h"
#include "text.h"
#include "unwind.h"

#define rt (&_fiber_rt)

#define FLAGS_ALL FIBER_DUMP_BRIEF
#define THREAD_STACK (512 * 1024)
#define MS INT64_C(1000000)

/* Different stacks that are known again, a power of two; and how full it gets. */
#define SEEN 16384u
#define SEEN_MAX (SEEN / 4 * 3)
/* Of a select. */
#define CASES_SHOWN 8
/* A worker has so long to answer, and all of them together. */
#define ANSWER_NS (500 * MS)
#define ANSWERS_NS (2000 * MS)
/* Who goes on each time it is looked at has no stack to be shown. */
#define TRIES 4

/* Numbered from 1, in the order in which they were written. */
struct seen {
	uint64_t hash; /* 0: none */
	uint32_t number;
	uint32_t count;
};

static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;

/* All under `one`. */
static struct fiber_text text;
static struct fiber_sight sight;
static struct fiber_stackcopy copy;
static struct fiber_frames frames;
static struct seen seen[SEEN];
static uint32_t nr_seen;
static int64_t patience; /* for so long workers may yet be waited for */

/* They are the program's, and may hold anything. */
static void add_quoted(const char *name)
{
	char shown[FIBER_NAME_SIZE];
	size_t i;

	for (i = 0; i < sizeof(shown) - 1 && name[i]; i++)
		shown[i] = name[i] < ' ' || name[i] > '~' ? '?' : name[i];
	shown[i] = '\0';
	_fiber_text_add(&text, " '%s'", shown);
}

static void add_function(uintptr_t pc)
{
	const struct fiber_name *name = _fiber_unwind_name(pc);

	if (name->name)
		_fiber_text_add(&text, "%.256s()", name->name);
	else if (name->object && *name->object)
		_fiber_text_add(&text, "%.512s+%#lx", name->object,
				name->offset);
	else
		_fiber_text_add(&text, "%#lx", pc);
}

static void add_cases(void)
{
	const char *before = " on ";
	unsigned int i;

	for (i = 0; i < sight.info.cases && i < CASES_SHOWN; i++) {
		bool is_send;
		const void *chan = _fiber_debug_case(&sight, i, &is_send);

		if (!chan)
			continue;
		_fiber_text_add(&text, "%s%p to %s", before, chan,
				is_send ? "send" : "receive");
		before = ", ";
	}
	if (i < sight.info.cases)
		_fiber_text_add(&text, ", and %u more", sight.info.cases - i);
}

static void add_wait(void)
{
	const struct fiber_info *info = &sight.info;

	_fiber_text_add(&text, "waits in %s for %llu ms",
			_fiber_look_call_name(info->call),
			(unsigned long long)info->waits_ms);
	if (info->call == FIBER_CALL_SELECT)
		add_cases();
	else if (info->call == FIBER_CALL_JOIN)
		_fiber_text_add(&text, " on fiber %llu",
				(unsigned long long)info->joins);
	else if (info->object)
		_fiber_text_add(&text, " on %p", info->object);
	if (info->deadline != FIBER_FOREVER)
		_fiber_text_add(&text, ", for %lld ms more at most",
				(long long)(info->deadline - sight.now) / MS);
}

static void add_state(void)
{
	switch (sight.info.state) {
	case FIBER_STATE_NEW:
		_fiber_text_add(&text, "has not run yet");
		break;
	case FIBER_STATE_READY:
		_fiber_text_add(&text, "waits for its turn");
		break;
	case FIBER_STATE_RUNS:
		if (sight.info.bound)
			_fiber_text_add(&text, "runs on a thread of its own");
		else
			_fiber_text_add(&text, "runs on worker %u",
					sight.info.worker);
		break;
	default:
		add_wait();
	}
}

static void add_head(void)
{
	const struct fiber_info *info = &sight.info;

	_fiber_text_add(&text, "\n%s %llu", info->entry ? "fiber" : "thread",
			(unsigned long long)info->id);
	if (info->name[0])
		add_quoted(info->name);
	if (info->entry) {
		_fiber_text_add(&text, ", entered at ");
		add_function((uintptr_t)info->entry);
	}
	_fiber_text_add(&text, ", ");
	add_state();
	if (info->cancelled)
		_fiber_text_add(&text, ", cancelled (%d)", info->cancelled);
	_fiber_text_add(&text, "\n");
}

/* Whether it was still the same fiber that the worker ran. */
static bool copy_running(int *err)
{
	int64_t limit = ANSWER_NS < patience ? ANSWER_NS : patience;
	int64_t begin = _fiber_clock_real();
	const struct fiber *f;
	uint32_t life;

	*err = -ETIMEDOUT;
	if (limit > 0)
		*err = _fiber_shot_take(sight.tid, begin + limit, &copy, &f,
					&life);
	patience -= _fiber_clock_real() - begin;
	return !*err && f == sight.fiber && life == sight.copy.life;
}

/* After the head of the fiber, which may be somewhere else by now. */
static bool copy_stack(int *err)
{
	struct fiber *f = sight.fiber;
	uint32_t life = sight.copy.life;
	int i;

	*err = 0;
	for (i = 0; i < TRIES; i++) {
		if (copy.pc ||
		    (sight.info.state == FIBER_STATE_RUNS && copy_running(err)))
			return true;
		if (*err == -ETIMEDOUT ||
		    !_fiber_debug_look(f, &sight, &copy) ||
		    sight.copy.life != life)
			break;
	}
	return false;
}

static uint64_t hash_frames(void)
{
	uint64_t hash = frames.n;
	unsigned int i;

	for (i = 0; i < frames.n; i++)
		hash = (hash ^ frames.pc[i]) * 0x9e3779b97f4a7c15u ^ hash >> 29;
	return hash | 1;
}

/* The stack's, new or not; NULL if there is no room for another one. */
static struct seen *find_seen(void)
{
	uint64_t hash = hash_frames();
	uint32_t i = hash >> 32;
	struct seen *s;

	for (;; i++) {
		s = &seen[i % SEEN];
		if (s->hash == hash)
			return s;
		if (!s->hash)
			break;
	}
	if (nr_seen == SEEN_MAX)
		return NULL;
	s->hash = hash;
	s->number = ++nr_seen;
	return s;
}

static void add_frame(uintptr_t pc)
{
	const struct fiber_name *name = _fiber_unwind_name(pc);

	_fiber_text_add(&text, "    %#018lx ", pc);
	add_function(pc);
	if (name->file)
		_fiber_text_add(&text, " %.512s:%d", name->file, name->line);
	_fiber_text_add(&text, "\n");
}

static void add_frames(void)
{
	unsigned int i;

	for (i = 0; i < frames.n; i++)
		add_frame(frames.pc[i]);
	if (frames.cut)
		_fiber_text_add(&text, "    and more\n");
}

static void add_no_stack(int err)
{
	if (err == -ETIMEDOUT)
		_fiber_text_add(&text, "  its worker does not answer\n");
	else
		_fiber_text_add(&text, "  it has gone on meanwhile\n");
}

static void add_stack(void)
{
	struct seen *s;
	int err;

	/* A debugger shows those of threads. */
	if (sight.info.state == FIBER_STATE_NEW || !sight.info.entry ||
	    sight.info.bound)
		return;
	if (!copy_stack(&err)) {
		add_no_stack(err);
		return;
	}
	_fiber_unwind(&copy, &frames);
	s = find_seen();
	if (s && s->count++) {
		_fiber_text_add(&text, "  stack %u, as above\n", s->number);
		return;
	}
	if (s)
		_fiber_text_add(&text, "  stack %u\n", s->number);
	add_frames();
}

static void add_top(unsigned int flags)
{
	struct fiber_status status = { .size = sizeof(status) };

	if (!fiber_status(&status))
		_fiber_text_add(&text,
				"fiber: %llu fibers, %u workers, %u threads\n",
				(unsigned long long)status.fibers,
				status.workers, status.threads);
	if (!_fiber_unwind_is_full())
		_fiber_text_add(&text,
				"fiber: no libdw.so.1: only what is exported "
				"has a name%s\n",
				flags & FIBER_DUMP_BRIEF ?
					"" :
					", and stacks are followed by frame "
					"pointers, which not all functions "
					"keep");
	if (!_fiber_look_is_direct())
		_fiber_text_add(&text,
				"fiber: process_vm_readv() is refused: memory "
				"is read by way of a pipe\n");
}

/* Those that more than one fiber has. */
static void add_counts(void)
{
	unsigned int i;

	_fiber_text_add(&text, "\n");
	for (i = 0; i < SEEN; i++) {
		if (seen[i].count > 1)
			_fiber_text_add(&text, "fiber: %u fibers: stack %u\n",
					seen[i].count, seen[i].number);
	}
}

static void add_one(struct fiber *f, struct fiber_stackcopy *to)
{
	if (!_fiber_debug_look(f, &sight, to))
		return;
	add_head();
	if (to)
		add_stack();
}

static void add_all(unsigned int flags)
{
	struct fiber_stackcopy *to = flags & FIBER_DUMP_BRIEF ? NULL : &copy;
	uint32_t n = _fiber_control_count();
	uint32_t i;

	for (i = _fiber_control_first(); i < n && !text.err; i++)
		add_one(_fiber_control_at(i), to);
}

struct order {
	int fd;
	unsigned int flags;
	/* So many of these only; 0 is all. */
	struct fiber *only[FIBER_DUMP_SOME];
	unsigned int n;
	int err;
	bool is_waited_for;
};

/* What there is memory for. */
static void write_all(const struct order *order)
{
	bool stacks = !(order->flags & FIBER_DUMP_BRIEF);
	unsigned int i;

	memset(seen, 0, sizeof(seen));
	nr_seen = 0;
	patience = ANSWERS_NS;
	/* Without a handler nobody is asked. */
	if (stacks && _fiber_shot_begin())
		patience = 0;
	if (!order->n) {
		add_top(order->flags);
		add_all(order->flags);
	}
	for (i = 0; i < order->n; i++)
		add_one(order->only[i], &copy);
	if (stacks) {
		_fiber_shot_end();
		add_counts();
	}
}

static int dump(const struct order *order)
{
	int err = -ENOMEM;

	pthread_mutex_lock(&one);
	_fiber_text_init(&text, order->fd);
	if (_fiber_unwind_init()) {
		write_all(order);
		_fiber_unwind_exit();
		err = _fiber_text_flush(&text);
	}
	pthread_mutex_unlock(&one);
	return err;
}

static void *run(void *arg)
{
	struct order *order = arg;

	prctl(PR_SET_NAME, "fiber-dump");
	order->err = dump(order);
	if (!order->is_waited_for)
		free(order);
	return NULL;
}

/* It takes no signals of the program's. */
static int start_thread(pthread_t *thread, struct order *order)
{
	pthread_attr_t attr;
	sigset_t before;
	sigset_t all;
	int err = pthread_attr_init(&attr);

	if (err)
		return -err;
	(void)pthread_attr_setstacksize(&attr, THREAD_STACK);
	if (!order->is_waited_for)
		pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(thread, &attr, run, order);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return -err;
}

static void set_some(struct order *order, struct fiber *const *some,
		     unsigned int n)
{
	order->n = n < FIBER_DUMP_SOME ? n : FIBER_DUMP_SOME;
	if (order->n)
		memcpy(order->only, some, order->n * sizeof(*some));
}

int _fiber_dump_begin(int fd, struct fiber *const *some, unsigned int n)
{
	struct order *order = malloc(sizeof(*order));
	pthread_t thread;
	int err;

	if (!order)
		return -ENOMEM;
	*order = (struct order){ .fd = fd };
	set_some(order, some, n);
	err = start_thread(&thread, order);
	if (err)
		free(order);
	return err;
}

int _fiber_dump_some(int fd, struct fiber *const *some, unsigned int n)
{
	struct order order = { .fd = fd, .is_waited_for = true };
	pthread_t thread;
	int err;

	set_some(&order, some, n);
	err = start_thread(&thread, &order);
	if (err)
		return err;
	pthread_join(thread, NULL);
	return order.err;
}

int fiber_dump(int fd, unsigned int flags)
{
	struct order order = { .fd = fd,
			       .flags = flags,
			       .is_waited_for = true };
	uint32_t state = at_load(&rt->state, ACQUIRE);
	pthread_t thread;
	int err;

	if (flags & ~FLAGS_ALL)
		return -EINVAL;
	if (state != FIBER_RT_RUNNING && state != FIBER_RT_STOPPING)
		return -EPERM;
	fiber_blocking_begin();
	err = start_thread(&thread, &order);
	if (!err) {
		pthread_join(thread, NULL);
		err = order.err;
	}
	fiber_blocking_end();
	return err;
}

void _fiber_dump_forget(void)
{
	pthread_mutex_init(&one, NULL);
	_fiber_shot_forget();
}
