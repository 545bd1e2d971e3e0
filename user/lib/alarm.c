// SPDX-License-Identifier: MIT
/*
 * Heaps of alarms.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "alarm.h"
#include "park.h"
#include "probe.h"

/* How many alarms are run before the lock is let go. */
#define BATCH 32
/* How many it is looked at whether they matter. */
#define LOOK_MAX 1024
#define TABLE_SIZE (FIBER_HEAP_CHUNKS * sizeof(struct fiber_heap_entry *))

int _fiber_heap_init(struct fiber_heap *heap)
{
	void *table = mmap(NULL, TABLE_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (table == MAP_FAILED)
		return -ENOMEM;
	*heap = (struct fiber_heap){ .chunk = table };
	at_store(&heap->earliest, INT64_MAX, RELAXED);
	return 0;
}

static struct fiber_heap_entry *entry(const struct fiber_heap *heap, uint32_t i)
{
	return &heap->chunk[i / FIBER_HEAP_CHUNK][i % FIBER_HEAP_CHUNK];
}

void _fiber_heap_exit(struct fiber_heap *heap)
{
	uint32_t i;

	for (i = 0; i < heap->size; i++)
		at_store(&entry(heap, i)->alarm->heap, NULL, RELAXED);
	for (i = 0; i < heap->chunks; i++)
		free(heap->chunk[i]);
	munmap(heap->chunk, TABLE_SIZE);
}

static void place(struct fiber_heap *heap, uint32_t i,
		  struct fiber_heap_entry what)
{
	*entry(heap, i) = what;
	what.alarm->slot = i;
}

static void sift_up(struct fiber_heap *heap, uint32_t i,
		    struct fiber_heap_entry what)
{
	while (i > 0) {
		uint32_t parent = (i - 1) / 4;
		struct fiber_heap_entry *up = entry(heap, parent);

		if (up->when <= what.when)
			break;
		place(heap, i, *up);
		i = parent;
	}
	place(heap, i, what);
}

static void sift_down(struct fiber_heap *heap, uint32_t i,
		      struct fiber_heap_entry what)
{
	for (;;) {
		uint32_t child = 4 * i + 1;
		uint32_t end = child + 4 < heap->size ? child + 4 : heap->size;
		uint32_t least = child;

		if (child >= heap->size)
			break;
		while (++child < end) {
			if (entry(heap, child)->when < entry(heap, least)->when)
				least = child;
		}
		if (entry(heap, least)->when >= what.when)
			break;
		place(heap, i, *entry(heap, least));
		i = least;
	}
	place(heap, i, what);
}

/* After every change: what others read without the lock. */
static void publish(struct fiber_heap *heap)
{
	int64_t earliest = heap->size ? entry(heap, 0)->when : INT64_MAX;

	/* Pairs with the load of a worker that is about to sleep. */
	at_store(&heap->earliest, earliest, SEQ_CST);
	at_store(&heap->room, heap->chunks * FIBER_HEAP_CHUNK - heap->size,
		 RELAXED);
}

static void insert(struct fiber_heap *heap, struct fiber_alarm *alarm,
		   int64_t when)
{
	at_store(&alarm->when, when, RELAXED);
	sift_up(heap, heap->size++,
		(struct fiber_heap_entry){ .when = when, .alarm = alarm });
	publish(heap);
}

/* The alarm in it may be on its way into another heap already. */
static void remove_slot(struct fiber_heap *heap, uint32_t i)
{
	struct fiber_heap_entry last = *entry(heap, --heap->size);

	if (i < heap->size) {
		if (i > 0 && entry(heap, (i - 1) / 4)->when > last.when)
			sift_up(heap, i, last);
		else
			sift_down(heap, i, last);
	}
	publish(heap);
}

/*
 * From here on anybody may put it in a heap. `when` is INT64_MAX while there is
 * no other, so that who sees that it is in a heap and not yet when takes it for
 * too late, and not for early enough.
 */
static void release(struct fiber_alarm *alarm)
{
	at_store(&alarm->when, INT64_MAX, RELAXED);
	at_store(&alarm->heap, NULL, SEQ_CST);
}

static void move_slot(struct fiber_heap *heap, uint32_t i, int64_t later)
{
	struct fiber_alarm *alarm = entry(heap, i)->alarm;

	at_store(&alarm->when, later, RELAXED);
	sift_down(heap, i,
		  (struct fiber_heap_entry){ .when = later, .alarm = alarm });
	publish(heap);
}

/* The lock is held: is there room for one more, with the chunk *spare if needed? */
static bool make_room(struct fiber_heap *heap, struct fiber_heap_entry **spare)
{
	if (heap->size < heap->chunks * FIBER_HEAP_CHUNK)
		return true;
	if (!*spare || heap->chunks == FIBER_HEAP_CHUNKS)
		return false;
	heap->chunk[heap->chunks++] = *spare;
	*spare = NULL;
	publish(heap);
	return true;
}

/*
 * Lock the heap with room for one more in it, or -ENOMEM. *spare is to be freed
 * after it is unlocked.
 */
static int lock_with_room(struct fiber_heap *heap,
			  struct fiber_heap_entry **spare)
{
	*spare = NULL;
	for (;;) {
		if (!at_load(&heap->room, RELAXED)) {
			*spare = malloc(FIBER_HEAP_CHUNK * sizeof(**spare));
			if (!*spare)
				return -ENOMEM;
		}
		fiber_lock(&heap->lock);
		if (make_room(heap, spare))
			return 0;
		fiber_unlock(&heap->lock);
		if (*spare) {
			free(*spare);
			return -ENOMEM;
		}
	}
}

/* Not if it is in a heap after all: then *in is set. */
static int add(struct fiber_heap *heap, struct fiber_alarm *alarm, int64_t when,
	       bool *in)
{
	struct fiber_heap *none = NULL;
	struct fiber_heap_entry *spare;
	int err = lock_with_room(heap, &spare);
	int earliest = 0;

	*in = false;
	if (err)
		return err;
	*in = !at_cas(&alarm->heap, &none, heap);
	if (!*in) {
		insert(heap, alarm, when);
		earliest = alarm->slot == 0;
	}
	fiber_unlock(&heap->lock);
	free(spare);
	return earliest;
}

int _fiber_alarm_add(struct fiber_heap *heap, struct fiber_alarm *alarm,
		     int64_t when)
{
	bool in;

	return add(heap, alarm, when, &in);
}

bool _fiber_alarm_del(struct fiber_alarm *alarm)
{
	struct fiber_heap *heap;

	while ((heap = at_load(&alarm->heap, ACQUIRE))) {
		bool found;

		fiber_lock(&heap->lock);
		found = at_load(&alarm->heap, RELAXED) == heap;
		if (found) {
			remove_slot(heap, alarm->slot);
			release(alarm);
		}
		fiber_unlock(&heap->lock);
		if (found)
			return true;
	}
	return false;
}

/* What is to be done when the lock has been let go. */
struct due {
	unsigned int nr_timers;
	unsigned int nr_ended;
	struct fiber_timer_alarm *timers[BATCH];
	struct {
		struct fiber *fiber;
		uint64_t won;
	} ended[BATCH];
};

static void timer_due(struct fiber_heap *heap, struct fiber_alarm *alarm,
		      int64_t now, struct due *due)
{
	struct fiber_timer_alarm *timer = (struct fiber_timer_alarm *)alarm;
	int64_t when = at_load(&alarm->when, RELAXED);
	int64_t every = at_load(&timer->every, RELAXED);

	at_add(&timer->refs, 1);
	due->timers[due->nr_timers++] = timer;
	if (every > 0 && when <= INT64_MAX - every) {
		/* What was missed is missed. */
		when += every;
		if (when <= now)
			when += (now - when) / every * every + every;
		move_slot(heap, alarm->slot, when);
	} else {
		remove_slot(heap, alarm->slot);
		release(alarm);
	}
}

/* Claim the wait that word and deadline were read of, if it is at its end. */
static void end_wait(struct fiber *f, uint64_t ticket, struct due *due)
{
	uint64_t won = _fiber_park_claim(f, ticket);

	if (!won)
		return;
	due->ended[due->nr_ended].fiber = f;
	due->ended[due->nr_ended++].won = won;
}

/*
 * The alarm is going to be later. Another wait may just have begun, until a time
 * before that, and have relied on the time that it had: then until that one.
 */
static int64_t announce(struct fiber *f, int64_t deadline)
{
	int64_t again = deadline;

	do {
		deadline = again;
		at_store(&f->alarm.when, deadline, RELAXED);
		/* Pairs with the fence in _fiber_alarm_deadline(). */
		at_fence();
		again = at_load(&f->deadline, ACQUIRE);
	} while (again < deadline);
	return deadline;
}

/*
 * The wait may go on to a later deadline, have none, or be at its end. What
 * others see of the heap is never without an alarm that stays.
 */
static void fiber_due(struct fiber_heap *heap, struct fiber_alarm *alarm,
		      int64_t now, struct due *due)
{
	struct fiber *f =
		(struct fiber *)((char *)alarm - offsetof(struct fiber, alarm));
	/* In this order; pairs with the stores at the end of a wait. */
	uint64_t ticket = _fiber_park_ticket(f);
	int64_t deadline = at_load(&f->deadline, ACQUIRE);
	struct fiber_heap *none = NULL;
	uint32_t slot = alarm->slot;
	bool ended = deadline <= now;

	if (!ended && deadline != INT64_MAX) {
		move_slot(heap, slot, announce(f, deadline));
		return;
	}
	if (ended)
		end_wait(f, ticket, due);
	release(alarm);
	/* Pairs with the fence in _fiber_alarm_deadline(). */
	at_fence();
	deadline = at_load(&f->deadline, ACQUIRE);
	/* Another wait may have begun, which relied on this alarm. */
	if (deadline != INT64_MAX &&
	    !(ended && _fiber_park_ticket(f) == ticket) &&
	    at_cas(&alarm->heap, &none, heap))
		move_slot(heap, slot, deadline);
	else
		remove_slot(heap, slot);
}

/* Whether there may be more. */
static bool collect(struct fiber_heap *heap, int64_t now, struct due *due)
{
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		struct fiber_alarm *alarm;

		if (!heap->size || entry(heap, 0)->when > now)
			return false;
		alarm = entry(heap, 0)->alarm;
		if (alarm->is_timer)
			timer_due(heap, alarm, now, due);
		else
			fiber_due(heap, alarm, now, due);
	}
	return true;
}

static void end_waits(struct fiber_here *here, struct due *due)
{
	struct fiber_batch batch = { NULL, NULL, 0 };
	unsigned int i;

	for (i = 0; i < due->nr_ended; i++)
		fiber_batch_end(&batch, due->ended[i].fiber, due->ended[i].won,
				NULL, -ETIMEDOUT);
	fiber_batch_ready(here, &batch);
}

bool _fiber_heap_run(struct fiber_heap *heap, struct fiber_here *here,
		     int64_t now)
{
	bool any = false;
	bool more = true;

	while (more && at_load(&heap->earliest, RELAXED) <= now) {
		struct due due;
		unsigned int i;

		due.nr_timers = due.nr_ended = 0;
		fiber_lock(&heap->lock);
		more = collect(heap, now, &due);
		fiber_unlock(&heap->lock);
		end_waits(here, &due);
		for (i = 0; i < due.nr_timers; i++) {
			FIBER_PROBE2(timer, due.timers[i], now);
			due.timers[i]->fire(due.timers[i], here, now);
		}
		any |= due.nr_timers || due.nr_ended;
	}
	return any;
}

/* heap->lock is held. A timer's may do anything. */
static bool is_void(const struct fiber_heap *heap, uint32_t i)
{
	const struct fiber_alarm *alarm = entry(heap, i)->alarm;
	const struct fiber *f =
		(const struct fiber *)((const char *)alarm -
				       offsetof(struct fiber, alarm));

	return !alarm->is_timer && at_load(&f->deadline, ACQUIRE) == INT64_MAX;
}

bool _fiber_heap_is_void(struct fiber_heap *heap)
{
	uint32_t i;
	bool all;

	if (at_load(&heap->earliest, SEQ_CST) == INT64_MAX)
		return true;
	fiber_lock(&heap->lock);
	for (i = 0; i < heap->size && i < LOOK_MAX && is_void(heap, i); i++)
		;
	all = i == heap->size;
	fiber_unlock(&heap->lock);
	return all;
}

int _fiber_alarm_deadline(struct fiber_heap *heap, struct fiber *f,
			  int64_t deadline)
{
	struct fiber_alarm *alarm = &f->alarm;
	int earliest;
	bool was_in;

	/* And the fence that pairs with the one in fiber_due(). */
	at_store(&f->deadline, deadline, RELEASE);
	at_fence();
	for (;;) {
		struct fiber_heap *in = at_load(&alarm->heap, ACQUIRE);

		if (!in) {
			earliest = add(heap, alarm, deadline, &was_in);
			if (!was_in)
				return earliest;
			/* fiber_due() has put it back, for the wait before. */
			continue;
		}
		if (at_load(&alarm->when, RELAXED) <= deadline)
			return 0;
		_fiber_alarm_del(alarm);
	}
}
