# shellcheck shell=sh
# Sourced by the checks. Sets ROOT (first argument, or this checkout) and CHECK, and counts failures.
#
# A check ends with `verdict`: 0 all well, 1 something is wrong, 77 skipped (ctest shows "Skipped").
# Every complaint is one line on stderr: FILE:LINE: what is wrong; the cure.

CHECK=$(basename "$0")
ROOT=${1:-$(dirname "$0")/../..}
cd "$ROOT" || exit 2
# shellcheck disable=SC2034
ROOTS='src proto initiator agent'
FAILURES=0

# complain FILE:LINE TEXT
complain() {
    printf '%s: %s\n' "$1" "$2" >&2
    FAILURES=$((FAILURES + 1))
}

# skip REASON: ends the check, loudly.
skip() {
    printf 'check/%s SKIPPED: %s\n' "$CHECK" "$1" >&2
    exit 77
}

# find_in NAME-PATTERN... -- DIR...: the files of that name under those of the folders that exist.
find_in() {
    pattern=$1
    shift
    for dir; do
        [ ! -d "$dir" ] || find "$dir" -type f -name "$pattern"
    done | LC_ALL=C sort
}

verdict() {
    if [ "$FAILURES" -gt 0 ]; then
        printf 'check/%s: %d failure(s)\n' "$CHECK" "$FAILURES" >&2
        exit 1
    fi
    printf 'check/%s: ok%s\n' "$CHECK" "${1:+ ($1)}"
    exit 0
}
