// SPDX-License-Identifier: MIT
/*
 * What a switch keeps and what it leaves to the thread.
 *
 * Values of every class of register are live across a switch to a coroutine
 * that overwrites every register it can. Once the switch is inlined, so that
 * all of them are at stake, and once behind a call, where the ABI has some of
 * them preserved.
 */
#include <fenv.h>
#include <math.h>

#include "coro.h"
#include "harness.h"

#ifdef __SIZEOF_INT128__
typedef unsigned long long vector __attribute__((vector_size(16)));
#endif

static struct coro root;
static struct coro other;
static volatile uint64_t seed = 1;

static void overwrite_registers(void)
{
#if defined(__x86_64__)
	__asm__ volatile(
		"movq $-1, %%rax; movq %%rax, %%rbx; movq %%rax, %%rcx\n\t"
		"movq %%rax, %%rdx; movq %%rax, %%rsi; movq %%rax, %%rdi\n\t"
		"movq %%rax, %%r8; movq %%rax, %%r9; movq %%rax, %%r10\n\t"
		"movq %%rax, %%r11; movq %%rax, %%r12; movq %%rax, %%r13\n\t"
		"movq %%rax, %%r14; movq %%rax, %%r15\n\t"
		"pcmpeqd %%xmm0, %%xmm0; movaps %%xmm0, %%xmm1\n\t"
		"movaps %%xmm0, %%xmm2; movaps %%xmm0, %%xmm3\n\t"
		"movaps %%xmm0, %%xmm4; movaps %%xmm0, %%xmm5\n\t"
		"movaps %%xmm0, %%xmm6; movaps %%xmm0, %%xmm7\n\t"
		"movaps %%xmm0, %%xmm8; movaps %%xmm0, %%xmm9\n\t"
		"movaps %%xmm0, %%xmm10; movaps %%xmm0, %%xmm11\n\t"
		"movaps %%xmm0, %%xmm12; movaps %%xmm0, %%xmm13\n\t"
		"movaps %%xmm0, %%xmm14; movaps %%xmm0, %%xmm15\n\t" ::
			: "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9",
			  "r10", "r11", "r12", "r13", "r14", "r15", "xmm0",
			  "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
			  "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
			  "xmm13", "xmm14", "xmm15", "cc");
#elif defined(__aarch64__)
	__asm__ volatile(
		"mov x0, #-1; mov x1, x0; mov x2, x0; mov x3, x0\n\t"
		"mov x4, x0; mov x5, x0; mov x6, x0; mov x7, x0; mov x8, x0\n\t"
		"mov x9, x0; mov x10, x0; mov x11, x0; mov x12, x0\n\t"
		"mov x13, x0; mov x14, x0; mov x15, x0; mov x16, x0\n\t"
		"mov x17, x0; mov x19, x0; mov x20, x0; mov x21, x0\n\t"
		"mov x22, x0; mov x23, x0; mov x24, x0; mov x25, x0\n\t"
		"mov x26, x0; mov x27, x0; mov x28, x0\n\t"
		"fmov d0, x0; fmov d1, x0; fmov d2, x0; fmov d3, x0\n\t"
		"fmov d8, x0; fmov d9, x0; fmov d10, x0; fmov d11, x0\n\t"
		"fmov d12, x0; fmov d13, x0; fmov d14, x0; fmov d15, x0\n\t"
		"fmov d16, x0; fmov d17, x0; fmov d18, x0; fmov d19, x0\n\t" ::
			: "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8",
			  "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16",
			  "x17", "x19", "x20", "x21", "x22", "x23", "x24",
			  "x25", "x26", "x27", "x28", "v0", "v1", "v2", "v3",
			  "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15",
			  "v16", "v17", "v18", "v19");
#endif
}

static void overwrite(struct coro *self, void *arg)
{
	for (;;) {
		overwrite_registers();
		arg = coro_switch(self, self->from, arg);
	}
}

/* 12 words, 6 doubles, a long double and 2 vectors: more than there is room. */
#define DECLARE                                                            \
	uint64_t s = seed;                                                 \
	uint64_t a = s + 1, b = s + 2, c = s + 3, d = s + 4, e = s + 5,    \
		 f = s + 6, g = s + 7, h = s + 8, i = s + 9, j = s + 10,   \
		 k = s + 11, l = s + 12;                                   \
	double m = s + 13, n = s + 14, o = s + 15, p = s + 16, q = s + 17, \
	       r = s + 18;                                                 \
	long double t = s + 19;                                            \
	vector u = { s + 20, s + 21 }, v = { s + 22, s + 23 }

#define VERIFY                                                               \
	do {                                                                 \
		CHECK(a == 2 && b == 3 && c == 4 && d == 5 && e == 6);       \
		CHECK(f == 7 && g == 8 && h == 9 && i == 10 && j == 11);     \
		CHECK(k == 12 && l == 13 && m == 14 && n == 15 && o == 16);  \
		CHECK(p == 17 && q == 18 && r == 19 && t == 20);             \
		CHECK(u[0] == 21 && u[1] == 22 && v[0] == 23 && v[1] == 24); \
	} while (0)

static void live_over_an_inlined_switch(void)
{
	struct coro *from;
	DECLARE;

	coro_init(&other, overwrite);
	root.to = &other;
	_fiber_sanitize_leave(&root.sanitize, &other.sanitize);
	from = _fiber_switch(&root.ctx, &other.ctx, &root);
	_fiber_sanitize_arrive(&root.sanitize, &from->sanitize);
	VERIFY;
	coro_free(&other);
}

static void live_over_a_call_that_switches(void)
{
	DECLARE;

	coro_init(&other, overwrite);
	coro_switch(&root, &other, NULL);
	VERIFY;
	coro_free(&other);
}

static void see_up_set_down(struct coro *self, void *arg)
{
	(void)arg;
	CHECK_EQ(fegetround(), FE_UPWARD);
	fesetround(FE_DOWNWARD);
	coro_end(self, self->from, NULL);
}

/* mxcsr and the x87 control word, or fpcr. */
static void rounding_belongs_to_the_thread(void)
{
	volatile double number = 1.5;
	volatile long double long_number = 1.5;

	fesetround(FE_UPWARD);
	coro_init(&other, see_up_set_down);
	coro_switch(&root, &other, NULL);
	CHECK_EQ(fegetround(), FE_DOWNWARD);
	CHECK_EQ(lrint(number), 1);
	CHECK_EQ(lrintl(long_number), 1);
	coro_free(&other);
}

#ifdef __x86_64__
static uint32_t get_mxcsr(void)
{
	uint32_t mxcsr;

	__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
	return mxcsr;
}

static void see_flush_to_zero(struct coro *self, void *arg)
{
	(void)arg;
	CHECK(get_mxcsr() & 0x8000);
	coro_end(self, self->from, NULL);
}

static void flush_to_zero_belongs_to_the_thread(void)
{
	uint32_t mxcsr = get_mxcsr() | 0x8000;

	__asm__ volatile("ldmxcsr %0" ::"m"(mxcsr));
	coro_init(&other, see_flush_to_zero);
	coro_switch(&root, &other, NULL);
	CHECK(get_mxcsr() & 0x8000);
	coro_free(&other);
}
#endif

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(live_over_an_inlined_switch),
		TEST(live_over_a_call_that_switches),
		TEST(rounding_belongs_to_the_thread),
#ifdef __x86_64__
		TEST(flush_to_zero_belongs_to_the_thread),
#endif
	};

	return RUN(argc, argv, tests);
}
