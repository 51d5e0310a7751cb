#!/usr/bin/env bash
# test_hostkeys.sh MUSTER FAULTD: known, unknown, changed and revoked host keys. Who is not known for
# sure does not even learn our name.
# shellcheck disable=SC2016,SC2034,SC2153,SC2317 # $ for the hosts' shells; lib.sh uses what is set here
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/hostkeys.sh
. "$(dirname "$0")/hostkeys.sh"
key_hosts_up 5
ecdsa_key=$(cut -d' ' -f1,2 "$WORK/lab/keys/host_ecdsa.pub")

# h1_fails REGEX: h1 fails so, without having been asked to let us in, and h2..h5 answer.
h1_fails() {
    local before
    expect_status 4 muster invoke -H 'h[1-5]' -- echo fine
    expect_err "^muster: 1/5 failed: h1 \\($1\\)"
    expect_lines 4 '^h[2-5]: fine$'
    expect_no_out '^h1'
    before=$(logins)
    expect_status 4 muster invoke -H h1 -- echo fine
    expect test "$(logins)" -eq "$before"
}

case_ 'the servers do log who asks to be let in'
before=$(logins)
expect_status 0 muster invoke -H h1 -- true
expect test "$(logins)" -gt "$before"

case_ 'an unknown host key'
knows "$(true_keys 2 5)"
h1_fails "host-key: not known \\(ssh-ed25519\\)"
expect cmp -s "$known" <(true_keys 2 5)

case_ 'no known_hosts file at all: nobody is known, and the file is not made'
knows ''
rm -f "$known"
expect_status 4 muster invoke -H 'h[1-5]' -- echo fine
expect_err '^muster: 5/5 failed: .*\(host-key: not known '
expect test ! -e "$known"

case_ 'a changed host key'
knows "$(name_of 1) $other_key" "$(true_keys 2 5)"
h1_fails "host-key: changed: not the ssh-ed25519 key of $known:1"

case_ 'a changed host key is refused with accept-new too, and not appended'
by 'StrictHostKeyChecking accept-new'
cp "$known" "$WORK/known.before"
h1_fails "host-key: changed: not the ssh-ed25519 key of $known:1"
expect cmp -s "$known" "$WORK/known.before"

case_ 'a changed host key is refused with StrictHostKeyChecking no too'
by 'StrictHostKeyChecking no'
expect_status 4 muster invoke -H 'h[1-5]' -- echo fine
expect_err '^muster: 1/5 failed: h1 \(host-key: changed: '
expect_lines 4 '^h[2-5]: fine$'

case_ 'a host that is known by a key of another type'
knows "$(name_of 1) $ecdsa_key" "$(true_keys 2 5)"
h1_fails "host-key: the server shows an ssh-ed25519 key, $known:1 knows another type"

case_ 'a host of which one of several keys fits'
knows "$(name_of 1) $ecdsa_key" "$(name_of 1) $other_key" "$(true_keys 1 5)"
expect_status 0 muster invoke -H 'h[1-5]' -- echo fine
expect_lines 5 ': fine$'
expect_silent

case_ 'a revoked key, though it is known'
knows "$(true_keys 1 5)" "@revoked $(name_of 1) $lab_key"
h1_fails "host-key: revoked by $known:6"

case_ 'a revoked key with accept-new'
knows "@revoked $(name_of 1) $lab_key" "$(true_keys 2 5)"
by 'StrictHostKeyChecking accept-new'
cp "$known" "$WORK/known.before"
h1_fails "host-key: revoked by $known:1"
expect cmp -s "$known" "$WORK/known.before"

case_ 'a key that is revoked for everybody'
knows "$(true_keys 1 5)" "@revoked * $lab_key"
expect_status 4 muster invoke -H 'h[1-5]' -- echo fine
expect_err '^muster: 5/5 failed: h\[1-5\] \(host-key: revoked by '

case_ 'accept-new: every key is appended once, and a strict run passes then'
knows ''
: >"$known"
by 'StrictHostKeyChecking accept-new'
expect_status 0 muster invoke -H 'h[1-5]' -- echo fine
expect_lines 5 ': fine$'
appended() { [ "$(grep -c . "$known")" -eq 5 ]; }
expect within 60 appended
expect diff <(sort "$known") <(true_keys 1 5 | sort)
expect_status 0 muster invoke -H 'h[1-5]' -- echo fine
expect appended
by 'StrictHostKeyChecking yes'
expect_status 0 muster invoke -H 'h[1-5]' -- echo fine
expect_lines 5 ': fine$'
expect appended

case_ 'what was added is told once for a job, as a set'
: >"$known"
by 'StrictHostKeyChecking accept-new'
expect_status 0 muster invoke -H 'h[1-5]' -- echo fine
expect_err "^muster: warning: 5 new keys were added to $known: h\\[1-5\\]\$"
expect test "$(grep -c . "$ERR")" -eq 1
expect appended
expect_status 0 muster invoke -H 'h[1-5]' -- echo fine
expect_silent

case_ 'a background job tells who comes to it first, once'
: >"$known"
by 'StrictHostKeyChecking accept-new'
expect_status 0 muster invoke --quiet --as-job -H 'h[1-5]' -- echo fine
job=$(cat "$OUT")
expect_status 0 muster wait "$job"
expect_err "^muster: warning: 5 new keys were added to $known: h\\[1-5\\]\$"
expect test "$(grep -c 'new keys' "$ERR")" -eq 1
expect_status 0 muster receive "$job"
expect_lines 5 ': fine$'
expect_silent
: >"$known"
expect_status 0 muster invoke --quiet --as-job -H 'h[1-5]' -- echo fine
expect_status 0 muster receive --wait "$(cat "$OUT")"
expect_err "^muster: warning: 5 new keys were added to $known: h\\[1-5\\]\$"

case_ 'several daemons learn the same keys at once: each line is there once'
: >"$known"
by 'StrictHostKeyChecking accept-new'
pids=()
for i in 1 2 3; do
    timeout 120 "$MUSTER" -L "$DAEMON-$i" -F "$SSH_CONFIG" invoke --ephemeral -H 'h[1-5]' -- true >/dev/null 2>&1 &
    pids+=("$!")
done
for pid in "${pids[@]}"; do
    expect wait "$pid"
done
expect diff <(sort "$known") <(true_keys 1 5 | sort)

case_ 'accept-new behind a last line without an end'
printf '%s' "$(true_keys 2 2)" >"$known"
by 'StrictHostKeyChecking accept-new'
expect_status 0 muster invoke -H 'h[1-2]' -- echo fine
both() { [ "$(grep -c . "$known")" -eq 2 ]; }
expect within 60 both
expect diff <(sort "$known") <(true_keys 1 2 | sort)

case_ 'accept-new with --ephemeral: the key is there when muster ends'
rm -f "$known"
by 'StrictHostKeyChecking accept-new'
expect_status 0 muster invoke --ephemeral -H 'h[1-5]' -- echo fine
expect within 60 appended
expect test "$(stat -c %a "$known")" = 600

case_ 'accept-new with a known_hosts file that cannot be written'
known=/proc/self/nothing/known
by 'StrictHostKeyChecking accept-new'
expect_status 0 muster invoke -H 'h[1-2]' -- echo fine
expect_lines 2 ': fine$'
expect_err '^muster: warning: 2 new keys are not in /proc/self/nothing/known: h\[1-2\] \(cannot open '
expect test "$(grep -c . "$ERR")" -eq 1
known=$WORK/known

case_ 'StrictHostKeyChecking ask: nobody can be asked, so it is strict'
: >"$known"
by 'StrictHostKeyChecking ask'
expect_status 4 muster invoke -H h1 -- echo fine
expect_err 'host-key: not known '
expect test ! -s "$known"

case_ 'hashed known_hosts'
true_keys 1 5 >"$known"
ssh-keygen -q -H -f "$known" >/dev/null 2>&1
expect_not grep -q 127.77 "$known"
by 'StrictHostKeyChecking yes'
expect_status 0 muster invoke -H 'h[1-5]' -- echo fine
expect_lines 5 ': fine$'
expect_silent

case_ 'hashed known_hosts, and a changed key in it'
{
    echo "$(name_of 1) $other_key"
    true_keys 2 5
} >"$known"
ssh-keygen -q -H -f "$known" >/dev/null 2>&1
by 'StrictHostKeyChecking yes'
h1_fails "host-key: changed: not the ssh-ed25519 key of $known:1"

case_ 'several names, wildcards and HostKeyAlias'
echo "farm,$(name_of 2),[127.77.0.3]:* $lab_key" >"$known"
ssh_config by <<END
Host h1
	HostKeyAlias farm
Host *
	UserKnownHostsFile $known
END
expect_status 4 muster invoke -H 'h[1-5]' -- echo fine
expect_lines 3 '^h[1-3]: fine$'
expect_err '^muster: 2/5 failed: h\[4-5\] \(host-key: not known '

case_ 'a negated name'
echo "[127.77.0.*]:$LAB_PORT,!$(name_of 1) $lab_key" >"$known"
by 'StrictHostKeyChecking yes'
h1_fails 'host-key: not known .*'

case_ 'lines that are none do no harm'
{
    printf 'nonsense\n\n# comment\n%s ssh-ed25519 !!!notbase64\n\0\377\n' "$(name_of 1)"
    true_keys 1 5
} >"$known"
by 'StrictHostKeyChecking yes'
expect_status 0 muster invoke -H 'h[1-5]' -- echo fine
expect_lines 5 ': fine$'

case_ 'a known_hosts file that cannot be read is no empty one'
rm -f "$known"
mkdir "$known"
by 'StrictHostKeyChecking accept-new'
expect_status 4 muster invoke -H h1 -- echo fine
expect_err "^muster: 1/1 failed: h1 \\(unreachable: .*$known"
rmdir "$known"

case_ 'a host certificate authority vouches for no plain key'
echo "@cert-authority $(name_of 1) $lab_key" >"$known"
true_keys 2 5 >>"$known"
by 'StrictHostKeyChecking yes'
h1_fails 'host-key: not known \(by the OpenSSH client\)'

finish_
