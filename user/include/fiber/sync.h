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
 * return: whoever was given a mutex may free it at once, and the event, wait
 * group or semaphore that it waited for, even if who woke it has not returned.
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
 * millisecond is the next to have it, whoever else comes. Who ends and has it
 * leaves it locked.
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

/*
 * A lock for one writer or many readers. While a writer waits no reader gets in;
 * when a writer unlocks, all readers that wait by then do. So neither starves
 * the other. A reader that locks it again may deadlock with a writer that waits
 * meanwhile. -EDEADLK to lock one's own for writing; -EPERM to unlock what is
 * not locked, or by another writer; of readers it is not known who they are.
 */
struct fiber_rwlock {
	uint64_t opaque[3];
};

#define FIBER_RWLOCK_INIT       \
	{                       \
		{               \
			0, 0, 0 \
		}               \
	}

FIBER_API int fiber_rwlock_rdlock(struct fiber_rwlock *lock);
FIBER_API int fiber_rwlock_rdlock_until(struct fiber_rwlock *lock,
					int64_t deadline);
FIBER_API int fiber_rwlock_try_rdlock(struct fiber_rwlock *lock);
FIBER_API int fiber_rwlock_wrlock(struct fiber_rwlock *lock);
FIBER_API int fiber_rwlock_wrlock_until(struct fiber_rwlock *lock,
					int64_t deadline);
FIBER_API int fiber_rwlock_try_wrlock(struct fiber_rwlock *lock);
FIBER_API int fiber_rwlock_unlock(struct fiber_rwlock *lock);

/*
 * A semaphore: a number that wait takes one off, after waiting while it is 0,
 * and post adds one to. Who waits longest goes first. -EOVERFLOW if it is
 * FIBER_SEM_MAX already.
 */
struct fiber_sem {
	uint64_t opaque[2];
};

#define FIBER_SEM_MAX INT32_MAX
#define FIBER_SEM_INIT(count)                    \
	{                                        \
		{                                \
			(uint64_t)(count) * 2, 0 \
		}                                \
	}

FIBER_API int fiber_sem_wait(struct fiber_sem *sem);
FIBER_API int fiber_sem_wait_until(struct fiber_sem *sem, int64_t deadline);
FIBER_API int fiber_sem_try_wait(struct fiber_sem *sem);
FIBER_API int fiber_sem_post(struct fiber_sem *sem);

/*
 * A wait group: a number of things to be done, n of which add adds, and done
 * takes off one. Wait waits until it is 0. What is added before the first wait,
 * or while the number is not 0, is waited for. -EINVAL if it were less than 0
 * then, -EOVERFLOW if more than INT32_MAX.
 */
struct fiber_waitgroup {
	uint64_t opaque[2];
};

#define FIBER_WAITGROUP_INIT \
	{                    \
		{            \
			0, 0 \
		}            \
	}

FIBER_API int fiber_waitgroup_add(struct fiber_waitgroup *group, int n);
FIBER_API int fiber_waitgroup_done(struct fiber_waitgroup *group);
FIBER_API int fiber_waitgroup_wait(struct fiber_waitgroup *group);
FIBER_API int fiber_waitgroup_wait_until(struct fiber_waitgroup *group,
					 int64_t deadline);

/*
 * Call fn(arg), if no call on this object has done it yet, and return 0 when it
 * is done, by whomever. A cancelled caller leaves, but does not end fn, which
 * is called only by one that is not cancelled. If fn does not return since its
 * fiber exits, it does not count as done: the next one calls it; -ENOMEM if there
 * is no memory to see to that. It must not be left in another way, such as an
 * exception, longjmp() or the end of a thread. -EDEADLK from within fn.
 */
struct fiber_once {
	uint64_t opaque[2];
};

#define FIBER_ONCE_INIT      \
	{                    \
		{            \
			0, 0 \
		}            \
	}

FIBER_API int fiber_once(struct fiber_once *once, void (*fn)(void *),
			 void *arg);

/*
 * A barrier: so many wait until the last one comes; then all go on, and it is
 * as before. Returns 1 for the last one, 0 for the others. On an error the
 * caller has not come, and the others wait for one more. -EINVAL if it is for
 * nobody; here all bytes 0 is no initialisation.
 */
struct fiber_barrier {
	uint64_t opaque[2];
};

#define FIBER_BARRIER_INIT(count)            \
	{                                    \
		{                            \
			(uint32_t)(count), 0 \
		}                            \
	}

FIBER_API int fiber_barrier_wait(struct fiber_barrier *barrier);
FIBER_API int fiber_barrier_wait_until(struct fiber_barrier *barrier,
				       int64_t deadline);

/*
 * An event: wait waits until it is set, which it is until it is cleared. Who
 * waits when it is set goes on, even if it is cleared right after.
 */
struct fiber_event {
	uint64_t opaque[2];
};

#define FIBER_EVENT_INIT     \
	{                    \
		{            \
			0, 0 \
		}            \
	}

FIBER_API int fiber_event_set(struct fiber_event *event);
FIBER_API int fiber_event_clear(struct fiber_event *event);
FIBER_API int fiber_event_wait(struct fiber_event *event);
FIBER_API int fiber_event_wait_until(struct fiber_event *event,
				     int64_t deadline);

#ifdef __cplusplus
}
#endif

#endif /* FIBER_SYNC_H */
