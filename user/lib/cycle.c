// SPDX-License-Identifier: MIT
/*
 * Looking for cycles.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "cycle.h"
#include "deadline.h"
#include "dump.h"
#include "extra.h"
#include "owner.h"
#include "sched.h"
#include "tell.h"

#define rt (&_fiber_rt)

/* Cycles that are remembered; more are found when these are gone. */
#define FOUND_MAX 64
/* Named in a report. */
#define NAMED_MAX FIBER_DUMP_SOME
/* How often it is looked whether a worker has woken: control blocks. */
#define WAKE_EVERY 64

enum colour {
	NEW,
	ON_PATH,
	DONE,
};

struct node {
	struct fiber *fiber;
	struct fiber_look look;
	struct fiber *owner; /* whom it waits for; or NULL */
	struct fiber *parent; /* who opened the scope that it is in; or NULL */
	const void *parent_on;
	struct node *to; /* owner's; for a scope, the first child's */
	struct node *sibling; /* next child of the parent */
	struct node *before; /* on the path */
	enum colour colour;
};

struct graph {
	struct node *nodes; /* by number of the control block */
	size_t n;
};

/* One that was found, and is gone if the next look does not find it. */
struct found {
	uint64_t mark; /* of all its waits; 0 is none */
	int64_t since;
	bool told;
	bool again;
};

static struct found found[FOUND_MAX];

void _fiber_cycle_forget(void)
{
	memset(found, 0, sizeof(found));
}

static bool is_owned(enum fiber_call call)
{
	return call == FIBER_CALL_MUTEX || call == FIBER_CALL_RDLOCK ||
	       call == FIBER_CALL_WRLOCK || call == FIBER_CALL_ONCE ||
	       call == FIBER_CALL_JOIN || call == FIBER_CALL_SCOPE;
}

/* Whether there is an end to all that it does; by copy, as it may go on. */
static bool is_limited(const struct fiber *f)
{
	const struct fiber_extra *extra;
	const struct fiber_ambient *ambient = NULL;
	struct fiber_ambient a;

	if (!_fiber_look_copy(&extra, &f->extra, sizeof(extra)))
		return true;
	if (extra &&
	    !_fiber_look_copy(&ambient, &extra->ambient, sizeof(ambient)))
		return true;
	if (!ambient)
		return false;
	return !_fiber_look_copy(&a, ambient, sizeof(a)) ||
	       a.of[0] != INT64_MAX || a.of[1] != INT64_MAX;
}

static bool waits_for_ever(const struct fiber *f)
{
	uint8_t kind = at_load(&f->kind, RELAXED);

	return (fiber_kind_is_fiber(kind) || kind == FIBER_KIND_THREAD) &&
	       _fiber_look_is_for_ever(f);
}

/* Whether f is a node; then *node is written. */
static bool look_at(struct fiber *f, struct node *node)
{
	int64_t deadline = INT64_MAX;

	if (!waits_for_ever(f))
		return false;
	*node = (struct node){ .fiber = f };
	_fiber_look(f, &node->look);
	if (!node->look.waits || !is_owned(node->look.call) || is_limited(f))
		return false;
	node->owner = _fiber_owner(f, &node->look);
	if (fiber_kind_is_fiber(at_load(&f->kind, RELAXED)))
		node->parent =
			_fiber_owner_scope(f, &node->parent_on, &deadline);
	return deadline == INT64_MAX;
}

/* false if a worker has woken, and that was to be heeded. */
static bool collect(struct graph *g, bool idle)
{
	uint32_t end = _fiber_control_count();
	uint32_t i;

	for (i = _fiber_control_first(); i < end; i++) {
		if (idle && i % WAKE_EVERY == 0 &&
		    at_load(&rt->idle, RELAXED) != rt->nr_workers)
			return false;
		if (g->n < FIBER_CYCLE_NODES &&
		    look_at(_fiber_control_at(i), &g->nodes[g->n]))
			g->n++;
	}
	return true;
}

static int compare(const void *a, const void *b)
{
	const struct fiber *x = ((const struct node *)a)->fiber;
	const struct fiber *y = ((const struct node *)b)->fiber;

	return x->index < y->index ? -1 : x->index > y->index;
}

static struct node *find(const struct graph *g, struct fiber *f)
{
	struct node key = { .fiber = f };

	return f ? bsearch(&key, g->nodes, g->n, sizeof(key), compare) : NULL;
}

static void connect(struct graph *g)
{
	size_t i;

	for (i = 0; i < g->n; i++) {
		struct node *node = &g->nodes[i];
		struct node *parent = find(g, node->parent);

		if (node->look.call != FIBER_CALL_SCOPE)
			node->to = find(g, node->owner);
		if (!parent || parent->look.call != FIBER_CALL_SCOPE ||
		    parent->look.on != node->parent_on)
			continue;
		node->sibling = parent->to;
		parent->to = node;
	}
}

/* All of the cycle that ends with this one are still in the same waits. */
static bool still_waits(const struct node *last, size_t n)
{
	at_fence();
	for (; n--; last = last->before) {
		if (at_load(&last->fiber->park, ACQUIRE) != last->look.park)
			return false;
	}
	return true;
}

static uint64_t mark_of(const struct node *last, size_t n)
{
	uint64_t mark = 1;

	for (; n--; last = last->before)
		mark += ((uint64_t)last->fiber->index + last->look.park) *
			0x9e3779b97f4a7c15u;
	return mark ? mark : 1;
}

/* With stacks, unless those of all are about to be written. */
static void tell(const struct node *last, size_t n, bool ended, bool stacks)
{
	struct fiber *named[NAMED_MAX];
	struct fiber_lines lines = { 0 };
	size_t i;

	if (ended)
		_fiber_tell(&lines, "fiber: cycle: one waits for what another "
				    "has that has ended:\n");
	else
		_fiber_tell(&lines, "fiber: cycle: %zu wait for each other:\n",
			    n);
	for (i = 0; i < n && i < NAMED_MAX; i++, last = last->before) {
		named[i] = last->fiber;
		_fiber_tell_wait(&lines, last->fiber, &last->look);
	}
	if (i < n)
		_fiber_tell(&lines, "fiber:   and %zu more\n", n - i);
	_fiber_tell_end(&lines);
	if (stacks)
		(void)_fiber_dump_begin(STDERR_FILENO, named, i);
}

/* Where it is remembered, or may be; NULL if there is no room. */
static struct found *recall(uint64_t mark)
{
	struct found *room = NULL;
	int i;

	for (i = 0; i < FOUND_MAX; i++) {
		if (found[i].mark == mark)
			return &found[i];
		if (!found[i].mark)
			room = &found[i];
	}
	if (room)
		*room = (struct found){ .mark = mark,
					.since = _fiber_clock_real() };
	return room;
}

static void consider(const struct node *last, size_t n, bool ended,
		     int64_t lasts)
{
	struct found *it;

	if (!still_waits(last, n))
		return;
	it = recall(mark_of(last, n));
	if (!it)
		return;
	it->again = true;
	if (it->told || _fiber_clock_real() - it->since < lasts)
		return;
	it->told = true;
	tell(last, n, ended, lasts);
}

/* The next one to go to from here; what is on the path closes a cycle. */
static struct node *next_of(struct node *node)
{
	struct node *to = node->to;

	/* Once each: where there are more, they are children of a scope. */
	node->to = to && node->look.call == FIBER_CALL_SCOPE ? to->sibling :
							       NULL;
	return to;
}

static void consider_from(struct node *first, struct node *last, int64_t lasts)
{
	struct node *node = last;
	size_t n = 1;

	for (; node != first; node = node->before)
		n++;
	consider(last, n, false, lasts);
}

/* Depth first. */
static void walk(struct node *node, int64_t lasts)
{
	struct node *to;

	node->before = NULL;
	node->colour = ON_PATH;
	while (node) {
		to = next_of(node);
		if (!to) {
			node->colour = DONE;
			node = node->before;
		} else if (to->colour == ON_PATH) {
			consider_from(to, node, lasts);
		} else if (to->colour == NEW) {
			to->before = node;
			to->colour = ON_PATH;
			node = to;
		}
	}
}

/* Who is in the control block; by copy, as it may be changing. */
static bool read_life(const struct fiber *f, uint32_t *life)
{
	return at_load(&f->kind, ACQUIRE) == FIBER_KIND_FREE &&
	       _fiber_look_copy(life, &f->life, sizeof(*life));
}

/*
 * The owner has ended, and has been no other before and after the word was read:
 * so when that still named it, there was none.
 */
static bool owner_has_ended(const struct node *node)
{
	uint32_t before;
	uint32_t after;

	return node->owner && node->look.call != FIBER_CALL_JOIN &&
	       read_life(node->owner, &before) &&
	       _fiber_owner(node->fiber, &node->look) == node->owner &&
	       read_life(node->owner, &after) && before == after;
}

static void search(struct graph *g, int64_t lasts)
{
	size_t i;

	for (i = 0; i < g->n; i++) {
		struct node *node = &g->nodes[i];

		if (node->colour == NEW)
			walk(node, lasts);
		if (owner_has_ended(node))
			consider(node, 1, true, lasts);
	}
}

/* When the first of those that have not been told may be. */
static int64_t settle(int64_t lasts)
{
	int64_t t = INT64_MAX;
	int i;

	for (i = 0; i < FOUND_MAX; i++) {
		struct found *it = &found[i];

		if (!it->again)
			it->mark = 0;
		else if (!it->told && it->since + lasts < t)
			t = it->since + lasts;
		it->again = false;
	}
	return t;
}

int64_t _fiber_cycle_look(int64_t lasts, bool idle)
{
	/* Only what is used of it takes memory. */
	static struct node nodes[FIBER_CYCLE_NODES];
	struct graph g = { .nodes = nodes };

	if (!collect(&g, idle))
		return INT64_MAX;
	connect(&g);
	search(&g, lasts);
	return settle(lasts);
}
