"""`titian adapter init --connection`: from a table of SQLite, a real PostgreSQL and a real MariaDB to records on real Kafka, with
nothing written by hand but the address of Kafka. What stands on the topic is compared with what was put into the table."""
import datetime
import json
import os
import pathlib
import pty
import shutil
import sqlite3
import subprocess
import sys

import jsonschema
import pytest
import yaml

from conftest import ROOT, WORK, wait_for
from own_adapter import BIN, OwnAdapter

sys.path.insert(0, str(ROOT / "tests/support"))
from mariadb import MariaDB  # noqa: E402
from postgres import Postgres  # noqa: E402

WIB = datetime.timezone(datetime.timedelta(hours=7))
SECRET = "rahasia-sekali-8841"
COLUMNS = "kode_unit varchar(20) PRIMARY KEY, nama varchar(100), luas numeric(12,3), penduduk bigint, berdiri date, diubah timestamp NOT NULL, kosong integer"
ROWS = [("U%03d" % i, None if i % 7 == 0 else "Unit \u00e9 %d" % i, i + 0.25, 1000 * i, "2001-02-%02d" % (i % 28 + 1),
         "2026-01-02 03:04:%02d.%03d" % (i % 60, i)) for i in range(1, 61)]


def insert(name):
    def q(v):
        return "NULL" if v is None else "'%s'" % v if isinstance(v, str) else str(v)
    return "INSERT INTO %s VALUES %s;" % (name, ",".join("(%s, NULL)" % ", ".join(map(q, row)) for row in ROWS))


def make(sql):
    sql("CREATE TABLE unit (%s);" % COLUMNS + insert("unit"))
    sql("CREATE TABLE rincian (nomor integer, bagian integer, isi varchar(30), PRIMARY KEY (bagian, nomor));"
        "INSERT INTO rincian VALUES (1, 1, 'a'), (1, 2, 'b'), (2, 1, 'c');")


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory):
    path = tmp_path_factory.mktemp("db") / "kantor.db"
    db = sqlite3.connect(path, isolation_level=None)
    make(db.executescript)
    db.close()
    return "Driver=SQLite3;Database=%s" % path


@pytest.fixture(scope="module")
def postgres():
    server = Postgres()
    make(server.sql)
    server.sql("CREATE SCHEMA arsip; CREATE TABLE arsip.unit (kode_unit text PRIMARY KEY, gambar bytea); INSERT INTO arsip.unit VALUES ('A', 'x')")
    yield "Driver=PostgreSQL Unicode;Servername=%s;Database=titian;UID=titian" % server.folder
    server.stop()


@pytest.fixture(scope="module")
def mariadb():
    server = MariaDB()
    make(lambda text: server.sql(text.replace("timestamp NOT", "datetime(6) NOT")))
    server.sql("CREATE USER pembaca@localhost IDENTIFIED BY '%s'; GRANT SELECT ON titian.* TO pembaca@localhost" % SECRET, database="")
    yield "Driver=MariaDB Unicode;SOCKET=%s;DATABASE=titian;UID=pembaca" % server.socket
    server.stop()


@pytest.fixture(params=["sqlite", "postgres", "mariadb"])
def database(request):
    return request.param, request.getfixturevalue(request.param)


def init(*words, status=0):
    password = pathlib.Path(WORK) / "sandi-basisdata"
    password.write_text(SECRET)
    os.chmod(password, 0o600)
    words += ("--password-file", password)
    done = subprocess.run([str(BIN / "titian"), "adapter", "init", *map(str, words)], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL)
    assert done.returncode == status, done.stdout + done.stderr
    return done


def test_the_drafted_adapter_publishes_at_once(apart, database):
    name, connection = database
    opd, out = "dbawal" + name, pathlib.Path(WORK) / ("draf-" + name)
    shutil.rmtree(out, ignore_errors=True)
    init("--yes", "--opd", opd, "--connection", connection, "--table", "unit", "--out", out)
    draft = yaml.safe_load((out / "unit.yaml").read_text())
    assert draft["fetch"]["kind"] == "sql" and draft["fetch"]["password_file"] == str((pathlib.Path(WORK) / "sandi-basisdata").resolve())
    assert draft["complete"] is True and draft["key"] == "kode_unit"
    written = [p for p in out.rglob("*") if p.is_file()]
    assert len(written) >= 6 and not [p for p in written if SECRET.encode() in p.read_bytes()]
    types = {f["name"]: f["type"] for f in json.loads((out / "skema/unit.avsc").read_text())["fields"]}
    assert [types[n] for n in ("luas", "penduduk", "kosong")] == [["null", "double"], ["null", "long"], ["null", "long"]]
    assert types["berdiri"][1]["logicalType"] == "date" and types["diubah"][1]["logicalType"] == "timestamp-millis"
    for document, schema in (("unit.yaml", "mapping"), ("adapter.yaml", "adapter")):
        jsonschema.validate(yaml.safe_load((out / document).read_text()), json.loads((out / "skema-editor" / (schema + ".json")).read_text()))

    shutil.copytree(ROOT / "schemas/avsc/bersama", out / "skema/bersama")
    OwnAdapter.run(BIN / "titian", "schema", "register", "--registry", apart.registry, "--opd", opd, out / "skema")
    OwnAdapter.run(BIN / "titian", "topic", "apply", "--bootstrap", apart.bootstrap, "--opd", opd, "--partitions", "1", out / "skema")
    conf = out / "adapter.yaml"
    conf.write_text(conf.read_text().replace("localhost:9092", apart.bootstrap))
    OwnAdapter.run(BIN / "titian", "adapter", "check", "--config", conf)
    said = OwnAdapter.run(BIN / "titian", "adapter", "test-connection", "--config", conf).stdout
    assert "%s_unit: %d baris" % (opd, len(ROWS)) in said
    own = OwnAdapter.__new__(OwnAdapter)
    own.apart, own.opd, own.process, own.conf, own.logs = apart, opd, None, conf, out / "log"
    own.start()
    try:
        expected = {r[0]: (r[1], r[2], r[3], r[4], r[5]) for r in ROWS}

        def fold():
            return {k: (v["nama"], v["luas"], v["penduduk"], v["berdiri"].isoformat(),
                        v["diubah"].astimezone(WIB).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]) for k, v in own.fold("unit").items()}
        wait_for(lambda: len(own.fold("unit")) == len(ROWS), 60, "the table on the topic")
        assert fold() == expected
        assert not own.records("karantina")
    finally:
        own.stop()




def test_tables_are_listed_with_their_rows_when_none_is_named(database, tmp_path):
    _, connection = database
    done = init("--yes", "--connection", connection, "--out", tmp_path / "draf", status=2)
    listed = {line.split()[0]: line.split()[1] for line in done.stdout.splitlines()[1:] if line.startswith("  ")}
    assert listed["unit"] == "60" and listed["rincian"] == "3" and "--table" in done.stderr
    assert not (tmp_path / "draf").exists()
    done = init("--yes", "--connection", connection, "--table", "tidakada", "--out", tmp_path / "draf", status=2)
    assert "tidakada" in done.stderr and "rincian" in done.stdout


def test_a_primary_key_of_two_columns_in_its_order(database, tmp_path):
    name, connection = database
    init("--yes", "--connection", connection, "--table", "rincian", "--out", tmp_path / "draf")
    draft = yaml.safe_load((tmp_path / "draf/rincian.yaml").read_text())
    parts = [part["from"] for part in draft["values"]["kunci"]["join"]]
    # Only PostgreSQL's driver tells the key's own order, the others the table's.
    assert parts == (["bagian", "nomor"] if name == "postgres" else ["nomor", "bagian"])


def test_a_mark_that_is_asked_for(database, tmp_path):
    _, connection = database
    init("--yes", "--connection", connection, "--table", "unit", "--mark", "diubah", "--out", tmp_path / "draf")
    draft = yaml.safe_load((tmp_path / "draf/unit.yaml").read_text())
    assert draft["complete"] is False and draft["fetch"]["mark"] == {"column": "diubah", "type": "time", "overlap": "1h"}
    assert "> ?" in draft["fetch"]["query"]
    OwnAdapter.run(BIN / "titian", "adapter", "check", "--config", tmp_path / "draf/adapter.yaml")
    done = init("--yes", "--connection", connection, "--table", "unit", "--mark", "nama", "--out", tmp_path / "lain", status=2)
    assert "--mark nama" in done.stderr and not (tmp_path / "lain").exists()


def test_a_query_and_what_is_left_out(postgres, tmp_path):
    done = init("--yes", "--connection", postgres, "--query", "SELECT kode_unit AS kode, penduduk / 2 AS separuh FROM unit WHERE penduduk > 30000;",
                "--name", "besar", "--out", tmp_path / "draf")
    assert "Rekaman / records: 30\n" in done.stdout
    draft = yaml.safe_load((tmp_path / "draf/besar.yaml").read_text())
    assert draft["key"] == "kode" and set(draft["fields"]) == {"kode", "separuh", "tanda"}
    done = init("--yes", "--connection", postgres, "--table", "arsip.unit", "--out", tmp_path / "arsip")
    assert "bita" in done.stdout and '"arsip"."unit"' in (tmp_path / "arsip/unit.yaml").read_text()


def test_a_password_is_taken_from_a_file_alone(postgres, tmp_path):
    done = init("--yes", "--connection", postgres + ";PWD=" + SECRET, "--table", "unit", "--out", tmp_path / "draf", status=2)
    assert "--password-file" in done.stderr and SECRET not in done.stderr + done.stdout and not (tmp_path / "draf").exists()


def test_names_that_would_be_sql_yaml_or_a_terminals_orders(tmp_path):
    """Whoever made the database chose the names: they stay names."""
    table, columns = 'a"; DROP TABLE korban; --', ["id", 'x"; DELETE FROM korban; --', "y\nfeed: jahat\nz", "\x1b[31mmerah"]
    db = sqlite3.connect(tmp_path / "jahat.db", isolation_level=None)
    quoted = ['"%s"' % name.replace('"', '""') for name in (table, *columns)]
    db.executescript("CREATE TABLE korban (n int); INSERT INTO korban VALUES (7); CREATE TABLE %s (%s INTEGER PRIMARY KEY, %s TEXT, %s TEXT, %s TEXT);"
                     % tuple(quoted) + "INSERT INTO %s VALUES (1, 'satu', 'dua', 'tiga')" % quoted[0])
    connection = "Driver=SQLite3;Database=%s" % (tmp_path / "jahat.db")
    said = init("--connection", connection, "--yes", "--out", tmp_path / "draf", status=2)
    said.stdout += init("--connection", connection, "--yes", "--table", table, "--name", "unit", "--out", tmp_path / "draf").stdout
    assert "\x1b" not in said.stdout + said.stderr
    draft = yaml.safe_load((tmp_path / "draf/unit.yaml").read_text())
    assert draft["feed"] == "opd_unit" and draft["fetch"]["query"] == "SELECT %s FROM %s" % (", ".join(quoted[1:]), quoted[0])
    assert {v["from"] for v in draft["values"].values()} >= set(columns[1:])
    done = subprocess.run([str(BIN / "titian"), "adapter", "check", "--config", str(tmp_path / "draf/adapter.yaml")], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert db.execute("SELECT n FROM korban").fetchall() == [(7,)]


def test_the_person_is_asked_which_table(sqlite, tmp_path):
    words = [str(BIN / "titian"), "adapter", "init", "--connection", sqlite, "--out", str(tmp_path / "draf")]
    master, slave = pty.openpty()
    child = subprocess.Popen(words, stdin=slave, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    os.close(slave)
    os.write(master, b"bukan\nrincian\nuji\n\n\n\n")
    said = child.communicate(timeout=60)[0].decode()
    os.close(master)
    assert child.returncode == 0, said
    assert "which table" in said and (tmp_path / "draf/rincian.yaml").exists()
