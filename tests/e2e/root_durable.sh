#!/usr/bin/env bash
# root_durable.sh MUSTER FAULTD HOSTILE AGENT: durable jobs on isolated hosts that are cut off, restarted, full, or
# will not let anybody in; and a full disk here.
# shellcheck disable=SC2016,SC2034,SC2119,SC2153,SC2317 # $ for the hosts' shells; lib.sh uses what is set here
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/jobs.sh
. "$(dirname "$0")/jobs.sh"
# shellcheck source=tests/e2e/durable.sh
. "$(dirname "$0")/durable.sh"
lab_up 4 --isolated
settings_

lab() {
    timeout 120 "$LAB" -d "$WORK/lab" "$@"
}
home=$(getent passwd 0 | cut -d: -f6)

# on_host HOST TEXT: a shell there.
on_host() {
    lab enter "$1" -- sh -c "$2"
}

# Where the commands of the hosts wait: until go_ HOST.
gate='until [ -e /run/go ]; do sleep 0.05; done'
go_() {
    on_host "$1" ': >/run/go'
}
no_go_() {
    on_host "$1" 'rm -f /run/go'
}

case_ 'fault_02: a host behind a cut cable, longer than three times keepalive: Disconnected, and goes on when it is mended'
on_hosts 'h[1-2]' "echo begun >>/run/begun; $(counting 400 /run/go)"
expect within 60 has_received "$JOB" '^h1: 20$'
expect lab cut h1
expect within 60 state_is $((JOB + 1)) Disconnected
expect go_ h1
expect go_ h2
expect within 60 state_is $((JOB + 2)) Failed # the other one minds its own business
expect lab mend h1
expect_status 5 muster receive --wait --force "$JOB"
expect_counted h1 400
expect_counted h2 400
expect property_is $((JOB + 1)) exit_code 7
expect test "$(on_host h1 'wc -l </run/begun')" -eq 1
expect no_go_ h1
expect no_go_ h2

case_ 'cut off while the daemon is killed: found by the next one, when it is there again'
on_hosts h1 "$(counting 300 /run/go)"
expect within 60 has_received "$JOB" '^h1: 20$'
expect lab cut h1
expect kill_daemon
expect_status 0 muster get
expect state_is $((JOB + 1)) Disconnected
expect go_ h1
expect lab mend h1
expect_status 5 muster receive --wait --force "$JOB"
expect_counted h1 300
expect no_go_ h1

case_ 'fault_13: a host is restarted: agent-lost, what was fetched is there, and it is not run again'
on_hosts 'h[1-2]' "echo begun >>$home/begun; echo 1; echo 2; $gate; echo 3; exit 7"
expect within 60 has_received "$JOB" '^h1: 2$'
expect within 60 has_received "$JOB" '^h2: 2$'
expect lab reboot h1
expect within 60 state_is $((JOB + 1)) Failed
expect cause_is $((JOB + 1)) agent-lost
expect go_ h2
run muster receive --wait --force "$JOB"
expect_counted h1 2
expect_counted h2 3
expect test "$(on_host h1 'wc -l <begun')" -eq 1
expect no_go_ h2

case_ 'the power fails under what is running while nobody is connected: what it had written is fetched'
on_hosts h1 "echo 1; $gate; seq 2 500; echo done >/run/done; sleep 1000"
expect within 60 has_received "$JOB" '^h1: 1$'
expect lab cut h1
expect within 60 state_is $((JOB + 1)) Disconnected
expect go_ h1
written() { on_host h1 'test -e /run/done'; }
expect within 60 written
expect lab reboot h1
expect lab mend h1
expect within 60 is_finished "$JOB"
expect cause_is $((JOB + 1)) agent-lost
expect_status 4 muster receive "$JOB"
expect_counted h1 500

case_ 'fault_17: another host key after a restart: a hard stop, cause host-key'
on_hosts h4 "echo 1; $gate"
expect within 60 has_received "$JOB" '^h4: 1$'
keep=$(on_host h4 'cat /run/lab/host_key' | base64 -w0)
on_host h4 "ssh-keygen -q -t ed25519 -N '' -f /run/new </dev/null && cat /run/new >/run/lab/host_key"
expect lab server-stop h4
expect lab server-start h4
expect within 60 is_finished "$JOB"
expect cause_is $((JOB + 1)) host-key
expect_status 4 muster receive "$JOB"
expect_counted h4 1
on_host h4 "echo $keep | base64 -d >/run/lab/host_key; : >/run/go"
expect lab server-stop h4
expect lab server-start h4
expect no_go_ h4

# User me on a host; who logs in as root is not kept out, nor warned.
user_me() {
    on_host "$1" 'cd /run || exit 1
        printf "root:x:0:0::'"$home"':/bin/sh\nsshd:x:105:65534::/run/sshd:/usr/sbin/nologin\nme:x:54321:54321::/var/tmp/me:/bin/sh\n" >passwd
        printf "root:*:19000:0:99999:7:::\nme:*:19000:0:99999:7:::\n" >shadow
        mount -n --bind passwd /etc/passwd && mount -n --bind shadow /etc/shadow
        mkdir -m 700 /var/tmp/me && chown 54321 /var/tmp/me && chmod 644 /run/lab/authorized_keys' || fail_ "$1 does not get its user"
}
me_config() {
    ssh_config me <<END
Host *
	User me
END
}

case_ 'fault_18: no logins for a while (nologin): tried again, and goes on when they are allowed'
# By sshd itself, and by PAM where there is any: then it is the login that is refused. /etc is read-only, and
# shared by the hosts, but only this one has somebody whom it keeps out.
user_me h3
me_config
nologin() {
    on_host h3 "mount -n -o remount,bind,rw /etc && $1; mount -n -o remount,bind,ro /etc"
}
on_host h3 'sed -i "s/^LogLevel .*/LogLevel VERBOSE/" /run/lab/sshd_config'
for pam in no yes; do
    [ "$pam" = no ] || [ -e /etc/pam.d/sshd ] || continue
    on_host h3 "sed -i 's/^UsePAM .*/UsePAM $pam/' /run/lab/sshd_config"
    expect lab server-stop h3
    expect lab server-start h3
    on_hosts h3 "echo 1; $gate; echo 2; exit 7"
    expect within 60 has_received "$JOB" '^h3: 1$'
    expect nologin 'echo closed for repair >/etc/nologin; cp /etc/nologin /run/nologin'
    expect lab server-stop h3
    expect within 60 state_is $((JOB + 1)) Disconnected
    expect lab server-start h3
    before=$(grep -c 'Connection from' "$WORK/lab/log/h3")
    tried() { [ "$(grep -c 'Connection from' "$WORK/lab/log/h3")" -ge $((before + 3)) ]; }
    expect within 60 tried
    run timeout 60 ssh -F "$SSH_CONFIG" h3 true
    expect test "$STATUS" -ne 0
    expect state_is $((JOB + 1)) Disconnected
    expect nologin 'rm -f /etc/nologin /run/nologin'
    expect go_ h3
    expect_status 5 muster receive --wait --force "$JOB"
    expect_counted h3 2
    expect no_go_ h3
done
on_host h3 "sed -i 's/^UsePAM .*/UsePAM no/' /run/lab/sshd_config"
expect lab server-stop h3
expect lab server-start h3

case_ 'fault_58: a host that ends all processes of a user at the last logout: warned before the command starts'
me_config
on_host h3 'mkdir /run/systemd && printf "[Login]\nKillUserProcesses=yes\n" >/run/systemd/logind.conf
    chmod -R a+rX /run/systemd && mount -n --bind /run/systemd /etc/systemd' || skip_ 'there is no /etc/systemd'
if [ -z "$CASE_SKIPPED" ]; then
    on_hosts h3 'echo fine'
    expect_status 0 muster receive --wait --force "$JOB"
    expect_out '^h3: fine$'
    expect_err '^h3: WARNING: .*KillUserProcesses=yes'
    on_hosts h3 'echo fine' --inline
    expect_status 0 muster receive --wait --force "$JOB"
    expect_silent
fi

case_ 'fault_20: the disk of the host is full: a warning, it waits, and goes on when there is room'
settings_
on_hosts h2 "echo 0; $gate; seq 1 200000; exit 7"
expect within 60 has_received "$JOB" '^h2: 0$'
expect lab fill h2
expect go_ h2
is_warned() { muster receive --keep --stream warning "$JOB" 2>&1 | grep -q 'WARNING: .*full'; }
expect within 60 is_warned
expect state_is $((JOB + 1)) Running
expect lab drain h2
expect_status 5 muster receive --wait --force "$JOB"
sed -i '1{/^h2: 0$/d}' "$OUT"
expect_counted h2 200000
expect no_go_ h2

case_ 'fault_20: full before it begins: refused, as nothing was started; inline it runs'
expect lab fill h2
on_hosts h2 "echo begun >>/run/begun.20"
expect within 60 is_finished "$JOB"
expect cause_is $((JOB + 1)) refused
expect_status 4 muster receive --wait "$JOB"
expect_err 'h2 .*refused: .*No space left'
expect_not on_host h2 'test -e /run/begun.20'
expect_status 0 muster invoke -H h2 -- df -P "$home"
expect_out '^h2: .* 100% '
expect lab drain h2

case_ 'no place for a spool, as all of it is read-only: inline with a warning, and no-agent'
expect_status 0 muster invoke -H h2 -- true
on_host h2 "rm -rf $home/.local /var/tmp/muster-0; for d in $home /var/tmp; do mount -n -o remount,bind,ro \$d; done"
on_hosts h2 'echo fine'
expect_status 0 muster receive --wait --force "$JOB"
expect_out '^h2: fine$'
expect_err '^h2: WARNING: no durable run: .*; the command ends with its connection'
# The check knows it before.
expect_status 0 muster doctor -H h2
expect_out '^1 ok: h2 \(no durable jobs: there is no place for durable runs: '
expect_status 4 muster invoke --durable -H h2 -- echo fine
expect_err '1/1 failed: h2 \(no-agent: '
on_host h2 "for d in $home /var/tmp; do mount -n -o remount,bind,rw \$d; done"

# More than is kept in memory while it cannot be written: numbers with something behind them.
case_ 'fault_22: the disk here is full: nothing is acknowledged, commands wait, a new job is refused; then all goes on'
stop_daemon
mkdir -m 700 "$WORK/disk"
mount -n -t tmpfs -o mode=700,size=24m e2e "$WORK/disk"
settings_ "store = $WORK/disk/store"
padding=$(printf '%0990d' 0 | tr 0 a)
much="echo 0; $gate; seq -f '%.0f $padding' 1 50000; exit 7"
is_full() { muster daemon status -o json | grep -q '"store_state":"full"'; }
is_well() { muster daemon status -o json | grep -q '"store_state":"well"'; }
fill_here() { ! head -c 100m /dev/zero >"$WORK/disk/filler" 2>/dev/null; }
on_hosts 'h[1-2]' "$much"
expect within 60 has_received "$JOB" '^h1: 0$'
expect within 60 has_received "$JOB" '^h2: 0$'
expect fill_here
expect go_ h1
expect go_ h2
expect within 60 is_full
first=$JOB
run muster -q invoke --as-job -H h3 -- echo fine
expect test "$STATUS" -ne 0
expect_err 'no job can be kept now: .* is full'
expect state_is "$first" Running
rm -f "$WORK/disk/filler"
LIMIT=120
expect_status 5 muster receive --wait --force "$first"
expect within 60 is_well
sed -i '/^h[12]: 0$/d; s/ a*$//' "$OUT"
expect_counted h1 50000
expect_counted h2 50000
expect no_go_ h1
expect no_go_ h2
on_hosts h3 'echo fine'
expect_status 0 muster receive --wait "$JOB"
expect_out '^h3: fine$'

case_ 'fault_22: full, and killed: what was stored is there, what was not comes again'
on_hosts 'h[1-2]' "$much"
expect within 60 has_received "$JOB" '^h1: 0$'
expect within 60 has_received "$JOB" '^h2: 0$'
expect fill_here
expect go_ h1
expect go_ h2
expect within 60 is_full
expect kill_daemon
rm -f "$WORK/disk/filler"
LIMIT=120
expect_status 5 muster receive --wait --force "$JOB"
sed -i '/^h[12]: 0$/d; s/ a*$//' "$OUT"
expect_counted h1 50000
expect_counted h2 50000
expect no_go_ h1
expect no_go_ h2
stop_daemon
umount -n -l "$WORK/disk"

case_ 'fault_57: two hosts with one home and machine ids of their own: two spools, and neither minds the other'
settings_
# The other one is this one, with another server that has another id.
on_host h1 'printf "%032d\n" 57 >/run/other-id
    sed "s/^\(ListenAddress .*\):22$/\1:2222/; s|^PidFile .*|PidFile /run/other.pid|" /run/lab/sshd_config >/run/other_config
    unshare --mount sh -c "mount -n --bind /run/other-id /etc/machine-id && exec $(command -v sshd) -f /run/other_config"' ||
    fail_ 'there is no second server'
address=$(awk '$1 == "Host" { host = $2 } host == "h1" && $1 == "HostName" { print $2 }' "$WORK/lab/ssh_config")
printf 'other %s\n' "$(cut -d' ' -f1,2 "$WORK/lab/keys/h1.pub")" >"$WORK/other_known"
ssh_config other <<END
Host o1
	HostName $address
	Port 2222
	HostKeyAlias other
	UserKnownHostsFile $WORK/other_known
END
on_hosts 'h1,o1' "echo \$MUSTER_HOST >>begun.57; echo 1; $gate; $(counting 100)"
expect within 60 has_received "$JOB" '^h1: 1$'
expect within 60 has_received "$JOB" '^o1: 1$'
expect test "$(on_host h1 'ls .local/state/muster | wc -l')" -eq 2
expect test "$(on_host h1 'ls -d .local/state/muster/*57/job-* | wc -l')" -eq 1
# The run of one cannot be found through the other.
expect kill_daemon
expect go_ h1
expect_status 5 muster receive --wait --force "$JOB"
sed -i '1,/^[ho]1: 1$/{/^[ho]1: 1$/d}' "$OUT"
expect_lines 100 '^h1: [0-9]+$|^h1: x'
expect test "$(on_host h1 'sort begun.57 | uniq -c | sort | tr -s " \n" "  "')" = ' 1 h1 1 o1 '
expect no_go_ h1

case_ 'fault_50: the password of another user is found nowhere, and input only where it is to be'
if command -v sudo >/dev/null && command -v perl >/dev/null; then
    password="Pw$$x$RANDOM-$RANDOM" input="In$$x$RANDOM-$RANDOM"
    (umask 077 && echo "$password" >"$WORK/pw" && echo "$input" >"$WORK/in")
    hash=$(perl -e '$p = <STDIN>; chomp $p; print crypt($p, q($6$e2e$))' <"$WORK/pw")
    user_me h4
    on_host h4 "printf '%s:%s:19000:0:99999:7:::\n' root '*' me '$hash' >/run/shadow
        echo 'me ALL=(ALL) ALL' >/run/sudoers && chmod 440 /run/sudoers && mount -n --bind /run/sudoers /etc/sudoers"
    me_config
    # found_ WHERE FILE...: the secrets that are in there.
    secrets_() {
        printf '%s\n%s\n' "$password" "$input" >"$WORK/pattern"
        grep -aosF -f "$WORK/pattern" "$@" 2>/dev/null | sed 's/.*://' | sort -u | sed "s/^$password$/password/; s/^$input$/input/" | tr '\n' ' '
    }
    job_ invoke --as-job --become --become-password-file "$WORK/pw" --stdin "$WORK/in" -H h4 \
        --shell "id -un; wc -c; $gate; exit 7"
    expect within 60 has_received "$JOB" '^h4: root$'
    expect within 60 has_received "$JOB" "^h4: ${#input}|^h4: [0-9]+\$"
    # /proc shows the processes of all hosts, too.
    expect test -z "$(secrets_ /proc/[0-9]*/cmdline /proc/[0-9]*/environ)"
    expect test -z "$(secrets_ -r "$WORK/lab/log" "$XDG_RUNTIME_DIR" "$XDG_STATE_HOME/muster/$DAEMON.log")"
    expect test "$(secrets_ -r "$XDG_STATE_HOME")" = 'input '
    printf '%s\n%s\n' "$password" "$input" | on_host h4 'cat >/dev/shm/pattern
        cd / && ! grep -rasqF -f /dev/shm/pattern '"$home"' /var/tmp /tmp /run' || fail_ 'a secret is on the disk of the host'
    on_host h4 'rm /dev/shm/pattern'
    # The address sanitizer wants its own way with core files.
    grep -q __asan_init "$MUSTER" || expect grep -q '^Max core file size *0 ' "/proc/$(daemon_pid)/limits"
    expect go_ h4
    expect_status 5 muster receive --wait --force "$JOB"
    expect test "$(secrets_ -r "$XDG_STATE_HOME")" = 'input '
    expect_status 0 muster remove "$JOB"
else
    skip_ 'needs sudo and perl'
fi

for fault in '14: a step that restarts its host' '15: the power fails between intent and done of a step' \
    '16: a restart that was asked for and never comes'; do
    case_ "fault_$fault"
    skip_ 'there are no workflows so far'
done

finish_
