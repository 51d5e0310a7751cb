"""What a command costs: wall time, CPU time, memory; and the same of a process that runs anyway."""

import os
import select
import signal
import subprocess
import threading
import time


class Run:
    """One finished command. Times in seconds, memory in KB."""

    def __init__(self, argv):
        self.argv = argv
        self.wall = self.cpu = 0.0
        self.peak_kb = 0
        self.status = 125
        self.late = False  # it did not end in time, and was killed
        self.lines = 0  # with watch: on its standard output
        self.last = 0.0  # with watch: when the last of them came
        self.out = self.err = ''  # file names

    def text(self, name, size=400):
        """The end of what it wrote, for a message."""
        try:
            with open(name, 'rb') as file:
                file.seek(0, os.SEEK_END)
                file.seek(max(0, file.tell() - size))
                return file.read().decode(errors='replace').strip()
        except OSError:
            return ''


def has_ended(process, seconds):
    """True if it has ended in time. It is not waited for: its number stays taken until end_group."""
    fd = os.pidfd_open(process.pid)
    try:
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        return bool(poll.poll(max(0, seconds) * 1000))
    finally:
        os.close(fd)


def end_group(process):
    """Ends a process that leads a session of its own, with all that has stayed in its group, and waits for it."""
    for sign, grace in ((signal.SIGTERM, 2), (signal.SIGKILL, 10)):
        try:
            os.killpg(process.pid, sign)
        except ProcessLookupError:
            break
        has_ended(process, grace)
    process.wait()


def watch_output(process, run, begin, seconds):
    """Reads its output as it comes. True if it has ended in time."""
    fd = process.stdout.fileno()
    poll = select.poll()
    poll.register(fd, select.POLLIN | select.POLLHUP)
    while True:
        left = begin + seconds - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            return False
        data = os.read(fd, 65536)
        if not data:
            return has_ended(process, begin + seconds - time.monotonic())
        run.lines += data.count(b'\n')
        run.last = time.monotonic() - begin


def run_command(timed, work, argv, env, limit=600, out=None, watch=False, meter=None):
    """Runs a command with empty input, through the program timed. meter: a Meter that looks on."""
    run = Run(argv)
    report = os.path.join(work, 'timed')
    run.out = out or os.path.join(work, 'out')
    run.err = os.path.join(work, 'err')
    if os.path.exists(report):
        os.unlink(report)
    with open(run.out, 'wb') as stdout, open(run.err, 'wb') as stderr:
        begin = time.monotonic()
        process = subprocess.Popen([timed, report] + argv, stdin=subprocess.DEVNULL, stderr=stderr, env=env,
                                   stdout=subprocess.PIPE if watch else stdout, start_new_session=True)
        try:
            if meter:
                meter.start(process.pid)
            in_time = watch_output(process, run, begin, limit) if watch else has_ended(process, limit)
        finally:
            if meter:
                meter.stop()
            end_group(process)
            if process.stdout:
                process.stdout.close()
    run.late = not in_time
    try:
        with open(report, encoding='ascii') as file:
            wall, cpu, peak, status = file.read().split()
        run.wall, run.cpu, run.peak_kb, run.status = float(wall), float(cpu), int(peak), int(status)
    except (OSError, ValueError):
        run.wall, run.status = time.monotonic() - begin, 124 if run.late else 125
    return run


def cpu_of(pid):
    """Seconds of CPU time of a process so far: in nanoseconds, of threads that have ended too; of children that it
    has waited for in clock ticks. The number of the clock is the kernel's encoding of a process (clock_getcpuclockid(3))."""
    own = time.clock_gettime((~pid << 3) | 2)
    with open(f'/proc/{pid}/stat', encoding='ascii', errors='replace') as file:
        fields = file.read().rsplit(')', 1)[1].split()
    return own + (int(fields[13]) + int(fields[14])) / os.sysconf('SC_CLK_TCK')


def settled_cpu(pid, limit=3.0):
    """The same, once it has nothing more to do: what it does behind a run belongs to the run."""
    end = time.monotonic() + limit
    used = cpu_of(pid)
    while time.monotonic() < end:
        time.sleep(0.05)
        now = cpu_of(pid)
        if now - used < 0.0005:
            break
        used = now
    return used


def memory_of(pid, name='VmRSS'):
    """A line of /proc/PID/status in KB; 0 if there is no such process."""
    try:
        with open(f'/proc/{pid}/status', encoding='utf-8', errors='replace') as file:
            for line in file:
                if line.startswith(name + ':'):
                    return int(line.split()[1])
    except OSError:
        pass
    return 0


def descendants(root):
    """The process and all below it. What has left its parent is not found."""
    children = {}
    for name in os.listdir('/proc'):
        if name.isdigit():
            try:
                with open(f'/proc/{name}/stat', encoding='ascii', errors='replace') as file:
                    parent = int(file.read().rsplit(')', 1)[1].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


class Meter:
    """The memory of all processes of a command together, looked at ten times a second; pages that several share are
    counted once (Pss). It costs CPU time, so it does not look on where times are compared."""

    def __init__(self):
        self.peak_kb = 0
        self._ended = threading.Event()
        self._thread = None

    def _look(self, root):
        while not self._ended.wait(0.1):
            total = 0
            for pid in descendants(root):
                try:
                    with open(f'/proc/{pid}/smaps_rollup', encoding='ascii') as file:
                        total += next((int(line.split()[1]) for line in file if line.startswith('Pss:')), 0)
                except OSError:
                    continue
            self.peak_kb = max(self.peak_kb, total)

    def start(self, root):
        self._thread = threading.Thread(target=self._look, args=(root,), daemon=True)
        self._thread.start()

    def stop(self):
        self._ended.set()
        if self._thread:
            self._thread.join()
