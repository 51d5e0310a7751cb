"""muster as the benchmarks use it: a daemon of their own, and what a job cost it."""

import collections
import json
import os
import shutil
import subprocess
import time

from suite import measure


class Muster:
    def __init__(self, bench, config, name='bench'):
        self.bench, self.config, self.name = bench, config, name
        self.pid = None
        bench.after_topic(self.stop)

    def argv(self, *words):
        return [self.bench.options.muster, '-L', self.name, '-F', self.config, *words]

    def ask(self, *words, limit=60):
        """What a command prints; nothing if it fails."""
        done = subprocess.run(self.argv(*words), env=self.bench.env, stdin=subprocess.DEVNULL, timeout=limit,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        return done.stdout.decode(errors='replace')

    def find(self):
        """Looks which process the daemon is."""
        try:
            self.pid = json.loads(self.ask('daemon', 'status', '--output', 'json'))['pid']
        except (ValueError, KeyError, TypeError):
            self.pid = None
        return self.pid

    def stop(self):
        """Ends the daemon, and waits until it is gone. What it held is forgotten."""
        pid = self.find()
        if not pid:
            return
        try:
            self.ask('daemon', 'stop', '--force')
            end = time.monotonic() + 20
            while os.path.isdir(f'/proc/{pid}') and time.monotonic() < end:
                time.sleep(0.02)
            if os.path.isdir(f'/proc/{pid}'):
                self.bench.fault('the daemon did not stop within 20 s, and was killed')
                os.kill(pid, 9)
        except (subprocess.TimeoutExpired, ProcessLookupError):
            pass
        self.pid = None

    def invoke(self, fleet, count, command=('true',), fanout=None, options=(), expect=0, **how):
        """A job on the first count hosts of a fleet. The CPU time is that of the CLI and of the daemon; .daemon_cpu and
        .daemon_peak_kb tell the latter's part. .failed: the hosts that have no good end."""
        words = ['invoke', *(['-f', str(fanout)] if fanout else []), *options, '-H', fleet.names(count), '--', *command]
        before = measure.cpu_of(self.pid) if self.pid else 0.0
        run = self.bench.run(self.argv(*words), **how)
        if not self.pid and not self.find():
            self.bench.fault(f'the daemon was gone after a run on {count} hosts: {run.text(run.err)}')
            run.daemon_cpu, run.daemon_peak_kb, run.failed = 0.0, 0, count
            return run
        run.daemon_cpu = measure.settled_cpu(self.pid) - before
        run.cli_cpu = run.cpu
        run.cpu += run.daemon_cpu
        run.daemon_peak_kb = measure.memory_of(self.pid, 'VmHWM')
        run.failed = 0
        if run.status != expect or run.late:
            run.failed = max(1, sum(number for cause, number in self.causes().items() if cause != 'Completed'))
            self.bench.fault(f'muster, {count} hosts: status {run.status}, {run.failed} failed: {run.text(run.err)}')
        return run

    def cold(self, fleet, count, **how):
        """The same with a daemon that is not there yet, and a store that is empty."""
        self.stop()
        shutil.rmtree(os.path.join(self.bench.env['XDG_STATE_HOME'], 'muster', self.name), ignore_errors=True)
        return self.invoke(fleet, count, **how)

    def children(self):
        """The children of the last job, as get shows them."""
        try:
            jobs = json.loads(self.ask('get', '--all', '--include-child-jobs', '--output', 'json'))
        except ValueError:
            return []
        parents = [job['id'] for job in jobs if not job.get('parent_id')]
        return [job for job in jobs if parents and job.get('parent_id') == parents[-1]]

    def causes(self):
        """How many children of the last job ended how."""
        return collections.Counter((child.get('cause') or child['state']) if child['state'] != 'Completed' else 'Completed'
                                   for child in self.children())


def add_run(topic, case, run, count, daemon=True):
    """The figures that every fan-out has."""
    topic.add(case, 'wall', run.wall, 's')
    topic.add(case, 'cpu', run.cpu, 's')
    topic.add(case, 'cpu per host', run.cpu / count * 1e6, 'us')
    topic.add(case, 'failed', run.failed)
    if daemon:
        topic.add(case, 'daemon cpu per host', run.daemon_cpu / count * 1e6, 'us')
        topic.add(case, 'peak', run.daemon_peak_kb + run.peak_kb, 'KB')
        topic.add(case, 'peak per host', (run.daemon_peak_kb + run.peak_kb) / count, 'KB')
