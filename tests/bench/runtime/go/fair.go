// SPDX-License-Identifier: MIT

package main

import (
	"runtime"
	"sync/atomic"
	"time"
)

// Who gets a turn, beside 100 goroutines that do nothing but yield.
var fairRows = []row{
	{"fairness", fairness},
	{"starved_fresh", starvedFresh},
}

// A cache line each: counting is not to be what is measured.
var turns [100]struct {
	atomic.Int64
	_ [56]byte
}

func begin() {
	for i := range turns {
		go func(n *atomic.Int64) {
			for {
				n.Add(1)
				runtime.Gosched()
			}
		}(&turns[i].Int64)
	}
	time.Sleep(20 * time.Millisecond)
}

func allTurns() (sum int64) {
	for i := range turns {
		sum += turns[i].Load()
	}
	return
}

func fairness() {
	var before [len(turns)]int64
	begin()
	for i := range turns {
		before[i] = turns[i].Load()
	}
	time.Sleep(500 * time.Millisecond)
	least, most := int64(1)<<62, int64(0)
	for i := range turns {
		share := turns[i].Load() - before[i]
		if share < least {
			least = share
		}
		if share > most {
			most = share
		}
	}
	emit("fairness", float64(least)/float64(most), "min/max")
}

func starvedFresh() {
	n := scaled(2000)
	ns, waited := make([]float64, n), make([]float64, n)
	begin()
	for i := 0; i < n; i++ {
		var ran atomic.Bool
		var ranAt time.Time
		var ranTurns int64
		before := allTurns()
		t := time.Now()
		go func() {
			ranAt = time.Now()
			ranTurns = allTurns()
			ran.Store(true)
		}()
		for !ran.Load() {
			runtime.Gosched()
		}
		ns[i] = float64(ranAt.Sub(t))
		waited[i] = float64(ranTurns - before)
	}
	emit("starved_fresh", quantile(ns, 0.5), "ns")
	emit("starved_fresh_turns", quantile(waited, 0.5), "turns")
	emit("starved_fresh_turns_max", waited[n-1], "turns")
}
