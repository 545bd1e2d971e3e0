/* SPDX-License-Identifier: MIT */
/*
 * Synchronisation: mutexes, conditions and the like, for fibers and all other
 * threads, on either side.
 *
 * An object is memory of the caller's that is initialised as below and needs no
 * other preparation, and nothing when it is no longer used; all bytes 0 is the
 * same as FIBER_..._INIT. It must not be moved or copied while it is in use, nor
 * be in memory that processes share. It may be freed as soon as nobody is in a
 * call on it any more, other than a call that made the last of the others
 * return: whoever was given a mutex may free it at once, even if who gave it has not
 * returned.
 *
 * In all of these: -EINVAL for an object that is NULL; -ECANCELED as in
 * cancel.h; until: -ETIMEDOUT; try: -EAGAIN where others would wait, and no
 * notice is taken of cancellation. -ENOMEM where there is no memory to look
 * after a deadline, or for the first call of a thread; then nothing was done.
 * Nothing else here takes memory. After a call that failed everything is as if
 * it had not been made.
 */
#ifndef FIBER_SYNC_H
#define FIBER_SYNC_H

#include <fiber/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A mutex, which belongs to the fiber or the thread that has locked it.
 * -EDEADLK to lock one's own; -EPERM to unlock what is not.
 *
 * Who unlocks it wakes the one that waits for longest, but somebody else may
 * be faster: that keeps a mutex that is wanted often from changing hands for
 * each use. Who was woken, finds it taken, and has waited for more than a
 * millisecond is the next to have it, whoever else comes.
 */
struct fiber_mutex {
	uint64_t opaque[2];
};

#define FIBER_MUTEX_INIT     \
	{                    \
		{            \
			0, 0 \
		}            \
	}

FIBER_API int fiber_mutex_lock(struct fiber_mutex *mutex);
FIBER_API int fiber_mutex_lock_until(struct fiber_mutex *mutex,
				     int64_t deadline);
FIBER_API int fiber_mutex_try_lock(struct fiber_mutex *mutex);
FIBER_API int fiber_mutex_unlock(struct fiber_mutex *mutex);

/*
 * A condition: wait for something that is protected by a mutex to become so.
 *
 *	fiber_mutex_lock(&m);
 *	while (!ready && !err)
 *		err = fiber_cond_wait(&c, &m);
 *	...
 *	fiber_mutex_unlock(&m);
 *
 * To wait gives up the mutex, and has it again on return, whatever it returns;
 * not even cancellation keeps a call from that. -EPERM if the caller does not
 * have the mutex. 0: it was woken by signal, which wakes the one that waits for
 * longest, or broadcast, which wakes all. A signal wakes one that is not
 * cancelled or past its deadline, if there is one.
 */
struct fiber_cond {
	uint64_t opaque[2];
};

#define FIBER_COND_INIT      \
	{                    \
		{            \
			0, 0 \
		}            \
	}

FIBER_API int fiber_cond_wait(struct fiber_cond *cond,
			      struct fiber_mutex *mutex);
FIBER_API int fiber_cond_wait_until(struct fiber_cond *cond,
				    struct fiber_mutex *mutex,
				    int64_t deadline);
FIBER_API int fiber_cond_signal(struct fiber_cond *cond);
FIBER_API int fiber_cond_broadcast(struct fiber_cond *cond);

#ifdef __cplusplus
}
#endif

#endif /* FIBER_SYNC_H */
