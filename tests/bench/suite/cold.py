"""Cold: nothing is connected and no daemon runs. muster, its peers, and one host alone; then some bad hosts."""

import subprocess

from suite import kex, report
from suite.bench import Absent, Trouble
from suite.fanout import Contest
from suite.muster import Muster, add_run
from suite.report import Topic


def of_muster(bench):
    """The key exchange that muster asks for first."""
    probe = bench.path('ssh_config.probe')
    ours = kex.of_command([bench.options.muster, '-F', probe, 'invoke', '--ephemeral', '-H', 'probe', '--', 'true'],
                          bench.env, probe)
    if not ours:
        bench.fault('muster did not offer a key exchange')
    return ours or 'curve25519-sha256'


def key_exchanges(bench, lab):
    """Of the peers: that of muster, and that which ssh asks for first."""
    probe, ours = bench.path('ssh_config.probe'), of_muster(bench)
    default = kex.of_command(['ssh', '-F', probe, '-o', 'BatchMode=yes', 'probe', 'true'], bench.env, probe)
    return {'same': (ours, lab.config_with('ssh_config.same', f'KexAlgorithms {ours}')),
            'default': (default or 'default', lab.config)}


def warm_caches(bench, lab, count):
    """The agent is in the cache of the hosts, and files are in that of this computer."""
    muster = Muster(bench, lab.config)
    bench.note(f'a first run on {count} hosts, that does not count')
    muster.cold(lab, count)
    muster.stop()


def our_fanout(bench, muster, lab, count):
    """The best of a few, as for the peers."""
    few, found = min(count, bench.options.calibrate_hosts), {}
    for fanout in sorted({min(fanout, few) for fanout in bench.options.fanouts} | {few}):
        bench.note(f'muster at fanout {fanout}, {few} hosts')
        found[fanout] = muster.cold(lab, few, fanout=fanout).wall
    return min(found, key=found.get)


def cold(bench, lab, peers):
    """cold fan-out over real sshd hosts, beside the peers"""
    topic = Topic('cold', 'Cold fan-out, real sshd')
    sizes = bench.options.sizes
    lab.need(max(sizes))
    warm_caches(bench, lab, max(sizes))
    muster = Muster(bench, lab.config)
    contest = Contest(bench, topic, lab, muster, peers, key_exchanges(bench, lab))
    contest.calibrate(max(sizes))
    fanout = our_fanout(bench, muster, lab, max(sizes))
    fanouts = {count: min(fanout, count) for count in sizes}
    for number in range(bench.options.rounds):
        for count in sizes:
            bench.note(f'round {number + 1}, {count} hosts: muster')
            add_run(topic, f'muster, {count} hosts', muster.cold(lab, count, fanout=fanouts[count]), count)
            contest.peer_round(count)
    one = muster.cold(lab, 1)
    topic.add('muster, 1 host', 'peak', one.daemon_peak_kb + one.peak_kb, 'KB')
    muster.stop()
    for count in sizes:
        contest.table(count, {f'muster -f {fanouts[count]}': f'muster, {count} hosts'},
                      f'`true` on {count} hosts. The last two columns: what muster took, in parts of what this row took')
        targets(topic, contest, count)
    topic.remark('muster starts its daemon in each run, which counts. CPU is that of the client, with all of its processes; '
                 'memory too, of the peers at their own fanout and counted once where processes share it.')
    return topic


def targets(topic, contest, count):
    case = f'muster, {count} hosts'
    for key, wall, cpu in (('same', 0.7, 0.125), ('default', 0.25, 0.02)):
        label = contest.keys[key][0]
        topic.target(f'{count} hosts: wall / best peer, {label}',
                     report.ratio(topic.median(case, 'wall'), contest.best(key, count, 'wall')), wall)
        topic.target(f'{count} hosts: CPU / best peer, {label}',
                     report.ratio(topic.median(case, 'cpu'), contest.best(key, count, 'cpu')), cpu)
    if count > 1:
        more = report.less(topic.median(case, 'peak'), topic.median('muster, 1 host', 'peak'))
        topic.target(f'{count} hosts: peak memory for each beyond the first', report.times(1 / (count - 1), more), 64, ' KB')


def one(bench, lab, _peers):
    """latency of one cold host, beside ssh"""
    topic = Topic('one', 'One cold host')
    lab.need(max(bench.options.sizes))
    muster = Muster(bench, lab.config)
    keys = key_exchanges(bench, lab)
    muster.cold(lab, 1)
    first = muster.cold(lab, 1)
    topic.add('muster, with the start of the daemon', 'wall', first.wall, 's')
    bench.note('one cold host, in turn')
    for number in range(min(bench.options.repeats, lab.most - 1)):
        host = f'h{number + 2}'
        run = bench.run(muster.argv('invoke', '-H', host, '--', 'true'))
        if run.status:
            bench.fault(f'muster, {host}: status {run.status}: {run.text(run.err)}')
        topic.add('muster', 'wall', run.wall, 's')
        for key, (label, config) in keys.items():
            run = bench.run(['ssh', '-F', config, host, 'true'])
            if run.status:
                bench.fault(f'ssh, {host}: status {run.status}: {run.text(run.err)}')
            topic.add(f'ssh, {label}', 'wall', run.wall, 's')
    muster.stop()
    rows = []
    for case, name in topic.figures:
        figure = topic.figure(case, name)
        rows.append([case, report.times(1e3, figure.median()), report.times(1e3, figure.share(0.95)), len(figure.values)])
    topic.table('', ['', 'median ms', '95 % within ms', 'runs'], rows)
    topic.target('one cold host', report.times(1e3, topic.median('muster', 'wall')), 40, ' ms')
    return topic


def start_faultd(bench):
    """Three servers that fail: one hangs in the key exchange, one is silent, and where one should be nobody listens."""
    program = bench.program('tests/lab/faultd')
    if not program:
        raise Absent('no faultd; build the target faultd')
    process = subprocess.Popen([program, '--with-parent', '127.77.254.1:0=hangkex', '127.77.254.3:0=silent'],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def end():
        process.terminate()
        process.wait()
        process.stdin.close()
        process.stdout.close()
    bench.after_topic(end)
    ports = {'127.77.254.2': '1'}  # where nobody listens
    for line in process.stdout:
        word = line.decode().split()[0]
        if word == 'ready':
            break
        address, port = word.rsplit(':', 1)
        ports[address] = port
    if len(ports) != 3:
        raise Trouble('faultd does not start')
    return [f'Host bad{name}\n  HostName 127.77.254.{last}\n  Port {ports[f"127.77.254.{last}"]}'
            for name, last in (('kex', 1), ('refuse', 2), ('silent', 3))]


class WithBad:
    """Hosts of a fleet, with those that are bad before them."""

    def __init__(self, fleet, bad):
        self.fleet, self.bad = fleet, bad

    def names(self, count):
        return f'{self.bad},{self.fleet.names(count)}'


def bad(bench, lab, _peers):
    """what three bad hosts among good ones cost, real sshd"""
    topic = Topic('bad', 'Three bad hosts among good ones, real sshd')
    count = sorted(bench.options.sizes)[len(bench.options.sizes) // 2]
    lab.need(max(bench.options.sizes))
    lines = start_faultd(bench)
    muster = Muster(bench, lab.config_with('ssh_config.bad', *lines))
    limit = 2 if bench.quick else 5
    how = {'command': ('echo', 'ok'), 'options': ('--connect-timeout', str(limit)), 'watch': True}
    for number in range(bench.options.rounds):
        bench.note(f'round {number + 1}, {count} hosts, without and with three bad ones')
        for case, fleet, expect in (('without', lab, 0), ('with', WithBad(lab, 'badkex,badrefuse,badsilent'), 4)):
            run = muster.cold(fleet, count, expect=expect, **how)
            if run.lines != count:
                bench.fault(f'{run.lines} answers of {count} good hosts, {case} bad ones')
            topic.add(case, 'last good answer', run.last, 's')
            topic.add(case, 'wall', run.wall, 's')
    muster.stop()
    topic.table(f'`echo ok` on {count} good hosts, `--connect-timeout {limit}`', ['', 'last good answer s', 'wall s'],
                [[case, topic.median(case, 'last good answer'), topic.median(case, 'wall')] for case in ('without', 'with')])
    # 1.15: what two runs on the same hosts differ by.
    topic.target('last good answer, with / without',
                 report.ratio(topic.median('with', 'last good answer'), topic.median('without', 'last good answer')), 1.15)
    topic.target('all over', topic.median('with', 'wall'), limit + 1, ' s')
    return topic
