// SPDX-License-Identifier: MIT
/*
 * By default there are as many workers as this process may use processors.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"
#include "runtime.h"

#define PATH_SIZE 4096

static unsigned int count_allowed(void)
{
	cpu_set_t set;

	CHECK_EQ(sched_getaffinity(0, sizeof(set), &set), 0);
	return (unsigned int)CPU_COUNT(&set);
}

static unsigned int default_workers(void)
{
	unsigned int workers;

	CHECK_EQ(fiber_start(NULL), 0);
	workers = runtime_status().workers;
	runtime_stop();
	return workers;
}

/* Leave the first n of those that are allowed. */
static void allow(unsigned int n)
{
	cpu_set_t all, some;
	unsigned int cpu;

	CHECK_EQ(sched_getaffinity(0, sizeof(all), &all), 0);
	CPU_ZERO(&some);
	for (cpu = 0; cpu < CPU_SETSIZE && n > 0; cpu++) {
		if (CPU_ISSET(cpu, &all)) {
			CPU_SET(cpu, &some);
			n--;
		}
	}
	CHECK_EQ(sched_setaffinity(0, sizeof(some), &some), 0);
}

/* A quota may make it fewer, never more. */
static void as_affinity_allows(void)
{
	unsigned int n;

	for (n = count_allowed(); n > 0; n /= 2) {
		unsigned int workers;

		allow(n);
		CHECK_EQ(count_allowed(), n);
		workers = default_workers();
		CHECK(workers >= 1 && workers <= n);
		test_note("%u workers on %u processors", workers, n);
	}
	CHECK_EQ(default_workers(), 1);
}

static bool write_file(const char *folder, const char *name, const char *text)
{
	char path[PATH_SIZE + 64];
	bool good;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return false;
	good = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return good;
}

/* Where this process is in the hierarchy of version 2. */
static void own_cgroup(char *folder, size_t size)
{
	FILE *file = fopen("/proc/self/cgroup", "r");
	char line[PATH_SIZE / 2];

	snprintf(folder, size, "/sys/fs/cgroup");
	while (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "0::", 3))
			snprintf(folder, size, "/sys/fs/cgroup%s", line + 3);
	}
	if (file)
		fclose(file);
}

static bool enter_cgroup(const char *folder, const char *max)
{
	return write_file(folder, "cpu.max", max) &&
	       write_file(folder, "cgroup.procs", "0");
}

/* In a group of its own, right below the root, if this process may make one. */
static void check_quota(const char *max, unsigned int expected)
{
	char before[PATH_SIZE];
	char folder[64];
	unsigned int workers = 0;
	bool entered;

	own_cgroup(before, sizeof(before));
	snprintf(folder, sizeof(folder), "/sys/fs/cgroup/fiber-test-%d",
		 getpid());
	if (access("/sys/fs/cgroup/cgroup.controllers", F_OK) < 0 ||
	    mkdir(folder, 0755) < 0)
		test_skip("may not make a cgroup");
	entered = enter_cgroup(folder, max);
	if (entered) {
		workers = default_workers();
		CHECK(write_file(before, "cgroup.procs", "0"));
	}
	rmdir(folder);
	if (!entered)
		test_skip("may not set a quota of CPU time");
	CHECK_EQ(workers, expected);
}

static void as_the_quota_allows(void)
{
	unsigned int before = default_workers();

	check_quota("50000 100000", 1);
	check_quota("100000 100000", 1);
	check_quota("10000000 100000", before < 100 ? before : 100);
	check_quota("max 100000", before);
}

static void as_configured(void)
{
	allow(1);
	runtime_start(3, 0);
	CHECK_EQ(runtime_status().workers, 3);
	runtime_stop();
	runtime_start(256, 0);
	CHECK_EQ(runtime_status().workers, 256);
	runtime_stop();
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(as_affinity_allows),
		TEST(as_the_quota_allows),
		TEST(as_configured),
	};

	return RUN(argc, argv, tests);
}
