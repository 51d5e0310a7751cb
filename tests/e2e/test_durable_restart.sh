#!/usr/bin/env bash
# test_durable_restart.sh MUSTER FAULTD HOSTILE AGENT: daemons that are killed, ended, and replaced, and what runs on.
# shellcheck disable=SC2016,SC2034,SC2119,SC2153,SC2317 # $ for the hosts' shells; lib.sh uses what is set here
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/jobs.sh
. "$(dirname "$0")/jobs.sh"
# shellcheck source=tests/e2e/durable.sh
. "$(dirname "$0")/durable.sh"
lab_up 100
settings_
begun_some() { [ -s "$1" ]; }

case_ 'the daemon is killed again and again: each line once, exit statuses, begun once'
on_hosts 'h[1-4]' "echo begun >>$WORK/begun; $(counting 600)"
for round in 1 2 3 4 5; do
    expect within 60 has_received "$JOB" "^h[1-4]: $((round * 60))\$"
    expect kill_daemon
done
expect_status 5 muster receive --wait --force "$JOB"
for host in h1 h2 h3 h4; do
    expect_counted "$host" 600
done
for child in 1 2 3 4; do
    expect property_is $((JOB + child)) exit_code 7
done
expect begun_times "$WORK/begun" 4

case_ 'what is received stays received over a restart, what is kept comes again, and the ids go on'
before=$JOB
new_word
on_hosts h1 "echo 1; echo 2; until [ -e $WORK/$WORD ]; do sleep 0.05; done; echo 3; exit 7"
expect test "$JOB" -gt "$before"
expect within 60 has_received "$JOB" '^h1: 2$'
expect_status 0 muster receive "$JOB"
expect_text $'h1: 1\nh1: 2'
expect kill_daemon
: >"$WORK/$WORD"
expect within 60 is_finished "$JOB"
expect_status 5 muster receive --keep "$JOB"
expect_text 'h1: 3'
expect kill_daemon
expect_status 5 muster receive --keep "$JOB"
expect_text 'h1: 3'
expect_status 5 muster receive "$JOB"
expect_text 'h1: 3'
expect kill_daemon
expect_status 5 muster receive "$JOB"
expect_text ''
expect property_is $((JOB + 1)) exit_code 7
expect_status 0 muster remove "$JOB"
expect kill_daemon
run muster get "$JOB"
expect test "$STATUS" -ne 0

case_ 'fault_09: stored, but no acknowledgement has arrived when the daemon dies: nothing comes twice'
printf 'proxied %s\n' "$(cut -d' ' -f1,2 "$WORK/lab/keys/host_ed25519.pub")" >"$WORK/known"
KEEPALIVE=60s settings_
serve "proxy:127.77.0.1:$LAB_PORT:stall=150000"
ssh_config stalled <<END
Host p1
	HostName 127.0.0.1
	Port ${PORTS[0]}
	HostKeyAlias proxied
	UserKnownHostsFile $WORK/known
END
new_word
on_hosts p1 "seq 5000; until [ -e $WORK/$WORD ]; do sleep 0.05; done; seq 5001 20000; exit 7"
expect within 60 has_received "$JOB" '^p1: 5000$'
# What comes from now on is stored, as far as it comes; what is said of that is not heard any more.
: >"$WORK/$WORD"
expect within 60 has_received "$JOB" '^p1: 5[0-9][0-9][0-9]$'
expect test -n "$(find "$(spool_of $((JOB + 1)))" -name 'seg-*' -size +1)"
sed -i "s/HostName 127.0.0.1/HostName 127.77.0.1/; s/Port ${PORTS[0]}/Port $LAB_PORT/" "$SSH_CONFIG"
expect kill_daemon
kill "$SERVER"
expect_status 5 muster receive --wait --force "$JOB"
expect_counted p1 20000
settings_

case_ 'a clean stop leaves what is durable alone, and the next daemon goes on with it'
new_word
on_hosts 'h[1-4]' "$(counting 300 "$WORK/$WORD")"
expect within 60 has_received "$JOB" '^h4: 20$'
expect within 60 states_are "$JOB" Running Running Running Running
pid=$(daemon_pid)
expect_status 0 muster daemon stop
expect within 60 gone "$pid"
: >"$WORK/$WORD"
expect_status 5 muster receive --wait --force "$JOB"
for host in h1 h2 h3 h4; do
    expect_counted "$host" 300
done

case_ 'a host that waits for its turn has it after the restart, and none twice'
new_word
on_hosts 'h[1-6]' "echo begun >>$WORK/turn; until [ -e $WORK/$WORD ]; do sleep 0.05; done; exit 7" --throttle-limit 2
expect within 60 states_are "$JOB" Running Running NotStarted
expect kill_daemon
expect within 60 states_are "$JOB" Running Running NotStarted
: >"$WORK/$WORD"
expect_status 5 muster wait "$JOB"
expect begun_times "$WORK/turn" 6

case_ 'input that had not been sent when the daemon was killed is sent by the next one'
seq 200000 >"$WORK/in"
new_word
on_hosts 'h[1-2]' "head -c 10; until [ -e $WORK/$WORD ]; do sleep 0.05; done; cat | cksum" --stdin "$WORK/in"
expect within 60 has_received "$JOB" '^h1: 5'
expect within 60 has_received "$JOB" '^h2: 5'
expect kill_daemon
: >"$WORK/$WORD"
expect_status 0 muster receive --wait --force "$JOB"
expect_lines 2 "^h[12]: $(tail -c +11 "$WORK/in" | cksum)\$"

case_ 'a hundred hosts are found again by a new daemon'
on_hosts 'h[1-100]' "echo begun >>$WORK/hundred; $(counting 100)" --throttle-limit 100
LIMIT=120
expect within 60 begun_times "$WORK/hundred" 100
expect kill_daemon
expect_status 5 muster receive --wait --force "$JOB"
for ((i = 1; i <= 100; i++)); do
    expect_counted "h$i" 100 || break
done
expect begun_times "$WORK/hundred" 100

case_ 'fault_53: the servers let few in at a time while a hundred are looked for: paced, and all come back'
new_word
on_hosts 'h[1-100]' "echo begun >>$WORK/paced; until [ -e $WORK/$WORD ]; do sleep 0.2; done; exit 7" --throttle-limit 100
LIMIT=120
expect within 60 begun_times "$WORK/paced" 100
away_
for conf in "$WORK"/lab/sshd/*.conf; do
    sed -i.old 's/^MaxStartups .*/MaxStartups 2:80:4/; s/^MaxSessions .*/MaxSessions 1/' "$conf"
done
expect kill_daemon
back_
: >"$WORK/$WORD"
expect_status 5 muster wait --force "$JOB"
expect_status 5 muster receive "$JOB"
expect_lines 0 .
expect begun_times "$WORK/paced" 100
away_
for conf in "$WORK"/lab/sshd/*.conf; do
    mv "$conf.old" "$conf"
done
back_

all_is_stored() {
    muster daemon status >"$WORK/status" && grep -q '^store:' "$WORK/status" && ! grep -q 'to be written' "$WORK/status"
}

case_ 'inline: ended with its daemon, and the next one says so; with its connection, too'
new_word
on_hosts h1 "echo 1; sleep 1000 # $WORD" --inline
expect within 60 has_received "$JOB" '^h1: 1$'
# No host has it still: what is lost with the daemon is what was not on the disk.
expect within 60 all_is_stored
expect kill_daemon
expect within 60 is_finished "$JOB"
expect cause_is $((JOB + 1)) link-lost
expect_status 4 muster receive "$JOB"
expect_counted h1 1
expect within 60 no_process_of "$WORD"
on_hosts h1 "echo 1; sleep 1000 # $WORD" --inline
expect within 60 has_received "$JOB" '^h1: 1$'
away_
expect within 60 is_finished "$JOB"
expect cause_is $((JOB + 1)) link-lost
back_

case_ 'what is not durable is not begun twice either, if the daemon is killed just as it begins'
expect_status 0 muster get
for how in --inline --agent=never --inline --agent=never --inline --agent=never; do
    new_word
    pid=$(daemon_pid)
    on_hosts h1 "echo begun >>$WORK/$WORD; sleep 1000" "$how"
    deadline=$((SECONDS + 60))
    until [ -s "$WORK/$WORD" ] || [ "$SECONDS" -gt "$deadline" ]; do :; done
    kill -KILL "$pid"
    expect within 60 gone "$pid"
    expect within 60 is_finished "$JOB"
    expect cause_is $((JOB + 1)) link-lost
    expect begun_times "$WORK/$WORD" 1
done

case_ 'a synchronous command is durable when it is asked to be, and no agent, no durable run'
new_word
start_muster "$WORK/sync" invoke --durable -H h1 --shell "echo 1; until [ -e $WORK/$WORD ]; do sleep 0.05; done; echo 2; exit 7"
expect within 60 grep -q '^h1: 1$' "$WORK/sync"
away_
back_
: >"$WORK/$WORD"
expect within 60 gone "$PID"
wait_ "$PID"
expect test $? -eq 5
expect_counted h1 2 "$WORK/sync"
expect_status 2 muster invoke --durable --agent never -H h1 -- echo fine
expect_err 'durable needs the agent'
on_hosts h1 'echo fine' --agent never
expect_status 0 muster receive --wait "$JOB"
expect_out '^h1: fine$'

case_ 'another release: its daemon has the jobs, and its agent finds what the runner of the old one runs'
if command -v python3 >/dev/null; then
    python3 - "$MUSTER" "$WORK/muster" <<'END'
import hashlib, re, struct, sys
data = bytearray(open(sys.argv[1], 'rb').read())
# The agents are in there as they are: one that differs in a letter has another hash, and so another name.
for at in [m.start() for m in re.finditer(b'\x7fELF\x02\x01\x01', bytes(data)) if m.start()]:
    shoff, = struct.unpack_from('<Q', data, at + 40)
    size, count = struct.unpack_from('<HH', data, at + 58)
    end = at + shoff + size * count
    old = hashlib.sha256(data[at:end]).hexdigest().encode()
    text = data.find(b'it takes only --version', at, end)
    if data.count(old) != 1 or text < 0:
        continue
    data[text] = ord('I')
    where = data.find(old)
    data[where:where + 64] = hashlib.sha256(data[at:end]).hexdigest().encode()
open(sys.argv[2], 'wb').write(data)
END
    chmod 755 "$WORK/muster"
    new_word
    on_hosts 'h[1-2]' "echo 1; until [ -e $WORK/$WORD ]; do sleep 0.05; done; echo 2; exit 7"
    expect within 60 has_received "$JOB" '^h1: 1$'
    expect within 60 has_received "$JOB" '^h2: 1$'
    runners=$(runner_of "$WORD")
    expect kill_daemon
    (
        MUSTER=$WORK/muster
        expect within 60 states_are "$JOB" Running Running
        exit "$CASE_FAILED"
    ) || fail_ 'not as before'
    expect test "$(runner_of "$WORD")" = "$runners"
    expect test "$(find "$(host_home)/.cache/muster-agent" -name 'agent-*' | wc -l)" -eq 2
    : >"$WORK/$WORD"
    expect_status 5 muster receive --wait --force "$JOB"
    expect_counted h1 2
    expect_counted h2 2
else
    skip_ 'needs python3'
fi

case_ 'fault_52: a daemon that may open few files: all hosts have their turn, and it can be killed and goes on'
stop_daemon
few_files() (ulimit -n 64 && "$@")
run few_files muster -q invoke --as-job -H 'h[1-40]' --shell "echo begun >>$WORK/few; $(counting 100)"
JOB=$(cat "$OUT")
expect within 60 begun_some "$WORK/few"
pid=$(daemon_pid)
kill -KILL "$pid"
expect within 60 gone "$pid"
expect_status 5 few_files muster receive --wait --force "$JOB"
for ((i = 1; i <= 40; i++)); do
    expect_counted "h$i" 100 || break
done
expect begun_times "$WORK/few" 40
expect test "$(muster daemon status -o json | sed 's/.*"open_files":\([0-9]*\).*/\1/')" -le 64
stop_daemon

case_ 'fault_52: a host that allows few files: a clear cause for what it has no room for, and the others go on'
away_
(ulimit -n 40 && back_)
new_word
printf 'session-linger = 60s\nreconnect-delay = 200ms\nkeepalive = 1s\n' >"$HOME/.config/muster/muster.conf"
expect_status 0 muster invoke -H h1 -- true
jobs=()
for ((i = 0; i < 24; i++)); do
    on_hosts h1 "echo fine; until [ -e $WORK/$WORD ]; do sleep 0.1; done"
    jobs+=("$JOB")
done
: >"$WORK/$WORD"
fine=0 refused=0
for job in "${jobs[@]}"; do
    expect within 60 is_finished "$job"
    if has_received "$job" '^h1: fine$' && state_is "$job" Completed; then
        fine=$((fine + 1))
    elif cause_is $((job + 1)) refused || cause_is $((job + 1)) no-agent; then
        refused=$((refused + 1))
    fi
done
expect test $((fine + refused)) -eq 24
expect test "$fine" -gt 0
away_
back_
settings_

finish_
