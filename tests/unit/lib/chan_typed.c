// SPDX-License-Identifier: MIT
/*
 * Channels of a type take and give values of it.
 */
#include <errno.h>
#include <string.h>

#include "fibers.h"

struct point {
	double x, y;
	char name[150];
};

FIBER_CHAN_TYPE(int_chan, int);
FIBER_CHAN_TYPE(byte_chan, unsigned char);
FIBER_CHAN_TYPE(text_chan, const char *);
FIBER_CHAN_TYPE(point_chan, struct point);

static int send_values(void *arg)
{
	struct int_chan *c = arg;

	for (int i = 0; i < 10; i++)
		CHECK_EQ(int_chan_send(*c, i), 0);
	CHECK_EQ(int_chan_close(*c), 0);
	return 0;
}

static void numbers(void)
{
	struct int_chan c;
	struct fiber *fiber;
	int value = -1;

	CHECK_EQ(int_chan_new(&c, 0), 0);
	CHECK_EQ(int_chan_try_send(c, 1), -EAGAIN);
	CHECK_EQ(int_chan_try_recv(c, &value), -EAGAIN);
	CHECK_EQ(int_chan_send_until(c, 1, fiber_now() - 1), -ETIMEDOUT);
	CHECK_EQ(int_chan_recv_until(c, &value, fiber_now() - 1), -ETIMEDOUT);
	fiber = spawn(send_values, &c);
	for (int i = 0; i < 10; i++) {
		CHECK_EQ(int_chan_recv(c, &value), 0);
		CHECK_EQ(value, i);
	}
	CHECK_EQ(int_chan_recv(c, &value), -EPIPE);
	CHECK_EQ(int_chan_send(c, 1), -EPIPE);
	CHECK_EQ(int_chan_close(c), -EPIPE);
	CHECK_EQ(join(fiber), 0);
	int_chan_put(c);
}

static void bytes(void)
{
	struct byte_chan c;
	unsigned char value;

	CHECK_EQ(byte_chan_new(&c, 256), 0);
	CHECK_EQ(fiber_chan_cap(c.chan), 256);
	for (int i = 0; i < 256; i++)
		CHECK_EQ(byte_chan_try_send(c, i), 0);
	CHECK_EQ(byte_chan_try_send(c, 0), -EAGAIN);
	for (int i = 0; i < 256; i++) {
		CHECK_EQ(byte_chan_try_recv(c, &value), 0);
		CHECK_EQ(value, i);
	}
	byte_chan_put(c);
}

static void pointers_and_structures(void)
{
	struct point in = { 1.5, -2.5, "here" };
	struct point out = { 0 };
	struct text_chan texts;
	struct point_chan points;
	const char *text = NULL;

	CHECK_EQ(text_chan_new(&texts, 1), 0);
	CHECK_EQ(text_chan_send(texts, "some"), 0);
	CHECK_EQ(text_chan_recv(texts, &text), 0);
	CHECK(!strcmp(text, "some"));
	text_chan_put(texts);

	CHECK_EQ(point_chan_new(&points, 1), 0);
	CHECK_EQ(point_chan_send_until(points, in, fiber_after(HOUR)), 0);
	CHECK_EQ(point_chan_recv_until(points, &out, fiber_after(HOUR)), 0);
	CHECK(out.x == in.x && out.y == in.y && !strcmp(out.name, in.name));
	point_chan_put(points);
}

static void takes_and_gives_numbers(void)
{
	run_shapes(0, numbers);
}

static void takes_and_gives_bytes(void)
{
	run_shapes(0, bytes);
}

static void takes_and_gives_the_rest(void)
{
	run_shapes(0, pointers_and_structures);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(takes_and_gives_numbers),
		TEST(takes_and_gives_bytes),
		TEST(takes_and_gives_the_rest),
	};

	return RUN(argc, argv, tests);
}
