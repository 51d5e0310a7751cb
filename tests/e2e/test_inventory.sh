#!/usr/bin/env bash
# test_inventory.sh MUSTER FAULTD: hosts and groups from inventories, on the command line and in logins; and the same
# inventories as ansible-inventory and nodeset read them, where these are installed.
# shellcheck disable=SC2016,SC2317 # single quotes are for the host; expect calls functions
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
lab_up 3
export CLUSTERSHELL_CFGDIR="$WORK/cs" DSHGROUP_PATH="$WORK/dsh" ANSIBLE_INVENTORY=/nonexistent
unset MUSTER_INVENTORY
mkdir "$WORK/cs" "$WORK/dsh"

case_ 'a group of an inventory; the label is the name there, the login goes where it says'
cat >"$WORK/inv" <<'END'
[web]
one ansible_host=h1
two ansible_ssh_host=h2
h3
END
expect_status 0 muster invoke --inventory "$WORK/inv" -H @web -- echo x
expect_lines 3 '^(one|two|h3): x$'
expect_status 0 muster invoke --inventory "$WORK/inv" -H one -- echo x
expect_out '^one: x$'
expect_status 0 muster --inventory "$WORK/inv" invoke -H '@inventory:web!two,h3' -- echo x
expect_lines 1 '^one: x$'
expect_status 0 env MUSTER_INVENTORY="$WORK/inv" "$MUSTER" hosts @web
expect_lines 3 '^'
printf 'inventory = %s/inv\n' "$WORK" >>"$HOME/.config/muster/muster.conf"
expect_status 0 muster hosts '@*' -x h3
expect_lines 2 '^(one|two)$'

case_ 'variables in files beside an inventory; what only Ansible can read is told of'
mkdir -p "$WORK/beside/group_vars" "$WORK/beside/host_vars"
printf '[web]\none\nh3\n' >"$WORK/beside/inv"
printf 'ansible_host: h1\n' >"$WORK/beside/host_vars/one.yml"
printf '$ANSIBLE_VAULT;1.1;AES256\n31\n' >"$WORK/beside/group_vars/all"
expect_status 0 muster invoke --inventory "$WORK/beside/inv" -H @web -- echo x
expect_lines 2 '^(one|h3): x$'
expect_err 'warning: .*/group_vars/all: encrypted by ansible-vault, and not read'
printf "ansible_user: '{{ nobody }}'\n" >"$WORK/beside/group_vars/web.yml"
expect_status 2 muster invoke --inventory "$WORK/beside/inv" -H @web -- echo x
expect_err "one: ansible_user is '\{\{ nobody \}\}' in its inventory: of templates"
printf 'a: [\n' >"$WORK/beside/group_vars/web.yml"
expect_status 2 muster invoke --inventory "$WORK/beside/inv" -H @web -- echo x
expect_err "$WORK/beside/group_vars/web.yml:"

case_ 'a command, ClusterShell, dsh; the same command is not asked again for a while'
expect_status 0 muster hosts --inventory 'cmd:echo h1 h2; echo x >>"$HOME/asked"' '@*'
expect_lines 2 '^h[12]$'
expect_status 0 muster hosts --inventory 'cmd:echo h1 h2; echo x >>"$HOME/asked"' '@*'
expect test "$(wc -l <"$HOME/asked")" = 1
expect_status 0 muster hosts --refresh-inventory --inventory 'cmd:echo h1 h2; echo x >>"$HOME/asked"' '@*'
expect test "$(wc -l <"$HOME/asked")" = 2
expect_status 0 muster hosts --fold --inventory 'cmd:echo h[1-3] web[01-05/2]' '@*'
expect_out '^h\[1-3\],web\[01-05/2\]$|^h\[1-3\],web\[01,03,05\]$'
expect_status 2 muster invoke --inventory 'cmd:echo h[1,3]' -H '@*' -- true
expect_err "'\[1,3\]' is a list, .*one by one"
printf '[Main]\ndefault: loc\n[loc]\nmap: sed -n "s/^$GROUP: //p" map\nlist: sed "s/:.*//" map\n' >"$CLUSTERSHELL_CFGDIR/groups.conf"
printf 'a: h[1-2]\nb: @a,h3\nc: @d\nd: @c\nnone:\n' >"$CLUSTERSHELL_CFGDIR/map"
expect_status 0 muster hosts --fold @loc:b
expect_out '^h\[1-3\]$'
printf 'h1\nh2\n' >"$DSHGROUP_PATH/pair"
expect_status 0 muster hosts --count @dsh:pair
expect_out '^2$'

case_ 'what is wrong is said, and nothing runs'
expect_status 2 muster invoke --inventory "$WORK/inv" -H @wbe -- true
expect_err "there is no group wbe in the inventory .* \(near: web\)"
expect_status 2 muster invoke -H @loc:c -- true
expect_err '@loc:c -> @loc:d'
expect_status 2 muster invoke -H @loc:none -- true
expect_err 'no host is left'
expect_status 0 muster invoke --allow-empty -H @loc:none -- true
expect_status 2 muster invoke --inventory 'cmd:echo why >&2; exit 3' -H '@*' -- true
expect_err "ended with status 3: why"
expect_status 2 muster invoke --inventory "$WORK/not-there" -H '@*' -- true
expect_err 'cannot read the inventory .*not-there: No such file'
printf '[a]\nx y\n' >"$WORK/bad"
expect_status 2 muster invoke --inventory "$WORK/bad" -H @a -- true
expect_err "$WORK/bad:2: 'y' stands behind a host"
printf '[a]\nh1\n[b]\nh1\n[a:vars]\nansible_user=a\n[b:vars]\nansible_user=b\n' >"$WORK/two"
expect_status 0 muster hosts --inventory "$WORK/two" @a
expect_err 'warning: h1: ansible_user is a in group a and b in group b, of equal rank: b holds'

# --- as others read them ---

# random_ SEED: an inventory with groups in groups, ranges and variables, as INI and as YAML.
random_() {
    python3 - "$1" "$WORK" <<'END'
import random, sys
seed, work = int(sys.argv[1]), sys.argv[2]
r = random.Random(seed)
names = [f'g{i}' for i in range(8)]
hosts = {g: [r.choice([f'n{r.randrange(20)}', f'w[{r.randrange(5):02}:{r.randrange(5, 12):02}:{r.randrange(1, 4)}].x',
                       f'l-[{r.choice("ab")}:{r.choice("cdE")}]']) for _ in range(r.randrange(4))] for g in names}
below = {g: [c for c in names[i + 1:] if r.random() < 0.25] for i, g in enumerate(names)}
keys = ['ansible_host', 'ansible_user', 'ansible_port']
def some():
    return {k: r.choice(['22', '2200', '10022']) if k.endswith('port') else f'v{r.randrange(9)}' for k in keys if r.random() < 0.3}
own, shared = {}, {g: some() for g in names + ['all']}
for g in names:
    for h in hosts[g]:
        own.setdefault(h, some() if r.random() < 0.5 else {})
with open(f'{work}/r.ini', 'w') as f:
    for g in names:
        f.write(f'[{g}]\n' + ''.join(h + ''.join(f' {k}={v}' for k, v in own[h].items()) + '\n' for h in hosts[g]))
        f.write(f'[{g}:children]\n' + ''.join(c + '\n' for c in below[g]))
    for g, v in shared.items():
        f.write(f'[{g}:vars]\n' + ''.join(f'{k} = {x}\n' for k, x in v.items()))
with open(f'{work}/r.yml', 'w') as f:
    f.write('all:\n  vars: {' + ', '.join(f'{k}: {x}' for k, x in shared['all'].items()) + '}\n  children:\n')
    for g in names:
        f.write(f'    {g}:\n      vars: {{' + ', '.join(f'{k}: {x}' for k, x in shared[g].items()) + '}\n      hosts:\n')
        f.writelines(f'        {h}: {{' + ', '.join(f'{k}: {x}' for k, x in own[h].items()) + '}\n' for h in hosts[g])
        f.write('      children:\n' + ''.join(f'        {c}:\n' for c in below[g]))
END
}

# same_groups_ FILE: each group has the same hosts as muster reads FILE, as Ansible says them, and as muster reads that.
same_groups_() {
    local file=$1 group
    LC_ALL=C.UTF-8 ansible-inventory -i "$file" --list >"$WORK/list.json" 2>"$WORK/list.err" || return 1
    python3 - "$WORK" all g0 g1 g2 g3 g4 g5 g6 g7 <<'END' || return 1
import json, sys
data = json.load(open(sys.argv[1] + '/list.json'))
def below(group, seen):
    if group not in seen:
        seen.add(group)
        for child in data.get(group, {}).get('children', []):
            below(child, seen)
    return seen
for group in sys.argv[2:]:
    hosts = {h for g in below(group, set()) for h in data.get(g, {}).get('hosts', [])}
    with open(f'{sys.argv[1]}/theirs.{group}', 'w') as f:
        f.writelines(h + '\n' for h in sorted(hosts, key=str.encode))
END
    for group in all g0 g1 g2 g3 g4 g5 g6 g7; do
        "$MUSTER" hosts -q --inventory "$file" "@$group" 2>"$WORK/ours.err" | sort >"$WORK/ours"
        "$MUSTER" hosts -q --inventory "ansible:$WORK/list.json" "@$group" 2>/dev/null | sort >"$WORK/ours.list"
        diff "$WORK/ours" "$WORK/theirs.$group" >&2 && diff "$WORK/ours.list" "$WORK/theirs.$group" >&2 || {
            echo "$file, @$group" >&2
            return 1
        }
    done
}

if command -v ansible-inventory >/dev/null; then
    seed=${MUSTER_SEED:-1} # always the same, so that one that fails is one that a change has broken
    case_ "the groups of random inventories are those of ansible-inventory (MUSTER_SEED=$seed)"
    for ((round = 0; round < 2; round++)); do
        random_ $((seed + round))
        for file in r.ini r.yml; do
            expect same_groups_ "$WORK/$file"
        done
    done
else
    echo 'SKIPPED: ansible-inventory is not installed'
fi

if command -v nodeset >/dev/null; then
    case_ 'groups are those of nodeset'
    for group in @a @loc:b '@loc:a!h1'; do
        # nodeset is told where; muster knows of an inventory, too, which is its default source.
        nodeset -f "$group" >"$WORK/theirs"
        expect_status 0 env MUSTER_INVENTORY=clustershell:"$WORK/cs" "$MUSTER" hosts --fold "$group"
        expect diff "$OUT" "$WORK/theirs"
    done
else
    echo 'SKIPPED: nodeset is not installed'
fi

finish_
