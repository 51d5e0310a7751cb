#!/bin/sh
# selftest.sh SIM: the checker finds what is made wrong on purpose, and a history is the same each time.
sim=$1
failures=0

# must_find NAME RUNS
must_find() {
    if out=$("$sim" --sabotage "$1" --runs "$2"); then
        printf 'sim/selftest: %s was not found in %s histories\n' "$1" "$2" >&2
        failures=$((failures + 1))
    else
        printf '%s: %s\n' "$1" "$(printf '%s\n' "$out" | grep '^seed' | head -1)"
    fi
}

must_find ack-early 500
must_find append-twice 500
must_find drop-frame 500
must_find start-twice 500
# It needs a hole in what was written and not synced, with something of the same run behind it.
must_find skip-damage 20000

first=$("$sim" --seed 7 -v | cksum)
second=$("$sim" --seed 7 -v | cksum)
if [ "$first" != "$second" ]; then
    printf 'sim/selftest: seed 7 is not the same history twice\n' >&2
    failures=$((failures + 1))
fi
[ "$failures" -eq 0 ]
