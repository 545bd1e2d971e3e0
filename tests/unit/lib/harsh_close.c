// SPDX-License-Identifier: MIT
/*
 * A close of a channel in which many wait to send takes long, but it is at one
 * moment: who has seen that the channel is closed receives what is in it, and
 * nothing from those who wait.
 */
#include <errno.h>
#include <stdatomic.h>

#include "harsh.h"

#define SENDERS 1000

static struct fiber_chan *chan;
static size_t capacity;
static atomic_bool looking;

static int wait_to_send(void *arg)
{
	int value = 1;

	(void)arg;
	return fiber_send(chan, &value);
}

/* Returns how many there were when it was seen to be closed. */
static int look_and_receive(void *arg)
{
	int value = 1;
	int n = 0;
	int err;

	(void)arg;
	atomic_store(&looking, true);
	while ((err = fiber_try_send(chan, &value)) == -EAGAIN)
		;
	CHECK_EQ(err, -EPIPE);
	while (!(err = fiber_try_recv(chan, &value)))
		n++;
	CHECK_EQ(err, -EPIPE);
	return n;
}

static void close_once(void)
{
	static struct fiber *senders[SENDERS];
	struct fiber *other;
	size_t sent = 0;
	int err;
	int i;

	chan = new_chan(sizeof(int), capacity);
	atomic_store(&looking, false);
	for (i = 0; i < SENDERS; i++)
		senders[i] = spawn(wait_to_send, NULL);
	settle();
	other = spawn(look_and_receive, NULL);
	while (!atomic_load(&looking))
		fiber_yield();
	CHECK_EQ(fiber_chan_close(chan), 0);
	CHECK_EQ(join(other), capacity);
	for (i = 0; i < SENDERS; i++) {
		err = join(senders[i]);
		CHECK(err == 0 || err == -EPIPE);
		sent += err == 0;
	}
	CHECK_EQ(sent, capacity);
	fiber_chan_put(chan);
}

static void close_often(void)
{
	int64_t end = test_now() + harsh_time(SEC / 2, 2);

	while (test_now() < end)
		close_once();
}

static void unbuffered(void)
{
	run_with(2, 0, close_often);
}

static void buffered(void)
{
	capacity = 2;
	run_with(2, 0, close_often);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(unbuffered),
		TEST(buffered),
	};

	return RUN(argc, argv, tests);
}
