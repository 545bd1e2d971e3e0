/* SPDX-License-Identifier: MIT */
/*
 * Channels: queues of elements of one size, and a meeting place when they have
 * no capacity.
 *
 * Elements are copied. They are received in the order in which they were sent;
 * who waited longest goes first. An element of 0 bytes is a signal: pointers to
 * elements may then be NULL. With capacity 0 a send returns when a receiver has
 * the element.
 *
 * In all of these, the reference of the caller must last for the call. -EINVAL
 * for a channel that is NULL, or an element that is and should not be. -ENOMEM
 * where there is no memory to look after a deadline, or for the first call of a
 * thread; then nothing was done.
 */
#ifndef FIBER_CHAN_H
#define FIBER_CHAN_H

#include <fiber/base.h>

#ifdef __cplusplus
extern "C" {
#endif

struct fiber_chan;

/* Bytes of one element, and of all that a channel can hold. */
#define FIBER_ELEM_SIZE_MAX ((size_t)1 << 24)
#define FIBER_CHAN_SIZE_MAX ((size_t)1 << 40)

/* Set size to sizeof(struct fiber_chan_attr); all else may be 0. */
struct fiber_chan_attr {
	size_t size;
	unsigned int flags; /* 0 */
	unsigned int reserved; /* 0 */
};

/*
 * Make a channel for `capacity` elements of elem_size bytes, and a reference to
 * it. attr may be NULL. -EINVAL, -ENOMEM.
 */
FIBER_API int fiber_chan_new(struct fiber_chan **chan, size_t elem_size,
			     size_t capacity,
			     const struct fiber_chan_attr *attr);

/*
 * One more reference; returns chan. And one less: with the last one the channel
 * is gone, and elements in it. To give up the last reference while somebody
 * waits in the channel is a bug of the program: it is reported, and aborts.
 */
FIBER_API struct fiber_chan *fiber_chan_get(struct fiber_chan *chan);
FIBER_API void fiber_chan_put(struct fiber_chan *chan);

/*
 * Send a copy of *elem. Waits while there is neither room nor a receiver.
 * -EPIPE if the channel is closed, or is while this waits; -ECANCELED; -ENOMEM,
 * only for elements of more than 128 bytes and capacities above 0. until:
 * -ETIMEDOUT; try: -EAGAIN where others would wait.
 */
FIBER_API int fiber_send(struct fiber_chan *chan, const void *elem);
FIBER_API int fiber_send_until(struct fiber_chan *chan, const void *elem,
			       int64_t deadline);
FIBER_API int fiber_try_send(struct fiber_chan *chan, const void *elem);

/*
 * Receive an element into *elem; NULL drops it. Waits while there is none.
 * -EPIPE if the channel is closed and empty; -ECANCELED; until: -ETIMEDOUT;
 * try: -EAGAIN where others would wait.
 */
FIBER_API int fiber_recv(struct fiber_chan *chan, void *elem);
FIBER_API int fiber_recv_until(struct fiber_chan *chan, void *elem,
			       int64_t deadline);
FIBER_API int fiber_try_recv(struct fiber_chan *chan, void *elem);

/*
 * Nothing more is sent: those that wait to send or do get -EPIPE; receivers
 * get what is there, and then -EPIPE. -EPIPE if it is closed already.
 */
FIBER_API int fiber_chan_close(struct fiber_chan *chan);

/* Elements in the channel at the moment, and its capacity; 0 for NULL. */
FIBER_API size_t fiber_chan_len(const struct fiber_chan *chan);
FIBER_API size_t fiber_chan_cap(const struct fiber_chan *chan);

/*
 * A channel of a type, checked by the compiler: defines struct name and static
 * inline functions name_new(), name_send(), name_recv() and so on.
 *
 *	FIBER_CHAN_TYPE(int_chan, int);
 *	struct int_chan c;
 *	int_chan_new(&c, 0);
 *	int_chan_send(c, 42);
 */
#define FIBER_CHAN_INLINE static inline __attribute__((unused))
#define FIBER_CHAN_TYPE(name, T)                                            \
	struct name {                                                       \
		struct fiber_chan *chan;                                    \
	};                                                                  \
	FIBER_CHAN_INLINE int name##_new(struct name *c, size_t capacity)   \
	{                                                                   \
		return fiber_chan_new(&c->chan, sizeof(T), capacity, NULL); \
	}                                                                   \
	FIBER_CHAN_INLINE void name##_put(struct name c)                    \
	{                                                                   \
		fiber_chan_put(c.chan);                                     \
	}                                                                   \
	FIBER_CHAN_INLINE int name##_send(struct name c, T elem)            \
	{                                                                   \
		return fiber_send(c.chan, &elem);                           \
	}                                                                   \
	FIBER_CHAN_INLINE int name##_send_until(struct name c, T elem,      \
						int64_t t)                  \
	{                                                                   \
		return fiber_send_until(c.chan, &elem, t);                  \
	}                                                                   \
	FIBER_CHAN_INLINE int name##_try_send(struct name c, T elem)        \
	{                                                                   \
		return fiber_try_send(c.chan, &elem);                       \
	}                                                                   \
	FIBER_CHAN_INLINE int name##_recv(struct name c, T *elem)           \
	{                                                                   \
		return fiber_recv(c.chan, elem);                            \
	}                                                                   \
	FIBER_CHAN_INLINE int name##_recv_until(struct name c, T *elem,     \
						int64_t t)                  \
	{                                                                   \
		return fiber_recv_until(c.chan, elem, t);                   \
	}                                                                   \
	FIBER_CHAN_INLINE int name##_try_recv(struct name c, T *elem)       \
	{                                                                   \
		return fiber_try_recv(c.chan, elem);                        \
	}                                                                   \
	FIBER_CHAN_INLINE int name##_close(struct name c)                   \
	{                                                                   \
		return fiber_chan_close(c.chan);                            \
	}                                                                   \
	struct name

#ifdef __cplusplus
}
#endif

#endif /* FIBER_CHAN_H */
