#!/usr/bin/env bash
# test_jump_more.sh MUSTER FAULTD HOSTILE AGENT: what happens to jobs and sessions when a bastion is lost, forbids, hangs or
# leads nowhere.
# shellcheck disable=SC2016,SC2034,SC2153,SC2317 # $ for the hosts' shells; lib.sh uses what is set here
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/jobs.sh
. "$(dirname "$0")/jobs.sh"
# shellcheck source=tests/e2e/durable.sh
. "$(dirname "$0")/durable.sh"
lab_up 5

address_of() {
    ssh -F "$WORK/lab/ssh_config" -G "$1" | sed -n 's/^hostname //p'
}
h1=$(address_of h1)
printf 'gw %s\n' "$(cut -d' ' -f1,2 "$WORK/lab/keys/host_ed25519.pub")" >"$WORK/gw_known"

# gw PORT [ADDRESS]: a bastion of this name, by that port of this computer; more hosts come from standard input.
gw() {
    ssh_config "gw.$1" < <(
        printf 'Host gw\n\tHostName %s\n\tPort %s\n\tHostKeyAlias gw\n\tUserKnownHostsFile %s\n' \
            "${2:-127.0.0.1}" "$1" "$WORK/gw_known"
        cat
    )
}

behind_h1() {
    ssh_config behind < <(printf 'Host h2 h3 h4 h5\n\tProxyJump h1\n')
}

# sessions_on_h1: the sshd that have a connection to h1, by their pid.
sessions_on_h1() {
    ss -Htnp state established src "$h1:$LAB_PORT" | grep -o 'pid=[0-9]*' | cut -d= -f2 | sort -u
}
connections_to_h1() {
    ss -Htn state established dst "$h1:$LAB_PORT" | wc -l
}
is_one_() {
    [ "$(connections_to_h1)" -eq 1 ]
}
none_left_() {
    local pid
    for pid in $SESSIONS; do
        gone "$pid" || return 1
    done
}
# lose_h1: the sessions to it are killed, as if the bastion had been rebooted.
lose_h1() {
    SESSIONS=$(sessions_on_h1)
    [ -n "$SESSIONS" ] || fail_ 'there is no session to h1'
    # shellcheck disable=SC2086 # words
    known_ $SESSIONS
    # shellcheck disable=SC2086 # words
    kill -KILL $SESSIONS 2>/dev/null # some end with the others
    expect within 60 none_left_
}

settings_

case_ 'a durable job goes on while its bastion is lost, and is found again by a new session'
behind_h1
new_word
on_hosts 'h[2-3]' "echo begun >>$WORK/begun.$WORD; echo 1; until [ -e $WORK/$WORD ]; do sleep 0.05; done; seq 2 1000; exit 7"
expect within 60 has_received "$JOB" '^h2: 1$'
expect within 60 has_received "$JOB" '^h3: 1$'
expect within 60 is_one_
lose_h1
: >"$WORK/$WORD"
expect_status 5 muster receive --wait --force "$JOB"
expect_counted h2 1000
expect_counted h3 1000
expect property_is $((JOB + 1)) exit_code 7
expect begun_times "$WORK/begun.$WORD" 2

case_ 'the same, but nothing is said while the bastion is away for a while'
# An address of its own: a port of 127.0.0.1 that is free for a while is taken by whoever asks for one.
gw_at=127.88.$((RANDOM % 250 + 1)).$((RANDOM % 250 + 1))
gw_up() {
    start_ "$FAULTD" "$gw_at:$LAB_PORT=proxy:$h1:$LAB_PORT:count" >"$WORK/gw.log"
    expect within 60 grep -qx ready "$WORK/gw.log"
}
gw_up
gw "$LAB_PORT" "$gw_at" < <(printf 'Host h2 h3\n\tProxyJump gw\n')
new_word
on_hosts 'h[2-3]' "echo 1; until [ -e $WORK/$WORD ]; do sleep 0.05; done; echo 2"
expect within 60 has_received "$JOB" '^h2: 1$'
expect within 60 has_received "$JOB" '^h3: 1$'
kill "$PID"
both_lost_() {
    state_is $((JOB + 1)) Disconnected && state_is $((JOB + 2)) Disconnected
}
expect within 60 both_lost_
: >"$WORK/$WORD"
gw_up
expect_status 0 muster receive --wait --force "$JOB"
expect_counted h2 2
expect_counted h3 2

case_ 'muster session behind a bastion: made, used, lost with it, and made again'
stop_daemon
behind_h1
expect_status 0 muster session new -n jumped -H 'h[2-3]'
expect_lines 2 ' Opened '
expect_status 0 muster invoke --session jumped -- echo fine
expect_lines 2 ': fine$'
expect within 60 is_one_
lose_h1
both_broken_() {
    [ "$(muster session get jumped --output jsonl 2>/dev/null | grep -c '"state":"Broken"')" -eq 2 ]
}
expect within 60 both_broken_
expect_status 0 muster session get jumped --output jsonl
expect_out '"reason":"[^"]*bastion h1: connection lost'
expect_status 0 muster session remove jumped
expect_status 0 muster session new -n jumped -H 'h[2-3]'
expect_status 0 muster invoke --session jumped -- echo fine
expect_lines 2 ': fine$'
expect_status 0 muster session remove jumped

case_ 'two jobs at once share the one session'
behind_h1
start_muster "$WORK/first" invoke -H 'h[2-3]' --shell "echo x >>$WORK/share; until [ -e $WORK/share.go ]; do sleep 0.05; done; echo one"
first=$PID
start_muster "$WORK/second" invoke -H 'h[4-5]' --shell "echo x >>$WORK/share; until [ -e $WORK/share.go ]; do sleep 0.05; done; echo two"
second=$PID
all_began_() {
    [ "$(wc -l 2>/dev/null <"$WORK/share")" = 4 ]
}
expect within 60 all_began_
expect within 60 is_one_
: >"$WORK/share.go"
expect wait_ "$first"
expect wait_ "$second"
expect test "$(grep -c ': one$' "$WORK/first")" -eq 2
expect test "$(grep -c ': two$' "$WORK/second")" -eq 2

case_ '--ssh-option ProxyJump=... on the command line, of one hop and of two'
stop_daemon
expect_status 0 muster invoke -O ProxyJump=h1 -H 'h[2-3]' -- echo hello
expect_lines 2 ': hello$'
expect within 60 is_one_
expect_status 0 muster invoke -O ProxyJump=h2,h1 -H 'h[3-4]' -- echo hello
expect_lines 2 ': hello$'

case_ 'a bastion that takes connections and says nothing: a timeout that names it, and the others answer'
serve silent
gw "${PORTS[0]}" < <(printf 'Host h2 h3\n\tProxyJump gw\n')
# Time enough for h4, however much else this computer has to do.
expect_status 4 muster invoke --connect-timeout 15s --retries 0 -H 'h[2-4]' -- echo hello
expect_lines 1 '^h4: hello$'
expect_err '2/3 failed: h\[2-3\] \(timeout: bastion gw: key exchange'

case_ 'a bastion that hangs in the middle of the login'
serve hangkex
gw "${PORTS[0]}" < <(printf 'Host h2\n\tProxyJump gw\n')
expect_status 4 muster invoke --connect-timeout 2s --retries 0 -H h2 -- echo hello
expect_err 'h2 \(timeout: bastion gw: key exchange'

case_ 'ways that lead round in a circle are refused, and nobody is contacted'
circle='goes round in a circle'
ssh_config self < <(printf 'Host h2\n\tProxyJump h2\n')
expect_status 4 muster invoke -H h2 -- true
expect_err "h2 \\(unreachable: ProxyJump h2 $circle, by h2\\)"
ssh_config two < <(printf 'Host h2\n\tProxyJump h3\nHost h3\n\tProxyJump h2\n')
expect_status 4 muster invoke -H 'h[2-4]' -- echo hello
expect_lines 1 '^h4: hello$'
expect_err "ProxyJump h[23] $circle"
ssh_config three < <(printf 'Host h2\n\tProxyJump h3\nHost h3\n\tProxyJump h4\nHost h4\n\tProxyJump h3\n')
expect_status 4 muster invoke -H h2 -- true
expect_err "h2 \\(unreachable: ProxyJump h3 $circle"

# --- sshd that forbid: from here on ---

timeout 120 "$LAB" -d "$WORK/lab" server-stop >/dev/null
for conf in "$WORK"/lab/sshd/*.conf; do
    {
        printf 'Match LocalAddress %s\n\tAllowTcpForwarding no\n' "$h1"
        printf 'Match LocalAddress %s\n\tPermitOpen %s:%s\n' "$(address_of h2)" "$(address_of h3)" "$LAB_PORT"
    } >>"$conf"
done
timeout 120 "$LAB" -d "$WORK/lab" server-start >/dev/null || {
    echo 'FAILED: the servers do not start with rules for forwarding'
    exit 1
}

case_ 'AllowTcpForwarding no: said of all behind it, with what to look at'
behind_h1
expect_status 4 muster invoke -H 'h[3-4]' -- true
expect_err '2/2 failed: h\[3-4\] \(unreachable: bastion h1 forbids the connection'
expect_status 0 muster invoke -H h1 -- echo 'itself runs commands'
expect_lines 1 '^h1: itself'

case_ 'PermitOpen: what it permits is reached, and the rest is said'
ssh_config permit < <(printf 'Host h3 h4\n\tProxyJump h2\n')
expect_status 4 muster invoke -H 'h[3-4]' -- echo hello
expect_lines 1 '^h3: hello$'
expect_err '1/2 failed: h4 \(unreachable: bastion h2 forbids the connection'

finish_
