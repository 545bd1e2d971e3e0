// SPDX-License-Identifier: MIT

package main

import (
	"runtime"
	"time"
)

// Sleeping and timers.
var timeRows = []row{
	{"sleep50us", sleep50us},
	{"timers1m", timers1m},
}

func sleep50us() {
	us := make([]float64, scaled(2000))
	for i := range us {
		t := time.Now()
		time.Sleep(50 * time.Microsecond)
		us[i] = float64(time.Since(t)-50*time.Microsecond) / 1e3
	}
	emit("sleep50us_overshoot", quantile(us, 0.5), "us")
}

// expire sets all timers to a random time within a millisecond to come.
func expire(timers []*time.Timer) {
	last := len(timers) - 1
	at := time.Now().Add(2 * time.Second)
	state := uint32(1)
	for _, timer := range timers[:last] {
		timer.Reset(time.Until(at) + time.Duration(random(&state)%1000000))
	}
	timers[last].Reset(time.Until(at) + time.Millisecond)
	if time.Now().After(at) {
		die("the time came before all timers were set")
	}
	<-timers[last].C
	for _, timer := range timers[:last] {
		for len(timer.C) == 0 {
			runtime.Gosched()
		}
	}
	emit("timers1m_expire", since(at, len(timers)), "ns")
}

func timers1m() {
	n := scaled(million)
	timers := make([]*time.Timer, n)
	for i := range timers {
		timers[i] = time.NewTimer(time.Hour)
		timers[i].Stop()
	}
	state := uint32(1)
	t := time.Now()
	for _, timer := range timers {
		timer.Reset(time.Hour + time.Duration(random(&state))*800)
	}
	emit("timers1m_arm", since(t, n), "ns")
	t = time.Now()
	for _, timer := range timers {
		timer.Stop()
	}
	emit("timers1m_cancel", since(t, n), "ns")
	expire(timers)
}
