// SPDX-License-Identifier: MIT
/*
 * Limits, asked after the fact.
 *
 * MODEL. The kernel says ENOMEM for every limit there is. Which one it was is
 * found by looking at each: a guess, since other threads go on mapping, but one
 * that names the knob in all but that case.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "maplimit.h"

/* The kernel's default, where /proc is not mounted. */
#define MAPS_MAX_DEFAULT 65530
#define KIB 1024

/* The start of a file of /proc as a string; empty if it cannot be read. */
static void read_start(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = 0;

	if (fd >= 0) {
		len = read(fd, text, size - 1);
		close(fd);
	}
	text[len > 0 ? len : 0] = '\0';
}

static long read_number(const char *path, long otherwise)
{
	char text[32];
	char *end;
	long number;

	read_start(path, text, sizeof(text));
	number = strtol(text, &end, 10);
	return end == text ? otherwise : number;
}

long _fiber_maplimit_maps_max(void)
{
	return read_number("/proc/sys/vm/max_map_count", MAPS_MAX_DEFAULT);
}

long _fiber_maplimit_maps_used(void)
{
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	char text[4096];
	long lines = 0;
	ssize_t len;

	if (fd < 0)
		return 0;
	while ((len = read(fd, text, sizeof(text))) > 0) {
		for (ssize_t i = 0; i < len; i++)
			lines += text[i] == '\n';
	}
	close(fd);
	return lines;
}

/* What RLIMIT_AS and RLIMIT_DATA count, in bytes. */
static void read_usage(rlim_t *space, rlim_t *data)
{
	unsigned long all = 0;
	unsigned long writable = 0;
	long page = sysconf(_SC_PAGESIZE);
	char text[128];

	read_start("/proc/self/statm", text, sizeof(text));
	if (sscanf(text, "%lu %*u %*u %*u %*u %lu", &all, &writable) != 2)
		all = writable = 0;
	*space = (rlim_t)all * page;
	*data = (rlim_t)writable * page;
}

static bool is_over(int resource, rlim_t used, size_t bytes)
{
	struct rlimit limit;

	return !getrlimit(resource, &limit) &&
	       limit.rlim_cur != RLIM_INFINITY && used + bytes > limit.rlim_cur;
}

int _fiber_maplimit_explain(size_t bytes, struct fiber_why *why)
{
	rlim_t space;
	rlim_t data;

	read_usage(&space, &data);
	if (is_over(RLIMIT_AS, space, bytes))
		return _fiber_why(why, -ENOMEM,
				  "no room for %zu KiB of stacks under "
				  "RLIMIT_AS, of which %zu KiB are in use; "
				  "raise it (ulimit -v)",
				  bytes / KIB, (size_t)space / KIB);
	if (is_over(RLIMIT_DATA, data, bytes))
		return _fiber_why(why, -ENOMEM,
				  "no room for %zu KiB of stacks under "
				  "RLIMIT_DATA, of which %zu KiB are in use; "
				  "raise it (ulimit -d)",
				  bytes / KIB, (size_t)data / KIB);
	if (read_number("/proc/sys/vm/overcommit_memory", 0) == 2)
		return _fiber_why(why, -ENOMEM,
				  "vm.overcommit_memory is 2, which counts "
				  "stacks before they are used, and %zu KiB "
				  "more are over its limit; set it to 0 or "
				  "raise vm.overcommit_ratio",
				  bytes / KIB);
	/* A mapping that is split on the way may take two more. */
	if (_fiber_maplimit_maps_used() + 2 >= _fiber_maplimit_maps_max())
		return _fiber_why(why, -ENOMEM,
				  "the process has as many mappings as "
				  "vm.max_map_count allows (%ld); raise it",
				  _fiber_maplimit_maps_max());
	return _fiber_why(why, -ENOMEM,
			  "the kernel has no memory for %zu KiB of stacks",
			  bytes / KIB);
}
