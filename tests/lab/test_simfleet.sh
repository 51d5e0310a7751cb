#!/usr/bin/env bash
# test_simfleet.sh SIMFLEET MUSTER AGENT: the fleet simulator, as ssh and muster meet it.
# shellcheck disable=SC2016,SC2028 # what stands in single quotes is for a host, or for simfleet
set -u
LC_ALL=C
export LC_ALL
simfleet=${1:?usage: test_simfleet.sh SIMFLEET MUSTER AGENT}
muster=${2:?usage: test_simfleet.sh SIMFLEET MUSTER AGENT}
agent=${3:?usage: test_simfleet.sh SIMFLEET MUSTER AGENT}
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lab/test_lib.sh
. "$here/test_lib.sh"
work=$(mktemp -d "${TMPDIR:-/tmp}/sim.XXXXXX") || exit 1
mkdir -m 700 "$work/run" "$work/state" "$work/home"
export XDG_RUNTIME_DIR=$work/run XDG_STATE_HOME=$work/state HOME=$work/home
unset SSH_AUTH_SOCK XDG_CONFIG_HOME MUSTER_LOG
fleet=   # the pid of the fleet that is up
PORT=0

finish() {
    timeout 60 "$muster" daemon stop --force >/dev/null 2>&1
    [ -z "$fleet" ] || kill "$fleet" 2>/dev/null
    wait
    rm -rf "$work"
}
trap finish EXIT

# --- fleets ---

is_ready() {
    grep -q '^ready [0-9]' "$work/fleet" || ! kill -0 "$fleet" 2>/dev/null
}

# up OPTION...: a fleet with the scenario on stdin, in $work/d. Sets PORT.
up() {
    down
    cat >"$work/scenario"
    : >"$work/fleet"
    "$simfleet" -d "$work/d" "$@" "$work/scenario" >"$work/fleet" 2>"$work/fleet.err" </dev/null &
    fleet=$!
    within 60 is_ready
    PORT=$(sed -n 's/^ready //p' "$work/fleet")
    [ -n "$PORT" ] || {
        echo "FAILED: simfleet does not start: $(cat "$work/fleet.err")"
        exit 1
    }
}

# down: ends it; its last counts are in $work/counts, its exit status in STATUS.
down() {
    [ -n "$fleet" ] || return 0
    kill "$fleet"
    wait "$fleet"
    STATUS=$?
    fleet=
    tail -n 1 "$work/fleet" >"$work/counts"
    [ ! -s "$work/fleet.err" ] || cat "$work/fleet.err"
}

# count_of NAME: in the last line of counts.
count_of() {
    sed -n "s/.*\"$1\": \([0-9]*\).*/\1/p" "$work/counts"
}

# on HOST COMMAND: by ssh; its output in $work/out, its errors in $work/err, its exit status in STATUS.
on() {
    timeout "${PATIENCE:-60}" ssh -F "$work/d/ssh_config" -o BatchMode=yes "$@" >"$work/out" 2>"$work/err" </dev/null
    STATUS=$?
}

# m ARGUMENT...: muster, in the same way.
m() {
    timeout 120 "$muster" -F "$work/d/ssh_config" "$@" >"$work/out" 2>"$work/err" </dev/null
    STATUS=$?
}

lines_of() {
    grep -c -- "$1" "$work/out"
}

# --- good hosts ---

good_hosts='hosts 1000
default ok output "hello from %h, number %n\n"   # all of them
host 2 exit 7; host 3 signal KILL
host 4 error "oops\n"
host 5 echo
host 6 output "a\x41\tb\\\"\n" repeat 3'

test_ssh() {
    up <<<"$good_hosts"
    on sim7 uptime
    check 'ssh: its output' equal 'hello from sim7, number 7' "$(cat "$work/out")"
    check 'ssh: its exit status' equal 0 "$STATUS"
    on sim2 uptime
    check 'ssh: another exit status' equal 7 "$STATUS"
    on sim3 uptime
    check 'ssh: a signal' equal 255 "$STATUS"
    on sim4 uptime
    check 'ssh: its errors' equal oops "$(cat "$work/err")"
    on sim5 "uname 'a  b'"
    check 'ssh: echo' equal 'uname a  b' "$(cat "$work/out")"
    on sim6 uptime
    check 'ssh: escapes, three times' equal 3 "$(grep -c $'^aA\tb\\\\"$' "$work/out")"
    on sim8 'exit 4'
    check 'ssh: exit' equal 4 "$STATUS"
    on sim9 hostname
    check 'ssh: hostname' equal sim9 "$(cat "$work/out")"
    ssh-keygen -q -t ed25519 -N '' -f "$work/other"
    timeout 60 ssh -F none -i "$work/other" -o UserKnownHostsFile="$work/d/known_hosts" -o BatchMode=yes -p "$PORT" \
        127.1.0.7 uptime >"$work/out" 2>"$work/err" </dev/null
    check 'ssh: another key may not log in' says 'Permission denied' "$work/err"
    check 'the names' equal 'sim1000' "$(tail -n 1 "$work/d/hosts")"
    kill -USR1 "$fleet"
    within 60 grep -q '"denied"' "$work/fleet"
    check 'SIGUSR1: counts' test -n "$(grep -c '^{.*"logins": [1-9].*}$' "$work/fleet")"
    down
    check 'SIGTERM: exit status' equal 0 "$STATUS"
    check 'SIGTERM: counts of commands' equal 8 "$(count_of commands)"
    check 'SIGTERM: all have ended' equal 8 "$(count_of ended)"
}

test_names() {
    local key
    key=$(cat "$work/d/host_key_1")
    up --hash --host-keys 3 <<<"$good_hosts"
    check 'the host key is kept' equal "$key" "$(cat "$work/d/host_key_1")"
    check '--hash: no address is to be read' not grep -q '127\.' "$work/d/known_hosts"
    on sim11 uptime
    check '--hash: ssh finds the key' equal 0 "$STATUS"
    check '--host-keys: as many' equal 3 "$(cut -d' ' -f3 "$work/d/known_hosts" | sort -u | wc -l)"
    m invoke --ephemeral -H 'sim[1,7-57]' -- uptime
    check '--hash: muster finds the keys' equal 52 "$(lines_of 'hello from sim')"
    up --by-address <<<'hosts 300'
    check '--by-address: the names' equal 127.1.1.44 "$(tail -n 1 "$work/d/hosts")"
    m invoke --ephemeral -H "^$work/d/hosts" -f 300 -- hostname
    check '--by-address: muster' equal 300 "$(lines_of '^\(127\.1\.[0-9.]*\): \1$')"
}

test_loopback() {
    local address
    # shellcheck disable=SC2188 # the connection is all
    check 'an address without a host: closed' test -z "$(timeout 20 cat <"/dev/tcp/127.1.1.45/$PORT" 2>/dev/null)"
    for address in $(hostname -I 2>/dev/null); do
        case $address in 127.* | *:*) continue ;; esac
        check "not on loopback: $address" test -z "$({ timeout 20 cat <"/dev/tcp/$address/$PORT"; } 2>/dev/null)"
        break
    done
}

test_muster() {
    up <<<"$good_hosts"
    m invoke --ephemeral -H 'sim[7-56]' -- uptime
    check 'muster: each has its own output' equal 50 "$(lines_of '^\(sim[0-9]*\): hello from \1, number [0-9]*$')"
    check 'muster: exit status' equal 0 "$STATUS"
    m invoke --ephemeral --agent never -H 'sim[7-56]' -- uptime
    check 'muster without agents' equal 50 "$(lines_of '^\(sim[0-9]*\): hello from \1, number [0-9]*$')"
    m invoke --ephemeral --agent subsystem -H 'sim[7-9]' -- echo a b
    check 'muster: subsystem' equal 3 "$(lines_of ': a b$')"
    m invoke --ephemeral --become -H sim7 -- uptime
    check 'muster: become' equal 1 "$(lines_of 'hello from sim7')"
    m invoke --ephemeral -u 0.2 -H sim8 -- sleep 1000
    check 'muster: a run that is too long' says 'timeout: run' "$work/err"
    m invoke --ephemeral -f 1000 -H 'sim[7-1000]' -- uptime
    check 'muster: 994 hosts' equal 994 "$(lines_of 'hello from')"
    down
    check 'counts: the peak' test "$(count_of peak)" -ge 900
    check 'counts: agents' test "$(count_of agents)" -ge 1049
    check 'counts: all has ended' equal "$(count_of commands)" "$(count_of ended)"
}

# --- bad hosts ---

begins() {
    [ "${2:0:${#1}}" = "$1" ] || {
        echo "  expected: $1..."
        echo "  found:    $2"
        return 1
    }
}

# What a host does, and what muster calls that.
bad_hosts='refuse|unreachable: connection refused
hang banner|timeout: key exchange
hang kex|timeout: key exchange
hang auth|timeout: authentication
hang open|timeout: open session
hang exec|timeout: start command
hang run|timeout: run
drop banner|unreachable
drop kex|unreachable
drop auth|auth
drop open|refused
drop exec|link-lost
drop run|link-lost
drop after 1000 bytes|unreachable
trickle 100 bytes/s|timeout: key exchange
garbage banner|unreachable
garbage kex|unreachable
garbage run|link-lost
wrongkey|host-key: changed
authfail|auth: no key was accepted
noopen|refused
noexec|refused
stopreading|timeout: start
flood|limit
agent-garbage|agent-lost
agent-hang|timeout: start agent
noagent|no-agent
exit 3|exited
signal KILL|signalled
maxstartups 1:100:1|exited
delay 50ms|exited
takes 50ms|exited
uncached|exited
ok|exited'

test_bad() {
    local count number=0 id manner want found
    count=$(wc -l <<<"$bad_hosts")
    up < <(
        echo "hosts $count"
        echo 'default output "hello from %h\n"'
        while IFS='|' read -r manner want; do
            number=$((number + 1))
            echo "host $number $manner"
        done <<<"$bad_hosts"
    )
    m invoke --as-job -q --agent always -f "$count" -t 5 --start-timeout 5 -u 5 --max-output 1M -H "sim[1-$count]" -- uptime
    id=$(cat "$work/out")
    m wait -q "$id"
    m get -c -o csv "$id"
    number=0
    while IFS='|' read -r manner want; do
        number=$((number + 1))
        found=$(awk -F, -v host="sim$number" '$7 == host { print $11 }' "$work/out" | tr -d '"')
        check "muster: $manner" begins "$want" "$found"
    done <<<"$bad_hosts"
    m daemon stop --force
}

# --- what needs a look at the wire ---

# Opens a connection to 127.1.0.$1 as descriptor 1$2.
knock() {
    eval "exec 1$2<>/dev/tcp/127.1.0.$1/$PORT"
}

test_startups() {
    local line
    up <<<'hosts 3
host 1 maxstartups 2:100:2
host 2 down-first 2'
    knock 1 1
    knock 1 2
    read -r -t 60 line <&11
    read -r -t 60 line <&12
    check 'maxstartups: two may come' equal SSH-2.0 "${line:0:7}"
    knock 1 3
    read -r -t 60 line <&13
    check 'maxstartups: the third may not' equal $'Exceeded MaxStartups\r' "$line"
    exec 11<&- 12<&- 13<&-
    on -o ConnectionAttempts=1 sim2 true
    check 'down-first: the first' equal 255 "$STATUS"
    on -o ConnectionAttempts=1 sim2 true
    check 'down-first: the second' equal 255 "$STATUS"
    on -o ConnectionAttempts=1 sim2 true
    check 'down-first: the third' equal 0 "$STATUS"
    down
    check 'counts: who was shut out' equal 3 "$(count_of shut)"
}

bytes_of() {
    timeout 60 cat <"/dev/tcp/127.1.0.$1/$PORT" 2>/dev/null | wc -c
}

test_bytes() {
    local start
    up <<<'hosts 4
host 1 drop after 5 bytes
host 2 trickle 20
host 3 flood
host 4 delay 300ms'
    check 'drop after: so many' equal 5 "$(bytes_of 1)"
    start=${EPOCHREALTIME/./}
    timeout 60 head -c 20 <"/dev/tcp/127.1.0.2/$PORT" >"$work/out"
    check 'trickle: comes' equal 20 "$(stat -c %s "$work/out")"
    check 'trickle: as slowly as that' test "$((${EPOCHREALTIME/./} - start))" -ge 900000
    # This ssh ends with the fleet: it does not when nobody reads.
    head -c 3000000 < <(timeout 60 ssh -F "$work/d/ssh_config" sim3 x 2>/dev/null) >"$work/out"
    check 'flood: does not end' equal 3000000 "$(stat -c %s "$work/out")"
    start=${EPOCHREALTIME/./}
    on sim4 true
    check 'delay: with each answer' test "$((${EPOCHREALTIME/./} - start))" -ge 1500000
}

test_real() {
    up --agent "$agent" <<<'hosts 3
host 1-2 real'
    m invoke --ephemeral -H 'sim[1-2]' --shell 'echo $((6 * 7)); exit 3'
    check 'real: what a shell says' equal 2 "$(lines_of ': 42$')"
    check 'real: exit status' says 'sim[1-2] (exited 3)' "$work/err"
    down
}

test_parent() {
    mkfifo "$work/stdin"
    echo 'hosts 1' >"$work/scenario"
    "$simfleet" --with-parent "$work/scenario" <"$work/stdin" >"$work/fleet" 2>&1 &
    fleet=$!
    exec 9>"$work/stdin"
    within 60 is_ready
    exec 9>&-
    check '--with-parent: ends' within 60 not kill -0 "$fleet" 2>/dev/null
    fleet=
}

# --- what it does not take ---

# refuses NAME TEXT OPTION...: a scenario on stdin.
refuses() {
    local name=$1 text=$2
    shift 2
    cat >"$work/bad"
    timeout 60 "$simfleet" "$@" "$work/bad" >"$work/out" 2>"$work/err" </dev/null
    STATUS=$?
    check "$name: exit status" equal 1 "$STATUS"
    check "$name: says where and why" says "$text" "$work/err"
}

test_scenarios() {
    refuses 'no hosts' 'add a line "hosts N"' <<<'# nothing'
    refuses 'too late' 'bad:1: how many hosts there are must come first' <<<'host 1 ok'
    refuses 'twice' 'bad:2: "hosts" was there before' <<<$'hosts 1\nhosts 1'
    refuses 'an unknown statement' 'bad:2: "hots" begins nothing; use hosts, default or host' <<<$'hosts 1\nhots 1'
    refuses 'an unknown manner' 'bad:2: "refuze" is nothing that a host can do' <<<$'hosts 1\nhost 1 refuze'
    refuses 'an unknown step' 'bad:2: "exe" is no step; use banner, kex' <<<$'hosts 1\nhost 1 hang exe'
    refuses 'garbage where it cannot be' 'use banner, kex or run' <<<$'hosts 1\nhost 1 garbage auth'
    refuses 'a range' 'bad:2: "2-1" does not say which hosts' <<<$'hosts 9\nhost 2-1 ok'
    refuses 'a host too many' 'bad:2: there is no host 10; there are 1 to 9' <<<$'hosts 9\nhost 5-10 ok'
    refuses 'an open quote' 'bad:2: a quote is not closed' <<<$'hosts 9\ndefault output "x\ndefault ok'
    refuses 'an escape' 'bad:2: nothing is known of "\q"' <<<$'hosts 9\ndefault output "\q"'
    refuses 'no quotes' 'bad:2: "output" needs a text in quotes' <<<$'hosts 9\ndefault output x'
    refuses 'a time' 'bad:2: "5x" is no number; a time such as 50ms' <<<$'hosts 9\ndefault delay 5x'
    refuses 'a number that is too large' 'bad:2: 256 is too large; at most 255' <<<$'hosts 9\ndefault exit 256'
    refuses 'a startup limit' 'use BEGIN:PERCENT:FULL' <<<$'hosts 9\ndefault maxstartups 10'
    refuses 'too much output' 'bad:2: the output is over 67108864 bytes' <<<$'hosts 1\nhost 1 repeat 60M output "xx"'
    refuses 'too much' 'bad:1: "2" is too much' <<<'hosts 1 2'
    refuses 'a default too late' 'bad:3: "default" must stand before' <<<$'hosts 1\nhost 1 ok\ndefault ok'
    refuses 'real without a program' 'need --agent' <<<$'hosts 1\nhost 1 real'
    refuses 'real for anybody' 'need -a or -d' --agent /bin/true <<<$'hosts 1\nhost 1 real'
    refuses 'line 10000 of 10000' 'bad:10000: "bad" is nothing' < <(
        echo 'hosts 9999'
        seq -f 'host %.0f delay 1ms output "x"' 1 9998
        echo 'host 9999 bad'
    )
    refuses 'a NUL' 'NUL byte' < <(printf 'hosts 1\n\0')
    timeout 60 "$simfleet" "$work/missing" 2>"$work/err"
    check 'no such file' says "cannot read $work/missing" "$work/err"
    timeout 60 "$simfleet" 2>"$work/err"
    check 'no scenario: exit status' equal 2 "$?"
    timeout 60 "$simfleet" -p 65536 "$work/bad" 2>"$work/err"
    check 'no port: exit status' equal 2 "$?"
}

test_ssh
test_names
test_loopback
test_muster
test_bad
test_startups
test_bytes
test_real
test_parent
test_scenarios
verdict
