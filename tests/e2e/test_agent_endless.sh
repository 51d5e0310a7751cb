#!/usr/bin/env bash
# test_agent_endless.sh MUSTER FAULTD HOSTILE AGENT: agents (hostile.c) that stall, or talk without end, cost the
# others nothing, and the daemon no memory.
# shellcheck disable=SC2034,SC2153,SC2317 # lib.sh uses what is set here
E2E_AGENT=subsystem
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# So that who talks without end is held back soon.
printf 'results-stored = 4M\n' >>"$HOME/.config/muster/muster.conf"
# shellcheck source=tests/e2e/jobs.sh
. "$(dirname "$0")/jobs.sh"
# shellcheck source=tests/e2e/hostile.sh
. "$(dirname "$0")/hostile.sh"

# memory_flat_: the daemon has not grown by more than what one host may have on its way, and stands still.
memory_now() {
    rss_kb "$DAEMON_PID"
}
memory_before=$(memory_now)
memory_flat_() {
    local now
    now=$(memory_now)
    echo "  daemon: $memory_before kB before, $now kB now"
    expect test "$((now - memory_before))" -lt 49152
}

case_ 'fault_44: one stalls after its start, the others do not wait for it'
acts_ hello open running text=begun
COMMAND='invoke, and h1 stalls' STATUS=- TOOK_MS=0
start_ muster invoke --timeout 12 --stop-grace 1 -H 'h[1-4]' -- echo fine >"$WORK/bg" 2>"$WORK/bg.err"
all_fine() { [ "$(grep -c '^h[2-4]: fine$' "$WORK/bg")" -eq 3 ]; }
expect within 60 all_fine
expect alive "$PID"
expect_status 0 muster invoke -H 'h[2-4]' -- echo fine
expect_lines 3 ': fine$'
wait_ "$PID"
expect test "$?" -eq 3

case_ 'fault_43: valid records without end for a reader that does not read: memory is bounded'
acts_ hello open running flood
expect_status 0 muster -q invoke --as-job --stop-grace 1 -H 'h[1-4]' -- echo fine
job=$(cat "$OUT")
last=0 calm=0
is_calm() {
    local now
    now=$(memory_now)
    if [ "$now" = "$last" ]; then calm=$((calm + 1)); else calm=0; fi
    last=$now
    [ "$calm" -ge 10 ]
}
expect within 60 property_is $((job + 1)) has_more_data true
expect within 60 is_calm
memory_flat_
expect state_is $((job + 1)) Running
expect within 60 state_is $((job + 2)) Completed
# It is still the same flood for who reads on, and can be stopped.
expect_status 0 muster receive --location h1 "$job"
expect test "$(wc -c <"$OUT")" -ge 1000000
expect within 60 is_calm
memory_flat_
run muster stop "$job"
expect within 60 is_finished "$job"
expect_status 0 muster remove "$job"

case_ 'records beyond the credit end it, and take no memory'
acts_ hello open running deaf
expect_status 0 muster -q invoke --as-job -H 'h[1-4]' -- echo fine
job=$(cat "$OUT")
expect_status 4 muster wait --timeout 100 "$job"
expect property_is $((job + 1)) cause 'agent-lost: task 1: more records than it was allowed to send'
memory_flat_
expect_status 0 muster remove "$job"

for act in states rooms; do
    case_ "$act without end: --timeout ends it, and the others are served"
    acts_ hello open running "$act"
    expect_status 3 muster invoke --timeout 4 --stop-grace 1 -H 'h[1-4]' -- echo fine
    expect_err '1/4 failed: h1 \(timeout: run'
    others_fine
    memory_flat_
done

case_ 'it says that it is suspended, which nobody has asked for: --timeout holds'
acts_ hello open running frame=TASK_STATE:0:9201c3
expect_status 3 muster invoke --timeout 4 --stop-grace 1 -H 'h[1-4]' -- echo fine
expect_err '1/4 failed: h1 \(timeout: run'
others_fine

case_ 'it does not stop: twice Ctrl-C ends the command all the same'
acts_ hello open running
start_muster "$WORK/bg" invoke --stop-grace 1 -H 'h[1-4]' -- echo fine
expect within 60 all_fine
interrupt_ "$WORK/bg.err"
expect within 60 gone "$PID"
wait_ "$PID"
expect test "$?" -eq 130
no_sessions() {
    muster daemon status -o json | grep -q '"jobs":0,"sessions":0,'
}
expect within 60 no_sessions

case_ 'a hundred bombs later the daemon is as large as before'
acts_ hello open running frame=TASK_RECORDS:1:930101ddffffffff
for ((i = 0; i < 100; i++)); do
    expect_status 4 muster invoke -H h1 -- true || break
done
memory_flat_
expect test "$(daemon_pid)" = "$DAEMON_PID"

finish_
