// SPDX-License-Identifier: MIT
/*
 * Contexts for tests, with what the sanitizer wants to know around switches.
 */
#include <stdlib.h>

#include "coro.h"
#include "harness.h"

/* A switch passes whom it comes from. */
static void *arrive(struct coro *from)
{
	struct coro *self = from->to;

	self->from = from;
	_fiber_sanitize_arrive(&self->sanitize, &from->sanitize);
	return from->pass;
}

static void entry(void *arg)
{
	struct coro *from = arg;
	struct coro *self = from->to;

	self->fn(self, arrive(from));
	test_fail(__FILE__, __LINE__, "a coroutine returned");
}

void coro_init_on(struct coro *co, void *low, size_t size, void *top,
		  void (*fn)(struct coro *self, void *arg))
{
	*co = (struct coro){ .fn = fn };
	_fiber_sanitize_init(&co->sanitize, low, size);
	_fiber_context_init(&co->ctx, top, entry);
}

void coro_init(struct coro *co, void (*fn)(struct coro *self, void *arg))
{
	char *stack = malloc(CORO_STACK);

	CHECK(stack);
	coro_init_on(co, stack, CORO_STACK, stack + CORO_STACK, fn);
	co->stack = stack;
	_fiber_sanitize_stack_init(&co->known, stack, stack + CORO_STACK);
}

void coro_free(struct coro *co)
{
	_fiber_sanitize_wipe(co->stack, CORO_STACK);
	_fiber_sanitize_stack_exit(&co->known);
	free(co->stack);
}

__attribute__((noinline)) void *coro_switch(struct coro *from, struct coro *to,
					    void *pass)
{
	from->to = to;
	from->pass = pass;
	_fiber_sanitize_leave(&from->sanitize, &to->sanitize);
	return arrive(_fiber_switch(&from->ctx, &to->ctx, from));
}

void coro_end(struct coro *self, struct coro *to, void *pass)
{
	self->to = to;
	self->pass = pass;
	_fiber_sanitize_leave(NULL, &to->sanitize);
	_fiber_switch(&self->ctx, &to->ctx, self);
	test_fail(__FILE__, __LINE__, "an ended coroutine went on");
}
