"""Dumps of INSERTs as others write them (pg_dump of a real PostgreSQL, SQLite's .dump) become topics equal to the tables."""
import sqlite3
import subprocess
import sys

import pytest

from conftest import ROOT, wait_for
from own_adapter import OwnAdapter

sys.path.insert(0, str(ROOT / "tests/support"))
from postgres import DATABASE, OWNER, Postgres  # noqa: E402

NASTY = ["biasa", "it's", "c:\\folder\\", "a\nb; INSERT INTO unit VALUES ('x');", "\u00e9 \U0001f54c", "--bukan komentar", "/* */", "(),'\"`", "",
         None, "NULL", "\\N", "x" * 5000]
UNIT = {"type": "record", "name": "Unit", "namespace": "id.go.pekanbaru.uji", "doc": "Unit", "x_jenis": "register", "x_kunci": "kode", "fields": [
    {"name": "kode", "type": "string", "doc": "Kode", "x_pdp": "N"},
    {"name": "nama", "type": ["null", "string"], "default": None, "doc": "Nama", "x_pdp": "N"}]}
MAPPING = """feed: dump_%(name)s
files: ["%(name)s.sql"]
topic: pku.dump.%(name)s.v1
kind: register
complete: true
source: {kind: sqldump, table: %(table)s}
values:
  kode: {from: kode}
key: kode
fields: {kode: kode, nama: {from: nama}}
"""


@pytest.fixture(scope="module")
def adapter(apart):
    names = {"lite": "unit", "pg": "public.unit", "pgkolom": "unit"}
    own = OwnAdapter(apart, "dump", {n: dict(UNIT, name=n.capitalize()) for n in names},
                     {n + ".yaml": MAPPING % {"name": n, "table": t} for n, t in names.items()}).start()
    yield own
    own.stop()


def kept(rows):
    """The empty text means nothing to a mapping, as everywhere."""
    return {k: {"kode": k, "nama": n or None} for k, n in rows}


def test_sqlite(adapter, tmp_path):
    db = sqlite3.connect(tmp_path / "a.db")
    db.execute("CREATE TABLE lain (a)")
    db.execute("INSERT INTO lain VALUES ('INSERT INTO unit')")
    db.execute('CREATE TABLE "unit" (kode TEXT PRIMARY KEY, angka REAL CHECK (angka > 0), nama TEXT)')
    db.executemany("INSERT INTO unit VALUES (?, ?, ?)", [("K%d" % i, i + 0.5, n) for i, n in enumerate(NASTY)])
    adapter.drop("lite.sql", "\n".join(db.iterdump()).encode())
    want = kept(db.execute("SELECT kode, nama FROM unit"))
    wait_for(lambda: adapter.fold("lite") == want, 20, "the table")


def test_pg_dump(adapter):
    server = Postgres()
    try:
        server.sql("CREATE TABLE lain (kode text); INSERT INTO lain VALUES ('z');"
                   "CREATE TABLE unit (kode text PRIMARY KEY, angka numeric(9,2), nama text, cap timestamptz DEFAULT now())")
        for i, n in enumerate(NASTY):
            server.sql("INSERT INTO unit (kode, angka, nama) VALUES ('K%d', -%d.5, %s)" % (
                i, i, "NULL" if n is None else "$q$%s$q$" % n))
        for name, options in ("pg", ["--inserts"]), ("pgkolom", ["--column-inserts", "--rows-per-insert=3"]):
            dump = subprocess.run([server.bin + "/pg_dump", "-h", server.folder, "-U", OWNER, *options, DATABASE], capture_output=True, check=True)
            adapter.drop(name + ".sql", dump.stdout)
            want = kept(("K%d" % i, n) for i, n in enumerate(NASTY))
            wait_for(lambda: adapter.fold(name) == want, 20, "the table by " + options[0])
    finally:
        server.stop()
