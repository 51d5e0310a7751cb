#!/usr/bin/env bash
# test_kills.sh MUSTER FAULTD: a hundred kills at random moments, of everything but what runs the commands, and every
# line of every job comes once and in order. E2E_KILLS and E2E_SEED: others. tests/e2e/kills does more of them.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/jobs.sh
. "$(dirname "$0")/jobs.sh"
# shellcheck source=tests/e2e/chaos_jobs.sh
. "$(dirname "$0")/chaos_jobs.sh"
# shellcheck source=tests/e2e/chaos.sh
. "$(dirname "$0")/chaos.sh"
lab_up 6
chaos_begin 6 "${E2E_KILLS:-100}" daemon daemon daemon stop stop agent agent agent \
    connection connection connection client client halt halt-runner halt-daemon

case_ 'fault_7, fault_11, fault_12: daemon, agents, connections and clients are killed while jobs run'
chaos_run

case_ 'every job comes to its end'
chaos_settle

case_ 'every line came once and in order, every command ran once, with the right end'
chaos_check

case_ 'nothing is left running, spools are empty'
expect within 60 chaos_no_runners
chaos_check_spools

chaos_finish
