# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # lib.sh and the tests use what is set here, and the other way round
# What the tests with a fleet of simulated hosts (docs/lab.md) share; sourced behind lib.sh and jobs.sh.
SIMFLEET=$(dirname -- "$FAULTD")/simfleet
need_ "$SIMFLEET" simfleet
HOSTS=${FLEET_HOSTS:-1000}
FLEET=''

# fleet_up OPTION...: a fleet with the scenario on standard input; it takes the place of the last one. FLEET is its pid,
# FLEET_PORT its port; the folder is that of the lab, for which muster -F stands.
fleet_up() {
    local file=$WORK/fleet.out
    fleet_down
    cat >"$WORK/scenario"
    : >"$file"
    "$SIMFLEET" -d "$WORK/lab" "$@" "$WORK/scenario" >"$file" 2>"$WORK/fleet.err" </dev/null &
    FLEET=$!
    started_ "$FLEET"
    within 120 fleet_is_ready_ "$file"
    FLEET_PORT=$(sed -n 's/^ready //p' "$file")
    [ -n "$FLEET_PORT" ] || {
        echo "FAILED: simfleet does not start: $(cat "$WORK/fleet.err")"
        exit 1
    }
}

fleet_is_ready_() {
    grep -q '^ready [0-9]' "$1" || gone "$FLEET"
}

# fleet_down: ends it; what it has counted is in COUNTS, a line of JSON.
COUNTS=''
fleet_down() {
    [ -n "$FLEET" ] || return 0
    kill "$FLEET"
    wait_ "$FLEET"
    FLEET=
    COUNTS=$(tail -n 1 "$WORK/fleet.out")
}

# count_of NAME: in COUNTS.
count_of() {
    sed -n "s/.*\"$1\": \([0-9]*\).*/\1/p" <<<"$COUNTS"
}

# fleet_job HOSTS OPTION...: a background job of the command uptime; JOB is its id.
fleet_job() {
    local hosts=$1
    shift
    expect_status 0 muster invoke -H "$hosts" --as-job --inline --quiet "$@" -- uptime
    JOB=$(cat "$OUT")
}

# rows_of JOB: its children go to the file rows: host, state, cause, and the seconds to the end from the first that is known
# of the job.
rows_of() {
    muster get -c "$1" --output jsonl 2>/dev/null | awk -v OFS='\t' '
        function text(name,   rest) {
            rest = substr($0, index($0, "\"" name "\":") + length(name) + 3)
            if (substr(rest, 1, 1) != "\"") return ""
            rest = substr(rest, 2)
            match(rest, /^([^"\\]|\\.)*/)
            return substr(rest, 1, RLENGTH)
        }
        function seconds(time) {
            return substr(time, 12, 2) * 3600 + substr(time, 15, 2) * 60 + substr(time, 18, 8)
        }
        # What is after midnight by less than half a day comes after what is before.
        function earlier(a, b) { return b == "" || (a < b && b - a < 43200) || a - b > 43200 ? a : b }
        /"parent_id":null/ { first = seconds(text("begin")); next }
        { end[++rows] = seconds(text("end")); first = earlier(end[rows], first)
          row[rows] = text("location") OFS text("state") OFS text("cause") }
        END { for (i = 1; i <= rows; i++) {
                  took = end[i] - first
                  print row[i], took < 0 ? took + 86400 : took } }' >"$WORK/rows"
}

# all_ended JOB
all_ended() {
    muster get "$1" --output jsonl 2>/dev/null | grep -qE '"state":"(Completed|Failed|Stopped)"'
}

# expect_rows KINDS PER N: the file rows has N hosts, of which PER each are of a kind of the file KINDS, in its order, and
# the rest completes. A line there is: what the scenario says | state | cause, a regular expression | seconds at least.
expect_rows() {
    awk -F'\t' -v per="$2" -v want="$3" '
        BEGIN { kinds = 0 }
        FILENAME == ARGV[1] { split($0, f, / *\| */); state[kinds] = f[2]; cause[kinds] = f[3]; least[kinds] = f[4]
                    name[kinds++] = f[1]; next }
        { number = $1; gsub(/[^0-9]/, "", number); k = int((number - 1) / per); rows++
          if (k >= kinds) bad = $2 != "Completed" || $3 != "exited"
          else bad = $2 != state[k] || $3 !~ "^" cause[k] "$" || $4 < least[k] - 0.5 || $4 > least[k] + 60
          if (bad && ++told <= 20) print $1 " (" (k < kinds ? name[k] : "ok") "): " $2 ": " $3 ", " $4 " s" }
        END { if (rows != want) print rows " hosts, not " want }' "$1" "$WORK/rows" >"$WORK/wrong"
    [ ! -s "$WORK/wrong" ] || {
        fail_ 'hosts did not end as they should:'
        sed 's/^/    /' "$WORK/wrong"
        return 1
    }
}

# How many descriptors the daemon has open.
fds_of() {
    find "/proc/$1/fd" -mindepth 1 2>/dev/null | wc -l
}

fds_at_most() {
    [ "$(fds_of "$1")" -le "$2" ]
}
