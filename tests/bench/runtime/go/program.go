// SPDX-License-Identifier: MIT

package main

import "time"

// Small programs that others measure their runtimes with.
var programRows = []row{
	{"ring10k", ring10k},
	{"daisychain10k", daisychain10k},
	{"sieve5000", func() { sieve("sieve5000", 0) }},
	{"sieve5000_buffered2", func() { sieve("sieve5000_buffered2", 2) }},
	{"skynet1m", skynet1m},
}

// ring10k has one token go round 10,000 goroutines.
func ring10k() {
	const size = 10000
	laps := 1 + scaled(200)
	first := make(chan uint64)
	last := first
	for i := 0; i < size; i++ {
		left, right := last, make(chan uint64)
		last = right
		go func() {
			for i := 0; i < laps; i++ {
				right <- 1 + <-left
			}
		}()
	}
	var t time.Time
	// Its first lap starts them all.
	for i := 0; i < laps; i++ {
		if i == 1 {
			t = time.Now()
		}
		first <- 0
		if <-last != size {
			die("a goroutine was left out")
		}
	}
	emit("ring10k", since(t, (laps-1)*size), "ns")
}

func daisychainMs() float64 {
	const size = 10000
	t := time.Now()
	leftmost := make(chan uint64)
	left := leftmost
	for i := 0; i < size; i++ {
		right := make(chan uint64)
		go func(left, right chan uint64) { left <- 1 + <-right }(left, right)
		left = right
	}
	go func(c chan uint64) { c <- 1 }(left)
	if <-leftmost != size+1 {
		die("a goroutine was left out")
	}
	return sinceMs(t)
}

func daisychain10k() {
	ms := make([]float64, scaled(50))
	daisychainMs()
	for i := range ms {
		ms[i] = daisychainMs()
	}
	emit("daisychain10k", quantile(ms, 0.5), "ms")
}

func filter(in, out chan uint64, prime uint64) {
	for {
		if v := <-in; v%prime != 0 {
			out <- v
		}
	}
}

func sieve(name string, capacity int) {
	n := scaled(5000)
	var prime uint64
	t := time.Now()
	c := make(chan uint64, capacity)
	go func(c chan uint64) {
		for i := uint64(2); ; i++ {
			c <- i
		}
	}(c)
	for i := 0; i < n; i++ {
		prime = <-c
		out := make(chan uint64, capacity)
		go filter(c, out, prime)
		c = out
	}
	if n == 5000 && prime != 48611 {
		die("%d is not the 5000th prime", prime)
	}
	emit(name, sinceMs(t), "ms")
}

func skynet(c chan uint64, number, size uint64) {
	if size == 1 {
		c <- number
		return
	}
	children := make(chan uint64)
	size /= 10
	for i := uint64(0); i < 10; i++ {
		go skynet(children, number+i*size, size)
	}
	sum := uint64(0)
	for i := 0; i < 10; i++ {
		sum += <-children
	}
	c <- sum
}

func skynet1m() {
	c := make(chan uint64)
	t := time.Now()
	go skynet(c, 0, 1000000)
	if <-c != 499999500000 {
		die("skynet came out wrong")
	}
	emit("skynet1m", sinceMs(t), "ms")
}
