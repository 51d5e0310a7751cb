#!/usr/bin/env bash
# test_become.sh MUSTER FAULTD HOSTILE AGENT: another user by the real sudo and su, on isolated hosts with users of
# their own: me, who logs in, and web. Needs root.
# shellcheck disable=SC2016,SC2034,SC2094,SC2153,SC2317 # $ for the hosts' shells; lib.sh uses what is set here
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/jobs.sh
. "$(dirname "$0")/jobs.sh"
for program in sudo su perl; do
    command -v "$program" >/dev/null && continue
    echo "SKIPPED: $TEST_NAME needs $program"
    exit 77
done
lab_up 3 --isolated

lab() {
    timeout 120 "$LAB" -d "$WORK/lab" "$@"
}

# Nobody else has it; it never stands in a command line of ours.
password="Pw$$x$RANDOM right one"
(umask 077 && printf '%s\n' "$password" >"$WORK/pw" && printf 'not it\n' >"$WORK/wrong")
hash=$(perl -e '$p = <STDIN>; chomp $p; print crypt($p, q($6$e2e$))' <"$WORK/pw")
mkdir "$WORK/etc"
cat >"$WORK/etc/passwd" <<'END'
root:x:0:0::/root:/bin/bash
sshd:x:105:65534::/run/sshd:/usr/sbin/nologin
me:x:54321:54321::/var/tmp/me:/bin/sh
web:x:54322:54322::/var/tmp/web:/bin/bash
END
printf 'root:x:0:\nme:x:54321:\nweb:x:54322:\nnogroup:x:65534:\n' >"$WORK/etc/group"
for user in root me web; do
    printf '%s:%s:19000:0:99999:7:::\n' "$user" "$hash"
done >"$WORK/etc/shadow"
# h1 asks, h2 does not, h3 allows web alone.
printf 'Defaults logfile=/run/sudo.log\nme ALL=(ALL) ALL\n' >"$WORK/etc/sudoers.h1"
printf 'Defaults logfile=/run/sudo.log\nme ALL=(ALL) NOPASSWD: ALL\n' >"$WORK/etc/sudoers.h2"
printf 'Defaults use_pty\nme ALL=(web) ALL\n' >"$WORK/etc/sudoers.h3"
for host in h1 h2 h3; do
    # Through stdin: the directory of the lab need not be visible in there.
    tar -C "$WORK/etc" -cf - . | lab enter "$host" -- sh -c '
        mkdir /run/users && cd /run/users && tar -xf - && mv "sudoers.$1" sudoers &&
        chown 0:0 * && chmod 644 passwd group && chmod 440 sudoers && chmod 600 shadow &&
        for f in passwd group shadow sudoers; do mount -n --bind "$f" "/etc/$f" || exit 1; done
        chmod 644 /run/lab/authorized_keys && mkdir -m 700 /var/tmp/me /var/tmp/web && chown 54321 /var/tmp/me && chown 54322 /var/tmp/web' sh "$host" || {
        echo "FAILED: $host does not get its users"
        exit 1
    }
done
ssh_config me <<END
Host *
	User me
END
me_config=$SSH_CONFIG
own_() { SSH_CONFIG=$me_config; }

case_ 'who logs in is me'
own_
expect_status 0 muster invoke -H 'h[1-3]' -- id -un
expect_lines 3 '^h[1-3]: me$'

case_ 'sudo with the right password, to root and to another'
own_
expect_status 0 muster invoke --become --become-password-file "$WORK/pw" -H h1 --shell 'id -un; echo $HOME; wc -c'
expect_text $'h1: root\nh1: /root\nh1: 0'
expect_silent
expect_status 0 muster invoke --become=web --become-password-file "$WORK/pw" -H 'h[1-3]' --shell 'echo $(id -un) $HOME'
expect_lines 3 '^h[1-3]: web /var/tmp/web$'
expect_status 2 muster invoke --become --become-password-file - -H h1 -- id -un
expect_err 'standard input: no password'
expect_status 4 muster invoke --become --become-password-file "$WORK/pw" -H h3 -- id -un
expect_err 'h3 \(become: .*not allowed.*\)$'

case_ 'the password from standard input'
own_
from_stdin() {
    timeout 120 "$MUSTER" -L "$DAEMON" -F "$SSH_CONFIG" invoke --become --become-password-file - -H h1 -- id -un <"$WORK/pw"
}
expect_status 0 from_stdin
expect_text 'h1: root'

case_ 'fault_49: a wrong password: one attempt, and the cause become; none: the same'
own_
attempts() { lab enter h1 -- sh -c 'grep -c "incorrect password attempt" /run/sudo.log; grep -c "[2-9] incorrect" /run/sudo.log' 2>/dev/null; }
before=$(attempts | head -n 1)
expect_status 4 muster invoke --become --become-password-file "$WORK/wrong" -H h1 -- touch /var/tmp/me/ran
expect_err '^muster: 1/1 failed: h1 \(become: .+\)$'
once() { [ "$(attempts | tr '\n' ' ')" = "$((before + 1)) 0 " ]; }
expect within 60 once
expect_status 4 muster invoke --become -H h1 -- touch /var/tmp/me/ran
expect_err '^muster: 1/1 failed: h1 \(become: .*password.*\)$'
expect_not lab enter h1 -- test -e /var/tmp/me/ran

case_ 'fault_48: sudo that asks for nothing: the password does not become input'
own_
expect_status 0 muster invoke -N --parse raw --become --become-password-file "$WORK/pw" -H h2 -- cat
expect_text ''
head -c 100000 /dev/urandom >"$WORK/in"
expect_status 0 muster invoke -N --parse raw --become --become-password-file "$WORK/pw" --stdin "$WORK/in" -H h2 -- cat
expect cmp "$OUT" "$WORK/in"
expect_status 0 muster invoke -N --become -H h2 -- id -un
expect_text root

case_ 'su with the password'
own_
expect_status 0 muster invoke --become=web --become-method su --become-password-file "$WORK/pw" -H h1 -- id -un
expect_text 'h1: web'
expect_status 4 muster invoke --become=web --become-method su --become-password-file "$WORK/wrong" -H h1 -- id -un
expect_err 'h1 \(become: .+\)$'

case_ 'stop ends what the other user runs, too'
own_
new_word
job_ invoke --as-job --stop-grace 1 --become --become-password-file "$WORK/pw" -H h1 -- \
    sh -c 'trap "" TERM; setsid sh -c "sleep 1000; :" "$0" & while :; do sleep 1; done' "$WORD"
expect within 60 some_process_of "$WORD"
expect_status 0 muster stop "$JOB"
expect within 60 no_process_of "$WORD"

case_ 'a connection of me is none of root, and the other way round'
own_
stop_daemon
printf 'session-linger = 60s\n' >"$HOME/.config/muster/muster.conf"
for ((i = 0; i < 2; i++)); do
    expect_status 0 muster invoke -H h1 -- id -un
    expect_text 'h1: me'
    expect_status 0 muster invoke --become --become-password-file "$WORK/pw" -H h1 -- id -un
    expect_text 'h1: root'
    expect_status 0 muster invoke --become=web --become-password-file "$WORK/pw" -H h1 -- id -un
    expect_text 'h1: web'
done
expect_status 0 muster daemon status -o json
expect_out '"sessions":3,'
# Who does not know the password gets what is there: it is the same user's daemon, and says so nowhere.
stop_daemon
printf 'session-linger = 0\n' >"$HOME/.config/muster/muster.conf"

case_ 'fault_50: the password is in no command line, environment, log or file while a job runs and after it'
own_
new_word
job_ invoke --as-job --become --become-password-file "$WORK/pw" -H h1 -- sh -c 'sleep 1000; :' "$WORD"
expect within 60 some_process_of "$WORD"
# where_is_it: names what has it. The pattern comes from the file, so that no process here has it either.
where_is_it() {
    head -c 14 "$WORK/pw" >"$WORK/pattern"
    grep -slaF -f "$WORK/pattern" /proc/[0-9]*/cmdline /proc/[0-9]*/environ
    grep -rslaF -f "$WORK/pattern" "$WORK/state" "$WORK/run" "$WORK/home" "$WORK/lab/log" "$OUT" "$ERR"
    tar -C "$WORK" -cf "$WORK/pattern.tar" pattern
    lab enter h1 -- sh -c 'mkdir -p /run/search && tar -C /run/search -xf - &&
        grep -rslaF -f /run/search/pattern /var/tmp /tmp /run --exclude-dir=search --exclude-dir=users; rm -r /run/search' <"$WORK/pattern.tar"
    rm -f "$WORK/pattern" "$WORK/pattern.tar"
}
expect test -z "$(where_is_it)"
expect_status 0 muster get -c -o list "$JOB"
expect test -z "$(where_is_it)"
daemon=$(daemon_pid)
expect grep -Eq '^Max core file size +0 ' "/proc/$daemon/limits"
# In the memory of the daemon and of what it runs there, either, once the command has begun.
# in_memory PID FILE: 0 if the file's first 14 bytes are in what the process may write, 1 if not. What a sanitizer has
# mapped for itself is passed over.
in_memory() {
    perl -e 'open my $f, "<", $ARGV[1] or exit 2; read $f, my $word, 14;
        open my $maps, "<", "/proc/$ARGV[0]/maps" or exit 2; open my $mem, "<:raw", "/proc/$ARGV[0]/mem" or exit 2;
        while (<$maps>) {
            next unless /^([0-9a-f]+)-([0-9a-f]+) rw/;
            my ($at, $to, $last) = (hex $1, hex $2, "");
            next if $to - $at > 1 << 30;
            for (; $at < $to; $at += 1 << 16) {
                sysseek $mem, $at, 0;
                sysread $mem, my $got, 1 << 16 or last;
                exit 0 if index($last . $got, $word) >= 0;
                $last = substr $got, -16;
            }
        }
        exit 1' "$1" "$2"
}
not_in_memory() {
    in_memory "$1" "$WORK/pw"
    [ $? -eq 1 ]
}
printf '%s\n' "$WORD" >"$WORK/word"
expect in_memory "$daemon" "$WORK/word"
expect not_in_memory "$daemon"
for pid in $(agents_of "$WORD"); do
    expect not_in_memory "$pid"
done
expect_status 0 muster stop "$JOB"
expect_status 0 muster remove "$JOB"
expect test -z "$(where_is_it)"
expect_not find "$WORK" -name 'core*' -type f -print -quit | grep -q .

case_ 'while a host is awaited the password is in locked memory alone, and gone afterwards'
serve silent
ssh_config hangs <<END
Host hangs
	HostName 127.0.0.1
	Port ${PORTS[0]}
END
expect_status 0 muster invoke --quiet --as-job --become --become-password-file "$WORK/pw" -H hangs -- true
job_id=$(cat "$OUT")
daemon=$(daemon_pid)
sanitized_ "$daemon"
held_alone() {
    in_open_memory "$daemon" "$WORK/pw"
    [ $? -eq 1 ]
}
expect within 30 held_alone
expect_status 0 muster stop "$job_id"
expect_status 0 muster remove "$job_id"
gone_from_memory() {
    in_open_memory "$daemon" "$WORK/pw"
    [ $? -eq 3 ]
}
expect within 60 gone_from_memory

if command -v script >/dev/null; then
    case_ '-K asks once, and shows nothing of the answer'
    own_
    : >"$WORK/asked"
    answered() {
        {
            within 60 grep -qi password "$WORK/asked"
            cat "$WORK/pw"
            # The terminal stays until the command has ended.
            within 60 grep -q 'h1: root' "$WORK/asked"
        } | timeout 60 script -qefc "$(printf '%q ' "$MUSTER" -L "$DAEMON" -F "$SSH_CONFIG" invoke --color never -K --become -H 'h[1-2]' -- id -un)" \
            /dev/null >"$WORK/asked"
    }
    expect_status 0 answered
    expect test "$(grep -ci password "$WORK/asked")" -eq 1
    expect grep -q 'h1: root' "$WORK/asked"
    expect grep -q 'h2: root' "$WORK/asked"
    expect_not grep -qF "${password:0:12}" "$WORK/asked"
fi

finish_
