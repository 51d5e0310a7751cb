#!/usr/bin/env bash
# test_cli.sh MUSTER FAULTD: the command line: help, options, what reaches the hosts, what comes back
# in which form, and what is refused.
# shellcheck disable=SC1003,SC2016,SC2317 # single quotes are for the host; expect calls functions
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
lab_up 5
where='set -- $SSH_CONNECTION; n=${3##*.}' # on a host: n is its number

# same FILE FILE: byte for byte.
same() {
    cmp -- "$1" "$2"
}

bare() {
    timeout -k 5 "$LIMIT" "$MUSTER" "$@"
}

# --- help, names, options ---

case_ 'help of muster and of each command'
expect_status 0 bare --help
expect_silent
for verb in invoke get daemon; do
    expect_out "^  $verb +[A-Z]"
done
for status in 0 1 2 3 4 5 130 255; do
    expect_out "^  $status +[a-z]"
done
for verb in invoke get daemon; do
    for words in "$verb --help" "$verb -h" "--help $verb" "-h $verb"; do
        # shellcheck disable=SC2086
        expect_status 0 bare $words
        expect_silent
        expect_out "^Usage: muster $verb "
        expect_out '^ +-F, --ssh-config FILE '
        expect_out '^  130 +interrupted'
    done
done
expect_status 0 bare invoke --help
for option in hosts exclude throttle-limit timeout connect-timeout shell no-labels largest-status \
    ephemeral allow-empty output color quiet; do
    expect_out "^ .*--$option"
done

case_ 'the version, before and behind the command'
for words in --version -V 'invoke --version' 'get -V' '-q daemon --version'; do
    # shellcheck disable=SC2086
    expect_status 0 bare $words
    expect_lines 1 '^muster [0-9]+\.[0-9]+'
    expect_silent
done

case_ 'other names of the commands, in any case'
for verb in invoke run RUN Invoke-Command invoke-command INVOKE-COMMAND; do
    expect_status 0 muster "$verb" -H h1 -- echo hello
    expect_lines 1 '^h1: hello$'
done
for verb in get Get-Job get-job GET-JOB; do
    expect_status 0 muster "$verb" --all
    expect_out '^ *[0-9]+ +Job[0-9]+ +Remote +Completed '
done

case_ 'options of every command stand before or behind it'
expect_status 0 bare -L "$DAEMON" -F "$SSH_CONFIG" --output jsonl invoke -H h1 -- echo hello
expect_out '^\{"host":"h1",'
expect_status 0 bare invoke -H h1 --output=jsonl -F "$SSH_CONFIG" -L "$DAEMON" -- echo hello
expect_out '^\{"host":"h1",'
# The one behind the command wins.
expect_status 0 bare -L "$DAEMON" -F none --output text invoke -H h1 -o jsonl -F "$SSH_CONFIG" \
    -- echo hello
expect_out '^\{"host":"h1",'

case_ 'hosts by -H, -w and --hosts; the other long names'
expect_status 0 muster invoke -w h1 --hosts=h2 --computer-name h3 -H h2 -- true
expect_status 0 muster get --all --include-child-jobs --output jsonl
expect_out '"location":"h1,h2,h3"'
expect_status 0 muster invoke -H 'h[1-3]' --fanout 1 --exclude h2 -- echo x
expect_lines 2 '^h[13]: x$'

case_ 'where options end'
expect_status 0 muster invoke -H h1 echo -H h2 --zzz -- -x
expect_out '^h1: -H h2 --zzz -- -x$'
expect_status 0 muster invoke -H h1 -- echo -- -q
expect_out '^h1: -- -q$'
expect_status 5 muster invoke -H h1 -- -n
expect_err 'h1 \(exited 127\)'

# --- what reaches the hosts ---

case_ 'arguments arrive as they are'
args=('' ' ' 'a b' "it's" '"' '\' '\\n' '$HOME' '`id`' '$(id)' '*' '?' '[a-z]' '{a,b}' '~' '~root'
    '!' '!!' '#' 'a#b' '&' ';' '|' '<' '>' '(' ')' '%' '^' '=' 'a=b' '-' '--' -n -e '@' ',' ':'
    $'two\nlines\n' $'\t' $'\r' $'\001\033[31m\177' 'café' '😀' $'\xff\xfe' '')
printf '<%s>' "${args[@]}" >"$WORK/sent"
expect_status 0 muster invoke -N -H h1 -- printf '<%s>' "${args[@]}"
expect same "$WORK/sent" "$OUT"
expect_silent

case_ 'a program with an equals sign in its name'
printf '#!/bin/sh\necho "$0:$1"\n' >"$WORK/a=b"
chmod 755 "$WORK/a=b"
expect_status 0 muster invoke -H h1 -- "$WORK/a=b" 'x y'
expect_out "^h1: .*/a=b:x y\$"

case_ 'a command that is nearly too long, and one that is'
long=$(head -c 59000 /dev/zero | tr '\0' x)
expect_status 0 muster invoke -N -H h1 -- echo "$long" "$long"
expect test "$(wc -c <"$OUT")" -eq 118002
expect_status 2 muster invoke -H h1 -- echo "$long" "$long" "$long"
expect_err 'longer than 120 KiB.*make a script'
many=()
for ((i = 0; i < 30; i++)); do
    many+=("$long")
done
expect_status 2 muster invoke -H h1 -- echo "${many[@]}"
expect_err 'longer than 120 KiB'

case_ 'a script text runs in one shell'
expect_status 0 muster invoke -H 'h[1-2]' --shell "$where"'; echo "$n" | tr 12 ab; cd / && pwd'
expect_lines 1 '^h1: a$'
expect_lines 1 '^h2: b$'
expect_lines 2 '^h[12]: /$'
expect_status 5 muster invoke -H h1 --shell 'exit 7'
expect_err 'h1 \(exited 7\)'
expect_status 0 muster invoke -N -H h1 --shell $'echo "a  b"\necho \'c\''
printf 'a  b\nc\n' >"$WORK/sent"
expect same "$WORK/sent" "$OUT"
expect_status 2 muster invoke -H h1 --shell 'true' -- false
expect_err 'too much'

case_ 'a command that reads its standard input finds nothing there'
expect_status 0 muster invoke -H 'h[1-2]' -- sh -c 'cat; echo done'
expect_lines 2 '^h[12]: done$'

# --- which hosts ---

case_ 'exclusion, files, standard input'
printf '# a comment\nh1\n\nh[2-3] # two\n' >"$WORK/hosts"
expect_status 0 muster invoke -H "^$WORK/hosts" -x h2 -- echo x
expect_lines 2 '^h[13]: x$'
expect_status 0 muster invoke -H 'h[1-5]' -x "^$WORK/hosts,h5" -- echo x
expect_lines 1 '^h4: x$'
from_stdin() {
    printf 'h4\nh5\n' | muster invoke "$@" -- echo x
}
expect_status 0 from_stdin -H -
expect_lines 2 '^h[45]: x$'
expect_status 0 from_stdin -H 'h[3-5]' -x -
expect_lines 1 '^h3: x$'
expect_status 2 from_stdin -H - -x -
expect_err 'twice'
expect_status 2 muster invoke -H "^$WORK/nothing-there" -- true
expect_err "cannot read hosts from $WORK/nothing-there: No such file"

case_ 'user, port and address belong to the name'
expect_status 0 muster invoke -H "$LAB_USER@h1:$LAB_PORT,127.77.0.2,127.77.0.3:$LAB_PORT" -- id -un
expect_lines 1 "^$LAB_USER@h1:$LAB_PORT: $LAB_USER\$"
expect_lines 1 "^127\\.77\\.0\\.2: $LAB_USER\$"
expect_lines 1 "^127\\.77\\.0\\.3:$LAB_PORT: $LAB_USER\$"
expect_status 4 muster invoke -H 'nobody-of-this-name@h1' -- true
expect_err 'nobody-of-this-name@h1 \(auth'
expect_status 4 muster invoke -H '[::1]:1' -- true
expect_err '\[::1\]:1 \(unreachable: '

case_ 'no host is left'
expect_status 2 muster invoke -H h1 -x h1 -- true
expect_err 'no host is left'
expect_status 0 muster invoke --allow-empty -H h1 -x h1 -- true
expect_silent
expect_no_out .

# --- how many at once ---

# Each run leaves a mark while it lasts, and notes how many there are. $1: directory; $2: how many
# have to be there at once before the first one may end.
overlap='mkdir "$1/run.$$"
look() { set -- "$1"/run.*; echo "$#"; }
i=0
while [ ! -e "$1/met" ] && [ "$i" -lt 4000 ]; do
    [ "$(look "$1")" -lt "$2" ] || : >"$1/met"
    i=$((i+1)); sleep 0.02
done
i=0
while [ "$i" -lt 10 ]; do look "$1"; i=$((i+1)); sleep 0.02; done
rmdir "$1/run.$$"'

# most_at_once: the largest number that any run has seen.
most_at_once() {
    sed 's/.*: //' "$OUT" | sort -n | tail -n 1
}

case_ 'the throttle limit holds, and is reached'
for limit in 1 2 4; do
    mkdir "$WORK/throttle.$limit"
    expect_status 0 muster invoke -f "$limit" -H 'h[1-4]' -- \
        sh -c "$overlap" sh "$WORK/throttle.$limit" "$limit"
    expect test -e "$WORK/throttle.$limit/met"
    expect test "$(most_at_once)" -eq "$limit"
done

# --- what comes back ---

case_ 'exact bytes without labels'
for ((i = 0; i < 256; i++)); do
    # shellcheck disable=SC2059
    printf "\\$(printf %03o "$i")"
done >"$WORK/bytes"
head -c 300000 /dev/urandom >>"$WORK/bytes"
printf 'no newline at the end' >>"$WORK/bytes"
expect_status 0 muster invoke -N -H h1 -- cat "$WORK/bytes"
expect same "$WORK/bytes" "$OUT"
expect_status 0 muster invoke --no-labels -H h1 -- sh -c 'cat "$1" >&2' sh "$WORK/bytes"
expect same "$WORK/bytes" "$ERR"

case_ 'both streams, labelled, to their places'
expect_status 0 muster invoke -H 'h[1-2]' -- sh -c 'echo out; echo err >&2; printf end'
expect_lines 2 '^h[12]: out$'
expect_lines 2 '^h[12]: end$'
expect test "$(wc -l <"$OUT")" -eq 4
expect test "$(sort "$ERR" | tr '\n' ' ')" = 'h1: err h2: err '

case_ 'the verdict, and no word of it when quiet'
expect_status 5 muster invoke -H 'h[1-5]' --shell "$where"'; echo "$n"; exit $((n % 3))'
expect_lines 5 '^h[1-5]: [1-5]$'
expect test "$(cat "$ERR")" = 'muster: 4/5 failed: h[1,4] (exited 1), h[2,5] (exited 2)'
for option in -q --quiet; do
    expect_status 5 muster invoke "$option" -H 'h[1-5]' -- false
    expect_silent
done
expect_status 0 muster invoke -H 'h[1-5]' -- true
expect_silent

case_ 'the largest status of the hosts as our own'
expect_status 5 muster invoke -S -q -H 'h[1-5]' --shell "$where"'; exit "$n"'
expect_status 42 muster invoke -S -q -H 'h[1-3]' --shell "$where"'; exit $((n * 14))'
expect_status 0 muster invoke -S -H 'h[1-3]' -- true
expect_status 255 muster invoke --largest-status -q -H 'h1,nosuchhost.invalid' -- true
expect_status 255 muster invoke -S -q -H 'h1' --shell 'kill -9 $$'

python=$(command -v python3)

case_ 'jsonl: one object a record, its keys in order'
cat >"$WORK/records.py" <<'END'
import base64, json, re, sys
seen = {}
for line in open(sys.argv[1], "rb"):
    r = json.loads(line, object_pairs_hook=list)
    assert [k for k, v in r] == ["host", "job", "child", "stream", "seq", "time", "value"], r
    r = dict(r)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", r["time"]), r
    assert r["child"] == r["job"] + int(r["host"][1:]), r
    of = seen.setdefault(r["host"], {"seq": [], "output": [], "error": []})
    of["seq"].append(r["seq"])
    of[r["stream"]].append(r["value"])
assert sorted(seen) == ["h1", "h2", "h3"], seen
for of in seen.values():
    assert of["seq"] == list(range(1, len(of["seq"]) + 1)), of
    assert of["error"] == ['a "quoted" \\ \t\x01\x7f line'], of
    raw = base64.b64encode(b"\xff\0x").decode()
    assert of["output"] == ["caf\u00e9 \U0001f600", "", [("$bytes", raw)]], of
END
expect_status 0 muster invoke --output jsonl -H 'h[1-3]' -- sh -c \
    'printf "café 😀\n\n\377\0x\n"; printf "a \"quoted\" \\\\ \t\001\177 line\n" >&2'
expect_silent
expect_lines 12 '^\{"host":"h[1-3]",.*\}$'
if [ -n "$python" ]; then
    expect "$python" "$WORK/records.py" "$OUT"
else
    skip_ 'no python3'
fi

# --- get ---

keys='id parent_id name type state has_more_data location command begin end cause exit_code signal'
keys="$keys instance_id children"

case_ 'get: what people see'
stop_daemon
DAEMON=$DAEMON.get # with a store of its own: its jobs count from 1
expect_status 0 muster get
expect test "$(grep -c . "$OUT")" -le 2
expect_no_out 'Job[0-9]'
expect_status 5 muster invoke -q -H 'h[1-2]' --shell "$where"'; exit "$((n * 3 - 3))"'
expect_status 0 muster get
expect_no_out 'Job[0-9]'
expect_status 0 muster get --all
expect_out '^Id +Name +Type +State +HasMoreData +Location +Command$'
expect_lines 1 '^ *1 +Job1 +Remote +Failed +False +h\[1-2\] +set -- '
expect_status 0 muster get -a -c
expect_lines 1 '^ *2 +Job2 .* Completed +False +h1 '
expect_lines 1 '^ *3 +Job3 .* Failed +False +h2 '
expect_status 0 muster get 3 2
expect test "$(tail -n 2 "$OUT" | sed 's/^ *\([0-9]*\).*/\1/' | tr '\n' ' ')" = '3 2 '

case_ 'get: json and jsonl have exactly the promised keys'
cat >"$WORK/rows.py" <<'END'
import json, re, sys
keys, shape = sys.argv[2].split(), sys.argv[3]
text = open(sys.argv[1]).read()
pairs = lambda p: p
if shape == "json":
    rows = json.loads(text, object_pairs_hook=pairs)
else:
    rows = [json.loads(line, object_pairs_hook=pairs) for line in text.splitlines()]
assert len(rows) == 3, rows
for r in rows:
    assert [k for k, v in r] == keys, [k for k, v in r]
job, ok, bad = [dict(r) for r in rows]
time = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
uuid = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
for r in job, ok, bad:
    assert re.fullmatch(uuid, r["instance_id"]), r
    assert re.fullmatch(time, r["begin"]) and re.fullmatch(time, r["end"]), r
    assert r["begin"] <= r["end"], r
    assert r["has_more_data"] is False and r["signal"] is None, r
assert (job["id"], job["parent_id"], job["name"], job["type"]) == (1, None, "Job1", "Remote"), job
assert (job["state"], job["location"], job["children"]) == ("Failed", "h1,h2", [2, 3]), job
assert job["exit_code"] is None and job["cause"] is None, job
assert (ok["id"], ok["parent_id"], ok["location"], ok["children"]) == (2, 1, "h1", []), ok
assert (ok["state"], ok["cause"], ok["exit_code"]) == ("Completed", "exited", 0), ok
assert (bad["state"], bad["cause"], bad["exit_code"]) == ("Failed", "exited", 3), bad
assert len({job["instance_id"], ok["instance_id"], bad["instance_id"]}) == 3
END
if [ -n "$python" ]; then
    for shape in json jsonl; do
        expect_status 0 muster get -a -c --output "$shape"
        expect "$python" "$WORK/rows.py" "$OUT" "$keys" "$shape"
        expect_status 0 muster get 1 -c --output "$shape"
        expect "$python" "$WORK/rows.py" "$OUT" "$keys" "$shape"
    done
else
    skip_ 'no python3'
fi

case_ 'get: the cause and the signal of a child'
expect_status 4 muster invoke -q -H 'h1,nosuchhost.invalid' --shell 'kill -TERM $$'
expect_status 0 muster get 5 6 --output jsonl
expect_lines 1 '"location":"h1",.*"cause":"signalled","exit_code":null,"signal":"TERM",'
expect_lines 1 '"location":"nosuchhost.invalid",.*"cause":"unreachable: cannot resolve[^"]*","exit_code":null,"signal":null,'
expect_lines 1 '"location":"nosuchhost.invalid",.*"begin":null,'

case_ 'get: nothing, and what is not there'
expect_status 0 muster get --output json
expect test "$(cat "$OUT")" = '[]'
expect_status 0 muster get --output jsonl
expect_no_out .
expect_status 2 muster get 4711
expect_err "^muster: there is no job with the id '4711'"
expect_status 2 muster get 1 4711 0815 --output jsonl
expect_lines 1 '^\{"id":1,'
expect_err "id '4711'"
expect_err "id '0815'"
for id in 0 -1 abc 1.5 '' 99999999999999999999; do
    expect_status 2 muster get -- "$id"
    expect_err '^muster: there is no job with the '
done

# --- what is refused ---

# refused REGEX ARGUMENT...: wrong usage, told on the standard error alone.
refused() {
    local why=$1
    shift
    expect_status 2 muster "$@"
    expect_err "^muster.*$why"
    expect_no_out .
}

case_ 'wrong usage'
refused 'a command is missing'
refused "there is no command 'invok'" invok
refused "unknown option '--zzz'" --zzz
refused "unknown option '--zzz'" invoke --zzz -H h1 -- true
refused "unknown option '-Z'" get -Z
refused "'-H' needs a value" invoke -H
refused "'--output' needs a value" invoke --output
refused "'--quiet=1' takes no value" invoke --quiet=1 -H h1 -- true
refused 'no hosts' invoke -- true
refused 'no command' invoke -H h1
refused "--output: 'xml' is none of" invoke --output xml -H h1 -- true
refused "--output: 'xml' is none of" get --output xml
refused "--color: 'maybe' is none of" invoke --color maybe -H h1 -- true
refused "--timeout: 'soon' is no time" invoke -u soon -H h1 -- true
refused "--timeout: '0' is no time above zero" invoke --timeout 0 -H h1 -- true
refused "--throttle-limit: '0'" invoke -f 0 -H h1 -- true
refused "-L: 'a/b' is no name" -L a/b get
refused "-L: '..' is no name" -L .. get
refused 'no such file' -F "$WORK/nothing-there" invoke -H h1 -- true
refused 'one of status, stop, run is missing' daemon
refused 'nothing else' daemon status stop
refused "'dance' is none of" daemon dance
refused 'is none of text, json' daemon status --output csv
expect_err "^Try 'muster daemon --help'"

case_ 'a malformed expression: where'
refused 'h\[1-' invoke -H 'h[1-' -- true
refused 'h\[5-1\]' invoke -H 'h1,h[5-1]' -- true
expect_err '([0-9]|\^)'

# --- a standard output that does not take it ---

to_full() {
    muster "$@" >/dev/full
}
to_nobody() {
    muster "$@" | head -c 0
    return "${PIPESTATUS[0]}"
}
closed() {
    muster "$@" >&-
}

case_ 'results that cannot be written are an error'
for words in 'invoke -H h1 -- echo x' 'get --all' 'daemon status' --help '--version' 'get --help'; do
    for how in to_full closed; do
        # shellcheck disable=SC2086
        expect_status 1 "$how" $words
        expect_err '^muster: cannot write to standard output: '
    done
done

case_ 'a reader who has seen enough is none'
for words in 'get --all' 'daemon status' --help; do
    # shellcheck disable=SC2086
    expect_status 0 to_nobody $words
    expect_silent
done

case_ 'started without standard input, output and error'
no_stdio() {
    muster "$@" <&- >&- 2>&-
}
stop_daemon
expect_status 0 no_stdio invoke -H h1 -- true
expect_status 0 muster invoke -H h1 -- true
expect_status 0 no_stdio --quiet invoke -H h1 -- true

finish_
