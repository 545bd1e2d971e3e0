// SPDX-License-Identifier: MIT
/*
 * The handler of SIGSEGV.
 */
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "maplimit.h"
#include "overflow.h"
#include "stack.h"

/* Room for the handlers of others, which may format whole reports. */
#define ALTSTACK_ROOM (64 * 1024)
#define NAME_MAX_SHOWN 64

static struct sigaction earlier;

struct line {
	size_t len;
	char text[512];
};

static void add_char(struct line *line, char c)
{
	if (line->len < sizeof(line->text))
		line->text[line->len++] = c;
}

static void add(struct line *line, const char *text)
{
	while (*text)
		add_char(line, *text++);
}

static void add_number(struct line *line, uintptr_t number, unsigned int base)
{
	char digits[24];
	int n = 0;

	do {
		digits[n++] = "0123456789abcdef"[number % base];
		number /= base;
	} while (number);
	while (n)
		add_char(line, digits[--n]);
}

static void add_address(struct line *line, uintptr_t address)
{
	add(line, "0x");
	add_number(line, address, 16);
}

/* A name is the program's: it may hold anything. */
static void add_name(struct line *line, const char *name)
{
	int i;

	add(line, "'");
	for (i = 0; i < NAME_MAX_SHOWN && name[i]; i++)
		add_char(line, name[i] < ' ' || name[i] > '~' ? '?' : name[i]);
	add(line, "'");
}

/* As addr2line -e FILE takes it: FILE+0xOFFSET. */
static void add_place(struct line *line, uintptr_t address)
{
	struct dl_find_object object;
	const char *file;

	if (_dl_find_object((void *)address, &object))
		return;
	file = object.dlfo_link_map->l_name;
	add(line, " (");
	add(line, *file ? file : program_invocation_name);
	add(line, "+");
	add_address(line, address - object.dlfo_link_map->l_addr);
	add(line, ")");
}

static void report(const struct fiber_stack *stack, uintptr_t address)
{
	struct line line = { 0 };

	add(&line, "fiber: stack overflow");
	if (stack->name) {
		add(&line, " in ");
		add_name(&line, stack->name);
	}
	if (stack->entry) {
		add(&line, ", entered at ");
		add_address(&line, stack->entry);
		add_place(&line, stack->entry);
	}
	add(&line, ": ");
	add_address(&line, address);
	add(&line, " is in the guard below its ");
	add_number(&line, stack->top - stack->low, 10);
	add(&line, " bytes\n");
	if (write(STDERR_FILENO, line.text, line.len) < 0)
		return; /* There is nowhere else to say it. */
}

static void set_default(int sig)
{
	struct sigaction action = { .sa_handler = SIG_DFL };

	sigaction(sig, &action, NULL);
}

static void pass_on(int sig, siginfo_t *info, void *context)
{
	/* By kill() and the like: it does not come again by returning. */
	bool sent = info->si_code <= 0;

	if (earlier.sa_flags & SA_RESETHAND)
		set_default(sig);
	if (earlier.sa_flags & SA_SIGINFO) {
		earlier.sa_sigaction(sig, info, context);
	} else if (earlier.sa_handler == SIG_DFL ||
		   (earlier.sa_handler == SIG_IGN && !sent)) {
		/* The kernel does not let a fault be ignored either. */
		set_default(sig);
		if (sent)
			raise(sig);
	} else if (earlier.sa_handler != SIG_IGN) {
		earlier.sa_handler(sig);
	}
}

static void handle(int sig, siginfo_t *info, void *context)
{
	int saved = errno;
	uintptr_t address = (uintptr_t)info->si_addr;

	if (info->si_code > 0) {
		const struct fiber_stack *stack = _fiber_stack_guarded(address);

		if (stack)
			report(stack, address);
	}
	pass_on(sig, info, context);
	errno = saved;
}

int _fiber_overflow_init(struct fiber_why *why)
{
	struct sigaction action;

	/* First, so that the handler never runs without it. */
	if (sigaction(SIGSEGV, NULL, &earlier))
		return _fiber_why(why, -errno, "sigaction(SIGSEGV) failed");
	/* The kernel does for us what the earlier handler wants blocked. */
	action = (struct sigaction){
		.sa_sigaction = handle,
		.sa_mask = earlier.sa_mask,
		.sa_flags = SA_SIGINFO | SA_ONSTACK |
			    (earlier.sa_flags & (SA_NODEFER | SA_RESTART)),
	};
	if (sigaction(SIGSEGV, &action, NULL))
		return _fiber_why(why, -errno, "sigaction(SIGSEGV) failed");
	return 0;
}

void _fiber_overflow_exit(void)
{
	struct sigaction now;

	if (!sigaction(SIGSEGV, NULL, &now) && now.sa_sigaction == handle)
		sigaction(SIGSEGV, &earlier, NULL);
}

int _fiber_overflow_thread_init(struct fiber_altstack *alt,
				struct fiber_why *why)
{
	size_t page = sysconf(_SC_PAGESIZE);
	size_t size = getauxval(AT_MINSIGSTKSZ) + ALTSTACK_ROOM + page;
	stack_t stack;
	char *map;

	*alt = (struct fiber_altstack){ 0 };
	if (!sigaltstack(NULL, &stack) && !(stack.ss_flags & SS_DISABLE))
		return 0;
	size = (size + page - 1) & ~(page - 1);
	map = mmap(NULL, size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (map == MAP_FAILED)
		return _fiber_maplimit_explain(size, why);
	/* Its own guard is for luck: without, an overflow of it goes on. */
	(void)mprotect(map, page, PROT_NONE);
	stack = (stack_t){ .ss_sp = map + page, .ss_size = size - page };
	if (sigaltstack(&stack, NULL)) {
		int err = -errno;

		munmap(map, size);
		return _fiber_why(why, err, "sigaltstack() failed");
	}
	alt->map = map;
	alt->size = size;
	return 0;
}

void _fiber_overflow_thread_exit(struct fiber_altstack *alt)
{
	stack_t none = { .ss_flags = SS_DISABLE };

	if (!alt->map)
		return;
	sigaltstack(&none, NULL);
	munmap(alt->map, alt->size);
}
