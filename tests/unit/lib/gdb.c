// SPDX-License-Identifier: MIT
/*
 * Asking gdb.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gdb.h"
#include "harness.h"

void gdb_ask(const char *test, const char *commands, char *said, size_t size)
{
	char self[256];
	char *line;
	size_t len;
	ssize_t n;
	FILE *gdb;

	if (system("command -v gdb >/dev/null"))
		test_skip("no gdb (package gdb)");
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	CHECK(n > 0);
	self[n] = '\0';
	CHECK(asprintf(&line,
		       "gdb -nx -batch -iex 'set debuginfod enabled off' "
		       "-ex 'break stop_here' -ex run %s -ex kill "
		       "--args '%s' %s 2>&1",
		       commands, self, test) > 0);
	gdb = popen(line, "r");
	CHECK(gdb);
	free(line);
	len = fread(said, 1, size - 1, gdb);
	said[len] = '\0';
	pclose(gdb);
	if (strstr(said, "not permitted"))
		test_skip("gdb may not trace here");
}

void gdb_check_root(const char *said)
{
	const char *last = NULL;
	const char *line;

	for (line = strstr(said, "\n#"); line; line = strstr(line + 1, "\n#"))
		last = line;
	CHECK(last);
	CHECK_IN(last, "_fiber_context_start");
	CHECK(!strstr(said, "Backtrace stopped"));
	CHECK(!strstr(said, "corrupt"));
	CHECK(!strstr(said, "??"));
}
