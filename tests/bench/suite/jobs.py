"""The job table at size, and the store below it."""

import os
import shutil

from suite import measure, report
from suite.bench import Absent
from suite.muster import Muster
from suite.report import Topic


class ManyNames:
    """c1, c2, ...: all are the first host of the lab. What a host costs is not measured here."""

    def names(self, count):
        return f'c[1-{count}]'


def many_names(lab):
    with open(lab.config, encoding='utf-8') as file:
        words = [line.split() for line in file]
    address, port = (next(line[1] for line in words if line[:1] == [key]) for key in ('HostName', 'Port'))
    return lab.config_with('ssh_config.jobs', 'Host c*', f'  HostName {address}', f'  Port {port}', 'Host *')


def finished(bench, muster, names, count, command):
    """Runs it as a background job; its id, when all children have ended."""
    job = muster.ask('--quiet', 'invoke', '--as-job', '-H', names.names(count), '--', *command, limit=600).strip()
    if bench.run(muster.argv('wait', job)).status:
        bench.fault(f'not all of {count} children of {command[0]} completed: {dict(muster.causes())}')
    return job


def jobs(bench, lab, _peers):
    """the job table at size: get, receive, and the memory of children and records"""
    children, records = bench.options.children, bench.options.records
    topic = Topic('jobs', 'The job table at size')
    lab.need(max(bench.options.sizes))
    muster = Muster(bench, many_names(lab))
    names = ManyNames()
    muster.cold(names, 1)
    before = measure.memory_of(muster.pid)
    bench.note(f'{children} children of true')
    quiet = finished(bench, muster, names, children, ('true',))
    after = measure.memory_of(muster.pid)
    per_child = (after - before) * 1024 / children
    topic.add('child', 'memory', per_child, 'bytes')
    for _ in range(bench.options.repeats):
        run = bench.run(muster.argv('get', quiet))
        if run.status:
            bench.fault(f'get: status {run.status}')
        topic.add('get', 'wall', run.wall * 1e3, 'ms')
    bench.note(f'{children} children of seq {records}')
    before = measure.memory_of(muster.pid)
    loud = finished(bench, muster, names, children, ('seq', str(records)))
    after = measure.memory_of(muster.pid)
    run = bench.run(muster.argv('receive', loud))
    with open(run.out, 'rb') as out:
        lines = sum(block.count(b'\n') for block in iter(lambda: out.read(1 << 20), b''))
    if lines != children * records:
        bench.fault(f'received {lines} records, not {children * records}')
    values = sum(len(str(number)) for number in range(1, records + 1))
    topic.add('receive', 'rate', lines / run.wall / 1e6, 'million/s')
    topic.add('record', 'memory', (after - before) * 1024 / lines - (per_child + values) / records if lines else None, 'bytes')
    muster.stop()
    topic.table(f'{children} finished children, and as many with {records} records each', ['', 'median', ''],
                [['`get` of the job', topic.median('get', 'wall'), 'ms'],
                 ['`receive` to a file', topic.median('receive', 'rate'), 'million records/s'],
                 ['memory of a child at rest', topic.median('child', 'memory'), 'bytes'],
                 ['memory of a record beyond its value', topic.median('record', 'memory'), 'bytes']])
    topic.target('`get` of the job', topic.median('get', 'wall'), 20, ' ms')
    topic.target('time of a million records received', report.ratio(1.0, topic.median('receive', 'rate')), 1, ' s')
    topic.target('memory of a child at rest', topic.median('child', 'memory'), 1024, ' bytes')
    return topic


def store(bench, _lab, _peers):
    """the store: frames until they are on the disk, beside write and fdatasync; and a restart"""
    topic = Topic('store', 'The store')
    program = bench.program('tests/bench/store_bench')
    if not program:
        raise Absent('no store_bench; build the target store_bench')
    folder = bench.folder('store')
    megabytes, children, frames = (4, 100, 8) if bench.quick else (512, 10000, 960)

    def one(case, *words):
        run = bench.run([program, *map(str, words)], limit=300)
        if run.status:
            bench.fault(f'store_bench {words[0]}: {run.text(run.err)}')
            return
        with open(run.out, encoding='ascii') as out:
            for line in out:
                name, value = line.split()
                topic.add(case, name, float(value))
    for number in range(bench.options.rounds):
        bench.note(f'round {number + 1}: {megabytes} MB into the store')
        one('plain', 'plain', folder, megabytes)
        one('store', 'write', os.path.join(folder, 'new'), megabytes)
        shutil.rmtree(os.path.join(folder, 'new'), ignore_errors=True)
    bench.note(f'{frames} MB of frames of {children} children')
    one('fill', 'fill', os.path.join(folder, 'full'), frames, children)
    for _ in range(bench.options.rounds):
        one('load', 'load', os.path.join(folder, 'full'), children)
    shutil.rmtree(folder, ignore_errors=True)
    plain, ours = topic.median('plain', 'plain'), topic.median('store', 'store')
    topic.table(f'{megabytes} MB in frames of 64 KiB; then a restart with {children} children and {frames} MB',
                ['', 'median', ''],
                [['write, and fdatasync each MiB', plain, 'MB/s'], ['store, durable', ours, 'MB/s'],
                 ['restart, files cached', topic.median('load', 'warm'), 's'],
                 ['restart, not cached', topic.median('load', 'cold'), 's']])
    topic.target('time / that of the plain loop', report.ratio(plain, ours), 1.667)
    topic.target('restart', topic.median('load', 'warm'), 2, ' s')
    return topic
