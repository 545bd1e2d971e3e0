/* SPDX-License-Identifier: MIT */
/*
 * The scheduler: which fiber runs where.
 *
 * MODEL. A worker is a thread that runs fibers. It has four containers:
 *
 *	next   one fiber that was made ready by the one that runs: it goes first
 *	ring   fibers that have run before, first in first out
 *	deque  fibers that have not, last in first out for the owner; they have
 *	       no stack yet, so a tree of fibers that make fibers holds the stacks
 *	       of one path and not of all
 *	heap   alarms
 *
 * and an inbox for fibers that are pinned to it. What is too much for a worker,
 * and what other threads make ready, is in the global queue.
 *
 * ORDER. A worker takes next, but at most NEXT_MAX in a row, after which it goes
 * to the end of the ring; then ring, deque, global queue. At every 8th dispatch
 * it looks at its inbox and the deque first, at every GLOBAL_EVERYth at the
 * global queue. The oldest of the deque it takes when the monitor sees that none
 * has been taken since its last look: once in a millisecond, and not by counting
 * dispatches, since each one is the root of a tree that is begun before those
 * begun earlier are done. So a fiber that is in a ring behind n others runs
 * within GLOBAL_EVERY + NEXT_MAX * (n + 1) dispatches of its worker, times 8/7.
 *
 * A worker without work looks at the others' queues: half of a ring, the oldest
 * of a deque, alarms that are due. next and a lone fiber are left to their
 * worker while it makes progress (its tick moves): to take them away costs both
 * more than it gains. If it does not, the monitor (monitor.h) sends a thief at its
 * next look but one; that one empties the queue.
 *
 * SLEEPING, WAKING. idle counts the workers in the idle list, spinning those
 * that look for work.
 *
 *	submit  put the fiber in a queue;  fence;
 *	        idle and not spinning: make spinning 1, wake one of the idle list,
 *	        which goes on looking as the one that spins
 *	sleep   into the idle list;  spinning less one;  fence;
 *	        look at all queues again; if there is something, out of the list
 *
 * Either the one sees the other in the idle list, or the other sees the fiber.
 * Who was looking and found work wakes the next one if there is more. A worker
 * that is taken out of the list by another has a token (wake = 1) to consume.
 *
 * INVARIANTS. A fiber changes thread only inside a call of the library. A queue
 * is put into by one thread only. Who is stopped at any instruction of this file
 * delays one fiber at most, the one in its hands, and what is pinned to it.
 *
 * MORE THREADS. Workers that block give up their seats: seat.h.
 *
 * REJECTED. Switching straight to the receiver of an element: sending took 30
 * instead of 18 ns, as the sender's next call found nobody waiting. A processor
 * to be handed over with its queues, as Go has it: a page fault does not say
 * that it is about to happen. Waking a worker for each fiber in next: 7 us for
 * what the same worker does 20 ns later.
 */
#ifndef FIBER_SCHED_H
#define FIBER_SCHED_H

#include <pthread.h>

#include "overflow.h"
#include "park.h"
#include "runq.h"
#include "stack.h"

#define FIBER_WORKERS_MAX 256
#define FIBER_SPARES_MAX 256
#define FIBER_THREADS_MAX (FIBER_WORKERS_MAX + FIBER_SPARES_MAX)

/* Functions of fibers whose blocking is remembered. */
#define FIBER_BLOCKERS 256

/* Free control blocks and stacks that a worker keeps for itself. */
#define FIBER_CACHE_MAX 64
#define FIBER_CACHE_BATCH 32

/* Sizes of stacks that differ from the default, by the power of two. */
#define FIBER_STACK_CLASSES 16

/* FIBER_TEST_MIGRATE: so many looks without progress, and nobody waits for it. */
#define FIBER_STUCK_LOOKS 1000

/* What is to be done about the fiber that was left, from outside its stack. */
enum fiber_left {
	FIBER_LEFT_NOTHING,
	FIBER_LEFT_PARKED,
	FIBER_LEFT_YIELDED,
	FIBER_LEFT_ENDED,
};

/* In which list of those that sleep a worker is. */
enum fiber_list {
	FIBER_LIST_NONE, /* awake, or about to be given a token */
	FIBER_LIST_IDLE, /* has a seat */
	FIBER_LIST_SPARE, /* has none */
};

/* worker->wake: what it is woken for. */
#define FIBER_TOKEN_SEARCH 1u /* as the one that looks for work */
#define FIBER_TOKEN_INBOX 2u

/* Tags: O the worker's own thread; others say who. */
struct fiber_worker {
	struct fiber_here here; /* first: the thread-local pointer is to it */
	struct fiber *left; /* O: whom we switched from */
	enum fiber_left left_how; /* O */
	uint32_t nexts; /* O: taken from next in a row */
	at(uint32_t) tick; /* O writes: dispatches */
	uint32_t global_tick; /* O: when to look at the global queue again */
	struct fiber *free; /* O: control blocks */
	uint32_t nr_free; /* O */
	uint32_t nr_stacks; /* O */
	struct fiber_stack *stacks; /* O: linked by next */
	struct fiber_stack *left_stack; /* O: of the fiber that has ended */
	uint32_t left_class; /* O: of that stack's size */
	uint32_t number; /* I */
	at(uint64_t) spawned; /* O writes */
	at(uint64_t) ended; /* O writes */
	at(uint64_t) steals; /* O writes */
	at(uint64_t) stacks_got; /* O writes */
	at(uint64_t) stacks_put; /* O writes */

	at(struct fiber *) next __attribute__((aligned(64))); /* anybody */
	at(uint32_t) inbox_len; /* set under inbox_lock */
	struct fiber_ring ring __attribute__((aligned(64)));
	struct fiber_deque deque;
	struct fiber_heap heap __attribute__((aligned(64)));

	struct fiber_lock inbox_lock;
	struct fiber *inbox; /* inbox_lock: oldest first */
	struct fiber *inbox_last; /* inbox_lock */

	/* Token of who is woken. */
	fiber_word wake __attribute__((aligned(64)));
	at(uint32_t) asleep; /* O writes: it is going to sleep, or does */
	struct fiber_worker *list_next; /* rt->idle_lock */
	enum fiber_list list; /* rt->idle_lock */
	uint32_t spin_rounds; /* O: how long it pays to look */
	uint32_t crumbs; /* O: how often what it found was soon done */
	int64_t found_at; /* O */

	struct fiber idle; /* O: its context when no fiber runs */
	struct fiber_context ended_ctx; /* O: nobody comes back to it */
	struct fiber_sanitize ended_sanitize; /* O */
	pthread_t thread; /* I */
	at(uint32_t) tid; /* O writes, once */
	struct fiber_exceptions *exceptions; /* O: of the thread */
	struct fiber_altstack altstack; /* O */

	/* O: of the fiber that runs apart, or has. */
	int (*apart_fn)(void *); /* NULL when there was none */
	uint64_t apart_waits; /* of the thread in the kernel before */

	/* The monitor's. */
	uint32_t seen_tick;
	int64_t seen_top; /* of the deque */
	at(uint32_t) neglects; /* the oldest of its deque waits for long */
	at(uint32_t) stuck; /* how many looks ago it moved */
	at(uint32_t) robbed; /* thieves may take next, and all of the ring */
	int64_t seen_cpu; /* time that the thread has run */
	int64_t seen_cpu_at;
	int64_t hog_cpu; /* that time, when it first made no progress */
	bool relieved; /* it computed, and others waited: it lost its seat */
};

/*
 * What the C++ runtime keeps for a thread: exceptions that are being handled, as
 * the ABI has it (__cxa_eh_globals). It is switched where it is not 0.
 */
struct fiber_exceptions {
	void *caught;
	uintptr_t uncaught; /* the ABI's unsigned int, and padding */
};

enum fiber_rt_state {
	FIBER_RT_NONE,
	FIBER_RT_RUNNING,
	FIBER_RT_STOPPING, /* fibers are cancelled and none are made */
	FIBER_RT_FORKED, /* in the child of a fork */
};

/* The runtime; one in a process. */
struct fiber_rt {
	at(uint32_t) state; /* enum fiber_rt_state */
	uint32_t nr_workers; /* I: seats */
	uint32_t nr_spares; /* making: more threads than that, at most */
	uint32_t max_made; /* I: of the two together */
	uint32_t flags; /* I: FIBER_TEST_... */
	uint64_t seed; /* I */
	struct fiber_worker **workers; /* I; the first nr_made are */
	/* Less again only if a thread could not be started: it has not run. */
	at(uint32_t) nr_made;
	at(uint32_t) nr_blockers; /* not 0: functions are known to block */

	/* Lengths of the two lists; set under idle_lock. */
	fiber_word idle __attribute__((aligned(64)));
	fiber_word spares;
	at(uint32_t) wanted; /* spares that were missed */
	at(uint32_t) spinning;
	at(uint32_t) global_len; /* set under global_lock */
	at(uint32_t) monitor_deep; /* the monitor sleeps until it is woken */
	at(uint32_t) quit; /* workers end */

	struct fiber_lock global_lock __attribute__((aligned(64)));
	struct fiber *global; /* global_lock: oldest first */
	struct fiber *global_last; /* global_lock */

	struct fiber_lock idle_lock __attribute__((aligned(64)));
	/* idle_lock: last in first out */
	struct fiber_worker *idle_list;
	struct fiber_worker *spare_list;
	at(uint64_t) wakes;
	at(uint64_t) blocks; /* seen by the monitor, or announced */
	at(uint64_t) replaced; /* seats passed on */
	fiber_word blockers[FIBER_BLOCKERS]; /* apart.c */

	/* Fibers for whose stacks there is no memory. */
	struct fiber_lock starved_lock;
	struct fiber *starved; /* starved_lock */
	at(uint32_t) nr_starved; /* set under starved_lock */

	at(uint64_t) spawned; /* by threads that are no workers */
	at(uint64_t) ended; /* bound fibers */
	at(uint32_t) bound_awake; /* bound.h */

	struct fiber_stack_arena arena; /* class 0 */
	pthread_mutex_t making; /* of workers */
	int64_t make_again; /* making: not before; 0 when it never failed */
	/* Made on demand under grow. */
	struct fiber_stack_arena *arenas[FIBER_STACK_CLASSES];
	pthread_mutex_t grow;
	struct fiber_lock why_lock;
	struct fiber_why why; /* why_lock */

	fiber_word monitor_wake;
	struct fiber_here monitor_here; /* I: it runs alarms like a thread */
	pthread_t monitor;
};

extern struct fiber_rt _fiber_rt;

static inline struct fiber_worker *fiber_worker_of(struct fiber_here *here)
{
	return (struct fiber_worker *)here;
}

/* Threads that there are: of the workers, this many may be looked at. */
static inline uint32_t fiber_workers_made(void)
{
	return at_load(&_fiber_rt.nr_made, ACQUIRE);
}

/*
 * How many are awake without a seat, and so run a fiber apart. A thread is among
 * those made before it can be among the spares: never less than none.
 */
static inline uint32_t fiber_workers_away(void)
{
	uint32_t asleep = at_load(&_fiber_rt.spares, ACQUIRE);

	return fiber_workers_made() - _fiber_rt.nr_workers - asleep;
}

/* How many fibers thieves could find at this worker. */
static inline uint32_t fiber_worker_loot(const struct fiber_worker *worker)
{
	return fiber_ring_len(&worker->ring) + fiber_deque_len(&worker->deque) +
	       !!at_load(&worker->next, RELAXED);
}

/* What a worker does until rt->quit; on its own stack. */
void _fiber_sched_loop(struct fiber_worker *worker);

/*
 * Run f, which was just made, some time. By its maker, which may be a thread.
 * Returns 0, to end with.
 */
int _fiber_sched_fresh(struct fiber_here *here, struct fiber *f);

/* End the calling fiber. */
void _fiber_sched_exit(struct fiber_here *here, int result)
	__attribute__((noreturn));

/* If a worker sleeps and none is looking for work, have one look. */
void _fiber_sched_submit(void);
/* Wake this one, if it sleeps. */
void _fiber_sched_kick(struct fiber_worker *worker);
/* Wake this one, which the caller has taken out of its list. */
void _fiber_sched_token(struct fiber_worker *worker, uint32_t token);

/* By the monitor: start one more worker, a spare. NULL if there can be no more. */
struct fiber_worker *_fiber_worker_make(void);

/* Work may be in a queue while a worker sleeps that has a seat as of now. */
void _fiber_sched_offer(void);
/* The running fiber is about to block its thread: w's seat is for others. */
void _fiber_sched_apart(struct fiber_here *here);

/* Start the runtime with defaults unless it runs. 0 or -errno. */
int _fiber_rt_need(void);

/* A sentence about what failed, for fiber_status(). */
void _fiber_rt_failed(const struct fiber_why *why);

#endif /* FIBER_SCHED_H */
