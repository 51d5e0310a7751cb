# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034,SC2153,SC2154 # lib.sh and the tests use what is set here, and the other way round
# Gateways: hosts of a plain lab with a daemon of their own each; sourced behind lib.sh and jobs.sh.
#
# The hosts of a plain lab share a home, which is empty when the lab comes up and goes with it. There ~/.bashrc puts the
# programs of the address that was logged in to on the PATH, and muster is a wrapper there that gives each gateway its
# own directories. Without that home (no namespaces, or not root) the suite is skipped.

# on_ HOST COMMAND...: with ssh, not muster.
on_() {
    local host=$1
    shift
    timeout 60 ssh -n -F "$WORK/lab/ssh_config" "$host" "$@"
}

# into_ HOST FILE MODE: standard input becomes that file there.
into_() {
    timeout 60 ssh -F "$WORK/lab/ssh_config" "$1" "mkdir -p \"\$(dirname '$2')\" && cat >'$2' && chmod $3 '$2'"
}

# gateways_up N: a lab of so many hosts, none of which has muster.
gateways_up() {
    lab_up "$1"
    GATE=gate$$
    GATE_HOME=$(on_ h1 'echo "$HOME"')
    if [ "$(id -u)" -ne 0 ] || [ "$(on_ h1 'stat -Lc %d:%i ~')" = "$(stat -Lc %d:%i "$GATE_HOME")" ]; then
        echo "SKIPPED: $TEST_NAME needs root and namespaces, as it changes the home of the hosts"
        exit 77
    fi
    into_ h1 "$GATE_HOME/.ssh/config" 600 <"$WORK/lab/ssh_config"
    into_ h1 "$GATE_HOME/.bashrc" 644 <<'END'
address=${SSH_CONNECTION% *}
PATH=$HOME/bin/${address##* }:$PATH
END
}

# gateway_ N [PROGRAM]: hN has muster from now on; or the program.
gateway_() {
    local run=$GATE_HOME/$GATE/127.77.0.$1
    if [ $# -gt 1 ]; then
        into_ "h$1" "$GATE_HOME/bin/127.77.0.$1/muster" 755 <"$2"
        return
    fi
    into_ "h$1" "$GATE_HOME/bin/127.77.0.$1/muster" 755 <<END
#!/bin/sh
mkdir -p -m 700 '$run' '$run/run' '$run/state'
export XDG_RUNTIME_DIR='$run/run' XDG_STATE_HOME='$run/state'
exec '$MUSTER' "\$@"
END
}

# daemon_of N: the pid of the daemon of gateway hN.
daemon_of() {
    processes_of "$GATE_HOME/$GATE/127.77.0.$1/run/" | head -n 1 | each_known_
}

# relays_of N: the pids of its muster relay.
relays_of() {
    local file pid
    grep -slzxF "XDG_RUNTIME_DIR=$GATE_HOME/$GATE/127.77.0.$1/run" /proc/[0-9]*/environ | while read -r file; do
        pid=${file#/proc/}
        pid=${pid%/environ}
        tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -q ' relay $' && echo "$pid"
    done | each_known_
}

# parent_of PID
parent_of() {
    sed -n 's/^PPid:\t//p' "/proc/$1/status"
}

# children_at N: how many children the last job of gateway hN had.
children_at() {
    on_ "h$1" 'muster get --all --output json' | grep -o '"children":\[[^]]*\]' | tail -n 1 | tr ',' '\n' | grep -c '[0-9]'
}

# begun N: so many have written their line into the file of begin_.
begun() {
    [ "$(wc -l <"$WORK/begun")" -ge "$1" ]
}

# HOLD: a command that says in $WORK/begun that it has begun, and ends when $WORK/go is there. begin_ clears both.
begin_() {
    rm -f "$WORK/go"
    : >"$WORK/begun"
    new_word
    HOLD="echo %h >>$WORK/begun; until [ -e $WORK/go ]; do sleep 0.05; done; echo done; : $WORD"
}

# finish_gateways_: the last case: what sanitizers found in the daemons of the gateways, whose logs go with the lab.
finish_gateways_() {
    case_ 'no sanitizer complains on a gateway'
    on_ h1 "grep -rhsE -A 30 'Sanitizer|runtime error:' '$GATE_HOME/$GATE'" >"$WORK/complaints"
    expect test ! -s "$WORK/complaints" || head -n 100 "$WORK/complaints"
}
