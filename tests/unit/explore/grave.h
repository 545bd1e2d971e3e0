/* SPDX-License-Identifier: MIT */
/*
 * Memory that is given back while others may still be on their way out of a call
 * on what was in it, and that none of them may touch.
 */
#ifndef GRAVE_H
#define GRAVE_H

#include <stddef.h>

/* By a shape: of bytes 0, until grave_check(). */
void *grave_new(size_t size);
/* It is given back: the sanitizer reports who reads or writes it. */
void grave_bury(void *object);
/* Nobody wrote it, once it was. And forget all. */
void grave_check(void);

#endif /* GRAVE_H */
