#!/usr/bin/env bash
# test_jobs_accept_a.sh MUSTER FAULTD: how jobs behave, cases 1 to 15 of 45. Each is what PowerShell
# does, but for what "Here:" says.
# shellcheck disable=SC2016 # $ for the hosts' shells
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/jobs.sh
. "$(dirname "$0")/jobs.sh"
lab_up 4

case_ '07: a fresh client, three targets: parent 1, children 2 to 4 in target order; the next job is 5'
# Here: a synchronous invoke is a job too, which takes the ids of a job and its children.
on_hosts 'h3,h1,h2' 'echo x'
expect test "$JOB" -eq 1
expect property_is 1 children '[2,3,4]'
expect property_is 2 location h3
expect property_is 3 location h1
expect property_is 4 location h2
expect property_is 3 parent_id 1
on_hosts h1 'echo x'
expect test "$JOB" -eq 5
expect_status 0 muster invoke -H 'h[1-2]' -- true
on_hosts h1 'echo x'
expect test "$JOB" -eq 10
expect_status 0 muster get
expect_ids 1 5 10
expect_status 0 muster get --all
expect_ids 1 5 7 10

case_ '01: a job with two outputs, received twice: both, then nothing'
on_hosts h1 'echo one; echo two'
expect_status 0 muster wait "$JOB"
expect_status 0 muster receive "$JOB"
expect_text $'h1: one\nh1: two'
expect_silent
expect_status 0 muster receive "$JOB"
expect_text ''
expect_silent

case_ '02: the same, receive --keep, receive, receive: both, both, nothing'
on_hosts h1 'echo one; echo two'
expect_status 0 muster wait "$JOB"
for keep in --keep --keep ''; do
    # shellcheck disable=SC2086 # no word if there is none
    expect_status 0 muster receive $keep "$JOB"
    expect_text $'h1: one\nh1: two'
done
expect_status 0 muster receive "$JOB"
expect_text ''

# A counter that runs until $WORK/NAME.enough is there.
counter() {
    echo "i=0; while [ ! -e '$WORK/$1.enough' ]; do i=\$((i + 1)); echo \$i; sleep 0.005; done"
}

case_ '03: a counter that runs, received again and again: no gap and no repeat'
on_hosts h1 "$(counter three)"
: >"$WORK/three"
more_of() {
    muster receive -N "$JOB" >"$WORK/more" || return
    cat "$WORK/more" >>"$WORK/three"
    [ -s "$WORK/more" ]
}
for _ in 1 2 3 4 5; do
    expect within 60 more_of
done
: >"$WORK/three.enough"
expect_status 0 muster wait "$JOB"
more_of
expect has_lines "$WORK/three" 5
expect cmp "$WORK/three" <(seq "$(wc -l <"$WORK/three")")

case_ '04: a running job, --keep gives k items, a plain receive begins with the same'
on_hosts h1 "$(counter four)"
kept() {
    muster receive --keep -N "$JOB" >"$WORK/kept" && has_lines "$WORK/kept" 3
}
expect within 60 kept
expect_status 0 muster receive -N "$JOB"
expect cmp "$WORK/kept" <(head -n "$(wc -l <"$WORK/kept")" "$OUT")
expect cmp "$OUT" <(seq "$(wc -l <"$OUT")")
: >"$WORK/four.enough"
expect_status 0 muster wait "$JOB"

case_ '05: a job that runs and is silent: HasMoreData'
# Here: True exactly when an unread record is stored, so False. PowerShell: True for every unfinished job.
on_hosts h1 "until [ -e '$WORK/five.go' ]; do sleep 0.02; done; echo x
    until [ -e '$WORK/five.enough' ]; do sleep 0.02; done"
expect within 60 state_is $((JOB + 1)) Running
expect property_is "$JOB" has_more_data false
expect property_is $((JOB + 1)) has_more_data false
: >"$WORK/five.go"
expect within 60 property_is "$JOB" has_more_data true
expect property_is $((JOB + 1)) has_more_data true
expect state_is "$JOB" Running
: >"$WORK/five.enough"
expect_status 0 muster wait "$JOB"

case_ '06: a finished job that is drained has no more data; after --keep it has'
on_hosts 'h[1-2]' 'echo x'
expect_status 0 muster wait "$JOB"
expect_status 0 muster receive --keep "$JOB"
expect property_is "$JOB" has_more_data true
# The parent's is that of any child.
expect_status 0 muster receive $((JOB + 1))
expect property_is $((JOB + 1)) has_more_data false
expect property_is "$JOB" has_more_data true
expect_status 0 muster receive "$JOB"
expect property_is "$JOB" has_more_data false
expect_status 0 muster get --has-more-data false "$JOB"
expect_ids "$JOB"
expect_status 0 muster get --has-more-data true "$JOB"
expect_ids

case_ '08: without a name it is Job<Id>; with one only the parent bears it'
on_hosts 'h[1-2]' 'echo x'
expect property_is "$JOB" name "Job$JOB"
job_ invoke --job-name nightly -H 'h[1-2]' -- echo x
expect property_is "$JOB" name nightly
expect property_is $((JOB + 1)) name "Job$((JOB + 1))"
expect property_is $((JOB + 2)) name "Job$((JOB + 2))"
expect_status 0 muster get NIGHTLY
expect_ids "$JOB"

case_ '09: the location of three targets'
on_hosts 'h2,h3,h1' 'echo x'
expect property_is "$JOB" location h2,h3,h1
expect_status 0 muster get "$JOB"
# Here: the table folds it, to fit into a line.
expect_out ' h\[1-3\] '

# dead is a host where nobody listens.
with_dead() {
    ssh_config dead <<'END'
Host dead
    HostName 127.0.0.1
    Port 1
END
}

case_ '10: three targets, one of them unreachable: Completed, Failed, Completed; the parent Failed'
# Here: the exit status of wait tells it as well.
with_dead
on_hosts 'h1,dead,h2' 'echo x'
expect_status 4 muster wait "$JOB"
expect_ids "$JOB"
expect states_are "$JOB" Completed Failed Completed
expect state_is "$JOB" Failed

case_ '11: one child fails early, the others run: the parent is still Running'
# Here: the parent also counts who has failed.
on_hosts 'h[1-3]' "case \$SSH_CONNECTION in *' 127.77.0.2 '*) exit 3 ;; esac
    until [ -e '$WORK/eleven' ]; do sleep 0.02; done"
expect within 60 states_are "$JOB" Running Failed Running
expect state_is "$JOB" Running
: >"$WORK/eleven"
expect_status 5 muster wait "$JOB"
expect state_is "$JOB" Failed
expect_status 0 muster get --output list "$JOB"
expect_out '^Progress +: .*1/3 failed: h2 \(exited 3\)'

case_ '12: a failed child has the reason, the parent has none'
# Here: the exit status is a reason to fail, and is shown; PowerShell drops it.
with_dead
on_hosts 'h1,dead,h2' "case \$SSH_CONNECTION in *' 127.77.0.1 '*) exit 7 ;; esac; kill -TERM \$\$"
expect_status 4 muster wait "$JOB"
expect property_is $((JOB + 1)) cause exited
expect property_is $((JOB + 1)) exit_code 7
expect property_is $((JOB + 2)) cause 'unreachable: connection refused'
expect property_is $((JOB + 3)) cause signalled
expect property_is $((JOB + 3)) signal TERM
expect property_is "$JOB" cause null
expect property_is "$JOB" exit_code null

case_ '13: a failed child without output: receive names host and reason, and so does the next'
with_dead
on_hosts 'h1,dead' true
expect_status 4 muster wait "$JOB"
expect property_is "$JOB" has_more_data false
for _ in 1 2; do
    expect_status 4 muster receive "$JOB"
    expect_text ''
    expect_err "^muster: dead \\(job $((JOB + 2))\\): Failed: unreachable: "
    expect test "$(wc -l <"$ERR")" -eq 1
done

case_ '14: a command that writes errors and ends well is Completed, and the errors are receivable'
on_hosts h1 'echo out; echo err >&2'
expect_status 0 muster wait "$JOB"
expect state_is "$JOB" Completed
expect_status 0 muster receive "$JOB"
expect_text 'h1: out'
expect test "$(cat "$ERR")" = 'h1: err'

case_ '15: stop of a parent with two that run: all are Stopped'
new_word
job_ invoke --as-job -H 'h[1-2]' -- sh -c 'echo x; sleep 1000; :' "$WORD"
expect within 60 states_are "$JOB" Running Running
expect_status 0 muster stop "$JOB"
expect_text ''
expect states_are "$JOB" Stopped Stopped
expect state_is "$JOB" Stopped
expect within 60 no_process_of "$WORD"

finish_
