#!/usr/bin/env bash
# test_flood.sh MUSTER FAULTD: much output, long lines, readers that leave, few descriptors. Nothing is
# lost, nothing is mixed, and one host does not silence the others.
# shellcheck disable=SC2016,SC2034,SC2153,SC2317 # $ for the hosts' shells; lib.sh uses what is set here
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
measures_memory_
lab_up 200

# 1 MiB of lines of 64 bytes.
seq -f '%063.0f' 1 16384 >"$WORK/block"
expect test "$(wc -c <"$WORK/block")" -eq 1048576

case_ '100 MB from one host: nothing is lost'
LIMIT=150
want=$(for ((i = 0; i < 100; i++)); do cat "$WORK/block"; done | sha256sum)
flood='i=0; while [ $i -lt 100 ]; do cat "$0"; i=$((i + 1)); done'
sum() {
    muster invoke -N -H h1 -- sh -c "$flood" "$WORK/block" | sha256sum
    return "${PIPESTATUS[0]}"
}
expect_status 0 sum
expect test "$(cat "$OUT")" = "$want"
expect_silent

case_ '100 MB and more from one host: the others are heard before it ends'
# The flood ends when the line of every other host has been seen in the output; they write it when
# the flood has begun.
rm -f "$WORK/begun" "$WORK/heard"
cat >"$WORK/flood.sh" <<'END'
case $SSH_CONNECTION in
*' 127.77.0.1 '*) ;;
*)
    until [ -e "$1/begun" ]; do sleep 0.02; done
    echo here
    exit
    ;;
esac
i=0
while [ "$i" -lt 100 ] || { [ ! -e "$1/heard" ] && [ "$i" -lt 600 ]; }; do
    cat "$1/block"
    i=$((i + 1))
    [ "$i" -ne 10 ] || : >"$1/begun"
done
[ -e "$1/heard" ]
END
COMMAND='invoke with a flood' STATUS=- TOOK_MS=0
mkfifo "$WORK/pipe"
{
    LC_ALL=C awk -v heard="$WORK/heard" '
        /^h1: [0-9]+$/ { flood++; next }
        /^h[2-5]: here$/ { if (++others == 4) { mark = flood; printf "" >heard; close(heard) } next }
        { wrong++ }
        END { print flood % 16384, (flood >= 1638400), others, wrong + 0, (mark < flood) }' <"$WORK/pipe" >"$WORK/counts"
} &
counter=$!
started_ "$counter"
timeout -k 5 150 "$MUSTER" -L "$DAEMON" -F "$SSH_CONFIG" invoke -H 'h[1-5]' -- \
    sh "$WORK/flood.sh" "$WORK" >"$WORK/pipe" 2>"$ERR" </dev/null
STATUS=$?
wait_ "$counter"
cp "$WORK/counts" "$OUT"
expect test "$STATUS" -eq 0
expect_out '^0 1 4 0 1$'
expect_silent

case_ 'a reader that is slow: the daemon does not swallow the flood'
# The reader does not read until the memory of the daemon has stopped growing.
rss_kb() {
    sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status"
}
expect_status 0 muster invoke -H h1 -- true
daemon=$(daemon_pid)
before=$(rss_kb "$daemon")
hold() {
    muster invoke -N -H h1 -- sh -c "$flood" "$WORK/block" | {
        until [ -e "$WORK/read_on" ]; do sleep 0.02; done
        wc -c
    }
}
rm -f "$WORK/read_on"
LIMIT=150
hold >"$OUT" 2>"$ERR" &
holder=$!
started_ "$holder"
within 60 some_process_of "$WORK/block"
last=0 calm=0
is_calm() {
    local now
    now=$(rss_kb "$daemon")
    if [ "$now" = "$last" ]; then calm=$((calm + 1)); else calm=0; fi
    last=$now
    [ "$calm" -ge 10 ]
}
expect within 60 is_calm
expect test "$((last - before))" -lt 32768
: >"$WORK/read_on"
wait_ "$holder"
expect test "$(cat "$OUT")" -eq 104857600

case_ 'a line of 50 MB is exact, and no other line is in it'
head -c 52428800 /dev/zero | tr '\0' y >"$WORK/line"
echo >>"$WORK/line"
expect_status 0 muster invoke -H 'h[1-3]' -- sh -c '
    case $SSH_CONNECTION in *" 127.77.0.1 "*) exec cat "$0" ;; esac
    i=0; while [ $i -lt 500 ]; do echo line $i; i=$((i + 1)); done' "$WORK/line"
expect_silent
grep -av '^h1: ' "$OUT" >"$WORK/others"
expect test "$(grep -ac '^h1: ' "$OUT")" -eq 1
expect cmp <(grep -a '^h1: ' "$OUT") <(printf 'h1: ' && cat "$WORK/line")
expect test "$(grep -c '^h[23]: line [0-9]*$' "$WORK/others")" -eq 1000
expect test "$(wc -l <"$WORK/others")" -eq 1000

case_ 'two lines of 50 MB at once, on two streams and hosts'
expect_status 0 muster invoke -H 'h[1-2]' -- sh -c '
    case $SSH_CONNECTION in *" 127.77.0.1 "*) exec cat "$0" ;; esac
    cat "$0" >&2' "$WORK/line"
expect cmp "$OUT" <(printf 'h1: ' && cat "$WORK/line")
expect cmp "$ERR" <(printf 'h2: ' && cat "$WORK/line")

case_ 'a line of 50 MB without an end'
expect_status 0 muster invoke -N -H h1 -- head -c 52428800 "$WORK/line"
expect cmp "$OUT" <(head -c 52428800 "$WORK/line")

case_ 'a line of 50 MB in jsonl'
expect_status 0 muster invoke --output jsonl -H 'h[1-2]' -- sh -c '
    case $SSH_CONNECTION in *" 127.77.0.1 "*) exec cat "$0" ;; esac
    echo small' "$WORK/line"
expect_silent
if command -v python3 >/dev/null; then
    cat >"$WORK/long.py" <<'END'
import json, sys

values = {}
for line in open(sys.argv[1], encoding="utf-8"):
    record = json.loads(line)
    values.setdefault(record["host"], []).append(record["value"])
assert values["h2"] == ["small"], values["h2"]
assert values["h1"] == ["y" * 52428800], [len(v) for v in values["h1"]]
END
    expect python3 "$WORK/long.py" "$OUT"
else
    expect_lines 2 '^\{.*\}$'
    expect test "$(tr -cd y <"$OUT" | wc -c)" -ge 52428800
fi
rm -f "$WORK/line"

case_ 'many short lines from many hosts: all arrive, none is mixed'
expect_status 0 muster invoke -H 'h[1-200]' -- sh -c 'i=0; while [ $i -lt 200 ]; do echo out $i; echo err $i >&2; i=$((i + 1)); done'
expect test "$(grep -c '^h[0-9]*: out [0-9]*$' "$OUT")" -eq 40000
expect test "$(wc -l <"$OUT")" -eq 40000
expect test "$(grep -c '^h[0-9]*: err [0-9]*$' "$ERR")" -eq 40000
expect test "$(wc -l <"$ERR")" -eq 40000
# Of each host in its order.
expect cmp -s <(sort -s -t: -k1,1 "$OUT") <(hosts_of 1 200 | sort | while read -r h; do seq -f "$h: out %.0f" 0 199; done)

# first_line COMMAND...: as in `| head -1`. What muster says goes to ERR; its status is ours.
first_line() {
    "$@" | head -n 1
    return "${PIPESTATUS[0]}"
}

case_ '| head -1: quick, quiet, and nothing goes on running'
# More than once, as the reader may leave when the commands have hardly begun.
for round in 1 2 3 4 5 6 7 8 9 10; do
    word=head-$$-$round
    run first_line muster invoke --stop-grace 100 -H 'h[1-5]' -- sh -c 'while :; do echo "$0"; done' "$word"
    expect_lines 1 "^h[1-5]: $word\$"
    expect_silent
    expect test "$STATUS" -eq 3
    expect_took_under 60000
    expect within 60 no_process_of "$word"
done

case_ '| head -1: commands that have nothing more to say end as well'
word=mute-$$
run first_line muster invoke --stop-grace 100 -H 'h[1-5]' -- sh -c 'echo first; echo second; while :; do sleep 1; echo more; done' "$word"
expect_lines 1 ': first$'
expect_took_under 60000
expect within 60 no_process_of "$word"

case_ 'standard output is closed'
closed() {
    muster invoke -H h1 -- echo fine >&-
}
LIMIT=60
expect_status 1 closed
expect_err 'cannot write to standard output: Bad file descriptor'

case_ 'standard output is full'
full() {
    muster invoke -H 'h[1-5]' -- echo fine >/dev/full
}
expect_status 1 full
expect_err 'standard output: No space left on device'

# With few descriptors, and a daemon of its own that has no more than muster itself.
few() {
    local limit=$1
    shift
    (
        ulimit -n "$limit" || exit 99
        timeout -k 5 "$LIMIT" "$MUSTER" -L "few-$limit-$$" -F "$SSH_CONFIG" "$@"
    )
}

case_ 'ulimit -n 64 and 200 hosts: all are done'
expect_status 0 few 64 invoke -f 200 -H 'h[1-200]' -- sh -c 'sleep 0.1; echo fine'
expect_lines 200 ': fine$'
expect_silent
few 64 daemon stop >/dev/null 2>&1

case_ 'ulimit -n 64 and 200 hosts, of which many fail'
serve silent
ssh_config silent <<END
Host s*
	HostName 127.0.0.1
	Port ${PORTS[0]}
	ConnectTimeout 2
END
expect_status 4 few 64 invoke -H 's[1-20],h[1-200]' -- echo fine
expect_lines 200 ': fine$'
expect_err '^muster: 20/220 failed: s\[1-20\] \(timeout: key exchange\)$'
few 64 daemon stop >/dev/null 2>&1

case_ 'ulimit -n 24: few at a time, but all'
expect_status 0 few 24 invoke -H 'h[1-40]' -- echo fine
expect_lines 40 ': fine$'
few 24 daemon stop >/dev/null 2>&1

finish_
