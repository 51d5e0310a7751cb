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
chaos_begin 4 "${E2E_KILLS:-40}" cut cut cut half-open half-open daemon daemon stop agent connection client halt halt-runner

case_ 'fault_2, fault_3: cables are pulled and connections half open, besides the kills'
chaos_run

case_ 'every job comes to its end'
chaos_settle

case_ 'every line came once and in order, every command ran once, with the right end'
chaos_check

case_ 'nothing is left running, spools are empty'
expect within 60 chaos_no_runners
chaos_check_spools

chaos_begin 4 15 reboot reboot daemon daemon cut connection

case_ 'fault_13: hosts are restarted, too'
chaos_run

case_ 'every job comes to its end; those that ran there are lost'
chaos_settle

case_ 'what was written before it was lost came once and in order, and no command ran again'
chaos_check
[ -n "${E2E_SEED:-}" ] || expect test "$CHAOS_LOST" -ge 1 # of another seed that is not known

case_ 'and nothing is left running'
expect within 60 chaos_no_runners
chaos_check_spools

chaos_finish
