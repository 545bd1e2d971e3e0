// SPDX-License-Identifier: MIT
/*
 * Numbers and names as people read them.
 */
#include <locale.h>

#include "fmt.h"
#include "unit.h"

static void expect_ns(uint64_t ns, const char *text)
{
	char out[FMT_SIZE];

	fmt_ns(out, sizeof(out), ns);
	assert_string_equal(out, text);
}

static void times(void **state)
{
	(void)state;
	expect_ns(0, "0");
	expect_ns(1, "1ns");
	expect_ns(999, "999ns");
	expect_ns(1000, "1.00us");
	expect_ns(12345, "12.3us");
	expect_ns(999400, "999us");
	expect_ns(1230000000, "1.23s");
	expect_ns(59900000000, "59.9s");
	expect_ns(60000000000, "0:01:00.000");
	expect_ns(3723456000000, "1:02:03.456");
	expect_ns(UINT64_MAX, "5124095:34:33.709");
}

static void expect_bytes(uint64_t bytes, const char *text)
{
	char out[FMT_SIZE];

	fmt_bytes(out, sizeof(out), bytes);
	assert_string_equal(out, text);
}

static void sizes(void **state)
{
	(void)state;
	expect_bytes(0, "0");
	expect_bytes(1023, "1023");
	expect_bytes(1024, "1.0K");
	expect_bytes(1258291, "1.2M");
	expect_bytes(200 * 1048576ull, "200M");
	expect_bytes(1048575, "1.0M");
	expect_bytes(UINT64_MAX, "16.0E");
}

static char *caught(void (*fmt)(FILE *, const char *), const char *text)
{
	char *out = NULL;
	size_t size;
	FILE *mem = open_memstream(&out, &size);

	assert_non_null(mem);
	fmt(mem, text);
	assert_int_equal(fclose(mem), 0);
	return out;
}

static void expect_escaped(const char *text, const char *expected)
{
	char *out = caught(fmt_escaped, text);

	assert_string_equal(out, expected);
	free(out);
}

static void controls_are_escaped(void **state)
{
	(void)state;
	setlocale(LC_CTYPE, "C.UTF-8");
	expect_escaped("plain", "plain");
	expect_escaped("\033[31mred", "\\x1b[31mred");
	expect_escaped("a\tb\nc\r\177", "a\\x09b\\x0ac\\x0d\\x7f");
	expect_escaped("a\\x1b", "a\\\\x1b");
	/* CSI as one C1 control, in UTF-8 and bare. */
	expect_escaped("\xc2\x9b"
		       "31m",
		       "\\xc2\\x9b31m");
	expect_escaped("\x9b", "\\x9b");
	expect_escaped("gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f");
	expect_escaped("cut\xe2\x82", "cut\\xe2\\x82");
	expect_escaped("\xc0\x9b\xed\xa0\x80\xf5",
		       "\\xc0\\x9b\\xed\\xa0\\x80\\xf5");
	setlocale(LC_CTYPE, "C");
	expect_escaped("gr\xc3\xbc", "gr\\xc3\\xbc");
}

static void json_text_is_valid(void **state)
{
	char *out = caught(fmt_valid_utf8, "a\x9b\xc3\xbc\xf0\x9f\xa7\xb5\xe2");

	(void)state;
	assert_string_equal(out, "a\xef\xbf\xbd\xc3\xbc\xf0\x9f\xa7\xb5"
				 "\xef\xbf\xbd");
	free(out);
}

static void expect_cpus(const uint64_t *words, size_t n, const char *text)
{
	char *out = NULL;
	size_t size;
	FILE *mem = open_memstream(&out, &size);

	assert_non_null(mem);
	fmt_cpus(mem, words, n);
	assert_int_equal(fclose(mem), 0);
	assert_string_equal(out, text);
	free(out);
}

static void sets_of_cpus(void **state)
{
	(void)state;
	expect_cpus(NULL, 0, "");
	expect_cpus((uint64_t[]){ 0x10f }, 1, "0-3,8");
	expect_cpus((uint64_t[]){ UINT64_MAX, 1 }, 2, "0-64");
	expect_cpus((uint64_t[]){ 1ull << 63, 1ull << 63 }, 2, "63,127");
}

static void width_is_in_characters(void **state)
{
	(void)state;
	assert_int_equal(fmt_width("gr\xc3\xbc"), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times),
		cmocka_unit_test(sizes),
		cmocka_unit_test(controls_are_escaped),
		cmocka_unit_test(json_text_is_valid),
		cmocka_unit_test(sets_of_cpus),
		cmocka_unit_test(width_is_in_characters),
	};

	return RUN(tests);
}
