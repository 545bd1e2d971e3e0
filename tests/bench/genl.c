// SPDX-License-Identifier: MIT
/* Generic netlink; the contract is in genl.h. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include "genl.h"

#define RECV_SIZE (64 * 1024)
#define PAYLOAD_MAX 32

struct request {
	struct nlmsghdr nlh;
	struct genlmsghdr genl;
	struct nlattr attr;
	char payload[PAYLOAD_MAX];
};

static char buf[RECV_SIZE] __attribute__((aligned(16)));
static const struct nlmsghdr *last;

static int send_request(struct genl *g, int cmd, int flags, int attr,
			const void *data, size_t len)
{
	struct request r = {
		.nlh = { .nlmsg_type = g->family,
			 .nlmsg_flags = NLM_F_REQUEST | flags,
			 .nlmsg_seq = ++g->seq },
		.genl = { .cmd = cmd, .version = 1 },
		.attr = { .nla_type = attr, .nla_len = NLA_HDRLEN + len },
	};

	r.nlh.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN);
	if (attr)
		r.nlh.nlmsg_len += NLA_HDRLEN + NLA_ALIGN(len);
	memcpy(r.payload, data, len);
	return send(g->fd, &r, r.nlh.nlmsg_len, 0) < 0 ? -errno : 0;
}

/* Returns the records of one datagram; *end when there will be no more. */
static long receive(struct genl *g, bool *end)
{
	const struct nlmsghdr *nlh = (struct nlmsghdr *)buf;
	long records = 0;
	int len = recv(g->fd, buf, sizeof(buf), 0);

	if (len < 0)
		return -errno;
	for (; NLMSG_OK(nlh, (unsigned int)len); nlh = NLMSG_NEXT(nlh, len)) {
		if (nlh->nlmsg_type == NLMSG_ERROR)
			return ((struct nlmsgerr *)NLMSG_DATA(nlh))->error;
		if (nlh->nlmsg_type == NLMSG_DONE) {
			*end = true;
			break;
		}
		last = nlh;
		records++;
	}
	return records;
}

long genl_ask(struct genl *g, int cmd, int dump, int attr, uint32_t value)
{
	long records = 0, got;
	bool end = !dump;
	int err;

	err = send_request(g, cmd, dump ? NLM_F_DUMP : 0, attr, &value,
			   sizeof(value));
	if (err)
		return err;
	do {
		got = receive(g, &end);
		if (got < 0)
			return got;
		records += got;
	} while (!end);
	return records;
}

static const struct nlattr *first_attr(void)
{
	return (struct nlattr *)((char *)NLMSG_DATA(last) + GENL_HDRLEN);
}

uint32_t genl_first_u32(void)
{
	return *(uint32_t *)(first_attr() + 1);
}

static int resolve(struct genl *g, const char *name)
{
	const struct nlattr *attr;
	bool end = true;
	long got;
	int err;

	g->family = GENL_ID_CTRL;
	err = send_request(g, CTRL_CMD_GETFAMILY, 0, CTRL_ATTR_FAMILY_NAME,
			   name, strlen(name) + 1);
	if (err)
		return err;
	got = receive(g, &end);
	if (got < 0)
		return got;
	for (attr = first_attr(); attr->nla_type != CTRL_ATTR_FAMILY_ID;)
		attr = (struct nlattr *)((char *)attr +
					 NLA_ALIGN(attr->nla_len));
	g->family = *(uint16_t *)(attr + 1);
	return 0;
}

int genl_open(struct genl *g, const char *family)
{
	int err, size = 1 << 20;

	g->seq = 0;
	g->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (g->fd < 0)
		return -errno;
	setsockopt(g->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	err = resolve(g, family);
	if (err)
		close(g->fd);
	return err;
}

void genl_close(struct genl *g)
{
	close(g->fd);
}
