#!/usr/bin/env bash
# test_shard.sh MUSTER FAULTD: --shard I/N: portions of the hosts; and what of --via and --topology is refused before
# any gateway is asked.
# shellcheck disable=SC2016,SC2317 # single quotes are for the host; expect calls functions
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
lab_up 7

# shards_ N OPTION...: each portion by itself; the hosts that have answered are in WORK/union, in the order of the portions.
shards_() {
    local of=$1 index
    shift
    : >"$WORK/union"
    for ((index = 0; index < of; index++)); do
        expect_status 0 muster invoke --shard "$index/$of" "$@" --output jsonl -- echo x
        sed -n 's/^{"host":"\([^"]*\)".*/\1/p' "$OUT" | sort >>"$WORK/union"
    done
}

case_ 'each portion has its hosts, and all together are the set'
for of in 1 2 3 7; do
    shards_ "$of" -H 'h[1-7]'
    expect test "$(sort "$WORK/union" | tr '\n' ' ')" = 'h1 h2 h3 h4 h5 h6 h7 '
done
expect_status 0 muster invoke --shard 1/3 -H 'h[1-7]' -- echo x
expect_lines 2 '^h[25]: x$'
expect_lines 2 '^'
expect_silent

case_ 'of what is left after -x, and of hosts that are named twice'
shards_ 2 -H 'h[1-7],h[1-3]' -x h2
expect test "$(tr '\n' ' ' <"$WORK/union")" = 'h1 h4 h6 h3 h5 h7 '

case_ 'hosts from a file and from standard input'
printf 'h[1-3]\nh7\n' >"$WORK/hosts"
shards_ 2 -H "^$WORK/hosts"
expect test "$(tr '\n' ' ' <"$WORK/union")" = 'h1 h3 h2 h7 '
from_stdin() {
    printf 'h1\nh2\nh3\n' | muster invoke -H - "$@" -- echo x
}
expect_status 0 from_stdin --shard 1/2
expect_lines 1 '^h2: x$'

case_ 'more portions than hosts: the empty ones succeed, and say so'
expect_status 0 muster invoke --shard 5/8 -H 'h[1-3]' -- echo x
expect_err '^muster: shard 5/8 of 3 hosts is empty: there is nothing to do$'
expect_no_out .
expect_status 0 muster -q invoke --shard 5/8 -H h1 -- echo x
expect_silent
expect_status 0 muster invoke --as-job --shard 5/8 -H h1 -- echo x
expect_no_out .
# No host at all is another matter.
expect_status 2 muster invoke --shard 5/8 -H h1 -x h1 -- echo x
expect_err 'no host is left'
expect_status 0 muster invoke --allow-empty --shard 5/8 -H h1 -x h1 -- echo x
expect_silent

case_ 'a portion of failing hosts has their exit status'
expect_status 5 muster invoke --shard 0/7 -H 'h[1-7]' --shell 'exit 7'
expect_err 'h1 \(exited 7\)'
expect_no_err 'h2'

case_ 'a job that is left to the daemon'
expect_status 0 muster -q invoke --as-job --shard 1/4 -H 'h[1-7]' -- echo x
job=$(cat "$OUT")
expect_status 0 muster receive --wait "$job"
expect_lines 2 '^h[26]: x$'
expect_lines 2 '^'

case_ 'what is no portion'
for text in 3 3/ /3 a/3 3/b 1/2/3 -1/3 '' ' '; do
    expect_status 2 muster invoke --shard "$text" -H h1 -- true
    expect_err "invoke: --shard: '$text' is not I/N: .* counted from 0"
done
expect_status 2 muster invoke --shard 0/0 -H h1 -- true
expect_err 'at least 1 portion'
expect_status 2 muster invoke --shard 8/8 -H h1 -- true
expect_err 'portions of 8 count from 0 to 7'
expect_status 2 muster invoke --shard 0/2 --session s1 -- true
expect_err 'invoke: --shard and --session: one of them'

# --- ways to hosts: what is wrong is said here, and nothing is connected to ---

topology_() {
    cat >"$WORK/topology"
}

case_ '--via and --topology that cannot be'
expect_status 2 muster invoke --via 'g[1-' -H h1 -- true
expect_err "invoke: --via: host expression 'g\[1-'"
expect_status 2 muster invoke --via g1 --topology "$WORK/topology" -H h1 -- true
expect_err '--via and --topology: one of them'
for option in --via --topology; do
    expect_status 2 muster invoke "$option" x --session s1 -- true
    expect_err "invoke: $option and --session: one of them"
done
expect_status 2 muster invoke --topology "$WORK/not-there" -H h1 -- true
expect_err "cannot read the topology $WORK/not-there: No such file"

case_ 'a topology that is none'
topology_ <<<'a: b'
expect_status 2 muster invoke --topology "$WORK/topology" -H h1 -- true
expect_err "invoke: $WORK/topology:1: 'a: b' stands above all headings; put"
printf '[routes]\na: g[1-2]\ng[1-2]: h[1-4]\ng2: h[5-7]\n' | topology_
expect_status 2 muster invoke --topology "$WORK/topology" -H h1 -- true
expect_err "$WORK/topology:4: g2 stands before the ':' of line 3 already"
printf '[routes]\ng1: g2\ng2: g1\n' | topology_
expect_status 2 muster invoke --topology "$WORK/topology" -H h1 -- true
expect_err "$WORK/topology:[23]: a loop: "
printf '[routes]\na: g1\ng1: h1\n[here]\nname: b\n' | topology_
expect_status 2 muster invoke --topology "$WORK/topology" -H h1 -- true
expect_err "$WORK/topology: this computer, b, is in no line; add the line 'b: GATEWAYS'"

case_ 'a topology that needs no gateway for these hosts; one that is turned off'
printf '[routes]\na: h[1-2]\nh1: n[1-9]\n[here]\nname: a\n' | topology_
expect_status 0 muster invoke --topology "$WORK/topology" -H 'h[1-3]' -- echo x
expect_lines 3 '^h[123]: x$'
printf 'topology = %s/not-there\n' "$WORK" >>"$HOME/.config/muster/muster.conf"
expect_status 2 muster invoke -H h1 -- true
expect_err "cannot read the topology $WORK/not-there"
expect_status 0 muster invoke --topology none -H h1 -- echo x
expect_out '^h1: x$'

finish_
