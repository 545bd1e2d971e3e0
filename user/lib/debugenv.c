// SPDX-License-Identifier: MIT
/*
 * Reading FIBER_DEBUG.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "deadlock.h"
#include "debugenv.h"
#include "held.h"
#include "schedtrace.h"
#include "sigquit.h"

#define TEXT_MAX 256

/*
 * set gets the value, or NULL if none was given, and answers 0 or -EINVAL; it is
 * called with "" first, for each key whether it is given or not: that it is not.
 */
static const struct {
	const char *key;
	int (*set)(const char *value);
	const char *wants;
} keys[] = {
	{ "schedtrace", _fiber_schedtrace_set, "=MS, 1 or more" },
	{ "sigquit", _fiber_sigquit_set, " alone" },
	{ "deadlock", _fiber_deadlock_set, "=abort, =report or =off" },
	{ "stalled", _fiber_deadlock_set_stalled, "=MS, 1 or more" },
	{ "cycles", _fiber_deadlock_set_cycles, "=MS, 1 or more" },
	{ "locks", _fiber_held_set, " alone" },
};

#define NR_KEYS (sizeof(keys) / sizeof(keys[0]))

static int set(char *word, struct fiber_why *why)
{
	char *value = strchr(word, '=');
	size_t len = value ? (size_t)(value - word) : strlen(word);
	size_t i;

	for (i = 0; i < NR_KEYS; i++) {
		if (strlen(keys[i].key) != len ||
		    strncmp(keys[i].key, word, len))
			continue;
		/* "" is that it is not given, and this one is. */
		if ((value && !value[1]) ||
		    keys[i].set(value ? value + 1 : NULL))
			break;
		return 0;
	}
	if (i == NR_KEYS)
		return _fiber_why(why, -EINVAL,
				  "FIBER_DEBUG: '%s' is not known", word);
	return _fiber_why(why, -EINVAL, "FIBER_DEBUG: '%s': it is %s%s", word,
			  keys[i].key, keys[i].wants);
}

int _fiber_debugenv_init(struct fiber_why *why)
{
	/* Not for programs with more rights than who set the variable. */
	const char *given = secure_getenv("FIBER_DEBUG");
	char text[TEXT_MAX];
	char *rest = text;
	char *word;
	size_t i;
	int err;

	for (i = 0; i < NR_KEYS; i++)
		keys[i].set("");
	_fiber_deadlock_init();
	if (!given)
		return 0;
	if (strlen(given) >= sizeof(text))
		return _fiber_why(why, -EINVAL, "FIBER_DEBUG is too long");
	strcpy(text, given);
	while ((word = strsep(&rest, ","))) {
		err = *word ? set(word, why) : 0;
		if (err)
			return err;
	}
	return 0;
}
