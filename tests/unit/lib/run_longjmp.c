// SPDX-License-Identifier: MIT
/*
 * longjmp() and siglongjmp() within a fiber, whatever worker it is on by then.
 */
#include <setjmp.h>
#include <signal.h>

#include "fibers.h"

/* Two frames that are left behind, each of which another worker may have made. */
__attribute__((noinline)) static void leave(jmp_buf env)
{
	fiber_yield();
	longjmp(env, 7);
}

__attribute__((noinline)) static void enter(jmp_buf env)
{
	fiber_yield();
	leave(env);
}

static int jump(void *arg)
{
	volatile int rounds = 0;
	jmp_buf env;

	(void)arg;
	if (setjmp(env) != 7)
		CHECK_EQ(rounds, 0);
	fiber_yield();
	if (rounds++ < 50)
		enter(env);
	CHECK_EQ(rounds, 51);
	return 0;
}

/* The mask is the thread's: no waiting while it is another one. */
static int jump_and_restore_mask(void *arg)
{
	volatile int rounds = 0;
	sigset_t mask, now;
	sigjmp_buf env;

	(void)arg;
	sigemptyset(&mask);
	sigaddset(&mask, SIGPROF);
	while (rounds < 50) {
		fiber_yield();
		if (sigsetjmp(env, 1) == 0) {
			CHECK_EQ(pthread_sigmask(SIG_BLOCK, &mask, NULL), 0);
			siglongjmp(env, 1);
		}
		CHECK_EQ(pthread_sigmask(SIG_BLOCK, NULL, &now), 0);
		CHECK(!sigismember(&now, SIGPROF));
		rounds++;
	}
	return 0;
}

static void jump_all(void)
{
	int args[20];

	run_all(ARRAY_SIZE(args), jump, args, sizeof(args[0]));
}

static void jump_and_restore_all(void)
{
	int args[20];

	run_all(ARRAY_SIZE(args), jump_and_restore_mask, args, sizeof(args[0]));
}

static void within_a_fiber(void)
{
	run_shapes(0, jump_all);
}

static void with_the_mask(void)
{
	run_shapes(0, jump_and_restore_all);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(within_a_fiber),
		TEST(with_the_mask),
	};

	return RUN(argc, argv, tests);
}
