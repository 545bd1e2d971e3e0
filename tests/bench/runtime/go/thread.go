// SPDX-License-Identifier: MIT

package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// Across threads. A goroutine that is locked to a thread of its own stands for
// a thread of the program.
var threadRows = []row{
	{"wake_remote_spin", func() {
		wakeRemote("wake_remote_spin", scaled(100000), 2*time.Microsecond)
	}},
	{"wake_remote_parked", func() {
		wakeRemote("wake_remote_parked", scaled(1000), 1500*time.Microsecond)
	}},
	{"thread_fiber_pingpong", threadPingpong},
	{"lock_os_thread", lockOSThread},
	{"idle", idle},
}

// wakeRemote sends from a goroutine that keeps its CPU, so that another thread
// has to run the receiver. Nothing is pinned: goroutines cannot be.
func wakeRemote(name string, n int, gap time.Duration) {
	var arrived atomic.Int64
	if workers < 2 {
		die("needs two workers")
	}
	us := make([]float64, n)
	there := make(chan time.Time)
	go func() {
		arrived.Store(1)
		for i := range us {
			us[i] = float64(time.Since(<-there)) / 1e3
			arrived.Store(int64(i) + 2)
		}
	}()
	untilArrived := func(n int) {
		for arrived.Load() < int64(n) {
		}
	}
	for i := range us {
		untilArrived(i + 1)
		spin(gap)
		there <- time.Now()
	}
	untilArrived(n + 1)
	emit(name+"_p50", quantile(us, 0.5), "us")
	emit(name+"_p999", quantile(us, 0.999), "us")
}

func echo(there, back chan uint64) {
	for {
		back <- 1 + <-there
	}
}

// askEcho sends to an echo, and measures, in a thread of its own.
func askEcho(name string, there, back chan uint64) {
	n := scaled(50000)
	runtime.LockOSThread()
	var t time.Time
	for i := -100; i < n; i++ {
		if i == 0 {
			t = time.Now()
		}
		there <- uint64(i)
		if <-back != uint64(i)+1 {
			die("a message came out wrong")
		}
	}
	emit(name, since(t, n), "ns")
}

func threadPingpong() {
	there, back := make(chan uint64), make(chan uint64)
	go echo(there, back)
	askEcho("thread_fiber_pingpong", there, back)
}

// lockOSThread is pingpong between two that have a thread each.
func lockOSThread() {
	there, back := make(chan uint64), make(chan uint64)
	go func() {
		runtime.LockOSThread()
		echo(there, back)
	}()
	askEcho("lock_os_thread", there, back)
}

// clock reads a clock of CPU time.
func clock(id uintptr) float64 {
	var t syscall.Timespec
	syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, id, uintptr(unsafe.Pointer(&t)), 0)
	return float64(t.Nano())
}

// others is what all threads but the calling one have used: CPU in ns, and
// context switches.
func others() (cpu, switches float64) {
	const process, thread = 2, 3
	tasks, _ := os.ReadDir("/proc/self/task")
	for _, task := range tasks {
		if task.Name() == fmt.Sprint(syscall.Gettid()) {
			continue
		}
		status, _ := os.ReadFile("/proc/self/task/" + task.Name() + "/status")
		for _, line := range bytes.Split(status, []byte("\n")) {
			var n float64
			for _, kind := range []string{"voluntary_ctxt_switches: %f", "nonvoluntary_ctxt_switches: %f"} {
				if got, _ := fmt.Sscanf(string(line), kind, &n); got == 1 {
					switches += n
				}
			}
		}
	}
	return clock(process) - clock(thread), switches
}

// threadSleep is not time.Sleep, whose timers some thread has to wait for.
func threadSleep(d time.Duration) {
	t := syscall.NsecToTimespec(int64(d))
	syscall.Nanosleep(&t, nil)
}

func use(what string, seconds int, sleep func(time.Duration), ask func()) {
	sleep(500 * time.Millisecond)
	cpu, switches := others()
	for i := 0; i < seconds; i++ {
		ask()
		sleep(time.Second)
	}
	cpuAfter, switchesAfter := others()
	emit("idle_cpu_"+what, (cpuAfter-cpu)/1e6/float64(seconds), "ms/s")
	emit("idle_wakeups_"+what, (switchesAfter-switches)/float64(seconds), "1/s")
}

func idle() {
	there, back := make(chan uint64), make(chan uint64)
	go echo(there, back)
	runtime.LockOSThread()
	// Each with the sleep that costs less: a system call that follows work has
	// the runtime look after it, some forty times.
	use("started", 2, threadSleep, func() {})
	use("1rps", 3, time.Sleep, func() {
		there <- 0
		<-back
	})
}
