#!/bin/bash
# Completion in bash, zsh and fish: every verb and option of --help, values, groups, hosts, jobs, profiles; nothing hangs,
# and no daemon is started.
. "$(dirname "$0")/lib.sh"

SCRIPTS=$E2E_HOME/../../deploy/completions
export PATH=${MUSTER%/*}:$PATH MUSTER_DAEMON=$DAEMON
cd "$WORK" || exit 1
comp() {
    timeout 60 "$MUSTER" __complete zsh "$@"
}
# in_bash LINE: the reply of the function in a bash, for the line with the cursor at its end.
in_bash() {
    timeout 60 bash --norc --noprofile -c '
        . "$1/muster.bash"
        COMP_LINE=$2 COMP_POINT=${#2}
        IFS=$'"'\n'"' read -r -d "" -a COMP_WORDS <<<"$3"
        COMP_CWORD=$4
        compopt() { :; }
        _muster
        printf "%s\n" "${COMPREPLY[@]}"' bash "$SCRIPTS" "$1" "$2" "$3"
}
in_fish() {
    timeout 60 fish --no-config -c 'source $argv[1]; complete -C "$argv[2]"' "$SCRIPTS/muster.fish" "$1"
}
# in_zsh LINE: a real zsh on a terminal of its own (zpty), TAB behind the line, and what it lists.
in_zsh() {
    timeout 120 zsh -f "$WORK/zpty.zsh" "$SCRIPTS" "$1"
}
cat >"$WORK/zpty.zsh" <<'ZSH'
zmodload zsh/zpty
zpty -b z zsh -f -i
# until TEXT: reads until it comes; gives up after a while, which the caller's limit is for.
until_() {
    local got='' part
    integer n=0
    while [[ $got != *$1* ]] && (( n++ < 3000 )); do
        if zpty -r z part 2>/dev/null; then got+=$part; else sleep 0.02; fi
    done
    print -r -- "$got"
}
zpty -w z "PS1=; stty cols 200; autoload -U compinit; compinit -D -u; source $1/_muster; LISTMAX=1000; zstyle ':completion:*' menu no; setopt no_beep no_auto_menu list_ambiguous no_list_ambiguous; print READ''Y"
until_ READY >/dev/null
zpty -w z 'done_() { zle -I; print -r -- "LINE=$BUFFER="; print EN""D; zle kill-whole-line }; zle -N done_; bindkey "^Xd" done_; print SE""T'
until_ SET >/dev/null
# No key that means something to a terminal which zsh has not taken over again so far, as ^D does.
zpty -w -n z "$2"$'\t'$'\C-xd'
until_ END
zpty -d z
ZSH

# expect_says REGEX COMMAND...: what others know is asked for with a limit of about a second, which a computer that has much
# else to do may miss: then it is asked for again.
says_() {
    local regex=$1
    shift
    run "$@"
    [ "$STATUS" -eq 0 ] && grep -aEq -- "$regex" "$OUT"
}
expect_says() {
    within 60 says_ "$@" || expect_out "$1"
}

cat >"$HOME/.config/muster/muster.conf" <<'CONF'
[profile sudo]
become = yes
CONF
cat >"$WORK/groups.yaml" <<'YAML'
web:
  hosts:
    web01.example:
    web02.example:
db:
  hosts:
    db1.example:
YAML
export MUSTER_INVENTORY=ansible:$WORK/groups.yaml

case_ 'every verb of --help'
"$MUSTER" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p' >"$WORK/verbs"
expect [ "$(wc -l <"$WORK/verbs")" -ge 15 ]
run comp ''
while read -r verb; do
    expect_out "^$verb	."
done <"$WORK/verbs"
expect_no_out '__complete'

case_ 'every option of every verb, with its help'
while read -r verb; do
    run comp "$verb" -
    cp "$OUT" "$WORK/offered"
    for option in $("$MUSTER" "$verb" --help | sed -nE 's/^ *(-[A-Za-z0-9], )?(--[a-z][a-z-]*).*/\2/p' | sort -u); do
        expect grep -q -e "^$option	." "$WORK/offered"
    done
done <"$WORK/verbs"

case_ 'values'
expect_status 0 comp invoke --output ''
expect_lines 7 '.'
expect_status 0 comp invoke --output=j
expect_out '^--output=jsonl$'
expect_status 0 comp get --state Comp
expect_out '^Completed$'
expect_status 0 comp get --state S
expect_lines 4 '^S(uspending|uspended|topping|topped)$'
expect_status 0 comp doctor -H '@job:last:cause=host'
expect_out '^@job:last:cause=host-key$'
expect_status 0 comp invoke -H 'x,@job:12:'
expect_out '^x,@job:12:Failed$'
expect_out '^x,@job:12:cause=gateway$'
expect_out '^x,@job:12:rc=$'
expect_status 0 comp invoke --transport l
expect_out '^libssh$'
expect_status 0 comp -m ''
expect_out '^sudo$'
expect_status 0 comp config confirm-
expect_out '^confirm-above	'
expect_status 0 comp session dis
expect_out '^disconnect$'
expect_status 0 comp invoke --file-path ''
expect_out '^:files$'
expect_status 0 comp invoke -H x -- --out
expect_no_out '^--output'

case_ 'groups and hosts, behind what stands already'
expect_says '^@web	' comp invoke -H @w
expect_says '^x\[1-3\],root@web01.example' comp invoke -H 'x[1-3],root@we'
expect_says '^db1.example' comp hosts db

case_ 'names of groups that a terminal or a shell would make something of'
printf '%s\n' 'ok: {}' '"bell\a": {}' '"csi\x9b31m": {}' '"del\x7f": {}' '"esc\e[31m": {}' '"rtl\u202e": {}' \
    "'x\$(id>$WORK/pwned)': {}" '"q`id`": {}' >"$WORK/odd.yaml"
odd_() {
    MUSTER_INVENTORY=ansible:$WORK/odd.yaml "$@"
}
expect_says '^@ok	' odd_ comp invoke -H @
expect_no_out 'bell|csi|del|esc|rtl'
expect_says '^ok$' odd_ in_bash 'muster invoke -H @' $'muster\ninvoke\n-H\n@' 3
expect_out '^q\\`id\\`$'
expect_out '^x\\\$\\\(id'
expect_says '^"?@?ok$' odd_ in_bash 'muster invoke -H "@' $'muster\ninvoke\n-H\n"@' 3
expect_no_out 'id'
expect_not test -e "$WORK/pwned"

case_ 'a daemon that is not there is not started, and a source that hangs is left'
expect_status 0 comp receive ''
expect [ ! -s "$OUT" ]
expect [ ! -S "$XDG_RUNTIME_DIR/muster/$DAEMON.sock" ]
expect_status 0 env MUSTER_INVENTORY='cmd:sleep 100' "$MUSTER" __complete zsh hosts ''
expect_took_under 30000

case_ 'a broken muster.conf, and odd words'
echo 'nonsense' >"$HOME/.config/muster/muster.conf"
expect_status 0 comp in
expect_out '^invoke	'
for words in '-' '--' '--=' '--x=' '-HHH' '[' '@' '@:' '@job:' $'\x1b[31m' "$(printf '%08000d' 1)"; do
    expect_status 0 comp invoke -H "$words"
    expect_status 0 comp "$words" "$words"
done
expect_status 2 "$MUSTER" __complete
rm "$HOME/.config/muster/muster.conf"

case_ 'jobs with command and state'
expect_status 0 muster start --name 'nightly run' -- sleep 1000
expect_says '^[0-9]+	(NotStarted|Running): sleep 1000' comp stop ''
expect_says '^nightly run	' comp stop ''
expect_says '^@job:[0-9]+	' comp invoke -H '@job:'

case_ 'bash'
expect_status 0 in_bash 'muster inv' $'muster\ninv' 1
expect_out '^invoke$'
expect_status 0 in_bash 'muster invoke --output=js' $'muster\ninvoke\n--output\n=\njs' 4
expect_out '^jsonl$'
expect_says '^web$' in_bash 'muster invoke -H @we' $'muster\ninvoke\n-H\n@\nwe' 4
expect_says '^nightly\\ run$' in_bash 'muster stop nig' $'muster\nstop\nnig' 2

case_ 'fish'
if command -v fish >/dev/null; then
    expect_status 0 in_fish 'muster inv'
    expect_out '^invoke	Run a command'
    expect_status 0 in_fish 'muster invoke --output=js'
    expect_out '^--output=jsonl$'
    expect_says '^x,@web	' in_fish 'muster invoke -H x,@we'
    expect_says '^nightly.* run	' in_fish 'muster stop nig'
else
    skip_ 'fish is not installed'
fi

case_ 'zsh'
if command -v zsh >/dev/null; then
    expect_status 0 in_zsh 'muster inv'
    expect_out 'LINE=muster invoke ='
    expect_status 0 in_zsh 'muster invoke --output=jsonl'
    expect_out 'LINE=muster invoke --output=jsonl ='
    expect_says 'LINE=muster invoke -H x,@web =' in_zsh 'muster invoke -H x,@we'
    expect_says 'LINE=muster stop nightly\\ run =' in_zsh 'muster stop nig'
else
    skip_ 'zsh is not installed'
fi
muster stop '*' >"$OUT" 2>&1

finish_
