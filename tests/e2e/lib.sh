# shellcheck shell=bash
# shellcheck disable=SC2034 # the tests use what is set here
# What the end-to-end tests share. A test is
#
#   . "$(dirname "$0")/lib.sh"      # $1 is muster, $2 faultd, $3 hostile, $4 an agent, $5 askd
#   lab_up 5                        # h1..h5, real sshd
#   case_ 'one host fails'
#   expect_status 5 muster invoke -H 'h[1-5]' -- false
#   expect_err 'h1 .*exited 1'
#   finish_
#
# Every case counts once: as failed if one of its expectations was not met. Nothing waits a fixed
# time, everything has a limit, and what a test started ends with it.
set -u
LC_ALL=C
export LC_ALL

if [ $# -lt 2 ] || [ ! -x "$1" ] || [ ! -x "$2" ]; then
    echo "usage: $0 MUSTER FAULTD [HOSTILE [AGENT [ASKD]]] (the programs)" >&2
    exit 2
fi
MUSTER=$(readlink -f -- "$1")
FAULTD=$(readlink -f -- "$2")
HOSTILE=$(readlink -f -- "${3:-/dev/null}")
AGENT=$(readlink -f -- "${4:-/dev/null}") # of this build; the one that hosts are sent is in muster
ASKD=$(readlink -f -- "${5:-/dev/null}")
E2E_HOME=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
LAB=$E2E_HOME/../lab/lab
TEST_NAME=$(basename -- "$0" .sh)

# Short, as the path of a socket has a limit.
WORK=$(mktemp -d "${TMPDIR:-/tmp}/e2e.XXXXXX") || exit 1
mkdir -m 700 "$WORK/run" "$WORK/state" "$WORK/home" "$WORK/pids"
unset SSH_AUTH_SOCK SSH_AGENT_PID MUSTER_LOG NO_COLOR CLICOLOR CLICOLOR_FORCE COLUMNS BASH_ENV ENV
unset XDG_CONFIG_HOME
# Bash outlives a Ctrl-C that the program handled, which the shell of a terminal without SHELL (dash) does not.
export SHELL=$BASH
export XDG_RUNTIME_DIR=$WORK/run XDG_STATE_HOME=$WORK/state HOME=$WORK/home TERM=xterm
# No connection outlives its job, so that each case connects anew; a suite about that sets it itself. E2E_AGENT:
# every suite can be run with the agent and without.
mkdir -p "$HOME/.config/muster"
printf 'session-linger = 0\nagent = %s\n' "${E2E_AGENT:-auto}" >"$HOME/.config/muster/muster.conf"
# The mark of what this test started, however it was orphaned. The hosts of the lab do not get it; jobs on this
# computer, which outlive their daemon, have HOME alone.
export MUSTER_E2E=$WORK

DAEMON=$TEST_NAME-$$          # muster -L
SSH_CONFIG=$WORK/lab/ssh_config # muster -F; a case may point it elsewhere, case_ puts it back
LIMIT=120                     # seconds that one command may take; case_ puts it back
OUT=$WORK/out ERR=$WORK/err   # of the last command that expect_status or run ran
STATUS=0 TOOK_MS=0            # of the same
PASSED=0 FAILED=0 SKIPPED=0
CASE='' CASE_FAILED=0 CASE_SKIPPED=''
STARTED=()
: >"$OUT"
: >"$ERR"

# --- cases ---

end_case_() {
    [ -n "$CASE" ] || return 0
    if [ "$CASE_FAILED" -gt 0 ]; then
        FAILED=$((FAILED + 1))
        echo "FAILED: $CASE"
    elif [ -n "$CASE_SKIPPED" ]; then
        SKIPPED=$((SKIPPED + 1))
        echo "SKIPPED: $CASE ($CASE_SKIPPED)"
    else
        PASSED=$((PASSED + 1))
        echo "ok: $CASE"
    fi
    CASE=''
}

# case_ NAME: what follows, up to the next case, is the case NAME.
case_() {
    end_case_
    CASE=$1 CASE_FAILED=0 CASE_SKIPPED='' LIMIT=120 SSH_CONFIG=$WORK/lab/ssh_config
}

# skip_ WHY: the case counts as skipped. The caller leaves out its expectations.
skip_() {
    CASE_SKIPPED=$1
}

# fail_ WHY: an expectation of the case was not met.
fail_() {
    CASE_FAILED=$((CASE_FAILED + 1))
    echo "  $*"
}

# shows_: the last command, for whoever reads the failure.
shows_() {
    local file
    echo "    status $STATUS after $TOOK_MS ms: ${COMMAND:0:400}"
    for file in "$OUT" "$ERR"; do
        head -c 2000 "$file" | tr -c '[:print:]\n' '?' | head -n 20 | cut -c1-300 | sed "s/^/    ${file##*/}: /"
    done
}

# --- commands ---

# muster ARGUMENT...: muster with this test's daemon and ssh_config, ended after LIMIT seconds.
muster() {
    timeout -k 5 "$LIMIT" "$MUSTER" -L "$DAEMON" -F "$SSH_CONFIG" "$@"
}

# run COMMAND...: its output goes to OUT and ERR; sets STATUS and TOOK_MS.
COMMAND=''
run() {
    local start=${EPOCHREALTIME/./}
    COMMAND="$*"
    "$@" >"$OUT" 2>"$ERR" </dev/null
    STATUS=$?
    TOOK_MS=$(((${EPOCHREALTIME/./} - start) / 1000))
}

# --- expectations: each is true or says what is wrong and counts ---

# expect_status N COMMAND...: runs it (run).
expect_status() {
    local want=$1
    shift
    run "$@"
    [ "$STATUS" -eq "$want" ] || {
        fail_ "expected status $want"
        shows_
        return 1
    }
}

# expect COMMAND...: a condition.
expect() {
    "$@" || {
        fail_ "not true: $*"
        shows_
        return 1
    }
}

# expect_not COMMAND...
expect_not() {
    ! "$@" || {
        fail_ "must not be true: $*"
        shows_
        return 1
    }
}

# expect_out REGEX: a line of the standard output matches (grep -E). expect_err: of the standard error.
expect_out() {
    grep -aEq -- "$1" "$OUT" || {
        fail_ "no line of the output matches: $1"
        shows_
        return 1
    }
}

expect_err() {
    grep -aEq -- "$1" "$ERR" || {
        fail_ "no line of the standard error matches: $1"
        shows_
        return 1
    }
}

expect_no_out() {
    ! grep -aEq -- "$1" "$OUT" || {
        fail_ "a line of the output matches: $1"
        shows_
        return 1
    }
}

expect_no_err() {
    ! grep -aEq -- "$1" "$ERR" || {
        fail_ "a line of the standard error matches: $1"
        shows_
        return 1
    }
}

# expect_lines N REGEX: exactly so many lines of the output match.
expect_lines() {
    local found
    found=$(grep -aEc -- "$2" "$OUT")
    [ "$found" -eq "$1" ] || {
        fail_ "$found lines of the output match, not $1: $2"
        shows_
        return 1
    }
}

# expect_silent: nothing on standard error.
expect_silent() {
    [ ! -s "$ERR" ] || {
        fail_ "standard error is not empty"
        shows_
        return 1
    }
}

# expect_took_under MS: the last command. For limits with room, never for speed.
expect_took_under() {
    [ "$TOOK_MS" -lt "$1" ] || {
        fail_ "took $TOOK_MS ms, not under $1"
        shows_
        return 1
    }
}

# within SECONDS COMMAND...: waits until it is true, at most so long. The time is for a computer that has much else to do
# as well: it is never a part of what is promised.
within() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -le "$deadline" ] || return 1
        sleep 0.02
    done
}

# --- processes ---

# started_ PID: it ends with the test, and is meant by its number from now on (known_).
started_() {
    STARTED+=("$1")
    known_ "$1"
}

# start_ COMMAND...: in the background; PID is set, and it ends with the test.
start_() {
    "$@" </dev/null &
    PID=$!
    started_ "$PID"
}

# since_ PID: SINCE is when it began, in ticks since the computer did. Neither of one that is gone nor of a zombie.
since_() {
    local stat
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
    stat=${stat##*) } # the name may hold anything
    # shellcheck disable=SC2086 # words
    set -- $stat
    case $1 in [ZX]) return 1 ;; esac
    SINCE=${20}
}

# known_ PID...: for alive and gone these processes are meant, and no others that get their numbers later: where many
# tests run these come around within a minute.
known_() {
    local SINCE pid
    for pid; do
        ! since_ "$pid" || echo "$SINCE" >"$WORK/pids/$pid"
    done
}

# alive PID: there, and no zombie.
alive() {
    local SINCE known
    since_ "$1" || return 1
    { read -r known <"$WORK/pids/$1"; } 2>/dev/null || return 0
    [ "$known" = "$SINCE" ]
}

gone() {
    ! alive "$1"
}

# wait_ PID: waits for a child of ours, which is killed if it does not end; its status.
wait_() {
    within 200 gone "$1" || {
        fail_ "process $1 does not end: $(tr '\0' ' ' <"/proc/$1/cmdline" | cut -c1-200)"
        kill -KILL "$1"
    }
    wait "$1"
}

# processes_of WORD: prints the pids of those that have the word in their command line, as what a
# host runs: give its command a word that nothing else has. Never this shell or what it calls.
processes_of() {
    local file pid
    grep -slaF -f <(printf "%s\n" "$1") /proc/[0-9]*/cmdline | while read -r file; do
        pid=${file#/proc/}
        pid=${pid%/cmdline}
        case " $$ $BASHPID " in *" $pid "*) continue ;; esac
        # Ours, as timeout and the muster command itself carry the word too.
        grep -sqzxF "MUSTER_E2E=$WORK" "/proc/$pid/environ" && continue
        alive "$pid" && echo "$pid"
    done
}

# agents_of WORD: prints the pids of the agents above processes_of WORD, the supervisor of the command first.
agents_of() {
    local pid comm
    for pid in $(processes_of "$1"); do
        while [ -n "$pid" ] && [ "$pid" -gt 1 ]; do
            { read -r comm <"/proc/$pid/comm"; } 2>/dev/null || break
            case $comm in agent-*) echo "$pid" ;; esac
            pid=$(sed -n 's/^PPid:\t//p' "/proc/$pid/status" 2>/dev/null)
        done
    done | awk '!seen[$0]++' | each_known_
}

# each_known_: passes on what it reads, a pid a line.
each_known_() {
    local pid
    while read -r pid; do
        known_ "$pid"
        echo "$pid"
    done
}

no_process_of() {
    [ -z "$(processes_of "$1")" ]
}

some_process_of() {
    [ -n "$(processes_of "$1")" ]
}

# The pid of this test's daemon, or nothing.
daemon_pid() {
    [ -S "$XDG_RUNTIME_DIR/muster/$DAEMON.sock" ] || return 0
    timeout 60 "$MUSTER" -L "$DAEMON" daemon status --output json 2>/dev/null |
        sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' | each_known_
}

# measures_memory_: for suites that do, before there is a daemon. Where it is built with the address sanitizer, that keeps
# what was freed, up to 256 MB: only a little of it.
measures_memory_() {
    export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}quarantine_size_mb=4:thread_local_quarantine_size_kb=64"
}

# stop_daemon: the next command starts another.
stop_daemon() {
    [ -S "$XDG_RUNTIME_DIR/muster/$DAEMON.sock" ] || return 0
    timeout 60 "$MUSTER" -L "$DAEMON" daemon stop --force >/dev/null 2>&1
}

more_said_() {
    [ "$(tr '\r' '\n' <"$1" | grep -ac 'not finished')" -gt "$2" ] || gone "$PID"
}

# stop_by_ FILE COMMAND...: each time the command interrupts muster, of which PID is the process or one above it, until it
# stops its job, as it does at the second within a second. On a busy computer the second may be late, and then it is a
# first one again. FILE has what muster says, and a line more for each.
stop_by_() {
    local file=$1 try said
    shift
    for ((try = 0; try < 30; try++)); do
        said=$(tr '\r' '\n' <"$file" | grep -ac 'not finished')
        "$@"
        within 60 more_said_ "$file" "$said" || break
        ! grep -aq 'not finished.*; stopping' "$file" || return 0
        alive "$PID" || break
    done
    fail_ "interrupts do not stop it: $(tail -c 1000 "$file")"
}

# interrupt_ FILE: the same for the muster of PID itself, and its standard error.
interrupt_() {
    stop_by_ "$1" kill -INT "$PID"
}

# --- hosts ---

# lab_up N [--isolated]: real hosts h1..hN; LAB_PORT and LAB_USER. Isolated ones (docs/lab.md) need root and
# namespaces; without them the suite is skipped.
lab_up() {
    local log=$WORK/lab.log
    if [ $# -gt 1 ] && { [ "$(id -u)" -ne 0 ] || ! unshare --mount --pid --net --fork true 2>/dev/null; }; then
        echo "SKIPPED: $TEST_NAME needs root and namespaces"
        exit 77
    fi
    # shellcheck disable=SC2086 # nothing, or the option
    timeout 120 "$LAB" -d "$WORK/lab" up ${2:-} "$1" >"$log" 2>&1 || {
        echo "FAILED: the lab does not come up:"
        sed 's/^/  /' "$log"
        exit 1
    }
    LAB_PORT=$(sed -n 's/^LAB_PORT=//p' "$WORK/lab/env")
    LAB_USER=$(id -un)
    LAB_IS_UP=1
}
LAB_IS_UP=0

# subsystem_ COMMAND: the servers of the lab have it as their subsystem muster from now on.
subsystem_() {
    timeout 120 "$LAB" -d "$WORK/lab" server-stop >/dev/null
    printf 'Subsystem muster %s\n' "$1" | tee -a "$WORK"/lab/sshd/*.conf >/dev/null
    timeout 120 "$LAB" -d "$WORK/lab" server-start >/dev/null || {
        echo "FAILED: the servers do not start with a subsystem"
        exit 1
    }
}

# need_ PROGRAM WHAT: the suite is skipped if $1 is not there.
need_() {
    [ -x "$1" ] && return
    echo "SKIPPED: $TEST_NAME needs $2 as an argument"
    exit 77
}

# hosts_of FROM TO: prints one a line.
hosts_of() {
    seq -f 'h%.0f' "$1" "$2"
}

# serve MODE...: a misbehaving server (faultd) for each mode, on PORTS[0].. of 127.0.0.1; SERVER is
# the pid and SERVER_LOG what it says.
SERVES=0
serve() {
    local mode arguments=()
    SERVES=$((SERVES + 1))
    SERVER_LOG=$WORK/faultd.$SERVES
    for mode; do
        arguments+=("127.0.0.1:0=$mode")
    done
    : >"$SERVER_LOG"
    "$FAULTD" "${arguments[@]}" >"$SERVER_LOG" 2>&1 </dev/null &
    SERVER=$!
    started_ "$SERVER"
    within 60 grep -qx ready "$SERVER_LOG" || {
        echo "FAILED: faultd does not start: $(cat "$SERVER_LOG")"
        exit 1
    }
    mapfile -t PORTS < <(sed -n 's/^127\.0\.0\.1:\([0-9]*\) .*/\1/p' "$SERVER_LOG")
}

# ssh_config NAME: the lab's, with what comes on standard input before it, which therefore wins.
# SSH_CONFIG is set to it until the next case.
ssh_config() {
    SSH_CONFIG=$WORK/$1.conf
    {
        cat
        cat "$WORK/lab/ssh_config"
    } >"$SSH_CONFIG"
}

# --- the end ---

# Ends what still lives: the daemon, what start_ and serve started, and what these left behind.
clean_up_() {
    local status=$? pid file round
    trap - EXIT
    stop_daemon
    for pid in ${STARTED[@]+"${STARTED[@]}"}; do
        alive "$pid" && kill -CONT "$pid" 2>/dev/null && kill "$pid" 2>/dev/null
    done
    [ "$LAB_IS_UP" -eq 0 ] || timeout 120 "$LAB" -d "$WORK/lab" down >/dev/null 2>&1
    for ((round = 0; round < 3; round++)); do
        grep -slzxF -e "MUSTER_E2E=$WORK" -e "HOME=$WORK/home" /proc/[0-9]*/environ | while read -r file; do
            pid=${file#/proc/}
            pid=${pid%/environ}
            case " $$ $BASHPID " in *" $pid "*) continue ;; esac
            kill -KILL "$pid" 2>/dev/null
        done
    done
    rm -rf -- "$WORK"
    # One that comes to its end without having counted would pass whatever was wrong.
    if [ "$status" -eq 0 ] && [ "$FINISHED" -eq 0 ]; then
        echo "FAILED: $TEST_NAME has no finish_"
        exit 1
    fi
    exit "$status"
}
FINISHED=0
trap clean_up_ EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# What a sanitizer found in a daemon, whose log nobody else reads, and a daemon that does not end.
check_daemon_() {
    local pid
    pid=$(daemon_pid)
    stop_daemon
    if [ -n "$pid" ] && ! within 60 gone "$pid"; then
        FAILED=$((FAILED + 1))
        echo "FAILED: the daemon does not end when it is told to"
    fi
    if grep -rqsE 'Sanitizer|runtime error:' "$XDG_STATE_HOME"; then
        FAILED=$((FAILED + 1))
        echo "FAILED: a sanitizer complains in the log of the daemon:"
        grep -rhsE -A 30 'Sanitizer|runtime error:' "$XDG_STATE_HOME" | head -n 100
    fi
}

# finish_: the closing line and the status of the test; 77 when every case was skipped.
finish_() {
    end_case_
    check_daemon_
    echo "$TEST_NAME: $PASSED passed, $FAILED failed, $SKIPPED skipped"
    FINISHED=1
    [ "$FAILED" -eq 0 ] || exit 1
    [ "$PASSED" -gt 0 ] || exit 77
    exit 0
}
