#!/usr/bin/env bash
# test_copy_via.sh MUSTER FAULTD HOSTILE AGENT: files to hosts and from them by way of gateways. The bytes of a push cross
# to each gateway once, those of a pull through it, and nothing stays there.
# shellcheck disable=SC2016,SC2034,SC2153,SC2317 # $ for the hosts' shells; lib.sh uses what is set here
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/jobs.sh
. "$(dirname "$0")/jobs.sh"
# shellcheck source=tests/e2e/relay.sh
. "$(dirname "$0")/relay.sh"
# shellcheck source=tests/e2e/durable.sh
. "$(dirname "$0")/durable.sh"
gateways_up 25
gateway_ 1
gateway_ 2

src=$WORK/src there=$WORK/there here=$WORK/here
mkdir -p "$src/tree/a/b" "$src/tree/none" "$src/tree/closed" "$there" "$here"
head -c 3000000 /dev/urandom >"$src/big"
echo hello >"$src/small"
chmod 640 "$src/small"
touch -d '2020-02-03 04:05:06.123456789' "$src/small"
echo 1 >"$src/tree/a/b/1"
echo 2 >"$src/tree/"$'new\nline'
echo 3 >"$src/tree/closed/3"
ln -s a/b/1 "$src/tree/link"
ln -s /nowhere "$src/tree/dangling"
chmod 750 "$src/tree/a"
chmod 200 "$src/tree/a/b/1"
chmod 500 "$src/tree/closed"
touch -d '2001-01-01' "$src/tree/a" "$src/tree/none"

# as_it_was A B: the same mode and time.
as_it_was() {
    [ "$(stat -c '%a %.9Y' -- "$1")" = "$(stat -c '%a %.9Y' -- "$2")" ]
}

# stages_of N: what gateway hN keeps of copies, a line each.
stages_of() {
    on_ "h$1" "ls '$GATE_HOME/$GATE/127.77.0.$1/state/muster/' 2>/dev/null | grep copies\$ |
        while read -r dir; do ls '$GATE_HOME/$GATE/127.77.0.$1/state/muster/'\"\$dir\"; done"
}

no_stages() {
    local n
    for n; do
        [ -z "$(stages_of "$n")" ] || return 1
    done
}

# A ProxyCommand that notes what goes to the host: tap FILE HOST PORT [N cut|hold FLAG]: after N bytes the connection ends,
# unless FLAG is there, or nothing passes until it is.
cat >"$WORK/tap" <<'END'
#!/usr/bin/env bash
exec 3<>"/dev/tcp/$2/$3"
cat <&3 &
trap 'kill $! 2>/dev/null' EXIT
if [ $# -gt 3 ] && [ ! -e "$6" ]; then
    now=0 before=-1
    while [ "$now" -lt "$4" ] && [ "$now" -gt "$before" ]; do
        before=$now
        dd bs=65536 count=1 status=none | tee -a "$1" >&3
        now=$(stat -c %s "$1")
    done
    if [ "$5" = cut ]; then
        : >"$6"
        exit 1
    fi
    until [ -e "$6" ]; do sleep 0.05; done
fi
tee -a "$1" >&3
END
chmod 755 "$WORK/tap"

# tapped NAME [N cut|hold]: the ways to the gateways h1 and h2 are tapped, that to h1 with these; in $WORK/up.1 and up.2.
tapped() {
    rm -f "$WORK"/up.* "$WORK/flag"
    ssh_config "$1" <<END
Host h1
	ProxyCommand $WORK/tap $WORK/up.1 127.77.0.1 $LAB_PORT ${2:-} ${3:-} ${2:+$WORK/flag}
Host h2
	ProxyCommand $WORK/tap $WORK/up.2 127.77.0.2 $LAB_PORT
END
}

# went N FROM TO: so many bytes have gone to gateway hN.
went() {
    local bytes
    bytes=$(stat -c %s "$WORK/up.$1" 2>/dev/null || echo 0)
    if [ "$bytes" -lt "$2" ] || [ "$bytes" -gt "$3" ]; then
        echo "  $bytes bytes went to h$1"
        return 1
    fi
}

# slow_ N HOST...: behind the gateways, the way to these hosts stands still after N bytes, until $WORK/go is there.
slow_() {
    local bytes=$1 host
    shift
    rm -f "$WORK/go"
    {
        for host; do
            printf 'Host %s\n\tProxyCommand %s %s 127.77.0.%s %s %s hold %s\n' "$host" "$WORK/tap" "$WORK/to.$host" \
                "${host#h}" "$LAB_PORT" "$bytes" "$WORK/go"
        done
        cat "$WORK/lab/ssh_config"
    } | into_ h1 "$GATE_HOME/.ssh/config" 600
}

fast_() {
    : >"$WORK/go"
    into_ h1 "$GATE_HOME/.ssh/config" 600 <"$WORK/lab/ssh_config"
}

# stuck_ HOST...: their ways stand still.
stuck_() {
    local host
    for host; do
        [ "$(stat -c %s "$WORK/to.$host" 2>/dev/null || echo 0)" -ge 1500000 ] || return 1
    done
}

case_ 'two gateways: a file to ten hosts, with mode and time'
expect_status 0 muster copy "$src/small" -H "h[3-12]:$there/" --via 'h[1-2]'
expect_lines 10 '^h[0-9]+: files=[01] bytes=[06] skipped=[01] failed=0 seconds='
expect_silent
expect cmp "$src/small" "$there/small"
expect as_it_was "$src/small" "$there/small"
expect test "$(children_at 1)" -eq 5
expect test "$(children_at 2)" -eq 5
expect within 60 no_stages 1 2

case_ 'the bytes cross to each gateway once'
tapped once
expect_status 0 muster copy "$src/big" -H "h[3-14]:$there/" --via 'h[1-2]'
expect_lines 12 'failed=0'
expect cmp "$src/big" "$there/big"
expect went 1 3000000 3600000
expect went 2 3000000 3600000

case_ 'the same in batches: what is there stays until all have it'
tapped batches
rm "$there/big"
expect_status 0 muster copy "$src/big" -H "h[3-14]:$there/" --via 'h[1-2]' --batch 3
expect_lines 12 'failed=0'
expect went 1 3000000 3800000
expect went 2 3000000 3800000
expect within 60 no_stages 1 2

case_ 'a folder with all that is in it: links, odd names, odd modes, times'
mkdir "$there/t1"
expect_status 0 muster copy -r "$src/tree" "$src/small" -H "h3:$there/t1" --via h1
expect_out '^h3: files=6 .*failed=0'
expect diff -r --no-dereference "$src/tree" "$there/t1/tree"
for name in a a/b/1 closed closed/3 none; do
    expect as_it_was "$src/tree/$name" "$there/t1/tree/$name"
done
expect_status 0 muster copy -r "$src/tree" -H "h3:$there/new" --via h1
expect diff -r --no-dereference "$src/tree" "$there/new"

case_ 'what is there already is left alone; --checksum looks at the content'
expect_status 0 muster copy -r "$src/tree" "$src/small" -H "h[3-4]:$there/t1" --via h1
expect_lines 2 'files=0 bytes=0 skipped=6 failed=0'
printf "not what was there" | dd of="$there/big" bs=1 seek=1000000 conv=notrunc 2>/dev/null
touch -r "$src/big" "$there/big"
expect_status 0 muster copy "$src/big" -H "h3:$there" --via h1
expect_out 'skipped=1'
expect_status 0 muster copy --checksum "$src/big" -H "h3:$there" --via h1
expect_out 'files=1 .*skipped=0'
expect cmp "$src/big" "$there/big"

case_ 'what cannot be copied is said by each host'
mkfifo "$src/tree/pipe"
expect_status 0 muster copy -r "$src/tree" -H "h[3-4]:$there/t1" --via 'h[1-2]'
expect_err '^h3: .*tree/pipe: not copied: a FIFO'
expect_err '^h4: .*tree/pipe: not copied: a FIFO'
rm "$src/tree/pipe"
expect_status 5 muster copy "$src/small" -H "h[3-4]:$there/no/such" --via 'h[1-2]'
expect_err "^h3: the folder '$there/no': No such file"
expect_err '2/2 failed'
expect_status 5 muster copy "$src/small" "$src/big" -H "h3:$there/small" --via h1
expect_err 'needs a folder'
expect_status 4 muster copy "$src/small" -H "nowhere,h3:$there/" --via h1
expect_err 'nowhere .*unreachable: cannot resolve'
expect_out '^h3: files='

case_ 'pull: a folder for each host, with modes and times'
expect_status 0 muster copy --pull -r -H 'h[3-6]' --via 'h[1-2]' "$src/tree" "$src/big" "$here/p1"
expect_lines 4 '^h[3-6]: files=6 .*skipped=0 failed=0 seconds='
expect_silent
for host in h3 h4 h5 h6; do
    expect cmp "$src/big" "$here/p1/$host/big"
    expect diff -r --no-dereference "$src/tree" "$here/p1/$host/tree"
    expect as_it_was "$src/tree/a" "$here/p1/$host/tree/a"
    expect as_it_was "$src/tree/a/b/1" "$here/p1/$host/tree/a/b/1"
done
tapped pull
expect_status 0 muster copy --pull -r -H 'h[3-6]' --via 'h[1-2]' "$src/tree" "$src/big" "$here/p1"
expect_lines 4 'files=0 bytes=0 skipped=6 failed=0'
expect went 1 1 100000
expect went 2 1 100000
printf "not what was there" | dd of="$here/p1/h4/big" bs=1 seek=5 conv=notrunc 2>/dev/null
touch -r "$src/big" "$here/p1/h4/big"
expect_status 0 muster copy --checksum --pull -H 'h[3-4]' --via h1 "$src/big" "$here/p1"
expect_lines 1 'files=1 .*skipped=0'
expect cmp "$src/big" "$here/p1/h4/big"

case_ 'pull: nothing there, more than may be written, no place for it'
expect_status 5 muster copy --pull "h[3-4]:$src/missing" "$here/p2" --via h1
expect_err '^h3: missing: No such file or directory'
expect_err '2/2 failed'
expect_status 5 muster copy --max-bytes 1M --pull "h3:$src/big" "$here/p3" --via h1
expect_err 'big: .*--max-bytes'
expect_not test -e "$here/p3/h3/big"
: >"$here/file"
expect_status 5 muster copy --pull "h[3-4]:$src/big" "$here/file" --via h1
expect_lines 0 'files='
expect_err "^h3: the folder '$here/file'"
expect_err '2/2 failed'
mkdir "$here/p4" "$here/outside"
ln -s ../outside "$here/p4/h3"
expect_status 5 muster copy --pull "h[3-4]:$src/small" "$here/p4" --via h1
expect cmp "$src/small" "$here/p4/h4/small"
expect test -z "$(ls "$here/outside")"

case_ 'gateways behind gateways, both ways'
gateway_ 23
cat >"$WORK/chain" <<'END'
[here]
name: admin
[routes]
admin: h1
h1: h23
h23: h[3-6]
END
tapped chain
mkdir "$there/t2"
expect_status 0 muster copy -r "$src/tree" "$src/big" -H "h[3-6]:$there/t2" --topology "$WORK/chain"
expect_lines 4 'failed=0'
expect diff -r --no-dereference "$src/tree" "$there/t2/tree"
expect as_it_was "$src/tree/a/b/1" "$there/t2/tree/a/b/1"
expect went 1 3000000 3600000
expect test "$(children_at 23)" -eq 4
expect_status 0 muster copy --pull -r -H 'h[3-6]' --topology "$WORK/chain" "$src/tree" "$src/big" "$here/p5"
expect_lines 4 'files=6 .*failed=0'
expect diff -r --no-dereference "$src/tree" "$here/p5/h6/tree"
expect cmp "$src/big" "$here/p5/h3/big"
expect within 60 no_stages 1 2 23

case_ 'the connection to a gateway is lost while it is sent the file: it goes on there'
head -c 16000000 /dev/urandom >"$src/large"
tapped cut 10000000 cut
expect_status 0 muster copy "$src/large" -H "h3:$there/" --via h1
expect_lines 1 '^h3: files=1 bytes=16000000 .*failed=0'
expect_err 'WARNING: gateway h1: .*; it is tried again'
expect cmp "$src/large" "$there/large"
# What was on its way then, at most the window, has gone twice; not all that came before it.
expect went 1 16000000 20000000
rm "$there/large"
expect within 60 no_stages 1

case_ 'a gateway is lost while it copies: its hosts go by the other one'
rm "$there/big"
slow_ 1500000 h16
job_ copy --as-job "$src/big" -H "h16:$there/" --via h1,h2
expect within 60 stuck_ h16
for pid in $(relays_of 1); do
    kill -KILL "$pid"
done
fast_
expect_status 0 muster wait "$JOB"
expect states_are "$JOB" Completed
expect_status 0 muster receive "$JOB"
expect_lines 1 '^h16: .*failed=0'
expect_err 'WARNING: gateway h1: .*; 1 host goes by another one'
expect cmp "$src/big" "$there/big"
expect within 60 no_stages 1 2

case_ 'a gateway is lost while it is sent a copy of files to here, and there is no other'
slow_ 1000 h17 h18
rm -rf "$here/p6"
job_ copy --as-job --pull -H 'h[17-18]' "$src/big" "$here/p6" --via h1
relayed_() { [ -n "$(relays_of 1)" ] && [ -s "$WORK/to.h17" ] && [ -s "$WORK/to.h18" ]; }
expect within 60 relayed_
for pid in $(relays_of 1); do
    kill -KILL "$pid"
done
expect_status 4 muster wait "$JOB"
expect_status 4 muster receive "$JOB"
expect_err 'gateway: h1: '
fast_

case_ 'stopped: nothing goes on, and nothing stays'
rm "$there/big"
rm -f "$WORK"/to.*
slow_ 1500000 h15 # one that the gateway has no connection to
job_ copy --as-job "$src/big" -H "h15:$there/" --via h1
expect within 60 stuck_ h15
expect_status 0 muster stop "$JOB"
expect states_are "$JOB" Stopped
expect within 60 no_stages 1
fast_
tapped stop 1500000 hold
job_ copy --as-job "$src/big" -H "h[3-4]:$there/" --via h1
half_() { went 1 1500000 1600000 >/dev/null && ! no_stages 1; }
expect within 60 half_
expect_status 0 muster stop "$JOB"
expect states_are "$JOB" Stopped Stopped
expect within 100 no_stages 1
: >"$WORK/flag"
expect_not test -e "$there/big"

case_ 'what a gateway that was killed has left goes with the next copy'
tapped stale 1500000 hold
start_muster "$WORK/out" copy "$src/big" -H "h3:$there/" --via h1
expect within 60 half_
kill -KILL "$(daemon_of 1)"
: >"$WORK/flag"
wait_ "$PID"
expect_not no_stages 1
expect_status 0 muster copy "$src/small" -H "h3:$there/" --via h1
expect within 60 no_stages 1

case_ 'the daemon here is killed while a gateway has the files, and while it copies them: the next one goes on'
rm -f "$there/big"
tapped killed 1500000 hold
job_ copy --as-job "$src/big" -H "h[3-4]:$there/" --via h1
expect within 60 half_
expect kill_daemon
: >"$WORK/flag"
expect_status 0 muster wait "$JOB"
expect states_are "$JOB" Completed Completed
expect cmp "$src/big" "$there/big"
rm -rf "${there:?}"/*
slow_ 1500000 h3 h4
job_ copy --as-job "$src/big" -H "h[3-4]:$there/" --via h1
expect within 60 stuck_ h3 h4
expect kill_daemon
expect_status 0 muster get
fast_
: >"$WORK/go"
expect_status 0 muster wait "$JOB"
expect states_are "$JOB" Completed Completed
expect cmp "$src/big" "$there/big"
expect within 100 no_stages 1

case_ 'the disk of a gateway is full: it is said, and the hosts go by another one'
stage_dir=$(on_ h1 "ls -d '$GATE_HOME/$GATE/127.77.0.1/state/muster/'*.copies")
rm -f "$there/big"
expect on_ h1 "mount -t tmpfs -o size=1M tmpfs '$stage_dir' && chmod 700 '$stage_dir'"
expect_status 4 muster copy "$src/big" -H "h[3-4]:$there/" --via h1
expect_err 'gateway: h1: the files cannot be kept there: big: No space left'
expect_status 0 muster copy "$src/big" -H "h[3-4]:$there/" --via 'h[1-2]'
expect_err 'WARNING: gateway h1: the files cannot be kept there: big: No space left.*; 1 host goes by another one'
expect cmp "$src/big" "$there/big"
expect within 60 no_stages 1 2
expect on_ h1 "umount '$stage_dir'"

case_ 'it has no place for the files, or one that others can enter'
expect on_ h1 "rmdir '$stage_dir' && : >'$stage_dir'"
expect_status 4 muster copy "$src/big" -H "h3:$there/" --via h1
expect_err 'gateway: h1: the files cannot be kept there: .*\.copies: Not a directory'
expect on_ h1 "rm '$stage_dir' && mkdir -m 755 '$stage_dir'"
expect_status 4 muster copy "$src/big" -H "h3:$there/" --via h1
expect_err 'gateway: h1: the files cannot be kept there: .*\.copies is not ours alone'
expect on_ h1 "rmdir '$stage_dir'"

finish_gateways_
finish_
