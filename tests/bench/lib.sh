# shellcheck shell=bash
# shellcheck disable=SC2034 # what measure and last_line_time set is for the caller
# Measuring, for the benchmarks. Sourced by bash scripts.
#
# A figure is a line "CASE ROUND NAME VALUE" in the file $BENCH_FIGURES; with $BENCH_JSON set each is also
# appended there as a JSON object.

BENCH_FIGURES=
BENCH_JSON=

bench_die() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    exit 1
}

bench_note() {
    printf '%s\n' "$1" >&2
}

# figure CASE ROUND NAME VALUE
figure() {
    printf '%s %s %s %s\n' "$1" "$2" "$3" "$4" >>"$BENCH_FIGURES"
    [ -z "$BENCH_JSON" ] ||
        printf '{"case":"%s","round":%d,"name":"%s","value":%s}\n' "$1" "$2" "$3" "$4" >>"$BENCH_JSON"
}

# median CASE NAME: of all rounds; nothing when there is no such figure.
median() {
    awk -v c="$1" -v n="$2" '$1 == c && $3 == n { print $4 }' "$BENCH_FIGURES" | sort -n |
        awk '{ v[NR] = $1 } END { if (NR) printf "%.6g\n", NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

# calc EXPRESSION [FORMAT]: floating point; nothing when an operand is missing (the expression is bad).
calc() {
    awk "BEGIN { printf \"${2:-%.3f}\\n\", $1 }" 2>/dev/null
}

# True if the number $1 is at most $2.
at_most() {
    awk -v a="$1" -v b="$2" 'BEGIN { exit !(a != "" && b != "" && a + 0 <= b + 0) }'
}

# verdict NAME VALUE LIMIT UNIT: one line of the list of targets.
verdict() {
    local word='NOT MET'
    if [ -z "$2" ]; then
        word='not measured'
    elif at_most "$2" "$3"; then
        word=met
    fi
    printf '  %-58s %10s  (at most %s%s)  %s\n' "$1" "${2:--}${2:+$4}" "$3" "$4" "$word"
    [ -z "$BENCH_JSON" ] || printf '{"target":"%s","value":%s,"limit":%s,"met":%s}\n' "$1" "${2:-null}" "$3" \
        "$([ "$word" = met ] && echo true || echo false)" >>"$BENCH_JSON"
}

# measure OUT COMMAND...: runs it with stdin from /dev/null, output into OUT.out and OUT.err. Sets WALL and CPU
# (seconds; user and system of the command and of the children that it waited for) and STATUS.
measure() {
    local out=$1 times
    shift
    local TIMEFORMAT='%3R %3U %3S'
    STATUS=0
    times=$({ time "$@" >"$out.out" 2>"$out.err" </dev/null; } 2>&1 || echo "status $?")
    case $times in
    *status*)
        STATUS=${times##*status }
        times=${times%status*}
        ;;
    esac
    WALL=${times%% *}
    CPU=$(awk '{ printf "%.3f", $2 + $3 }' <<<"$times")
}

# daemon_cpu PID: seconds of user and system time so far, waited-for children included.
daemon_cpu() {
    local hz
    hz=$(getconf CLK_TCK)
    sed 's/.*) //' "/proc/$1/stat" | awk -v hz="$hz" '{ printf "%.3f\n", ($12 + $13 + $14 + $15) / hz }'
}

# daemon_peak PID: its largest resident memory so far, in KB.
daemon_peak() {
    awk '/^VmHWM:/ { print $2 }' "/proc/$1/status"
}

# peak_of COMMAND...: the largest resident memory of a command in KB; 0 where GNU time is not installed.
peak_of() {
    local file
    if ! [ -x /usr/bin/time ]; then
        "$@" >/dev/null 2>&1 </dev/null
        echo 0
        return
    fi
    file=$(mktemp)
    /usr/bin/time -f %M -o "$file" "$@" >/dev/null 2>&1 </dev/null
    tail -1 "$file"
    rm -f "$file"
}

# now: seconds with microseconds, without a process.
now() {
    printf '%s\n' "${EPOCHREALTIME/,/.}"
}

# last_line_time COMMAND...: sets WALL (all of it), LAST (until its last line on stdout), COUNT (lines), STATUS.
last_line_time() {
    local start last line
    COUNT=0
    start=$(now)
    last=$start
    exec 4< <("$@" 2>"$WORK/last.err" </dev/null; echo "status $?")
    while IFS= read -r line <&4; do
        case $line in
        'status '*) STATUS=${line#status } ;;
        *)
            COUNT=$((COUNT + 1))
            last=${EPOCHREALTIME/,/.}
            ;;
        esac
    done
    exec 4<&-
    WALL=$(calc "$(now) - $start")
    LAST=$(calc "$last - $start")
}
