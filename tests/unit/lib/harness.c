// SPDX-License-Identifier: MIT
/*
 * Tests in processes of their own.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"

/* Most tests have fewer rounds where each is slow. */
#define SECONDS_MAX (TEST_SLOWER > 1 ? 120 : 30)
#define EXIT_FAIL 1
#define EXIT_SKIP 4

/*
 * The thread sanitizer: some tests end while the workers run, which is no leak,
 * and some start threads in a child of fork().
 */
const char *__tsan_default_options(void);
__attribute__((visibility("default"))) const char *__tsan_default_options(void)
{
	return "report_thread_leaks=0:die_after_fork=0";
}

static char *skipped; /* why; shared with the children */
#define SKIPPED_SIZE 256

void test_note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("# ");
	vprintf(format, args);
	printf("\n");
	va_end(args);
}

void test_skip(const char *reason, ...)
{
	va_list args;

	va_start(args, reason);
	vsnprintf(skipped, SKIPPED_SIZE, reason, args);
	va_end(args);
	exit(EXIT_SKIP);
}

void test_fail(const char *file, int line, const char *format, ...)
{
	va_list args;

	printf("# %s:%d: ", file, line);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	/* Not exit(): it may be a child of a test, or a thread, that fails. */
	fflush(stdout);
	_exit(EXIT_FAIL);
}

void test_equal(const char *file, int line, const char *a_text, long long a,
		const char *b_text, long long b)
{
	if (a != b)
		test_fail(file, line, "%s is %lld, %s is %lld", a_text, a,
			  b_text, b);
}

void test_contains(const char *file, int line, const char *text,
		   const char *part)
{
	if (!strstr(text, part))
		test_fail(file, line, "no '%s' in '%s'", part, text);
}

int64_t test_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec;
}

static pid_t start_child(void)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0) {
		perror("fork");
		exit(EXIT_FAIL);
	}
	return pid;
}

static int await(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		CHECK(errno == EINTR);
	return status;
}

static void die_plainly(void)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGABRT, SIGILL };
	static const struct rlimit none;
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_DFL);
	setrlimit(RLIMIT_CORE, &none);
}

int test_death(void (*fn)(void *), void *arg, char *said, size_t size)
{
	size_t len = 0;
	ssize_t got;
	int fds[2];
	int status;
	pid_t pid;

	CHECK(pipe(fds) == 0);
	pid = start_child();
	if (pid == 0) {
		die_plainly();
		dup2(fds[1], STDERR_FILENO);
		close(fds[0]);
		close(fds[1]);
		fn(arg);
		_exit(0);
	}
	close(fds[1]);
	while (len + 1 < size &&
	       (got = read(fds[0], said + len, size - 1 - len)) > 0)
		len += got;
	if (size)
		said[len] = '\0';
	close(fds[0]);
	status = await(pid);
	CHECK(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static bool run_test(const struct test *test, int nr)
{
	pid_t pid = start_child();
	int status;

	if (pid == 0) {
		alarm(SECONDS_MAX);
		test->run();
		exit(0);
	}
	status = await(pid);
	if (WIFSIGNALED(status))
		printf("# %s: %s\n", test->name, strsignal(WTERMSIG(status)));
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIP) {
		printf("ok %d - %s # SKIP %s\n", nr, test->name, skipped);
		return true;
	}
	printf("%s %d - %s\n", status ? "not ok" : "ok", nr, test->name);
	return status == 0;
}

int test_main(int argc, char **argv, const struct test *tests, size_t n)
{
	bool good = true;
	size_t i;

	skipped = mmap(NULL, SKIPPED_SIZE, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(skipped != MAP_FAILED);
	printf("1..%zu\n", n);
	for (i = 0; i < n; i++) {
		if (argc < 2)
			good &= run_test(&tests[i], i + 1);
		else if (!strcmp(argv[1], tests[i].name))
			tests[i].run();
	}
	return good ? 0 : EXIT_FAIL;
}
