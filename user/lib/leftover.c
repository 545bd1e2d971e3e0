// SPDX-License-Identifier: MIT
/*
 * Who is left over when the runtime stops.
 */
#include <stdio.h>

#include "control.h"
#include "debug.h"
#include "life.h"

/* Of more than these it is said how many. */
#define REPORT_MAX 32

static void add_what(char *to, size_t room, const struct fiber_info *info)
{
	if (info->state == FIBER_STATE_NEW)
		snprintf(to, room, "has not run");
	else if (info->state == FIBER_STATE_RUNS && info->bound)
		snprintf(to, room, "runs on a thread of its own");
	else if (info->state == FIBER_STATE_RUNS)
		snprintf(to, room, "runs on worker %u", info->worker);
	else if (info->state == FIBER_STATE_WAITS && info->object)
		snprintf(to, room, "waits in %s for %llu ms, on %p",
			 _fiber_look_call_name(info->call),
			 (unsigned long long)info->waits_ms, info->object);
	else if (info->state == FIBER_STATE_WAITS)
		snprintf(to, room, "waits in %s for %llu ms",
			 _fiber_look_call_name(info->call),
			 (unsigned long long)info->waits_ms);
	else
		snprintf(to, room, "waits for its turn");
}

static void report(const struct fiber_info *info)
{
	const char *quote = info->name[0] ? "'" : "";
	char what[128];

	add_what(what, sizeof(what), info);
	fprintf(stderr,
		"fiber: left over: fiber %llu%s%s%s%s, entered at %p, %s\n",
		(unsigned long long)info->id, info->name[0] ? " " : "", quote,
		info->name, quote, info->entry, what);
}

void _fiber_debug_left_over(void)
{
	uint32_t n = _fiber_control_count();
	struct fiber_sight sight;
	int named = 0;
	uint32_t i;

	for (i = _fiber_control_first(); i < n; i++) {
		if (!_fiber_debug_look(_fiber_control_at(i), &sight, NULL) ||
		    !sight.info.entry)
			continue;
		if (++named > REPORT_MAX)
			break;
		report(&sight.info);
	}
	if (named > REPORT_MAX)
		fprintf(stderr, "fiber: and %llu more\n",
			(unsigned long long)_fiber_life_count() - REPORT_MAX);
}
