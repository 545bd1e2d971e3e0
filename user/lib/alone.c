// SPDX-License-Identifier: MIT
/*
 * What the scheduler says to those who would rather spin than wait.
 */
#include "mutex.h"
#include "sched.h"

bool _fiber_sched_alone(struct fiber_here *here)
{
	return !here->is_worker || !fiber_worker_loot(fiber_worker_of(here));
}
