# SPDX-License-Identifier: BSD-2-Clause
"""Helpers that answer as a test wants them to: what no simulated target does."""

import array
import os
import socket
import struct
import threading

GOOD, CHECK, BUSY, CONFLICT = 0x00, 0x02, 0x08, 0x18


def sense(key, asc, ascq):
    """Fixed format."""
    data = bytearray(96)
    data[0], data[2], data[7], data[12], data[13] = 0x70, key, 10, asc, ascq
    return bytes(data)


def reply(status=GOOD, payload=b"", key=0, asc=0, ascq=0):
    block = sense(key, asc, ascq) if status == CHECK else bytes(96)
    return struct.pack(">II", status, len(payload)) + block + payload


def check(key, asc, ascq):
    return reply(CHECK, b"", key, asc, ascq)


def keys(*values, generation=7):
    return struct.pack(">II", generation, 8 * len(values)) + b"".join(struct.pack(">Q", v) for v in values)


def reservation(key=None, type_code=1, generation=7):
    if key is None:
        return struct.pack(">II", generation, 0)
    return struct.pack(">IIQIBBH", generation, 16, key, 0, 0, type_code, 0)


class Server:
    """Listens on a socket of the test's; `serve(connection)` runs for each client."""

    def __init__(self, t, name, serve):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(t.path(name))
        self.listener.listen(16)
        self.serve = serve
        t.cleanups.callback(self.close)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.one, args=(connection,), daemon=True).start()

    def one(self, connection):
        with connection:
            try:
                self.serve(connection)
            except OSError:
                pass

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class Helper(Server):
    """A helper; `answer(cdb, parameters)` gives the bytes of each reply, None hangs up."""

    def __init__(self, t, answer, name="F", features=b"\0\0\0\0"):
        self.answer, self.features = answer, features
        self.commands = []
        super().__init__(t, name, self.handle)

    def handle(self, connection):
        connection.sendall(self.features)
        receive(connection, 4)
        while True:
            cdb = receive(connection, 16)
            if len(cdb) < 16:
                return
            parameters = b""
            if cdb[0] == 0x5F:
                parameters = receive(connection, struct.unpack(">I", cdb[5:9])[0])
            self.commands.append((cdb, parameters))
            data = self.answer(cdb, parameters)
            if data is None:
                return
            connection.sendall(data)


def receive(connection, size):
    """`size` bytes, less at the end; descriptors are dropped."""
    data = b""
    while len(data) < size:
        part, control, _, _ = connection.recvmsg(size - len(data), socket.CMSG_SPACE(64))
        for level, kind, content in control:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                for fd in array.array("i", content[:len(content) // 4 * 4]):
                    os.close(fd)
        if not part:
            break
        data += part
    return data


def device(replies):
    """An answer function: {service action: reply, or a list of replies used one by one} of PR IN."""
    def answer(cdb, _):
        found = replies.get(cdb[1] & 0x1F, check(5, 0x24, 0))
        return found.pop(0) if isinstance(found, list) and len(found) > 1 else (
            found[0] if isinstance(found, list) else found)
    return answer
