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

/*
 * waiter->call; beside each what waiter->on points to: where no more is said, the
 * first word of the object.
 */
enum fiber_call {
	FIBER_CALL_NONE,
	FIBER_CALL_SLEEP, /* nothing */
	FIBER_CALL_SEND, /* chan->sendq */
	FIBER_CALL_RECV, /* chan->recvq */
	FIBER_CALL_SELECT, /* of each in the row: as SEND, RECV; or nothing */
	FIBER_CALL_JOIN, /* fiber->joiners */
	FIBER_CALL_SCOPE, /* scope->waiters */
	FIBER_CALL_MUTEX,
	FIBER_CALL_COND,
	FIBER_CALL_RDLOCK, /* its queue of readers, right after the word */
	FIBER_CALL_WRLOCK,
	FIBER_CALL_SEM, /* its queue */
	FIBER_CALL_WAITGROUP, /* its queue */
	FIBER_CALL_ONCE, /* its queue, right after the word */
	FIBER_CALL_BARRIER,
	FIBER_CALL_EVENT, /* its queue */
	FIBER_CALL_BLOCK_ON, /* the word */
};

#endif /* FIBER_WAIT_H */
