// SPDX-License-Identifier: MIT
/*
 * Version, errors, time.
 */
#include <errno.h>
#include <string.h>

#include <fiber/base.h>

#include "clock.h"

uint32_t fiber_version(void)
{
	return FIBER_VERSION_NUMBER;
}

int64_t fiber_now(void)
{
	return _fiber_clock_now();
}

int64_t fiber_after(int64_t ns)
{
	int64_t now = _fiber_clock_now();

	if (ns <= 0)
		return now;
	return ns < INT64_MAX - now ? now + ns : INT64_MAX;
}

static const char *libc_says(int err)
{
	const char *text = strerrordesc_np(err);

	return text ? text : "Unknown error";
}

const char *fiber_strerror(int err)
{
	switch (-err) {
	case 0:
		return "Success";
	case EINVAL:
		return "An argument makes no sense";
	case E2BIG:
		return "A structure has fields that this version does not know";
	case ENOMEM:
		return "There is no memory";
	case EAGAIN:
		return "It cannot be done without waiting";
	case EPIPE:
		return "The channel is closed";
	case ETIMEDOUT:
		return "The deadline has passed";
	case ECANCELED:
		return "The fiber, or the scope, is cancelled";
	case EDEADLK:
		return "It would wait for itself";
	case EBUSY:
		return "The runtime is running already";
	case EPERM:
		return "Not here, or not by this fiber or thread";
	case EOVERFLOW:
		return "The number would be too large";
	case EOPNOTSUPP:
		return "It does not work on this system";
	case ESRCH:
		return "The fiber has ended";
	default:
		return libc_says(err < 0 ? -err : err);
	}
}

__attribute__((noinline)) int fiber_errno(void)
{
	__asm__ volatile("" ::: "memory");
	return errno;
}
