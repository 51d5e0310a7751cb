# shellcheck shell=sh
# What has to be installed, and the one function that installs what is missing. Sourced, not run:
#
#   . deploy/packages.sh
#   packages_need build lab tests
#   packages_wish cross
#
# MUSTER_NO_INSTALL=1 in the environment: nothing is installed, only said.

packages_id=$( (. /etc/os-release && echo "${ID:-}") 2>/dev/null) || packages_id=
packages_version=$( (. /etc/os-release && echo "${VERSION_ID:-0}") 2>/dev/null) || packages_version=0

# The oldest libssh of Debian 12 that we link: what came before lets a hostile server forge encrypted
# packets (no check of the AES-GCM tag) and write to freed memory (callbacks during data).
packages_libssh_floor=0.10.6-0+deb12u3

# packages_of GROUP: its packages, on one line.
packages_of() {
    case $1 in
    build)
        msgpack=libmsgpack-dev
        [ "$packages_id:${packages_version%%.*}" = debian:12 ] || ! packages_known libmsgpack-c-dev ||
            msgpack=libmsgpack-c-dev
        echo "gcc libc6-dev cmake ninja-build pkg-config libssh-dev libevent-dev $msgpack libssl-dev libsqlite3-dev libxxhash-dev libyaml-dev libcmocka-dev musl-tools"
        ;;
    # The agent for the other architecture, and to run it here: good to have, not needed.
    cross) echo 'gcc-aarch64-linux-gnu qemu-user-static' ;;
    lab) echo 'openssh-client openssh-server iproute2 util-linux procps' ;;
    # clang's runtime is what it fuzzes with; login shells and sudo are for the bootstrap of the agent; python3
    # reads what is printed for programs.
    tests)
        echo 'clang libclang-rt-dev clang-format mandoc python3 zsh fish tcsh mksh busybox ksh93u+m sudo'
        ;;
    bench) echo 'pdsh clustershell pssh ansible-core' ;;
    *)
        echo "packages: there is no group $1" >&2
        return 2
        ;;
    esac
}

packages_known() {
    [ -n "$(apt-cache madison "$1" 2>/dev/null)" ]
}

packages_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# True if this is Debian 12 and its libssh is one that we do not link.
packages_libssh_old() {
    [ "$packages_id:${packages_version%%.*}" = debian:12 ] || return 1
    for package in libssh-4 libssh-dev; do
        packages_installed "$package" || continue
        version=$(dpkg-query -W -f '${Version}' "$package")
        dpkg --compare-versions "$version" ge "$packages_libssh_floor" || return 0
    done
    return 1
}

# packages_missing GROUP...: what of them is not installed, or too old.
packages_missing() {
    for group; do
        list=$(packages_of "$group") || return 2
        for package in $list; do
            packages_installed "$package" || printf '%s ' "$package"
        done
    done
    ! packages_libssh_old || printf 'libssh-4 libssh-dev '
}

packages_refuse_libssh() {
    cat >&2 <<END
packages: libssh $(dpkg-query -W -f '${Version}' libssh-4) is installed, and muster is not linked with anything
    older than $packages_libssh_floor on Debian 12: a hostile server could forge packets (AES-GCM tag not
    checked) and make the client use freed memory. The cure is Debian's security archive (bookworm-security)
    in /etc/apt/sources.list, and then: apt-get update && apt-get install libssh-4 libssh-dev
END
}

# Where there is no dpkg we can only look for what the packages bring.
packages_look() {
    lacking=
    for tool in cc cmake ninja pkg-config musl-gcc ssh; do
        command -v "$tool" >/dev/null || lacking="$lacking $tool"
    done
    for library in 'libssh >= 0.10.6' libevent_pthreads 'libcrypto >= 3.0' 'sqlite3 >= 3.37' 'yaml-0.1 >= 0.2.5' cmocka; do
        pkg-config --exists "$library" 2>/dev/null || lacking="$lacking '$library'"
    done
    pkg-config --exists msgpack-c 2>/dev/null || pkg-config --exists msgpack 2>/dev/null ||
        lacking="$lacking msgpack-c"
    [ -z "$lacking" ] && return 0
    echo "packages: this is not a Debian, so nothing is installed for you; missing:$lacking" >&2
    echo "    docs/dependencies.md says what they are" >&2
    return 2
}

# packages_apt WORD...: apt-get as root, or says what to type and returns 2.
packages_apt() {
    if [ "${MUSTER_NO_INSTALL:-0}" != 1 ]; then
        if [ "$(id -u)" -eq 0 ]; then
            DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120 "$@"
            return
        elif command -v sudo >/dev/null; then
            # shellcheck disable=SC2086 # a word or none
            sudo ${packages_ask:-} env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120 "$@"
            return
        fi
    fi
    return 2
}

# The lab starts its own sshd. A computer that had none gets no service on port 22 through us.
packages_quiet_sshd() {
    [ -d /run/systemd/system ] || return 0
    if [ "$(id -u)" -eq 0 ]; then
        systemctl disable --now ssh.service ssh.socket >/dev/null 2>&1
    else
        sudo systemctl disable --now ssh.service ssh.socket >/dev/null 2>&1
    fi || :
    echo "packages: openssh-server is there for the lab only; its service on port 22 was switched off" >&2
    echo "    (systemctl enable --now ssh switches it on)" >&2
}

# packages_need GROUP...: installs what is missing. Returns 0, or 2 after saying what to do.
packages_need() {
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        packages_look
        return
    fi
    missing=$(packages_missing "$@") || return 2
    if [ -n "$missing" ]; then
        echo "packages: to be installed: $missing" >&2
        # shellcheck disable=SC2086 # a list of words
        if ! packages_apt update || ! packages_apt install -y --no-install-recommends $missing; then
            echo "packages: not installed. As root, run this and then start again:" >&2
            echo "    apt-get update && apt-get install -y --no-install-recommends $missing" >&2
            return 2
        fi
        case " $missing" in *' openssh-server '*) packages_quiet_sshd ;; esac
    fi
    if packages_libssh_old; then
        packages_refuse_libssh
        return 2
    fi
}

# packages_wish GROUP...: the same for what is good to have: nobody is asked for a password.
packages_wish() {
    packages_ask=-n
    packages_need "$@" || {
        packages_ask=
        return 2
    }
    packages_ask=
}
