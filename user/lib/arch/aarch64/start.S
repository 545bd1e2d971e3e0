/* SPDX-License-Identifier: MIT */
/*
 * The root of every stack on aarch64.
 *
 * Arrived at by a switch: x0 is what it passed, x29 the entry function, sp the
 * top of the stack, a multiple of 16.
 */
	.text
	.globl	_fiber_context_start
	.hidden	_fiber_context_start
	.type	_fiber_context_start, %function
_fiber_context_start:
	.cfi_startproc
	.cfi_undefined x30
	hint	#36		/* bti j */
	mov	x4, x29
	mov	x29, xzr
	mov	x30, xzr
	blr	x4
	brk	#1000
	.cfi_endproc
	.size	_fiber_context_start, . - _fiber_context_start

	.section .note.GNU-stack, "", %progbits

/* BTI and PAC, not GCS: a linker gives its output what all of its inputs have. */
	.section .note.gnu.property, "a", %note
	.balign	8
	.long	4		/* size of the name */
	.long	16		/* size of what follows the name */
	.long	5		/* NT_GNU_PROPERTY_TYPE_0 */
	.asciz	"GNU"
	.long	0xc0000000	/* GNU_PROPERTY_AARCH64_FEATURE_1_AND */
	.long	4
	.long	3		/* BTI and PAC */
	.long	0
