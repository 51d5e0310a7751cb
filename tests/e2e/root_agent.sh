#!/usr/bin/env bash
# root_agent.sh MUSTER FAULTD HOSTILE AGENT: hosts whose disks are full or read-only, on isolated hosts of the lab.
# shellcheck disable=SC2016,SC2034,SC2153,SC2317 # $ for the hosts' shells; lib.sh uses what is set here
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
lab_up 4 --isolated

lab() {
    timeout 120 "$LAB" -d "$WORK/lab" "$@"
}
home=$(getent passwd 0 | cut -d: -f6)

case_ 'fault_19: home and temporary directories are full: the next place takes it, input stays in step'
expect lab fill h1
# Where there is /run/user/UID it is such a place; a host of the lab has none unless it is made.
expect lab enter h1 -- mkdir -p -m 700 /run/user/0
head -c 3000000 /dev/urandom >"$WORK/in"
sum=$(sha256sum <"$WORK/in")
expect_status 0 muster invoke --agent always -H 'h[1-2]' --stdin "$WORK/in" -- sha256sum
expect_lines 2 "^h[12]: $sum\$"
expect_silent
expect_status 0 muster agent get -H 'h[1-2]'
expect_out '^h1 .* /run/user/0/muster-agent/agent-'
expect_out "^h2 .* $home/.cache/muster-agent/agent-"
expect_status 0 muster agent remove -H h1

case_ 'fault_19: no place is left: says so, by plain exec the command still runs'
expect lab enter h1 -- rmdir /run/user/0
expect_status 4 muster invoke --agent always -H 'h[1-2]' -- echo fine
expect_err '^muster: 1/2 failed: h1 \(no-agent: .*full.*\)$'
expect_lines 1 '^h2: fine$'
expect_status 0 muster invoke -H 'h[1-2]' -- df -P "$home"
expect_lines 1 '^h1: .* 100% '
expect_err '^h1: WARNING: no agent: .*full'

case_ 'and when there is room again the agent is brought'
expect lab drain h1
expect_status 0 muster invoke --agent always -H 'h[1-2]' -- echo fine
expect_lines 2 ': fine$'
expect_silent

case_ 'a disk that fills up under an agent that is there: commands run'
expect lab fill h1
expect_status 0 muster invoke --agent always -H h1 -- df -P "$home"
expect_out '^h1: .* 100% '
expect_silent
expect lab drain h1

case_ 'fault_27: a read-only home: the next place takes it'
expect lab enter h3 -- mount -n -o remount,bind,ro "$home"
expect_status 0 muster invoke --agent always -H 'h[2-3]' -- echo fine
expect_lines 2 ': fine$'
expect_silent
expect_status 0 muster agent get -H h3
expect_out '^h3 .* (/run/user/0|/var/tmp|/tmp)/muster-agent'

case_ 'fault_27: directories that allow no programs: the next place takes it'
expect lab enter h4 -- mount -n -o remount,bind,noexec "$home"
expect_status 0 muster invoke --agent always -H h4 -- echo fine
expect_out '^h4: fine$'
expect_status 0 muster agent get -H h4
expect_out '^h4 .* (/run/user/0|/var/tmp|/tmp)/muster-agent'

case_ 'fault_28: none allows programs: one warning and plain exec, or no-agent'
expect_status 0 muster agent remove -H h4
expect lab enter h4 -- mount -n -o remount,bind,noexec /var/tmp
expect lab enter h4 -- mount -n -o remount,bind,noexec /tmp
expect_status 0 muster invoke -H h4 -- echo fine
expect_out '^h4: fine$'
expect test "$(wc -l <"$ERR")" -eq 1
expect_err '^h4: WARNING: no agent: .*noexec'
expect_status 4 muster invoke --agent always -H h4 -- echo fine
expect_err 'no-agent: .*noexec'

case_ 'a host that is switched off under its command: link-lost, and it is found again'
start_ muster invoke -H 'h[1-2]' -- sh -c 'echo begun; sleep 1000' >"$WORK/bg" 2>&1
begun() { [ "$(grep -c begun "$WORK/bg")" -eq 2 ]; }
expect within 60 begun
expect lab server-stop h1 h2
expect within 60 gone "$PID"
wait_ "$PID"
expect test "$?" -eq 4
expect grep -q '2/2 failed: h\[1-2\] (link-lost' "$WORK/bg"
expect lab server-start h1 h2
nothing_left() {
    ! lab enter h1 -- pgrep -x sleep -a | grep -q ' 1000$'
}
expect within 60 nothing_left
expect_status 0 muster invoke -H 'h[1-2]' -- echo fine

finish_
