/* SPDX-License-Identifier: MIT */
/*
 * Attributes made by hand, right and wrong.
 */
#ifndef UNIT_MESSAGE_H
#define UNIT_MESSAGE_H

#include <linux/netlink.h>

#include "unit.h"

#define MESSAGE_MAX 16384

struct message {
	_Alignas(8) char data[MESSAGE_MAX];
	size_t len;
};

/* @claimed is the length that the attribute says of its payload. */
static inline void put_raw(struct message *m, int type, const void *data,
			   size_t len, size_t claimed)
{
	struct nlattr head = { (uint16_t)(NLA_HDRLEN + claimed),
			       (uint16_t)type };

	memcpy(m->data + m->len, &head, sizeof(head));
	if (len)
		memcpy(m->data + m->len + NLA_HDRLEN, data, len);
	m->len += NLA_ALIGN(NLA_HDRLEN + len);
}

static inline void put(struct message *m, int type, const void *data,
		       size_t len)
{
	put_raw(m, type, data, len, len);
}

static inline void put_u32(struct message *m, int type, uint32_t value)
{
	put(m, type, &value, sizeof(value));
}

static inline void put_u64(struct message *m, int type, uint64_t value)
{
	put(m, type, &value, sizeof(value));
}

#endif /* UNIT_MESSAGE_H */
