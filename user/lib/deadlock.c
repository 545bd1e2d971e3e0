// SPDX-License-Identifier: MIT
/*
 * The proof, and when to try it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control.h"
#include "cycle.h"
#include "deadlock.h"
#include "dump.h"
#include "life.h"
#include "monitor.h"
#include "tell.h"

#define rt (&_fiber_rt)

#define MS 1000000
/*
 * To look again after so long, and then so many times longer each time: three
 * looks in the first five seconds, and one in the next minute.
 */
#define PAUSE_MIN (16 * INT64_C(1000000))
#define PAUSE_GROWS 16
#define PAUSE_MAX (3600 * INT64_C(1000000000))
/* How long a cycle has to last, unless it is said. */
#define LASTS_NS INT64_C(1000000000)
/* Looking for cycles takes this part of the time at most. */
#define CYCLES_PART 100
/* Named in a report. */
#define NAMED_MAX FIBER_DUMP_SOME

enum mode {
	ABORT,
	REPORT,
	OFF,
};

/* Set when the runtime starts; then the monitor's. */
static enum mode mode;
static bool is_told; /* that there is a deadlock */
static int64_t pause_ns; /* until the next look */
static int64_t next; /* look; INT64_MAX */
static uint64_t seen_moved; /* by the last one */

static int64_t stalled_ns; /* 0: it is not asked for */
static bool stall_told;
static uint64_t stall_moved; /* since when nothing has moved */
static int64_t stall_at;

static int64_t cycles_ns; /* 0: only when all sleep */
static int64_t cycles_at; /* not before, for new ones */
static int64_t cycles_again; /* look; INT64_MAX */
static uint64_t cycles_moved; /* by the last look */

/* Anybody's. */
static at(uint32_t)
	threads_waiting; /* in _fiber_park_wait(), without deadline */
static at(uint32_t) poked;

void _fiber_deadlock_init(void)
{
	is_told = stall_told = false;
	next = cycles_again = INT64_MAX;
	cycles_at = 0;
	seen_moved = stall_moved = cycles_moved = UINT64_MAX;
	_fiber_cycle_forget();
}

void _fiber_deadlock_forget(void)
{
	at_store(&threads_waiting, 0, RELAXED);
}

int _fiber_deadlock_set(const char *value)
{
	static const char *const names[] = { "abort", "report", "off" };
	int i;

	mode = ABORT;
	for (i = ABORT; value && i <= OFF; i++) {
		if (!*value || !strcmp(value, names[i])) {
			mode = i;
			return 0;
		}
	}
	return -EINVAL;
}

static int set_ms(const char *value, int64_t *ns)
{
	char *end;
	long ms;

	*ns = 0;
	if (!value)
		return -EINVAL;
	if (!*value)
		return 0;
	errno = 0;
	ms = strtol(value, &end, 10);
	if (errno || *end || ms < 1 || ms > INT64_MAX / MS)
		return -EINVAL;
	*ns = ms * MS;
	return 0;
}

int _fiber_deadlock_set_stalled(const char *value)
{
	return set_ms(value, &stalled_ns);
}

int _fiber_deadlock_set_cycles(const char *value)
{
	return set_ms(value, &cycles_ns);
}

void _fiber_deadlock_poke(void)
{
	at_store(&poked, 1, RELAXED);
	/* Pairs with the fence in the monitor's going to sleep. */
	at_fence();
	_fiber_monitor_rouse();
}

void _fiber_deadlock_thread(int n)
{
	at_add(&threads_waiting, n);
	if (n > 0)
		_fiber_deadlock_poke();
}

int64_t _fiber_deadlock_next(void)
{
	return next < cycles_again ? next : cycles_again;
}

/* More with each dispatch, and each wake. */
static uint64_t count_moves(void)
{
	uint64_t n = at_load(&rt->wakes, RELAXED);
	uint32_t i;

	for (i = 0; i < fiber_workers_made(); i++)
		n += at_load(&rt->workers[i]->tick, RELAXED);
	return n;
}

/* Nobody has a queued fiber. */
static bool queues_are_empty(void)
{
	uint32_t i;

	if (at_load(&rt->global_len, RELAXED) ||
	    at_load(&rt->nr_starved, RELAXED))
		return false;
	for (i = 0; i < fiber_workers_made(); i++) {
		if (fiber_worker_loot(rt->workers[i]) ||
		    at_load(&rt->workers[i]->inbox_len, RELAXED))
			return false;
	}
	return true;
}

/* Part 1. Under the lock by which they went into the lists. */
static bool at_rest(uint64_t *moved)
{
	bool rests;

	if (at_load(&rt->state, ACQUIRE) != FIBER_RT_RUNNING ||
	    at_load(&rt->quit, RELAXED))
		return false;
	fiber_lock(&rt->idle_lock);
	rests = at_load(&rt->idle, RELAXED) == rt->nr_workers &&
		at_load(&rt->spares, RELAXED) + rt->nr_workers ==
			fiber_workers_made() &&
		!at_load(&rt->spinning, RELAXED) && queues_are_empty();
	*moved = count_moves();
	fiber_unlock(&rt->idle_lock);
	return rests;
}

static bool heaps_are_void(void)
{
	uint32_t i;

	for (i = 0; i < fiber_workers_made(); i++) {
		if (!_fiber_heap_is_void(&rt->workers[i]->heap))
			return false;
	}
	return true;
}

/* Who waits for ever. */
struct crowd {
	uint64_t mark; /* of all park words */
	uint32_t threads;
	bool all; /* of the fibers; and not on purpose, if that was looked at */
};

/* Or it cannot be seen what it does. */
static bool is_on_purpose(const struct fiber *f)
{
	struct fiber_look look;

	_fiber_look(f, &look);
	return !look.waits || look.call == FIBER_CALL_SLEEP ||
	       (look.call == FIBER_CALL_SELECT && !look.row);
}

static void join_crowd(struct crowd *crowd, const struct fiber *f, bool ask)
{
	uint8_t kind = at_load(&f->kind, RELAXED);

	if (!fiber_kind_is_fiber(kind) && kind != FIBER_KIND_THREAD)
		return;
	/* A thread that does not is one too many in part 4. */
	if (!_fiber_look_is_for_ever(f) || (ask && is_on_purpose(f))) {
		crowd->all &= kind == FIBER_KIND_THREAD &&
			      !_fiber_look_is_for_ever(f);
		return;
	}
	crowd->threads += kind != FIBER_KIND_FIBER;
	crowd->mark +=
		(f->index + at_load(&f->park, RELAXED)) * 0x9e3779b97f4a7c15u;
}

/* Part 2. */
static struct crowd gather(bool ask)
{
	struct crowd crowd = { .all = true };
	uint32_t end = _fiber_control_count();
	uint32_t i;

	for (i = _fiber_control_first(); i < end && crowd.all; i++)
		join_crowd(&crowd, _fiber_control_at(i), ask);
	return crowd;
}

/* With the two that every folder has. Memory is not for the monitor to ask for. */
static uint32_t count_entries(int fd)
{
	union {
		struct dirent64 entry;
		char bytes[1024];
	} buf;
	const struct dirent64 *entry;
	uint32_t n = 0;
	ssize_t len;
	ssize_t i;

	while ((len = getdents64(fd, &buf, sizeof(buf))) > 0) {
		for (i = 0; i < len; i += entry->d_reclen, n++)
			entry = (const struct dirent64 *)(buf.bytes + i);
	}
	return n;
}

/*
 * Part 4. The number of links of the folder is that of threads, and two; that it
 * is says the folder itself. 0 if it is not known.
 */
static uint32_t count_threads(void)
{
	int fd = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	uint32_t n;

	if (fd < 0)
		return 0;
	n = count_entries(fd);
	if (fstat(fd, &st) || st.st_nlink != n)
		n = 2;
	close(fd);
	return n > 2 ? n - 2 : 0;
}

static bool no_others(uint32_t waiting)
{
	/* And the monitor. */
	return count_threads() == fiber_workers_made() + 1 + waiting;
}

/* Part 1 was so, and moved is of then. */
static bool is_deadlock(uint64_t moved)
{
	struct crowd before;
	struct crowd after;
	uint64_t now;

	/* First by what is cheap. */
	if (!no_others(at_load(&threads_waiting, SEQ_CST)))
		return false;
	before = gather(true);
	if (!before.all || !heaps_are_void() || !no_others(before.threads))
		return false;
	at_fence();
	after = gather(false);
	return after.all && after.mark == before.mark &&
	       after.threads == before.threads && at_rest(&now) && now == moved;
}

/* Returns how many are in named, of which there is room for NAMED_MAX. */
static uint32_t tell_all(struct fiber_lines *lines, struct fiber **named)
{
	uint32_t end = _fiber_control_count();
	uint32_t n = 0;
	uint32_t i;

	for (i = _fiber_control_first(); i < end; i++) {
		struct fiber *f = _fiber_control_at(i);
		uint8_t kind = at_load(&f->kind, RELAXED);
		struct fiber_look look;

		if ((!fiber_kind_is_fiber(kind) && kind != FIBER_KIND_THREAD) ||
		    !_fiber_look_is_for_ever(f) || n++ >= NAMED_MAX)
			continue;
		named[n - 1] = f;
		_fiber_look(f, &look);
		_fiber_tell_wait(lines, f, &look);
	}
	if (n <= NAMED_MAX)
		return n;
	_fiber_tell(lines, "fiber:   and %u more\n", n - NAMED_MAX);
	return NAMED_MAX;
}

static void report_deadlock(void)
{
	struct fiber *named[NAMED_MAX];
	struct fiber_lines lines = { 0 };
	uint32_t n;

	is_told = true;
	_fiber_tell(&lines, "fiber: deadlock: all wait, and nobody is left who "
			    "could wake one:\n");
	n = tell_all(&lines, named);
	_fiber_tell_end(&lines);
	_fiber_cycle_look(0, false);
	/* Nobody is left to stop the runtime. */
	(void)_fiber_dump_some(STDERR_FILENO, named, n);
	if (mode == ABORT)
		abort();
}

/* Nothing is left of the runtime to go on. */
static void watch_stall(uint64_t moved, int64_t now)
{
	struct fiber *named[NAMED_MAX];
	struct fiber_lines lines = { 0 };
	uint32_t n;

	if (!stalled_ns || stall_told || is_told)
		return;
	if (moved != stall_moved) {
		stall_moved = moved;
		stall_at = now;
	}
	if (now - stall_at < stalled_ns) {
		if (next > stall_at + stalled_ns)
			next = stall_at + stalled_ns;
		return;
	}
	stall_told = true;
	_fiber_tell(&lines,
		    "fiber: stalled: all have waited for %lld ms, and only "
		    "other threads could wake one:\n",
		    (long long)(now - stall_at) / MS);
	n = tell_all(&lines, named);
	_fiber_tell_end(&lines);
	(void)_fiber_dump_begin(STDERR_FILENO, named, n);
}

/* Whether it is time for it; if it will be, cycles_again says when. */
static bool is_time_for_cycles(uint64_t moved, int64_t now)
{
	if (at_load(&rt->state, RELAXED) != FIBER_RT_RUNNING)
		return false;
	if (moved != cycles_moved && cycles_again > cycles_at)
		cycles_again = cycles_at;
	return now >= cycles_again;
}

static void look_for_cycles(int64_t now)
{
	uint64_t moved = count_moves();
	int64_t took;

	if (!is_time_for_cycles(moved, now))
		return;
	cycles_moved = moved;
	cycles_again =
		_fiber_cycle_look(cycles_ns ? cycles_ns : LASTS_NS, true);
	took = _fiber_clock_real() - now;
	cycles_at = now + took * CYCLES_PART;
}

bool _fiber_deadlock_is_new(void)
{
	return at_load(&poked, RELAXED) || count_moves() != seen_moved;
}

/* Whether it is time for a look at all. */
static bool is_due(int64_t now)
{
	if (_fiber_deadlock_is_new()) {
		at_store(&poked, 0, RELAXED);
		/* What is poked for is looked at after that. */
		at_fence();
		seen_moved = count_moves();
		pause_ns = PAUSE_MIN;
		return true;
	}
	if (now >= next && pause_ns < PAUSE_MAX)
		pause_ns *= PAUSE_GROWS;
	return now >= next;
}

static void look_for_deadlock(int64_t now)
{
	uint64_t moved;

	next = INT64_MAX;
	if (!at_rest(&moved) || !heaps_are_void() ||
	    !(_fiber_life_count() || at_load(&threads_waiting, RELAXED)))
		return;
	if (mode != OFF && !is_told) {
		if (is_deadlock(moved))
			report_deadlock();
		next = now + pause_ns;
	}
	watch_stall(moved, now);
}

void _fiber_deadlock_idle(void)
{
	int64_t now = _fiber_clock_real();

	if (is_due(now))
		look_for_deadlock(now);
	if (mode != OFF || cycles_ns)
		look_for_cycles(now);
}

void _fiber_deadlock_run(void)
{
	int64_t now;

	if (!cycles_ns || (now = _fiber_clock_real()) < cycles_at ||
	    at_load(&rt->state, RELAXED) != FIBER_RT_RUNNING)
		return;
	cycles_again = _fiber_cycle_look(cycles_ns, false);
	cycles_at = _fiber_clock_real() + cycles_ns;
}
