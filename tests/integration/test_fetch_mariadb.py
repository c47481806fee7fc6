"""A real MariaDB, polled through its own ODBC driver: the whole set, what changed since a mark, and an outbox (that one from a real
PostgreSQL too). What stands on the topic is compared with the table, read by the server's own client."""
import subprocess
import sys

import pytest

from conftest import ROOT, wait_for
from own_adapter import OwnAdapter
from test_fetch_sql import UNIT, mapping, pg, same

sys.path.insert(0, str(ROOT / "tests/support"))
from mariadb import MariaDB  # noqa: E402
from postgres import DATABASE, OWNER, Postgres  # noqa: E402


class WithSession(Postgres):
    odbc = property(pg)

    def session(self):
        return subprocess.Popen(["psql", "-X", "-q", "-A", "-t", "-h", self.folder, "-U", OWNER, "-d", DATABASE], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def mariadb():
    server = MariaDB()
    yield server
    server.stop()


@pytest.fixture(scope="module", params=["mariadb", "postgres"])
def server(request, mariadb):
    if request.param == "mariadb":
        mariadb.name = "my"
        yield mariadb
        return
    made = WithSession()
    made.name = "pg"
    yield made
    made.stop()


def table(server, name):
    lines = server.sql("SELECT kode, nama, jumlah FROM " + name).strip().splitlines()
    return [(k, n, int(j)) for k, n, j in (line.split("|") for line in lines)]


def test_the_whole_set_and_what_changed_since_a_mark(apart, mariadb):
    mariadb.sql("CREATE TABLE semua (kode varchar(20) PRIMARY KEY, nama varchar(100), jumlah bigint);"
                "INSERT INTO semua SELECT CONCAT('U', seq), CONCAT('Unit \u00e9 \U0001f54c ', seq), seq * 1000000007 FROM seq_1_to_1500;"
                "CREATE TABLE sejak (kode varchar(20) PRIMARY KEY, nama varchar(100), jumlah bigint, diubah datetime(6) NOT NULL DEFAULT now(6) ON UPDATE now(6));"
                "INSERT INTO sejak (kode, nama, jumlah) SELECT CONCAT('S', seq), 'Unit', seq FROM seq_1_to_500")
    own = OwnAdapter(apart, "mariapoll", {"semua": {**UNIT, "name": "Semua"}, "sejak": {**UNIT, "name": "Sejak"}}, {
        **mapping("mariapoll", "kind: sql\nevery: 1s\nconnection: %s\nquery: SELECT * FROM semua" % mariadb.odbc, entity="semua"),
        **mapping("mariapoll", "kind: sql\nevery: 1s\nconnection: %s\nquery: SELECT * FROM sejak WHERE diubah > ? ORDER BY diubah\n"
                  "mark: {column: diubah, type: time, overlap: 1h}" % mariadb.odbc, complete="false", entity="sejak")}).start()
    try:
        for name in ("semua", "sejak"):
            wait_for(lambda: same(own, table(mariadb, name), name), 60, name)
        mariadb.sql("UPDATE semua SET nama = 'Baru' WHERE jumlah < 5000000000; DELETE FROM semua WHERE kode LIKE 'U140%';"
                    "UPDATE sejak SET jumlah = jumlah + 1000 WHERE jumlah <= 7;"
                    "INSERT INTO sejak VALUES ('LAMBAT', 'dari transaksi yang lambat', 1, now(6) - interval 10 minute)")
        for name in ("semua", "sejak"):
            wait_for(lambda: same(own, table(mariadb, name), name), 60, name + " after the changes")
        assert len([r for r in own.records("semua") if r.value is None]) == 11
        assert len(own.records("sejak")) == 500 + 7 + 1, "each change once"
    finally:
        own.stop()


MAPPING = """feed: %(opd)s_kejadian
topic: pku.%(opd)s.kejadian.v1
kind: events
fetch:
  kind: sql
  every: 1s
  connection: %(odbc)s
  outbox: {table: %(table)s, id: nomor, after: %(after)s, wait: %(wait)s}
source: {kind: jsonl}
values:
  nomor: {from: nomor}
checks:
  - {class: nomor_ganda, fate: refuse, when: {repeated: nomor}}
key: nomor
fields: {kode: nomor, nama: {from: isi}, jumlah: {text: "1", as: whole}}
"""


def begin(server, name, number):
    """A transaction that has its number and does not commit."""
    open_ = server.session()
    open_.stdin.write("BEGIN;\nINSERT INTO %s (nomor, isi) VALUES (%d, 'lambat');\nSELECT 'ada';\n" % (name, number))
    open_.stdin.flush()
    assert open_.stdout.readline().strip() == "ada"
    return open_


def end(open_, word):
    open_.stdin.write(word + ";\n")
    open_.stdin.close()
    open_.wait(20)
    open_.stdout.close()


# What happens to a row there when it was read: rows that are left, and rows that are left unmarked, of 1 to 4, 6 and 7.
AFTER = {"hapus": ("delete", 0, 0), "tandai": ("{mark: diterbitkan}", 6, 0), "biarkan": ("keep", 6, 6)}


def test_an_outbox_is_read_in_order_and_no_row_of_it_is_lost(apart, server):
    """A number that is missing is waited for: one transaction commits late, another is rolled back."""
    opd = "kotak" + server.name
    schema = {**UNIT, "x_jenis": "peristiwa"}
    mappings = {}
    for name, (after, _, _) in AFTER.items():
        server.sql("CREATE TABLE %s (nomor bigint PRIMARY KEY, isi varchar(100), diterbitkan timestamp NULL);"
                   "INSERT INTO %s (nomor, isi) VALUES (1, 'satu'), (2, 'dua')" % (name, name))
        # Where one that comes too late is not seen any more, it must not be too late however busy the machine is.
        wait = "60s" if after == "keep" else "2s"
        mappings[name + ".yaml"] = MAPPING.replace("kejadian", name) % {"opd": opd, "odbc": server.odbc, "table": name, "after": after, "wait": wait}
    own = OwnAdapter(apart, opd, {name: {**schema, "name": name.capitalize()} for name in AFTER}, mappings).start()

    def numbers(name):
        return [int(r.value["kode"]) for r in own.records(name)]
    try:
        for name in AFTER:
            wait_for(lambda: numbers(name) == [1, 2], 40, "the first two")
        for name in AFTER:
            late, lost = begin(server, name, 3), begin(server, name, 5) if name != "biarkan" else None
            server.sql("INSERT INTO %s (nomor, isi) VALUES (4, 'empat')" % name)
            if lost:
                server.sql("INSERT INTO %s (nomor, isi) VALUES (6, 'enam')" % name)
                end(lost, "ROLLBACK")
            end(late, "COMMIT")
        wait_for(lambda: numbers("biarkan") == [1, 2, 3, 4], 40, "the late one in its place")
        server.sql("INSERT INTO biarkan (nomor, isi) VALUES (5, 'lima'), (6, 'enam')")
        own.kill()
        for name in AFTER:
            server.sql("INSERT INTO %s (nomor, isi) VALUES (7, 'tujuh')" % name)
        own.start()
        for name, (_, left, unmarked) in AFTER.items():
            extra = name == "biarkan"
            wait_for(lambda: sorted(numbers(name)) == [1, 2, 3, 4] + [5] * extra + [6, 7], 60, "all of them, each once")
            for where, n in (("", left), (" WHERE diterbitkan IS NULL", unmarked)):
                wait_for(lambda: int(server.sql("SELECT count(*) FROM %s%s" % (name, where))) == n + (extra and n > 0), 20, "what is left there")
    finally:
        own.stop()
