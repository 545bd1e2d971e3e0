// SPDX-License-Identifier: MIT
/*
 * The signal, and its handler.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "clock.h"
#include "look.h"
#include "sched.h"
#include "shot.h"

#define SIGNAL SIGPROF

#define FREE 0u
#define TAKEN 1u
#define DONE 2u
/* ASKED: the number. */
#define NUMBER_MIN 4u
#define NUMBER_MAX ((1u << 20) - 1)

/* It is sent again, as a profiler's may have been pending and taken its place. */
#define AGAIN_NS 10000000
/* A handler that has begun is on a CPU, or waits for one. */
#define TAKEN_NS 1000000000

static struct {
	fiber_word word;
	struct fiber_stackcopy copy; /* who made it TAKEN, then who asked */
	const struct fiber *fiber; /* likewise */
	uint32_t life; /* likewise */
} place;

static uint32_t number = NUMBER_MIN; /* who asks */
static bool due; /* who asks: a signal may be on its way yet */
static bool installed; /* who asks */
static struct sigaction earlier;

static void registers(struct fiber_stackcopy *copy, const ucontext_t *context)
{
#if defined(__x86_64__)
	copy->pc = context->uc_mcontext.gregs[REG_RIP];
	copy->sp = context->uc_mcontext.gregs[REG_RSP];
	copy->fp = context->uc_mcontext.gregs[REG_RBP];
	copy->lr = 0;
#elif defined(__aarch64__)
	copy->pc = context->uc_mcontext.pc;
	copy->sp = context->uc_mcontext.sp;
	copy->fp = context->uc_mcontext.regs[29];
	copy->lr = context->uc_mcontext.regs[30];
#endif
}

/* In the handler: nothing but system calls and memory of our own. */
static void take(const ucontext_t *context)
{
	struct fiber_here *here = _fiber_here();
	struct fiber *f = here && here->is_worker ? here->cur : NULL;
	struct fiber_stackcopy *copy = &place.copy;

	place.fiber = NULL;
	copy->len = 0;
	registers(copy, context);
	/* In the middle of a switch, stack and fiber are two fibers'. */
	if (!f || at_load(&f->kind, RELAXED) != FIBER_KIND_FIBER || !f->stack ||
	    copy->sp < (uintptr_t)f->stack->low ||
	    copy->sp > (uintptr_t)f->stack->top)
		return;
	copy->len = (uintptr_t)f->stack->top - copy->sp;
	if (copy->len > sizeof(copy->bytes))
		copy->len = sizeof(copy->bytes);
	if (!_fiber_look_copy(copy->bytes, (void *)copy->sp, copy->len))
		copy->len = 0;
	place.fiber = f;
	place.life = f->life;
}

static void set_default(int sig)
{
	struct sigaction action = { .sa_handler = SIG_DFL };

	sigaction(sig, &action, NULL);
}

/* A profiler's, or whoever's. */
static void pass_on(int sig, siginfo_t *info, void *context)
{
	if (earlier.sa_flags & SA_SIGINFO) {
		earlier.sa_sigaction(sig, info, context);
	} else if (earlier.sa_handler == SIG_DFL) {
		set_default(sig);
		raise(sig);
	} else if (earlier.sa_handler != SIG_IGN) {
		earlier.sa_handler(sig);
	}
}

/* What is sent along: ours, and which question. Addresses have 48 bits. */
static uintptr_t value_of(uint32_t asked)
{
	return (uintptr_t)&place ^ (uintptr_t)asked << 44;
}

static void handle(int sig, siginfo_t *info, void *context)
{
	uintptr_t value = (uintptr_t)info->si_value.sival_ptr;
	uint32_t asked = (value ^ (uintptr_t)&place) >> 44;
	int saved = errno;

	if (info->si_code != SI_QUEUE || info->si_pid != getpid() ||
	    asked < NUMBER_MIN || value != value_of(asked)) {
		pass_on(sig, info, context);
	} else if (at_cas(&place.word, &asked, TAKEN)) {
		take(context);
		at_store(&place.word, DONE, RELEASE);
		_fiber_futex_wake(&place.word, 1);
	}
	errno = saved;
}

int _fiber_shot_begin(void)
{
	struct sigaction action;

	if (installed)
		return 0;
	if (sigaction(SIGNAL, NULL, &earlier))
		return -errno;
	action = (struct sigaction){
		.sa_sigaction = handle,
		.sa_mask = earlier.sa_mask,
		.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART,
	};
	if (sigaction(SIGNAL, &action, NULL))
		return -errno;
	installed = true;
	return 0;
}

void _fiber_shot_end(void)
{
	struct sigaction now;

	/* One that comes yet must find the handler. */
	if (!installed || due)
		return;
	if (!sigaction(SIGNAL, NULL, &now) && now.sa_sigaction == handle) {
		sigaction(SIGNAL, &earlier, NULL);
		installed = false;
	}
}

static int send(uint32_t tid)
{
	siginfo_t info;

	memset(&info, 0, sizeof(info));
	info.si_signo = SIGNAL;
	info.si_code = SI_QUEUE;
	info.si_pid = getpid();
	info.si_uid = getuid();
	info.si_value.sival_ptr = (void *)value_of(number);
	return syscall(SYS_rt_tgsigqueueinfo, getpid(), tid, SIGNAL, &info) ?
		       -errno :
		       0;
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* The handler has begun, and ends soon. */
static int await_done(void)
{
	int64_t until = _fiber_clock_real() + TAKEN_NS;

	while (at_load(&place.word, ACQUIRE) == TAKEN) {
		if (_fiber_futex_wait(&place.word, TAKEN, until))
			return -ETIMEDOUT;
	}
	at_store(&place.word, FREE, RELAXED);
	return 0;
}

/* Until it is no longer ASKED, or until the time: then it is taken back. */
static int await(uint32_t tid, int64_t until)
{
	uint32_t seen;
	int sent = 0;
	int err;

	while ((seen = at_load(&place.word, ACQUIRE)) == number) {
		int64_t now = _fiber_clock_real();

		if (now >= until) {
			due = true;
			if (at_cas(&place.word, &seen, FREE))
				return -ETIMEDOUT;
			break;
		}
		due |= sent++ > 0;
		err = send(tid);
		if (err && at_cas(&place.word, &seen, FREE))
			return err;
		_fiber_futex_wait(&place.word, number,
				  sooner(until, now + AGAIN_NS));
	}
	return await_done();
}

int _fiber_shot_take(uint32_t tid, int64_t until, struct fiber_stackcopy *copy,
		     const struct fiber **fiber, uint32_t *life)
{
	int err;

	/* The last one may be at it still; it may also be done by now. */
	if (at_load(&place.word, ACQUIRE) == DONE)
		at_store(&place.word, FREE, RELAXED);
	if (at_load(&place.word, RELAXED) != FREE)
		return -ETIMEDOUT;
	if (++number > NUMBER_MAX)
		number = NUMBER_MIN;
	at_store(&place.word, number, RELEASE);
	err = await(tid, until);
	if (err)
		return err;
	*fiber = place.fiber;
	*life = place.life;
	memcpy(copy, &place.copy, offsetof(struct fiber_stackcopy, bytes));
	memcpy(copy->bytes, place.copy.bytes, place.copy.len);
	return 0;
}

void _fiber_shot_forget(void)
{
	at_store(&place.word, FREE, RELAXED);
}
