"""One host that says a lot: muster beside `ssh host cat`, near and far; what arrives is compared with what was sent."""

import filecmp
import os
import subprocess

from suite import measure, report
from suite.bench import ROOT
from suite.muster import Muster
from suite.report import Topic


def make_files(bench, megabytes):
    """The same size each: bytes, and lines of 100."""
    files = {'bytes': bench.path('bytes'), 'lines': bench.path('lines')}
    with open(files['bytes'], 'wb') as raw, open(files['lines'], 'wb') as lines:
        for number in range(megabytes):
            raw.write(os.urandom(1000000))
            lines.write(b''.join(b'%099d\n' % line for line in range(number * 10000, (number + 1) * 10000)))
    return files


class Streams:
    def __init__(self, bench, lab, topic):
        self.bench, self.topic = bench, topic
        self.muster = Muster(bench, lab.config)
        self.lab = lab

    def took(self, case, run, sent):
        if run.status:
            self.bench.fault(f'{case}: status {run.status}: {run.text(run.err)}')
        elif not filecmp.cmp(sent, run.out, shallow=False):
            self.bench.fault(f'{case}: what came back is not what was sent')
        megabytes = os.path.getsize(sent) / 1e6
        self.topic.add(case, 'rate', megabytes / run.wall, 'MB/s')
        self.topic.add(case, 'cpu', run.cpu / megabytes * 1e3, 'ms/MB')
        os.unlink(run.out)

    def turn(self, kind, sent, config, options):
        run = self.bench.run(['ssh', '-F', config, 'h1', 'cat', sent])
        self.took(f'ssh {kind}', run, sent)
        self.muster.config = config
        before = measure.cpu_of(self.muster.pid) if self.muster.pid else None
        run = self.bench.run(self.muster.argv('invoke', '-N', *options, '-H', 'h1', '--', 'cat', sent))
        if self.muster.pid or self.muster.find():
            run.cpu += measure.settled_cpu(self.muster.pid) - (before or 0)
        self.took(f'muster {kind}', run, sent)

    def agent_peak(self):
        """The agent of our connection lingers: it is the one that has served this run. It knows its daemon by nothing,
        so it is told by its name, and that nothing else of ours has used it."""
        peak = 0
        for name in os.listdir('/proc'):
            try:
                with open(f'/proc/{name}/comm', encoding='utf-8', errors='replace') as file:
                    if name.isdigit() and file.read().startswith('agent-'):
                        peak = max(peak, measure.memory_of(int(name), 'VmHWM'))
            except OSError:
                continue
        return peak or None


def far_away(bench, lab, streams, sent):
    """Half of the round trip each way, in front of the host's own sshd."""
    delayd = bench.program('tests/lab/delayd')
    if not delayd:
        bench.skip('a path of 50 ms', 'no delayd; build the target delayd')
        return
    command = [os.path.join(ROOT, 'tests/lab/lab'), '-d', lab.folder]

    def ask(*words):
        return subprocess.run(command + list(words), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, check=False, timeout=60).returncode
    if ask('delay', delayd, '25', 'h1'):
        bench.fault('delayd does not start')
        return
    try:
        for _ in range(bench.options.rounds):
            streams.turn('far', sent, os.path.join(lab.folder, 'delay_config'), ('--parse', 'raw'))
    finally:
        ask('undelay')


def stream(bench, lab, _peers):
    """throughput of one host's output, beside ssh"""
    topic = Topic('stream', 'Output of one host, to a file')
    lab.need(max(bench.options.sizes))
    megabytes = bench.options.megabytes
    bench.note(f'two files of {megabytes} MB')
    files = make_files(bench, megabytes)
    streams = Streams(bench, lab, topic)
    streams.muster.stop()
    for number in range(bench.options.rounds):
        for kind, options in (('bytes', ('--parse', 'raw')), ('lines', ())):
            bench.note(f'round {number + 1}: {kind}')
            streams.turn(kind, files[kind], lab.config, options)
    topic.add('agent', 'peak', streams.agent_peak(), 'KB')
    small = bench.path('far')
    with open(files['bytes'], 'rb') as old, open(small, 'wb') as new:
        new.write(old.read(min(100, megabytes) * 1000000))
    bench.note('a path of 50 ms')
    far_away(bench, lab, streams, small)
    streams.muster.stop()
    for path in (*files.values(), small):
        os.unlink(path)
    tables(topic, megabytes)
    return topic


def tables(topic, megabytes):
    rows = []
    labels = {'bytes': 'bytes (`--parse raw`)', 'lines': 'lines of 100 bytes', 'far': 'bytes, a path of 50 ms'}
    for kind, label in labels.items():
        ssh, ours = topic.median(f'ssh {kind}', 'rate'), topic.median(f'muster {kind}', 'rate')
        rows.append([label, ssh, ours, report.ratio(ours, ssh), topic.median(f'ssh {kind}', 'cpu'),
                     topic.median(f'muster {kind}', 'cpu')])
    topic.table(f'{megabytes} MB (over the long path 100 at most)',
                ['', 'ssh MB/s', 'muster MB/s', 'muster / ssh', 'ssh CPU ms/MB', 'muster CPU ms/MB'], rows)
    for kind, limit in (('bytes', 1), ('lines', 2), ('far', 0.5)):
        topic.target(f'{labels[kind]}: time / that of ssh',
                     report.ratio(topic.median(f'ssh {kind}', 'rate'), topic.median(f'muster {kind}', 'rate')), limit)
    topic.target('peak memory of the agent', topic.median('agent', 'peak'), 8192, ' KB')
