// SPDX-License-Identifier: MIT
/*
 * Unwinding.
 */
#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

#include "dwarf.h"
#include "unwind.h"

/* Addresses that are kept, a power of two; and how far one is from its place. */
#define ENTRIES 4096u
#define PROBES 8

/* What expressions of unwind tables are made of (DW_OP_...), and DWARF's numbers. */
#define OP_DEREF 0x06
#define OP_CONST_FIRST 0x08
#define OP_CONST_LAST 0x11
#define OP_AND 0x1a
#define OP_MINUS 0x1c
#define OP_PLUS 0x22
#define OP_PLUS_UCONST 0x23
#define OP_SHL 0x24
#define OP_GE 0x2a
#define OP_LIT0 0x30
#define OP_LIT31 0x4f
#define OP_REG0 0x50
#define OP_REG31 0x6f
#define OP_BREG0 0x70
#define OP_BREG31 0x8f
#define OP_REGX 0x90
#define OP_BREGX 0x92
#define OP_CALL_FRAME_CFA 0x9c
#define OP_STACK_VALUE 0x9f
#define DEPTH 16

#if defined(__x86_64__)
#define REG_NUMBER_FP 6
#define REG_NUMBER_SP 7
#define REG_NUMBER_PC 16
#define REG_NUMBER_LR (-1)
#elif defined(__aarch64__)
#define REG_NUMBER_FP 29
#define REG_NUMBER_LR 30
#define REG_NUMBER_SP 31
#define REG_NUMBER_PC (-1)
#endif

/* What was asked of an address. */
struct entry {
	uintptr_t pc; /* 0: none */
	bool has_rule;
	bool has_name;
	struct fiber_dwarf_rule rule;
	struct fiber_name name;
};

/* A frame that is being left. */
struct cursor {
	const struct fiber_stackcopy *copy;
	uintptr_t pc;
	uintptr_t sp;
	uintptr_t fp;
	uintptr_t lr; /* 0: not known */
	uintptr_t cfa;
};

static struct entry *entries;
static struct entry spare; /* what finds no place is asked for each time */
static bool has_dwarf;

/* A program that is linked statically does without. */
extern __typeof__(dladdr) dladdr __attribute__((weak));

bool _fiber_unwind_init(void)
{
	entries = calloc(ENTRIES, sizeof(*entries));
	if (!entries)
		return false;
	has_dwarf = _fiber_dwarf_init();
	return true;
}

static void clear(struct entry *e)
{
	free(e->rule.frame);
	memset(e, 0, sizeof(*e));
}

void _fiber_unwind_exit(void)
{
	unsigned int i;

	for (i = 0; i < ENTRIES; i++)
		clear(&entries[i]);
	clear(&spare);
	free(entries);
	entries = NULL;
	if (has_dwarf)
		_fiber_dwarf_exit();
	has_dwarf = false;
}

bool _fiber_unwind_is_full(void)
{
	return has_dwarf;
}

static struct entry *entry_of(uintptr_t pc)
{
	unsigned int at = pc * 0x9e3779b97f4a7c15u >> 32;
	struct entry *e;
	int i;

	for (i = 0; i < PROBES; i++) {
		e = &entries[(at + i) % ENTRIES];
		if (e->pc == pc)
			return e;
		if (!e->pc) {
			e->pc = pc;
			return e;
		}
	}
	if (spare.pc != pc)
		clear(&spare);
	spare.pc = pc;
	return &spare;
}

static const struct fiber_dwarf_rule *rule_of(uintptr_t pc)
{
	struct entry *e = entry_of(pc);

	if (!e->has_rule)
		_fiber_dwarf_rule(pc, &e->rule);
	e->has_rule = true;
	return &e->rule;
}

static bool register_of(const struct cursor *c, uint64_t number,
			uintptr_t *value)
{
	switch ((int)number) {
	case REG_NUMBER_FP:
		*value = c->fp;
		return true;
	case REG_NUMBER_SP:
		*value = c->sp;
		return true;
#if REG_NUMBER_PC >= 0
	case REG_NUMBER_PC:
		*value = c->pc;
		return true;
#endif
#if REG_NUMBER_LR >= 0
	case REG_NUMBER_LR:
		*value = c->lr;
		return c->lr;
#endif
	default:
		return false;
	}
}

/* With two operands, of which a is the lower on the stack. */
static bool combine(uint8_t atom, uintptr_t a, uintptr_t b, uintptr_t *value)
{
	switch (atom) {
	case OP_AND:
		*value = a & b;
		return true;
	case OP_MINUS:
		*value = a - b;
		return true;
	case OP_PLUS:
		*value = a + b;
		return true;
	case OP_SHL:
		*value = b < 64 ? a << b : 0;
		return true;
	case OP_GE:
		*value = (intptr_t)a >= (intptr_t)b;
		return true;
	default:
		return false;
	}
}

/* Those that push something. */
static bool push(const struct cursor *c, const struct fiber_dwarf_op *op,
		 uintptr_t *value)
{
	uint8_t atom = op->atom;
	uintptr_t base;

	if (atom >= OP_LIT0 && atom <= OP_LIT31) {
		*value = atom - OP_LIT0;
	} else if (atom >= OP_CONST_FIRST && atom <= OP_CONST_LAST) {
		*value = op->number;
	} else if (atom >= OP_BREG0 && atom <= OP_BREG31) {
		if (!register_of(c, atom - OP_BREG0, &base))
			return false;
		*value = base + op->number;
	} else if (atom == OP_BREGX) {
		if (!register_of(c, op->number, &base))
			return false;
		*value = base + op->number2;
	} else if (atom == OP_CALL_FRAME_CFA) {
		*value = c->cfa;
	} else {
		return false;
	}
	return true;
}

/* One operation: how many values there are after it; -1 if it is not known. */
static int operate(const struct cursor *c, const struct fiber_dwarf_op *op,
		   uintptr_t *stack, int n)
{
	if (n && op->atom == OP_PLUS_UCONST) {
		stack[n - 1] += op->number;
		return n;
	}
	if (n && op->atom == OP_DEREF)
		return fiber_stackcopy_word(c->copy, stack[n - 1],
					    &stack[n - 1]) ?
			       n :
			       -1;
	if (n < DEPTH && push(c, op, &stack[n]))
		return n + 1;
	if (n > 1 &&
	    combine(op->atom, stack[n - 2], stack[n - 1], &stack[n - 2]))
		return n - 1;
	return -1;
}

/* It was in a register, and is not where the expression says. */
static bool is_register(const struct fiber_dwarf_op *op, uint64_t *number)
{
	if (op->atom >= OP_REG0 && op->atom <= OP_REG31)
		*number = op->atom - OP_REG0;
	else if (op->atom == OP_REGX)
		*number = op->number;
	else
		return false;
	return true;
}

/* *is_value: it is what is wanted, and not where that is. */
static bool evaluate(const struct cursor *c, const struct fiber_dwarf_op *ops,
		     size_t nr_ops, uintptr_t *value, bool *is_value)
{
	uintptr_t stack[DEPTH];
	uint64_t number;
	size_t i;
	int n = 0;

	*is_value = false;
	for (i = 0; i < nr_ops; i++) {
		const struct fiber_dwarf_op *op = &ops[i];

		if (op->atom == OP_STACK_VALUE && i + 1 == nr_ops) {
			*is_value = true;
			break;
		}
		if (is_register(op, &number)) {
			*is_value = true;
			return register_of(c, number, value);
		}
		n = operate(c, op, stack, n);
		if (n < 0)
			return false;
	}
	*value = n ? stack[n - 1] : 0;
	return n;
}

/* What a register was in the caller; same is what it is now. */
static bool restore(const struct cursor *c,
		    const struct fiber_dwarf_place *place, uintptr_t same,
		    uintptr_t *value)
{
	uintptr_t found;
	bool is_value;

	if (place->undefined)
		return false;
	if (place->same) {
		*value = same;
		return true;
	}
	if (!evaluate(c, place->ops, place->n, &found, &is_value))
		return false;
	if (is_value) {
		*value = found;
		return true;
	}
	return fiber_stackcopy_word(c->copy, found, value);
}

/* Without the signature that some CPUs put into it. */
static uintptr_t strip(uintptr_t address)
{
#ifdef __aarch64__
	register uintptr_t lr __asm__("x30") = address;

	__asm__("hint 7" : "+r"(lr));
	return lr;
#else
	return address;
#endif
}

/* Whether there is a caller, where c is then. */
static bool step_by_rule(struct cursor *c, const struct fiber_dwarf_rule *rule)
{
	uintptr_t ra;
	uintptr_t fp;
	bool is_value;

	if (!rule->cfa ||
	    !evaluate(c, rule->cfa, rule->nr_cfa, &c->cfa, &is_value))
		return false;
	if (!restore(c, &rule->ra, c->lr, &ra))
		return false;
	if (!restore(c, &rule->fp, c->fp, &fp))
		fp = 0;
	/* Only the innermost function may not have used any stack. */
	if (c->cfa < c->sp || (c->cfa == c->sp && !c->lr))
		return false;
	c->pc = strip(ra);
	c->sp = c->cfa;
	c->fp = fp;
	c->lr = 0;
	return c->pc;
}

static bool step_by_fp(struct cursor *c)
{
	uintptr_t at = c->fp;
	uintptr_t fp;
	uintptr_t ra;

	if (at < c->sp || !fiber_stackcopy_word(c->copy, at, &fp) ||
	    !fiber_stackcopy_word(c->copy, at + sizeof(fp), &ra))
		return false;
	c->pc = strip(ra);
	c->sp = at + 2 * sizeof(fp);
	c->fp = fp;
	c->lr = 0;
	return c->pc;
}

/* pc is to be looked up. *is_exact: what c is at then is no return address. */
static bool step(struct cursor *c, uintptr_t pc, bool *is_exact)
{
	const struct fiber_dwarf_rule *rule = has_dwarf ? rule_of(pc) : NULL;

	*is_exact = rule && rule->is_signal;
	return rule && rule->frame ? step_by_rule(c, rule) : step_by_fp(c);
}

void _fiber_unwind(const struct fiber_stackcopy *copy,
		   struct fiber_frames *frames)
{
	struct cursor c = {
		.copy = copy,
		.pc = copy->pc,
		.sp = copy->sp,
		.fp = copy->fp,
		.lr = copy->lr,
	};
	bool is_exact = true;
	uintptr_t pc;

	frames->n = 0;
	frames->cut = false;
	do {
		if (frames->n == FIBER_FRAMES_MAX) {
			frames->cut = true;
			break;
		}
		/* A call may be the last instruction of its function. */
		pc = is_exact ? c.pc : c.pc - 1;
		frames->pc[frames->n++] = pc;
	} while (step(&c, pc, &is_exact));
}

static void name_by_libc(uintptr_t pc, struct fiber_name *name)
{
	Dl_info info;

	if (!dladdr || !dladdr((void *)pc, &info))
		return;
	name->name = info.dli_sname;
	name->object = info.dli_fname;
	name->offset = pc - (uintptr_t)(info.dli_sname ? info.dli_saddr :
							 info.dli_fbase);
}

static void name_it(uintptr_t pc, struct fiber_name *name)
{
	struct fiber_dwarf_name found;

	if (has_dwarf) {
		_fiber_dwarf_name(pc, &found);
		name->name = found.name;
		name->offset = found.offset;
		name->file = found.file;
		name->line = found.line;
	}
	if (!name->name)
		name_by_libc(pc, name);
}

const struct fiber_name *_fiber_unwind_name(uintptr_t pc)
{
	struct entry *e = entry_of(pc);

	if (!e->has_name)
		name_it(pc, &e->name);
	e->has_name = true;
	return &e->name;
}
