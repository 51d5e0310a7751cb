#!/usr/bin/env bash
# test_faultd.sh FAULTD: each mode of faultd, seen by a plain client and by ssh.
set -u
LC_ALL=C
faultd=${1:?usage: test_faultd.sh FAULTD}
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lab/test_lib.sh
. "$here/test_lib.sh"
work=$(mktemp -d)
servers=()
lab_up=0

finish() {
    [ ${#servers[@]} -eq 0 ] || kill "${servers[@]}" 2>/dev/null
    [ "$lab_up" -eq 0 ] || "$here/lab" -d "$work/lab" down >/dev/null
    rm -rf "$work"
}
trap finish EXIT

# serve NAME MODE...: one faultd with a server for each mode; sets PORTS, and SERVER to its pid.
serve() {
    local name=$1 mode arguments=()
    shift
    for mode; do
        arguments+=("127.0.0.1:0=$mode")
    done
    "$faultd" "${arguments[@]}" >"$work/$name" 2>"$work/$name.err" &
    SERVER=$!
    servers+=("$SERVER")
    within 60 grep -qx ready "$work/$name" || {
        echo "FAILED: faultd does not start: $(cat "$work/$name.err")"
        exit 1
    }
    mapfile -t PORTS < <(sed -n 's/^127\.0\.0\.1:\([0-9]*\) .*/\1/p' "$work/$name")
}

open() {
    exec 5<>"/dev/tcp/127.0.0.1/$1"
}

# Nothing comes and the connection stays open. Can only fail if faultd does something.
is_quiet() {
    local status byte
    read -r -t 0.3 -N 1 byte <&5
    status=$?
    [ "$status" -gt 128 ] && [ -z "$byte" ]
}

is_at_end() {
    local rest
    rest=$(timeout 60 cat <&5 2>&1) && [ -z "$rest" ]
}

elapsed_ms() {
    echo $(((${EPOCHREALTIME/./} - $1) / 1000))
}

test_scripts() {
    local line byte start
    serve scripts silent banner garbage slowbanner hangkex halfkex close closekex
    open "${PORTS[0]}"
    echo SSH-2.0-client >&5
    check 'silent: says nothing' is_quiet

    open "${PORTS[1]}"
    echo SSH-2.0-client >&5
    timeout 60 cat <&5 >"$work/got" 2>&1
    check 'banner: an HTTP error, then the end' says 'HTTP/1.1 400' "$work/got"
    check 'banner: ends without a reset' not grep -q reset "$work/got"

    open "${PORTS[2]}"
    timeout 60 head -c 200000 <&5 >"$work/got"
    check 'garbage: does not end' equal 200000 "$(stat -c %s "$work/got")"
    check 'garbage: has no newline' equal 0 "$(tr -dc '\n' <"$work/got" | wc -c)"

    start=${EPOCHREALTIME/./}
    open "${PORTS[3]}"
    read -r -t 60 -N 8 line <&5
    check 'slowbanner: begins as SSH' equal SSH-2.0- "$line"
    check 'slowbanner: 200 ms a byte' test "$(elapsed_ms "$start")" -ge 1300

    open "${PORTS[4]}"
    read -r -t 60 line <&5
    check 'hangkex: a banner' equal $'SSH-2.0-x\r' "$line"
    check 'hangkex: then nothing' is_quiet

    open "${PORTS[5]}"
    read -r -t 60 line <&5
    byte=$(timeout 60 head -c 6 <&5 | od -An -tx1)
    check 'halfkex: a KEXINIT of 2 GiB' equal ' 7f ff ff f0 0a 14' "$byte"

    open "${PORTS[6]}"
    check 'close: the end at once' is_at_end

    open "${PORTS[7]}"
    read -r -t 60 line <&5
    check 'closekex: a banner' equal $'SSH-2.0-x\r' "$line"
    check 'closekex: then the end' is_at_end
    ssh -F none -o BatchMode=yes -p "${PORTS[5]}" 127.0.0.1 true 2>"$work/got"
    check 'halfkex: ssh refuses the packet' says 'Bad packet length' "$work/got"
    exec 5<&-
}

test_proxies() {
    local target start line
    serve targets garbage banner
    target=("${PORTS[@]}")
    serve proxies "proxy:127.0.0.1:${target[0]}:drop=100000" \
        "proxy:127.0.0.1:${target[0]}:stall=1000" "proxy:127.0.0.1:${target[1]}:delay=150" \
        "proxy:127.0.0.1:${target[1]}:count" 'proxy:127.0.0.1:1:count'
    open "${PORTS[0]}"
    timeout 60 cat <&5 >"$work/got" 2>"$work/error"
    check 'drop: exactly the bytes' equal 100000 "$(stat -c %s "$work/got")"
    check 'drop: then a reset' says 'reset by peer' "$work/error"

    open "${PORTS[1]}"
    timeout 60 head -c 1000 <&5 >"$work/got"
    check 'stall: exactly the bytes' equal 1000 "$(stat -c %s "$work/got")"
    check 'stall: then nothing' is_quiet

    start=${EPOCHREALTIME/./}
    open "${PORTS[2]}"
    read -r -t 60 line <&5
    check 'delay: the bytes come' equal $'HTTP/1.1 400 Bad Request\r' "$line"
    check 'delay: and not early' test "$(elapsed_ms "$start")" -ge 150
    check 'delay: the end comes too' within 60 at_end_after_rest

    for _ in 1 2 3; do
        open "${PORTS[3]}"
        timeout 60 cat <&5 >"$work/got"
    done
    check 'count: forwards' says 'HTTP/1.1 400' "$work/got"
    kill -USR1 "$SERVER"
    check 'count: counts' within 60 grep -qx "127.0.0.1:${PORTS[3]} count 3" "$work/proxies"

    open "${PORTS[4]}"
    check 'proxy: no server behind it is an end' is_at_end
    exec 5<&-
}

at_end_after_rest() {
    timeout 60 cat <&5 >/dev/null
}

through() {
    ssh -F "$work/lab/ssh_config" -o "HostKeyAlias=[127.77.0.1]:$LAB_PORT" -o HostName=127.0.0.1 \
        -p "$1" h1 "$2"
}

test_ssh() {
    local sum
    "$here/lab" -d "$work/lab" up 1 >/dev/null || {
        FAILURES=$((FAILURES + 1))
        return
    }
    lab_up=1
    LAB_PORT=$(sed -n 's/^LAB_PORT=//p' "$work/lab/env")
    serve ssh "proxy:127.77.0.1:$LAB_PORT:count" "proxy:127.77.0.1:$LAB_PORT:delay=3" \
        "proxy:127.77.0.1:$LAB_PORT:drop=300000"
    head -c 5000000 /dev/urandom >"$work/data"
    sum=$(sha256sum <"$work/data")
    check 'ssh through count' equal "$sum" "$(through "${PORTS[0]}" cat <"$work/data" | sha256sum)"
    check 'ssh through delay' equal "$sum" "$(through "${PORTS[1]}" cat <"$work/data" | sha256sum)"
    through "${PORTS[2]}" 'cat; cat /dev/zero' <"$work/data" 2>&1 >"$work/got" | cat >"$work/error"
    check 'ssh through drop loses its connection' test "$(stat -c %s "$work/got")" -lt 300000
}

test_many() {
    local i open_descriptors=()
    serve many silent
    for ((i = 0; i < 200; i++)); do
        exec {fd}<>"/dev/tcp/127.0.0.1/${PORTS[0]}" || break
        open_descriptors+=("$fd")
    done
    check '200 connections at once' equal 200 "${#open_descriptors[@]}"
    for fd in "${open_descriptors[@]}"; do
        exec {fd}<&-
    done
}

refuses() {
    "$faultd" "$2" >"$work/got" 2>&1
    check "bad argument '$2'" equal 2 $?
    check "bad argument '$2' is explained" says "$1" "$work/got"
}

test_life() {
    mkfifo "$work/parent"
    "$faultd" --with-parent 127.0.0.1:0=silent <"$work/parent" >"$work/life" &
    exec 6>"$work/parent"
    within 60 grep -qx ready "$work/life"
    check '--with-parent: runs' kill -0 $!
    exec 6>&-
    wait $!
    check '--with-parent: ends with its parent, and well' equal 0 $?

    local pid status=0
    for pid in "${servers[@]}"; do
        kill -TERM "$pid"
        wait "$pid" || status=$?
    done
    check 'SIGTERM ends all, and well' equal 0 "$status"
    servers=()
    refuses 'want ADDR:PORT=MODE' 127.0.0.1:0
    refuses 'no such mode' 127.0.0.1:0=nonsense
    refuses 'want a numeric address' localhost:0=silent
    refuses 'the number is malformed' 127.0.0.1:0=proxy:127.0.0.1:1:drop=-1
    refuses 'need one' 127.0.0.1:0=proxy:127.0.0.1:1:drop
    refuses 'the last part' 127.0.0.1:0=proxy:127.0.0.1:1:explode=1
    refuses 'Cannot assign' 192.0.2.77:0=silent
}

test_scripts
test_proxies
test_ssh
test_many
test_life
verdict
