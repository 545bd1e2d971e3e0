// SPDX-License-Identifier: MIT

package main

import (
	"runtime"
	"sync"
	"time"
)

// Mutexes: by one, by many who want it all the time, and handed over.
var syncRows = []row{
	{"mutex_uncontended", mutexUncontended},
	{"mutex_contended", func() { crowd("mutex_contended", count, 4, scaled(10000000)) }},
	{"mutex_handoff", func() { crowd("mutex_handoff", holdAndYield, 2, scaled(2000000)) }},
}

var mutex sync.Mutex
var counter int

func mutexUncontended() {
	n := scaled(20000000)
	var t time.Time
	for i := -1000; i < n; i++ {
		if i == 0 {
			t = time.Now()
		}
		mutex.Lock()
		mutex.Unlock()
	}
	emit("mutex_uncontended", since(t, n), "ns")
}

func count(trips int) {
	for i := 0; i < trips; i++ {
		mutex.Lock()
		counter++
		mutex.Unlock()
	}
}

// holdAndYield has the others wait for it when it is unlocked.
func holdAndYield(trips int) {
	for i := 0; i < trips; i++ {
		mutex.Lock()
		counter++
		runtime.Gosched()
		mutex.Unlock()
	}
}

func crowd(name string, fn func(int), routines, n int) {
	var all sync.WaitGroup
	all.Add(routines)
	t := time.Now()
	for i := 0; i < routines; i++ {
		go func() {
			fn(n / routines)
			all.Done()
		}()
	}
	all.Wait()
	d := time.Since(t)
	if counter != n/routines*routines {
		die("two had the mutex at once")
	}
	emit(name, float64(d)/float64(counter), "ns")
}
