"""Host expressions: folding and expanding many names, whole processes, beside nodeset."""

import shutil

from suite import report
from suite.bench import Absent
from suite.report import Topic

FOLDERS = {'one number': 'node{0:05d}.example.com', 'two numbers': 'rack{1}n{2}'}


def names(form, count):
    """In an order in which neighbours do not follow one another."""
    rows = max(1, count // 500)
    found = [form.format(number, number % rows, number // rows) for number in range(count)]
    return found[1::2] + found[::2]


def contest(bench, topic, case, ours, theirs, rounds):
    """Runs both in turn and holds what they say against one another."""
    outputs = {}
    for number in range(rounds):
        for who, command in (('muster', ours), ('nodeset', theirs)):
            if who == 'nodeset' and number >= max(2, rounds // 4):
                continue
            run = bench.run(['sh', '-c', f'exec {command}'])
            if run.status:
                bench.fault(f'{case}, {who}: status {run.status}: {run.text(run.err)}')
            outputs[who] = run.text(run.out)
            topic.add(f'{case}, {who}', 'wall', run.wall * 1e3, 'ms')
            topic.add(f'{case}, {who}', 'cpu', run.cpu * 1e3, 'ms')
            topic.add(f'{case}, {who}', 'memory', run.peak_kb / 1024, 'MiB')
    if outputs['muster'] != outputs['nodeset']:
        bench.fault(f'{case}: muster and nodeset differ')


def hosts(bench, _lab, _peers):
    """folding and expanding many names, beside nodeset"""
    nodeset = shutil.which('nodeset', path='/usr/bin:/bin')
    if not nodeset:
        raise Absent('no nodeset; install clustershell')
    topic = Topic('hosts', 'Host expressions')
    count = 2000 if bench.quick else 50000
    muster, folder = bench.options.muster, bench.folder('hosts')
    rounds = bench.options.repeats
    cases = []
    for title, form in FOLDERS.items():
        path = f'{folder}/{title.replace(" ", "-")}'
        with open(path, 'w', encoding='ascii') as file:
            file.write('\n'.join(names(form, count)) + '\n')
        cases.append((f'fold, {title}', f"'{muster}' hosts -f - <'{path}'", f"{nodeset} -f <'{path}'"))
    text = f'node[00001-{count:05d}].example.com'
    cases.append(('expand', f"'{muster}' hosts '{text}'", f"{nodeset} -S '\\n' -e '{text}'"))
    for case, ours, theirs in cases:
        bench.note(f'{case}: {count} names')
        contest(bench, topic, case, ours, theirs, rounds)
    topic.table(f'{count} names, the whole process', ['', 'median ms', 'CPU ms', 'memory MiB'],
                [[f'{case}, {who}', *(topic.median(f'{case}, {who}', what) for what in ('wall', 'cpu', 'memory'))]
                 for case, _, _ in cases for who in ('muster', 'nodeset')])
    for case, _, _ in cases:
        topic.target(f'{case}: muster / nodeset',
                     report.ratio(topic.median(f'{case}, muster', 'wall'), topic.median(f'{case}, nodeset', 'wall')), 0.05)
    return topic
