"""A MariaDB that is broken, or not what it says: a relay before a real one changes what its binary log tells. The adapter waits with one
error that says why, in bounded memory; nothing wrong is published, and it goes on once the server is sound."""
import os
import socket
import struct
import tempfile
import threading

import pytest

from conftest import wait_for
from own_adapter import OwnAdapter
from test_change import UNIT, following, once
from test_change_mariadb import MAPPING, Office, equal

ROWS = range(0x17, 0x1a)  # WRITE, UPDATE, DELETE_ROWS_EVENT_V1
MB = 1024 * 1024


class Relay:
    """Packets pass whole. spoil(packet), for those of a binary log: the bytes to send in its place."""

    def __init__(self, server):
        self.server, self.spoil, self.dumps, self.folder = server, None, 0, tempfile.mkdtemp(prefix="titian-relay-", dir="/tmp")
        self.path, self.pairs = self.folder + "/s", []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(16)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(self.server)
            except OSError:
                client.close()
                continue
            state = {"dump": False}
            self.pairs.append((client, server))
            threading.Thread(target=self.up, args=(client, server, state), daemon=True).start()
            threading.Thread(target=self.down, args=(server, client, state), daemon=True).start()

    @staticmethod
    def packet(s):
        def exactly(n):
            got = b""
            while len(got) < n:
                more = s.recv(n - len(got))
                if not more:
                    raise OSError
                got += more
            return got
        head = exactly(4)
        return head + exactly(int.from_bytes(head[:3], "little"))

    def up(self, client, server, state):
        try:
            while True:
                data = self.packet(client)
                if data[3] == 0 and data[4:5] == b"\x12":  # COM_BINLOG_DUMP
                    state["dump"] = True
                    self.dumps += 1
                server.sendall(data)
        except OSError:
            self.end(client, server)

    def down(self, server, client, state):
        try:
            while True:
                data = self.packet(server)
                if state["dump"] and self.spoil:
                    spoiled = self.spoil(data)
                    if callable(spoiled):
                        spoiled(client)
                        raise OSError
                    data = spoiled
                client.sendall(data)
        except OSError:
            self.end(client, server)

    @staticmethod
    def end(*sockets):
        for s in sockets:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def hang_up(self):
        for pair in self.pairs:
            self.end(*pair)
        self.pairs = []

    def stop(self):
        self.listener.close()
        self.hang_up()
        os.unlink(self.path)
        os.rmdir(self.folder)


def is_rows(packet):
    return len(packet) > 9 and packet[4] == 0 and packet[9] in ROWS


def packed(body, number=1):
    return struct.pack("<I", len(body))[:3] + bytes([number]) + body


def flipped(packet):
    """A value of a row, one bit of it; its checksum says otherwise."""
    return packet[:-8] + bytes([packet[-8] ^ 1]) + packet[-7:] if is_rows(packet) else packet


def cut(packet):
    return packed(packet[4:-9], packet[3]) if is_rows(packet) else packet


def no_event(packet):
    return packed(b"\x07" + packet[5:], packet[3]) if is_rows(packet) else packet


def short(packet):
    return packed(b"\0" * 5, packet[3]) if is_rows(packet) else packet


def endless(packet):
    """One event of a gigabyte: packets of the largest size, which belong together."""
    def send(client):
        number = packet[3]
        for _ in range(64):
            client.sendall(b"\xff\xff\xff" + bytes([number]) + b"\0" * 0xffffff)
            number = (number + 1) & 0xff
    return send if is_rows(packet) else packet


SPOILED = [(flipped, "an event's checksum does not fit"), (cut, "is not what it should be"), (no_event, "is no event"), (short, "is not what it should be"), (endless, "MariaDB: ")]


def test_a_binary_log_that_is_not_as_it_should_be(apart):
    office = Office()
    relay = Relay(office.socket)
    office.sql("CREATE TABLE unit_mariarusak (kode varchar(40) PRIMARY KEY, nama text, jumlah bigint)")
    own = OwnAdapter(apart, "mariarusak", {"unit": UNIT}, {"unit.yaml": MAPPING % {
        "opd": "mariarusak", "table": "unit_mariarusak", "remove_max": 10, "connection": "host=%s dbname=titian user=ikut" % relay.path}})
    own.table = "unit_mariarusak"

    def memory():
        return int(next(l for l in open("/proc/%d/status" % own.process.pid) if l.startswith("VmHWM")).split()[1])
    try:
        own.start()
        following(own)
        before = memory()
        for i, (spoil, words) in enumerate(SPOILED):
            seen, dumps = len(own.log()), relay.dumps
            relay.spoil = spoil
            office.sql("INSERT INTO unit_mariarusak VALUES ('U%d', 'Unit', %d)" % (i, i))
            wait_for(lambda: words in own.log()[seen:], 60, "%s: %s" % (words, own.log()[seen:]))
            wait_for(lambda: relay.dumps > dumps + 1, 60, "another attempt")
            assert own.process.poll() is None and "U%d" % i not in own.fold("unit")
            relay.spoil = None
            relay.hang_up()
            wait_for(lambda: equal(own, office), 60, "what was spoilt, from the sound log\n" + own.log()[seen:])
        grown = memory() - before
        print("%d MB more" % (grown // 1024))
        assert grown < 700 * 1024, "%d kB more" % grown
        once(own)
        assert own.log().count("id=adapter.change_snapshot") == 1
    finally:
        own.stop()
        relay.stop()
        office.stop()


@pytest.mark.parametrize("mode", ["disable", "require", "verify-full"])
def test_a_password_is_not_said_to_a_server_that_did_not_prove_itself(apart, tmp_path, mode):
    secret = tmp_path / "rahasia"
    secret.write_text("sandi-rahasia\n")
    secret.chmod(0o600)
    heard = []
    listener = socket.create_server(("127.0.0.2", 0))

    def serve():
        while True:
            try:
                s, _ = listener.accept()
            except OSError:
                return
            with s:
                try:
                    flags = 0x81ffffff & ~0x800  # all but TLS
                    s.sendall(packed(b"\x0a5.5.5-10.11.6-MariaDB\0" + struct.pack("<I", 1) + b"12345678\0" + struct.pack("<H", flags & 0xffff) + b"\x2d\2\0" +
                                     struct.pack("<H", flags >> 16) + b"\x15" + b"\0" * 10 + b"123456789012\0mysql_native_password\0", 0))
                    heard.append(Relay.packet(s))
                    s.sendall(packed(b"\xfemysql_clear_password\0", 2))
                    heard.append(Relay.packet(s))
                except OSError:
                    pass
    threading.Thread(target=serve, daemon=True).start()
    own = OwnAdapter(apart, "mariasandi" + mode, {"unit": UNIT}, {"unit.yaml": MAPPING % {
        "opd": "mariasandi" + mode, "table": "unit", "remove_max": 10,
        "connection": "host=127.0.0.2 port=%d dbname=titian user=ikut sslmode=%s\n  password_file: %s" % (listener.getsockname()[1], mode, secret)}})
    try:
        own.start()
        wait_for(lambda: "id=adapter.change_waiting" in own.log(), 30, own.log())
        assert not any(b"sandi-rahasia" in h for h in heard) and "sandi-rahasia" not in own.log(), own.log()
        assert heard or mode != "disable"
    finally:
        own.stop()
        listener.close()
