// SPDX-License-Identifier: MIT
/*
 * One request and its answer.
 *
 * MODEL. The answer is received whole, straight into a growing buffer, and
 * decoded from there. So a dump that the kernel interrupts can be thrown away
 * and asked for again before anybody has seen a part of it, and a record costs
 * no allocation and no copy on its way.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <netlink/netlink.h>

#include "internal.h"

/*
 * The kernel fills at most 32 KiB of a dump at a time, and sizes that by the
 * room that the reader last offered; a single message is never longer.
 */
#define RECEIVE_SIZE (64 * 1024)
/* What rmem_max of most systems lets anybody have. */
#define SOCKET_SIZE (208 * 1024)
#define DUMP_RETRIES 3

static int set_options(struct nl_sock *sock)
{
	static const int options[] = { NETLINK_EXT_ACK, NETLINK_CAP_ACK,
				       NETLINK_GET_STRICT_CHK };
	int on = 1;
	size_t i;

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (setsockopt(nl_socket_get_fd(sock), SOL_NETLINK, options[i],
			       &on, sizeof(on)))
			return -errno;
	}
	/* More room only makes it rarer that events are lost. */
	(void)nl_socket_set_buffer_size(sock, SOCKET_SIZE, 0);
	return 0;
}

int _fiber_nl_sock_open(struct nl_sock **sockp)
{
	struct nl_sock *sock = nl_socket_alloc();
	int err;

	*sockp = NULL;
	if (!sock)
		return -ENOMEM;
	err = genl_connect(sock);
	err = err ? _fiber_nl_from_libnl(err) : set_options(sock);
	if (err) {
		nl_socket_free(sock);
		return err;
	}
	*sockp = sock;
	return 0;
}

void _fiber_nl_buf_free(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf){ 0 };
}

static int make_room(struct buf *buf)
{
	size_t cap = buf->cap ? buf->cap : RECEIVE_SIZE;
	char *data;

	while (cap - buf->len < RECEIVE_SIZE)
		cap *= 2;
	if (cap == buf->cap)
		return 0;
	data = realloc(buf->data, cap);
	if (!data)
		return -ENOMEM;
	buf->data = data;
	buf->cap = cap;
	return 0;
}

/*
 * Append one datagram of the kernel's. Returns 1, or 0 for what anybody else
 * sent, or -errno.
 */
int _fiber_nl_receive(struct nl_sock *sock, struct buf *buf, int flags)
{
	struct sockaddr_nl from = { 0 };
	struct iovec iov = { .iov_len = RECEIVE_SIZE };
	struct msghdr msg = { .msg_name = &from,
			      .msg_namelen = sizeof(from),
			      .msg_iov = &iov,
			      .msg_iovlen = 1 };
	ssize_t len;
	int err;

	err = make_room(buf);
	if (err)
		return err;
	iov.iov_base = buf->data + buf->len;
	len = recvmsg(nl_socket_get_fd(sock), &msg, flags);
	if (len < 0)
		return -errno;
	if (msg.msg_flags & MSG_TRUNC)
		return -EMSGSIZE;
	if (msg.msg_namelen != sizeof(from) || from.nl_pid != 0)
		return 0;
	/* The tail of an odd length would be neither message nor room. */
	buf->len += NLMSG_ALIGN((size_t)len);
	return 1;
}

/* The message at *at, which moves past it; NULL at the end of the buffer. */
const struct nlmsghdr *_fiber_nl_next(const struct buf *buf, size_t *at)
{
	const struct nlmsghdr *msg;
	size_t left = buf->len - *at;

	if (left < NLMSG_HDRLEN)
		return NULL;
	msg = (const struct nlmsghdr *)(const void *)(buf->data + *at);
	if (msg->nlmsg_len < NLMSG_HDRLEN || msg->nlmsg_len > left) {
		*at = buf->len;
		return NULL;
	}
	*at += NLMSG_ALIGN((size_t)msg->nlmsg_len);
	if (*at > buf->len)
		*at = buf->len;
	return msg;
}

/* The attributes of a message of the family; false for any other message. */
bool _fiber_nl_payload(const struct fiber_nl *nl, const struct nlmsghdr *msg,
		       const void **attrs, size_t *size)
{
	const size_t head = NLMSG_HDRLEN + GENL_HDRLEN;

	if (msg->nlmsg_type != nl->family || msg->nlmsg_len < head)
		return false;
	*attrs = (const char *)msg + head;
	*size = msg->nlmsg_len - head;
	return true;
}

struct nl_msg *_fiber_nl_request(const struct fiber_nl *nl, int cmd, int flags)
{
	struct nl_msg *msg = nlmsg_alloc();

	if (msg && !genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, nl->family, 0,
				NLM_F_REQUEST | flags, (uint8_t)cmd,
				FIBER_FAMILY_VERSION)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

/*
 * Look through what came since *at for the end of answer @seq. Returns 1 when
 * it ended well, 0 when more must come, or -errno.
 */
static int find_end(struct fiber_nl *nl, const struct buf *buf, size_t *at,
		    uint32_t seq, bool *interrupted)
{
	const struct nlmsghdr *msg;
	char why[sizeof(nl->error)];
	int err;

	while ((msg = _fiber_nl_next(buf, at))) {
		if (msg->nlmsg_seq != seq)
			continue;
		if (msg->nlmsg_flags & NLM_F_DUMP_INTR)
			*interrupted = true;
		if (msg->nlmsg_type != NLMSG_ERROR &&
		    msg->nlmsg_type != NLMSG_DONE)
			continue;
		err = _fiber_nl_decode_end(msg, why, sizeof(why));
		if (err == -ENOENT && !why[0])
			err = -ENODEV; /* the family's number is gone */
		return err ? _fiber_nl_fail(nl, err, why) : 1;
	}
	return 0;
}

static int send_request(struct nl_sock *sock, struct nl_msg *msg)
{
	struct nlmsghdr *hdr = nlmsg_hdr(msg);
	int fd = nl_socket_get_fd(sock);

	hdr->nlmsg_seq = nl_socket_use_seq(sock);
	while (send(fd, hdr, hdr->nlmsg_len, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

/* Send, and append to @buf all that comes until the answer's end. */
static int ask_once(struct fiber_nl *nl, struct nl_sock *sock,
		    struct nl_msg *msg, struct buf *buf)
{
	bool interrupted = false;
	size_t at = buf->len;
	int err;

	err = send_request(sock, msg);
	if (err)
		return _fiber_nl_fail(nl, err, NULL);
	do {
		err = _fiber_nl_receive(sock, buf, 0);
		if (err == -EINTR)
			err = 0;
		else if (err < 0)
			return _fiber_nl_fail(nl, err, NULL);
		else
			err = find_end(nl, buf, &at, nlmsg_hdr(msg)->nlmsg_seq,
				       &interrupted);
	} while (!err);
	if (err == 1 && interrupted)
		return _fiber_nl_fail(nl, -EAGAIN, NULL);
	return err < 0 ? err : 0;
}

/*
 * Ask, and ask again when the kernel lost its place in a dump or had no room
 * for an answer: as if the failed attempt had not been. Frees @msg, which may
 * be NULL for want of memory.
 */
int _fiber_nl_ask(struct fiber_nl *nl, struct nl_sock *sock, struct nl_msg *msg,
		  struct buf *buf)
{
	size_t start = buf->len;
	int tries = 0;
	bool dump;
	int err;

	if (!msg)
		return _fiber_nl_fail(nl, -ENOMEM, NULL);
	dump = nlmsg_hdr(msg)->nlmsg_flags & NLM_F_DUMP;
	do {
		buf->len = start;
		err = ask_once(nl, sock, msg, buf);
	} while (dump && (err == -EAGAIN || err == -ENOBUFS) &&
		 tries++ < DUMP_RETRIES);
	nlmsg_free(msg);
	return err;
}
