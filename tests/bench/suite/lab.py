"""The lab: real sshd hosts h1, h2, ... (docs/lab.md)."""

import os
import subprocess

from suite.bench import ROOT, Trouble


class Lab:
    """Hosts that are brought up when the first benchmark wants them, and shared by all."""

    def __init__(self, bench, most):
        self.bench, self.most = bench, most
        self.folder = bench.options.lab
        self.up = False

    def names(self, count):
        return 'h1' if count == 1 else f'h[1-{count}]'

    def hosts_file(self, count):
        path = self.bench.path(f'hosts.{count}')
        with open(path, 'w', encoding='ascii') as file:
            file.writelines(f'h{number + 1}\n' for number in range(count))
        return path

    def need(self, count):
        """True if there are so many; brings them up if none are."""
        if not self.up:
            self._bring_up(max(count, self.most))
        return count <= self.most

    def _bring_up(self, count):
        lab = os.path.join(ROOT, 'tests/lab/lab')
        if not self.folder:
            self.folder = self.bench.path('lab')
            self.bench.note(f'bringing up {count} hosts with real sshd')
            self.bench.at_end(subprocess.run, [lab, '-d', self.folder, 'down'], -1, None, subprocess.DEVNULL,
                              subprocess.DEVNULL)
            done = subprocess.run([lab, '-d', self.folder, 'up', str(count)], stdin=subprocess.DEVNULL, timeout=300,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
            if done.returncode:
                raise Trouble('the lab does not come up: ' + done.stderr.decode(errors='replace').strip())
        try:
            with open(os.path.join(self.folder, 'hosts'), encoding='ascii') as file:
                self.most = len(file.readlines())
        except OSError as error:
            raise Trouble(f'there is no lab in {self.folder}: {error}') from error
        self.up = True

    @property
    def config(self):
        return os.path.join(self.folder, 'ssh_config')

    def config_with(self, name, *lines):
        """An ssh_config in which these lines come first."""
        path = self.bench.path(name)
        with open(self.config, encoding='utf-8') as old, open(path, 'w', encoding='utf-8') as new:
            new.write('\n'.join(lines) + '\n' + old.read())
        return path
