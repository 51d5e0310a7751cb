"""What the benchmarks of fan-outs have in common: muster and its peers in turn, and the table of that."""

from suite import report
from suite.muster import add_run


class Contest:
    """muster and the peers on the same hosts. keys: NAME -> (label, ssh_config) of how the peers connect."""

    def __init__(self, bench, topic, fleet, muster, peers, keys):
        self.bench, self.topic, self.fleet = bench, topic, fleet
        self.muster, self.peers, self.keys = muster, peers, keys

    def case(self, peer, key, count):
        return f'{peer.name}, {key}, {count} hosts'

    def calibrate(self, most):
        few = min(most, self.bench.options.calibrate_hosts)
        for key, (_, config) in self.keys.items():
            for peer in self.peers.known:
                self.peers.calibrate(peer, key, config, self.fleet, few)
        key, (_, config) = next(iter(self.keys.items()))
        for peer in self.peers.known:
            self.peers.measure_memory(peer, key, config, self.fleet, few)

    def peer_round(self, count):
        for key, (_, config) in self.keys.items():
            for peer in self.peers.known:
                self.bench.note(f'{peer.name}, {key}, {count} hosts')
                run = self.peers.run(peer, config, self.fleet, count, min(self.peers.fanout(peer, key), count))
                if run.failed:
                    # To fail is quick: that is no time to compare with.
                    self.topic.add(self.case(peer, key, count), 'failed', run.failed)
                else:
                    add_run(self.topic, self.case(peer, key, count), run, count, daemon=False)

    def best(self, key, count, name):
        return self.topic.best([self.case(peer, key, count) for peer in self.peers.known], name)

    def table(self, count, ours, title):
        """ours: LABEL -> case of muster's rows."""
        topic, rows = self.topic, []
        first = next(iter(ours.values()))

        def row(label, case, memory):
            wall, cpu = topic.median(case, 'wall'), topic.median(case, 'cpu per host')
            rows.append([label, wall, report.times(1e-3, cpu), memory, topic.median(case, 'failed'),
                         report.ratio(topic.median(first, 'wall'), wall),
                         report.ratio(topic.median(first, 'cpu per host'), cpu)])
        for label, case in ours.items():
            row(label, case, report.times(1 / 1024, topic.median(case, 'peak')))
        for key, (label, _) in self.keys.items():
            for peer in self.peers.known:
                memory = self.peers.memory_kb(peer) if key == next(iter(self.keys)) else None
                row(f'{peer.name} -f {self.peers.fanout(peer, key)}, {label}', self.case(peer, key, count),
                    report.times(1 / 1024, memory))
        topic.table(title, ['', 'wall s', 'CPU ms/host', 'peak MB', 'failed', 'its wall / this', 'its CPU / this'], rows)
