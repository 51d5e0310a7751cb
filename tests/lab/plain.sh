# shellcheck shell=bash
# shellcheck disable=SC2015,SC2016,SC2034 # variables cross files; "a && b || die" is meant so
# Part of lab: hosts that are loopback addresses, 16 to an sshd.

# OpenSSH accepts 16 ListenAddress lines (MAX_LISTEN_SOCKS), and a wildcard would also listen
# on the network.
PER_SERVER=16

plain_up() {
    local count=$1 attempt
    LAB_ISOLATED=0
    make_key ed25519 "$DIR/keys/host_ed25519" muster-lab-host
    plain_start_keeper
    for attempt in 1 2 3 4 5; do
        plain_configure "$count" "$(free_port)"
        if plain_server_start; then
            return
        fi
        # Another program can take the port between the look and the bind.
        plain_server_stop
        grep -qs 'Bind to port.* failed' "$DIR"/log/sshd.* || break
        : >"$DIR/log/sshd.0"
    done
    die "sshd does not start (attempt $attempt)"
}

# As root: a private mount namespace with an empty home, so that logins are cheap and leave no
# trace in the real one. Containers often forbid it; the lab works without.
plain_start_keeper() {
    if [ "$LAB_UID" -ne 0 ]; then
        : >"$DIR/state/direct"
    elif unshare --mount --pid --fork sh -c \
        'mount -n -t proc proc /proc && mount -n -t tmpfs lab "$1"' sh "$LAB_USER_HOME" 2>/dev/null; then
        start_keeper -- plain "$LAB_USER_HOME"
    else
        warn "namespaces are forbidden here: the hosts share root's real home directory"
        : >"$DIR/state/direct"
        if [ ! -d /run/sshd ]; then
            : >"$DIR/state/made-run-sshd"
            mkdir -m 755 /run/sshd || die "sshd needs /run/sshd, which cannot be made"
        fi
    fi
}

# Prints a port that nothing listens on, below those that the kernel gives to clients.
free_port() {
    local low port hex try
    read -r low _ </proc/sys/net/ipv4/ip_local_port_range
    [ "$low" -gt 12000 ] || low=32768
    for ((try = 0; try < 200; try++)); do
        port=$((10000 + (RANDOM * 32768 + RANDOM) % (low - 10000)))
        printf -v hex '%04X' "$port"
        cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -q ":$hex " || break
    done
    echo "$port"
}

plain_configure() {
    local count=$1 port=$2 i server
    ADDRESSES=() KEYFILES=()
    for ((i = 1; i <= count; i++)); do
        ADDRESSES[i]=127.77.$(((i - 1) / 250)).$(((i - 1) % 250 + 1))
        KEYFILES[i]=$DIR/keys/host_ed25519.pub
    done
    mkdir -p "$DIR/sshd"
    write_sshd_config "$DIR/sshd/common" "$DIR/keys/host_ed25519" "$DIR/authorized_keys" PIDFILE
    for ((i = 1; i <= count; i++)); do
        server=$(((i - 1) / PER_SERVER))
        if (((i - 1) % PER_SERVER == 0)); then
            sed "s|^PidFile .*|PidFile $DIR/sshd/$server.pid|" "$DIR/sshd/common" >"$DIR/sshd/$server.conf"
        fi
        echo "ListenAddress ${ADDRESSES[i]}:$port" >>"$DIR/sshd/$server.conf"
    done
    rm -f "$DIR/sshd/common"
    write_client_files "$count" "$port" 0
}

plain_is_listening() {
    local hex
    printf -v hex '%04X' "$LAB_PORT"
    [ "$(grep -c "4D7F:$hex 00000000:0000 0A" /proc/net/tcp)" -ge "$LAB_COUNT" ]
}

# Starts the servers that do not run. Fails if an address could not be had.
plain_server_start() {
    if [ -e "$DIR/state/direct" ]; then
        env -i PATH="$PATH" MUSTER_LAB_MARK="$(lab_mark)" \
            sh "$LAB_HOME/inside.sh" "$LAB_HOME" "$DIR" plain-start "$(command -v sshd)" 9<&-
    else
        inside plain-start "$(command -v sshd)"
    fi || return 1
    wait_for 30 plain_is_listening && ! grep -qs 'Bind to port.* failed' "$DIR"/log/sshd.* || {
        warn "not all of the addresses 127.77.x.y could be had on port $LAB_PORT"
        return 1
    }
    rm -f "$DIR/state/stopped"
}

# Ends listeners and sessions, as when the server crashes. What they ran is left alone.
plain_server_stop() {
    : >"$DIR/state/stopped"
    if [ -e "$DIR/state/direct" ]; then
        local pid start
        while plain_servers all | grep -q .; do
            plain_servers all | while read -r pid start; do
                kill_checked "$pid" "$start"
            done
        done
    else
        inside plain-stop
    fi
    rm -f "$DIR"/sshd/*.pid
}

# Prints "PID START" of each sshd of this lab that listens, or of all with "all".
plain_servers() {
    local pid start comm
    lab_processes | while read -r pid start; do
        { read -r comm <"/proc/$pid/comm"; } 2>/dev/null || continue
        case $comm in sshd*) ;; *) continue ;; esac
        if [ "${1:-}" = all ] || grep -qsxF "$pid" "$DIR"/sshd/*.pid; then
            echo "$pid $start"
        fi
    done
}
