// SPDX-License-Identifier: MIT

package main

import (
	"runtime"
	"sync"
	"time"
)

// Yielding, and goroutines that begin and end.
var spawnRows = []row{
	{"yield2", func() { emit("yield2", yieldNs(2), "ns") }},
	{"yield1000", func() { emit("yield1000", yieldNs(1000), "ns") }},
	{"spawn_join", spawnJoin},
	{"spawn_batch1000", spawnBatch},
	{"fib35_cut10", fib35},
}

func yielders(n, yields int) {
	var all sync.WaitGroup
	all.Add(n)
	for i := 0; i < n; i++ {
		go func() {
			for i := 0; i < yields; i++ {
				runtime.Gosched()
			}
			all.Done()
		}()
	}
	all.Wait()
}

func yieldNs(n int) float64 {
	yields := scaled(4000000 / n)
	yielders(n, 10)
	t := time.Now()
	yielders(n, yields)
	return since(t, yields*n)
}

func spawnJoin() {
	n := scaled(1000000)
	var one sync.WaitGroup
	var t time.Time
	for i := -1000; i < n; i++ {
		if i == 0 {
			t = time.Now()
		}
		one.Add(1)
		go one.Done()
		one.Wait()
	}
	emit("spawn_join", since(t, n), "ns")
}

func spawnBatch() {
	n := scaled(1000)
	var all sync.WaitGroup
	var t time.Time
	for i := -1; i < n; i++ {
		if i == 0 {
			t = time.Now()
		}
		all.Add(1000)
		for j := 0; j < 1000; j++ {
			go all.Done()
		}
		all.Wait()
	}
	emit("spawn_batch1000", since(t, n*1000), "ns")
}

func fibAlone(n int) int {
	if n < 2 {
		return n
	}
	return fibAlone(n-1) + fibAlone(n-2)
}

// fib makes one half a goroutine's; from 10 down it is a call.
func fib(n int) int {
	if n <= 10 {
		return fibAlone(n)
	}
	var other sync.WaitGroup
	var result int
	other.Add(1)
	go func() {
		result = fib(n - 1)
		other.Done()
	}()
	sum := fib(n - 2)
	other.Wait()
	return sum + result
}

func fib35() {
	t := time.Now()
	if fib(35) != 9227465 {
		die("fib(35) came out wrong")
	}
	emit("fib35_cut10", sinceMs(t), "ms")
}
