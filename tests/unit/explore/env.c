// SPDX-License-Identifier: MIT
/*
 * Futexes, barriers, clocks. System calls empty the store buffer, as the kernel
 * passes a barrier before it looks at the word, and at who sleeps.
 */
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "core.h"
#include "env.h"

/* One of so many waits returns for no reason at once. */
#define SPURIOUS 64

struct explore_env explore_env;

static void enter_kernel(const char *call)
{
	explore_point(call);
	if (explorer.self) {
		explorer.self->spins = explorer.self->loads = 0;
		explore_pass_fence(explorer.self);
	}
}

int _fiber_futex_wait(fiber_word *word, uint32_t seen, int64_t deadline)
{
	uint32_t value;

	enter_kernel("futex wait");
	memcpy(&value, word, sizeof(value));
	if (value != seen || explore_chance(SPURIOUS))
		return 0;
	if (deadline <= explorer.now)
		return -ETIMEDOUT;
	return explore_wait(word, deadline, true, "in the kernel") ?
		       -ETIMEDOUT :
		       0;
}

void _fiber_futex_wake(fiber_word *word, int n)
{
	enter_kernel("futex wake");
	explore_wake(word, n);
}

int _fiber_barrier(void)
{
	unsigned int i;

	enter_kernel("membarrier");
	if (explore_env.barrier_refused)
		return -ENOSYS;
	for (i = 0; i < explorer.n; i++)
		explore_pass_fence(&explorer.threads[i]);
	return 0;
}

int64_t _fiber_clock_real(void)
{
	return explorer.now;
}

int64_t _fiber_clock_now(void)
{
	return explorer.now;
}

void _fiber_clock_look(void)
{
}

bool _fiber_clock_is_virtual(void)
{
	return explore_env.clock_is_virtual;
}

void _fiber_clock_advance(int64_t t)
{
	explore_set_now(t);
}

void explore_check_deadline(const struct fiber *f, int64_t until)
{
	if (at_own(&f->kind) != FIBER_KIND_FREE && f->deadline.v < until)
		explore_fail(__FILE__, __LINE__,
			     "a deadline is forgotten: %lld, and the next time "
			     "is %lld",
			     (long long)f->deadline.v, (long long)until);
}
