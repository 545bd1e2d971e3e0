// SPDX-License-Identifier: MIT
#include <string.h>

#include "core.h"
#include "grave.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, size) ((void)0)
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)0)
#endif

#define GRAVES 8
#define SIZE 64
#define EARTH 0xa5

static struct grave {
	_Alignas(SIZE) unsigned char bytes[SIZE];
} graves[GRAVES];
static unsigned int used;
static bool buried[GRAVES];

void *grave_new(size_t size)
{
	CHECK(used < GRAVES && size <= SIZE);
	memset(&graves[used], 0, SIZE);
	buried[used] = false;
	return &graves[used++];
}

void grave_bury(void *object)
{
	EXPECT(!buried[(struct grave *)object - graves]);
	buried[(struct grave *)object - graves] = true;
	/* One's own stores come before that. */
	explore_drain(&explorer.self->buffer);
	memset(object, EARTH, SIZE);
	ASAN_POISON_MEMORY_REGION(object, SIZE);
}

void grave_check(void)
{
	for (unsigned int i = 0; i < used; i++) {
		ASAN_UNPOISON_MEMORY_REGION(&graves[i], SIZE);
		for (unsigned int j = 0; buried[i] && j < SIZE; j++)
			EXPECT_EQ(graves[i].bytes[j], EARTH);
	}
	used = 0;
}
