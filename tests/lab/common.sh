# shellcheck shell=bash
# shellcheck disable=SC2015,SC2034 # variables cross files; "a && b || die" is meant so
# Part of lab: the directory and its lock, what is alive, and the removal of everything.

PLAIN_MAX=2000
ISOLATED_MAX=100
LAB_UID=$(id -u)
LAB_USER=$(id -un)
DIR=

say() {
    echo "lab: $*"
}

warn() {
    echo "lab: $*" >&2
}

die() {
    warn "$*"
    exit 1
}

usage_die() {
    warn "$*"
    warn "lab --help shows the verbs"
    exit 2
}

host_expression() {
    if [ "$1" -eq 1 ]; then
        echo h1
    else
        echo "h[1-$1]"
    fi
}

# Sets DIR to the absolute name of the lab's directory. Nothing is touched.
choose_dir() {
    local dir=${1:-${MUSTER_LAB:-${TMPDIR:-/tmp}/muster-lab-$LAB_UID}} parent
    while [ "$dir" != / ] && [ "${dir%/}" != "$dir" ]; do
        dir=${dir%/}
    done
    parent=$(cd -- "$(dirname -- "$dir")" 2>/dev/null && pwd -P) ||
        die "the parent of '$dir' does not exist; make it, or choose another place with -d"
    dir=${parent%/}/$(basename -- "$dir")
    case $dir in
    *[!A-Za-z0-9_./+@=,-]* | / | /. | */.. | */.)
        die "'$dir' cannot be a lab's directory: ssh_config would need quoting; choose another with -d"
        ;;
    esac
    [ "${#dir}" -le 200 ] || die "'$dir' is too long a name; choose another place with -d"
    DIR=$dir
}

# Fails if DIR is not there, ends if it is nothing that we may use.
check_dir() {
    [ -e "$DIR" ] || [ -L "$DIR" ] || return 1
    [ ! -L "$DIR" ] || die "$DIR is a symbolic link; choose another place with -d"
    [ -d "$DIR" ] || die "$DIR is not a directory; choose another place with -d"
    [ -O "$DIR" ] || die "$DIR belongs to another user; choose another place with -d"
    [ -e "$DIR/.muster-lab" ] || [ -z "$(ls -A -- "$DIR")" ] ||
        die "$DIR holds files that are not of a lab; choose another place with -d"
}

# Takes the lock of the directory on descriptor 9, which what stays behind must not inherit.
# Returns 1 if there is no directory, unless "create" is given.
lock_dir() {
    while :; do
        if [ "${1:-}" = create ]; then
            mkdir -m 700 -- "$DIR" 2>/dev/null || [ -e "$DIR" ] || [ -L "$DIR" ] ||
                die "cannot make $DIR; choose another place with -d"
            check_dir || continue
        else
            check_dir || return 1
        fi
        exec 9<"$DIR" || continue
        flock -w 120 9 || die "another lab command holds $DIR for two minutes; see: fuser -v $DIR"
        # 'down' may have removed the directory while we waited.
        [ "$(stat -L -c %d:%i /proc/self/fd/9)" != "$(stat -c %d:%i -- "$DIR" 2>/dev/null)" ] || break
    done
    chmod 700 -- "$DIR"
}

# What the environment of each process of this lab holds. The mount namespace is part of it, as
# the same name is another directory in a container.
own_mark() {
    echo "$DIR@$(readlink /proc/self/ns/mnt)"
}

lab_mark() {
    cat "$DIR/state/mark" 2>/dev/null || own_mark
}

# proc_start PID: prints the start time of a process; fails if it is gone or a zombie.
proc_start() {
    local stat
    { read -r -d '' stat <"/proc/$1/stat" || [ -n "$stat" ]; } 2>/dev/null || return 1
    # The name in parentheses may hold anything.
    stat=${stat##*) }
    # shellcheck disable=SC2086
    set -- $stat
    [ "$1" != Z ] && [ "$1" != X ] || return 1
    echo "${20}"
}

# alive FILE: is the process that FILE names ("PID START") there? Sets ALIVE_PID.
alive() {
    local start
    { read -r ALIVE_PID start <"$1"; } 2>/dev/null || return 1
    [ "$(proc_start "$ALIVE_PID")" = "$start" ]
}

# Prints none, ruins or up.
lab_state() {
    if [ ! -e "$DIR/.muster-lab" ]; then
        echo none
    elif [ ! -e "$DIR/state/up" ] ||
        [ "$(</proc/sys/kernel/random/boot_id)" != "$(cat "$DIR/state/machine-boot")" ]; then
        echo ruins
    elif [ -e "$DIR/state/direct" ]; then
        if [ -e "$DIR/state/stopped" ] || [ -n "$(plain_servers)" ]; then
            echo up
        else
            echo ruins
        fi
    elif alive "$DIR/state/keeper"; then
        echo up
    else
        echo ruins
    fi
}

load_env() {
    local key value
    while IFS='=' read -r key value; do
        case $key in
        LAB_COUNT) LAB_COUNT=$value ;;
        LAB_PORT) LAB_PORT=$value ;;
        LAB_ISOLATED) LAB_ISOLATED=$value ;;
        esac
    done <"$DIR/env" || die "$DIR/env cannot be read; take the lab down: lab -d $DIR down"
}

lab_kind() {
    if [ "$LAB_ISOLATED" -eq 1 ]; then
        echo isolated
    else
        echo plain
    fi
}

# Prints "PID START" of each process that belongs to the lab, however it was orphaned: those with
# the mark in their environment, and each sshd that holds a log file of this lab open, because
# sshd writes its title over its environment.
lab_processes() {
    local path pid start comm mark
    mark=$(lab_mark)
    {
        grep -slzxF -- "MUSTER_LAB_MARK=$mark" /proc/[0-9]*/environ
        find /proc/[0-9]*/fd -maxdepth 1 -lname "$DIR/log/*" 2>/dev/null | while read -r path; do
            pid=${path#/proc/}
            { read -r comm <"/proc/${pid%%/*}/comm"; } 2>/dev/null || continue
            case $comm in sshd*) echo "$path" ;; esac
        done
    } | cut -d/ -f3 | sort -un | while read -r pid; do
        [ "$pid" -ne $$ ] && [ "$pid" -ne "$BASHPID" ] || continue
        start=$(proc_start "$pid") && echo "$pid $start"
    done
}

# Kills a process only if it is still the one that was seen.
kill_checked() {
    [ "$(proc_start "$1")" = "$2" ] && kill -KILL "$1" 2>/dev/null
}

# Ends every process of the lab. The keeper goes first: it is process 1 of the lab's process
# namespace, so the kernel ends with it all that runs inside.
end_processes() {
    local pid start left round
    if [ -e "$DIR/state/keeper" ]; then
        read -r pid start <"$DIR/state/keeper" && kill_checked "$pid" "$start"
    fi
    for ((round = 0; round < 400; round++)); do
        left=$(lab_processes)
        [ -n "$left" ] || return 0
        while read -r pid start; do
            kill_checked "$pid" "$start"
        done <<<"$left"
        sleep 0.05
    done
    warn "these processes of the lab do not end: ${left//$'\n'/, }"
    return 1
}

# The bridge and the hosts' interfaces vanish with the keeper's network namespace, and so does
# the near end of the uplink, but later than the processes: do not wait for the kernel.
remove_link() {
    local link
    link=$(link_name)
    [ -e "/sys/class/net/$link" ] || return 0
    ip link del dev "$link" 2>/dev/null
    [ ! -e "/sys/class/net/$link" ] || {
        warn "the interface $link cannot be removed; as root: ip link del $link"
        return 1
    }
}

remove_contents() {
    end_processes || return 1
    remove_link || return 1
    [ ! -e "$DIR/state/made-run-sshd" ] || rmdir /run/sshd 2>/dev/null
    # The marker goes last: with it, whoever continues knows that the rest is ours.
    find "$DIR" -xdev -mindepth 1 ! -path "$DIR/.muster-lab" -delete && rm -f -- "$DIR/.muster-lab"
}

remove_everything() {
    remove_contents && rmdir -- "$DIR"
}

show_logs() {
    local log
    for log in "$DIR"/log/*; do
        [ -s "$log" ] || continue
        echo "--- ${log##*/}" >&2
        # util-linux 2.38 says that when its child is killed; it means nothing.
        grep -v 'sigprocmask unblock failed' -- "$log" | tail -n 5 >&2
        # One host's complaint is enough: the others have the same.
        break
    done
}

# wait_for SECONDS COMMAND...: looks every 10 ms until COMMAND succeeds.
wait_for() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -le "$deadline" ] || return 1
        sleep 0.01
    done
}

# Starts the keeper: process 1 of a process namespace that holds the whole lab, so that one kill
# ends it. Arguments: further namespaces for unshare, then -- and the arguments of keeper.sh.
start_keeper() {
    local flags=() keeper
    while [ "$1" != -- ]; do
        flags+=("$1")
        shift
    done
    shift
    env -i PATH="$PATH" LC_ALL=C MUSTER_LAB_MARK="$(lab_mark)" setsid \
        unshare --mount --pid "${flags[@]}" --fork --kill-child \
        sh "$LAB_HOME/keeper.sh" "$DIR" "$@" </dev/null >>"$DIR/log/keeper" 2>&1 9<&- &
    keeper=$!
    wait_for 30 keeper_is_settled "$keeper" && [ -e "$DIR/state/ready" ] ||
        die "the namespaces of the lab could not be made"
    disown "$keeper"
}

keeper_is_settled() {
    [ -e "$DIR/state/ready" ] || ! proc_start "$1" >/dev/null
}

# Runs inside.sh (arguments: verb, hosts) in the keeper's namespaces. Needs a live keeper.
inside() {
    alive "$DIR/state/keeper" || die "the lab in $DIR has crashed; take it down: lab -d $DIR down"
    local space=(--mount --pid)
    [ "$LAB_ISOLATED" -eq 0 ] || space+=(--net)
    # The lock belongs to this command, not to what it starts.
    MUSTER_LAB_MARK=$(lab_mark) nsenter --target "$ALIVE_PID" "${space[@]}" \
        sh -c "$(cat "$LAB_HOME/inside.sh")" sh "$LAB_HOME" "$DIR" "$@" 9<&-
}
