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


def contest(bench, topic, case, commands, same):
    """Runs both in turn and, if they are to say the same, holds what they say against one another."""
    outputs = {}
    rounds = bench.options.repeats
    for number in range(rounds):
        for who, command in commands.items():
            if who == 'nodeset' and number >= max(2, rounds // 4):
                continue
            run = bench.run(['sh', '-c', f'exec {command}'])
            if run.status:
                bench.fault(f'{case}, {who}: status {run.status}: {run.text(run.err)}')
            outputs[who] = run.text(run.out)
            topic.add(f'{case}, {who}', 'wall', run.wall * 1e3, 'ms')
            topic.add(f'{case}, {who}', 'cpu', run.cpu * 1e3, 'ms')
            topic.add(f'{case}, {who}', 'memory', run.peak_kb / 1024, 'MiB')
    if same and outputs['muster'] != outputs['nodeset']:
        bench.fault(f'{case}: muster and nodeset differ')


def tasks(bench, muster, nodeset, count):
    """Each task, as a command of each: a range on the command line, and separate names on standard input."""
    text = f'node[00001-{count:05d}].example.com'
    found = {'expand, a range': {'muster': f"'{muster}' hosts '{text}'", 'nodeset': f"{nodeset} -S '\\n' -e '{text}'"}}
    folder = bench.folder('hosts')
    for title, form in FOLDERS.items():
        path = f'{folder}/{title.replace(" ", "-")}'
        with open(path, 'w', encoding='ascii') as file:
            file.write('\n'.join(names(form, count)) + '\n')
        found[f'expand, separate names, {title}'] = {'muster': f"'{muster}' hosts - <'{path}'",
                                                     'nodeset': f"{nodeset} -S '\\n' -e <'{path}'"}
        found[f'fold, separate names, {title}'] = {'muster': f"'{muster}' hosts -f - <'{path}'",
                                                   'nodeset': f"{nodeset} -f <'{path}'"}
    return found


def speed(topic, case, what):
    return report.ratio(topic.median(f'{case}, nodeset', what), topic.median(f'{case}, muster', what))


def hosts(bench, _lab, _peers):
    """folding and expanding many names, beside nodeset"""
    nodeset = shutil.which('nodeset', path='/usr/bin:/bin')
    if not nodeset:
        raise Absent('no nodeset; install clustershell')
    topic = Topic('hosts', 'Host expressions')
    count = 2000 if bench.quick else 50000
    muster = bench.options.muster
    cases = tasks(bench, muster, nodeset, count)
    for case, commands in cases.items():
        bench.note(f'{case}: {count} names')
        contest(bench, topic, case, commands, True)
    start = 'start alone (--version)'
    contest(bench, topic, start, {'muster': f"'{muster}' --version", 'nodeset': f'{nodeset} --version'}, False)
    topic.table(f'{count} names, the whole process', ['', 'median ms', 'CPU ms', 'memory MiB'],
                [[f'{case}, {who}', *(topic.median(f'{case}, {who}', what) for what in ('wall', 'cpu', 'memory'))]
                 for case in (*cases, start) for who in ('muster', 'nodeset')])
    topic.table('times as fast as nodeset', ['', 'by CPU time', 'by wall time'],
                [[case, *(speed(topic, case, what) for what in ('cpu', 'wall'))] for case in cases])
    for case in cases:
        topic.target(f'{case}: CPU time, muster / nodeset',
                     report.ratio(topic.median(f'{case}, muster', 'cpu'), topic.median(f'{case}, nodeset', 'cpu')), 0.05)
    return topic
