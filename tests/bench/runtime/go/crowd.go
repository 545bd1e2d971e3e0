// SPDX-License-Identifier: MIT

package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"runtime"
	"sync/atomic"
	"time"
)

// A million goroutines that wait, and a thousand that are woken at once.
var crowdRows = []row{
	{"parked1m", parked1m},
	{"close1m", close1m},
	{"rss_after_burst", rssAfterBurst},
	{"wakestorm", wakestorm},
	{"dump100k", dump100k},
}

const million = 1000000
const restMax = 30

// memory is in bytes.
type memory struct{ rss, tables, vmas float64 }

func readMemory() (m memory) {
	var all, size float64
	status, _ := os.ReadFile("/proc/self/status")
	for _, line := range bytes.Split(status, []byte("\n")) {
		if n, _ := fmt.Sscanf(string(line), "VmRSS: %f", &all); n == 1 {
			m.rss = all * 1024
		}
		if n, _ := fmt.Sscanf(string(line), "VmPTE: %f", &all); n == 1 {
			m.tables = all * 1024
		}
	}
	slabs, _ := os.ReadFile("/proc/slabinfo")
	for _, line := range bytes.Split(slabs, []byte("\n")) {
		if n, _ := fmt.Sscanf(string(line), "vm_area_struct %f %f %f", &all, &all, &size); n == 3 {
			maps, _ := os.ReadFile("/proc/self/maps")
			m.vmas = size * float64(bytes.Count(maps, []byte("\n")))
		}
	}
	return
}

func (m memory) sum() float64 { return m.rss + m.tables + m.vmas }

var begun atomic.Int64
var goroutinesBefore int

func park(n int) chan uint64 {
	c := make(chan uint64)
	goroutinesBefore = runtime.NumGoroutine()
	for i := 0; i < n; i++ {
		go func() {
			begun.Add(1)
			<-c
		}()
		if i%64 == 63 {
			runtime.Gosched()
		}
	}
	for begun.Load() < int64(n) {
		runtime.Gosched()
	}
	return c
}

func allEnded() {
	for runtime.NumGoroutine() > goroutinesBefore {
		runtime.Gosched()
	}
}

func parked1m() {
	n := scaled(million)
	before := readMemory()
	t := time.Now()
	c := park(n)
	emit("parked1m_create", since(t, n), "ns")
	time.Sleep(50 * time.Millisecond)
	emit("parked1m_bytes", (readMemory().sum()-before.sum())/float64(n), "bytes")
	t = time.Now()
	for i := 0; i < n; i++ {
		c <- uint64(i)
	}
	allEnded()
	emit("parked1m_wake", since(t, n), "ns")
}

func close1m() {
	n := scaled(million)
	c := park(n)
	time.Sleep(50 * time.Millisecond)
	t := time.Now()
	close(c)
	called := sinceMs(t)
	allEnded()
	emit("close1m", since(t, n), "ns")
	emit("close1m_call", called, "ms")
}

func rssAfterBurst() {
	before := readMemory().rss
	c := park(scaled(million))
	close(c)
	allEnded()
	emit("rss_after_burst", (readMemory().rss-before)/1048576, "MiB")
	time.Sleep(time.Second)
	emit("rss_after_burst_1s", (readMemory().rss-before)/1048576, "MiB")
	last, rss := math.Inf(1), readMemory().rss
	for i := 0; i < restMax && rss < last-1048576; i++ {
		last = rss
		time.Sleep(time.Second)
		rss = readMemory().rss
	}
	emit("rss_after_burst_rest", (rss-before)/1048576, "MiB")
}

func wakestorm() {
	const receivers = 1000
	rounds := scaled(300)
	c := make(chan uint64)
	for i := 0; i < receivers; i++ {
		go func() {
			for {
				<-c
				begun.Add(1)
			}
		}()
	}
	var sum time.Duration
	for round := 0; round < rounds; round++ {
		time.Sleep(2 * time.Millisecond)
		t := time.Now()
		for i := 0; i < receivers; i++ {
			c <- uint64(i)
		}
		for begun.Load() < int64(round+1)*receivers {
			runtime.Gosched()
		}
		sum += time.Since(t)
	}
	emit("wakestorm", float64(sum)/1e3/float64(rounds), "us")
}

// All of 100,000 that wait, as text; what makes it takes no file, and the room for
// it must be there before. The world is stopped meanwhile.
func dump100k() {
	park(scaled(100000))
	time.Sleep(50 * time.Millisecond)
	null, err := os.OpenFile("/dev/null", os.O_WRONLY, 0)
	if err != nil {
		die("/dev/null: %v", err)
	}
	t := time.Now()
	room := make([]byte, 256<<20)
	n := runtime.Stack(room, true)
	null.Write(room[:n])
	emit("dump100k", sinceMs(t), "ms")
}
