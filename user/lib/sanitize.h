/* SPDX-License-Identifier: MIT */
/*
 * What the sanitizers, and Valgrind, have to be told about stacks.
 *
 * MODEL. The address sanitizer believes that a thread has one stack. Around every
 * switch it is told which one comes next (_fiber_sanitize_leave), and on the
 * other side that it came (_fiber_sanitize_arrive), where it says in return which
 * one was left: that is how the bounds of a thread's own stack become known. A
 * frame that is never returned from, as the last one of every fiber, leaves its
 * red zones behind, and they are wiped before the stack is used again.
 *
 * The thread sanitizer has a context for each stack: which calls are on it, and
 * what has happened before. A fiber has one from its start to its end. Switching
 * orders what comes after what came before, as it does on a thread: two fibers
 * that share a variable without a lock are found when they run on two workers,
 * which FIBER_TEST_MIGRATE makes them do. It ends a process that has too many
 * contexts (gcc 12: more than 8128, with the threads); fibers beyond
 * FIBER_SANITIZE_MAX wait for one as they do for a stack (stacks.h).
 *
 * It does not know fences: what orders by one is not seen to (atomic.h).
 *
 * Valgrind takes another stack that is near for a larger frame, unless it is told
 * where each begins and ends, when it is made. That is a few instructions which do
 * nothing without it, and they are there wherever its header was.
 *
 * Without a sanitizer all else of this is nothing.
 */
#ifndef FIBER_SANITIZE_H
#define FIBER_SANITIZE_H

#include <stdbool.h>
#include <stddef.h>

#include "atomic.h"

#ifdef __has_include
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#define FIBER_VALGRIND 1
#endif
#endif

#if defined(__SANITIZE_ADDRESS__)
#define FIBER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBER_ASAN 1
#endif
#endif

/*
 * Since version 3 of its runtime a context is a mapping of its own, of which a
 * process may have 65530 if nobody raised vm.max_map_count.
 */
#if defined(__clang__) ? __clang_major__ >= 14 : __GNUC__ >= 13
#define FIBER_SANITIZE_MAX 30000u
#else
#define FIBER_SANITIZE_MAX 7000u
#endif

struct fiber_sanitize {
#ifdef FIBER_ASAN
	void *fake; /* its frames that the sanitizer keeps elsewhere */
	const void *low;
	size_t size;
#elif defined(FIBER_TSAN)
	void *context; /* known of a thread's own stack once it was left */
#endif
};

#ifdef FIBER_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#elif defined(FIBER_TSAN)
#include <sanitizer/tsan_interface.h>

void *_fiber_sanitize_context(void);
void _fiber_sanitize_context_free(void *context);
#endif

/* It says of every system call that it does not know that this is a bug. */
static inline bool _fiber_sanitize_is_valgrind(void)
{
#ifdef FIBER_VALGRIND
	return RUNNING_ON_VALGRIND;
#else
	return false;
#endif
}

/* For callers to keep with a stack for as long as it is mapped. */
struct fiber_sanitize_stack {
#ifdef FIBER_VALGRIND
	unsigned int id;
#endif
};

static inline void
_fiber_sanitize_stack_init(struct fiber_sanitize_stack *stack, const void *low,
			   const void *end)
{
	(void)stack;
	(void)low;
	(void)end;
#ifdef FIBER_VALGRIND
	/* The end is in it: that is where the first one's pointer is. */
	stack->id = VALGRIND_STACK_REGISTER(low, end);
#endif
}

static inline void
_fiber_sanitize_stack_exit(const struct fiber_sanitize_stack *stack)
{
	(void)stack;
#ifdef FIBER_VALGRIND
	VALGRIND_STACK_DEREGISTER(stack->id);
#endif
}

/* Whether one more can be had. */
#ifdef FIBER_TSAN
bool _fiber_sanitize_has_room(void);
#else
static inline bool _fiber_sanitize_has_room(void)
{
	return true;
}
#endif

static inline void _fiber_sanitize_init(struct fiber_sanitize *self,
					const void *low, size_t size)
{
	(void)self;
	(void)low;
	(void)size;
#ifdef FIBER_ASAN
	*self = (struct fiber_sanitize){ .low = low, .size = size };
#elif defined(FIBER_TSAN)
	self->context = _fiber_sanitize_context();
#endif
}

/*
 * Before a switch. from is NULL if nobody will ever switch to it again.
 *
 * Inline always: the thread sanitizer would see another stack return from this
 * than the one that called it.
 */
static inline __attribute__((always_inline)) void
_fiber_sanitize_leave(struct fiber_sanitize *from,
		      const struct fiber_sanitize *to)
{
#ifdef FIBER_TSAN
	void *left = __tsan_get_current_fiber();

	if (from)
		from->context = left;
	__tsan_switch_to_fiber(to->context, 0);
	if (!from)
		_fiber_sanitize_context_free(left);
#elif defined(FIBER_ASAN)
	__sanitizer_start_switch_fiber(from ? &from->fake : NULL, to->low,
				       to->size);
#else
	(void)from;
	(void)to;
#endif
}

/* The first thing after a switch to self; left is whom it came from. */
static inline void _fiber_sanitize_arrive(const struct fiber_sanitize *self,
					  struct fiber_sanitize *left)
{
	(void)self;
	(void)left;
#ifdef FIBER_ASAN
	__sanitizer_finish_switch_fiber(self->fake, &left->low, &left->size);
#endif
}

/* Before a stack is used again. */
static inline void _fiber_sanitize_wipe(const void *low, size_t size)
{
	(void)low;
	(void)size;
#ifdef FIBER_ASAN
	__asan_unpoison_memory_region(low, size);
#endif
}

/* Memory that the leak checker does not know, with pointers to what it does. */
static inline void _fiber_sanitize_root(const void *at, size_t size)
{
	(void)at;
	(void)size;
#ifdef FIBER_ASAN
	__lsan_register_root_region(at, size);
#endif
}

#endif /* FIBER_SANITIZE_H */
