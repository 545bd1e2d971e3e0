/* SPDX-License-Identifier: MIT */
/*
 * Fibers.
 */
#ifndef FIBER_FIBER_H
#define FIBER_FIBER_H

#include <fiber/base.h>

#ifdef __cplusplus
extern "C" {
#endif

struct fiber;

/* Bytes of a name with its end; longer ones are cut. */
#define FIBER_NAME_SIZE 24

/*
 * fiber_attr.flags: the fiber has a thread of its own, from beginning to end, as
 * some libraries want it, or a debugger. It can do all that others can, and waits
 * and is woken as a thread is: in microseconds, not nanoseconds. stack_size is the
 * thread's; 0 is what other threads have.
 */
#define FIBER_BOUND 1u

/* Set size to sizeof(struct fiber_attr); all else may be 0. */
struct fiber_attr {
	size_t size;
	const char *name; /* copied */
	size_t stack_size; /* as fiber_config.stack_size; 0 is that one */
	unsigned int flags; /* FIBER_BOUND, or 0 */
	unsigned int reserved; /* 0 */
};

/*
 * Run fn(arg) in a new fiber that nobody waits for. It takes a stack when it is
 * run first. -EINVAL; -ENOMEM, also while earlier fibers wait for memory for
 * theirs; -EPERM in a child of fork() or while the runtime stops.
 */
FIBER_API int fiber_go(void (*fn)(void *), void *arg);

/*
 * Run fn(arg) in a new fiber; *fiber is a reference to it, which fiber_join()
 * or fiber_put() takes back. attr may be NULL. Errors as fiber_go(), and -EAGAIN
 * if there are no more threads for one that is bound.
 */
FIBER_API int fiber_spawn(struct fiber **fiber, int (*fn)(void *), void *arg,
			  const struct fiber_attr *attr);

/*
 * Wait until the fiber has ended, store what it returned in *result (may be
 * NULL), and take the reference back. Several may join, each with a reference
 * of its own. On an error the reference stays.
 *
 * -EINVAL for NULL, -EDEADLK for oneself, -ECANCELED; until: -ETIMEDOUT, -ENOMEM;
 * try: -EAGAIN if it runs still.
 */
FIBER_API int fiber_join(struct fiber *fiber, int *result);
FIBER_API int fiber_join_until(struct fiber *fiber, int *result,
			       int64_t deadline);
FIBER_API int fiber_try_join(struct fiber *fiber, int *result);

/* One more reference; returns fiber. And one less. */
FIBER_API struct fiber *fiber_get(struct fiber *fiber);
FIBER_API void fiber_put(struct fiber *fiber);

/* The calling fiber, without a reference; NULL in other threads. */
FIBER_API struct fiber *fiber_self(void);

/* A number that no other fiber of this process has or had; 0 for NULL. */
FIBER_API uint64_t fiber_id(const struct fiber *fiber);

/* Name the calling fiber. -EPERM in other threads, -EINVAL for NULL, -ENOMEM. */
FIBER_API int fiber_name_set(const char *name);

/*
 * Copy the fiber's name to buf, which has size bytes, cut to fit; empty if it
 * has none. -EINVAL.
 */
FIBER_API int fiber_name_get(const struct fiber *fiber, char *buf, size_t size);

/* Let others run first. In other threads: sched_yield(). */
FIBER_API void fiber_yield(void);

/*
 * End the calling fiber as if its function had returned result. Handlers that
 * were pushed run, then destructors of keys. Not in other threads: aborts.
 */
FIBER_API void fiber_exit(int result) __attribute__((noreturn));

/*
 * From here to the matching unpin the calling fiber stays on its thread: what
 * is thread-local stays valid across calls of this library. Nests. Nothing in
 * other threads. Pinned, it may wait for its worker while others are idle.
 */
FIBER_API void fiber_pin(void);
FIBER_API void fiber_unpin(void);

/* Memory for one handler; lives until it is popped. */
struct fiber_cleanup {
	void (*fn)(void *);
	void *arg;
	struct fiber_cleanup *next;
};

/*
 * Have fn(arg) called if the calling fiber ends by fiber_exit(), latest first.
 * pop takes the latest handler off and, if run, calls it; handlers are popped
 * in the reverse order, by the function that pushed them. -EINVAL; -ENOMEM; -EPERM in
 * other threads.
 */
FIBER_API int fiber_cleanup_push(struct fiber_cleanup *cleanup,
				 void (*fn)(void *), void *arg);
FIBER_API int fiber_cleanup_pop(struct fiber_cleanup *cleanup, int run);

/* A key for a value that every fiber, and every other thread, has its own of. */
typedef uint32_t fiber_key;

/* How many keys there can be in a process. */
#define FIBER_KEYS_MAX 64

/*
 * Make a key. When a fiber or another thread with a value other than NULL ends,
 * the destructor (may be NULL) is called with it; again, up to four rounds, while destructors
 * set values. Keys are never taken back. -EAGAIN if there are FIBER_KEYS_MAX.
 */
FIBER_API int fiber_key_add(fiber_key *key, void (*destructor)(void *));
/* -EINVAL for a key that is none, -ENOMEM. */
FIBER_API int fiber_key_set(fiber_key key, void *value);
/* NULL until it is set. */
FIBER_API void *fiber_key_get(fiber_key key);

#ifdef __cplusplus
}
#endif

#endif /* FIBER_FIBER_H */
