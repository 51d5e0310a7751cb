#!/usr/bin/env bash
# test_auth.sh MUSTER FAULTD: keys and agents. What is wrong with a key is said by its name; other
# hosts, with other keys, are not touched by it.
# shellcheck disable=SC2016,SC2034,SC2153,SC2317 # $ for the hosts' shells; lib.sh uses what is set here
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# A key file that others may read is refused for that alone.
umask 077
lab_up 5
good=$WORK/lab/id_ed25519

new_key() {
    rm -f "$1" "$1.pub"
    ssh-keygen -q -t "${3:-ed25519}" -N "${2:-}" -C test -f "$1"
}
new_key "$WORK/stranger"
new_key "$WORK/locked" secret
cat "$WORK/locked.pub" >>"$WORK/lab/authorized_keys"

# h1_uses LINE...: h1 with these lines in ssh_config; h2..h5 with their good key.
# The lab's IdentityFile would be added: it is in the part for the others alone.
h1_uses() {
    ssh_config auth </dev/null
    {
        echo 'Host h1'
        printf '\t%s\n' "$@"
        echo 'Host h2 h3 h4 h5'
        printf '\tIdentityFile %s\n' "$good"
        grep -v IdentityFile "$WORK/lab/ssh_config"
    } >"$WORK/auth.conf"
}

# h1_fails REGEX: as in (auth: ...); the others answer.
h1_fails() {
    expect_status 4 muster invoke -H 'h[1-5]' -- echo fine
    expect_err "^muster: 1/5 failed: h1 \\(auth: $1\\)\$"
    expect_lines 4 '^h[2-5]: fine$'
    expect_no_out '^h1'
}

all_fine() {
    expect_status 0 muster invoke -H 'h[1-5]' -- echo fine
    expect_lines 5 ': fine$'
    expect_silent
}

# agent NAME: an ssh-agent of its own; AGENT is its pid, SSH_AUTH_SOCK its socket.
agent() {
    SSH_AUTH_SOCK=$WORK/$1.sock
    export SSH_AUTH_SOCK
    start_ ssh-agent -D -a "$SSH_AUTH_SOCK" >/dev/null 2>&1
    AGENT=$PID
    within 60 test -S "$SSH_AUTH_SOCK" || fail_ 'ssh-agent does not start'
}

no_agent() {
    kill -CONT "$AGENT" 2>/dev/null
    kill "$AGENT"
    unset SSH_AUTH_SOCK
}

case_ 'a key that the server does not accept'
h1_uses "IdentityFile $WORK/stranger"
h1_fails "no key was accepted for $LAB_USER \\(server wants: publickey\\)"

case_ 'a key that the server does not accept, then one that it does'
h1_uses "IdentityFile $WORK/stranger" "IdentityFile $good"
all_fine

case_ 'a user that the server does not let in'
h1_uses "IdentityFile $good" 'User no-such-user'
h1_fails 'no key was accepted for no-such-user .*'

case_ 'the key file is missing'
h1_uses "IdentityFile $WORK/missing"
h1_fails "no usable key; $WORK/missing: No such file or directory"

case_ 'one of two key files is missing'
h1_uses "IdentityFile $WORK/missing" "IdentityFile $good"
all_fine

case_ 'no key file at all is configured, and the default ones are not there'
h1_uses 'IdentitiesOnly yes'
h1_fails 'no usable key'

case_ 'the key file cannot be read'
if [ "$(id -u)" -eq 0 ]; then
    skip_ 'root reads every file'
else
    cp "$good" "$WORK/secret"
    chmod 0 "$WORK/secret"
    h1_uses "IdentityFile $WORK/secret"
    h1_fails "no usable key; $WORK/secret: Permission denied"
fi

case_ 'others may read the key file'
cp "$good" "$WORK/open"
chmod 640 "$WORK/open"
h1_uses "IdentityFile $WORK/open"
h1_fails "no usable key; $WORK/open: others may read it \\(mode 0640\\): chmod 600 $WORK/open"

case_ 'the key file is a directory'
mkdir -p "$WORK/directory"
h1_uses "IdentityFile $WORK/directory"
h1_fails "no usable key; $WORK/directory: .+"

case_ 'the key file is no key'
seq 1 3000 | gzip -n >"$WORK/noise"
h1_uses "IdentityFile $WORK/noise"
h1_fails "no usable key; $WORK/noise: not a private key that can be read"

case_ 'the key file is empty'
: >"$WORK/empty"
h1_uses "IdentityFile $WORK/empty"
h1_fails "no usable key; $WORK/empty: not a private key that can be read"

case_ 'the key file is cut off'
head -c 150 "$good" >"$WORK/cut"
h1_uses "IdentityFile $WORK/cut"
h1_fails "no usable key; $WORK/cut: not a private key that can be read"

case_ 'the key file is a device without end'
h1_uses 'IdentityFile /dev/zero'
h1_fails 'no usable key; /dev/zero: .+'

case_ 'the key file is a pipe that nobody writes to'
rm -f "$WORK/pipe"
mkfifo "$WORK/pipe"
h1_uses "IdentityFile $WORK/pipe"
LIMIT=60
h1_fails "no usable key; $WORK/pipe: .+"

case_ 'a key with a passphrase and no agent'
h1_uses "IdentityFile $WORK/locked"
h1_fails "no usable key; $WORK/locked: has a passphrase, and ssh-agent does not hold it \\(ssh-add $WORK/locked\\)"

case_ 'a key with a passphrase, of the old PEM format'
ssh-keygen -q -t rsa -b 2048 -m PEM -N secret -C test -f "$WORK/pem"
h1_uses "IdentityFile $WORK/pem"
h1_fails "no usable key; $WORK/pem: has a passphrase, .*"

# add_locked: to the agent. ssh-add asks a program for the passphrase.
add_locked() {
    printf '#!/bin/sh\necho secret\n' >"$WORK/ask"
    chmod 700 "$WORK/ask"
    DISPLAY=:0 SSH_ASKPASS=$WORK/ask SSH_ASKPASS_REQUIRE=force timeout 60 \
        setsid ssh-add -q "$WORK/locked" </dev/null 2>/dev/null || fail_ 'ssh-add failed'
}

case_ 'a key with a passphrase that ssh-agent holds'
agent holding
add_locked
h1_uses "IdentityFile $WORK/locked"
all_fine

case_ 'the same with IdentitiesOnly, and the private key file gone'
h1_uses "IdentityFile $WORK/locked" 'IdentitiesOnly yes'
all_fine
mv "$WORK/locked" "$WORK/locked.away"
all_fine
mv "$WORK/locked.away" "$WORK/locked"

case_ 'all hosts through one agent'
sed '/IdentityFile/d; /IdentitiesOnly/d' "$WORK/lab/ssh_config" >"$WORK/agent.conf"
SSH_CONFIG=$WORK/agent.conf
all_fine

case_ 'IdentityAgent none: the agent is not asked'
h1_uses "IdentityFile $WORK/locked" 'IdentityAgent none'
h1_fails "no usable key; $WORK/locked: has a passphrase, .*"

case_ 'IdentityAgent names another agent'
holding=$SSH_AUTH_SOCK
unset SSH_AUTH_SOCK
h1_uses "IdentityFile $WORK/locked" "IdentityAgent $holding"
all_fine
SSH_AUTH_SOCK=$holding
no_agent

case_ 'an agent with many keys: IdentitiesOnly offers the one that is meant'
agent many
for i in 1 2 3 4 5 6 7; do
    new_key "$WORK/many$i"
    ssh-add -q "$WORK/many$i" 2>/dev/null
done
add_locked
h1_uses "IdentityFile $WORK/locked" 'IdentitiesOnly yes'
all_fine

case_ 'an agent with many keys: without it the server loses patience'
h1_uses 'IdentitiesOnly no'
h1_fails 'the server closed the connection: .*Too many authentication failures.*'
no_agent

case_ 'the socket of an agent that has died'
agent dead
kill -KILL "$AGENT"
wait "$AGENT" 2>/dev/null
h1_uses "IdentityFile $good"
all_fine

case_ 'the socket of an agent that has died, and its key is needed'
h1_uses "IdentityFile $WORK/locked"
h1_fails "no usable key; $WORK/locked: has a passphrase, .*; ssh-agent at $WORK/dead\\.sock: .*"
unset SSH_AUTH_SOCK

case_ 'an agent that hangs: hosts with a key of their own run, the one that needs it is named'
agent hanging
add_locked
kill -STOP "$AGENT"
h1_uses "IdentityFile $WORK/locked"
LIMIT=60
h1_fails "no usable key; $WORK/locked: has a passphrase, .*; ssh-agent at $WORK/hanging\\.sock: timed out"
no_agent

case_ 'an agent that lists its keys and then hangs in signing'
# A key that wants to be confirmed, and a program to confirm it that never answers.
printf '#!/bin/sh\nexec sleep 120\n' >"$WORK/never"
chmod 700 "$WORK/never"
export SSH_AUTH_SOCK=$WORK/confirm.sock
start_ env DISPLAY=:0 SSH_ASKPASS="$WORK/never" ssh-agent -D -a "$SSH_AUTH_SOCK" >/dev/null 2>&1
AGENT=$PID
expect within 60 test -S "$SSH_AUTH_SOCK"
new_key "$WORK/confirm"
cat "$WORK/confirm.pub" >>"$WORK/lab/authorized_keys"
ssh-add -q -c "$WORK/confirm" 2>/dev/null || fail_ 'ssh-add -c failed'
h1_uses 'IdentitiesOnly no'
COMMAND='invoke with an agent that hangs in signing' STATUS=- TOOK_MS=0
start_ muster invoke -H 'h[1-5]' -- echo fine >"$OUT" 2>"$ERR"
others_fine() { [ "$(grep -c '^h[2-5]: fine$' "$OUT")" -eq 4 ]; }
expect within 60 others_fine
expect alive "$PID"
# Another command is not held up by the one that hangs.
cp "$OUT" "$WORK/out.first"
run muster invoke -H 'h[2-5]' -- echo again
expect test "$STATUS" -eq 0
expect_lines 4 ': again$'
cp "$WORK/out.first" "$OUT"
wait_ "$PID"
STATUS=$?
expect test "$STATUS" -eq 4
no_agent

case_ 'no secret of a key file is in what muster says or logs'
expect_not grep -rqs "$(sed -n 3p "$good")" "$WORK/state" "$OUT" "$ERR"

finish_
