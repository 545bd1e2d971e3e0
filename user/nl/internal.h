/* SPDX-License-Identifier: MIT */
/*
 * The handle, and what the files of libfibernl share.
 */
#ifndef FIBER_NL_INTERNAL_H
#define FIBER_NL_INTERNAL_H

#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <netlink/socket.h>

#include <fiber/nl.h>
#include <linux/fiber.h>

#include "decode.h"

/* Whole messages as they came; each begins at a multiple of 4. */
struct buf {
	char *data;
	size_t len;
	size_t cap;
};

/*
 * Two sockets, so that events never come between a request and its answer but
 * for the two requests that are about events.
 */
struct fiber_nl {
	struct nl_sock *requests; /* owns the watches */
	struct nl_sock *events; /* owns the subscription, or NULL */
	int family;
	struct buf answer;
	struct buf pending; /* events read and not yet taken */
	size_t pending_at; /* the next of them */
	struct thread_extra extra;
	char error[256];
};

/* error.c */
int _fiber_nl_from_libnl(int nle);
int _fiber_nl_fail(struct fiber_nl *nl, int err, const char *why);

/* sock.c */
int _fiber_nl_sock_open(struct nl_sock **sockp);
struct nl_msg *_fiber_nl_request(const struct fiber_nl *nl, int cmd, int flags);
int _fiber_nl_receive(struct nl_sock *sock, struct buf *buf, int flags);
int _fiber_nl_ask(struct fiber_nl *nl, struct nl_sock *sock, struct nl_msg *msg,
		  struct buf *buf);
const struct nlmsghdr *_fiber_nl_next(const struct buf *buf, size_t *at);
bool _fiber_nl_payload(const struct fiber_nl *nl, const struct nlmsghdr *msg,
		       const void **attrs, size_t *size);
void _fiber_nl_buf_free(struct buf *buf);

#endif /* FIBER_NL_INTERNAL_H */
