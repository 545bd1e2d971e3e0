// SPDX-License-Identifier: MIT
/*
 * load_unload [CYCLES] - the module comes and goes under load, 200 times.
 *
 * Meanwhile processes dump, watch, subscribe, fork and make threads as fast as
 * they can, each time with whatever of the module is there. Nothing is asked
 * of them; the module must load, be used, and unload again, each time.
 *
 * Code is patched at every turn (static keys, tracepoints): emulated CPUs need
 * QEMU's single thread for that.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <kselftest.h>
#include "child.h"
#include "module.h"
#include "nl.h"

#define CYCLES 200
/* What a cycle may take before its unload has failed. */
#define UNLOAD_NS (20 * SECOND)
/* How long a cycle waits for users. */
#define USE_MS 2000

struct board {
	unsigned long dumps, watches, events, forks;
	pid_t pid[8];
	int workers;
};

static struct board *board;

static void count(unsigned long *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

/* A loop body gets a socket while the family is there. */
static int with_socket(void (*body)(struct nl *nl))
{
	struct nl nl;

	while (getppid() > 1) {
		if (ask_open(&nl)) {
			sleep_ns(5 * MS);
			continue;
		}
		body(&nl);
		ask_close(&nl);
	}
	return 0;
}

static void dump(struct nl *nl)
{
	struct filter none = { 0 };

	while (!process_dump(nl, none, NULL, NULL) &&
	       !thread_dump(nl, none, NULL, NULL))
		count(&board->dumps);
}

/* Alternately ended by unwatch and by the end of the socket. */
static void watch(struct nl *nl)
{
	struct watch w;
	uint32_t id;

	for (int i = 0; i < 8; i++) {
		if (watch_start(nl, i % 2 ? getppid() : 0, 0, &id))
			return;
		if (watch_get(nl, id, &w))
			return;
		count(&board->watches);
		if (i % 4 == 1)
			watch_stop(nl, id);
	}
}

static void listen_(struct nl *nl)
{
	struct event e;

	if (subscribe(nl, 0, 0))
		return;
	for (int i = 0; i < 200; i++) {
		if (event_next(nl, &e, 200) != 1 ||
		    e.type == FIBER_EVENT_TYPE_END)
			return;
		count(&board->events);
	}
}

static int dumper(void *arg)
{
	return arg ? 1 : with_socket(dump);
}

static int watcher(void *arg)
{
	return arg ? 1 : with_socket(watch);
}

static int listener(void *arg)
{
	return arg ? 1 : with_socket(listen_);
}

static void *brief(void *arg)
{
	return arg;
}

static int thread_and_exit(void *arg)
{
	threads_start(3, brief, arg);
	return 0;
}

static int forker(void *arg)
{
	while (getppid() > 1) {
		child_run(thread_and_exit, arg);
		count(&board->forks);
	}
	return 0;
}

static void start_load(void)
{
	static int (*const body[])(void *) = { dumper, watcher, watcher,
					       listener, forker };

	for (size_t i = 0; i < sizeof(body) / sizeof(*body); i++)
		board->pid[board->workers++] = child_start(body[i], NULL);
}

static void stop_load(void)
{
	for (int i = 0; i < board->workers; i++)
		child_kill(board->pid[i]);
}

/* A request in flight holds the module for its own time. */
static int unload(void)
{
	uint64_t begin = now_ns();
	int err;

	while ((err = module_unload()) == -EAGAIN &&
	       now_ns() - begin < UNLOAD_NS)
		sleep_ns(MS);
	return err;
}

/* Until each kind of user has got something out of the module. */
static void wait_use(void)
{
	unsigned long dumps = board->dumps, watches = board->watches;
	unsigned long events = board->events;

	for (int i = 0; i < USE_MS; i++) {
		if (board->dumps != dumps && board->watches != watches &&
		    board->events != events)
			return;
		sleep_ns(MS);
	}
}

/* Half of the cycles end in use, the others while users still come. */
static int cycle(int i)
{
	int err = module_load();

	if (err) {
		printf("# cycle %d: load: %d\n", i, err);
		return err;
	}
	if (i % 2)
		wait_use();
	else
		sleep_ns(i % 32 * MS);
	err = unload();
	if (err)
		printf("# cycle %d: unload: %d\n", i, err);
	return err;
}

/* The load may slow the machine down, but not the one that loads and unloads. */
static void go_first(void)
{
	struct sched_param param = { .sched_priority = 1 };

	sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param);
}

int main(int argc, char **argv)
{
	int cycles = argc > 1 ? atoi(argv[1]) : CYCLES, done = 0;
	uint64_t begin = now_ns();

	ksft_print_header();
	if (!module_file())
		ksft_exit_skip(
			"no fiber.ko to load again; FIBER_MODULE= names it\n");
	ksft_set_plan(2);
	board = share(sizeof(*board));
	if (module_loaded() && unload())
		ksft_exit_fail_msg("the module does not unload\n");
	go_first();
	start_load();
	while (done < cycles && !cycle(done))
		done++;
	stop_load();
	printf("# %d cycles, %llu ms; %lu dumps, %lu watches, %lu events, %lu forks\n",
	       done, (unsigned long long)((now_ns() - begin) / MS),
	       board->dumps, board->watches, board->events, board->forks);
	ksft_test_result(done == cycles, "%d cycles of load and unload\n",
			 cycles);
	ksft_test_result(board->dumps && board->watches && board->events,
			 "the module was used meanwhile\n");
	if (!module_loaded())
		module_load();
	ksft_finished();
}
