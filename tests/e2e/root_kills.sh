#!/usr/bin/env bash
# root_kills.sh MUSTER FAULTD: kills at random moments on isolated hosts of the lab, whose cables are pulled, too, and hosts
# that are restarted. E2E_KILLS and E2E_SEED as in test_kills.sh.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/jobs.sh
. "$(dirname "$0")/jobs.sh"
# shellcheck source=tests/e2e/chaos_jobs.sh
. "$(dirname "$0")/chaos_jobs.sh"
# shellcheck source=tests/e2e/chaos.sh
. "$(dirname "$0")/chaos.sh"
lab_up 4 --isolated
chaos_begin 4 40 cut cut cut half-open half-open daemon daemon stop agent connection client halt halt-runner

case_ 'fault_2, fault_3: cables are pulled and connections half open, besides the kills'
chaos_run

case_ 'every job comes to its end'
chaos_settle

case_ 'every line came once and in order, every command ran once, with the right end'
chaos_check

case_ 'nothing is left running, spools are empty'
expect within 20 chaos_no_runners
chaos_check_spools

case_ 'fault_13: a host that is restarted: agent-lost, what it wrote is there once, and the command is not run again'
restarts=$(chaos_note_dir)/restarts
on_hosts 'h[1-2]' "echo started >>$restarts; i=0; while [ \$i -lt 100 ]; do i=\$((i + 1)); echo line \$i; sleep 0.1; done"
came() {
    run muster receive --keep -N "$1"
    has_lines "$OUT" 10
}
expect within 30 came $((JOB + 1))
before=$(wc -l <"$OUT")
expect lab reboot h1
expect within 60 is_finished "$JOB"
expect states_are "$JOB" Failed Completed
expect property_is $((JOB + 1)) cause agent-lost
expect property_is $((JOB + 1)) exit_code null
expect_status 0 muster get --output json $((JOB + 1))
run muster receive --keep -N $((JOB + 1))
expect has_lines "$OUT" "$before"
expect test "$(wc -l <"$OUT")" -lt 100
expect_text "$(seq -f 'line %.0f' "$(wc -l <"$OUT")")"
run muster receive --keep -N $((JOB + 2))
expect_text "$(seq -f 'line %.0f' 100)"
for host in h1 h2; do
    expect test "$(lab enter "$host" -- cat "$restarts")" = started
done

case_ 'fault_13: restarted while nobody looks: the next daemon tells the same'
on_hosts 'h[1-2]' "echo started >>$restarts.2; i=0; while [ \$i -lt 50 ]; do i=\$((i + 1)); echo line \$i; sleep 0.1; done"
expect within 30 came $((JOB + 1))
before=$(wc -l <"$OUT")
kill -KILL "$(chaos_daemon)"
expect lab reboot h1
expect within 60 is_finished "$JOB"
expect states_are "$JOB" Failed Completed
expect property_is $((JOB + 1)) cause agent-lost
run muster receive --keep -N $((JOB + 1))
expect has_lines "$OUT" "$before"
expect_text "$(seq -f 'line %.0f' "$(wc -l <"$OUT")")"
run muster receive --keep -N $((JOB + 2))
expect_text "$(seq -f 'line %.0f' 50)"
for host in h1 h2; do
    expect test "$(lab enter "$host" -- cat "$restarts.2")" = started
done

case_ 'fault_10: a runner that is killed: agent-lost, and nothing of its command is left'
new_word
on_hosts h3 ": $WORD; echo begun; sleep 1000"
running() { chaos_processes | grep -q ' runner$' && some_process_of "$WORD"; }
expect within 20 running
chaos_pick runner
kill -KILL "$VICTIM"
expect within 30 is_finished "$JOB"
expect property_is $((JOB + 1)) cause agent-lost
expect within 20 no_process_of "$WORD"
expect_status 5 muster receive --keep -N "$JOB"
expect_text begun

chaos_finish
