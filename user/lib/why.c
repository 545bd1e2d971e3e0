// SPDX-License-Identifier: MIT
/*
 * Sentences.
 */
#include <stdarg.h>
#include <stdio.h>

#include "why.h"

int _fiber_why(struct fiber_why *why, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why->text, sizeof(why->text), format, args);
	va_end(args);
	return err;
}
