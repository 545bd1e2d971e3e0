// SPDX-License-Identifier: MIT
/*
 * Scopes.
 *
 * MODEL. A scope joins each of its children, but it has no fiber to do so: among
 * those that join a child is one that is none (FIBER_KIND_CALL), and whoever ends
 * the child's life calls ended() where another would be made ready. So a child is
 * a fiber like others, knows nothing of its scope, and has ended in the same sense
 * as when fiber_join() returns; the result comes along.
 *
 * What the scope comes to is decided once: by the first that gives it a reason to
 * be cancelled. From then on it takes no more children, and whoever decided it
 * cancels those that are there, one at a time, without the scope's lock: each goes
 * from `fresh` to `told` first.
 *
 * The owner waits alone. When its own wait is cancelled it cancels the scope and
 * waits again, with its mask on. Nobody else waits for a scope, since that is what
 * makes sure that it is left by the one who opened it, when all is done.
 *
 * INVARIANTS. A child is in one of the two lists until ended() takes it out, and
 * live counts them. Its control block is the scope's too until then (a reference),
 * so whoever finds it in a list cancels no other fiber. The owner does not return
 * with children left but for a deadline of the wait.
 *
 * LOCKING. scope->lock; inside it that of a child. LIFETIME. References: the
 * owner's, of an alarm on its way, of whoever cancels. Scopes and what is kept for
 * children are of slabs, so that a late unlock meets a lock.
 *
 * REJECTED. To have the owner join child after child: it would be woken for each,
 * and what ended early would be kept until it comes to wait. To cancel scopes
 * within scopes at once from outside, fiber by fiber: who masks cancellation, so
 * as to clean up, would find the scope cancelled that it opens for that.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include <fiber/scope.h>

#include "cancel.h"
#include "clock.h"
#include "debug.h"
#include "extra.h"
#include "life.h"
#include "owner.h"
#include "sized.h"
#include "slab.h"

struct child {
	struct fiber joiner; /* is none */
	struct fiber_waiter waiter; /* of joiner, in the child's queue */
	struct fiber_scope *scope; /* I */
	struct fiber *fiber; /* I: with a reference */
	struct child *next; /* scope->lock */
	struct child **link; /* scope->lock: what points to it */
	int result;
};

/* L: lock. */
struct fiber_scope {
	struct fiber_lock lock;
	struct fiber_owned owned; /* of the owner's */
	struct fiber *owner; /* I */
	int64_t deadline; /* I */
	uint32_t policy; /* I: enum fiber_scope_policy */
	uint32_t live; /* L: children */
	struct child *fresh; /* L: not cancelled by us */
	struct child *told; /* L: cancelled, or about to be */
	struct fiber_waiter *waiters; /* L: the owner */
	int why; /* L: cancelled: the reason; 0 is not */
	int outcome; /* L: what to wait returns, once it is */
	int error; /* L: the first of a child, before it was */
	struct fiber_timer_alarm alarm; /* of the deadline; and its refs */
} __attribute__((aligned(64)));

static struct fiber_slab_cache scopes;
static struct fiber_slab_cache children;

const void *_fiber_scope_of(const void *waiters)
{
	return (const char *)waiters - offsetof(struct fiber_scope, waiters);
}

static void link_child(struct child **list, struct child *c)
{
	c->next = *list;
	c->link = list;
	if (c->next)
		c->next->link = &c->next;
	*list = c;
}

static void unlink_child(struct child *c)
{
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
}

static void get(struct fiber_scope *s)
{
	at_add(&s->alarm.refs, 1);
}

static void put(struct fiber_scope *s)
{
	if (at_add(&s->alarm.refs, -1) == 1)
		_fiber_slab_put(&scopes, s);
}

/*
 * The lock is held. Decide what becomes of it, unless somebody did. Returns whether
 * the caller is the one to call cancel_children(), without the lock.
 */
static bool decide(struct fiber_scope *s, int why, int outcome)
{
	if (s->why)
		return false;
	s->why = why;
	s->outcome = outcome;
	get(s);
	return true;
}

/* One that has not been cancelled, with a reference; NULL. */
static struct fiber *next_to_cancel(struct fiber_scope *s)
{
	struct fiber *f = NULL;
	struct child *c;

	fiber_lock(&s->lock);
	c = s->fresh;
	if (c) {
		unlink_child(c);
		link_child(&s->told, c);
		f = c->fiber;
		fiber_lock(&f->lock);
		f->refs++;
		fiber_unlock(&f->lock);
	}
	fiber_unlock(&s->lock);
	return f;
}

/* Takes back the reference that decide() took. */
static void cancel_children(struct fiber_here *here, struct fiber_scope *s)
{
	struct fiber *f;

	while ((f = next_to_cancel(s))) {
		_fiber_cancel(here, f, s->why);
		fiber_put(f);
	}
	put(s);
}

static void cancel(struct fiber_here *here, struct fiber_scope *s, int why,
		   int outcome)
{
	bool is_mine;

	fiber_lock(&s->lock);
	is_mine = decide(s, why, outcome);
	fiber_unlock(&s->lock);
	if (is_mine)
		cancel_children(here, s);
}

/* The lock is held: a child has ended. As decide(). */
static bool judge(struct fiber_scope *s, int result)
{
	if (s->policy == FIBER_SCOPE_ANY && result >= 0)
		return decide(s, ECANCELED, result);
	if (s->policy == FIBER_SCOPE_IGNORE || result >= 0 || s->why)
		return false;
	if (s->policy == FIBER_SCOPE_ALL)
		return decide(s, result > INT_MIN ? -result : INT_MAX, result);
	if (!s->error)
		s->error = result;
	return false;
}

/* By whoever ends the life of the child, which it is not any more. */
static int ended(void *arg)
{
	struct child *c = arg;
	struct fiber_here *here = _fiber_here();
	struct fiber_scope *s = c->scope;
	struct fiber *f = c->fiber;
	struct fiber_waiter *owner = NULL;
	uint64_t won;
	bool is_mine;

	fiber_lock(&s->lock);
	unlink_child(c);
	is_mine = judge(s, c->result);
	if (!--s->live)
		owner = fiber_waiter_claim(&s->waiters, &won);
	fiber_unlock(&s->lock);
	_fiber_slab_put(&children, c);
	if (is_mine)
		cancel_children(here, s);
	fiber_put(f);
	if (!owner)
		return 0;
	owner->result = 0;
	return fiber_park_wake(here, owner->fiber, won, owner, 0);
}

static void fire(struct fiber_timer_alarm *alarm, struct fiber_here *here,
		 int64_t now)
{
	struct fiber_scope *s =
		(struct fiber_scope *)((char *)alarm -
				       offsetof(struct fiber_scope, alarm));

	(void)now;
	cancel(here, s, ETIMEDOUT, -ETIMEDOUT);
	put(s);
}

/* Returns 0 when there are no children, or why it did not wait for that. */
static int await(struct fiber_scope *s, int64_t deadline)
{
	fiber_lock(&s->lock);
	if (s->live)
		return _fiber_park_queue(_fiber_here(), &s->lock, &s->waiters,
					 NULL, deadline, FIBER_CALL_SCOPE);
	fiber_unlock(&s->lock);
	return 0;
}

/* It is cancelled. */
static void await_whatever_comes(struct fiber_scope *s)
{
	int before = _fiber_cancel_mask(s->owner, 1);

	while (await(s, INT64_MAX))
		;
	_fiber_cancel_mask(s->owner, before);
}

/* Why f was cancelled. */
static int reason(struct fiber *f)
{
	int why;

	fiber_lock(&f->lock);
	why = at_load(&f->why, RELAXED);
	fiber_unlock(&f->lock);
	return why;
}

static int verdict(struct fiber_scope *s)
{
	int result;

	fiber_lock(&s->lock);
	result = s->error;
	if (s->why && !(s->policy == FIBER_SCOPE_COLLECT && result))
		result = s->outcome;
	fiber_unlock(&s->lock);
	return result;
}

static int wait(struct fiber_scope *s, int64_t deadline, bool may_leave)
{
	struct fiber_here *here;
	struct fiber *f;
	int err;

	if (!s)
		return -EINVAL;
	here = fiber_here_get(&err);
	if (!here)
		return err;
	f = here->cur;
	if (f != s->owner)
		return -EPERM;
	err = fiber_checkpoint(here);
	if (!err)
		err = await(s, deadline);
	if (err == -ENOMEM || (err == -ETIMEDOUT && may_leave))
		return err;
	if (err) {
		cancel(_fiber_here(), s,
		       err == -ECANCELED ? reason(f) : ETIMEDOUT, err);
		await_whatever_comes(s);
	}
	return verdict(s);
}

int fiber_scope_wait(struct fiber_scope *scope)
{
	return wait(scope, INT64_MAX, false);
}

int fiber_scope_wait_until(struct fiber_scope *scope, int64_t deadline)
{
	return wait(scope, deadline, true);
}

int fiber_scope_cancel(struct fiber_scope *scope, int why)
{
	struct fiber_here *here;
	int err;

	if (!scope || why < 1)
		return -EINVAL;
	here = fiber_here_get(&err);
	if (!here)
		return err;
	cancel(here, scope, why, -ECANCELED);
	return 0;
}

static struct child *make_child(struct fiber_scope *s)
{
	struct child *c = _fiber_slab_get(&children, sizeof(*c));

	if (!c)
		return NULL;
	at_set(&c->joiner.kind, FIBER_KIND_CALL);
	c->joiner.fn = ended;
	c->joiner.arg = c;
	at_store(&c->joiner.park, FIBER_PARK_GENERATION, RELAXED);
	at_store(&c->joiner.deadline, s->deadline, RELAXED);
	c->waiter = (struct fiber_waiter){
		.fiber = &c->joiner,
		.ticket = FIBER_PARK_GENERATION,
		.elem = &c->result,
	};
	c->scope = s;
	return c;
}

/* c->fiber does not run yet. Whether it may. */
static bool take_in(struct child *c)
{
	struct fiber_scope *s = c->scope;
	bool is_open;

	fiber_waiter_add(&c->fiber->joiners, &c->waiter);
	fiber_lock(&s->lock);
	is_open = !s->why;
	if (is_open) {
		link_child(&s->fresh, c);
		s->live++;
	}
	fiber_unlock(&s->lock);
	if (!is_open)
		fiber_waiter_del(&c->fiber->joiners, &c->waiter);
	return is_open;
}

/* The owner is cancelled, and may not have waited since. */
static void follow_owner(struct fiber_here *here, struct fiber_scope *s)
{
	struct fiber *f = here->cur;

	if (f == s->owner &&
	    (at_load(&f->attention, RELAXED) & FIBER_ATTENTION_CANCEL))
		cancel(here, s, reason(f), -ECANCELED);
}

int fiber_scope_spawn(struct fiber_scope *scope, struct fiber **fiber,
		      int (*fn)(void *), void *arg,
		      const struct fiber_attr *attr)
{
	/* Its own, that of who joins it, the list's, and the caller's. */
	uint32_t refs = fiber ? 4 : 3;
	struct fiber_here *here;
	struct child *c;
	int err;

	if (!scope || !fn)
		return -EINVAL;
	here = fiber_here_get(&err);
	if (!here)
		return err;
	follow_owner(here, scope);
	c = make_child(scope);
	if (!c)
		return -ENOMEM;
	err = _fiber_life_make(&c->fiber, fn, arg, attr, refs);
	if (err)
		goto err_put;
	if (!take_in(c)) {
		err = -ECANCELED;
		goto err_unmake;
	}
	if (fiber)
		*fiber = c->fiber;
	_fiber_life_launch(c->fiber);
	return 0;

err_unmake:
	_fiber_life_unmake(c->fiber);
err_put:
	_fiber_slab_put(&children, c);
	return err;
}

int fiber_scope_go(struct fiber_scope *scope, int (*fn)(void *), void *arg)
{
	return fiber_scope_spawn(scope, NULL, fn, arg, NULL);
}

static void give_up(struct fiber_owned *owned)
{
	struct fiber_scope *s =
		(struct fiber_scope *)((char *)owned -
				       offsetof(struct fiber_scope, owned));
	struct fiber_owned **at = &s->owner->extra->owned;

	cancel(_fiber_here(), s, ECANCELED, -ECANCELED);
	await_whatever_comes(s);
	while (*at != owned)
		at = &(*at)->next;
	*at = owned->next;
	_fiber_alarm_del(&s->alarm.alarm);
	put(s);
}

void fiber_scope_free(struct fiber_scope *scope)
{
	struct fiber_here *here = _fiber_here();

	if (!scope)
		return;
	if (!here || here->cur != scope->owner) {
		fprintf(stderr, "fiber: a scope is freed by somebody other "
				"than who opened it\n");
		abort();
	}
	give_up(&scope->owned);
}

static int get_attr(struct fiber_scope_attr *attr,
		    const struct fiber_scope_attr *given)
{
	int err = 0;

	if (given)
		err = _fiber_sized_get(attr, sizeof(*attr), given, given->size);
	if (!err && (attr->policy > FIBER_SCOPE_IGNORE || attr->flags))
		err = -EINVAL;
	return err;
}

/* Its own or its owner's. */
static int64_t deadline_of(const struct fiber_scope_attr *attr, struct fiber *f)
{
	int64_t deadline = _fiber_deadline_of(f);

	return attr->deadline && attr->deadline < deadline ? attr->deadline :
							     deadline;
}

/* 0, or -ENOMEM, -EPERM. */
static int set_alarm(struct fiber_here *here, struct fiber_scope *s)
{
	if (s->deadline == INT64_MAX)
		return 0;
	if (s->deadline > _fiber_clock_now())
		return _fiber_sched_alarm(here, &s->alarm.alarm, s->deadline);
	cancel(here, s, ETIMEDOUT, -ETIMEDOUT);
	return 0;
}

/* What the last one in this memory left, but for the lock and the alarm. */
static void init(struct fiber_scope *s, struct fiber *owner,
		 const struct fiber_scope_attr *attr)
{
	s->owned.give_up = give_up;
	s->owner = owner;
	s->deadline = deadline_of(attr, owner);
	s->policy = attr->policy;
	s->live = 0;
	s->fresh = s->told = NULL;
	s->waiters = NULL;
	s->why = s->outcome = s->error = 0;
	s->alarm.alarm.is_timer = 1;
	s->alarm.fire = fire;
	at_store(&s->alarm.refs, 1, RELAXED);
}

int fiber_scope_new(struct fiber_scope **scope,
		    const struct fiber_scope_attr *given)
{
	struct fiber_scope_attr attr = { .size = sizeof(attr) };
	struct fiber_extra *extra;
	struct fiber_here *here;
	struct fiber_scope *s;
	int err = get_attr(&attr, given);

	if (!scope)
		return -EINVAL;
	if (err)
		return err;
	here = fiber_here_get(&err);
	if (!here)
		return err;
	extra = _fiber_extra_get(here->cur);
	s = extra ? _fiber_slab_get(&scopes, sizeof(*s)) : NULL;
	if (!s)
		return -ENOMEM;
	init(s, here->cur, &attr);
	err = set_alarm(here, s);
	if (err) {
		put(s);
		return err;
	}
	s->owned.next = extra->owned;
	extra->owned = &s->owned;
	*scope = s;
	return 0;
}

/* Who joins a child for its scope is the first to do so. */
struct fiber *_fiber_owner_scope(struct fiber *f, const void **on,
				 int64_t *deadline)
{
	struct fiber *owner = NULL;
	struct fiber_waiter *w;

	*deadline = INT64_MAX;
	fiber_lock(&f->lock);
	w = f->joiners;
	if (w && at_load(&w->fiber->kind, RELAXED) == FIBER_KIND_CALL) {
		const struct child *c = w->fiber->arg;

		owner = c->scope->owner;
		*on = &c->scope->waiters;
		*deadline = c->scope->deadline;
	}
	fiber_unlock(&f->lock);
	return owner;
}
