/* SPDX-License-Identifier: MIT */
/*
 * What the C programs of `make bench` share: the command line, the clock, the
 * lines that they print, and what /proc says of the process.
 *
 * A program is called with a row and a number of workers, measures the row once
 * in its fresh process, and prints a line for each number: name, value, unit,
 * with tabs. `PROGRAM list` prints the rows it has. BENCH_SCALE in the
 * environment multiplies how often a row does what it does, for trying things
 * out; numbers for others are made without it.
 */
#ifndef BENCH_RUNTIME_COMMON_H
#define BENCH_RUNTIME_COMMON_H

#include <stdint.h>

struct bench_row {
	const char *name;
	void (*run)(void);
};

extern int bench_workers;

/* The row that the command line asks for; does not return if there is none. */
const struct bench_row *bench_args(int argc, char **argv,
				   const struct bench_row *const *tables);

/* Print a sentence and end the process with an error. */
void bench_die(const char *fmt, ...)
	__attribute__((noreturn, format(printf, 1, 2)));

void bench_print(const char *name, double value, const char *unit);

/* How often to do what is normally done n times; at least once. */
long bench_scaled(long n);

int64_t bench_now(void); /* ns, CLOCK_MONOTONIC */
void bench_spin(int64_t ns); /* keeps the CPU */
void bench_sleep(int64_t ns); /* of the thread */

/* Sorts the samples, and takes what this share of them is not above. */
double bench_quantile(double *samples, long n, double share);

/* malloc() that does not fail. */
void *bench_alloc(size_t n, size_t size);

/* As good as a row needs, and the same in Go: xorshift. */
static inline uint32_t bench_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* Bytes of memory that the process has. */
struct bench_memory {
	double rss;
	double tables; /* lowest level of its page tables */
	double vmas; /* slab objects of its mappings; 0 if not readable */
};

struct bench_memory bench_memory(void);
double bench_memory_sum(const struct bench_memory *from,
			const struct bench_memory *to);

/* What all other threads of the process used so far. */
struct bench_use {
	double cpu_ns;
	double switches;
};

struct bench_use bench_others(void);

#endif /* BENCH_RUNTIME_COMMON_H */
