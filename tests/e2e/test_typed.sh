#!/usr/bin/env bash
# test_typed.sh MUSTER FAULTD HOSTILE AGENT: --parse and MUSTER_FD from the command on the host to the
# bytes that muster writes.
# shellcheck disable=SC2016,SC2034,SC2153,SC2317 # $ for the hosts' shells; lib.sh uses what is set here
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/jobs.sh
. "$(dirname "$0")/jobs.sh"
lab_up 5

# values KIND TEXT [OPTION...]: what --parse KIND makes of the text (a printf format) on h1, value by value.
values() {
    local kind=$1 text=$2
    shift 2
    printf '%b' "$text" >"$WORK/text"
    expect_status 0 muster invoke -H h1 -o jsonl --parse "$kind" "$@" -- cat "$WORK/text"
    sed -i 's/^{"host":"h1","job":[0-9]*,"child":[0-9]*,"stream":"output","seq":[0-9]*,"time":"[^"]*","value":\(.*\)}$/\1/' "$OUT"
}

# --- each kind ---

case_ 'lines'
values lines 'a b\n\n\t{"x":1}\nlast'
expect_text $'"a b"\n""\n"\\t{\\"x\\":1}"\n"last"'

case_ 'nul'
values nul 'a\nb\0c\0\0d'
expect_text $'"a\\nb"\n"c"\n""\n"d"'

case_ 'raw'
values raw 'a\nb\0\0377'
expect_text '{"$bytes":"YQpiAP8="}'

case_ 'json: documents, elements of arrays, types'
values json '{"a":1}\n[2,"x"] null true {"t":{"u":[[]]}} -1.5e3'
expect_text $'{"a":1}\n2\n"x"\nnull\ntrue\n{"t":{"u":[[]]}}\n-1500.0'

case_ 'json: integers of 64 bits are exact, larger ones keep their digits'
values json '[9223372036854775807,-9223372036854775808,18446744073709551615,9007199254740993,18446744073709551616,-9223372036854775809]'
expect_text $'9223372036854775807\n-9223372036854775808\n18446744073709551615\n9007199254740993\n"18446744073709551616"\n"-9223372036854775809"'

case_ 'jsonl, with lines that are none'
values jsonl '{"a":1}\nnonsense\n"s"\n{"a":1,"a":2}\n[1\n{"last":2}'
expect_out '^\{"\$error":"[^"]+","\$raw":"nonsense"\}$'
expect_out '^\{"\$error":"[^"]+same key[^"]*","\$raw":"\{\\"a\\":1,\\"a\\":2\}"\}$'
expect_out '^\{"\$error":"[^"]+","\$raw":"\[1"\}$'
expect_text "$(sed -n 1p "$OUT"; sed -n 2p "$OUT"; echo '"s"'; sed -n 4,5p "$OUT"; echo '{"last":2}')"

case_ 'csv: quotes, types, empty cells, a row of another length'
values csv 'name,n,ok\r\n"a,""b",12,true\r\n"two\nlines",-1.5,\r\nx,1\r\ny,18446744073709551615,false\r\n'
expect_text "$(printf '%s\n' '{"name":"a,\"b","n":12,"ok":true}' '{"name":"two\nlines","n":-1.5,"ok":null}' \
    "$(sed -n 3p "$OUT")" '{"name":"y","n":18446744073709551615,"ok":false}')"
expect_out '^\{"\$error":"the row has 2 cells[^"]*","\$raw":"x,1\\r"\}$'

case_ 'csv with another delimiter, tsv'
values 'csv:;' 'a;b\n1;x,y\n'
expect_text '{"a":1,"b":"x,y"}'
values tsv 'a\tb\n1\t"x\n'
expect_text '{"a":1,"b":"\"x"}'

case_ 'kv, blocks'
values kv 'A=1\nB: two words\n# comment\nC="q r"\n'
expect_text '{"A":1,"B":"two words","C":"q r"}'
values blocks 'A=1\nB=x\n\n\nA=2\n'
expect_text $'{"A":1,"B":"x"}\n{"A":2}'

case_ 'table'
values table 'PID USER     CMD\n  1 root     init --x  y\n 22 www-data sh\n'
expect_text $'{"PID":1,"USER":"root","CMD":"init --x  y"}\n{"PID":22,"USER":"www-data","CMD":"sh"}'

case_ 'regex: named and numbered groups, a line that does not match'
values 'regex:^(?<key>[a-z]+)=([0-9]+)$' 'a=1\nnone\nbc=22\n'
expect_text "$(printf '%s\n' '{"key":"a","2":1}' "$(sed -n 2p "$OUT")" '{"key":"bc","2":22}')"
expect_out '"\$raw":"none"'

case_ 'auto: JSON if it is, else lines'
values auto ' [1,{"a":2}]'
expect_text $'1\n{"a":2}'
values auto 'total 4\n{"a":1}\n'
expect_text $'"total 4"\n"{\\"a\\":1}"'

case_ 'a kind that is none, a pattern that is wrong, a kind that plain exec cannot: status 2, nothing is run'
for kind in xml 'csv:ab' regex lines:x; do
    expect_status 2 muster invoke -H h1 --parse "$kind" -- touch "$WORK/ran"
done
expect_status 2 muster invoke -H h1 --parse json --agent never -- touch "$WORK/ran"
expect_err 'needs the agent'
expect_status 4 muster invoke -H h1 --parse 'regex:(' -- touch "$WORK/ran"
expect_err "\\(refused: pattern: .*\\)"
expect test ! -e "$WORK/ran"

case_ 'no output, and output without a newline at its end'
for kind in lines raw nul json jsonl csv tsv kv blocks table regex:x auto; do
    values "$kind" ''
    expect_text ''
done
values csv 'a,b\n1,2'
expect_text '{"a":1,"b":2}'

# --- formats ---

case_ 'formats: json is one array, csv has its columns, yaml'
printf 'name,n\nx,1\n' >"$WORK/text"
expect_status 0 muster invoke -H h1 --parse csv -o json -- cat "$WORK/text"
expect_out '^\[\{"host":"h1",.*"value":\{"name":"x","n":1\}\}\]$'
expect_status 0 muster invoke -H h1 --parse csv -o csv -- cat "$WORK/text"
expect_lines 1 '^host,job,child,stream,seq,time,value,encoding$'
expect_out '^h1,[0-9]+,[0-9]+,output,1,[^,]+,"\{""name"":""x"",""n"":1\}",json$'
expect_status 0 muster invoke -H h1 --parse csv -o yaml -- cat "$WORK/text"
expect_out '^  value: \{"name": "x", "n": 1\}$'

case_ 'formats: table aligns, list has a block each, text has one line'
printf 'name,n\nx,1\nlonger,1000\n' >"$WORK/text"
expect_status 0 muster invoke -H h1 --parse csv -o table -- cat "$WORK/text"
expect_out '^Host +name +n$'
expect_out '^h1 +x +1$'
expect_out '^h1 +longer +1000$'
expect_status 0 muster invoke -H h1 --parse csv -o list -- cat "$WORK/text"
expect_lines 2 '^ComputerName *: h1$'
expect_lines 1 '^name *: longer$'
expect_status 0 muster invoke -H h1 --parse csv -- cat "$WORK/text"
expect_out '^h1: name=longer n=1000$'

case_ 'standard error is lines of its own, whatever --parse says'
expect_status 0 muster invoke -H h1 --parse json --shell 'echo "{\"a\":1}"; echo "{\"b\":2}" >&2'
expect_text 'h1: a=1'
expect test "$(cat "$ERR")" = 'h1: {"b":2}'
expect_status 0 muster invoke -H h1 --parse csv -o jsonl --shell 'printf "a\n1\n"; echo oops >&2'
expect_lines 1 '"stream":"error",.*"value":"oops"'
expect_lines 1 '"stream":"output",.*"value":\{"a":1\}'
expect_silent

case_ 'the same columns on several hosts, different ones on others'
expect_status 0 muster invoke -H 'h[1-5]' --parse csv -o jsonl --shell '
    case $MUSTER_RANK in [0-2]) echo a,b ;; *) echo b,c ;; esac; echo "$MUSTER_RANK,x"'
for rank in 0 1 2; do
    expect_lines 1 "\"host\":\"h$((rank + 1))\",.*\"value\":\\{\"a\":$rank,\"b\":\"x\"\\}"
done
for rank in 3 4; do
    expect_lines 1 "\"host\":\"h$((rank + 1))\",.*\"value\":\\{\"b\":$rank,\"c\":\"x\"\\}"
done
expect_lines 5 .

case_ 'background: rows keep their columns for each reader, with --keep and without'
job_ invoke --as-job -H 'h[1-3]' --parse csv --shell 'printf "n,t\n%d,x\n%d,y\n" "$MUSTER_RANK" 9007199254740993'
expect_status 0 muster wait "$JOB"
for keep in --keep --keep ''; do
    # shellcheck disable=SC2086 # nothing, or an option
    expect_status 0 muster receive $keep -o jsonl "$JOB"
    for rank in 0 1 2; do
        expect_lines 1 "\"host\":\"h$((rank + 1))\",.*\"seq\":1,.*\"value\":\\{\"n\":$rank,\"t\":\"x\"\\}"
        expect_lines 1 "\"host\":\"h$((rank + 1))\",.*\"seq\":2,.*\"value\":\\{\"n\":9007199254740993,\"t\":\"y\"\\}"
    done
    expect_lines 6 .
done
expect_status 0 muster receive -o jsonl "$JOB"
expect_text ''

case_ 'background: a reader in the middle of the rows'
job_ invoke --as-job -H h1 --parse csv --shell "echo n; echo 1; $(until_there() { echo "until [ -e $WORK/$1 ]; do sleep 0.02; done"; }; until_there rows); echo 2"
# The unfinished one is not awaited: a row is sent when it is whole.
expect within 60 property_is "$JOB" has_more_data true
expect_status 0 muster receive -o table "$JOB"
expect_out '^h1 +1$'
: >"$WORK/rows"
expect_status 0 muster receive --wait -o jsonl "$JOB"
expect_out '"value":\{"n":2\}'

# --- MUSTER_FD ---

streams='for s in output warning verbose debug information; do
    echo "{\"stream\":\"$s\",\"value\":\"v-$s\"}" >&"$MUSTER_FD"; done
    echo "{\"progress\":{\"percent\":45,\"activity\":\"copying\"}}" >&"$MUSTER_FD"
    echo "{\"stream\":\"output\",\"value\":{\"k\":[1,{}]}}" >&"$MUSTER_FD"
    echo plain'

case_ 'MUSTER_FD: all streams, for programs'
expect_status 0 muster invoke -H h1 -o jsonl --shell "$streams"
for stream in output warning verbose debug information; do
    expect_lines 1 "\"stream\":\"$stream\",.*\"value\":\"v-$stream\""
done
expect_lines 1 '"stream":"progress",.*"value":\{"percent":45,"activity":"copying"\}'
expect_lines 1 '"stream":"output",.*"value":\{"k":\[1,\{\}\]\}'
expect_lines 8 .

case_ 'MUSTER_FD: for people, verbose and debug on request'
expect_status 0 muster invoke -H h1 --shell "$streams"
expect test "$(sort "$OUT" | tr '\n' ';')" = 'h1: k=[1,{}];h1: plain;h1: v-output;'
expect test "$(tr '\n' ';' <"$ERR")" = 'h1: WARNING: v-warning;h1: INFO: v-information;'
expect_status 0 muster invoke --verbose --debug -H h1 --shell "$streams"
expect_err '^h1: VERBOSE: v-verbose$'
expect_err '^h1: DEBUG: v-debug$'

case_ 'MUSTER_FD: receive picks streams'
job_ invoke --as-job -H h1 --shell "$streams"
expect_status 0 muster wait "$JOB"
expect_status 0 muster receive --keep --stream warning,progress -o jsonl "$JOB"
expect_lines 2 .
expect_lines 2 '"stream":"(warning|progress)"'
expect_status 0 muster receive -o jsonl "$JOB"
expect_lines 8 .

case_ 'MUSTER_FD: what is no record is told, and a flood of it a bounded number of times'
expect_status 0 muster invoke -H h1 -o jsonl --shell '
    i=0; while [ $i -lt 2000 ]; do echo "nonsense $i"; i=$((i + 1)); done >&"$MUSTER_FD"
    echo "{\"stream\":\"nosuch\",\"value\":1}" >&"$MUSTER_FD"; head -c 300000 /dev/zero >&"$MUSTER_FD"'
expect_out '"stream":"warning",.*nonsense 0'
expect_lines "$(wc -l <"$OUT")" '"stream":"warning"'
expect test "$(wc -l <"$OUT")" -le 110

case_ 'MUSTER_FD: with nobody at the other end of the rest'
expect_status 0 muster invoke -H h1 --shell 'exec >&- 2>&-; echo "{\"stream\":\"output\",\"value\":7}" >&"$MUSTER_FD"'
expect_text 'h1: 7'

# --- bytes ---

for mb in 1 10; do
    case_ "raw: $mb MB of any bytes are the same bytes"
    head -c $((mb << 20)) /dev/urandom >"$WORK/soup"
    expect_status 0 muster invoke -H h1 -N --parse raw -- cat "$WORK/soup"
    expect cmp "$OUT" "$WORK/soup"
    expect_silent
    # Lines are bytes, too.
    expect_status 0 muster invoke -H h1 -N -- cat "$WORK/soup"
    expect cmp "$OUT" "$WORK/soup"
done

case_ 'raw: in pieces, and standard error beside it'
expect_status 0 muster invoke -H h1 -N --parse raw --shell 'i=0; while [ $i -lt 300 ]; do printf "\0\377%d\n" $i; echo e$i >&2; i=$((i + 1)); done'
expect cmp "$OUT" <(for ((i = 0; i < 300; i++)); do printf '\0\377%d\n' "$i"; done)
expect cmp "$ERR" <(for ((i = 0; i < 300; i++)); do echo "e$i"; done)

case_ 'fault_42: invalid UTF-8, NUL, CR and bare CR'
values lines 'ok\n\0377\0376\nnul\0nul\ncr\r\nx\ry\n\0303\0244\n'
expect_text $'"ok"\n{"$bytes":"//4="}\n"nul\\u0000nul"\n"cr\\r"\n"x\\ry"\n"\303\244"'
printf 'ok\n\377\376\nnul\0nul\ncr\r\nx\ry\n' >"$WORK/text"
expect_status 0 muster invoke -H h1 -N -- cat "$WORK/text"
expect cmp "$OUT" "$WORK/text"

case_ 'fault_42: a line of 100 MB comes in pieces, and is whole in the end'
LIMIT=120
head -c 104857600 /dev/zero | tr '\0' y >"$WORK/line"
echo >>"$WORK/line"
expect_status 0 muster invoke -H h1 -N -- cat "$WORK/line"
expect cmp "$OUT" "$WORK/line"

case_ 'fault_42: a line that is too long for its parser is kept, too'
{ printf '{"a":"'; head -c 3000000 /dev/zero | tr '\0' y; printf '"}\n{"b":1}\n'; } >"$WORK/line"
expect_status 0 muster invoke -H h1 -N --parse jsonl -- cat "$WORK/line"
expect cmp "$OUT" <(head -n 1 "$WORK/line"; echo b=1)

case_ 'fault_41: escapes are raw in a pipe and inert on a terminal'
printf 'a\033]0;title\007b\033[2J\302\233c\342\200\256d\r\n' >"$WORK/text"
expect_status 0 muster invoke -H h1 -N -- cat "$WORK/text"
expect cmp "$OUT" "$WORK/text"
printf '["\\u001b]0;title\\u0007\\u202e"]' >"$WORK/text"
expect_status 0 muster invoke -H h1 -o jsonl --parse json -- cat "$WORK/text"
expect_no_out $'\033'
if command -v script >/dev/null; then
    on_terminal() {
        script -qec "$(printf '%q ' "$MUSTER" -L "$DAEMON" -F "$SSH_CONFIG" -q "$@")" /dev/null
    }
    for kind in lines json; do
        printf '["a\033]0;title\007\033[2J\342\200\256d\\u001b[2J"]\n' >"$WORK/text"
        expect_status 0 on_terminal invoke -H h1 --color never --parse "$kind" -- cat "$WORK/text"
        expect_no_out $'\033\\]'
        expect_no_out $'\033\\[2J'
        expect_no_out $'\342\200\256'
    done
else
    echo '  script is not installed: not shown on a terminal'
fi

finish_
