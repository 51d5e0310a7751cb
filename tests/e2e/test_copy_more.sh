#!/usr/bin/env bash
# test_copy_more.sh MUSTER FAULTD HOSTILE AGENT: copies whose link is lost, behind a bastion, and as rollouts.
# shellcheck disable=SC2016,SC2034,SC2317 # $ for the hosts' shells; lib.sh uses what is set here
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/jobs.sh
. "$(dirname "$0")/jobs.sh"
lab_up 4

src=$WORK/src there=$WORK/there here=$WORK/here
mkdir -p "$src" "$there" "$here"
head -c 3000000 /dev/urandom >"$src/big"
echo hello >"$src/small"

leaves_nothing() {
    [ -z "$(find "$WORK" -name '.muster-copy-*')" ]
}

# half_written DIR: what is there of a file that is on its way.
half_written() {
    find "$1" -name '.muster-copy-*' -size +1M
}

begun_() {
    [ -n "$(half_written "$1")" ]
}

begun_or_over() {
    begun_ "$1" || gone "$PID"
}

# lose_link PATH...: kills the agent above the process that has one of these open; that process ends by itself.
lose_link() {
    local dir pid
    for dir in $(grep -slxF muster-copy /proc/[0-9]*/comm); do
        dir=${dir%/comm}
        ls -l "$dir/fd" 2>/dev/null | grep -qF "$(printf '%s\n' "$@")" || continue
        pid=$(sed -n 's/^PPid:\t//p' "$dir/status" 2>/dev/null)
        [ -n "$pid" ] && [ "$pid" -gt 1 ] && kill -KILL "$pid" && return 0
    done
    return 1
}

# goes_on LOSE TO ARGUMENT...: this copy of the huge file, which TO becomes, loses its link by LOSE, and goes on with what
# there was.
goes_on() {
    local lose=$1 to=$2 half try
    shift 2
    mkdir -p "${to%/*}"
    # One that was done before it could be lost is begun anew.
    for ((try = 0; try < 10; try++)); do
        rm -f "$to"
        start_muster "$WORK/copy" copy "$@"
        expect within 60 begun_or_over "${to%/*}"
        half=$(half_written "${to%/*}" | xargs -r stat -c %i)
        [ -z "$half" ] || ! "$lose" "$src/huge" "${to%/*}" || break
        wait_ "$PID"
    done
    expect test "$try" -lt 10
    wait_ "$PID"
    expect test $? -eq 0
    expect cmp "$src/huge" "$to"
    expect test "$(stat -c %i "$to")" = "$half"
    expect leaves_nothing
    rm -f "$to"
}

truncate -s 300M "$src/huge"
printf 'the end' >>"$src/huge"

case_ 'a lost link while files come: another one goes on where the first stood'
goes_on lose_link "$here/h1/huge" --pull "h1:$src/huge" "$here"

address_of() {
    ssh -F "$WORK/lab/ssh_config" -G "$1" | sed -n 's/^hostname //p'
}

# sessions_to HOST N: there are so many connections to it.
sessions_to() {
    [ "$(ss -Htn state established dst "$(address_of "$1"):$LAB_PORT" | wc -l)" -eq "$2" ]
}

case_ 'behind a bastion: invoke, copy and pull share the one session to it'
stop_daemon
expect_status 0 muster invoke -O ProxyJump=h1 -H 'h[2-4]' -- echo hello
expect_lines 3 ': hello$'
expect_status 0 muster copy -O ProxyJump=h1 "$src/big" -H "h[2-4]:$there/"
expect_lines 3 ' files=[01] .*failed=0'
expect cmp "$src/big" "$there/big"
expect within 60 sessions_to h1 1
expect_status 0 muster copy -O ProxyJump=h1 --pull "h[2-4]:$src/big" "$here/jumped"
for host in h2 h3 h4; do
    expect cmp "$src/big" "$here/jumped/$host/big"
done
expect within 60 sessions_to h1 1
expect_silent

# alike STATUS REGEX OPTION...: invoke, copy and pull fail with this status, and with this on the error stream.
alike() {
    local status=$1 regex=$2
    shift 2
    expect_status "$status" muster invoke "$@" -H 'h[2-3]' -- true
    expect_err "$regex"
    expect_status "$status" muster copy "$@" "$src/small" -H "h[2-3]:$there/alike"
    expect_err "$regex"
    expect_not test -e "$there/alike"
    expect_status "$status" muster copy "$@" --pull "h[2-3]:$src/small" "$here/alike"
    expect_err "$regex"
    expect_not test -e "$here/alike/h2/small"
}

case_ 'behind a bastion that refuses, is not known or cannot be: the same for copy and invoke'
ssh_config off <<END
Host gone
	HostName 127.0.0.1
	Port 1
Host unheard
	HostName $(address_of h1)
	HostKeyAlias unheard
END
alike 4 'h\[2-3\].*bastion gone: connection refused' -O ProxyJump=gone
alike 4 'h\[2-3\].*bastion unheard: not known' -O ProxyJump=unheard
alike 4 'h\[2-3\].*bastion no\.such\.host: ' -O ProxyJump=no.such.host
alike 4 'h\[2-3\].*ProxyJump h1,: no' -O 'ProxyJump=h1,,h4'

# An address of its own: a port of 127.0.0.1 that is free for a while is taken by whoever asks for one.
GW_AT=127.88.$((RANDOM % 250 + 1)).$((RANDOM % 250 + 1))
gw_up() {
    start_ "$FAULTD" "$GW_AT:$LAB_PORT=proxy:$(address_of h1):$LAB_PORT:count" >"$WORK/gw.log"
    GW=$PID
    within 60 grep -qx ready "$WORK/gw.log"
}
# lose_bastion: with all that went through it; then it is there again.
lose_bastion() {
    local copy=$PID
    kill "$GW"
    within 60 gone "$GW"
    gw_up
    PID=$copy
}

case_ 'a bastion that is lost while files come: the copy goes on when it is there again'
ssh_config gw <<END
Host gw
	HostName $GW_AT
	HostKeyAlias [$(address_of h1)]:$LAB_PORT
END
expect gw_up
goes_on lose_bastion "$here/h3/huge" -O ProxyJump=gw --pull "h3:$src/huge" "$here"
# And while they go.
goes_on lose_bastion "$there/gw/huge" -O ProxyJump=gw "$src/huge" -H "h2:$there/gw/"
rm -f "$src/huge"

case_ 'a canary of a copy fails: the others wait, and follow when it is resumed'
job_ copy --as-job --canary 1 "$src/small" -H "h[1-3]:$there/later/small"
expect within 60 state_is "$JOB" Suspended
expect states_are "$JOB" Failed NotStarted NotStarted
mkdir "$there/later"
expect_status 0 muster resume "$JOB"
expect_status 5 muster wait "$JOB"
expect states_are "$JOB" Failed Completed Completed
expect cmp "$src/small" "$there/later/small"

case_ 'a canary of a copy is well; batches of files that come'
expect_status 0 muster copy --canary 1 --batch 2 --pull "h[1-4]:$src/big" "$here/rolled"
expect_lines 4 'files=1 .*failed=0'
for host in h1 h2 h3 h4; do
    expect cmp "$src/big" "$here/rolled/$host/big"
done
job_ copy --as-job --batch 2 --pause 1h --pull "h[1-4]:$src/big" "$here/paused"
paused_() {
    states_are "$JOB" Completed Completed NotStarted NotStarted
}
expect within 60 paused_
expect_not test -e "$here/paused/h3"
expect_status 0 muster stop "$JOB"
expect states_are "$JOB" Completed Completed Stopped Stopped

finish_
