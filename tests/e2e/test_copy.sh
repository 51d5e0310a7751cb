#!/usr/bin/env bash
# test_copy.sh MUSTER FAULTD HOSTILE AGENT: files to hosts and from them, through real sshd. The hosts are this computer, so
# that what came can be compared; where one is lost its agent is killed.
# shellcheck disable=SC2016,SC2034,SC2317 # $ for the hosts' shells; lib.sh uses what is set here
. "$(dirname "$0")/lib.sh"
lab_up 3

src=$WORK/src there=$WORK/there here=$WORK/here
mkdir -p "$src" "$there" "$here"
head -c 3000000 /dev/urandom >"$src/big"
echo hello >"$src/small"
: >"$src/empty"
chmod 640 "$src/small"
touch -d '2020-02-03 04:05:06.123456789' "$src/small"

# as_it_was A B: the same mode and time.
as_it_was() {
    [ "$(stat -c '%a %.9Y' -- "$1")" = "$(stat -c '%a %.9Y' -- "$2")" ]
}

# leaves_nothing DIR: no file of ours stayed half written.
leaves_nothing() {
    [ -z "$(find "$1" -name '.muster-copy-*')" ]
}

case_ 'a file into a folder, with mode and time'
expect_status 0 muster copy "$src/small" -H "h1:$there/"
expect_out '^h1: files=1 bytes=6 skipped=0 failed=0 seconds='
expect_silent
expect cmp "$src/small" "$there/small"
expect as_it_was "$src/small" "$there/small"

case_ 'a file under a new name; empty and large ones; a relative source; --dest'
expect_status 0 muster copy "$src/small" -H "h1:$there/other"
expect cmp "$src/small" "$there/other"
expect_status 0 muster copy "$src/big" "$src/empty" -H h1 --dest "$there"
expect cmp "$src/big" "$there/big"
expect cmp "$src/empty" "$there/empty"
in_src() { (cd "$src" && muster "$@"); }
expect_status 0 in_src copy small -H h1 --dest "$there/relative"
expect cmp "$src/small" "$there/relative"

case_ 'what is there already is left alone; --checksum looks at the content'
inode=$(stat -c %i "$there/big")
expect_status 0 muster copy "$src/big" -H "h1:$there"
expect_out '^h1: files=0 bytes=0 skipped=1 '
expect test "$(stat -c %i "$there/big")" = "$inode"
cp -p "$there/big" "$there/keep"
printf "not what was there" | dd of="$there/big" bs=1 seek=1000000 conv=notrunc 2>/dev/null
touch -r "$src/big" "$there/big"
expect_status 0 muster copy "$src/big" -H "h1:$there"
expect_out 'skipped=1'
expect_not cmp -s "$src/big" "$there/big"
expect_status 0 muster copy --checksum "$src/big" -H "h1:$there"
expect_out 'files=1 .*skipped=0'
expect cmp "$src/big" "$there/big"
touch "$there/big"
expect_status 0 muster copy --checksum "$src/big" -H "h1:$there"
expect_out 'files=0 .*skipped=1'
expect as_it_was "$src/big" "$there/big"

case_ 'a folder with all that is in it: links, odd names, empty folders'
tree=$src/tree
mkdir -p "$tree/a/b" "$tree/none" "$tree/"$'new\nline'
echo 1 >"$tree/a/b/1"
echo 2 >"$tree/"$'new\nline/tab\there'
echo 3 >"$tree/"$'no\xffutf8'
echo 4 >"$tree/-dash"
ln -s a/b/1 "$tree/link"
ln -s /nowhere "$tree/dangling"
chmod 750 "$tree/a"
touch -d '2001-01-01' "$tree/a" "$tree/none"
mkdir "$there/t1"
expect_status 0 muster copy -r "$tree" -H "h1:$there/t1"
expect_out 'files=6 .*failed=0'
expect diff -r --no-dereference "$tree" "$there/t1/tree"
expect as_it_was "$tree/a" "$there/t1/tree/a"
expect as_it_was "$tree/none" "$there/t1/tree/none"
expect_status 0 muster copy -r "$tree" -H "h1:$there/new"
expect diff -r --no-dereference "$tree" "$there/new"
expect_status 0 muster copy -r "$tree" -H "h1:$there/new2"
expect_status 0 muster copy -r "$tree" -H "h1:$there/t1"
expect_out 'files=0 .*skipped=6'

case_ 'pull: a folder for each host'
expect_status 0 muster copy --pull "h[1-3]:$src/big" "$here/p1"
for host in h1 h2 h3; do
    expect cmp "$src/big" "$here/p1/$host/big"
    expect as_it_was "$src/big" "$here/p1/$host/big"
done
expect_status 0 muster copy --pull -r -H 'h[1-2]' "$tree" "$src/small" "$here/p2"
expect_lines 2 'files=7 .*failed=0'
expect diff -r --no-dereference "$tree" "$here/p2/h2/tree"
expect as_it_was "$tree/a" "$here/p2/h1/tree/a"
expect_status 0 muster copy --pull -r -H 'h[1-2]' "$tree" "$src/small" "$here/p2"
expect_lines 2 'files=0 .*skipped=7'
printf "not what was there" | dd of="$here/p1/h2/big" bs=1 seek=5 conv=notrunc 2>/dev/null
touch -r "$src/big" "$here/p1/h2/big"
expect_status 0 muster copy --checksum --pull "h[1-3]:$src/big" "$here/p1"
expect_lines 2 'files=0 .*skipped=1'
expect cmp "$src/big" "$here/p1/h2/big"

case_ 'pull: nothing there, more than may be written, a folder without -r'
expect_status 5 muster copy --pull "h[1-2]:$src/missing" "$here/p3"
expect_err '^h1: missing: No such file or directory'
expect_err '2/2 failed'
expect_status 5 muster copy --max-bytes 1M --pull "h1:$src/big" "$here/p4"
expect_err 'big: .*--max-bytes'
expect_not test -e "$here/p4/h1/big"
expect_status 5 muster copy --pull "h1:$tree" "$here/p5"
expect_err 'tree: is a folder'
expect leaves_nothing "$here"

case_ 'usage: before anything runs'
expect_status 2 muster copy "$src/missing" -H "h1:$there"
expect_err "cannot copy '.*/missing': No such file"
expect_status 2 muster copy "$tree" -H "h1:$there"
expect_err "is a folder: use -r"
expect_status 2 muster copy "$src/small" "$there/small" -H "h1:$there"
expect_err "the name 'small'"
expect_status 2 muster copy "$src/small" -H h1
expect_err 'no HOSTS:PATH'
expect_status 2 muster copy "$src/small"
expect_err 'no hosts'
expect_status 2 muster copy -H "h1:$there"
expect_err 'nothing to copy'
expect_status 2 muster copy --pull "h1:$src/small"
expect_err 'where to'
mkfifo "$src/fifo"
expect_status 2 muster copy "$src/fifo" -H "h1:$there"
expect_err 'nothing else is copied'

case_ 'the destination is not as it should be'
expect_status 5 muster copy "$src/small" -H "h1:$there/no/such"
expect_err "^h1: the folder '$there/no': No such file"
expect_status 5 muster copy "$src/small" "$src/empty" -H "h1:$there/small"
expect_err "needs a folder"
mkdir "$there/dir" "$there/dir/small"
expect_status 5 muster copy "$src/small" -H "h1:$there/dir"
expect_err '^h1: small: there is a folder of that name'
mkdir "$there/dir2"
echo file >"$there/dir2/tree"
expect_status 5 muster copy -r "$tree" -H "h1:$there/dir2"
expect_err 'tree: there is something of that name that is no folder'
expect grep -q file "$there/dir2/tree"
mkdir "$there/dir3" "$there/outside"
ln -s ../outside "$there/dir3/tree"
expect_status 5 muster copy -r "$tree" -H "h1:$there/dir3"
expect test -z "$(ls "$there/outside")"
expect leaves_nothing "$there"

case_ 'special files in a folder are left out, and said'
mkfifo "$src/tree/pipe"
expect_status 0 muster copy -r "$tree" -H "h1:$there/special"
expect_err 'tree/pipe: not copied: a FIFO'
expect_not test -e "$there/special/pipe"
expect_status 0 muster copy -r --pull "h1:$tree" "$here/special"
expect_err 'tree/pipe: not copied: a FIFO'
rm "$src/tree/pipe"

case_ 'a file that cannot be read, and one that cannot be written'
if [ "$(id -u)" -eq 0 ]; then
    skip_ 'root may'
else
    mkdir -p "$src/no" "$there/ro"
    echo x >"$src/no/x"
    echo y >"$src/no/y"
    chmod 0 "$src/no/x"
    expect_status 5 muster copy -r "$src/no" -H "h1:$there/noread"
    expect_err 'no/x: Permission denied'
    expect cmp "$src/no/y" "$there/noread/y"
    chmod 500 "$there/ro"
    expect_status 5 muster copy "$src/small" -H "h1:$there/ro"
    expect_err 'small: Permission denied'
fi

case_ 'a file that is too large there: the old one stays, and nothing half written'
echo old >"$there/full"
touch -d 2002-02-02 "$there/full"
agents=$WORK/limited
mkdir "$agents"
if [ -x "$AGENT" ]; then
    printf '#!/bin/sh\nulimit -f 1024\nexec %s\n' "$AGENT" >"$agents/agent"
    chmod 755 "$agents/agent"
    subsystem_ "$agents/agent"
    printf 'session-linger = 0\nagent = subsystem\n' >"$HOME/.config/muster/muster.conf"
    expect_status 5 muster copy "$src/big" -H "h1:$there/full"
    expect_err 'big: File too large'
    expect grep -q old "$there/full"
    expect leaves_nothing "$there"
    printf 'session-linger = 0\nagent = auto\n' >"$HOME/.config/muster/muster.conf"
else
    skip_ 'no agent was given'
fi

case_ 'a job like others: --as-job, get, wait, receive, stop, batches, exit status'
expect_status 0 muster copy --quiet --as-job "$src/big" -H "h[1-3]:$there/job"
job=$(cat "$OUT")
expect_status 0 muster wait "$job"
expect_status 0 muster receive "$job"
expect_lines 3 'files=[01] '
expect_status 0 muster copy --batch 1 --output json "$src/small" -H "h[1-3]:$there/batch"
expect_out '"files":'
expect_status 3 muster copy --batch 1 --max-failures 0 "$src/small" -H "h[1-3]:$there/no/such"
expect_err 'h\[2-3\] \(never-ran.*h1 \(exited 1'
truncate -s 4G "$src/huge"
expect_status 0 muster copy --quiet --as-job "$src/huge" -H "h1:$there/stopped"
job=$(cat "$OUT")
begun_() { [ -n "$(find "$there" -name '.muster-copy-*' -size +1M)" ]; }
expect within 60 begun_
expect_status 0 muster stop "$job"
expect_not test -e "$there/stopped"
ended_() { muster get -o json "$job" 2>/dev/null | grep -q '"state":"Stopped"'; }
expect within 60 ended_
rm -f "$there"/.muster-copy-*

case_ 'a lost link: another one goes on where the first stood'
truncate -s 400M "$src/huge"
# killed_: the agent of the copy; its process ends by itself, and keeps what there is.
killed_() {
    local pid copy
    for copy in $(grep -slxF muster-copy /proc/[0-9]*/comm); do
        copy=${copy#/proc/}
        copy=${copy%/comm}
        grep -slaF "$WORK" "/proc/$copy/environ" /proc/"$copy"/cmdline >/dev/null || ls -l "/proc/$copy/fd" 2>/dev/null | grep -qF "$there" || continue
        pid=$(sed -n 's/^PPid:\t//p' "/proc/$copy/status" 2>/dev/null)
        [ -n "$pid" ] && [ "$pid" -gt 1 ] && kill -KILL "$pid" && return 0
    done
    return 1
}
begun_or_over() {
    begun_ || gone "$PID"
}
# One that was done before it could be lost is begun anew.
for ((try = 0; try < 10; try++)); do
    rm -f "$there/resumed"
    start_ timeout 200 "$MUSTER" -L "$DAEMON" -F "$SSH_CONFIG" copy "$src/huge" -H "h1:$there/resumed"
    expect within 60 begun_or_over
    half=$(find "$there" -name '.muster-copy-*' -exec stat -c %i {} +)
    [ -z "$half" ] || ! killed_ || break
    wait_ "$PID"
done
expect test "$try" -lt 10
wait_ "$PID"
expect test $? -eq 0
expect cmp "$src/huge" "$there/resumed"
expect test "$(stat -c %i "$there/resumed")" = "$half"
expect leaves_nothing "$there"
rm -f "$src/huge" "$there/resumed"

case_ 'a file that changes while it is read'
mkdir "$src/moving"
head -c 200000000 /dev/zero >"$src/moving/log"
grow_() { while :; do echo more >>"$src/moving/log"; done; }
grow_ &
grower=$!
started_ "$grower"
expect_status 5 muster copy "$src/moving/log" -H "h1:$there/moved"
expect_err 'log: it has changed while it was read'
expect_not test -e "$there/moved"
expect_status 5 muster copy --pull "h1:$src/moving/log" "$here/moved"
expect_err 'log: it has changed while it was read'
kill "$grower"
wait "$grower" 2>/dev/null
expect_status 0 muster copy "$src/moving/log" -H "h1:$there/moved"
expect cmp "$src/moving/log" "$there/moved"
expect leaves_nothing "$there"
rm -rf "$src/moving" "$there/moved" "$here/moved"

case_ 'many small files'
mkdir "$src/many"
(cd "$src/many" && for i in $(seq 20); do mkdir "d$i" && (cd "d$i" && seq 1 100 | split -l 1 -a 3 -); done)
expect_status 0 muster copy -r "$src/many" -H "h[1-2]:$there/" --exclude h2
expect_out '^h1: files=2000 '
expect diff -r "$src/many" "$there/many"
expect_status 0 muster copy -r --pull "h1:$src/many" "$here/many"
expect diff -r "$src/many" "$here/many/h1/many"
expect leaves_nothing "$WORK"

finish_
