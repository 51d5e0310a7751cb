#!/usr/bin/env bash
# test_jobs_accept_c.sh MUSTER FAULTD: how jobs behave, cases 31 to 45 of 45 (test_jobs_accept_a.sh).
# shellcheck disable=SC2016 # $ for the hosts' shells
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/jobs.sh
. "$(dirname "$0")/jobs.sh"
lab_up 4

case_ '31: wait for a job whose link is down: it returns with a warning; --force keeps waiting'
# A suspended job is the same to wait, and can be had here.
elsewhere_ unit/daemon/test_doing.c test_wait_for_a_disconnected_job \
    'a plain SSH command does not outlive its link, so none is Disconnected yet'
on_hosts 'h[1-2]' "until [ -e '$WORK/thirtyone' ]; do sleep 0.02; done"
expect within 60 states_are "$JOB" Running Running
expect_status 0 muster suspend "$JOB"
expect state_is "$JOB" Suspended
expect_status 0 muster wait "$JOB"
expect_ids "$JOB"
expect_err "^muster: warning: job $JOB is Suspended, not finished"
: >"$WORK/thirtyone"
expect_status 3 muster wait --force --timeout 300ms "$JOB"
expect_ids
expect state_is "$JOB" Suspended
start_muster "$WORK/forced" wait --force "$JOB"
expect_status 0 muster resume "$JOB"
expect within 60 gone "$PID"
expect grep -q "^ *$JOB .* Completed " "$WORK/forced"

case_ '32: wait for a job that waits for input: an error that says so, and no hang'
elsewhere_ unit/daemon/test_doing.c test_wait_for_a_blocked_job 'no remote command can prompt yet'
elsewhere_ unit/daemon/test_doing.c test_wait_for_any_of_blocked_and_running_jobs 'the same, --any'
elsewhere_ unit/job/test_job_link.c test_input 'the answer that unblocks it'
skip_ 'no remote command can prompt yet'

case_ '33: receive --no-recurse of a parent gives nothing; of a child, that child alone'
on_hosts 'h[1-2]' 'echo x'
expect_status 0 muster wait "$JOB"
expect_status 0 muster receive --no-recurse "$JOB"
expect_text ''
expect_silent
expect_status 0 muster receive --no-recurse $((JOB + 2))
expect_text 'h2: x'
expect_status 0 muster receive "$JOB"
expect_text 'h1: x'

case_ '34: receive --location of one of three: that alone; of an unknown one, nothing'
on_hosts 'h[1-3]' 'echo x'
expect_status 0 muster wait "$JOB"
expect_status 0 muster receive --location nobody "$JOB"
expect_text ''
expect_silent
expect_status 0 muster receive --location H2 "$JOB"
expect_text 'h2: x'
expect_status 0 muster receive --computer-name 'h[1,3]' "$JOB"
expect_text $'h1: x\nh3: x'

case_ '35: records of three targets bear their host and child; hiding it changes the display alone'
# Here: host, job and child; a session has no id of its own.
on_hosts 'h[1-3]' 'echo x'
expect_status 0 muster wait "$JOB"
expect_status 0 muster receive --keep "$JOB"
expect_text $'h1: x\nh2: x\nh3: x'
expect_status 0 muster receive --keep --hide-computer-name "$JOB"
expect_text $'x\nx\nx'
for hide in '' --hide-computer-name; do
    # shellcheck disable=SC2086 # no word if there is none
    expect_status 0 muster receive --keep --output jsonl $hide "$JOB"
    for i in 1 2 3; do
        expect_lines 1 "^\{\"host\":\"h$i\",\"job\":$JOB,\"child\":$((JOB + i)),\"stream\":\"output\",\"seq\":1,.*\"value\":\"x\"\}\$"
    done
done

case_ '36: a target forges the host of its records: what the client knows wins'
on_hosts 'h1' 'echo "{\"host\":\"h9\",\"job\":99,\"child\":99,\"stream\":\"output\",\"seq\":9,\"value\":\"x\"}"; echo "h9: x"'
expect_status 0 muster wait "$JOB"
expect_status 0 muster receive --keep --output jsonl "$JOB"
expect_lines 2 "^\{\"host\":\"h1\",\"job\":$JOB,\"child\":$((JOB + 1)),"
expect_lines 2 .
expect_status 0 muster receive "$JOB"
expect_lines 2 '^h1: '
expect_lines 2 .

case_ '37: receive --wait --keep, or --auto-remove-job without --wait: refused before any work'
on_hosts h1 'echo x'
expect_status 0 muster wait "$JOB"
expect_status 2 muster receive --wait --keep "$JOB"
expect_text ''
expect_err '--keep .*--wait'
expect_status 2 muster receive --auto-remove-job "$JOB"
expect_text ''
expect_err '--auto-remove-job needs --wait'
expect property_is "$JOB" has_more_data true
expect_status 0 muster receive "$JOB"
expect_text 'h1: x'

case_ '38: receive --wait --auto-remove-job: the data, then the job is gone'
on_hosts 'h[1-2]' "echo x; until [ -e '$WORK/thirtyeight' ]; do sleep 0.02; done; echo y"
: >"$WORK/live"
start_muster "$WORK/live" receive --wait --auto-remove-job "$JOB"
# What is there is given while it runs.
expect within 60 has_lines "$WORK/live" 2
expect state_is "$JOB" Running
: >"$WORK/thirtyeight"
expect within 60 gone "$PID"
expect cmp <(sort "$WORK/live") <(printf 'h%d: %s\n' 1 x 1 y 2 x 2 y)
expect_status 2 muster get "$JOB"
expect_err "there is no job with the id '$JOB'"
expect_status 2 muster get $((JOB + 1))
# A child alone is not what is removed.
on_hosts h1 'echo x'
expect_status 0 muster receive --wait --auto-remove-job $((JOB + 1))
expect_text 'h1: x'
expect_status 0 muster get "$JOB"
expect_ids "$JOB"

case_ '39: receive --wait --write-events: the data, the event of the child, that of the parent'
# Here: a Failed child is told without it, as its cause is a record that receive always gives.
on_hosts h1 'echo x'
expect_status 0 muster receive --wait --write-events --write-job-in-results --output jsonl "$JOB"
expect_err "^muster: h1 \\(job $((JOB + 1))\\): Completed: exited 0\$"
expect test "$(wc -l <"$ERR")" -eq 1
# The job first, then the data, then the job as it has ended.
expect test "$(sed -n 's/.*"id":\([0-9]*\),.*/job \1/p; s/.*"value":"x".*/data/p' "$OUT" | tr '\n' ' ')" = "job $JOB data job $JOB "
expect test "$(tail -n 1 "$OUT" | grep -c '"state":"Completed"')" -eq 1

case_ '40: --before and --after the end of a job are strict, and leave out what has not ended'
on_hosts h1 true
finished=$JOB
expect_status 0 muster wait "$JOB"
on_hosts h1 'sleep 1000'
ended=$(property "$finished" end)
fraction=${ended#*.}
# A microsecond before and behind: get shows microseconds, and cuts.
micros=$(($(date -u -d "${ended%.*}Z" +%s) * 1000000 + 10#${fraction:0:6}))
at() {
    local us=$((micros + $1))
    printf '%s.%06dZ' "$(date -u -d "@$((us / 1000000))" +%FT%T)" $((us % 1000000))
}
expect_status 0 muster get --before "$(at 1)" "$finished" "$JOB"
expect_ids "$finished"
expect_status 0 muster get --before "$(at 0)" "$finished" "$JOB"
expect_ids
expect_status 0 muster get --after "$(at -1)" "$finished" "$JOB"
expect_ids "$finished"
expect_status 0 muster get --after "$(at 1)" "$finished" "$JOB"
expect_ids
expect_status 0 muster stop "$JOB"
expect_status 0 muster get --newest 1 "$finished" "$JOB"
expect_ids "$JOB"
elsewhere_ unit/job/test_select.c test_before_and_after_are_strict 'equal to the nanosecond'

case_ '41: --child-job-state Failed: the parents, and their failed children'
on_hosts 'h[1-3]' "case \$SSH_CONNECTION in *' 127.77.0.2 '*) exit 1 ;; esac"
failed=$JOB
on_hosts h1 true
expect_status 5 muster wait "$failed" "$JOB"
expect_status 0 muster get --child-job-state Failed "$failed" "$JOB"
expect_ids "$failed" $((failed + 2)) "$JOB"

case_ '42: all children are Disconnected, and so is the parent; one is back, and it is Running'
# Suspended rolls up in the same way.
elsewhere_ unit/job/test_job_link.c test_disconnected_and_back \
    'a plain SSH command does not outlive its link, so none is Disconnected yet'
elsewhere_ unit/job/test_rollup.c test_all_unfinished_wait_for_the_same 'the roll-up of each such state'
on_hosts 'h[1-3]' "case \$SSH_CONNECTION in *' 127.77.0.3 '*) exit 0 ;; esac; sleep 1000"
expect within 60 states_are "$JOB" Running Running Completed
expect_status 0 muster suspend $((JOB + 1))
expect states_are "$JOB" Suspended Running Completed
expect state_is "$JOB" Running
expect_status 0 muster suspend $((JOB + 2))
expect state_is "$JOB" Suspended
expect_status 0 muster resume $((JOB + 1))
expect states_are "$JOB" Running Suspended Completed
expect state_is "$JOB" Running
expect_status 0 muster remove --force "$JOB"

case_ '43: a working directory with a space or a quote, or that is missing: honoured, or an error without a job'
# Local jobs; test_jobs_local.sh has more. A target starts in its home.
odd="$WORK/a b'c\"d"
mkdir "$odd"
job_ start --working-directory "$odd" -- pwd
expect_status 0 muster receive --wait -N "$JOB"
expect_text "$odd"
expect_status 2 muster start --working-directory "$WORK/missing" -- pwd
expect_text ''
expect_err "--working-directory: $WORK/missing: No such file or directory"
before=$JOB
job_ start -- true
expect test "$JOB" -eq $((before + 2))
on_hosts h1 'test "$PWD" = "$HOME" && echo home'
expect_status 0 muster receive --wait -N "$JOB"
expect_text home

case_ '44: Drop mode with a full buffer, and somebody attaches again: the newest are kept, the loss is told'
# Here: what is over the budget holds the command back, and nothing is dropped. Drop belongs to the
# spool on a target.
elsewhere_ unit/daemon/test_results.c test_share 'what is over the share is held back, never dropped'
skip_ 'there is no spool on a target yet'

case_ '45: a second client looks at a session that is attached: Busy'
# Of the results of a job there is one reader at a time, too: test_jobs_receive.sh.
skip_ 'sessions cannot be disconnected and attached to yet'

finish_
