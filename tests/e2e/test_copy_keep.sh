#!/usr/bin/env bash
# test_copy_keep.sh MUSTER FAULTD: copies that are left to the daemon, and daemons that are killed, ended and replaced meanwhile;
# and what is left half written of a source that has changed.
# shellcheck disable=SC2016,SC2034,SC2154,SC2317 # $ for the hosts' shells; lib.sh uses what is set here
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/jobs.sh
. "$(dirname "$0")/jobs.sh"
# shellcheck source=tests/e2e/durable.sh
. "$(dirname "$0")/durable.sh"
lab_up 3
settings_

tree=$WORK/src/tree there=$WORK/there here=$WORK/here
mkdir -p "$tree" "$there" "$here"
for i in 1 2 3 4 5 6 7 8 9; do
    echo "file $i" >"$tree/f$i"
done
truncate -s 600M "$tree/huge"
printf 'the end' >>"$tree/huge"

leaves_nothing() {
    [ -z "$(find "$1" -name '.muster-copy-*')" ]
}

# half_written DIR: the inode of what is there of a file that is on its way.
half_written() {
    find "$1" -name '.muster-copy-*' -size +1M -printf '%i\n' 2>/dev/null
}

begun_() {
    [ -n "$(half_written "$1")" ]
}

# is_at ID DIR: the copy of this child runs, and is at the huge file.
is_at() {
    state_is "$1" Running && begun_ "$2"
}

# ends_ STATUS: the job comes to its end; on a busy computer, and with sanitizers, it is long on its way.
ends_() {
    LIMIT=300
    expect_status "$1" muster wait "$JOB"
}

case_ 'pull: the daemon is killed, and one host has ended, one is at it, one waits: each comes to its end once'
job_ copy --as-job --throttle-limit 1 --pull -r "h[1-3]:$tree" "$here"
expect within 60 is_at $((JOB + 2)) "$here/h2"
half=$(half_written "$here/h2")
expect kill_daemon
expect states_are "$JOB" Completed
ends_ 0
expect states_are "$JOB" Completed Completed Completed
expect kill_daemon
expect_status 0 muster receive "$JOB"
expect_lines 3 'files='
expect_lines 3 ' failed=0 '
expect_out '^h1: files=10 .*skipped=0 '
expect_out '^h3: files=10 .*skipped=0 '
awk -F'[= ]' '/^h2:/ { n = $3 + $7 } END { exit n != 10 }' "$OUT" || fail_ "not 10 files at h2: $(cat "$OUT")"
expect_silent
for host in h1 h2 h3; do
    expect diff -r "$tree" "$here/$host/tree"
done
expect test "$(stat -c %i "$here/h2/tree/huge")" = "$half"
expect leaves_nothing "$here"
expect_status 0 muster receive "$JOB"
expect_text ''
rm -rf "$here"

case_ 'push: the daemon is killed again and again, and it goes on where it stood'
job_ copy --as-job "$tree/huge" -H "h1:$there/pushed"
expect within 60 is_at $((JOB + 1)) "$there"
half=$(half_written "$there")
for round in 1 2 3; do
    expect kill_daemon
    muster get "$JOB" >/dev/null
done
ends_ 0
expect_status 0 muster receive "$JOB"
expect_lines 1 '^h1: files=1 .*skipped=0 failed=0 '
expect_silent
expect cmp "$tree/huge" "$there/pushed"
expect test "$(stat -c %i "$there/pushed")" = "$half"
expect leaves_nothing "$there"
rm -f "$there/pushed"

case_ 'a clean stop lets go of it, and the next daemon goes on'
job_ copy --as-job -r "$tree" -H "h1:$there/stopped"
expect within 60 is_at $((JOB + 1)) "$there/stopped"
pid=$(daemon_pid)
expect_status 0 muster daemon stop
expect within 60 gone "$pid"
ends_ 0
expect_status 0 muster receive "$JOB"
expect_lines 1 '^h1: files='
awk -F'[= ]' '/^h1:/ { n = $3 + $7 } END { exit n != 10 }' "$OUT" || fail_ "not 10 files: $(cat "$OUT")"
expect diff -r "$tree" "$there/stopped"
expect leaves_nothing "$there"
rm -rf "$there/stopped"

has_said() {
    muster receive --keep "$1" 2>&1 | grep -q "$2"
}

case_ 'what was said of a file before the kill is not said again'
mkdir -p "$there/some/f3"
job_ copy --as-job "$tree"/f[1-5] "$tree/huge" -H "h1:$there/some"
expect within 60 has_said "$JOB" 'f3: there is a folder of that name'
expect within 60 begun_ "$there/some"
expect kill_daemon
ends_ 5
expect_status 5 muster receive "$JOB"
expect_lines 1 '^h1: files=.* failed=1 '
expect test "$(grep -c 'f3: there is a folder' "$ERR")" -eq 1
expect property_is $((JOB + 1)) exit_code 1
expect cmp "$tree/huge" "$there/some/huge"
expect leaves_nothing "$there"

case_ 'suspended before the kill: suspended after it, and it goes on when it is resumed'
rm -rf "$there/some"
job_ copy --as-job "$tree/huge" -H "h1:$there/halted"
expect within 60 is_at $((JOB + 1)) "$there"
expect_status 0 muster suspend "$JOB"
expect within 60 state_is $((JOB + 1)) Suspended
expect kill_daemon
expect within 60 state_is $((JOB + 1)) Suspended
expect_not test -e "$there/halted"
expect_status 0 muster resume "$JOB"
ends_ 0
expect cmp "$tree/huge" "$there/halted"
expect leaves_nothing "$there"
rm -f "$there/halted"

case_ 'the host is away when the daemon comes back: Disconnected, and said why; then it goes on'
job_ copy --as-job "$tree/huge" -H "h1:$there/away"
expect within 60 is_at $((JOB + 1)) "$there"
away_
expect kill_daemon
expect within 60 state_is $((JOB + 1)) Disconnected
back_
ends_ 0
expect cmp "$tree/huge" "$there/away"
expect leaves_nothing "$there"
rm -f "$there/away"

case_ 'a source that has changed since the daemon was killed is copied as it is now, and nothing of the old one stays'
job_ copy --as-job "$tree/huge" -H "h1:$there/changed"
expect within 60 is_at $((JOB + 1)) "$there"
expect kill_daemon
printf 'another end' >>"$tree/huge"
ends_ 0
expect cmp "$tree/huge" "$there/changed"
expect leaves_nothing "$there"
rm -f "$there/changed"

case_ 'a copy that was stopped leaves what it has; with another source the next one removes it, and no other'
job_ copy --as-job "$tree/huge" -H "h1:$there/later"
expect within 60 is_at $((JOB + 1)) "$there"
expect_status 0 muster stop "$JOB"
expect within 60 is_finished "$JOB"
expect begun_ "$there"
: >"$there/.muster-copy-not-ours"
expect_status 0 muster copy "$tree/f1" -H "h1:$there/f1"
expect begun_ "$there"
printf 'once more' >>"$tree/huge"
expect_status 0 muster copy "$tree/huge" -H "h1:$there/later"
expect cmp "$tree/huge" "$there/later"
expect test "$(find "$there" -name '.muster-copy-*')" = "$there/.muster-copy-not-ours"

case_ 'stop, and remove, of one that a killed daemon has left'
job_ copy --as-job "$tree/huge" -H "h1:$there/ended"
expect within 60 is_at $((JOB + 1)) "$there"
expect kill_daemon
expect_status 0 muster stop "$JOB"
expect within 60 state_is $((JOB + 1)) Stopped
expect kill_daemon
expect state_is $((JOB + 1)) Stopped
expect_status 0 muster remove "$JOB"
expect_not test -e "$there/ended"

finish_
