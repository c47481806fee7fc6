"""A table of an office's own database becomes a topic: through ODBC, from SQLite and from a real PostgreSQL. What stands on
the topic is compared with the table itself, read by another client."""
import sqlite3
import sys
import time

import pytest

from conftest import ROOT, wait_for
from own_adapter import OwnAdapter

sys.path.insert(0, str(ROOT / "tests/support"))
from postgres import Postgres  # noqa: E402

FIELDS = [{"name": "kode", "type": "string", "doc": "Kode", "x_pdp": "N"},
          {"name": "nama", "type": ["null", "string"], "default": None, "doc": "Nama", "x_pdp": "N"},
          {"name": "jumlah", "type": ["null", "long"], "default": None, "doc": "Jumlah", "x_pdp": "N"}]
UNIT = {"type": "record", "name": "Unit", "namespace": "id.go.pekanbaru.uji", "doc": "Unit", "x_jenis": "register", "x_kunci": "kode",
        "fields": FIELDS}
MAPPING = """feed: %(feed)s
topic: pku.%(opd)s.%(entity)s.v1
kind: register
complete: %(complete)s
remove_max: 10
fetch:
%(fetch)s
source: {kind: jsonl}
values:
  kode: {from: kode}
  jumlah: {from: jumlah, as: whole}
checks:
  - {class: jumlah_salah, fate: refuse, when: {bad: jumlah}}
key: kode
fields: {kode: kode, nama: {from: nama}, jumlah: jumlah}
"""


def mapping(opd, fetch, complete="true", entity="unit"):
    text = "\n".join("  " + line for line in fetch.strip().splitlines())
    return {entity + ".yaml": MAPPING % {"opd": opd, "feed": opd + "_" + entity, "entity": entity, "fetch": text, "complete": complete}}


def same(adapter, rows, entity="unit"):
    """The topic's fold is these rows: (kode, nama, jumlah)."""
    fold = adapter.fold(entity)
    return fold == {k: {"kode": k, "nama": n, "jumlah": j} for k, n, j in rows}


def test_a_whole_table_is_kept_equal_and_a_cut_one_erases_nothing(apart, tmp_path):
    db = sqlite3.connect(tmp_path / "kantor.db", isolation_level=None, timeout=60)
    db.execute("CREATE TABLE unit (kode TEXT PRIMARY KEY, nama TEXT, jumlah TEXT)")
    db.executemany("INSERT INTO unit VALUES (?,?,?)", [("U%04d" % i, "Unit ke-%d \u2013 \u00e9 \U0001f54c" % i, i) for i in range(2000)])
    db.execute("INSERT INTO unit VALUES ('KOSONG', NULL, NULL)")

    def table():
        return [(k, n, None if j is None else int(j)) for k, n, j in db.execute("SELECT * FROM unit WHERE jumlah IS NOT 'rusak'")]
    own = OwnAdapter(apart, "sqlpenuh", {"unit": UNIT}, mapping("sqlpenuh", """
kind: sql
every: 1s
connection: Driver=SQLite3;Database=%s;StepAPI=1
query: SELECT kode, nama, jumlah FROM unit
""" % (tmp_path / "kantor.db")))
    own.start()
    try:
        wait_for(lambda: same(own, table()), 30, "the table on the topic")
        db.execute("BEGIN IMMEDIATE")  # one change: a fetch in the middle would be a file more
        db.execute("UPDATE unit SET nama = 'Baru' WHERE kode BETWEEN 'U0000' AND 'U0004'")
        db.execute("DELETE FROM unit WHERE kode >= 'U1900'")  # 100 of 2001: less than remove_max
        db.execute("INSERT INTO unit VALUES ('U9999', 'Tambahan', 7), ('U9998', 'Salah', 'rusak')")
        db.execute("COMMIT")
        wait_for(lambda: same(own, table()), 30, "the changes")
        removed = [r for r in own.records("unit") if r.value is None]
        assert len(removed) == 100 and {r.key for r in removed} == {"U%04d" % i for i in range(1900, 2000)}
        refused = wait_for(lambda: own.records("karantina"), 10, "the bad row in quarantine")
        assert [r.value["kelas"] for r in refused] == ["jumlah_salah"]

        before = own.fold("unit")
        db.execute("DELETE FROM unit WHERE kode < 'U1500'")  # most of it: as when a table is emptied by mistake
        wait_for(lambda: "TIDAK" in own.log() or list((own.dir / "drop/done").glob("*.laporan.txt")), 20, "the guard")
        wait_for(lambda: len([r for r in own.records("berkas") if r.value and r.value["status"] == "SELESAI"]) >= 3, 20, "the file's record")
        assert own.fold("unit") == before, "more than remove_max vanished: nothing may be removed"
        count = len(own.records("unit"))
        assert count == 2001 + 5 + 1 + 100, "what was there already is published once"
        fetched = own.log().count("id=adapter.fetched ")
        wait_for(lambda: own.log().count("id=adapter.fetched ") >= fetched + 2, 20, "two more fetches")
        assert len([p for p in (own.dir / "drop/done").iterdir() if p.name[0] != "."]) <= 2, "the last one and its report: the disk does not fill"
    finally:
        own.stop()


@pytest.fixture(scope="module")
def postgres():
    server = Postgres()
    yield server
    server.stop()


def pg(server):
    return "Driver=PostgreSQL Unicode;Servername=%s;Database=titian;UID=titian;UseDeclareFetch=1;Fetch=1000" % server.folder


def test_what_changed_since_the_mark_late_commits_and_kills(apart, postgres):
    postgres.sql("CREATE TABLE unit (kode text PRIMARY KEY, nama text, jumlah bigint, diubah timestamp(6) NOT NULL DEFAULT clock_timestamp())")
    postgres.sql("INSERT INTO unit SELECT 'U' || i, 'Unit ' || i, i FROM generate_series(1, 1000) i")
    own = OwnAdapter(apart, "sqltanda", {"unit": UNIT}, mapping("sqltanda", """
kind: sql
every: 1s
connection: %s
query: SELECT kode, nama, jumlah, diubah FROM unit WHERE diubah > ? ORDER BY diubah
mark: {column: diubah, type: time, overlap: 1h}
""" % pg(postgres), complete="false"))

    def table():
        lines = postgres.sql("SELECT kode, nama, jumlah FROM unit").strip().splitlines()
        return [(k, n, int(j)) for k, n, j in (line.split("|") for line in lines)]
    own.start()
    try:
        wait_for(lambda: same(own, table()), 30, "the table on the topic")
        # A transaction that took its time before the last mark and committed after it.
        postgres.sql("INSERT INTO unit VALUES ('TERLAMBAT', 'Lambat', 1, clock_timestamp() - interval '10 minutes')")
        postgres.sql("UPDATE unit SET jumlah = jumlah + 5000, diubah = clock_timestamp() WHERE jumlah <= 10")
        wait_for(lambda: same(own, table()), 30, "the changes and the late one")
        for i in range(4):
            own.kill()
            postgres.sql("UPDATE unit SET nama = 'Putaran %d', diubah = clock_timestamp() WHERE jumlah BETWEEN %d AND %d"
                         % (i, 100 * i + 100, 100 * i + 149))
            own.start()
            if i % 2:
                wait_for(lambda: same(own, table()), 30, "the changes after a kill")
        own.kill()
        (own.dir / "drop/.sqltanda_unit.mark").unlink()  # the mark is lost: all is fetched again
        fetched = own.log().count("id=adapter.fetched ")
        own.start()
        wait_for(lambda: own.log().count("id=adapter.fetched ") > fetched, 30, "another fetch")
        wait_for(lambda: same(own, table()), 30, "the same as before")
        assert len(own.records("unit")) == 1000 + 1 + 10 + 4 * 50, "each change once"
    finally:
        own.stop()


def test_a_server_that_is_away_is_waited_for_and_a_long_query_does_not_hold_a_stop(apart, postgres):
    postgres.sql("CREATE TABLE lama (kode text PRIMARY KEY, nama text, jumlah bigint)")
    postgres.sql("INSERT INTO lama VALUES ('A', 'a', 1)")
    own = OwnAdapter(apart, "sqllama", {"unit": UNIT}, mapping("sqllama", """
kind: sql
every: 1s
connection: %s
query: SELECT kode, nama, jumlah FROM lama, (SELECT pg_sleep(CASE WHEN count(*) > 1 THEN 300 ELSE 0 END) FROM lama) tidur
""" % pg(postgres)))
    postgres.kill()
    own.start()
    try:
        wait_for(lambda: "adapter.fetch_failed" in own.log(), 30, "the failure told")
        postgres.start()
        wait_for(lambda: same(own, [("A", "a", 1)]), 60, "the row after the server came back")
        postgres.sql("INSERT INTO lama VALUES ('B', 'b', 2)")
        wait_for(lambda: postgres.sql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%tidur%' AND query NOT LIKE '%pg_stat%' AND state = 'active'").strip() != "0", 30, "the long query")
        began = time.monotonic()
        own.stop()
        assert time.monotonic() - began < 20
        assert own.process.returncode == 0
        assert not list((own.dir / "drop").glob(".*.ambil")), "half a fetch is no file"
    finally:
        if own.process.poll() is None:
            own.kill()


@pytest.fixture(scope="module")
def mistaken(apart):
    return OwnAdapter(apart, "sqlsalah", {"unit": UNIT}, mapping("sqlsalah", "kind: sql"))


@pytest.mark.parametrize("fetch, says", [
    ("kind: sqll\nevery: 1m", "no fetch kind 'sqll'; did you mean 'sql'?"),
    ("kind: sql\nevery: sering\nconnection: x\nquery: y", "every: a time from 1s to 744h"),
    ("kind: sql\nevery: 1m\nconnection: x\nquery: SELECT 1 WHERE a > ?", "there is no `mark` to put there"),
    ("kind: sql\nevery: 1m\nconnection: x\nquery: SELECT 1\nmark: {column: a, type: time}", "is not the whole register"),
    ("kind: sql\nevery: 1m\nconnection: x\nquery: y\ntiemout: 3s", "did you mean 'timeout'"),
])
def test_a_mistake_is_told_with_its_place(mistaken, fetch, says):
    (mistaken.dir / "map/unit.yaml").write_text(mapping("sqlsalah", fetch)["unit.yaml"])
    done = mistaken.run(ROOT / "build/release/bin/titian-adapter", "check", "--config", mistaken.conf, check=False)
    assert done.returncode == 2 and says in done.stderr and "unit.yaml:" in done.stderr, done.stderr


def test_a_missing_driver_names_those_that_are_there(apart):
    own = OwnAdapter(apart, "sqldriver", {"unit": UNIT}, mapping("sqldriver", """
kind: sql
every: 1m
connection: Driver=TidakAda;Database=x
query: SELECT 1
"""))
    own.start()
    try:
        line = wait_for(lambda: [l for l in own.log().splitlines() if "fetch_failed" in l], 20, "the failure")[0]
        assert "SQLite3" in line and "PostgreSQL Unicode" in line
    finally:
        own.stop()
