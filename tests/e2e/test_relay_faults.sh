#!/usr/bin/env bash
# test_relay_faults.sh MUSTER FAULTD HOSTILE AGENT: gateways that are not what they should be, or cease to be. Commands
# that may have begun end with the cause gateway, the others go by the next one; none is run twice.
# shellcheck disable=SC2016,SC2034,SC2153,SC2317 # $ for the hosts' shells; lib.sh uses what is set here
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/jobs.sh
. "$(dirname "$0")/jobs.sh"
# shellcheck source=tests/e2e/relay.sh
. "$(dirname "$0")/relay.sh"
gateways_up 25
gateway_ 1
gateway_ 2

# causes_are N PATTERN: so many children of the job have that cause and text, as in get.
causes_are() {
    local found
    found=$(muster get "$JOB" --include-child-job --output json | tr '{' '\n' | grep -Ec "\"cause\":\"$2")
    [ "$found" -eq "$1" ] || {
        echo "  $found children, not $1, have ended as $2"
        return 1
    }
}

# begun_once [N]: no host has begun twice; and so many have.
begun_once() {
    local twice
    twice=$(sort "$WORK/begun" | uniq -d)
    [ -z "$twice" ] || {
        echo "  begun more than once:" "$twice"
        return 1
    }
    [ $# -eq 0 ] || [ "$(wc -l <"$WORK/begun")" -eq "$1" ] || {
        echo "  $(wc -l <"$WORK/begun") have begun, not $1"
        return 1
    }
}

# --- in the background, as it takes a while: h24 is frozen, and nobody is told ------------------------

gateway_ 24
gateway_ 25
case_ 'hosts begin by two gateways'
begin_
FROZEN_WORD=$WORD FROZEN_DAEMON=$DAEMON-f
DAEMON=$FROZEN_DAEMON job_ invoke --as-job --throttle-limit 2 -H 'h[3-8]' --via h24,h25 -- \
    sh -c "${HOLD//"$WORK/"/"$WORK/frozen_"}"
FROZEN=$JOB
frozen_begun() { [ -e "$WORK/frozen_begun" ] && [ "$(wc -l <"$WORK/frozen_begun")" -eq 4 ]; }
expect within 60 frozen_begun
for pid in $(relays_of 24); do
    kill -STOP "$pid"
done

# --- gateways that are none ---------------------------------------------------------------------------

case_ 'no muster there: the cause says what to do'
expect_status 4 muster invoke -H 'h[3-4]' --via h9 -- echo fine
expect_err 'gateway: h9: there is no muster: install it'
expect_no_out fine

case_ 'no muster there, but on another gateway'
expect_status 0 muster invoke -H 'h[3-8]' --via h9,h1 -- echo fine
expect_lines 6 '^h[3-8]: fine$'
expect_err 'WARNING: gateway h9: there is no muster.*; 3 hosts go by another one'

case_ 'it cannot be logged in to, resolved, trusted: the text says which'
ssh_config odd <<END
Host nokey
	HostName 127.77.0.10
	HostKeyAlias unheard
Host closed
	HostName 127.77.0.10
	Port 1
END
expect_status 4 muster invoke -H h3 --via nokey -- true
expect_err 'gateway: nokey: host-key: not known'
expect_status 4 muster invoke -H h3 --via closed -- true
expect_err 'gateway: closed: unreachable: .*refused'
expect_status 4 muster invoke -H h3 --via no.such.host -- true
expect_err 'gateway: no.such.host: unreachable: cannot resolve'
expect_status 0 muster invoke -H h3 --via no.such.host,closed,h1 -- true

case_ 'another version: both are named'
cat >"$WORK/other" <<'END'
#!/bin/sh
# HELLO of a program that speaks versions 2 to 3.
printf '\115\123\001\000\000\000\000\017\000\000\000\000\000\000\000\001\343\375\240\217\224\002\003\252\155\165\163\164\145\162\040\071\056\071\001'
exec cat >/dev/null
END
gateway_ 10 "$WORK/other"
expect_status 4 muster invoke -H h3 --via h10 -- echo fine
expect_err 'gateway: h10: muster 9.9 there speaks version 2 to 3 of the protocol, this one version 1'
expect_status 0 muster invoke -H h3 --via h10,h1 -- echo fine

case_ 'it talks nonsense'
for say in 'exec yes' 'head -c 100000 /dev/zero; sleep 0.1' 'printf "MS\001\000\000\000\000\003"; exec head -c 3000000 /dev/urandom' \
    'exit 3' 'kill -KILL $$' 'echo broken >&2; exit 1'; do
    printf '#!/bin/sh\n%s\n' "$say" >"$WORK/other"
    gateway_ 10 "$WORK/other"
    expect_status 4 muster invoke -H h3 --via h10 -- echo fine
    expect_err 'gateway: h10: '
    expect_no_out fine
done
expect_err 'its muster relay has ended \(1\): broken'

# --- gateways that cease to be -------------------------------------------------------------------------

# lost_ WHAT MOVED NAME: h1 is lost, by this function, while two of its five hosts run; so many go by the other one.
lost_() {
    local ended=$((5 - $2))
    case_ "$3"
    begin_
    job_ invoke --as-job --throttle-limit 2 -H 'h[3-12]' --via 'h[1-2]' -- sh -c "$HOLD"
    expect within 60 begun 4
    "$1"
    expect within 60 eval 'muster get "$JOB" --include-child-job --output json | grep -q "\"cause\":\"gateway"'
    : >"$WORK/go"
    expect_status 4 muster wait "$JOB"
    expect causes_are "$ended" 'gateway: h1: lost; the command may have begun: '
    expect causes_are $((10 - ended)) exited
    expect begun_once $((7 + $2))
    expect within 60 no_process_of "$WORD"
    expect_status 4 muster receive "$JOB"
    expect_lines $((10 - ended)) ': done$'
    if [ "$2" -gt 0 ]; then
        expect_err "WARNING: gateway h1: its daemon has gone; $2 hosts go by another one"
    else
        expect_no_err 'by another one'
    fi
}
kill_daemon() {
    kill -KILL "$(daemon_of 1)"
}
kill_relay() {
    kill -KILL "$(relays_of 1)"
}
kill_sshd() {
    kill -KILL "$(parent_of "$(relays_of 1)")"
}
lost_ kill_daemon 3 'its daemon is killed: who has begun ends as gateway, the others go by the other one'
lost_ kill_relay 0 'its relay is killed: something of what it said may be missing, and nobody goes by the other one'
lost_ kill_sshd 0 'the server of its connection is killed: the same'

case_ 'its daemon is killed while it connects to a host: that one may have begun, too'
serve banner
{
    printf 'Host an-odd-one\n\tHostName 127.0.0.1\n\tPort %s\n' "${PORTS[0]}"
    cat "$WORK/lab/ssh_config"
} | into_ h1 "$GATE_HOME/.ssh/config" 600
begin_
job_ invoke --as-job --throttle-limit 2 -H 'an-odd-one,h[3-11]' --via 'h[1-2]' -- sh -c "$HOLD"
expect within 60 begun 3
kill_daemon
: >"$WORK/go"
expect_status 4 muster wait "$JOB"
expect causes_are 2 'gateway: h1: lost; the command may have begun: its daemon has gone'
expect causes_are 8 exited
expect test "$(property $((JOB + 1)) location)" = an-odd-one
expect eval 'property $((JOB + 1)) cause | grep -q "^gateway: h1: lost"'
expect begun_once 9

case_ 'its daemon is killed at any time: no host begins twice'
for count in 1 2 4 7 11; do
    begin_
    job_ invoke --as-job --throttle-limit 2 -H 'h[3-22]' --via 'h[1-2]' -- sh -c "echo %h >>$WORK/begun; sleep 0.1"
    expect within 60 begun "$count"
    kill_daemon
    expect within 60 is_finished "$JOB"
    expect begun_once
    lost=$(muster get "$JOB" --include-child-job --output json | tr '{' '\n' | grep -c '"cause":"gateway')
    expect test "$lost" -le 2
    expect causes_are $((20 - lost)) exited
done

case_ 'its daemon is told to stop: what has begun is stopped, the rest goes by the other one'
begin_
job_ invoke --as-job --throttle-limit 2 -H 'h[3-12]' --via 'h[1-2]' -- sh -c "$HOLD"
expect within 60 begun 4
on_ h1 'muster daemon stop --force' >/dev/null
: >"$WORK/go"
expect within 60 is_finished "$JOB"
expect causes_are 8 exited
expect begun_once

case_ 'all gateways are lost, and do not come back'
printf '#!/bin/sh\nexit 3\n' >"$WORK/other"
begin_
job_ invoke --as-job --throttle-limit 2 -H 'h[3-12]' --via 'h[1-2]' -- sh -c "$HOLD"
expect within 60 begun 4
gateway_ 1 "$WORK/other"
gateway_ 2 "$WORK/other"
kill -KILL "$(daemon_of 1)" "$(daemon_of 2)"
expect within 60 is_finished "$JOB"
expect causes_are 10 gateway
expect within 60 no_process_of "$WORD"
gateway_ 1
gateway_ 2

case_ 'the daemon here is killed: its hosts end as gateway, and what ran on them is ended'
begin_
job_ invoke --as-job -H 'h[3-8]' --via 'h[1-2]' -- sh -c "$HOLD"
expect within 60 begun 6
kill -KILL "$(daemon_pid)"
expect within 60 no_process_of "$WORD"
expect within 60 is_finished "$JOB"
expect causes_are 6 gateway
expect begun_once

# --- the frozen one ------------------------------------------------------------------------------------

case_ 'a gateway that is frozen: it is let go of, when its daemon has ended what it ran'
DAEMON=$FROZEN_DAEMON JOB=$FROZEN
expect within 100 eval 'muster get "$JOB" --include-child-job --output json | grep -q "\"cause\":\"gateway"'
for host in $(muster get "$JOB" --include-child-job --output json | tr '{' '\n' | grep '"cause":"gateway' |
    sed 's/.*"location":"\([^"]*\)".*/\1/'); do
    expect no_process_of "echo $host >>$WORK/frozen_begun"
done
expect causes_are 3 'gateway: h24: lost; the command may have begun: it is silent'
: >"$WORK/frozen_go"
expect within 60 is_finished "$JOB"
expect causes_are 3 exited
expect test -z "$(sort "$WORK/frozen_begun" | uniq -d)"
expect within 60 no_process_of "$FROZEN_WORD"
stop_daemon
DAEMON=${FROZEN_DAEMON%-f}

finish_gateways_
finish_
