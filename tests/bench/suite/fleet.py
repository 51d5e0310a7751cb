"""Thousands of simulated hosts: what one costs, and how that grows with their number."""

import json
import time

from suite import measure, report
from suite.bench import Absent
from suite.cold import of_muster
from suite.fanout import Contest
from suite.muster import Muster, add_run
from suite.report import Topic
from suite.simfleet import Fleet

NOTE = 'The simulator takes its own share of the same cores: its CPU is told beside, and not counted.'
COLUMNS = ['', 'wall s', 'CPU us/host', 'of that daemon', 'peak KB/host', 'peak MB', 'idle KB/host', 'failed',
           'simulator us/host']


# Of the jobs during which get is asked. A warm one would else be over before it is asked for the first time.
COMMANDS = {'cold': ('true',), 'warm': ('sleep', '2')}


def row(topic, case):
    return [case, topic.median(case, 'wall'), topic.median(case, 'cpu per host'), topic.median(case, 'daemon cpu per host'),
            topic.median(case, 'peak per host'), report.times(1 / 1024, topic.median(case, 'peak')),
            topic.median(case, 'idle per host'), topic.median(case, 'failed'), topic.median(case, 'simulator')]


def growth(topic, small, large, sizes, memory=True):
    """No step grows faster than linear: what a host costs is the same."""
    if len(sizes) < 2:
        return
    for name, label in (('cpu per host', 'CPU'),) + ((('peak per host', 'memory'),) if memory else ()):
        topic.target(f'{label} per host, {large} / {small}',
                     report.ratio(topic.median(large, name), topic.median(small, name)), 1.3)


def fleet_cold(bench, _lab, _peers):
    """cold: 1,000 and 10,000 simulated hosts, and a known_hosts with 10,000 hashed lines"""
    topic = Topic('fleet-cold', 'A simulated fleet, cold')
    sizes = bench.options.fleet
    fleet = Fleet(bench, max(sizes))
    cases = {}
    for count in sizes:
        cases[f'{count} hosts'] = (count, fleet.config(count))
        cases[f'{count} hosts, {max(sizes)} hashed'] = (count, fleet.config(count, hashed=True))
    for number in range(bench.options.rounds):
        for case, (count, config) in cases.items():
            bench.note(f'round {number + 1}: {case}, cold')
            cold_round(topic, Muster(bench, config), fleet, case, count)
        bench.note(f'round {number + 1}: the same logins by a bare loop over libssh')
        bare_round(bench, topic, fleet, min(sizes))
    topic.table('`true`, nothing connected, no daemon; "hashed": a known_hosts with so many hashed lines', COLUMNS,
                [row(topic, case) for case in cases])
    topic.remark(NOTE)
    topic.remark('Idle: the memory of the daemon with all connections kept, without that with one, for each of the others.')
    bare = topic.median('bare', 'cpu')
    topic.remark(f'A bare loop over libssh (tests/bench/bare.c: login, `true`, no more) costs {report.show(bare)} us a host on this '
                 'machine; it cost 340 us on the one that the limit of 500 us was set for.')
    most = max(sizes)
    topic.target('CPU of a cold host / bare loop', report.ratio(topic.median(f'{most} hosts', 'cpu per host'), bare), 1.47)
    for suffix in ('', f', {most} hashed'):
        large, small = f'{most} hosts{suffix}', f'{min(sizes)} hosts{suffix}'
        topic.target(f'CPU of a cold host, {large}', topic.median(large, 'cpu per host'), 500, ' us')
        topic.target(f'memory of a quiet host, {large}', topic.median(large, 'idle per host'), 40, ' KB')
        topic.target(f'peak memory, {large}', report.times(1 / 1024, topic.median(large, 'peak')), 500, ' MB')
        topic.target(f'failed, {large}', topic.median(large, 'failed'), 0)
        growth(topic, small, large, sizes)
    return topic


def bare_round(bench, topic, fleet, count):
    program = bench.program('tests/bench/bare')
    if not program:
        raise Absent('no bare loop; build the target bare')
    run = bench.run([program, fleet.known_hosts(), fleet.identity(), str(count), '64',
                     of_muster(bench)], limit=120)
    if run.status:
        bench.fault(f'bare: status {run.status}: {run.text(run.err)}')
    else:
        topic.add('bare', 'cpu', float(run.text(run.out)), 'us')


def cold_round(topic, muster, fleet, case, count):
    muster.cold(fleet, 1)
    alone = measure.memory_of(muster.pid)
    muster.stop()
    before = fleet.cpu()
    run = muster.cold(fleet, count, fanout=count)
    topic.add(case, 'simulator', (fleet.cpu() - before) / count * 1e6, 'us')
    add_run(topic, case, run, count)
    if muster.pid and count > 1:
        topic.add(case, 'idle per host', (measure.memory_of(muster.pid) - alone) / (count - 1), 'KB')
    muster.stop()


def fleet_warm(bench, _lab, _peers):
    """warm: 1,000 and 10,000 simulated hosts that are connected"""
    topic = Topic('fleet-warm', 'A simulated fleet, warm')
    sizes = bench.options.fleet
    fleet = Fleet(bench, max(sizes))
    daemons = {count: Muster(bench, fleet.config(count), f'bench-{count}') for count in sizes}
    for count, muster in daemons.items():
        bench.note(f'connecting {count} hosts')
        before = fleet.counts().get('now', 0)
        muster.cold(fleet, count, fanout=count)
        kept = fleet.counts().get('now', 0) - before
        topic.add(f'{count} hosts', 'connections kept', kept)
        if kept < count:
            topic.remark(f'Only {kept:,} of {count:,} connections were kept: the others logged in again in each round.')
    for number in range(bench.options.rounds + bench.options.repeats // 2):
        bench.note(f'round {number + 1}: warm')
        for count, muster in daemons.items():
            before = fleet.cpu()
            run = muster.invoke(fleet, count, fanout=count)
            topic.add(f'{count} hosts', 'simulator', (fleet.cpu() - before) / count * 1e6, 'us')
            add_run(topic, f'{count} hosts', run, count)
    for muster in daemons.values():
        muster.stop()
    topic.table('`true` on hosts that are connected', COLUMNS, [row(topic, f'{count} hosts') for count in sizes])
    topic.remark(NOTE)
    large = f'{max(sizes)} hosts'
    topic.target(f'wall, {large}', topic.median(large, 'wall'), 1, ' s')
    topic.target(f'CPU of a warm host, {large}', topic.median(large, 'cpu per host'), 40, ' us')
    topic.target(f'failed, {large}', topic.median(large, 'failed'), 0)
    # The jobs before stay in memory for a while, so that this grows with the rounds.
    growth(topic, f'{min(sizes)} hosts', large, sizes, memory=False)
    return topic


def fleet_peers(bench, _lab, peers):
    """cold: muster and its peers on 1,000 simulated hosts, whose servers cost next to nothing"""
    topic = Topic('fleet-peers', 'A simulated fleet, cold, beside the peers')
    count = bench.options.peers_fleet
    fleet = Fleet(bench, count)
    muster = Muster(bench, fleet.config(count))
    kex = of_muster(bench)
    same = bench.path('ssh_config.fleet')
    with open(muster.config, encoding='utf-8') as old, open(same, 'w', encoding='utf-8') as new:
        new.write(f'KexAlgorithms {kex}\n' + old.read())
    contest = Contest(bench, topic, fleet, muster, peers, {'fleet': (kex, same)})
    contest.calibrate(count)
    for number in range(bench.options.rounds):
        bench.note(f'round {number + 1}, {count} simulated hosts: muster')
        add_run(topic, 'muster', muster.cold(fleet, count, fanout=count), count)
        contest.peer_round(count)
    muster.stop()
    contest.table(count, {f'muster -f {count}': 'muster'}, f'`true` on {count} simulated hosts')
    topic.remark('The simulator has no other key exchange that is the default of ssh.')
    topic.target(f'{count} hosts: wall / best peer', report.ratio(topic.median('muster', 'wall'),
                                                                 contest.best('fleet', count, 'wall')), 0.7)
    topic.target(f'{count} hosts: CPU / best peer', report.ratio(topic.median('muster', 'cpu'),
                                                                contest.best('fleet', count, 'cpu')), 0.125)
    return topic


def fleet_get(bench, _lab, _peers):
    """latency of get while a job on 10,000 simulated hosts runs"""
    topic = Topic('fleet-get', '`get` while a job on a simulated fleet runs')
    count = max(bench.options.fleet)
    fleet = Fleet(bench, count)
    muster = Muster(bench, fleet.config(count))
    for number in range(bench.options.rounds):
        muster.stop()
        muster.ask('get')
        for case, command in COMMANDS.items():
            bench.note(f'round {number + 1}: get during a {case} job on {count} hosts')
            while_running(bench, topic, muster, fleet, count, case, command)
    muster.stop()
    topic.table(f'`get JOB`, again and again until {count} hosts have answered; cold: `true`, warm: `sleep 2`',
                ['', 'median ms', '95 % within ms', 'slowest ms', 'looks'],
                [[case, topic.median(case, 'wall'), topic.figure(case, 'wall').share(0.95), topic.figure(case, 'wall').share(1),
                  len(topic.figure(case, 'wall').values)] for case in COMMANDS])
    for case in COMMANDS:
        topic.target(f'95 % of `get` during a {case} job', topic.figure(case, 'wall').share(0.95), 50, ' ms')
    return topic


def while_running(bench, topic, muster, fleet, count, case, command):
    job = muster.ask('--quiet', 'invoke', '--as-job', '--inline', '-f', str(count), '-H', fleet.names(count), '--', *command,
                     limit=120).strip()
    end = time.monotonic() + 300
    state = None
    while state not in ('Completed', 'Failed', 'Stopped') and time.monotonic() < end:
        run = bench.run(muster.argv('get', '--output', 'json', job), limit=60)
        try:
            with open(run.out, encoding='utf-8') as out:
                state = json.load(out)[0]['state']
        except (ValueError, LookupError):
            bench.fault(f'get: status {run.status}: {run.text(run.err)}')
            return
        if state == 'Running':
            topic.add(case, 'wall', run.wall * 1e3, 'ms')
    if state != 'Completed':
        bench.fault(f'the {case} job on {count} hosts is {state}: {dict(muster.causes())}')


def fleet_handshake(bench, _lab, _peers):
    """memory of a connection in the middle of its handshake"""
    topic = Topic('fleet-handshake', 'Memory of connections that have not come up')
    count = min(bench.options.fleet)
    stages = ('kex', 'auth') if bench.quick else ('banner', 'kex', 'auth', 'open')
    for stage in stages:
        fleet = Fleet(bench, count + 1, f'host 2-{count + 1} hang {stage}')
        muster = Muster(bench, fleet.config(count + 1))
        muster.cold(fleet, 1)
        alone, base = measure.memory_of(muster.pid), fleet.counts().get('now', 1)
        muster.ask('--quiet', 'invoke', '--as-job', '--inline', '-f', str(count), '--connect-timeout', '60', '-H',
                   fleet.names(count, first=2), '--', 'true', limit=120)
        now = quiet(fleet)
        here = now - base
        if here > 0:
            topic.add(stage, 'connections', here)
            topic.add(stage, 'memory', (measure.memory_of(muster.pid) - alone) / here, 'KB')
        else:
            bench.fault(f'no connection came as far as {stage}')
        muster.stop()
        fleet.stop()
    topic.table(f'A job on {count} hosts, each of which says no more at the step',
                ['step', 'connections at once', 'KB for each'],
                [[stage, topic.median(stage, 'connections'), topic.median(stage, 'memory')]
                 for stage in stages])
    topic.remark('Memory of the daemon beyond that with one connection, with the children that wait, for each connection.')
    topic.target('memory of a host in the key exchange', topic.median('kex', 'memory'), 40, ' KB')
    return topic


def quiet(fleet, limit=20):
    """The number of connections, once no more of them come."""
    end = time.monotonic() + limit
    before, same = -1, 0
    while same < 4 and time.monotonic() < end:
        now = fleet.counts().get('now', 0)
        same = same + 1 if now == before and now else 0
        before = now
        time.sleep(0.2)
    return before
