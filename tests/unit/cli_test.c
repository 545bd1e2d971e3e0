// SPDX-License-Identifier: MIT
/*
 * The built fiberctl: exit statuses, and a sentence for each failure.
 *
 * Where the module is loaded here, what asks for its absence is skipped: the
 * VM's tests have it.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

#define OUT_MAX 16384

/* Run `fiberctl ARGS`, a shell's line, and catch what it writes. */
static int run(const char *args, char *out)
{
	const char *program = getenv("FIBERCTL");
	char line[512];
	size_t len;
	FILE *pipe;
	int status;

	assert_non_null(program);
	snprintf(line, sizeof(line), "%s %s", program, args);
	pipe = popen(line, "r");
	assert_non_null(pipe);
	len = fread(out, 1, OUT_MAX - 1, pipe);
	out[len] = '\0';
	status = pclose(pipe);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* The exit status, and a part of what stderr has. */
static void expect(const char *args, int status, const char *sentence)
{
	char line[512];
	char out[OUT_MAX];
	int got;

	snprintf(line, sizeof(line), "%s 2>&1 >/dev/null", args);
	got = run(line, out);
	if (got != status)
		fail_msg("fiberctl %s: exit status %d, not %d", args, got,
			 status);
	if (!strstr(out, sentence))
		fail_msg("fiberctl %s: said '%s', not '%s'", args, out,
			 sentence);
}

static void usage_errors_exit_with_2(void **state)
{
	(void)state;
	expect("", 2, "usage:");
	expect("bogus", 2, "no command 'bogus'");
	expect("t", 2, "may be threads or top");
	expect("ps --bogus", 2, "no option '--bogus'");
	expect("ps -i 1", 2, "no option");
	expect("ps -p", 2, "wants an argument");
	expect("ps -p 1,x", 2, "makes no sense");
	expect("ps -p 0", 2, "makes no sense");
	expect("ps -p -1", 2, "makes no sense");
	expect("ps -p 99999999999", 2, "makes no sense");
	expect("ps extra", 2, "'extra' is too much");
	expect("ps -o nope", 2, "no such column 'nope'");
	expect("ps -s nope", 2, "no such column 'nope'");
	expect("ps -f 'pid >'", 2, "a value is missing");
	expect("ps -j -t", 2, "not both");
	expect("threads x", 2, "'x' is not a PID");
	expect("top </dev/null", 2, "use --batch");
	expect("top -b -n 0", 2, "makes no sense");
	expect("top -b -d 0", 2, "makes no sense");
	expect("top -b -d nan", 2, "makes no sense");
	expect("hist 1 2", 2, "one process at most");
	expect("hist x", 2, "'x' is not a PID");
	expect("watch -e fork,nope", 2, "not a list of events");
	expect("load a b", 2, "one file");
	expect("unload x", 2, "no arguments");
	expect("help nope", 2, "no command 'nope'");
}

static void help_is_on_stdout(void **state)
{
	static const char *const commands[] = { "load", "unload",  "status",
						"ps",	"threads", "top",
						"hist", "watch",   "tree" };
	char line[64];
	char out[OUT_MAX];
	char again[OUT_MAX];
	size_t i;

	(void)state;
	assert_int_equal(run("--help", out), 0);
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!strstr(out, commands[i]))
			fail_msg("--help does not name %s", commands[i]);
	}
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		snprintf(line, sizeof(line), "%s --help", commands[i]);
		assert_int_equal(run(line, out), 0);
		assert_memory_equal(out, "usage: fiberctl ", 16);
		snprintf(line, sizeof(line), "help %s", commands[i]);
		assert_int_equal(run(line, again), 0);
		assert_string_equal(out, again);
	}
	assert_int_equal(run("--version", out), 0);
	assert_memory_equal(out, "fiberctl ", 9);
}

static void columns_are_listed(void **state)
{
	char out[OUT_MAX];

	(void)state;
	assert_int_equal(run("ps -o help", out), 0);
	assert_non_null(strstr(out, "rss_bytes"));
	assert_null(strstr(out, "wait_max"));
	assert_int_equal(run("threads -o help", out), 0);
	assert_non_null(strstr(out, "wait_max_ns"));
	assert_int_equal(run("top -o help", out), 0);
	assert_int_equal(run("watch -o help", out), 0);
	assert_non_null(strstr(out, "event"));
}

static void absent_module_is_told(void **state)
{
	static const char *const reads[] = { "ps",   "threads",	    "status",
					     "tree", "top -b -n 1", "hist -d 1",
					     "watch" };
	char out[OUT_MAX];
	size_t i;

	(void)state;
	if (!access("/sys/module/fiber", F_OK))
		skip();
	for (i = 0; i < sizeof(reads) / sizeof(reads[0]); i++)
		expect(reads[i], 1, "the fiber module is not loaded");
	expect("unload", 1, "the fiber module is not loaded");
	assert_int_equal(run("status --json 2>/dev/null", out), 1);
	assert_memory_equal(out, "{\"loaded\":false", 15);
}

static void file_that_is_no_module_is_refused(void **state)
{
	(void)state;
	if (!access("/sys/module/fiber", F_OK))
		skip();
	expect("load /nonexistent/fiber.ko", 1, "No such file");
	expect("load /dev/null", 1, "cannot load /dev/null");
}

static void lost_reader_is_no_noise(void **state)
{
	char out[OUT_MAX];

	(void)state;
	run("--help 2>&1 1>&- | cat", out);
	assert_non_null(strstr(out, "cannot write"));
	assert_int_equal(run("ps -o help 2>&1 | head -n 1 >/dev/null", out), 0);
	assert_string_equal(out, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usage_errors_exit_with_2),
		cmocka_unit_test(help_is_on_stdout),
		cmocka_unit_test(columns_are_listed),
		cmocka_unit_test(absent_module_is_told),
		cmocka_unit_test(file_that_is_no_module_is_refused),
		cmocka_unit_test(lost_reader_is_no_noise),
	};

	return RUN(tests);
}
