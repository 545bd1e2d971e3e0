// SPDX-License-Identifier: MIT
/*
 * What all fibers are at, as the program sees it itself. The text that people want
 * is written if it is started with an argument, `who dump`.
 *
 * prints:
 *	ford waits to receive
 *	trillian sleeps
 *	zaphod waits for a mutex
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <fiber.h>

static struct fiber_mutex mutex = FIBER_MUTEX_INIT;

static int receive(void *chan)
{
	return fiber_recv(chan, NULL);
}

static int sleep_on(void *arg)
{
	(void)arg;
	return fiber_sleep(FIBER_FOREVER);
}

static int lock(void *arg)
{
	(void)arg;
	return fiber_mutex_lock(&mutex);
}

static int count_waiting(const struct fiber_info *info, void *count)
{
	if (info->name[0] && info->state == FIBER_STATE_WAITS)
		*(int *)count += 1;
	return 0;
}

static int print(const struct fiber_info *info, void *name)
{
	const char *what = "waits for a mutex";

	/* What runs this is a fiber too, and has no name. */
	if (strcmp(info->name, name))
		return 0;
	if (info->call == FIBER_CALL_RECV)
		what = "waits to receive";
	else if (info->call == FIBER_CALL_SLEEP)
		what = "sleeps";
	printf("%s %s\n", info->name, what);
	return 1; /* enough of them */
}

/* They come in no order. */
static int print_all(void)
{
	fiber_each(print, "ford");
	fiber_each(print, "trillian");
	fiber_each(print, "zaphod");
	return 0;
}

static int spawn(const char *name, int (*fn)(void *), void *arg)
{
	struct fiber_attr attr = { .size = sizeof(attr), .name = name };
	struct fiber *fiber;
	int waiting;
	int before = 0;
	int err = fiber_each(count_waiting, &before);

	if (!err)
		err = fiber_spawn(&fiber, fn, arg, &attr);
	if (err)
		return err;
	fiber_put(fiber);
	do {
		fiber_yield();
		waiting = 0;
		fiber_each(count_waiting, &waiting);
	} while (waiting == before);
	return 0;
}

static int start(void *with_dump)
{
	struct fiber_chan *chan;
	int err = fiber_mutex_lock(&mutex);

	if (!err)
		err = fiber_chan_new(&chan, 0, 0, NULL);
	if (err)
		return err;
	err = spawn("ford", receive, chan);
	if (!err)
		err = spawn("trillian", sleep_on, NULL);
	if (!err)
		err = spawn("zaphod", lock, NULL);
	if (!err)
		err = with_dump ? fiber_dump(STDOUT_FILENO, 0) : print_all();
	/* The others are cancelled when this returns. */
	fiber_mutex_unlock(&mutex);
	return err;
}

int main(int argc, char **argv)
{
	return fiber_run(start, argc > 1 ? argv[1] : NULL, NULL) ? 1 : 0;
}
