// SPDX-License-Identifier: MIT
/*
 * Affinity and quota.
 */
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "config.h"

#define PATH_SIZE 4096

static unsigned int affinity(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		return 1;
	return CPU_COUNT(&set);
}

/* The path of our group in the unified hierarchy, as of /; or empty. */
static void read_group(char *path, size_t size)
{
	char line[PATH_SIZE];
	FILE *file = fopen("/proc/self/cgroup", "re");

	path[0] = '\0';
	while (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "0::", 3))
			snprintf(path, size, "%s", line + 3);
	}
	if (file)
		fclose(file);
}

/* CPUs that cpu.max of this group pays for; UINT_MAX if there is no limit. */
static unsigned int quota_of(const char *group)
{
	char name[PATH_SIZE + 64];
	long long quota;
	long long period;
	unsigned int cpus = UINT_MAX;
	FILE *file;

	snprintf(name, sizeof(name), "/sys/fs/cgroup%s/cpu.max", group);
	file = fopen(name, "re");
	if (!file)
		return cpus;
	if (fscanf(file, "%lld %lld", &quota, &period) == 2 && quota > 0 &&
	    period > 0)
		cpus = (quota + period - 1) / period;
	fclose(file);
	return cpus;
}

unsigned int _fiber_config_cpus(void)
{
	unsigned int cpus = affinity();
	char group[PATH_SIZE];
	char *slash;

	read_group(group, sizeof(group));
	/* The limits of all groups above hold too. */
	do {
		unsigned int quota = quota_of(group);

		if (quota < cpus)
			cpus = quota;
		slash = strrchr(group, '/');
		if (slash)
			*slash = '\0';
	} while (slash);
	return cpus ? cpus : 1;
}
