# shellcheck shell=bash
# What the tests of the lab share: named steps, each of which passes, fails or is skipped.
FAILURES=0

check() {
    local name=$1
    shift
    if "$@"; then
        echo "ok: $name"
    else
        echo "FAILED: $name"
        FAILURES=$((FAILURES + 1))
    fi
}

skip() {
    echo "SKIPPED: $1 ($2)"
}

not() {
    ! "$@"
}

# says TEXT FILE
says() {
    grep -qF -- "$1" "$2" || {
        echo "  expected: $1"
        sed 's/^/  found:    /' "$2"
        return 1
    }
}

equal() {
    [ "$1" = "$2" ] || {
        echo "  expected: $1"
        echo "  found:    $2"
        return 1
    }
}

differ() {
    [ "$1" != "$2" ] || {
        echo "  both are: $1"
        return 1
    }
}

# within SECONDS COMMAND...: waits for a condition, at most so long.
within() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -le "$deadline" ] || return 1
        sleep 0.02
    done
}

verdict() {
    if [ "$FAILURES" -gt 0 ]; then
        echo "$FAILURES checks failed"
        exit 1
    fi
    echo "all checks passed"
}
