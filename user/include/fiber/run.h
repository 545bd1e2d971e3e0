/* SPDX-License-Identifier: MIT */
/*
 * Starting, stopping and watching the runtime.
 */
#ifndef FIBER_RUN_H
#define FIBER_RUN_H

#include <fiber/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* For tests: no fiber goes on on the worker that it left, where it may choose. */
#define FIBER_TEST_MIGRATE 1u
/*
 * For tests: fiber_now() starts at 0 and stands still, but when every fiber and
 * every thread in a call of this library waits it jumps to the next deadline.
 * Threads outside do not count: they had better not wait for anything.
 */
#define FIBER_TEST_CLOCK 2u

/* fiber_config.spares: no more threads than workers. */
#define FIBER_SPARES_NONE (~0u)

/* What stops a stack that overflows; see fiber_status.guard. */
enum fiber_guard_kind {
	FIBER_GUARDS_BEST, /* the first of the following that works */
	FIBER_GUARDS_INSTALL, /* MADV_GUARD_INSTALL, Linux 6.13 */
	FIBER_GUARDS_PROTECT, /* mprotect(): some 28,000 stacks by default */
	FIBER_GUARDS_SOFT, /* looked at when a fiber ends; only on demand */
};

/*
 * How to run. All 0 is the default for everything; set size to
 * sizeof(struct fiber_config).
 */
struct fiber_config {
	size_t size;
	/* Threads that run fibers, at most 256; 0 is CPUs this process may use. */
	unsigned int workers;
	unsigned int flags; /* FIBER_TEST_... */
	/* Bytes of a stack with its guard, in whole pages; 0 is 64 KiB. */
	size_t stack_size;
	unsigned int guard; /* enum fiber_guard_kind */
	/* Threads more than workers, for fibers that block, at most; 0 is 256. */
	unsigned int spares;
	/* fiber_run(): how long others may take to end; 0 is a second. */
	int64_t grace_ns;
	uint64_t seed; /* of what is chosen at random; 0 is a random one */
};

struct fiber_status {
	size_t size;
	unsigned int workers; /* threads wanted to run fibers */
	unsigned int threads; /* threads of the runtime */
	unsigned int idle; /* workers that sleep */
	unsigned int guard; /* enum fiber_guard_kind, in use */
	uint64_t fibers; /* that have not ended */
	uint64_t spawned; /* ever */
	uint64_t dispatches; /* times that a worker took up a fiber */
	uint64_t steals; /* of fibers, by other workers than they were queued at */
	uint64_t wakes; /* of sleeping workers */
	uint64_t starved; /* fibers that now wait for memory for a stack */
	uint64_t stacks; /* fibers that have a stack now */
	uint64_t blocks; /* times that a fiber was seen, or said, to block */
	uint64_t replaced; /* times that another thread took a worker's place */
	unsigned int excess; /* threads more than workers that run a fiber */
	unsigned int bound; /* threads of bound fibers */
	char blocking[16]; /* who sees that a worker blocks: "monitor" */
	char why[256]; /* the last failure, a sentence; or empty */
};

/*
 * Start the runtime with config (NULL: defaults), run main(arg) in a fiber, and
 * wait for it. When it returns the others are cancelled (cancel.h) and given
 * grace_ns to end; those that have not are named on standard error and never
 * run again. Then the runtime stops. Called by a thread; that thread does not
 * run fibers itself.
 *
 * Workers block all signals but those that an instruction causes, SIGABRT and
 * SIGPROF. A child of fork() gets the mask of who started the runtime; one of
 * posix_spawn() or system() by a fiber has that of the worker, unless it is given
 * another (POSIX_SPAWN_SETSIGMASK).
 *
 * Returns what main returned. -EBUSY if the runtime is running already, or has
 * stopped with fibers left, one of which still runs; -EINVAL for a config that
 * makes no sense, -E2BIG for one of a newer library with fields set that this one
 * does not know, -EOPNOTSUPP for guards that do not work here, -ENOMEM, -EAGAIN
 * (no more threads).
 */
FIBER_API int fiber_run(int (*main)(void *), void *arg,
			const struct fiber_config *config);

/*
 * Start the runtime; without it the first call that needs one does, with
 * defaults. After fork() it and fiber_run() are the only calls but those of
 * base.h that a child may make, and start a runtime of its own. Errors as
 * fiber_run().
 */
FIBER_API int fiber_start(const struct fiber_config *config);

/*
 * Cancel all fibers, wait for them to end until the deadline, and stop the
 * runtime. No other thread makes fibers or timers meanwhile. Not by a fiber
 * (-EDEADLK). Returns 0; -ETIMEDOUT when fibers are
 * left: they were named on standard error and never run again, and what they
 * hold stays as it is; -EPERM if nothing is running.
 */
FIBER_API int fiber_stop_until(int64_t deadline);

/*
 * Fill *status; set status->size before. Numbers are of one moment each, not
 * all of the same. -EPERM if nothing is running, -EINVAL for too small a size.
 */
FIBER_API int fiber_status(struct fiber_status *status);

/*
 * Give back what the library keeps for the calling thread, and run destructors
 * of its keys; the end of a thread does so by itself. -EPERM if it is a fiber.
 */
FIBER_API int fiber_thread_detach(void);

#ifdef __cplusplus
}
#endif

#endif /* FIBER_RUN_H */
