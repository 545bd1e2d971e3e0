// SPDX-License-Identifier: MIT

// build/bench/go ROW WORKERS - measure one row of Go. The shapes are those of
// the C programs beside this folder, and so are the lines that are printed.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sort"
	"strconv"
	"time"
)

type row struct {
	name string
	run  func()
}

var workers int

func die(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}

func emit(name string, value float64, unit string) {
	fmt.Printf("%s\t%.3f\t%s\n", name, value, unit)
}

func scaled(n int) int {
	if scale, err := strconv.ParseFloat(os.Getenv("BENCH_SCALE"), 64); err == nil {
		n = int(float64(n) * scale)
	}
	if n < 1 {
		return 1
	}
	return n
}

// since returns ns since t for each of n.
func since(t time.Time, n int) float64 {
	return float64(time.Since(t)) / float64(n)
}

func sinceMs(t time.Time) float64 {
	return float64(time.Since(t)) / 1e6
}

// spin keeps the CPU.
func spin(d time.Duration) {
	for t := time.Now(); time.Since(t) < d; {
	}
}

func quantile(samples []float64, share float64) float64 {
	sort.Float64s(samples)
	i := int(share * float64(len(samples)))
	if i == len(samples) {
		i--
	}
	return samples[i]
}

// random is as good as a row needs, and the same in C: xorshift.
func random(state *uint32) uint32 {
	*state ^= *state << 13
	*state ^= *state >> 17
	*state ^= *state << 5
	return *state
}

func main() {
	tables := [][]row{spawnRows, chanRows, programRows, crowdRows, timeRows, fairRows, threadRows, syncRows, blockRows, oversubscribedRows}
	want := ""
	switch len(os.Args) {
	case 2:
		want = os.Args[1]
	case 3:
		want = os.Args[1]
		workers, _ = strconv.Atoi(os.Args[2])
	}
	if want != "list" && workers < 1 {
		die("usage: %s ROW WORKERS | list", os.Args[0])
	}
	if workers > 0 {
		runtime.GOMAXPROCS(workers)
	}
	for _, table := range tables {
		for _, r := range table {
			if want == "list" {
				fmt.Println(r.name)
			} else if r.name == want {
				r.run()
				return
			}
		}
	}
	if want != "list" {
		die("no row '%s'", want)
	}
}
