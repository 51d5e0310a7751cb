#!/usr/bin/env bash
# root_copy.sh MUSTER FAULTD: copies onto disks that are full, on isolated hosts of the lab and here; and trees of many files.
# E2E_FILES: how many.
# shellcheck disable=SC2016,SC2034,SC2154,SC2317 # $ for the hosts' shells; lib.sh uses what is set here
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/jobs.sh
. "$(dirname "$0")/jobs.sh"
measures_memory_
lab_up 3 --isolated

src=$WORK/src here=$WORK/here
mkdir -p "$src/many" "$here"
head -c 3000000 /dev/urandom >"$src/big"
for i in 1 2 3 4 5 6 7 8; do
    head -c 1500000 /dev/urandom >"$src/many/$i"
done
echo hello >"$src/small"
FULL='No space left on device'

# on_host HOST SHELL-TEXT
on_host() {
    muster invoke -q -H "$1" --shell "$2"
}

# fills HOST: 1 MB of its disk stays free, as what is half full is what takes a copy in the middle.
fills() {
    on_host "$1" 'rm -f fill; dd if=/dev/zero of=fill bs=4k 2>/dev/null; sync; size=$(stat -c %s fill); truncate -s $((size - 1000000)) fill'
}

# leaves_nothing HOST
leaves_nothing() {
    on_host "$1" 'test -z "$(find . /tmp -name ".muster-copy-*")"'
}

case_ 'push: the disk of one host is full: where, what to do, and the others go on'
expect_status 0 muster invoke -H 'h[1-3]' -- true
fills h2
expect_status 5 muster copy "$src/big" -H 'h[1-3]:~/big'
expect_err "^h2: big: $FULL in '/.*': make room there, and copy again"
expect_lines 2 '^h[13]: files=1 .*failed=0'
expect_lines 1 '^h2: files=0 .*failed=1'
expect_status 0 leaves_nothing h2
expect_status 5 on_host h2 'test -e big'
expect_status 0 on_host h2 'test "$(stat -f -c %a .)" -gt 100'

case_ 'the old file stays; what fits is copied; and the same command does the rest when there is room'
expect_status 0 on_host h2 'echo old >big'
expect_status 5 muster copy -r "$src/many" "$src/small" "$src/big" -H 'h2:'
expect_err "many/1: $FULL in '"
expect_lines 1 '^h2: files=1 .*failed=9'
expect_status 0 on_host h2 'grep -qx old big && grep -qx hello small'
expect_status 0 leaves_nothing h2
expect_status 0 on_host h2 'rm fill'
expect_status 0 muster copy "$src/big" -H 'h2:'
expect_out '^h2: files=1 .*failed=0'
expect_status 0 on_host h2 'test "$(stat -c %s big)" -eq 3000000'
expect_status 0 on_host 'h[1-3]' 'rm -rf big small many'

case_ 'a disk that fills up in the middle of a background copy: it has failed, and nothing stays'
fills h1
job_ copy --as-job "$src/big" "$src/small" -H 'h[1-2]:'
expect_status 5 muster wait "$JOB"
expect states_are "$JOB" Failed Completed
expect_status 5 muster receive "$JOB"
expect_err "^h1: big: $FULL in '"
expect_status 0 leaves_nothing h1
expect_status 0 on_host h1 'rm -f fill small'

case_ 'pull: the disk here is full: where, what to do, and nothing half written'
mkdir "$WORK/disk"
mount -t tmpfs -o size=4M none "$WORK/disk" || fail_ 'no file system of its own'
expect_status 0 muster copy "$src/big" "$src/small" -H 'h[1-3]:'
expect_status 5 muster copy --throttle-limit 1 --pull -H 'h[1-3]' big small "$WORK/disk"
expect_err "^h2: big: $FULL in '$WORK/disk/h2': make room there, and copy again"
expect_lines 1 '^h1: files=2 .*failed=0'
expect_lines 2 '^h[23]: files=1 .*failed=1'
expect cmp "$src/big" "$WORK/disk/h1/big"
expect cmp "$src/small" "$WORK/disk/h3/small"
expect test -z "$(find "$WORK/disk" -name '.muster-copy-*')"
mount -o remount,size=20M "$WORK/disk"
expect_status 0 muster copy --pull -H 'h[1-3]' big small "$WORK/disk"
expect_lines 2 '^h[23]: files=1 .*skipped=1 failed=0'
umount "$WORK/disk"
expect_status 0 on_host 'h[1-3]' 'rm -f big small'

# many_ DIR: the tree, in folders of 100.
many_() {
    local i
    for ((i = 0; i < ${E2E_FILES:-3000}; i++)); do
        ((i % 100)) || mkdir -p "$1/d$((i / 100))"
        echo "$i" >"$1/d$((i / 100))/f$i"
    done
}

# peak PID: the most memory that it has had, in kB.
peak() {
    sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status"
}

case_ 'many files, to all hosts and back'
many_ "$src/tree"
pid=$(daemon_pid)
before=$(peak "$pid")
expect test "${before:-0}" -gt 0
LIMIT=600
expect_status 0 on_host 'h[1-3]' 'mkdir many && mount -t tmpfs -o size=2g none many'
expect_status 0 muster copy -r "$src/tree" -H 'h[1-3]:~/many/tree'
expect_lines 3 "files=${E2E_FILES:-3000} .*failed=0"
echo "    push: $TOOK_MS ms"
expect_status 0 muster copy -r "$src/tree" -H 'h1:~/many'
expect_lines 1 "skipped=${E2E_FILES:-3000} failed=0"
expect_status 0 muster copy --pull -r -H h1 many/tree "$here"
expect_out "^h1: files=${E2E_FILES:-3000} .*failed=0"
echo "    pull: $TOOK_MS ms"
expect diff -r "$src/tree" "$here/h1/tree"
after=$(peak "$pid") # the same one: nothing is said of it if it has ended
expect test "${after:-0}" -gt 0
echo "    daemon: $before kB, then $after kB"
# 300 bytes for a name, and what is on its way.
expect test "$((after - before))" -lt $((${E2E_FILES:-3000} * 2 / 3 + 96000))
expect_status 0 on_host 'h[1-3]' 'umount many'

finish_
