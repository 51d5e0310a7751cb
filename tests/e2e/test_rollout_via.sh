#!/usr/bin/env bash
# test_rollout_via.sh MUSTER FAULTD HOSTILE AGENT: rollouts whose hosts are reached by gateways: what docs/rollouts.md says
# holds for all of the job, however it is split.
# shellcheck disable=SC2016,SC2034,SC2153,SC2317 # $ for the hosts' shells; lib.sh uses what is set here
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/jobs.sh
. "$(dirname "$0")/jobs.sh"
# shellcheck source=tests/e2e/relay.sh
. "$(dirname "$0")/relay.sh"
gateways_up 10
gateway_ 1
gateway_ 2

# via_ EXPR SHELL-TEXT [OPTION...]: JOB is one by way of both gateways.
via_() {
    local hosts=$1 text=$2
    shift 2
    on_hosts "$hosts" "$text" --via 'h[1-2]' "$@"
}

# begun_is N: exactly so many have written their line.
begun_is() {
    [ "$(wc -l <"$WORK/begun")" -eq "$1" ]
}

# on_rank N TEXT OTHER: for the host with this number, and for the others.
on_rank() {
    echo "case \$MUSTER_RANK in $1) $2 ;; *) $3 ;; esac"
}

case_ 'a batch is of the whole job: it begins when all of the one before have ended, at both gateways'
: >"$WORK/begun"
via_ 'h[3-8]' "echo x >>$WORK/begun; $(on_rank '[01]' "until [ -e $WORK/go1 ]; do sleep 0.05; done" true)" --batch 2
expect within 60 begun 2
expect within 60 states_are "$JOB" Running Running NotStarted NotStarted NotStarted NotStarted
expect begun_is 2
: >"$WORK/go1"
expect_status 0 muster wait "$JOB"
expect begun_is 6

case_ 'a canary that fails at a gateway holds the others, and they go on when it is resumed'
: >"$WORK/begun"
via_ 'h[3-7]' "echo x >>$WORK/begun; $(on_rank 0 'exit 7' true)" --canary 2
expect within 60 state_is "$JOB" Suspended
expect states_are "$JOB" Failed Completed NotStarted NotStarted NotStarted
expect begun_is 2
expect_status 0 muster resume "$JOB"
expect_status 5 muster wait "$JOB"
expect states_are "$JOB" Failed Completed Completed Completed Completed
expect begun_is 5

case_ 'more fail than may at one gateway: nobody else begins at the other'
: >"$WORK/begun"
via_ 'h[3-8]' "echo x >>$WORK/begun; echo \$MUSTER_RANK >>$WORK/ranks; $(on_rank 3 "until [ -e $WORK/go2 ]; do sleep 0.05; done" \
    "until grep -q 3 $WORK/ranks; do sleep 0.05; done; exit 7")" \
    -f 1 --max-failures 1
expect within 60 states_are "$JOB" Failed Failed
expect within 60 state_is $((JOB + 6)) Stopped
expect state_is $((JOB + 4)) Running
: >"$WORK/go2"
run muster wait "$JOB"
expect states_are "$JOB" Failed Failed
expect state_is $((JOB + 4)) Completed
expect_not grep -q '[45]' "$WORK/ranks"

case_ 'with batches it is exact'
: >"$WORK/begun"
expect_status 3 muster invoke -H 'h[3-8]' --via 'h[1-2]' --batch 1 --max-failures 1 --shell "echo x >>$WORK/begun; exit 7"
expect_err 'h\[5-8\] \(never-ran: 2 of 6 have failed, more than --max-failures lets'
expect begun_is 2

case_ 'fail-fast: who sleeps at the other gateway is stopped'
new_word
run muster invoke -H 'h[3-6]' --via 'h[1-2]' --fail-fast --shell "$(on_rank 2 "until [ \$(cat $WORK/up 2>/dev/null | wc -l) -eq 3 ]; do sleep 0.05; done; exit 7" \
    "echo >>$WORK/up; : $WORD; sleep 1000")"
expect test "$STATUS" -eq 3
expect_err 'h5 has failed, and --fail-fast ends the others'
expect within 60 no_process_of "$WORD"

case_ 'a host that its gateway does not reach is waited for while the others go on; a gateway is not'
: >"$WORK/begun"
via_ 'away,h[3-4]' "echo x >>$WORK/begun" --until-reachable 10m
expect within 60 states_are "$JOB" NotStarted Completed Completed
waits_() {
    muster get --output list $((JOB + 1)) | grep -q 'waiting for the host: '
}
expect within 60 waits_
expect_status 0 muster stop "$JOB"
expect begun_is 2
expect_status 4 muster invoke -H 'h[3-4]' --via nowhere --until-reachable 10m -- true
expect_err 'h\[3-4\] \(gateway: nowhere: '
expect_took_under 60000

finish_gateways_
finish_
