"""What all benchmarks share: the options, a directory, and what has to be ended at the end."""

import contextlib
import os
import platform
import resource
import shutil
import signal
import sys
import tempfile
import time

from suite import measure

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), '..', '..', '..'))


class Trouble(Exception):
    """Nothing can be measured, for a reason that is told."""


class Absent(Exception):
    """A program that a benchmark needs is not there: it is skipped."""


class Bench:
    def __init__(self, options):
        self.options = options
        self.quick = options.quick
        self.wrong = []
        self.skipped = []
        self._stack = contextlib.ExitStack()
        self._topic = contextlib.ExitStack()
        self.programs = options.programs or os.path.dirname(options.muster)
        # On a disk, where the daemon keeps its jobs in ordinary life too; short, as the path of a socket has a limit.
        self.work = tempfile.mkdtemp(prefix='mbench-', dir=options.dir)
        self._stack.callback(shutil.rmtree, self.work, ignore_errors=True)
        self.env = self._environment()
        self.timed = self.program('tests/bench/timed') or self._lacks('timed')

    def _lacks(self, target):
        self._stack.close()
        raise Trouble(f'no program {target} in {self.programs}/tests; build the target {target}, or give --programs DIR')

    def _environment(self):
        """Nobody's settings, keys and daemons but ours."""
        env = {name: value for name, value in os.environ.items()
               if not name.startswith(('MUSTER', 'XDG_', 'SSH_', 'ANSIBLE_', 'PDSH', 'FANOUT', 'PYTHON', 'CLICOLOR'))}
        for name, folder in (('HOME', 'home'), ('XDG_RUNTIME_DIR', 'run'), ('XDG_STATE_HOME', 'state')):
            env[name] = os.path.join(self.work, folder)
            os.mkdir(env[name], 0o700)
        env['LC_ALL'] = 'C.UTF-8'
        env['ANSIBLE_CONFIG'] = os.path.join(env['HOME'], 'ansible.cfg')
        with open(env['ANSIBLE_CONFIG'], 'w', encoding='ascii'):
            pass
        # Connections are not to end between two rounds, however slow the peers are; nor is a daemon that was left behind
        # by a kill -9 of ours to stay for ever.
        os.makedirs(os.path.join(env['HOME'], '.config/muster'))
        with open(os.path.join(env['HOME'], '.config/muster/muster.conf'), 'w', encoding='ascii') as file:
            file.write('session-linger = 30m\nidle-timeout = 1h\n')
        return env

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # Nobody interrupts this: what was started would stay.
        for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(sign, signal.SIG_IGN)
        self.end_of_topic()
        self._stack.close()

    def at_end(self, function, *arguments):
        """Of all."""
        self._stack.callback(function, *arguments)

    def after_topic(self, function, *arguments):
        """Of the benchmark that runs."""
        self._topic.callback(function, *arguments)

    def end_of_topic(self):
        self._topic.close()

    def program(self, name):
        """The path of a program of the build, or None."""
        path = os.path.join(self.programs, name)
        return path if os.access(path, os.X_OK) else None

    def path(self, name):
        return os.path.join(self.work, name)

    def folder(self, name):
        os.makedirs(self.path(name), 0o700, exist_ok=True)
        return self.path(name)

    def run(self, argv, limit=600, env=None, **how):
        return measure.run_command(self.timed, self.work, argv, {**self.env, **(env or {})}, limit=limit, **how)

    def note(self, text):
        print(f'{time.strftime("%H:%M:%S")} {text}', file=sys.stderr, flush=True)

    def fault(self, text):
        """A run that was wrong: a host without an answer, bytes that are not those sent."""
        self.wrong.append(text)
        self.note(f'WRONG: {text}')

    def skip(self, what, why):
        text = f'{what}: {why}'
        if text not in self.skipped:
            self.skipped.append(text)
            self.note(f'SKIPPED: {text}')


def raise_file_limit(wanted=65536):
    """What we start inherits it: a daemon with 10,000 connections, and the fleet that is at their other end."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limit in (max(hard, wanted), hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
            return limit
        except (ValueError, OSError):
            continue
    return hard


def first_line(bench, argv):
    run = bench.run(argv, limit=20)
    with open(run.out, encoding='utf-8', errors='replace') as out, open(run.err, encoding='utf-8', errors='replace') as err:
        return (out.readline() or err.readline()).strip()


def describe(bench, began, load):
    """What somebody else needs to know to judge the figures."""
    with open('/proc/cpuinfo', encoding='utf-8') as file:
        model = next((line.split(':', 1)[1].strip() for line in file if line.startswith('model name')), platform.machine())
    memory = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') // 2**20
    return {'muster': first_line(bench, [bench.options.muster, '--version']),
            'ssh': first_line(bench, ['ssh', '-V']),
            'computer': f'{len(os.sched_getaffinity(0))} cores ({model}), {memory:,} MiB, Linux {platform.release()};'
                        ' the hosts, the simulator and the clients share it',
            'open files of a process': f'{resource.getrlimit(resource.RLIMIT_NOFILE)[0]:,}',
            'load before and after': f'{load:.1f}, {os.getloadavg()[0]:.1f}',
            'begun': time.strftime('%Y-%m-%d %H:%M:%S UTC', time.gmtime(began)),
            'took': f'{time.time() - began:.0f} s',
            'rounds': f'{bench.options.rounds}, in turn; medians',
            **({'quick': 'small sizes, to see that it works; these figures mean nothing'} if bench.quick else {})}
