// SPDX-License-Identifier: MIT
/*
 * A stack that overflows is reported by its owner's name and entry function, and
 * then whoever handled SIGSEGV before has it.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arena.h"
#include "coro.h"
#include "harness.h"
#include "overflow.h"

static struct fiber_stack_arena arena;
static struct coro root;
static char said[4096];

/* Not a loop: every call keeps its frame. */
__attribute__((noinline)) static int recurse(volatile int *n)
{
	volatile char frame[256];

	frame[0] = ++*n;
	if (*n < 0)
		return 0;
	return recurse(n) + frame[0];
}

static void overflow(struct coro *self, void *arg)
{
	volatile int n = 0;

	(void)self;
	(void)arg;
	recurse(&n);
}

static void start(void)
{
	struct fiber_altstack alt;
	struct fiber_why why;

	CHECK_EQ(_fiber_overflow_init(&why), 0);
	CHECK_EQ(_fiber_overflow_thread_init(&alt, &why), 0);
}

static void overflow_named(void *name)
{
	struct fiber_stack *stack;
	struct coro co;

	start();
	arena_init(&arena, FIBER_GUARD_BEST, 0);
	stack = arena_get(&arena);
	stack->name = name;
	stack->entry = name ? (uintptr_t)overflow : 0;
	coro_init_on(&co, stack->low, stack->top - stack->low, stack->top,
		     overflow);
	coro_switch(&root, &co, NULL);
}

static void names_fiber_and_entry(void)
{
	CHECK_EQ(test_death(overflow_named, "deep thought", said, sizeof(said)),
		 SIGSEGV);
	CHECK_IN(said,
		 "fiber: stack overflow in 'deep thought', entered at 0x");
	CHECK_IN(said, "stack_overflow_report+0x");
	CHECK_IN(said, " is in the guard below its 49152 bytes\n");
}

static void survives_any_name(void)
{
	char name[200];

	memset(name, 'x', sizeof(name));
	name[0] = '\n';
	name[199] = '\0';
	CHECK_EQ(test_death(overflow_named, name, said, sizeof(said)), SIGSEGV);
	CHECK_IN(said, " in '?xxxx");
	CHECK_IN(said, "xxxx', entered");
	CHECK_EQ(test_death(overflow_named, NULL, said, sizeof(said)), SIGSEGV);
	CHECK_IN(said, "fiber: stack overflow: 0x");
}

static void write_nowhere(void *arg)
{
	start();
	arena_init(&arena, FIBER_GUARD_BEST, 0);
	arena_get(&arena);
	*(volatile char *)arg = 1;
}

static void other_faults_are_not_its_business(void)
{
	CHECK_EQ(test_death(write_nowhere, (void *)8, said, sizeof(said)),
		 SIGSEGV);
	CHECK(!strstr(said, "fiber:"));
}

static void send_to_itself(void *arg)
{
	(void)arg;
	start();
	kill(getpid(), SIGSEGV);
}

static void send_ignored(void *arg)
{
	signal(SIGSEGV, SIG_IGN);
	send_to_itself(arg);
}

static void one_that_is_sent_has_its_effect(void)
{
	CHECK_EQ(test_death(send_to_itself, NULL, said, sizeof(said)), SIGSEGV);
	CHECK_EQ(test_death(send_ignored, NULL, said, sizeof(said)), 0);
}

static void tell(const char *text)
{
	if (write(STDERR_FILENO, text, strlen(text)) < 0)
		_exit(1);
}

static void see_all(int sig, siginfo_t *info, void *context)
{
	sigset_t mask;

	sigprocmask(SIG_BLOCK, NULL, &mask);
	tell(sig == SIGSEGV && info->si_code > 0 && context &&
			     sigismember(&mask, SIGUSR1) ?
		     "earlier handler: all there\n" :
		     "earlier handler: something is missing\n");
	_exit(0);
}

static void overflow_under_handler(void *name)
{
	struct sigaction action = { .sa_sigaction = see_all,
				    .sa_flags = SA_SIGINFO | SA_ONSTACK };

	sigaddset(&action.sa_mask, SIGUSR1);
	sigaction(SIGSEGV, &action, NULL);
	overflow_named(name);
}

static void earlier_handler_has_its_turn(void)
{
	CHECK_EQ(test_death(overflow_under_handler, "A", said, sizeof(said)),
		 0);
	CHECK_IN(said, "overflow in 'A'");
	CHECK_IN(said, "earlier handler: all there");
}

static void see_once(int sig)
{
	(void)sig;
	tell("seen\n");
}

static void overflow_under_one_shot(void *name)
{
	struct sigaction action = { .sa_handler = see_once,
				    .sa_flags = SA_RESETHAND | SA_ONSTACK };

	sigaction(SIGSEGV, &action, NULL);
	overflow_named(name);
}

static void one_shot_handler_has_one_shot(void)
{
	CHECK_EQ(test_death(overflow_under_one_shot, "A", said, sizeof(said)),
		 SIGSEGV);
	CHECK_IN(said, "seen\n");
	CHECK(!strstr(strstr(said, "seen\n") + 1, "seen\n"));
}

static void exit_puts_back(void)
{
	struct fiber_why why;
	struct sigaction now;

	signal(SIGSEGV, see_once);
	CHECK_EQ(_fiber_overflow_init(&why), 0);
	_fiber_overflow_exit();
	sigaction(SIGSEGV, NULL, &now);
	CHECK(now.sa_handler == see_once);
	/* Not what somebody else has set since. */
	CHECK_EQ(_fiber_overflow_init(&why), 0);
	signal(SIGSEGV, SIG_DFL);
	_fiber_overflow_exit();
	sigaction(SIGSEGV, NULL, &now);
	CHECK(now.sa_handler == SIG_DFL);
}

static void thread_stack_comes_and_goes(void)
{
	stack_t none = { .ss_flags = SS_DISABLE };
	struct fiber_altstack second;
	struct fiber_altstack alt;
	struct fiber_why why;
	stack_t now;

	sigaltstack(&none, NULL);
	CHECK_EQ(_fiber_overflow_thread_init(&alt, &why), 0);
	sigaltstack(NULL, &now);
	CHECK(!(now.ss_flags & SS_DISABLE) && now.ss_size >= 64 * 1024);
	/* One that is there already is kept. */
	CHECK_EQ(_fiber_overflow_thread_init(&second, &why), 0);
	_fiber_overflow_thread_exit(&second);
	sigaltstack(NULL, &now);
	CHECK(!(now.ss_flags & SS_DISABLE));
	_fiber_overflow_thread_exit(&alt);
	sigaltstack(NULL, &now);
	CHECK(now.ss_flags & SS_DISABLE);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(names_fiber_and_entry),
		TEST(survives_any_name),
		TEST(other_faults_are_not_its_business),
		TEST(one_that_is_sent_has_its_effect),
		TEST(earlier_handler_has_its_turn),
		TEST(one_shot_handler_has_one_shot),
		TEST(exit_puts_back),
		TEST(thread_stack_comes_and_goes),
	};

	return RUN(argc, argv, tests);
}
