// SPDX-License-Identifier: MIT
/*
 * Reading what others may be writing, or have unmapped.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "look.h"

/* What goes into an empty pipe at once, whatever the limits are. */
#define PIPE_PIECE 4096

static at(uint32_t) refused;

/* Into a pipe, which says so if there is nothing, and out of it again. */
static bool copy_by_pipe(char *to, const char *from, size_t n, const int *fd)
{
	while (n) {
		size_t piece = n < PIPE_PIECE ? n : PIPE_PIECE;

		/* Not write(): a sanitizer would look at what it is. */
		if (syscall(SYS_write, fd[1], from, piece) != (ssize_t)piece ||
		    syscall(SYS_read, fd[0], to, piece) != (ssize_t)piece)
			return false;
		to += piece;
		from += piece;
		n -= piece;
	}
	return true;
}

static bool copy_otherwise(void *to, const void *from, size_t n)
{
	bool done;
	int fd[2];

	if (pipe2(fd, O_CLOEXEC | O_NONBLOCK))
		return false;
	done = copy_by_pipe(to, from, n, fd);
	close(fd[0]);
	close(fd[1]);
	return done;
}

/*
 * By the kernel, which says so if there is nothing. Sandboxes may refuse it, and
 * emulators not know it.
 */
bool _fiber_look_copy(void *to, const void *from, size_t n)
{
	struct iovec local = { .iov_base = to, .iov_len = n };
	struct iovec remote = { .iov_base = (void *)from, .iov_len = n };
	int saved = errno;
	bool done = false;

	if (!at_load(&refused, RELAXED)) {
		errno = EFAULT; /* as when only part of it is there */
		done = process_vm_readv(getpid(), &local, 1, &remote, 1, 0) ==
		       (ssize_t)n;
		if (!done && errno != EFAULT && errno != ENOMEM)
			at_store(&refused, 1, RELAXED);
	}
	if (!done && at_load(&refused, RELAXED))
		done = copy_otherwise(to, from, n);
	errno = saved;
	return done;
}

bool _fiber_look_is_direct(void)
{
	uint64_t from = 1;
	uint64_t to;

	_fiber_look_copy(&to, &from, sizeof(to));
	return !at_load(&refused, RELAXED);
}

/*
 * The owners write them as what is theirs alone, and have red zones among them, to
 * which sanitizers object.
 */
__attribute__((noinline, no_sanitize("thread"), no_sanitize("address"))) void
_fiber_look_words(void *to, const void *from, size_t n)
{
	const volatile uintptr_t *word = from;
	volatile uintptr_t *copy = to;
	size_t i;

	for (i = 0; i < n / sizeof(*copy); i++)
		copy[i] = word[i];
}

/* Whether n bytes, in whole words, are on that stack. */
static bool is_within(const struct fiber_stack *stack, const void *at, size_t n)
{
	return stack && (const char *)at >= stack->low &&
	       (const char *)at + n <= stack->top &&
	       (uintptr_t)at % sizeof(uintptr_t) == 0;
}

static bool is_parked(uint64_t park)
{
	return park & FIBER_PARK_PARKED && !(park & FIBER_PARK_CLAIMED);
}

bool _fiber_look_is_for_ever(const struct fiber *f)
{
	return is_parked(at_load(&f->park, ACQUIRE)) &&
	       at_load(&f->deadline, RELAXED) == INT64_MAX;
}

/* The i'th waiter of the wait of that park word; false if it is over. */
static bool read_waiter(const struct fiber *f, const struct fiber_look *look,
			unsigned int i, struct fiber_waiter *w)
{
	const struct fiber_waiter *at = look->waiter + i;

	if (!look->waiter)
		return false;
	if (is_within(look->stack, at, sizeof(*w)))
		_fiber_look_words(w, at, sizeof(*w));
	else if (!_fiber_look_copy(w, at, sizeof(*w)))
		return false;
	/* Read after the waiter was: then that is of this wait. */
	at_fence();
	return at_load(&f->park, RELAXED) == look->park && w->fiber == f &&
	       w->ticket == (look->park & -FIBER_PARK_GENERATION);
}

void _fiber_look_within(const struct fiber *f, struct fiber_look *look,
			const struct fiber_stack *stack)
{
	struct fiber_waiter w;

	memset(look, 0, sizeof(*look));
	look->stack = stack;
	look->park = at_load(&f->park, ACQUIRE);
	if (!is_parked(look->park))
		return;
	look->waiter = at_load(&f->waits, RELAXED);
	if (!read_waiter(f, look, 0, &w))
		return;
	look->waits = true;
	look->call = w.call;
	look->on = w.on;
	look->since = w.since;
	look->row = w.row;
}

void _fiber_look(const struct fiber *f, struct fiber_look *look)
{
	_fiber_look_within(f, look, NULL);
}

const void *_fiber_look_on(const struct fiber *f, const struct fiber_look *look,
			   unsigned int number)
{
	struct fiber_waiter w;

	if (number >= look->row || !read_waiter(f, look, number, &w))
		return NULL;
	return w.on;
}

static const char *const call_names[] = {
	[FIBER_CALL_SLEEP] = "fiber_sleep()",
	[FIBER_CALL_SEND] = "fiber_send()",
	[FIBER_CALL_RECV] = "fiber_recv()",
	[FIBER_CALL_SELECT] = "fiber_select()",
	[FIBER_CALL_JOIN] = "fiber_join()",
	[FIBER_CALL_SCOPE] = "fiber_scope_wait()",
	[FIBER_CALL_MUTEX] = "fiber_mutex_lock()",
	[FIBER_CALL_COND] = "fiber_cond_wait()",
	[FIBER_CALL_RDLOCK] = "fiber_rwlock_rdlock()",
	[FIBER_CALL_WRLOCK] = "fiber_rwlock_wrlock()",
	[FIBER_CALL_SEM] = "fiber_sem_wait()",
	[FIBER_CALL_WAITGROUP] = "fiber_waitgroup_wait()",
	[FIBER_CALL_ONCE] = "fiber_once()",
	[FIBER_CALL_BARRIER] = "fiber_barrier_wait()",
	[FIBER_CALL_EVENT] = "fiber_event_wait()",
	[FIBER_CALL_BLOCK_ON] = "fiber_block_on()",
};

const char *_fiber_look_call_name(unsigned int call)
{
	if (call < sizeof(call_names) / sizeof(call_names[0]) &&
	    call_names[call])
		return call_names[call];
	return "a call";
}
