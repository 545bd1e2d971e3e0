// SPDX-License-Identifier: MIT
/*
 * Numbers and names as people read them.
 *
 * A name is whatever bytes a process gave itself. Text for a terminal has
 * every byte that is not printable escaped as \xNN, and the backslash itself
 * doubled, so that no name can move the cursor or pass for another one.
 */
#include <inttypes.h>
#include <langinfo.h>
#include <stdbool.h>
#include <string.h>

#include "fmt.h"

#define US UINT64_C(1000)
#define MS (1000 * US)
#define SEC (1000 * MS)

/* Three digits that matter, and a unit. */
static void fmt_scaled(char *out, size_t size, double value, const char *unit)
{
	int digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;

	snprintf(out, size, "%.*f%s", digits, value, unit);
}

/* 1:02:03.456 */
void fmt_clock(char *out, size_t size, uint64_t ns)
{
	uint64_t s = ns / SEC;

	snprintf(out, size,
		 "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64 ".%03" PRIu64, s / 3600,
		 s / 60 % 60, s % 60, ns / MS % 1000);
}

static void fmt_short(char *out, size_t size, uint64_t ns)
{
	if (ns < US)
		snprintf(out, size, "%" PRIu64 "ns", ns);
	else if (ns < MS)
		fmt_scaled(out, size, (double)ns / US, "us");
	else if (ns < SEC)
		fmt_scaled(out, size, (double)ns / MS, "ms");
	else
		fmt_scaled(out, size, (double)ns / SEC, "s");
}

/* A time: 0, 340ns, 1.23ms, 45.6s, 1:02:03.456. */
void fmt_ns(char *out, size_t size, uint64_t ns)
{
	if (!ns)
		snprintf(out, size, "0");
	else if (ns < 60 * SEC)
		fmt_short(out, size, ns);
	else
		fmt_clock(out, size, ns);
}

void fmt_bytes(char *out, size_t size, uint64_t bytes)
{
	static const char units[][2] = { "", "K", "M", "G", "T", "P", "E" };
	double value = (double)bytes;
	size_t unit = 0;

	if (bytes < 1024) {
		snprintf(out, size, "%" PRIu64, bytes);
		return;
	}
	/* 1023.96K would be written 1024K. */
	while (value >= 1023.5) {
		value /= 1024;
		unit++;
	}
	snprintf(out, size, "%.*f%s", value < 99.95 ? 1 : 0, value,
		 units[unit]);
}

static bool has_cpu(const uint64_t *words, size_t cpu)
{
	return words[cpu / 64] >> cpu % 64 & 1;
}

/* A set of CPUs as the kernel lists them: 0-3,8. */
void fmt_cpus(FILE *out, const uint64_t *words, size_t n)
{
	const char *comma = "";
	size_t first;
	size_t cpu;

	for (cpu = 0; cpu < n * 64; cpu++) {
		if (!has_cpu(words, cpu))
			continue;
		first = cpu;
		while (cpu + 1 < n * 64 && has_cpu(words, cpu + 1))
			cpu++;
		fprintf(out, first == cpu ? "%s%zu" : "%s%zu-%zu", comma, first,
			cpu);
		comma = ",";
	}
}

/*
 * The length of the UTF-8 character that @text begins with; 0 when that is
 * none: cut off, too long for its value, a surrogate, or past the last one.
 */
static size_t utf8_length(const unsigned char *text)
{
	static const unsigned int least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned int value;
	size_t n;
	size_t i;

	if (text[0] < 0x80)
		return 1;
	n = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
	if (text[0] < 0xc2 || text[0] > 0xf4)
		return 0;
	value = text[0] & (0xffu >> (n + 1));
	for (i = 1; i < n; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (text[i] & 0x3f);
	}
	if (value < least[n] || value > 0x10ffff || (value >> 11) == 0x1b)
		return 0;
	return n;
}

/* C1 controls do to a terminal what ESC sequences do. */
static bool is_control(const unsigned char *text)
{
	return text[0] < 0x20 || text[0] == 0x7f ||
	       (text[0] == 0xc2 && text[1] < 0xa0);
}

void fmt_escaped(FILE *out, const char *text)
{
	bool utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	const unsigned char *p = (const unsigned char *)text;
	size_t n;

	while (*p) {
		n = utf8_length(p);
		if (*p == '\\') {
			fputs("\\\\", out);
		} else if (!n || is_control(p) || (n > 1 && !utf8)) {
			fprintf(out, "\\x%02x", *p);
			n = 1;
		} else {
			fwrite(p, 1, n, out);
		}
		p += n;
	}
}

/* What is no UTF-8 becomes U+FFFD: JSON has no other way. */
void fmt_valid_utf8(FILE *out, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t n;

	while (*p) {
		n = utf8_length(p);
		if (n)
			fwrite(p, 1, n, out);
		else
			fputs("\xef\xbf\xbd", out);
		p += n ? n : 1;
	}
}

/* Columns on a terminal, where each character has one. */
size_t fmt_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}
