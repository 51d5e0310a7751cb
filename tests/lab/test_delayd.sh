#!/usr/bin/env bash
# test_delayd.sh DELAYD: the delaying proxy by itself, and as a slow path to a host of the lab.
set -u
LC_ALL=C
delayd=${1:?usage: test_delayd.sh DELAYD}
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lab/test_lib.sh
. "$here/test_lib.sh"
work=$(mktemp -d)
started=()

finish() {
    [ ${#started[@]} -eq 0 ] || kill "${started[@]}" 2>/dev/null
    "$here/lab" -d "$work/lab" down >/dev/null
    rm -rf "$work"
}
trap finish EXIT

elapsed_ms() {
    echo $(((${EPOCHREALTIME/./} - $1) / 1000))
}

refuses() {
    local why=$1
    shift
    timeout 60 "$delayd" "$@" >"$work/got" 2>&1
    check "bad arguments '$*'" equal 2 $?
    check "bad arguments '$*' are explained" says "$why" "$work/got"
}

test_arguments() {
    refuses 'usage' 10
    refuses 'want milliseconds' soon 127.0.0.1:0=127.0.0.1:1
    refuses 'want milliseconds' -1 127.0.0.1:0=127.0.0.1:1
    refuses 'want milliseconds' 60001 127.0.0.1:0=127.0.0.1:1
    refuses 'want ADDR:PORT=HOST:PORT' 10 127.0.0.1:0
    refuses 'want ADDR:PORT' 10 127.0.0.1:0=127.0.0.1
    refuses 'want a numeric address' 10 localhost:0=127.0.0.1:1
    refuses 'want a numeric address' 10 127.0.0.1:0=localhost:1
    refuses 'Cannot assign' 10 192.0.2.77:0=127.0.0.1:1
}

test_life() {
    mkfifo "$work/parent"
    "$delayd" --with-parent 1 127.0.0.1:0=127.0.0.1:1 <"$work/parent" >"$work/life" &
    started+=("$!")
    exec 6>"$work/parent"
    check '--with-parent: starts' within 60 grep -qx ready "$work/life"
    exec 5<>"/dev/tcp/127.0.0.1/$(sed -n 's/^127.0.0.1:\([0-9]*\) .*/\1/p' "$work/life")"
    check 'no server behind it is an end' equal '' "$(timeout 60 cat <&5 2>&1)"
    exec 5<&- 6>&-
    wait "${started[0]}"
    check '--with-parent: ends with its parent, and well' equal 0 $?
    # Not the file of before, which says ready until the new one has begun.
    "$delayd" 1 127.0.0.1:0=127.0.0.1:1 >"$work/again" &
    started=("$!")
    check 'starts' within 60 grep -qsx ready "$work/again"
    kill -TERM "$!"
    wait "$!"
    check 'SIGTERM ends it, and well' equal 0 $?
    started=()
}

slow() {
    timeout 100 ssh -F "$work/lab/delay_config" "$@"
}

delay_pid() {
    local pid _
    read -r pid _ <"$work/lab/state/delay" && echo "$pid"
}

# Gone, or waiting for process 1 to notice.
has_ended() {
    [ ! -e "/proc/$1" ] || grep -qs '^State:.*Z' "/proc/$1/status"
}

test_lab() {
    local sum start pid
    "$here/lab" -d "$work/lab" up 2 >/dev/null || {
        FAILURES=$((FAILURES + 1))
        return
    }
    head -c 20000000 /dev/urandom >"$work/data"
    sum=$(sha256sum <"$work/data")
    check 'lab delay' "$here/lab" -d "$work/lab" delay "$delayd" 40 h1 h2
    pid=$(delay_pid)
    start=${EPOCHREALTIME/./}
    check 'a login' slow h2 true
    # Banner, key exchange, authentication, session, command: a round trip each, at the least.
    check 'a login is late' test "$(elapsed_ms "$start")" -ge 400
    check 'bytes there and back' equal "$sum" "$(slow h1 cat <"$work/data" | sha256sum)"
    check 'no bandwidth is taken: 64 MB at 80 ms' equal 67108864 \
        "$(slow h1 head -c 67108864 /dev/zero | wc -c)"

    check 'lab delay again' "$here/lab" -d "$work/lab" delay "$delayd" 1 h1
    check 'the one before is gone' within 60 has_ended "$pid"
    check 'h2 is as near as it was' equal 0 "$(grep -c 'Host h2' "$work/lab/delay_config")"
    check 'h2 is still there' slow h2 true
    pid=$(delay_pid)
    check 'lab undelay' "$here/lab" -d "$work/lab" undelay
    check 'it is gone' within 60 has_ended "$pid"
    check 'so is its configuration' not test -e "$work/lab/delay_config"
    check 'an unknown host' not "$here/lab" -d "$work/lab" delay "$delayd" 1 h3 2>/dev/null
    check 'a program that is none' not "$here/lab" -d "$work/lab" delay /nonexistent 1 h1 2>/dev/null
    check 'one that ends at once' not "$here/lab" -d "$work/lab" delay /bin/false 1 h1 2>/dev/null
    check 'no time' not "$here/lab" -d "$work/lab" delay "$delayd" soon h1 2>/dev/null

    check 'once more' "$here/lab" -d "$work/lab" delay "$delayd" 1 h1
    pid=$(delay_pid)
    check 'lab down' "$here/lab" -d "$work/lab" down
    check 'lab down ends it' within 60 has_ended "$pid"
}

test_arguments
test_life
test_lab
verdict
