/* SPDX-License-Identifier: MIT */
/*
 * What the address sanitizer has to be told about stacks.
 *
 * MODEL. It believes that a thread has one stack. Around every switch it is
 * told which one comes next (_fiber_sanitize_leave), and on the other side that
 * it came (_fiber_sanitize_arrive), where it says in return which one was left:
 * that is how the bounds of a thread's own stack become known. A frame that is
 * never returned from, as the last one of every fiber, leaves its red zones
 * behind, and they are wiped before the stack is used again.
 *
 * Without a sanitizer all of this is nothing.
 */
#ifndef FIBER_SANITIZE_H
#define FIBER_SANITIZE_H

#include <stddef.h>

#ifdef __SANITIZE_ADDRESS__
#define SANITIZE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZE 1
#endif
#endif

struct fiber_sanitize {
#ifdef SANITIZE
	void *fake; /* its frames that the sanitizer keeps elsewhere */
	const void *low;
	size_t size;
#endif
};

#ifdef SANITIZE
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#endif

static inline void _fiber_sanitize_init(struct fiber_sanitize *self,
					const void *low, size_t size)
{
	(void)self;
	(void)low;
	(void)size;
#ifdef SANITIZE
	*self = (struct fiber_sanitize){ .low = low, .size = size };
#endif
}

/* Before a switch. from is NULL if nobody will ever switch to it again. */
static inline void _fiber_sanitize_leave(struct fiber_sanitize *from,
					 const struct fiber_sanitize *to)
{
	(void)from;
	(void)to;
#ifdef SANITIZE
	__sanitizer_start_switch_fiber(from ? &from->fake : NULL, to->low,
				       to->size);
#endif
}

/* The first thing after a switch to self; left is whom it came from. */
static inline void _fiber_sanitize_arrive(const struct fiber_sanitize *self,
					  struct fiber_sanitize *left)
{
	(void)self;
	(void)left;
#ifdef SANITIZE
	__sanitizer_finish_switch_fiber(self->fake, &left->low, &left->size);
#endif
}

/* Before a stack is used again. */
static inline void _fiber_sanitize_wipe(const void *low, size_t size)
{
	(void)low;
	(void)size;
#ifdef SANITIZE
	__asan_unpoison_memory_region(low, size);
#endif
}

/* Memory that the leak checker does not know, with pointers to what it does. */
static inline void _fiber_sanitize_root(const void *at, size_t size)
{
	(void)at;
	(void)size;
#ifdef SANITIZE
	__lsan_register_root_region(at, size);
#endif
}

#undef SANITIZE

#endif /* FIBER_SANITIZE_H */
