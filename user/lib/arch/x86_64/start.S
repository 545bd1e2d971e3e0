/* SPDX-License-Identifier: MIT */
/*
 * The root of every stack on x86_64.
 *
 * Arrived at by a switch: rdi is what it passed, rbp the entry function, rsp
 * the top of the stack, a multiple of 16 as the ABI has it before a call.
 */
	.text
	.globl	_fiber_context_start
	.hidden	_fiber_context_start
	.type	_fiber_context_start, @function
_fiber_context_start:
	.cfi_startproc
	.cfi_undefined rip
	endbr64
	movq	%rbp, %rax
	xorl	%ebp, %ebp
	call	*%rax
	ud2
	.cfi_endproc
	.size	_fiber_context_start, . - _fiber_context_start

	.section .note.GNU-stack, "", @progbits

/* IBT but not SHSTK: a linker gives its output what all of its inputs have. */
	.section .note.gnu.property, "a", @note
	.balign	8
	.long	4		/* size of the name */
	.long	16		/* size of what follows the name */
	.long	5		/* NT_GNU_PROPERTY_TYPE_0 */
	.asciz	"GNU"
	.long	0xc0000002	/* GNU_PROPERTY_X86_FEATURE_1_AND */
	.long	4
	.long	1		/* GNU_PROPERTY_X86_FEATURE_1_IBT */
	.long	0
