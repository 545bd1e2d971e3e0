// SPDX-License-Identifier: MIT
/*
 * Who waits for a page holds up nobody else: not those that use the same channel
 * at the same time, and not those whose turn it is to run.
 *
 * userfaultfd() makes the first touch of a page wait until this program has
 * provided it, as a page that is swapped out to a slow disk would. The pages are
 * under the element of one sender or receiver, or under a fresh stack. They are
 * provided after 50 ms and when the others have got on meanwhile; if they do not
 * in ten seconds they are held up.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harsh.h"

#define WORKERS 4
#define PAIRS 3 /* of others */
#define FAULT_NS (50 * MSEC)
#define PATIENCE_NS (10 * SEC)
/* What the others do in the time of a fault. */
#define WANTED 100
#define ELEM_SIZE_MAX 4096

static int uffd;
static size_t page_size;
static char *page; /* under the element */
static char contents[ELEM_SIZE_MAX]; /* of a page that is provided */
static atomic_ulong faults;
static atomic_bool over;
static pthread_t provider;

/* The channel, and what is done with it by the others. */
static struct fiber_chan *chan;
static size_t elem_size;
static atomic_ulong done_by_others;
static atomic_ulong sum_sent;
static atomic_ulong sum_received;
static atomic_bool stopping;

static void provide(char *at)
{
	struct uffdio_copy copy = {
		.dst = (uintptr_t)at,
		.src = (uintptr_t)contents,
		.len = page_size,
	};
	struct uffdio_range range = { .start = copy.dst, .len = page_size };

	/* Two that wait for the same page are told of one each. */
	if (ioctl(uffd, UFFDIO_COPY, &copy) && errno == EEXIST)
		CHECK_EQ(ioctl(uffd, UFFDIO_WAKE, &range), 0);
}

static void wait_for_others(void)
{
	unsigned long before = atomic_load(&done_by_others);
	int64_t start = test_now();
	unsigned long n;

	do {
		usleep(1000);
		n = atomic_load(&done_by_others) - before;
	} while (test_now() < start + FAULT_NS ||
		 (n < WANTED && test_now() < start + PATIENCE_NS));
	CHECK(n >= WANTED);
}

static void *provide_pages(void *arg)
{
	struct pollfd poll_fd = { .fd = uffd, .events = POLLIN };
	struct uffd_msg msg;

	(void)arg;
	while (!atomic_load(&over)) {
		if (poll(&poll_fd, 1, 10) <= 0 ||
		    read(uffd, &msg, sizeof(msg)) != sizeof(msg))
			continue;
		CHECK_EQ(msg.event, UFFD_EVENT_PAGEFAULT);
		wait_for_others();
		atomic_fetch_add(&faults, 1);
		provide((char *)(uintptr_t)(msg.arg.pagefault.address &
					    -page_size));
	}
	return NULL;
}

static void start_provider(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	int flags = O_CLOEXEC | O_NONBLOCK;

	page_size = sysconf(_SC_PAGESIZE);
	if (page_size > ELEM_SIZE_MAX)
		test_skip("pages are larger than elements");
	uffd = syscall(SYS_userfaultfd, flags);
	/* To stop programs only, and not the kernel, more users are allowed. */
	if (uffd < 0)
		uffd = syscall(SYS_userfaultfd, flags | UFFD_USER_MODE_ONLY);
	if (uffd < 0)
		test_skip("userfaultfd(): %s", strerror(errno));
	CHECK_EQ(ioctl(uffd, UFFDIO_API, &api), 0);
	CHECK_EQ(pthread_create(&provider, NULL, provide_pages, NULL), 0);
}

static void stop_provider(void)
{
	atomic_store(&over, true);
	CHECK_EQ(pthread_join(provider, NULL), 0);
	close(uffd);
}

static int watch_pages(char *from, size_t size)
{
	struct uffdio_register reg = {
		.range = { .start = (uintptr_t)from, .len = size },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	return ioctl(uffd, UFFDIO_REGISTER, &reg) ? -errno : 0;
}

/* An element of any size is its number, again and again. */
static void write_elem(uint64_t *elem, uint64_t number)
{
	size_t i;

	for (i = 0; i < elem_size / sizeof(*elem); i++)
		elem[i] = number + i;
}

static void has_received(const uint64_t *elem)
{
	size_t i;

	for (i = 0; i < elem_size / sizeof(*elem); i++)
		CHECK_EQ(elem[i], elem[0] + i);
	atomic_fetch_add(&sum_received, elem[0]);
}

/* A page further down each time. */
__attribute__((noinline)) static int go_down(int pages)
{
	volatile char frame[ELEM_SIZE_MAX];

	frame[0] = 1;
	if (pages > 1)
		frame[0] += go_down(pages - 1);
	return frame[0];
}

/* Those who are to go on have the pages that they may want. */
#define PAGES_WARM 6

static int keep_sending(void *arg)
{
	uint64_t elem[ELEM_SIZE_MAX / sizeof(uint64_t)];
	uint64_t number = (uint64_t)(uintptr_t)arg << 32;

	go_down(PAGES_WARM);
	while (!atomic_load(&stopping)) {
		write_elem(elem, number);
		CHECK_EQ(fiber_send(chan, elem), 0);
		atomic_fetch_add(&sum_sent, number++);
		atomic_fetch_add(&done_by_others, 1);
	}
	return 0;
}

static int keep_receiving(void *arg)
{
	uint64_t elem[ELEM_SIZE_MAX / sizeof(uint64_t)];

	(void)arg;
	go_down(PAGES_WARM);
	while (!fiber_recv(chan, elem)) {
		has_received(elem);
		atomic_fetch_add(&done_by_others, 1);
	}
	return 0;
}

static struct fiber *senders[PAIRS];
static struct fiber *receivers[PAIRS];

static void start_others(size_t size, size_t capacity)
{
	uintptr_t i;

	elem_size = size;
	chan = new_chan(size, capacity);
	atomic_store(&stopping, false);
	for (i = 0; i < PAIRS; i++) {
		senders[i] = spawn(keep_sending, (void *)(i + 1));
		receivers[i] = spawn(keep_receiving, NULL);
	}
}

static void stop_others(void)
{
	int i;

	atomic_store(&stopping, true);
	for (i = 0; i < PAIRS; i++)
		CHECK_EQ(join(senders[i]), 0);
	CHECK_EQ(fiber_chan_close(chan), 0);
	for (i = 0; i < PAIRS; i++)
		CHECK_EQ(join(receivers[i]), 0);
	CHECK_EQ(atomic_load(&sum_sent), atomic_load(&sum_received));
	fiber_chan_put(chan);
}

static int select_elem(int op)
{
	struct fiber_case cases[] = {
		{ .chan = new_chan(0, 0), .op = FIBER_RECV },
		{ .chan = chan, .op = op, .elem = page },
	};

	CHECK_EQ(fiber_select(cases, 2, 0), 1);
	fiber_chan_put(cases[0].chan);
	return cases[1].result;
}

static void send_slowly(bool by_select)
{
	uint64_t number = UINT64_C(9) << 32 | atomic_load(&faults);

	write_elem((uint64_t *)contents, number);
	CHECK_EQ(by_select ? select_elem(FIBER_SEND) : fiber_send(chan, page),
		 0);
	atomic_fetch_add(&sum_sent, number);
}

static void receive_slowly(bool by_select)
{
	memset(contents, 0, sizeof(contents));
	CHECK_EQ(by_select ? select_elem(FIBER_RECV) : fiber_recv(chan, page),
		 0);
	has_received((uint64_t *)page);
}

/* What the test does with the page. */
static int slow_op;
static bool slow_by_select;

static void be_slow(size_t size, size_t capacity)
{
	unsigned long before;
	int i;

	start_others(size, capacity);
	for (i = 0; i < 2; i++) {
		before = atomic_load(&faults);
		CHECK_EQ(madvise(page, page_size, MADV_DONTNEED), 0);
		if (slow_op == FIBER_SEND)
			send_slowly(slow_by_select);
		else
			receive_slowly(slow_by_select);
		CHECK_EQ(atomic_load(&faults), before + 1);
	}
	stop_others();
}

static void be_slow_in_all_ways(void)
{
	static const size_t sizes[] = { 8, 128, 4096 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		be_slow(sizes[i], 0);
		be_slow(sizes[i], 4);
	}
}

static void run_slow(int op, bool by_select)
{
	start_provider();
	page = mmap(NULL, page_size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(page != MAP_FAILED);
	CHECK_EQ(watch_pages(page, page_size), 0);
	slow_op = op;
	slow_by_select = by_select;
	run_with(WORKERS, 0, be_slow_in_all_ways);
	stop_provider();
}

static void element_of_a_sender(void)
{
	run_slow(FIBER_SEND, false);
}

static void element_of_a_receiver(void)
{
	run_slow(FIBER_RECV, false);
}

static void element_sent_by_select(void)
{
	run_slow(FIBER_SEND, true);
}

static void element_received_by_select(void)
{
	run_slow(FIBER_RECV, true);
}

/* The mapping in which the address is. */
static void find_mapping(const void *address, char **from, size_t *size)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	uintptr_t low = 0;
	uintptr_t high = 0;
	char line[512];

	CHECK(maps);
	do {
		CHECK(fgets(line, sizeof(line), maps));
		if (sscanf(line, "%lx-%lx", &low, &high) != 2)
			high = 0;
	} while ((uintptr_t)address >= high);
	fclose(maps);
	*from = (char *)low;
	*size = high - low;
}

#define PAGES_DOWN 3

static atomic_int arrived;

static int use_a_fresh_stack(void *hold)
{
	uint64_t elem = UINT64_C(8) << 32;

	CHECK_EQ(fiber_send(chan, &elem), 0);
	atomic_fetch_add(&sum_sent, elem);
	CHECK_EQ(go_down(PAGES_DOWN), PAGES_DOWN);
	CHECK_EQ(fiber_recv(chan, &elem), 0);
	has_received(&elem);
	atomic_fetch_add(&arrived, 1);
	/* Its stack is not for the next one. */
	CHECK_EQ(fiber_recv(hold, NULL), -EPIPE);
	return 0;
}

#define FRESH 4 /* that are to wait for each of their pages */
#define FRESH_MAX 400

/*
 * One after the other, as each takes a worker for the time of its faults. Those
 * that are given a stack of another mapping do not count.
 */
static int start_fresh_ones(struct fiber **fibers, struct fiber_chan *hold)
{
	int slow = 0;
	int n = 0;

	while (slow < FRESH) {
		unsigned long before = atomic_load(&faults);

		CHECK(n < FRESH_MAX);
		fibers[n++] = spawn(use_a_fresh_stack, hold);
		while (atomic_load(&arrived) < n)
			CHECK_EQ(fiber_sleep(MSEC), 0);
		slow += atomic_load(&faults) - before > PAGES_DOWN;
	}
	return n;
}

static bool guards_split_the_mapping;

static void have_fresh_ones(void)
{
	struct fiber_status status = { .size = sizeof(status) };
	struct fiber_chan *hold = new_chan(0, 0);
	struct fiber *fibers[FRESH_MAX];
	char *from;
	size_t size;
	int n;

	CHECK_EQ(fiber_status(&status), 0);
	guards_split_the_mapping = status.guard != FIBER_GUARDS_INSTALL;
	if (!guards_split_the_mapping) {
		go_down(PAGES_WARM);
		start_others(sizeof(uint64_t), 0);
		while (atomic_load(&done_by_others) < WANTED)
			fiber_yield();
		find_mapping(&size, &from, &size);
		CHECK_EQ(watch_pages(from, size), 0);
		n = start_fresh_ones(fibers, hold);
		CHECK_EQ(fiber_chan_close(hold), 0);
		while (n-- > 0)
			CHECK_EQ(join(fibers[n]), 0);
		stop_others();
	}
	fiber_chan_put(hold);
}

static void fresh_stack(void)
{
	start_provider();
	run_with(WORKERS, 0, have_fresh_ones);
	stop_provider();
	if (guards_split_the_mapping)
		test_skip("each stack is a mapping of its own");
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(element_of_a_sender),
		TEST(element_of_a_receiver),
		TEST(element_sent_by_select),
		TEST(element_received_by_select),
		TEST(fresh_stack),
	};

	return RUN(argc, argv, tests);
}
