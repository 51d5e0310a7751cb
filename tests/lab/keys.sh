# shellcheck shell=bash
# shellcheck disable=SC2034 # variables cross files; "a && b || die" is meant so
# Part of lab: what must be installed, the account, keys, and the files that clients read.

SSHD=

check_tools() {
    local tool missing=
    SSHD=$(command -v sshd) || missing=" sshd"
    for tool in ssh ssh-keygen flock setsid find; do
        command -v "$tool" >/dev/null || missing="$missing $tool"
    done
    [ "$1" -eq 0 ] || for tool in ip unshare nsenter mount; do
        command -v "$tool" >/dev/null || missing="$missing $tool"
    done
    [ -z "$missing" ] || die "not installed:$missing; on Debian:" \
        "apt-get install openssh-server openssh-client iproute2 util-linux findutils"
}

# sshd without PAM refuses some accounts with nothing but "permission denied" for the client.
check_account() {
    local entry shell password
    entry=$(getent passwd "$LAB_UID") ||
        die "user id $LAB_UID has no entry in /etc/passwd, so sshd cannot log it in; use another account"
    LAB_USER=${entry%%:*}
    shell=${entry##*:}
    LAB_USER_HOME=${entry%:*}
    LAB_USER_HOME=${LAB_USER_HOME##*:}
    case ${shell:=/bin/sh} in
    */nologin | */false)
        die "the login shell of $LAB_USER is $shell, so no command can run; cure: chsh -s /bin/sh $LAB_USER"
        ;;
    esac
    [ -x "$shell" ] ||
        die "the login shell of $LAB_USER, $shell, does not exist; cure: chsh -s /bin/sh $LAB_USER"
    if [ "$LAB_UID" -ne 0 ]; then
        [ ! -e /etc/nologin ] || die "/etc/nologin exists, so sshd lets only root in; remove it"
        return
    fi
    [ -d "$LAB_USER_HOME" ] || die "the home directory of $LAB_USER, $LAB_USER_HOME, does not exist; make it"
    # Isolated hosts have their own copy of /etc, where the account is unlocked.
    [ "$1" -eq 0 ] || return 0
    password=$(getent shadow "$LAB_USER" | cut -d: -f2)
    case $password in
    !*) die "the account $LAB_USER is locked ('!' in /etc/shadow), so sshd refuses it;" \
        "cure: usermod -p '*' $LAB_USER, or: lab up --isolated" ;;
    esac
}

make_key() {
    ssh-keygen -q -N '' -C "$3" -t "$1" ${4:+-b "$4"} -f "$2" >/dev/null ||
        die "ssh-keygen could not make $2"
}

make_keys() {
    # Not offered by the servers: for tests that want another host key.
    make_key ecdsa "$DIR/keys/host_ecdsa" muster-lab-host
    make_key rsa "$DIR/keys/host_rsa" muster-lab-host 2048
    make_key ed25519 "$DIR/id_ed25519" muster-lab
    cp -- "$DIR/id_ed25519.pub" "$DIR/authorized_keys"
}

# write_sshd_config FILE KEY AUTHORIZED PIDFILE: all but the addresses.
write_sshd_config() {
    cat >"$1" <<END
HostKey $2
AuthorizedKeysFile $3
PidFile $4
AuthenticationMethods publickey
PubkeyAuthentication yes
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
PermitRootLogin yes
MaxStartups 1000:30:2000
MaxSessions 100
LoginGraceTime 60
PrintMotd no
PrintLastLog no
UseDNS no
LogLevel ERROR
SetEnv MUSTER_LAB_MARK=$(lab_mark)
END
    # OpenSSH 9.8 punishes an address that fails often, and all clients of a lab are one address.
    if grep -qi persourcepenalties "$SSHD"; then
        echo "PerSourcePenalties no" >>"$1"
    fi
}

# write_client_files COUNT PORT ISOLATED PREFIX: for hosts whose addresses ADDRESSES[1..COUNT]
# holds and whose public host keys are in KEYFILES[1..COUNT].
write_client_files() {
    local i name key _
    for ((i = 1; i <= $1; i++)); do
        printf 'Host h%d\n\tHostName %s\n' "$i" "${ADDRESSES[i]}"
    done >"$DIR/ssh_config"
    cat >>"$DIR/ssh_config" <<END
Host *
	Port $2
	User $LAB_USER
	IdentityFile $DIR/id_ed25519
	IdentitiesOnly yes
	UserKnownHostsFile $DIR/known_hosts
	GlobalKnownHostsFile /dev/null
	StrictHostKeyChecking yes
	LogLevel ERROR
END
    for ((i = 1; i <= $1; i++)); do
        name=${ADDRESSES[i]}
        [ "$2" -eq 22 ] || name="[$name]:$2"
        read -r _ key _ <"${KEYFILES[i]}"
        echo "$name ssh-ed25519 $key"
    done >"$DIR/known_hosts"
    for ((i = 1; i <= $1; i++)); do
        echo "h$i"
    done >"$DIR/hosts"
    printf '%s\n' "LAB_DIR=$DIR" "LAB_COUNT=$1" "LAB_PORT=$2" "LAB_ISOLATED=$3" >"$DIR/env"
    LAB_COUNT=$1 LAB_PORT=$2 LAB_ISOLATED=$3
}

# The first and the last host must let us in, or 'up' has not worked.
check_login() {
    local host answer
    for host in h1 "h$LAB_COUNT"; do
        answer=$(ssh -F "$DIR/ssh_config" -o BatchMode=yes -o ConnectTimeout=20 "$host" \
            'echo in' </dev/null 2>&1 9<&-)
        [ "${answer##*$'\n'}" = in ] || die "sshd runs, but a login on $host fails: ${answer:-no answer}"
    done
}
