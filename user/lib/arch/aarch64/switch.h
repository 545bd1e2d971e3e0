/* SPDX-License-Identifier: MIT */
/*
 * The switch on aarch64; ../switch.h has the contract.
 *
 * In and out: x0 is what is passed, where a function has its first argument,
 * which is what start.S hands on. x1 and x2 are the two contexts. x18 is a
 * register like others on Linux, unless all is compiled with -ffixed-x18.
 */
#ifndef FIBER_ARCH_AARCH64_SWITCH_H
#define FIBER_ARCH_AARCH64_SWITCH_H

/* Registers that exist only for those who compile for them. */
#ifdef __ARM_FEATURE_SVE
#define SWITCH_LOST_SVE                                                      \
	, "p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9", "p10", \
		"p11", "p12", "p13", "p14", "p15", "ffr"
#else
#define SWITCH_LOST_SVE
#endif

static inline __attribute__((always_inline)) void *
_fiber_switch(struct fiber_context *from, const struct fiber_context *to,
	      void *pass)
{
	register void *x0 __asm__("x0") = pass;
	register struct fiber_context *x1 __asm__("x1") = from;
	register const struct fiber_context *x2 __asm__("x2") = to;

	/* "hint #36" is BTI J, for assemblers that do not know it. */
	/* One instruction a line. */
	/* clang-format off */
	__asm__ volatile(
		"adr x3, 1f\n\t"
		"mov x4, sp\n\t"
		"stp x3, x4, [x1]\n\t"
		"str x29, [x1, #16]\n\t"
		"ldp x3, x4, [x2]\n\t"
		SWITCH_CFI_LOST("x30")
		"ldr x29, [x2, #16]\n\t"
		"mov sp, x4\n\t"
		"br x3\n"
		"1:\t"
		SWITCH_CFI_FOUND
		"hint #36"
		: "+r"(x0), "+r"(x1), "+r"(x2)
		:
		: "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12",
		  "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21",
		  "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x30",
		  "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9",
		  "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18",
		  "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27",
		  "v28", "v29", "v30", "v31",
		  "cc", "memory" SWITCH_LOST_SVE);
	/* clang-format on */
	return x0;
}

#undef SWITCH_LOST_SVE

#endif /* FIBER_ARCH_AARCH64_SWITCH_H */
