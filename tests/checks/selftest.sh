#!/bin/sh
# selftest.sh: shows that each check can fail. Builds a small good tree, on which every check passes, then
# spoils one thing at a time and expects the check to fail with the right place in its message.
# shellcheck disable=SC2016 # backquotes in documents
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM
tree=$tmp/tree
cases=0
failures=0

good_code() {
    mkdir -p src/loop proto initiator/job initiator/cli deploy/cmake
    echo 'add_compile_options(-Wall -Wextra -Wpedantic -Wmissing-prototypes)' >deploy/cmake/options.cmake
    echo 'muster_room(base NEEDS Threads::Threads)' >src/CMakeLists.txt
    echo 'muster_room(loop NEEDS base)' >src/loop/CMakeLists.txt
    echo 'muster_room(proto NEEDS base)' >proto/CMakeLists.txt
    echo 'muster_room(job NEEDS base)' >initiator/job/CMakeLists.txt
    printf '#ifndef BASE_H\n#define BASE_H\n\n#include <stddef.h>\n\nsize_t base_one(void);\n\n#endif\n' >src/base.h
    printf '#ifndef LOOP_H\n#define LOOP_H\n\n#include "base.h"\n\nint loop_go(void);\n\n#endif\n' >src/loop/loop.h
    printf '#ifndef JOB_H\n#define JOB_H\n\n#include "base.h"\n\nsize_t job_one(size_t n);\n\n#endif\n' >initiator/job/job.h
    printf '#include "base.h"\n\n/* A brace in a comment { and a "string" too. */\nsize_t base_one(void)\n{\n\tconst char *s = "}{\\"";\n\treturn s[0] == %s ? 1 : 2;\n}\n' "'{'" >src/base.c
    printf '#include "job.h"\n\nstruct job {\n\tsize_t n;\n};\n\nsize_t job_one(size_t n)\n{\n\tstruct job j = {n};\n\treturn j.n;\n}\n' >initiator/job/job.c
    printf 'int main(void)\n{\n\treturn 0;\n}\n' >initiator/cli/main.c
    printf 'BasedOnStyle: LLVM\nIndentWidth: 8\nUseTab: Always\nBreakBeforeBraces: Linux\nAllowShortFunctionsOnASingleLine: None\n' >.clang-format
    printf '/* rows */\nMSG_ROW(HELLO, 1, B, "5.1")\nMSG_ROW(BYE, 2, B, "5.2")\n' >proto/messages.def
}

good_docs() {
    mkdir -p docs/man
    printf '# Protocol\n\n## 5 Messages\n### 5.1 HELLO\ntext\n### 5.2 BYE\ntext\n' >docs/protocol.md
    {
        printf '# Walk\n\nIn `src/` there is `src/base.h`, and `job_one()`; `muster invoke -H x` is a command.\n'
        printf '1. `src/base.c:base_one`\n2. `src/base.h:base_one`\n3. `initiator/job/job.c:job_one`\n'
        printf '4. `initiator/cli/main.c:main`\n5. `src/base.c:base_one`\n6. `src/base.c:base_one`\n'
    } >docs/walkthrough.md
    {
        printf '.Dd January 1, 2026\n.Dt MUSTER 1\n.Os\n.Sh NAME\n.Nm muster\n.Nd run\n.Sh DESCRIPTION\nText.\n'
        printf '.Bl -tag -width Ds\n.It Fl h , Fl -help\nHelp.\n.It Fl H , Fl -hosts Ar expr\nHosts.\n.El\n'
    } >docs/man/muster.1
    cat >muster <<'END'
#!/bin/sh
case $1 in
--help) printf 'Usage: muster VERB\n\nVerbs:\n  invoke   run it\n\nOptions:\n  -h, --help  this\n' ;;
invoke) printf 'Usage: muster invoke -H EXPR\n  -H, --hosts EXPR  where\n' ;;
*) exit 2 ;;
esac
END
    chmod +x muster
}

fresh() {
    rm -rf "$tree"
    mkdir "$tree"
    cd "$tree" || exit 2
    good_code
    good_docs
}

# check NAME: runs it on the tree; the output goes to $tmp/out. Returns its status.
check() {
    case $1 in
    docs) sh "$here/docs" "$tree" "$tree/muster" ;;
    *) sh "$here/$1" "$tree" ;;
    esac >"$tmp/out" 2>&1
}

fault() {
    printf 'selftest: %s\n' "$1" >&2
    sed 's/^/    /' "$tmp/out" >&2
    failures=$((failures + 1))
}

expect_good() { # CHECK
    cases=$((cases + 1))
    check "$1"
    case $? in
    0) ;;
    77) printf 'selftest: %s is skipped here: %s\n' "$1" "$(cat "$tmp/out")" >&2 ;;
    *) fault "$1 fails on a good tree" ;;
    esac
}

# expect_bad CHECK PATTERN WHAT: it fails, and says PATTERN.
expect_bad() {
    cases=$((cases + 1))
    check "$1"
    case $? in
    1) grep -q -e "$2" "$tmp/out" || fault "$1: $3: fails, but does not say '$2'" ;;
    77) ;;
    *) fault "$1: $3: passes" ;;
    esac
}

lines() { # COUNT: that many statements
    awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) print "\tbase_one();" }'
}

fresh
for name in lengths headers walkthrough direction format docs; do
    expect_good $name
done

fresh; { printf 'void long_one(void)\n{\n'; lines 57; printf '}\n'; } >src/long.c
expect_good lengths
fresh; { printf 'void long_one(int a,\n\t      int b)\n{\n'; lines 57; printf '}\n'; } >src/long.c
expect_bad lengths '^src/long.c:1: long_one() has 61 lines' 'a function of 61 lines'
fresh; { printf 'int main(void)\n{\n'; lines 38; printf '}\n'; } >initiator/cli/main.c
expect_bad lengths '^initiator/cli/main.c:1: main() has 41' 'a main of 41 lines'
fresh; awk 'BEGIN { for (i = 0; i < 501; i++) print "extern int a;" }' >src/long.h
expect_bad lengths '^src/long.h:501: ' 'a header of 501 lines'
fresh; mkdir -p tests; awk 'BEGIN { for (i = 0; i < 800; i++) print "extern int a;" }' >tests/test_long.c
expect_good lengths
fresh; printf 'int f(void) {\n\treturn 0;\n}\n' >src/f.c
expect_bad lengths '^src/f.c:1: .*f() does not begin' 'a brace at the end of the head'
fresh; printf 'int f(void)\n{\n\treturn 0; }\n' >src/f.c
expect_bad lengths '^src/f.c:3: .*f() does not end' 'a closing brace behind a statement'
fresh; printf 'int f(void)\n{\n\treturn 0;\n' >src/f.c
expect_bad lengths '^src/f.c:2: this function never ends' 'a function without an end'

fresh; printf '#ifndef X_H\n#define X_H\nsize_t x(void);\n#endif\n' >src/x.h
expect_bad headers '^src/x.h:1: ' 'a header that lacks an include'
fresh; printf 'struct x {\n\tint a;\n};\n' >src/x.h
expect_bad headers '^src/x.h:1: ' 'a header without a guard'
fresh; printf '#ifndef X_H\n#define X_H\n#include "loop.h"\n#endif\n' >initiator/job/x.h
expect_bad headers '^initiator/job/x.h:1: ' 'a header of a room that NEEDS does not name'
fresh; printf '#ifndef X_H\n#define X_H\nstatic inline int x(int a)\n{\n\treturn 1;\n}\n#endif\n' >src/x.h
expect_bad headers '^src/x.h:1: ' 'a header with a warning (unused parameter)'

fresh; rm docs/walkthrough.md
expect_bad walkthrough '^docs/walkthrough.md:1: is missing' 'no walkthrough'
fresh; echo 'See `src/gone.c`.' >>docs/walkthrough.md
expect_bad walkthrough '^docs/walkthrough.md:10: there is no file src/gone.c' 'a file that is gone'
fresh; echo 'See `gone/`.' >>docs/walkthrough.md
expect_bad walkthrough '^docs/walkthrough.md:10: there is no folder gone/' 'a folder that is gone'
fresh; echo 'See `src/base.c:base_two`.' >>docs/walkthrough.md
expect_bad walkthrough '^docs/walkthrough.md:10: there is no function base_two' 'a function that is gone'
fresh; echo 'See `src/base.c:job_one`.' >>docs/walkthrough.md
expect_bad walkthrough 'it is in initiator/job/job.c' 'a function that has moved'
fresh; echo 'See `src/base.h:base_two`.' >>docs/walkthrough.md
expect_bad walkthrough 'no function base_two in src/base.h' 'a prototype that is gone'
fresh; echo 'See `base_two()`.' >>docs/walkthrough.md
expect_bad walkthrough '^docs/walkthrough.md:10: .*base_two()' 'a bare function that is gone'
fresh; echo 'Nothing.' >docs/walkthrough.md
expect_bad walkthrough 'names only 0' 'a walkthrough that names nothing'
fresh; echo 'See `src/gone.c`.' >docs/HACKING.md
expect_bad walkthrough '^docs/HACKING.md:1: ' 'a file that is gone, in HACKING'

fresh; echo '#include <libssh/libssh.h>' >>initiator/job/job.c
expect_bad direction '^initiator/job/job.c:12: <libssh/libssh.h>' 'libssh outside initiator/ssh'
fresh; echo '#include <msgpack.h>' >>src/base.c
expect_bad direction '^src/base.c:9: <msgpack.h>' 'msgpack outside proto'
fresh; echo '#include <event2/event.h>' >>src/base.c
expect_bad direction '^src/base.c:9: <event2/event.h>' 'libevent in the base library'
fresh; echo '#include <event2/event.h>' >>src/loop/loop.c
expect_good direction
fresh; echo '#  include "../loop/loop.h"' >>initiator/job/job.c
expect_bad direction '^initiator/job/job.c:12: .* has a path' 'an include with a path'
fresh; echo '#include "loop.h"' >>initiator/job/job.c
expect_bad direction '^initiator/job/job.c:12: "loop.h" belongs to' 'the loop in a pure room'
fresh; echo '#include "job.h"' >>src/base.c
expect_bad direction '^src/base.c:9: "job.h" belongs to' 'src looking up'
fresh; echo '#include "none.h"' >>src/base.c
expect_bad direction '^src/base.c:9: there is no "none.h"' 'a header of nobody'
fresh; mkdir initiator/new; echo '#include "base.h"' >initiator/new/n.c
expect_bad direction '^initiator/new/n.c:1: the folder initiator/new is not in the table' 'a room without a row'

fresh; printf 'int f(void)\n{\n  return 0;\n}\n' >src/f.c
expect_bad format '^src/f.c:[23]: not laid out' 'an indent of two blanks'

fresh; echo 'MSG_ROW(NEW, 3, B, "5.3")' >>proto/messages.def
expect_bad docs '^proto/messages.def:4: NEW refers to section 5.3' 'a message without its section'
fresh; sed 's/5.2 BYE/5.2 GONE/' docs/protocol.md >p; mv p docs/protocol.md
expect_bad docs '^proto/messages.def:3: section 5.2 .* does not name BYE' 'a section of another message'
fresh; echo 'MSG_ROW(HELLO, 1, B, "5.1")' >>proto/messages.def
expect_bad docs '^proto/messages.def:4: message number 1' 'a message number used twice'
fresh; sed 's/-H, --hosts/-H, --hosts, --new/' muster >m; cat m >muster
expect_bad docs 'invoke --help. has --new' 'an option without its description'
fresh; printf '.It Fl x\n' >>docs/man/muster.1
expect_bad docs 'mandoc -T lint' 'a page that mandoc complains about'
fresh; printf '\t[PARSE_NEW] = "new",\n' >proto/agent_msg.c
expect_bad docs '^proto/agent_msg.c:1: the kind new of --parse is not in docs/protocol.md' 'a kind of --parse that no document has'
fresh; echo >proto/agent_msg.c; printf '\t[CONFIG_NEW] = {"new-key", CONFIG_SIZE},\n' >initiator/cli/config.c
printf '.It Cm other-key Ar size\n' >docs/man/muster.conf.5
expect_bad docs '^initiator/cli/config.c:1: the key new-key is not in docs/man/muster.conf.5' 'a key of muster.conf without its description'
fresh; sed 's/  invoke/  others/' muster >m; cat m >muster
expect_bad docs 'no verb called invoke' 'a help text without verbs'

if [ "$failures" -gt 0 ]; then
    printf 'selftest: %d of %d cases failed\n' "$failures" "$cases" >&2
    exit 1
fi
printf 'selftest: ok (%d cases)\n' "$cases"
