#!/usr/bin/env bash
# test_questions.sh MUSTER FAULTD HOSTILE AGENT ASKD: what servers ask that is no password: codes, choices, "press Enter".
# shellcheck disable=SC2034,SC2046,SC2094,SC2153,SC2317 # lib.sh uses what is set here
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
umask 077
lab_up 1
if ! command -v script >/dev/null; then
    case_ 'on a terminal'
    skip_ 'no script(1)'
    finish_
fi
ssh-keygen -q -t ed25519 -N '' -f "$WORK/host_key"

# asks NAME OPTIONS... -- QUESTION=ANSWER...: the host NAME is such a server from now on; its log is $WORK/NAME.log.
asks() {
    local name=$1 options=()
    shift
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    : >"$WORK/$name.log"
    start_ "$ASKD" ${options[@]+"${options[@]}"} "$WORK/host_key" "$WORK/$name.port" "$WORK/$name.log" "$@"
    within 60 test -s "$WORK/$name.port" || fail_ "askd $name does not start"
    printf 'Host %s\n\tHostName 127.0.0.1\n\tPort %s\n' "$name" "$(cat "$WORK/$name.port")" >>"$WORK/hosts"
}
log_of() { tr '\n' ' ' <"$WORK/$1.log"; }

: >"$WORK/hosts"
asks q1 -k -- 'Verification code: =123456'
asks q2 -k -- 'Verification code: =222222'
asks q3 -k -- 'Verification code: =333333'
asks both -k -i 'Two things, please.' -- '+Choose a device: =phone' 'Code: =42'
asks rounds -k -r -- 'First token: =one' 'Second token: =two'
asks enter -k -- '+Press Enter for the code on your phone: ='
asks only -- 'Verification code: =987654'
asks rude -k -i $'\033[2Jq9: Password\033]0;x\a' -- $'q1: \033[31mVerification code\r\n\xff\xfe: =x'
asks flood -k -i "$(printf 'a line\n%.0s' {1..900})" -- "$(printf 'token%.0s' {1..500})=x"
asks hasty -k -g 3 -- 'Verification code: =1'
asks many -k -- $(for i in {1..40}; do echo "token$i=x"; done)
{
    cat "$WORK/hosts"
    printf 'Host *\n\tIdentityFile %s\n\tUser me\n\tStrictHostKeyChecking accept-new\n\tUserKnownHostsFile %s\n' \
        "$WORK/lab/id_ed25519" "$WORK/known_hosts"
} >"$WORK/asks.conf"
questions_() {
    SSH_CONFIG=$WORK/asks.conf
    : >"$WORK/screen"
}
# Plain exec: askd runs commands, and has no input for them.
plain() { "$@" --agent never; }

quoted() { printf '%q ' "$@"; }

# on_tty SHELL-FUNCTION COMMAND...: the function types, what is shown goes to $WORK/screen.
on_tty() {
    local types=$1
    shift
    : >"$WORK/screen"
    {
        "$types"
        within 60 grep -aq 'IT HAS ENDED' "$WORK/screen"
    } | timeout 120 script -qefc "stty cols 200; $(quoted "$MUSTER" --color never -L "$DAEMON" -F "$SSH_CONFIG" "$@"); s=\$?; stty -a | grep -o ' echo '; echo IT HAS ENDED; exit \$s" \
        /dev/null >"$WORK/screen" 2>&1
}
shown() { [ "$(grep -aoE -- "$2" "$WORK/screen" | wc -l)" -ge "$1" ]; }
# type_at N REGEX TEXT: once it has been shown so often.
type_at() {
    within 60 shown "$1" "$2" && printf '%s\n' "$3"
}

case_ 'a code is asked for, with the name of the host, and not shown'
questions_
code() { type_at 1 'q1: Verification code: ' 123456; }
expect_status 0 on_tty code invoke --agent never -H q1 -- echo fine
expect grep -aq 'q1: fine' "$WORK/screen"
expect_not grep -aq 123456 "$WORK/screen"
expect grep -aq ' echo ' "$WORK/screen"
expect test "$(log_of q1)" = 'ok '

case_ 'three hosts: one after another, each its own, and it is said how many wait'
questions_
codes() {
    local n host
    for n in 1 2 3; do
        within 60 shown "$n" 'q[123]( \([0-9]+ more wait\))?: Verification code: ' || return
        host=$(grep -aoE 'q[123]( \([0-9]+ more wait\))?: Verification' "$WORK/screen" | tail -1 | cut -c2)
        case $host in
        1) echo 123456 ;;
        *) echo "$host$host$host$host$host$host" ;;
        esac
    done
}
expect_status 0 on_tty codes invoke --agent never -H 'q[1-3]' -- echo fine
expect test "$(grep -ac 'q[123]: fine' "$WORK/screen")" -eq 3
expect test "$(grep -aoE 'q[123]( \([0-9]+ more wait\))?: Verification' "$WORK/screen" | wc -l)" -eq 3

case_ 'several questions at once, under what the server says; one shows its answer'
questions_
several() {
    type_at 1 'both: Choose a device: ' phone
    type_at 1 'both: Code: ' 42
}
expect_status 0 on_tty several invoke --agent never -H both -- echo fine
expect grep -aq 'both: Two things, please\.' "$WORK/screen"
expect grep -aq 'both: Choose a device: phone' "$WORK/screen"
expect grep -aq 'both: fine' "$WORK/screen"

case_ 'several rounds'
questions_
rounds() {
    type_at 1 'rounds: First token: ' one
    type_at 1 'rounds: Second token: ' two
}
expect_status 0 on_tty rounds invoke --agent never -H rounds -- echo fine
expect grep -aq 'rounds: fine' "$WORK/screen"

case_ 'nothing is an answer, too'
questions_
enter() { type_at 1 'Press Enter' ''; }
expect_status 0 on_tty enter invoke --agent never -H enter -- echo fine
expect grep -aq 'enter: fine' "$WORK/screen"

case_ 'a wrong answer: one attempt, and the cause says so'
questions_
: >"$WORK/q1.log"
wrong() { type_at 1 'q1: Verification code: ' 000000; }
expect_status 4 on_tty wrong invoke --agent never --retries 3 -H q1 -- echo fine
expect grep -aq 'q1 (auth: what was answered was not accepted for me)' "$WORK/screen"
expect test "$(grep -c wrong "$WORK/q1.log")" -eq 1

case_ 'without a key: not tried by itself, and said what would; then it is asked'
questions_
: >"$WORK/only.log"
nothing() { :; }
expect_status 4 on_tty nothing invoke --agent never -H only -- echo fine
expect grep -aq -e '-O PreferredAuthentications=keyboard-interactive asks on the terminal' "$WORK/screen"
expect_not grep -aq 'Verification' "$WORK/screen"
alone() { type_at 1 'only: Verification code: ' 987654; }
expect_status 0 on_tty alone invoke -O PreferredAuthentications=keyboard-interactive --agent never -H only -- echo fine
expect grep -aq 'only: fine' "$WORK/screen"

case_ 'no terminal: nobody is asked, and the cause says so'
questions_
expect_status 4 setsid -w "$MUSTER" -L "$DAEMON" -F "$SSH_CONFIG" invoke --agent never -H 'q[1-3]' -- echo fine
expect_err '^muster: 3/3 failed: q\[1-3\] \(auth: the server asks "Verification code:.*there is no terminal'
expect_status 0 muster invoke --agent never --quiet --as-job -H q1 -- echo fine
job=$(cat "$OUT")
expect_status 4 muster receive --wait "$job"
expect_err 'q1 .*auth: the server asks "Verification code:.*, and this job asks nobody'

case_ 'what a server says cannot act on the terminal, nor speak for another host'
questions_
rude() { type_at 1 'rude: .*ff.*: ' y; }
expect_status 4 on_tty rude invoke --agent never -H rude -- echo fine
expect_not grep -aq $'\033\\[2J' "$WORK/screen"
expect_not grep -aq $'\033\\[31m' "$WORK/screen"
expect_not grep -aqE '^(q9|q1): ' "$WORK/screen"
expect grep -aqF 'rude: \x1b[2Jq9: Password' "$WORK/screen"

case_ 'much text is cut, and so are many questions'
questions_
cut_() { type_at 1 'tokentoken' z; }
expect_status 4 on_tty cut_ invoke --agent never -H flood -- echo fine
lines=$(grep -ac '^flood: a line' "$WORK/screen")
expect test "$lines" -ge 1
expect test "$lines" -le 16
expect_status 4 on_tty nothing invoke --agent never -H many -- echo fine
expect grep -aqF 'many (auth: the server asks 40 questions at once' "$WORK/screen"
expect_not grep -aq 'many: token1' "$WORK/screen"

case_ 'a session and a check ask, too'
questions_
expect_status 4 on_tty code session new --name asked --agent always -H q1
expect grep -aq 'q1: Verification code: ' "$WORK/screen"
on_tty code doctor -H q1
expect grep -aq 'q1: Verification code: ' "$WORK/screen"
expect_not grep -aq 'the server asks' "$WORK/screen"

case_ 'a server that does not wait: the cause says so'
questions_
expect_status 4 on_tty nothing invoke --agent never -H hasty -- echo fine
expect grep -aq 'the server closed the connection before its question was answered' "$WORK/screen"

case_ 'Ctrl-C at the question ends the job, and the terminal echoes again'
questions_
interrupt() { within 60 shown 1 'Verification code: ' && printf '\003'; }
expect_status 130 on_tty interrupt invoke --agent never -H 'q[1-3]' -- echo fine
expect grep -aq ' echo ' "$WORK/screen"
expect_not grep -aq fine "$WORK/screen"

case_ 'what another host says while the question stands comes whole, before it or behind the answer'
questions_
{
    printf 'Host h1\n\tHostName 127.77.0.1\n\tPort %s\n\tUser %s\n' "$LAB_PORT" "$LAB_USER"
    cat "$WORK/asks.conf"
} >"$WORK/mixed.conf"
SSH_CONFIG=$WORK/mixed.conf
late() { within 60 test -e "$WORK/said" && code; }
expect_status 0 on_tty late invoke --agent never -H q1,h1 --shell "seq -f 'line %.0f' 2000; : >'$WORK/said'"
for host in h1 q1; do
    expect cmp <(grep -ao "$host: line [0-9]*" "$WORK/screen") <(seq -f "$host: line %.0f" 2000)
done

case_ 'no answer is in files, logs, the command line or the environment of the daemon'
pid=$(daemon_pid)
expect alive "$pid"
expect grep -raqsF 'Verification code' "$WORK/state" # the question is, as the cause of the background job
for word in 123456 987654; do
    expect_not grep -raqsF "$word" "$WORK/state" "$WORK/run"
    expect_not grep -aqsF "$word" "/proc/$pid/cmdline" "/proc/$pid/environ"
done

finish_
