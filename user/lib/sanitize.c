// SPDX-License-Identifier: MIT
/*
 * The thread sanitizer's contexts, counted.
 */
#include "sanitize.h"

#ifdef FIBER_TSAN

static at(uint32_t) nr_contexts;

bool _fiber_sanitize_has_room(void)
{
	return at_load(&nr_contexts, RELAXED) < FIBER_SANITIZE_MAX;
}

void *_fiber_sanitize_context(void)
{
	at_add(&nr_contexts, 1);
	return __tsan_create_fiber(0);
}

void _fiber_sanitize_context_free(void *context)
{
	at_add(&nr_contexts, -1);
	__tsan_destroy_fiber(context);
}

#endif /* FIBER_TSAN */
