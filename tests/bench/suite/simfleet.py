"""The simulated fleet: tests/lab/simfleet, and the files that its clients need (docs/lab.md)."""

import base64
import hashlib
import hmac
import json
import os
import select
import signal
import subprocess

from suite import measure
from suite.bench import Absent, Trouble


class Fleet:
    """Hosts sim1, sim2, ... in one process. A part of it is used as if there were no others: see config()."""

    def __init__(self, bench, hosts, *statements):
        self.bench, self.hosts = bench, hosts
        self.folder = bench.folder('fleet')
        self.program = bench.program('tests/lab/simfleet')
        if not self.program:
            raise Absent('no simfleet; build the target simfleet')
        scenario = os.path.join(self.folder, 'scenario')
        with open(scenario, 'w', encoding='utf-8') as file:
            file.write('\n'.join([f'hosts {hosts}', *statements]) + '\n')
        bench.note(f'a fleet of {hosts} simulated hosts')
        # Each host has a key of its own in life; so many different ones are as many as simfleet makes.
        self.process = subprocess.Popen(
            [self.program, '-d', self.folder, '--host-keys', str(min(hosts, 1000)), '--with-parent', scenario],
            env=bench.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        bench.after_topic(self.stop)
        if not self._line(120).startswith('ready'):
            self.process.kill()
            said = self.process.stderr.read().decode(errors='replace').strip()
            raise Trouble(f'simfleet does not start: {said}')

    def _file(self, name):
        return os.path.join(self.folder, name)

    def _line(self, seconds):
        poll = select.poll()
        poll.register(self.process.stdout, select.POLLIN | select.POLLHUP)
        return self.process.stdout.readline().decode() if poll.poll(seconds * 1000) else ''

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.bench.fault('simfleet did not end within 20 s, and was killed')
                self.process.kill()
                self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()

    def counts(self):
        """What has happened so far."""
        self.process.send_signal(signal.SIGUSR1)
        try:
            return json.loads(self._line(10))
        except ValueError:
            return {}

    def cpu(self):
        return measure.cpu_of(self.process.pid)

    def names(self, count, first=1):
        return f'sim{first}' if count == 1 else f'sim[{first}-{first + count - 1}]'

    def known_hosts(self):
        return self._file('known_hosts')

    def identity(self):
        return self._file('id_ed25519')

    def hosts_file(self, count):
        path = self._file(f'hosts.{count}')
        with open(self._file('hosts'), encoding='ascii') as old, open(path, 'w', encoding='ascii') as new:
            new.writelines(old.readlines()[:count])
        return path

    def config(self, count, hashed=False):
        """An ssh_config that has the first count hosts alone, with a known_hosts that has them alone; hashed: that has
        all hosts, with hashed names."""
        known = self._file(f'known_hosts.{"hashed" if hashed else count}')
        with open(self._file('known_hosts'), encoding='ascii') as old, open(known, 'w', encoding='ascii') as new:
            lines = old.readlines()
            new.writelines(map(hash_line, lines) if hashed else lines[:count])
        path = self._file(f'ssh_config.{count}{".hashed" if hashed else ""}')
        with open(self._file('ssh_config'), encoding='utf-8') as old, open(path, 'w', encoding='utf-8') as new:
            wanted = True
            for line in old:
                words = line.split()
                if words[:1] == ['Host']:
                    wanted = not words[1][3:].isdigit() or int(words[1][3:]) <= count
                if wanted:
                    new.write(line.replace(f'"{self._file("known_hosts")}"', f'"{known}"'))
        return path


def hash_line(line):
    """As ssh-keygen -H has it (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT)."""
    name, rest = line.split(' ', 1)
    salt = os.urandom(20)
    code = hmac.new(salt, name.encode(), hashlib.sha1).digest()
    return f'|1|{base64.b64encode(salt).decode()}|{base64.b64encode(code).decode()} {rest}'
