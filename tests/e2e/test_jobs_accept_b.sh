#!/usr/bin/env bash
# test_jobs_accept_b.sh MUSTER FAULTD: how jobs behave, cases 16 to 30 of 45 (test_jobs_accept_a.sh).
# shellcheck disable=SC2016 # $ for the hosts' shells
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/jobs.sh
. "$(dirname "$0")/jobs.sh"
lab_up 4

# until_there FILE: shell text that waits.
until_there() {
    echo "until [ -e '$WORK/$1' ]; do sleep 0.02; done"
}

case_ '16: stop of a parent of whom one child has failed already: the parent is Failed'
on_hosts 'h[1-3]' "case \$SSH_CONNECTION in *' 127.77.0.1 '*) exit 1 ;; esac; sleep 1000"
expect within 60 states_are "$JOB" Failed Running Running
expect_status 0 muster stop "$JOB"
expect states_are "$JOB" Failed Stopped Stopped
expect state_is "$JOB" Failed

case_ '17: stop of one child alone, the others complete'
# Here: the parent is Stopped, as not everything that was asked for was done. PowerShell: Completed.
on_hosts 'h[1-3]' "$(until_there seventeen)"
expect within 60 states_are "$JOB" Running Running Running
expect_status 0 muster stop $((JOB + 2))
expect states_are "$JOB" Running Stopped Running
expect state_is "$JOB" Running
: >"$WORK/seventeen"
expect_status 3 muster wait "$JOB"
expect states_are "$JOB" Completed Stopped Completed
expect state_is "$JOB" Stopped

case_ '18: throttle 2, four targets: two are Running, two NotStarted, the parent Running'
on_hosts 'h[1-4]' ": >'$WORK/ran.'\$\$; sleep 1000" -f 2
EIGHTEEN=$JOB
expect within 60 states_are "$JOB" Running Running NotStarted NotStarted
expect state_is "$JOB" Running
expect within 60 count_files 2 ran.

case_ '19: the same, stop of the parent: who was queued is Stopped and never ran'
JOB=$EIGHTEEN
expect_status 0 muster stop "$JOB"
expect states_are "$JOB" Stopped Stopped Stopped Stopped
expect state_is "$JOB" Stopped
expect property_is $((JOB + 2)) cause stopped
expect property_is $((JOB + 3)) cause never-ran
expect property_is $((JOB + 4)) begin null
expect count_files 2 ran.

case_ '20: stopped after a part of its output: the part is there, and no error'
on_hosts 'h[1-2]' 'echo one; echo two; sleep 1000'
both_said() {
    [ "$(muster receive --keep "$JOB" | wc -l)" -eq 4 ]
}
expect within 60 both_said
expect_status 0 muster stop "$JOB"
expect_status 0 muster receive "$JOB"
expect_text $'h1: one\nh1: two\nh2: one\nh2: two'
expect_silent

case_ '21: remove of a running job is refused, and it is still listed'
# Here: whatever the selector. PowerShell stops and removes when it is selected by state or command.
on_hosts h1 "$(until_there twentyone)"
expect within 60 state_is $((JOB + 1)) Running
expect_status 2 muster remove "$JOB"
expect_err "^muster: job $JOB is not finished \\(Running\\): --force stops it first\$"
expect_status 2 muster remove --state Running
expect_err "^muster: job $JOB is not finished"
expect_status 2 muster remove --command '*twentyone*'
expect_status 0 muster get "$JOB"
expect_ids "$JOB"
expect state_is "$JOB" Running
: >"$WORK/twentyone"
expect_status 0 muster wait "$JOB"
expect_status 0 muster remove "$JOB"
expect_silent

case_ '22: remove --force of a running job: it is gone, and so are its processes'
new_word
job_ invoke --as-job -H 'h[1-2]' -- sh -c 'setsid sleep 1000 "$0" & sleep 1000; :' "$WORD"
expect within 60 states_are "$JOB" Running Running
expect within 60 some_process_of "$WORD"
expect_status 0 muster remove --force "$JOB"
expect_status 2 muster get "$JOB"
expect within 60 no_process_of "$WORD"

case_ '23: remove of a child is refused and points to the parent'
on_hosts 'h[1-2]' true
expect_status 0 muster wait "$JOB"
for force in '' --force; do
    # shellcheck disable=SC2086 # no word if there is none
    expect_status 2 muster remove $force $((JOB + 1))
    expect_err "^muster: job $((JOB + 1)) is a child of job $JOB: only that can be removed"
done
expect_status 0 muster get --include-child-jobs "$JOB"
expect_ids "$JOB" $((JOB + 1)) $((JOB + 2))

case_ '24: get of a removed id is an error, and the others of the same call are shown'
on_hosts h1 true
removed=$JOB
on_hosts h1 true
expect_status 0 muster wait "$removed" "$JOB"
expect_status 0 muster remove "$removed"
expect_status 2 muster get "$removed" "$JOB" no-such-name
expect_ids "$JOB"
expect_err "there is no job with the id '$removed'"
expect_err "'no-such-name'"
expect test "$(wc -l <"$ERR")" -eq 2

case_ '25: get of a wildcard that matches nothing: empty, no error'
expect_status 0 muster get 'nobody*'
expect_ids
expect_silent

case_ '26: wait for a name that is unknown: an error, at once'
expect_status 2 muster wait nobody
expect_err "'nobody'"
expect_ids
expect_took_under 100000

case_ '27: a job that runs on, wait --timeout: it is not shown and runs on'
# Here: what has finished is shown, and the exit status says that the time ran out.
on_hosts h2 true
finished=$JOB
on_hosts h1 "$(until_there twentyseven)"
expect within 60 is_finished "$finished"
expect_status 3 muster wait --timeout 300ms "$JOB"
expect_ids
expect_status 3 muster wait --timeout 0.3 "$finished" "$JOB"
expect_ids "$finished"
expect state_is "$JOB" Running
: >"$WORK/twentyseven"
expect_status 0 muster wait --timeout 1m "$JOB"
expect_ids "$JOB"

case_ '28: a finished job, wait --timeout 0'
# Here: it is shown. PowerShell shows nothing.
expect_status 0 muster wait --timeout 0 "$JOB"
expect_ids "$JOB"
on_hosts h1 "$(until_there twentyeight)"
expect_status 3 muster wait --timeout 0 "$finished" "$JOB"
expect_ids "$finished"
: >"$WORK/twentyeight"
expect_status 0 muster wait "$JOB"

case_ '29: three jobs, wait --any: exactly one is shown'
on_hosts h1 "$(until_there twentynine.1)"
first=$JOB
on_hosts h2 "$(until_there twentynine.2)"
second=$JOB
on_hosts h3 "$(until_there twentynine.3)"
: >"$WORK/twentynine.2"
expect_status 0 muster wait --any "$first" "$second" "$JOB"
expect_ids "$second"
: >"$WORK/twentynine.1"
expect_status 0 muster wait "$first"
# Two have finished: the first in the order that was asked for.
expect_status 0 muster wait --any "$JOB" "$second" "$first"
expect_ids "$second"
: >"$WORK/twentynine.3"
expect_status 0 muster wait "$JOB"

case_ '30: the same id twice, wait'
# Here: it returns, and shows the job once. PowerShell hangs.
on_hosts h1 true
expect_status 0 muster wait "$JOB" "$JOB"
expect_ids "$JOB"

finish_
