// SPDX-License-Identifier: MIT
/*
 * What the C programs of `make bench` share.
 */
#include <ctype.h>
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "common.h"

int bench_workers;

void bench_die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	_exit(1);
}

static void list(const struct bench_row *const *tables)
{
	for (; *tables; tables++)
		for (const struct bench_row *row = *tables; row->name; row++)
			puts(row->name);
}

const struct bench_row *bench_args(int argc, char **argv,
				   const struct bench_row *const *tables)
{
	if (argc == 2 && !strcmp(argv[1], "list")) {
		list(tables);
		exit(0);
	}
	if (argc != 3 || (bench_workers = atoi(argv[2])) < 1)
		bench_die("usage: %s ROW WORKERS | list", argv[0]);
	for (; *tables; tables++)
		for (const struct bench_row *row = *tables; row->name; row++)
			if (!strcmp(row->name, argv[1]))
				return row;
	bench_die("no row '%s'", argv[1]);
}

void bench_print(const char *name, double value, const char *unit)
{
	printf("%s\t%.3f\t%s\n", name, value, unit);
}

long bench_scaled(long n)
{
	const char *scale = getenv("BENCH_SCALE");
	double d = scale ? n * atof(scale) : n;

	return d < 1 ? 1 : (long)d;
}

static int64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

int64_t bench_now(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

void bench_spin(int64_t ns)
{
	int64_t end = bench_now() + ns;

	while (bench_now() < end)
		;
}

void bench_sleep(int64_t ns)
{
	struct timespec t = { .tv_sec = ns / 1000000000,
			      .tv_nsec = ns % 1000000000 };

	nanosleep(&t, NULL);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double bench_quantile(double *samples, long n, double share)
{
	long i = share * n;

	qsort(samples, n, sizeof(*samples), compare);
	return samples[i < n ? i : n - 1];
}

void *bench_alloc(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p)
		bench_die("no memory");
	return p;
}

/* The first number after the key at the start of a line; 0 without it. */
static double number(const char *path, const char *key, int column)
{
	char line[512];
	double value = 0;
	FILE *file = fopen(path, "re");

	while (file && fgets(line, sizeof(line), file)) {
		char *p = line + strlen(key);

		if (strncmp(line, key, strlen(key)))
			continue;
		for (value = strtod(p, &p); --column > 0;)
			value = strtod(p, &p);
		break;
	}
	if (file)
		fclose(file);
	return value;
}

static double mappings(void)
{
	double n = 0;
	int c;
	FILE *file = fopen("/proc/self/maps", "re");

	while (file && (c = getc(file)) != EOF)
		n += c == '\n';
	if (file)
		fclose(file);
	return n;
}

struct bench_memory bench_memory(void)
{
	struct bench_memory memory = {
		.rss = number("/proc/self/status", "VmRSS:", 1) * 1024,
		.tables = number("/proc/self/status", "VmPTE:", 1) * 1024,
		/* active, all, and the size of one; for root's eyes. */
		.vmas = number("/proc/slabinfo", "vm_area_struct ", 3),
	};

	if (memory.vmas)
		memory.vmas *= mappings();
	return memory;
}

double bench_memory_sum(const struct bench_memory *from,
			const struct bench_memory *to)
{
	return to->rss - from->rss + to->tables - from->tables + to->vmas -
	       from->vmas;
}

struct bench_use bench_others(void)
{
	/* In this order, so that what is between counts as the others'. */
	int64_t own = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	struct bench_use use = {
		.cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - own,
	};
	DIR *dir = opendir("/proc/self/task");
	struct dirent *task;
	char path[300];

	while (dir && (task = readdir(dir))) {
		if (!isdigit(task->d_name[0]) || atoi(task->d_name) == gettid())
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%s/status",
			 task->d_name);
		use.switches += number(path, "voluntary_ctxt_switches:", 1) +
				number(path, "nonvoluntary_ctxt_switches:", 1);
	}
	if (dir)
		closedir(dir);
	return use;
}
