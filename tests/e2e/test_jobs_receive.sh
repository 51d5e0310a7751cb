#!/usr/bin/env bash
# test_jobs_receive.sh MUSTER FAULTD: the results of jobs are given once, whole, and to one reader:
# whoever leaves, is killed or comes second.
# shellcheck disable=SC2016 # $ for the hosts' shells
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/jobs.sh
. "$(dirname "$0")/jobs.sh"
measures_memory_
lab_up 3
python=$(command -v python3)

# --- readers that leave ---

case_ 'head -n N takes N lines, and the next receive begins behind them'
# Again and again: it is a race with a reader that leaves.
for lines in 1 3 10 1 1 1 1 1 1 1 2 2 2 3 3; do
    job_ start -- seq 1 5000
    expect_status 0 muster wait "$JOB"
    muster receive -N "$JOB" | head -n "$lines" >"$WORK/head"
    expect cmp "$WORK/head" <(seq 1 "$lines")
    expect_status 0 muster receive -N "$JOB"
    expect cmp "$OUT" <(seq $((lines + 1)) 5000)
    expect property_is "$JOB" has_more_data false
done

case_ 'head takes from three hosts one after the other, and nothing is lost'
on_hosts 'h[1-3]' 'seq -f "$(echo "$SSH_CONNECTION" | cut -d" " -f3 | cut -d. -f4) %g" 1 50'
expect_status 0 muster wait "$JOB"
: >"$WORK/parts"
for lines in 1 30 40 1 60; do
    muster receive -N "$JOB" | head -n "$lines" >>"$WORK/parts"
done
expect test "$(wc -l <"$WORK/parts")" -eq 132
muster receive -N "$JOB" >>"$WORK/parts"
expect cmp "$WORK/parts" <(for i in 1 2 3; do seq -f "$i %g" 1 50; done)

case_ 'a reader that takes nothing at all leaves everything'
job_ start -- seq 1 100
expect_status 0 muster wait "$JOB"
muster receive -N "$JOB" | :
expect_status 0 muster receive -N "$JOB"
expect cmp "$OUT" <(seq 1 100)

case_ 'standard output is full: what could not be written stays'
job_ start -- seq 1 100
expect_status 0 muster wait "$JOB"
full() {
    muster receive -N "$JOB" >/dev/full
}
expect_status 1 full
expect_err 'cannot write to standard output: No space left on device'
expect_status 0 muster receive -N "$JOB"
expect cmp "$OUT" <(seq 1 100)

# --- readers that are killed ---


case_ 'kill -9 of a receiver in the middle, again and again: no record is lost'
# What was written and not yet acknowledged comes twice: once is promised to who ends by himself.
# More than the share of a child: it is held back until somebody reads.
job_ start -- seq 1 400000
expect within 60 property_is "$JOB" has_more_data true
: >"$WORK/parts"
for _ in 1 2 3 4; do
    rm -f "$WORK/pipe"
    mkfifo "$WORK/pipe"
    start_muster "$WORK/pipe" receive --wait -N "$JOB"
    # Reads a part and stays, so that the receiver is in the middle when it is killed.
    exec 8<"$WORK/pipe"
    head -c 65536 <&8 >"$WORK/part"
    { kill -KILL "$PID" && wait "$PID"; } 2>/dev/null
    cat <&8 >>"$WORK/part"
    exec 8<&-
    # The last line may be cut: it was not written, as a whole.
    head -n "$(wc -l <"$WORK/part")" "$WORK/part" >>"$WORK/parts"
    expect has_lines "$WORK/part" 1000
done
expect_status 0 muster receive --wait -N "$JOB"
expect has_lines "$OUT" 1000
cat "$OUT" >>"$WORK/parts"
expect cmp <(sort -n -u "$WORK/parts") <(seq 1 400000)

case_ 'an interrupted receiver acknowledges what it has written: nothing twice, nothing lost'
job_ start -- seq 1 400000
expect within 60 property_is "$JOB" has_more_data true
mkfifo "$WORK/calm"
start_muster "$WORK/calm" receive --wait -N "$JOB"
exec 8<"$WORK/calm"
head -c 65536 <&8 >"$WORK/part"
# Backgrounded commands ignore INT: TERM ends it in the same way.
kill -TERM "$PID"
cat <&8 >>"$WORK/part"
exec 8<&-
wait_ "$PID"
expect test $? -eq 130
expect test "$(wc -l <"$WORK/part")" -lt 400000
expect_status 0 muster receive --wait -N "$JOB"
expect cmp <(cat "$WORK/part" "$OUT") <(seq 1 400000)

# --- two readers ---

# 25000 short lines are more than a pipe holds, and less than the share of a child: it need not wait
# for a reader.

case_ 'two readers at once never get the same record, and together get all'
on_hosts 'h[1-3]' "until [ -e '$WORK/two' ]; do sleep 0.02; done; seq 1 20000"
start_muster "$WORK/reader.1" receive --wait "$JOB"
one=$PID
start_muster "$WORK/reader.2" receive --wait "$JOB"
two=$PID
: >"$WORK/two"
expect within 60 gone "$one"
expect within 60 gone "$two"
expect cmp <(sort "$WORK/reader.1" "$WORK/reader.2") \
    <(for i in 1 2 3; do seq -f "h$i: %.0f" 1 20000; done | sort)
expect test ! -s "$WORK/reader.1.err"
expect test ! -s "$WORK/reader.2.err"

case_ 'a reader comes while another holds a child: it gets the others, and the rest when that leaves'
job_ start -- seq 1 25000
held=$JOB
on_hosts h1 'echo free'
expect_status 0 muster wait "$held" "$JOB"
mkfifo "$WORK/held"
start_muster "$WORK/held" receive -N "$held"
first=$PID
exec 8<"$WORK/held"
head -c 65536 <&8 >"$WORK/part"
# Not --wait: what another reads is not there.
expect_status 0 muster receive -N "$held" "$JOB"
expect_text free
# --keep asks for no leave.
expect_status 0 muster receive -N --keep "$held"
expect test "$(tail -n 1 "$OUT")" = 25000
kill -TERM "$first"
cat <&8 >>"$WORK/part"
exec 8<&-
wait_ "$first"
expect_status 0 muster receive -N "$held"
expect cmp <(cat "$WORK/part" "$OUT") <(seq 1 25000)

# --- options ---

case_ '--stream: the others stay'
job_ start --shell 'echo out; echo err >&2'
expect_status 0 muster wait "$JOB"
expect_status 0 muster receive -N --stream error "$JOB"
expect_text ''
expect test "$(cat "$ERR")" = err
expect_status 0 muster receive -N --stream warning,verbose "$JOB"
expect_text ''
expect_silent
expect property_is "$JOB" has_more_data true
expect_status 0 muster receive -N --stream ERROR,Output "$JOB"
expect_text out
expect_silent
expect property_is "$JOB" has_more_data false
expect_status 2 muster receive --stream output,nonsense "$JOB"
expect_err "'nonsense'"

case_ '--location and a head: of the other hosts nothing is touched'
on_hosts 'h[1-3]' 'seq 1 10'
expect_status 0 muster wait "$JOB"
muster receive --location h2 "$JOB" | head -n 2 >"$OUT"
expect_text $'h2: 1\nh2: 2'
expect_status 0 muster receive --location 'h2,h3' "$JOB"
expect cmp "$OUT" <(seq -f 'h2: %g' 3 10; seq -f 'h3: %g' 1 10)
expect property_is $((JOB + 1)) has_more_data true

case_ '--by-time merges the children'
# h1 and h2 take turns, the next one when what the other has said is here, and so has its time.
on_hosts 'h[1-2]' "case \$SSH_CONNECTION in *' 127.77.0.1 '*) i=0 ;; *) i=1 ;; esac
    while [ \$i -lt 10 ]; do
        until [ -e '$WORK/turn'.\$i ]; do sleep 0.01; done
        echo \$i
        i=\$((i + 2))
    done"
is_here() {
    muster receive --keep -N "$JOB" | grep -qx "$1"
}
for i in 0 1 2 3 4 5 6 7 8 9; do
    : >"$WORK/turn.$i"
    expect within 60 is_here "$i"
done
expect_status 0 muster wait "$JOB"
expect_status 0 muster receive --keep -N "$JOB"
expect_text "$(printf '%s\n' 0 2 4 6 8 1 3 5 7 9)"
expect_status 0 muster receive --by-time --keep -N "$JOB"
expect_text "$(seq 0 9)"
muster receive --by-time -N "$JOB" | head -n 5 >"$OUT"
expect_text "$(seq 0 4)"
expect_status 0 muster receive --by-time -N "$JOB"
expect_text "$(seq 5 9)"

case_ 'a long line that is not whole stays until it is, and keeps no other child back'
# 100,000 bytes are more than one record: the pieces are there before the end of the line is.
on_hosts 'h[1-2]' "case \$SSH_CONNECTION in
    *' 127.77.0.1 '*)
        head -c 100000 /dev/zero | tr '\\0' x
        until [ -e '$WORK/end.of.line' ]; do sleep 0.02; done
        echo y ;;
    *) echo short ;;
    esac"
expect within 60 property_is $((JOB + 1)) has_more_data true
expect within 60 is_finished $((JOB + 2))
expect_status 0 muster receive --by-time --keep -N "$JOB"
expect_text short
expect_status 0 muster receive -N "$JOB"
expect_text short
expect property_is $((JOB + 1)) has_more_data true
: >"$WORK/end.of.line"
expect_status 0 muster receive --wait -N "$JOB"
expect cmp "$OUT" <(head -c 100000 /dev/zero | tr '\0' x && echo y)

case_ '--wait --timeout: what there is, and exit status 3; the rest later'
on_hosts h1 "echo one; until [ -e '$WORK/later' ]; do sleep 0.02; done; echo two"
expect within 60 property_is "$JOB" has_more_data true
expect_status 3 muster receive --wait --timeout 300ms "$JOB"
expect_text 'h1: one'
expect_status 0 muster receive --wait --timeout 0 "$JOB"
expect_text ''
: >"$WORK/later"
expect_status 0 muster receive --wait --timeout 1m "$JOB"
expect_text 'h1: two'

case_ 'receive --wait gives what comes as it comes'
on_hosts h1 "echo one; until [ -e '$WORK/one' ]; do sleep 0.02; done; echo two
    until [ -e '$WORK/two.seen' ]; do sleep 0.02; done"
start_muster "$WORK/live" receive --wait "$JOB"
expect within 60 grep -qx 'h1: one' "$WORK/live"
: >"$WORK/one"
expect within 60 grep -qx 'h1: two' "$WORK/live"
expect alive "$PID"
: >"$WORK/two.seen"
expect within 60 gone "$PID"

# --- shapes ---

on_hosts 'h[1-2]' 'printf "a,\"b\" \303\251\ttab\n"; printf "\377raw\n"; echo err >&2; printf "no end"'
SHAPES=$JOB
muster wait "$SHAPES" >/dev/null

case_ 'a job that talks as fast as it is read: receive ends with what was there, and others have their turn'
job_ start -- yes
loud=$JOB
expect within 60 property_is "$loud" has_more_data true
expect_status 0 muster receive "$loud"
expect_lines 0 '^localhost: [^y]'
expect test -s "$OUT"
expect_status 0 muster receive --by-time "$loud"
expect state_is "$loud" Running
job_ start -- echo heard
muster receive --wait --timeout 100 "$loud" "$JOB" 2>/dev/null | grep -m 1 -q '^localhost: heard$'
expect test "${PIPESTATUS[1]}" -eq 0
expect_status 0 muster remove --force "$loud"

case_ 'hide-computer-name is for people: programs still see the host'
expect_status 0 muster receive --keep --hide-computer-name --stream output "$SHAPES"
expect_no_out 'h[12]: '
for shape in json jsonl csv yaml; do
    expect_status 0 muster receive --keep --hide-computer-name --output "$shape" "$SHAPES"
    expect_out h1
    expect_out h2
done

case_ 'a table and a list of records'
expect_status 0 muster receive --keep --output table "$SHAPES"
expect_out h1
expect_out 'raw'
expect_status 0 muster receive --keep --output list "$SHAPES"
expect_lines 8 '^ComputerName +: h[12]$'
expect_lines 2 '^Value +: no end$'

case_ 'json, jsonl, csv and yaml say the same'
if [ -z "$python" ]; then
    skip_ 'no python3'
else
    cat >"$WORK/shapes.py" <<'END'
import base64, csv, json, sys

first = sys.argv[1]
want = {}
for child, host in (1, "h1"), (2, "h2"):
    job = int(first)
    want[host] = {("output", 'a,"b" \u00e9\ttab'), ("output", b"\xffraw"), ("error", "err"),
                  ("output", "no end")}

def value(v):
    return base64.b64decode(v["$bytes"]) if isinstance(v, dict) else v

def check(name, records):
    got = {}
    for r in records:
        assert set(r) >= {"host", "job", "child", "stream", "seq", "time", "value"}, (name, r)
        assert int(r["job"]) == int(first), (name, r)
        assert int(r["child"]) == int(first) + int(r["host"][1:]), (name, r)
        got.setdefault(r["host"], set()).add((r["stream"], value(r["value"])))
    assert got == want, (name, got)

text = {n: open(f"{sys.argv[2]}/shape.{n}", encoding="utf-8", newline="").read()
        for n in ("json", "jsonl", "csv", "yaml")}
check("json", json.loads(text["json"]))
check("jsonl", [json.loads(line) for line in text["jsonl"].splitlines() if line])
try:
    import yaml
    check("yaml", yaml.safe_load(text["yaml"]))
except ImportError:
    pass
rows = list(csv.DictReader(text["csv"].splitlines(True)))
assert len(rows) == 8, rows
assert {r["host"] for r in rows} == {"h1", "h2"}, rows
assert sum(r["value"] == 'a,"b" \u00e9\ttab' for r in rows) == 2, rows
END
    for shape in json jsonl csv yaml; do
        expect_status 0 muster receive --keep --output "$shape" "$SHAPES"
        expect_silent
        cp "$OUT" "$WORK/shape.$shape"
    done
    expect_status 0 "$python" "$WORK/shapes.py" "$SHAPES" "$WORK"
fi

case_ 'json of nothing is an empty array, and head leaves json whole records'
on_hosts h1 true
expect_status 0 muster wait "$JOB"
expect_status 0 muster receive --output json "$JOB"
expect_out '^\[\]$'
job_ start -- seq 1 2000
expect_status 0 muster wait "$JOB"
muster receive --output jsonl "$JOB" | head -n 3 >"$OUT"
expect_lines 3 '"value":"[123]"\}$'
expect_status 0 muster receive -N "$JOB"
expect cmp "$OUT" <(seq 4 2000)

# --- size ---

case_ 'a line of 20 MB is exact, and is given once'
head -c 20971520 /dev/zero | tr '\0' y >"$WORK/line"
echo >>"$WORK/line"
job_ invoke --as-job -H 'h[1-2]' -- cat "$WORK/line"
expect_status 0 muster receive --wait --timeout 110 "$JOB"
# In the order of arrival.
expect cmp <(grep -a '^h1: ' "$OUT") <(printf 'h1: ' && cat "$WORK/line")
expect cmp <(grep -a '^h2: ' "$OUT") <(printf 'h2: ' && cat "$WORK/line")
expect test "$(wc -l <"$OUT")" -eq 2
expect_silent
expect_status 0 muster receive "$JOB"
expect_text ''

case_ '100 MB through receive --wait: exact, and the memory of the daemon stays'
seq -f '%063.0f' 1 16384 >"$WORK/block"
want=$(for ((i = 0; i < 100; i++)); do cat "$WORK/block"; done | sha256sum)
daemon=$(daemon_pid)
before=$(rss_kb "$daemon")
job_ invoke --as-job -H h1 -- sh -c 'i=0; while [ $i -lt 100 ]; do cat "$0"; i=$((i + 1)); done' "$WORK/block"
sum() {
    muster receive --wait -N "$JOB" | sha256sum
    return "${PIPESTATUS[0]}"
}
LIMIT=120
expect_status 0 sum
expect test "$(cat "$OUT")" = "$want"
expect_silent
expect test "$(($(rss_kb "$daemon") - before))" -lt 98304
echo "  daemon: $before kB before, $(rss_kb "$daemon") kB after, at most $(peak_kb "$daemon") kB ever"
expect property_is "$JOB" has_more_data false

finish_
