#!/usr/bin/env bash
# test_interrupt.sh MUSTER FAULTD: what signals do to a running command, and that its processes on the
# hosts are gone when it was stopped.
# shellcheck disable=SC2015,SC2016,SC2317 # "a && b || c" is meant; quotes are for the host
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
lab_up 5
word=31536$$.
words=0

# new_word: WORD is a number of seconds that nobody else sleeps, so that it names processes.
new_word() {
    words=$((words + 1))
    WORD=$word$words
    rm -f "$WORK/go"
}

# start_muster ARGUMENT...: in the background, its output in $WORK/bg.out and bg.err; PID is set.
start_muster() {
    : >"$WORK/bg.out"
    : >"$WORK/bg.err" # what is awaited there is not of the one before
    "$MUSTER" -L "$DAEMON" -F "$SSH_CONFIG" "$@" >"$WORK/bg.out" 2>"$WORK/bg.err" </dev/null &
    PID=$!
    started_ "$PID"
}

said() {
    grep -aEq -- "$1" "$WORK/bg.err"
}

# said_times N REGEX: so many lines.
said_times() {
    [ "$(grep -aEc -- "$2" "$WORK/bg.err")" -eq "$1" ]
}

# ends N: muster ends with this status.
ends() {
    local status
    within 60 gone "$PID" || {
        fail_ "muster goes on: $(cat "$WORK/bg.err")"
        kill -KILL "$PID"
    }
    wait_ "$PID"
    status=$?
    [ "$status" -eq "$1" ] || fail_ "status $status and not $1: $(cat "$WORK/bg.err")"
}

# interrupt: as often as it takes until the job is being stopped.
interrupt() {
    interrupt_ "$WORK/bg.err"
}

# start_tree: on each host a shell, what it waits for, and a session that has left it.
start_tree() {
    new_word
    start_muster invoke -H 'h[1-5]' -- \
        sh -c 'setsid sh -c "sleep \"\$1\"; :" sh "$1" & sleep "$1"; :' sh "$WORD"
    within 60 tree_is_up || fail_ "the processes do not come up: $(cat "$WORK/bg.err")"
}

tree_is_up() {
    [ "$(processes_of "$WORD" | wc -l)" -eq 20 ]
}

# start_deaf OPTION...: on a host one that does not end on TERM.
start_deaf() {
    new_word
    start_muster invoke "$@" -H h1 -- \
        sh -c 'trap "" TERM; echo up; while :; do sleep "$1"; done' sh "$WORD"
    within 60 grep -q up "$WORK/bg.out" || fail_ "it does not come up: $(cat "$WORK/bg.err")"
}

# start_waiting: on each host one that ends when $WORK/go is there; on h1 and h2 at once.
start_waiting() {
    new_word
    start_muster invoke -H 'h[1-5]' -- sh -c 'set -- "$@" $SSH_CONNECTION
        [ "${5##*.}" -gt 2 ] || exit 0
        while [ ! -e "$2/go" ]; do sleep 0.05; done; echo went' sh "$WORD" "$WORK"
    within 60 three_wait || fail_ "they do not come up: $(cat "$WORK/bg.err")"
}

# Three are there, and muster knows that the other two are not any more, or it would count them. A shell that is about to
# become a program is two for a moment.
three_wait() {
    [ "$(processes_of "$WORD" | wc -l)" -eq 3 ] &&
        [ "$(muster get --all -c --output jsonl | grep -c '"parent_id":[0-9].*"state":"[RN][a-zA-Z]*"')" -eq 3 ]
}

pending='3 of 5 not finished: h\[3-5\]'

case_ 'the first interrupt says who is still running'
start_waiting
kill -INT "$PID"
expect within 60 said "^muster: $pending .interrupt again within 1 s to stop the job.\$"
expect alive "$PID"
expect within 60 three_wait
: >"$WORK/go"
ends 0
expect test "$(sort "$WORK/bg.out" | tr '\n' ' ')" = 'h3: went h4: went h5: went '
expect said_times 1 .

case_ 'an interrupt after more than a second is a first one again'
start_waiting
kill -INT "$PID"
expect within 60 said_times 1 "$pending"
start=${EPOCHREALTIME/./}
later() {
    [ $((${EPOCHREALTIME/./} - start)) -gt 1200000 ]
}
within 60 later
kill -INT "$PID"
expect within 60 said_times 2 "$pending .interrupt again"
expect alive "$PID"
: >"$WORK/go"
ends 0

case_ 'two interrupts within a second stop the job'
start_tree
interrupt
ends 130
expect within 60 no_process_of "$WORD"
expect said 'interrupt again within 1 s'
expect said '^muster: 5 of 5 not finished: h\[1-5\]; stopping'
expect said '^muster: 5/5 failed: h\[1-5\] \(stopped\)$'
expect_status 0 muster get --all -c --output jsonl
expect_out '"parent_id":null,.*"state":"Stopped"'
expect_lines 5 '"state":"Stopped",.*"cause":"stopped"'
expect_out '"location":"h1",'

case_ 'what does not end on TERM is killed when the grace is over'
start_deaf --stop-grace 1s
interrupt
ends 130
expect within 60 no_process_of "$WORD"

case_ 'the third interrupt leaves at once, and the daemon finishes the work'
start_deaf --stop-grace 10s
interrupt
kill -INT "$PID"
ends 130
expect some_process_of "$WORD"
expect said 'interrupted while the job was being stopped'
expect within 60 no_process_of "$WORD"
expect_status 0 muster daemon status

for signal in TERM HUP; do
    case_ "SIG$signal stops the job"
    start_tree
    kill -"$signal" "$PID"
    ends 130
    expect within 60 no_process_of "$WORD"
done

case_ 'a command that was killed takes its job with it'
expect_status 0 muster daemon status
start_tree
daemon=$(daemon_pid)
{ kill -KILL "$PID" && wait "$PID"; } 2>/dev/null
expect within 60 no_process_of "$WORD"
expect test "$(daemon_pid)" = "$daemon"
no_jobs() {
    muster daemon status --output json | grep -q '"jobs":0,"sessions":0,'
}
expect within 60 no_jobs
expect_status 0 muster get --all --output jsonl
expect test "$(tail -n 1 "$OUT" | grep -c '"state":"Stopped"')" -eq 1
expect_status 0 muster invoke -H 'h[1-5]' -- true

case_ 'stopped while some hosts wait for their turn'
new_word
start_muster invoke -f 2 -H 'h[1-5]' -- sleep "$WORD"
two_sleep() {
    [ "$(processes_of "$WORD" | wc -l)" -ge 2 ]
}
expect within 60 two_sleep
interrupt
ends 130
expect within 60 no_process_of "$WORD"
expect said 'failed: .*h\[[0-9,-]+\] \(never-ran'
expect said '5/5 failed:.*\(stopped\)'

case_ 'stopped while it connects'
serve silent hangkex
ssh_config silent <<END
Host s1
	HostName 127.0.0.1
	Port ${PORTS[0]}
Host s2
	HostName 127.0.0.1
	Port ${PORTS[1]}
END
start_muster invoke -H 's[1-2]' -- true
both_connect() {
    muster daemon status --output json | grep -q '"sessions":2,'
}
expect within 60 both_connect
interrupt
expect said '2 of 2 not finished'
ends 130
expect within 60 no_jobs

# start_unread: a host writes, and nobody reads what comes.
start_unread() {
    new_word
    : >"$WORK/bg.err"
    "$MUSTER" -L "$DAEMON" -F "$SSH_CONFIG" invoke -H h1 -- sh -c 'yes "$1"' sh "$WORD" \
        >"$WORK/pipe" 2>"$WORK/bg.err" </dev/null &
    PID=$!
    started_ "$PID"
    exec 8<"$WORK/pipe"
    head -n 1 <&8 >"$WORK/first"
    expect grep -q "^h1: $WORD" "$WORK/first"
}
mkfifo "$WORK/pipe"

case_ 'interrupted while nobody reads the results'
start_unread
interrupt
ends 130
expect within 60 no_process_of "$WORD"
exec 8<&-

case_ 'terminated while nobody reads the results'
start_unread
kill -TERM "$PID"
ends 130
expect within 60 no_process_of "$WORD"
exec 8<&-

finish_
