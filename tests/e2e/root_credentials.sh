#!/usr/bin/env bash
# root_credentials.sh MUSTER FAULTD: logins by password on isolated hosts with users of their own, by the real sshd and PAM.
# Needs root.
# shellcheck disable=SC2016,SC2034,SC2094,SC2153,SC2317 # $ for the hosts' shells; lib.sh uses what is set here
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/jobs.sh
. "$(dirname "$0")/jobs.sh"
if ! command -v perl >/dev/null; then
    echo "SKIPPED: $TEST_NAME needs perl"
    exit 77
fi
umask 077
lab_up 8 --isolated

lab() {
    timeout 120 "$LAB" -d "$WORK/lab" "$@"
}

# Nobody else has it; it never stands in a command line of ours.
password="Pw$$x$RANDOM right one"
printf '%s\n' "$password" >"$WORK/pw"
printf 'not it\n' >"$WORK/wrong"
hash=$(perl -e '$p = <STDIN>; chomp $p; print crypt($p, q($6$e2e$))' <"$WORK/pw")
mkdir "$WORK/etc"
cat >"$WORK/etc/passwd" <<'END'
root:x:0:0::/root:/bin/bash
sshd:x:105:65534::/run/sshd:/usr/sbin/nologin
me:x:54321:54321::/var/tmp/me:/bin/sh
END
printf 'root:x:0:\nme:x:54321:\nnogroup:x:65534:\n' >"$WORK/etc/group"
for user in root me; do
    printf '%s:%s:19000:0:99999:7:::\n' "$user" "$hash"
done >"$WORK/etc/shadow"
printf 'auth required pam_unix.so nodelay\naccount required pam_permit.so\nsession required pam_permit.so\n' >"$WORK/etc/pam"

# takes HOST LINE...: how it logs people in, from now on.
takes() {
    local host=$1
    shift
    printf '%s\n' "$@" | lab enter "$host" -- sh -c '
        { cat; grep -Ev "^(AuthenticationMethods|PasswordAuthentication|KbdInteractiveAuthentication|UsePAM|LogLevel|PubkeyAuthentication) " /run/lab/sshd_config; } >/run/lab/new &&
        printf "LogLevel VERBOSE\n" >>/run/lab/new && mv /run/lab/new /run/lab/sshd_config && kill -HUP "$(cat /run/lab/sshd.pid)"'
}

for i in 1 2 3 4 5 6 7 8; do
    tar -C "$WORK/etc" -cf - . | lab enter "h$i" -- sh -c '
        mkdir /run/users && cd /run/users && tar -xf - && chown 0:0 * && chmod 644 passwd group pam && chmod 600 shadow &&
        for f in passwd group shadow; do mount -n --bind "$f" "/etc/$f" || exit 1; done
        mount -n --bind pam /etc/pam.d/sshd || exit 1
        chmod 644 /run/lab/authorized_keys && mkdir -m 700 /var/tmp/me && chown 54321 /var/tmp/me' || {
        echo "FAILED: h$i does not get its users"
        exit 1
    }
done
by_password='PasswordAuthentication yes'
# h1, h6..h8: a password. h2: questions. h3: both, whichever comes first. h4: a key, then the password. h5: a key, then questions.
for i in 1 6 7 8; do
    takes "h$i" 'AuthenticationMethods password' "$by_password" 'KbdInteractiveAuthentication no' 'UsePAM no'
done
takes h2 'AuthenticationMethods keyboard-interactive' 'PasswordAuthentication no' 'KbdInteractiveAuthentication yes' 'UsePAM yes'
takes h3 'AuthenticationMethods password keyboard-interactive' "$by_password" 'KbdInteractiveAuthentication yes' 'UsePAM yes'
takes h4 'AuthenticationMethods publickey,password' "$by_password" 'KbdInteractiveAuthentication no' 'UsePAM no'
takes h5 'AuthenticationMethods publickey,keyboard-interactive' 'PasswordAuthentication no' 'KbdInteractiveAuthentication yes' 'UsePAM yes'

ssh_config me <<END
Host *
	User me
END
me_config=$SSH_CONFIG
own_() { SSH_CONFIG=$me_config; }

# Whether they have begun with that is seen by what they take.
own_
ready() {
    muster invoke --password-file "$WORK/pw" -H 'h[1-8]' -- true >/dev/null 2>&1
}
within 60 ready

case_ 'a password, questions, either of them, and a key with a second factor'
own_
expect_status 0 muster invoke --password-file "$WORK/pw" -H 'h[1-8]' -- id -un
expect_lines 8 '^h[1-8]: me$'
expect_silent
by_command() { muster invoke --password-command "cat '$WORK/pw'" -H 'h[1-5]' -- id -un; }
expect_status 0 by_command
expect_lines 5 ': me$'
from_stdin() { timeout 120 "$MUSTER" -L "$DAEMON" -F "$SSH_CONFIG" invoke --password-file - -H h1 -- id -un <"$WORK/pw"; }
expect_status 0 from_stdin
expect_out '^h1: me$'

case_ 'without an agent on the hosts, for a background job, agent push and a session'
own_
expect_status 0 muster invoke --agent never --password-file "$WORK/pw" -H 'h[1-5]' -- id -un
expect_lines 5 ': me$'
expect_status 0 muster agent push --password-file "$WORK/pw" -H 'h[1-5]'
expect_status 0 muster session new --name kept --password-file "$WORK/pw" -H 'h[1-5]'
expect_status 0 muster invoke --session kept -- id -un
expect_lines 5 ': me$'
expect_status 0 muster session disconnect kept
expect_status 0 muster session connect kept
expect_status 0 muster session remove kept

case_ '--user'
expect_status 0 muster invoke -l me --password-file "$WORK/pw" -H 'h[1-5]' -- id -un
expect_lines 5 ': me$'

case_ 'no password: it is said which option would help'
own_
expect_status 4 muster invoke -H h1 -- true
expect_err 'h1 \(auth: no key was accepted for me .*password.*; --ask-pass would try a password\)$|no usable key; --ask-pass would try a password'
expect_status 4 muster invoke -H h4 -- true
expect_err 'h4 \(auth: the server wants more of me: password; --ask-pass would try a password\)$'
expect_status 4 muster invoke -H h5 -- true
expect_err 'h5 \(auth: the server asks "Password: ": --ask-pass gives it a password\)$'

# refusals HOST...: how often a password was refused there.
refusals() {
    local host
    for host; do
        grep -ac 'Failed \(password\|keyboard-interactive/pam\) for me' "$WORK/lab/log/"*"$host"* 2>/dev/null
    done | awk -F: '{ n += $NF } END { print n + 0 }'
}

refusals_reach() {
    local n=$1
    shift
    [ "$(refusals "$@")" -ge "$n" ]
}

# refused_by N HOST...: since there were $before of them, so many more, and no others.
refused_by() {
    local n=$((before + $1))
    shift
    expect within 60 refusals_reach "$n" "$@"
    expect test "$(refusals "$@")" -eq "$n"
}

case_ 'a wrong password: one attempt, and the cause auth, for each way'
own_
for i in 1 2 3 4 5; do
    before=$(refusals "h$i")
    expect_status 4 muster invoke --retries 5 --password-file "$WORK/wrong" -H "h$i" -- true
    expect_err "^muster: 1/1 failed: h$i \\(auth: the password was not accepted for me\\)\$"
    refused_by 1 "h$i"
done

case_ 'a wrong password is tried on three hosts alone'
own_
before=$(refusals h1 h6 h7 h8 h2 h3)
expect_status 4 muster invoke --password-file "$WORK/wrong" -H 'h[1,6-8,2-3]' -- true
expect_err 'the password was refused by 3 hosts: not tried here'
refused_by 3 h1 h6 h7 h8 h2 h3

# jumps LINE...: before what all hosts have.
jumps() {
    ssh_config jumps < <(
        printf '%s\n' "$@"
        printf 'Host *\n\tUser me\n'
    )
}
sessions_to() {
    ss -Htn state established dst "$(ssh -F "$WORK/lab/ssh_config" -G "$1" | sed -n 's/^hostname //p')" | wc -l
}

case_ 'a bastion that takes a password, questions, either, or a second factor: one session to it, and the hosts behind it'
for i in 1 2 3 4 5; do
    jumps 'Host h7 h8' "ProxyJump h$i"
    expect_status 0 muster invoke --password-file "$WORK/pw" -H 'h[7-8]' -- id -un
    expect_lines 2 ': me$'
    expect_silent
    one_session() { [ "$(sessions_to "h$i")" -eq 1 ]; }
    expect within 60 one_session
done
jumps 'Host h8' 'ProxyJump h2,h5'
expect_status 0 muster invoke --password-file "$WORK/pw" -H h8 -- id -un
expect_out '^h8: me$'
stop_daemon

case_ 'a bastion without a password, and with a wrong one: one attempt, and the hosts behind it are not asked'
for i in 1 2 4; do
    jumps 'Host h7 h8' "ProxyJump h$i"
    expect_status 4 muster invoke -H 'h[7-8]' -- true
    expect_err "2/2 failed: h\\[7-8\\] \\(auth: bastion h$i: .*--ask-pass"
    before=$(refusals "h$i") behind=$(refusals h7 h8)
    expect_status 4 muster invoke --retries 5 --password-file "$WORK/wrong" -H 'h[7-8]' -- true
    expect_err "2/2 failed: h\\[7-8\\] \\(auth: bastion h$i: the password was not accepted for me\\)\$"
    refused_by 1 "h$i"
    expect test "$(refusals h7 h8)" -eq "$behind"
done

case_ 'the limit of three refusals holds for bastions, too'
jumps 'Host h5' 'ProxyJump h1' 'Host h6' 'ProxyJump h2' 'Host h7' 'ProxyJump h3' 'Host h8' 'ProxyJump h4'
before=$(refusals h1 h2 h3 h4)
expect_status 4 muster invoke --password-file "$WORK/wrong" -H 'h[5-8]' -- true
expect_err 'bastion h[1-4]: the password was refused by 3 hosts: not tried here'
refused_by 3 h1 h2 h3 h4

case_ 'a bastion that takes the password lets no more than three hosts behind it refuse it'
# In place: the files are mounted.
for i in 5 6 7 8; do
    lab enter "h$i" -- sh -c 'cp /etc/shadow /run/shadow.kept && sed "s/^me:[^:]*/me:x/" /etc/shadow >/run/shadow.new && cat /run/shadow.new >/run/users/shadow'
done
jumps 'Host h5 h6 h7 h8' 'ProxyJump h1'
before=$(refusals h5 h6 h7 h8)
expect_status 4 muster invoke --password-file "$WORK/pw" -H 'h[5-8]' -- true
expect_err ': the password was refused by 3 hosts: not tried here'
refused_by 3 h5 h6 h7 h8
for i in 5 6 7 8; do
    lab enter "h$i" -- sh -c 'cat /run/shadow.kept >/run/users/shadow'
done
stop_daemon

case_ 'one host that has another password does not keep the others from theirs'
own_
# In place: the file is mounted.
lab enter h6 -- sh -c 'sed "s/^me:[^:]*/me:!/" /etc/shadow >/run/shadow.new && cat /run/shadow.new >/run/users/shadow'
expect_status 4 muster invoke --password-file "$WORK/pw" -H 'h[1-8]' -- id -un
expect_err '1/8 failed: h6 \(auth: '
expect_lines 7 ': me$'

case_ 'the password is in no command line, environment, log or file, and not in the memory that a core would have'
own_
new_word
job_id=$(muster invoke --quiet --as-job --password-file "$WORK/pw" -H h1 -- sh -c 'sleep 1000; :' "$WORD")
expect within 60 some_process_of "$WORD"
where_is_it() {
    head -c 14 "$WORK/pw" >"$WORK/pattern"
    grep -slaF -f "$WORK/pattern" /proc/[0-9]*/cmdline /proc/[0-9]*/environ
    grep -rslaF -f "$WORK/pattern" "$WORK/state" "$WORK/run" "$WORK/home" "$WORK/lab/log" "$OUT" "$ERR"
    rm -f "$WORK/pattern"
}
expect test -z "$(where_is_it)"
daemon=$(daemon_pid)
sanitized_ "$daemon"
held_alone() {
    in_open_memory "$daemon" "$WORK/pw"
    [ $? -eq 1 ]
}
gone_from_memory() {
    in_open_memory "$daemon" "$WORK/pw"
    [ $? -eq 3 ]
}
expect held_alone
expect_status 0 muster stop "$job_id"
expect_status 0 muster remove "$job_id"
expect within 60 gone_from_memory
expect test -z "$(where_is_it)"

if command -v script >/dev/null; then
    case_ '-k asks once, and shows nothing of the answer'
    own_
    : >"$WORK/asked"
    answered() {
        {
            within 60 grep -qi password "$WORK/asked"
            cat "$WORK/pw"
            within 60 grep -q 'IT HAS ENDED' "$WORK/asked"
        } | timeout 120 script -qefc "$(printf '%q ' "$MUSTER" -L "$DAEMON" -F "$SSH_CONFIG" invoke --color never -k -H 'h[1-5]' -- id -un); s=\$?; echo IT HAS ENDED; exit \$s" \
            /dev/null >"$WORK/asked"
    }
    expect_status 0 answered
    expect test "$(grep -ci 'password for' "$WORK/asked")" -eq 1
    expect test "$(grep -c 'h[1-5]: me' "$WORK/asked")" -eq 5
    expect_not grep -qF "${password:0:12}" "$WORK/asked"
fi

finish_
