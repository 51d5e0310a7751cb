"""Figures, and what is made of them: medians, tables, targets, markdown and JSON."""

import json
import statistics


class Figure:
    """All values of one quantity in one case, in the order of the rounds."""

    def __init__(self, case, name, unit):
        self.case, self.name, self.unit = case, name, unit
        self.values = []

    def median(self):
        return statistics.median(self.values) if self.values else None

    def share(self, part):
        """The value that this part of all, 0 to 1, is not above."""
        ordered = sorted(self.values)
        return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else None


def ratio(above, below):
    """None where one of them is not known."""
    return None if above is None or not below else above / below


def less(first, second):
    return None if first is None or second is None else first - second


def times(factor, value):
    return None if value is None else factor * value


def show(value, digits=3):
    """A cell of a table."""
    if value is None:
        return '-'
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return f'{value:,}'
    if abs(value) >= 1000:
        return f'{value:,.0f}'
    return f'{value:.{digits}g}'


class Topic:
    """What one benchmark has to say."""

    def __init__(self, name, title):
        self.name, self.title = name, title
        self.figures = {}
        self.tables = []
        self.targets = []
        self.remarks = []

    def add(self, case, name, value, unit=''):
        if value is not None:
            self.figures.setdefault((case, name), Figure(case, name, unit)).values.append(value)

    def figure(self, case, name):
        return self.figures.get((case, name), Figure(case, name, ''))

    def median(self, case, name):
        return self.figure(case, name).median()

    def best(self, cases, name):
        """The smallest median of these cases, or None."""
        known = [value for value in (self.median(case, name) for case in cases) if value is not None]
        return min(known) if known else None

    def table(self, title, columns, rows):
        self.tables.append({'title': title, 'columns': columns, 'rows': [[show(cell) for cell in row] for row in rows]})

    def target(self, name, value, limit, unit=''):
        """One that is to be at most limit. It is only said whether it is met."""
        self.targets.append({'name': name, 'value': value, 'limit': limit, 'unit': unit,
                             'met': None if value is None else value <= limit})

    def remark(self, text):
        self.remarks.append(text)

    def as_json(self):
        figures = [{'case': f.case, 'name': f.name, 'unit': f.unit, 'median': f.median(), 'values': f.values}
                   for f in self.figures.values()]
        return {'title': self.title, 'figures': figures, 'tables': self.tables, 'targets': self.targets,
                'remarks': self.remarks}


def markdown_table(columns, rows):
    yield '| ' + ' | '.join(columns) + ' |'
    yield '|' + '|'.join(['---'] + ['--:'] * (len(columns) - 1)) + '|'
    for row in rows:
        yield '| ' + ' | '.join(row) + ' |'


def markdown_topic(topic):
    yield f'## {topic.title}'
    yield ''
    for table in topic.tables:
        if table['title']:
            yield table['title']
            yield ''
        yield from markdown_table(table['columns'], table['rows'])
        yield ''
    for remark in topic.remarks:
        yield f'* {remark}'
    if topic.remarks:
        yield ''
    if topic.targets:
        words = {True: 'met', False: '**not met**', None: 'not measured'}
        yield from markdown_table(['target', 'is', 'at most', ''],
                                  [[t['name'], show(t['value']) + t['unit'] * (t['value'] is not None),
                                    show(t['limit']) + t['unit'], words[t['met']]] for t in topic.targets])
        yield ''


def markdown(about, topics, skipped, wrong):
    lines = ['# Benchmarks', '']
    lines += [f'* {name}: {value}' for name, value in about.items()] + ['']
    for topic in topics:
        lines += markdown_topic(topic)
    for title, notes in (('Skipped', skipped), ('Wrong', wrong)):
        if notes:
            lines += [f'## {title}', ''] + [f'* {note}' for note in notes] + ['']
    return '\n'.join(lines)


def as_json(about, topics, skipped, wrong):
    return json.dumps({'about': about, 'topics': {topic.name: topic.as_json() for topic in topics},
                       'skipped': skipped, 'wrong': wrong}, indent=1) + '\n'
