# shellcheck shell=bash
# shellcheck disable=SC2034,SC2120,SC2153,SC2154 # lib.sh and the tests use what is set here, and the other way round
# What the tests of durable jobs share; sourced behind lib.sh and jobs.sh.

# settings_ LINE...: of muster.conf, besides short times. The daemon that runs is ended, as it has read the old ones.
KEEPALIVE=1s
settings_() {
    stop_daemon
    {
        printf 'session-linger = 0\nreconnect-delay = 200ms\nkeepalive = %s\n' "$KEEPALIVE"
        printf '%s\n' "$@"
    } >"$HOME/.config/muster/muster.conf"
}

# kill_daemon: as if the power had gone. The next command starts another one.
kill_daemon() {
    local pid
    pid=$(daemon_pid)
    [ -n "$pid" ] || {
        fail_ 'no daemon runs'
        return 1
    }
    kill -KILL "$pid"
    within 60 gone "$pid"
}

# away_, back_: the servers of all hosts of a plain lab end, with their connections; they are there again.
away_() {
    timeout 120 "$LAB" -d "$WORK/lab" server-stop >/dev/null
}

back_() {
    timeout 120 "$LAB" -d "$WORK/lab" server-start >/dev/null || fail_ 'the servers do not start'
}

# What is written on the disk of the plain lab's hosts, which is only visible in there.
host_home() {
    local keeper
    if [ "$(id -u)" -eq 0 ] && keeper=$(cut -d' ' -f1 "$WORK/lab/state/keeper" 2>/dev/null) && [ -n "$keeper" ]; then
        echo "/proc/$keeper/root$(getent passwd 0 | cut -d: -f6)"
    else
        getent passwd "$(id -u)" | cut -d: -f6
    fi
}

# spool_of ID: the directory of a child's run on a host of the plain lab, or nothing.
spool_of() {
    local dir
    for dir in "$(host_home)"/.local/state/muster/*/"job-$(property "$1" instance_id)"; do
        [ -d "$dir" ] && echo "$dir"
    done
}

# What is left of a run whose end was fetched: no output.
spool_is_empty() {
    [ -z "$(find "$(spool_of "$1")" -name 'seg-*')" ]
}

# runner_of WORD, agent_of WORD: the pid of the runner above the commands with this word; of the agent that its
# connection began with, while that lives. What the runner forks has its name, too: it is the uppermost.
runner_of() {
    local pid comm runner
    for pid in $(processes_of "$1"); do
        runner=
        while [ -n "$pid" ] && [ "$pid" -gt 1 ]; do
            { read -r comm <"/proc/$pid/comm"; } 2>/dev/null || break
            [ "$comm" != muster-runner ] || runner=$pid
            pid=$(sed -n 's/^PPid:\t//p' "/proc/$pid/status" 2>/dev/null)
        done
        echo "$runner"
    done | sort -u | each_known_
}

agent_of() {
    local runner comm pid
    for runner in $(runner_of "$1"); do
        pid=$(sed -n 's/^PPid:\t//p' "/proc/$runner/status" 2>/dev/null)
        { read -r comm <"/proc/$pid/comm"; } 2>/dev/null || continue
        case $comm in agent-*) echo "$pid" ;; esac
    done | each_known_
}

# counting N [FILE]: shell text that counts to N, a little slowly, and ends with 7. At 40 it waits for the file: what is
# to happen while it counts must not depend on who is faster.
counting() {
    local gate=
    [ $# -lt 2 ] || gate="[ \"\$i\" -ne 40 ] || until [ -e $2 ]; do sleep 0.05; done; "
    # shellcheck disable=SC2016 # for the hosts' shells
    printf 'i=0; while [ "$i" -lt %d ]; do i=$((i + 1)); echo "$i"; %s[ $((i %% 20)) -gt 0 ] || sleep 0.05; done; exit 7' \
        "$1" "$gate"
}

# expect_counted HOST N [FILE]: the host's lines are the numbers from 1 to N, each once and in order.
expect_counted() {
    local said
    said=$(awk -v host="$1:" -v n="$2" '
        $1 == host && !bad { i++; if ($2 != i || NF != 2) bad = i " is: " substr($0, 1, 100) }
        END { if (bad) print bad; else if (i != n) print "there are " i + 0 }' "${3:-$OUT}")
    [ -z "$said" ] || {
        fail_ "not 1 to $2 of $1: $said"
        shows_
        return 1
    }
}

# has_received ID REGEX: a line is stored, and stays.
has_received() {
    muster receive --keep "$1" 2>/dev/null | grep -aEq -- "$2"
}

# begun_times FILE N: so many commands have begun, each of which appends a line to the file.
begun_times() {
    [ -e "$1" ] && [ "$(wc -l <"$1")" -eq "$2" ]
}

# cause_is ID CAUSE: whatever text follows.
cause_is() {
    case $(property "$1" cause) in
    "$2" | "$2:"*) return 0 ;;
    esac
    return 1
}
