// SPDX-License-Identifier: MIT
/*
 * What tests share that see the runtime by its public headers only.
 */
#include <errno.h>
#include <stdlib.h>

#include "fibers.h"

static bool clock_is_virtual;

struct call {
	void (*fn)(void);
};

static int do_call(void *arg)
{
	struct call *call = arg;

	call->fn();
	return 0;
}

void run_with(unsigned int workers, unsigned int flags, void (*fn)(void))
{
	struct fiber_config config = {
		.size = sizeof(config),
		.workers = workers,
		.flags = flags,
		.grace_ns = 10 * SEC,
	};
	struct call call = { fn };

	clock_is_virtual = flags & FIBER_TEST_CLOCK;
	CHECK_EQ(fiber_run(do_call, &call, &config), 0);
}

void run_shapes(unsigned int flags, void (*fn)(void))
{
	static const struct {
		unsigned int workers;
		unsigned int flags;
	} shapes[] = {
		{ 1, 0 },
		{ 2, 0 },
		{ 4, 0 },
		{ 2, FIBER_TEST_MIGRATE },
		{ 4, FIBER_TEST_MIGRATE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++)
		run_with(shapes[i].workers, shapes[i].flags | flags, fn);
}

void settle(void)
{
	CHECK_EQ(fiber_sleep(clock_is_virtual ? 1 : MSEC), 0);
}

struct fiber *spawn(int (*fn)(void *), void *arg)
{
	struct fiber *fiber;

	CHECK_EQ(fiber_spawn(&fiber, fn, arg, NULL), 0);
	return fiber;
}

int join(struct fiber *fiber)
{
	int result;

	CHECK_EQ(fiber_join(fiber, &result), 0);
	return result;
}

void run_all(int n, int (*fn)(void *), void *args, size_t arg_size)
{
	struct fiber **fibers = calloc(n, sizeof(struct fiber *));

	CHECK(fibers);
	for (int i = 0; i < n; i++)
		fibers[i] = spawn(fn, (char *)args + i * arg_size);
	for (int i = 0; i < n; i++)
		CHECK_EQ(join(fibers[i]), 0);
	free(fibers);
}

struct fiber_chan *new_chan(size_t elem_size, size_t capacity)
{
	struct fiber_chan *chan;

	CHECK_EQ(fiber_chan_new(&chan, elem_size, capacity, NULL), 0);
	return chan;
}

void send_int(struct fiber_chan *chan, int value)
{
	CHECK_EQ(fiber_send(chan, &value), 0);
}

int recv_int(struct fiber_chan *chan)
{
	int value;

	CHECK_EQ(fiber_recv(chan, &value), 0);
	return value;
}

void check_idle(struct fiber_chan *chan)
{
	int value = 0;

	CHECK_EQ(fiber_chan_len(chan), 0);
	CHECK_EQ(fiber_try_recv(chan, &value), -EAGAIN);
	if (!fiber_chan_cap(chan)) {
		CHECK_EQ(fiber_try_send(chan, &value), -EAGAIN);
		return;
	}
	/* Somebody who waits to receive would take it at once. */
	CHECK_EQ(fiber_try_send(chan, &value), 0);
	CHECK_EQ(fiber_chan_len(chan), 1);
	CHECK_EQ(fiber_try_recv(chan, &value), 0);
}
