#!/usr/bin/env bash
# test_rollout.sh MUSTER FAULTD HOSTILE AGENT: batches, canaries, limits of failures, hosts that come later; what is
# confirmed first, and what would be done.
# shellcheck disable=SC2016,SC2034,SC2153,SC2317 # $ for the hosts' shells; lib.sh uses what is set here
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/jobs.sh
. "$(dirname "$0")/jobs.sh"
# shellcheck source=tests/e2e/durable.sh
. "$(dirname "$0")/durable.sh"
lab_up 9
settings_

# timed FILE: shell text that notes when it begins and ends on its host, in nanoseconds.
timed() {
    echo "h=\$MUSTER_RANK; b=\$(date +%s%N); sleep 0.2; echo \"\$h \$b \$(date +%s%N)\" >>'$WORK/$1'"
}

# expect_batches FILE SIZE PAUSE-MS: of each batch all have ended, and the pause is over, before the next begins.
expect_batches() {
    local said
    said=$(sort -n "$WORK/$1" | awk -v size="$2" -v pause="$3" '
        { k = int($1 / size); b = $2 / 1e6; e = $3 / 1e6
          if (!(k in first) || b < first[k]) first[k] = b
          if (e > last[k]) last[k] = e; if (k > top) top = k }
        END { for (k = 1; k <= top; k++) if (first[k] < last[k - 1] + pause)
                  printf "batch %d begins %d ms behind the end of the one before; ", k, first[k] - last[k - 1] }')
    [ -z "$said" ] || fail_ "$said"
}

# most_at_once FILE: how many of them ran at the same time.
most_at_once() {
    awk '{ print $2, 1; print $3, -1 }' "$WORK/$1" | sort -k1,1n -k2,2n |
        awk '{ n += $2; if (n > top) top = n } END { print top + 0 }'
}

# says ID REGEX: get does.
says() {
    muster get --output list "$1" 2>/dev/null | sed -n 's/^ *Progress *: //p' | grep -Eq -- "$2"
}

until_there() {
    echo "until [ -e '$WORK/$1' ]; do sleep 0.05; done"
}

# on_rank N TEXT OTHER: for the host with this number, and for the others.
on_rank() {
    echo "case \$MUSTER_RANK in $1) $2 ;; *) $3 ;; esac"
}

case_ 'a batch begins when all of the one before have ended, and the pause is over'
expect_status 0 muster invoke -H 'h[1-9]' --batch 3 --pause 700ms --shell "$(timed rolling)"
expect has_lines "$WORK/rolling" 9
expect_batches rolling 3 700
expect_silent

case_ 'a hundredth part is rounded up, and the throttle limit holds within a batch'
expect_status 0 muster invoke -H 'h[1-9]' --batch 25% -f 2 --shell "$(timed percent)"
expect has_lines "$WORK/percent" 9
expect_batches percent 3 0
expect test "$(most_at_once percent)" -le 2
expect_status 0 muster invoke -H 'h[1-9]' --batch 25% -f 2 --dry-run -- true
expect_out '^batches +3 of 3'

case_ 'get says which batch; set changes how many of it run at once'
on_hosts 'h[1-6]' "$(until_there go3)" --batch 3 -f 1
expect within 60 states_are "$JOB" Running NotStarted NotStarted
expect says "$JOB" '^batch 1 of 2$'
expect_status 0 muster set "$JOB" -f 9
expect within 60 states_are "$JOB" Running Running Running NotStarted NotStarted NotStarted
: >"$WORK/go3"
expect_status 0 muster wait "$JOB"

case_ 'the daemon is killed in a pause: the next batch begins, at its time and once'
on_hosts 'h[1-4]' "$(timed killed)" --batch 2 --pause 30s
expect within 60 says "$JOB" '^batch 1 of 2 has ended; the next batch begins in [0-9]+ s$'
expect kill_daemon
expect within 120 is_finished "$JOB"
expect has_lines "$WORK/killed" 4
expect begun_times "$WORK/killed" 4
expect_batches killed 2 29900
expect states_are "$JOB" Completed Completed Completed Completed

case_ 'the daemon is killed within a batch: the others go on behind it'
on_hosts 'h[1-4]' "$(on_rank '[01]' "$(until_there go5)" true); $(timed within)" --batch 2
expect within 60 states_are "$JOB" Running Running NotStarted NotStarted
expect kill_daemon
expect within 60 states_are "$JOB" Running Running NotStarted NotStarted
: >"$WORK/go5"
expect within 60 is_finished "$JOB"
expect begun_times "$WORK/within" 4
expect_batches within 2 0

case_ 'suspended in a pause, resumed'
on_hosts 'h[1-2]' true --batch 1 --pause 30s
expect within 60 says "$JOB" 'batch 1 of 2 has ended'
expect_status 0 muster suspend "$JOB"
expect state_is "$JOB" Suspended
expect_status 0 muster resume "$JOB"
expect_status 0 muster wait "$JOB"

case_ 'the canary is well: the others follow'
expect_status 0 muster invoke -H 'h[1-6]' --canary 2 --pause 500ms --shell "$(timed canary)"
expect has_lines "$WORK/canary" 6
expect test "$(sort -n "$WORK/canary" | awk 'NR <= 2 && $3 > e { e = $3 } NR > 2 && $2 < e + 5e8 { n++ } END { print n + 0 }')" -eq 0

case_ 'a canary fails: the job is held, says why, and goes on when it is resumed'
on_hosts 'h[1-5]' "$(on_rank 0 'exit 7' true)" --canary 2
expect within 60 state_is "$JOB" Suspended
expect says "$JOB" "^canary: 1 of 2 failed; muster resume $JOB goes on, muster stop $JOB ends it; 1/5 failed: h1 "
expect states_are "$JOB" Failed Completed NotStarted NotStarted NotStarted
expect kill_daemon
expect state_is "$JOB" Suspended
expect_status 0 muster resume "$JOB"
expect_status 5 muster wait "$JOB"
expect states_are "$JOB" Failed Completed Completed Completed Completed

case_ 'what was let go in spite of its canary stays so'
on_hosts 'h[1-3]' "$(on_rank 0 'exit 7' "$(until_there go9)")" --canary 1
expect within 60 state_is "$JOB" Suspended
expect_status 0 muster resume "$JOB"
expect within 60 states_are "$JOB" Failed Running Running
expect kill_daemon
expect within 60 states_are "$JOB" Failed Running Running
: >"$WORK/go9"
expect_status 5 muster wait "$JOB"

case_ 'a canary fails: stopped'
on_hosts 'h[1-3]' false --canary 1
expect within 60 state_is "$JOB" Suspended
expect_status 0 muster stop "$JOB"
expect states_are "$JOB" Failed Stopped Stopped
expect cause_is $((JOB + 2)) never-ran

case_ 'a canary fails: who waits is told how to go on, whether at once, with --force or for its result'
on_hosts 'h[1-3]' false --canary 1
HOW="canary: 1 of 1 failed; muster resume $JOB goes on, muster stop $JOB ends it"
expect within 60 state_is "$JOB" Suspended
run muster wait "$JOB"
expect_err "job $JOB is Suspended, not finished: --force waits on; $HOW"
start_muster "$WORK/wait" wait --force "$JOB"
expect within 60 grep -q "job $JOB is Suspended: $HOW" "$WORK/wait.err"
expect alive "$PID"
expect_status 0 muster resume "$JOB"
wait_ "$PID"
expect test $? -eq 5
on_hosts 'h[1-3]' false --canary 1
expect within 60 state_is "$JOB" Suspended
start_muster "$WORK/wait" wait $((JOB + 3))
expect within 60 grep -q "job $JOB is Suspended: canary" "$WORK/wait.err"
expect_status 0 muster stop "$JOB"
wait_ "$PID"
start_muster "$WORK/invoke" invoke -H 'h[1-3]' --canary 1 -- false
expect within 60 grep -Eq 'warning: canary: 1 of 1 failed; muster resume [0-9]+ goes on, muster stop' "$WORK/invoke.err"
expect alive "$PID"
JOB=$(sed -n 's/.*muster resume \([0-9]*\).*/\1/p' "$WORK/invoke.err")
expect_status 0 muster resume "$JOB"
wait_ "$PID"
expect test $? -eq 5
expect test "$(grep -c canary "$WORK/invoke.err")" -eq 1

case_ 'more fail than may: nobody else begins, and who runs goes on'
: >"$WORK/begun"
on_hosts 'h[1-8]' "echo x >>$WORK/begun; $(on_rank 0 "$(until_there go11)" 'exit 7')" -f 2 --max-failures 2
expect within 60 states_are "$JOB" Running Failed Failed Failed Stopped Stopped Stopped Stopped
expect begun_times "$WORK/begun" 4
expect property_is $((JOB + 8)) cause 'never-ran: 3 of 8 have failed, more than --max-failures lets'
expect says "$JOB" '^3 of 8 have failed, more than --max-failures lets; 3/8 failed'
: >"$WORK/go11"
run muster wait "$JOB"
expect states_are "$JOB" Completed Failed Failed Failed Stopped

case_ 'the same as a hundredth part, and with 0'
expect_status 3 muster invoke -H 'h[1-8]' -f 1 --max-failures 25% -- false
expect_err 'h\[4-8\] \(never-ran: 3 of 8 have failed, .*h\[1-3\] \(exited 1\)'
expect_status 3 muster invoke -H 'h[1-8]' -f 1 --max-failures 0 -- false
expect_err 'h\[2-8\] \(never-ran'

case_ 'fail-fast: who sleeps is stopped'
new_word
run muster invoke -H 'h[1-4]' --fail-fast --shell "$(on_rank 2 "until [ \$(cat $WORK/up 2>/dev/null | wc -l) -eq 3 ]; do sleep 0.05; done; exit 7" "echo >>$WORK/up; : $WORD; sleep 1000")"
expect test "$STATUS" -eq 3
expect_err 'h3 has failed, and --fail-fast ends the others'
expect within 60 no_process_of "$WORD"

case_ 'a host that is there later is waited for while the others go on; the daemon may be killed meanwhile'
printf 'proxied %s\n' "$(cut -d' ' -f1,2 "$WORK/lab/keys/host_ed25519.pub")" >"$WORK/known"
# Nobody listens there so far, nor does anybody else's test: ports of 127.0.0.1 come around.
LATER_AT=127.88.$((RANDOM % 250 + 1)).$((RANDOM % 250 + 1)) PORT=$LAB_PORT
later() {
    ssh_config later <<END
Host late never
	HostName $LATER_AT
	Port $PORT
	HostKeyAlias proxied
	UserKnownHostsFile $WORK/known
END
}
later
: >"$WORK/begun"
on_hosts 'late,h[2-4]' "echo x >>$WORK/begun" -f 1 --until-reachable 10m
expect within 60 states_are "$JOB" NotStarted Completed Completed Completed
expect says "$JOB" '^1 waits for its host$'
expect says $((JOB + 1)) '^waiting for the host: connection refused$'
expect kill_daemon
expect state_is $((JOB + 1)) NotStarted
"$FAULTD" "$LATER_AT:$PORT=proxy:127.77.0.1:$LAB_PORT:count" >"$WORK/later.log" 2>&1 </dev/null &
LATER=$!
started_ "$LATER"
expect within 60 grep -qx ready "$WORK/later.log"
expect within 90 is_finished "$JOB"
expect states_are "$JOB" Completed Completed Completed Completed
expect begun_times "$WORK/begun" 4
kill "$LATER"
expect within 60 gone "$LATER"

case_ 'its time is over, or it is stopped; what is no matter of being away fails at once'
later
expect_status 4 muster invoke -H 'never,h2' --until-reachable 1s -- true
expect_err 'never.*connection refused'
on_hosts 'never,h2' true --until-reachable 10m
expect within 60 states_are "$JOB" NotStarted Completed
expect_status 0 muster stop "$JOB"
expect states_are "$JOB" Stopped Completed
expect property_is $((JOB + 1)) cause 'never-ran: its host was not reached: connection refused'
expect_status 4 muster invoke -H 'nobody-at-all@h1' --until-reachable 10m -- true
expect_took_under 60000

case_ 'a dry run connects to nothing, and shows where and what'
stop_daemon
expect_status 0 muster invoke -H 'root@h[1-9]' --canary 1 --batch 50% --pause 90s --max-failures 0 --dry-run -- printf '%s\n' "it's" a
expect_out '^hosts +9: .*h\[1-9\]'
expect_out '^user +root$'
expect_out '^batches +1 as a canary, then 2 of 5, with 90'
expect_out "^command +printf '%s\\\\n' 'it'\\\\''s' a\$"
expect_silent
expect test ! -S "$XDG_RUNTIME_DIR/muster/$DAEMON.sock"
expect_status 0 muster invoke -H 'nowhere[1-3]' --dry-run --shell 'id; id'
expect_out "^command +sh -c 'id; id'\$"

case_ 'without a terminal nothing is confirmed, but with --yes'
expect_status 2 setsid -w timeout 60 "$MUSTER" -L "$DAEMON" -F "$SSH_CONFIG" invoke -H h1 --confirm -- true
expect_err 'no terminal.*--yes'
expect_status 0 muster invoke -H h1 --confirm --yes -- true

# asked ANSWER ARGUMENT...: on a terminal of its own, when the question is there.
asked() {
    local answer=$1
    shift
    : >"$OUT"
    {
        within 60 grep -aqE '\[y/N\] |Type the number of hosts' "$OUT"
        printf '%s\n' "$answer"
        within 60 grep -aq 'IT HAS ENDED' "$OUT"
    } | timeout 120 script -qefc "$(printf '%q ' "$MUSTER" --color never -L "$DAEMON" -F "$SSH_CONFIG" "$@"); s=\$?; echo IT HAS ENDED; exit \$s" \
        /dev/null >"$OUT" 2>"$ERR"
    STATUS=$?
    COMMAND="$* (answered: $answer)"
}
if command -v script >/dev/null; then
    case_ 'on a terminal it is asked, and only yes is yes'
    asked y invoke -H 'h[1-2]' --confirm -- echo ran
    expect test "$STATUS" -eq 0
    expect_out 'h2: ran'
    expect_out '^hosts +2: h\[1-2\]'
    asked '' invoke -H 'h[1-2]' --confirm -- echo ran
    expect test "$STATUS" -eq 2
    expect_no_out 'h2: ran'
    expect_out 'not confirmed: nothing was run'

    case_ 'on a terminal a failed canary is told, too'
    : >"$OUT"
    {
        within 60 grep -aqE 'canary: 1 of 1 failed; muster resume [0-9]+' "$OUT"
        muster stop "$(sed -n 's/.*muster resume \([0-9]*\).*/\1/p' "$OUT" | head -n 1)" </dev/null >/dev/null 2>&1
        within 60 grep -aq 'IT HAS ENDED' "$OUT"
    } | timeout 120 script -qefc "$(printf '%q ' "$MUSTER" --color never -L "$DAEMON" -F "$SSH_CONFIG" \
        invoke -H 'h[1-3]' --canary 1 -- false); s=\$?; echo IT HAS ENDED; exit \$s" /dev/null >"$OUT" 2>"$ERR"
    STATUS=$? COMMAND='invoke --canary'
    expect test "$STATUS" -eq 3
    expect_out 'canary: 1 of 1 failed; muster resume'
    expect_out 'IT HAS ENDED'

    case_ 'above the numbers of muster.conf it is asked by itself, and the number is typed'
    settings_ 'confirm-above = 2' 'confirm-count = 3'
    expect_status 0 muster invoke -H 'h[1-2]' -- echo ran
    asked y invoke -H 'h[1-3]' -- echo ran
    expect test "$STATUS" -eq 0
    asked y invoke -H 'h[1-4]' -- echo ran
    expect test "$STATUS" -eq 2
    asked 4 invoke -H 'h[1-4]' -- echo ran
    expect test "$STATUS" -eq 0
    expect_out 'h4: ran'
    settings_
fi

case_ 'what cannot be meant'
for option in '--batch 0' '--batch 101%' '--batch x' '--batch %' '--max-failures -1' '--max-failures 101%' '--canary 0' \
    '--pause 0' '--until-reachable 0'; do
    # shellcheck disable=SC2086 # words
    expect_status 2 muster invoke -H h1 $option -- true
    expect_err "${option% *}"
done
expect_status 2 muster invoke -H h1 --pause 3s -- true
expect_err '--pause: nothing to pause between'

finish_
