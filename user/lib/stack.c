// SPDX-License-Identifier: MIT
/*
 * Slabs, the lists of free stacks, and the census.
 */
#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "maplimit.h"
#include "stack.h"

/* Stacks of the first slab, and how many are made ready at a time. */
#define BATCH FIBER_ADVISE_MAX
#define SLAB_SIZE_MAX ((size_t)1 << 30)
#define COLOURS 16
#define COLOUR_SIZE 128

struct fiber_slab {
	struct fiber_slab *next; /* G: the one before it */
	char *base; /* I */
	size_t stride; /* I */
	size_t guard; /* I */
	size_t own_size; /* I: of this structure */
	unsigned int count; /* I */
	unsigned int ready; /* G: how many have their guards */
	struct fiber_stack stacks[];
};

/* Every slab of the process, for signal handlers; NULL is a free place. */
static _Atomic(struct fiber_slab *) slabs[FIBER_SLABS_MAX];

static size_t page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

int _fiber_stack_arena_init(struct fiber_stack_arena *arena,
			    const struct fiber_stack_config *config,
			    struct fiber_why *why)
{
	size_t size = config->size ? config->size : FIBER_STACK_SIZE;
	struct fiber_ladder hard;
	struct fiber_force force;
	int err = _fiber_force_read(&force, why);

	if (err)
		return err;
	/* A body is what the size is without a real guard, on every rung. */
	_fiber_ladder_init(&hard, FIBER_GUARD_BEST);
	if (size % page_size() || size < 2 * hard.size || size > SLAB_SIZE_MAX)
		return _fiber_why(why, -EINVAL,
				  "a stack of %zu bytes: it takes whole pages, "
				  "from %zu to %zu KiB",
				  size, 2 * hard.size / 1024,
				  SLAB_SIZE_MAX / 1024);
	*arena = (struct fiber_stack_arena){
		.size = size,
		.body = size - hard.size,
		.warm_max = config->warm_max,
		.grow = PTHREAD_MUTEX_INITIALIZER,
		.lists = PTHREAD_MUTEX_INITIALIZER,
	};
	_fiber_ladder_init(&arena->ladder,
			   force.guard ? force.guard : config->guard);
	arena->stride = arena->body + arena->ladder.size;
	if (arena->ladder.rung == FIBER_GUARD_SOFT)
		arena->soft = arena->ladder.size;
	return 0;
}

static void unmap_slab(struct fiber_slab *slab)
{
	unsigned int i;

	for (i = 0; i < slab->ready; i++)
		_fiber_sanitize_stack_exit(&slab->stacks[i].sanitize);
	munmap(slab->base, slab->stride * slab->count);
	munmap(slab, slab->own_size);
}

void _fiber_stack_arena_exit(struct fiber_stack_arena *arena)
{
	struct fiber_slab *slab;
	int i;

	while ((slab = arena->slab)) {
		arena->slab = slab->next;
		for (i = 0; i < FIBER_SLABS_MAX; i++) {
			if (slabs[i] == slab)
				atomic_store(&slabs[i], NULL);
		}
		unmap_slab(slab);
	}
	pthread_mutex_destroy(&arena->grow);
	pthread_mutex_destroy(&arena->lists);
}

static void *map(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK,
			-1, 0);

	return at == MAP_FAILED ? NULL : at;
}

/* NULL if there is no room for as many. */
static struct fiber_slab *map_slab(const struct fiber_stack_arena *arena,
				   unsigned int count)
{
	size_t own_size =
		sizeof(struct fiber_slab) + count * sizeof(struct fiber_stack);
	size_t size = arena->stride * count;
	struct fiber_slab *slab = map(own_size);
	char *base;

	if (!slab)
		return NULL;
	base = map(size);
	if (!base)
		goto err_unmap;
	/* Without huge pages, or behind a filter, it is not known. */
	if (madvise(base, size, MADV_NOHUGEPAGE) && errno == ENOMEM)
		goto err_unmap_base;
	*slab = (struct fiber_slab){
		.base = base,
		.stride = arena->stride,
		.guard = arena->ladder.size,
		.own_size = own_size,
		.count = count,
	};
	return slab;

err_unmap_base:
	munmap(base, size);
err_unmap:
	munmap(slab, own_size);
	return NULL;
}

static bool publish(struct fiber_slab *slab)
{
	int i;

	for (i = 0; i < FIBER_SLABS_MAX; i++) {
		struct fiber_slab *none = NULL;

		/* Pairs with the load in _fiber_stack_guarded(). */
		if (atomic_compare_exchange_strong(&slabs[i], &none, slab))
			return true;
	}
	return false;
}

/* Each slab has twice the stacks of the one before, or what there is room for. */
static int add_slab(struct fiber_stack_arena *arena, struct fiber_why *why)
{
	unsigned int count = arena->slab ? 2 * arena->slab->count : BATCH;
	struct fiber_slab *slab;

	while (count > 1 && count * arena->stride > SLAB_SIZE_MAX)
		count /= 2;
	while (!(slab = map_slab(arena, count))) {
		if (count == 1)
			return _fiber_maplimit_explain(
				arena->stride + page_size(), why);
		count /= 2;
	}
	if (!publish(slab)) {
		unmap_slab(slab);
		return _fiber_why(why, -ENOMEM,
				  "there are %d slabs of stacks, and no more "
				  "can be had; use fewer or larger arenas",
				  FIBER_SLABS_MAX);
	}
	slab->next = arena->slab;
	arena->slab = slab;
	return 0;
}

static void describe(struct fiber_slab *slab, unsigned int i)
{
	char *end = slab->base + (i + 1) * slab->stride;

	slab->stacks[i].low = slab->base + i * slab->stride + slab->guard;
	slab->stacks[i].top = end - i % COLOURS * COLOUR_SIZE;
	_fiber_sanitize_stack_init(&slab->stacks[i].sanitize,
				   slab->stacks[i].low, end);
}

/* Holds grow. Puts up to a batch of new stacks on the list of the cold ones. */
static int make_ready(struct fiber_stack_arena *arena, struct fiber_why *why)
{
	struct fiber_slab *slab = arena->slab;
	unsigned int first;
	unsigned int n;
	int err;

	if (!slab || slab->ready == slab->count) {
		err = add_slab(arena, why);
		if (err)
			return err;
		slab = arena->slab;
	}
	first = slab->ready;
	n = slab->count - first < BATCH ? slab->count - first : BATCH;
	err = _fiber_ladder_guard(&arena->ladder,
				  slab->base + first * slab->stride,
				  slab->stride, n, why);
	if (err < 0)
		return err;
	slab->ready += err;
	pthread_mutex_lock(&arena->lists);
	/* From the last, so that they go in the order of their addresses. */
	for (n = slab->ready; n-- > first;) {
		describe(slab, n);
		slab->stacks[n].next = arena->cold;
		arena->cold = &slab->stacks[n];
	}
	pthread_mutex_unlock(&arena->lists);
	return 0;
}

/* Holds lists. */
static void count_warm(struct fiber_stack_arena *arena, int more)
{
	at_store(&arena->nr_warm, at_own(&arena->nr_warm) + more, RELAXED);
}

static struct fiber_stack *pop(struct fiber_stack **list)
{
	struct fiber_stack *stack = *list;

	if (stack)
		*list = stack->next;
	return stack;
}

static void push(struct fiber_stack **list, struct fiber_stack *stack)
{
	stack->next = *list;
	*list = stack;
}

/* Returns how many there were, at most n. */
static unsigned int take_free(struct fiber_stack_arena *arena,
			      struct fiber_stack **stacks, unsigned int n)
{
	unsigned int got = 0;

	pthread_mutex_lock(&arena->lists);
	for (; got < n && arena->warm; got++)
		stacks[got] = pop(&arena->warm);
	count_warm(arena, -(int)got);
	if (arena->low_warm > at_own(&arena->nr_warm))
		arena->low_warm = at_own(&arena->nr_warm);
	for (; got < n && arena->cold; got++)
		stacks[got] = pop(&arena->cold);
	pthread_mutex_unlock(&arena->lists);
	return got;
}

int _fiber_stack_get(struct fiber_stack_arena *arena,
		     struct fiber_stack **stacks, unsigned int n,
		     struct fiber_why *why)
{
	unsigned int got = take_free(arena, stacks, n);
	int err = 0;

	if (got)
		return got;
	pthread_mutex_lock(&arena->grow);
	/* Who held the lock before may have made more than it took. */
	while (!err && !(got = take_free(arena, stacks, n)))
		err = make_ready(arena, why);
	pthread_mutex_unlock(&arena->grow);
	return err ? err : (int)got;
}

/* Best effort: memory that is locked stays. */
static void take_memory(const struct fiber_stack_arena *arena,
			struct fiber_stack **stacks, unsigned int n)
{
	struct iovec ranges[FIBER_ADVISE_MAX];
	unsigned int i;

	for (i = 0; i < n; i++) {
		ranges[i].iov_base = stacks[i]->low - arena->soft;
		ranges[i].iov_len = arena->body + arena->soft;
	}
	(void)_fiber_advise(ranges, n, MADV_DONTNEED);
}

static void put_cold(struct fiber_stack_arena *arena,
		     struct fiber_stack **stacks, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i += FIBER_ADVISE_MAX)
		take_memory(arena, stacks + i,
			    n - i < FIBER_ADVISE_MAX ? n - i :
						       FIBER_ADVISE_MAX);
	pthread_mutex_lock(&arena->lists);
	for (i = 0; i < n; i++)
		push(&arena->cold, stacks[i]);
	pthread_mutex_unlock(&arena->lists);
}

void _fiber_stack_put(struct fiber_stack_arena *arena,
		      struct fiber_stack **stacks, unsigned int n)
{
	unsigned int warm = 0;
	unsigned int i;

	for (i = 0; i < n; i++) {
		stacks[i]->name = NULL;
		stacks[i]->entry = 0;
		_fiber_sanitize_wipe(stacks[i]->low, arena->body);
	}
	pthread_mutex_lock(&arena->lists);
	for (; warm < n && at_own(&arena->nr_warm) < arena->warm_max; warm++) {
		push(&arena->warm, stacks[warm]);
		count_warm(arena, 1);
	}
	pthread_mutex_unlock(&arena->lists);
	if (warm < n)
		put_cold(arena, stacks + warm, n - warm);
}

/* The next batch of those that nobody needed; how many. */
static unsigned int take_unneeded(struct fiber_stack_arena *arena,
				  struct fiber_stack **stacks,
				  unsigned int keep)
{
	unsigned int n = 0;

	pthread_mutex_lock(&arena->lists);
	while (n < FIBER_ADVISE_MAX && arena->low_warm > keep && arena->warm) {
		stacks[n++] = pop(&arena->warm);
		count_warm(arena, -1);
		arena->low_warm--;
	}
	if (!n)
		arena->low_warm = at_own(&arena->nr_warm);
	pthread_mutex_unlock(&arena->lists);
	return n;
}

void _fiber_stack_trim(struct fiber_stack_arena *arena, unsigned int keep,
		       unsigned int most)
{
	struct fiber_stack *stacks[FIBER_ADVISE_MAX];
	unsigned int n;

	while (most > 0 && (n = take_unneeded(arena, stacks, keep))) {
		put_cold(arena, stacks, n);
		most -= n < most ? n : most;
	}
}

/*
 * The first byte from `from` to `end` that is not zero, or end. The frames of
 * whoever is on the stack are none of the sanitizer's business here.
 */
__attribute__((no_sanitize("address"))) static const char *
find_used(const char *from, const char *end)
{
	const uint64_t *word = (const uint64_t *)from;

	while ((const char *)word < end && !*word)
		word++;
	return (const char *)word;
}

/* The first page from `from` on that is in memory, or end. */
static const char *find_page(const char *from, const char *end, size_t page)
{
	unsigned char in[256];

	while (from < end) {
		size_t n = (end - from) / page;

		if (n > sizeof(in))
			n = sizeof(in);
		if (mincore((void *)from, n * page, in))
			return end;
		for (size_t i = 0; i < n; i++, from += page) {
			if (in[i] & 1)
				return from;
		}
	}
	return end;
}

size_t _fiber_stack_used(const struct fiber_stack *stack)
{
	size_t page = page_size();
	const char *from = stack->low;
	/* The colour is less than a page. */
	const char *end = (const char *)(((uintptr_t)stack->top + page - 1) &
					 ~(page - 1));
	const char *used = end;

	while (used == end && (from = find_page(from, end, page)) < end) {
		used = find_used(from, from + page);
		/* A page of zeros: it was only read. */
		if (used == from + page)
			used = end;
		from += page;
	}
	return used < stack->top ? stack->top - used : 0;
}

/*
 * An overflow writes here first, unless a frame jumps over a whole page. Reading does not
 * take memory: the kernel maps its page of zeros.
 */
bool _fiber_stack_intact(const struct fiber_stack *stack)
{
	const char *page = stack->low - page_size();

	return find_used(page, stack->low) == stack->low;
}

const struct fiber_stack *_fiber_stack_guarded(uintptr_t address)
{
	int i;

	for (i = 0; i < FIBER_SLABS_MAX; i++) {
		/* Pairs with the exchange in publish(). */
		const struct fiber_slab *slab = atomic_load(&slabs[i]);
		size_t offset;

		if (!slab)
			continue;
		offset = address - (uintptr_t)slab->base;
		if (offset < slab->stride * slab->count &&
		    offset % slab->stride < slab->guard)
			return &slab->stacks[offset / slab->stride];
	}
	return NULL;
}
