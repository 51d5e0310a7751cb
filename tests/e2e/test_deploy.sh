#!/usr/bin/env bash
# test_deploy.sh MUSTER FAULTD: what deploy/ has for schedulers can be read by them, as far as that can be told here, and
# the script for Slurm does its part of the hosts.
# shellcheck disable=SC2016,SC2317 # single quotes are for others; expect calls functions
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
lab_up 5
DEPLOY=$(readlink -f -- "$E2E_HOME/../../deploy")
SLURM=$DEPLOY/slurm/muster-array.sh
export MUSTER MUSTER_SSH_CONFIG=$SSH_CONFIG

# --- the files ---

case_ 'the shell script is one'
expect_status 0 bash -n "$SLURM"
expect test -x "$SLURM"
expect grep -q '^#SBATCH --array=0-' "$SLURM"

# python_ MODULE: there, or the case is skipped.
python_() {
    python3 -c "import $1" 2>/dev/null && return
    skip_ "python3 with the module $1 is not installed"
    return 1
}

case_ 'the job for Kubernetes: pods, portions and mounts agree'
if python_ yaml; then
    cat >"$WORK/look.py" <<'END'
import sys, yaml
documents = list(yaml.safe_load_all(open(sys.argv[1])))
assert len(documents) == 1, 'one document'
job = documents[0]
assert (job['apiVersion'], job['kind']) == ('batch/v1', 'Job')
spec, pod = job['spec'], job['spec']['template']['spec']
assert spec['completionMode'] == 'Indexed', 'only then JOB_COMPLETION_INDEX is there'
assert pod['restartPolicy'] == 'Never', 'podFailurePolicy wants it'
container, = pod['containers']
shards = {e['name']: e['value'] for e in container['env']}['SHARDS']
assert shards == str(spec['completions']) == str(spec['parallelism']), 'one portion a pod'
assert {m['name'] for m in container['volumeMounts']} == {v['name'] for v in pod['volumes']}
for rule in spec['podFailurePolicy']['rules']:
    if 'onExitCodes' in rule:
        assert rule['onExitCodes']['containerName'] == container['name']
        assert rule['action'] == 'FailIndex' and 'backoffLimitPerIndex' in spec
script, = container['args']
assert '--shard "$JOB_COMPLETION_INDEX/$SHARDS"' in script
for word in script.split():
    if word.lstrip('^').startswith('/'):
        assert any(word.lstrip('^').startswith(m['mountPath'] + '/') for m in container['volumeMounts']), word
sys.stdout.write(script)
END
    expect_status 0 python3 "$WORK/look.py" "$DEPLOY/kubernetes/muster-job.yaml"
    cp "$OUT" "$WORK/script"
    expect_status 0 sh -n "$WORK/script"
    # The text that the pod runs, with the places of the pod changed for ours.
    printf 'h[1-5]\n' >"$WORK/hosts"
    sed -i "s|/etc/muster-ssh/config|$SSH_CONFIG|; s|/etc/muster-hosts/hosts|$WORK/hosts|; s|exec muster |exec $MUSTER |" "$WORK/script"
    expect_status 0 env JOB_COMPLETION_INDEX=1 SHARDS=2 sh -euc "$(cat "$WORK/script")"
    expect_lines 2 '^\{"host":"h[24]"'
    expect_no_out '"host":"h[135]"'
fi

case_ 'the job for Nomad: brackets and quotes'
if python_ sys; then
    cat >"$WORK/look.py" <<'END'
import re, sys
text = open(sys.argv[1]).read()
# Texts of several lines, strings and comments do not count.
text = re.sub(r'<<-(\w+)\n.*?\n\s*\1\b', '', text, flags=re.S)
text = re.sub(r'"(?:\\.|[^"\\\n])*"', '', text)
text = re.sub(r'#.*', '', text)
assert '"' not in text, 'a quote is not closed'
assert '<<' not in text, 'a text has no end'
stack = []
for c in text:
    if c in '{[(':
        stack.append({'{': '}', '[': ']', '(': ')'}[c])
    elif c in '}])':
        assert stack and stack.pop() == c, 'brackets do not match'
assert not stack, 'a bracket is open at the end'
END
    expect_status 0 python3 "$WORK/look.py" "$DEPLOY/nomad/muster.nomad.hcl"
fi
expect grep -qF -e '--shard "$NOMAD_ALLOC_INDEX/$SHARDS"' "$DEPLOY/nomad/muster.nomad.hcl"

case_ 'the job for Nomad, as Nomad reads it'
if command -v nomad >/dev/null; then
    expect_status 0 nomad fmt -check "$DEPLOY/nomad/muster.nomad.hcl"
else
    skip_ 'nomad is not installed'
fi

case_ 'the image has what muster is linked with'
for library in libssh libevent_core libcrypto libsqlite3; do
    expect grep -q "$library" <(ldd "$MUSTER")
done
for package in libssh-4 libevent-core-2.1-7 libevent-pthreads-2.1-7 libmsgpackc2 libssl3 libsqlite3-0; do
    expect grep -qw -- "$package" "$DEPLOY/Containerfile"
done
# shellcheck source=/dev/null
if [ "$(. /etc/os-release && echo "$ID:${VERSION_ID%%.*}")" = debian:12 ]; then
    for library in $(ldd "$MUSTER" | sed -n 's|.* => \(/[^ ]*/\(libssh\|libevent\|libmsgpack\|libcrypto\|libsqlite\)[^ ]*\) .*|\1|p'); do
        package=$(dpkg -S "*/${library##*/}" 2>/dev/null | sed -n '1s/:.*//p')
        expect grep -qw -- "$package" "$DEPLOY/Containerfile"
    done
fi

# --- the tasks of a job array, as Slurm would start them ---

# task_ ID COUNT MIN MAX ARGUMENT...
task_() {
    local id=$1 count=$2 min=$3 max=$4
    shift 4
    SLURM_ARRAY_TASK_ID=$id SLURM_ARRAY_TASK_COUNT=$count SLURM_ARRAY_TASK_MIN=$min SLURM_ARRAY_TASK_MAX=$max \
        timeout -k 5 "$LIMIT" bash "$SLURM" "$@"
}

case_ 'the tasks of an array have all hosts among them, each once'
: >"$WORK/union"
for id in 0 1 2; do
    expect_status 0 task_ "$id" 3 0 2 'h[1-5]' echo 'a  b'
    expect_lines 0 '"value":"a b"'
    sed -n 's/^{"host":"\([^"]*\)".*/\1/p' "$OUT" >>"$WORK/union"
done
expect test "$(sort "$WORK/union" | tr '\n' ' ')" = 'h1 h2 h3 h4 h5 '

case_ 'hosts of a file, options, and a task without hosts'
printf 'h[1-2]\n' >"$WORK/hosts"
MUSTER_OPTIONS='--timeout 30 --env A=7' expect_status 0 task_ 1 8 0 7 "^$WORK/hosts" sh -c 'echo "of $A"'
expect_out '^\{"host":"h2".*"of 7"'
expect_status 0 task_ 7 8 0 7 "^$WORK/hosts" true
expect_err 'shard 7/8 of 2 hosts is empty'

case_ 'a part of the array once more'
expect_status 2 task_ 3 1 3 3 'h[1-5]' true
expect_err 'MUSTER_SHARDS=N'
expect_status 2 task_ 2 3 0 4 'h[1-5]' true
expect_err 'MUSTER_SHARDS=N'
MUSTER_SHARDS=5 expect_status 0 task_ 3 1 3 3 'h[1-5]' echo x
expect_lines 1 '^\{"host":"h4"'
expect_no_out '"host":"h[1235]"'
MUSTER_SHARDS=3 expect_status 2 task_ 3 1 3 3 'h[1-5]' true
expect_err 'portions of 3 count from 0 to 2'

case_ 'a task ends as muster does'
expect_status 5 task_ 0 1 0 0 'h[1-2]' false
expect_status 2 env -u SLURM_ARRAY_TASK_ID bash "$SLURM" h1 true
expect_err 'no task of a job array'
expect_status 2 task_ 0 1 0 0 h1
expect_err '^muster-array: usage: '

case_ 'nothing is left behind'
no_daemon() {
    ! grep -slzxF "MUSTER_E2E=$WORK" /proc/[0-9]*/environ | sed 's|[^0-9]||g' | while read -r pid; do
        { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null
    done | grep -q 'daemon run'
}
expect within 60 no_daemon

finish_
