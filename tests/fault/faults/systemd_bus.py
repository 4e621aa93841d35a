"""A system bus on a socket of ours, with a systemd behind it that knows one unit: an
application that xcctl runs. As much of D-Bus and of org.freedesktop.systemd1 as certrenewd
speaks. What a real systemd does is tested in tests/e2e/test_systemd.py."""

import socket
import struct
import threading

CALL, REPLY, ERROR, SIGNAL = 1, 2, 3, 4
PATH, INTERFACE, MEMBER, ERROR_NAME, REPLY_SERIAL, DESTINATION, SENDER, SIGNATURE = range(1, 9)
MANAGER_PATH = "/org/freedesktop/systemd1"
MANAGER = "org.freedesktop.systemd1.Manager"
UNIT_PATH = MANAGER_PATH + "/unit/app_2eservice"
JOB_PATH = MANAGER_PATH + "/job/1"
VERBS = ("RestartUnit", "ReloadUnit", "StartUnit", "ReloadOrRestartUnit")


class Writer:
    """Little-endian D-Bus values."""

    def __init__(self):
        self.data = bytearray()

    def pad(self, to):
        self.data += bytes(-len(self.data) % to)

    def put(self, kind, value):
        if kind in "ui":
            self.pad(4)
            self.data += struct.pack("<I" if kind == "u" else "<i", value)
        elif kind in "so":
            self.put("u", len(value))
            self.data += value.encode() + b"\0"
        elif kind == "g":
            self.data += bytes([len(value)]) + value.encode() + b"\0"
        elif kind == "ay":
            self.put("u", len(value))
            self.data += value
        else:  # a variant: ("v", (its kind, the value))
            self.put("g", value[0])
            self.put(*value)


def message(kind, serial, fields, body=()):
    """`fields`: code -> (kind, value). `body`: (kind, value)s."""
    content, head = Writer(), Writer()
    for each in body:
        content.put(*each)
    if body:
        fields = {**fields, SIGNATURE: ("g", "".join(k for k, _ in body))}
    array = Writer()
    array.data += bytes(16)  # where it lies decides about padding
    for code, value in fields.items():
        array.pad(8)
        array.data.append(code)
        array.put("v", value)
    head.data += struct.pack("<cBBBIII", b"l", kind, 0, 1, len(content.data), serial,
                             len(array.data) - 16)
    head.data += array.data[16:]
    head.pad(8)
    return bytes(head.data + content.data)


def text_at(data, at):
    length, = struct.unpack_from("<I", data, at)
    return data[at + 4:at + 4 + length].decode(), at + 4 + length + 1


def fields_of(data, end):
    """Those of a header that are texts: code -> text."""
    fields, at = {}, 16
    while at < end:
        at += -at % 8
        code, kind = data[at], chr(data[at + 2])
        at += 4
        if kind == "g":
            fields[code] = data[at + 1:at + 1 + data[at]].decode()
            at += data[at] + 2
        elif kind in "so":
            at += -at % 4
            fields[code], at = text_at(data, at)
        else:
            at += -at % 4 + 4
    return fields


class SystemBus:
    """`app`: what the unit 'app.service' is."""

    def __init__(self, path, app):
        self.app, self.address = app, f"unix:path={path}"
        self._serial = 0
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(16)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.close()

    def _accept(self):
        while True:
            try:
                client = self._listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            with client, client.makefile("rb") as lines:
                self._let_in(client, lines)
                while head := lines.read(16):
                    self._answer(client, head, lines)
        except (OSError, struct.error):  # it died
            pass

    @staticmethod
    def _let_in(client, lines):
        lines.read(1)
        while (line := lines.readline().strip()) != b"BEGIN":
            if not line:
                raise OSError("it hung up")
            answer = {b"AUTH EXTERNAL": b"DATA", b"DATA": b"OK " + b"0" * 31 + b"1",
                      b"NEGOTIATE_UNIX_FD": b"AGREE_UNIX_FD"}.get(
                          line, b"OK " + b"0" * 31 + b"1")
            client.sendall(answer + b"\r\n")

    def _send(self, client, kind, fields, body=()):
        self._serial += 1
        client.sendall(message(kind, self._serial, {SENDER: ("s", MANAGER[:24]), **fields},
                               body))

    def _answer(self, client, head, lines):
        _, kind, flags, _, length, serial, of_fields = struct.unpack("<cBBBIII", head)
        rest = lines.read(of_fields + -(16 + of_fields) % 8)
        fields, body = fields_of(head + rest, 16 + of_fields), lines.read(length)
        if kind != CALL:
            return
        member = fields[MEMBER]
        said = self._reply(member, body)
        if not flags & 1:
            self._send(client, REPLY, {REPLY_SERIAL: ("u", serial)}, said)
        if member in VERBS:
            done = self.app.ctl("restart", check=False)
            self._send(client, SIGNAL, {
                PATH: ("o", MANAGER_PATH), INTERFACE: ("s", MANAGER),
                MEMBER: ("s", "JobRemoved")}, [
                    ("u", 1), ("o", JOB_PATH), ("s", "app.service"),
                    ("s", "failed" if done else "done")])

    def _reply(self, member, body):
        if member == "Hello":
            return [("s", ":1.1")]
        if member == "LoadUnit":
            return [("o", UNIT_PATH)]
        if member in VERBS:
            return [("o", JOB_PATH)]
        if member == "Get":
            _, at = text_at(body, 0)
            name, _ = text_at(body, at + -at % 4)
            return [("v", self._property(name))]
        return []

    def _property(self, name):
        if name == "ActiveState":
            running = self.app.ctl("status", check=False) == 0
            return ("s", "active" if running else "inactive")
        known = {"LoadState": ("s", "loaded"), "SubState": ("s", "running"),
                 "Result": ("s", "success"), "Type": ("s", "simple"),
                 "InvocationID": ("ay", bytes(16))}
        return known.get(name, ("i", 0))
