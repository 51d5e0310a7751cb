#!/bin/sh
# test.sh [--quick] [--tsan] [--clang]: installs what is missing, builds, and passes all tests: with gcc, then
# under the address and undefined behaviour sanitizers; then fuzzes for a short time, if there is clang. Ends
# non-zero when anything fails.
#   --quick  without the sanitizers and the fuzzing
#   --tsan   also under the thread sanitizer
#   --clang  also with clang
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
. deploy/packages.sh

presets='developer asan'
fuzz_seconds=3 # a target
tsan=
clang=
while [ $# -gt 0 ]; do
    case $1 in
    --quick)
        presets=developer
        fuzz_seconds=0
        ;;
    --tsan) tsan=tsan ;;
    --clang) clang=developer-clang ;;
    -h | --help)
        sed -n '2,7s/^# \{0,1\}//p' "$0"
        exit 0
        ;;
    *)
        echo "test: unknown option $1; known are --quick, --tsan and --clang" >&2
        exit 2
        ;;
    esac
    shift
done
presets="$presets $clang $tsan"

failed=
summary=

build() { # PRESET
    printf '\n== %s: building\n' "$1"
    mkdir -p "build/$1"
    generator=Ninja
    [ ! -f "build/$1/CMakeCache.txt" ] || generator=
    if ! { cmake --preset "$1" ${generator:+-G "$generator"} &&
        cmake --build --preset "$1" --parallel "$(nproc)"; } >"build/$1/build.log" 2>&1; then
        tail -60 "build/$1/build.log" >&2
        return 1
    fi
}

# The tests that need root carry the label root. Others are told what was left out, by name.
skip_root() { # PRESET
    names=$(cd "build/$1" && ctest -N -L '^root$' | sed -n 's/^ *Test *#[0-9]*: //p')
    [ -z "$names" ] || printf "%s\n" "$names" | sed "s/^/SKIPPED, needs root: /"
}

run_tests() { # PRESET
    printf '\n== %s: testing\n' "$1"
    without=
    if [ "$(id -u)" -ne 0 ]; then
        skip_root "$1"
        without='^root$'
    fi
    # The checks read the source and say the same under every preset.
    [ "$1" = developer ] || without="${without:+$without|}^(check|bench)$"
    (cd "build/$1" &&
        ctest --output-on-failure --timeout 300 -j2 -O ctest.log ${without:+-LE "$without"})
}

# New inputs, for a bounded time; ctest has replayed the known ones.
fuzz() { # SECONDS
    printf '\n== fuzzing, %s s a target\n' "$1"
    if ! command -v clang >/dev/null; then
        echo 'SKIPPED: clang is not installed, and no other compiler can do this'
        return 0
    fi
    sh tests/fuzz/run "$1"
}

closing_lines() { # PRESET
    sed -n '/tests passed/,$p' "build/$1/ctest.log" 2>/dev/null
}

packages_need build lab tests || exit 2
if ! { packages_wish cross && sh deploy/sysroot.sh; }; then
    cat >&2 <<END
test: WARNING: the agent for aarch64 is neither built nor tested here; its tests say that they are skipped.
    What it needs: gcc-aarch64-linux-gnu and qemu-user-static, and what sh deploy/sysroot.sh fetches (above)
END
fi

for preset in $presets; do
    if ! build "$preset"; then
        failed="$failed $preset(build)"
        summary="$summary
== $preset: does not build (build/$preset/build.log)"
        continue
    fi
    run_tests "$preset" || failed="$failed $preset"
    summary="$summary
== $preset
$(closing_lines "$preset")"
done
if [ "$fuzz_seconds" -gt 0 ]; then
    fuzz "$fuzz_seconds" || failed="$failed fuzz"
fi

printf '\n%s\n\n' "$summary"
if [ -n "$failed" ]; then
    echo "test: FAILED:$failed"
    exit 1
fi
# shellcheck disable=SC2086 # a list of words
echo "test: all passed:" $presets
