// SPDX-License-Identifier: MIT
/*
 * Clocks.
 */
#include <time.h>

#include "clock.h"

#define NS 1000000000
#define MS 1000000

static bool is_virtual; /* written before there are two threads */
static at(int64_t) virtual_now;
fiber_word _fiber_clock_ms;

int64_t _fiber_clock_real(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * NS + t.tv_nsec;
}

int64_t _fiber_clock_now(void)
{
	if (unlikely(is_virtual))
		return at_load(&virtual_now, ACQUIRE);
	return _fiber_clock_real();
}

void _fiber_clock_init(bool virtual)
{
	is_virtual = virtual;
	at_store(&virtual_now, 0, RELAXED);
	_fiber_clock_look();
}

bool _fiber_clock_is_virtual(void)
{
	return is_virtual;
}

void _fiber_clock_look(void)
{
	at_store(&_fiber_clock_ms, _fiber_clock_real() / MS, RELAXED);
}

void _fiber_clock_advance(int64_t t)
{
	int64_t now = at_load(&virtual_now, RELAXED);

	while (now < t && !at_cas(&virtual_now, &now, t))
		;
}
