# shellcheck shell=bash
# shellcheck disable=SC2015 # "a && b || die" is meant so
# Part of lab: a slow path to some hosts, through delayd, with an ssh_config of its own.

# Prints what ssh connects to: the address of a host.
delay_address() {
    sed -n "/^Host $1\$/{n;s/^[[:space:]]*HostName //p;}" "$DIR/ssh_config"
}

# delay_start DELAYD MS H...: writes DIR/delay_config.
delay_start() {
    local program=$1 ms=$2 servers=() host
    # What the one before has said is no answer of this one.
    rm -f "$DIR/log/delayd"
    shift 2
    for host; do
        servers+=("127.0.0.1:0=$(delay_address "$host"):$LAB_PORT")
    done
    env MUSTER_LAB_MARK="$(lab_mark)" setsid "$program" "$ms" "${servers[@]}" \
        </dev/null >"$DIR/log/delayd" 2>&1 9<&- &
    echo "$! $(proc_start $!)" >"$DIR/state/delay"
    wait_for 20 delay_is_settled && grep -qx ready "$DIR/log/delayd" || {
        cat "$DIR/log/delayd" >&2
        delay_stop
        die "$program does not start (see above)"
    }
    disown
    delay_configure "$@"
}

delay_is_settled() {
    grep -qsx ready "$DIR/log/delayd" || ! alive "$DIR/state/delay"
}

delay_configure() {
    local host address name port _
    # delayd names its ports in the order of its arguments.
    for host; do
        read -r port _ <&7
        address=$(delay_address "$host") name=$address
        [ "$LAB_PORT" -eq 22 ] || name="[$address]:$LAB_PORT"
        printf 'Host %s\n\tHostName 127.0.0.1\n\tPort %s\n\tHostKeyAlias %s\n' \
            "$host" "${port##*:}" "$name"
    done 7<"$DIR/log/delayd" >"$DIR/delay_config"
    printf 'Host *\n\tInclude %s\n' "$DIR/ssh_config" >>"$DIR/delay_config"
}

delay_stop() {
    local pid start
    if alive "$DIR/state/delay"; then
        read -r pid start <"$DIR/state/delay"
        kill_checked "$pid" "$start"
    fi
    rm -f -- "$DIR/state/delay" "$DIR/delay_config"
}
