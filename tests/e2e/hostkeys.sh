# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153 # lib.sh and the tests use what is set here, and the other way round
# What the tests of host keys share; sourced behind lib.sh.

# key_hosts_up N: real hosts h1..hN, which tell of every request for a login. lab_key is the key of all of them, other_key
# that of none; known is the file of known hosts of knows and by.
key_hosts_up() {
    lab_up "$1"
    lab_key=$(cut -d' ' -f1,2 "$WORK/lab/keys/host_ed25519.pub")
    ssh-keygen -q -t ed25519 -N '' -C other -f "$WORK/other"
    other_key=$(cut -d' ' -f1,2 "$WORK/other.pub")
    known=$WORK/known
    timeout 120 "$LAB" -d "$WORK/lab" server-stop >/dev/null
    sed -i 's/^LogLevel .*/LogLevel DEBUG1/' "$WORK"/lab/sshd/*.conf
    # At this level sshd also says that it binds, which 'lab' takes for a failure to.
    timeout 120 "$LAB" -d "$WORK/lab" server-start >/dev/null 2>&1
}

logins() {
    cat "$WORK"/lab/log/sshd.* | grep -ac 'userauth-request for user'
}

# name_of N: what h<N> is called in a known_hosts file.
name_of() {
    echo "[127.77.0.$1]:$LAB_PORT"
}

# true_keys FROM TO: these hosts, each with its true key.
true_keys() {
    local i
    for ((i = $1; i <= $2; i++)); do
        echo "$(name_of "$i") $lab_key"
    done
}

# knows LINE...: the hosts are judged by a known_hosts file of these lines, which replaces the lab's, and by KNOWS_BY.
KNOWS_BY='StrictHostKeyChecking yes'
knows() {
    : >"$known"
    [ $# -eq 0 ] || printf '%s\n' "$@" >"$known"
    by "$KNOWS_BY"
}

# by OPTION: and by this option. MORE_HOSTS are lines of ssh_config for others.
MORE_HOSTS=''
by() {
    ssh_config by <<END
$MORE_HOSTS
Host *
	UserKnownHostsFile $known
	$1
END
}
