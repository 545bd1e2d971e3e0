// SPDX-License-Identifier: MIT
/*
 * Loading libdw, and asking it.
 */
#include <dlfcn.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/types.h>
#include <unistd.h>

#include "atomic.h"
#include "dwarf.h"

#define LIBRARY "libdw.so.1"

/* DWARF's number of the frame pointer. */
#if defined(__x86_64__)
#define FP 6
#elif defined(__aarch64__)
#define FP 29
#endif

struct dwfl;
struct module;
struct line;
struct cfi;
struct frame;

/* Dwfl_Callbacks. */
struct callbacks {
	void *find_elf;
	void *find_debuginfo;
	void *section_address;
	char **debuginfo_path;
};

/* ELF64's symbol. */
struct symbol {
	uint64_t word[3];
};

/* In the order of `names`. */
static struct {
	struct dwfl *(*begin)(const struct callbacks *callbacks);
	void (*end)(struct dwfl *dwfl);
	int (*report)(struct dwfl *dwfl, pid_t pid);
	int (*report_end)(struct dwfl *dwfl, void *removed, void *arg);
	struct module *(*addrmodule)(struct dwfl *dwfl, uint64_t address);
	const char *(*addrinfo)(struct module *module, uint64_t address,
				uint64_t *offset, struct symbol *symbol,
				uint32_t *section, void **elf, uint64_t *bias);
	struct line *(*getsrc)(struct module *module, uint64_t address);
	const char *(*lineinfo)(struct line *line, uint64_t *address,
				int *number, int *column, uint64_t *mtime,
				uint64_t *length);
	struct cfi *(*eh_cfi)(struct module *module, uint64_t *bias);
	struct cfi *(*dwarf_cfi)(struct module *module, uint64_t *bias);
	int (*addrframe)(struct cfi *cfi, uint64_t address,
			 struct frame **frame);
	int (*frame_info)(struct frame *frame, uint64_t *start, uint64_t *end,
			  bool *is_signal);
	int (*frame_cfa)(struct frame *frame, struct fiber_dwarf_op **ops,
			 size_t *n);
	int (*frame_register)(struct frame *frame, int number,
			      struct fiber_dwarf_op *room,
			      struct fiber_dwarf_op **ops, size_t *n);
	void *find_elf;
	void *find_debuginfo;
} dw;

static const char *const names[] = {
	"dwfl_begin",
	"dwfl_end",
	"dwfl_linux_proc_report",
	"dwfl_report_end",
	"dwfl_addrmodule",
	"dwfl_module_addrinfo",
	"dwfl_module_getsrc",
	"dwfl_lineinfo",
	"dwfl_module_eh_cfi",
	"dwfl_module_dwarf_cfi",
	"dwarf_cfi_addrframe",
	"dwarf_frame_info",
	"dwarf_frame_cfa",
	"dwarf_frame_register",
	"dwfl_linux_proc_find_elf",
	"dwfl_build_id_find_debuginfo",
};

#define NR_NAMES (sizeof(names) / sizeof(names[0]))

static void *library;
static struct dwfl *dwfl;

/* A program that is linked statically may not have them. */
extern __typeof__(dlopen) dlopen __attribute__((weak));
extern __typeof__(dlsym) dlsym __attribute__((weak));

/*
 * Not linked statically, where it would have to load a second C library for it; and
 * not with the thread sanitizer, which now and then takes the library's thread-local
 * memory for something of 2^48 bytes, and ends the process.
 */
static bool may_load(void)
{
#ifdef FIBER_TSAN
	return false;
#else
	return getauxval(AT_BASE) && dlopen && dlsym;
#endif
}

static bool load(void)
{
	void *found[NR_NAMES];
	size_t i;

	_Static_assert(sizeof(found) == sizeof(dw), "a name for each");
	if (library)
		return true;
	if (!may_load())
		return false;
	library = dlopen(LIBRARY, RTLD_LAZY | RTLD_LOCAL);
	if (!library)
		return false;
	for (i = 0; i < NR_NAMES; i++) {
		found[i] = dlsym(library, names[i]);
		if (!found[i]) {
			dlclose(library);
			library = NULL;
			return false;
		}
	}
	memcpy(&dw, found, sizeof(dw));
	return true;
}

bool _fiber_dwarf_init(void)
{
	static struct callbacks callbacks;

	if (!load())
		return false;
	callbacks.find_elf = dw.find_elf;
	callbacks.find_debuginfo = dw.find_debuginfo;
	dwfl = dw.begin(&callbacks);
	if (!dwfl)
		return false;
	if (dw.report(dwfl, getpid()) || dw.report_end(dwfl, NULL, NULL)) {
		_fiber_dwarf_exit();
		return false;
	}
	return true;
}

void _fiber_dwarf_exit(void)
{
	if (dwfl)
		dw.end(dwfl);
	dwfl = NULL;
}

static struct frame *frame_in(struct cfi *cfi, uint64_t address)
{
	struct frame *frame;

	return cfi && !dw.addrframe(cfi, address, &frame) ? frame : NULL;
}

static struct frame *frame_of(uintptr_t pc)
{
	struct module *module = dw.addrmodule(dwfl, pc);
	struct frame *frame;
	struct cfi *cfi;
	uint64_t bias;

	if (!module)
		return NULL;
	cfi = dw.eh_cfi(module, &bias);
	frame = frame_in(cfi, pc - bias);
	if (frame)
		return frame;
	cfi = dw.dwarf_cfi(module, &bias);
	return frame_in(cfi, pc - bias);
}

static void describe(struct frame *frame, int number,
		     struct fiber_dwarf_place *place)
{
	struct fiber_dwarf_op *ops;

	if (dw.frame_register(frame, number, place->room, &ops, &place->n)) {
		place->undefined = true;
		return;
	}
	place->ops = ops;
	place->undefined = !place->n && ops;
	place->same = !place->n && !ops;
}

void _fiber_dwarf_rule(uintptr_t pc, struct fiber_dwarf_rule *rule)
{
	struct fiber_dwarf_op *cfa;
	struct frame *frame = frame_of(pc);
	int ra;

	memset(rule, 0, sizeof(*rule));
	if (!frame)
		return;
	rule->frame = frame;
	ra = dw.frame_info(frame, NULL, NULL, &rule->is_signal);
	if (ra < 0 || dw.frame_cfa(frame, &cfa, &rule->nr_cfa)) {
		rule->ra.undefined = true;
		return;
	}
	rule->cfa = cfa;
	describe(frame, ra, &rule->ra);
	describe(frame, FP, &rule->fp);
}

void _fiber_dwarf_name(uintptr_t pc, struct fiber_dwarf_name *name)
{
	struct module *module = dw.addrmodule(dwfl, pc);
	struct symbol symbol;
	struct line *line;

	memset(name, 0, sizeof(*name));
	if (!module)
		return;
	name->name = dw.addrinfo(module, pc, &name->offset, &symbol, NULL, NULL,
				 NULL);
	line = dw.getsrc(module, pc);
	if (line)
		name->file =
			dw.lineinfo(line, NULL, &name->line, NULL, NULL, NULL);
}
