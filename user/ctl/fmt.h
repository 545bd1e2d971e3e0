/* SPDX-License-Identifier: MIT */
/*
 * Numbers and names as people read them.
 */
#ifndef CTL_FMT_H
#define CTL_FMT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The longest that any of these writes, with its NUL. */
#define FMT_SIZE 32

void fmt_ns(char *out, size_t size, uint64_t ns);
void fmt_clock(char *out, size_t size, uint64_t ns);
void fmt_bytes(char *out, size_t size, uint64_t bytes);
void fmt_cpus(FILE *out, const uint64_t *words, size_t n);
void fmt_escaped(FILE *out, const char *text);
void fmt_valid_utf8(FILE *out, const char *text);
size_t fmt_width(const char *text);

#endif /* CTL_FMT_H */
