#!/bin/sh
# quickstart.sh [-n HOSTS]: installs what is missing, builds muster, starts a lab of real SSH servers on this
# computer, shows muster at work on them, and takes the lab down. Leaves only build/ behind.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
. deploy/packages.sh

hosts=20
build=$root/build/release
lab_dir=$root/build/quickstart
lab_up=0

usage() {
    echo "usage: sh deploy/quickstart.sh [-n HOSTS]    (10 to 200 hosts, 20 unless given)"
}

say() {
    printf '\n== %s\n' "$1"
}

fail() {
    printf 'quickstart: %s\n' "$1" >&2
    exit 1
}

cleanup() {
    status=$?
    trap - EXIT
    trap '' INT TERM HUP
    set +e
    if [ "$lab_up" -eq 1 ]; then
        say 'Taking everything down'
        if [ -x "$build/muster" ]; then
            # The hosts of an ordinary user have the real home: the agent that came there goes again.
            "$build/muster" -L "$daemon" -F "$lab_dir/ssh_config" agent remove -H h1 >/dev/null 2>&1
            "$build/muster" -L "$daemon" daemon stop --force >/dev/null 2>&1
        fi
        if tests/lab/lab -d "$lab_dir" down; then
            rm -rf "$lab_dir"
        else
            status=1
        fi
    fi
    [ "$status" -eq 0 ] || printf 'quickstart: ended with status %d\n' "$status" >&2
    exit "$status"
}

# show EXPECTED LINE: prints a command line, runs it, and insists on its exit status.
show() {
    printf '\n$ %s\n' "$2"
    status=0
    eval "$2" || status=$?
    [ "$1" -eq 0 ] || printf '[exit status %d]\n' "$status"
    [ "$status" -eq "$1" ] || fail "that should have ended with exit status $1, not $status; please report it"
}

build_release() {
    say 'Building (build/release)'
    mkdir -p build
    generator=Ninja
    [ ! -f "$build/CMakeCache.txt" ] || generator=
    if ! { cmake --preset release ${generator:+-G "$generator"} &&
        cmake --build --preset release --target muster --parallel "$(nproc)"; } \
        >build/quickstart.log 2>&1; then
        tail -40 build/quickstart.log >&2
        fail 'the build failed; all of its output is in build/quickstart.log'
    fi
    "$build/muster" --version || fail "$build/muster does not start"
}

bring_up() {
    say "A lab of $hosts real sshd hosts on this computer (tests/lab/lab, docs/lab.md)"
    lab_up=1
    tests/lab/lab -d "$lab_dir" up "$hosts"
    # So that the lines below can be read, and typed again.
    PATH=$build:$PATH
    lab=$lab_dir/ssh_config
    printf "\n\$ lab=%s PATH=%s:\$PATH\n" "$lab" "$build"
}

demonstrate() {
    say 'One command on all of them'
    show 0 "muster -F \$lab -L $daemon invoke -H 'h[1-$hosts]' -- uname -sr"

    say 'One that fails on some (those whose address ends in 3): the verdict, and exit status 5'
    show 5 "muster -F \$lab -L $daemon invoke -H 'h[1-$hosts]' --shell 'set -- \$SSH_CONNECTION; case \$3 in *3) echo disk full >&2; exit 7;; esac; echo fine'"

    say 'Typed results: rows with columns, for people'
    show 0 "muster -F \$lab -L $daemon invoke -H 'h[1-3]' --parse table --output table -- df -P /"

    say 'and for programs: one JSON object a line, with numbers that are numbers'
    show 0 "muster -F \$lab -L $daemon invoke -H 'h[1-2]' --parse table --output jsonl -- df -P /"

    say 'What runs the commands there: an agent that muster has brought'
    show 0 "muster -F \$lab -L $daemon agent get -H 'h[1-3]'"

    say 'The jobs so far'
    show 0 "muster -L $daemon get --all"
}

next_steps() {
    cat <<END

== Next, on your own hosts (muster reads your ~/.ssh/config and known_hosts, as ssh does)

    PATH=$build:\$PATH
    muster invoke -H 'web[01-40],db1' -- uptime
    muster invoke -H 'web[01-40]' -x web07 --throttle-limit 10 --timeout 30 -- systemctl is-active nginx
    muster invoke -H ^hosts.txt --parse table -- df -P /
    muster invoke -H ^hosts.txt --parse kv --output jsonl -- cat /etc/os-release
    muster get --all
    muster invoke --help        man docs/man/muster.1
END
}

while [ $# -gt 0 ]; do
    case $1 in
    -n)
        hosts=${2:-}
        [ $# -lt 2 ] || shift
        ;;
    -h | --help)
        usage
        exit 0
        ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
    shift
done
case $hosts in
'' | *[!0-9]*) hosts=0 ;;
esac
if [ "$hosts" -lt 10 ] || [ "$hosts" -gt 200 ]; then
    usage >&2
    exit 2
fi

daemon=quickstart-$$
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

say 'What has to be installed'
packages_need build lab || exit 2
echo 'all there'
build_release
bring_up
demonstrate
next_steps
