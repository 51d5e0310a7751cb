#!/usr/bin/env bash
# test_hosts.sh MUSTER FAULTD: muster hosts, and past jobs as sets of hosts, with a real daemon.
# shellcheck disable=SC2016 # $ for the hosts' shells
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/jobs.sh
. "$(dirname "$0")/jobs.sh"
lab_up 6

case_ 'expressions are shown without a daemon, and start none'
expect_status 0 muster hosts 'web[01-03],db1!web02'
expect_text $'db1\nweb01\nweb03'
expect_status 0 muster hosts --fold 'r1n1,r1n2,r2n1,r2n2,a01,a1'
expect_text 'a[1,01],r[1-2]n[1-2]'
expect_status 0 muster hosts --count 'a[1-1000]'
expect_text 1000
expect_status 0 muster hosts -e -S ' ' --split 2 'a[1-5]'
expect_text $'a1 a2 a3\na4 a5'
expect_status 0 muster hosts -S '\0' 'a[1-2]'
expect test "$(tr '\0' + <"$OUT")" = a1+a2
expect_status 0 muster hosts --split 2 'a[1-5]'
expect_text $'a[1-3]\na[4-5]'
expect_status 0 muster hosts -f --autostep 3 --slice 0-3 'a[1-9/2]'
expect_text 'a[1-7/2]'
expect_status 0 muster hosts --count --pick 3 'a[1-5]'
expect_text 3
expect_status 0 bash -c 'printf "b[1-2]\na1\n" | "$0" hosts -f -x b1 -' "$MUSTER"
expect_text 'a1,b2'
expect_status 255 muster daemon status

case_ 'bad expressions: the place, the cure, and status 2'
expect_status 2 muster hosts 'web{1,2}'
expect_err 'position 4'
expect_err 'write brackets for numbers'
expect_status 2 muster hosts 'w[1-1000000000]'
expect_err 'more than 1000000 hosts'
expect_status 2 muster hosts --fold --count a
expect_err 'only one'
expect_status 2 muster hosts --slice 3-1 a
expect_err 'downwards'
expect_status 2 muster hosts
expect_err 'expression is missing'

case_ 'a past job without a daemon'
expect_status 2 muster hosts '@job:last:failed'
expect_err 'no daemon is running'

# On h2 and h3 the command exits with 7, on h4 with 1, elsewhere with 0.
some_fail='case $SSH_CONNECTION in *" 127.77.0.2 "* | *" 127.77.0.3 "*) exit 7 ;; *" 127.77.0.4 "*) exit 1 ;; esac'

case_ 'the hosts of a past job, by state, exit code and cause'
on_hosts 'h[1-6],h1:1' "$some_fail"
expect_status 4 muster wait "$JOB"
for of in "$JOB" last LAST; do
    expect_status 0 muster hosts --fold "@job:$of"
    expect_text 'h[1-6],h1:1'
    expect_status 0 muster hosts --fold "@job:$of:failed"
    expect_text 'h[2-4],h1:1'
    expect_status 0 muster hosts --fold "@job:$of:Completed"
    expect_text 'h[1,5-6]'
    expect_status 0 muster hosts --fold "@job:$of:rc=7"
    expect_text 'h[2-3]'
    expect_status 0 muster hosts --fold "@job:$of:cause=unreachable,@job:$of:cause=refused"
    expect_text 'h1:1'
    expect_status 0 muster hosts --fold "@job:$of:stopped"
    expect_text ''
done
expect_status 0 muster hosts --fold "h[1-6]!@job:$JOB:ok"
expect_text 'h[2-4]'
expect_status 0 muster hosts --fold "@job:$JOB:failed&h[1-3]^h9"
expect_text 'h[2-3,9],h1:1'

case_ 'a synchronous invoke is the last job, and its failed hosts are run on again'
expect_status 5 muster invoke -H 'h[1-4]' --shell "$some_fail"
expect_status 0 muster hosts --fold '@job:last:failed'
expect_text 'h[2-4]'
expect_status 0 muster invoke -H '@job:last:rc=7' -- echo again
expect_lines 1 '^h2: again$'
expect_lines 1 '^h3: again$'
expect_status 0 muster hosts --fold '@job:last:completed'
expect_text 'h[2-3]'
expect_status 2 muster invoke -H '@job:last:failed' -- true
expect_err 'no host is left'

case_ 'wrong jobs and filters: said, with the cure'
expect_status 2 muster hosts '@job:999'
expect_err 'there is no job 999'
expect_status 2 muster hosts '@job:last:broken'
expect_err 'as in @job:last:failed'
expect_status 2 muster hosts '@job:last:rc=x'
expect_err 'rc=N'
expect_status 2 muster hosts '@job:last:cause=moon'
expect_err 'unreachable'
expect_status 2 muster hosts '@job:web'
expect_err "'web' is no job"

finish_
