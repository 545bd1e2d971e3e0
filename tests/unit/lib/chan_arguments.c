// SPDX-License-Identifier: MIT
/*
 * Arguments that make no sense are refused, and nothing else happens.
 */
#include <errno.h>
#include <string.h>

#include "fibers.h"

static void no_channel(void)
{
	int64_t late = fiber_after(HOUR);
	int value = 0;

	CHECK_EQ(fiber_send(NULL, &value), -EINVAL);
	CHECK_EQ(fiber_try_send(NULL, &value), -EINVAL);
	CHECK_EQ(fiber_send_until(NULL, &value, late), -EINVAL);
	CHECK_EQ(fiber_recv(NULL, &value), -EINVAL);
	CHECK_EQ(fiber_try_recv(NULL, &value), -EINVAL);
	CHECK_EQ(fiber_recv_until(NULL, &value, late), -EINVAL);
	CHECK_EQ(fiber_chan_close(NULL), -EINVAL);
}

static void no_element(void)
{
	struct fiber_chan *c = new_chan(sizeof(int), 1);

	CHECK_EQ(fiber_send(c, NULL), -EINVAL);
	CHECK_EQ(fiber_try_send(c, NULL), -EINVAL);
	CHECK_EQ(fiber_send_until(c, NULL, fiber_after(HOUR)), -EINVAL);
	CHECK_EQ(fiber_chan_len(c), 0);
	fiber_chan_put(c);
}

static void a_channel_is_needed(void)
{
	run_shapes(0, no_channel);
}

static void an_element_is_needed_to_send(void)
{
	run_shapes(0, no_element);
}

static void sizes_have_limits(void)
{
	struct fiber_chan *c;
	size_t most = FIBER_CHAN_SIZE_MAX / 1024;

	CHECK_EQ(fiber_chan_new(NULL, 1, 0, NULL), -EINVAL);
	CHECK_EQ(fiber_chan_new(&c, FIBER_ELEM_SIZE_MAX, 0, NULL), 0);
	fiber_chan_put(c);
	CHECK_EQ(fiber_chan_new(&c, FIBER_ELEM_SIZE_MAX + 1, 0, NULL), -EINVAL);
	CHECK_EQ(fiber_chan_new(&c, SIZE_MAX, 0, NULL), -EINVAL);
	CHECK_EQ(fiber_chan_new(&c, SIZE_MAX, SIZE_MAX, NULL), -EINVAL);
	CHECK_EQ(fiber_chan_new(&c, 1024, most + 1, NULL), -EINVAL);
	CHECK_EQ(fiber_chan_new(&c, 1024, SIZE_MAX, NULL), -EINVAL);
	/* The product is 0 when it overflows. */
	CHECK_EQ(fiber_chan_new(&c, 1024, (size_t)1 << 54, NULL), -EINVAL);
}

/* As a later version of the header might have it. */
struct later_attr {
	struct fiber_chan_attr attr;
	char more[40];
};

static void attributes_grow(void)
{
	struct later_attr later = { .attr.size = sizeof(later) };
	struct fiber_chan *c;

	CHECK_EQ(fiber_chan_new(&c, 4, 1, &later.attr), 0);
	CHECK_EQ(fiber_chan_cap(c), 1);
	fiber_chan_put(c);
	later.more[0] = 1;
	CHECK_EQ(fiber_chan_new(&c, 4, 1, &later.attr), -E2BIG);
	later.more[0] = 0;
	later.more[39] = 1;
	CHECK_EQ(fiber_chan_new(&c, 4, 1, &later.attr), -E2BIG);
	/* It is not looked at beyond its size. */
	later.attr.size = sizeof(later) - 1;
	CHECK_EQ(fiber_chan_new(&c, 4, 1, &later.attr), 0);
	fiber_chan_put(c);
}

static void attributes_are_checked(void)
{
	struct fiber_chan_attr attr = { .size = sizeof(attr) };
	struct fiber_chan *c;

	CHECK_EQ(fiber_chan_new(&c, 4, 1, &attr), 0);
	fiber_chan_put(c);
	attr.flags = 1;
	CHECK_EQ(fiber_chan_new(&c, 4, 1, &attr), -EINVAL);
	attr.flags = 1u << 31;
	CHECK_EQ(fiber_chan_new(&c, 4, 1, &attr), -EINVAL);
	attr.flags = 0;
	attr.reserved = 1;
	CHECK_EQ(fiber_chan_new(&c, 4, 1, &attr), -EINVAL);
	attr.reserved = 0;
	attr.size = 0;
	CHECK_EQ(fiber_chan_new(&c, 4, 1, &attr), -EINVAL);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(a_channel_is_needed),
		TEST(an_element_is_needed_to_send),
		TEST(sizes_have_limits),
		TEST(attributes_grow),
		TEST(attributes_are_checked),
	};

	return RUN(argc, argv, tests);
}
