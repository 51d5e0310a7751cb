#!/usr/bin/env bash
# test_credentials.sh MUSTER FAULTD: passphrases that are asked for, certificates, and what is refused of password files.
# Passwords themselves need users of their own: root_credentials.sh.
# shellcheck disable=SC2016,SC2034,SC2153,SC2317 # $ for the hosts' shells; lib.sh uses what is set here
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
umask 077
lab_up 3
good=$WORK/lab/id_ed25519

new_key() {
    rm -f "$1" "$1.pub"
    ssh-keygen -q -t "${3:-ed25519}" -N "${2:-}" -C test -f "$1"
}

# uses LINE...: all hosts, with these lines in ssh_config in place of the lab's key.
uses() {
    ssh_config credentials </dev/null
    {
        echo 'Host *'
        printf '\t%s\n' "$@"
        grep -v IdentityFile "$WORK/lab/ssh_config"
    } >"$WORK/credentials.conf"
}

all_fine() {
    expect_status 0 muster invoke -H 'h[1-3]' -- echo fine
    expect_lines 3 ': fine$'
    expect_silent
}

all_fail() {
    expect_status 4 muster invoke -H 'h[1-3]' -- echo fine
    expect_err "^muster: 3/3 failed: h\\[1-3\\] \\(auth: $1\\)\$"
}

agent() {
    SSH_AUTH_SOCK=$WORK/$1.sock
    export SSH_AUTH_SOCK
    start_ ssh-agent -D -a "$SSH_AUTH_SOCK" >/dev/null 2>&1
    AGENT=$PID
    within 60 test -S "$SSH_AUTH_SOCK" || fail_ 'ssh-agent does not start'
}

no_agent() {
    kill "$AGENT"
    unset SSH_AUTH_SOCK
}

# --- certificates ---

new_key "$WORK/ca"
new_key "$WORK/other_ca"
timeout 120 "$LAB" -d "$WORK/lab" server-stop >/dev/null
printf 'TrustedUserCAKeys %s\n' "$WORK/ca.pub" | tee -a "$WORK"/lab/sshd/*.conf >/dev/null
timeout 120 "$LAB" -d "$WORK/lab" server-start >/dev/null || {
    echo 'FAILED: the servers do not start with TrustedUserCAKeys'
    exit 1
}

# sign KEY [OPTION...]: KEY-cert.pub, for whom the lab lets in.
sign() {
    local key=$1
    shift
    ssh-keygen -q -s "$WORK/ca" -I test -n "$LAB_USER" "$@" "$key.pub" 2>/dev/null || fail_ "cannot sign $key"
}

for type in ed25519 rsa ecdsa; do
    case_ "a certificate beside an $type key"
    new_key "$WORK/user_$type" '' "$type"
    uses "IdentityFile $WORK/user_$type"
    all_fail "no key was accepted for $LAB_USER \\(server wants: publickey\\)"
    sign "$WORK/user_$type"
    all_fine
done

case_ 'CertificateFile in another place'
mv "$WORK/user_ed25519-cert.pub" "$WORK/elsewhere.pub"
uses "IdentityFile $WORK/user_ed25519" "CertificateFile $WORK/elsewhere.pub"
all_fine

case_ 'a certificate in ssh-agent'
new_key "$WORK/held"
sign "$WORK/held"
agent certificates
ssh-add -q "$WORK/held" 2>/dev/null
mkdir "$WORK/away"
mv "$WORK"/held* "$WORK/away"
uses 'IdentitiesOnly no'
all_fine

case_ 'a CertificateFile whose key is in ssh-agent alone'
ssh-add -q -D 2>/dev/null
mv "$WORK/away/held" "$WORK/alone"
ssh-add -q "$WORK/alone" 2>/dev/null
rm "$WORK/alone"
uses 'IdentitiesOnly no'
all_fail "no key was accepted for $LAB_USER \\(server wants: publickey\\)"
uses 'IdentitiesOnly no' "CertificateFile $WORK/away/held-cert.pub"
all_fine
no_agent

case_ 'a certificate that has expired is named'
new_key "$WORK/late"
sign "$WORK/late" -V 20200101:20200201
uses "IdentityFile $WORK/late"
all_fail "no key was accepted for $LAB_USER \\(server wants: publickey\\); $WORK/late-cert.pub: expired at 2020-.*UTC"

case_ 'a certificate of another authority, of a host, and no certificate'
new_key "$WORK/wrong"
ssh-keygen -q -s "$WORK/other_ca" -I test -n "$LAB_USER" "$WORK/wrong.pub" 2>/dev/null
uses "IdentityFile $WORK/wrong"
all_fail "no key was accepted for $LAB_USER \\(server wants: publickey\\)"
ssh-keygen -q -s "$WORK/ca" -h -I test "$WORK/wrong.pub" 2>/dev/null
all_fail ".*; $WORK/wrong-cert.pub: a host's certificate, not a user's"
head -c 3000 /dev/urandom >"$WORK/wrong-cert.pub"
all_fail ".*; $WORK/wrong-cert.pub: not a certificate"
head -c 300 "$WORK/user_rsa-cert.pub" >"$WORK/wrong-cert.pub"
all_fail ".*; $WORK/wrong-cert.pub: not a certificate"
uses "IdentityFile $WORK/wrong" "CertificateFile $WORK/missing-cert.pub"
all_fail ".*$WORK/missing-cert.pub: No such file or directory.*"

case_ 'a bad certificate does not keep its key from being used'
cp "$good" "$WORK/known"
cp "$good.pub" "$WORK/known.pub"
echo rubbish >"$WORK/known-cert.pub"
uses "IdentityFile $WORK/known"
all_fine

# --- on a bastion ---

# by_h1 LINE...: h2 and h3 by h1, which has these lines in place of the lab's key.
by_h1() {
    SSH_CONFIG=$WORK/bastion.conf
    {
        echo 'Host h1'
        printf '\t%s\n' "$@"
        printf 'Host h2 h3\n\tProxyJump h1\n\tIdentityFile %s\n' "$good"
        grep -v IdentityFile "$WORK/lab/ssh_config"
    } >"$SSH_CONFIG"
}

both_fine() {
    expect_status 0 muster invoke -H 'h[2-3]' -- echo fine
    expect_lines 2 ': fine$'
    expect_silent
}

case_ 'a bastion that a certificate lets in, and the hosts behind it a key'
by_h1 "IdentityFile $WORK/user_rsa"
both_fine
mv "$WORK/user_rsa-cert.pub" "$WORK/away.pub"
stop_daemon
expect_status 4 muster invoke -H 'h[2-3]' -- echo fine
expect_err "2/2 failed: h\\[2-3\\] \\(auth: bastion h1: no key was accepted for $LAB_USER"
by_h1 "IdentityFile $WORK/user_rsa" "CertificateFile $WORK/away.pub"
both_fine

case_ 'a bastion that a key of ssh-agent lets in'
new_key "$WORK/bastion"
sign "$WORK/bastion"
agent bastion
ssh-add -q "$WORK/bastion" 2>/dev/null
rm "$WORK"/bastion "$WORK"/bastion.pub "$WORK"/bastion-cert.pub
stop_daemon
by_h1 'IdentityFile none' 'IdentitiesOnly no' "IdentityAgent $SSH_AUTH_SOCK"
both_fine
no_agent
stop_daemon

# --- passphrases ---

new_key "$WORK/locked" 'open sesame'
new_key "$WORK/locked2" 'another one'
cat "$WORK/locked.pub" "$WORK/locked2.pub" >>"$WORK/lab/authorized_keys"

case_ 'a key with a passphrase, and no terminal: nobody is asked'
uses "IdentityFile $WORK/locked"
no_terminal() { setsid -w "$MUSTER" -L "$DAEMON" -F "$SSH_CONFIG" invoke -H 'h[1-3]' -- echo fine; }
LIMIT=60
expect_status 4 no_terminal
expect_err "no usable key; $WORK/locked: has a passphrase, and ssh-agent does not hold it \\(ssh-add $WORK/locked\\)"

if ! command -v script >/dev/null; then
    case_ 'on a terminal'
    skip_ 'no script(1)'
    finish_
fi

quoted() { printf '%q ' "$@"; }

asked_times() { [ "$(grep -ao 'Passphrase for' "$WORK/screen" | wc -l)" -ge "$1" ]; }

# on_tty ANSWERS COMMAND...: each answer is typed when it is asked for; what is shown goes to $WORK/screen.
on_tty() {
    local answers=$1 line n=0
    shift
    : >"$WORK/screen"
    {
        while IFS= read -r line; do
            n=$((n + 1))
            within 60 asked_times "$n" || break
            printf '%s\n' "$line"
        done <<<"$answers"
        within 60 grep -aq 'IT HAS ENDED' "$WORK/screen"
    } | timeout 120 script -qefc "$(quoted "$MUSTER" -L "$DAEMON" -F "$SSH_CONFIG" "$@"); s=\$?; echo IT HAS ENDED; exit \$s" \
        /dev/null >"$WORK/screen" 2>&1
}

locked_() { uses "IdentityFile $WORK/locked"; }

case_ 'it is asked for once, on the terminal, for all hosts, and not shown'
locked_
expect_status 0 on_tty 'open sesame' invoke --color never -H 'h[1-3]' -- echo fine
expect test "$(grep -ac 'h[1-3]: fine' "$WORK/screen")" -eq 3
expect test "$(grep -ao "Passphrase for $WORK/locked: " "$WORK/screen" | wc -l)" -eq 1
expect_not grep -aq sesame "$WORK/screen"

case_ 'a wrong one is asked for again'
locked_
expect_status 0 on_tty $'wrong\nopen sesame' invoke --color never -H 'h[1-3]' -- echo fine
expect test "$(grep -ac 'h[1-3]: fine' "$WORK/screen")" -eq 3
expect grep -aq 'Not that. Passphrase for' "$WORK/screen"

case_ 'three wrong ones: without the key, and said'
locked_
expect_status 4 on_tty $'a\nb\nc' invoke --color never -H 'h[1-3]' -- echo fine
expect grep -aq "$WORK/locked: none of 3 answers is its passphrase (ssh-add $WORK/locked)" "$WORK/screen"
expect test "$(grep -ao 'Passphrase for' "$WORK/screen" | wc -l)" -eq 3

case_ 'nothing is typed: without the key'
locked_
expect_status 4 on_tty '' invoke --color never -H 'h[1-3]' -- echo fine
expect grep -aq 'no usable key' "$WORK/screen"

case_ 'two keys: each once; one that another login needs, too'
uses "IdentityFile $WORK/locked2" "IdentityFile $WORK/locked"
expect_status 0 on_tty $'another one\nopen sesame' invoke --color never -H 'h[1-3]' -- echo fine
expect test "$(grep -ac 'h[1-3]: fine' "$WORK/screen")" -eq 3

case_ 'a key with a passphrase and a certificate'
new_key "$WORK/both" 'open sesame'
sign "$WORK/both"
uses "IdentityFile $WORK/both"
expect_status 0 on_tty 'open sesame' invoke --color never -H 'h[1-3]' -- echo fine

case_ 'for a background job, a session and agent push'
uses "IdentityFile $WORK/locked"
expect_status 0 on_tty 'open sesame' invoke --as-job -H 'h[1-3]' -- true
expect_status 0 on_tty 'open sesame' agent push -H 'h[1-3]'
expect_status 0 on_tty 'open sesame' session new --name kept -H 'h[1-3]'
expect test "$(grep -ac 'Opened' "$WORK/screen")" -eq 3
expect_status 0 muster invoke --session kept -- echo fine
expect_lines 3 ': fine$'

case_ 'session connect asks, also after a restart of the daemon; without a terminal it says why, and can be tried again'
locked_
expect_status 0 muster session disconnect kept
expect_status 4 setsid -w "$MUSTER" -L "$DAEMON" -F "$SSH_CONFIG" session connect kept
expect grep -aq "$WORK/locked: has a passphrase" "$OUT" "$ERR"
expect_status 0 on_tty 'open sesame' session connect kept
expect test "$(grep -ac 'Opened' "$WORK/screen")" -eq 3
expect test "$(grep -ao "Passphrase for $WORK/locked: " "$WORK/screen" | wc -l)" -eq 1
stop_daemon
expect_status 0 on_tty 'open sesame' session connect kept
expect test "$(grep -ac 'Opened' "$WORK/screen")" -eq 3
expect_status 0 muster invoke --session kept -- echo fine
expect_lines 3 ': fine$'
expect_status 0 muster session remove kept

case_ 'a key with a passphrase for the bastion alone: asked once, and both hosts are reached'
stop_daemon
by_h1 "IdentityFile $WORK/locked"
expect_status 4 setsid -w "$MUSTER" -L "$DAEMON" -F "$SSH_CONFIG" invoke -H 'h[2-3]' -- echo fine
expect_err "\\(auth: bastion h1: no usable key; $WORK/locked: has a passphrase"
expect_status 0 on_tty 'open sesame' invoke --color never -H 'h[2-3]' -- echo fine
expect test "$(grep -ac 'h[2-3]: fine' "$WORK/screen")" -eq 2
expect test "$(grep -ao "Passphrase for $WORK/locked: " "$WORK/screen" | wc -l)" -eq 1

case_ 'Ctrl-C at the question ends it, and the terminal echoes again'
locked_
interrupted() {
    : >"$WORK/screen"
    {
        within 60 asked_times 1
        printf '\003'
        within 60 grep -aq 'IT HAS ENDED' "$WORK/screen"
    } | timeout 120 script -qefc "$(quoted "$MUSTER" -L "$DAEMON" -F "$SSH_CONFIG" invoke -H h1 -- echo fine); s=\$?; stty -a | grep -o ' echo '; echo IT HAS ENDED; exit \$s" \
        /dev/null >"$WORK/screen" 2>&1
}
expect_status 130 interrupted
expect grep -aq '^ echo ' "$WORK/screen"
expect_not grep -aq 'h1: fine' "$WORK/screen"
expect_status 0 muster get --all

case_ 'a key that ssh-agent holds is not asked for'
locked_
agent holding
printf '#!/bin/sh\necho open sesame\n' >"$WORK/ask"
chmod 700 "$WORK/ask"
DISPLAY=:0 SSH_ASKPASS=$WORK/ask SSH_ASKPASS_REQUIRE=force timeout 60 setsid ssh-add -q "$WORK/locked" </dev/null 2>/dev/null
expect_status 0 on_tty '' invoke --color never -H 'h[1-3]' -- echo fine
expect_not asked_times 1
no_agent

case_ 'no passphrase is in files, logs, the command line or the environment of the daemon'
pid=$(daemon_pid)
printf 'open sesame' >"$WORK/pattern"
expect_not grep -raqsF -f "$WORK/pattern" "$WORK/state" "$WORK/run"
expect_not grep -aqsF -f "$WORK/pattern" "/proc/$pid/cmdline" "/proc/$pid/environ"
rm "$WORK/pattern"

# --- who logs in ---

case_ '--user: for hosts whose expression names nobody'
SSH_CONFIG=$WORK/lab/ssh_config
expect_status 4 muster invoke -l no-such-user -H "h1,$LAB_USER@h2" -- echo fine
expect_out '^.*h2: fine$'
expect_err '1/2 failed: h1 \(auth: no key was accepted for no-such-user .*\)$'
for name in '' -x 'a b'; do
    expect_status 2 muster invoke --user="$name" -H h1 -- true
    expect_err '^muster invoke: --user: '
done

# --- where passwords come from ---

case_ 'a password file that others may read, of somebody else, that is missing or empty'
echo secret >"$WORK/pw"
for mode in 644 640 604; do
    chmod "$mode" "$WORK/pw"
    expect_status 2 muster invoke --password-file "$WORK/pw" -H h1 -- true
    expect_err "password-file: $WORK/pw: others may read it \\(mode 0$mode\\): chmod 600 $WORK/pw"
    expect_status 2 muster invoke --become --become-password-file "$WORK/pw" -H h1 -- true
    expect_err "become-password-file: $WORK/pw: others may read it"
done
chmod 600 "$WORK/pw"
if [ "$(id -u)" -eq 0 ]; then
    chown 54321 "$WORK/pw"
    expect_status 2 muster invoke --password-file "$WORK/pw" -H h1 -- true
    expect_err "$WORK/pw belongs to another user \\(uid 54321\\)"
    chown 0 "$WORK/pw"
fi
expect_status 2 muster invoke --password-file "$WORK/none" -H h1 -- true
expect_err "$WORK/none: No such file or directory"
: >"$WORK/empty"
expect_status 2 muster invoke --password-file "$WORK/empty" -H h1 -- true
expect_err "$WORK/empty: no password"
head -c 5000 /dev/zero | tr '\0' x >"$WORK/long"
expect_status 2 muster invoke --password-file "$WORK/long" -H h1 -- true
expect_err "$WORK/long: a password of more than 1024 bytes"

case_ 'the command for a password: fails, says nothing, is none'
expect_status 2 muster invoke --password-command 'echo no; exit 3' -H h1 -- true
expect_err "password-command: 'echo no; exit 3' ended with status 3"
expect_status 2 muster invoke --password-command 'kill -9 $$' -H h1 -- true
expect_err 'was ended by signal 9'
expect_status 2 muster invoke --password-command true -H h1 -- true
expect_err 'password-command: no password'
expect_status 2 muster invoke --password-command '' -H h1 -- true
expect_err 'password-command: no command'
expect_status 2 muster invoke --password-command 'yes x | tr -d "\n"' -H h1 -- true
expect_err 'more than 1024 bytes'

case_ 'one of them; standard input once; -k without a terminal'
expect_status 2 muster invoke -k --password-file "$WORK/pw" -H h1 -- true
expect_err 'one of them'
expect_status 2 muster invoke --password-file - --stdin - -H h1 -- true
expect_err 'can be read once'
expect_status 2 setsid -w "$MUSTER" -L "$DAEMON" -F "$SSH_CONFIG" invoke -k -H h1 -- true
expect_err 'there is no terminal to ask for a password on: use --password-file'

case_ 'a password where keys do it, and where the server takes none'
expect_status 0 muster invoke --password-file "$WORK/pw" -H 'h[1-3]' -- echo fine
expect_lines 3 ': fine$'
new_key "$WORK/stranger"
uses "IdentityFile $WORK/stranger"
expect_status 4 muster invoke --password-file "$WORK/pw" -H h1 -- echo fine
expect_err 'no key was accepted for .* \(server wants: publickey\); it takes no password'

finish_
