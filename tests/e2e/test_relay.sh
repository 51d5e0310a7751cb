#!/usr/bin/env bash
# test_relay.sh MUSTER FAULTD HOSTILE AGENT: parts of a job that gateways run.
# shellcheck disable=SC2016,SC2034,SC2153,SC2317 # $ for the hosts' shells; lib.sh uses what is set here
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/jobs.sh
. "$(dirname "$0")/jobs.sh"
# shellcheck source=tests/e2e/relay.sh
. "$(dirname "$0")/relay.sh"
measures_memory_
gateways_up 23
gateway_ 1
gateway_ 2

case_ 'two gateways run ten hosts each; names and places are those of the whole'
expect_status 0 muster invoke -H 'h[3-22]' --via 'h[1-2]' -- echo %h %n
expect_lines 20 '^h[0-9]+: h[0-9]+ [0-9]+$'
for ((i = 3; i <= 22; i++)); do
    expect_lines 1 "^h$i: h$i $((i - 3))\$"
done
expect_silent
expect test "$(children_at 1)" -eq 10
expect test "$(children_at 2)" -eq 10

case_ 'the environment has the place among all, too'
expect_status 0 muster invoke -H 'h[3-6]' --via 'h[1-2]' --shell 'echo $MUSTER_HOST $MUSTER_RANK/$MUSTER_COUNT'
expect_text_sorted() {
    [ "$(sort "$OUT")" = "$1" ] || {
        fail_ "the output, sorted, is not: $1"
        shows_
    }
}
expect_text_sorted $'h3: h3 0/4\nh4: h4 1/4\nh5: h5 2/4\nh6: h6 3/4'

case_ 'hosts without a gateway are connected to from here, in the same job'
cat >"$WORK/topology" <<'END'
[here]
name: admin
[routes]
admin: h[1-2]
h[1-2]: h[5-8]
END
expect_status 0 muster invoke -H 'h[3-8]' --topology "$WORK/topology" --output jsonl -- echo %n
expect_lines 6 '"stream":"output"'
for ((i = 3; i <= 8; i++)); do
    expect_lines 1 "^\{\"host\":\"h$i\",\"job\":[0-9]+,\"child\":[0-9]+,.*\"value\":\"$((i - 3))\"\}"
done

case_ 'a gateway behind a gateway'
gateway_ 23
cat >"$WORK/chain" <<'END'
[here]
name: admin
[routes]
admin: h1
h1: h23
h23: h[3-6]
END
expect_status 0 muster invoke -H 'h[3-6]' --topology "$WORK/chain" -- echo %h %n
expect_text_sorted $'h3: h3 0\nh4: h4 1\nh5: h5 2\nh6: h6 3'
expect test "$(children_at 1)" -eq 4
expect test "$(children_at 23)" -eq 4

case_ 'typed results: the columns of each host'
csv='if [ $((%n % 2)) -eq 0 ]; then printf "a,b\n%n,x\n"; else printf "c\n%n\n"; fi'
expect_status 0 muster invoke -H 'h[3-12]' --via 'h[1-2]' --parse csv --output jsonl -- sh -c "$csv"
for ((i = 3; i <= 12; i += 2)); do
    expect_lines 1 "^\{\"host\":\"h$i\",.*\"value\":\{\"a\":$((i - 3)),\"b\":\"x\"\}\}"
    expect_lines 1 "^\{\"host\":\"h$((i + 1))\",.*\"value\":\{\"c\":$((i - 2))\}\}"
done

case_ 'typed results of a background job, and after the daemon was another'
job_ invoke --as-job -H 'h[3-6]' --via 'h[1-2]' --parse csv -- sh -c "$csv"
expect_status 0 muster wait "$JOB"
stop_daemon
expect_status 0 muster receive "$JOB" --output jsonl
expect_lines 2 '"value":\{"a":[02],"b":"x"\}'
expect_lines 2 '"value":\{"c":[13]\}'

case_ 'hosts that fail do so as they would without a gateway'
expect_status 4 muster invoke -H 'h[3-6],nowhere' --via 'h[1-2]' --shell 'case $MUSTER_HOST in
    h3) exit 3 ;; h4) kill -KILL $$ ;; h5) echo bad >&2 ;; esac'
expect_err 'h3 .*exited 3'
expect_err 'h4 .*signalled KILL'
expect_err '^h5: bad$'
expect_err 'nowhere .*unreachable: cannot resolve'
expect_err '^muster: 3/5 failed'
expect_status 5 muster invoke -S -H 'h[3-4]' --via h1 --shell 'exit 5'

case_ 'the shell of a gateway may say something'
into_ h2 "$GATE_HOME/.bashrc.quiet" 644 < <(on_ h2 'cat ~/.bashrc')
on_ h2 'echo "echo MS welcome MS; echo hello >&2" >>~/.bashrc'
expect_status 0 muster invoke -H 'h[3-6]' --via 'h[1-2]' -- echo fine
expect_lines 4 '^h[3-6]: fine$'
on_ h2 'mv ~/.bashrc.quiet ~/.bashrc' >/dev/null 2>&1

case_ 'standard input goes to every host'
head -c 5000000 /dev/urandom >"$WORK/input"
want=$(sha256sum <"$WORK/input")
with_input() {
    muster invoke -H 'h[3-8]' --via 'h[1-2]' --stdin - -- sha256sum <"$WORK/input"
}
expect_status 0 with_input
expect_lines 6 "^h[3-8]: ${want%% *}"

case_ 'stop of a job, and of a child'
begin_
job_ invoke --as-job -H 'h[3-8]' --via 'h[1-2]' -- sh -c "$HOLD"
expect within 60 begun 6
expect_status 0 muster stop $((JOB + 2))
expect state_is $((JOB + 2)) Stopped
expect state_is "$JOB" Running
expect_status 0 muster stop "$JOB"
expect states_are "$JOB" Stopped Stopped Stopped Stopped Stopped Stopped
expect within 60 no_process_of "$WORD"

case_ 'interrupted twice: the commands on the hosts are ended'
begin_
start_muster "$WORK/out" invoke -H 'h[3-8]' --via 'h[1-2]' -- sh -c "$HOLD"
expect within 60 begun 6
interrupt_ "$WORK/out.err"
wait_ "$PID"
expect test $? -eq 130
expect within 60 no_process_of "$WORD"

case_ 'a client that is killed: the same'
begin_
start_muster "$WORK/out" invoke -H 'h[3-8]' --via 'h[1-2]' -- sh -c "$HOLD"
expect within 60 begun 6
kill -KILL "$PID"
expect within 60 no_process_of "$WORD"

case_ 'suspend and resume'
begin_
job_ invoke --as-job -H 'h[3-6]' --via 'h[1-2]' -- sh -c "$HOLD"
expect within 60 begun 4
expect_status 0 muster suspend $((JOB + 1))
expect state_is $((JOB + 1)) Suspended
expect state_is $((JOB + 2)) Running
expect_status 0 muster resume $((JOB + 1))
expect_status 0 muster suspend "$JOB"
expect states_are "$JOB" Suspended Suspended Suspended Suspended
expect_status 0 muster resume "$JOB"
: >"$WORK/go"
expect_status 0 muster wait "$JOB"
expect states_are "$JOB" Completed Completed Completed Completed

case_ 'a background job says that it does not outlive the link'
job_ invoke --as-job -H 'h[3-4]' --via h1 -- echo fine
expect_status 0 muster receive --wait "$JOB"
expect_lines 2 '^h[34]: fine$'
expect_err 'WARNING: hosts that are reached by a gateway are not durable'

case_ 'what cannot be together is refused'
expect_status 2 muster invoke --as-job --durable -H h3 --via h1 -- true
expect_err 'durable'
expect_status 2 muster invoke --in-disconnected-session -H h3 --via h1 -- true
expect_err 'disconnected'
expect_status 2 muster invoke -H h3 --via 'h1:x' -- true

case_ 'a reader that does not read: memory stays small, on both sides, and all comes'
stop_daemon
printf 'results-budget = 16M\n' >>"$HOME/.config/muster/muster.conf"
seq -f '%063.0f' 1 16384 >"$WORK/block"
flood="i=0; while [ \$i -lt 100 ]; do cat $WORK/block; i=\$((i + 1)); done"
mkfifo "$WORK/slow"
start_muster "$WORK/slow" invoke -N -H 'h[3-4]' --via h1 -- sh -c "$flood" "$WORD" &
exec 7<"$WORK/slow"
is_up() { [ -n "$(daemon_of 1)" ] && [ -n "$(daemon_pid)" ]; }
expect within 60 is_up
ours=$(daemon_pid) theirs=$(daemon_of 1)
# Until nothing moves any more.
rests() {
    local before after
    before=$(rss_kb "$ours")$(rss_kb "$theirs")
    sleep 1
    after=$(rss_kb "$ours")$(rss_kb "$theirs")
    [ "$before" = "$after" ]
}
expect within 100 rests
expect test "$(wc -l <&7)" -eq $((2 * 100 * 16384))
exec 7<&-
case $(peak_kb "$ours") in
'' | ??????? | [3-9]?????) fail_ "the daemon here took $(peak_kb "$ours") KiB" ;;
esac
stop_daemon
sed -i '/^results-budget/d' "$HOME/.config/muster/muster.conf"

case_ 'a host that nobody reads does not hold the others of its gateway back'
stop_daemon
printf 'results-stored = 4M\n' >>"$HOME/.config/muster/muster.conf"
rm -f "$WORK/go"
: >"$WORK/begun"
new_word
text="case %h in
    h3) echo h3 >>$WORK/begun; exec seq 1 100000000 ;;
    *) until [ -e $WORK/go ]; do sleep 0.05; done; echo done ;;
    esac; : $WORD"
job_ invoke --as-job -H 'h[3-6]' --via h1 -- sh -c "$text"
expect within 60 begun 1
held_back() { muster get "$JOB" --include-child-job >/dev/null && [ "$(property $((JOB + 1)) has_more_data)" = true ]; }
expect within 60 held_back
: >"$WORK/go"
for ((i = 2; i <= 4; i++)); do
    expect_status 0 muster wait $((JOB + i))
done
expect state_is $((JOB + 1)) Running
expect_status 0 muster remove --force "$JOB"
expect within 60 no_process_of "$WORD"
stop_daemon
sed -i '/^results-stored/d' "$HOME/.config/muster/muster.conf"

finish_gateways_
finish_
