// SPDX-License-Identifier: MIT
/*
 * build/bench/fiber ROW WORKERS - measure one row of libfiber.
 */
#include <stdio.h>
#include <unistd.h>
#include "fiber_bench.h"

static const struct bench_row *const tables[] = {
	fiber_spawn_rows,
	fiber_chan_rows,
	fiber_program_rows,
	fiber_crowd_rows,
	fiber_time_rows,
	fiber_fair_rows,
	fiber_thread_rows,
	fiber_sync_rows,
	fiber_block_rows,
	fiber_oversubscribed_rows,
	NULL,
};

void bench_failed(int err)
{
	struct fiber_status status = { .size = sizeof(status) };

	fiber_status(&status);
	bench_die("%s; %s", fiber_strerror(err), status.why);
}

struct fiber_status bench_status(void)
{
	struct fiber_status status = { .size = sizeof(status) };

	must(fiber_status(&status));
	return status;
}

/* Leaves without stopping the runtime: rows end with fibers that wait. */
static int start(void *arg)
{
	const struct bench_row *row = arg;

	row->run();
	fflush(stdout);
	_exit(0);
}

int main(int argc, char **argv)
{
	const struct bench_row *row = bench_args(argc, argv, tables);
	struct fiber_config config = { .size = sizeof(config) };
	int err;

	config.workers = bench_workers;
	err = fiber_run(start, (void *)row, &config);
	bench_die("fiber_run: %s", fiber_strerror(err));
}
