#!/usr/bin/env bash
# test_bad_input.sh MUSTER FAULTD: what people mistype, configuration that is wrong, and bytes from
# hosts that are no text.
# shellcheck disable=SC2016,SC2034,SC2153,SC2317 # $ for the hosts' shells; lib.sh uses what is set here
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
lab_up 5

# usage_error REGEX ARGUMENT...: muster says so, with status 2, and runs nothing.
usage_error() {
    local why=$1
    shift
    expect_status 2 muster "$@"
    expect_err "^muster( [a-z]+)?: $why"
    expect test ! -s "$OUT"
    expect_not grep -q '[^ -~]' "$ERR"
}

# --- words ---

case_ 'no command, an unknown one, an unknown option'
usage_error 'a command is missing'
usage_error "there is no command 'nosuch'" nosuch
usage_error "unknown option '--nosuch'" --nosuch
usage_error "unknown option '--nosuch'" invoke --nosuch -H h1 -- true
usage_error "unknown option '-Z'" invoke -Z -H h1 -- true
expect_err "^Try 'muster invoke --help'\.$"

case_ 'options that lack a value or have one too many'
usage_error "option '-H' needs a value" invoke -H
usage_error "option '--timeout' needs a value" invoke --timeout
usage_error "option '--quiet=yes' takes no value" invoke --quiet=yes -H h1 -- true

case_ 'values that make no sense'
usage_error "--timeout: 'soon' is no time \\(examples: .*\\)" invoke --timeout soon -H h1 -- true
usage_error "--timeout: '0' is no time above zero" invoke --timeout 0 -H h1 -- true
usage_error "--timeout: '-5' is no time" invoke --timeout -5 -H h1 -- true
usage_error "--timeout: '5y' has no known unit" invoke --timeout 5y -H h1 -- true
usage_error "--timeout: '1e300' is more than a year" invoke --timeout 1e300 -H h1 -- true
usage_error "--connect-timeout: '' is no time" invoke --connect-timeout '' -H h1 -- true
usage_error "--throttle-limit: '0' is no number from 1 to" invoke -f 0 -H h1 -- true
usage_error "--throttle-limit: '99999999999999999999' is no number" \
    invoke -f 99999999999999999999 -H h1 -- true
usage_error "--output: 'xml' is none of " invoke --output xml -H h1 -- true
usage_error "--color: 'blue' is none of auto, always, never" invoke --color blue -H h1 -- true
usage_error "-L: 'a/b' is no name for a daemon" -L a/b invoke -H h1 -- true
usage_error "-L: '\\.\\.' is no name for a daemon" -L .. invoke -H h1 -- true

case_ 'no hosts, no command, both'
usage_error 'no hosts: -H EXPR' invoke -- true
usage_error 'no command: -- COMMAND, --shell TEXT or --file-path FILE' invoke -H h1
usage_error '--shell has the command already' invoke -H h1 --shell true -- true

case_ 'a command that is too long'
long=$(head -c 125000 /dev/zero | tr '\0' x)
expect_status 2 muster invoke -H 'h[1-2]' -- echo "$long"
expect_err '^muster( invoke)?: the command is .* make a script'

case_ 'escape sequences in what was mistyped are not given back'
usage_error "there is no command '.*'" $'no\033[31msuch'
usage_error "unknown option '.*'" invoke $'--no\033]0;title\a'
usage_error 'host expression' invoke -H $'h\033[1' -- true

# --- host expressions ---

# malformed POSITION EXPRESSION REGEX: the message shows the expression, where, and why.
malformed() {
    expect_status 2 muster invoke -H "$2" -- true
    expect grep -qF "muster invoke: host expression '$2', position $1: " "$ERR"
    expect_err "$3"
}

case_ 'malformed expressions: the position is shown'
malformed 2 'h[1-' "this '\\[' is not closed"
malformed 2 'h]1' "this '\\]' closes nothing"
malformed 3 'h[5-1]' 'runs downwards'
malformed 7 'h[1-2/0]' 'a step of 0'
malformed 3 'h[a-b]' 'is no number'
malformed 4 'h1,,h2' 'a host must stand between'
malformed 8 'h[1-2],!' 'a host must stand between'
malformed 1 '!h1' 'a host must stand before'
malformed 4 'h1:99999' 'is no port'
malformed 4 'h1:' 'is no port'
malformed 1 '[::1' 'not closed'
malformed 1 '@web' 'groups?'
malformed 3 'h[1-9999999]' 'more than 1000000 hosts'

case_ 'malformed expressions in -x and in a file'
usage_error "host expression 'h\\[2', position 2: " invoke -H h1 -x 'h[2' -- true
printf 'h1\n# all others\nh[2-\n' >"$WORK/targets"
usage_error ".*$WORK/targets.*3" invoke -H "^$WORK/targets" -- true
usage_error "host expression '\\^$WORK/nowhere', position 1: cannot read hosts from $WORK/nowhere: No such file" \
    invoke -H "^$WORK/nowhere" -- true
usage_error '.*cannot read hosts from /dev/zero: more than [0-9]+ bytes' invoke -H '^/dev/zero' -- true

case_ 'a file of hosts that is binary'
seq 1 100000 | gzip -n | head -c 100000 >"$WORK/binary"
usage_error '.*' invoke -H "^$WORK/binary" -- true

case_ 'an empty set of hosts'
usage_error 'no host is left to run on \(--allow-empty' invoke -H h1 -x h1 -- true
usage_error 'no host is left' invoke -H '' -- true
: >"$WORK/empty"
usage_error 'no host is left' invoke -H "^$WORK/empty" -- true
usage_error 'no host is left' invoke -H - -- true

case_ 'an empty set of hosts that is allowed'
expect_status 0 muster invoke --allow-empty -H h1 -x h1 -- true
expect test ! -s "$OUT"
expect_silent

# --- ssh_config ---

case_ 'ssh_config: the file of -F is missing'
SSH_CONFIG=$WORK/nowhere.conf
usage_error "-F: $WORK/nowhere.conf: " invoke -H h1 -- true

case_ 'ssh_config: a value that is none, with file and line'
ssh_config wrong <<END
Host h1
	Port many
END
expect_status 2 muster invoke -H 'h[1-2]' -- true
expect_err "^muster: .*$WORK/wrong\\.conf:2: .*many"

case_ 'ssh_config: a keyword that is none, with file and line'
ssh_config wrong <<END

Host h1
	Prot 22
END
expect_status 2 muster invoke -H 'h[1-2]' -- true
expect_err "^muster: .*$WORK/wrong\\.conf:3: .*Prot"

case_ 'ssh_config: a quote that is not closed'
ssh_config wrong <<END
Host "h1
END
expect_status 2 muster invoke -H 'h[1-2]' -- true
expect_err "^muster: .*$WORK/wrong\\.conf:1: "

case_ 'ssh_config: an Include of itself'
ssh_config wrong <<END
Include $WORK/wrong.conf
END
expect_status 2 muster invoke -H 'h[1-2]' -- true
expect_err "^muster: .*$WORK/wrong\\.conf:1: "

case_ 'ssh_config: noise'
SSH_CONFIG=$WORK/binary
expect_status 2 muster invoke -H h1 -- true
expect_err "^muster: .*$WORK/binary"
expect_not grep -q '[^ -~]' "$ERR"

case_ 'ssh_config: a directory, a device without end'
SSH_CONFIG=$WORK
expect_status 2 muster invoke -H h1 -- true
SSH_CONFIG=/dev/zero
expect_status 2 muster invoke -H h1 -- true

case_ 'ssh_config: what is not supported is said once, and the hosts run'
ssh_config unsupported <<END
Host *
	Ciphers aes256-ctr
	SetEnv A=1
END
expect_status 0 muster invoke -H 'h[1-5]' -- echo fine
expect_lines 5 ': fine$'
expect_err '^muster: warning: ssh_config: not applied: SetEnv'
expect test "$(wc -l <"$ERR")" -eq 1

# --- bytes ---

# What hosts write and no terminal should see: NUL, every control character, escape sequences that
# set the title and the colours, C1 in UTF-8 and bare, invalid and truncated UTF-8, bidi overrides.
{
    printf 'nul \0 end\n'
    printf 'esc \033[31mred\033[0m \033]0;title\a \033[2J\033[H \033P+q\033\\ end\n'
    printf 'c1 \302\233 31m \233 31m \302\235 end\n'
    printf 'bad \377\376 \300\200 \355\240\200 \364\220\200\200 \342\202 end\n'
    printf 'bidi \342\200\256 end\n'
    printf 'cr over\rwrite \b\b\b \v \f \177 end\n'
    printf 'text \303\244 \342\202\254 \360\237\230\200 end\n'
    printf '\n'
    printf 'end without newline \342\202'
} >"$WORK/bytes"

case_ 'bytes: in a pipe they are what the host wrote'
expect_status 0 muster invoke -N -H h1 -- cat "$WORK/bytes"
expect cmp "$OUT" "$WORK/bytes"
expect_silent

case_ 'bytes: with labels too, and the last line is closed'
expect_status 0 muster invoke -H h1 -- cat "$WORK/bytes"
LC_ALL=C sed 's/^/h1: /' "$WORK/bytes" >"$WORK/labelled"
echo >>"$WORK/labelled"
expect cmp "$OUT" "$WORK/labelled"

case_ 'bytes: on standard error as well'
expect_status 0 muster invoke -N -H h1 -- sh -c "cat '$WORK/bytes' >&2"
expect cmp "$ERR" "$WORK/bytes"
expect test ! -s "$OUT"

case_ 'bytes: a megabyte of noise'
seq 1 1000000 | gzip -n | head -c 1000000 >"$WORK/noise"
expect_status 0 muster invoke -N -H h1 -- cat "$WORK/noise"
expect cmp "$OUT" "$WORK/noise"

# on_terminal ARGUMENT...: muster with a terminal for its output; OUT is what the terminal got.
on_terminal() {
    printf '%q ' timeout -k 5 "$LIMIT" "$MUSTER" -L "$DAEMON" -F "$SSH_CONFIG" "$@" >"$WORK/typed"
    expect_status 0 script -qec "sh '$WORK/typed'" /dev/null
}

# The control characters but newline and the carriage return before it (the terminal makes that of
# a newline), bare C1 and all else that is no UTF-8.
no_control() {
    sed 's/\r$//' "$OUT" >"$WORK/seen"
    ! LC_ALL=C grep -qaP '[\x00-\x08\x0b-\x1f\x7f]' "$WORK/seen" &&
        ! LC_ALL=C grep -qaP '\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]' "$WORK/seen" &&
        iconv -f UTF-8 -t UTF-8 "$WORK/seen" >/dev/null 2>&1
}

case_ 'bytes: harmless on a terminal'
on_terminal invoke --quiet --color never -H h1 -- cat "$WORK/bytes"
expect no_control
expect_lines 7 '^h1: .* end'
expect grep -q "text $(printf '\303\244 \342\202\254 \360\237\230\200') end" "$OUT"

case_ 'bytes: harmless on a terminal, from standard error, without labels'
on_terminal invoke --quiet --color never -N -H h1 -- sh -c "cat '$WORK/bytes' >&2"
expect no_control

case_ 'bytes: noise is harmless on a terminal'
on_terminal invoke --quiet --color never -H h1 -- cat "$WORK/noise"
expect no_control

case_ 'bytes: with colours and the progress line the sequences are only ours'
on_terminal invoke --color always -H 'h[1-5]' -- cat "$WORK/bytes"
sed 's/\r\x1b\[K//g; s/\x1b\[[0-9;]*m//g' "$OUT" >"$WORK/ours"
expect_not grep -qa $'\033' "$WORK/ours"
expect_not grep -qaF $'\033]0;' "$OUT"
expect_not grep -qaF $'\033[2J' "$OUT"
expect_not grep -qaF $'\033[31mred' "$OUT"

case_ 'bytes: jsonl is valid, and gives back every byte'
expect_status 0 muster invoke --output jsonl -H h1 -- cat "$WORK/bytes"
expect_lines 9 '^\{.*\}$'
if ! command -v python3 >/dev/null; then
    skip_ 'no python3 to read it with'
else
    cat >"$WORK/join.py" <<'END'
import base64, json, sys

lines = []
for line in open(sys.argv[1], encoding="utf-8", errors="strict"):
    value = json.loads(line)["value"]
    lines.append(value.encode() if isinstance(value, str) else base64.b64decode(value["$bytes"]))
sys.stdout.buffer.write(b"\n".join(lines))
END
    expect python3 "$WORK/join.py" "$OUT" >"$WORK/joined"
    expect cmp "$WORK/joined" "$WORK/bytes"
fi

case_ 'no newline at the end: none is added without labels, one with'
expect_status 0 muster invoke -N -H h1 -- printf 'a\nb'
expect cmp "$OUT" <(printf 'a\nb')
expect_status 0 muster invoke -H 'h[1-5]' -- printf 'a\nb'
expect_lines 5 '^h[1-5]: a$'
expect_lines 5 '^h[1-5]: b$'
expect test "$(wc -l <"$OUT")" -eq 10

case_ 'no output at all, and nothing but a newline'
expect_status 0 muster invoke -H h1 -- true
expect test ! -s "$OUT"
expect_status 0 muster invoke -H h1 -- echo
expect cmp "$OUT" <(echo 'h1: ')

case_ 'arguments reach the host byte for byte'
printf '%s\0' a 'b c' '' "it's" '$HOME `id` "x" \ !' $'tab\there' $'line\nbreak' '*' '~' -n $'\303\244\377' >"$WORK/args"
mapfile -d '' -t args <"$WORK/args"
expect_status 0 muster invoke -N -H h1 -- printf '%s\0' "${args[@]}"
expect cmp "$OUT" "$WORK/args"

finish_
