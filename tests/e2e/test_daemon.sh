#!/usr/bin/env bash
# test_daemon.sh MUSTER FAULTD: the daemon: starting without a race, leaving, stopping, its socket and
# who may come near it, and clients that break the rules.
# shellcheck disable=SC2015,SC2016,SC2317 # "a && b || c" is meant; quotes are for the host
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
lab_up 3
socket=$XDG_RUNTIME_DIR/muster/$DAEMON.sock
python=$(command -v python3)
word=31536$$.
words=0

# new_word: WORD is a number of seconds that nobody else sleeps, so that it names processes.
new_word() {
    words=$((words + 1))
    WORD=$word$words
}

# daemons [SOCKET]: the pids of the daemons that serve it, started by a command.
daemons() {
    local file pid
    # From a file, as grep would find itself otherwise.
    echo "${1:-$socket}" >"$WORK/pattern"
    grep -slzxF -f "$WORK/pattern" /proc/[0-9]*/cmdline | while read -r file; do
        pid=${file#/proc/}
        pid=${pid%/cmdline}
        grep -sqzxF -e --socket-path "$file" && since_ "$pid" && echo "$pid"
    done | each_known_
}

no_daemon() {
    [ -z "$(daemons "$@")" ]
}

# start_muster ARGUMENT...: in the background, its output in $WORK/bg.out and bg.err; PID is set.
start_muster() {
    : >"$WORK/bg.out"
    : >"$WORK/bg.err" # what is awaited there is not of the one before
    "$MUSTER" -L "$DAEMON" -F "$SSH_CONFIG" "$@" >"$WORK/bg.out" 2>"$WORK/bg.err" </dev/null &
    PID=$!
    started_ "$PID"
}

# start_sleeper: a job on all hosts that lasts; its processes carry WORD.
start_sleeper() {
    new_word
    start_muster invoke -H 'h[1-3]' -- sh -c 'setsid sleep "$1" & sleep "$1"' sh "$WORD"
    comes_up
}

comes_up() {
    within 60 all_sleep || fail_ "$(processes_of "$WORD" | wc -l) of 9 processes are there: $(cat "$WORK/bg.err")"
}

# On each host a shell, and two that sleep.
all_sleep() {
    [ "$(processes_of "$WORD" | wc -l)" -eq 9 ]
}

case_ 'twenty first commands at once start one daemon'
for round in 1 2 3; do
    stop_daemon
    expect within 60 no_daemon
    pids=()
    for ((i = 0; i < 20; i++)); do
        "$MUSTER" -L "$DAEMON" -F "$SSH_CONFIG" invoke -H h1 -- echo "$i" >"$WORK/first.$i" 2>&1 \
            </dev/null &
        pids+=("$!")
        started_ "$!"
    done
    for ((i = 0; i < 20; i++)); do
        wait_ "${pids[i]}" || fail_ "round $round: command $i: status $?: $(cat "$WORK/first.$i")"
        expect test "$(cat "$WORK/first.$i")" = "h1: $i"
    done
    expect test "$(daemons | wc -l)" -eq 1
    expect_status 0 muster get --all --output jsonl
    expect_lines 20 '"state":"Completed"'
done

case_ 'only its user comes near the socket'
expect test "$(stat -c %a "$XDG_RUNTIME_DIR/muster")" = 700
expect test "$(stat -c %a "$socket")" = 600
expect test "$(stat -c %a "$XDG_STATE_HOME/muster/$DAEMON.log")" = 600

case_ 'daemon status'
expect_status 0 muster daemon status
expect_out "^running: pid $(daemons), version [0-9]"
expect_out "^socket: $socket\$"
expect_status 0 muster daemon status --output json
cat >"$WORK/status.py" <<'END'
import json, os, sys
s = json.load(open(sys.argv[1]))
need = {"pid": int, "version": str, "socket": str, "jobs": int, "sessions": int}
for key, kind in need.items():
    assert type(s[key]) is kind, (key, s)
assert s["socket"] == sys.argv[2] and s["pid"] == int(sys.argv[3]), s
assert (s["jobs"], s["sessions"]) == (int(sys.argv[4]), int(sys.argv[5])), s
END
if [ -n "$python" ]; then
    expect "$python" "$WORK/status.py" "$OUT" "$socket" "$(daemons)" 0 0
else
    skip_ 'no python3'
fi

case_ 'stop refuses while a job runs, and --force ends it'
start_sleeper
expect_status 1 muster daemon stop
expect_err '^muster: a job is still running that would end with the daemon: --force'
expect all_sleep
expect_status 0 muster daemon status --output json
[ -z "$python" ] || expect "$python" "$WORK/status.py" "$OUT" "$socket" "$(daemons)" 1 3
daemon=$(daemons)
expect_status 0 muster daemon stop --force
expect within 60 no_process_of "$WORD"
expect test ! -e "$socket"
expect within 60 gone "$daemon"
wait_ "$PID"
expect test $? -eq 3
expect grep -q '^muster: 3/3 failed: h\[1-3\] (stopped' "$WORK/bg.err"

case_ 'without a daemon: status says so, stop has nothing to do, nobody is started'
expect_status 255 muster daemon status
expect_err "no daemon is running .$socket"
expect_status 0 muster daemon stop
expect_silent
expect no_daemon

case_ 'the socket of a daemon that was killed is replaced'
expect_status 0 muster invoke -H h1 -- true
daemon=$(daemons)
kill -KILL "$daemon"
within 60 gone "$daemon"
expect test -S "$socket"
expect_status 255 muster daemon status
expect_status 0 muster invoke -H h1 -- echo x
expect_out '^h1: x$'
expect test "$(daemons | wc -l)" -eq 1
expect test "$(daemons)" -ne "$daemon"

case_ 'the daemon survives a hangup'
daemon=$(daemons)
kill -HUP "$daemon"
expect_status 0 muster invoke -H h1 -- true
expect test "$(daemons)" -eq "$daemon"

case_ 'names of daemons separate them'
other=$XDG_RUNTIME_DIR/muster/$DAEMON.other.sock
expect_status 0 "$MUSTER" -L "$DAEMON.other" -F "$SSH_CONFIG" invoke -H h1 -- true
expect test "$(daemons "$other" | wc -l)" -eq 1
expect test "$(daemons "$other")" -ne "$(daemons)"
expect_status 0 "$MUSTER" -L "$DAEMON.other" get --all --output jsonl
expect_lines 1 .
expect_status 0 env MUSTER_DAEMON="$DAEMON.other" "$MUSTER" get --all --output jsonl
expect_lines 1 .
expect_status 0 env MUSTER_DAEMON=nobody "$MUSTER" -L "$DAEMON.other" daemon stop
expect test ! -e "$other"
expect test -n "$(daemons)"

case_ 'an idle daemon leaves'
stop_daemon
export MUSTER_IDLE_TIMEOUT=1s
expect_status 0 muster invoke -H h1 -- true
daemon=$(daemons)
expect within 60 gone "$daemon"
expect within 60 test ! -e "$socket"
start_sleeper
daemon=$(daemons)
# While a job runs it is not idle: the next daemon has gone, this one not.
expect_status 0 "$MUSTER" -L "$DAEMON.other" -F "$SSH_CONFIG" invoke -H h1 -- true
expect within 60 no_daemon "$other"
expect alive "$daemon"
kill -TERM "$PID"
wait_ "$PID"
expect within 60 gone "$daemon"
unset MUSTER_IDLE_TIMEOUT

# Runs commands one after the other, so that they meet the daemon at any moment of its leaving.
meet_leaving() {
    local i
    for ((i = 0; i < 60; i++)); do
        MUSTER_IDLE_TIMEOUT=$((i % 20 + 1))ms muster invoke -H h1 -- echo x >"$WORK/meet.$1" 2>&1 &&
            [ "$(cat "$WORK/meet.$1")" = 'h1: x' ] || {
            echo "command $i: $(cat "$WORK/meet.$1")"
            return 1
        }
    done
}

case_ 'a command that comes when the daemon leaves is served'
meet_leaving 1 >"$WORK/meet.log.1" 2>&1 &
first=$!
meet_leaving 2 >"$WORK/meet.log.2" 2>&1 &
second=$!
started_ "$first"
started_ "$second"
wait_ "$first" || fail_ "$(cat "$WORK/meet.log.1")"
wait_ "$second" || fail_ "$(cat "$WORK/meet.log.2")"
expect within 60 no_daemon
expect test ! -e "$socket"

case_ 'a command that comes while the daemon still stops its jobs is served, when that is done'
new_word
muster invoke -H h1 --stop-grace 6 -- sh -c 'trap "" TERM; echo there; while :; do sleep 0.1; done' sh "$WORD" \
    >"$WORK/stubborn" 2>&1 &
first=$!
started_ "$first"
expect within 60 grep -q there "$WORK/stubborn"
daemon=$(daemons)
start_ muster daemon stop --force
expect within 60 test ! -e "$socket"
expect alive "$daemon"
expect_status 0 muster invoke -H h2 -- echo x
expect_out '^h2: x$'
expect within 60 gone "$daemon"
expect within 60 no_process_of "$WORD"
expect test "$(daemons | wc -l)" -eq 1
wait_ "$first"
expect test $? -eq 3
stop_daemon
expect within 60 no_daemon

# The processes that run a copy of muster; /proc shows it to root alone.
copies() {
    find /proc/[0-9]*/exe -maxdepth 0 -lname "$WORK/copy" 2>/dev/null
}
no_copy() {
    [ -z "$(copies)" ]
}
cp "$MUSTER" "$WORK/copy"

case_ 'an ephemeral daemon ends with its command'
expect_status 5 "$WORK/copy" -L "$DAEMON.eph" -F "$SSH_CONFIG" invoke --ephemeral -H 'h[1-3]' \
    --shell 'echo x; exit 1'
expect_lines 3 '^h[1-3]: x$'
expect test -z "$(find "$XDG_RUNTIME_DIR/muster" -name '*eph*')"
expect within 60 no_copy
new_word
"$WORK/copy" -F "$SSH_CONFIG" invoke --ephemeral -H 'h[1-3]' -- \
    sh -c 'setsid sleep "$1" & sleep "$1"' sh "$WORD" >"$WORK/bg.out" 2>"$WORK/bg.err" </dev/null &
PID=$!
started_ "$PID"
comes_up
{ kill -KILL "$PID" && wait "$PID"; } 2>/dev/null
expect within 60 no_process_of "$WORD"
expect within 60 no_copy
expect no_daemon

# --- the runtime directory ---

# unsafe REGEX: a command with the runtime directory $WORK/odd is refused for that reason.
unsafe() {
    expect_status 2 env XDG_RUNTIME_DIR="$WORK/odd" "$MUSTER" -L "$DAEMON" invoke -H h1 -- true
    expect_err "^muster invoke: $WORK/odd/muster $1"
    expect test ! -e "$WORK/odd/muster/$DAEMON.sock"
}

case_ 'a runtime directory that is not safe is refused'
mkdir -m 700 "$WORK/odd"
mkdir -m 755 "$WORK/odd/muster"
unsafe "is open to other users: chmod 700 $WORK/odd/muster\$"
chmod 710 "$WORK/odd/muster"
unsafe 'is open to other users'
rmdir "$WORK/odd/muster"
mkdir -m 700 "$WORK/elsewhere"
ln -s "$WORK/elsewhere" "$WORK/odd/muster"
unsafe 'is not a directory of yours: remove it'
rm "$WORK/odd/muster"
: >"$WORK/odd/muster"
unsafe 'is not a directory of yours'
rm "$WORK/odd/muster"
if [ "$(id -u)" -eq 0 ]; then
    mkdir -m 700 "$WORK/odd/muster"
    chown 12345 "$WORK/odd/muster"
    unsafe 'is not a directory of yours'
    rmdir "$WORK/odd/muster"
fi
long=$WORK/$(head -c 90 /dev/zero | tr '\0' x)
mkdir -m 700 "$long"
expect_status 2 env XDG_RUNTIME_DIR="$long" "$MUSTER" get
expect_err 'is too long for a socket: set a shorter XDG_RUNTIME_DIR'

case_ 'a lock that is a link is not followed'
mkdir -m 700 "$WORK/odd/muster"
ln -s "$WORK/victim" "$WORK/odd/muster/$DAEMON.lock"
expect_status 255 env XDG_RUNTIME_DIR="$WORK/odd" "$MUSTER" -L "$DAEMON" invoke -H h1 -- true
expect_err 'cannot lock '
expect test ! -e "$WORK/victim"

# --- in the foreground ---

# start_foreground OPTION...
start_foreground() {
    start_muster daemon run "$@"
    within 60 test -S "$socket"
}

case_ 'a daemon in the foreground ends on a signal'
for signal in TERM INT; do
    expect start_foreground
    expect_status 0 muster invoke -H h1 -- true
    expect test "$(daemon_pid)" -eq "$PID"
    expect_status 1 muster daemon run
    expect_err 'already running'
    kill -"$signal" "$PID"
    wait_ "$PID"
    expect test $? -eq 0
    expect test ! -e "$socket"
done

case_ 'a daemon in the foreground stops its jobs when it ends'
expect start_foreground
daemon=$PID
start_sleeper
kill -TERM "$daemon"
wait_ "$daemon"
expect test $? -eq 0
expect within 60 no_process_of "$WORD"
wait_ "$PID"
expect test $? -eq 3

case_ 'a daemon in the foreground leaves when it is idle'
start_muster daemon run --idle-timeout 300ms # too short a time to look for its socket
expect within 60 gone "$PID"
wait_ "$PID"
expect test $? -eq 0

# --- clients that break the rules ---

cat >"$WORK/client.py" <<'END'
# client.py SOCKET HEX [stay]: sends the bytes; "stay" waits for the other side. Prints the types of
# the frames that come, then "end".
import socket, struct, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(100)
s.connect(sys.argv[1])
print("connected", flush=True)
try:
    s.sendall(bytes.fromhex(sys.argv[2]))
except (BrokenPipeError, ConnectionResetError):
    pass
data = b""
try:
    while True:
        got = s.recv(65536)
        if not got:
            break
        data += got
except ConnectionResetError:
    pass
while len(data) >= 20:
    magic, kind, flags, size = struct.unpack(">HBBI", data[:8])
    assert magic == 0x4d53
    print("type", kind)
    data = data[20 + size:]
print("end")
END
cat >"$WORK/frame.py" <<'END'
# frame.py TYPE BODY-HEX: a frame in hexadecimal (docs/protocol.md, section 2).
import struct, sys
def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff
body = bytes.fromhex(sys.argv[2])
head = struct.pack(">HBBIQ", 0x4d53, int(sys.argv[1]), 0, len(body), 1)
print((head + struct.pack(">I", crc32c(head + body)) + body).hex())
END

# meets WORDS HEX: the daemon answers those bytes with frames of these types, and closes.
meets() {
    expect_status 0 timeout 120 "$python" "$WORK/client.py" "$socket" "$2"
    expect test "$(grep -v connected "$OUT" | tr '\n' ' ')" = "$1 "
}

if [ -z "$python" ]; then
    case_ 'clients that break the rules'
    skip_ 'no python3'
    finish_
fi

case_ 'a client that sends half a greeting is let go, and nobody waits for it'
expect_status 0 muster invoke -H h1 -- true
daemon=$(daemons)
hello=$("$python" "$WORK/frame.py" 1 940101a17801)
: >"$WORK/half"
: >"$WORK/silent"
timeout 120 "$python" "$WORK/client.py" "$socket" "${hello:0:22}" >"$WORK/half" 2>&1 </dev/null &
half=$!
timeout 120 "$python" "$WORK/client.py" "$socket" '' >"$WORK/silent" 2>&1 </dev/null &
silent=$!
started_ "$half"
started_ "$silent"
expect within 60 grep -q connected "$WORK/half"
expect within 60 grep -q connected "$WORK/silent"
expect_status 0 muster invoke -H 'h[1-3]' -- true
# Looked at again at the end: it takes five seconds.

case_ 'garbage is answered and dropped'
meets 'type 2 end' "$(printf 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n' | od -An -tx1 | tr -d ' \n')"
meets 'type 2 end' "$(head -c 3000 /dev/zero | od -An -v -tx1 | tr -d ' \n')"
# A length above the limit; a wrong checksum; another message than HELLO; no such message.
meets 'type 2 end' 4d530100ffffffff0000000000000001deadbeef
meets 'type 2 end' "${hello:0:32}00000000${hello:40}"
meets 'type 2 end' "$("$python" "$WORK/frame.py" 48 90)"
meets 'type 2 end' "$("$python" "$WORK/frame.py" 200 90)"
# A HELLO that is none, and one of another version.
meets 'type 2 end' "$("$python" "$WORK/frame.py" 1 c1)"
meets 'type 2 end' "$("$python" "$WORK/frame.py" 1 9402020a01)"
# Broken after the greeting: a second HELLO, what only the daemon says, JOB_RUN out of order.
meets 'type 1 type 2 end' "$hello$hello"
meets 'type 1 type 2 end' "$hello$("$python" "$WORK/frame.py" 34 90)"
meets 'type 1 type 2 end' "$hello$("$python" "$WORK/frame.py" 18 '')"
meets 'type 1 type 2 end' "${hello}00112233445566778899aabbccddeeff00112233"
expect alive "$daemon"

case_ 'many broken clients at once disturb nobody'
pids=()
for ((i = 0; i < 30; i++)); do
    : >"$WORK/many.$i"
    timeout 120 "$python" "$WORK/client.py" "$socket" "${hello}4d53" >"$WORK/many.$i" 2>&1 </dev/null &
    started_ "$!"
    pids+=("$!")
done
for ((i = 0; i < 30; i++)); do
    expect within 60 grep -q connected "$WORK/many.$i"
done
expect_status 0 muster invoke -H 'h[1-3]' -- echo x
expect_lines 3 '^h[1-3]: x$'
expect_status 0 muster daemon status --output json
expect_out '"clients":(3[0-9]),'
kill "${pids[@]}"
wait "${pids[@]}" 2>/dev/null

case_ 'a client that sends half a greeting is let go (its end)'
expect within 60 grep -q '^end$' "$WORK/half"
expect within 60 grep -q '^end$' "$WORK/silent"
expect_not grep -q type "$WORK/half"
expect test "$(daemons)" -eq "$daemon"

finish_
