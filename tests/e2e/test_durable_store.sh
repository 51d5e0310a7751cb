#!/usr/bin/env bash
# test_durable_store.sh MUSTER FAULTD HOSTILE AGENT: the store of the daemon: damaged, foreign, newer, shared, full.
# shellcheck disable=SC2016,SC2034,SC2119,SC2153,SC2317 # $ for the hosts' shells; lib.sh uses what is set here
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/jobs.sh
. "$(dirname "$0")/jobs.sh"
# shellcheck source=tests/e2e/durable.sh
. "$(dirname "$0")/durable.sh"
lab_up 2
settings_
store=$XDG_STATE_HOME/muster/$DAEMON

# refused_ REGEX: no command gets a daemon, and each says why.
refused_() {
    local word
    for word in get 'start -- true' 'daemon status'; do
        # shellcheck disable=SC2086 # words
        run muster $word
        if [ "$word" = 'daemon status' ]; then
            expect_not test -S "$XDG_RUNTIME_DIR/muster/$DAEMON.sock"
        else
            expect test "$STATUS" -eq 255
            expect_err "$1"
            expect_no_out .
        fi
    done
}

case_ 'where there is no place for it: the reason, the path and status 255'
settings_ 'store = /proc/muster-store'
refused_ 'cannot use the store /proc/muster-store: cannot make'
settings_ "store = $WORK/no/such"
refused_ "cannot use the store $WORK/no/such: cannot make"
: >"$WORK/file"
settings_ "store = $WORK/file"
refused_ "cannot use the store $WORK/file"

case_ 'a directory that others can read, or that belongs to somebody else'
mkdir -m 755 "$WORK/open"
settings_ "store = $WORK/open"
refused_ "store $WORK/open: .* open to others .*chmod"
chmod 700 "$WORK/open"
if [ "$(id -u)" -eq 0 ]; then
    chown 12345 "$WORK/open"
    refused_ "store $WORK/open: .* belongs to uid 12345"
    chown 0 "$WORK/open"
fi
expect_status 0 muster get
expect_status 0 muster daemon stop

case_ 'two daemons with one store: the second is refused, and the first does not mind'
settings_ "store = $WORK/one"
expect_status 0 muster get
pid=$(daemon_pid)
expect_status 255 timeout 120 "$MUSTER" -L "$DAEMON-2" get
expect_err "the store $WORK/one is used by another daemon, pid $pid"
on_hosts h1 'echo fine'
expect_status 0 muster receive --wait "$JOB"
expect test "$(daemon_pid)" = "$pid"

case_ 'made by a newer release: refused, and not a byte is changed'
settings_
on_hosts h1 'echo fine'
expect_status 0 muster wait "$JOB"
expect_status 0 muster daemon stop
printf '\377' | dd of="$store/jobs.db" bs=1 seek=62 conv=notrunc status=none
find "$store" -type f ! -name lock -exec cksum {} + | sort >"$WORK/before"
refused_ "cannot use the store $store: .*newer release"
find "$store" -type f ! -name lock -exec cksum {} + | sort >"$WORK/after"
expect cmp "$WORK/before" "$WORK/after"
printf '\0' | dd of="$store/jobs.db" bs=1 seek=62 conv=notrunc status=none
expect_status 0 muster receive "$JOB"
expect_out '^h1: fine$'

case_ 'a damaged database is put aside; what was stored can be received, and what ran is found again'
settings_
new_word
on_hosts 'h[1-2]' 'seq 1000; exit 7'
done_job=$JOB
expect_status 5 muster wait "$done_job"
on_hosts 'h[1-2]' "seq 500; until [ -e $WORK/$WORD ]; do sleep 0.05; done; seq 501 1000; exit 7"
expect within 60 has_received "$JOB" '^h1: 500$'
expect within 60 has_received "$JOB" '^h2: 500$'
expect kill_daemon
rm -f "$store/jobs.db-wal" "$store/jobs.db-shm"
head -c 30000 /dev/urandom >"$store/jobs.db"
chmod 600 "$store/jobs.db"
expect_status 0 muster get --all
expect_status 0 muster daemon status
expect_out 'damaged'
expect test "$(find "$store" -name 'jobs.db.damaged-*' | wc -l)" -eq 1
: >"$WORK/$WORD"
for job in "$done_job" "$JOB"; do
    run muster receive --wait --force "$job"
    expect_counted h1 1000
    expect_counted h2 1000
    expect property_is $((job + 1)) exit_code 7
    expect property_is $((job + 2)) exit_code 7
done
expect kill_daemon
expect_status 0 muster get --all
expect test "$(find "$store" -name 'jobs.db.damaged-*' | wc -l)" -eq 1

case_ 'fault_24: a bit flips in a segment: what it hits is said to be missing, and all else is there'
settings_
on_hosts h1 'seq 20000'
expect_status 0 muster wait "$JOB"
expect_status 0 muster daemon stop
segment=$(find "$store/frames" -name '*.seg' -size +40k | sort | tail -n 1)
expect test -n "$segment"
at=$(($(stat -c %s "$segment") / 2))
byte=$(dd if="$segment" bs=1 skip="$at" count=1 status=none | od -An -tu1 | tr -d ' ')
# shellcheck disable=SC2059 # an octal escape
printf "\\$(printf %o $((byte ^ 1)))" | dd of="$segment" bs=1 seek="$at" conv=notrunc status=none
expect_status 0 muster get "$JOB"
run muster receive "$JOB"
got=$(grep -c '^h1: [0-9]*$' "$OUT")
expect test "$got" -gt 5000
expect test "$got" -lt 20000
expect test "$(awk '/^h1: / { if ($2 <= last) bad = 1; last = $2 } END { print bad + 0 }' "$OUT")" = 0
expect_err "^h1: WARNING: $((20000 - got)) records are missing here: the store of this computer was damaged"
expect_status 0 muster daemon status
expect_out 'damaged'
expect kill_daemon
expect_status 0 muster receive "$JOB"
expect_silent

case_ 'fault_08: the end of the newest segment is torn: what was not acknowledged comes again'
settings_
new_word
on_hosts h1 "seq 500; until [ -e $WORK/$WORD ]; do sleep 0.05; done; seq 501 1000; exit 7"
expect within 60 has_received "$JOB" '^h1: 500$'
expect kill_daemon
segment=$(find "$store/frames" -name '*.seg' | sort | tail -n 1)
head -c 700 /dev/urandom >>"$segment"
: >"$WORK/$WORD"
expect_status 5 muster receive --wait --force "$JOB"
expect_counted h1 1000

case_ 'fault_22: store-size is reached: status says full, commands wait, a new job is refused, receiving makes room'
settings_ 'store-size = 4M' "store = $WORK/small"
new_word
on_hosts h1 "head -c 30000000 /dev/zero | tr '\\0' a | fold -w 1000; echo; echo end; exit 7" --spool-limit 1M
is_full() { muster daemon status -o json | grep -q '"store_state":"full"'; }
expect within 60 is_full
expect_status 0 muster daemon status
expect_out '^store: .*full'
expect state_is $((JOB + 1)) Running
expect test "$(du -sk "$WORK/small" | cut -f1)" -lt 20000
LIMIT=120
expect_status 5 muster receive --wait --force "$JOB"
expect_lines 30000 '^h1: a{1000}$'
expect_out '^h1: end$'
expect property_is $((JOB + 1)) exit_code 7

case_ 'fault_55: another user at the socket, if the modes of the files should let him: no word, and others are served'
settings_
expect_status 0 muster get
pid=$(daemon_pid)
socket=$XDG_RUNTIME_DIR/muster/$DAEMON.sock
if [ "$(id -u)" -eq 0 ] && command -v python3 >/dev/null; then
    chmod 711 "$WORK" "$XDG_RUNTIME_DIR" "$XDG_RUNTIME_DIR/muster"
    chmod 666 "$socket"
    # The greeting of a client; the uid it has, and how many bytes come until the end.
    cat >"$WORK/knock.py" <<'END'
import os, socket, sys
greeting = bytes.fromhex(sys.argv[3])
os.setuid(int(sys.argv[2]))
s = socket.socket(socket.AF_UNIX)
s.settimeout(10)
s.connect(sys.argv[1])
said = b''
try:
    s.sendall(greeting)
    said = s.recv(4096)
except (BrokenPipeError, ConnectionResetError):
    pass
print(len(said))
END
    # Garbage is answered with why it is, to who may hear it.
    garbage=$(printf '%064d' 0)
    expect_status 0 python3 "$WORK/knock.py" "$socket" 0 "$garbage"
    expect_no_out '^0$'
    expect_status 0 python3 "$WORK/knock.py" "$socket" 54321 "$garbage"
    expect_out '^0$'
    chmod 700 "$WORK" "$XDG_RUNTIME_DIR" "$XDG_RUNTIME_DIR/muster"
    chmod 600 "$socket"
    expect test "$(daemon_pid)" = "$pid"
else
    skip_ 'needs root and python3'
fi

case_ 'store = memory: jobs end with their daemon, and a stop says so'
settings_ 'store = memory'
new_word
on_hosts h1 "echo 1; sleep 1000 # $WORD"
expect within 60 has_received "$JOB" '^h1: 1$'
expect_not muster daemon stop 2>/dev/null
expect_status 0 muster daemon stop --force
expect within 60 no_process_of "$WORD"
expect_status 0 muster get --all
expect_lines 1 .

finish_
