/* SPDX-License-Identifier: MIT */
/*
 * The switch on x86_64; ../switch.h has the contract.
 *
 * In and out: rdi is what is passed, where a function has its first argument,
 * which is what start.S hands on. rsi and rdx are the two contexts.
 */
#ifndef FIBER_ARCH_X86_64_SWITCH_H
#define FIBER_ARCH_X86_64_SWITCH_H

/* Registers that exist only for those who compile for them. */
#ifdef __AVX512F__
#define SWITCH_LOST_AVX512                                                     \
	, "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22",       \
		"xmm23", "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", \
		"xmm30", "xmm31", "k1", "k2", "k3", "k4", "k5", "k6", "k7"
#else
#define SWITCH_LOST_AVX512
#endif
#ifdef __APX_F__
#error "the switch does not know the registers r16 to r31 (-mno-apxf)"
#endif

static inline __attribute__((always_inline)) void *
_fiber_switch(struct fiber_context *from, const struct fiber_context *to,
	      void *pass)
{
	/* One instruction a line. */
	/* clang-format off */
	__asm__ volatile(
		"leaq 1f(%%rip), %%rax\n\t"
		"movq %%rax, 0(%%rsi)\n\t"
		"movq %%rsp, 8(%%rsi)\n\t"
		"movq %%rbp, 16(%%rsi)\n\t"
		SWITCH_CFI_LOST("rip")
		"movq 8(%%rdx), %%rsp\n\t"
		"movq 16(%%rdx), %%rbp\n\t"
		"jmpq *0(%%rdx)\n"
		"1:\t"
		SWITCH_CFI_FOUND
		"endbr64"
		: "+D"(pass), "+S"(from), "+d"(to)
		:
		: "rax", "rbx", "rcx", "r8", "r9", "r10", "r11", "r12", "r13",
		  "r14", "r15", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5",
		  "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
		  "xmm13", "xmm14", "xmm15", "st", "st(1)", "st(2)", "st(3)",
		  "st(4)", "st(5)", "st(6)", "st(7)", "mm0", "mm1", "mm2",
		  "mm3", "mm4", "mm5", "mm6", "mm7",
		  "cc", "memory" SWITCH_LOST_AVX512);
	/* clang-format on */
	return pass;
}

#undef SWITCH_LOST_AVX512

#endif /* FIBER_ARCH_X86_64_SWITCH_H */
