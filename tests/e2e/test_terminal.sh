#!/usr/bin/env bash
# test_terminal.sh MUSTER FAULTD: what is different on a terminal: colours, the progress line, and what
# comes from a host made harmless. script(1) plays the terminal.
# shellcheck disable=SC2016,SC2317 # single quotes are for the host; expect calls functions
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
lab_up 5
red=$'\033\\[31m' blue=$'\033\\[34m' plain=$'\033\\[0m' clear=$'\r\033\\[K' erase=$'\033\\[K'

if ! command -v script >/dev/null; then
    case_ 'on a terminal'
    skip_ 'no script(1)'
    finish_
fi

quoted() {
    printf '%q ' "$@"
}
MUSTER_WORDS=$(quoted "$MUSTER" -L "$DAEMON" -F "$SSH_CONFIG")

# on_tty SHELL-TEXT: runs the text on a terminal of its own, whose output becomes OUT; $m is muster.
on_tty() {
    timeout -k 5 "$LIMIT" script -qec \
        "stty cols 80 rows 24; m() { $MUSTER_WORDS \"\$@\"; }; $1" /dev/null
}

# shown FILE: the lines that stay on the screen, without what was there and was wiped.
shown() {
    sed -e "s/.*$clear//" -e 's/\r$//' "$1"
}

# progress FILE: each state of the progress line.
progress() {
    tr '\r' '\n' <"$1" | sed -n "s/^$erase//p" | grep -a ' done'
}

no_progress() {
    ! grep -aq ' done' "$1"
}

case_ 'labels are coloured, by the stream'
expect_status 0 on_tty "m invoke -H h1 -- sh -c 'echo out; echo err >&2'"
expect_out "^(.*$clear)?${blue}h1:$plain out"
expect_out "^(.*$clear)?${red}h1:$plain err"

case_ 'who decides about colour'
# coloured YES ENVIRONMENT OPTIONS: are labels coloured on a terminal?
coloured() {
    expect_status 0 on_tty "env $2 $MUSTER_WORDS $3 invoke -H h1 -- echo out"
    if [ "$1" = yes ]; then
        expect_out "${blue}h1:$plain out"
    else
        expect_out '(^|K)h1: out'
        expect_no_out "$blue"
    fi
}
coloured yes '' ''
coloured no NO_COLOR=1 ''
coloured yes NO_COLOR= ''
coloured no CLICOLOR=0 ''
coloured no TERM=dumb ''
coloured yes 'CLICOLOR=0 CLICOLOR_FORCE=1' ''
coloured no 'NO_COLOR=1 CLICOLOR_FORCE=1' ''
coloured no '' --color=never
coloured no CLICOLOR_FORCE=1 '--colour never'
coloured yes NO_COLOR=1 --color=always
coloured yes TERM=dumb --color=always
coloured no TERM=dumb --color=auto

case_ 'colour in a pipe only when asked for'
expect_status 0 muster invoke -H h1 -- echo out
expect_out '^h1: out$'
expect_status 0 muster invoke --color=always -H h1 -- echo out
expect_out "^${blue}h1:$plain out\$"
expect_status 0 env CLICOLOR_FORCE=1 "$MUSTER" -L "$DAEMON" -F "$SSH_CONFIG" invoke -H h1 -- echo out
expect_out "^${blue}h1:$plain out\$"
expect_status 0 muster invoke --color=always --output jsonl -H h1 -- echo out
expect_no_out $'\033'

# Ends on all hosts when $WORK/go is there; each writes a line before and one behind.
waits='echo begin; i=0; while [ ! -e "$1" ] && [ "$i" -lt 2000 ]; do i=$((i+1)); sleep 0.05; done; echo end'

# A terminal in the background: PID, and what it shows in $WORK/screen.
start_on_tty() {
    rm -f "$WORK/go"
    : >"$WORK/screen"
    on_tty "$1" >"$WORK/screen" 2>&1 </dev/null &
    PID=$!
    started_ "$PID"
}

case_ 'the progress line counts, and is gone at the end'
start_on_tty "m invoke -f 3 -H 'h[1-5]' -- sh -c $(quoted "$waits") sh $(quoted "$WORK/go")"
expect within 60 grep -aq '0/5 done, 3 running, 0 failed' "$WORK/screen"
: >"$WORK/go"
wait_ "$PID"
expect test $? -eq 0
shown "$WORK/screen" | sed "s/$blue//g; s/$plain//g" | sort >"$WORK/lines"
expect test "$(tr '\n' ' ' <"$WORK/lines")" = \
    'h1: begin h1: end h2: begin h2: end h3: begin h3: end h4: begin h4: end h5: begin h5: end '
expect test "$(progress "$WORK/screen" | wc -l)" -ge 1

case_ 'failures show in red while others go on'
start_on_tty "m invoke -H 'h[1-5]' --shell $(quoted 'set -- $SSH_CONNECTION
    [ "${3##*.}" -gt 2 ] || exit 3
    i=0; while [ ! -e '"$WORK"'/go ] && [ "$i" -lt 2000 ]; do i=$((i+1)); sleep 0.05; done')"
expect within 60 grep -aq "2/5 done, 3 running, ${red}2 failed$plain" "$WORK/screen"
: >"$WORK/go"
wait_ "$PID"
expect test $? -eq 5
expect test "$(shown "$WORK/screen")" = 'muster: 2/5 failed: h[1-2] (exited 3)'

case_ 'no line of a host is mixed with the progress line'
start_on_tty "m invoke --color=never -H 'h[1-5]' -- sh -c $(quoted \
    'i=0; while [ "$i" -lt 120 ]; do i=$((i+1)); echo "line $i"; echo "error $i" >&2; sleep 0.005
    done; printf "unfinished"')"
wait_ "$PID"
expect test $? -eq 0
expect grep -aq ' done, ' "$WORK/screen"
for host in 1 2 3 4 5; do
    for ((i = 1; i <= 120; i++)); do
        printf 'h%s: line %s\nh%s: error %s\n' "$host" "$i" "$host" "$i"
    done
    echo "h$host: unfinished"
done | sort >"$WORK/expected"
shown "$WORK/screen" | sort >"$WORK/lines"
expect cmp "$WORK/expected" "$WORK/lines"

case_ 'the progress line fits a narrow terminal'
start_on_tty "stty cols 24; m invoke --color=never -H 'h[1-5]' -- sh -c $(quoted "$waits") sh \
    $(quoted "$WORK/go")"
expect within 60 grep -aq '0/5 done' "$WORK/screen"
: >"$WORK/go"
wait_ "$PID"
expect test "$(progress "$WORK/screen" | wc -L)" -le 23

# Lasts longer than the progress line needs to appear.
lasts='sleep 1.5; echo x'

case_ 'the progress line is there only if the standard error is a terminal, and not when quiet'
expect_status 0 on_tty "m invoke -H 'h[1-2]' --shell '$lasts' >$WORK/results"
expect grep -aq ' done, ' "$OUT"
expect test -z "$(shown "$OUT")"
expect test "$(sort "$WORK/results" | tr '\n' ' ')" = 'h1: x h2: x '
expect_status 0 on_tty "m invoke -H 'h[1-2]' --shell '$lasts' 2>$WORK/errors"
expect no_progress "$OUT"
expect test ! -s "$WORK/errors"
expect_status 0 on_tty "m invoke -q -H 'h[1-2]' --shell '$lasts'"
expect no_progress "$OUT"
expect_no_out "$erase"
expect_status 0 muster invoke -H 'h[1-2]' --shell "$lasts"
expect_silent

case_ 'what a host writes cannot act on the terminal; in a pipe it is as it was'
expect_status 0 on_tty "m invoke -q --color=never -H h1 -- printf 'a\033[2Jb\007\rc\302\233\377d é\t.\n'"
expect_out '^h1: a\\x1b\[2Jb\\x07\\x0dc\\u\{9b\}\\xffd é	\.'
expect_status 0 muster invoke -N -H h1 -- printf 'a\033[2Jb\007\rc\302\233\377d\n'
printf 'a\033[2Jb\007\rc\302\233\377d\n' >"$WORK/raw"
expect cmp "$WORK/raw" "$OUT"
expect_status 0 on_tty "m invoke -q --color=never -H h1 -- printf '\033]0;x\a' >$WORK/results"
printf 'h1: \033]0;x\a\n' >"$WORK/raw"
expect cmp "$WORK/raw" "$WORK/results"

case_ 'the table of get fits the terminal'
expect_status 0 on_tty "m invoke -q -H 'h[1-5]' -- echo a command that is longer than the terminal is wide"
expect_status 0 on_tty 'stty cols 70; m get --all'
expect_out '^Id +Name +Type +State +HasMoreData +Location +Command'
expect_out ' Completed +False +h\[1-5\] +echo a.*\.\.\.'
expect test "$(sed 's/\r$//' "$OUT" | wc -L)" -le 70
expect_status 4 on_tty "m invoke -q -H '127.1.1.[1-201/7]:1,h1' -- true"
expect_status 0 on_tty 'stty cols 100; m get --all'
expect_out ' Failed +False +127\.1\.1\.\[1,8,15,.{15,25}\.\.\. +true'
expect test "$(sed 's/\r$//' "$OUT" | wc -L)" -le 100

case_ 'Ctrl-C twice stops the job'
word=31536$$.7
mkfifo "$WORK/keys"
: >"$WORK/screen"
on_tty "m invoke -H 'h[1-5]' -- sleep $word" >"$WORK/screen" 2>&1 <"$WORK/keys" &
PID=$!
started_ "$PID"
exec 8>"$WORK/keys"
five_sleep() {
    [ "$(processes_of "$word" | wc -l)" -ge 5 ]
}
expect within 60 five_sleep
expect within 60 grep -aq '5 running' "$WORK/screen"
press() {
    printf '\003' >&8
}
stop_by_ "$WORK/screen" press
expect grep -aq '5 of 5 not finished: h\[1-5\] (interrupt again' "$WORK/screen"
wait_ "$PID"
expect test $? -eq 130
exec 8>&-
expect within 60 no_process_of "$word"
expect test "$(shown "$WORK/screen" | tail -n 1)" = 'muster: 5/5 failed: h[1-5] (stopped)'

case_ 'the job ends with its terminal'
: >"$WORK/screen"
on_tty "exec $MUSTER_WORDS invoke -H 'h[1-5]' -- sleep $word" >"$WORK/screen" 2>&1 </dev/null &
PID=$!
started_ "$PID"
expect within 60 five_sleep
# The terminal: script, a child of timeout.
script=$(pgrep -P "$(pgrep -P "$PID" -x timeout || echo "$PID")" -x script)
expect kill -KILL "$script"
wait_ "$PID"
expect within 60 no_process_of "$word"
expect_status 0 muster invoke -H h1 -- true

finish_
