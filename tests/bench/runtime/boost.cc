// SPDX-License-Identifier: MIT
/*
 * build/bench/boost ROW WORKERS - measure one row of Boost.Fiber, in the shapes of
 * the C programs beside this file. One worker is the round-robin scheduler, more
 * are work stealing, as in Boost's own examples; a worker without work spins.
 * Stacks are as large as libfiber's and come from malloc(), without guards;
 * malloc() keeps what is freed, which is several times as fast.
 */
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>
#include <malloc.h>
#include <unistd.h>
#include <boost/fiber/all.hpp>

namespace bf = boost::fibers;
using rendezvous = bf::unbuffered_channel<uint64_t>;
using buffer = bf::buffered_channel<uint64_t>;

namespace
{

int workers;

[[noreturn]] void die(const char *why)
{
	std::fprintf(stderr, "%s\n", why);
	_exit(1);
}

int64_t now()
{
	return std::chrono::duration_cast<std::chrono::nanoseconds>(
		       std::chrono::steady_clock::now().time_since_epoch())
		.count();
}

long scaled(long n)
{
	const char *scale = std::getenv("BENCH_SCALE");
	double d = scale ? n * std::atof(scale) : n;

	return d < 1 ? 1 : static_cast<long>(d);
}

void print(const char *name, double value, const char *unit)
{
	std::printf("%s\t%.3f\t%s\n", name, value, unit);
}

template <typename Fn> bf::fiber spawn(Fn fn)
{
	return bf::fiber(bf::launch::post, std::allocator_arg,
			 bf::fixedsize_stack(65536), std::move(fn));
}

/* ---- yielding, and fibers that begin and end ---- */

void yielders(int n, long yields)
{
	std::vector<bf::fiber> fibers;

	for (int i = 0; i < n; i++)
		fibers.push_back(spawn([yields] {
			for (long k = 0; k < yields; k++)
				boost::this_fiber::yield();
		}));
	for (auto &fiber : fibers)
		fiber.join();
}

void yield_of(const char *name, int n)
{
	long yields = scaled(4000000 / n);
	int64_t t;

	yielders(n, 10);
	t = now();
	yielders(n, yields);
	print(name, double(now() - t) / (double(yields) * n), "ns");
}

void spawn_join()
{
	long n = scaled(300000);
	int64_t t = 0;

	for (long i = -1000; i < n; i++) {
		if (!i)
			t = now();
		spawn([] {}).join();
	}
	print("spawn_join", double(now() - t) / n, "ns");
}

void spawn_batch1000()
{
	long n = scaled(300);
	int64_t t = 0;

	for (long i = -1; i < n; i++) {
		std::vector<bf::fiber> fibers;

		if (!i)
			t = now();
		for (int k = 0; k < 1000; k++)
			fibers.push_back(spawn([] {}));
		for (auto &fiber : fibers)
			fiber.join();
	}
	print("spawn_batch1000", double(now() - t) / (n * 1000.0), "ns");
}

/* ---- messages ---- */

double pingpong_ns(long n)
{
	rendezvous there, back;
	int64_t t;

	bf::fiber other = spawn([&, n] {
		for (long i = 0; i < n; i++)
			back.push(there.value_pop() + 1);
	});
	t = now();
	for (long i = 0; i < n; i++) {
		there.push(i);
		if (back.value_pop() != uint64_t(i) + 1)
			die("a message came out wrong");
	}
	t = now() - t;
	other.join();
	return double(t) / n;
}

void pingpong()
{
	pingpong_ns(1000);
	print("pingpong", pingpong_ns(scaled(1000000)), "ns");
}

template <typename Chan> double stream_ns(Chan &chan, int pairs, long n)
{
	std::vector<bf::fiber> fibers;
	int64_t t = now();

	n /= pairs;
	for (int i = 0; i < pairs; i++) {
		fibers.push_back(spawn([&chan, n] {
			for (long k = 0; k < n; k++)
				chan.value_pop();
		}));
		fibers.push_back(spawn([&chan, n] {
			for (long k = 0; k < n; k++)
				chan.push(k);
		}));
	}
	for (auto &fiber : fibers)
		fiber.join();
	return double(now() - t) / (double(n) * pairs);
}

template <typename Chan> void stream(const char *name, Chan &chan, int pairs)
{
	stream_ns(chan, pairs, 1000);
	print(name, stream_ns(chan, pairs, scaled(2000000)), "ns");
}

/* ---- programs ---- */

void ring10k()
{
	const int size = 10000;
	long laps = 1 + scaled(50);
	std::vector<rendezvous> chans(size + 1);
	std::vector<bf::fiber> fibers;
	int64_t t = 0;

	for (int i = 0; i < size; i++)
		fibers.push_back(spawn([&chans, i, laps] {
			for (long k = 0; k < laps; k++)
				chans[i + 1].push(chans[i].value_pop() + 1);
		}));
	/* Its first lap starts them all. */
	for (long i = 0; i < laps; i++) {
		if (i == 1)
			t = now();
		chans[0].push(0);
		if (chans[size].value_pop() != uint64_t(size))
			die("a fiber was left out");
	}
	print("ring10k", double(now() - t) / ((laps - 1) * double(size)),
	      "ns");
	for (auto &fiber : fibers)
		fiber.join();
}

/*
 * A child runs at once, as in Boost's own skynet: were they queued, most of the
 * million would be there at a time. So parents and children need some room in
 * between; the channel of ten is Boost's as well.
 */
uint64_t skynet(uint64_t number, uint64_t size)
{
	if (size == 1)
		return number;

	buffer chan(16);
	uint64_t sum = 0;

	size /= 10;
	for (int i = 0; i < 10; i++)
		bf::fiber(bf::launch::dispatch, std::allocator_arg,
			  bf::fixedsize_stack(65536),
			  [&chan, number, size, i] {
				  chan.push(skynet(number + i * size, size));
			  })
			.detach();
	for (int i = 0; i < 10; i++)
		sum += chan.value_pop();
	return sum;
}

void skynet1m()
{
	int64_t t = now();

	if (skynet(0, 1000000) != 499999500000)
		die("skynet came out wrong");
	print("skynet1m", (now() - t) / 1e6, "ms");
}

const struct {
	const char *name;
	void (*run)();
} rows[] = {
	{ "yield2", [] { yield_of("yield2", 2); } },
	{ "yield1000", [] { yield_of("yield1000", 1000); } },
	{ "spawn_join", spawn_join },
	{ "spawn_batch1000", spawn_batch1000 },
	{ "pingpong", pingpong },
	{ "send_unbuffered",
	  [] {
		  rendezvous chan;
		  stream("send_unbuffered", chan, 1);
	  } },
	{ "buffered128_spsc",
	  [] {
		  buffer chan(128);
		  stream("buffered128_spsc", chan, 1);
	  } },
	{ "buffered128_4x4",
	  [] {
		  buffer chan(128);
		  stream("buffered128_4x4", chan, 4);
	  } },
	{ "ring10k", ring10k },
	{ "skynet1m", skynet1m },
};

/* Every worker has to say which scheduler; the others then wait for ever. */
void start_workers()
{
	if (workers == 1) {
		bf::use_scheduling_algorithm<bf::algo::round_robin>();
		return;
	}
	for (int i = 1; i < workers; i++)
		std::thread([] {
			bf::mutex lock;
			bf::condition_variable never;
			std::unique_lock<bf::mutex> held(lock);

			bf::use_scheduling_algorithm<bf::algo::work_stealing>(
				workers);
			never.wait(held, [] { return false; });
		}).detach();
	bf::use_scheduling_algorithm<bf::algo::work_stealing>(workers);
}

} // namespace

int main(int argc, char **argv)
{
	if (argc == 2 && !std::strcmp(argv[1], "list")) {
		for (auto &row : rows)
			std::puts(row.name);
		return 0;
	}
	if (argc != 3 || (workers = std::atoi(argv[2])) < 1)
		die("usage: boost ROW WORKERS | list");
	mallopt(M_MMAP_THRESHOLD, 1 << 30);
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
	for (auto &row : rows)
		if (!std::strcmp(row.name, argv[1])) {
			start_workers();
			row.run();
			std::fflush(stdout);
			_exit(0);
		}
	die("no such row");
}
