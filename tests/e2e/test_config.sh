#!/bin/bash
# muster.conf, its folders and profiles, MUSTER_*, and muster config: which value holds, where it came from, and what
# is said of files that are wrong. Nothing is connected to.
. "$(dirname "$0")/lib.sh"

SSH_CONFIG_OF_NOBODY=none
DIR=$HOME/.config/muster
# cfg ARGUMENT...: muster without a host.
cfg() {
    timeout -k 5 "$LIMIT" "$MUSTER" -L "$DAEMON" -F "$SSH_CONFIG_OF_NOBODY" "$@"
}
fresh_() {
    rm -rf "$DIR"
    mkdir -p "$DIR/muster.conf.d" "$DIR/profiles"
    cat >"$DIR/muster.conf"
}

case_ 'each value and where it comes from'
fresh_ <<'CONF'
throttle-limit = 10

[profile careful]
batch = 10%
throttle-limit = 20
CONF
echo 'stop-grace = 3s' >"$DIR/muster.conf.d/10-a.conf"
echo 'stop-grace = 4s' >"$DIR/muster.conf.d/20-b.conf"
echo 'stop-grace = 5s' >"$DIR/muster.conf.d/ignored"
expect_status 0 cfg config --output jsonl
expect_out "^\{\"key\":\"throttle-limit\",\"value\":\"10\",\"source\":\"$DIR/muster.conf:1\""
expect_out "\"stop-grace\",\"value\":\"4s\",\"source\":\"$DIR/muster.conf.d/20-b.conf:1\""
expect_out '"agent","value":"auto","source":"default"'
expect_status 0 cfg config -m careful --output csv throttle-limit
expect_out "^throttle-limit,20,profile careful \($DIR/muster.conf:5\)"
expect_status 0 env MUSTER_THROTTLE_LIMIT=30 "$MUSTER" -m careful config throttle-limit
expect_out '^throttle-limit +30 +environment MUSTER_THROTTLE_LIMIT'
for shape in table list json jsonl csv yaml; do
    expect_status 0 cfg config --output "$shape" agent
    expect_out 'auto'
done

case_ 'option over environment over profile over file'
expect_status 0 cfg invoke -H 'a[1-50]' --dry-run -- true
expect_out '^throttle +10 at once'
expect_status 0 cfg -m careful invoke -H 'a[1-50]' --dry-run -- true
expect_out '^throttle +20 at once'
expect_out '^batches +10 of 5'
expect_status 0 env MUSTER_THROTTLE_LIMIT=30 MUSTER_PROFILE=careful "$MUSTER" invoke -H 'a[1-50]' --dry-run -- true
expect_out '^throttle +30 at once'
expect_status 0 env MUSTER_THROTTLE_LIMIT=30 "$MUSTER" invoke -m careful -f 40 --batch 25 -H 'a[1-50]' --dry-run -- true
expect_out '^throttle +40 at once'
expect_out '^batches +2 of 25'

case_ 'profiles as files, and options of any name'
fresh_ <<'CONF'
option.env = A=1
CONF
printf 'become = deploy\noption.nice = 300\n' >"$DIR/profiles/ops.conf"
expect_status 0 cfg config --profiles
expect_out '^ops$'
expect_status 2 cfg -m ops invoke -H a --dry-run -- true
expect_err 'nice'
printf 'become = deploy\noption.working-directory = /srv\n' >"$DIR/profiles/ops.conf"
expect_status 0 cfg -m ops invoke -H a --dry-run -- true
expect_out '^become +deploy, by sudo'
expect_status 2 cfg -m nobody invoke -H a --dry-run -- true
expect_err "there is no profile 'nobody', but ops"
expect_status 2 cfg -m ../x config
expect_err "there is no profile '../x'"

case_ 'a profile that asks, without a terminal'
fresh_ <<'CONF'
[profile sudo]
become = yes
ask-become-pass = yes
CONF
expect_status 2 setsid "$MUSTER" -L "$DAEMON" -m sudo invoke -H 127.0.0.1 -- true
expect_err 'terminal'
expect_status 0 cfg -m sudo invoke -H a --dry-run -- true
expect_out '^become +root, by sudo'

case_ 'what does not go with an option that was given is left out'
echo secret >"$WORK/pass"
chmod 600 "$WORK/pass"
fresh_ <<'CONF'
ask-pass = yes
ask-become-pass = yes
user = deploy
output = json
CONF
expect_status 0 cfg invoke -H a --password-file "$WORK/pass" --dry-run -- true
expect_status 2 env MUSTER_USER='two words' "$MUSTER" -F none invoke -H a --dry-run -- true
expect_err '^muster.*--user: a user name has no blanks'
expect_status 0 env MUSTER_USER='two words' "$MUSTER" -F none invoke -H a -l me --password-file "$WORK/pass" --dry-run -- true
expect_status 0 cfg hosts a
expect_status 255 cfg daemon status

case_ 'errors name file and line'
fresh_ <<'CONF'
throttle-limit = 0
nonsense
batch = x
[profil x]
color = red
[profile b]
fail-fast = maybe
fail-fast = yes
fail-fast = no
option.no-such = 1
CONF
expect_status 2 cfg hosts a
expect_err "$DIR/muster.conf:1: throttle-limit: '0'"
expect_status 2 cfg config --check -m b
expect_err 'muster.conf:1: throttle-limit'
expect_err "muster.conf:2: 'nonsense' is no 'key = value'"
expect_err "muster.conf:3: batch: 'x' is neither N nor N%"
expect_err "muster.conf:4: '\[profil x\]' is no '\[profile NAME\]'"
expect_err "muster.conf:5: color: 'red' is none of auto, always, never"
expect_err "muster.conf:7: fail-fast: 'maybe' is neither yes nor no"
expect_err 'muster.conf:9: fail-fast was set in line 8 already'
expect_err 'muster.conf:10\): no command that goes to hosts has an option --no-such'
fresh_ </dev/null
expect_status 2 env MUSTER_PAUSE=soon "$MUSTER" hosts a
expect_err "MUSTER_PAUSE: 'soon'"
expect_status 0 env MUSTER_PAUSE= MUSTER_HOST=a MUSTER_RANK=x MUSTER_COUNT=x MUSTER_RUN=x "$MUSTER" hosts a
expect_status 0 cfg config --check
expect_out '^no errors$'

case_ 'files that cannot be: folders, FIFOs, NUL bytes, long lines, a gigabyte, open to others'
rm -rf "$DIR/muster.conf"
mkdir "$DIR/muster.conf"
expect_status 2 cfg hosts a
expect_err "cannot read $DIR/muster.conf: it is no regular file"
rmdir "$DIR/muster.conf"
mkfifo "$DIR/muster.conf"
expect_status 2 cfg hosts a
expect_err 'it is no regular file'
rm "$DIR/muster.conf"
printf 'agent = auto\nagent\0 = auto\n' >"$DIR/muster.conf"
expect_status 2 cfg hosts a
expect_err 'muster.conf:2: a NUL byte'
{ printf '\nuser = ' && head -c 5000 /dev/zero | tr '\0' u; } >"$DIR/muster.conf"
expect_status 2 cfg hosts a
expect_err 'muster.conf:2: user: a text of 1 to 1023 bytes is needed'
truncate -s 1G "$DIR/muster.conf"
expect_status 2 cfg hosts a
expect_err 'more than 1048576 bytes'
echo 'agent = auto' >"$DIR/muster.conf"
chmod 666 "$DIR/muster.conf"
expect_status 2 cfg hosts a
expect_err 'muster.conf: others may write it \(mode 0666\): chmod go-w'
chmod 600 "$DIR/muster.conf"
expect_status 0 cfg hosts a
expect_status 2 cfg config --check "$WORK/not-there"
expect_err "cannot read $WORK/not-there: No such file"

case_ 'what a daemon that runs was started with, where that differs'
fresh_ <<'CONF'
idle-timeout = 10m
retain-count = 7
throttle-limit = 5
CONF
asks() { timeout 60 "$MUSTER" -L "$DAEMON" "$@"; }
expect_status 0 asks config
expect_silent
expect_status 0 asks start --quiet -- true
expect_status 0 asks config
expect_silent
# The same in other words, another value, one that is gone, one that is new, and one that is none of the daemon's.
fresh_ <<'CONF'
idle-timeout = 600s
retain-count = 9
store-size = 2G
throttle-limit = 6
CONF
expect_status 0 asks config
expect_err '^muster: the daemon that runs \(pid [0-9]+\) .*: (store-size 8G \(now 2G\), retain-count 7 \(now 9\)|retain-count 7 \(now 9\), store-size 8G \(now 2G\)); '
expect_no_err 'idle-timeout|throttle'
expect test "$(wc -l <"$ERR")" -eq 1
expect_status 0 asks -q config
expect_silent
stop_daemon
expect_status 0 asks config
expect_silent

case_ 'a key that is none'
expect_status 2 cfg config throttle
expect_err "there is no key 'throttle'"

finish_
