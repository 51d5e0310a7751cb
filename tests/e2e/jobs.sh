# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2154 # lib.sh and the tests use what is set here, and the other way round
# What the tests of jobs share; sourced behind lib.sh.

# job_ COMMAND...: a muster command that makes a job; JOB is its id, and 0 if there is none.
job_() {
    run muster -q "$@"
    JOB=$(cat "$OUT")
    case $JOB in
    '' | *[!0-9]*)
        fail_ 'no job was made'
        shows_
        JOB=0
        ;;
    esac
}

# on_hosts EXPR SHELL-TEXT [OPTION...]: the same for a job on hosts.
on_hosts() {
    local expression=$1 text=$2
    shift 2
    job_ invoke --as-job -H "$expression" "$@" --shell "$text"
}

# property ID KEY: what get says of it, as in JSON, without quotes.
property() {
    muster get --output json "$1" 2>/dev/null |
        sed -n 's/.*"'"$2"'":\(\[[^]]*\]\|"\([^"\\]\|\\.\)*"\|[^,}]*\).*/\1/p' | sed 's/^"\(.*\)"$/\1/'
}

# property_is ID KEY VALUE; state_is ID STATE.
property_is() {
    [ "$(property "$1" "$2")" = "$3" ]
}

state_is() {
    property_is "$1" state "$2"
}

is_finished() {
    case $(property "$1" state) in
    Completed | Failed | Stopped) return 0 ;;
    esac
    return 1
}

# states_are ID STATE...: of its children, in order.
states_are() {
    local id=$1 i=0 want
    shift
    for want; do
        i=$((i + 1))
        state_is $((id + i)) "$want" || return 1
    done
}

# has_lines FILE N: at least so many.
has_lines() {
    [ "$(wc -l <"$1")" -ge "$2" ]
}

# expect_text TEXT: the output of the last command, whole.
expect_text() {
    [ "$(cat "$OUT")" = "$1" ] || {
        fail_ "the output is not: $1"
        shows_
        return 1
    }
}

# expect_ids ID...: the first column of the table that was shown last.
expect_ids() {
    local got
    got=$(awk 'NR > 1 { printf "%s%s", sep, $1; sep = " " }' "$OUT")
    [ "$got" = "$*" ] || {
        fail_ "the table has the ids '$got', not '$*'"
        shows_
        return 1
    }
}

# A word that no other command line has.
new_word() {
    WORDS=$((WORDS + 1))
    WORD=${TEST_NAME}word$$x$WORDS
}
WORDS=0

# count_files N GLOB-PREFIX: as many files begin so.
count_files() {
    [ "$(find "$WORK" -maxdepth 1 -name "$2*" | wc -l)" -eq "$1" ]
}

# rss_kb PID, and the most it ever was.
rss_kb() {
    sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status"
}

peak_kb() {
    sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status"
}

# start_muster FILE ARGUMENT...: muster itself in the background, to be signalled by PID. The file,
# which may be a pipe, gets its output, FILE.err its errors.
start_muster() {
    local file=$1
    shift
    : >"$file.err"
    [ -p "$file" ] || : >"$file"
    "$MUSTER" -L "$DAEMON" -F "$SSH_CONFIG" "$@" >"$file" 2>"$file.err" </dev/null &
    PID=$!
    started_ "$PID"
}

# elsewhere_ FILE TEST WHY: a rule of this case cannot be seen from the command line; the test shows it.
elsewhere_() {
    grep -q "static void $2(" "$E2E_HOME/../$1" || {
        fail_ "there is no $2 in tests/$1"
        return 1
    }
    echo "  ${CASE%%:*}: $3: see $2 in tests/$1"
}

# in_open_memory PID FILE: 0 if the first 14 bytes of the file are in memory of the process that may be swapped or is part of a core,
# 1 if they are in other memory alone, 3 if in none. After sanitized_ PID.
in_open_memory() {
    perl -e 'open my $f, "<", $ARGV[1] or exit 2; read $f, my $word, 14;
        open my $maps, "<", "/proc/$ARGV[0]/smaps" or exit 2; open my $mem, "<:raw", "/proc/$ARGV[0]/mem" or exit 2;
        my ($has, $open, $held) = (0, 0, 0);
        while (<$maps>) {
            if (/^([0-9a-f]+)-([0-9a-f]+) rw/) {
                my ($at, $to, $last) = (hex $1, hex $2, "");
                $has = 0;
                next if $to - $at > 1 << 30;
                for (; $at < $to; $at += 1 << 16) {
                    sysseek $mem, $at, 0;
                    my $n = $to - $at < 1 << 16 ? $to - $at : 1 << 16;
                    sysread $mem, my $got, $n or last;
                    $has = 1 if index($last . $got, $word) >= 0;
                    $last = substr $got, -16;
                }
            } elsif (/^[0-9a-f]+-/) {
                $has = 0;
            } elsif ($has && /^VmFlags:(.*)/) {
                my $flags = $1;
                $flags =~ / dd/ && ($ARGV[2] || $flags =~ / lo/) ? $held++ : $open++;
            }
        }
        exit($open ? 0 : $held ? 1 : 3)' "$1" "$2" "$sanitized"
}

# The address sanitizer makes mlock(2) do nothing.
sanitized_() {
    sanitized=0
    ! grep -q libasan "/proc/$1/maps" || sanitized=1
}
