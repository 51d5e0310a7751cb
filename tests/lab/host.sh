# shellcheck shell=dash
# Process 1 of an isolated host, started in its new namespaces with the keeper's /proc still
# mounted and the keeper's network namespace on descriptor 8. Its end is the end of the host.
# Arguments: NAME NET HOME SSHD DIR. Working directory: DIR/inside/hosts/NAME, see inside.sh.
set -eu
name=$1
net=$2
home=$3
sshd=$4
dir=$5
number=${name#h}

read -r stat </proc/self/stat
# shellcheck disable=SC2086
(set -- $stat && echo "$1 ${22}") >init

# This part of /proc shows the network namespace of who looks.
[ ! -e /proc/sys/net/ipv6 ] || echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6

# The interface pair: NAME at the bridge, eth0 here. "netns 1" is process 1 of our namespace.
state=up
[ ! -e cut ] || state=down
nsenter --net=/proc/self/fd/8 ip -batch - <<END
link add $name type veth peer name eth0 address 02:4d:4c:00:00:$(printf %02x "$number") netns 1
link set dev $name master br0
link set dev $name $state
END
exec 8<&-

mount -n -t proc proc /proc
echo "$name" >/proc/sys/kernel/hostname
ip -batch - <<END
link set lo up
addr add 198.18.$net.$number/24 dev eth0
link set eth0 up
neigh replace 198.18.$net.254 lladdr 02:4d:4c:00:00:fe dev eth0 nud permanent
END

# The directory of the lab may lie below any of these, so all paths into it are relative.
mount -n -t sysfs sysfs /sys
mount -n -t tmpfs -o mode=1777,size=16m lab /dev/shm
mount -n -t tmpfs -o mode=755,size=16m lab /run
mkdir -m 755 /run/sshd /run/lab
mkdir -m 1777 /run/lock
cp host_key authorized_keys sshd_config machine-id hostname /run/lab/
cat /proc/sys/kernel/random/uuid >/run/lab/boot_id
chmod 444 /run/lab/boot_id /run/lab/machine-id /run/lab/hostname
mount -n --bind /run/lab/machine-id /etc/machine-id
mount -n --bind /run/lab/hostname /etc/hostname
mount -n --bind /run/lab/boot_id /proc/sys/kernel/random/boot_id
for pair in "home $home" "vartmp /var/tmp" "tmp /tmp"; do
    mount -n --no-canonicalize --bind "disk/${pair%% *}" "${pair#* }"
done
# All else is shared with the computer that the lab runs on, and must stay as it is.
mount -n -o remount,bind,ro /etc
mount -n -o remount,bind,ro / || echo "$name: / stays writable" >&2

env -i PATH="$PATH" "$sshd" -D -e -f /run/lab/sshd_config &
until [ -s /run/lab/sshd.pid ]; do
    kill -0 $!
    sleep 0.01
done
: >ready
cd /
# If it can be seen at all: the disks of the other hosts.
umount -n --lazy "$dir/inside" 2>/dev/null || :

# Orphans become our children; wait reaps them.
while :; do
    sleep 2147483647 &
    wait $!
done
