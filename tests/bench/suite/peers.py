"""pdsh, clush, parallel-ssh and ansible on the same hosts: how each is called, and at which fanout it is fastest."""

import os
import re
import shutil

from suite import measure


class Peer:
    """failure: what it writes of a host that has failed."""

    def __init__(self, name, program, package, failure):
        self.name, self.program, self.package = name, program, package
        self.failure = re.compile(failure, re.MULTILINE)

    def argv(self, config, fleet, count, fanout):
        raise NotImplementedError

    def env(self, _config):
        return {}


class Pdsh(Peer):
    def argv(self, config, fleet, count, fanout):
        return [self.program, '-R', 'ssh', '-S', '-f', str(fanout), '-w', fleet.names(count), 'true']

    def env(self, config):
        return {'PDSH_SSH_ARGS_APPEND': f'-F {config}'}


class Clush(Peer):
    def argv(self, config, fleet, count, fanout):
        return [self.program, '-S', '-f', str(fanout), '-o', f'-F {config}', '-w', fleet.names(count), 'true']


class Pssh(Peer):
    def argv(self, config, fleet, count, fanout):
        return [self.program, '-p', str(fanout), '-x', f'-F {config}', '-h', fleet.hosts_file(count), 'true']


class Ansible(Peer):
    def argv(self, config, fleet, count, fanout):
        return [self.program, 'all', '-i', fleet.hosts_file(count), '-f', str(fanout), '-m', 'raw', '-a', 'true', '-o']

    def env(self, config):
        # Without these it keeps connections by itself, 60 s long.
        return {'ANSIBLE_SSH_ARGS': f'-F {config}', 'ANSIBLE_NOCOLOR': '1'}


KINDS = {
    'pdsh': (Pdsh, ['pdsh'], 'pdsh', r'^pdsh@[^:]*: [^:]+: '),
    'clush': (Clush, ['clush'], 'clustershell', r'^clush: [^:]+: (exited|command timeout)'),
    'pssh': (Pssh, ['parallel-ssh', 'pssh'], 'pssh', r'\[FAILURE\]'),
    'ansible raw': (Ansible, ['ansible'], 'ansible-core', r'\| (UNREACHABLE|FAILED)'),
}


class Peers:
    """Those that are installed."""

    def __init__(self, bench):
        self.bench = bench
        self.known = []
        self._fanout = {}
        self._memory = {}  # at its best fanout
        for name, (kind, programs, package, failure) in KINDS.items():
            program = next(filter(None, map(shutil.which, programs)), None)
            if program and name.split()[0] not in bench.options.without:
                self.known.append(kind(name, program, package, failure))
            else:
                bench.skip(name, 'left out' if program else f'is not installed (apt-get install {package})')

    def run(self, peer, config, fleet, count, fanout, **how):
        run = self.bench.run(peer.argv(config, fleet, count, fanout), env=peer.env(config), **how)
        run.failed = 0
        if run.status or run.late:
            text = run.text(run.out, 10**6) + '\n' + run.text(run.err, 10**6)
            run.failed = max(1, len(peer.failure.findall(text)))
            self.bench.fault(f'{peer.name}, {count} hosts: status {run.status}, {run.failed} failed: '
                             f'{run.text(run.err) or run.text(run.out)}')
        return run

    def calibrate(self, peer, key, config, fleet, count):
        """Finds out at which fanout it is fastest, and its memory there; once for each key."""
        if (peer.name, key) in self._fanout:
            return
        found = dict.fromkeys({min(fanout, count) for fanout in self.bench.options.fanouts}, 0.0)
        for fanout in sorted(found) if len(found) > 1 else ():
            self.bench.note(f'{peer.name} at fanout {fanout}, {key}, {count} hosts')
            found[fanout] = self.run(peer, config, fleet, count, fanout).wall
        self._fanout[peer.name, key] = min(found, key=found.get)

    def measure_memory(self, peer, key, config, fleet, count):
        """Of all its processes together. A run of its own, as looking on takes CPU time."""
        if peer.name not in self._memory:
            meter = measure.Meter()
            self.run(peer, config, fleet, count, self.fanout(peer, key), meter=meter)
            self._memory[peer.name] = meter.peak_kb

    def fanout(self, peer, key):
        return self._fanout[peer.name, key]

    def memory_kb(self, peer):
        return self._memory.get(peer.name)


def mux_config(bench, config):
    """An ssh_config with which ssh keeps and shares connections, and what ends them."""
    folder = bench.folder('m')
    path = bench.path('ssh_config.mux')
    with open(config, encoding='utf-8') as old, open(path, 'w', encoding='utf-8') as new:
        new.write(f'ControlMaster auto\nControlPath {folder}/%C\nControlPersist 600\n' + old.read())
    bench.after_topic(end_masters, bench, folder, path)
    return path


def end_masters(bench, folder, config):
    for name in os.listdir(folder):
        bench.run(['ssh', '-F', config, '-S', os.path.join(folder, name), '-O', 'exit', 'any'], limit=10)
