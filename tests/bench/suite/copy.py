"""Copies: one file to many hosts and back, and a folder of small ones, beside scp."""

import os
import shutil
import subprocess
import tempfile
import time

from suite import report
from suite.bench import Absent
from suite.muster import Muster
from suite.report import Topic

# All hosts are this computer: in memory, so that its one disk does not stand for those of all hosts.
MEMORY = '/dev/shm'


class Place:
    """What is copied, and where to; gone with the topic."""

    def __init__(self, bench):
        if not os.access(MEMORY, os.W_OK):
            raise Absent(f'{MEMORY}, where the files would go')
        self.path = tempfile.mkdtemp(prefix='bench-copy.', dir=MEMORY)
        bench.after_topic(shutil.rmtree, self.path, True)
        self.size = bench.options.copy_megabytes * 1000 * 1000
        with open(self.at('data'), 'wb') as file:
            for _ in range(bench.options.copy_megabytes):
                file.write(os.urandom(1000 * 1000))
        self.count = bench.options.copy_files
        for number in range(self.count):
            folder = self.at('small', str(number // 100))
            os.makedirs(folder, exist_ok=True)
            with open(os.path.join(folder, str(number)), 'w', encoding='ascii') as file:
                file.write(f'{number}\n')

    def at(self, *names):
        return os.path.join(self.path, *names)

    def fresh(self, name):
        """An empty folder, in place of what was there."""
        shutil.rmtree(self.at(name), ignore_errors=True)
        os.mkdir(self.at(name))
        return self.at(name)


def scp(bench, lab, place, count, fanout):
    """As many at once as fanout says. The old protocol of scp needs nothing of the server that the lab has not."""
    target, begin, running, failed = place.fresh('scp'), time.monotonic(), [], 0
    for number in range(1, count + 1):
        while len(running) >= fanout:
            failed += running.pop(0).wait() != 0
        running.append(subprocess.Popen(['scp', '-O', '-q', '-F', lab.config, place.at('data'),
                                         f'h{number}:{target}/{number}'], env=bench.env, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    failed += sum(process.wait() != 0 for process in running)
    wall = time.monotonic() - begin
    place.fresh('scp')
    if failed:
        bench.fault(f'scp failed on {failed} of {count} hosts')
    return wall


def copied(bench, run, count, what):
    """Each host has copied all, and none found it there."""
    with open(run.out, encoding='utf-8', errors='replace') as file:
        lines = file.read().splitlines()
    good = sum(' skipped=0 ' in line and ' failed=0 ' in line for line in lines)
    if run.status or good != count:
        bench.fault(f'muster copy, {what}: status {run.status}, {good} of {count} hosts: {run.text(run.err)}')


def muster_copy(bench, muster, what, count, words):
    run = bench.run(muster.argv('copy', '-f', str(count), *words))
    copied(bench, run, count, what)
    return run.wall


def copy(bench, lab, _peers):
    """a file to 50 hosts and from them, and many small ones, beside scp"""
    topic = Topic('copy', 'Copies')
    count = bench.options.copy_hosts
    if not shutil.which('scp'):
        raise Absent('scp')
    lab.need(count)
    place, muster = Place(bench), Muster(bench, lab.config)
    muster.cold(lab, count)
    fanouts = sorted({min(fanout, count) for fanout in (*bench.options.fanouts, 8, count)})
    best = min(fanouts, key=lambda fanout: scp(bench, lab, place, count, fanout))
    for number in range(bench.options.rounds):
        bench.note(f'round {number + 1}: scp at {best}, muster')
        topic.add('scp', 'wall', scp(bench, lab, place, count, best), 's')
        # All hosts write the same name: each its own file, the last of which stays.
        muster.stop()
        to = place.fresh('to')
        topic.add('muster', 'wall', muster_copy(bench, muster, 'push', count,
                                                [place.at('data'), '-H', f'{lab.names(count)}:{to}/']), 's')
        place.fresh('to')
        topic.add('muster --pull', 'wall',
                  muster_copy(bench, muster, 'pull', count,
                              ['--pull', f'{lab.names(count)}:{place.at("data")}', place.fresh('from')]), 's')
        place.fresh('from')
        topic.add('muster -r, one host', 'wall',
                  muster_copy(bench, muster, 'small files', 1,
                              ['-r', place.at('small'), '-H', f'h1:{place.fresh("to")}/']), 's')
    rows = [[case, f'{topic.median(case, "wall"):.2f}', f'{amount / topic.median(case, "wall"):.0f} {unit}']
            for case, amount, unit in (('scp', place.size * count / 1e6, 'MB/s'),
                                       ('muster', place.size * count / 1e6, 'MB/s'),
                                       ('muster --pull', place.size * count / 1e6, 'MB/s'),
                                       ('muster -r, one host', place.count, 'files/s'))]
    topic.table(f'{bench.options.copy_megabytes} MB, {count} hosts; {place.count} files of a few bytes, one host. '
                f'scp: {best} at once', ['', 's', ''], rows)
    topic.remark('Files are in memory, as all hosts are this computer and share its disk. Each run of muster starts with no '
                 'connection to push; the others have them.')
    topic.target(f'{bench.options.copy_megabytes} MB to {count} hosts: wall / scp',
                 report.ratio(topic.median('muster', 'wall'), topic.median('scp', 'wall')), 1)
    return topic
