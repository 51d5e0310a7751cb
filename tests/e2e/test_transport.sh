#!/usr/bin/env bash
# test_transport.sh MUSTER FAULTD HOSTILE AGENT: connections by the OpenSSH client.
# shellcheck disable=SC2016,SC2034,SC2119,SC2153,SC2317 # $ for the hosts' shells; lib.sh uses what is set here
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/jobs.sh
. "$(dirname "$0")/jobs.sh"
# shellcheck source=tests/e2e/durable.sh
. "$(dirname "$0")/durable.sh"
lab_up 50
settings_
PUBLIC=$(cut -d' ' -f1,2 "$WORK/lab/keys/host_ed25519.pub")

# ssh_clients: the pids of the OpenSSH clients that this test's daemons have started, and of what false ones run.
ssh_clients() {
    local file pid comm
    grep -slzxF -e "MUSTER_E2E=$WORK" /proc/[0-9]*/environ | while read -r file; do
        pid=${file#/proc/}
        pid=${pid%/environ}
        { read -r comm <"/proc/$pid/comm"; } 2>/dev/null || continue
        case $comm in ssh | yes) alive "$pid" && echo "$pid" ;; esac
    done
}
no_clients() {
    [ -z "$(ssh_clients)" ]
}
some_clients() {
    [ -n "$(ssh_clients)" ]
}

# ssh_is SCRIPT-TEXT: from now on this is what the daemon finds as ssh in PATH; usual_ssh takes that back.
USUAL_PATH=$PATH
ssh_is() {
    stop_daemon
    mkdir -p "$WORK/fake"
    printf '#!/bin/sh\n%s\n' "$1" >"$WORK/fake/ssh"
    chmod 755 "$WORK/fake/ssh"
    PATH=$WORK/fake:$USUAL_PATH
}
usual_ssh() {
    stop_daemon
    PATH=$USUAL_PATH
}

by_ssh() {
    local verb=$1
    shift
    muster "$verb" --transport ssh "$@"
}

case_ 'output, errors and exit codes, with the agent'
expect_status 5 by_ssh invoke -H 'h[1-5]' --shell 'echo out; echo err >&2; exit 7'
expect_lines 5 '^h[1-5]: out$'
expect_err '^h3: err$'
expect_err '5/5 failed: h\[1-5\] \(exited 7\)'
expect_status 0 by_ssh invoke -H h1 -- true
expect_silent
expect within 60 no_clients

case_ 'the same by plain exec'
for code in 0 7 255; do
    expect_status $((code ? 5 : 0)) by_ssh invoke --agent never -H 'h[1-5]' --shell "echo out; echo err >&2; exit $code"
    expect_lines 5 '^h[1-5]: out$'
    expect_err '^h3: err$'
    [ "$code" -eq 0 ] || expect_err "5/5 failed: h\[1-5\] \(exited $code\)"
done
expect_status 5 by_ssh invoke --agent never -H h1 --shell 'kill -TERM $$'
expect_err '1/1 failed: h1 \(exited 143\)'
expect within 60 no_clients

case_ 'a command as it was written, whatever is in it'
expect_status 0 by_ssh invoke --agent never -H h1 -- printf '<%s>' "it's" '$HOME `x`' '' '\n' '!a' 'a  b'
expect_out "^h1: <it's><\\\$HOME \`x\`><><\\\\n><!a><a  b>$"

case_ '5 MB in and out again'
seq 750000 >"$WORK/input"
for agent in auto never; do
    expect_status 0 by_ssh invoke --agent "$agent" -H h1 --stdin "$WORK/input" -- cat
    sed 's/^h1: //' "$OUT" >"$WORK/output"
    expect cmp -s "$WORK/input" "$WORK/output"
done

case_ 'fifty hosts at once'
expect_status 0 by_ssh invoke -H 'h[1-50]' -- echo fine
expect_lines 50 '^h[0-9]*: fine$'
expect within 60 no_clients

for agent in auto never; do
    case_ "stopped: the command is gone, and the client (agent $agent)"
    new_word
    on_hosts h1 "echo begun; sleep 1000; : $WORD" --transport ssh --agent "$agent"
    expect within 60 has_received "$JOB" '^h1: begun$'
    expect some_clients
    expect_status 0 muster stop "$JOB"
    expect within 60 state_is $((JOB + 1)) Stopped
    expect within 60 no_process_of "$WORD"
    expect within 60 no_clients

    case_ "what takes too long is ended (agent $agent)"
    new_word
    expect_status 3 by_ssh invoke --agent "$agent" --timeout 1s -H h1 --shell "sleep 1000; : $WORD"
    expect_err 'h1 \(timeout: run'
    expect within 60 no_process_of "$WORD"

    case_ "suspended, and resumed (agent $agent)"
    on_hosts h1 "until [ -e $WORK/on.$agent ]; do sleep 0.05; done; echo on" --transport ssh --agent "$agent"
    expect within 60 state_is $((JOB + 1)) Running
    expect_status 0 muster suspend "$JOB"
    expect within 60 state_is $((JOB + 1)) Suspended
    : >"$WORK/on.$agent"
    expect_status 0 muster resume "$JOB"
    expect_status 0 muster receive --wait --force "$JOB"
    expect_out '^h1: on$'
done

case_ 'the client is killed in the middle of a durable run: another one has the rest'
on_hosts h1 "echo begun >>$WORK/begun; $(counting 200 "$WORK/go")" --transport ssh
expect within 60 has_received "$JOB" '^h1: 39$'
first=$(ssh_clients)
expect test -n "$first"
expect kill -KILL "$first"
expect within 60 gone "$first"
: >"$WORK/go"
expect_status 5 muster receive --wait --force "$JOB"
expect_counted h1 200
expect property_is $((JOB + 1)) exit_code 7
expect begun_times "$WORK/begun" 1
expect within 60 no_clients

case_ 'the client is killed in the middle of a plain run: the link is lost'
new_word
on_hosts h1 "echo begun; until [ -e $WORK/$WORD ]; do sleep 0.05; done" --transport ssh --agent never
expect within 60 has_received "$JOB" '^h1: begun$'
expect kill -KILL "$(ssh_clients)"
expect within 60 cause_is $((JOB + 1)) link-lost
: >"$WORK/$WORD"

case_ 'the daemon is killed: its clients go with it'
new_word
on_hosts h1 "echo begun; sleep 1000; : $WORD" --transport ssh --agent never
expect within 60 has_received "$JOB" '^h1: begun$'
expect kill_daemon
expect within 60 no_clients
for pid in $(processes_of "$WORD"); do kill "$pid"; done

case_ 'why it failed, as over libssh'
serve close hangkex garbage
ssh_config failures <<END
Host refused
	HostName 127.0.0.1
	Port 1
Host closes
	HostName 127.0.0.1
	Port ${PORTS[0]}
Host hangs
	HostName 127.0.0.1
	Port ${PORTS[1]}
	ConnectTimeout 2
	ServerAliveInterval 1
Host garbage
	HostName 127.0.0.1
	Port ${PORTS[2]}
Host unknown
	HostName 127.77.0.1
	HostKeyAlias unknown
Host changed
	HostName 127.77.0.1
	HostKeyAlias changed
	UserKnownHostsFile $WORK/changed_known
Host stranger
	HostName 127.77.0.1
	HostKeyAlias stranger
	UserKnownHostsFile $WORK/stranger_known
	IdentityFile $WORK/stranger
END
ssh-keygen -q -N '' -t ed25519 -f "$WORK/stranger"
printf 'changed %s\n' "$(cut -d' ' -f1,2 "$WORK/stranger.pub")" >"$WORK/changed_known"
printf 'stranger %s\n' "$PUBLIC" >"$WORK/stranger_known"
expect_failure() {
    expect_status 4 by_ssh invoke -H "$1" -- true
    expect_err "1/1 failed: $1 \($2"
}
expect_failure refused 'unreachable: connection refused\)'
expect_failure closes 'unreachable: the server closed the connection before the login\)'
expect_failure hangs 'timeout: '
expect_failure garbage 'unreachable: no SSH server answers there\)'
expect_failure unknown 'host-key: not known '
expect_failure changed 'host-key: changed: '
expect_failure no-such-host.invalid 'unreachable: cannot resolve: '
sed "/IdentityFile.*lab/d" "$SSH_CONFIG" >"$WORK/no_lab_key"
SSH_CONFIG=$WORK/no_lab_key
expect_failure stranger 'auth: permission denied \(publickey'
expect within 60 no_clients

case_ 'a host certificate: by the OpenSSH client without being asked to, said once'
mkdir -p "$WORK/ca"
ssh-keygen -q -N '' -t ed25519 -f "$WORK/ca/ca"
cp "$WORK/lab/keys/host_ed25519.pub" "$WORK/ca/host.pub"
ssh-keygen -q -s "$WORK/ca/ca" -I lab -h -n 'c1,c2,c3' "$WORK/ca/host.pub"
timeout 120 "$LAB" -d "$WORK/lab" server-stop >/dev/null
printf 'HostCertificate %s\n' "$WORK/ca/host-cert.pub" | tee -a "$WORK"/lab/sshd/*.conf >/dev/null
timeout 120 "$LAB" -d "$WORK/lab" server-start >/dev/null || fail_ 'the servers do not start'
printf '@cert-authority c1,c2,c3 %s\n' "$(cut -d' ' -f1,2 "$WORK/ca/ca.pub")" >"$WORK/ca/known"
for i in 1 2 3; do
    printf 'Host c%d\n\tHostName 127.77.0.%d\n\tHostKeyAlias c%d\n' "$i" "$i" "$i"
    printf '\tUserKnownHostsFile %s\n' "$WORK/ca/known"
done >"$WORK/ca/config"
ssh_config certificates <"$WORK/ca/config"
expect_status 0 muster invoke -H 'c[1-3],h4' -- echo fine
expect_lines 4 '^(c[1-3]|h4): fine$'
expect test "$(grep -c 'by the OpenSSH client' "$ERR")" -eq 1
expect_err '3 hosts by the OpenSSH client: known_hosts has only a certificate authority'
# It is asked for what only the other way can: said, and refused.
expect_status 4 muster invoke --transport libssh -H c1 -- true
expect_err 'certificate authority.*--transport libssh forbids'

case_ 'no ssh in PATH: said, with the cure'
stop_daemon
mkdir -p "$WORK/empty"
for program in sh timeout; do ln -sf "$(command -v "$program")" "$WORK/empty/$program"; done
# shellcheck disable=SC2123 # an empty one is what is tried
PATH=$WORK/empty
expect_status 4 by_ssh invoke -H h1 -- true
PATH=$USUAL_PATH
expect_err 'unreachable: .*no ssh in the daemon.s PATH: install openssh-client'

case_ 'an ssh that ends at once, without a word or with one'
ssh_is 'exit 255'
expect_failure h1 'unreachable: the OpenSSH client failed without a word'
ssh_is 'echo "ssh: what is that?" >&2; exit 255'
expect_failure h1 'unreachable: ssh: what is that\?'
ssh_is 'kill -KILL $$'
expect_failure h1 'unreachable: the OpenSSH client was ended by signal 9'

case_ 'an ssh that floods its stderr'
ssh_is 'yes flood >&2'
expect_failure h1 'unreachable: the OpenSSH client says more than'
expect within 60 no_clients

case_ 'an ssh that hangs: stopped, nothing of it is left'
ssh_is "trap '' TERM HUP INT; while :; do sleep 1; done"
on_hosts h1 true --transport ssh
expect within 60 some_clients
expect_status 0 muster stop "$JOB"
expect within 60 state_is $((JOB + 1)) Stopped
expect within 60 no_clients
usual_ssh

finish_
