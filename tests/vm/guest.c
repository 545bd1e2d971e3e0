// SPDX-License-Identifier: MIT
/*
 * The kernel log, unloading and leaks, for the VM's init and its test runner.
 *
 * A kernel bug is known by what the kernel prints. The words below are those with which its
 * checkers begin a report; a message that merely has a back trace (out of memory, an allocation
 * that a test made fail) is none.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

static const char *const report_words[] = {
	"BUG:", /* KASAN, atomic sleep, soft lockup, page faults, slab */
	"WARNING:", /* WARN_ON, lockdep, RCU usage */
	"kernel BUG at",
	"Kernel panic",
	"Oops",
	"general protection fault",
	"Unable to handle kernel",
	"stack segment:",
	"double fault:",
	"UBSAN:",
	"ODEBUG:",
	"INFO: task ", /* blocked for more than ... */
	"INFO: rcu",
	"detected stalls",
	"self-detected stall",
	"hard LOCKUP",
	"INFO: trying to register non-static key",
	"INFO: lockdep is turned off",
	"DEBUG_LOCKS_WARN_ON",
	"suspicious RCU usage",
	"list_add corruption",
	"list_del corruption",
	"refcount_t:",
	"ref_tracker:",
	"unregister_netdevice: waiting",
	"kmemleak: ",
	"scheduling while atomic",
	"disagrees about version of symbol",
};

/* Words that look like a report and are none. */
static const char *const harmless_words[] = {
	"kmemleak: Kernel memory leak detector initialized",
	"kmemleak: Automatic memory scanning thread",
	"WARNING: Spectre",
};

static bool contains_one(const char *line, const char *const *words,
			 size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strstr(line, words[i]))
			return true;
	}
	return false;
}

#define CONTAINS(line, words) \
	contains_one(line, words, sizeof(words) / sizeof(words[0]))

int klog_open(struct klog *log)
{
	log->race[0] = 0;
	log->fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (log->fd < 0)
		return -errno;
	lseek(log->fd, 0, SEEK_END);
	return 0;
}

/* The text of the next record, or NULL. Records overwritten before they were read are told. */
static char *klog_next(struct klog *log, char *record, size_t size)
{
	ssize_t len;
	char *text;

	do {
		len = read(log->fd, record, size - 1);
		if (len < 0 && errno == EPIPE)
			return strcpy(record,
				      "BUG: the kernel log overran its reader");
	} while (len < 0 && errno == EINTR);
	if (len <= 0)
		return NULL;
	record[len] = 0;
	text = strchr(record, ';');
	text = text ? text + 1 : record;
	text[strcspn(text, "\n")] = 0;
	return text;
}

/*
 * The stock kernel has data races of its own, most of them known and meant; a race counts when a
 * line of its report, which a line of '=' ends, is in our module.
 */
static bool race_is_ours(struct klog *log, const char *text)
{
	if (strstr(text, "BUG: KCSAN:"))
		snprintf(log->race, sizeof(log->race), "%s", text);
	else if (!strncmp(text, "=====", 5))
		log->race[0] = 0;
	return log->race[0] && strstr(text, "[fiber]");
}

bool klog_report(struct klog *log, char report[REPORT_SIZE])
{
	char record[8192];
	char *text;

	while ((text = klog_next(log, record, sizeof(record)))) {
		if (race_is_ours(log, text)) {
			snprintf(report, REPORT_SIZE, "%s", log->race);
			log->race[0] = 0;
			return true;
		}
		if (!strstr(text, "BUG: KCSAN:") &&
		    CONTAINS(text, report_words) &&
		    !CONTAINS(text, harmless_words)) {
			snprintf(report, REPORT_SIZE, "%.*s", REPORT_SIZE - 1,
				 text);
			return true;
		}
	}
	return false;
}

void klog_mark(const char *fmt, ...)
{
	char text[1000]; /* a record holds no more */
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	file_write("/dev/kmsg", text);
}

int file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

int file_read(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return -errno;
	len = read(fd, text, size - 1);
	close(fd);
	if (len < 0)
		return -errno;
	text[len] = 0;
	return 0;
}

int module_unload(const char *name)
{
	struct timespec pause = { .tv_nsec = 50 * 1000 * 1000 };

	/* Sockets of killed processes are let go a moment after their death. */
	for (int tries = 100; tries > 0; tries--) {
		if (!syscall(SYS_delete_module, name, O_NONBLOCK) ||
		    errno == ENOENT)
			return 0;
		if (errno != EAGAIN && errno != EBUSY)
			return -errno;
		nanosleep(&pause, NULL);
	}
	return -EBUSY;
}

bool leaks_scan(void (*tell)(const char *line))
{
	static const char path[] = "/sys/kernel/debug/kmemleak";
	char line[REPORT_SIZE];
	FILE *file;

	if (access(path, W_OK))
		return false;
	/* A leak is what two scans find unchanged, and what is older than 5 s. */
	file_write(path, "scan");
	sleep(6);
	file_write(path, "scan");
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = 0;
		tell(line);
	}
	if (file)
		fclose(file);
	file_write(path, "clear");
	close(open(LEAKS_SCANNED, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	return true;
}
