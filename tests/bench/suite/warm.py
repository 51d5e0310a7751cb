"""Warm: muster has its connections. Fan-out beside the peers, and the latency of the commands of one's day."""

from suite import report
from suite.cold import key_exchanges
from suite.fanout import Contest
from suite.muster import Muster, add_run
from suite.peers import mux_config
from suite.report import Topic


def warm(bench, lab, peers):
    """warm fan-out over real sshd hosts, beside the peers, which log in or share connections"""
    topic = Topic('warm', 'Warm fan-out, real sshd')
    count = max(bench.options.sizes)
    lab.need(count)
    same, config = key_exchanges(bench, lab)['same']
    keys = {'same': (same, config)}
    if count <= bench.options.most_masters:
        keys['kept'] = ('ControlPersist', mux_config(bench, config))
    muster = Muster(bench, lab.config)
    contest = Contest(bench, topic, lab, muster, peers, keys)
    connect_masters(bench, lab, keys, count)
    contest.calibrate(count)
    muster.cold(lab, count)
    for number in range(bench.options.rounds):
        bench.note(f'round {number + 1}, {count} warm hosts: muster')
        add_run(topic, 'muster', muster.invoke(lab, count, fanout=count), count)
        contest.peer_round(count)
    bench.note(f'the cost of a command: {bench.options.repeats} more rounds of muster')
    for _ in range(bench.options.repeats):
        add_run(topic, 'muster, repeated', muster.invoke(lab, count, fanout=count), count)
    muster.stop()
    contest.table(count, {f'muster -f {count}': 'muster', 'muster, nothing between': 'muster, repeated'},
                  f'`true` on {count} hosts to which muster has connections. The peers log in, or use connections '
                  'that `ssh` keeps (ControlPersist)')
    topic.target(f'{count} hosts: wall / best peer, {same}',
                 report.ratio(topic.median('muster', 'wall'), contest.best('same', count, 'wall')), 1 / 30)
    topic.target('CPU of a warm host, daemon and CLI', topic.median('muster, repeated', 'cpu per host'), 60, ' us')
    return topic


def connect_masters(bench, lab, keys, count):
    """Each kept connection is made by itself: as many at once would only be refused."""
    if 'kept' not in keys:
        bench.skip('peers with ControlPersist', f'a process for each host, more than --most-masters')
        return
    bench.note(f'{count} connections that ssh keeps')
    for number in range(count):
        run = bench.run(['ssh', '-F', keys['kept'][1], f'h{number + 1}', 'true'], limit=30)
        if run.status:
            bench.fault(f'ssh with ControlPersist: {run.text(run.err)}')
            return


def latency(bench, lab, _peers):
    """latency of get, receive and invoke on one warm host, beside ssh with a kept connection"""
    topic = Topic('latency', 'Latency with one warm host')
    lab.need(max(bench.options.sizes))
    muster = Muster(bench, lab.config)
    muster.cold(lab, 1)
    job = muster.ask('--quiet', 'invoke', '--as-job', '-H', 'h1', '--', 'echo', 'result').strip()
    if bench.run(muster.argv('wait', job)).status:
        bench.fault('the job whose results are to be received did not complete')
    commands = {
        'muster invoke': (muster.argv('invoke', '-H', 'h1', '--', 'true'), 0),
        'muster get': (muster.argv('get', job), 1),
        'muster receive --keep': (muster.argv('receive', '--keep', job), 1),
        'muster invoke --as-job': (muster.argv('--quiet', 'invoke', '--as-job', '-H', 'h1', '--', 'true'), 1),
        'ssh, a kept connection': (['ssh', '-F', mux_config(bench, lab.config), 'h1', 'true'], 0),
        '`true`, for comparison': (['true'], 0),
    }
    bench.run(commands['ssh, a kept connection'][0])
    bench.note('latency with one warm host, in turn')
    for _ in range(2 * bench.options.repeats):
        for case, (argv, lines) in commands.items():
            run = bench.run(argv)
            with open(run.out, 'rb') as out:
                answered = run.status == 0 and len(out.read().splitlines()) >= lines
            if not answered:
                bench.fault(f'{case}: status {run.status}: {run.text(run.err)}')
            topic.add(case, 'wall', run.wall * 1e3, 'ms')
            topic.add(case, 'cpu', run.cpu * 1e3, 'ms')
    muster.stop()
    topic.table('', ['', 'median ms', '95 % within ms', 'CPU of the command ms'],
                [[case, topic.median(case, 'wall'), topic.figure(case, 'wall').share(0.95), topic.median(case, 'cpu')]
                 for case in commands])
    return topic
