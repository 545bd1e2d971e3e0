// SPDX-License-Identifier: MIT
/*
 * A switch goes on where its target left off, and passes a word.
 */
#include <pthread.h>
#include <stdlib.h>

#include "coro.h"
#include "harness.h"

#define ROUNDS 1000000
#define RING 1000

static struct coro root;

/* Add 1 to what is passed and give it back. */
static void add_one(struct coro *self, void *arg)
{
	for (;;)
		arg = coro_switch(self, self->from,
				  (void *)((uintptr_t)arg + 1));
}

static void there_and_back(void)
{
	struct coro co;
	uintptr_t n = 0;

	coro_init(&co, add_one);
	while (n < 1000)
		n = (uintptr_t)coro_switch(&root, &co, (void *)n);
	CHECK_EQ(n, 1000);
	coro_free(&co);
}

/* What one costs, without anything around it. */
static struct fiber_context bare_root;
static struct fiber_context bare;

__attribute__((no_sanitize("address"))) static void bounce(void *arg)
{
	for (;;)
		arg = _fiber_switch(&bare, &bare_root, arg);
}

__attribute__((no_sanitize("address"))) static void bare_switch(void)
{
	char *stack = malloc(CORO_STACK);
	void *pass = stack;
	int64_t start;
	int i;

	_fiber_context_init(&bare, stack + CORO_STACK, bounce);
	start = test_now();
	for (i = 0; i < ROUNDS; i++)
		pass = _fiber_switch(&bare_root, &bare, pass);
	test_note("%.2f ns a round trip",
		  (double)(test_now() - start) / ROUNDS);
	CHECK(pass == stack);
	free(stack);
}

/* Each frame holds on to a word of its own over the switch. */
static uintptr_t sum_below(struct coro *self, uintptr_t n)
{
	uintptr_t below = n ? sum_below(self, n - 1) : 0;

	return below + (uintptr_t)coro_switch(self, self->from, (void *)n);
}

static void sum_up(struct coro *self, void *arg)
{
	uintptr_t sum = sum_below(self, (uintptr_t)arg);

	coro_end(self, self->from, (void *)sum);
}

static void in_the_midst_of_a_recursion(void)
{
	struct coro co;
	uintptr_t n;

	coro_init(&co, sum_up);
	n = (uintptr_t)coro_switch(&root, &co, (void *)50);
	CHECK_EQ(n, 0);
	for (uintptr_t i = 0; i < 50; i++) {
		CHECK_EQ(n, i);
		n = (uintptr_t)coro_switch(&root, &co, (void *)(2 * n));
	}
	n = (uintptr_t)coro_switch(&root, &co, (void *)100);
	CHECK_EQ(n, 51 * 50);
	coro_free(&co);
}

static struct coro ring[RING];

static void hand_on(struct coro *self, void *arg)
{
	for (;;) {
		struct coro *next = self + 1;

		if (next == ring + RING)
			next = &root;
		arg = coro_switch(self, next, (void *)((uintptr_t)arg + 1));
	}
}

static void around_a_ring(void)
{
	uintptr_t n = 0;
	int i;

	for (i = 0; i < RING; i++)
		coro_init(&ring[i], hand_on);
	for (i = 0; i < 3; i++)
		n = (uintptr_t)coro_switch(&root, &ring[0], (void *)n);
	CHECK_EQ(n, 3 * RING);
	for (i = 0; i < RING; i++)
		coro_free(&ring[i]);
}

static void *go_on_here(void *arg)
{
	struct coro thread = { 0 };

	return coro_switch(&thread, arg, (void *)5);
}

static void on_another_thread(void)
{
	struct coro co;
	pthread_t thread;
	void *n;

	coro_init(&co, add_one);
	CHECK_EQ((uintptr_t)coro_switch(&root, &co, (void *)1), 2);
	CHECK_EQ(pthread_create(&thread, NULL, go_on_here, &co), 0);
	CHECK_EQ(pthread_join(thread, &n), 0);
	CHECK_EQ((uintptr_t)n, 6);
	CHECK_EQ((uintptr_t)coro_switch(&root, &co, (void *)7), 8);
	coro_free(&co);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(there_and_back),
		TEST(bare_switch),
		TEST(in_the_midst_of_a_recursion),
		TEST(around_a_ring),
		TEST(on_another_thread),
	};

	return RUN(argc, argv, tests);
}
