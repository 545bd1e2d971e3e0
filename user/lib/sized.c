// SPDX-License-Identifier: MIT
/*
 * clone3()'s rule for structures of another version.
 */
#include <errno.h>
#include <string.h>

#include "sized.h"

/* More than any version will have; less than a pointer read as a size. */
#define SIZE_MAX_SANE 4096

int _fiber_sized_get(void *ours, size_t known, const void *theirs, size_t given)
{
	const unsigned char *byte = theirs;
	size_t i;

	if (given < sizeof(size_t) || given > SIZE_MAX_SANE)
		return -EINVAL;
	for (i = known; i < given; i++) {
		if (byte[i])
			return -E2BIG;
	}
	memset(ours, 0, known);
	memcpy(ours, theirs, given < known ? given : known);
	return 0;
}

int _fiber_sized_put(void *theirs, size_t given, const void *ours, size_t known)
{
	if (given < sizeof(size_t) || given > SIZE_MAX_SANE)
		return -EINVAL;
	memset(theirs, 0, given);
	memcpy(theirs, ours, given < known ? given : known);
	memcpy(theirs, &given, sizeof(given));
	return 0;
}
