/* SPDX-License-Identifier: MIT */
/* What the VM's init and its test runner share: the kernel log, unloading, leaks. */
#ifndef _TESTS_VM_GUEST_H
#define _TESTS_VM_GUEST_H

#include <stdbool.h>
#include <stddef.h>

/* Written by whoever has scanned for leaks last thing: a scan takes seconds. */
#define LEAKS_SCANNED "/run/leaks-scanned"

#define REPORT_SIZE 256

/* A reader of the kernel log; each has a place of its own in it. */
struct klog {
	int fd;
	/* A data race is told first and where it was after: kept until it names us or ends. */
	char race[REPORT_SIZE];
};

/* Opens the log at its end: what was before is not this reader's. */
int klog_open(struct klog *log);

/* The next line that reports a kernel bug, or false when the log has been read up. */
bool klog_report(struct klog *log, char report[REPORT_SIZE]);

/* Writes a line into the kernel log, so that the console tells what was going on. */
void klog_mark(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The small files of /proc and /sys: 0 or -errno; what was read ends with a 0. */
int file_write(const char *path, const char *text);
int file_read(const char *path, char *text, size_t size);

/* Unloads the module, waiting a while for its last user: 0, also without it, or -errno. */
int module_unload(const char *name);

/* Runs tell() with a line for each leak that the kernel finds; false without kmemleak. */
bool leaks_scan(void (*tell)(const char *line));

#endif
