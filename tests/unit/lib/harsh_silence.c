// SPDX-License-Identifier: MIT
/*
 * The watch that all stress has: when nobody makes a step any more it says what
 * each did last, and what the runtime is at, and the test has failed.
 */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harsh.h"
#include "runtime.h"

static int hang(void *arg)
{
	struct harsh_actor *actor = harsh_actor("who hangs");

	(void)arg;
	harsh_step(actor, "wait for nobody");
	CHECK_EQ(fiber_recv(new_chan(0, 0), NULL), 0);
	return 0;
}

static void hang_watched(void *fd)
{
	dup2(*(int *)fd, STDOUT_FILENO);
	harsh_silence = 200 * MSEC;
	harsh_watch();
	runtime_run(2, 0, hang, NULL);
}

static void ends_the_test(void)
{
	char said[4096];
	ssize_t got;
	int fds[2];
	int status;

	CHECK_EQ(pipe(fds), 0);
	/* Less than the pipe has room for. */
	status = runtime_in_child(hang_watched, &fds[1]);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	close(fds[1]);
	got = read(fds[0], said, sizeof(said) - 1);
	CHECK(got > 0);
	said[got] = '\0';
	CHECK_IN(said, "who hangs: 1 steps, then: wait for nobody");
	CHECK_IN(said, "1 fibers, ");
	CHECK_IN(said, "nothing goes on any more");
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(ends_the_test),
	};

	return RUN(argc, argv, tests);
}
