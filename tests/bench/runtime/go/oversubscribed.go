// SPDX-License-Identifier: MIT

package main

import (
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// More threads than CPUs, of which runtime-report gives a process but a few.
var oversubscribedRows = []row{
	{"oversubscribed", besideHog},
	{"oversubscribed_1cpu", onOneCPU},
}

const (
	pairs      = 64
	roundTrips = 200000
	steps      = 1500
)

func computeSteps(x uint64) uint64 {
	for i := 0; i < steps; i++ {
		x = x*1664525 + 1013904223
	}
	return x
}

func ask(trips int, done *sync.WaitGroup) {
	there, back := make(chan uint64), make(chan uint64)
	go func() {
		for i := 0; i < trips; i++ {
			back <- computeSteps(<-there)
		}
	}()
	for i := 0; i < trips; i++ {
		there <- uint64(i)
		<-back
	}
	done.Done()
}

func usage() (cpu, waits float64) {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e6, float64(u.Nvcsw)
}

func measureOversubscribed(name string) {
	var done sync.WaitGroup
	trips := scaled(roundTrips / pairs)
	time.Sleep(20 * time.Millisecond)
	cpu, waits := usage()
	t := time.Now()
	done.Add(pairs)
	for i := 0; i < pairs; i++ {
		go ask(trips, &done)
	}
	done.Wait()
	d := sinceMs(t)
	cpuNow, waitsNow := usage()
	emit(name, d, "ms")
	emit(name+"_used", cpuNow-cpu, "ms")
	emit(name+"_waits", waitsNow-waits, "")
}

func besideHog() {
	hog := exec.Command("sh", "-c", "while :; do :; done")
	hog.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := hog.Start(); err != nil {
		die("%v", err)
	}
	defer hog.Process.Kill()
	measureOversubscribed("oversubscribed")
}

func onOneCPU() {
	measureOversubscribed("oversubscribed_1cpu")
}
