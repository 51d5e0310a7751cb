#!/usr/bin/env bash
# test_agent_boot.sh MUSTER FAULTD HOSTILE AGENT: how an agent comes to a host, is found there again, and what
# happens where none can run. tests/boot has the shells and directories one by one.
# shellcheck disable=SC2016,SC2034,SC2153,SC2317 # $ for the hosts' shells; lib.sh uses what is set here
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/jobs.sh
. "$(dirname "$0")/jobs.sh"
need_ "$AGENT" 'an agent'
lab_up 40

# Each login gets a home of its own below $WORK, as its sshd sets it, so that the user's stays as it is. What
# else could keep an agent is passed over as long as nothing else is said.
homes_() {
    local i
    for ((i = 0; i <= 40; i++)); do
        mkdir -p "$WORK/homes/$i"
    done
    cat >"$WORK/login" <<END
#!/bin/sh
# The server's forced command: with the home of the host's number, or what a case wants.
host=\${SSH_CONNECTION% *} host=\${host##*.}
HOME=$WORK/homes/\$host
[ ! -e "$WORK/shared" ] || HOME=$WORK/homes/0
export HOME XDG_CACHE_HOME=
cd "\$HOME" || exit 1
[ ! -e "$WORK/rc" ] || . "$WORK/rc"
exec sh -c "\$SSH_ORIGINAL_COMMAND"
END
    chmod 755 "$WORK/login"
    timeout 120 "$LAB" -d "$WORK/lab" server-stop >/dev/null
    printf 'ForceCommand %s\n' "$WORK/login" | tee -a "$WORK"/lab/sshd/*.conf >/dev/null
    timeout 120 "$LAB" -d "$WORK/lab" server-start >/dev/null || exit 1
}
homes_

cached_() {
    find "$WORK/homes/$1" -name 'agent-*' -type f | wc -l
}

case_ 'agent get, push, remove'
expect_status 0 muster agent get -H 'h[1-3]'
expect_lines 0 '^h'
expect_status 0 muster agent push -H 'h[1-3]'
expect_out '^h\[1-3\]: the agent is there$'
expect_status 0 muster agent get -H 'h[1-3]'
expect_lines 3 "^h[1-3] +$(uname -m) +current +$WORK/homes/[1-3]/.cache/muster-agent/agent-"
expect_status 0 muster agent remove -H h2
expect_out "^h2 .*$WORK/homes/2/"
expect test "$(cached_ 1) $(cached_ 2) $(cached_ 3)" = '1 0 1'
expect_status 0 muster agent get -H 'h[1-3]' -o jsonl
expect_lines 2 '"Version":"current"'
expect_no_out '"host":"h2"'

case_ 'an agent of another version is shown and removed, and left alone by a start'
mkdir -p "$WORK/homes/2/.cache/muster-agent"
echo old >"$WORK/homes/2/.cache/muster-agent/agent-$(uname -m)-0123456789abcdef"
expect_status 0 muster agent get -H h2 -o jsonl
expect_out "\"Version\":\"$(echo old | sha256sum | cut -c1-12)"
expect_status 0 muster invoke --agent always -H h2 -- true
expect test "$(cached_ 2)" -eq 2
expect_status 0 muster agent remove -H h2
expect test "$(cached_ 2)" -eq 0

case_ 'agent get of a host that cannot be reached: the others answer'
ssh_config gone <<END
Host gone
	HostName 127.255.255.255
END
expect_status 4 muster agent get -H 'gone,h1'
expect_lines 1 '^h1 '
expect_err '1/2 failed: gone \(unreachable'

case_ 'a second start uses what is there'
expect_status 0 muster invoke --agent always -H h4 -- true
file=$(find "$WORK/homes/4" -name 'agent-*')
inode=$(stat -c '%i %Z' "$file")
for ((i = 0; i < 3; i++)); do
    expect_status 0 muster invoke --agent always -H h4 -- true
done
expect test "$(stat -c '%i %Z' "$file")" = "$inode"

for change in altered truncated empty; do
    case_ "fault_25: a cached agent that is $change is brought again, and not run"
    sum=$(sha256sum <"$file")
    case $change in
    altered) printf 'X' | dd of="$file" bs=1 seek=20000 conv=notrunc status=none ;;
    truncated) truncate -s 30000 "$file" ;;
    empty) : >"$file" ;;
    esac
    expect_status 0 muster invoke --agent always -H h4 -- echo fine
    expect_out '^h4: fine$'
    expect_silent
    expect test "$(sha256sum <"$file")" = "$sum"
done

case_ 'a program in its place that is not ours is not run'
printf '#!/bin/sh\ntouch %s\n' "$WORK/planted" >"$file"
expect_status 0 muster invoke --agent always -H h4 -- echo fine
expect test ! -e "$WORK/planted"

case_ 'fault_30: first pushes of 40 hosts at once, one shared home: one file, all run'
: >"$WORK/shared"
LIMIT=120
expect_status 0 muster invoke --agent always -H 'h[1-40]' -- echo fine
expect_lines 40 ': fine$'
expect_silent
expect test "$(cached_ 0)" -eq 1
expect test "$(find "$WORK/homes/0" -name 'agent.*' | wc -l)" -eq 0
rm "$WORK/shared"

case_ '--agent never: no agent comes, and the command runs'
expect_status 0 muster invoke --agent never -H h5 -- echo fine
expect_out '^h5: fine$'
expect_silent
expect test "$(cached_ 5)" -eq 0

# --- where none can run ---

# falls_back REGEX: with auto a warning and the command, with always no-agent, on h6 and h7.
falls_back() {
    local why=$1
    expect_status 0 muster invoke -H 'h[6-7]' -- echo fine
    expect_lines 2 '^h[67]: fine$'
    expect test "$(grep -c "WARNING: no agent: .*; the command runs without it, by plain exec" "$ERR")" -eq 2
    expect test "$(wc -l <"$ERR")" -eq 2
    expect_err "$why"
    expect_status 4 muster invoke --agent always -H 'h[6-7]' -- touch "$WORK/ran"
    expect_err "^muster: 2/2 failed: h\\[6-7\\] \\(no-agent: .*\\)|h6 \\(no-agent: .*h7 \\(no-agent: "
    expect_err "$why"
    # What plain exec cannot do is not done by halves.
    expect_status 4 muster invoke --parse json -H 'h[6-7]' -- touch "$WORK/ran"
    expect_err 'no-agent: it is needed for --parse'
    expect test ! -e "$WORK/ran"
}

case_ 'fault_28: no directory takes it'
# A tool of the bootstrap that says no, as the directories of this computer are not ours to close.
mkdir "$WORK/bin"
printf '#!/bin/sh\nexit 1\n' >"$WORK/bin/chmod"
chmod 755 "$WORK/bin/chmod"
echo "PATH=$WORK/bin:\$PATH" >"$WORK/rc"
falls_back 'no directory|noexec|full'
rm "$WORK/rc"

case_ 'fault_33: an architecture that there is no agent for'
printf '#!/bin/sh\necho pdp11\n' >"$WORK/bin/uname"
chmod 755 "$WORK/bin/uname"
rm "$WORK/bin/chmod"
echo "PATH=$WORK/bin:\$PATH" >"$WORK/rc"
falls_back 'pdp11'
rm "$WORK/rc"

case_ 'fault_31: a login that talks: works'
printf 'echo Welcome; echo MS; echo >&2 beware; seq 1000\n' >"$WORK/rc"
expect_status 0 muster invoke --agent always -H 'h[6-7]' -- echo fine
expect_lines 2 '^h[67]: fine$'
expect_silent
rm "$WORK/rc"

case_ 'fault_31: a login that reads its input: works'
printf 'read -t 1 x 2>/dev/null || :; timeout 1 cat >/dev/null\n' >"$WORK/rc"
expect_status 0 muster invoke --agent always -H 'h[6-7]' -- echo fine
expect_lines 2 '^h[67]: fine$'
rm "$WORK/rc"

case_ 'fault_31: a login that ends: no agent, and why'
printf 'echo only for people >&2; exit 3\n' >"$WORK/rc"
expect_status 4 muster invoke --agent always -H 'h[6-7]' -- true
expect_err 'no-agent: '
run muster invoke -H 'h[6-7]' -- echo fine
expect_err 'WARNING: no agent: '
expect test "$STATUS" -eq 5
rm "$WORK/rc"

case_ 'fault_31: a login that talks without end, and one that never answers: time or patience ends it'
word=Welcome$$
echo "exec yes $word" >"$WORK/rc"
expect_status 4 muster invoke --agent always -H 'h[6-7]' -- true
expect_err 'no-agent: '
expect_took_under 100000
slept=31536$$.5
echo "exec sleep $slept" >"$WORK/rc"
expect_status 4 muster invoke --agent always --start-timeout 1 -H 'h[6-7]' -- true
expect_err 'timeout: start agent'
rm "$WORK/rc"
# Their connection is closed, which the one notices at once and the other never.
expect within 60 no_process_of "$word"
for pid in $(processes_of "$slept"); do
    kill "$pid"
done

case_ 'fault_32: a forced command that runs something else'
printf 'echo this is a menu; exit 0\n' >"$WORK/rc"
expect_status 4 muster invoke --agent always -H 'h[6-7]' -- true
expect_err 'no-agent: .*(this is a menu|forced|something else)'
run muster invoke -H 'h[6-7]' -- echo fine
expect_lines 2 '^h[67]: this is a menu$'
expect_err 'WARNING: no agent: '
rm "$WORK/rc"

# --- as a subsystem ---

case_ '--agent subsystem: where there is none'
expect_status 4 muster invoke --agent subsystem -H 'h[1-2]' -- true
expect_err 'no subsystem muster'

case_ '--agent subsystem: where sshd has it, nothing is pushed'
sed -i '/^ForceCommand/d' "$WORK"/lab/sshd/*.conf
subsystem_ "$AGENT"
expect_status 0 muster invoke --agent subsystem -H 'h[1-40]' -- echo fine
expect_lines 40 ': fine$'
expect_silent

case_ '--agent subsystem: a program that is none'
sed -i '/^Subsystem/d' "$WORK"/lab/sshd/*.conf
subsystem_ /bin/true
expect_status 4 muster invoke --agent subsystem -H 'h[1-2]' -- true
expect_err '(no-agent|agent-lost|refused): '

finish_
