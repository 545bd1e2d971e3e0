/* SPDX-License-Identifier: MIT */
/*
 * What the files of build/bench/fiber share. Rows run in the main fiber of
 * fiber_run(), with the defaults of the library but for the number of workers.
 * What a row leaves behind, the end of its process takes away.
 */
#ifndef FIBER_BENCH_H
#define FIBER_BENCH_H

#include <fiber.h>
#include "common.h"

extern const struct bench_row fiber_spawn_rows[];
extern const struct bench_row fiber_chan_rows[];
extern const struct bench_row fiber_program_rows[];
extern const struct bench_row fiber_crowd_rows[];
extern const struct bench_row fiber_time_rows[];
extern const struct bench_row fiber_fair_rows[];
extern const struct bench_row fiber_thread_rows[];
extern const struct bench_row fiber_sync_rows[];
extern const struct bench_row fiber_block_rows[];
extern const struct bench_row fiber_oversubscribed_rows[];

void bench_failed(int err) __attribute__((noreturn));

/* What is not meant to fail in a measurement. */
static inline void must(int err)
{
	if (__builtin_expect(err < 0, 0))
		bench_failed(err);
}

/* Of numbers, which is what all rows send. */
static inline struct fiber_chan *bench_chan(size_t capacity)
{
	struct fiber_chan *chan;

	must(fiber_chan_new(&chan, sizeof(uint64_t), capacity, NULL));
	return chan;
}

static inline struct fiber *bench_spawn(int (*fn)(void *), void *arg)
{
	struct fiber *fiber;

	must(fiber_spawn(&fiber, fn, arg, NULL));
	return fiber;
}

static inline void bench_send(struct fiber_chan *chan, uint64_t value)
{
	must(fiber_send(chan, &value));
}

static inline uint64_t bench_recv(struct fiber_chan *chan)
{
	uint64_t value;

	must(fiber_recv(chan, &value));
	return value;
}

struct fiber_status bench_status(void);

#endif /* FIBER_BENCH_H */
