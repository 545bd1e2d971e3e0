// SPDX-License-Identifier: MIT

package main

import (
	"sync"
	"time"
)

// Messages: rendezvous, buffers, select.
var chanRows = []row{
	{"pingpong", pingpong},
	{"send_unbuffered", func() { stream("send_unbuffered", 0, 1) }},
	{"buffered128_spsc", func() { stream("buffered128_spsc", 128, 1) }},
	{"buffered128_4x4", func() { stream("buffered128_4x4", 128, 4) }},
	{"select2", select2},
	{"select8", select8},
}

func pingpongNs(n int) float64 {
	there, back := make(chan uint64), make(chan uint64)
	go func() {
		for i := 0; i < n; i++ {
			back <- 1 + <-there
		}
	}()
	t := time.Now()
	for i := 0; i < n; i++ {
		there <- uint64(i)
		if <-back != uint64(i)+1 {
			die("a message came out wrong")
		}
	}
	return since(t, n)
}

func pingpong() {
	pingpongNs(1000)
	emit("pingpong", pingpongNs(scaled(2000000)), "ns")
}

func streamNs(c chan uint64, pairs, n int) float64 {
	var all sync.WaitGroup
	n /= pairs
	all.Add(2 * pairs)
	t := time.Now()
	for i := 0; i < pairs; i++ {
		go func() {
			for i := 0; i < n; i++ {
				<-c
			}
			all.Done()
		}()
		go func() {
			for i := 0; i < n; i++ {
				c <- uint64(i)
			}
			all.Done()
		}()
	}
	all.Wait()
	return since(t, n*pairs)
}

func stream(name string, capacity, pairs int) {
	c := make(chan uint64, capacity)
	streamNs(c, pairs, 1000)
	emit(name, streamNs(c, pairs, scaled(4000000)), "ns")
}

// randomSender sends each time to one of the channels at random.
func randomSender(width, n int) []chan uint64 {
	chans := make([]chan uint64, width)
	for i := range chans {
		chans[i] = make(chan uint64)
	}
	go func() {
		state := uint32(1)
		for i := 0; i < n; i++ {
			chans[random(&state)%uint32(width)] <- uint64(i)
		}
	}()
	return chans
}

func select2() {
	n := scaled(1000000)
	c := randomSender(2, n)
	c0, c1 := c[0], c[1]
	var v uint64
	t := time.Now()
	for i := 0; i < n; i++ {
		select {
		case v = <-c0:
		case v = <-c1:
		}
		if v != uint64(i) {
			die("a message came out wrong")
		}
	}
	emit("select2", since(t, n), "ns")
}

func select8() {
	n := scaled(1000000)
	c := randomSender(8, n)
	c0, c1, c2, c3, c4, c5, c6, c7 := c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]
	var v uint64
	t := time.Now()
	for i := 0; i < n; i++ {
		select {
		case v = <-c0:
		case v = <-c1:
		case v = <-c2:
		case v = <-c3:
		case v = <-c4:
		case v = <-c5:
		case v = <-c6:
		case v = <-c7:
		}
		if v != uint64(i) {
			die("a message came out wrong")
		}
	}
	emit("select8", since(t, n), "ns")
}
