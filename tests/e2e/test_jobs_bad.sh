#!/usr/bin/env bash
# test_jobs_bad.sh MUSTER FAULTD: what cannot be, and clients that misbehave: the jobs of others are
# not touched, and the daemon does not grow.
# shellcheck disable=SC2016,SC2034,SC2153 # $ for the jobs' shells; lib.sh uses and sets the names
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/jobs.sh
. "$(dirname "$0")/jobs.sh"
measures_memory_
python=$(command -v python3)
socket=$XDG_RUNTIME_DIR/muster/$DAEMON.sock
# Local jobs alone.
local_() {
    SSH_CONFIG=none
}

# until_there FILE: shell text that waits.
until_there() {
    echo "until [ -e '$WORK/$1' ]; do sleep 0.02; done"
}

# --- refused before any work ---

# refused REGEX COMMAND...: status 2, an error that matches, no output, and no daemon was asked.
refused() {
    local regex=$1
    shift
    expect_status 2 muster "$@"
    expect_text ''
    expect_err "$regex"
    expect test ! -S "$socket"
}

case_ 'options that exclude or need one another are refused before any work'
local_
refused '--keep leaves everything unread, --wait reads to the end' receive --keep --wait 1
refused '--auto-remove-job needs --wait' receive --auto-remove-job 1
refused '--auto-remove-job needs --wait' receive --keep --auto-remove-job 1
refused '--write-events needs --wait' receive --write-events 1
refused '--timeout needs --wait' receive --timeout 5 1
refused "--stream: 'x'" receive --stream x 1
refused "--output: 'x'" receive --output x 1
refused 'csv' receive --wait --write-events --output csv 1
refused "--output: 'x'" get --output x
refused "--has-more-data: 'maybe'" get --has-more-data maybe
refused "--before: 'yesterdayish' is no time" get --before yesterdayish
refused "--newest: '0'" get --newest 0

case_ 'a verb without a job is refused before any work'
for verb in receive wait stop remove suspend resume; do
    local_
    refused "^muster $verb: which jobs\\?" "$verb"
done

case_ '--timeout: negative, no number, no unit'
local_
for timeout in -1 -0.5 x 5x 5mm '' ' 5' 0x10 inf nan 1e999 99999999999d '5 m' 5ms5; do
    for verb in 'wait' 'receive --wait'; do
        # shellcheck disable=SC2086 # two words
        refused '--timeout: ' $verb "--timeout=$timeout" 1
    done
done

case_ '--timeout: with its units'
local_
job_ start -- true
expect_status 0 muster wait "$JOB"
for timeout in 0 1 90s 5m 250ms 1.5h 2d; do
    expect_status 0 muster wait --timeout "$timeout" "$JOB"
    expect_ids "$JOB"
    expect_status 0 muster receive --wait --timeout "$timeout" "$JOB"
done
job_ start -- sleep 1000
expect_status 3 muster wait --timeout 100ms "$JOB"
expect_took_under 100000
expect_status 0 muster stop "$JOB"

# --- jobs that are none ---

case_ 'unknown ids and names: a line each, status 2, and the others are done'
for verb in wait receive stop suspend resume remove; do
    local_
    job_ start -- sh -c 'echo x; sleep 1000'
    expect within 60 property_is "$JOB" has_more_data true
    [ "$verb" != resume ] || expect_status 0 muster suspend "$JOB"
    [ "$verb" != wait ] && [ "$verb" != remove ] || expect_status 0 muster stop "$JOB"
    run muster "$verb" 99999 "$JOB" nobody 00000000-0000-4000-8000-000000000000
    expect_err "^muster: there is no job with the id '99999'"
    expect_err "'nobody'"
    expect_err "'00000000-0000-4000-8000-000000000000'"
    expect test "$(wc -l <"$ERR")" -eq 3
    # Of wait, what the jobs argue for is worse than a name that is none only if it says more.
    expect test "$STATUS" -eq 2
    case $verb in
    wait) expect_ids "$JOB" ;;
    receive) expect_text 'localhost: x' ;;
    stop) expect state_is "$JOB" Stopped ;;
    suspend) expect state_is "$JOB" Suspended ;;
    resume) expect state_is "$JOB" Running ;;
    esac
    if [ "$verb" = remove ]; then
        expect_status 2 muster get "$JOB"
    else
        expect_status 0 muster remove --force "$JOB"
    fi
done

case_ 'ids that are too large, negative or odd'
local_
for id in 0 -- 18446744073709551616 99999999999999999999999999 1x 0x1 '1 ' ''; do
    [ "$id" != -- ] || continue
    expect_status 2 muster get "$id"
    expect_ids
    expect test "$(wc -l <"$ERR")" -eq 1
done
expect_status 2 muster get -1
expect_status 2 muster get -- -1

case_ 'malformed wildcards and states'
local_
expect_status 2 muster get 'job['
expect_err 'job\['
expect_status 2 muster get --state Done
expect_err "'Done'"
expect_status 2 muster get --child-job-state Done
expect_err "'Done'"
expect_status 2 muster wait --until Done '*'
expect_err "'Done'"

case_ 'a name that two jobs bear: acts on both, and says so'
local_
job_ start --name twin --shell "$(until_there twin)"
first=$JOB
job_ start --name Twin --shell "$(until_there twin)"
for id in "$first" "$JOB"; do # a job is Running before its command is, and only that can be suspended
    expect within 60 state_is $((id + 1)) Running
done
expect_status 0 muster get twin
expect_ids "$first" "$JOB"
expect_err "^muster: warning: the name 'twin' is that of 2 jobs, .*: $first, $JOB\$"
expect_status 0 muster suspend TWIN
expect_err "warning: .*: $first, $JOB\$"
expect state_is "$first" Suspended
expect state_is "$JOB" Suspended
expect_status 0 muster remove --force twin
expect_err "warning: .*: $first, $JOB\$"
expect_status 2 muster get twin
expect_ids

case_ 'the same id twice, and by name, id and instance id at once'
local_
job_ start --name triplet -- sh -c 'echo x; sleep 1000'
uuid=$(property "$JOB" instance_id)
expect within 60 property_is "$JOB" has_more_data true
same=("$JOB" "$JOB" triplet "$uuid" 'tripl*' "$JOB")
expect_status 0 muster get "${same[@]}"
expect_ids "$JOB"
expect_status 0 muster suspend --pass-thru "${same[@]}"
expect_ids "$JOB"
expect_status 0 muster resume --pass-thru "${same[@]}"
expect_ids "$JOB"
expect_status 0 muster stop --pass-thru "${same[@]}"
expect_ids "$JOB"
expect_silent
expect_status 0 muster receive "${same[@]}" $((JOB + 1))
expect_text 'localhost: x'
expect_status 0 muster remove "${same[@]}"
expect_silent
expect_status 2 muster get "$JOB"

case_ 'remove: a running job, and a child, are refused; the others of the call are removed'
local_
job_ start -- true
finished=$JOB
job_ start -- sleep 1000
expect_status 0 muster wait "$finished"
expect_status 2 muster remove "$finished" "$JOB" $((JOB + 1))
expect_err "^muster: job $JOB is not finished \\((Running|NotStarted)\\): --force stops it first\$"
expect_err "^muster: job $((JOB + 1)) is a child of job $JOB: only that can be removed, with all its children\$"
expect_status 2 muster get "$finished"
expect_status 0 muster get "$JOB"
expect state_is "$JOB" Running
# A wildcard for a child removes nothing, and is no error.
expect_status 0 muster remove --force "Job$((JOB + 1))*"
expect state_is "$JOB" Running
expect_status 0 muster remove --force "$JOB"

case_ 'stop of a finished job and of a child; suspend and resume of what does not run'
local_
job_ start -- true
expect_status 0 muster wait "$JOB"
expect_status 0 muster stop "$JOB" $((JOB + 1))
expect_silent
expect state_is "$JOB" Completed
expect_status 2 muster suspend "$JOB"
expect_err "job $JOB cannot be suspended: it is Completed"
expect_status 2 muster resume "$JOB"
expect_err "job $JOB cannot be resumed: it is Completed"
job_ start -- sleep 1000
expect_status 0 muster stop $((JOB + 1))
expect state_is "$JOB" Stopped

# --- other clients ---

case_ 'receive of a job that another client removes in mid-stream: says so, status 2'
local_
job_ start --shell 'i=0; while :; do i=$((i + 1)); echo $i; sleep 0.01; done'
start_muster "$WORK/stream" receive --wait -N "$JOB"
expect within 60 has_lines "$WORK/stream" 3
# It stands still with records that it has not acknowledged, or it might have all before the job is gone.
kill -STOP "$PID"
expect within 60 property_is "$JOB" has_more_data true
expect_status 0 muster remove --force "$JOB"
kill -CONT "$PID"
expect within 60 gone "$PID"
wait_ "$PID"
expect test $? -eq 2
expect grep -q "^muster: job $JOB was removed while it was being received" "$WORK/stream.err"
expect cmp "$WORK/stream" <(seq "$(wc -l <"$WORK/stream")")

case_ 'the same with a reader that is slow, and another job in the same call'
local_
job_ start -- seq 1 400000
removed=$JOB
job_ start --shell "$(until_there other); echo other"
expect within 60 property_is "$removed" has_more_data true
mkfifo "$WORK/slow"
start_muster "$WORK/slow" receive --wait -N "$removed" "$JOB"
exec 8<"$WORK/slow"
head -c 4096 <&8 >"$WORK/part"
expect_status 0 muster remove --force "$removed"
: >"$WORK/other"
cat <&8 >>"$WORK/part"
exec 8<&-
wait_ "$PID"
expect test $? -eq 2
expect test "$(tail -n 1 "$WORK/part")" = other
expect grep -q "job $removed was removed" "$WORK/slow.err"
expect property_is "$JOB" has_more_data false

case_ 'wait for a job that another client removes: it ends'
local_
job_ start -- sleep 1000
start_muster "$WORK/waiting" wait "$JOB"
reading() {
    muster daemon status --output json | grep -q '"clients":[2-9]'
}
expect within 60 reading
expect_status 0 muster remove --force "$JOB"
expect within 60 gone "$PID"

case_ 'clients that stop reading: others are served, the daemon does not grow, nothing is lost'
local_
LIMIT=200
job_ start -- true
expect_status 0 muster wait "$JOB"
daemon=$(daemon_pid)
expect alive "$daemon"
before=$(rss_kb "$daemon")
job_ start --shell 'i=0; while [ $i -lt 300 ]; do seq -f "%0100.0f" $((i * 1000 + 1)) $((i * 1000 + 1000)); i=$((i + 1)); done'
flood=$JOB
# One that takes, and three that keep; nobody reads their pipes.
stalled=()
for i in 1 2 3 4; do
    mkfifo "$WORK/stalled.$i"
    exec 8<>"$WORK/stalled.$i"
    keep=--keep
    [ "$i" -gt 1 ] || keep=--wait
    start_muster "$WORK/stalled.$i" receive $keep -N "$flood"
    stalled+=("$PID")
    eval "exec $((10 + i))<&8 8<&-"
done
# Its own process stands still, too.
start_muster "$WORK/frozen" receive --keep -N "$flood"
kill -STOP "$PID"
frozen=$PID
last=0 calm=0
is_calm() {
    local now
    now=$(rss_kb "$daemon")
    if [ "$now" = "$last" ]; then calm=$((calm + 1)); else calm=0; fi
    last=$now
    [ "$calm" -ge 10 ]
}
# It is not held back for them: what nobody has read is in the store.
expect within 120 state_is "$flood" Completed
expect property_is "$flood" has_more_data true
expect within 60 is_calm
expect test "$((last - before))" -lt 32768
echo "  daemon: $before kB before, $last kB with five clients that do not read"
job_ start -- echo served
expect_status 0 muster receive --wait "$JOB"
expect_text 'localhost: served'
expect_took_under 100000
kill -CONT "$frozen"
{ kill -KILL "${stalled[@]}" "$frozen" && wait "${stalled[@]}" "$frozen"; } 2>/dev/null
for i in 1 2 3 4; do
    eval "exec $((10 + i))<&-"
done
expect_status 0 muster receive --wait -N "$flood"
expect cmp <(sort -u "$OUT") <(seq -f '%0100.0f' 1 300000)
expect test "$(daemon_pid)" -eq "$daemon"

# --- clients that send what is none ---

if [ -z "$python" ]; then
    case_ 'clients that break the rules'
    skip_ 'no python3'
    finish_
fi

cat >"$WORK/client.py" <<'END'
# client.py SOCKET VERSION TYPE:BODY...: HELLO, then these frames (msgpack in hexadecimal; "raw:HEX" as it is). Prints
# the types of the frames that come until the daemon closes.
import socket, struct, sys

def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff

def frame(kind, body):
    head = struct.pack(">HBBIQ", 0x4d53, kind, 0, len(body), 1)
    return head + struct.pack(">I", crc32c(head + body)) + body

s = socket.socket(socket.AF_UNIX)
s.settimeout(100)
s.connect(sys.argv[1])
version = f"{int(sys.argv[2]):02x}"
types = []

def take(data):
    while len(data) >= 20:
        size = struct.unpack(">I", data[4:8])[0]
        if len(data) < 20 + size:
            break
        types.append(data[2])
        data = data[20 + size:]
    return data

try:
    s.sendall(frame(1, bytes.fromhex(f"94{version}{version}a17801")))
    for word in sys.argv[3:]:
        kind, body = word.split(":")
        body = bytes.fromhex(body)
        s.sendall(body if kind == "raw" else frame(int(kind), body))
except (BrokenPipeError, ConnectionResetError):
    pass
data = b""
try:
    while True:
        got = s.recv(65536)
        if not got:
            types.append("closed")
            break
        data = take(data + got)
except ConnectionResetError:
    types.append("closed")
print(*types)
END

VERSION=$(sed -n 's/^#define CONTROL_VERSION \([0-9]*\)u.*/\1/p' "$E2E_HOME/../../proto/control_msg.h")
# The number of a message, as proto/messages.def has them.
number() {
    sed -n "s/^MSG_ROW($1, \\([0-9]*\\),.*/\\1/p" "$E2E_HOME/../../proto/messages.def"
}
HELLO=$(number HELLO) ERROR=$(number ERROR) GET=$(number GET) DO=$(number DO)
RECEIVE=$(number RECEIVE) RECEIVED=$(number RECEIVED) SOURCE=$(number SOURCE) RECORDS=$(number RECORDS)

# meets TYPES FRAME...: the daemon answers with these types, and closes.
meets() {
    local want=$1
    shift
    expect_status 0 timeout 120 "$python" "$WORK/client.py" "$socket" "$VERSION" "$@"
    expect_text "$want closed"
}

# ends_by_error FRAME...: the same, whatever it had answered until then.
ends_by_error() {
    expect_status 0 timeout 120 "$python" "$WORK/client.py" "$socket" "$VERSION" "$@"
    expect_out "^$HELLO ($SOURCE )?($RECORDS )?$ERROR closed\$"
}

case_ 'requests that make no sense end their connection, and nobody else is disturbed'
local_
job_ start -- seq 1 3
expect_status 0 muster wait "$JOB"
daemon=$(daemon_pid)
# A body that is no array, one that is cut, one with bytes behind it, a map, fields of another type.
for body in c1 '' 9c 9000 80 91a131 "9191c3" dd00ffffff; do
    meets "$HELLO $ERROR" "$RECEIVE:$body"
    meets "$HELLO $ERROR" "$GET:$body"
done
meets "$HELLO $ERROR" "$DO:90"
# No such verb.
meets "$HELLO $ERROR" "$DO:9b9180c0c0c0c0c0c0c0c0c063"
nils=c0c0c0c0c0c0c0c0c0
selected=91$(printf 'a%x%s' ${#JOB} "$(printf %s "$JOB" | od -An -tx1 | tr -d ' \n')")
# keep with wait; remove without wait.
meets "$HELLO $ERROR" "$RECEIVE:9c$selected${nils}c3c3"
meets "$HELLO $ERROR" "$RECEIVE:9f$selected${nils}c2c2c200c3"
# RECEIVED of nothing, and for more than was sent.
meets "$HELLO $ERROR" "$RECEIVED:920101"
child=$(printf 'cd%04x' $((JOB + 1)))
ends_by_error "$RECEIVE:9a$selected$nils" "$RECEIVED:92${child}09"
# A second request while the first is answered; what only the daemon says; bytes that are none.
ends_by_error "$RECEIVE:9a$selected$nils" "$GET:90"
ends_by_error "$RECEIVE:9a$selected$nils" "$SOURCE:90"
ends_by_error "$RECEIVE:9a$selected$nils" "raw:$(printf 'GET / HTTP/1.1\r\n\r\n....' | od -An -tx1 | tr -d ' \n')"
expect alive "$daemon"
# What they were sent and did not acknowledge is still there.
expect_status 0 muster receive -N "$JOB"
expect_text $'1\n2\n3'
expect test "$(daemon_pid)" -eq "$daemon"

case_ 'too many selectors, too long ones'
local_
mapfile -t many < <(seq 100001 104097)
expect_status 2 muster get "${many[@]}"
expect_err 'more than 4096 jobs are named'
expect_status 2 muster get "${many[@]:1}"
expect test "$(wc -l <"$ERR")" -eq 4096
expect_status 2 muster get "$(head -c 100000 /dev/zero | tr '\0' x)" "$(head -c 100000 /dev/zero | tr '\0' y)" \
    "$(head -c 100000 /dev/zero | tr '\0' z)"
expect_err 'more than 262144 bytes in all'
long=$(head -c 256 /dev/zero | tr '\0' n)
expect_status 2 muster start --name "$long" -- true
expect_text ''
expect_status 0 muster start --name "${long:1}" -- true

finish_
