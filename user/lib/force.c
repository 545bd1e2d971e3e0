// SPDX-License-Identifier: MIT
/*
 * Reading FIBER_FORCE.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "force.h"

static const struct choice {
	const char *text;
	enum fiber_guard guard;
} choices[] = {
	{ "guard=install", FIBER_GUARD_INSTALL },
	{ "guard=protect", FIBER_GUARD_PROTECT },
	{ "guard=soft", FIBER_GUARD_SOFT },
};

static const struct choice *find_choice(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
		if (strlen(choices[i].text) == len &&
		    !memcmp(choices[i].text, text, len))
			return &choices[i];
	}
	return NULL;
}

int _fiber_force_read(struct fiber_force *force, struct fiber_why *why)
{
	/* Not for programs with more rights than who set the variable. */
	const char *text = secure_getenv("FIBER_FORCE");

	*force = (struct fiber_force){ 0 };
	while (text && *text) {
		size_t len = strcspn(text, ",");
		const struct choice *choice = find_choice(text, len);

		if (!choice)
			return _fiber_why(why, -EINVAL,
					  "FIBER_FORCE: '%.*s' is not known",
					  (int)len, text);
		force->guard = choice->guard;
		text += len + (text[len] == ',');
	}
	return 0;
}
