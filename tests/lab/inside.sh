# shellcheck shell=dash
# shellcheck disable=SC2016 # expanded inside of the host
# What 'lab' runs in the keeper's namespaces, handed over as text, as its file may be covered by
# a mount there. Only the verbs plain-* also run outside, where namespaces are forbidden.
# Arguments: LAB_HOME DIR VERB, then hosts or what the verb says.
set -u
lab_home=$1
dir=$2
verb=$3
shift 3
hosts=$dir/inside/hosts

die() {
    echo "lab: $*" >&2
    exit 1
}

# host_pid HOST: sets PID to its process 1. Fails if the host is down.
host_pid() {
    { read -r PID start <"$hosts/$1/init"; } 2>/dev/null || return 1
    { read -r stat <"/proc/$PID/stat"; } 2>/dev/null || return 1
    # shellcheck disable=SC2086
    set -- $stat
    [ "${22}" = "$start" ] && [ "$3" != Z ]
}

need_host_pid() {
    host_pid "$1" || die "$1 is down; boot it: lab reboot $1"
}

# enter HOST COMMAND...: runs it in all namespaces of the host.
enter() {
    need_host_pid "$1"
    shift
    nsenter --target "$PID" --mount --uts --ipc --net --pid "$@"
}

# Ends each sshd that /proc shows, the sessions too.
kill_sshd='
again=1
while [ "$again" ]; do
    again=
    for p in /proc/[0-9]*; do
        { read -r comm <"$p/comm"; } 2>/dev/null || continue
        case $comm in sshd*) ;; *) continue ;; esac
        { read -r stat <"$p/stat"; } 2>/dev/null || continue
        case $stat in *") Z "*) continue ;; esac
        kill -KILL "${p#/proc/}" 2>/dev/null
        again=1
    done
done
rm -f /run/lab/sshd.pid
'

host_prepare() {
    mkdir "$1" && cd "$1" && mkdir -m 755 disk || return 1
    mount -n -t tmpfs -o mode=755,size=16m lab "$1/disk" || return 1
    mkdir -m 700 disk/home
    mkdir -m 1777 disk/vartmp disk/tmp
    ssh-keygen -q -N '' -C "${1##*/}" -t ed25519 -f host_key </dev/null || return 1
    cp host_key.pub "$dir/keys/${1##*/}.pub"
    cp "$dir/sshd/${1##*/}" sshd_config
    echo "${1##*/}" >hostname
    tr -d - </proc/sys/kernel/random/uuid >machine-id
}

# Starts a host and does not wait for it.
host_boot() {
    if [ -d "$hosts/$1" ]; then
        cd "$hosts/$1" || exit 1
        rm -rf disk/tmp ready
        mkdir -m 1777 disk/tmp
    else
        host_prepare "$hosts/$1" || die "$1 cannot be made"
    fi
    cp "$dir/authorized_keys" authorized_keys
    rm -f off init
    setsid unshare --mount --pid --net --uts --ipc --fork --kill-child \
        sh "$lab_home/host.sh" "$1" "$net" "$home" "$sshd" "$dir" \
        </dev/null >>"$dir/log/$1" 2>&1 8</proc/self/ns/net &
    echo $! >outer
}

boot() {
    net=$(cat "$dir/state/net")
    home=$(getent passwd 0 | cut -d: -f6)
    sshd=$(command -v sshd)
    for host; do
        host_boot "$host"
    done
    for host; do
        until [ -e "$hosts/$host/ready" ]; do
            [ -d "/proc/$(cat "$hosts/$host/outer")" ] ||
                die "$host does not boot: $(tail -n 3 "$dir/log/$host")"
            sleep 0.01
        done
    done
}

# The network goes first: a computer that loses its power does not close its connections.
kill_hosts() {
    for host; do
        ip link del dev "$host" 2>/dev/null
        if host_pid "$host"; then
            kill -KILL "$PID"
        fi
        : >"$hosts/$host/off"
    done
    for host; do
        while host_pid "$host"; do
            sleep 0.01
        done
    done
}

cable() {
    for host; do
        need_host_pid "$host"
        if [ "$verb" = cut ]; then
            : >"$hosts/$host/cut"
            ip link set dev "$host" down
            continue
        fi
        rm -f "$hosts/$host/cut"
        ip link set dev "$host" up
        # The far end notices its carrier a moment later.
        tries=0
        until [ "$(cat "/sys/class/net/$host/operstate")" = up ]; do
            tries=$((tries + 1))
            [ "$tries" -lt 1000 ] || die "the link of $host does not come up"
            sleep 0.01
        done
    done
}

fill() {
    for host; do
        # That there is no space left is what we want to hear.
        ! cat /dev/zero 2>/dev/null >>"$hosts/$host/disk/filler"
    done
}

drain() {
    for host; do
        rm -f "$hosts/$host/disk/filler"
    done
}

server_stop() {
    for host; do
        enter "$host" sh -c "$kill_sshd" || exit 1
    done
}

server_start() {
    for host; do
        enter "$host" sh -c 'set -u
            [ ! -s /run/lab/sshd.pid ] || exit 0
            env -i PATH="$PATH" setsid "$1" -D -e -f /run/lab/sshd_config &
            until [ -s /run/lab/sshd.pid ]; do
                kill -0 $! || exit 1
                sleep 0.01
            done
        ' sh "$(command -v sshd)" </dev/null >>"$dir/log/$host" 2>&1 || die "sshd of $host does not start; see $dir/log/$host"
    done
}

status() {
    while read -r host; do
        if ! host_pid "$host"; then
            words=' down'
        else
            words=
            [ ! -e "$hosts/$host/cut" ] || words="$words cut"
            [ -s "/proc/$PID/root/run/lab/sshd.pid" ] || words="$words server-stopped"
            [ ! -s "$hosts/$host/disk/filler" ] || words="$words full"
        fi
        echo "$host${words:- up}"
    done <"$dir/hosts"
}

# Starts those of the plain lab's servers that have no live process.
plain_start() {
    for conf in "$dir"/sshd/*.conf; do
        pid=$(cat "${conf%.conf}.pid" 2>/dev/null)
        case $(cat "/proc/${pid:-none}/comm" 2>/dev/null) in sshd*) continue ;; esac
        log=${conf##*/}
        "$1" -f "$conf" -E "$dir/log/sshd.${log%.conf}" || exit 1
    done
}

case $verb in
boot) boot "$@" ;;
reboot) kill_hosts "$@" && boot "$@" ;;
kill) kill_hosts "$@" ;;
cut | mend) cable "$@" ;;
fill | drain | status) "$verb" "$@" ;;
server-stop) server_stop "$@" ;;
server-start) server_start "$@" ;;
enter)
    host=$1
    shift
    home=$(getent passwd 0 | cut -d: -f6)
    enter "$host" env -i PATH="$PATH" HOME="$home" USER=root LOGNAME=root TERM="${TERM:-dumb}" \
        sh -c 'cd && exec "$@"' sh "$@"
    ;;
uplink)
    ip -batch - <<END
link set dev up0 master br0
link set dev up0 up
END
    ;;
plain-start) plain_start "$@" ;;
plain-stop) sh -c "$kill_sshd" ;;
*) die "inside.sh: '$verb'?" ;;
esac
