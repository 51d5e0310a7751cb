#!/usr/bin/env bash
# Jump hosts: the lab's hosts behind some of its own, by ProxyJump and ProxyCommand.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

HOSTS=${JUMP_HOSTS:-40} # JUMP_HOSTS=201 for 199 behind one
lab_up "$HOSTS"

# behind_ NAME: all hosts but h1 and h2 go through h1; more settings come from standard input, and win.
behind_() {
    ssh_config "$1" < <(
        cat
        printf 'Host h* !h1 !h2\n    ProxyJump h1\n'
    )
}

address_of() {
    ssh -F "$WORK/lab/ssh_config" -G "$1" | sed -n 's/^hostname //p'
}

# How many connections there are to a host.
sessions_to() {
    ss -Htn state established dst "$(address_of "$1"):$LAB_PORT" | wc -l
}

# ssh_clients: what the ProxyCommands of this test's daemons have started.
ssh_clients() {
    local file pid comm
    grep -slzxF -e "MUSTER_E2E=$WORK" /proc/[0-9]*/environ | while read -r file; do
        pid=${file#/proc/}
        pid=${pid%/environ}
        { read -r comm <"/proc/$pid/comm"; } 2>/dev/null && [ "$comm" = ssh ] && alive "$pid" && echo "$pid"
    done
}

no_clients() {
    [ -z "$(ssh_clients)" ]
}

some_clients() {
    [ -n "$(ssh_clients)" ]
}

is_count_() {
    [ "$(sessions_to "$1")" -eq "$2" ]
}

case_ 'all hosts behind a bastion answer, by one session to it'
behind_ jump </dev/null
expect_status 0 muster invoke -H "h[3-$HOSTS]" -- echo hello
expect_lines $((HOSTS - 2)) 'hello'
expect within 60 is_count_ h1 1

case_ 'the session is used by the next job, too'
behind_ jump </dev/null
expect_status 0 muster invoke -H 'h[3-5]' -- sh -c 'head -c 300000 /dev/zero | wc -c'
expect_lines 3 '300000'
expect within 60 is_count_ h1 1

case_ 'two hops'
ssh_config hops <<'END'
Host h4
    ProxyJump h1,h2
END
expect_status 0 muster invoke -H 'h4' -- echo hello
expect_out hello

case_ 'input goes through it'
behind_ jump </dev/null
head -c 1000000 /dev/urandom >"$WORK/input"
expect_status 0 muster invoke -H 'h[3-4]' --stdin "$WORK/input" -- sh -c 'md5sum | cut -c1-32'
expect_lines 2 "$(md5sum <"$WORK/input" | cut -c1-32)"

case_ 'a bastion that nobody listens on is named, with the cause'
serve close
ssh_config off <<END
Host gone
    HostName 127.0.0.1
    Port 1
Host h3 h4
    ProxyJump gone
END
expect_status 4 muster invoke -H 'h[3-4]' -- true
expect_err 'bastion gone: connection refused'

case_ 'an unknown key of the bastion is refused, and the target is not contacted'
: >"$WORK/none"
behind_ unknown <<END
Host h1
    UserKnownHostsFile $WORK/none
END
stop_daemon
expect_status 4 muster invoke -H 'h3' -- true
expect_err 'bastion h1: not known'
expect is_count_ h3 0

case_ 'a host behind it that does not answer is told so, and the others answer'
behind_ port <<'END'
Host h5
    Port 1
END
expect_status 4 muster invoke -H 'h[3-6]' -- echo hello
expect_lines 3 hello
expect_err 'bastion h1 cannot connect: connection refused'

case_ 'a bastion that is lost in the middle is the cause for all behind it, and the next job goes by a new session'
h1=$(address_of h1)
serve "proxy:$h1:$LAB_PORT:count"
ssh_config lost <<END
Host gw
    HostName 127.0.0.1
    Port ${PORTS[0]}
    HostKeyAlias [$h1]:$LAB_PORT
Host h3 h4
    ProxyJump gw
END
muster invoke -H 'h[3-4]' -- sh -c "echo x >>$WORK/began; exec sleep 600" >"$OUT" 2>"$ERR" </dev/null &
PID=$!
started_ "$PID"
both_began_() {
    [ "$(wc -l 2>/dev/null <"$WORK/began")" = 2 ]
}
expect within 60 both_began_
kill "$SERVER"
wait_ "$PID"
expect_err 'h[[]3-4[]].*bastion gw: '
behind_ jump </dev/null
expect_status 0 muster invoke -H 'h[3-4]' -- true

case_ 'a bastion that refuses the login is asked once'
serve "proxy:$h1:$LAB_PORT:count"
ssh_config refuses <<END
Host gw
    HostName 127.0.0.1
    Port ${PORTS[0]}
    HostKeyAlias [$h1]:$LAB_PORT
    User nobody-of-this-name
Host h*
    ProxyJump gw
END
expect_status 4 muster invoke -H 'h[3-22]' -- true
expect_err 'h[[]3-22[]].*bastion gw: '
kill -USR1 "$SERVER"
expect within 60 grep -q 'count' "$SERVER_LOG"
expect within 60 grep -Eq 'count 1$' "$SERVER_LOG"

case_ 'a ProxyCommand carries the bytes, and is gone afterwards'
ssh_config command <<END
Host h3
    ProxyCommand ssh -F $WORK/lab/ssh_config -W %h:%p h1
END
expect_status 0 muster invoke -H h3 -- echo hello
expect_out hello
start_ timeout 120 "$MUSTER" -L "$DAEMON" -F "$SSH_CONFIG" invoke -H h3 --shell "until [ -e '$WORK/seen' ]; do sleep 0.05; done" >/dev/null
expect within 60 some_clients
: >"$WORK/seen"
wait_ "$PID"
stop_daemon
expect within 60 no_clients

case_ 'a ProxyCommand that fails is told with what it said'
ssh_config fails <<'END'
Host h3
    ProxyCommand sh -c 'echo no way there >&2; exit 1'
END
expect_status 4 muster invoke -H h3 -- true
expect_err 'ProxyCommand: no way there'

finish_
