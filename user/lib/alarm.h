/* SPDX-License-Identifier: MIT */
/*
 * Alarms: what is to happen at a time.
 *
 * MODEL. Every worker has a heap of alarms. The earliest of a heap can be read
 * without its lock, and whoever has nothing better to do may run the alarms of
 * any heap that are due.
 *
 * An alarm of a fiber is its deadline. It is embedded in the control block, and
 * stays in the heap when the wait that it was set for has ended: when it comes
 * it looks whether the fiber waits with a deadline now, and if that is later,
 * moves back to it. So a loop of calls with a far deadline that never comes
 * sets the alarm once.
 *
 *	fiber: deadline = d;    fence;  look whether alarm.heap is set
 *	heap:  alarm.heap = 0;  fence;  look at deadline
 *
 * One of the two sees the other's store, so that no deadline is forgotten; both
 * may, and then the first to set alarm.heap inserts it. deadline is FIBER_FOREVER
 * outside of waits, and set back before the generation of the park word moves
 * on: an alarm that reads word, deadline, and claims with what it read in the
 * word, never ends a wait before its time.
 *
 * An alarm of a timer calls its function, outside of the lock. One that repeats
 * stays in the heap meanwhile.
 *
 * The heap is 4-ary, in chunks that never move: to grow it copies nothing, and
 * the memory is got before the lock is taken.
 *
 * LOCKING. heap->lock; inside it only park words are claimed.
 */
#ifndef FIBER_ALARM_H
#define FIBER_ALARM_H

#include <stdbool.h>
#include <stdint.h>

#include "lock.h"

struct fiber;
struct fiber_here;
struct fiber_heap;

struct fiber_alarm {
	at(struct fiber_heap *) heap; /* that it is in; set under its lock */
	at(int64_t) when; /* in the heap */
	uint32_t slot; /* heap->lock */
	uint32_t is_timer; /* I: it is the first member of a fiber_timer_alarm */
};

struct fiber_timer_alarm {
	struct fiber_alarm alarm;
	at(int64_t) every; /* 0 for once */
	at(uint32_t) refs; /* an alarm in a heap is kept by who removes it */
	/* Takes back one reference, which the heap took before. */
	void (*fire)(struct fiber_timer_alarm *alarm, struct fiber_here *here,
		     int64_t now);
};

#define FIBER_HEAP_CHUNK 1024 /* entries */
#define FIBER_HEAP_CHUNKS 16384

struct fiber_heap_entry {
	int64_t when;
	struct fiber_alarm *alarm;
};

struct fiber_heap {
	struct fiber_lock lock;
	uint32_t size; /* L */
	uint32_t chunks; /* L: how many there are */
	at(int64_t) earliest; /* set under L; FIBER_FOREVER if there is none */
	at(uint32_t) room; /* set under L: entries that more would fit */
	struct fiber_heap_entry **chunk; /* I: table, mapped lazily */
};

int _fiber_heap_init(struct fiber_heap *heap);
/* Nobody else uses it; alarms that are left in it are forgotten. */
void _fiber_heap_exit(struct fiber_heap *heap);

/*
 * Put the alarm, which is in no heap, in this one; -ENOMEM. If somebody else did
 * first, that one's stands. Returns 1 if it is now the earliest of the heap.
 */
int _fiber_alarm_add(struct fiber_heap *heap, struct fiber_alarm *alarm,
		     int64_t when);
/* Take it out of whatever heap it is in. Whether it was in one. */
bool _fiber_alarm_del(struct fiber_alarm *alarm);

/* Run what is due. Whether there was anything. */
bool _fiber_heap_run(struct fiber_heap *heap, struct fiber_here *here,
		     int64_t now);

/*
 * Whether nothing that is in it can end a wait: only what was left behind by
 * waits that are over. If there is much in it, no.
 */
bool _fiber_heap_is_void(struct fiber_heap *heap);

/*
 * Have f's deadline in a heap: this one, if it is in none that does. f is who
 * calls, between its ticket and its wait. As _fiber_alarm_add().
 */
int _fiber_alarm_deadline(struct fiber_heap *heap, struct fiber *f,
			  int64_t deadline);

#endif /* FIBER_ALARM_H */
