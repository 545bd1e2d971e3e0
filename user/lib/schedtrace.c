// SPDX-License-Identifier: MIT
/*
 * What all workers are at, in one line on standard error.
 *
 * Numbers are of one moment each, and the monitor's own: nobody is stopped.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "deadlock.h"
#include "held.h"
#include "life.h"
#include "schedtrace.h"
#include "seat.h"

#define rt (&_fiber_rt)

#define MS 1000000
#define LINE_MAX 4096
/* FIBER_DEBUG, cut to that. */
#define OPTIONS_MAX 256

/* Set when the runtime starts; then the monitor's. */
static int64_t every;
static int64_t started;
static int64_t next;

static int set_every(const char *value)
{
	char *end;
	long ms;

	every = 0;
	if (!value)
		return -EINVAL;
	if (!*value)
		return 0;
	errno = 0;
	ms = strtol(value, &end, 10);
	if (errno || *end || ms < 1 || ms > INT64_MAX / MS)
		return -EINVAL;
	every = ms * MS;
	started = _fiber_clock_real();
	next = started + every;
	return 0;
}

/* set gets the value, NULL if there is none, or "" if the key is not given. */
static const struct {
	const char *key;
	int (*set)(const char *value);
} keys[] = {
	{ "schedtrace", set_every },
	{ "deadlock", _fiber_deadlock_set },
	{ "stalled", _fiber_deadlock_set_stalled },
	{ "cycles", _fiber_deadlock_set_cycles },
	{ "locks", _fiber_held_set },
};

#define NR_KEYS (sizeof(keys) / sizeof(keys[0]))

static int set(const char *word, struct fiber_why *why)
{
	const char *value = strchr(word, '=');
	size_t len = value ? (size_t)(value - word) : strlen(word);
	size_t i;

	for (i = 0; i < NR_KEYS; i++) {
		if (strlen(keys[i].key) == len &&
		    !strncmp(keys[i].key, word, len) && !(value && !value[1]) &&
		    !keys[i].set(value ? value + 1 : NULL))
			return 0;
	}
	return _fiber_why(why, -EINVAL, "FIBER_DEBUG: '%s' is not known", word);
}

int _fiber_schedtrace_init(struct fiber_why *why)
{
	/* Not for programs with more rights than who set the variable. */
	const char *given = secure_getenv("FIBER_DEBUG");
	char copy[OPTIONS_MAX];
	char *rest = copy;
	char *word;
	size_t i;
	int err = 0;

	for (i = 0; i < NR_KEYS; i++)
		keys[i].set("");
	_fiber_deadlock_init();
	if (!given)
		return 0;
	snprintf(copy, sizeof(copy), "%s", given);
	while (!err && (word = strsep(&rest, ",")))
		err = *word ? set(word, why) : 0;
	return err;
}

int64_t _fiber_schedtrace_next(void)
{
	return every ? next : INT64_MAX;
}

static const char *at_what(const struct fiber_worker *w)
{
	if (at_load(&w->asleep, RELAXED))
		return fiber_is_spare(w) ? "spare" : "idle";
	if (fiber_is_spare(w))
		return "apart";
	return at_load(&w->stuck, RELAXED) ? "stuck" : "runs";
}

/* Returns how much was added. */
static int add_worker(char *to, size_t room, const struct fiber_worker *w)
{
	int n = snprintf(to, room, " [%u %s", w->number, at_what(w));

	if (n < (int)room && fiber_worker_loot(w))
		n += snprintf(to + n, room - n, " next=%d ring=%u fresh=%u",
			      !!at_load(&w->next, RELAXED),
			      fiber_ring_len(&w->ring),
			      (unsigned int)fiber_deque_len(&w->deque));
	if (n < (int)room && at_load(&w->inbox_len, RELAXED))
		n += snprintf(to + n, room - n, " inbox=%u",
			      at_load(&w->inbox_len, RELAXED));
	if (n < (int)room)
		n += snprintf(to + n, room - n, "]");
	return n;
}

static int add_totals(char *to, size_t room, int64_t now)
{
	return snprintf(
		to, room,
		"fiber: %lld ms: workers=%u idle=%u spinning=%u threads=%u "
		"excess=%u fibers=%llu global=%u starved=%u wakes=%llu "
		"blocks=%llu replaced=%llu",
		(long long)((now - started) / MS), rt->nr_workers,
		at_load(&rt->idle, RELAXED), at_load(&rt->spinning, RELAXED),
		fiber_workers_made() + 1, fiber_workers_away(),
		(unsigned long long)_fiber_life_count(),
		at_load(&rt->global_len, RELAXED),
		at_load(&rt->nr_starved, RELAXED),
		(unsigned long long)at_load(&rt->wakes, RELAXED),
		(unsigned long long)at_load(&rt->blocks, RELAXED),
		(unsigned long long)at_load(&rt->replaced, RELAXED));
}

void _fiber_schedtrace(void)
{
	int64_t now;
	char line[LINE_MAX];
	int n;
	uint32_t i;

	if (!every || (now = _fiber_clock_real()) < next)
		return;
	next = now + every;
	n = add_totals(line, sizeof(line), now);
	for (i = 0; i < fiber_workers_made(); i++) {
		int more = add_worker(line + n, sizeof(line) - n - 1,
				      rt->workers[i]);

		/* The others have no room in a line. */
		if (more >= (int)sizeof(line) - n - 1)
			break;
		n += more;
	}
	line[n] = '\0';
	/* At once, so that it stays a line among those of others. */
	fprintf(stderr, "%s\n", line);
}
