// SPDX-License-Identifier: MIT
/*
 * The subscription: events on a socket of their own.
 */
#include <errno.h>
#include <poll.h>

#include <netlink/netlink.h>

#include "internal.h"

static void close_events(struct fiber_nl *nl)
{
	nl_socket_free(nl->events);
	nl->events = NULL;
	_fiber_nl_buf_free(&nl->pending);
	nl->pending_at = 0;
}

static int put_filter(struct nl_msg *msg,
		      const struct fiber_nl_event_filter *filter)
{
	if (filter->types &&
	    nla_put_u32(msg, FIBER_A_EVENT_TYPES, filter->types))
		return -ENOMEM;
	if (filter->pid && nla_put_u32(msg, FIBER_A_EVENT_PID, filter->pid))
		return -ENOMEM;
	if (filter->has_uid && nla_put_u32(msg, FIBER_A_EVENT_UID, filter->uid))
		return -ENOMEM;
	return 0;
}

int fiber_nl_subscribe(struct fiber_nl *nl,
		       const struct fiber_nl_event_filter *filter)
{
	struct nl_msg *msg;
	int err;

	if (nl->events)
		return _fiber_nl_fail(nl, -EEXIST, NULL);
	err = _fiber_nl_sock_open(&nl->events);
	if (err)
		return _fiber_nl_fail(nl, err, NULL);
	msg = _fiber_nl_request(nl, FIBER_CMD_SUBSCRIBE, NLM_F_ACK);
	if (msg && filter && put_filter(msg, filter)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	/* Events that come before the acknowledgement stay in pending. */
	err = _fiber_nl_ask(nl, nl->events, msg, &nl->pending);
	if (err)
		close_events(nl);
	return err;
}

int fiber_nl_unsubscribe(struct fiber_nl *nl)
{
	struct nl_msg *msg;
	int err;

	if (!nl->events)
		return _fiber_nl_fail(nl, -ENOENT, NULL);
	msg = _fiber_nl_request(nl, FIBER_CMD_UNSUBSCRIBE, NLM_F_ACK);
	err = _fiber_nl_ask(nl, nl->events, msg, &nl->pending);
	close_events(nl);
	/* Lost events are no longer anybody's, and closing ended it too. */
	return err == -ENOBUFS || err == -ENODEV ? 0 : err;
}

int fiber_nl_event_fd(const struct fiber_nl *nl)
{
	return nl->events ? nl_socket_get_fd(nl->events) : -ENOENT;
}

/* The next event already read: 1, 0 when there is none, or -errno. */
static int take_pending(struct fiber_nl *nl, struct fiber_nl_event *event)
{
	const struct nlmsghdr *msg;
	const void *attrs;
	size_t size;
	int err;

	while ((msg = _fiber_nl_next(&nl->pending, &nl->pending_at))) {
		if (!_fiber_nl_payload(nl, msg, &attrs, &size))
			continue;
		err = _fiber_nl_decode_event(attrs, size, event);
		return err ? _fiber_nl_fail(nl, err, NULL) : 1;
	}
	nl->pending.len = 0;
	nl->pending_at = 0;
	return 0;
}

/* Wait for a datagram: 1, 0 when none came, or -errno. */
static int wait_datagram(struct fiber_nl *nl, int timeout_ms)
{
	struct pollfd pfd = { .fd = nl_socket_get_fd(nl->events),
			      .events = POLLIN };
	int ready = poll(&pfd, 1, timeout_ms);

	return ready < 0 ? -errno : ready;
}

int fiber_nl_event_next(struct fiber_nl *nl, struct fiber_nl_event *event,
			int timeout_ms)
{
	int err;

	if (!nl->events)
		return _fiber_nl_fail(nl, -ENOENT, NULL);
	for (;;) {
		err = take_pending(nl, event);
		if (err)
			return err;
		err = wait_datagram(nl, timeout_ms);
		if (err > 0)
			err = _fiber_nl_receive(nl->events, &nl->pending,
						MSG_DONTWAIT);
		else if (err == 0)
			return 0;
		if (err < 0 && err != -EAGAIN)
			return _fiber_nl_fail(nl, err, NULL);
	}
}
