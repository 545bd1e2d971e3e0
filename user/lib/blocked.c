// SPDX-License-Identifier: MIT
/*
 * What /proc says, or else the clock.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "blocked.h"
#include "clock.h"

/* It has run for less than this part of the time: then it has slept. */
#define BUSY_PART 8

/*
 * The clock of a thread by its number, as pthread_getcpuclockid() makes it of a
 * pthread_t, which may not be known yet here: the kernel's CPUCLOCK_SCHED.
 */
static clockid_t cpu_clock(uint32_t tid)
{
	return (clockid_t)(~tid << 3 | 6);
}

int64_t _fiber_blocked_ran(const struct fiber_worker *w)
{
	uint32_t tid = at_load(&w->tid, RELAXED);
	struct timespec t;

	if (!tid || clock_gettime(cpu_clock(tid), &t))
		return -1;
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static bool clock_stands(struct fiber_worker *w)
{
	int64_t before = w->seen_cpu;
	int64_t before_at = w->seen_cpu_at;

	w->seen_cpu = _fiber_blocked_ran(w);
	w->seen_cpu_at = _fiber_clock_real();
	return w->seen_cpu >= 0 && before_at &&
	       (w->seen_cpu - before) * BUSY_PART < w->seen_cpu_at - before_at;
}

/*
 * One letter after the name, which may contain anything but ends with the last
 * parenthesis. 0 if there is no such file.
 */
static char state_of(uint32_t tid)
{
	char name[64];
	char buf[128];
	const char *end;
	ssize_t n;
	int fd;

	snprintf(name, sizeof(name), "/proc/self/task/%u/stat", tid);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n <= 0)
		return 0;
	buf[n] = '\0';
	end = strrchr(buf, ')');
	return end && end[1] == ' ' ? end[2] : 0;
}

bool _fiber_blocked(struct fiber_worker *w)
{
	uint32_t tid = at_load(&w->tid, RELAXED);
	char state = tid ? state_of(tid) : 'R';

	return state ? state == 'S' || state == 'D' : clock_stands(w);
}

uint64_t _fiber_blocked_count(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_THREAD, &usage) ? 0 : usage.ru_nvcsw;
}
