#!/usr/bin/env bash
# test_agent_hostile.sh MUSTER FAULTD HOSTILE AGENT: a host whose agent breaks the rules (hostile.c) ends
# alone and with a cause; the others and the daemon do not notice.
# shellcheck disable=SC2034,SC2153,SC2317 # lib.sh uses what is set here
E2E_AGENT=subsystem
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/jobs.sh
. "$(dirname "$0")/jobs.sh"
# shellcheck source=tests/e2e/hostile.sh
. "$(dirname "$0")/hostile.sh"

# lets_go REGEX ACTION...: h1 does this, and is let go with this text.
lets_go() {
    local why=$1
    shift
    acts_ "$@"
    expect_status 4 muster invoke -H 'h[1-4]' -- echo fine
    expect_err "^muster: 1/4 failed: h1 \\($why\\)\$"
    others_fine
}

lost() {
    local why=$1
    shift
    lets_go "agent-lost: $why" "$@"
}

# --- 35 to 38: frames ---

case_ 'fault_35: an array of five bytes that announces four thousand million'
lost '.+' hello open running frame=TASK_RECORDS:1:ddffffffff
lost '.+' hello open running frame=TASK_RECORDS:1:930101ddffffffff
lost '.+' hello open running frame=TASK_SCHEMA:1:94010101ddffffffff
lost '.+' hello open frame=TASK_RUNNING:0:dfffffffff
lost '.+' frame=HELLO:0:ddffffffff

case_ 'fault_36: values that are nested too deep'
for depth in 14 17 33 1000000; do
    lost '.*(nested|deep).*' hello open running "nest=$depth"
done

case_ 'and one that is as deep as it may be'
acts_ hello open running nest=13 end=0
expect_status 0 muster invoke -H 'h[1-4]' -o jsonl -- echo fine
expect_out '"host":"h1",.*"value":\[{13}null\]{13}'

case_ 'fault_37: lengths above a frame, and those that look negative'
for length in 1048577 2147483647 2147483648 4294967295; do
    lost '.*1048576.*' hello open running "header=$length"
done

case_ 'a frame without its body: ended by --timeout'
acts_ hello open running header=1048576
expect_status 3 muster invoke --timeout 4 --stop-grace 1 -H 'h[1-4]' -- echo fine
expect_err '1/4 failed: h1 \(timeout: run'
others_fine

case_ 'a wrong checksum, another magic, garbage'
lost '.*CRC.*' hello open running raw=4d5362000000000400000000000000010000000093010190
lost 'this is no muster frame.*' hello open running raw=4d5462000000000400000000000000010000000093010190
lost 'this is no muster frame.*' hello open running raw=0a0a48656c6c6f2c20776f726c64212048656c6c6f2c20776f726c6421

case_ 'fault_38: a gap, a zero and the last of all numbers'
one=9301019194000000a178
two=9301029194000000a178
lost '.*number 3 follows 1.*' hello open running "frame=TASK_RECORDS:1:$one" "frame=TASK_RECORDS:3:$two"
lost '.*number 2 follows 0.*' hello open running "frame=TASK_RECORDS:2:$one"
lost '.*number 0 is none.*' hello open running "frame=TASK_RECORDS:0:$one"
lost '.*number 18446744073709551615 is none.*' hello open running \
    "frame=TASK_RECORDS:18446744073709551615:$one"
lost '.*has number 5, though it has none.*' hello open frame=TASK_RUNNING:5:920101

case_ 'fault_38: a repeat is dropped'
acts_ hello open running text=fine text=again "frame=TASK_RECORDS:1:$one" "frame=TASK_RECORDS:2:$two" end=0
expect_status 0 muster invoke -H 'h[1-4]' -- echo fine
expect_lines 4 '^h[1-4]: fine$'
expect_lines 1 '^h1: again$'
expect_lines 0 ': x$'

# --- 39, 40: the order of messages ---

case_ 'fault_39: what may not come before HELLO'
# What does not begin as a HELLO is noise, of which there may be some.
lets_go '(no-agent|agent-lost): .+' "frame=TASK_RECORDS:1:$one" running exit
lost '.*HELLO.*' hello hello

case_ 'fault_39: what may not come in the state of a task'
lost '.*TASK_RUNNING: may not come while its task runs.*' hello open running running
lost '.*TASK_RECORDS: may not come before its task runs.*' hello open text=x
lost '.*TASK_STATE: may not come before its task runs.*' hello open frame=TASK_STATE:0:9201c3
lost '.*' hello open running frame=TASK_END:1:930163c0

case_ 'fault_39: messages that are of the other side, of another connection, or none'
lost '.*TASK_OPEN.* it may not be sent now.*' hello open frame=TASK_OPEN:0:9101
lost '.*JOB_OPEN.*' hello open running frame=JOB_OPEN:0:9101
lost '.*RECORDS \(34\).*' hello open running "frame=RECORDS:1:$one"
lost '.*unknown \(200\).*' hello open running frame=200:0:9101

case_ 'fault_40: a task that was never opened'
lost '.*task 99, which is none.*' hello open running frame=TASK_RECORDS:1:9363019194000000a178
lost '.*task 0, which is none.*' hello open running frame=TASK_RECORDS:1:9300019194000000a178
lost '.*task 18446744073709551615, which is none.*' hello open running \
    frame=TASK_END:1:92cfffffffffffffffff01
lost '.*without the number of a task.*' hello open running frame=TASK_RECORDS:1:a178

# --- bodies ---

case_ 'bodies: streams, kinds and sizes that there are not'
lost '.*' hello open running frame=TASK_RECORDS:1:9301019194630000a178
lost '.*' hello open running value=65537
lost '.*' hello open running value=1000000
lost '.*kind.*' hello open running frame=TASK_END:1:920100
lost '.*kind.*' hello open running frame=TASK_END:1:920163
lost '.*signal.*' hello open running frame=TASK_END:1:920102
lost '.*' hello open running frame=TASK_END:1:93010101a178
lost '.*5 bytes taken of 0.*' hello open running frame=TASK_STDIN_ROOM:0:920105
lost '.*UTF-8.*' hello open running frame=TASK_END:1:950101c0c0a2c328
lost '.*' hello open running "frame=TASK_RECORDS:1:${one}00"

case_ 'schemas: too many, too large, out of turn, never told'
lost '.*(too many columns|schema).*' hello open running schemas=65
lost '.*columns.*' hello open running columns=257
lost '.*columns.*' hello open running columns=0
lost '.*number 2 after 0.*' hello open running frame=TASK_SCHEMA:1:940102c091a161
lost '.*schema 7, which was not told.*' hello open running frame=TASK_RECORDS:1:9301019195000000910107
lost '.*' hello open running frame=TASK_SCHEMA:1:940101c0c0

case_ 'schemas: as many as there may be, a hundred times'
acts_ hello open running schemas=64 end=0
for ((i = 0; i < 100; i++)); do
    expect_status 0 muster invoke -H h1 -- echo fine || break
done

# --- the end, and text for people ---

case_ 'fault_34: HELLO of another version says what is wrong'
lost 'the other side speaks versions 7 to 9 of the protocol, this program version 1; use the same release.*' hello=7-9
lost '.*version_min.*' hello=0-0

case_ 'ERROR, and a refusal, with escapes: inert'
esc=$(printf 'a\033]0;title\007b\033[2Jc\xe2\x80\xaed')
lost 'the other side ended the connection: a\\x1b\]0;title\\x07b\\x1b\[2Jc\\u\{202e\}d.*' hello open "error=$esc"
lost 'the other side ended the connection: .*' hello open running "error=$(head -c 3000 /dev/zero | tr '\0' x)"
lets_go 'refused: a\\x1b\]0;title\\x07b\\x1b\[2Jc\\u\{202e\}d' hello open "refuse=$esc"

case_ 'it ends: before HELLO, before the start, while it runs'
lets_go 'no-agent: .+' exit
lost 'the agent has ended' hello exit
lost 'the agent has ended' hello open exit
lost 'the agent has ended' hello open running text=x exit

case_ 'it never answers: no HELLO, no start'
acts_ open
expect_status 4 muster invoke --start-timeout 5 -H 'h[1-4]' -- echo fine
expect_err '1/4 failed: h1 \(timeout: start agent\)'
others_fine
acts_ hello open
expect_status 4 muster invoke --start-timeout 5 -H 'h[1-4]' -- echo fine
expect_err '1/4 failed: h1 \(timeout: start\)'
others_fine

case_ 'noise without end before HELLO'
lets_go '(no-agent|agent-lost): .+' noise
expect_took_under 100000

finish_
