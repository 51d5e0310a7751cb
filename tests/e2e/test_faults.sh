#!/usr/bin/env bash
# test_faults.sh MUSTER FAULTD: hosts, servers and connections that fail. Each names its cause, ends
# with the documented status, and leaves the other hosts alone.
# shellcheck disable=SC2016,SC2034,SC2153,SC2317 # $ for the hosts' shells; lib.sh uses what is set here
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
lab_up 5
lab_key=$(cut -d' ' -f1,2 "$WORK/lab/keys/host_ed25519.pub")

# bad_host PORT [ADDRESS [SECONDS]]: the host 'bad', beside h1..h5; it alone is given no more time than that to connect.
bad_host() {
    ssh_config bad <<END
Host bad
	HostName ${2:-127.0.0.1}
	Port $1
	${3:+ConnectTimeout $3}
END
}

# through MODE [SECONDS]: the host 'bad' is h5 behind a proxy of that mode (faultd), with h5's key; SECONDS as above.
through() {
    serve "proxy:127.77.0.5:$LAB_PORT:$1"
    printf 'proxied %s\n' "$lab_key" >"$WORK/proxied_known"
    ssh_config bad <<END
Host bad
	HostName 127.0.0.1
	Port ${PORTS[0]}
	HostKeyAlias proxied
	UserKnownHostsFile $WORK/proxied_known
	${2:+ConnectTimeout $2}
END
}

# bad_fails REGEX [OPTION...]: 'bad' fails so, and h1..h4 answer as if nothing had happened.
bad_fails() {
    local why=$1
    shift
    expect_status 4 muster invoke "$@" -H 'bad,h[1-4]' -- echo fine
    expect_err "^muster: 1/5 failed: bad \\($why\\)\$"
    expect_lines 4 '^h[1-4]: fine$'
    expect_no_out '^bad'
    expect test "$(wc -l <"$ERR")" -eq 1
}

case_ 'a name that does not resolve'
ssh_config bad <<END
Host bad
	HostName nosuchhost.invalid
END
bad_fails 'unreachable: cannot resolve nosuchhost\.invalid: .+'

case_ 'connection refused'
bad_host 1
bad_fails 'unreachable: connection refused'

case_ 'no route to the host'
# To a broadcast address TCP is refused by the kernel, and nothing is sent.
bad_host 22 127.255.255.255
bad_fails 'unreachable: network is unreachable'

case_ 'a banner that is not SSH'
serve banner
bad_host "${PORTS[0]}"
bad_fails 'unreachable: the connection was closed before an SSH banner came'

case_ 'garbage without end instead of a banner'
serve garbage
bad_host "${PORTS[0]}"
bad_fails 'unreachable: no SSH server answers there' --connect-timeout 30
expect_not grep -q '[^ -~]' "$ERR"

case_ 'accepts and closes'
serve close
bad_host "${PORTS[0]}"
bad_fails 'unreachable: the connection was closed before an SSH banner came'

case_ 'a banner, then the end'
serve closekex
bad_host "${PORTS[0]}"
bad_fails 'unreachable: key exchange failed: .+'

case_ 'a packet of 2 GiB in the key exchange is refused at its length'
serve halfkex
bad_host "${PORTS[0]}"
bad_fails 'unreachable: key exchange failed: .+'

for mode in hangkex slowbanner; do
    case_ "$mode: ended by its ConnectTimeout"
    serve "$mode"
    bad_host "${PORTS[0]}" '' 2
    bad_fails 'timeout: key exchange'
done

case_ 'silent: ended by --connect-timeout, the others do not wait for it'
serve silent
bad_host "${PORTS[0]}"
# The others' lines come while 'bad' still hangs: they are there before muster has ended.
COMMAND='invoke with one that is silent' STATUS=- TOOK_MS=0
start_ muster invoke --connect-timeout 12 -H 'bad,h[1-4]' -- echo fine >"$OUT" 2>"$ERR"
all_fine() { [ "$(grep -c '^h[1-4]: fine$' "$OUT")" -eq 4 ]; }
expect within 60 all_fine
expect alive "$PID"
wait_ "$PID"
STATUS=$?
expect test "$STATUS" -eq 4
expect_err '^muster: 1/5 failed: bad \(timeout: key exchange\)$'

case_ 'many that hang do not keep the places of the others'
serve silent
ssh_config many <<END
Host b*
	HostName 127.0.0.1
	Port ${PORTS[0]}
	ConnectTimeout 2
END
expect_status 4 muster invoke -f 4 -H 'b[1-8],h[1-4]' -- echo fine
expect_err '^muster: 8/12 failed: b\[1-8\] \(timeout: key exchange\)$'
expect_lines 4 '^h[1-4]: fine$'

case_ 'the connection is reset in mid-stream'
through drop=300000
expect_status 4 muster invoke -H 'bad,h[1-4]' -- sh -c 'echo fine; exec head -c 3000000 /dev/zero'
expect_err '^muster: 1/5 failed: bad \(link-lost: .+\)$'
for host in bad h1 h2 h3 h4; do
    expect_lines 1 "^$host: fine\$"
done
# Of the host that was lost no more than what had come; of the others all.
expect test "$(tr -cd '\0' <"$OUT" | wc -c)" -ge 12000000

case_ 'the connection is reset before the login'
through drop=500
bad_fails 'unreachable: key exchange failed: .+'

case_ 'a connection that stalls is ended by --timeout'
through stall=300000
expect_status 3 muster invoke --timeout 6 --stop-grace 1 -H 'bad,h[1-4]' -- \
    head -c 1000000 /dev/zero
expect_err '^muster: 1/5 failed: bad \(timeout: run; (it could not be made sure that its processes are gone|the agent did not answer)\)$'
expect test "$(tr -cd '\0' <"$OUT" | wc -c)" -ge 4000000

case_ 'a connection that stalls in the login is ended by its deadline'
through stall=500 2
bad_fails 'timeout: key exchange'

case_ 'a slow connection is no failure'
through delay=50
expect_status 0 muster invoke -H 'bad,h[1-4]' -- echo fine
expect_lines 5 ': fine$'
expect_silent

case_ 'command not found'
expect_status 5 muster invoke -H 'h[1-2]' -- no-such-command-here
expect_err '^muster: 2/2 failed: h\[1-2\] \(exited 127\)$'
expect_err '^h1: .*no-such-command-here'

case_ 'killed by a signal'
expect_status 3 muster invoke -H 'h[1-3]' -- sh -c 'echo fine; kill -9 $$'
expect_err '^muster: 3/3 failed: h\[1-3\] \(signalled KILL\)$'
expect_lines 3 '^h[1-3]: fine$'

case_ 'the server is killed in mid-output'
word=mid-output-$$
rm -f "$WORK/go"
COMMAND="invoke, and the server of h2 is killed" STATUS=- TOOK_MS=0
start_ muster invoke -H 'h[1-3]' -- \
    sh -c 'echo begun; until [ -e "$1" ]; do sleep 0.02; done; echo fine' "$word" "$WORK/go" >"$OUT" 2>"$ERR"
all_begun() { [ "$(grep -c ': begun$' "$OUT")" -eq 3 ]; }
expect within 60 all_begun
# Of the three sessions, that of h2: SSH_CONNECTION tells them apart. Its command descends from sshd.
server=
for pid in $(processes_of "$word"); do
    grep -qzF " 127.77.0.2 $LAB_PORT" "/proc/$pid/environ" || continue
    while [ -z "$server" ] && [ "$pid" -gt 1 ]; do
        pid=$(sed -n 's/^PPid:\t//p' "/proc/$pid/status")
        case $(cat "/proc/$pid/comm") in sshd*) server=$pid ;; esac
    done
done
expect test -n "$server"
[ -z "$server" ] || kill -KILL "$server"
: >"$WORK/go"
wait_ "$PID"
STATUS=$?
expect test "$STATUS" -eq 4
expect_err '^muster: 1/3 failed: h2 \(link-lost: .+\)$'
expect_lines 2 '^h[13]: fine$'
expect_no_out '^h2: fine'

case_ 'all servers are away, then back'
timeout 120 "$LAB" -d "$WORK/lab" server-stop >/dev/null
expect_status 4 muster invoke -H 'h[1-5]' -- true
expect_err '^muster: 5/5 failed: h\[1-5\] \(unreachable: connection refused\)$'
timeout 120 "$LAB" -d "$WORK/lab" server-start >/dev/null
expect_status 0 muster invoke -H 'h[1-5]' -- true
expect_silent

case_ '--timeout: the cause, the status, and nothing of the command is left'
word=timed-out-$$
expect_status 3 muster invoke --timeout 5 --stop-grace 1 -H 'h[1-3]' -- sh -c '
    case $SSH_CONNECTION in *" 127.77.0.3 "*) echo fine; exit ;; esac
    setsid sh -c "while :; do sleep 1; done" "$0" &
    sh -c "trap \"\" TERM HUP INT; while :; do sleep 1; done" "$0" &
    (nohup sh -c "while :; do sleep 1; done" "$0" >/dev/null 2>&1 &)
    echo begun
    wait' "$word"
expect_err '^muster: 2/3 failed: h\[1-2\] \(timeout: run\)$'
expect_lines 2 '^h[12]: begun$'
expect_lines 1 '^h3: fine$'
expect within 60 no_process_of "$word"

case_ 'status: 4 wins over 3 and 5'
bad_host 1
expect_status 4 muster invoke --timeout 4 --stop-grace 1 -H 'bad,h[1-3]' -- sh -c '
    case $SSH_CONNECTION in *" 127.77.0.1 "*) sleep 1000 ;; *" 127.77.0.2 "*) exit 7 ;; esac'
expect_err 'bad \(unreachable: connection refused\)'
expect_err 'h1 \(timeout: run\)'
expect_err 'h2 \(exited 7\)'
expect_err '^muster: 3/4 failed: '

case_ 'status: 3 wins over 5'
expect_status 3 muster invoke --timeout 4 --stop-grace 1 -H 'h[1-3]' -- sh -c '
    case $SSH_CONNECTION in *" 127.77.0.1 "*) sleep 1000 ;; *" 127.77.0.2 "*) exit 7 ;; esac'
expect_err '^muster: 2/3 failed: '

case_ 'status: 5 for a failed command'
expect_status 5 muster invoke -H 'h[1-3]' -- sh -c '
    case $SSH_CONNECTION in *" 127.77.0.2 "*) exit 7 ;; esac'
expect_err '^muster: 1/3 failed: h2 \(exited 7\)$'

case_ 'a jump host that is not there: the target is not reached another way'
ssh_config jump <<END
Host bad
	HostName 127.77.0.5
	ProxyJump bastion
END
bad_fails 'unreachable: bastion bastion: cannot resolve: .+'

case_ 'the daemon is killed during a run'
word=orphan-$$
COMMAND="invoke, and the daemon is killed" STATUS=- TOOK_MS=0
start_ muster invoke -H 'h[1-2]' -- \
    sh -c 'echo begun; while sleep 0.1; do echo more || exit; done' "$word" >"$OUT" 2>"$ERR"
both_begun() { [ "$(grep -c ': begun$' "$OUT")" -eq 2 ]; }
expect within 60 both_begun
daemon=$(daemon_pid)
expect test -n "$daemon"
[ -z "$daemon" ] || kill -KILL "$daemon"
wait_ "$PID"
STATUS=$?
expect test "$STATUS" -eq 255
expect_err "^muster: the daemon closed the connection \\(pid $daemon\\) .*2 of 2 not finished: h\\[1-2\\]"
# Without a reader the commands end by themselves.
expect within 60 no_process_of "$word"

case_ 'and the next command starts another daemon'
expect_status 0 muster invoke -H 'h[1-2]' -- echo fine
expect_lines 2 ': fine$'
expect_silent

finish_
