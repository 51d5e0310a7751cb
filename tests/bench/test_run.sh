#!/bin/bash
# test_run.sh MUSTER PROGRAMS: does tests/bench/run do all of it, say what is wrong, and leave nothing behind? In small sizes;
# what the figures are is not looked at.
set -u

here=$(cd "$(dirname "$0")" && pwd)
muster=$(readlink -f -- "$1")
programs=$(readlink -f -- "$2")
failed=0

# 3.9: pidfd_open, with which it waits.
python3 -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null || {
    echo 'skipped: python3 (3.9 or later) is not installed (apt-get install python3)'
    exit 77
}

work=$(mktemp -d /var/tmp/benchtest-XXXXXX) || exit 1
export BENCH_TEST_MARK=$work
pid=
cleanup() {
    [ -z "$pid" ] || kill "$pid" 2>/dev/null
    [ -z "$pid" ] || wait "$pid"
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

fail() {
    failed=$((failed + 1))
    echo "FAILED: $case: $1"
    tail -n 5 "$work/err" | sed 's/^/    /'
}

bench() { # ARGUMENT...: sets status
    timeout -k 10 200 "$here/run" --muster "$muster" --programs "$programs" --dir "$work/dir" "$@" >"$work/out" 2>"$work/err"
    status=$?
}

# Of what was started: by its environment, or, of the servers of the lab, which have none of ours, by its arguments.
left() {
    local process
    for process in /proc/[0-9]*; do
        [ "$process" != "/proc/$$" ] || continue
        case $(tr '\0' ' ' 2>/dev/null <"$process/cmdline") in
        "$BASH $0"* | *"$0 "*) continue ;;
        *"$work/dir/"*) echo "${process#/proc/}" ;;
        *) ! grep -qsazxF "BENCH_TEST_MARK=$work" "$process/environ" || echo "${process#/proc/}" ;;
        esac
    done
}

# What a parent has just killed takes a moment.
nothing_left() {
    local try
    for ((try = 0; try < 100; try++)); do
        [ -n "$(left)" ] || break
        sleep 0.1
    done
    [ -z "$(left)" ] || fail "processes are left: $(for process in $(left); do tr '\0' ' ' <"/proc/$process/cmdline"; echo; done)"
    [ -z "$(ls -A "$work/dir")" ] || fail "files are left: $(ls -A "$work/dir")"
}

mkdir "$work/dir"

case='the list'
bench --list
[ "$status" -eq 0 ] || fail "status $status"
grep -q '^fleet-cold  *cold: ' "$work/out" || fail 'fleet-cold is not in it'
topics=$(awk '{ print $1 }' "$work/out" | paste -sd,)

case='a benchmark that is none'
bench --only cold,lukewarm
[ "$status" -eq 2 ] || fail "status $status, not 2"
grep -q 'there is no benchmark lukewarm' "$work/err" || fail 'it is not named'

case='a program that is none'
"$here/run" --muster "$work/none" >"$work/out" 2>"$work/err"
status=$?
[ "$status" -eq 2 ] || fail "status $status, not 2"
grep -q "no program $work/none; build" "$work/err" || fail 'it is not named'

case='all of them'
bench --quick --json "$work/json" --markdown "$work/markdown"
[ "$status" -eq 0 ] || fail "status $status: $(sed -n '/WRONG/p' "$work/err")"
cmp -s "$work/out" "$work/markdown" || fail 'what is printed is not what is written'
grep -q '^| muster -f 4 |' "$work/markdown" || fail 'muster has no row'
[ -x "$programs/tests/lab/simfleet" ] || topics=$(tr , '\n' <<<"$topics" | grep -v '^fleet' | paste -sd,)
python3 - "$work/json" "$topics" >"$work/verdict" 2>&1 <<'END' || fail "$(tail -n 1 "$work/verdict")"
import json, math, sys

results = json.load(open(sys.argv[1]))
assert not results['wrong'], results['wrong']
for name in sys.argv[2].split(','):
    topic = results['topics'].get(name)
    assert topic, f'{name} is missing'
    assert topic['figures'] and topic['tables'], f'{name} has no figures'
    for figure in topic['figures']:
        assert all(math.isfinite(value) for value in figure['values']), figure
        assert min(figure['values']) <= figure['median'] <= max(figure['values']), figure
    for table in topic['tables']:
        assert all(len(row) == len(table['columns']) for row in table['rows']), table['title']
cold = {(figure['case'], figure['name']): figure['median'] for figure in results['topics']['cold']['figures']}
assert cold['muster, 4 hosts', 'failed'] == 0
assert 0 < cold['muster, 4 hosts', 'cpu'] < 4 * cold['muster, 4 hosts', 'wall'] + 1
assert cold['muster, 4 hosts', 'peak'] > 1000
END
nothing_left

# Every program but the peers.
case='peers that are not installed'
mkdir "$work/bin"
for folder in /usr/local/bin /usr/bin /bin /usr/sbin /sbin; do
    find "$folder/" -maxdepth 1 ! -type d -exec ln -s -t "$work/bin" {} + 2>/dev/null
done
rm -f "$work"/bin/{pdsh,clush,parallel-ssh,pssh,ansible}
[ -x "$work/bin/python3" ] || ln -s "$(python3 -c 'import sys; print(sys.executable)')" "$work/bin/python3"
PATH=$work/bin bench --quick --only one
[ "$status" -eq 0 ] || fail "status $status"
for peer in pdsh clush pssh ansible; do
    grep -q "^\* $peer.*: is not installed (apt-get install " "$work/out" || fail "$peer is not named as skipped"
done

case='a run that is wrong'
printf '#!/bin/sh\ncase "$*" in *" h3 "*) exit 5 ;; esac\nexec "%s" "$@"\n' "$muster" >"$work/muster"
chmod +x "$work/muster"
bench --quick --only one --muster "$work/muster" --json "$work/json"
[ "$status" -eq 1 ] || fail "status $status, not 1"
grep -q '^\* muster, h3: status 5' "$work/out" || fail 'it is not told'
python3 -c 'import json, sys; sys.exit(len(json.load(open(sys.argv[1]))["wrong"]) != 1)' "$work/json" || fail 'nor in JSON'
nothing_left

case='it is ended in the middle'
"$here/run" --muster "$muster" --programs "$programs" --dir "$work/dir" --quick --rounds 500 --only bad,one >"$work/out" 2>"$work/err" &
pid=$!
for ((try = 0; try < 600; try++)); do
    ! grep -q 'round 2,' "$work/err" || break
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
done
kill -TERM "$pid"
wait "$pid"
status=$?
pid=
[ "$status" -eq 1 ] || fail "status $status, not 1"
grep -q '^\* interrupted' "$work/out" || fail 'it is not told'
nothing_left

[ "$failed" -eq 0 ] || exit 1
echo 'ok'
