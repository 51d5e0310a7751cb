#!/usr/bin/env bash
# test_warm.sh MUSTER FAULTD HOSTILE AGENT: connections that stay after their command, and serve the next ones.
# shellcheck disable=SC2016,SC2034,SC2153,SC2317 # $ for the hosts' shells; lib.sh uses what is set here
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/jobs.sh
. "$(dirname "$0")/jobs.sh"
lab_up 5
printf 'session-linger = 60s\n' >"$HOME/.config/muster/muster.conf"

# h5 through a counter of connections (faultd); counted_ sets COUNT to their number so far.
serve "proxy:127.77.0.5:$LAB_PORT:count"
printf 'counted %s\n' "$(cut -d' ' -f1,2 "$WORK/lab/keys/host_ed25519.pub")" >"$WORK/counted_known"
counted_config() {
    ssh_config counted <<END
Host c1
	HostName 127.0.0.1
	Port ${PORTS[0]}
	HostKeyAlias counted
	UserKnownHostsFile $WORK/counted_known
END
}
counted_() {
    local said
    said=$(grep -c ' count ' "$SERVER_LOG")
    kill -USR1 "$SERVER"
    said_more() { [ "$(grep -c ' count ' "$SERVER_LOG")" -gt "$said" ]; }
    within 60 said_more
    COUNT=$(sed -n 's/.* count \([0-9]*\)$/\1/p' "$SERVER_LOG" | tail -n 1)
}

sessions_are() {
    muster daemon status -o json | grep -q "\"jobs\":[0-9]*,\"sessions\":$1,"
}

# AGENT_PID: the agent of the connection to this host.
agent_() {
    new_word
    start_muster "$WORK/agent" invoke -H "$1" -- sh -c "until [ -e $WORK/$WORD ]; do sleep 0.02; done" "$WORD"
    within 60 some_agent || fail_ "no agent on $1"
    AGENT_PID=$(agents_of "$WORD" | tail -n 1)
    : >"$WORK/$WORD"
    wait_ "$PID"
}
some_agent() {
    [ "$(agents_of "$WORD" | wc -l)" -ge 2 ]
}

case_ 'the second command uses the connection of the first'
counted_config
counted_
before=$COUNT
for ((i = 0; i < 10; i++)); do
    expect_status 0 muster invoke -H c1 -- echo fine
    expect_out '^c1: fine$'
done
counted_
expect test "$COUNT" -eq $((before + 1))
expect sessions_are 1
agent_ c1
first=$AGENT_PID
agent_ c1
expect test "$AGENT_PID" = "$first"

case_ 'twenty commands at once on one host, of one connection'
counted_config
counted_
before=$COUNT
pids=()
for ((i = 0; i < 20; i++)); do
    start_muster "$WORK/p.$i" invoke -H c1 --shell "echo begun; until [ -e $WORK/all ]; do sleep 0.02; done; echo $i; exit $((i % 2))"
    pids+=("$PID")
done
all_begun() { [ "$(cat "$WORK"/p.*[0-9] | grep -c begun)" -eq 20 ]; }
expect within 60 all_begun
expect sessions_are 1
: >"$WORK/all"
for ((i = 0; i < 20; i++)); do
    wait_ "${pids[i]}"
    expect test "$?" -eq $((i % 2 * 5))
    expect grep -qx "c1: $i" "$WORK/p.$i"
done
counted_
expect test "$COUNT" -eq "$before"

case_ 'several hosts have a connection each, and a background job uses them, too'
expect_status 0 muster invoke -H 'h[1-5]' -- true
expect sessions_are 6
job_ invoke --as-job -H 'h[1-5]' -- echo fine
expect_status 0 muster receive --wait "$JOB"
expect_lines 5 '^h[1-5]: fine$'
expect sessions_are 6

case_ 'a command that fails or is stopped leaves the connection to the next'
agent_ h1
first=$AGENT_PID
expect_status 5 muster invoke -H h1 -- false
expect_status 3 muster invoke --timeout 1 --stop-grace 1 -H h1 -- sleep 1000
job_ invoke --as-job -H h1 -- sleep 1000
expect within 60 state_is $((JOB + 1)) Running
expect_status 0 muster stop "$JOB"
expect_status 0 muster remove "$JOB"
agent_ h1
expect test "$AGENT_PID" = "$first"

case_ 'the input and the environment of one command are not those of the next'
echo secret >"$WORK/in"
expect_status 0 muster invoke -H h1 --stdin "$WORK/in" --env LEFT=over -C /usr -- cat
expect_status 0 muster invoke -H h1 --shell 'echo "[$LEFT] $(pwd) $(wc -c)"'
expect_out '^h1: \[\] /[^ ]* 0$'
expect_no_out ' /usr 0'

case_ 'what else decides who is spoken to, as whom, takes another connection'
counted_config
counted_
before=$COUNT
expect_status 0 muster invoke --agent never -H c1 -- echo fine
run muster invoke --become=root -H c1 -- id -u
counted_
expect test "$COUNT" -eq $((before + 2))
cp "$SSH_CONFIG" "$WORK/other.conf"
SSH_CONFIG=$WORK/other.conf
expect_status 0 muster invoke -H c1 -- echo fine
counted_
expect test "$COUNT" -eq $((before + 3))

case_ 'the agent of an idle connection is killed: the next command connects anew'
agent_ h2
kill -KILL "$AGENT_PID"
expect within 60 gone "$AGENT_PID"
expect_status 0 muster invoke -H h2 -- echo fine
expect_out '^h2: fine$'

case_ 'sshd is restarted in between: the next command connects anew'
timeout 120 "$LAB" -d "$WORK/lab" server-stop >/dev/null
timeout 120 "$LAB" -d "$WORK/lab" server-start >/dev/null
expect within 60 sessions_are 0
expect_status 0 muster invoke -H 'h[1-5]' -- echo fine
expect_lines 5 '^h[1-5]: fine$'
expect_silent

case_ 'a connection that has died without a word is not the end of the next command'
# The proxy stalls: nobody has said that it is over.
serve "proxy:127.77.0.4:$LAB_PORT:stall=200000"
ssh_config stalled <<END
Host s1
	HostName 127.0.0.1
	Port ${PORTS[0]}
	HostKeyAlias counted
	UserKnownHostsFile $WORK/counted_known
END
expect_status 0 muster invoke -H s1 -- echo fine
expect_status 3 muster invoke --timeout 1 --stop-grace 1 -H s1 -- head -c 1000000 /dev/zero
expect_status 0 muster invoke -H s1 -- echo fine
expect_out '^s1: fine$'
expect_took_under 40000

case_ 'idle connections are closed when the daemon leaves'
expect_status 0 muster invoke -H 'h[1-2]' -- true
agent_ h1
expect alive "$AGENT_PID"
expect_status 0 muster daemon stop
expect within 60 gone "$AGENT_PID"

case_ 'the linger time over, it is closed'
printf 'session-linger = 500ms\n' >"$HOME/.config/muster/muster.conf"
expect_status 0 muster invoke -H h1 -- true
expect within 60 sessions_are 0
expect_status 0 muster invoke -H h1 -- echo again
expect_out '^h1: again$'
expect_status 0 muster daemon stop

case_ 'session-linger = 0: at once'
printf 'session-linger = 0\n' >"$HOME/.config/muster/muster.conf"
expect_status 0 muster invoke -H 'h[1-5]' -- true
expect within 60 sessions_are 0

finish_
