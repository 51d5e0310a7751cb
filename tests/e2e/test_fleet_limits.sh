#!/usr/bin/env bash
# test_fleet_limits.sh MUSTER FAULTD HOSTILE AGENT: a thousand simulated hosts that all misbehave alike, and what this
# computer, a bastion or a stopped daemon has too little of. FLEET_HOSTS=10000: as many.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/jobs.sh
. "$(dirname "$0")/jobs.sh"
# shellcheck source=tests/e2e/fleet.sh
. "$(dirname "$0")/fleet.sh"

# all_complete N: the rows of JOB are so many, and each has completed.
all_complete() {
    rows_of "$JOB"
    : >"$WORK/kinds"
    expect_rows "$WORK/kinds" 1 "$1"
}

# one_address: SSH_CONFIG has x1, x2 and so on, which are all the first host of the fleet, and so one server. With an agent
# one connection would do for all of them.
one_address() {
    SSH_CONFIG=$WORK/one.conf
    {
        printf 'Host x*\n    HostName 127.1.0.1\n'
        sed -n '/^Host sim\*/,$p' "$WORK/lab/ssh_config" | sed 1d
    } >"$SSH_CONFIG"
}

# --- a thousand of a kind ---

# What they do, what is said of it, and the limit that ends it: what is not about a limit has time, however slow this
# computer is.
kinds=('refuse|unreachable: connection refused' 'hang banner|timeout: key exchange|-t 500ms'
    'hang kex|timeout: key exchange|-t 500ms'
    'drop kex|unreachable: key exchange failed: Socket error: disconnected'
    'garbage banner|unreachable: no SSH server answers there'
    'wrongkey|host-key: changed: not the ssh-ed25519 key of .*known_hosts:[0-9]+'
    'authfail|auth: no key was accepted for sim [(]server wants: publickey[)]'
    'noexec|refused: the server does not run commands for sim' 'drop run|link-lost: Socket error: disconnected'
    'agent-hang|timeout: start agent|--start-timeout 2s' 'agent-garbage|agent-lost: this is no muster frame: .*'
    'takes 1000s|timeout: run|-u 1s --stop-grace 1s')
of_a_kind() {
    local i
    echo "hosts $((${#kinds[@]} * HOSTS))"
    for i in "${!kinds[@]}"; do
        echo "host $((i * HOSTS + 1))-$(((i + 1) * HOSTS)) ${kinds[i]%%|*}"
    done
}
fleet_up < <(of_a_kind)

for i in "${!kinds[@]}"; do
    IFS='|' read -r does said limits <<<"${kinds[i]}"
    case_ "$HOSTS hosts: $does"
    # shellcheck disable=SC2086 # options, or none
    expect_status "$([ "$does" = 'takes 1000s' ] && echo 3 || echo 4)" muster invoke \
        -H "sim[$((i * HOSTS + 1))-$(((i + 1) * HOSTS))]" -f "$HOSTS" -t 60s --start-timeout 60s $limits \
        --retries 0 --output jsonl -- uptime
    # One line for all of them, however many.
    expect_err "^muster: $HOSTS/$HOSTS failed"
    [ "$does" = wrongkey ] || expect test "$(grep -c . "$ERR")" -eq 1
    [ "$does" = wrongkey ] || expect_err "failed: .*[(]$said[)]$"
    expect test "$TOOK_MS" -lt $((HOSTS * 30 + 30000))
done

# --- few descriptors ---

fleet_up <<<"hosts $HOSTS"

case_ "ulimit -n 256: $HOSTS hosts all answer"
stop_daemon
few_files() {
    ulimit -n 256 && exec timeout -k 5 300 "$MUSTER" -L "$DAEMON" -F "$SSH_CONFIG" "$@"
}
expect_status 0 bash -c "$(declare -f few_files); MUSTER='$MUSTER' DAEMON='$DAEMON' SSH_CONFIG='$SSH_CONFIG'
    few_files invoke -H 'sim[1-$HOSTS]' -f $HOSTS -- hostname"
expect_lines "$HOSTS" '^(sim[0-9]+): \1$'
expect grep -q '^Max open files *256 ' "/proc/$(daemon_pid)/limits"
stop_daemon

# --- few places for logins ---

for limit in 10:30:100 3:50:8; do
    case_ "MaxStartups $limit at one address: nobody fails"
    fleet_up <<<"hosts 1; host 1 maxstartups $limit"
    one_address
    fleet_job 'x[1-300]' -f 300 --agent never
    expect_status 0 muster wait --quiet "$JOB"
    all_complete 300
    fleet_down
    echo "  300 logins took $(count_of connections) connections, of which $(count_of shut) were dropped"
    [ "$limit" = 10:30:100 ] || expect test "$(count_of shut)" -gt 0
done

case_ 'down at first: tried again, unless that is forbidden'
fleet_up <<<'hosts 40; host 1-20 down-first 2; host 21-40 down-first 3'
expect_status 0 muster invoke -H 'sim[1-40]' -- uptime
fleet_down
expect test "$(count_of connections)" -eq $((20 * 3 + 20 * 4))
fleet_up <<<'hosts 40; host 1-20 down-first 2; host 21-40 down-first 3'
expect_status 4 muster invoke -H 'sim[1-40]' --retries 2 -- uptime
expect_err '20/40 failed: sim\[21-40\] \(unreachable: the connection was closed before an SSH banner came\)$'
fleet_down
expect test "$(count_of connections)" -eq 120
fleet_up <<<'hosts 40; host 1-40 drop banner'
expect_status 4 muster invoke -H 'sim[1-40]' --retries 0 -- uptime
fleet_down
expect test "$(count_of connections)" -eq 40

case_ 'what is final is not tried again'
fleet_up <<<'hosts 100; host 1-20 wrongkey; host 21-40 authfail; host 41-60 noexec; host 61-80 garbage banner; host 81-100 garbage kex'
expect_status 4 muster invoke -H 'sim[1-100]' --retries 5 -- uptime
expect_err '100/100 failed'
fleet_down
expect test "$(count_of connections)" -eq 100

# --- few ports ---

case_ 'out of ports: all answer, one after the other'
if [ "$(id -u)" -ne 0 ] || ! unshare --net true 2>/dev/null; then
    skip_ 'needs root and network namespaces'
else
    stop_daemon
    # What has 64 ports, for connections to one address.
    cat >"$WORK/net" <<'END'
ip link set lo up
echo 40000 40063 >/proc/sys/net/ipv4/ip_local_port_range
exec "$@"
END
    chmod +x "$WORK/net"
    simfleet=$SIMFLEET SIMFLEET=$WORK/simfleet
    printf '#!/bin/sh\nexec unshare --net sh "%s" "%s" -p 2222 "$@"\n' "$WORK/net" "$simfleet" >"$SIMFLEET"
    chmod +x "$SIMFLEET"
    fleet_up <<<'hosts 1; default takes 300ms'
    one_address
    # unshare and sh become simfleet: it is that process whose network is entered.
    run nsenter --net="/proc/$FLEET/ns/net" timeout -k 5 120 "$MUSTER" -L "$DAEMON" -F "$SSH_CONFIG" \
        invoke -H 'x[1-300]' -f 300 --agent never -- uptime
    expect test "$STATUS" -eq 0
    expect_silent
    stop_daemon
    fleet_down
    expect test "$(count_of commands)" -eq 300
    expect test "$(count_of peak)" -le 64
    SIMFLEET=$simfleet
fi

# --- a daemon that is stopped for a while ---

case_ 'a daemon that stood still gives nobody up for what it has not read'
# A login takes some five rounds of these, and is to be done in 4 s.
fleet_up <<<'hosts 200; default delay 300ms'
fleet_job 'sim[1-200]' -f 200 -t 4s --start-timeout 20s --retries 0
pid=$(daemon_pid)
kill -STOP "$pid"
sleep 6
kill -CONT "$pid"
expect_status 0 muster wait --quiet "$JOB"
all_complete 200

case_ 'nor takes its own silence for that of the hosts'
stop_daemon
printf 'session-linger = 0\nkeepalive = 1s\n' >"$HOME/.config/muster/muster.conf"
fleet_up --agent "$AGENT" <<<'hosts 20; default real'
expect_status 0 muster invoke -H 'sim[1-20]' --as-job --inline --quiet -- sleep 9
JOB=$(cat "$OUT")
all_run() {
    [ "$(muster get -c "$JOB" --output jsonl | grep -c '"state":"Running".*"children":\[\]')" -eq 20 ]
}
expect within 60 all_run
pid=$(daemon_pid)
kill -STOP "$pid"
sleep 6
kill -CONT "$pid"
expect_status 0 muster wait --quiet "$JOB"
all_complete 20

fleet_down
finish_
