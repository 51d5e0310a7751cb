# shellcheck shell=bash
# shellcheck disable=SC2015,SC2034 # variables cross files; "a && b || die" is meant so
# Part of lab: hosts with namespaces of their own. This file works outside of them; keeper.sh,
# inside.sh and host.sh work inside.

link_name() {
    local sum
    sum=$(printf %s "$DIR" | sha256sum)
    echo "mlab${sum:0:8}"
}

isolated_up() {
    local count=$1 i
    LAB_ISOLATED=1
    mkdir "$DIR/inside" "$DIR/sshd" || exit 1
    unshare --mount --pid --net --uts --ipc --fork true 2>"$DIR/log/unshare" ||
        die "namespaces are forbidden here (a container without CAP_SYS_ADMIN?); a plain lab works: lab up $count"
    choose_network "$count"
    start_keeper --net -- isolated "$count"
    isolated_uplink
    ADDRESSES=() KEYFILES=()
    for ((i = 1; i <= count; i++)); do
        ADDRESSES[i]=198.18.$LAB_NET.$i
        KEYFILES[i]=$DIR/keys/h$i.pub
    done
    write_sshd_config "$DIR/sshd/common" /run/lab/host_key /run/lab/authorized_keys /run/lab/sshd.pid
    for ((i = 1; i <= count; i++)); do
        {
            cat "$DIR/sshd/common"
            echo "ListenAddress ${ADDRESSES[i]}:22"
        } >"$DIR/sshd/h$i"
    done
    # shellcheck disable=SC2046
    inside boot $(printf 'h%d ' $(seq "$count")) || die "not all hosts could be booted"
    write_client_files "$count" 22 1
}

# Finds a third octet B such that 198.18.B.0/24, of the range for benchmarks (RFC 2544), is
# free here, and takes it. Labs that start together wait for each other on the inode of the
# network namespace, which is the scope of what they share.
choose_network() {
    local link start i
    link=$(link_name)
    start=$((16#${link:4:4} % 256))
    exec 8</proc/self/ns/net
    flock -w 60 8 || die "another lab has held the network lock for a minute"
    for ((i = 0; i < 256; i++)); do
        LAB_NET=$(((start + i) % 256))
        [ -n "$(ip -4 route show root "198.18.$LAB_NET.0/24")$(
            ip -4 addr show to "198.18.$LAB_NET.0/24"
        )" ] || break
    done
    [ "$i" -lt 256 ] || die "no network 198.18.x.0/24 is free; take other labs down"
    # The far end moves into the keeper's network namespace. When that dies, so do both ends.
    isolated_ip <<END || die "the interface $link could not be made"
link add $link type veth peer name ${link/mlab/ulab}
link set dev $link address 02:4d:4c:00:00:fe
addr add 198.18.$LAB_NET.254/24 dev $link
END
    exec 8<&-
    echo "$LAB_NET" >"$DIR/state/net"
}

isolated_ip() {
    ip -force -batch - 2>>"$DIR/log/ip"
}

isolated_uplink() {
    local link i
    link=$(link_name)
    alive "$DIR/state/keeper" || die "the lab's keeper died at once"
    {
        # Only there has it the name that all labs have: here two of them would be in each other's way.
        echo "link set dev ${link/mlab/ulab} netns $ALIVE_PID name up0"
        echo "link set dev $link up"
        # Fixed neighbours: a host that is cut off is silent, it does not become "no route
        # to host" after the three seconds that ARP takes.
        for ((i = 1; i <= ISOLATED_MAX; i++)); do
            printf 'neigh replace 198.18.%d.%d lladdr 02:4d:4c:00:00:%02x dev %s nud permanent\n' \
                "$LAB_NET" "$i" "$i" "$link"
        done
    } | isolated_ip || die "the interface $link could not be set up"
    inside uplink
}
