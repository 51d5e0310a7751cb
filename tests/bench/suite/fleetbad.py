"""Thousands of good hosts, and some of each kind of bad one."""

import collections
import datetime
import re
import time

from suite import report
from suite.muster import Muster
from suite.report import Topic
from suite.simfleet import Fleet

KINDS = ['refuse', 'wrongkey', 'authfail', 'noopen', 'noexec', 'stopreading', 'flood', 'trickle 20', 'agent-garbage',
         'agent-hang', 'drop after 1500'] + [
    f'{deed} {stage}' for deed, stages in (('hang', 'banner kex auth open exec run'), ('drop', 'banner kex auth open exec run'),
                                           ('garbage', 'banner kex run')) for stage in stages.split()]


# Their deadlines are not among the options.
SLOW = ['hang auth', 'hang open', 'hang exec']


def seconds_of(text):
    """A time as get shows it, in seconds since 1970."""
    return datetime.datetime.fromisoformat(text.replace('Z', '+00:00')).timestamp()


def cause_of(child):
    """Without what differs from host to host."""
    if child['state'] == 'Completed':
        return 'completed'
    return re.sub(r'\S*/known_hosts\S*', 'known_hosts', child['cause']).replace('|', '/').strip()


class Part:
    """The hosts of a fleet from a number on."""

    def __init__(self, fleet, first):
        self.fleet, self.first = fleet, first

    def names(self, count):
        return self.fleet.names(count, first=self.first)


def fleet_bad(bench, _lab, _peers):
    """9,990 good hosts with and without 10 of each kind of bad one"""
    topic = Topic('fleet-bad', 'A simulated fleet with bad hosts')
    each = 1 if bench.quick else 10
    good = max(bench.options.fleet) - each
    kinds = [kind for kind in KINDS if not (bench.quick and kind in SLOW)]
    bad = each * len(kinds)
    statements = [f'host {1 + number * each}-{(number + 1) * each} {kind}' for number, kind in enumerate(kinds)]
    fleet = Fleet(bench, bad + good, *statements)
    muster = Muster(bench, fleet.config(bad + good))
    limit = 3 if bench.quick else 15
    options = ('--connect-timeout', str(limit), '--start-timeout', str(limit), '--timeout', str(limit),
               '--stop-grace', str(1 if bench.quick else 5))
    ends = collections.defaultdict(collections.Counter)
    for number in range(bench.options.rounds):
        bench.note(f'round {number + 1}: {good} good hosts')
        alone(bench, topic, muster, fleet, good, bad, options)
        bench.note(f'round {number + 1}: {good} good hosts, {bad} bad ones')
        together(bench, topic, muster, fleet, (good, kinds, each), options, ends)
    muster.stop()
    topic.table(f'`true` on {good} good hosts; all at once, connect, start and run for at most {limit} s',
                ['', 'last good host s', 'wall s', 'CPU us/host', 'peak MB'],
                [[case, topic.median(case, 'last'), topic.median(case, 'wall'), topic.median(case, 'cpu'),
                  report.times(1 / 1024, topic.median(case, 'peak'))] for case in ('without', 'with')])
    topic.table(f'How the {each} of a kind ended, in {bench.options.rounds} rounds, and when the last of them',
                ['kind', 'ended after s', 'causes'],
                [[kind, topic.figure(kind, 'ended').share(1),
                  ', '.join(f'{cause} {number}' for cause, number in ends[kind].most_common())] for kind in kinds])
    topic.target('last good host, with bad ones / without',
                 report.ratio(topic.median('with', 'last'), topic.median('without', 'last')), 1.1)
    topic.target('good hosts that failed', topic.figure('with', 'failed').share(1), 0)
    return topic


def add(topic, case, run, count):
    topic.add(case, 'wall', run.wall, 's')
    topic.add(case, 'cpu', run.cpu / count * 1e6, 'us')
    topic.add(case, 'peak', run.daemon_peak_kb + run.peak_kb, 'KB')


def alone(bench, topic, muster, fleet, good, bad, options):
    muster.stop()
    begin = time.time()
    run = muster.invoke(Part(fleet, bad + 1), good, fanout=good + bad, options=options)
    add(topic, 'without', run, good)
    ended = [seconds_of(child['end']) for child in muster.children() if child.get('end')]
    if ended:
        topic.add('without', 'last', max(ended) - begin, 's')
    else:
        bench.fault('the children of a job are not shown')


def together(bench, topic, muster, fleet, numbers, options, ends):
    good, kinds, each = numbers
    bad = each * len(kinds)
    muster.stop()
    begin = time.time()
    run = muster.invoke(fleet, good + bad, fanout=good + bad, options=options, expect=4)
    add(topic, 'with', run, good + bad)
    last, failed, seen = 0.0, 0, 0
    for child in muster.children():
        number = int(child['location'][3:])
        after = seconds_of(child['end']) - begin if child.get('end') else None
        seen += 1
        if number > bad:
            failed += child['state'] != 'Completed'
            last = max(last, after or 0)
            continue
        kind = kinds[(number - 1) // each]
        ends[kind][cause_of(child)] += 1
        topic.add(kind, 'ended', after, 's')
    if seen != good + bad:
        bench.fault(f'{seen} children are shown, not {good + bad}')
    if failed:
        bench.fault(f'{failed} of {good} good hosts failed beside {bad} bad ones')
    topic.add('with', 'last', last, 's')
    topic.add('with', 'failed', failed)
