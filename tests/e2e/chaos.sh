# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2154 # lib.sh and the suites use what is set here, and the other way round
# Kills at random moments, while jobs run, and what must hold afterwards; sourced behind lib.sh, jobs.sh and chaos_jobs.sh.
#
#   lab_up 6
#   chaos_begin 6 100 KIND...       # hosts, kills, kinds of kills: one that is named twice comes twice as often
#   case_ '...'; chaos_run
#   case_ '...'; chaos_settle; chaos_check
#
# What is killed when is drawn from a seed (E2E_SEED) that is printed. A failure keeps the directory.

lab() {
    timeout 120 "$LAB" -d "$WORK/lab" "$@"
}

# rnd FROM TO: sets R, never in a subshell, as that would draw the same again.
rnd() {
    R=$(($1 + (RANDOM * 32768 + RANDOM) % ($2 - $1 + 1)))
}

now_ms() {
    NOW=$((${EPOCHREALTIME/./} / 1000))
}

declare -A CHAOS_COUNT=()
CHAOS_ROUND=0 CHAOS_TOTAL=0

# chaos_begin HOSTS KILLS KIND...: may be called again for other kills.
chaos_begin() {
    CHAOS_HOSTS=$1 CHAOS_GOAL=$2 CHAOS_SEED=${E2E_SEED:-5}
    shift 2
    CHAOS_WAYS=("$@")
    CHAOS_ROUND=$((CHAOS_ROUND + 1))
    CHAOS_ISOLATED=$(sed -n 's/^LAB_ISOLATED=//p' "$WORK/lab/env")
    CHAOS_LARGE=$((CHAOS_ISOLATED ? 20 : 60))   # lines: an isolated host has a disk of 16 MiB
    CHAOS_PAUSE=$((CHAOS_ISOLATED ? 900 : 250)) # ms at most: what is cut takes longer to come back
    CHAOS_NEXT=0 CHAOS_KILLS=0 CHAOS_WRONG=0 CHAOS_CHILDREN=0 CHAOS_RECORDS=0 CHAOS_MISSING=0
    CHAOS_LOST=0 CHAOS_UNBEGUN=0
    CHAOS_WORD=kills$$x$CHAOS_ROUND
    CHAOS_LATER=0
    RANDOM=$CHAOS_SEED
    declare -gA CHAOS_MAKERS=() CHAOS_READ=() CHAOS_READERS=() CHAOS_RESTARTED=()
    mkdir -p "$WORK/starts"
    truncate -s 0 "$WORK/jobs" "$WORK/table" "$WORK/kills"
    # So that what is lost is looked for at once.
    [ "$CHAOS_ROUND" -gt 1 ] ||
        printf 'keepalive = 1s\nreconnect-delay = 300ms\n' >>"$HOME/.config/muster/muster.conf"
    echo "  seed $CHAOS_SEED, $CHAOS_GOAL kills"
}

# --- victims ---

# The tops of the processes of the lab: its keeper, or where there is none its servers.
chaos_tops() {
    cat "$WORK/lab/state/keeper" 2>/dev/null || cat "$WORK"/lab/sshd/*.pid
}

# chaos_processes: prints PID ROLE of all that could be killed: listener, connection, agent, runner of hosts; runner, agent of
# this computer as local-runner, local-agent.
chaos_processes() {
    local daemon
    daemon=$(chaos_daemon)
    {
        chaos_tops | sed 's/^\([0-9]*\).*/top \1/'
        ps -e -o pid=,ppid=,sid=,comm=,args=
    } | awk -v daemon="${daemon:-none}" '
        $1 == "top" { lab[$2] = 1; next }
        { pid[++n] = $1; parent[$1] = $2; sid[$1] = $3; comm[$1] = $4; agent[$1] = $5 == "muster-agent" }
        function is_of_lab(p, i) {
            for (i = 0; p > 1 && i < 100; i++) {
                if (lab[p]) return 1
                p = parent[p]
            }
            return 0
        }
        END {
            for (k = 1; k <= n; k++) {
                p = pid[k]; up = comm[parent[p]]
                if (agent[p] && parent[p] == daemon) print p, "local-agent"
                if (comm[p] !~ /^(sshd|agent-|muster-runner)/ || !is_of_lab(p)) continue
                if (comm[p] ~ /^sshd/) print p, up ~ /^sshd/ && comm[parent[parent[p]]] !~ /^sshd/ ? "connection" : "sshd"
                # Neither one that is asked for its version nor one that is about to become a runner.
                else if (comm[p] ~ /^agent-/ && up ~ /^sshd/ && sid[p] == p) print p, "agent"
                else if (comm[p] == "muster-runner" && up != "muster-runner") print p, "runner"
            }
        }'
}

# The pid of the daemon, from its lock, without asking it.
chaos_daemon() {
    local pid
    { read -r pid <"$XDG_STATE_HOME/muster/$DAEMON/lock"; } 2>/dev/null || return 0
    [ -n "$pid" ] && alive "$pid" && [ "$(readlink "/proc/$pid/exe")" = "$MUSTER" ] && echo "$pid"
}

# chaos_pick ROLE...: sets VICTIM to a process of these, or to nothing.
chaos_pick() {
    local victims=() roles=" $* " pid role
    while read -r pid role; do
        case $roles in *" $role "*) victims+=("$pid") ;; esac
    done < <(chaos_processes)
    VICTIM=
    [ ${#victims[@]} -gt 0 ] || return 1
    rnd 0 $((${#victims[@]} - 1))
    VICTIM=${victims[R]}
}

# chaos_later MS COMMAND...: once so much time has passed, whatever is waited for here meanwhile.
chaos_later() {
    local seconds
    seconds=$(($1 / 1000)).$(printf %03d $(($1 % 1000)))
    shift
    CHAOS_LATER=$((CHAOS_LATER + 1))
    : >"$WORK/later.$CHAOS_LATER"
    (sleep "$seconds"; "$@"; rm -f "$WORK/later.$CHAOS_LATER") >/dev/null 2>&1 </dev/null &
    disown $!
}

# By files and not by pids, which others have soon where so many are used.
chaos_nothing_later() {
    [ -z "$(find "$WORK" -maxdepth 1 -name 'later.*')" ]
}

# --- kills: each is true if it has hit something ---

kill_daemon() {
    VICTIM=$(chaos_daemon)
    [ -n "$VICTIM" ] && kill -KILL "$VICTIM" 2>/dev/null
}

# Durable jobs do not keep it.
kill_stop() {
    [ -n "$(chaos_daemon)" ] || return 1
    muster daemon stop >"$WORK/stop" 2>&1 && return
    [ $? -ne 124 ] || chaos_wrong stop "the daemon did not end in $LIMIT seconds"
    return 1
}

kill_agent() {
    chaos_pick agent local-agent && kill -KILL "$VICTIM" 2>/dev/null
}

kill_connection() {
    chaos_pick connection && kill -KILL "$VICTIM" 2>/dev/null
}

kill_client() {
    local victims=("${!CHAOS_MAKERS[@]}" "${!CHAOS_READERS[@]}")
    [ ${#victims[@]} -gt 0 ] || return 1
    rnd 0 $((${#victims[@]} - 1))
    VICTIM=${victims[R]}
    alive "$VICTIM" && kill -KILL "$VICTIM" 2>/dev/null
}

# Halted, for less and for more than the connection is given.
kill_halt() {
    chaos_pick agent local-agent connection && kill -STOP "$VICTIM" 2>/dev/null || return 1
    rnd 100 6000
    chaos_later "$R" kill -CONT "$VICTIM"
}

kill_halt-runner() {
    chaos_pick runner && kill -STOP "$VICTIM" 2>/dev/null || return 1
    rnd 100 4000
    chaos_later "$R" kill -CONT "$VICTIM"
}

kill_halt-daemon() {
    VICTIM=$(chaos_daemon)
    [ -n "$VICTIM" ] && kill -STOP "$VICTIM" 2>/dev/null || return 1
    rnd 100 2000
    chaos_later "$R" kill -CONT "$VICTIM"
}

# The cable of a host, which nobody is told of.
kill_cut() {
    rnd 1 "$CHAOS_HOSTS"
    VICTIM=h$R
    lab cut "$VICTIM" || return 1
    rnd 100 7000
    chaos_later "$R" lab mend "$VICTIM"
}

# Connections that one side alone knows of: the daemon's are gone, the agents of the host still have theirs.
kill_half-open() {
    kill_cut || return 1
    VICTIM="$VICTIM $(chaos_daemon)"
    kill -KILL "${VICTIM#* }" 2>/dev/null
}

# The power fails. What ran there is lost, and must be told so.
kill_reboot() {
    rnd 1 "$CHAOS_HOSTS"
    VICTIM=h$R
    lab reboot "$VICTIM" || return 1
    CHAOS_RESTARTED[$VICTIM]=1
}

# chaos_kill: one of a kind that is drawn, and counted if it hit.
chaos_kill() {
    local way
    rnd 0 $((${#CHAOS_WAYS[@]} - 1))
    way=${CHAOS_WAYS[R]}
    VICTIM=
    "kill_$way" || return 0
    now_ms
    echo "$NOW $way $VICTIM" >>"$WORK/kills"
    CHAOS_KILLS=$((CHAOS_KILLS + 1)) CHAOS_TOTAL=$((CHAOS_TOTAL + 1))
    CHAOS_COUNT[$way]=$((${CHAOS_COUNT[$way]:-0} + 1))
}

# --- clients that receive ---

# Where a job of CHAOS_READ has no reader and is not over, the next one.
chaos_read() {
    local pid name
    for pid in "${!CHAOS_READERS[@]}"; do
        alive "$pid" || unset "CHAOS_READERS[$pid]"
    done
    for name in "${!CHAOS_READ[@]}"; do
        [ ${#CHAOS_READERS[@]} -lt 3 ] || return 0
        case " ${CHAOS_READERS[*]} " in *" $name "*) continue ;; esac
        grep -q "^[0-9]* null $name [A-Z]" "$WORK/table" || continue
        ! grep -Eq "^[0-9]* null $name (Completed|Failed)" "$WORK/table" || continue
        CHAOS_READ[$name]=$((${CHAOS_READ[$name]} + 1))
        start_muster "$(printf '%s/got.%s.%04d' "$WORK" "$name" "${CHAOS_READ[$name]}")" \
            receive --wait --force --output jsonl "$name"
        disown "$PID"
        CHAOS_READERS[$PID]=$name
    done
}

# --- the run ---

# chaos_run: kills until there were enough, while new jobs begin as others end.
chaos_run() {
    local round=0 nothing=0 before
    LIMIT=60
    while [ "$CHAOS_KILLS" -lt "$CHAOS_GOAL" ] && [ "$nothing" -lt 200 ]; do
        round=$((round + 1))
        if [ $((round % 3)) -eq 1 ] && chaos_look; then
            chaos_unfinished
            [ "$LEFT" -ge "$CHAOS_HOSTS" ] || { chaos_start && chaos_start; }
            chaos_read
        fi
            rnd 0 "$CHAOS_PAUSE"
        sleep "0.$(printf %03d "$R")"
        before=$CHAOS_KILLS
        chaos_kill
        nothing=$((CHAOS_KILLS == before ? nothing + 1 : 0))
    done
    expect within 60 chaos_nothing_later
    expect test "$CHAOS_KILLS" -ge "$CHAOS_GOAL"
}

chaos_all_over() {
    chaos_look || return 1
    chaos_unfinished
    [ "$LEFT" -eq 0 ]
}

chaos_readers_over() {
    local pid
    for pid in "${!CHAOS_READERS[@]}"; do
        ! alive "$pid" || return 1
    done
}

# chaos_settle: every job comes to its end.
chaos_settle() {
    within 120 chaos_all_over || {
        chaos_wrong jobs "$LEFT of them do not end:"
        awk '$4 !~ /^(Completed|Failed|Stopped)$/' "$WORK/table" | sed 's/^/      /'
    }
    expect within 60 chaos_readers_over
}

# chaos_runners: prints those that still live.
chaos_runners() {
    chaos_processes | grep -E ' runner$'
    processes_of "$CHAOS_WORD"
}

chaos_no_runners() {
    [ -z "$(chaos_runners)" ]
}

# On every host (plain ones share their files): a spool was emptied, and what is left says that the run has been. That
# of a run whose connection was lost behind its end may have stayed: it goes with its age. A kill of the daemon hits all
# that wait for the store, which takes as long as the disk does; what ended behind the last kill has nothing to wait for.
chaos_check_spools() {
    local host hosts=h1 state
    [ "$CHAOS_ISOLATED" -eq 0 ] || hosts=$(hosts_of 1 "$CHAOS_HOSTS")
    for host in $hosts; do
        ssh -n -F "$SSH_CONFIG" "$host" 'cd "${XDG_STATE_HOME:-$HOME/.local/state}/muster" 2>/dev/null && for d in */job-*; do
            case $(cd "$d" && echo *) in *done*seg-*) s=both ;; *done*) s=done ;; *seg-*) s=spool ;; *) s=none ;; esac
            echo "$s ${d##*/job-}"; done'
    done >"$WORK/spools"
    awk 'NR == FNR { known[$9] = $2 != "null"; next } known[$2] { print $1 }' "$WORK/table" "$WORK/spools" >"$WORK/spools.of"
    state=$(sort "$WORK/spools.of" | uniq -c | tr -s ' \n' ' ')
    echo "  spools:$state"
    expect grep -q "done" "$WORK/spools.of"
    expect_not grep -Eq 'both|none' "$WORK/spools.of"
    chaos_ended_since "$(tail -n 1 "$WORK/kills")" >"$WORK/late"
    grep -F -f "$WORK/late" "$WORK/spools" >"$WORK/spools.late"
    echo "  behind the last kill: $(wc -l <"$WORK/spools.late"), of these with a spool: $(grep -c spool "$WORK/spools.late")"
    # A connection can be lost on a busy computer, too.
    expect test "$(grep -c spool "$WORK/spools.late")" -le $(($(wc -l <"$WORK/spools.late") / 4))
}

# chaos_ended_since MS ...: the UUIDs of the children that began and ended since then.
chaos_ended_since() {
    local since
    since=$(date -u -d "@$((${1%% *} / 1000 + 1))" +%Y-%m-%dT%H:%M:%S)
    sed -nE 's/^.*"begin":"[^"]*","end":"([^"]*)".*"instance_id":"([^"]*)","children":\[\]\}$/\1 \2/p' "$WORK/get" |
        awk -v since="$since" '$1 > since { print $2 }'
}

# chaos_check: what must hold of every job.
chaos_check() {
    local name kind count
    while read -r name kind count _; do
        chaos_check_job "$name" "$kind" "$count"
    done <"$WORK/jobs"
    echo "  $CHAOS_NEXT jobs ($CHAOS_MISSING never came to be), $CHAOS_CHILDREN children ($CHAOS_UNBEGUN never began," \
        "$CHAOS_LOST lost), $CHAOS_RECORDS records"
    # As often as a kill can have come between the login and the start.
    expect test "$CHAOS_UNBEGUN" -le $((CHAOS_KILLS / 10 + 1))
}

# chaos_finish: the kills by kind, the directory if something was wrong, and the end.
chaos_finish() {
    local way kept=${TMPDIR:-/tmp}/kills.$CHAOS_SEED.$$ counts=
    end_case_
    for way in "${!CHAOS_COUNT[@]}"; do
        counts="$counts, $way ${CHAOS_COUNT[$way]}"
    done
    echo "  kills: $CHAOS_TOTAL with seed $CHAOS_SEED: ${counts#, }"
    [ "$FAILED" -eq 0 ] || {
        mkdir -p "$kept" && find "$WORK" -maxdepth 1 -type f -exec cp -t "$kept" {} + && cp -R "$WORK/state" "$kept"
        echo "  kept: $kept; the last kills:"
        tail -n 5 "$WORK/kills" | sed 's/^/    /'
    }
    finish_
}
