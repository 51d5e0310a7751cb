#!/usr/bin/env bash
# test_agent.sh MUSTER FAULTD HOSTILE AGENT: what a command gets from its agent (arguments, input,
# environment, place), what ends it, and that nothing of it is left.
# shellcheck disable=SC1003,SC2016,SC2034,SC2153,SC2317 # $ for the hosts' shells; lib.sh uses what is set here
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/jobs.sh
. "$(dirname "$0")/jobs.sh"
lab_up 5

# --- arguments ---

case_ 'argv: every byte but NUL, empty words, newlines, what looks like an option'
all=$(for ((i = 1; i < 256; i++)); do printf '\\x%02x' "$i"; done)
all=$(printf '%bx' "$all")
all=${all%x}
words=("$all" '' $'\n' $'a\n\nb\n' ' ' '$HOME `id` $(id) \' "'" '"' '*' '-H' '--' '~' '!!' '%')
expect_status 0 muster invoke -N --parse raw -H h1 -- printf '%s\0' "${words[@]}"
expect cmp "$OUT" <(printf '%s\0' "${words[@]}")

case_ 'argv: 120 KiB, and many words'
long=$(head -c 100000 /dev/zero | tr '\0' l)
expect_status 0 muster invoke -N -H h1 -- printf %s "$long"
expect cmp "$OUT" <(printf %s "$long")
mapfile -t many < <(seq 4000)
expect_status 0 muster invoke -N -H h1 -- echo "${many[@]}"
expect cmp "$OUT" <(echo "${many[@]}")

case_ 'a command that is not there, one that may not be executed, a directory'
expect_status 5 muster invoke -H h1 -- no-such-command-here
expect_err 'h1 \(exited 127\)$'
expect_status 5 muster invoke -H h1 -- /etc/passwd
expect_err 'h1 \(exited 126\)$'
expect_status 5 muster invoke -H h1 -- /etc
expect_err 'h1 \(exited 126\)$'

case_ '--shell: a text of many lines; words behind it are refused'
expect_status 0 muster invoke -H h1 -N --shell $'for i in 1 "2  3"; do\n  echo "<$i>"\ndone # end'
expect_text $'<1>\n<2  3>'
expect_status 2 muster invoke -H h1 --shell 'echo' -- one

# --- scripts and input ---

case_ '--file-path: with arguments, by its first line, and with sh; nothing is left of it'
cat >"$WORK/script" <<'END'
#!/usr/bin/env bash
[[ -n $BASH_VERSION ]] && echo "bash $# <$1> <$2> <$3>"
END
expect_status 0 muster invoke -H 'h[1-5]' --file-path "$WORK/script" -a 'a b' -- '' $'n\nn'
expect_lines 5 '^h[1-5]: bash 3 <a b> <> <n$'
printf 'echo plain "$1"; exit 3\n' >"$WORK/script"
expect_status 5 muster invoke -H h1 --file-path "$WORK/script" -- x
expect_out '^h1: plain x$'
expect_err 'exited 3'
expect_status 2 muster invoke -H h1 --file-path /dev/null
expect_status 2 muster invoke -H h1 --file-path "$WORK/nosuch"

case_ '--file-path with --stdin: the script does not eat its input'
printf 'read -r line; echo "got $line"; cat | wc -c\n' >"$WORK/script"
{ echo first; head -c 100000 /dev/zero; } >"$WORK/in"
expect_status 0 muster invoke -H 'h[1-2]' --file-path "$WORK/script" --stdin "$WORK/in"
expect_lines 2 ': got first$'
expect_lines 2 ': 100000$'

for size in 0 1 52428800; do
    case_ "--stdin: $size bytes to five hosts"
    LIMIT=120
    head -c "$size" /dev/urandom >"$WORK/in"
    sum=$(sha256sum <"$WORK/in")
    expect_status 0 muster invoke -H 'h[1-5]' --stdin "$WORK/in" -- sha256sum
    expect_lines 5 "^h[1-5]: $sum\$"
done

case_ '--stdin: some hosts read nothing of 50 MB, or only its beginning'
LIMIT=120
expect_status 0 muster invoke -H 'h[1-5]' --stdin "$WORK/in" --shell '
    case $MUSTER_RANK in 0) exit 0 ;; 1) sleep 0.3 ;; 2) head -c 1000 | wc -c ;; *) sha256sum ;; esac'
expect_lines 2 "^h[45]: $sum\$"
expect_lines 1 '^h3: 1000$'
expect_silent

case_ '--stdin -: as it comes, and to its end'
answers() {
    { echo one; sleep 0.2; echo two; } | timeout 120 "$MUSTER" -L "$DAEMON" -F "$SSH_CONFIG" invoke \
        -H 'h[1-2]' --stdin - --shell 'while read -r l; do echo "had $l"; done; echo end'
}
expect_status 0 answers
for line in 'had one' 'had two' end; do
    expect_lines 2 ": $line\$"
done

case_ 'without --stdin the input is empty; a file that is none is an error'
expect_status 0 muster invoke -H h1 -- wc -c
expect_out '^h1: 0$'
expect_status 2 muster invoke -H h1 --stdin "$WORK/nosuch" -- cat

case_ 'background with --stdin: all is read before, the file may go'
echo background >"$WORK/gone"
job_ invoke --as-job -H 'h[1-3]' --stdin "$WORK/gone" --shell "until [ -e $WORK/go ]; do sleep 0.02; done; cat"
rm -f "$WORK/gone"
: >"$WORK/go"
expect_status 0 muster receive --wait "$JOB"
expect_lines 3 '^h[1-3]: background$'

# --- surroundings ---

case_ 'MUSTER_HOST, MUSTER_RANK, MUSTER_COUNT, --env'
expect_status 0 muster invoke -H 'h[3-5]' --env 'A=x  y' --env B= --env $'C=n\nn' --env 'D==' --shell \
    'echo "$MUSTER_HOST $MUSTER_RANK/$MUSTER_COUNT [$A] [$B] [$D] $(printf %s "$C" | wc -l)"'
for i in 3 4 5; do
    expect_lines 1 "^h$i: h$i $((i - 3))/3 \\[x  y\\] \\[\\] \\[=\\] 1\$"
done
for env in NOEQUALS =x MUSTER_X=1; do
    expect_status 2 muster invoke -H h1 --env "$env" -- true
done

case_ '%h and %n in arguments, and without'
expect_status 0 muster invoke -H 'h[1-2]' -- echo '%h' 'a%nb' '%%h' '100%' '%x'
expect_out '^h1: h1 a0b %h 100% %x$'
expect_out '^h2: h2 a1b %h 100% %x$'
expect_status 0 muster invoke --no-expand -H h1 -- echo '%h' '%n' '%%h'
expect_out '^h1: %h %n %%h$'
expect_status 0 muster invoke -H h1 --shell 'echo %h'
expect_out '^h1: %h$'

case_ '--working-directory: there, and not'
expect_status 0 muster invoke -C /usr/lib -H h1 -- pwd
expect_out '^h1: /usr/lib$'
expect_status 4 muster invoke -C /no/such -H 'h[1-2]' -- touch "$WORK/ran"
expect_err "^muster: 2/2 failed: h\\[1-2\\] \\(refused: .*'/no/such'.*\\)\$"
expect test ! -e "$WORK/ran"

case_ '--pty, --nice'
expect_status 0 muster invoke -H h1 --shell 'test -t 1 || echo none'
expect_out '^h1: none$'
expect_status 0 muster invoke --pty -H h1 --shell 'test -t 0 && test -t 1 && test -t 2 && echo terminal; echo e >&2'
expect_out '^h1: terminal'
expect_out '^h1: e'
expect_silent
expect_status 0 muster invoke -N -H h1 -- nice
nice=$(($(cat "$OUT") + 7))
expect_status 0 muster invoke --nice 7 -H h1 -- nice
expect_out "^h1: $((nice < 19 ? nice : 19))\$"
expect_status 2 muster invoke --nice 20 -H h1 -- nice

# --- limits ---

case_ '--timeout, --idle-timeout, --max-output: each has its cause, the others go on'
expect_status 3 muster invoke --timeout 4 --stop-grace 1 -H 'h[1-2]' --shell '[ $MUSTER_RANK = 1 ] && exec echo fine; exec sleep 1000'
expect_err '^muster: 1/2 failed: h1 \(timeout: run\)$'
expect_out '^h2: fine$'
expect_status 3 muster invoke --idle-timeout 3 --stop-grace 1 -H 'h[1-2]' --shell '
    [ $MUSTER_RANK = 0 ] && exec sleep 1000
    i=0; while [ $i -lt 8 ]; do echo fine; sleep 0.5; i=$((i + 1)); done'
expect_err '^muster: 1/2 failed: h1 \(timeout: idle\)$'
expect_lines 8 '^h2: fine$'
expect_status 3 muster invoke --max-output 100K -H 'h[1-2]' --shell '
    [ $MUSTER_RANK = 0 ] && exec yes; head -c 102400 /dev/zero'
expect_err '^muster: 1/2 failed: h1 \(limit.*\)$'
expect test "$(grep -ac '^h1: y$' "$OUT")" -ge 51000
expect test "$(grep -ac '^h1: y$' "$OUT")" -le 100000

case_ 'pipes_open: what a command leaves behind holds nobody up'
word=left-$$
expect_status 0 muster invoke -H h1 -- sh -c 'sh -c "sleep 1000; :" "$1" & echo out' sh "$word"
expect_out '^h1: out$'
expect_took_under 100000
for pid in $(processes_of "$word"); do
    kill "$pid"
done

case_ 'an end by a signal, and exit statuses up to 255'
expect_status 3 muster invoke -H h1 --shell 'kill -SEGV $$'
expect_err 'signalled SEGV'
expect_status 5 muster invoke -H h1 --shell 'exit 255'
expect_err 'exited 255'

# --- stopping ---

# Each host: a session of its own, one that ignores TERM, one that forks on and on, a double fork.
tree='
    setsid sh -c "while :; do sleep 1; done" "$1" &
    sh -c "trap \"\" TERM HUP INT; while :; do sleep 1; done" "$1" &
    (setsid nohup sh -c "while :; do sleep 1; done" "$1" >/dev/null 2>&1 &)
    (env -i setsid sh -c "while :; do /bin/sleep 1; done" "$1" >/dev/null 2>&1 </dev/null &)
    echo up
    while :; do sh -c "sleep 0.1; :" "$1"; done'

case_ 'muster stop: the whole tree is gone, whatever it did to hide'
new_word
job_ invoke --as-job --stop-grace 1 -H 'h[1-3]' -- sh -c "$tree" sh "$WORD"
trees_up() { [ "$(processes_of "$WORD" | wc -l)" -ge 15 ]; }
expect within 60 trees_up
expect_status 0 muster stop "$JOB"
expect within 60 no_process_of "$WORD"
expect state_is "$JOB" Stopped
expect property_is $((JOB + 1)) cause stopped

case_ 'twice Ctrl-C: the same'
new_word
start_muster "$WORK/bg" invoke --stop-grace 1 -H 'h[1-3]' -- sh -c "$tree" sh "$WORD"
expect within 60 trees_up
interrupt_ "$WORK/bg.err"
expect within 60 gone "$PID"
wait_ "$PID"
expect test "$?" -eq 130
expect within 60 no_process_of "$WORD"

case_ 'suspend and resume: processes halt, time does too, and they go on'
new_word
job_ invoke --as-job --timeout 1000 -H 'h[1-2]' -- \
    sh -c 'i=0; while :; do echo $i; i=$((i + 1)); sleep 0.05; done' sh "$WORD"
expect within 60 property_is $((JOB + 2)) has_more_data true
expect_status 0 muster suspend "$JOB"
expect state_is "$JOB" Suspended
# D: dash waits so in vfork(2) for a child that was halted before its execve(2).
halted() {
    local pid
    for pid in $(processes_of "$WORD"); do
        case $(cut -d' ' -f3 "/proc/$pid/stat") in [TtD]) ;; *) return 1 ;; esac
    done
}
expect within 60 halted
expect_status 0 muster receive "$JOB"
# What it had written may still have been on its way.
nothing_new() { run muster receive "$JOB" && [ ! -s "$OUT" ]; }
expect within 60 nothing_new
expect_status 0 muster receive "$JOB"
expect_text ''
expect_status 0 muster resume "$JOB"
expect within 60 property_is $((JOB + 1)) has_more_data true
expect_status 0 muster suspend "$JOB"
expect_status 0 muster stop "$JOB"
expect within 60 no_process_of "$WORD"

# --- what dies ---

case_ 'the daemon is killed: what ran on hosts is gone in seconds, and so is muster'
new_word
start_muster "$WORK/bg" invoke -H 'h[1-3]' -- sh -c "$tree" sh "$WORD"
expect within 60 trees_up
daemon=$(daemon_pid)
expect test -n "$daemon"
[ -z "$daemon" ] || kill -KILL "$daemon"
expect within 60 gone "$PID"
wait_ "$PID"
expect test "$?" -eq 255
# TERM, then the grace of 10 s, then KILL.
expect within 60 no_process_of "$WORD"
expect_status 0 muster invoke -H 'h[1-3]' -- true

case_ 'muster is killed: its job is stopped'
new_word
start_muster "$WORK/bg" invoke --stop-grace 1 -H 'h[1-3]' -- sh -c "$tree" sh "$WORD"
expect within 60 trees_up
{ kill -KILL "$PID" && wait "$PID"; } 2>/dev/null
expect within 60 no_process_of "$WORD"

# first: the supervisor of the command, last: the agent of the connection.
for which in first last; do
    # What has emptied its environment is known to its supervisor alone (agent/tree.h).
    [ "$which" = first ] && killed=${tree/env -i /} || killed=$tree
    case_ "an agent is killed under its command ($which): agent-lost, and nothing is left"
    new_word
    start_muster "$WORK/bg" invoke -H h1 -- sh -c "$killed" sh "$WORD"
    tree_up() { [ "$(processes_of "$WORD" | wc -l)" -ge 5 ]; }
    expect within 60 tree_up
    pid=$(agents_of "$WORD")
    expect test -n "$pid"
    [ "$which" = first ] && pid=${pid%%$'\n'*} || pid=${pid##*$'\n'}
    [ -z "$pid" ] || kill -KILL "$pid"
    expect within 60 gone "$PID"
    wait_ "$PID"
    expect test "$?" -eq 4
    expect grep -q '^muster: 1/1 failed: h1 (agent-lost' "$WORK/bg.err"
    expect within 60 no_process_of "$WORD"
done

finish_
