# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2154 # lib.sh and the tests use what is set here, and the other way round
# What the tests of hostile agents share; sourced behind lib.sh and jobs.sh, by who has set E2E_AGENT=subsystem before.
# Brings up the lab.

measures_memory_

need_ "$HOSTILE" hostile
need_ "$AGENT" 'an agent'
lab_up 4

# h1 does what $WORK/acts says, an action a line; the others have a real agent.
cat >"$WORK/subsystem" <<END
#!/bin/sh
case \$SSH_CONNECTION in *' 127.77.0.1 '*) ;; *) exec '$AGENT' ;; esac
while IFS= read -r act; do set -- "\$@" "\$act"; done <'$WORK/acts'
exec '$HOSTILE' "\$@"
END
chmod 755 "$WORK/subsystem"
subsystem_ "$WORK/subsystem"

expect_status 0 muster invoke -H 'h[2-4]' -- true
DAEMON_PID=$(daemon_pid)

acts_() {
    printf '%s\n' "$@" >"$WORK/acts"
}

# others_fine: h2 to h4 answered, and the daemon is the one that it was.
others_fine() {
    expect_lines 3 '^h[2-4]: fine$'
    expect test "$(daemon_pid)" = "$DAEMON_PID"
    expect_no_err $'\033'
}
