/* SPDX-License-Identifier: MIT */
/*
 * Atomic variables as the explorer has them; included by user/lib/atomic.h in
 * place of its own.
 *
 * MODEL. The same macros, each a call of the explorer (explore.c, buffer.c):
 * another test thread may come in before every access, and a store may wait in
 * the buffer of its thread. Orders keep their meaning by what they do to that
 * buffer, and to how early a load may come (past.h).
 *
 * A load returns where to read the value: memory, or the thread's own buffer.
 */
#ifndef EXPLORE_ATOMIC_H
#define EXPLORE_ATOMIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define at(T)        \
	struct {     \
		T v; \
	}

enum explore_order {
	AT_RELAXED,
	AT_ACQUIRE,
	AT_RELEASE,
	AT_SEQ_CST,
};

enum explore_op {
	EXPLORE_ADD,
	EXPLORE_OR,
	EXPLORE_AND,
};

const void *explore_load(const void *at, size_t size, enum explore_order order,
			 const char *place);
void explore_store(void *at, const void *value, size_t size,
		   enum explore_order order, const char *place);
/* *value is exchanged with what was there. */
void explore_xchg(void *at, void *value, size_t size, const char *place);
bool explore_cas(void *at, void *expected, const void *value, size_t size,
		 const char *place);
/* *value becomes what was there. */
void explore_rmw(enum explore_op op, void *at, void *value, size_t size,
		 const char *place);
void explore_fence(const char *place);
void explore_fence_after(const char *place);
void explore_pause(const char *place);

#define EXPLORE_TEXT(x) #x
#define EXPLORE_LINE(line) EXPLORE_TEXT(line)
#define EXPLORE_PLACE __FILE__ ":" EXPLORE_LINE(__LINE__)

#define at_own(p) ((p)->v)
#define at_set(p, value) ((void)((p)->v = (value)))
#define at_load(p, order)                                            \
	(*(__typeof__(&(p)->v))explore_load(&(p)->v, sizeof((p)->v), \
					    AT_##order, EXPLORE_PLACE))
#define at_store(p, value, order)                                             \
	({                                                                    \
		__typeof__((p)->v) stored_ = (value);                         \
		explore_store(&(p)->v, &stored_, sizeof(stored_), AT_##order, \
			      EXPLORE_PLACE);                                 \
	})
#define at_xchg(p, value)                                          \
	({                                                         \
		__typeof__((p)->v) swapped_ = (value);             \
		explore_xchg(&(p)->v, &swapped_, sizeof(swapped_), \
			     EXPLORE_PLACE);                       \
		swapped_;                                          \
	})
#define at_cas(p, expected, value)                                        \
	({                                                                \
		__typeof__((p)->v) wanted_ = (value);                     \
		explore_cas(&(p)->v, expected, &wanted_, sizeof(wanted_), \
			    EXPLORE_PLACE);                               \
	})
#define EXPLORE_RMW(op, p, value)                                     \
	({                                                            \
		__typeof__((p)->v) operand_ = (value);                \
		explore_rmw(op, &(p)->v, &operand_, sizeof(operand_), \
			    EXPLORE_PLACE);                           \
		operand_;                                             \
	})
#define at_add(p, value) EXPLORE_RMW(EXPLORE_ADD, p, value)
#define at_or(p, value) EXPLORE_RMW(EXPLORE_OR, p, value)
#define at_and(p, value) EXPLORE_RMW(EXPLORE_AND, p, value)

#define at_count(p) at_store(p, at_load(p, RELAXED) + 1, RELAXED)

#define at_fence() explore_fence(EXPLORE_PLACE)
#define at_fence_after() explore_fence_after(EXPLORE_PLACE)
#define at_pause() explore_pause(EXPLORE_PLACE)

#endif /* EXPLORE_ATOMIC_H */
