// SPDX-License-Identifier: MIT
/*
 * Stacks between workers and arenas.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "control.h"
#include "extra.h"
#include "queue.h"
#include "stacks.h"

#define rt (&_fiber_rt)

/* The size of class 1; each next one has twice that. */
#define SIZE_MIN ((size_t)32 * 1024)
/* Free stacks that keep their memory however long nobody wants them. */
#define KEEP 1024
/* So many are trimmed at a time. */
#define TRIM 4096

int _fiber_stacks_class(size_t size, struct fiber_why *why)
{
	int class = 1;

	if (size == 0 || size == rt->arena.size)
		return 0;
	if (size % sysconf(_SC_PAGESIZE) || size < SIZE_MIN)
		return _fiber_why(why, -EINVAL,
				  "a stack of %zu bytes: it takes whole pages, "
				  "at least %zu KiB",
				  size, SIZE_MIN / 1024);
	while (SIZE_MIN << (class - 1) < size) {
		if (++class == FIBER_STACK_CLASSES)
			return _fiber_why(why, -EINVAL,
					  "a stack of %zu bytes: at most %zu",
					  size, SIZE_MIN << (class - 2));
	}
	return class;
}

static struct fiber_stack_arena *make_arena(uint32_t class,
					    struct fiber_why *why)
{
	struct fiber_stack_config config = {
		.size = SIZE_MIN << (class - 1),
		.guard = rt->arena.ladder.rung,
	};
	struct fiber_stack_arena *arena = calloc(1, sizeof(*arena));

	if (arena && _fiber_stack_arena_init(arena, &config, why)) {
		free(arena);
		arena = NULL;
	}
	return arena;
}

/* NULL if there is no memory for it. */
static struct fiber_stack_arena *arena_of(uint32_t class, struct fiber_why *why)
{
	struct fiber_stack_arena *arena;

	if (class == 0)
		return &rt->arena;
	pthread_mutex_lock(&rt->grow);
	if (!rt->arenas[class])
		rt->arenas[class] = make_arena(class, why);
	arena = rt->arenas[class];
	pthread_mutex_unlock(&rt->grow);
	return arena;
}

static struct fiber_stack *refill(struct fiber_worker *w)
{
	struct fiber_stack *stacks[FIBER_CACHE_BATCH];
	struct fiber_why why;
	int n = _fiber_stack_get(&rt->arena, stacks, FIBER_CACHE_BATCH, &why);
	int i;

	if (n < 0) {
		_fiber_rt_failed(&why);
		return NULL;
	}
	for (i = 1; i < n; i++) {
		stacks[n - i]->next = w->stacks;
		w->stacks = stacks[n - i];
		w->nr_stacks++;
	}
	return stacks[0];
}

struct fiber_stack *_fiber_stacks_get_slow(struct fiber_worker *w,
					   uint32_t class)
{
	struct fiber_stack_arena *arena;
	struct fiber_stack *stack;
	struct fiber_why why = { "no memory for an arena of stacks" };

	if (!_fiber_sanitize_has_room()) {
		_fiber_why(&why, -ENOMEM,
			   "the thread sanitizer has %u fibers, and no more",
			   FIBER_SANITIZE_MAX);
		_fiber_rt_failed(&why);
		return NULL;
	}
	if (class == 0)
		return refill(w);
	arena = arena_of(class, &why);
	if (!arena || _fiber_stack_get(arena, &stack, 1, &why) < 0) {
		_fiber_rt_failed(&why);
		return NULL;
	}
	return stack;
}

/* Up to a batch of those that are kept. */
static void spill(struct fiber_worker *w)
{
	struct fiber_stack *stacks[FIBER_CACHE_BATCH];
	uint32_t n = 0;

	while (n < FIBER_CACHE_BATCH && w->stacks) {
		stacks[n++] = w->stacks;
		w->stacks = w->stacks->next;
	}
	w->nr_stacks -= n;
	_fiber_stack_put(&rt->arena, stacks, n);
}

void _fiber_stacks_return(struct fiber_worker *w)
{
	if (!w->stacks)
		return;
	while (w->stacks)
		spill(w);
	_fiber_stacks_feed();
}

void _fiber_stacks_put_slow(struct fiber_worker *w, struct fiber_stack *stack,
			    uint32_t class)
{
	if (class) {
		_fiber_stack_put(rt->arenas[class], &stack, 1);
	} else {
		fiber_stacks_keep(w, stack);
		if (w->nr_stacks > FIBER_CACHE_MAX)
			spill(w);
	}
	if (at_load(&rt->nr_starved, RELAXED))
		_fiber_stacks_feed();
}

void _fiber_stacks_starve(struct fiber *f)
{
	fiber_lock(&rt->starved_lock);
	/* It is the one that was just let try; the others were later. */
	f->next = rt->starved;
	rt->starved = f;
	at_add(&rt->nr_starved, 1);
	fiber_unlock(&rt->starved_lock);
}

void _fiber_stacks_feed(void)
{
	struct fiber *f;

	fiber_lock(&rt->starved_lock);
	f = rt->starved;
	if (f) {
		rt->starved = f->next;
		at_add(&rt->nr_starved, -1);
	}
	fiber_unlock(&rt->starved_lock);
	if (!f)
		return;
	_fiber_queue_global_push(f, f, 1);
	_fiber_sched_submit();
}

void _fiber_stacks_overflowed(const struct fiber *f)
{
	const char *name = fiber_extra_name(f);

	fprintf(stderr,
		"fiber: stack overflow%s%s%s, entered at %p: it wrote below its "
		"%zu bytes, and ended\n",
		name ? " in '" : "", name ? name : "", name ? "'" : "",
		(void *)f->fn, rt->arena.body);
	abort();
}

void _fiber_stacks_trim(void)
{
	_fiber_stack_trim(&rt->arena, KEEP, TRIM);
}

bool _fiber_stacks_trimmed(void)
{
	return at_load(&rt->arena.nr_warm, RELAXED) <= KEEP;
}

/*
 * Whether guards that somebody asked for work here shows with the first stack. To
 * have no memory for one is no reason not to start.
 */
static int try_guard(struct fiber_why *why)
{
	struct fiber_stack *stack;
	int err = _fiber_stack_get(&rt->arena, &stack, 1, why);

	if (err > 0)
		_fiber_stack_put(&rt->arena, &stack, 1);
	return err == -EOPNOTSUPP ? err : 0;
}

int _fiber_stacks_init(size_t size, enum fiber_guard guard,
		       struct fiber_why *why)
{
	struct fiber_stack_config config = {
		.size = size,
		/* They are trimmed when nobody wants them for a while. */
		.warm_max = UINT32_MAX,
		.guard = guard,
	};
	int err;

	pthread_mutex_init(&rt->grow, NULL);
	err = _fiber_stack_arena_init(&rt->arena, &config, why);
	if (err || !rt->arena.ladder.fixed)
		return err;
	err = try_guard(why);
	if (err)
		_fiber_stack_arena_exit(&rt->arena);
	return err;
}

void _fiber_stacks_exit(bool left)
{
	uint32_t i;

	if (left)
		return;
	_fiber_stack_arena_exit(&rt->arena);
	for (i = 0; i < FIBER_STACK_CLASSES; i++) {
		if (rt->arenas[i]) {
			_fiber_stack_arena_exit(rt->arenas[i]);
			free(rt->arenas[i]);
		}
	}
}
