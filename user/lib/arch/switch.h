/* SPDX-License-Identifier: MIT */
/*
 * The switch from one stack to another, and the start of a new one.
 *
 * MODEL. A context that does not run is three words in the control block of
 * whoever it belongs to: where it goes on, its stack pointer and its frame
 * pointer. _fiber_switch() is inline assembler that stores these three, loads
 * three others and jumps. It pushes nothing: it tells the compiler instead that
 * every other register is lost, so that the compiler saves those that live, in
 * the frame and in the unwind tables that it writes anyway. So a red zone stays
 * whole, unwinding stays right, a debugger needs no knowledge of a stack's
 * layout, and the return predictor of the CPU sees no call without its return.
 *
 * REGISTERS. Lost across a switch are all general registers and all of the
 * vector, mask and x87 registers that the compiler may use; stack and frame
 * pointer are the context's. The thread pointer belongs to the thread and
 * is not touched.
 *
 * The floating point environment (mxcsr, x87 control word, fpcr) belongs to the
 * thread too and is neither saved nor loaded: whoever changes the rounding or
 * the traps puts them back before the next call that may switch. The ABI would
 * have a call preserve the control bits, but what asks for that is rare, and
 * saving them costs several times the rest of a switch (3.6 ns on top of 0.7).
 *
 * LANDING PADS. Both places that a switch jumps to begin with one (ENDBR64 for
 * IBT, BTI J), so that they may be enforced. Shadow stacks (SHSTK, GCS) would
 * have to be switched as well, for a mapping and a page each: this is not done,
 * and the objects say so by not carrying the mark, on which the loader leaves
 * them off. Signed return addresses (PAC) just work: the stack pointer that
 * they are bound to travels with the stack.
 *
 * UNWINDING. From inside a context: to _fiber_context_start(), whose return
 * address is undefined, which ends it; chains of frame pointers end there in 0.
 * Of a context that does not run: by setting pc, sp and fp from the context;
 * pc is exact, not a return address. Within the switch, where stack pointer and
 * pc belong to different contexts, the return address is undefined too, so
 * that a profiler's sample ends there and does not go astray.
 *
 * RULES. The compiler must not be able to carry anything of a thread across:
 * no thread-local variable is used both before and after a switch in one
 * function, and errno is one. What the new side needs of the thread that it
 * runs on is passed in `pass`. A function with a switch in it uses neither
 * variable length arrays nor overaligned locals: some compilers then want a
 * base pointer of their own, which would be lost.
 */
#ifndef FIBER_ARCH_SWITCH_H
#define FIBER_ARCH_SWITCH_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

struct fiber_context {
	uintptr_t pc;
	uintptr_t sp;
	uintptr_t fp; /* before the first switch to it: the entry function */
};

/* What the assembler of the switch has for offsets. */
static_assert(offsetof(struct fiber_context, pc) == 0, "used in assembler");
static_assert(offsetof(struct fiber_context, sp) == 8, "used in assembler");
static_assert(offsetof(struct fiber_context, fp) == 16, "used in assembler");

/* start.S. Only ever jumped to, by a switch. */
void _fiber_context_start(void);

/*
 * Have the first switch to ctx call entry, with what that switch passes, on the
 * stack that ends at top. entry never returns. Nothing is written to the stack.
 *
 * Above the return address of the root something is left: perf, which unwinds by a
 * copy of the stack, does not read the last word of what it has copied.
 */
static inline void _fiber_context_init(struct fiber_context *ctx, void *top,
				       void (*entry)(void *))
{
	ctx->pc = (uintptr_t)_fiber_context_start;
	ctx->sp = ((uintptr_t)top & ~(uintptr_t)15) - 16;
	ctx->fp = (uintptr_t)entry;
}

/*
 * Keep in `from` how to come back here, and go on in `to`. Returns when
 * somebody switches to `from`, on whatever thread that one runs, with what that
 * one passes. What was written before a switch must be visible to the thread
 * that switches to `from`: handing the context over orders that, not this.
 */
static inline __attribute__((always_inline)) void *
_fiber_switch(struct fiber_context *from, const struct fiber_context *to,
	      void *pass);

/* The unwind tables of the few instructions between two stacks. */
#ifdef __GCC_HAVE_DWARF2_CFI_ASM
#define SWITCH_CFI_LOST(ra) ".cfi_remember_state\n\t.cfi_undefined " ra "\n\t"
#define SWITCH_CFI_FOUND ".cfi_restore_state\n\t"
#else
#define SWITCH_CFI_LOST(ra)
#define SWITCH_CFI_FOUND
#endif

#if defined(__x86_64__)
#include "x86_64/switch.h"
#elif defined(__aarch64__)
#include "aarch64/switch.h"
#else
#error "no context switch for this architecture"
#endif

#undef SWITCH_CFI_LOST
#undef SWITCH_CFI_FOUND

#endif /* FIBER_ARCH_SWITCH_H */
