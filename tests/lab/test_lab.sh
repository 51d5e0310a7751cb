#!/usr/bin/env bash
# Exercises the lab: plain, as root also plain as another user, isolated, two at once, and crashes.
# Whatever a lab leaves behind is a failure.
# shellcheck disable=SC2016 # what stands in single quotes is for the host
set -u
LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lab/test_lib.sh
. "$here/test_lib.sh"
lab=$here/lab
work=$(mktemp -d)
dir=$work/lab
unset MUSTER_LAB
innocent=
nap=4321.$$ # seconds that nobody else sleeps: other tests, and others of this one, run at the same time

finish() {
    [ -z "$innocent" ] || kill "$innocent" 2>/dev/null
    "$lab" -d "$dir" down >/dev/null 2>&1
    "$lab" -d "$work/second" down >/dev/null 2>&1
    rm -rf "$work"
}
trap finish EXIT

# try VERB...: the lab's answer in $work/out, its exit status in STATUS.
try() {
    "$lab" -d "$dir" "$@" >"$work/out" 2>&1
    STATUS=$?
}

# succeeds NAME VERB..., refuses NAME STATUS TEXT VERB...
succeeds() {
    local name=$1
    shift
    try "$@"
    check "$name" equal 0 "$STATUS" || true
    [ "$STATUS" -eq 0 ] || sed 's/^/  /' "$work/out"
}

refuses() {
    local name=$1 status=$2 text=$3
    shift 3
    try "$@"
    check "$name: exit status" equal "$status" "$STATUS"
    check "$name: says why" says "$text" "$work/out"
}

# on HOST COMMAND: as a client does. silence_of HOST: what one says that gets no answer, which takes two seconds.
on() {
    timeout 120 ssh -F "$dir/ssh_config" -o BatchMode=yes -o ConnectTimeout="${PATIENCE:-60}" "$1" "$2" </dev/null
}

silence_of() {
    PATIENCE=2 on "$1" true 2>&1
}

status_of() {
    "$lab" -d "$dir" status | sed -n "s/^$1 //p"
}

# proc_of PID: prints it with the time when it began, as the number alone is somebody else's soon.
proc_of() {
    local stat
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return
    stat=${stat##*) }
    # shellcheck disable=SC2086 # words
    set -- "$1" $stat
    [ "$2" = Z ] || echo "$1 ${21}"
}

# Remembers what must be gone after 'down': all that lives in the lab's namespaces. Not their numbers, as another lab gets
# the same when they are free.
remember() {
    local mark path namespaces
    mark=$(cat "$dir/state/mark")
    namespaces=$(
        # shellcheck disable=SC2013 # one path a line
        for path in $(grep -slzxF "MUSTER_LAB_MARK=$mark" /proc/[0-9]*/environ); do
            readlink "${path%environ}"ns/{net,mnt,pid,uts,ipc}
        done | sort -u | grep -vxF "$(readlink /proc/self/ns/{net,mnt,pid,uts,ipc})"
    )
    INHABITANTS=
    [ -z "$namespaces" ] || INHABITANTS=$(
        find /proc/[0-9]*/ns -maxdepth 1 -type l -printf '%h %l\n' 2>/dev/null | grep -F "$namespaces" |
            cut -d/ -f3 | sort -u | while read -r path; do proc_of "$path"; done
    )
}

# The pattern comes from a file, as the search would find itself otherwise.
no_process() {
    echo "$dir" >"$work/pattern"
    not grep -qszF -f "$work/pattern" /proc/[0-9]*/environ /proc/[0-9]*/cmdline
}

no_inhabitant() {
    local pid since
    while read -r pid since; do
        [ -z "$pid" ] || [ "$(proc_of "$pid")" != "$pid $since" ] || return 1
    done <<<"$INHABITANTS"
}

no_mount() {
    not grep -qsF -- " $dir" /proc/[0-9]*/mountinfo
}

# Its name comes from that of the directory (isolated.sh).
no_interface() {
    local sum
    sum=$(printf %s "$dir" | sha256sum)
    [ ! -e "/sys/class/net/mlab${sum:0:8}" ] && [ ! -e "/sys/class/net/ulab${sum:0:8}" ]
}

check_nothing_left() {
    check "$1: no directory" test ! -e "$dir"
    check "$1: no process" within 60 no_process
    check "$1: nothing in its namespaces" within 60 no_inhabitant
    check "$1: no mount" within 60 no_mount
    check "$1: no interface" within 60 no_interface
}

down_leaves_nothing() {
    remember
    succeeds "$1: down" down
    check_nothing_left "$1"
}

test_plain() {
    local port
    refuses 'status without a lab' 3 'no lab is up' status
    refuses 'hosts without a lab' 1 'no lab is up' hosts
    succeeds 'down without a lab' down
    succeeds 'plain: up 20' up 20
    check 'plain: one line for people' equal 1 "$(wc -l <"$work/out")"
    check 'plain: the directory is private' equal 700 "$(stat -c %a "$dir")"
    for host in h1 h16 h17 h20; do
        check "plain: ssh to $host" equal "in $host" "$(on "$host" "echo in $host")"
    done
    check 'plain: addresses differ' differ "$(on h1 'echo $SSH_CONNECTION' | cut -d' ' -f3)" \
        "$(on h20 'echo $SSH_CONNECTION' | cut -d' ' -f3)"
    port=$(sed -n 's/^LAB_PORT=//p' "$dir/env")
    check 'plain: listens on 127.77.x.y and nowhere else' equal 20 \
        "$(cat /proc/net/tcp /proc/net/tcp6 | grep -c "$(printf ':%04X .* 0A ' "$port")")"
    check 'plain: env' equal 20 "$(sed -n 's/^LAB_COUNT=//p' "$dir/env")"
    check 'plain: list of hosts' equal h20 "$(tail -n 1 "$dir/hosts")"
    check 'plain: host expression' equal 'h[1-20]' "$("$lab" -d "$dir" hosts)"
    check 'plain: dir from the environment' equal "$dir" "$(MUSTER_LAB=$dir "$lab" dir)"
    refuses 'plain: a second up' 1 'lab -d '"$dir"' down' up 3
    refuses 'plain: cut' 1 'works on isolated hosts only' cut h1
    refuses 'plain: unknown host' 1 "'h21' is no host" server-stop h21
    test_plain_server
    on h3 "setsid sleep $nap >/dev/null 2>&1 </dev/null & exit"
    down_leaves_nothing plain
}

test_plain_server() {
    succeeds 'plain: server-stop' server-stop
    check 'plain: a stopped server refuses' says 'Connection refused' <(on h20 true 2>&1)
    try status
    check 'plain: status says so' says 'servers stopped' "$work/out"
    succeeds 'plain: server-start' server-start h1
    check 'plain: a started server answers' equal in "$(on h20 'echo in')"
}

test_usage() {
    refuses 'no number' 2 'wants one number' up
    refuses 'number 0' 2 'not a number of hosts' up 0
    refuses 'not a number' 2 'not a number of hosts' up three
    refuses 'too many' 2 'at most 2000' up 2001
    refuses 'unknown verb' 2 'is not a verb' explode
    refuses 'unknown option' 2 'is not an option' --explode
    mkdir "$dir"
    : >"$dir/precious"
    refuses 'a directory with other files' 1 'not of a lab' up 1
    refuses 'nor does down touch it' 1 'not of a lab' down
    check 'its files are kept' test -e "$dir/precious"
    rm -r "$dir"
    ln -s "$work" "$dir"
    refuses 'a symbolic link' 1 'symbolic link' up 1
    rm "$dir"
    dir="$work/a b" refuses 'a name with a space' 1 'choose another' up 1
    dir="$work/none/lab" refuses 'no parent' 1 'parent' up 1
}

# runs SECONDS: is there a "sleep SECONDS"? Not: a shell or client that is about to run it.
runs() {
    grep -qszxF -f <(echo "$1") /proc/[0-9]*/cmdline
}

# Servers killed under a session that runs on, its command detached from everything.
test_plain_crash() {
    local pid
    succeeds 'crash: up' up 18
    on h18 "setsid sleep $nap >/dev/null 2>&1 </dev/null & sleep $nap" 2>/dev/null &
    within 60 runs "$nap"
    remember
    for pid in $(lab_pids); do
        kill -KILL "$pid" 2>/dev/null
    done
    refuses 'crash: status' 3 crashed status
    refuses 'crash: verbs' 1 'no lab is up' server-stop
    succeeds 'crash: up on the ruins' up 2
    check 'crash: it works' equal in "$(on h2 'echo in')"
    check 'crash: it is another lab' test ! -e "$dir/sshd/1.conf"
    down_leaves_nothing crash
    wait
}

# The processes that hold the lab up: the keeper, or the listening servers.
lab_pids() {
    if [ -e "$dir/state/keeper" ]; then
        cut -d' ' -f1 "$dir/state/keeper"
    else
        cat "$dir"/sshd/*.pid
    fi
}

# A process that got the number of one of ours must live.
test_reused_pid() {
    succeeds 'reused pid: up' up 1
    sleep 5432 &
    innocent=$!
    remember
    for pid in $(lab_pids); do
        kill -KILL "$pid"
    done
    [ ! -e "$dir/state/keeper" ] || echo "$innocent 1" >"$dir/state/keeper"
    for file in "$dir"/sshd/*.pid; do
        echo "$innocent" >"$file"
    done
    succeeds 'reused pid: down' down
    check_nothing_left 'reused pid'
    check 'reused pid: the innocent lives' kill -0 "$innocent"
    kill "$innocent"
    innocent=
}

# 'up' killed as soon as a file has appeared.
test_half_up() {
    local file=$1 pid
    shift
    setsid "$lab" -d "$dir" up "$@" >/dev/null 2>&1 &
    pid=$!
    # shellcheck disable=SC2086 # a pattern
    within 60 compgen -G "$dir/$file" >/dev/null
    kill -KILL "$pid"
    wait "$pid" 2>/dev/null
    INHABITANTS=
    succeeds "up $* killed at $file: down" down
    check_nothing_left "up $* killed at $file"
}

test_interrupted_up() {
    local pid
    setsid "$lab" -d "$dir" up 200 >/dev/null 2>&1 &
    pid=$!
    within 60 test -e "$dir/id_ed25519.pub"
    kill -TERM "$pid"
    wait "$pid"
    INHABITANTS=
    check_nothing_left 'up ended by SIGTERM'
}

fact() {
    on "$1" "cat $2"
}

test_isolation() {
    local file
    succeeds 'isolated: up 4' up --isolated 4
    for host in h1 h2 h4; do
        check "isolated: ssh to $host" equal "$host" "$(on "$host" 'cat /proc/sys/kernel/hostname')"
    done
    for file in /etc/machine-id /proc/sys/kernel/random/boot_id; do
        check "isolated: $file differs" differ "$(fact h1 $file)" "$(fact h2 $file)"
        check "isolated: $file is not the real one" differ "$(fact h1 $file)" "$(cat $file)"
    done
    check 'isolated: the home is empty' equal '' "$(on h1 'ls -A')"
    check 'isolated: few processes are to be seen' within 60 few_are_seen
    check 'isolated: interfaces of its own' equal 'eth0 lo' "$(on h1 'cd /sys/class/net && echo *')"
    on h1 'echo one >~/file; echo one >/tmp/file; echo one >/var/tmp/file'
    check 'isolated: files of its own' equal none "$(on h2 'cat ~/file /tmp/file /var/tmp/file 2>/dev/null || echo none')"
    check 'isolated: the system cannot be changed' not on h1 'touch /etc/lab-was-here /lab-was-here' 2>/dev/null
    check 'isolated: /tmp is not ours' test ! -e /tmp/file
    check 'isolated: hosts know each other' says h2 <(on h1 'getent hosts h2')
    check 'isolated: sshd of its own key' differ "$(cut -d' ' -f3 "$dir/known_hosts" | sed -n 1p)" \
        "$(cut -d' ' -f3 "$dir/known_hosts" | sed -n 2p)"
}

# Those of logins before may still be about to end.
few_are_seen() {
    [ "$(on h1 'ls -d /proc/[0-9]*' | wc -l)" -lt 10 ]
}

test_cut() {
    succeeds 'cut h1' cut h1
    check 'cut: silence' says 'timed out' <(silence_of h1)
    check 'cut: only that host' equal in "$(on h2 'echo in')"
    check 'cut: status' equal cut "$(status_of h1)"
    succeeds 'mend h1' mend h1
    check 'mend: it answers' within 60 on h1 true
    check 'mend: status' equal up "$(status_of h1)"
}

test_fill() {
    succeeds 'fill h2' fill h2
    for place in '~' /tmp /var/tmp; do
        check "fill: no space in $place" says 'No space left' <(on h2 "echo x >$place/new" 2>&1)
    done
    check 'fill: only that host' on h1 'echo x >~/new'
    check 'fill: status' equal full "$(status_of h2)"
    succeeds 'drain h2' drain h2
    check 'drain: space in home' on h2 'echo x >~/new'
}

test_kill_and_reboot() {
    local machine boot client
    machine=$(fact h3 /etc/machine-id)
    boot=$(fact h3 /proc/sys/kernel/random/boot_id)
    on h3 'echo kept >~/kept; echo lost >/tmp/lost; setsid sleep '"$nap"' >/dev/null 2>&1 </dev/null &'
    succeeds 'kill h3' kill h3
    check 'kill: silence' says 'timed out' <(silence_of h3)
    check 'kill: status' equal down "$(status_of h3)"
    check 'kill: all its processes are gone' within 60 not runs "$nap"
    refuses 'kill: enter a dead host' 1 'lab reboot h3' enter h3 -- true
    refuses 'kill: cut a dead host' 1 'lab reboot h3' cut h3
    succeeds 'reboot h3, a dead host' reboot h3
    check 'reboot: it answers' on h3 true
    check 'reboot: same machine id' equal "$machine" "$(fact h3 /etc/machine-id)"
    check 'reboot: another boot id' differ "$boot" "$(fact h3 /proc/sys/kernel/random/boot_id)"
    check 'reboot: home stays' equal kept "$(on h3 'cat ~/kept')"
    check 'reboot: /tmp does not' not on h3 'test -e /tmp/lost'
    timeout 60 ssh -F "$dir/ssh_config" h4 "sleep $nap" </dev/null &
    client=$!
    within 60 runs "$nap"
    succeeds 'reboot h4 h1, live hosts' reboot h4 h1
    check 'reboot: all its processes are gone' within 60 not runs "$nap"
    kill "$client"
    wait "$client"
    check 'reboot: h4 answers' on h4 true
    check 'reboot: h1 answers' on h1 true
}

test_server_and_enter() {
    succeeds 'server-stop h4' server-stop h4
    check 'server-stop: refused' says 'Connection refused' <(on h4 true 2>&1)
    check 'server-stop: status' equal server-stopped "$(status_of h4)"
    check 'server-stop: only that host' on h1 true
    try enter h4 -- sh -c 'cat /proc/sys/kernel/hostname; exit 7'
    check 'enter: the status of the command' equal 7 "$STATUS"
    check 'enter: in the host' equal h4 "$(cat "$work/out")"
    succeeds 'server-start h4' server-start h4
    check 'server-start: it answers' on h4 true
    refuses 'isolated: no host' 2 'wants a host' cut
    refuses 'isolated: unknown host' 1 "'h5' is no host" cut h1 h5
}

test_two_labs() {
    local first=$dir
    dir=$work/second
    succeeds 'second lab: up' up --isolated 2
    check 'second lab: answers' equal h2 "$(on h2 'cat /proc/sys/kernel/hostname')"
    down_leaves_nothing 'second lab'
    dir=$first
    check 'second lab: the first is unharmed' equal in "$(on h2 'echo in')"
}

test_isolated() {
    test_isolation
    test_cut
    test_fill
    test_kill_and_reboot
    test_server_and_enter
    test_two_labs
    succeeds 'isolated: leave all in disorder' cut h1
    succeeds 'isolated: leave all in disorder' kill h2
    succeeds 'isolated: leave all in disorder' fill h3
    down_leaves_nothing isolated

    succeeds 'isolated crash: up' up --isolated 3
    remember
    kill -KILL "$(cut -d' ' -f1 "$dir/state/keeper")"
    within 60 no_process
    refuses 'isolated crash: status' 3 crashed status
    succeeds 'isolated crash: up on the ruins' up --isolated 2
    down_leaves_nothing 'isolated crash'
    for file in .muster-lab state/net state/keeper state/ready 'keys/h2.pub' known_hosts; do
        test_half_up "$file" --isolated 6
    done
}

# The plain lab again, as a user without rights: an account that only this test's mount
# namespace knows.
test_as_user() {
    local copy=$work/user
    mkdir "$copy" "$copy/home" "$copy/tmp"
    cp -r "$here" "$copy/code"
    cp /etc/passwd "$copy/passwd"
    echo "labtest:x:54321:54321::$copy/home:/bin/sh" >>"$copy/passwd"
    chmod 755 "$work"
    chown -R 54321:54321 "$copy"
    unshare --mount sh -c 'mount -n --bind "$1/passwd" /etc/passwd && exec setpriv --reuid 54321 \
        --regid 54321 --clear-groups env HOME="$1/home" TMPDIR="$1/tmp" bash "$1/code/test_lab.sh"' \
        sh "$copy" >"$work/user.out" 2>&1
    STATUS=$?
    sed 's/^/as user: /' "$work/user.out"
    check 'the plain lab as a user without rights' equal 0 "$STATUS"
}

# apart SCRIPT: runs it where $1 is the lab, $2 the directory, $3 a work directory, $4 a time to sleep, in a
# mount namespace of its own with an empty /run.
apart() {
    unshare --mount sh -c "mount -n -t tmpfs test /run && $1" sh "$lab" "$dir" "$work" "$nap" \
        >"$work/out" 2>&1
    STATUS=$?
}

# As in most containers: root may not make namespaces.
test_without_namespaces() {
    apart 'exec setpriv --bounding-set -sys_admin --inh-caps -sys_admin sh -c "
        $1 -d $2 up 2 && test -d /run/sshd &&
        ssh -F $2/ssh_config h2 \"setsid sleep $4 >/dev/null 2>&1 </dev/null & echo in\" &&
        $1 -d $2 server-stop && $1 -d $2 server-start && ssh -F $2/ssh_config h2 true &&
        $1 -d $2 down && test ! -e /run/sshd"'
    check 'without namespaces: works' equal 0 "$STATUS"
    check 'without namespaces: says so' says 'namespaces are forbidden here' "$work/out"
    check 'without namespaces: a login' says in "$work/out"
    check 'without namespaces: what a login started is gone' within 60 not runs "$nap"
    INHABITANTS=
    check_nothing_left 'without namespaces'
}

test_accounts() {
    apart 'sed "s/^root:[^:]*/root:!/" /etc/shadow >"$3/shadow" &&
        mount -n --bind "$3/shadow" /etc/shadow && exec "$1" -d "$2" up 1'
    check 'locked account: refused' equal 1 "$STATUS"
    check 'locked account: says so' says 'account root is locked' "$work/out"
    apart 'sed "/^root:/s,[^:]*$,/usr/sbin/nologin," /etc/passwd >"$3/passwd" &&
        mount -n --bind "$3/passwd" /etc/passwd && exec "$1" -d "$2" up 1'
    check 'no login shell: refused' equal 1 "$STATUS"
    check 'no login shell: says so' says 'no command can run' "$work/out"
}

# Where the directory and the programs lie in what the lab covers: the home and /run. Names of interfaces come from that
# of the directory, and this test may run twice at a time.
test_covered_places() {
    apart 'mount -n -t tmpfs test ~ && cp -r "${1%/*}" ~/code && for dir in ~/lab$4 /run/lab$4; do
        for kind in "" --isolated; do
            ~/code/lab -d $dir up $kind 2 && ssh -F $dir/ssh_config h2 true &&
            ~/code/lab -d $dir server-stop h2 && ~/code/lab -d $dir server-start h2 &&
            ssh -F $dir/ssh_config h2 true && ~/code/lab -d $dir down || exit 1
        done
    done && test "$(ls -A ~ /run | xargs)" = "/root: code /run:"'
    check 'programs and directory in home, directory in /run' equal 0 "$STATUS"
    [ "$STATUS" -eq 0 ] || sed 's/^/  /' "$work/out"
}

test_usage
test_plain
test_plain_crash
test_reused_pid
test_interrupted_up
for file in .muster-lab id_ed25519 env 'sshd/0.pid'; do
    test_half_up "$file" 40
done
if [ "$(id -u)" -ne 0 ]; then
    refuses 'isolated without root' 1 'needs root' up --isolated 2
    skip 'isolated hosts: cut, mend, kill, reboot, fill, drain, enter, server-stop' 'not root'
    skip 'two labs at once' 'not root'
    skip 'root without namespaces; locked accounts; directories in home and /run' 'not root'
    skip 'the plain lab as another user' 'not root'
elif ! unshare --mount --pid --net --fork true 2>/dev/null; then
    skip 'isolated hosts: cut, mend, kill, reboot, fill, drain, enter, server-stop' 'namespaces are forbidden here'
    skip 'two labs at once' 'namespaces are forbidden here'
    skip 'root without namespaces; locked accounts; directories in home and /run' 'namespaces are forbidden here'
    skip 'the plain lab as another user' 'namespaces are forbidden here'
else
    test_isolated
    test_without_namespaces
    test_accounts
    test_covered_places
    test_as_user
fi
verdict
