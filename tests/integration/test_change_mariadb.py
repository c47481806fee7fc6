"""A table of a real MariaDB is followed by its binary log: what stands on the topic, folded by another program, is the table."""
import json
import os
import random
import re
import subprocess
import sys
import threading

import pytest

from conftest import ROOT, free_ports, wait_for
from own_adapter import OwnAdapter
from test_change import FIRST_SEED, ROWS, SEEDS, UNIT, ended, following, once, one_large_transaction, restart_kafka

sys.path.insert(0, str(ROOT / "tests/support"))
from mariadb import MariaDB  # noqa: E402

LOGGING = ("--log-bin=b", "--binlog-format=ROW", "--binlog-row-metadata=FULL", "--server-id=11")
MAPPING = """feed: %(opd)s_unit
topic: pku.%(opd)s.unit.v1
kind: register
complete: true
remove_max: %(remove_max)d
change:
  kind: mariadb
  connection: %(connection)s
  table: %(table)s
source: {kind: jsonl}
values:
  kode: {from: kode}
  jumlah: {from: jumlah, as: whole}
checks:
  - {class: jumlah_salah, fate: refuse, when: {bad: jumlah}}
key: kode
fields: {kode: kode, nama: {from: nama}, jumlah: jumlah}
"""


class Office(MariaDB):
    """A server with a binary log, and a user who may follow."""

    def __init__(self, *options):
        super().__init__(*(options or LOGGING))
        self.sql("CREATE USER ikut@localhost; GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO ikut@localhost; GRANT SELECT ON titian.* TO ikut@localhost")

    @property
    def connection(self):
        return "host=%s dbname=titian user=ikut" % self.socket

    def again(self, *options):
        """As when it is killed."""
        self.process.kill()
        self.process.wait()
        self.options = options or self.options
        self.start()

    def purge(self, last=None):
        """A file that somebody reads, or that is needed after a crash, is not purged; and who was killed reads on until the server notices."""
        wait_for(lambda: self.sql("SELECT count(*) FROM information_schema.PROCESSLIST WHERE USER = 'ikut'").strip() == "0", 60, "the readers to go")
        if not last:
            self.sql("FLUSH BINARY LOGS")
            last = self.sql("SHOW MASTER STATUS").split("|")[0]
        wait_for(lambda: self.sql("PURGE BINARY LOGS TO '%s'; SHOW BINARY LOGS" % last).startswith(last), 60, "the files to be purged")

    def table(self, name):
        lines = self.sql("SELECT JSON_OBJECT('kode', kode, 'nama', nama, 'jumlah', jumlah) FROM " + name).splitlines()
        # The client escapes backslashes once more; no column of these tables holds a bar or a tab.
        return {row["kode"]: row for row in (json.loads(line.replace("\\\\", "\\")) for line in lines)}


@pytest.fixture(scope="module")
def office():
    server = Office()
    yield server
    server.stop()


def make(apart, office, opd, setup=None, remove_max=10, partitions=2, edit=lambda text: text, schema=UNIT):
    """An adapter of its own that follows a table of its own, unit_<opd>."""
    table = "unit_" + opd
    office.sql(setup or "CREATE TABLE %s (kode varchar(40) PRIMARY KEY, nama text, jumlah bigint)" % table)
    text = MAPPING % {"opd": opd, "table": table, "remove_max": remove_max, "connection": office.connection}
    own = OwnAdapter(apart, opd, {"unit": schema}, {"unit.yaml": edit(text)}, partitions=partitions)
    own.table = table
    return own


def equal(own, office):
    return own.fold("unit") == office.table(own.table)


def test_the_table_then_every_change(apart, office):
    own = make(apart, office, "mariasemua")
    office.sql("INSERT INTO unit_mariasemua SELECT CONCAT('U', seq), CONCAT('Unit \u00e9 \U0001f54c ', seq), seq FROM seq_1_to_3000")
    own.start()
    try:
        ended(own)
        assert equal(own, office), "the first reading"
        assert not once(own), "no record of the first reading is of a stream"
        office.sql("INSERT INTO unit_mariasemua VALUES ('BARU', 'Satu \\\\ dua \\n \"tiga\"', 7), ('KOSONG', NULL, NULL)")
        office.sql("UPDATE unit_mariasemua SET jumlah = jumlah + 1 WHERE jumlah BETWEEN 100 AND 199")
        office.sql("DELETE FROM unit_mariasemua WHERE jumlah > 2900")
        office.sql("UPDATE unit_mariasemua SET kode = 'PINDAH' WHERE kode = 'U5'")
        office.sql("BEGIN; UPDATE unit_mariasemua SET kode = 'X' WHERE kode = 'U6'; UPDATE unit_mariasemua SET kode = 'U6' WHERE kode = 'U7'; "
                   "UPDATE unit_mariasemua SET kode = 'U7' WHERE kode = 'X'; COMMIT")
        office.sql("BEGIN; DELETE FROM unit_mariasemua; ROLLBACK")
        wait_for(lambda: equal(own, office), 60, "the changes")
        before = len(own.records("unit"))
        office.sql("UPDATE unit_mariasemua SET nama = nama WHERE kode = 'U9'")  # what does not change the record is none
        office.sql("SET GLOBAL log_bin_compress = ON, GLOBAL log_bin_compress_min_len = 10")
        office.sql("UPDATE unit_mariasemua SET nama = CONCAT(REPEAT('panjang ', 500), kode) WHERE jumlah BETWEEN 300 AND 399")
        office.sql("FLUSH BINARY LOGS; SET GLOBAL log_bin_compress = OFF, GLOBAL binlog_checksum = NONE; INSERT INTO unit_mariasemua VALUES ('AKHIR', 'z', 1)")
        wait_for(lambda: equal(own, office), 60, "the last ones: compressed, in another file, without a checksum")
        assert len(own.records("unit")) == before + 101
        assert own.log().count("id=adapter.change_anew") == 0
        once(own)
    finally:
        office.sql("SET GLOBAL log_bin_compress = OFF, GLOBAL binlog_checksum = CRC32")
        own.stop()


# Each type with values, as SQL has them and as they are to be on the topic, in the first reading and in the stream.
TYPES = [
    ("tinyint", ["-128", "127"], None), ("tinyint unsigned", ["255"], None), ("year", ["2026", "0"], ["2026", "0000"]),
    ("smallint", ["-32768"], None), ("smallint unsigned", ["65535"], None), ("mediumint", ["-8388608", "8388607"], None),
    ("mediumint unsigned", ["16777215"], None), ("int", ["-2147483648"], None), ("int(8) unsigned zerofill", ["42"], None),
    ("bigint", ["-9223372036854775808"], None), ("bigint unsigned", ["18446744073709551615"], None), ("bool", ["true"], ["1"]),
    ("decimal(65,30)", ["-12345678901234567890123456789012345.123456789012345678901234567890", "0.5", "-0.000000000000000000000000000001"],
     ["-12345678901234567890123456789012345.123456789012345678901234567890", "0.500000000000000000000000000000", "-0.000000000000000000000000000001"]),
    ("decimal(9,2)", ["-1.5", "1234567.89", "0"], ["-1.50", "1234567.89", "0.00"]), ("decimal(10,0)", ["-9999999999", "100"], None),
    ("decimal(4,4)", ["0.0123", "-0.9"], ["0.0123", "-0.9000"]), ("decimal(18,9) unsigned", ["999999999.000000001"], None),
    ("float", ["0.1", "16777216", "-1.5e-30"], ["0.1", "16777216", "-1.5e-30"]), ("float(7,2)", ["12345.67"], ["12345.67"]),
    ("double", ["0.1", "1e300", "-123456789.12345679"], ["0.1", "1e+300", "-123456789.12345679"]), ("double(10,2)", ["1.5"], ["1.5"]),
    ("bit(1)", ["1"], ["1"]), ("bit(64)", ["18446744073709551615", "5"], None), ("bit(12)", ["4095"], None),
    ("char(10)", ["'\u00e9 a  '"], ["\u00e9 a"]), ("char(200)", ["'\U0001f54c'"], ["\U0001f54c"]), ("varchar(20)", ["'a  '"], None), ("varchar(300)", ["'\u0600'"], ["\u0600"]),
    ("char(9) character set latin1", ["'\u20ac\u00e9\u0081'"], ["\u20ac\u00e9\u0081"]), ("varchar(300) character set latin1", ["'\u017d\u00ff'"], ["\u017d\u00ff"]),
    ("text", ["REPEAT('x', 70000)"], ["x" * 65535]), ("mediumtext", ["REPEAT('y', 70000)"], ["y" * 70000]), ("tinytext character set latin1", ["'\u201c'"], ["\u201c"]),
    ("text character set ascii", ["'abc'"], ["abc"]), ("text character set utf8mb3", ["'\u20ac'"], ["\u20ac"]),
    ("binary(4)", ["x'01000000'", "x'00ff'"], ["01000000", "00FF0000"]), ("varbinary(5)", ["x'0100'"], ["0100"]), ("blob", ["x'00ff0a'"], ["00FF0A"]),
    ("date", ["'2026-03-31'", "'0000-00-00'", "'9999-12-31'"], None), ("datetime", ["'2026-03-31 07:30:01'", "'0000-00-00 00:00:00'"], None),
    ("datetime(1)", ["'2026-03-31 07:30:01.5'"], None), ("datetime(3)", ["'1000-01-01 00:00:00.125'"], None), ("datetime(6)", ["'9999-12-31 23:59:59.999999'"], None),
    ("timestamp", ["'2026-03-31 07:30:01'", "'0000-00-00 00:00:00'"], ["2026-03-31 07:30:01+00", "0000-00-00 00:00:00+00"]),
    ("timestamp(2) NULL", ["'2026-03-31 07:30:01.25'"], ["2026-03-31 07:30:01.25+00"]), ("timestamp(6) NULL", ["'2038-01-19 03:14:07.000001'"], ["2038-01-19 03:14:07.000001+00"]),
    ("time", ["'-838:59:59'", "'00:00:00'", "'07:05:09'"], None), ("time(2)", ["'-00:00:00.25'", "'100:00:01.50'"], None), ("time(6)", ["'-01:02:03.000004'"], None),
    ("time(3)", ["'-12:00:00.999'", "'12:00:00.001'"], None), ("enum('satu','d\u00fca','')", ["'d\u00fca'", "3", "1"], ["d\u00fca", "", "satu"]),
    ("set('a','b','c')", ["'a,c'", "''", "'b'"], None), ("enum('\u00e9') character set latin1", ["1"], ["\u00e9"]),
    ("json", ["'{\"a\": [1, \"\u00e9\"]}'"], None), ("uuid", ["'11223344-5566-1788-99aa-bbccddeeff00'", "'11223344-5566-7788-99aa-bbccddee0000'"], None),
    ("inet6", ["'2001:db8::1'", "'::'", "'::ffff:1.2.3.4'", "'fe80::1:0:0'"], ["2001:db8::1", "::", "::ffff:1.2.3.4", None]), ("inet4", ["'10.0.0.0'"], None),
    ("point", ["POINT(1, 2)"], ["000000000101000000000000000000F03F0000000000000040"]),
    ("int", ["-7"], None), ("int AS (urut * 2) VIRTUAL", [None], None), ("int AS (urut * 3) STORED", [None], None),
]


def test_every_type_is_spelled_alike_in_the_first_reading_and_in_the_stream(apart, office):
    columns = ["k%d" % i for i in range(len(TYPES))]
    office.sql("CREATE TABLE unit_mariajenis (kode varchar(40) PRIMARY KEY, urut int, %s)" % ", ".join("%s %s" % (c, t[0]) for c, t in zip(columns, TYPES)))
    fields = ["kode"] + columns
    schema = {"type": "record", "name": "Unit", "namespace": "id.go.pekanbaru.uji", "doc": "Unit", "x_jenis": "register", "x_kunci": "kode",
              "fields": [{"name": "kode", "type": "string", "doc": "Kode", "x_pdp": "N"}] +
              [{"name": c, "type": ["null", "string"], "default": None, "doc": "Kolom", "x_pdp": "N"} for c in columns]}
    edit = lambda text: re.sub(r"values:(.|\n)*", "values:\n  kode: {from: kode}\nkey: kode\nfields: {kode: kode, %s}\n"
                               % ", ".join("%s: {from: %s}" % (c, c) for c in columns), text)
    own = make(apart, office, "mariajenis", "DO 0", edit=edit, schema=schema)
    most = max(len(t[1]) for t in TYPES)

    def insert(prefix):
        for n in range(most + 1):  # the last one is of nothing but NULL
            values = {c: t[1][n % len(t[1])] if n < most else "NULL" for c, t in zip(columns, TYPES) if t[1][0] is not None}
            office.sql("SET sql_mode = '', time_zone = '+00:00'; INSERT INTO unit_mariajenis (kode, urut, %s) VALUES ('%s%d', %d, %s)"
                       % (", ".join(values), prefix, n, n, ", ".join(values.values())))

    def row(key):
        return {c: own.fold("unit")[key][c] for c in columns}
    assert fields
    insert("BACA")
    own.start()
    try:
        following(own)
        insert("ALIR")
        office.sql("UPDATE unit_mariajenis SET kode = CONCAT('BARU', urut) WHERE kode LIKE 'ALIR%'")
        insert("ALIR")
        wait_for(lambda: len(own.fold("unit")) == 3 * (most + 1), 60, "every row (%s)" % own.log()[-2000:])
        topic = own.fold("unit")
        for n in range(most + 1):
            for c, (kind, given, expected) in zip(columns, TYPES):
                read, streamed, moved = (topic["%s%d" % (prefix, n)][c] for prefix in ("BACA", "ALIR", "BARU"))
                assert read == streamed == moved, "%s: %r in the first reading, %r and %r in the stream" % (kind, read, streamed, moved)
                if given[0] is not None:
                    i = n % len(given)
                    want = None if n == most else expected[i] if expected else given[i].strip("'")
                    assert read == (want or None) or (expected and n < most and want is None) or (read or "").strip() == (want or "").strip(), \
                        "%s: %r, not %r" % (kind, read, want)
                else:
                    assert read == str(n * (2 if "VIRTUAL" in kind else 3))
        assert own.log().count("id=adapter.change_anew") == 0
        once(own)
    finally:
        own.stop()


def anew(own, words):
    wait_for(lambda: any("id=adapter.change_anew" in line and words in line for line in own.log().splitlines()), 60, words + own.log()[-2000:])


def test_what_no_row_tells_is_found_by_reading_anew(apart, office):
    own = make(apart, office, "mariabaru", remove_max=50)
    office.sql("CREATE TABLE lain (a int PRIMARY KEY); INSERT INTO unit_mariabaru SELECT CONCAT('U', seq), 'Unit', seq FROM seq_1_to_40")
    own.start()
    try:
        ended(own)
        assert equal(own, office)
        # What concerns other tables, and what changes no row.
        office.sql("ALTER TABLE lain ADD b int; ANALYZE TABLE unit_mariabaru; CREATE INDEX i ON unit_mariabaru (jumlah); DROP INDEX i ON unit_mariabaru; "
                   "CREATE TEMPORARY TABLE unit_mariabaru2 (a int); INSERT INTO unit_mariabaru VALUES ('A', 'a', 1); GRANT SELECT ON titian.* TO ikut@localhost; "
                   "CREATE VIEW lihat AS SELECT * FROM unit_mariabaru; CREATE DATABASE sebelah; CREATE TABLE sebelah.unit_mariabaru (a int); DROP DATABASE sebelah")
        wait_for(lambda: "A" in own.fold("unit"), 60, "the stream goes on")
        assert "id=adapter.change_anew" not in own.log()

        office.sql("SET sql_mode = ''; ALTER TABLE unit_mariabaru ADD tambah int DEFAULT 3, MODIFY nama varchar(3)")
        anew(own, "the table was altered")
        wait_for(lambda: equal(own, office), 60, "values that ALTER cut off")
        ended(own, 2)
        office.sql("SET binlog_format = STATEMENT; UPDATE unit_mariabaru SET nama = 'ps' WHERE jumlah = 2")
        anew(own, "logged as a statement")
        wait_for(lambda: equal(own, office), 60, "what was logged as a statement")
        ended(own, 3)
        office.sql("SET binlog_row_image = MINIMAL; UPDATE unit_mariabaru SET nama = 'min' WHERE jumlah = 3")
        anew(own, "binlog_row_image = FULL")
        wait_for(lambda: equal(own, office), 60, "what was logged in part")
        ended(own, 4)
        office.sql("XA START 'satu'; UPDATE unit_mariabaru SET nama = 'xa' WHERE jumlah = 4; XA END 'satu'; XA PREPARE 'satu'; XA COMMIT 'satu'")
        anew(own, "XA")
        wait_for(lambda: equal(own, office), 60, "what was committed in two phases")
        ended(own, 5)
        office.sql("XA START 'dua'; INSERT INTO lain (a) VALUES (1); XA END 'dua'; XA PREPARE 'dua'; XA COMMIT 'dua'; "
                   "XA START 'tiga'; UPDATE unit_mariabaru SET nama = 'tak'; XA END 'tiga'; XA PREPARE 'tiga'; XA ROLLBACK 'tiga'; INSERT INTO unit_mariabaru VALUES ('B', 'b', 1, 1)")
        wait_for(lambda: equal(own, office), 60, "XA of another table, XA taken back")
        assert own.log().count("id=adapter.change_anew") == 4
        office.sql("CREATE TABLE tua (a int) ENGINE = MyISAM; BEGIN; INSERT INTO unit_mariabaru VALUES ('C', 'c', 1, 1); INSERT INTO tua VALUES (1); ROLLBACK")
        office.sql("INSERT INTO unit_mariabaru VALUES ('D', 'd', 1, 1)")
        wait_for(lambda: equal(own, office), 60, "what was taken back, though it is in the log (%s)" % own.log()[-1500:])
        office.sql("ALTER TABLE unit_mariabaru CHANGE jumlah jumlah2 bigint")
        wait_for(lambda: "a column 'jumlah'" in own.log() and "did you mean 'jumlah2'" in own.log(), 60, "what is amiss")
        office.sql("ALTER TABLE unit_mariabaru CHANGE jumlah2 jumlah bigint; DELETE FROM unit_mariabaru WHERE kode = 'A'")
        wait_for(lambda: equal(own, office), 60, "the table after it was mended")
        once(own)
    finally:
        own.stop()


def test_a_table_that_is_emptied_does_not_erase_the_topic(apart, office):
    own = make(apart, office, "mariakosong")
    office.sql("INSERT INTO unit_mariakosong SELECT CONCAT('U', seq), 'Unit', seq FROM seq_1_to_100")
    own.start()
    try:
        ended(own)
        office.sql("BEGIN; DELETE FROM unit_mariakosong WHERE jumlah = 100; INSERT INTO unit_mariakosong VALUES ('BARU', 'x', 1); COMMIT")
        wait_for(lambda: equal(own, office), 60, "what the load changed")
        office.sql("TRUNCATE unit_mariakosong")
        ended(own, 2)
        wait_for(lambda: "removal_refused" in own.log(), 60, "more than remove_max: nothing goes")
        assert own.fold("unit").keys() == {"BARU"} | {"U%d" % i for i in range(1, 100)}
        office.sql("INSERT INTO unit_mariakosong VALUES ('U1', 'sesudah', 1)")
        wait_for(lambda: own.fold("unit")["U1"]["nama"] == "sesudah", 60, "the stream goes on")
        once(own)
    finally:
        own.stop()


def test_a_log_that_is_gone(apart, office):
    own = make(apart, office, "mariahapus", remove_max=50)
    office.sql("INSERT INTO unit_mariahapus SELECT CONCAT('U', seq), 'Unit', seq FROM seq_1_to_50")
    own.start()
    try:
        following(own)
        office.sql("INSERT INTO unit_mariahapus VALUES ('A', 'a', 1)")
        wait_for(lambda: equal(own, office), 60, "the stream")
        own.kill()
        office.sql("DELETE FROM unit_mariahapus WHERE jumlah < 5")
        office.purge()
        own.start()
        anew(own, "purged")
        wait_for(lambda: equal(own, office), 60, "what nobody told, found by comparing")
        ended(own, 2)
        own.kill()
        office.sql("RESET MASTER; UPDATE unit_mariahapus SET nama = 'baru' WHERE jumlah = 50")
        own.start()
        wait_for(lambda: equal(own, office), 60, "a log that was begun anew (%s)" % own.log()[-1500:])
        ended(own, 3)
        office.sql("INSERT INTO unit_mariahapus VALUES ('B', 'b', 1)")
        wait_for(lambda: equal(own, office), 60, "the stream")
        office.sql("RESET MASTER; UPDATE unit_mariahapus SET nama = 'lagi, dan lagi' WHERE jumlah = 50")
        office.again()
        office.sql("UPDATE unit_mariahapus SET nama = 'lagi' WHERE jumlah = 49")
        wait_for(lambda: equal(own, office), 60, "one that was begun anew while it was followed (%s)" % own.log()[-1500:])
        assert "id=adapter.removal_refused" not in own.log()
        once(own)
    finally:
        own.stop()


def test_one_large_transaction_in_bounded_memory(apart, office):
    one_large_transaction(make(apart, office, "marialebar"), office,
                          "INSERT INTO unit_marialebar SELECT CONCAT('U', seq), repeat('n', 1000), seq FROM seq_1_to_%d" % ROWS)


def test_events_are_followed_and_never_taken_back_and_a_bad_row_has_its_place(apart, office):
    own = make(apart, office, "mariakejadian", schema={**UNIT, "x_jenis": "peristiwa"},
               setup="CREATE TABLE unit_mariakejadian (kode varchar(40) PRIMARY KEY, nama text, jumlah text)",
               edit=lambda text: text.replace("kind: register\ncomplete: true\nremove_max: 10\n", "kind: events\n"))
    office.sql("INSERT INTO unit_mariakejadian VALUES ('A', 'a', '1')")
    own.start()
    try:
        ended(own)
        office.sql("INSERT INTO unit_mariakejadian VALUES ('B', 'b', '2'), ('X', 'x', 'rusak'); DELETE FROM unit_mariakejadian WHERE kode = 'A'")
        domain, _, seq = office.sql("SELECT @@gtid_binlog_pos").strip().split("-")
        wait_for(lambda: own.ends("karantina") >= 1 and "B" in own.fold("unit"), 60, "the rows")
        place = next(r for r in own.records("unit") if r.key == "B").headers["titian_lsn"].split(":")[0].split("/")
        refused = own.records("karantina")[0].value
        assert refused["baris"] == int(place[1], 16) == int(seq) - 1, "the number of its transaction in place of a line"
        own.kill()
        office.sql("TRUNCATE unit_mariakejadian; INSERT INTO unit_mariakejadian VALUES ('C', 'c', '3')")
        own.start()
        wait_for(lambda: own.fold("unit").keys() == {"A", "B", "C"}, 60, "every event")
        assert len(own.records("unit")) == 3 and own.ends("karantina") == 1
        once(own)
    finally:
        own.stop()


def test_two_domains_are_one_stream(apart, office):
    own = make(apart, office, "mariadomain")
    office.sql("SET gtid_domain_id = 7; INSERT INTO unit_mariadomain VALUES ('A', 'a', 1)")
    own.start()
    try:
        following(own)
        for i in range(6):
            office.sql("SET gtid_domain_id = %d; INSERT INTO unit_mariadomain VALUES ('K%d', 'k', %d)" % ([0, 7, 9][i % 3], i, i))
        wait_for(lambda: equal(own, office), 60, "changes of three domains, one of them new")
        own.kill()
        office.sql("SET gtid_domain_id = 9; UPDATE unit_mariadomain SET jumlah = 1000; SET gtid_domain_id = 0; DELETE FROM unit_mariadomain WHERE kode = 'K0'")
        own.start()
        wait_for(lambda: equal(own, office), 60, "and after a kill")
        office.sql("FLUSH BINARY LOGS; FLUSH BINARY LOGS")
        last = office.sql("SHOW MASTER STATUS").split("|")[0]
        wait_for(lambda: last in (own.dir / "drop/.mariadomain_unit.mark").read_text(), 60, "the place to move on though nothing happens")
        own.kill()
        office.purge(last)
        office.sql("INSERT INTO unit_mariadomain VALUES ('AKHIR', 'z', 1)")
        own.start()
        wait_for(lambda: equal(own, office), 60, "after what was read is purged")
        assert "id=adapter.change_anew" not in own.log()
        once(own)
    finally:
        own.stop()


def test_over_tls_and_with_a_password(apart):
    server = Office(*LOGGING)
    own = make(apart, server, "mariatls")
    try:
        def certificate(name):
            key, cert = "%s/%s.key" % (server.folder, name), "%s/%s.pem" % (server.folder, name)
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                            "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert], check=True, capture_output=True)
            for path in (key, cert):
                os.chmod(path, 0o644)
            return key, cert
        key, cert = certificate("server")
        _, other = certificate("other")
        port = free_ports(1)
        server.again(*LOGGING, "--skip-networking=0", "--bind-address=127.0.0.1", "--port=%d" % port, "--ssl-key=" + key, "--ssl-cert=" + cert)
        server.sql("CREATE USER aman@'%' IDENTIFIED BY 'rahasia sekali' REQUIRE SSL; GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO aman@'%'; "
                   "GRANT SELECT ON titian.* TO aman@'%'")
        password = own.dir / "sandi"
        password.write_text("rahasia sekali\n")
        password.chmod(0o600)
        path = own.dir / "map/unit.yaml"
        good, connection = path.read_text(), server.connection

        def write(words):
            path.write_text(good.replace(connection, words + "\n  password_file: %s" % password))
            return own.run(ROOT / "build/release/bin/titian-adapter", "test-connection", "--config", own.conf, check=False).stdout
        common = "host=localhost port=%d dbname=titian user=aman" % port
        assert "GAGAL" in write(common + " sslmode=disable"), "the user is let in by TLS only"
        assert "GAGAL" in write(common + " sslmode=verify-full sslrootcert=" + other), "another's certificate"
        assert "GAGAL" not in write(common + " sslmode=verify-full sslrootcert=" + cert)
        own.start()
        following(own)
        server.sql("INSERT INTO unit_mariatls VALUES ('A', REPEAT('a', 60000), 1)")
        wait_for(lambda: equal(own, server), 60, "the stream")
        assert "rahasia" not in own.log()
    finally:
        own.stop()
        server.stop()


def test_every_remedy_is_followed_until_it_works(apart):
    server = Office("--server-id=1")
    try:
        server.sql("REVOKE ALL PRIVILEGES, GRANT OPTION FROM ikut@localhost; CREATE TABLE induk (kode varchar(40) PRIMARY KEY)")
        own = make(apart, server, "mariaobat", "CREATE TABLE unit_mariaobat (kode varchar(40) PRIMARY KEY, nama varchar(40) CHARACTER SET ucs2, jumlah bigint, "
                   "FOREIGN KEY (kode) REFERENCES induk (kode) ON DELETE CASCADE) ENGINE = InnoDB")
        server.sql("INSERT INTO induk VALUES ('A'); INSERT INTO unit_mariaobat VALUES ('A', 'a', 1)")

        def test():
            return own.run(ROOT / "build/release/bin/titian-adapter", "test-connection", "--config", own.conf, check=False).stdout

        def told(words):
            wait_for(lambda: words in own.log().replace('\\"', '"'), 60, words + own.log()[-1500:])
        own.start()
        try:
            told("Access denied")
            server.sql("GRANT USAGE ON titian.unit_mariaobat TO ikut@localhost; GRANT INSERT ON titian.* TO ikut@localhost")
            told("in my.cnf below [mariadb]: log_bin")
            server.again("--log-bin=b", "--server-id=1", "--binlog-ignore-db=titian")
            told("SET GLOBAL binlog_format = ROW")
            server.sql("SET GLOBAL binlog_format = ROW")
            told("SET GLOBAL binlog_row_metadata = FULL")
            assert "SET GLOBAL binlog_row_metadata = FULL" in test()
            server.sql("SET GLOBAL binlog_row_metadata = FULL")
            told("CHARACTER SET utf8mb4")
            server.sql("ALTER TABLE unit_mariaobat MODIFY nama varchar(40) CHARACTER SET utf8mb4")
            told("GRANT SELECT ON")
            server.sql("GRANT SELECT ON titian.unit_mariaobat TO ikut@localhost")
            told("ON DELETE CASCADE")
            name = server.sql("SELECT CONSTRAINT_NAME FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE TABLE_NAME = 'unit_mariaobat'").strip()
            server.sql("ALTER TABLE unit_mariaobat DROP FOREIGN KEY `%s`; ALTER TABLE unit_mariaobat ENGINE = Aria" % name)
            told("ENGINE = InnoDB;")
            server.sql("ALTER TABLE unit_mariaobat ENGINE = InnoDB")
            told("GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.*")
            server.sql("GRANT BINLOG MONITOR ON *.* TO ikut@localhost")
            told("binlog_ignore_db")
            server.again(*LOGGING)
            told("REPLICATION SLAVE privilege")
            server.sql("GRANT REPLICATION SLAVE ON *.* TO ikut@localhost")
            ended(own)
            assert own.fold("unit").keys() == {"A"}
            assert "following the table" in test() and "GAGAL" not in test()
        finally:
            own.stop()
    finally:
        server.stop()


@pytest.mark.parametrize("old, new, says", [
    ("dbname=titian", "dbname=titian sslmode=prefer", "sslmode=prefer"),
    ("user=ikut", "", "connection: write host="),
    (" dbname=titian", "", "schema.name"),
    ("  kind: mariadb", "  kind: mariadb\n  slot: titian_a", "slot"),
    ("  kind: mariadb", "  kind: mariadb\n  server_id: 0", "server_id"),
])
def test_a_mistake_is_told_with_its_place(apart, office, old, new, says):
    if not hasattr(test_a_mistake_is_told_with_its_place, "own"):
        test_a_mistake_is_told_with_its_place.own = make(apart, office, "mariakeliru")
    own = test_a_mistake_is_told_with_its_place.own
    path = own.dir / "map/unit.yaml"
    good = path.read_text()
    assert old in good
    path.write_text(good.replace(old, new))
    try:
        done = own.run(ROOT / "build/release/bin/titian-adapter", "check", "--config", own.conf, check=False)
        assert done.returncode == 2 and says in done.stderr and "unit.yaml:" in done.stderr, done.stderr
    finally:
        path.write_text(good)


class Load(threading.Thread):
    """Transactions of all kinds, as fast as they go, whatever happens to the server."""

    def __init__(self, office, table, seed):
        super().__init__(daemon=True)
        self.office, self.table, self.random = office, table, random.Random(seed)
        self.committed, self.stopping = 0, threading.Event()

    def statement(self):
        r, t = self.random, self.table
        k, n = r.randrange(400), r.randrange(10 ** 6)
        text = "repeat('%d', %d)" % (n, 1000) if r.random() < 0.1 else "'Unit %d'" % n
        return r.choices([
            "INSERT INTO %s VALUES ('K%d', %s, %d) ON DUPLICATE KEY UPDATE jumlah = VALUES(jumlah)" % (t, k, text, n),
            "UPDATE %s SET jumlah = %d WHERE kode = 'K%d'" % (t, n, k),
            "UPDATE %s SET nama = %s WHERE kode = 'K%d'" % (t, text, k),
            "DELETE FROM %s WHERE kode = 'K%d'" % (t, k),
            "UPDATE IGNORE %s SET kode = 'P%d', jumlah = NULL WHERE kode = 'K%d'" % (t, n, k),
            "UPDATE %s SET jumlah = jumlah + 1 WHERE kode LIKE 'K%d%%'" % (t, k % 10),
            "TRUNCATE %s" % t, "FLUSH BINARY LOGS", "ALTER TABLE %s COMMENT = '%d'" % (t, n),
        ], [40, 25, 15, 10, 5, 5, 0.03, 0.2, 0.03])[0]

    def run(self):
        while not self.stopping.is_set():
            script = []
            for _ in range(10):
                some = ";".join(self.statement() for _ in range(self.random.choice([1, 1, 1, 2, 5, 20])))
                script.append("BEGIN;%s;%s;" % (some, "ROLLBACK" if self.random.random() < 0.1 else "COMMIT"))
            try:
                self.office.sql("\n".join(script))
                self.committed += len(script)
            except RuntimeError:  # the server is away
                self.stopping.wait(0.05)

    def more(self, n):
        until = self.committed + n
        wait_for(lambda: self.committed >= until, 60, "more transactions")


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + SEEDS))
def test_kills_of_adapter_server_and_broker_under_load(apart, office, seed):
    chance = random.Random(seed)
    own = make(apart, office, "mariaacak%d" % seed, remove_max=100, partitions=3)
    load = Load(office, own.table, seed)
    load.start()
    own.start()
    try:
        faults = ["adapter", "adapter", "server", "purge", "broker"] if seed % 2 else ["adapter", "adapter", "server", "connection", "reset"]
        chance.shuffle(faults)
        for fault in faults:
            load.more(chance.randrange(20, 200))
            if fault == "adapter":
                own.kill()
                load.more(chance.randrange(1, 50))
                own.start()
            elif fault == "server":
                office.again()
            elif fault == "broker":
                restart_kafka(apart)
            elif fault == "connection":
                for line in office.sql("SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'ikut'").split():
                    subprocess.run(["mariadb-admin", "--no-defaults", "-u", "root", "-S", office.socket, "kill", line], capture_output=True)
            else:
                own.kill()
                if fault == "reset":
                    office.sql("RESET MASTER")
                else:
                    office.purge()
                own.start()
        load.more(50)
        load.stopping.set()
        load.join(60)
        office.sql("INSERT INTO %s VALUES ('AKHIR', 'akhir', 1)" % own.table)
        wait_for(lambda: equal(own, office), 60, "the topic to be the table (seed %d)" % seed)
        places = once(own)
        print("seed %d: %d transactions, %s, %d records, %d of the stream, anew %d times"
              % (seed, load.committed, faults, own.ends("unit"), len(places), own.log().count("id=adapter.change_anew")))
        assert places
    finally:
        load.stopping.set()
        load.join(60)
        own.stop()
