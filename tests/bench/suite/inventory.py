"""Large inventories of Ansible: read, expanded and counted by a whole process."""

import os

from suite.report import Topic

GROUPS = 200


def names(count):
    return [f'node{number:05d}.example.com' for number in range(count)]


def as_ini(count):
    """Hosts with an address each, in groups that are in sites, which have variables."""
    lines = []
    for group in range(GROUPS):
        lines.append(f'[rack{group}]')
        lines += [f'{name} ansible_host=10.{number >> 16}.{number >> 8 & 255}.{number & 255}'
                  for number, name in enumerate(names(count)) if number % GROUPS == group]
    for site in range(10):
        lines.append(f'[site{site}:children]')
        lines += [f'rack{group}' for group in range(GROUPS) if group % 10 == site]
        lines += [f'[site{site}:vars]', f'ansible_user=user{site}']
    return lines


def as_yaml(count):
    """The same."""
    lines = ['all:', '  children:']
    for site in range(10):
        lines += [f'    site{site}:', '      vars:', f'        ansible_user: user{site}', '      children:']
        for group in range(site, GROUPS, 10):
            lines += [f'        rack{group}:', '          hosts:']
            for number, name in enumerate(names(count)):
                if number % GROUPS == group:
                    lines += [f'            {name}:',
                              f'              ansible_host: 10.{number >> 16}.{number >> 8 & 255}.{number & 255}']
    return lines


def as_plain_yaml(count):
    """Names and groups alone."""
    return [line for line in as_yaml(count) if 'ansible_host' not in line]


def write_vars(folder):
    """Variables of each group in a file beside the inventory, and of a few hosts."""
    for kind in ('group_vars', 'host_vars'):
        os.makedirs(f'{folder}/{kind}')
    for name in ['all', *(f'rack{group}' for group in range(GROUPS))]:
        with open(f'{folder}/group_vars/{name}.yml', 'w', encoding='ascii') as file:
            file.write(f'ansible_port: 2222\nansible_user: {name}\npackages:\n' + '  - {name: a, state: present}\n' * 20)
    for number in range(100):
        with open(f'{folder}/host_vars/node{number:05d}.example.com', 'w', encoding='ascii') as file:
            file.write('ansible_port: 22\n')


def inventory(bench, _lab, _peers):
    """a large inventory of Ansible, loaded and counted"""
    topic = Topic('inventory', 'Inventories of Ansible')
    count = bench.options.inventory_hosts
    folder = bench.folder('inventories')
    cases = {'INI': (as_ini, 'hosts.ini'), 'YAML': (as_yaml, 'hosts.yml'), 'YAML, names alone': (as_plain_yaml, 'names.yml'),
             'INI, with group_vars of each group': (as_ini, 'vars/hosts.ini')}
    write_vars(f'{folder}/vars')
    for make, name in cases.values():
        with open(f'{folder}/{name}', 'w', encoding='ascii') as file:
            file.write('\n'.join(make(count)) + '\n')
    for _ in range(bench.options.repeats):
        for case, (_, name) in cases.items():
            run = bench.run([bench.options.muster, 'hosts', '--count', '--inventory', f'{folder}/{name}', '@*'])
            if run.status or run.text(run.out).strip() != str(count):
                bench.fault(f'{case}: status {run.status}: {run.text(run.err)}')
            topic.add(case, 'wall', run.wall * 1e3, 'ms')
            topic.add(case, 'cpu', run.cpu * 1e3, 'ms')
            topic.add(case, 'memory', run.peak_kb / 1024, 'MiB')
    topic.table(f'`muster hosts --count --inventory FILE @*`, {count} hosts in {GROUPS} groups in 10 groups',
                ['', 'median ms', 'CPU ms', 'memory MiB'],
                [[case, topic.median(case, 'wall'), topic.median(case, 'cpu'), topic.median(case, 'memory')]
                 for case in cases])
    for case in cases:
        topic.target(f'{count} hosts, {case}', topic.median(case, 'wall'), 300, ' ms')
    return topic
