# shellcheck shell=bash
# shellcheck disable=SC2004,SC2015,SC2016,SC2028,SC2034,SC2153,SC2154 # what is set here is used elsewhere; $ is for other shells
# The jobs of the suites that kill things (chaos.sh): what they run, and what must have come of it.

# Kinds of jobs; each writes something of its own whose every line is known beforehand.
CHAOS_KINDS=(slow large burst signal typed input mixed short here fast)

# chaos_text KIND N: prints the shell text of it. nap is sleep, or nothing where only the output is wanted.
chaos_text() {
    local count=$2 loop='i=0; while [ $i -lt '$2' ]; do i=$((i + 1));'
    case $1 in
    slow) echo "$loop echo \"line \$i\"; nap 0.2; done; exit 0" ;;
    here) echo "$loop echo \"line \$i\"; nap 0.2; done; exit 7" ;;
    large) echo "p=\$(head -c 65536 /dev/zero | tr '\\0' x); $loop echo \"\$i \$p \$i\"; nap 0.2; done; exit 3" ;;
    burst) echo "$loop seq -f \"\$i.%.0f\" 700; nap 0.4; done; exit 42" ;;
    fast) echo "seq $((count * 3000)); nap 1; seq $((count * 2000)); exit 1" ;;
    signal) echo "$loop echo \"line \$i\"; nap 0.1; done; kill -TERM \$\$; sleep 60" ;;
    typed) echo "$loop echo \"{\\\"n\\\":\$i,\\\"text\\\":\\\"of \$i\\\"}\"; nap 0.2; done; exit 0" ;;
    input) echo "$loop read -r line; echo \"got \$line\"; [ \$((i % 50)) -ne 0 ] || nap 0.1; done; cat >&2; exit 5" ;;
    mixed) echo "$loop echo \"out \$i\"; echo \"err \$i\" >&2; nap 0.1; done; exit 255" ;;
    short) echo "echo one; echo two >&2; exit 0" ;;
    esac
}

# chaos_size KIND: sets N, how much of it.
chaos_size() {
    case $1 in
    large) rnd 5 "$CHAOS_LARGE" ;;
    burst | fast) rnd 2 8 ;;
    input) rnd 500 3000 ;;
    *) rnd 3 60 ;;
    esac
    N=$R
}

# chaos_end_of KIND: what its children must end with, as chaos_table prints it: state, cause, exit code, signal.
chaos_end_of() {
    case $1 in
    slow | typed | short) echo 'Completed exited 0 null' ;;
    here) echo 'Failed exited 7 null' ;;
    large) echo 'Failed exited 3 null' ;;
    burst) echo 'Failed exited 42 null' ;;
    fast) echo 'Failed exited 1 null' ;;
    signal) echo 'Failed signalled null TERM' ;;
    input) echo 'Failed exited 5 null' ;;
    mixed) echo 'Failed exited 255 null' ;;
    esac
}

# chaos_input N: prints the input of such a job: more than is read, so that cat has something to do.
chaos_input() {
    seq -f 'input number %.0f of a job that reads, and what is read is longer than its number' $(($1 + 500))
}

# --- starting ---

# What the commands note when they start, one file a job, a line for each start. On isolated hosts each has its own.
chaos_note_dir() {
    if [ "$CHAOS_ISOLATED" -eq 1 ]; then echo /var/tmp; else echo "$WORK/starts"; fi
}

# chaos_hosts: sets HOSTS to one host, or up to three of them.
chaos_hosts() {
    local from
    rnd 1 "$CHAOS_HOSTS"
    from=$R
    rnd 0 2
    HOSTS="h[$from-$((from + R > CHAOS_HOSTS ? CHAOS_HOSTS : from + R))]"
}

# chaos_start: another job, begun by a client that may be killed while it does. The name tells the job later.
chaos_start() {
    local kind=${CHAOS_KINDS[CHAOS_NEXT % ${#CHAOS_KINDS[@]}]} name text options=()
    CHAOS_NEXT=$((CHAOS_NEXT + 1))
    name=$CHAOS_WORD.$CHAOS_NEXT
    chaos_size "$kind"
    chaos_hosts
    text="echo \"\${MUSTER_HOST:-localhost} \$\$\" >>$(chaos_note_dir)/$name; nap() { sleep \"\$1\"; }"
    text="$text; $(chaos_text "$kind" "$N")"
    options=(invoke --as-job --job-name "$name" -H "$HOSTS")
    case $kind in
    here) options=(start --name "$name") HOSTS=localhost ;;
    typed) options+=(--parse json) ;;
    input)
        chaos_input "$N" >"$WORK/input.$name"
        options+=(--stdin "$WORK/input.$name")
        ;;
    esac
    case $kind in
    here) options+=(-- sh -c "$text") ;;
    *) options+=(--shell "$text") ;;
    esac
    echo "$name $kind $N $HOSTS" >>"$WORK/jobs"
    start_muster "$WORK/made.$name" -q "${options[@]}"
    disown "$PID" # its shell would speak of its death
    CHAOS_MAKERS[PID]=$name
    # Every third is received by clients that are killed, too.
    [ $((CHAOS_NEXT % 3)) -ne 0 ] || CHAOS_READ[$name]=0
}

# --- looking ---

# chaos_look: what the daemon has, into the file table: id, parent, name, state, cause, exit code, signal, host, UUID.
# False if there was nobody to ask.
chaos_look() {
    muster get --all --include-child-job --output jsonl >"$WORK/get" 2>"$WORK/get.err" || return 1
    sed -E 's/"cause":"([a-z-]+): ([^"\\]|\\.)*"/"cause":"\1"/
        s/^\{"id":([0-9]+),"parent_id":([0-9a-z]+),"name":"([^"]*)",/\1 \2 \3 /
        s/ "type":.*"state":"([A-Za-z]+)".*"location":"([^"]*)",/ \1 \2 /
        s/^(.*) ([^ ]*) "command":.*"cause":"?([a-z-]+)"?,"exit_code":([0-9a-z]+),"signal":"?([A-Za-z0-9]+)"?,"instance_id":"([^"]*)".*/\1 \3 \4 \5 \2 \6/' \
        "$WORK/get" >"$WORK/table"
}

# chaos_unfinished: sets LEFT to the number of jobs that are not over, or of which nothing is known so far.
chaos_unfinished() {
    local pid
    for pid in "${!CHAOS_MAKERS[@]}"; do
        alive "$pid" || unset "CHAOS_MAKERS[$pid]"
    done
    LEFT=$(awk '$2 == "null" && $4 !~ /^(Completed|Failed|Stopped)$/' "$WORK/table" | wc -l)
    LEFT=$((LEFT + ${#CHAOS_MAKERS[@]}))
}

# --- what came of it ---

# chaos_wrong NAME WHAT: a promise was not kept.
chaos_wrong() {
    fail_ "$1 ($(grep "^$1 " "$WORK/jobs" | cut -d' ' -f2-)): $2"
    CHAOS_WRONG=$((CHAOS_WRONG + 1))
}

# chaos_same NAME HOST WANT GOT WHAT: both files are the same.
chaos_same() {
    cmp -s "$3" "$4" && return
    chaos_wrong "$1" "$2: $5 is not what was written: $(wc -l <"$4") lines and not $(wc -l <"$3")"
    diff -a "$3" "$4" | cut -c1-100 | head -n 6 | sed 's/^/      /'
    cp "$4" "$WORK/wrong.$1.$2"
}

# chaos_begins NAME HOST WANT GOT WHAT: the second is the first up to where it was lost.
chaos_begins() {
    local size
    size=$(wc -c <"$4")
    [ "$size" -eq 0 ] || cmp -s -n $((size - 1)) "$3" "$4" ||
        chaos_same "$@"
}

# chaos_nothing NAME HOST WANT GOT WHAT: it never began.
chaos_nothing() {
    [ ! -s "$4" ] || chaos_wrong "$1" "$2: $5 is there, and it never began"
}

# chaos_expect NAME KIND N: into $WORK/want.out and want.err what it writes.
chaos_expect() {
    local input=/dev/null
    [ "$2" != input ] || input=$WORK/input.$1
    (exec sh -c "nap() { :; }; $(chaos_text "$2" "$3")") <"$input" >"$WORK/want.out" 2>"$WORK/want.err" &
    wait $! 2>/dev/null
}

# chaos_values STREAM FILE: the values of records in JSON lines, texts without their quotes.
chaos_values() {
    grep -a "\"stream\":\"$1\"" "$2" | sed 's/^.*"time":"[^"]*","value"://; s/}$//; s/^"\(.*\)"$/\1/'
}

# chaos_joined STEP FILE...: what clients received one after another that were killed or lost their daemon. What such a client
# had not reported comes again to the next; nothing may be left out, and none gets anything twice itself. A line of STEP
# records has the number of the last.
chaos_joined() {
    local step=$1
    shift
    awk -v step="$step" 'FNR == 1 { delete mine }
        !/\}$/ { next }
        {
            match($0, /"child":[0-9]+/); child = substr($0, RSTART + 8, RLENGTH - 8)
            match($0, /"seq":[0-9]+/); seq = substr($0, RSTART + 6, RLENGTH - 6) + 0
            if (mine[child] && seq != mine[child] + step || seq > last[child] + step)
                print "child " child ": " seq " follows " (mine[child] ? mine[child] : last[child]) " in " FILENAME
            mine[child] = seq
            if (seq == last[child] + step) { last[child] = seq; print }
        }' "$@"
}

# chaos_check_output NAME KIND HOST CHILD HOW: every line of it once and in order; HOW is chaos_same, chaos_begins or
# chaos_nothing.
chaos_check_output() {
    local name=$1 host=$3 how=$5
    if [ -n "${CHAOS_READ[$name]+set}" ]; then
        grep -a "\"child\":$4," "$WORK/joined.$name" >"$WORK/got"
        chaos_values output "$WORK/got" >"$WORK/got.out"
        chaos_values error "$WORK/got" >"$WORK/got.err"
    elif [ "$2" = typed ]; then
        muster receive --keep --output jsonl "$4" >"$WORK/got" 2>/dev/null
        chaos_values output "$WORK/got" >"$WORK/got.out"
        chaos_values error "$WORK/got" >"$WORK/got.err"
    else
        muster receive --keep -N --stream output "$4" >"$WORK/got.out" 2>/dev/null
        muster receive --keep -N --stream error --output jsonl "$4" >"$WORK/got" 2>/dev/null
        chaos_values error "$WORK/got" >"$WORK/got.err"
    fi
    "$how" "$name" "$host" "$WORK/want.out" "$WORK/got.out" 'its output'
    "$how" "$name" "$host" "$WORK/want.err" "$WORK/got.err" 'its error stream'
    CHAOS_RECORDS=$((CHAOS_RECORDS + $(wc -l <"$WORK/got.out") + $(wc -l <"$WORK/got.err")))
}

# chaos_starts NAME HOST: prints what the commands of the job noted there.
chaos_starts() {
    if [ "$CHAOS_ISOLATED" -eq 1 ] && [ "$2" != localhost ]; then
        lab enter "$2" -- cat "/var/tmp/$1" 2>/dev/null
    else
        grep -s "^$2 " "$(chaos_note_dir)/$1"
    fi
}

# chaos_check_child NAME KIND ID STATE CAUSE EXIT SIGNAL HOST. A connection that is lost before the agent was asked to run
# anything ends the child, as one that cannot be made.
chaos_check_child() {
    local name=$1 kind=$2 id=$3 host=$8 starts how=chaos_same least=1 most=1
    CHAOS_CHILDREN=$((CHAOS_CHILDREN + 1))
    if [ "$4 $5 $6 $7" = "$(chaos_end_of "$kind")" ]; then
        :
    elif [ "$4 $5" = 'Failed agent-lost' ] && [ -n "${CHAOS_RESTARTED[$host]+set}" ]; then
        CHAOS_LOST=$((CHAOS_LOST + 1)) how=chaos_begins least=0
    elif grep "^{\"id\":$id," "$WORK/get" | grep -Eq '"begin":null,.*"cause":"(link-lost|agent-lost|unreachable|timeout|refused: the server closed the connection after the login)'; then
        CHAOS_UNBEGUN=$((CHAOS_UNBEGUN + 1)) how=chaos_nothing least=0 most=0
    else
        chaos_wrong "$name" "$host: it ended as $4 $5 $6 $7 ($(grep "^{\"id\":$id," "$WORK/get" | cut -c1-900))"
    fi
    starts=$(chaos_starts "$name" "$host" | wc -l)
    [ "$starts" -ge "$least" ] && [ "$starts" -le "$most" ] ||
        chaos_wrong "$name" "$host: it was started $starts times"
    chaos_check_output "$name" "$kind" "$host" "$id" "$how"
}

# Of a job that does not exist nothing may ever have run, and whoever asked for it was not told that it does.
chaos_check_missing() {
    local host
    [ ! -s "$WORK/made.$1" ] || chaos_wrong "$1" "its client was told of job $(cat "$WORK/made.$1"), and there is none"
    for host in localhost $(hosts_of 1 "$CHAOS_HOSTS"); do
        [ -z "$(chaos_starts "$1" "$host")" ] || chaos_wrong "$1" "$host: it was started, and there is no such job"
    done
}

chaos_check_job() {
    local name=$1 kind=$2 step=1 parent id
    parent=$(awk -v name="$name" '$3 == name && $2 == "null" { print $1 }' "$WORK/table")
    case $parent in
    '')
        CHAOS_MISSING=$((CHAOS_MISSING + 1))
        chaos_check_missing "$name"
        return
        ;;
    *[!0-9]*) chaos_wrong "$name" 'there are several jobs with this name' ;;
    esac
    chaos_expect "$name" "$kind" "$3"
    if [ -n "${CHAOS_READ[$name]+set}" ]; then
        [ "$kind" != large ] || step=2
        muster receive --output jsonl "$name" >"$WORK/got.$name.9999" 2>/dev/null
        chaos_joined "$step" "$WORK/got.$name".[0-9]* >"$WORK/joined.$name"
        ! grep -a ' follows ' "$WORK/joined.$name" || chaos_wrong "$name" 'what was received is not in order'
    fi
    # shellcheck disable=SC2034 # not all columns are of interest
    while read -r id _ _ state cause code signal host _; do
        chaos_check_child "$name" "$kind" "$id" "$state" "$cause" "$code" "$signal" "$host" </dev/null
    done < <(awk -v parent="$parent" '$2 == parent' "$WORK/table")
}
