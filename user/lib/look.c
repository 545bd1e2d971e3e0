// SPDX-License-Identifier: MIT
/*
 * Reading what others may be writing, or have unmapped.
 */
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "look.h"

/* By the kernel, which says so if there is nothing. */
bool _fiber_look_copy(void *to, const void *from, size_t n)
{
	struct iovec local = { .iov_base = to, .iov_len = n };
	struct iovec remote = { .iov_base = (void *)from, .iov_len = n };

	return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) ==
	       (ssize_t)n;
}

static bool is_parked(uint64_t park)
{
	return park & FIBER_PARK_PARKED && !(park & FIBER_PARK_CLAIMED);
}

/* The waiter of the wait of that park word; false if it is over. */
static bool read_waiter(const struct fiber *f, uint64_t park,
			const struct fiber_waiter *at, struct fiber_waiter *w)
{
	if (!at || !_fiber_look_copy(w, at, sizeof(*w)))
		return false;
	/* Read after the waiter was: then that is of this wait. */
	at_fence();
	return at_load(&f->park, RELAXED) == park && w->fiber == f &&
	       w->ticket == (park & -FIBER_PARK_GENERATION);
}

void _fiber_look(const struct fiber *f, struct fiber_look *look)
{
	struct fiber_waiter w;

	memset(look, 0, sizeof(*look));
	look->park = at_load(&f->park, ACQUIRE);
	if (!is_parked(look->park))
		return;
	look->waiter = at_load(&f->waits, RELAXED);
	if (!read_waiter(f, look->park, look->waiter, &w))
		return;
	look->waits = true;
	look->call = w.call;
	look->on = w.on;
	look->since = w.since;
	look->row = w.row;
}

const void *_fiber_look_on(const struct fiber *f, const struct fiber_look *look,
			   unsigned int number)
{
	struct fiber_waiter w;

	if (number >= look->row ||
	    !read_waiter(f, look->park, look->waiter + number, &w))
		return NULL;
	return w.on;
}
