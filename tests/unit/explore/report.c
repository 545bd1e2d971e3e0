// SPDX-License-Identifier: MIT
/*
 * What is said when a schedule fails.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core.h"

static const char *test_name = "?";

static const char *const memories[] = { "sc", "tso", "pso", "llsc", "weak" };
static const char *const states[] = { "runs", "waits", "naps", "has ended" };

void explore_report_test(const char *test)
{
	test_name = test;
}

/* Addresses as an offset where that says more, and is the same every time. */
static void print_stores(const struct explore_thread *t)
{
	unsigned int i;

	for (i = 0; i < t->buffer.n; i++)
		printf("#\t\tstored, not seen yet: %#llx at %p\n",
		       (unsigned long long)t->buffer.entries[i].value,
		       t->buffer.entries[i].at);
}

static void print_thread(const struct explore_thread *t)
{
	printf("#\t%s%s %s", t == explorer.self ? "* " : "", t->name,
	       states[t->state]);
	if (t->state == THREAD_WAITS)
		printf(", %s %p", t->why, t->word);
	if (t->state == THREAD_WAITS && t->until != INT64_MAX)
		printf(" until %lld", (long long)t->until);
	printf("; last at %s\n", t->place);
	print_stores(t);
}

void explore_report(void)
{
	const struct explore_profile *p = &explorer.profile;
	unsigned int i;

	printf("# seed %llu, step %llu, time %lld: %s, %s of %u steps, a store "
	       "in %u\n",
	       (unsigned long long)explorer.seed,
	       (unsigned long long)explorer.steps, (long long)explorer.now,
	       memories[p->memory], p->pct ? "priorities" : "at random",
	       p->pct ? (unsigned int)explorer.length : p->switch_gap,
	       p->flush_gap);
	for (i = 0; i < explorer.n; i++)
		print_thread(&explorer.threads[i]);
	printf("# again: %s %s %llu\n", program_invocation_name, test_name,
	       (unsigned long long)explorer.seed);
	fflush(stdout);
}

_Noreturn void explore_fail(const char *file, int line, const char *format, ...)
{
	va_list args;

	printf("# %s:%d: ", file, line);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	explore_report();
	_exit(1);
}

void explore_equal(const char *file, int line, const char *a_text, long long a,
		   const char *b_text, long long b)
{
	if (a != b)
		explore_fail(file, line, "%s is %lld, %s is %lld", a_text, a,
			     b_text, b);
}

void explore_trace(const char *what, const void *at, uint64_t value)
{
	const struct explore_thread *self = explorer.self;

	printf("# %6llu %-10s %-10s %14p %#llx  %s\n",
	       (unsigned long long)explorer.steps, self ? self->name : "shape",
	       what, at, (unsigned long long)value, self ? self->place : "");
}

static void died(int signo)
{
	printf("# %s\n", strsignal(signo));
	explore_report();
	_exit(1);
}

#ifdef __SANITIZE_ADDRESS__
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

/* The program may be anywhere, on any stack. */
void explore_report_deaths(void)
{
	static char stack[64 * 1024];
	static const int signals[] = { SIGALRM, SIGABRT, SIGTRAP,
#ifndef SANITIZED
				       SIGSEGV, SIGBUS,	 SIGILL
#endif
	};
	struct sigaction act = { .sa_handler = died, .sa_flags = SA_ONSTACK };
	stack_t alt = { .ss_sp = stack, .ss_size = sizeof(stack) };
	size_t i;

	sigaltstack(&alt, NULL);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &act, NULL);
#ifdef SANITIZED
	__sanitizer_set_death_callback(explore_report);
#endif
}
