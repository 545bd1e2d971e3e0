// SPDX-License-Identifier: MIT
/*
 * Every access to an atomic variable. What waits, and for how long, is in
 * buffer.h.
 */
#include <string.h>

#include "core.h"
#include "explore_atomic.h"

/* So many rounds that found the same. */
#define SPINS 2
#define HASH 0x9e3779b97f4a7c15u

static uint64_t read_memory(const void *at, size_t size)
{
	uint64_t value = 0;

	memcpy(&value, at, size);
	return value;
}

static bool is_llsc(void)
{
	return explorer.profile.memory >= EXPLORE_LLSC;
}

static bool is_weak(void)
{
	return explorer.profile.memory == EXPLORE_WEAK;
}

/* It is now in memory. */
static void seen(void *at, uint64_t value, size_t size)
{
	if (is_weak())
		explore_past_change(at, read_memory(at, size), value);
	memcpy(at, &value, size);
	if (explorer.store_waits)
		explore_stored(at);
}

static void drop(struct explore_buffer *b, unsigned int i)
{
	b->n--;
	memmove(&b->entries[i], &b->entries[i + 1],
		(b->n - i) * sizeof(b->entries[0]));
}

/* Where the thread's read-modify-write of it is that nobody sees yet; or -1. */
static int find_rmw(const struct explore_buffer *b, const void *at)
{
	unsigned int i;

	for (i = b->n; i-- > 0;) {
		if (b->entries[i].rmw && b->entries[i].at == at)
			return i;
	}
	return -1;
}

static struct explore_past *past_of(struct explore_buffer *b)
{
	return &((struct explore_thread *)((char *)b -
					   offsetof(struct explore_thread,
						    buffer)))
			->past;
}

static void flush(struct explore_buffer *b, unsigned int i);

/*
 * A read-modify-write of somebody else was there first, and what that thread
 * stored before it. No more than one thread has stores before one, so that they
 * do not wait for each other.
 */
static void settle(const struct explore_buffer *own, const void *at)
{
	unsigned int i;
	int last;

	if (!is_llsc())
		return;
	for (i = 0; i < explorer.n; i++) {
		struct explore_buffer *b = &explorer.threads[i].buffer;

		for (last = b == own ? -1 : find_rmw(b, at); last >= 0; last--)
			flush(b, 0);
	}
}

static void flush(struct explore_buffer *b, unsigned int i)
{
	struct explore_entry e = b->entries[i];

	settle(b, e.at);
	if (explorer.trace)
		explore_trace("is seen", e.at, e.value);
	drop(b, i);
	seen(e.at, e.value, e.size);
	if (is_weak())
		explore_past_own(past_of(b), e.at);
}

void explore_drain(struct explore_buffer *b)
{
	while (b->n)
		flush(b, 0);
}

void explore_pass_fence(struct explore_thread *self)
{
	explore_drain(&self->buffer);
	explore_past_fence(&self->past);
}

static bool may_go(const struct explore_buffer *b, unsigned int i)
{
	unsigned int j;

	if (i == 0)
		return true;
	if (explorer.profile.memory == EXPLORE_TSO || b->entries[i].release)
		return false;
	for (j = 0; j < i; j++) {
		if (b->entries[j].at == b->entries[i].at)
			return false;
	}
	return true;
}

void explore_flush_some(struct explore_buffer *b)
{
	unsigned int i;

	do {
		i = explore_choose(b->n);
	} while (!may_go(b, i));
	flush(b, i);
}

static void push(struct explore_buffer *b, const struct explore_entry *e)
{
	if (b->n == explorer.profile.buffer_max)
		explore_flush_some(b);
	b->entries[b->n++] = *e;
}

/* The thread's own latest store to it; or NULL. */
static const struct explore_entry *find(const struct explore_buffer *b,
					const void *at)
{
	unsigned int i;

	for (i = b->n; i-- > 0;) {
		if (b->entries[i].at == at)
			return &b->entries[i];
	}
	return NULL;
}

static bool has_seq_cst(const struct explore_buffer *b)
{
	unsigned int i;

	for (i = 0; i < b->n; i++) {
		if (b->entries[i].seq_cst)
			return true;
	}
	return false;
}

/* Whatever has released is seen before what acquires after it. */
static void flush_released(struct explore_buffer *b)
{
	int last = b->n;

	while (--last >= 0 && !b->entries[last].release)
		;
	for (; last >= 0; last--)
		flush(b, 0);
}

/* Empty the buffer as far as a load of that order does. */
static void order_load(struct explore_buffer *b, enum explore_order order)
{
	if (order == AT_SEQ_CST && has_seq_cst(b))
		explore_drain(b);
	else if (order == AT_ACQUIRE && is_llsc())
		flush_released(b);
}

/*
 * A loop that waits, of nothing but loads that find what they found the time
 * before, is no step: a schedule would be spent on it.
 */
static bool is_spinning(struct explore_thread *self, const void *at,
			uint64_t value)
{
	self->loads = (self->loads ^ (uintptr_t)at ^ value) * HASH;
	return self->spins >= SPINS;
}

const void *explore_load(const void *at, size_t size, enum explore_order order,
			 const char *place)
{
	struct explore_thread *self = explorer.self;
	const struct explore_entry *own;

	if (!self)
		return at;
	self->place = place;
	if (!is_spinning(self, at, read_memory(at, size)))
		explore_point(place);
	if (self->buffer.n)
		order_load(&self->buffer, order);
	own = find(&self->buffer, at);
	self->loaded = own ? own->value : read_memory(at, size);
	if (!own && is_weak())
		self->loaded = explore_past_load(&self->past, at, self->loaded,
						 true, order != AT_RELAXED);
	if (explorer.trace && self->spins < SPINS)
		explore_trace("load", at, self->loaded);
	return &self->loaded;
}

/* A step that is no load. */
static struct explore_thread *step(const char *place)
{
	if (explorer.self)
		explorer.self->spins = explorer.self->loads = 0;
	explore_point(place);
	return explorer.self;
}

void explore_store(void *at, const void *value, size_t size,
		   enum explore_order order, const char *place)
{
	struct explore_thread *self = step(place);
	struct explore_entry e = {
		.at = at,
		.size = size,
		.release = order != AT_RELAXED,
		.seq_cst = order == AT_SEQ_CST,
	};

	memcpy(&e.value, value, size);
	if (explorer.trace)
		explore_trace("store", at, e.value);
	if (self && explorer.profile.memory != EXPLORE_SC)
		push(&self->buffer, &e);
	else
		seen(at, e.value, size);
}

/* Whether somebody else has stores that wait before a read-modify-write. */
static bool is_preceded(const struct explore_thread *self)
{
	unsigned int i;
	unsigned int j;

	for (i = 0; i < explorer.n; i++) {
		const struct explore_thread *t = &explorer.threads[i];

		for (j = 1; t != self && j < t->buffer.n; j++) {
			if (t->buffer.entries[j].rmw)
				return true;
		}
	}
	return false;
}

/* A read-modify-write begins. Returns what it finds. */
static uint64_t find_old(const void *at, size_t size, const char *place)
{
	struct explore_thread *self = step(place);
	const struct explore_entry *own;

	if (!self)
		return read_memory(at, size);
	if (!is_llsc() || is_preceded(self))
		explore_drain(&self->buffer);
	flush_released(&self->buffer);
	settle(&self->buffer, at);
	own = find(&self->buffer, at);
	if (own)
		return own->value;
	if (!is_weak())
		return read_memory(at, size);
	return explore_past_load(&self->past, at, read_memory(at, size), false,
				 true);
}

static void write(void *at, uint64_t value, size_t size)
{
	struct explore_thread *self = explorer.self;
	struct explore_entry e = {
		.at = at,
		.size = size,
		.release = true,
		.rmw = true,
	};

	memcpy(&e.value, &value, size);
	if (explorer.trace)
		explore_trace("change", at, e.value);
	if (self && is_llsc())
		push(&self->buffer, &e);
	else
		seen(at, value, size);
}

void explore_xchg(void *at, void *value, size_t size, const char *place)
{
	uint64_t old = find_old(at, size, place);

	write(at, read_memory(value, size), size);
	memcpy(value, &old, size);
}

bool explore_cas(void *at, void *expected, const void *value, size_t size,
		 const char *place)
{
	uint64_t old = find_old(at, size, place);

	if (old != read_memory(expected, size)) {
		if (explorer.trace)
			explore_trace("no change", at, old);
		memcpy(expected, &old, size);
		return false;
	}
	write(at, read_memory(value, size), size);
	return true;
}

void explore_rmw(enum explore_op op, void *at, void *value, size_t size,
		 const char *place)
{
	uint64_t old = find_old(at, size, place);
	uint64_t operand = read_memory(value, size);

	switch (op) {
	case EXPLORE_ADD:
		operand += old;
		break;
	case EXPLORE_OR:
		operand |= old;
		break;
	case EXPLORE_AND:
		operand &= old;
		break;
	}
	write(at, operand, size);
	memcpy(value, &old, size);
}

void explore_fence(const char *place)
{
	struct explore_thread *self = step(place);

	if (!self)
		return;
	if (explorer.trace)
		explore_trace("fence", NULL, self->buffer.n);
	explore_pass_fence(self);
}

/* After a read-modify-write, which is a fence but where it is two instructions. */
void explore_fence_after(const char *place)
{
	if (is_llsc())
		explore_fence(place);
}

void explore_pause(const char *place)
{
	struct explore_thread *self = explorer.self;

	if (!self)
		return;
	self->place = place;
	self->spins = self->loads == self->loads_before ? self->spins + 1 : 0;
	self->loads_before = self->loads;
	self->loads = 0;
	if (explore_chance(explorer.profile.pause))
		explore_yield();
}
