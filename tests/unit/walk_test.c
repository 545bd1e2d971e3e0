// SPDX-License-Identifier: MIT
/*
 * Walking a buffer of messages ends, whatever their lengths say.
 */
#include <errno.h>

#include "internal.h"
#include "unit.h"

#define FAMILY 31

static void add(struct buf *buf, uint32_t len, uint16_t type, uint32_t real)
{
	struct nlmsghdr head = { .nlmsg_len = len, .nlmsg_type = type };

	memset(buf->data + buf->len, 0, real);
	memcpy(buf->data + buf->len, &head, sizeof(head));
	buf->len += real;
}

static void messages_follow_each_other(void **state)
{
	_Alignas(8) char data[256];
	struct buf buf = { .data = data, .cap = sizeof(data) };
	size_t at = 0;

	(void)state;
	add(&buf, 21, FAMILY, 24);
	add(&buf, NLMSG_HDRLEN, NLMSG_DONE, NLMSG_HDRLEN);
	assert_int_equal(_fiber_nl_next(&buf, &at)->nlmsg_type, FAMILY);
	assert_int_equal(_fiber_nl_next(&buf, &at)->nlmsg_type, NLMSG_DONE);
	assert_null(_fiber_nl_next(&buf, &at));
	assert_int_equal(at, buf.len);
}

static void absurd_lengths_end_the_walk(void **state)
{
	static const uint32_t lengths[] = { 0, 1, 15, 33, 4096, UINT32_MAX };
	_Alignas(8) char data[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct buf buf = { .data = data, .cap = sizeof(data) };
		size_t at = 0;

		add(&buf, lengths[i], FAMILY, 32);
		assert_null(_fiber_nl_next(&buf, &at));
		assert_null(_fiber_nl_next(&buf, &at));
	}
}

static void only_the_family_has_a_payload(void **state)
{
	struct {
		struct nlmsghdr head;
		char data[16];
	} m = { .head = { .nlmsg_len = 32, .nlmsg_type = FAMILY } };
	struct fiber_nl nl = { .family = FAMILY };
	const void *attrs;
	size_t size;

	(void)state;
	assert_true(_fiber_nl_payload(&nl, &m.head, &attrs, &size));
	assert_ptr_equal(attrs, m.data + GENL_HDRLEN);
	assert_int_equal(size, 12);
	m.head.nlmsg_len = NLMSG_HDRLEN + GENL_HDRLEN - 1;
	assert_false(_fiber_nl_payload(&nl, &m.head, &attrs, &size));
	m.head.nlmsg_len = 32;
	m.head.nlmsg_type = NLMSG_ERROR;
	assert_false(_fiber_nl_payload(&nl, &m.head, &attrs, &size));
}

static void every_error_has_a_sentence(void **state)
{
	struct fiber_nl nl = { 0 };

	(void)state;
	assert_string_equal(fiber_nl_strerror(-ENODEV),
			    "the fiber module is not loaded");
	assert_string_equal(fiber_nl_strerror(ENODEV),
			    fiber_nl_strerror(-ENODEV));
	assert_true(strlen(fiber_nl_strerror(-12345)) > 0);
	assert_int_equal(_fiber_nl_fail(&nl, -EPERM, "as the kernel put it"),
			 -EPERM);
	assert_string_equal(fiber_nl_error(&nl), "as the kernel put it");
	assert_int_equal(_fiber_nl_fail(&nl, -EPERM, ""), -EPERM);
	assert_string_equal(fiber_nl_error(&nl), "not permitted");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_follow_each_other),
		cmocka_unit_test(absurd_lengths_end_the_walk),
		cmocka_unit_test(only_the_family_has_a_payload),
		cmocka_unit_test(every_error_has_a_sentence),
	};

	return RUN(tests);
}
