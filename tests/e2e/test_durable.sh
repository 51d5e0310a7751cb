#!/usr/bin/env bash
# test_durable.sh MUSTER FAULTD HOSTILE AGENT: durable jobs whose connections, agents and runners die.
# shellcheck disable=SC2016,SC2034,SC2119,SC2153,SC2317 # $ for the hosts' shells; lib.sh uses what is set here
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/jobs.sh
. "$(dirname "$0")/jobs.sh"
# shellcheck source=tests/e2e/durable.sh
. "$(dirname "$0")/durable.sh"
lab_up 4
settings_

# through MODE: p1 is h1 through a server of bad manners.
printf 'proxied %s\n' "$(cut -d' ' -f1,2 "$WORK/lab/keys/host_ed25519.pub")" >"$WORK/known"
through() {
    serve "proxy:127.77.0.1:$LAB_PORT:$1"
    ssh_config "through.$SERVES" <<END
Host p1
	HostName 127.0.0.1
	Port ${PORTS[0]}
	HostKeyAlias proxied
	UserKnownHostsFile $WORK/known
END
}

case_ 'fault_01: each connection is reset in the middle of something: every line once, and run once'
through drop=150000
job_ invoke --as-job -H p1 --shell "echo begun >>$WORK/begun.1; seq 100000; exit 7"
expect_status 5 muster receive --wait --force "$JOB"
expect_counted p1 100000
expect property_is $((JOB + 1)) exit_code 7
expect begun_times "$WORK/begun.1" 1
expect muster remove "$JOB"

case_ 'fault_02, fault_03: a connection that falls silent, and stays half open: given up, and the new one has it'
through stall=150000
job_ invoke --as-job -H p1 --shell "echo begun >>$WORK/begun.2; seq 15000; exit 7"
expect_status 5 muster receive --wait --force "$JOB"
expect_counted p1 15000
expect property_is $((JOB + 1)) exit_code 7
expect begun_times "$WORK/begun.2" 1
kill "$SERVER"

case_ 'fault_11: the agent is killed: its runner goes on, and is found again'
new_word
on_hosts h1 "echo 1; until [ -e $WORK/$WORD ]; do sleep 0.05; done; echo 2; exit 7"
expect within 60 has_received "$JOB" '^h1: 1$'
runner=$(runner_of "$WORD")
expect kill -KILL "$(agent_of "$WORD")"
expect within 60 state_is "$JOB" Running
expect test "$(runner_of "$WORD")" = "$runner"
: >"$WORK/$WORD"
expect_status 5 muster receive --wait --force "$JOB"
expect_counted h1 2
expect within 60 gone "$runner"

case_ 'fault_12: an agent that stands still is given up; it wakes up later, and does no harm'
new_word
on_hosts h1 "echo 1; until [ -e $WORK/$WORD.2 ]; do sleep 0.05; done; echo 2
    until [ -e $WORK/$WORD.3 ]; do sleep 0.05; done; echo 3; exit 7"
expect within 60 has_received "$JOB" '^h1: 1$'
agent=$(agent_of "$WORD")
expect kill -STOP "$agent"
# That it is Disconnected may be over when it is looked at; what comes now comes through another one.
: >"$WORK/$WORD.2"
expect within 60 has_received "$JOB" '^h1: 2$'
kill -CONT "$agent"
: >"$WORK/$WORD.3"
expect_status 5 muster receive --wait --force "$JOB"
expect_counted h1 3
expect within 60 gone "$agent"

case_ 'fault_10: the runner is killed: agent-lost, what it had written is there, what it ran is gone'
new_word
on_hosts h2 "echo 1; echo begun >>$WORK/begun.$WORD; sleep 1000 & sleep 1000"
expect within 60 has_received "$JOB" '^h2: 1$'
expect kill -KILL "$(runner_of "$WORD")"
expect within 60 is_finished "$JOB"
expect cause_is $((JOB + 1)) agent-lost
expect_status 4 muster receive --wait "$JOB"
expect_counted h2 1
expect within 60 no_process_of "$WORD"
expect begun_times "$WORK/begun.$WORD" 1

case_ 'away and back: every host goes on where it stood, and nothing is left on it'
new_word
on_hosts 'h[1-4]' "$(counting 400 "$WORK/$WORD")"
expect within 60 has_received "$JOB" '^h4: 20$'
away_
expect within 60 states_are "$JOB" Disconnected Disconnected Disconnected Disconnected
expect state_is "$JOB" Disconnected
: >"$WORK/$WORD"
back_
expect_status 5 muster receive --wait --force "$JOB"
for host in h1 h2 h3 h4; do
    expect_counted "$host" 400
done
expect within 60 spool_is_empty $((JOB + 1))

case_ 'input reaches a command over a lost connection'
seq 100000 >"$WORK/in"
new_word
on_hosts 'h[1-2]' "head -c 10; until [ -e $WORK/$WORD ]; do sleep 0.05; done; cat | cksum" --stdin "$WORK/in"
expect within 60 has_received "$JOB" '^h2: 5'
away_
expect within 60 states_are "$JOB" Disconnected Disconnected
: >"$WORK/$WORD"
back_
expect_status 0 muster receive --wait --force "$JOB"
expect_lines 2 "^h[12]: $(tail -c +11 "$WORK/in" | cksum)\$"

case_ 'suspended, and then away: it stands still when it is back, and goes on when it is told to'
new_word
on_hosts h1 "i=0; while :; do i=\$((i + 1)); echo \$i >$WORK/tick; sleep 0.02; [ ! -e $WORK/$WORD ] || exit 7; done"
expect within 60 test -s "$WORK/tick"
expect_status 0 muster suspend "$JOB"
expect within 60 state_is $((JOB + 1)) Suspended
away_
expect within 60 state_is $((JOB + 1)) Disconnected
back_
expect within 60 state_is $((JOB + 1)) Suspended
ticks=$(cat "$WORK/tick")
: >"$WORK/$WORD"
expect_status 0 muster receive --keep "$JOB"
expect test "$(cat "$WORK/tick")" = "$ticks"
expect_status 0 muster resume "$JOB"
expect within 60 is_finished "$JOB"
expect property_is $((JOB + 1)) exit_code 7

case_ 'stopped while it is away: ended when it is back'
new_word
on_hosts h1 "echo 1; sleep 1000 & wait # $WORD"
expect within 60 has_received "$JOB" '^h1: 1$'
away_
expect within 60 state_is $((JOB + 1)) Disconnected
expect_status 2 muster suspend "$JOB"
expect_err 'it is Disconnected'
start_muster "$WORK/stop" stop "$JOB"
back_
expect within 60 state_is "$JOB" Stopped
expect within 60 no_process_of "$WORD"
wait_ "$PID"
expect_status 0 muster receive "$JOB"
expect_counted h1 1

case_ 'stopped while it stays away: over within the time for looking, though the host cannot be told'
new_word
on_hosts h1 "sleep 1000 # $WORD" --reconnect-timeout 10
expect within 60 state_is $((JOB + 1)) Running
away_
expect within 60 state_is $((JOB + 1)) Disconnected
run muster stop "$JOB"
expect within 60 is_finished "$JOB"
expect_took_under 100000
back_
for pid in $(processes_of "$WORD"); do kill "$pid"; done

case_ 'reconnect-timeout: looked for no longer than that, then link-lost; what had come is there'
new_word
on_hosts 'h[1-2]' "echo 1; until [ -e $WORK/$WORD ]; do sleep 0.05; done" --reconnect-timeout 1
expect within 60 has_received "$JOB" '^h1: 1$'
expect within 60 has_received "$JOB" '^h2: 1$'
away_
expect within 60 is_finished "$JOB"
back_
expect cause_is $((JOB + 1)) link-lost
expect_status 4 muster receive --wait "$JOB"
expect_lines 2 '^h[12]: 1$'
: >"$WORK/$WORD"

case_ 'remove --force of a job that is disconnected: it is gone, here at once and there as soon as it is back'
new_word
on_hosts h1 "echo 1; sleep 1000 # $WORD"
expect within 60 has_received "$JOB" '^h1: 1$'
away_
expect within 60 state_is $((JOB + 1)) Disconnected
expect_status 2 muster remove "$JOB"
start_muster "$WORK/remove" remove --force "$JOB"
back_
expect within 60 gone "$PID"
wait_ "$PID"
expect test $? -eq 0
expect within 60 no_process_of "$WORD"
run muster get "$JOB"
expect test "$STATUS" -ne 0

case_ 'fault_17: another host key when it is looked for: a hard stop, cause host-key'
cut -d' ' -f2- "$WORK/known" | sed 's/^/keyed /' >"$WORK/keyed"
ssh_config keyed <<END
Host k1
	HostName 127.77.0.1
	HostKeyAlias keyed
	UserKnownHostsFile $WORK/keyed
END
new_word
on_hosts k1 "echo 1; sleep 1000 # $WORD"
expect within 60 has_received "$JOB" '^k1: 1$'
away_
expect within 60 state_is $((JOB + 1)) Disconnected
ssh-keygen -q -t ed25519 -N '' -f "$WORK/newkey" </dev/null
for conf in "$WORK"/lab/sshd/*.conf; do
    sed -i.old "s|^HostKey .*|HostKey $WORK/newkey|" "$conf"
done
back_
expect within 60 is_finished "$JOB"
expect cause_is $((JOB + 1)) host-key
expect_status 4 muster receive --wait "$JOB"
expect_counted k1 1
away_
for conf in "$WORK"/lab/sshd/*.conf; do
    mv "$conf.old" "$conf"
done
back_
for pid in $(processes_of "$WORD"); do kill "$pid"; done

case_ 'fault_21: --spool-full drop: a warning counts what is missing, exactly'
new_word
on_hosts h1 "echo first; until [ -e $WORK/$WORD ]; do sleep 0.05; done; seq 300000; echo end >$WORK/$WORD.end; exit 7" \
    --spool-full drop --spool-limit 512K
expect within 60 has_received "$JOB" '^h1: first$'
away_
expect within 60 state_is $((JOB + 1)) Disconnected
: >"$WORK/$WORD"
expect within 60 test -s "$WORK/$WORD.end"
back_
expect_status 5 muster receive --wait --force "$JOB"
got=$(grep -c '^h1: [0-9]' "$OUT")
missing=$(sed -n 's/^h1: WARNING: \([0-9]*\) records .* missing .*/\1/p' "$ERR" | awk '{ n += $1 } END { print n + 0 }')
expect test "$got" -gt 0
expect test "$missing" -gt 0
expect test $((got + missing)) -eq 300000
expect_out '^h1: 300000$'

case_ 'block, the default: a command waits for room while nobody fetches, and nothing is missing'
new_word
on_hosts h1 "echo 0; until [ -e $WORK/$WORD ]; do sleep 0.05; done; seq 300000; echo end >$WORK/$WORD.end; exit 7" \
    --spool-limit 512K
expect within 60 has_received "$JOB" '^h1: 0$'
away_
expect within 60 state_is $((JOB + 1)) Disconnected
: >"$WORK/$WORD"
spool=$(spool_of $((JOB + 1)))
spool_is_full() { [ "$(du -sk "$spool" | cut -f1)" -ge 400 ]; }
expect within 60 spool_is_full
back_
expect_status 5 muster receive --wait --force "$JOB"
sed -i '1{/^h1: 0$/d}' "$OUT"
expect_counted h1 300000
expect_no_err WARNING

finish_
