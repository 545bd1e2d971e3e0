// SPDX-License-Identifier: MIT
/*
 * runtests [-t SECONDS] [TEST...] - run tests in the VM, print KTAP.
 *
 * A TEST is a program in /fiber/self, or a path; without any, all that are there. Each runs alone,
 * in its own directory, with its output in ours behind "# ". It has passed when it ended with 0,
 * said something, and the kernel reported no bug meanwhile; 4 is a skip, as kselftest has it. At the
 * end the module must unload, and a kernel with kmemleak must find no leak: tests of their own.
 *
 * Time: 60 s a test, or what the file `settings` beside it says in kselftest's form, timeout=N, or
 * timeout_NAME=N for one; -t overrides. Debug kernels get four times that.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

#define TESTS_DIR "/fiber/self"
#define EXIT_SKIP 4
#define LINE_SIZE 1024

struct result {
	int status; /* as waitpid() has it */
	bool timed_out;
	bool silent;
	int reports; /* kernel bugs */
	int parts_ok, parts_skipped; /* of the test's own KTAP */
	char skip[LINE_SIZE]; /* why, in the test's words */
};

static struct klog klog;
static int number, failures;
static int timeout_s;

/* ---- KTAP ---- */

/* Each line at once: should the VM die, the host knows how far it came. */
static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

static void say_ok(const char *name)
{
	say("ok %d %s", ++number, name);
}

static void say_not_ok(const char *name, const char *why)
{
	failures++;
	say("not ok %d %s # %s", ++number, name, why);
}

/* ---- time ---- */

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int settings_timeout(const char *name)
{
	char line[LINE_SIZE], key[LINE_SIZE];
	int all = 60, own = 0;
	FILE *file;

	snprintf(key, sizeof(key), "timeout_%s=%%d", name);
	file = fopen("settings", "re");
	while (file && fgets(line, sizeof(line), file)) {
		sscanf(line, "timeout=%d", &all);
		sscanf(line, key, &own);
	}
	if (file)
		fclose(file);
	return own ? own : all;
}

static int limit_ms(const char *name)
{
	struct utsname kernel;
	int limit = timeout_s ? timeout_s : settings_timeout(name);

	uname(&kernel);
	return limit * 1000 * (strstr(kernel.release, "-fiber-") ? 4 : 1);
}

/* ---- one test ---- */

/* Whatever the test starts is in its process group, and its output in our pipe. */
static pid_t start(const char *path, const char *name, int *output)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return -1;
	pid = fork();
	if (!pid) {
		setsid();
		dup2(open("/dev/null", O_RDONLY), 0);
		dup2(fds[1], 1);
		dup2(fds[1], 2);
		execl(path, name, (char *)NULL);
		printf("%s: %s\n", path, strerror(errno));
		fflush(stdout);
		_exit(127);
	}
	close(fds[1]);
	*output = fds[0];
	return pid;
}

static void tell_line(struct result *result, const char *line)
{
	const char *skip = strstr(line, "SKIP");

	if (!strncmp(line, "ok ", 3)) {
		result->parts_ok += !skip;
		result->parts_skipped += !!skip;
	}
	if (skip)
		snprintf(result->skip, sizeof(result->skip), "%s",
			 skip + strlen("SKIP"));
	result->silent = false;
	say("# %s", line);
}

static void read_reports(struct result *result)
{
	char report[REPORT_SIZE];

	while (klog_report(&klog, report)) {
		say("# kernel: %s", report);
		result->reports++;
	}
}

/* A line buffer, for output comes in any portions. */
struct lines {
	char text[LINE_SIZE];
	size_t used;
};

static void tell_rest(struct lines *lines, struct result *result)
{
	lines->text[lines->used] = 0;
	if (lines->used)
		tell_line(result, lines->text);
	lines->used = 0;
}

/* Reads once and tells the lines that are whole; false at the end of the output. */
static bool copy_output(int output, struct lines *lines, struct result *result)
{
	size_t space = sizeof(lines->text) - 1 - lines->used;
	ssize_t len = read(output, lines->text + lines->used, space);

	if (len <= 0)
		return false;
	lines->used += len;
	lines->text[lines->used] = 0;
	for (char *end; (end = strchr(lines->text, '\n'));) {
		*end = 0;
		tell_line(result, lines->text);
		memmove(lines->text, end + 1, strlen(end + 1) + 1);
	}
	lines->used = strlen(lines->text);
	if (lines->used == sizeof(lines->text) - 1)
		tell_rest(lines, result);
	return true;
}

/*
 * The test is over when its first process has ended and nothing more comes: a child that it left
 * may hold the pipe open. It is killed then: the next test wants the machine as it was.
 */
static void wait_end(pid_t pid, int output, long until_ms,
		     struct result *result)
{
	struct pollfd ready = { .fd = output, .events = POLLIN };
	struct lines lines = { .used = 0 };
	bool ended = false;

	while (now_ms() < until_ms) {
		if (poll(&ready, 1, 20) > 0) {
			if (!copy_output(output, &lines, result))
				ready.fd = -1;
		} else if (ended) {
			break;
		}
		if (!ended)
			ended = waitpid(pid, &result->status, WNOHANG) == pid;
	}
	tell_rest(&lines, result);
	result->timed_out = !ended;
	if (!ended)
		file_write("/proc/sysrq-trigger", "w");
	kill(-pid, SIGKILL);
	if (!ended)
		waitpid(pid, &result->status, 0);
	close(output);
}

/* The kselftest harness passes a program of which it skipped every part. */
static bool skipped(const struct result *result, int code)
{
	return code == EXIT_SKIP ||
	       (result->parts_skipped && !result->parts_ok);
}

static void judge(const char *name, const struct result *result)
{
	int code = WIFEXITED(result->status) ? WEXITSTATUS(result->status) : -1;
	char why[64];

	if (result->timed_out)
		say_not_ok(name, "its time was over");
	else if (code < 0) {
		snprintf(why, sizeof(why), "killed by signal %d",
			 WTERMSIG(result->status));
		say_not_ok(name, why);
	} else if (code && code != EXIT_SKIP) {
		snprintf(why, sizeof(why), "exit status %d", code);
		say_not_ok(name, why);
	} else if (result->reports)
		say_not_ok(name, "the kernel reported a bug");
	else if (skipped(result, code))
		say("ok %d %s # SKIP%s", ++number, name, result->skip);
	else if (result->silent)
		say_not_ok(name, "it said nothing");
	else
		say_ok(name);
}

/* The working directory is the test's: its files are beside it. */
static void run_test(char *path)
{
	char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	struct result result = { .silent = true };
	long until_ms;
	int output;
	pid_t pid;

	/* The host reads this line too: it names the test in which a VM died. */
	say("# %s: begins", name);
	klog_mark("runtests: %s begins", name);
	until_ms = now_ms() + limit_ms(name);
	pid = start(path, name, &output);
	if (pid < 0) {
		say_not_ok(name, strerror(errno));
		return;
	}
	wait_end(pid, output, until_ms, &result);
	read_reports(&result);
	judge(name, &result);
}

static void run_named(const char *test)
{
	char *path, *dir;

	if (asprintf(&path, "%s%s", strchr(test, '/') ? "" : TESTS_DIR "/",
		     test) < 0)
		return;
	dir = strdup(path);
	if (!dir || chdir(dirname(dir)))
		say("# %s: cannot enter its directory", test);
	run_test(path);
	free(dir);
	free(path);
}

/* ---- after all tests ---- */

static void test_unload(void)
{
	struct result result = { 0 };
	int err;

	klog_mark("runtests: module_unloads begins");
	err = module_unload("fiber");
	read_reports(&result);
	if (err || result.reports)
		say_not_ok("module_unloads",
			   err ? strerror(-err) : "the kernel reported a bug");
	else
		say_ok("module_unloads");
}

static int leak_lines;

static void tell_leak(const char *line)
{
	leak_lines++;
	say("# %s", line);
}

static void test_leaks(void)
{
	struct result result = { 0 };

	leaks_scan(tell_leak);
	read_reports(&result);
	if (leak_lines || result.reports)
		say_not_ok("no_leaks",
			   "kmemleak found objects that nobody points to");
	else
		say_ok("no_leaks");
}

/* ---- which tests ---- */

static int is_test(const struct dirent *entry)
{
	char path[LINE_SIZE];
	struct stat st;

	snprintf(path, sizeof(path), TESTS_DIR "/%s", entry->d_name);
	return entry->d_name[0] != '.' && !stat(path, &st) &&
	       S_ISREG(st.st_mode) && (st.st_mode & 0100);
}

static int find_tests(char ***tests)
{
	struct dirent **entries;
	int count = scandir(TESTS_DIR, &entries, is_test, alphasort);

	if (count <= 0)
		return 0;
	*tests = calloc(count, sizeof(**tests));
	for (int i = 0; i < count; i++)
		(*tests)[i] = entries[i]->d_name;
	return count;
}

int main(int argc, char **argv)
{
	bool kmemleak = !access("/sys/kernel/debug/kmemleak", W_OK);
	char **tests;
	int count, opt;

	while ((opt = getopt(argc, argv, "t:")) != -1) {
		if (opt != 't') {
			fprintf(stderr,
				"usage: runtests [-t SECONDS] [TEST...]\n");
			return 2;
		}
		timeout_s = atoi(optarg);
	}
	tests = argv + optind;
	count = argc - optind;
	if (!count)
		count = find_tests(&tests);
	if (!count || klog_open(&klog)) {
		fprintf(stderr, "runtests: no tests, or no kernel log\n");
		return 2;
	}
	say("KTAP version 1");
	say("1..%d", count + 1 + kmemleak);
	for (int i = 0; i < count; i++)
		run_named(tests[i]);
	test_unload();
	if (kmemleak)
		test_leaks();
	return failures ? 1 : 0;
}
