#!/bin/bash
#SBATCH --job-name=muster
#SBATCH --array=0-7
#SBATCH --cpus-per-task=2
#SBATCH --mem=512M
#SBATCH --time=00:30:00
#SBATCH --output=muster-%A-%a.jsonl
#SBATCH --signal=B:TERM@60
# muster-array.sh HOSTS COMMAND [ARGUMENT...]: a command on every host of a list, by the tasks of a job array, each with
# a part of the hosts (docs/scaling.md). HOSTS: a host expression; ^FILE for a file of them (docs/hosts.md).
#
#   sbatch muster-array.sh 'web[0001-9000]' uptime
#   sbatch --array=0-31 muster-array.sh ^hosts.txt uptime
#   MUSTER_SHARDS=8 sbatch --array=3,5 muster-array.sh ^hosts.txt uptime      # two of the eight once more
#
# The file and muster have to be there on the nodes, and so have the keys and known_hosts of the user, as for ssh. From
# the environment: MUSTER, the program (muster); MUSTER_SHARDS, how many parts there are (those of the array, if it
# counts from 0 without gaps); MUSTER_OPTIONS, more options of muster invoke, separated by blanks; MUSTER_SSH_CONFIG,
# another ssh_config. Each task writes one JSON object a line to its own file, and ends as muster does: a task whose
# part is empty succeeds.
set -eu

fail() {
    printf 'muster-array: %s\n' "$1" >&2
    exit 2
}

# Sets SHARDS. --array=3 alone also has one task, and that is not the whole.
count_shards() {
    SHARDS=${MUSTER_SHARDS:-}
    [ -z "$SHARDS" ] || return 0
    SHARDS=${SLURM_ARRAY_TASK_COUNT:-}
    if [ -z "$SHARDS" ] || [ "${SLURM_ARRAY_TASK_MIN:-0}" -ne 0 ] ||
        [ "${SLURM_ARRAY_TASK_MAX:-$((SHARDS - 1))}" -ne $((SHARDS - 1)) ]; then
        fail 'the array does not count from 0 without gaps; say how many parts there are with MUSTER_SHARDS=N'
    fi
}

[ -n "${SLURM_ARRAY_TASK_ID:-}" ] || fail 'this is no task of a job array; start it with sbatch --array=0-7'
[ $# -ge 2 ] || fail 'usage: sbatch muster-array.sh HOSTS COMMAND [ARGUMENT...]'
count_shards
hosts=$1
shift
read -r -a options <<<"${MUSTER_OPTIONS:-}"
# A daemon of its own: nothing is shared with other tasks of the node, and nothing is left behind.
exec "${MUSTER:-muster}" ${MUSTER_SSH_CONFIG:+-F "$MUSTER_SSH_CONFIG"} invoke --ephemeral \
    --shard "$SLURM_ARRAY_TASK_ID/$SHARDS" --hosts "$hosts" --output jsonl \
    ${options[@]+"${options[@]}"} -- "$@"
