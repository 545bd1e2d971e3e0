/* SPDX-License-Identifier: MIT */
/*
 * What every test of the runtime includes.
 *
 * A program is a list of tests. Each runs in a process of its own, with a time
 * limit, since the runtime is one for a process and some tests end in a signal
 * on purpose. Results are TAP. With the name of a test as its argument a
 * program runs only that one, in its own process, for a debugger.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How many times slower than as it is shipped a program is; the build says so
 * where the compiler does not know (tools.mk).
 */
#ifndef TEST_SLOWER
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TEST_SLOWER 10
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TEST_SLOWER 10
#endif
#endif
#endif
#ifndef TEST_SLOWER
#define TEST_SLOWER 1
#endif

#define TEST_IS_TSAN 0
#if defined(__SANITIZE_THREAD__)
#undef TEST_IS_TSAN
#define TEST_IS_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#undef TEST_IS_TSAN
#define TEST_IS_TSAN 1
#endif
#endif

/* So many times, or fewer where each is slow, but not none. */
#define TEST_TIMES(n) ((n) > TEST_SLOWER ? (n) / TEST_SLOWER : 1)

struct test {
	const char *name;
	void (*run)(void);
};

#define TEST(fn)                         \
	{                                \
		.name = #fn, .run = (fn) \
	}
#define RUN(argc, argv, tests) \
	test_main(argc, argv, tests, sizeof(tests) / sizeof((tests)[0]))

int test_main(int argc, char **argv, const struct test *tests, size_t n);

/* A line of its own beside the results. */
void test_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* End the test: what it needs is not here, and this is what. */
_Noreturn void test_skip(const char *reason, ...)
	__attribute__((format(printf, 1, 2)));
_Noreturn void test_fail(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define CHECK(condition)         \
	((condition) ? (void)0 : \
		       test_fail(__FILE__, __LINE__, "%s", #condition))
#define CHECK_EQ(a, b) test_equal(__FILE__, __LINE__, #a, a, #b, b)
#define CHECK_IN(text, part) test_contains(__FILE__, __LINE__, text, part)

void test_equal(const char *file, int line, const char *a_text, long long a,
		const char *b_text, long long b);
void test_contains(const char *file, int line, const char *text,
		   const char *part);

/*
 * Run fn(arg) in a child with default signal actions. Returns the signal that
 * ended it, or 0; what it wrote to its standard error is in said, cut to size.
 */
int test_death(void (*fn)(void *), void *arg, char *said, size_t size);

/* Nanoseconds of the monotonic clock. */
int64_t test_now(void);

#endif /* HARNESS_H */
