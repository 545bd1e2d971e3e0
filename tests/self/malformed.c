// SPDX-License-Identifier: MIT
/*
 * malformed [SEED [COUNT]] - whatever bytes are sent, there is an answer.
 *
 * Sends COUNT (10,000) messages to the family: random commands, flags,
 * versions and attributes with random types, lengths and nesting; a third of
 * them then truncated or scribbled over. Each must be answered by an error, an
 * acknowledgement, or the end of a dump; after every one the socket still
 * works, or else it is the one to look at. A watch or subscription that came
 * about by chance is ended by closing the socket now and then.
 *
 * Prints its seed; the same seed sends the same messages.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <linux/genetlink.h>
#include <kselftest.h>
#include "nl.h"

#define COUNT 10000
#define SIZE_MAX_ 512
#define REOPEN 97 /* messages through one socket */
#define ATTRS_MAX_ 8
#define DEPTH_MAX 3
#define PATIENCE_MS 20000

static uint64_t state;
static struct nl nl;

/* xorshift64*: the same on every machine. */
static uint32_t rnd(uint32_t below)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (uint32_t)((state * 0x2545f4914f6cdd1dull) >> 32) % below;
}

static uint32_t odd_number(void)
{
	static const uint32_t odd[] = { 0,  1,	 2,	     3,		 8,
					31, 255, 0x7fffffff, 0x80000000, ~0u };

	return rnd(3) ? odd[rnd(sizeof(odd) / sizeof(*odd))] : rnd(~0u);
}

struct buffer {
	unsigned char bytes[SIZE_MAX_ + 64];
	size_t len;
};

static void put(struct buffer *b, const void *data, size_t len)
{
	if (b->len + len > SIZE_MAX_)
		return;
	memcpy(b->bytes + b->len, data, len);
	b->len += len;
}

static void put_attr(struct buffer *b, int depth);

/* Its length may be right, or anything. */
static void put_nest(struct buffer *b, uint16_t type, int depth)
{
	size_t at = b->len;
	struct nlattr head = { .nla_type = type };

	put(b, &head, sizeof(head));
	for (uint32_t i = rnd(3); i; i--)
		put_attr(b, depth + 1);
	head.nla_len = rnd(8) ? b->len - at : odd_number();
	if (at + sizeof(head) <= b->len)
		memcpy(b->bytes + at, &head, sizeof(head));
}

static void put_attr(struct buffer *b, int depth)
{
	uint16_t flags = rnd(8) ? 0 :
			 rnd(2) ? NLA_F_NESTED :
				  NLA_F_NET_BYTEORDER;
	struct nlattr head = { .nla_type = rnd(16) | flags };
	uint32_t value[4] = { odd_number(), odd_number(), odd_number(),
			      odd_number() };
	uint32_t len = rnd(4) ? 4 : rnd(17);

	if (depth < DEPTH_MAX && !rnd(6)) {
		put_nest(b, head.nla_type | NLA_F_NESTED, depth);
		return;
	}
	if (!rnd(20))
		head.nla_type = odd_number();
	head.nla_len = rnd(12) ? sizeof(head) + len : odd_number();
	put(b, &head, sizeof(head));
	put(b, value, NLA_ALIGN(len));
}

static void scribble(struct buffer *b)
{
	for (uint32_t i = 1 + rnd(4); i; i--)
		b->bytes[NLMSG_HDRLEN + rnd(b->len - NLMSG_HDRLEN)] = rnd(256);
}

/*
 * The header's length and type stay right: the answer is the family's. A
 * request without NLM_F_REQUEST or to another family would not reach it, and
 * without NLM_F_ACK success is silence.
 */
static void build(struct buffer *b, uint32_t seq)
{
	static const uint16_t flag_sets[] = { 0,	  NLM_F_DUMP,
					      NLM_F_ROOT, NLM_F_MATCH,
					      NLM_F_EXCL, NLM_F_CREATE,
					      0x800,	  0xf800 };
	uint16_t flags = NLM_F_REQUEST | NLM_F_ACK;
	struct nlmsghdr nlh = { .nlmsg_type = nl.family, .nlmsg_seq = seq };
	struct genlmsghdr genl = { .cmd = 1 + rnd(FIBER_CMD_MAX),
				   .version = rnd(4) ? 1 : rnd(256),
				   .reserved = rnd(10) ? 0 : rnd(65536) };

	flags |=
		flag_sets[rnd(2) ? rnd(2) :
				   rnd(sizeof(flag_sets) / sizeof(*flag_sets))];
	if (!rnd(20))
		genl.cmd = rnd(256);
	b->len = 0;
	nlh.nlmsg_flags = flags;
	put(b, &nlh, sizeof(nlh));
	put(b, &genl, sizeof(genl));
	for (uint32_t i = rnd(ATTRS_MAX_); i; i--)
		put_attr(b, 0);
	if (!rnd(6))
		b->len = NLMSG_HDRLEN + rnd(b->len - NLMSG_HDRLEN + 1);
	if (b->len > NLMSG_HDRLEN && !rnd(6))
		scribble(b);
	((struct nlmsghdr *)b->bytes)->nlmsg_len = b->len;
}

static void show(const struct buffer *b, uint32_t seq)
{
	printf("# message %u, %zu bytes:\n#", seq, b->len);
	for (size_t i = 0; i < b->len; i++)
		printf(" %02x", b->bytes[i]);
	printf("\n");
}

struct totals {
	unsigned int answer[5];
};

enum {
	OK,
	REFUSED,
	NO_SENTENCE,
	ENOBUFS_,
	LOST
};

/*
 * The kernel refuses what is no operation, or has reserved bits, by itself,
 * and says no more.
 */
static bool may_be_silent(int err)
{
	return err == -EOPNOTSUPP || err == -EINVAL || err == -EMSGSIZE;
}

static int classify(int err)
{
	if (err == -EAGAIN || err == -EPROTO || err == -EBADMSG)
		return LOST;
	if (err == -ENOBUFS)
		return ENOBUFS_;
	if (!err)
		return OK;
	return nl.sentence[0] || may_be_silent(err) ? REFUSED : NO_SENTENCE;
}

static int send_one(uint32_t seq, struct totals *totals)
{
	struct buffer b;
	int err, answer;

	memset(&b, 0, sizeof(b));
	build(&b, seq);
	if (send(nl.fd, b.bytes, b.len, 0) != (ssize_t)b.len) {
		/* A message of no size at all cannot be sent. */
		printf("# send: %s\n", strerror(errno));
		return LOST;
	}
	err = ask_answer(&nl, seq, NULL, NULL);
	answer = classify(err);
	totals->answer[answer]++;
	if (answer == LOST || answer == NO_SENTENCE) {
		printf("# answered %d (%s)\n", err, nl.sentence);
		show(&b, seq);
	}
	return answer;
}

static void reopen(void)
{
	if (nl.sock)
		ask_close(&nl);
	if (ask_open(&nl))
		ksft_exit_fail_msg("cannot open a socket\n");
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) :
				   (uint64_t)time(NULL) * 2654435761u;
	uint32_t count = argc > 2 ? strtoul(argv[2], NULL, 0) : COUNT;
	struct totals totals = { { 0 } };
	struct info info;

	ksft_print_header();
	if (ask_open(&nl) == -ENOENT)
		ksft_exit_skip("the kernel has no family \"fiber\"\n");
	ksft_set_plan(3);
	printf("# seed %#llx, %u messages\n", (unsigned long long)seed, count);
	fflush(stdout);
	state = seed | 1;
	for (uint32_t seq = 1; seq <= count; seq++) {
		if (seq % REOPEN == 1)
			reopen();
		if (send_one(seq, &totals) == LOST)
			reopen();
	}
	printf("# %u done, %u refused, %u refused without a sentence, %u overflowed, %u lost\n",
	       totals.answer[OK], totals.answer[REFUSED],
	       totals.answer[NO_SENTENCE], totals.answer[ENOBUFS_],
	       totals.answer[LOST]);
	ksft_test_result(!totals.answer[LOST], "every message is answered\n");
	ksft_test_result(!totals.answer[NO_SENTENCE],
			 "every refusal has a sentence\n");
	reopen();
	ksft_test_result(!info_get(&nl, &info), "the family still works\n");
	ksft_finished();
}
