"""Which key exchange a client asks for first: a server that reads its offer and hangs up."""

import socket
import struct
import subprocess


def _exactly(connection, count):
    data = b''
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise OSError('the client left')
        data += more
    return data


def read_offer(connection):
    """The key exchanges of a client, the dearest to it first (RFC 4253, 4.2 and 7.1)."""
    connection.settimeout(10)
    connection.sendall(b'SSH-2.0-probe\r\n')
    banner = b''
    while not banner.endswith(b'\n') and len(banner) < 512:
        banner += _exactly(connection, 1)
    length, _, kind = struct.unpack('>IBB', _exactly(connection, 6))
    if kind != 20 or not 22 <= length <= 35000:
        raise OSError('no SSH_MSG_KEXINIT')
    body = _exactly(connection, length - 2)
    (size,) = struct.unpack('>I', body[16:20])
    return body[20:20 + size].decode('ascii', errors='replace').split(',')


def first_choice(start):
    """start(port) makes a client connect to that port of 127.0.0.1, and returns what is to be called when it has."""
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        listener.listen()
        listener.settimeout(15)
        finish = start(listener.getsockname()[1])
        try:
            connection, _ = listener.accept()
            with connection:
                return next((name for name in read_offer(connection) if not name.startswith(('ext-', 'kex-strict'))), None)
        except OSError:
            return None
        finally:
            listener.close()
            finish()


def of_command(argv, env, config_path):
    """argv is a client that is told of the host `probe' by the ssh_config at config_path."""
    def start(port):
        with open(config_path, 'w', encoding='ascii') as file:
            file.write(f'Host probe\n  HostName 127.0.0.1\n  Port {port}\n')
        process = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)

        def finish():
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        return finish
    return first_choice(start)
