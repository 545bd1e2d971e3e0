/* SPDX-License-Identifier: MIT */
/*
 * Atomic variables, and the only way to touch one.
 *
 * MODEL. at(T) is a variable of type T that threads share: a structure, so that
 * nothing but the macros below reaches it. Loads and stores name their order;
 * what reads and writes at once is sequentially consistent, which costs nothing
 * more on x86_64 and aarch64 than acquire and release together.
 *
 * The explorer (tests/unit/explore) compiles the same files with a header of
 * its own in place of this one, in which every access is a point where another
 * thread may come in, and stores wait in a buffer as they do in a CPU.
 */
#ifndef FIBER_ATOMIC_H
#define FIBER_ATOMIC_H

#if defined(__SANITIZE_THREAD__)
#define FIBER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FIBER_TSAN 1
#endif
#endif

#ifdef FIBER_EXPLORE
#include "explore_atomic.h"
#else

#define at(T)        \
	struct {     \
		T v; \
	}

#define AT_RELAXED __ATOMIC_RELAXED
#define AT_ACQUIRE __ATOMIC_ACQUIRE
#define AT_RELEASE __ATOMIC_RELEASE
#define AT_SEQ_CST __ATOMIC_SEQ_CST

/*
 * By who owns it for now: nobody else writes meanwhile, and whoever reads it
 * meanwhile can take any value. For the compiler these are plain accesses, which
 * it may merge with those of the neighbours.
 */
#define at_own(p) ((p)->v)
#ifdef FIBER_TSAN
#define at_set(p, value) at_store(p, value, RELAXED)
#else
#define at_set(p, value) ((void)((p)->v = (value)))
#endif
#define at_load(p, order) __atomic_load_n(&(p)->v, AT_##order)
#define at_store(p, value, order) __atomic_store_n(&(p)->v, value, AT_##order)
#define at_xchg(p, value) __atomic_exchange_n(&(p)->v, value, __ATOMIC_SEQ_CST)
/* Whether it was *expected and is now value; else *expected is what it was. */
#define at_cas(p, expected, value)                               \
	__atomic_compare_exchange_n(&(p)->v, expected, value, 0, \
				    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
/* These return what it was before. */
#define at_add(p, value) __atomic_fetch_add(&(p)->v, value, __ATOMIC_SEQ_CST)
#define at_or(p, value) __atomic_fetch_or(&(p)->v, value, __ATOMIC_SEQ_CST)
#define at_and(p, value) __atomic_fetch_and(&(p)->v, value, __ATOMIC_SEQ_CST)

/* A variable that one thread writes: no locked instruction for a counter. */
#define at_count(p) at_store(p, at_load(p, RELAXED) + 1, RELAXED)

static inline void at_fence(void)
{
#ifdef __x86_64__
	/* Some compilers take mfence, at eight times the price. */
	__asm__ volatile("lock orl $0, (%%rsp)" ::: "memory", "cc");
#else
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

/*
 * After something that reads and writes at once: nothing later is done before it
 * is seen. Where it is a loop of two instructions, loads may pass the second.
 */
static inline void at_fence_after(void)
{
#if defined(__x86_64__) || defined(__ARM_FEATURE_ATOMICS)
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
#else
	at_fence();
#endif
}

static inline void at_pause(void)
{
#ifdef __x86_64__
	__asm__ volatile("pause");
#elif defined(__aarch64__)
	__asm__ volatile("isb");
#endif
}

#endif /* FIBER_EXPLORE */

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#endif /* FIBER_ATOMIC_H */
