# shellcheck shell=dash
# Process 1 of a lab's process namespace. When it dies, all that runs in the lab dies with it,
# and the mounts and interfaces of the lab vanish.
# Arguments: DIR plain HOME | DIR isolated COUNT
# Mounts are made with -n, as /run/mount of this computer is not ours to write.
set -eu
dir=$1
kind=$2

# /proc is still that of the outside here, so this is the identity by which 'lab' finds us.
read -r stat </proc/self/stat
# shellcheck disable=SC2086
(set -- $stat && echo "$1 ${22}") >"$dir/state/keeper.new"
mv "$dir/state/keeper.new" "$dir/state/keeper"

mount -n -t proc proc /proc

# Makes the lab's directory, which is our working directory, visible again under its name when
# something was mounted above it.
uncover() {
    if [ ! -e "$dir/state" ]; then
        mkdir -p "$dir"
        mount -n --no-canonicalize --bind . "$dir"
    fi
}

plain() {
    cd "$dir"
    mount -n -t tmpfs -o mode=700,size=512m lab "$1"
    uncover
    if [ ! -d /run/sshd ]; then
        mount -n -t tmpfs -o mode=755,size=64m lab /run
        mkdir -m 755 /run/sshd
        uncover
    fi
    # Logins with a terminal would be recorded.
    for file in /run/utmp /var/log/wtmp /var/log/btmp /var/log/lastlog; do
        [ ! -f "$file" ] || mount -n --bind /dev/null "$file"
    done
    cd /
}

isolated() {
    mount -n -t sysfs sysfs /sys
    mount -n -t tmpfs -o mode=700,size=512m lab "$dir/inside"
    mkdir "$dir/inside/hosts"
    # A copy of /etc: hosts get their own machine-id even where there is none, they know each
    # other's names, and the account can log in.
    cp -a /etc "$dir/inside/etc"
    cd "$dir/inside/etc"
    rm -f nologin machine-id hostname
    : >machine-id
    : >hostname
    sed -i 's/^root:![^:]*:/root:*:/' shadow
    i=0
    net=$(cat "$dir/state/net")
    while [ "$i" -lt "$1" ]; do
        i=$((i + 1))
        echo "198.18.$net.$i h$i"
    done >>hosts
    cd /
    mount -n --bind "$dir/inside/etc" /etc
    [ ! -e /proc/sys/net/ipv6 ] || echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
    ip -batch - <<END
link set lo up
link add br0 type bridge mcast_snooping 0
link set br0 up
END
}

"$kind" "$3"
: >"$dir/state/ready"

# Orphans become our children; wait reaps them.
while :; do
    sleep 2147483647 &
    wait $!
done
