"""A cold fan-out to hosts that are all behind one bastion, beside the peers."""

from suite import report
from suite.cold import key_exchanges, our_fanout
from suite.fanout import Contest
from suite.muster import Muster, add_run
from suite.report import Topic

BEHIND = ('Host h* !h1', '    ProxyJump h1', 'Host *')


def bastion(bench, lab, peers):
    """cold fan-out over hosts behind one bastion, beside the peers"""
    topic = Topic('bastion', 'Cold fan-out behind one bastion')
    count = max(bench.options.sizes)
    lab.need(count)
    label = key_exchanges(bench, lab)['same'][0]
    kex = f'    KexAlgorithms {label}'
    # ssh at its best logs in on the bastion once, too: the first makes a master, which the others use.
    master = ('Host h1', '    ControlMaster auto', f'    ControlPath {bench.path("master")}', '    ControlPersist 30')
    keys = {'each': (f'{label}, a login on the bastion for each', lab.config_with('ssh_config.each', *BEHIND, kex)),
            'master': (f'{label}, ControlMaster', lab.config_with('ssh_config.master', *master, *BEHIND, kex))}
    muster = Muster(bench, lab.config_with('ssh_config.behind', *BEHIND))
    contest = Contest(bench, topic, lab, muster, peers, keys)
    contest.calibrate(count)
    fanout = min(our_fanout(bench, muster, lab, count), count)
    case = f'muster, {count} hosts'
    for number in range(bench.options.rounds):
        bench.note(f'round {number + 1}, {count} hosts behind one: muster')
        add_run(topic, case, muster.cold(lab, count, fanout=fanout), count)
        contest.peer_round(count)
    muster.stop()
    contest.table(count, {f'muster -f {fanout}': case},
                  f'`true` on {count} hosts, all but the first behind that one. The last two columns: what muster took, in '
                  'parts of what this row took')
    for key, (name, _) in keys.items():
        topic.target(f'{count} hosts behind a bastion: wall / best peer, {name}',
                     report.ratio(topic.median(case, 'wall'), contest.best(key, count, 'wall')), 0.7)
    return topic
