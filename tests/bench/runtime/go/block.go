// SPDX-License-Identifier: MIT

package main

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Goroutines that block their threads, or compute, beside others.
var blockRows = []row{
	{"storm", storm},
	{"sleep1ms_hogs", sleep1msHogs},
}

const (
	blockers = 64
	naps     = 200
)

var units int64

func compute() {
	x := uint32(1)
	for {
		for i := 0; i < 20000; i++ {
			x = x*1664525 + 1013904223
		}
		if x == 0 {
			x = 1
		}
		atomic.AddInt64(&units, 1)
	}
}

func startHogs() {
	for i := 0; i < workers; i++ {
		go compute()
	}
}

func nap(ns int64) {
	t := syscall.NsecToTimespec(ns)
	syscall.Nanosleep(&t, nil)
}

func threads() float64 {
	status, _ := os.ReadFile("/proc/self/status")
	for _, line := range strings.Split(string(status), "\n") {
		if strings.HasPrefix(line, "Threads:") {
			n, _ := strconv.Atoi(strings.TrimSpace(line[8:]))
			return float64(n)
		}
	}
	return 0
}

func storm() {
	var done sync.WaitGroup
	startHogs()
	nap(20000000)
	n := atomic.LoadInt64(&units)
	t := time.Now()
	nap(500000000)
	alone := float64(atomic.LoadInt64(&units)-n) / float64(time.Since(t))
	n = atomic.LoadInt64(&units)
	t = time.Now()
	done.Add(blockers)
	for i := 0; i < blockers; i++ {
		go func() {
			for i := 0; i < naps; i++ {
				nap(5000000)
			}
			done.Done()
		}()
	}
	done.Wait()
	d := time.Since(t)
	beside := float64(atomic.LoadInt64(&units)-n) / float64(d)
	emit("storm_total", float64(d)/1e6, "ms")
	emit("storm_compute", 100*beside/alone, "%")
	emit("storm_threads", threads(), "")
}

func sleep1msHogs() {
	startHogs()
	time.Sleep(50 * time.Millisecond)
	ms := make([]float64, scaled(300))
	for i := range ms {
		t := time.Now()
		time.Sleep(time.Millisecond)
		ms[i] = float64(time.Since(t)-time.Millisecond) / 1e6
	}
	emit("sleep1ms_hogs", quantile(ms, 0.5), "ms")
	emit("sleep1ms_hogs_max", ms[len(ms)-1], "ms")
}
