#!/usr/bin/env bash
# test_fleet.sh MUSTER FAULTD: a thousand simulated hosts, many of which misbehave, each in a way of its own.
# FLEET_HOSTS=10000: as many.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/jobs.sh
. "$(dirname "$0")/jobs.sh"
# shellcheck source=tests/e2e/fleet.sh
. "$(dirname "$0")/fleet.sh"
measures_memory_
PER=$((HOSTS / 100))

# What a host does, how it ends, and after how many seconds at the earliest. Those that are slow, or make much memory
# come and go, stand last.
cat >"$WORK/kinds" <<'END'
refuse | Failed | unreachable: connection refused | 0
hang banner | Failed | timeout: key exchange | 2
hang kex | Failed | timeout: key exchange | 2
trickle 20 bytes/s | Failed | timeout: key exchange | 2
drop banner | Failed | unreachable: the connection was closed before an SSH banner came | 0
drop kex | Failed | unreachable: key exchange failed: Socket error: disconnected | 0
drop auth | Failed | auth: the server closed the connection: Socket error: disconnected | 0
drop open | Failed | refused: the server closed the connection after the login | 0
drop exec | Failed | link-lost: while the command was started: Socket error: disconnected | 0
drop run | Failed | link-lost: Socket error: disconnected | 0
drop after 200 bytes | Failed | unreachable: key exchange failed: Socket error: disconnected | 0
garbage banner | Failed | unreachable: no SSH server answers there | 0
garbage kex | Failed | unreachable: key exchange failed: what the server sends is no SSH | 0
garbage run | Failed | link-lost: what the server sends is no SSH | 0
wrongkey | Failed | host-key: changed: not the ssh-ed25519 key of .*known_hosts:[0-9]+ | 0
authfail | Failed | auth: no key was accepted for sim [(]server wants: publickey[)] | 0
noopen | Failed | refused: no session: .* | 0
noexec | Failed | refused: the server does not run commands for sim | 0
noagent | Failed | no-agent: it is needed for --max-output: .* | 0
agent-garbage | Failed | agent-lost: this is no muster frame: .* | 0
agent-hang | Failed | timeout: start agent | 2
stopreading | Failed | timeout: start | 2
takes 1000s | Failed | timeout: run | 2
exit 3 | Failed | exited | 0
signal KILL | Failed | signalled | 0
down-first 2 | Completed | exited | 0
uncached | Completed | exited | 0
delay 20ms | Completed | exited | 0
repeat 2000 | Completed | exited | 0
flood | Failed | limit | 0
hang run | Failed | timeout: run; the agent did not answer | 13
hang open | Failed | timeout: open session | 10
hang exec | Failed | timeout: start command | 10
hang auth | Failed | timeout: authentication | 20
END
KINDS=$(wc -l <"$WORK/kinds")
FAST=$((KINDS - 5))
# The times of the steps that can be told, as short as a busy computer bears.
SHORT=(-f "$HOSTS" -t 2s --start-timeout 2s -u 2s --stop-grace 1s --max-output 1M)

scenario() {
    echo "hosts $HOSTS"
    printf '%s\n' 'default output "hello from %h"'
    awk -F' *[|] *' -v per="$PER" '{ printf "host %d-%d %s\n", (NR - 1) * per + 1, NR * per, $1 }' "$WORK/kinds"
}
fleet_up < <(scenario)
GOOD=$((PER * KINDS + 1))

case_ 'a hundred good hosts: what a daemon has open afterwards'
expect_status 0 muster invoke -H "sim[$GOOD-$((GOOD + 99))]" -- uptime
DAEMON_PID=$(daemon_pid)
DESCRIPTORS=$(fds_of "$DAEMON_PID")
expect test "$DESCRIPTORS" -gt 5

case_ 'all kinds at once: each ends with its own cause, in its own time, and holds up nobody'
started=$SECONDS
fleet_job "sim[1-$HOSTS]" "${SHORT[@]}"
job=$JOB gets=0 slowest=0
until all_ended "$job" || [ $((SECONDS - started)) -gt 200 ]; do
    expect_status 0 muster get -c "$job" --output jsonl
    expect_lines $((HOSTS + 1)) '^\{'
    gets=$((gets + 1))
    [ "$TOOK_MS" -le "$slowest" ] || slowest=$TOOK_MS
    sleep 0.5
done
echo "  $HOSTS hosts in $((SECONDS - started)) s; meanwhile $gets answers to get, the slowest in $slowest ms"
expect test "$gets" -gt 5
# Of a debug build with a sanitizer on a busy computer.
expect test "$slowest" -lt 15000
rows_of "$job"
expect_rows "$WORK/kinds" "$PER" "$HOSTS"
expect_status 0 muster remove "$job"
expect within 60 fds_at_most "$DAEMON_PID" "$DESCRIPTORS"

case_ 'the good ones do not wait for the bad ones'
# Without those whose agent does not answer: to stop them takes the grace.
fleet_job "sim[1-$HOSTS]" -x "sim[$((FAST * PER + 1))-$(((FAST + 2) * PER))]" -f "$HOSTS" -t 30s -u 60s --max-output 1M
good_are_done() {
    rows_of "$JOB"
    [ "$(awk -F'\t' -v good="$GOOD" 'substr($1, 4) + 0 >= good && $2 == "Completed"' "$WORK/rows" | wc -l)" -eq \
        $((HOSTS - GOOD + 1)) ]
}
expect within 100 good_are_done
# Those that hang in the login have 20 s and more to go.
expect_not all_ended "$JOB"
expect_status 0 muster stop --quiet "$JOB"
expect_status 0 muster remove "$JOB"

case_ 'again and again: no memory and no descriptor is left'
head -n "$FAST" "$WORK/kinds" >"$WORK/kinds.fast"
for round in 1 2 3 4 5; do
    fleet_job "sim[1-$((FAST * PER)),$GOOD-$HOSTS]" "${SHORT[@]}" -t 1s --start-timeout 1s -u 1s --retries 0
    run muster wait --quiet "$JOB"
    expect_status 0 muster remove "$JOB"
    MEMORY[round]=$(rss_kb "$DAEMON_PID")
done
expect within 60 fds_at_most "$DAEMON_PID" "$DESCRIPTORS"
echo "  KiB after each round: ${MEMORY[*]}"
expect test "${MEMORY[5]}" -lt $((MEMORY[2] + MEMORY[2] / 10 + 4096))
expect test "$(daemon_pid)" = "$DAEMON_PID"

fleet_down
finish_
