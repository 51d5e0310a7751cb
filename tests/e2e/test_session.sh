#!/usr/bin/env bash
# test_session.sh MUSTER FAULTD HOSTILE AGENT: sessions, and jobs that are started to be let go of.
# shellcheck disable=SC2016,SC2034,SC2153,SC2317 # $ for the hosts' shells; lib.sh uses what is set here
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/jobs.sh
. "$(dirname "$0")/jobs.sh"
lab_up 3

# h3 through a counter of connections (faultd); counted_ sets COUNT to their number so far.
serve "proxy:127.77.0.3:$LAB_PORT:count"
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

# row NAME HOST KEY: what session get says of it, without quotes.
row() {
    muster session get "$1" -o jsonl 2>/dev/null | grep "\"computer_name\":\"$2\"" |
        sed -n 's/.*"'"$3"'":\("\([^"\\]\|\\.\)*"\|[^,}]*\).*/\1/p' | sed 's/^"\(.*\)"$/\1/'
}
row_is() {
    [ "$(row "$1" "$2" "$3")" = "$4" ]
}

# sshd_of PID: the process of the connection that this one runs in.
sshd_of() {
    local pid=$1 comm
    while [ -n "$pid" ] && [ "$pid" -gt 1 ]; do
        { read -r comm <"/proc/$pid/comm"; } 2>/dev/null || return
        case $comm in sshd*) break ;; esac
        pid=$(sed -n 's/^PPid:\t//p' "/proc/$pid/status" 2>/dev/null)
    done
    echo "$pid"
}

case_ 'a session is made and shown'
expect_status 0 muster session new -H 'h[1-2]' -n web
expect_lines 2 '^ *[0-9]+ +web +h[12] +Opened +Available +[0-9]+s$'
expect_silent
expect_status 0 muster session get
expect_lines 2 ' Opened '
expect_status 0 muster session get web -o json
expect_out '"name":"web","computer_name":"h2","state":"Opened","availability":"Available","commands":0,"idle_ms":[0-9]+,"idle_timeout_ms":7200000,"reason":null,"is_job":false}\]'
expect_status 0 muster daemon status -o json
expect_out '"sessions":2,"named_sessions":1,'
run muster -q session new -H h3
ID=$(cat "$OUT")
expect_status 0 muster Get-PSSession "$ID" -o csv
expect_out "^$ID,Session$ID,h3,Opened,Available,0,[0-9]+,7200000,,false\$"
expect_status 0 muster remove-pssession "Session$ID"
expect_silent

case_ 'commands use its connection: no second login'
counted_config
counted_
before=$COUNT
expect_status 0 muster session new -H c1 -n counted
for ((i = 0; i < 5; i++)); do
    expect_status 0 muster invoke --session counted -- echo fine
    expect_out '^c1: fine$'
done
job_ invoke --session counted --as-job -- echo behind
expect_status 0 muster receive --wait "$JOB"
expect_out '^c1: behind$'
# One without the session has the same connection, too.
expect_status 0 muster invoke -H c1 -- echo fine
counted_
expect test "$COUNT" -eq $((before + 1))
expect_status 0 muster session remove counted

case_ 'two commands at once'
start_muster "$WORK/one" invoke --session web --shell "echo begun; until [ -e $WORK/go ]; do sleep 0.02; done; echo one"
one=$PID
start_muster "$WORK/two" invoke --session WEB --shell "echo begun; until [ -e $WORK/go ]; do sleep 0.02; done; echo two"
two=$PID
expect within 60 row_is web h1 commands 2
expect within 60 row_is web h2 commands 2
expect row_is web h1 availability Busy
expect row_is web h1 idle_ms null
: >"$WORK/go"
wait_ "$one"
expect test "$?" -eq 0
wait_ "$two"
expect test "$?" -eq 0
expect grep -qx 'h2: two' "$WORK/two"
expect within 60 row_is web h1 availability Available

case_ 'directory and environment stay, for each host its own'
expect_status 0 muster invoke --session web --shell "mkdir -p $WORK/d.\$MUSTER_HOST && cd $WORK/d.\$MUSTER_HOST; export MINE=\$MUSTER_HOST TEXT='a  b'; HIDDEN=1"
expect_status 3 muster invoke --session web --shell 'kill $$' --timeout 100
expect_status 5 muster invoke --session web --shell 'echo "$(pwd) $MINE [$TEXT] [$HIDDEN]"; exit 7'
expect_out "^h1: $WORK/d.h1 h1 \\[a  b\\] \\[\\]\$"
expect_out "^h2: $WORK/d.h2 h2 \\[a  b\\] \\[\\]\$"
expect_status 0 muster invoke --session web -- sh -c 'echo "$(pwd) $MINE"'
expect_out "^h2: $WORK/d.h2 h2\$"
# What is a command's own is not the next one's.
expect_status 0 muster invoke --session web --env MINE=own --env ONCE=1 -C /usr --shell 'echo "$(pwd) $MINE"; cd /'
expect_out '^h1: /usr own$'
expect_status 0 muster invoke --session web --shell 'echo "$(pwd) $MINE [$ONCE]"; unset MINE'
expect_out '^h1: / h1 \[\]$'
expect_status 0 muster invoke --session web --shell 'echo "[$MINE] $TEXT"'
expect_out '^h1: \[\] a  b$'
# Jobs without the session have nothing of it.
expect_status 0 muster invoke -H h1 --shell 'echo "[$TEXT]"'
expect_out '^h1: \[\]$'

case_ 'what session new was given'
expect_status 0 muster session new -H h1 -n given --env A=1 --env B=2 -C /usr --idle-timeout 0
expect row_is given h1 idle_timeout_ms null
expect_status 0 muster invoke --session given --env B=3 -- sh -c 'echo "$(pwd) $A $B"'
expect_out '^h1: /usr 1 3$'
expect_status 0 muster invoke --session given --shell 'unset A; export B=4'
expect_status 0 muster invoke --session given -- sh -c 'echo "$(pwd) [$A] $B"'
expect_out '^h1: /usr \[\] 4$'

case_ 'several sessions, if they are alike'
expect_status 0 muster session new -H h3 -n more
expect_status 0 muster invoke --session web --session more -- echo fine
expect_lines 3 '^h[1-3]: fine$'
expect_status 2 muster invoke --session web --session given -- true
expect_err 'different settings \(--env\)'
expect_status 2 muster invoke --session web --session web -- true
expect_err 'named twice'
expect_status 0 muster session remove given more

case_ 'a connection that is lost: Broken, with the reason; the others go on'
new_word
start_muster "$WORK/lost" invoke --session web -- sh -c "until [ -e $WORK/$WORD ]; do sleep 0.02; done" "$WORD"
lost=$PID
on_both() { [ "$(processes_of "$WORD" | wc -l)" -ge 2 ]; }
expect within 60 on_both
for pid in $(processes_of "$WORD"); do
    if tr '\0' '\n' <"/proc/$pid/environ" | grep -qx MUSTER_HOST=h2; then
        kill -KILL "$(sshd_of "$pid")"
        break
    fi
done
expect within 60 row_is web h2 state Broken
: >"$WORK/$WORD"
wait_ "$lost"
expect test "$?" -eq 4
expect row_is web h2 availability None
expect test "$(row web h2 reason)" != null
expect row_is web h1 state Opened
expect_status 4 muster invoke --session web -- echo fine
expect_out '^h1: fine$'
expect_err 'h2 .*session web is Broken here'
expect_status 0 muster session connect web
expect_lines 2 ' Opened '
# What was left there is there again.
expect_status 0 muster invoke --session web --shell 'echo "$TEXT"'
expect_out '^h2: a  b$'

case_ 'disconnected and connected again; what runs goes on'
job_ invoke --session web --as-job --shell "until [ -e $WORK/late ]; do sleep 0.02; done; echo late"
expect within 60 state_is $((JOB + 1)) Running
expect_status 0 muster Disconnect-PSSession web
expect_lines 2 ' Disconnected +None'
expect_status 2 muster invoke --session web -- true
expect_err 'session web is Disconnected: muster session connect web'
expect state_is $((JOB + 1)) Running
: >"$WORK/late"
expect_status 0 muster receive --wait "$JOB"
expect_lines 2 ': late$'
expect_status 0 muster Connect-PSSession 'w*'
expect_status 0 muster invoke --session web -- echo fine
expect_lines 2 ': fine$'

case_ 'idle for too long'
expect_status 0 muster session new -H h3 -n short --idle-timeout 3s
start_muster "$WORK/busy" invoke --session short --shell "until [ -e $WORK/enough ]; do sleep 0.02; done"
busy=$PID
expect within 60 row_is short h3 availability Busy
sleep 3.5 # longer than that
expect row_is short h3 state Opened
: >"$WORK/enough"
wait_ "$busy"
expect within 60 row_is short h3 state Disconnected
expect test "$(row short h3 reason)" != null
expect_status 0 muster session remove short

case_ 'hosts that cannot be reached'
ssh_config nobody <<END
Host nobody
	HostName 127.0.0.1
	Port 1
END
expect_status 4 muster session new -H h1,nobody -n half
expect_out ' h1 +Opened '
expect_out ' nobody +Broken +None +unreachable: '
expect_status 4 muster session connect half
expect_status 4 muster invoke --session half -- echo fine
expect_out '^h1: fine$'
expect_status 0 muster session remove half
expect_status 4 muster session new -H nobody -n none
expect_err 'session none was not made'
expect_status 2 muster session get none
expect_err "there is no session 'none'"

case_ 'names and options that cannot be'
for name in 12 '*' a/b 'a b' -x ''; do
    expect_status 2 muster session new -H h1 --name="$name"
done
expect_status 2 muster session new -H h1 -n WEB
expect_err 'there is a session web already'
expect_status 2 muster session new -n x
expect_status 2 muster session new -H h1 -n x --agent never
expect_status 2 muster session
expect_status 2 muster session list
expect_status 2 muster session connect
expect_status 2 muster session get -H h1
expect_status 2 muster session remove nobody
expect_err "there is no session 'nobody'"
expect_status 2 muster invoke --session nobody -- true
expect_err "there is no session 'nobody'"
expect_status 2 muster invoke --session web -H h1 -- true
expect_status 2 muster invoke --session web --agent always -- true
cp "$SSH_CONFIG" "$WORK/other.conf"
SSH_CONFIG=$WORK/other.conf
expect_status 2 muster invoke --session web -- true
expect_err '^muster: -F: session web was made with '
expect_status 0 muster session get 'nothing*'

case_ 'sessions survive the daemon, but not their connections'
expect_status 0 muster invoke --session web --shell 'cd /usr; export LEFT=over'
pid=$(daemon_pid)
kill -KILL "$pid"
expect within 60 gone "$pid"
expect_status 0 muster session get
expect_lines 2 ' web +h[12] +Disconnected +None'
expect_status 0 muster session connect web
expect_status 0 muster invoke --session web --shell 'echo "$(pwd) $LEFT"'
expect_lines 2 ': /usr over$'
expect_status 0 muster daemon stop
expect_status 0 muster session get web
expect_lines 2 ' Disconnected '
expect_status 0 muster session remove web
expect_status 0 muster daemon stop
expect_status 0 muster session get
expect_no_out web

case_ 'in a disconnected session: let go of, and received from elsewhere'
expect_status 0 muster invoke -H 'h[1-2]' --in-disconnected-session --job-name away --shell "echo begun; until [ -e $WORK/on ]; do sleep 0.02; done; echo done"
JOB=$(awk 'NR == 2 { print $1 }' "$OUT")
expect within 60 states_are "$JOB" Disconnected Disconnected
expect_status 0 muster session get
expect_lines 2 "^ *$JOB +away +h[12] +Disconnected +None"
expect row_is away h1 is_job true
expect_status 2 muster session remove away
expect_err "muster stop $JOB, then muster remove $JOB"
# Not to be waited for: what there is comes, and no more.
expect_status 0 muster receive away
expect_lines 2 '^h[12]: begun$'
expect row_is away h1 state Opened
expect_status 0 muster session disconnect away
expect within 60 states_are "$JOB" Disconnected Disconnected
expect_status 0 muster session connect "$JOB"
expect_lines 2 ' Opened +Busy'
expect_status 0 muster session disconnect "$JOB"
expect within 60 states_are "$JOB" Disconnected Disconnected
start_muster "$WORK/received" receive --wait away
received=$PID
: >"$WORK/on"
wait_ "$received"
expect test "$?" -eq 0
expect test "$(sort "$WORK/received")" = "$(printf 'h1: done\nh2: done')"
expect_status 2 muster session get away

case_ 'in a disconnected session: waited for'
rm -f "$WORK/on"
expect_status 0 muster invoke -H h1 --in-disconnected-session --job-name away2 --shell "until [ -e $WORK/on ]; do sleep 0.02; done; exit 7"
JOB=$(awk 'NR == 2 { print $1 }' "$OUT")
expect within 60 states_are "$JOB" Disconnected
start_muster "$WORK/waited" wait "$JOB"
waited=$PID
expect within 60 states_are "$JOB" Running
: >"$WORK/on"
wait_ "$waited"
expect test "$?" -eq 5

case_ 'in a disconnected session: received after a restart of the daemon'
rm -f "$WORK/on"
for how in KILL TERM; do
    expect_status 0 muster invoke -H 'h[1-2]' --in-disconnected-session --job-name "away$how" --shell "echo begun; until [ -e $WORK/on ]; do sleep 0.02; done; echo done"
    JOB=$(awk 'NR == 2 { print $1 }' "$OUT")
    expect within 60 states_are "$JOB" Disconnected Disconnected
    pid=$(daemon_pid)
    kill "-$how" "$pid"
    expect within 60 gone "$pid"
    start_muster "$WORK/received" receive --wait "away$how"
    received=$PID
    expect within 60 states_are "$JOB" Running Running
    : >"$WORK/on"
    wait_ "$received"
    expect test "$?" -eq 0
    expect test "$(sort "$WORK/received")" = "$(printf 'h1: begun\nh1: done\nh2: begun\nh2: done')"
    rm -f "$WORK/on"
done

finish_
