#!/usr/bin/env bash
# test_doctor.sh MUSTER FAULTD: muster doctor and invoke --check: what would become of a command, in
# sets; new keys decided as one.
# shellcheck disable=SC2016,SC2034,SC2153,SC2317 # $ for the hosts' shells; lib.sh uses what is set here
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/hostkeys.sh
. "$(dirname "$0")/hostkeys.sh"
key_hosts_up 5
lab_print=$(ssh-keygen -lf "$WORK/lab/keys/host_ed25519.pub" | cut -d' ' -f2)
other_print=$(ssh-keygen -lf "$WORK/other.pub" | cut -d' ' -f2)
KNOWS_BY='HashKnownHosts no'
MORE_HOSTS='Host nowhere
	HostName nowhere.invalid
Host closed
	HostName 127.77.0.1
	Port 1'

case_ 'all is well'
expect_status 0 muster doctor -H 'h[1-5]'
expect_lines 1 '^5 ok: h\[1-5\]$'
expect_silent

case_ 'a record a host'
expect_status 0 muster doctor -q -H 'h[1-5]' --output jsonl
expect_lines 5 '"State":"ok".*"KeyType":"ssh-ed25519"'
expect_lines 5 "\"Fingerprint\":\"$(printf %s "$lab_print" | sed 's/[+]/[+]/g')\""

case_ 'without the agent: only that a command could be run'
expect_status 0 muster doctor --agent never -H 'h[1-5]'
expect_lines 1 '^5 ok: h\[1-5\]$'

case_ 'the version of the agent that is there'
expect_status 0 muster doctor -q --agent always -H 'h[1-5]' --output jsonl
expect_lines 5 '"Durable":"yes","AgentVersion":"[a-z-]+ [0-9.]+","Note":null'

case_ 'with the agent: it is there'
expect_status 0 muster doctor -q --agent always -H h1 --output jsonl
expect_lines 1 '"Agent":"ready"'

case_ 'sets, the largest first, and the exit status of invoke'
knows "$(true_keys 1 3)"
expect_status 4 muster doctor -H 'h[1-5],nowhere,closed'
expect_lines 1 '^3 ok: h\[1-3\]$'
expect_lines 1 '^2 new keys: h\[4-5\]$'
expect_lines 1 '^1 unresolved: nowhere '
expect_lines 1 '^1 refused: closed '
expect test "$(head -n 1 "$OUT")" = '3 ok: h[1-3]'
expect_err 'accept-new'
expect cmp -s "$known" <(true_keys 1 3)

case_ 'nobody logs in where the key is new'
knows
before=$(logins)
expect_status 4 muster doctor -H 'h[1-5]'
expect_lines 1 '^5 new keys: h\[1-5\]$'
expect test "$(logins)" -eq "$before"

case_ 'accept-new of ssh_config decides nothing here'
knows
by 'StrictHostKeyChecking accept-new'
expect_status 4 muster doctor -H 'h[1-5]'
expect_lines 1 '^5 new keys: h\[1-5\]$'
expect test ! -s "$known"

case_ 'all of them with their fingerprints'
knows
expect_status 4 muster doctor --list-keys -H 'h[1-5]'
expect test "$(grep -cF "ssh-ed25519 $lab_print" "$ERR")" -eq 5

case_ 'decided as a set: written once, and checked again'
knows "$(true_keys 1 2)"
expect_status 0 muster doctor --host-key accept-new -H 'h[1-5]'
expect_err "^muster: 3 new keys written to $known\$"
expect_lines 1 '^5 ok: h\[1-5\]$'
expect diff <(sort "$known") <(true_keys 1 5 | sort)
expect_status 0 muster doctor --accept-new-keys -H 'h[1-5]'
expect_silent
expect diff <(sort "$known") <(true_keys 1 5 | sort)

case_ 'names are hashed where ssh_config says so, and ssh-keygen finds them'
knows
by 'HashKnownHosts yes'
expect_status 0 muster doctor --accept-new-keys -H 'h[1-5]'
expect_not grep -q 127.77 "$known"
expect ssh-keygen -F "$(name_of 3)" -f "$known"

case_ 'the file and its directory are made, and are ours alone'
known=$WORK/deep/known
by 'HashKnownHosts no'
expect_status 0 muster doctor --accept-new-keys -H 'h[1-2]'
expect test "$(stat -c %a "$known")" = 600
expect test "$(stat -c %a "$WORK/deep")" = 700
known=$WORK/known

case_ 'changed keys are told with place and both fingerprints, and never written'
knows "$(name_of 1) $other_key" "$(true_keys 2 4)"
cp "$known" "$WORK/known.before"
expect_status 4 muster doctor --host-key accept-new -H 'h[1-4]'
expect_lines 1 '^1 changed key: h1$'
expect grep -qF "$known:1" "$OUT"
expect grep -qF "it shows $lab_print, known is $other_print" "$OUT"
expect grep -qF "ssh-keygen -R '$(name_of 1)' -f '$known'" "$OUT"
expect cmp -s "$known" "$WORK/known.before"

case_ 'a revoked key'
knows "$(true_keys 1 5)" "@revoked $(name_of 1) $lab_key"
expect_status 4 muster doctor --accept-new-keys -H 'h[1-2]'
expect_lines 1 '^1 revoked key: h1$'

case_ 'a file that cannot be written'
known=/proc/self/nothing/known
by 'HashKnownHosts no'
expect_status 1 muster doctor --accept-new-keys -H 'h[1-2]'
expect_err '^muster: cannot open /proc/self/nothing/known to add a host key'
known=$WORK/known

case_ 'hosts that are connected already, with one that is not'
stop_daemon
printf 'session-linger = 60s\n' >"$HOME/.config/muster/muster.conf"
before=$(logins)
expect_status 0 muster doctor -H 'h[1-5]'
first=$(($(logins) - before))
expect test "$first" -gt 0
before=$(logins)
expect_status 0 muster doctor -H 'h[1-5]'
expect_lines 1 '^5 ok: h\[1-5\]$'
expect_status 0 muster doctor -f 1 -H 'h[1-5]'
expect_lines 1 '^5 ok: h\[1-5\]$'
expect test "$(logins)" -eq "$before"
expect_status 4 muster doctor -H 'nowhere.invalid,h[1-5]'
expect_lines 1 '^5 ok: h\[1-5\]$'
stop_daemon
printf 'session-linger = 0\nagent = %s\n' "${E2E_AGENT:-auto}" >"$HOME/.config/muster/muster.conf"

case_ 'invoke --check needs no command, and runs none'
expect_status 0 muster invoke --check -H 'h[1-5]'
expect_lines 1 '^5 ok: h\[1-5\]$'
expect_status 0 muster invoke --check -H 'h[1-5]' -- touch "$WORK/run-me"
expect test ! -e "$WORK/run-me"
expect_status 2 muster doctor -H h1 -- true
expect_err 'nothing is run'
expect_status 2 muster doctor
expect_err 'no hosts'

case_ 'the hosts of a job that failed for their keys'
knows "$(true_keys 3 5)"
expect_status 4 muster invoke -H 'h[1-5]' -- true
expect_err "^muster: 2/5 failed: h\\[1-2\\] \\(host-key: not known"
expect_err "muster doctor -H '@job:[0-9]+:cause=host-key'"
expect_status 0 muster doctor --accept-new-keys -H '@job:last:cause=host-key'
expect_err '^muster: 2 new keys written to '

# answers TEXT ARGUMENT...: doctor on a terminal of its own, where TEXT is typed when it asks.
answers() {
    local answer=$1
    shift
    : >"$WORK/screen"
    {
        within 60 grep -aqF '[y/N] ' "$WORK/screen"
        printf '%s\n' "$answer"
        within 60 grep -aq 'IT HAS ENDED' "$WORK/screen"
    } | timeout 120 script -qefc "$(printf '%q ' "$MUSTER" --color never -L "$DAEMON" -F "$SSH_CONFIG" doctor "$@"); s=\$?; echo IT HAS ENDED; exit \$s" \
        /dev/null >"$WORK/screen"
}
if command -v script >/dev/null; then
    case_ 'on a terminal the new keys are shown, and one question is asked; only yes is yes'
    knows "$(true_keys 1 3)"
    expect_status 4 answers n -H 'h[1-5]'
    expect test "$(grep -acF '[y/N] ' "$WORK/screen")" -eq 1
    expect grep -aqF 'write these 2 keys to known_hosts? [y/N] ' "$WORK/screen"
    expect test "$(grep -acF "ssh-ed25519 $lab_print" "$WORK/screen")" -eq 2
    expect cmp -s "$known" <(true_keys 1 3)
    expect_status 0 answers Yes -H 'h[1-4]'
    expect grep -aqF 'write this key to known_hosts? [y/N] ' "$WORK/screen"
    expect diff <(sort "$known") <(true_keys 1 4 | sort)
fi

finish_
