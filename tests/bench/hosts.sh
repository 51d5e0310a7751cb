# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153 # what is set here is for the caller, and the other way round
# Hosts, muster and its peers, for the benchmarks that need them. Sourced after lib.sh; wants $root and $here.

hosts=200
rounds=3
muster=$root/build/release/muster
faultd=
lab_dir=
fanout=64
megabytes=1000
wrong=0

parse() {
    while [ $# -gt 0 ]; do
        case $1 in
        -h | --help) usage && exit 0 ;;
        -n | -r | --mb | --muster | --json | --faultd | --lab) [ $# -ge 2 ] || bench_die "$1 needs a value" ;;
        *) usage >&2 && exit 2 ;;
        esac
        case $1 in
        -n) hosts=$2 ;;
        -r) rounds=$2 ;;
        --mb) megabytes=$2 ;;
        --muster) muster=$2 ;;
        --json) BENCH_JSON=$2 ;;
        --faultd) faultd=$2 ;;
        --lab) lab_dir=$2 ;;
        esac
        shift 2
    done
    [[ $hosts =~ ^[1-9][0-9]*$ && $rounds =~ ^[1-9][0-9]*$ && $megabytes =~ ^[1-9][0-9]*$ ]] ||
        bench_die '-n, -r and --mb take a number above 0'
    [ -x "$muster" ] || bench_die "no program $muster; build the release preset, or give --muster PATH"
    muster=$(realpath "$muster")
    : "${faultd:=$(dirname "$muster")/tests/lab/faultd}"
    [ -z "$BENCH_JSON" ] || : >"$BENCH_JSON" || bench_die "cannot write $BENCH_JSON"
}

cleanup() {
    trap - EXIT
    trap '' INT TERM
    [ -z "${faultd_pid:-}" ] || kill "$faultd_pid" 2>/dev/null
    "$muster" -L "$daemon" daemon stop --force >/dev/null 2>&1
    [ -z "${own_lab:-}" ] || "$root/tests/lab/lab" -d "$lab_dir" down >&2
    rm -rf "$WORK"
}

bring_up() {
    WORK=$(mktemp -d) || bench_die 'no temporary directory'
    BENCH_FIGURES=$WORK/figures
    : >"$BENCH_FIGURES"
    daemon=bench-$$
    trap cleanup EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    if [ -z "$lab_dir" ]; then
        lab_dir=$WORK/lab
        own_lab=1
        "$root/tests/lab/lab" -d "$lab_dir" up "$hosts" >&2 || bench_die 'the lab does not come up'
    fi
    config=$lab_dir/ssh_config
    [ -r "$config" ] || bench_die "there is no lab in $lab_dir (no ssh_config)"
    { echo 'KexAlgorithms curve25519-sha256' && cat "$config"; } >"$WORK/ssh_config.curve"
    seq -f h%.0f "$hosts" >"$WORK/hosts"
    all="h[1-$hosts]"
    [ "$hosts" -gt 1 ] || all=h1
    MUSTER=("$muster" -L "$daemon" -F "$config")
}

# judged CASE EXPECTED: a run that did not end as it must is told with the end of what it said.
judged() {
    [ "$STATUS" -eq "$2" ] && return
    wrong=$((wrong + 1))
    bench_note "WRONG: $1 ended with status $STATUS, not $2:"
    tail -3 "$WORK/run.err" "$WORK/run.out" >&2
}

daemon_pid() {
    "${MUSTER[@]}" daemon status --output json 2>/dev/null | sed -n 's/.*"pid": *\([0-9][0-9]*\).*/\1/p' | head -1
}

stop_daemon() {
    local pid
    pid=$(daemon_pid)
    "${MUSTER[@]}" daemon stop --force >/dev/null 2>&1
    while [ -n "$pid" ] && [ -d "/proc/$pid" ]; do
        sleep 0.05
    done
}

run_peer() { # PEER KEX ROUND
    local config=$config
    [ "$2" = default ] || config=$WORK/ssh_config.curve
    case $1 in
    pdsh) PDSH_SSH_ARGS_APPEND="-F $config" measure "$WORK/run" pdsh -R ssh -S -f $fanout -w "$all" true ;;
    clush) measure "$WORK/run" clush -S -f $fanout -o "-F $config" -w "$all" true ;;
    pssh) measure "$WORK/run" "$pssh" -p $fanout -x "-F $config" -h "$WORK/hosts" true ;;
    esac
    judged "$1 ($2)" 0
    figure "$1-$2" "$3" wall "$WALL"
    figure "$1-$2" "$3" cpu "$CPU"
}

find_peers() {
    peers=
    pssh=$(command -v parallel-ssh || command -v pssh)
    for peer in pdsh clush pssh; do
        if command -v "$peer" >/dev/null || { [ $peer = pssh ] && [ -n "$pssh" ]; }; then
            peers="$peers $peer"
        else
            bench_note "SKIPPED: $peer is not installed (apt-get install pdsh clustershell pssh)"
        fi
    done
}

# best KEX NAME: the smallest median among the peers.
best() {
    local peer
    for peer in $peers; do
        median "$peer-$1" "$2"
    done | sort -n | head -1
}
