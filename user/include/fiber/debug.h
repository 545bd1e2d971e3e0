/* SPDX-License-Identifier: MIT */
/*
 * What all fibers are at.
 */
#ifndef FIBER_DEBUG_H
#define FIBER_DEBUG_H

#include <fiber/base.h>
#include <fiber/fiber.h>

#ifdef __cplusplus
extern "C" {
#endif

enum fiber_state {
	FIBER_STATE_NEW, /* has not run yet */
	FIBER_STATE_READY, /* waits for its turn */
	FIBER_STATE_RUNS, /* on a worker, or a thread of its own */
	FIBER_STATE_WAITS, /* in a call of this library */
};

/* In which call, or the one with _until, and fiber_info.object of each. */
enum fiber_call {
	FIBER_CALL_NONE,
	FIBER_CALL_SLEEP, /* NULL */
	FIBER_CALL_SEND, /* the channel */
	FIBER_CALL_RECV, /* the channel */
	FIBER_CALL_SELECT, /* the channel of the first case, or NULL */
	FIBER_CALL_JOIN, /* the fiber */
	FIBER_CALL_SCOPE, /* the scope */
	FIBER_CALL_MUTEX, /* the mutex, and so on */
	FIBER_CALL_COND,
	FIBER_CALL_RDLOCK,
	FIBER_CALL_WRLOCK,
	FIBER_CALL_SEM,
	FIBER_CALL_WAITGROUP,
	FIBER_CALL_ONCE,
	FIBER_CALL_BARRIER,
	FIBER_CALL_EVENT,
	FIBER_CALL_BLOCK_ON, /* the word */
};

/* A fiber, or a thread that waits in a call of this library. */
struct fiber_info {
	size_t size; /* of what the library has filled */
	uint64_t id; /* as fiber_id() */
	char name[FIBER_NAME_SIZE]; /* empty if it has none */
	const void *entry; /* its function; NULL: it is a thread */
	unsigned int state; /* enum fiber_state */
	unsigned int worker; /* RUNS: the number of that, if it is not bound */
	unsigned int call; /* WAITS: enum fiber_call; else FIBER_CALL_NONE */
	unsigned int cases; /* SELECT: how many */
	const void *object; /* WAITS: for what; it may be gone by now */
	uint64_t joins; /* JOIN: the id of the fiber */
	int64_t deadline; /* of the call, or FIBER_FOREVER */
	uint64_t waits_ms; /* for so long, give or take some milliseconds */
	size_t stack_used; /* bytes, where it is at; 0: not known, or none */
	int cancelled; /* the reason, or 0 */
	unsigned int bound; /* it has a thread of its own (FIBER_BOUND) */
};

/*
 * Call fn with each fiber that has not ended, and each thread that waits in a
 * call of this library, until it returns something other than 0, which is
 * returned. Each is described as it was at one moment, not all at the same; who
 * is made or ends meanwhile may be left out. fn may do anything: nobody is
 * stopped, and no lock is held. -EINVAL; -EPERM if nothing is running.
 */
FIBER_API int fiber_each(int (*fn)(const struct fiber_info *info, void *arg),
			 void *arg);

/* Without stacks. */
#define FIBER_DUMP_BRIEF 1u

/*
 * Write all of that to the file descriptor, as text for people: a paragraph for
 * each fiber, with its stack. Nobody is stopped; those that run are asked for
 * their stacks by a signal to their thread (SIGPROF), by which a system call that
 * they are in may fail with EINTR. To block is announced as by
 * fiber_blocking_begin(): a fiber may be on another thread on return.
 *
 * libdw.so.1 is used if it can be loaded. Without it the stacks of functions that
 * keep no frame pointer are cut short, and only what is exported has a name.
 *
 * -EINVAL for unknown flags, -EPERM if nothing is running, -EAGAIN and -ENOMEM if
 * there can be no thread for it, and what write() says.
 */
FIBER_API int fiber_dump(int fd, unsigned int flags);

#ifdef __cplusplus
}
#endif

#endif /* FIBER_DEBUG_H */
