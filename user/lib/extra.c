// SPDX-License-Identifier: MIT
/*
 * Keys, names, and handlers of a fiber's end.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "deadline.h"
#include "extra.h"

/* Destructors may set values again, but not for ever. */
#define ROUNDS 4

static void (*destructors[FIBER_KEYS_MAX])(void *); /* set before nr_keys */
static at(uint32_t) nr_keys;
static struct fiber_lock keys_lock;

struct fiber_extra *_fiber_extra_get(struct fiber *f)
{
	if (!f->extra)
		f->extra = calloc(1, sizeof(*f->extra));
	return f->extra;
}

void _fiber_extra_set_name(struct fiber_extra *extra, const char *name)
{
	size_t len = strnlen(name, FIBER_NAME_SIZE - 1);

	memcpy(extra->name, name, len);
	extra->name[len] = '\0';
}

/* Whether any destructor was called. */
static bool destroy(struct fiber_extra *extra)
{
	uint32_t n = at_load(&nr_keys, ACQUIRE);
	bool any = false;
	uint32_t i;

	for (i = 0; i < n; i++) {
		void *value = extra->values[i];

		extra->values[i] = NULL;
		if (value && destructors[i]) {
			destructors[i](value);
			any = true;
		}
	}
	return any;
}

static void give_up_owned(struct fiber_extra *extra)
{
	struct fiber_owned *owned;

	while ((owned = extra->owned))
		owned->give_up(owned);
}

void _fiber_extra_end(struct fiber *f)
{
	int i = 0;

	do {
		give_up_owned(f->extra);
	} while (i++ < ROUNDS && destroy(f->extra));
	_fiber_deadline_end(f);
}

void _fiber_extra_free(struct fiber *f)
{
	free(f->extra);
	f->extra = NULL;
}

int fiber_key_add(fiber_key *key, void (*destructor)(void *))
{
	int err = -EAGAIN;
	uint32_t n;

	if (!key)
		return -EINVAL;
	fiber_lock(&keys_lock);
	n = at_load(&nr_keys, RELAXED);
	if (n < FIBER_KEYS_MAX) {
		destructors[n] = destructor;
		/* Pairs with the loads of who uses keys. */
		at_store(&nr_keys, n + 1, RELEASE);
		*key = n;
		err = 0;
	}
	fiber_unlock(&keys_lock);
	return err;
}

int fiber_key_set(fiber_key key, void *value)
{
	struct fiber_extra *extra;
	struct fiber_here *here;
	int err;

	if (key >= at_load(&nr_keys, ACQUIRE))
		return -EINVAL;
	here = fiber_here_get(&err);
	if (!here)
		return err;
	extra = _fiber_extra_get(here->cur);
	if (!extra)
		return -ENOMEM;
	extra->values[key] = value;
	return 0;
}

void *fiber_key_get(fiber_key key)
{
	struct fiber_here *here = _fiber_here();

	if (!here || !here->cur->extra || key >= FIBER_KEYS_MAX)
		return NULL;
	return here->cur->extra->values[key];
}

/* Of a fiber that calls; NULL in other threads. */
static struct fiber *calling_fiber(void)
{
	struct fiber_here *here = _fiber_here();

	return here && fiber_here_is_fiber(here) ? here->cur : NULL;
}

int fiber_cleanup_push(struct fiber_cleanup *cleanup, void (*fn)(void *),
		       void *arg)
{
	struct fiber *f = calling_fiber();
	struct fiber_extra *extra;

	if (!cleanup || !fn)
		return -EINVAL;
	if (!f)
		return -EPERM;
	extra = _fiber_extra_get(f);
	if (!extra)
		return -ENOMEM;
	*cleanup = (struct fiber_cleanup){
		.fn = fn,
		.arg = arg,
		.next = extra->cleanup,
	};
	extra->cleanup = cleanup;
	return 0;
}

int fiber_cleanup_pop(struct fiber_cleanup *cleanup, int run)
{
	struct fiber *f = calling_fiber();

	if (!f)
		return -EPERM;
	if (!cleanup || !f->extra || f->extra->cleanup != cleanup)
		return -EINVAL;
	f->extra->cleanup = cleanup->next;
	if (run)
		cleanup->fn(cleanup->arg);
	return 0;
}
