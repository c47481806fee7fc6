"""A table of a real PostgreSQL is followed: what stands on the topic, folded by another program, is the table."""
import json
import os
import sys

import pytest

from conftest import ROOT, wait_for
from own_adapter import OwnAdapter

sys.path.insert(0, str(ROOT / "tests/support"))
from postgres import Postgres  # noqa: E402

UNIT = {"type": "record", "name": "Unit", "namespace": "id.go.pekanbaru.uji", "doc": "Unit", "x_jenis": "register", "x_kunci": "kode",
        "fields": [{"name": "kode", "type": "string", "doc": "Kode", "x_pdp": "N"},
                   {"name": "nama", "type": ["null", "string"], "default": None, "doc": "Nama", "x_pdp": "N"},
                   {"name": "jumlah", "type": ["null", "long"], "default": None, "doc": "Jumlah", "x_pdp": "N"}]}
MAPPING = """feed: %(opd)s_unit
topic: pku.%(opd)s.unit.v1
kind: register
complete: true
remove_max: %(remove_max)d
change:
  kind: postgres
  connection: %(connection)s
  table: %(table)s
  publication: %(publication)s
  heartbeat: 1s
%(more)s
source: {kind: jsonl}
values:
  kode: {from: %(key)s}
  jumlah: {from: jumlah, as: whole}
checks:
  - {class: jumlah_salah, fate: refuse, when: {bad: jumlah}}
key: kode
fields: {kode: kode, nama: {from: nama}, jumlah: jumlah}
"""


class Office(Postgres):
    """A server with logical replication, and a user who may follow."""

    def __init__(self):
        super().__init__()
        self.admin("ALTER SYSTEM SET wal_level = 'logical'", database="postgres")
        self.admin("ALTER ROLE titian REPLICATION")
        self.again()

    def again(self):
        self.kill()
        self.start()

    def admin(self, text, database="titian"):
        return self.sql(text, user="admin", database=database)

    def table(self, name, key="kode"):
        lines = self.sql("SELECT row_to_json(r) FROM (SELECT %s AS kode, nama, jumlah FROM %s) r" % (key, name)).splitlines()
        return {row["kode"]: row for row in map(json.loads, lines)}

    def held(self, slot):
        """Bytes of WAL between where the slot is confirmed and the end."""
        text = self.admin("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::bigint FROM pg_replication_slots "
                          "WHERE slot_name = '%s'" % slot).strip()
        return int(text) if text else None


@pytest.fixture(scope="module")
def office():
    server = Office()
    yield server
    server.stop()


def make(apart, office, opd, setup=None, remove_max=10, more="", key="kode", partitions=2, publish=True):
    """An adapter of its own that follows a table of its own, unit_<opd>, by a publication of its own."""
    table = "unit_" + opd
    office.sql(setup or "CREATE TABLE %s (kode text PRIMARY KEY, nama text, jumlah bigint)" % table)
    if publish:
        office.sql("CREATE PUBLICATION terbit_%s FOR TABLE %s" % (opd, table))
    text = MAPPING % {"opd": opd, "table": table, "publication": "terbit_" + opd, "remove_max": remove_max, "more": more, "key": key,
                      "connection": "host=%s dbname=titian user=titian" % office.folder}
    own = OwnAdapter(apart, opd, {"unit": UNIT}, {"unit.yaml": text}, partitions=partitions)
    own.table = table
    return own


def equal(own, office, key="kode"):
    return own.fold("unit") == office.table(own.table, key)


def once(own):
    """Numbers without gaps, and no place of a stream twice."""
    last, places = {}, set()
    for r in own.records("unit"):
        assert int(r.headers["titian_seq"]) == last.get(r.partition, 0) + 1, "a gap or a repetition"
        last[r.partition] = int(r.headers["titian_seq"])
        if "titian_lsn" in r.headers:
            place = (r.headers["titian_file"], r.headers["titian_lsn"])
            assert place not in places, "published twice: %s" % (place,)
            places.add(place)
    return places


def following(own, times=1):
    wait_for(lambda: own.log().count("id=adapter.change_following") >= times, 30, "the stream (%s)" % own.log()[-3000:])


def test_the_table_then_every_change(apart, office):
    own = make(apart, office, "ubahsemua")
    office.sql("INSERT INTO unit_ubahsemua SELECT 'U' || i, 'Unit \u00e9 ' || i, i FROM generate_series(1, 3000) i")
    own.start()
    try:
        following(own)
        assert equal(own, office), "the first reading"
        assert not once(own), "no record of the first reading is of a stream"
        office.sql("INSERT INTO unit_ubahsemua VALUES ('BARU', E'Satu\\\\dua\\n\"tiga\"', 7), ('KOSONG', NULL, NULL)")
        office.sql("UPDATE unit_ubahsemua SET jumlah = jumlah + 1 WHERE jumlah BETWEEN 100 AND 199")
        office.sql("DELETE FROM unit_ubahsemua WHERE jumlah > 2900")
        office.sql("UPDATE unit_ubahsemua SET kode = 'PINDAH' WHERE kode = 'U5'")
        office.sql("BEGIN; UPDATE unit_ubahsemua SET kode = 'X' WHERE kode = 'U6'; UPDATE unit_ubahsemua SET kode = 'U6' WHERE kode = 'U7'; "
                   "UPDATE unit_ubahsemua SET kode = 'U7' WHERE kode = 'X'; COMMIT")
        office.sql("BEGIN; DELETE FROM unit_ubahsemua; ROLLBACK")
        wait_for(lambda: equal(own, office), 30, "the changes")
        before = len(own.records("unit"))
        office.sql("UPDATE unit_ubahsemua SET nama = nama WHERE kode = 'U9'")  # what does not change the record is none
        office.sql("INSERT INTO unit_ubahsemua VALUES ('AKHIR', 'z', 1)")
        wait_for(lambda: equal(own, office), 20, "the last one")
        assert len(own.records("unit")) == before + 1
        once(own)
    finally:
        own.stop()
