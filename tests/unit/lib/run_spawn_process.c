// SPDX-License-Identifier: MIT
/*
 * Fibers start other programs as threads do.
 */
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "runtime.h"

extern char **environ;

static int spawn_shell(void *arg)
{
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)"exit 13", NULL };
	int status;
	pid_t pid;

	(void)arg;
	CHECK_EQ(posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ), 0);
	fiber_yield();
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 13);
	return 0;
}

static int spawn_shells(void *arg)
{
	(void)arg;
	runtime_spawn_and_join(10, spawn_shell, NULL);
	return 0;
}

static void by_posix_spawn(void)
{
	runtime_run(1, 0, spawn_shells, NULL);
	runtime_run(3, 0, spawn_shells, NULL);
	runtime_run(2, FIBER_TEST_MIGRATE, spawn_shells, NULL);
}

static int call_system(void *arg)
{
	(void)arg;
	CHECK_EQ(WEXITSTATUS(system("exit 14")), 14);
	return 0;
}

static int call_systems(void *arg)
{
	(void)arg;
	runtime_spawn_and_join(5, call_system, NULL);
	return 0;
}

static void by_system(void)
{
	runtime_run(1, 0, call_systems, NULL);
	runtime_run(2, 0, call_systems, NULL);
}

static void exec_shell(void *arg)
{
	(void)arg;
	execl("/bin/sh", "sh", "-c", "exit 15", (char *)NULL);
}

static int fork_and_exec(void *arg)
{
	(void)arg;
	CHECK_EQ(WEXITSTATUS(runtime_in_child(exec_shell, NULL)), 15);
	return 0;
}

static void by_fork_and_exec(void)
{
	runtime_run(1, 0, fork_and_exec, NULL);
	runtime_run(2, 0, fork_and_exec, NULL);
}

/* The program itself becomes another one. */
static int exec_main(void *arg)
{
	exec_shell(arg);
	return 1;
}

static void become_shell(void *arg)
{
	(void)arg;
	fiber_run(exec_main, NULL, NULL);
}

static void by_exec(void)
{
	CHECK_EQ(WEXITSTATUS(runtime_in_child(become_shell, NULL)), 15);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(by_posix_spawn),
		TEST(by_system),
		TEST(by_fork_and_exec),
		TEST(by_exec),
	};

	return RUN(argc, argv, tests);
}
