// SPDX-License-Identifier: MIT
/*
 * A look at every fiber.
 */
#include <errno.h>
#include <string.h>

#include "bucket.h"
#include "chan.h"
#include "clock.h"
#include "control.h"
#include "debug.h"
#include "extra.h"

#define rt (&_fiber_rt)

/* A fiber that does something else each time it is looked at does run. */
#define LOOKS 8
#define MS 1000000

/* Of one of its two queues; channels are at multiples of 64. */
static const void *chan_of(const void *queue, bool *is_send)
{
	static_assert(_Alignof(struct fiber_chan) == 64 &&
			      offsetof(struct fiber_chan, sendq) < 64,
		      "the queue says which it is");
	*is_send = (uintptr_t)queue % 64 == offsetof(struct fiber_chan, sendq);
	return (const char *)queue - (uintptr_t)queue % 64;
}

const void *_fiber_look_object(enum fiber_call call, const void *on)
{
	bool is_send;

	switch (call) {
	case FIBER_CALL_SEND:
	case FIBER_CALL_RECV:
	case FIBER_CALL_SELECT:
		return chan_of(on, &is_send);
	case FIBER_CALL_JOIN:
		return (const char *)on - offsetof(struct fiber, joiners);
	case FIBER_CALL_SCOPE:
		return _fiber_scope_of(on);
	case FIBER_CALL_RDLOCK:
	case FIBER_CALL_SEM:
	case FIBER_CALL_WAITGROUP:
	case FIBER_CALL_ONCE:
	case FIBER_CALL_EVENT:
		return (const char *)on - sizeof(fiber_object_word);
	default:
		return on;
	}
}

const void *_fiber_debug_case(struct fiber_sight *sight, unsigned int i,
			      bool *is_send)
{
	const void *on;

	/* The stack may be unmapped by now. */
	sight->look.stack = NULL;
	on = _fiber_look_on(sight->fiber, &sight->look, i);

	return on ? chan_of(on, is_send) : NULL;
}

static uint64_t id_of(const struct fiber *copy)
{
	return (uint64_t)copy->life << 32 | copy->index;
}

static void describe_wait(struct fiber_sight *sight)
{
	const struct fiber_look *look = &sight->look;
	struct fiber_info *info = &sight->info;
	uint32_t now = _fiber_clock_real() / MS;

	info->state = FIBER_STATE_WAITS;
	info->call = look->call;
	info->deadline = at_own(&sight->copy.deadline);
	sight->now = _fiber_clock_now();
	/* The monitor's time may be a little behind, or ahead of ours here. */
	if ((int32_t)(now - look->since) > 0)
		info->waits_ms = now - look->since;
	if (look->on)
		info->object = _fiber_look_object(look->call, look->on);
	if (look->call == FIBER_CALL_SELECT)
		info->cases = look->row;
	if (look->call == FIBER_CALL_JOIN) {
		struct fiber other;

		_fiber_look_words(&other, info->object, sizeof(other));
		info->joins = id_of(&other);
	}
}

/* Whether it runs, and where. */
static bool find_worker(struct fiber_sight *sight)
{
	uint32_t i;

	for (i = 0; i < fiber_workers_made(); i++) {
		struct fiber_worker *w = rt->workers[i];
		struct fiber *cur;

		_fiber_look_words(&cur, &w->here.cur, sizeof(cur));
		if (cur != sight->fiber)
			continue;
		sight->info.worker = i;
		sight->tid = at_load(&w->tid, RELAXED);
		return true;
	}
	return false;
}

static void describe_state(struct fiber_sight *sight)
{
	struct fiber_info *info = &sight->info;

	if (sight->look.waits)
		describe_wait(sight);
	else if (info->bound)
		info->state = FIBER_STATE_RUNS;
	else if (!(sight->copy.flags & FIBER_FLAG_STARTED))
		info->state = FIBER_STATE_NEW;
	else if (find_worker(sight))
		info->state = FIBER_STATE_RUNS;
	else
		info->state = FIBER_STATE_READY;
}

/* The extra may be freed, and then another's: the caller looks again. */
static void describe_name(struct fiber_info *info, const struct fiber *copy)
{
	if (!copy->extra ||
	    !_fiber_look_copy(info->name, copy->extra->name, FIBER_NAME_SIZE))
		info->name[0] = '\0';
	info->name[FIBER_NAME_SIZE - 1] = '\0';
}

/* It is where it left its stack, which is NULL for threads. */
static void describe_stack(struct fiber_sight *sight,
			   struct fiber_stackcopy *to)
{
	const struct fiber_context *ctx = &sight->copy.ctx;
	const struct fiber_stack *stack = &sight->stack;
	unsigned int state = sight->info.state;

	if (state == FIBER_STATE_NEW || state == FIBER_STATE_RUNS ||
	    ctx->sp < (uintptr_t)stack->low ||
	    ctx->sp > (uintptr_t)stack->top || ctx->sp % sizeof(uintptr_t))
		return;
	sight->info.stack_used = (uintptr_t)stack->top - ctx->sp;
	if (!to)
		return;
	to->pc = ctx->pc;
	to->sp = ctx->sp;
	to->fp = ctx->fp;
	to->len = sight->info.stack_used;
	if (to->len > sizeof(to->bytes))
		to->len = sizeof(to->bytes);
	_fiber_look_words(to->bytes, (void *)to->sp, to->len);
}

static void reset(struct fiber_sight *sight, struct fiber *f,
		  struct fiber_stackcopy *to)
{
	sight->fiber = f;
	memset(&sight->info, 0, sizeof(sight->info));
	sight->info.size = sizeof(sight->info);
	sight->info.deadline = INT64_MAX;
	memset(&sight->stack, 0, sizeof(sight->stack));
	if (to)
		memset(to, 0, offsetof(struct fiber_stackcopy, bytes));
}

/* Somebody is in it; the runtime is held. */
static void look_once(struct fiber_sight *sight, enum fiber_kind kind,
		      struct fiber_stackcopy *to)
{
	struct fiber *copy = &sight->copy;
	struct fiber_info *info = &sight->info;

	/* Of a control block that is in use the stack is there. */
	_fiber_look_words(copy, sight->fiber, sizeof(*copy));
	if (kind == FIBER_KIND_FIBER && copy->stack)
		_fiber_look_words(&sight->stack, copy->stack,
				  sizeof(sight->stack));
	_fiber_look_within(sight->fiber, &sight->look, &sight->stack);
	info->id = id_of(copy);
	info->cancelled = at_own(&copy->why);
	describe_name(info, copy);
	if (fiber_kind_is_fiber(kind))
		info->entry = (const void *)copy->fn;
	info->bound = kind == FIBER_KIND_BOUND;
	describe_state(sight);
	describe_stack(sight, to);
}

/* Whether nothing of what was read has changed meanwhile. */
static bool is_same(struct fiber_sight *sight)
{
	const struct fiber *copy = &sight->copy;
	struct fiber now;

	at_fence();
	_fiber_look_words(&now, sight->fiber, sizeof(now));
	if (at_own(&now.kind) != at_own(&copy->kind) ||
	    now.life != copy->life || now.extra != copy->extra) {
		/* What it was read from may have been freed before. */
		sight->info.name[0] = '\0';
		return false;
	}
	return at_own(&now.park) == sight->look.park &&
	       at_own(&now.park) == at_own(&copy->park) &&
	       now.stack == copy->stack && now.ctx.pc == copy->ctx.pc &&
	       now.ctx.sp == copy->ctx.sp;
}

bool _fiber_debug_look(struct fiber *f, struct fiber_sight *sight,
		       struct fiber_stackcopy *to)
{
	enum fiber_kind kind;
	bool same = false;
	int i;

	for (i = 0; i < LOOKS && !same; i++) {
		reset(sight, f, to);
		kind = at_load(&f->kind, ACQUIRE);
		if ((!fiber_kind_is_fiber(kind) && kind != FIBER_KIND_THREAD) ||
		    !_fiber_rt_hold())
			return false;
		look_once(sight, kind, to);
		same = is_same(sight);
		_fiber_rt_release();
	}
	/* Of one that is never twice in the same place, not where it is. */
	if (!same && to)
		memset(to, 0, offsetof(struct fiber_stackcopy, bytes));
	return fiber_kind_is_fiber(kind) || sight->look.waits;
}

int fiber_each(int (*fn)(const struct fiber_info *info, void *arg), void *arg)
{
	uint32_t state = at_load(&rt->state, ACQUIRE);
	struct fiber_sight sight;
	uint32_t n;
	uint32_t i;
	int result;

	if (!fn)
		return -EINVAL;
	if (state != FIBER_RT_RUNNING && state != FIBER_RT_STOPPING)
		return -EPERM;
	n = _fiber_control_count();
	for (i = _fiber_control_first(); i < n; i++) {
		if (!_fiber_debug_look(_fiber_control_at(i), &sight, NULL))
			continue;
		result = fn(&sight.info, arg);
		if (result)
			return result;
	}
	return 0;
}
