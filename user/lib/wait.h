/* SPDX-License-Identifier: MIT */
/*
 * What a fiber waits for, as those see it who look at it from outside.
 *
 * MODEL. Who waits leaves in fiber->waits a pointer to its waiter, which says the
 * rest. It is for looks only: nothing else in the library depends on it, and no
 * lock is held for it. It is that of the present wait if the park word has
 * PARKED and not CLAIMED, the waiter's ticket is that word's generation, and the
 * word is still the same when the waiter has been read. The waiter is on
 * the stack of who waits, and may be anything by then.
 */
#ifndef FIBER_WAIT_H
#define FIBER_WAIT_H

#include <fiber/debug.h>

/*
 * waiter->call is an enum fiber_call; waiter->on of each, from which
 * debug.c makes fiber_info.object:
 *
 *	SLEEP                             nothing
 *	SEND, RECV                        chan->sendq, chan->recvq
 *	SELECT                            of each in the row: as these; or nothing
 *	JOIN                              fiber->joiners
 *	SCOPE                             scope->waiters
 *	MUTEX, COND, WRLOCK, BARRIER      the object
 *	RDLOCK, SEM, WAITGROUP, ONCE,     its queue, of readers the readers', which
 *	EVENT                             is right behind its word
 *	BLOCK_ON                          the word
 */

#endif /* FIBER_WAIT_H */
