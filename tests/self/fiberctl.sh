#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The tool against the real module: every subcommand says what is true, also to
# a user without rights, and every failure has its exit status and a sentence.
#
# Method: start a hog, a sleeper and a user's sleeper; ask fiberctl about them.

command -v fiberctl > /dev/null || { echo "1..0 # SKIP no fiberctl on PATH"; exit 4; }
fiberctl status > /dev/null 2>&1 || { echo "1..0 # SKIP the module is not loaded"; exit 4; }

dir=$(mktemp -d)
n=0
failed=0

# check NAME COMMAND...: the command must succeed.
check() {
	name=$1
	shift
	n=$((n + 1))
	if "$@"; then
		echo "ok $n $name"
	else
		echo "# failed: $*"
		sed 's/^/# out: /' "$dir/out" 2> /dev/null | tail -n 20
		sed 's/^/# err: /' "$dir/err" 2> /dev/null | tail -n 5
		echo "not ok $n $name"
		failed=1
	fi
}

# run STATUS COMMAND...: leaves its output in out and err; was that its status?
run() {
	want=$1
	shift
	"$@" > "$dir/out" 2> "$dir/err"
	[ $? = "$want" ]
}

said() { grep -q -- "$1" "$dir/out"; }
complained() { [ "$(wc -l < "$dir/err")" = 1 ] && grep -q -- "$1" "$dir/err"; }
as_user() { su user -s /bin/sh -c "$*"; }

says() { # PATTERN COMMAND...
	pattern=$1
	shift
	run 0 "$@" && said "$pattern"
}

refuses() { # STATUS PATTERN COMMAND...
	status=$1
	pattern=$2
	shift 2
	run "$status" "$@" && complained "$pattern"
}

yes > /dev/null &
hog=$!
sleep 1000 &
sleeper=$!
su user -s /bin/sh -c 'exec sleep 1000' &
mine=$!
trap 'kill $hog $sleeper $mine 2> /dev/null; rm -rf "$dir"' EXIT
while ! fiberctl ps -p "$mine" -t -o uid,comm --no-header | grep -q "^1000	sleep$"; do
	sleep 0.1
done

start_of() { sed 's/.*) //' "/proc/$1/stat" | cut -d ' ' -f 20; }
starts_alike() { # /proc counts in hundredths of a second, fiberctl in ns
	run 0 fiberctl ps -p "$hog" -t -o start --no-header &&
		[ $(($(cat "$dir/out") / 10000000)) = "$(start_of "$hog")" ]
}

runs_on() { # the hog's run time grows, and the sleeper's does not
	a=$(fiberctl ps -p "$1" -t -o runtime --no-header)
	sleep 1
	b=$(fiberctl ps -p "$1" -t -o runtime --no-header)
	[ "$b" -gt "$a" ]
}

pinned_to_0() {
	taskset -p 1 "$sleeper" > /dev/null &&
		says '^0$' fiberctl threads "$sleeper" -t -o cpus --no-header
}

counts_sleeps() {
	while :; do sleep 0.02; done &
	napper=$!
	run 0 fiberctl hist "$napper" --offcpu -d 2 -t
	status=$?
	kill $napper
	[ $status = 0 ] && said sleep && ! said '^runq'
}

tells_exec() {
	fiberctl watch -t -e exec,exit > "$dir/out" 2> "$dir/err" &
	watcher=$!
	while ! fiberctl status | grep -q '^subscribers *1 '; do sleep 0.1; done
	/bin/busybox true
	sleep 1
	kill -INT $watcher
	wait $watcher && said exec && said exit
}

leaves_nothing() {
	fiberctl hist > /dev/null 2>&1 &
	watcher=$!
	while ! fiberctl status | grep -q '^watches *1 '; do sleep 0.1; done
	kill -KILL $watcher
	wait $watcher 2> /dev/null
	tries=0
	until fiberctl status | grep -q '^probes *none'; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || return 1
		sleep 0.1
	done
	says '^watches *0 ' fiberctl status
}

sees_own_only() {
	run 0 as_user fiberctl ps -t -o uid --no-header &&
		[ "$(sort -u "$dir/out")" = 1000 ]
}

echo "TAP version 13"
check "status tells the version" says '^module *fiber [0-9]' fiberctl status
check "ps finds the hog" says "^$hog	yes$" fiberctl ps -t -o pid,comm
check "ps knows when it started" starts_alike
check "ps filters by state and name" says "^$sleeper$" \
	fiberctl ps -t -o pid --no-header --filter 'comm == sleep && state == S'
check "ps tells run time that grows" runs_on "$hog"
check "ps writes JSON" says '"comm": *"yes"' fiberctl ps -p "$hog" --json
check "threads finds the leader" says "^$hog	$hog$" fiberctl threads "$hog" -t -o pid,tid
check "threads tells affinity" pinned_to_0
check "top shows the hog at work" says 'yes$' fiberctl top -b -n 1 -d 1 --filter 'comm == yes'
check "tree shows parent and child" says 'yes' fiberctl tree --filter 'kind == user'
check "hist counts naps" counts_sleeps
check "watch tells exec and exit" tells_exec
check "a killed watcher leaves nothing on" leaves_nothing

check "a user sees the user's tasks only" sees_own_only
check "a user is refused another's process" refuses 1 'CAP_SYS_PTRACE' as_user fiberctl ps -p 1
check "a user may not watch the system" refuses 1 'CAP_SYS_PTRACE' as_user fiberctl hist -d 1
check "a user may not unload" refuses 1 . as_user fiberctl unload

check "an unknown process is refused" refuses 1 'no such process' fiberctl ps -p 4000000
check "an unknown column is misuse" refuses 2 'no such column' fiberctl ps -o nonsense
check "an unknown command is misuse" run 2 fiberctl nonsense

check "unload" run 0 fiberctl unload
check "without the module, a sentence" refuses 1 'fiberctl load' fiberctl ps
check "status without the module" run 1 fiberctl status
check "load" run 0 fiberctl load
check "load again says so" run 0 fiberctl load
check "and it works again" says "^$hog	yes$" fiberctl ps -t -o pid,comm

echo "1..$n"
exit $failed
