"""A PostgreSQL that is broken, or not what it says: the adapter waits with one error that says why, in bounded memory; nothing wrong is
published, and nothing of a row is in its log. Each test ends with a sound server, whose change must then arrive."""
import struct
import time

import pytest

import fake_postgres as fake
from conftest import wait_for
from fake_postgres import begin, commit, complete, copy, insert, keepalive, message, notice, relation, row, rows, transaction, wal
from own_adapter import OwnAdapter
from test_change import MAPPING, UNIT

NIK = "1471010101900001"  # nobody's; what a server says of a person must not be in a log
MB = 1024 * 1024


class Followed:
    """An adapter that follows the fake server's table."""

    def __init__(self, apart, opd, connection=None, more="", server=None):
        self.server = server or fake.Server()
        connection = connection or "host=127.0.0.1 port=%d dbname=titian user=titian" % self.server.port
        self.own = OwnAdapter(apart, opd, {"unit": UNIT}, {"unit.yaml": MAPPING % {
            "opd": opd, "table": "unit", "publication": "terbit", "remove_max": 100, "more": more, "key": "kode", "connection": connection}})
        self.seen = 0

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.own.stop()
        self.server.stop()

    def told(self, words, seconds=30):
        """In the log, behind what was awaited last."""
        def found():
            assert self.own.process.poll() is None, "the adapter has ended: %s" % self.own.log()[-2000:]
            log = self.own.log()
            return words in log[self.seen:]
        wait_for(found, seconds, "%s\n%s" % (words, self.own.log()[self.seen:][-3000:]))
        self.seen = len(self.own.log())

    def says(self, **stream):
        """What the server says from its next connection on."""
        for name, value in stream.items():
            setattr(self.server, name, value)
        self.server.hang_up()

    def memory(self):
        """kB at most, until now."""
        return int(next(l for l in open("/proc/%d/status" % self.own.process.pid) if l.startswith("VmHWM")).split()[1])

    def arrives(self, at, kode):
        """A sound change, which must come through; and nothing else."""
        before = self.own.fold("unit")
        self.says(answers={}, stream=transaction(at, relation(), insert((kode, "baik", 1))))
        wait_for(lambda: kode in self.own.fold("unit"), 30, "a sound change\n%s" % self.own.log()[-3000:])
        assert self.own.fold("unit").keys() == before.keys() | {kode}
        wait_for(lambda: self.server.confirmed >= at + 8, 30, "it to be confirmed")


SHAPES = [
    ("^SHOW wal_level", rows([]), "'SHOW wal_level'"),
    ("^SHOW wal_level", rows([[None]]), "'SHOW wal_level'"),
    ("^SHOW wal_level", complete("SHOW"), "'SHOW wal_level'"),
    ("^SHOW wal_level", rows([["logical"]] * 2), "'SHOW wal_level'"),
    ("has_table_privilege", rows([[None, None, None]]), "'SELECT c.relkind"),
    ("has_table_privilege", rows([["r"]]), "'SELECT c.relkind"),
    ("FROM pg_attribute", rows([[None, "t"]]), "'SELECT a.attname"),
    ("FROM pg_attribute", rows([["kode"]]), "'SELECT a.attname"),
    ("FROM pg_publication ", rows([[None]]), "'SELECT pubinsert"),
    ("unnest.attnames", rows([[None, None]]), "'SELECT a, false"),
    ("FROM pg_replication_slots", rows([[None, None]]), "'SELECT coalesce(wal_status"),
    ("FROM pg_replication_slots", rows([["reserved"]]), "'SELECT coalesce(wal_status"),
    ("^IDENTIFY_SYSTEM", rows([[None, "1", "0/1", None]]), "'IDENTIFY_SYSTEM'"),
    ("^IDENTIFY_SYSTEM", rows([["peladen", "1", "0/1", "titian"]]), "'IDENTIFY_SYSTEM'"),
    ("^CREATE_REPLICATION_SLOT", rows([["s", "0/1000", None, "pgoutput"]]), "'CREATE_REPLICATION_SLOT"),
    ("^IDENTIFY_SYSTEM", rows([["7", "1", "jauh", "titian"]]), "'IDENTIFY_SYSTEM'"),
    ("^CREATE_REPLICATION_SLOT", rows([["s"]]), "'CREATE_REPLICATION_SLOT"),
    ("^CREATE_REPLICATION_SLOT", rows([["s", "0/1000", "x" * 100, "pgoutput"]]), "'CREATE_REPLICATION_SLOT"),
    ("^CREATE_REPLICATION_SLOT", fake.refusal("42710", 'replication slot "s" already exists'), "already exists"),  # of another plugin
    ("^SHOW wal_level", message(b"H", b"\0\0\1\0\0"), "COPY"),
    ("rowfilter", complete("SELECT"), "'SELECT rowfilter"),
    ('^SELECT "', rows([["B", "b"]]), "columns"),
    ('^SELECT "', rows([["B", "b", "2", "x"]]), "columns"),
    ('^SELECT "', complete("SELECT"), "columns"),
    ('^SELECT "', message(b"D", b"\xff\xff") + complete(), "PostgreSQL"),
]


def test_answers_of_the_wrong_shape(apart):
    with Followed(apart, "palsubentuk") as f:
        f.server.answers = {"^SHOW wal_level": rows([["replica"]])}
        f.own.start()
        f.told("wal_level is 'replica'")
        for pattern, answer, words in SHAPES:
            f.says(answers={pattern: answer})
            f.told(words)
        assert not f.own.records("unit")
        f.says(answers={}, version="9.6.24")
        f.told("10 or newer")
        f.says(version=None)
        f.told("10 or newer")
        f.says(version="15.4")
        f.told("id=adapter.change_following")
        assert f.own.fold("unit").keys() == {"A"}
        f.arrives(0x5000, "BAIK")
        for pattern, answer, words in (SHAPES[10], SHAPES[12], SHAPES[11], SHAPES[15]):  # where they are asked again
            f.says(answers={pattern: answer})
            f.told(words)
        f.arrives(0x6000, "LAGI")
        assert f.own.log().count("id=adapter.change_snapshot") == 1


ODD = relation(7, "pub\x01lic", "un\x1b[31mit\n", ["kolom\x07%d" % i for i in range(50)])
BROKEN = [
    ([wal(begin(0x7000)[:-1])], "broken at byte"),
    ([copy(b"w" + b"\0" * 10)], "cut short"),
    ([copy(b"?" + b"\0" * 40)], "no message"),
    ([wal(b"Z" + b"\0" * 10)], "broken at byte"),
    ([wal(b"")], "an empty message"),
    ([wal(begin(0x7000)), wal(insert(("S", "s", 1)))], "broken at byte"),  # of what was not described
    ([wal(relation()), wal(insert(("S", "s", 1)))], "outside a transaction"),
    ([wal(commit(0x7000))], "outside a transaction"),
    ([wal(begin(0x7000)), wal(begin(0x7100))], "within a transaction"),
    ([wal(begin(0x7000)), wal(commit(0x9000))], "another place"),
    ([*transaction(0x7000, ODD), *transaction(0x6f00, relation(), insert(("S", "s", 1)))], "go back"),
    ([wal(begin(0x7000)), wal(relation()), wal(insert(("S", "s")))], "broken at byte"),
    ([wal(begin(0x7000)), wal(relation(columns=["kolom%d" % i for i in range(65535)]))], "broken at byte"),
    ([wal(begin(0x7000)), wal(relation(columns=["kode", "nama", "jumlah"] + ["k" * 5000]))], "broken at byte"),
]


def test_a_stream_of_nonsense(apart):
    with Followed(apart, "palsuarus") as f:
        f.own.start()
        f.told("id=adapter.change_following")
        for stream, words in BROKEN:
            f.says(stream=stream)
            f.told(words)
        assert f.own.fold("unit").keys() == {"A"}
        f.says(stream=transaction(0x7000, ODD, insert(["x"] * 50, 7), relation(), insert(("U", b"bukan \xff UTF-8", 1)), insert(("V", "v", 1))))
        wait_for(lambda: "V" in f.own.fold("unit"), 30, "the sound row beside it")
        assert f.own.fold("unit").keys() == {"A", "V"} and len(f.own.records("karantina")) == 1, "what is no text is refused"
        f.arrives(0x8000, "BAIK")
        log = f.own.log()
        assert log.count("id=adapter.change_snapshot") == 1 and "\x1b" not in log and "\x07" not in log
        # The error is told once, however often it comes again.
        f.says(stream=[wal(b"Z")])
        f.told("broken at byte")
        streams = f.server.streams
        wait_for(lambda: f.server.streams > streams + 3, 30, "more attempts")
        assert f.own.log()[f.seen:].count("broken at byte") == 0


def test_a_table_that_takes_another_name_is_not_ours_any_more(apart):
    with Followed(apart, "palsunama") as f:
        f.own.start()
        f.told("id=adapter.change_following")
        f.server.table = (("A", "a", "1"), ("B", "b", "2"))
        f.says(stream=transaction(0x7000, relation(), insert(("B", "b", 2)), relation(name="unit_lama", columns=["kode"]), insert(["C"])))
        f.told("renamed")
        f.server.stream = []
        f.told("id=adapter.change_following")
        assert f.own.fold("unit").keys() == {"A", "B"}


def flood(session):
    session.deaf = True  # answers are asked for, and not read
    for _ in range(4000):
        session.put(keepalive(0x7000, True) * 1000)


def test_bounded_memory_whatever_is_said(apart):
    with Followed(apart, "palsubanjir") as f:
        f.own.start()
        f.told("id=adapter.change_following")
        least = f.memory()

        def grown(what, most):
            kb = f.memory() - least
            print("%s: %d MB more" % (what, kb // 1024))
            assert kb < most * 1024, "%s: %d kB more" % (what, kb)

        f.server.streamed = False

        def flooded(session):
            flood(session)
            f.server.streamed = True
        f.says(stream=flooded)
        wait_for(lambda: f.server.streamed, 120, "the flood to be taken")
        grown("4,000,000 keepalives that want an answer", 40)

        def for_ever(session):  # a transaction that never ends
            session.put(wal(begin(0x7000)), wal(relation()))
            for i in range(300):
                session.put(b"".join(wal(insert(("T%d" % (j % 50), "x" * 1000, i))) for j in range(300)))
            f.server.streamed = True
        f.server.streamed = False
        f.says(stream=for_ever)
        wait_for(lambda: f.server.streamed, 120, "90,000 changes")
        assert f.server.confirmed <= 0x7000, "what is not over is not confirmed"
        grown("a transaction without end", 60)

        def announced(session):
            session.put(b"d" + struct.pack("!I", 1024 * MB))
            for _ in range(1024):
                session.put(b"w" * MB)
        f.says(stream=[b"d" + struct.pack("!I", 1024 * MB), b"w" * MB])
        time.sleep(3)
        grown("1 GiB announced", 70)
        f.says(stream=announced)
        f.told("over 256 MB", 120)
        grown("1 GiB sent", 700)

        def endless(session):
            session.put(fake.described(["c"]))
            try:
                while True:
                    session.put(row(["x" * 1000]) * 1000)
            finally:
                f.server.streamed = True
        f.server.streamed = False
        f.says(stream=[], answers={"^IDENTIFY_SYSTEM": endless})
        wait_for(lambda: f.server.streamed, 60, "the adapter to hang up")
        assert f.own.process.poll() is None

        def murmur(session):
            while True:
                session.put(notice(NIK + "x" * 1000) * 100)
                time.sleep(0.01)
        f.says(answers={"^IDENTIFY_SYSTEM": murmur})
        f.told("does not answer", 60)
        grown("answers and notices without end", 900)
        assert NIK not in f.own.log()
        f.arrives(0x9000, "BAIK")


def test_a_first_reading_that_stalls_or_breaks_off(apart):
    def stall(session):
        session.put(fake.described(["kode", "nama", "jumlah"]), row(["B", "b", "2"]))
        while session.socket.fileno() >= 0:
            time.sleep(0.1)

    def cut(session):
        session.put(fake.described(["kode", "nama", "jumlah"]), row(["B", "b", "2"]), row(["C", "c", "3"])[:-3])
        session.close()

    def failed(session):
        session.put(fake.described(["kode", "nama", "jumlah"]), row(["B", "b", "2"]), fake.refusal("XX001", "invalid page in block 7"), message(b"Z", b"I"))

    with Followed(apart, "palsumacet") as f:
        f.server.answers = {'^SELECT "': cut}
        f.own.start()
        f.told("closed the connection")
        f.says(answers={'^SELECT "': failed})
        f.told("invalid page")
        f.says(answers={'^SELECT "': stall})
        wait_for(lambda: f.server.asked[-1].startswith('SELECT "'), 30, "the reading to begin")
        time.sleep(0.5)
        began = time.monotonic()
        f.own.stop()
        assert time.monotonic() - began < 15, "a server that stalls holds up the end"
        assert not f.own.records("unit")
        f.server.answers = {}
        f.own.start()
        f.told("id=adapter.change_following")
        f.arrives(0x7000, "BAIK")


def test_a_server_in_another_ones_place(apart):
    with Followed(apart, "palsuganti") as f:
        f.own.start()
        f.told("id=adapter.change_following")
        f.server.end = "0/9000"
        f.arrives(0x8000, "SATU")

        def anew(why, **server):
            """Nothing of its stream is mixed in: the table is read anew and compared."""
            f.server.table = f.server.table + (("T%d" % len(f.server.table), "t", "1"),)
            f.says(stream=transaction(0x8100, relation(), insert(("CAMPUR", "c", 1))), **server)
            f.told(why)
            f.server.stream = []
            f.server.hang_up()
            wait_for(lambda: f.own.fold("unit").keys() == {r[0] for r in f.server.table}, 60, "the table read anew")
            f.told("id=adapter.change_following")
        anew("another server", system="7000000000000000002")
        anew("another timeline", timeline="2")
        f.arrives(0x8200, "DUA")
        f.server.table += (("DUA", "baik", "1"),)
        anew("ends before", end="0/7000")  # the same machine, as it was last night
        f.arrives(0x6000, "TIGA")
        f.server.table += (("TIGA", "baik", "1"),)
        f.own.stop()  # the same while the adapter is away
        f.server.end = "0/5000"
        f.own.start()
        anew("ends before")
        f.server.slot = False
        anew("the slot is not there")
        f.own.stop()
        f.own.start()
        f.arrives(0x6400, "EMPAT")


CLEARTEXT = message(b"R", struct.pack("!I", 3))


def test_a_password_does_not_go_over_a_line_that_anybody_reads(apart, tmp_path):
    secret = tmp_path / "rahasia"
    secret.write_text("sandi-rahasia\n")
    secret.chmod(0o600)
    server = fake.Server(address="127.0.0.2")  # which is not what is called this machine
    server.entry = CLEARTEXT
    far = "host=basisdata.uji hostaddr=127.0.0.2 port=%d dbname=titian user=titian" % server.port
    with Followed(apart, "palsusandi", far, "  password_file: %s" % secret, server) as f:
        f.own.start()
        f.told("server does not support SSL")
        path = f.own.dir / "map/unit.yaml"
        text = path.read_text()
        for mode in ("verify-full", "verify-ca", "require"):
            f.own.stop()
            path.write_text(text.replace(far, far + " sslmode=" + mode))
            f.own.start()
            f.told("PostgreSQL: ")
        server.tls = b"S"  # and then no TLS
        f.told("SSL error")
        assert not server.passwords and "sandi-rahasia" not in f.own.log()
        f.own.stop()
        path.write_text(text.replace(far, far + " sslmode=disable"))  # who writes so wants it so
        server.tls = b"N"
        f.own.start()
        f.told("(password_file)")
        assert server.passwords
        assert "sandi-rahasia" not in f.own.log()
