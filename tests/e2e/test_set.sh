#!/usr/bin/env bash
# test_set.sh MUSTER FAULTD: the throttle limit of jobs that run, and how hosts are connected to.
# shellcheck disable=SC2016 # $ for the hosts' shells
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/jobs.sh
. "$(dirname "$0")/jobs.sh"
# shellcheck source=tests/e2e/durable.sh
. "$(dirname "$0")/durable.sh"
lab_up 6

# until_there FILE: shell text that waits.
until_there() {
    echo "until [ -e '$WORK/$1' ]; do sleep 0.02; done"
}

# by_host FILE OTHER: text that waits for FILE on h1 to h3, for OTHER on the others.
by_host() {
    echo "case \$SSH_CONNECTION in *' 127.77.0.1 '* | *' 127.77.0.2 '* | *' 127.77.0.3 '*) $(until_there "$1") ;; *) $(until_there "$2") ;; esac"
}

case_ 'raised: the hosts that wait begin at once'
on_hosts 'h[1-6]' "$(until_there raised)" -f 2
expect within 60 states_are "$JOB" Running Running NotStarted NotStarted NotStarted NotStarted
expect_status 0 muster set "$JOB" --throttle-limit 4
expect_text ''
expect_silent
expect within 60 states_are "$JOB" Running Running Running Running NotStarted NotStarted
expect_status 0 muster set "$JOB" -f 100
expect within 60 states_are "$JOB" Running Running Running Running Running Running
: >"$WORK/raised"
expect_status 0 muster wait "$JOB"

case_ 'lowered: nobody is ended, and nobody begins before fewer run'
on_hosts 'h[1-6]' "$(by_host first lowered)" -f 3
expect within 60 states_are "$JOB" Running Running Running NotStarted
expect_status 0 muster set "$JOB" --throttle-limit 1 --pass-thru
expect_out "^ *$JOB .*Running"
expect states_are "$JOB" Running Running Running NotStarted
: >"$WORK/first"
expect within 60 states_are "$JOB" Completed Completed Completed Running NotStarted NotStarted
: >"$WORK/lowered"
expect_status 0 muster wait "$JOB"
expect states_are "$JOB" Completed Completed Completed Completed Completed Completed

case_ 'a suspended job begins the others when it is resumed'
on_hosts 'h[1-3]' "$(until_there resumed)" -f 1
expect within 60 states_are "$JOB" Running NotStarted NotStarted
expect_status 0 muster suspend "$JOB"
expect_status 0 muster set "$JOB" -f 3
expect states_are "$JOB" Suspended NotStarted NotStarted
expect_status 0 muster resume "$JOB"
expect within 60 states_are "$JOB" Running Running Running
: >"$WORK/resumed"
expect_status 0 muster wait "$JOB"

case_ 'what is refused'
expect_status 2 muster set "$JOB" -f 3
expect_err "job $JOB has ended \(Completed\)"
expect_status 2 muster set 99999 -f 3
expect_err '99999'
expect_status 2 muster set -f 3
expect_err 'which jobs'
expect_status 2 muster set "$JOB"
expect_err 'nothing to set: --throttle-limit N'
for n in 0 -1 x 1.5 1000001 ''; do
    expect_status 2 muster set "$JOB" --throttle-limit "$n"
    expect_err "throttle-limit: '$n'"
done
on_hosts 'h[1-3]' 'sleep 1000' -f 1
expect within 60 states_are "$JOB" Running NotStarted NotStarted
expect_status 2 muster set $((JOB + 1)) -f 3
expect_err "job $((JOB + 1)) is a child of job $JOB"
expect states_are "$JOB" Running NotStarted NotStarted
# One that can be set is, whatever becomes of the others.
expect_status 2 muster set 99999 "$JOB" -f 2
expect within 60 states_are "$JOB" Running Running NotStarted
expect_status 0 muster stop "$JOB"

case_ 'the next daemon knows the last one'
if [ "${E2E_AGENT:-auto}" = never ]; then
    skip_ 'without an agent nothing outlives its daemon'
else
    on_hosts 'h[1-6]' "$(by_host before stored)" -f 1
    expect within 60 states_are "$JOB" Running NotStarted
    expect_status 0 muster set "$JOB" -f 2
    expect_status 0 muster set "$JOB" -f 3
    expect within 60 states_are "$JOB" Running Running Running NotStarted
    expect kill_daemon
    : >"$WORK/before"
    expect within 60 states_are "$JOB" Completed Completed Completed Running Running Running
    : >"$WORK/stored"
    expect_status 0 muster wait --force "$JOB"
fi

case_ 'algorithms: those that are named are used, and unknown ones are refused before anything is connected'
expect_status 0 muster invoke -H 'h[1-2]' --kex-algorithms ecdh-sha2-nistp384 --ciphers aes256-ctr \
    --macs hmac-sha2-512 -- true
expect_status 2 muster invoke -H 'h[1-2]' --ciphers aes256-ctr,rot13 -- true
expect_err "ciphers: 'rot13' is none of aes128-gcm@openssh.com, "
expect_status 2 muster invoke -H 'h[1-2]' --macs +hmac-sha1 -- true
expect_err "macs: '\+hmac-sha1' is none of "
expect_status 2 muster session new -H h1 --agent auto --kex-algorithms none
expect_err "kex-algorithms: 'none' is none of "
expect_status 2 muster invoke -H h1 --ciphers '' -- true
expect_err 'ciphers: an empty list'
# The servers have no CBC: it is offered, as it was named, and nothing is in common.
expect_status 4 muster invoke -H h1 --ciphers aes128-cbc -- true
expect_err 'no common algorithm'
expect_status 4 muster invoke -H h1 --kex-algorithms diffie-hellman-group14-sha1 -- true
expect_err 'no common algorithm'

case_ 'retries: how often'
for n in -1 101 x ''; do
    expect_status 2 muster invoke -H h1 --retries "$n" -- true
    expect_err "retries: '$n'"
done
expect_status 0 muster invoke -H h1 --retries 0 -- true

case_ 'a session has its algorithms, and a command on it none of its own'
if [ "${E2E_AGENT:-auto}" = never ]; then
    skip_ 'a session is a connection to the agent'
else
    expect_status 0 muster session new -H h1 --name one --ciphers aes256-ctr --retries 2
    expect_status 0 muster invoke --session one -- true
    expect_status 2 muster invoke --session one --ciphers aes128-ctr -- true
    expect_err 'ciphers and --session: one of them'
    expect_status 2 muster session get --retries 3
    expect_err 'retries is for new'
    expect_status 0 muster session remove one
fi

finish_
