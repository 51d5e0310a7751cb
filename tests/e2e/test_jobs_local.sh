#!/usr/bin/env bash
# test_jobs_local.sh MUSTER FAULTD: jobs on this computer (muster start).
# shellcheck disable=SC2016,SC2034,SC2153 # $ for the jobs' shells; lib.sh uses and sets the names
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/jobs.sh
. "$(dirname "$0")/jobs.sh"
SSH_CONFIG=none

# said COMMAND...: JOB is the job that muster makes of it; OUT and ERR what it said, STATUS how it ended.
said() {
    SSH_CONFIG=none
    job_ start "$@"
    run muster receive --wait -N "$JOB"
}

case_ 'a job has one child, at localhost, and returns at once'
SSH_CONFIG=none
expect_status 0 muster start -- sh -c "until [ -e '$WORK/go' ]; do sleep 0.02; done; echo done"
expect_ids 1
expect_out '^ *1 +Job1 +Local +Running +False +localhost +'
expect property_is 1 children '[2]'
expect property_is 1 location localhost
expect property_is 2 location localhost
expect property_is 2 parent_id 1
expect state_is 1 Running
: >"$WORK/go"
expect_status 0 muster wait 1
expect_status 0 muster receive 1
expect_text 'localhost: done'

case_ '--quiet gives the id alone, and --name the name'
SSH_CONFIG=none
expect_status 0 muster start --quiet --name 'my job' -- true
expect_text 3
expect property_is 3 name 'my job'
expect property_is 4 name Job4
expect_status 0 muster wait 'MY JOB'
expect_ids 3
expect_status 0 muster start --output json -- true
expect_out '^\[\{"id":5,"parent_id":null,"name":"Job5","type":"Local",'

case_ 'it starts in the directory of who starts it, or in --working-directory'
mkdir "$WORK/here" "$WORK/a b" "$WORK/it's" "$WORK/say \"x\"" "$WORK/\$(touch pwned)" "$WORK/-C"
SSH_CONFIG=none
cd "$WORK/here" || exit 1
said -- pwd
expect_text "$WORK/here"
said -C "../a b" -- pwd
expect_text "$WORK/a b"
cd "$WORK" || exit 1
for directory in "a b" "it's" 'say "x"' '$(touch pwned)' -C; do
    said "--working-directory=$directory" -- pwd
    expect_text "$WORK/$directory"
    said "--working-directory=$directory" --shell 'pwd'
    expect_text "$WORK/$directory"
done
expect test -z "$(find "$WORK" -name pwned)"
cd / || exit 1

case_ 'a working directory that is missing, or no directory: an error, and no job'
SSH_CONFIG=none
last=$JOB
: >"$WORK/file"
expect_status 2 muster start -C "$WORK/missing" -- true
expect_text ''
expect_err "^muster start: --working-directory: $WORK/missing: No such file or directory"
expect_status 2 muster start -C "$WORK/file" -- true
expect_err '--working-directory: .*/file'
expect_status 2 muster start -C '' -- true
expect_err '--working-directory'
said -- true
expect test "$JOB" -eq $((last + 2))

case_ 'a working directory that goes away before it runs: the job is Failed and says why'
# Nobody may be faster than the client and the daemon: a directory that the daemon cannot enter.
if [ "$(id -u)" -eq 0 ]; then
    elsewhere_ agent/test_agent_run.c directory_is_entered 'root may enter every directory'
    skip_ 'root may enter every directory'
else
    mkdir -m 000 "$WORK/closed"
    said -C "$WORK/closed" -- true
    expect test "$STATUS" -ne 0
    expect_err "cannot enter the directory '$WORK/closed'"
fi

case_ 'argv reaches the command as it is'
said -- printf '%s|' 'a b' '' "it's" '"x"' '$HOME' '*' -n $'two\nlines'
expect_text "a b||it's|\"x\"|\$HOME|*|-n|two
lines|"

case_ 'a command that is not there is Failed, exited 127'
said -- "$WORK/no-such-program"
expect test "$STATUS" -eq 5
expect property_is $((JOB + 1)) exit_code 127
expect_err "cannot run '.*no-such-program': not found"

case_ '--shell runs a text'
said --shell 'a="1 2"; for i in $a; do echo "$i"; done; exit 7'
expect_text $'1\n2'
expect test "$STATUS" -eq 5
expect property_is $((JOB + 1)) exit_code 7

case_ '--initialization-script: what it sets holds for the command, in every form'
cat >"$WORK/init.sh" <<'END'
export GREETING="it's"
cd /tmp
hello() { echo "hello $*"; }
END
cat >"$WORK/script" <<'END'
echo "$GREETING in $PWD with $# $1"
END
said --initialization-script "$WORK/init.sh" -- sh -c 'echo "$GREETING in $PWD"'
expect_text "it's in /tmp"
said --initialization-script "$WORK/init.sh" --shell 'hello "$GREETING"'
expect_text "hello it's"
said --initialization-script "$WORK/init.sh" --file-path "$WORK/script" --argument-list 'a b'
expect_text "it's in /tmp with 1 a b"
printf 'exit 3\n' >"$WORK/init.sh"
said --initialization-script "$WORK/init.sh" -- echo never
expect_text ''
expect property_is $((JOB + 1)) exit_code 3
SSH_CONFIG=none
expect_status 2 muster start --initialization-script "$WORK/missing" -- true
expect_err "--initialization-script: $WORK/missing: No such file or directory"

case_ '--file-path: executable or not, with its arguments'
cat >"$WORK/exec me" <<'END'
#!/bin/sh
echo "I am $0"
printf '%s|' "$@"
END
cp "$WORK/exec me" "$WORK/read me"
chmod 755 "$WORK/exec me"
chmod 644 "$WORK/read me"
for file in 'exec me' 'read me'; do
    said --file-path "$WORK/$file" --argument-list 'a b' -a '' -a "it's"
    expect_text "I am $WORK/$file
a b||it's|"
done
# Relative to where we are, wherever the job runs.
cd "$WORK" || exit 1
said --file-path 'read me' --working-directory /tmp
expect_out "^I am $WORK/read me$"
cd / || exit 1
SSH_CONFIG=none
expect_status 2 muster start --file-path "$WORK/missing"
expect_err "--file-path: $WORK/missing: No such file or directory"
expect_status 2 muster start --argument-list x -- true
expect_err '--argument-list goes with --file-path'
expect_status 2 muster start --file-path "$WORK/read me" -- true
expect_err 'exclude one another'
expect_status 2 muster start
expect_err 'no command'

case_ 'both streams, and the way it ended'
said --shell 'echo out; echo err >&2; kill -KILL $$'
expect_text out
expect_out out
expect_err '^err$'
expect_err "localhost \\(job $((JOB + 1))\\): Failed: signalled KILL"
expect test "$STATUS" -eq 3
expect property_is $((JOB + 1)) signal KILL

# pids_in FILE N: as many lines; all_gone FILE: of their processes none lives.
pids_in() {
    [ -e "$1" ] && has_lines "$1" "$2" && each_known_ <"$1" >"$WORK/pids_in"
}

all_gone() {
    local pid
    while read -r pid; do
        gone "$pid" || return 1
    done <"$1"
}

# A job that leaves its session, its parent and its group, and ignores what it can.
cat >"$WORK/tree.sh" <<'END'
echo $$ >>"$1"
sh -c 'echo $$ >>"$1"; sleep 1000; :' sh "$1" &
setsid sh -c 'echo $$ >>"$1"; sleep 1000; :' sh "$1" &
(setsid sh -c 'trap "" HUP INT; echo $$ >>"$1"; sleep 1000; :' sh "$1" &)
nohup sh -c 'echo $$ >>"$1"; sleep 1000; :' sh "$1" >/dev/null 2>&1 &
sleep 1000
:
END

for verb in stop 'remove --force'; do
    case_ "$verb ends it as a whole, with who has left its session"
    SSH_CONFIG=none
    rm -f "$WORK/tree"
    job_ start --file-path "$WORK/tree.sh" --argument-list "$WORK/tree"
    expect within 60 pids_in "$WORK/tree" 5
    # shellcheck disable=SC2086 # two words
    expect_status 0 muster $verb "$JOB"
    expect within 60 all_gone "$WORK/tree"
done

case_ 'stop: TERM first, so that it can clean up; KILL for who does not hear'
SSH_CONFIG=none
job_ start --shell "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done"
expect within 60 property_is "$JOB" has_more_data true
expect_status 0 muster stop "$JOB"
expect_status 0 muster receive -N "$JOB"
expect_text $'ready\nbye'
job_ start --stop-grace 200ms --shell "trap '' TERM; echo ready; while :; do sleep 0.05; done"
expect within 60 property_is "$JOB" has_more_data true
expect_status 0 muster stop "$JOB"
expect state_is "$JOB" Stopped
expect property_is $((JOB + 1)) cause stopped

case_ '--timeout ends it'
said --timeout 300ms -- sleep 1000
expect test "$STATUS" -eq 3
expect_err 'timeout'
expect state_is "$JOB" Failed

# all_are_in STATE FILE: its processes, as /proc says it.
all_are_in() {
    local pid
    while read -r pid; do
        grep -q ") $1 " "/proc/$pid/stat" 2>/dev/null || return 1
    done <"$2"
}

case_ 'suspend halts it as a whole, resume lets it go on'
SSH_CONFIG=none
rm -f "$WORK/tree"
job_ start --file-path "$WORK/tree.sh" --argument-list "$WORK/tree"
expect within 60 pids_in "$WORK/tree" 5
expect_status 0 muster suspend "$JOB"
expect state_is "$JOB" Suspended
expect within 60 all_are_in T "$WORK/tree"
expect_status 0 muster resume "$JOB"
expect state_is "$JOB" Running
expect within 60 all_are_in S "$WORK/tree"
expect_status 0 muster suspend --pass-thru "$JOB"
expect_out ' Suspended '
expect_status 0 muster stop "$JOB"
expect state_is "$JOB" Stopped
expect within 60 all_gone "$WORK/tree"

case_ 'its standard input is empty, and nothing of the daemon is open'
said --shell 'cat; ls -l /proc/self/fd | sed -n "s/.* \([0-9]*\) -> .*/\1/p" | tr "\n" " "'
# And the descriptor of MUSTER_FD.
expect_out '^0 1 2 3 4 ?$'

# tree_ OPTION...: a job with five processes that run.
tree_() {
    SSH_CONFIG=none
    rm -f "$WORK/tree"
    job_ start "$@" --file-path "$WORK/tree.sh" --argument-list "$WORK/tree"
    expect within 60 pids_in "$WORK/tree" 5
}
# is_whole: all of them run still.
is_whole() {
    local pid
    while read -r pid; do
        alive "$pid" || return 1
    done <"$WORK/tree"
}
# goes_on_: the daemon has gone; the next one has the job, Running, and can stop it with all its processes.
goes_on_() {
    expect is_whole
    expect within 60 state_is "$JOB" Running
    expect within 60 state_is $((JOB + 1)) Running
    expect is_whole
    expect_status 0 muster stop "$JOB"
    expect state_is "$JOB" Stopped
    expect within 60 all_gone "$WORK/tree"
}

case_ 'daemon stop: a job goes on, and the next daemon has it'
tree_
daemon=$(daemon_pid)
expect_status 0 muster daemon stop
expect within 60 gone "$daemon"
goes_on_

case_ 'daemon stop: --inline, a job would end with the daemon: refused, and --force ends it and its processes'
tree_
durable=$JOB
mv "$WORK/tree" "$WORK/durable"
tree_ --inline
expect_status 1 muster daemon stop
expect_err '^muster: a job is still running that would end with the daemon: --force'
expect is_whole
daemon=$(daemon_pid)
expect_status 0 muster daemon stop --force
expect within 60 gone "$daemon"
expect within 60 all_gone "$WORK/tree"
expect within 60 state_is "$JOB" Stopped
expect property_is $((JOB + 1)) cause stopped
# The other one was not meant.
mv "$WORK/durable" "$WORK/tree"
JOB=$durable
goes_on_

case_ 'the daemon is killed: a job goes on, and the next daemon has it'
tree_
kill -KILL "$(daemon_pid)"
goes_on_

case_ 'the daemon is killed: what it ran --inline is gone'
tree_ --inline
kill -KILL "$(daemon_pid)"
expect within 60 all_gone "$WORK/tree"
expect within 60 state_is "$JOB" Failed
expect property_is $((JOB + 1)) cause 'link-lost: the daemon ended while it ran'

case_ 'typed results, as of a remote job'
SSH_CONFIG=none
expect_status 0 muster start --quiet --parse json -- echo '[{"n":18446744073709551615},{"n":null}]'
JOB=$(cat "$OUT")
expect_status 0 muster receive --wait --output jsonl "$JOB"
expect_lines 1 '"value":\{"n":18446744073709551615\}\}$'
expect_lines 1 '"value":\{"n":null\}\}$'

case_ 'standard input, a variable and a niceness'
printf 'one\ntwo\n' >"$WORK/in"
said --stdin "$WORK/in" --env 'Q=a b' --nice 3 -- sh -c 'cat; echo "$Q"; [ "$(nice)" -ge 3 ] && echo nice'
expect_text "one
two
a b
nice"

case_ '--idle-timeout ends it'
said --idle-timeout 1 -- sleep 60
expect_err 'timeout: idle'

finish_
