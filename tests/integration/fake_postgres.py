"""A PostgreSQL that says what a test tells it to say: the v3 protocol, simple queries, a stream of CopyData. No query is understood:
the first pattern that a statement matches gives its answer, by default that of a sound server with one table."""
import re
import socket
import struct
import threading
import time

TEXT = 25
COLUMNS = ("kode", "nama", "jumlah")


def message(kind, body=b""):
    return kind + struct.pack("!I", len(body) + 4) + body


def described(names):
    return message(b"T", struct.pack("!H", len(names)) + b"".join(
        n.encode() + b"\0" + struct.pack("!IHIhih", 0, 0, TEXT, -1, -1, 0) for n in names))


def row(values):
    cells = [None if v is None else v if isinstance(v, bytes) else str(v).encode() for v in values]
    return message(b"D", struct.pack("!H", len(cells)) + b"".join(
        struct.pack("!i", -1) if c is None else struct.pack("!i", len(c)) + c for c in cells))


def complete(tag="SELECT"):
    return message(b"C", tag.encode() + b"\0")


def rows(values, columns=None):
    n = columns if columns is not None else len(values[0]) if values else 1
    return described(["c%d" % i for i in range(n)]) + b"".join(map(row, values)) + complete()


def refusal(state, text, severity="ERROR"):
    return message(b"E", b"".join(k + v.encode() + b"\0" for k, v in ((b"S", severity), (b"V", severity), (b"C", state), (b"M", text))) + b"\0")


def notice(text):
    return message(b"N", b"".join(k + v.encode() + b"\0" for k, v in ((b"S", "NOTICE"), (b"V", "NOTICE"), (b"C", "00000"), (b"M", text))) + b"\0")


# --- the stream ---

def copy(data):
    return message(b"d", data)


def wal(payload, at=0x5000):
    return copy(b"w" + struct.pack("!QQQ", at, at, 0) + payload)


def keepalive(at, answer=False):
    return copy(b"k" + struct.pack("!QQB", at, 0, answer))


def begin(at):
    return b"B" + struct.pack("!QQI", at, 0, 7)


def commit(at, end=None):
    return b"C" + struct.pack("!BQQQ", 0, at, end or at + 8, 0)


def relation(number=1, schema="public", name="unit", columns=COLUMNS, identity=b"d"):
    return b"R" + struct.pack("!I", number) + schema.encode() + b"\0" + name.encode() + b"\0" + identity + struct.pack("!H", len(columns)) + \
        b"".join(struct.pack("!B", c == "kode") + c.encode() + b"\0" + struct.pack("!Ii", TEXT, -1) for c in columns)


def insert(values, number=1):
    cells = [v if isinstance(v, bytes) else str(v).encode() for v in values]
    return b"I" + struct.pack("!I", number) + b"N" + struct.pack("!H", len(cells)) + b"".join(b"t" + struct.pack("!I", len(c)) + c for c in cells)


def transaction(at, *changes):
    return [wal(begin(at)), *map(wal, changes), wal(commit(at))]


class Ended(Exception):
    pass


class Server:
    def __init__(self, table=(("A", "a", "1"),), address="127.0.0.1"):
        self.table, self.slot, self.system, self.timeline, self.end = table, False, "7000000000000000001", "1", "0/FFFF0"
        self.version, self.entry, self.tls = "15.4", message(b"R", struct.pack("!I", 0)), b"N"
        self.answers = {}  # pattern: bytes, or a function of the session; looked at first
        self.stream = []  # what START_REPLICATION gives, or a function of the session
        self.asked, self.passwords, self.confirmed, self.streams, self.connections = [], [], 0, 0, 0
        self.sessions, self.stopping = [], False
        self.listener = socket.create_server((address, 0), backlog=32)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while not self.stopping:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            session = Session(self, s)
            self.sessions.append(session)
            threading.Thread(target=session.run, daemon=True).start()

    def hang_up(self):
        """Every connection ends; new ones are taken."""
        for session in self.sessions:
            session.close()
        self.sessions = []

    def stop(self):
        self.stopping = True
        self.listener.close()
        self.hang_up()

    def answer(self, sql):
        wanted = [c for c in re.findall('"([a-z]+)"', sql.split(" FROM ")[0]) if c in COLUMNS]
        sound = {
            "^SHOW wal_level": rows([["logical"]]),
            "relreplident, has_table_privilege": rows([["r", "d", "t"]]),
            "FROM pg_attribute": rows([["kode", "t"], ["nama", "f"], ["jumlah", "f"]]),
            "FROM pg_publication ": rows([["t"]]),
            "unnest.attnames": rows([["kode", "f"], ["nama", "f"], ["jumlah", "f"]]),
            "rowfilter": rows([[None]]),
            "FROM pg_replication_slots": rows([["reserved", "0"]] if self.slot else [], 2),
            "pg_drop_replication_slot": rows([[""]]),
            "^IDENTIFY_SYSTEM": rows([[self.system, self.timeline, self.end, "titian"]]),
            "^CREATE_REPLICATION_SLOT": rows([["s", "0/%X" % (0x1000 + len(self.asked)), "00000003-00000002-1", "pgoutput"]]),
            "pg_logical_emit_message": rows([["0/1"]]),
            "^BEGIN": complete("BEGIN"),
            "^SET ": complete("SET"),
            '^SELECT "': rows([[r[COLUMNS.index(c)] for c in wanted] for r in self.table], 3),
        }
        for pattern, answer in [*self.answers.items(), *sound.items()]:
            if re.search(pattern, sql):
                if pattern.startswith("^CREATE"):
                    self.slot = True
                if pattern.startswith("pg_drop"):
                    self.slot = False
                return answer
        return refusal("42601", "nobody told what to say")


class Session:
    def __init__(self, server, s):
        self.server, self.socket = server, s

    def run(self):
        try:
            self.enter()
            while True:
                kind, body = self.take()
                if kind == b"X":
                    return
                if kind == b"Q":
                    self.query(body.rstrip(b"\0").decode())
        except (OSError, Ended):
            pass
        finally:
            self.close()

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()

    def bytes(self, n):
        got = b""
        while len(got) < n:
            more = self.socket.recv(n - len(got))
            if not more:
                raise Ended
            got += more
        return got

    def take(self):
        kind = self.bytes(1)
        return kind, self.bytes(struct.unpack("!I", self.bytes(4))[0] - 4)

    def put(self, *data):
        for d in data:
            self.socket.sendall(d)

    def enter(self):
        while True:
            n, version = struct.unpack("!II", self.bytes(8))
            if n > 10000:  # TLS was offered, and is not there
                self.put(b"bukan TLS\n")
                raise Ended
            self.bytes(n - 8)
            if version == 196608:
                break
            self.put(self.server.tls if version == 80877103 else b"N")
        self.put(self.server.entry)
        if self.server.entry[5:9] != b"\0\0\0\0":  # who was asked for a password says it
            self.server.passwords.append(self.take()[1])
            self.put(refusal("28P01", "wrong", "FATAL"))
            raise Ended
        for name, value in (("server_version", self.server.version), ("client_encoding", "UTF8"), ("standard_conforming_strings", "on")):
            if value is not None:
                self.put(message(b"S", name.encode() + b"\0" + value.encode() + b"\0"))
        self.put(message(b"K", b"\0" * 8), message(b"Z", b"I"))

    def query(self, sql):
        self.server.asked.append(sql)
        if sql.startswith("START_REPLICATION"):
            self.server.streams += 1
            self.put(message(b"W", b"\0\0\0"))
            threading.Thread(target=self.listen, daemon=True).start()
            stream = self.server.stream
            if callable(stream):
                stream(self)
            else:
                self.put(*stream)
            while True:  # the stream stays open; listen hears its end
                time.sleep(0.1)
                if self.socket.fileno() < 0:
                    raise Ended
        answer = self.server.answer(sql)
        if callable(answer):
            answer(self)
        else:
            self.put(answer, message(b"Z", b"I"))

    def listen(self):
        """Status updates: how far the adapter says it is."""
        try:
            while not getattr(self, "deaf", False):
                kind, body = self.take()
                if kind == b"d" and body[:1] == b"r":
                    self.server.confirmed = max(self.server.confirmed, struct.unpack("!Q", body[9:17])[0])
        except (OSError, Ended):
            self.close()
