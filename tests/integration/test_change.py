"""A table of a real PostgreSQL is followed: what stands on the topic, folded by another program, is the table."""
import json
import os
import random
import signal
import subprocess
import sys
import threading

import pytest

from conftest import ROOT, WORK, alive, wait_for
from own_adapter import OwnAdapter

sys.path.insert(0, str(ROOT / "tests/support"))
from postgres import Postgres  # noqa: E402

ROWS = int(os.environ.get("CHANGE_ROWS", "60000"))  # of one transaction; `make soak-change` asks for 200,000
SEEDS = int(os.environ.get("CHANGE_SEEDS", "1"))  # of the kill run; and there for 100
FIRST_SEED = int(os.environ.get("CHANGE_SEED", "1"))

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
        """As when it is killed: what it was doing ends in the middle."""
        self.process.kill()
        self.process.wait()

        def up():  # what it left behind must have noticed first
            try:
                self.start()
                return True
            except RuntimeError:
                return False
        wait_for(up, 60, "the server to start again")

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

    def drop(self, slot):
        """Gone, if it is there. Whoever followed by it has ended, and the server notices so in its own time."""
        of = "FROM pg_replication_slots WHERE slot_name = '%s'" % slot
        self.admin("SELECT pg_terminate_backend(active_pid) %s AND active" % of)
        wait_for(lambda: self.admin("SELECT count(*) %s AND active" % of).strip() == "0", 60, "the slot to be let go")
        self.admin("SELECT pg_drop_replication_slot(slot_name) %s" % of)


@pytest.fixture(scope="module")
def office():
    server = Office()
    yield server
    server.stop()


def make(apart, office, opd, setup=None, remove_max=10, more="", key="kode", partitions=2, publish=True, edit=lambda text: text, schema=UNIT):
    """An adapter of its own that follows a table of its own, unit_<opd>, by a publication of its own."""
    table = "unit_" + opd
    office.sql(setup or "CREATE TABLE %s (kode text PRIMARY KEY, nama text, jumlah bigint)" % table)
    if publish:
        office.sql("CREATE PUBLICATION terbit_%s FOR TABLE %s" % (opd, table))
    text = MAPPING % {"opd": opd, "table": table, "publication": "terbit_" + opd, "remove_max": remove_max, "more": more, "key": key,
                      "connection": "host=%s dbname=titian user=titian" % office.folder}
    own = OwnAdapter(apart, opd, {"unit": schema}, {"unit.yaml": edit(text)}, partitions=partitions)
    own.table = table
    return own


def equal(own, office, key="kode"):
    return own.fold("unit") == office.table(own.table, key)


def once(own, records=None):
    """Numbers without gaps, and no place of a stream twice."""
    last, places = {}, set()
    for r in records or own.records("unit"):
        assert int(r.headers["titian_seq"]) == last.get(r.partition, 0) + 1, "a gap or a repetition"
        last[r.partition] = int(r.headers["titian_seq"])
        if "titian_lsn" in r.headers:
            place = (r.headers["titian_file"], r.headers["titian_lsn"])
            assert place not in places, "published twice: %s" % (place,)
            places.add(place)
    return places


def following(own, times=1):
    wait_for(lambda: own.log().count("id=adapter.change_following") >= times, 60, "the stream (%s)" % own.log()[-3000:])


def test_the_table_then_every_change(apart, office):
    own = make(apart, office, "ubahsemua")
    office.sql("INSERT INTO unit_ubahsemua SELECT 'U' || i, 'Unit \u00e9 ' || i, i FROM generate_series(1, 3000) i")
    own.start()
    try:
        ended(own)
        assert equal(own, office), "the first reading"
        assert not once(own), "no record of the first reading is of a stream"
        office.sql("INSERT INTO unit_ubahsemua VALUES ('BARU', E'Satu\\\\dua\\n\"tiga\"', 7), ('KOSONG', NULL, NULL)")
        office.sql("UPDATE unit_ubahsemua SET jumlah = jumlah + 1 WHERE jumlah BETWEEN 100 AND 199")
        office.sql("DELETE FROM unit_ubahsemua WHERE jumlah > 2900")
        office.sql("UPDATE unit_ubahsemua SET kode = 'PINDAH' WHERE kode = 'U5'")
        office.sql("BEGIN; UPDATE unit_ubahsemua SET kode = 'X' WHERE kode = 'U6'; UPDATE unit_ubahsemua SET kode = 'U6' WHERE kode = 'U7'; "
                   "UPDATE unit_ubahsemua SET kode = 'U7' WHERE kode = 'X'; COMMIT")
        office.sql("BEGIN; DELETE FROM unit_ubahsemua; ROLLBACK")
        wait_for(lambda: equal(own, office), 60, "the changes")
        before = len(own.records("unit"))
        office.sql("UPDATE unit_ubahsemua SET nama = nama WHERE kode = 'U9'")  # what does not change the record is none
        office.sql("INSERT INTO unit_ubahsemua VALUES ('AKHIR', 'z', 1)")
        wait_for(lambda: equal(own, office), 60, "the last one")
        assert len(own.records("unit")) == before + 1
        once(own)
    finally:
        own.stop()


def ended(own, n=1):
    """How many first readings have been read to their end."""
    wait_for(lambda: own.log().count("id=adapter.file_done") >= n and own.log().count("id=adapter.change_following") >= n, 60,
             "reading %d (%s)" % (n, own.log()[-2000:]))


def test_values_that_a_message_leaves_out(apart, office):
    setup = ("CREATE TABLE unit_ubahbesar (kode text PRIMARY KEY, nama text, jumlah bigint); "
             "ALTER TABLE unit_ubahbesar ALTER nama SET STORAGE EXTERNAL")
    own = make(apart, office, "ubahbesar", setup)
    office.sql("INSERT INTO unit_ubahbesar SELECT 'U' || i, repeat(i::text, 9000), i FROM generate_series(1, 5) i")
    own.start()
    try:
        following(own)
        office.sql("UPDATE unit_ubahbesar SET jumlah = 10 WHERE kode = 'U1'")
        wait_for(lambda: equal(own, office), 60, "a value that was not touched, looked up")
        own.process.send_signal(signal.SIGSTOP)  # what comes now is old when it is read
        office.sql("UPDATE unit_ubahbesar SET jumlah = 20 WHERE kode = 'U2'")
        office.sql("DELETE FROM unit_ubahbesar WHERE kode = 'U2'")
        office.sql("UPDATE unit_ubahbesar SET jumlah = 30 WHERE kode = 'U3'")
        office.sql("UPDATE unit_ubahbesar SET nama = 'lain', jumlah = 31 WHERE kode = 'U3'")
        own.process.send_signal(signal.SIGCONT)
        wait_for(lambda: equal(own, office), 60, "a row that is gone, and one that is newer")
        office.sql("ALTER TABLE unit_ubahbesar REPLICA IDENTITY FULL")
        office.sql("UPDATE unit_ubahbesar SET jumlah = 40 WHERE kode = 'U4'")
        office.sql("UPDATE unit_ubahbesar SET kode = 'V5' WHERE kode = 'U5'")
        wait_for(lambda: equal(own, office), 60, "values from the old row")
        once(own)
    finally:
        own.stop()


def test_a_table_that_is_emptied_does_not_erase_the_topic(apart, office):
    own = make(apart, office, "ubahkosong")
    office.sql("INSERT INTO unit_ubahkosong SELECT 'U' || i, 'Unit', i FROM generate_series(1, 100) i")
    own.start()
    try:
        ended(own)
        before = own.fold("unit")
        office.sql("BEGIN; TRUNCATE unit_ubahkosong; INSERT INTO unit_ubahkosong SELECT 'U' || i, 'Unit', i FROM generate_series(1, 99) i; "
                   "INSERT INTO unit_ubahkosong VALUES ('BARU', 'x', 1); COMMIT")  # as a nightly load does
        wait_for(lambda: equal(own, office), 60, "what the load changed")
        assert len(own.records("unit")) == 100 + 2, "the difference, and nothing else"
        office.sql("TRUNCATE unit_ubahkosong")
        ended(own, 3)
        wait_for(lambda: "removal_refused" in own.log(), 60, "more than remove_max: nothing goes")
        assert own.fold("unit").keys() == {"BARU"} | {"U%d" % i for i in range(1, 100)}
        office.sql("INSERT INTO unit_ubahkosong VALUES ('U1', 'sesudah', 1)")
        wait_for(lambda: own.fold("unit")["U1"]["nama"] == "sesudah", 60, "the stream goes on")
        assert len(own.fold("unit")) == len(before)
        once(own)
    finally:
        own.stop()


def test_a_table_that_is_altered(apart, office):
    own = make(apart, office, "ubahbentuk")
    office.sql("INSERT INTO unit_ubahbentuk VALUES ('A', 'a', 1)")
    own.start()
    try:
        following(own)
        office.sql("ALTER TABLE unit_ubahbentuk ADD tambah int DEFAULT 3; INSERT INTO unit_ubahbentuk VALUES ('B', 'b', 2, 5)")
        office.sql("ALTER TABLE unit_ubahbentuk DROP tambah; INSERT INTO unit_ubahbentuk VALUES ('C', 'c', 3)")
        wait_for(lambda: equal(own, office), 60, "columns that the mapping does not use come and go")
        assert own.log().count("id=adapter.change_following") == 1
        office.sql("ALTER TABLE unit_ubahbentuk RENAME jumlah TO jumlah2; INSERT INTO unit_ubahbentuk VALUES ('D', 'd', 4)")
        wait_for(lambda: "a column 'jumlah'" in own.log() and "did you mean 'jumlah2'" in own.log(), 60, "what is amiss")
        wait_for(lambda: office.held("titian_ubahbentuk_unit") is None, 30, "no slot: one that nobody can follow must not fill the disk")
        office.sql("ALTER TABLE unit_ubahbentuk RENAME jumlah2 TO jumlah; DELETE FROM unit_ubahbentuk WHERE kode = 'A'")
        wait_for(lambda: {"B", "C", "D"} <= own.fold("unit").keys(), 60, "the table after it was mended")
        once(own)
    finally:
        own.stop()


def one_large_transaction(own, office, insert):
    own.start()
    try:
        following(own)

        def memory():
            return int(next(l for l in open("/proc/%d/status" % own.process.pid) if l.startswith("VmHWM")).split()[1])
        before = memory()
        office.sql(insert)
        wait_for(lambda: own.ends("unit") == ROWS, 90, "all of it")
        grown = memory() - before
        assert grown < 40 * 1024, "%d kB more for %d rows" % (grown, ROWS)
        records = own.records("unit")
        assert {r.value["jumlah"] for r in records} == set(range(1, ROWS + 1)) and len({r.key for r in records}) == ROWS
        once(own, records)
    finally:
        own.stop()


def test_one_large_transaction_in_bounded_memory(apart, office):
    one_large_transaction(make(apart, office, "ubahlebar"), office,
                          "INSERT INTO unit_ubahlebar SELECT 'U' || i, repeat('n', 1000), i FROM generate_series(1, %d) i" % ROWS)


def test_a_slot_that_is_gone_and_one_that_the_server_gave_up(apart, office):
    own = make(apart, office, "ubahslot", remove_max=50)
    office.sql("INSERT INTO unit_ubahslot SELECT 'U' || i, 'Unit', i FROM generate_series(1, 50) i")
    slot = "titian_ubahslot_unit"
    own.start()
    try:
        ended(own)
        own.stop()
        office.drop(slot)
        office.sql("DELETE FROM unit_ubahslot WHERE jumlah < 5; UPDATE unit_ubahslot SET nama = 'baru' WHERE jumlah = 50")
        own.start()
        wait_for(lambda: equal(own, office), 60, "what nobody told, found by comparing")
        following(own, 2)
        own.stop()
        office.admin("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'")
        office.admin("SELECT pg_reload_conf()")
        office.sql("DELETE FROM unit_ubahslot WHERE jumlah < 9")

        def lost():  # whoever makes checkpoints learns of the limit in its own time
            office.admin("SELECT pg_switch_wal(); SELECT pg_logical_emit_message(false, 'x', repeat('x', 1000000)); CHECKPOINT")
            return office.admin("SELECT wal_status FROM pg_replication_slots WHERE slot_name = '%s'" % slot).strip() == "lost"
        wait_for(lost, 30, "the server to give the slot up")
        office.admin("ALTER SYSTEM RESET max_slot_wal_keep_size")
        office.admin("SELECT pg_reload_conf()")
        own.start()
        wait_for(lambda: "given the slot up" in own.log() and equal(own, office), 60, "the same")
        once(own)
    finally:
        own.stop()


def test_an_idle_table_does_not_hold_the_servers_disk(apart, office):
    own = make(apart, office, "ubahdiam")
    office.sql("CREATE TABLE ramai (n int)")
    own.start()
    try:
        following(own)
        for _ in range(4):
            office.sql("INSERT INTO ramai SELECT generate_series(1, 50000)")
        at = int(office.admin("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn").strip())
        wait_for(lambda: int(office.admin("SELECT confirmed_flush_lsn - '0/0'::pg_lsn FROM pg_replication_slots "
                                          "WHERE slot_name = 'titian_ubahdiam_unit'").strip()) >= at, 60, "the slot to come along")
        assert not own.records("unit")
    finally:
        own.stop()


def test_a_bad_row_goes_to_quarantine_with_its_place(apart, office):
    own = make(apart, office, "ubahsalah", "CREATE TABLE unit_ubahsalah (kode text PRIMARY KEY, nama text, jumlah text)")
    own.start()
    try:
        following(own)
        office.sql("BEGIN; INSERT INTO unit_ubahsalah VALUES ('A', 'a', '1'), ('B', 'b', 'rusak'), ('C', 'c', '3'); COMMIT")
        wait_for(lambda: own.fold("unit").keys() == {"A", "C"}, 60, "the good ones")
        refused = wait_for(lambda: own.records("karantina"), 30, "the bad one")
        place = own.records("unit")[0].headers
        lsn = place["titian_lsn"].split(":")[0].split("/")
        assert [r.value["kelas"] for r in refused] == ["jumlah_salah"]
        assert refused[0].value["baris"] == int(lsn[0], 16) << 32 | int(lsn[1], 16), "the place of its commit in place of a line"
        assert refused[0].value["sha256"].startswith(place["titian_file"])
        own.kill()
        own.start()
        following(own, 2)
        office.sql("INSERT INTO unit_ubahsalah VALUES ('D', 'd', '4')")
        wait_for(lambda: "D" in own.fold("unit"), 60, "the stream after a kill")
        assert len(own.records("karantina")) == 1
        once(own)
    finally:
        own.stop()


def test_events_are_followed_and_never_taken_back(apart, office):
    own = make(apart, office, "ubahkejadian", schema={**UNIT, "x_jenis": "peristiwa"}, edit=lambda text: text.replace("kind: register\ncomplete: true\nremove_max: 10\n", "kind: events\n").replace(
        "checks:\n", "checks:\n  - {class: ganda, fate: refuse, when: {repeated: kode}}\n"))
    office.sql("INSERT INTO unit_ubahkejadian VALUES ('A', 'a', 1)")
    own.start()
    try:
        ended(own)
        office.sql("INSERT INTO unit_ubahkejadian VALUES ('B', 'b', 2); DELETE FROM unit_ubahkejadian WHERE kode = 'A'")
        own.kill()
        office.sql("TRUNCATE unit_ubahkejadian; INSERT INTO unit_ubahkejadian VALUES ('C', 'c', 3)")
        own.start()
        wait_for(lambda: own.fold("unit").keys() == {"A", "B", "C"}, 60, "every event")
        assert [r.value["nama"] for r in own.records("unit")].count("b") == 1
        once(own)
    finally:
        own.stop()


def test_every_remedy_is_followed_until_it_works(apart):
    server = Postgres()
    try:
        own = make(apart, server, "ubahobat", "CREATE TABLE unit_ubahobat (kode text, nama text, jumlah bigint)", publish=False)
        server.sql("INSERT INTO unit_ubahobat VALUES ('A', 'a', 1)")
        own.start()

        def told(words):
            wait_for(lambda: words in own.log().replace('\\"', '"'), 60, words + own.log()[-1500:])
        try:
            told("ALTER SYSTEM SET wal_level = 'logical'")
            server.sql("ALTER SYSTEM SET wal_level = 'logical'", user="admin")
            server.kill()
            server.start()
            told('ALTER TABLE "public"."unit_ubahobat" REPLICA IDENTITY FULL;')
            server.sql('ALTER TABLE "public"."unit_ubahobat" REPLICA IDENTITY FULL')
            told('CREATE PUBLICATION "terbit_ubahobat" FOR TABLE "public"."unit_ubahobat";')
            server.sql('CREATE PUBLICATION "terbit_ubahobat"')
            told('ALTER PUBLICATION "terbit_ubahobat" ADD TABLE "public"."unit_ubahobat";')
            server.sql('ALTER PUBLICATION "terbit_ubahobat" ADD TABLE "public"."unit_ubahobat"')
            told("ALTER ROLE <user> REPLICATION;")
            server.sql("ALTER ROLE titian REPLICATION", user="admin")
            ended(own)
            assert own.fold("unit").keys() == {"A"}
        finally:
            own.stop()
    finally:
        server.stop()


@pytest.mark.parametrize("old, new, says", [
    ("  kind: postgres", "  kind: oracle", "fetch: {kind: sql}"),
    ("complete: true", "complete: false", "write complete: true"),
    ("  heartbeat: 1s", "  heartbeat: 1ms", "heartbeat: from 1s to 1h"),
    ("  heartbeat: 1s", "  slot: debezium", "begins with titian_"),
    ("dbname=titian", "dbname=titian password=rahasia", "password_file"),
    ("  heartbeat: 1s", "  heartbaet: 1s", "did you mean 'heartbeat'"),
])
def test_a_mistake_is_told_with_its_place(apart, office, old, new, says):
    if not hasattr(test_a_mistake_is_told_with_its_place, "own"):
        test_a_mistake_is_told_with_its_place.own = make(apart, office, "ubahkeliru")
    own = test_a_mistake_is_told_with_its_place.own
    path = own.dir / "map/unit.yaml"
    good = path.read_text()
    assert old in good
    path.write_text(good.replace(old, new))
    try:
        done = own.run(ROOT / "build/release/bin/titian-adapter", "check", "--config", own.conf, check=False)
        assert done.returncode == 2 and says in done.stderr and "unit.yaml:" in done.stderr, done.stderr
        assert "rahasia" not in done.stderr
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
            "INSERT INTO %s VALUES ('K%d', %s, %d) ON CONFLICT (kode) DO UPDATE SET jumlah = excluded.jumlah" % (t, k, text, n),
            "UPDATE %s SET jumlah = %d WHERE kode = 'K%d'" % (t, n, k),
            "UPDATE %s SET nama = %s WHERE kode = 'K%d'" % (t, text, k),
            "DELETE FROM %s WHERE kode = 'K%d'" % (t, k),
            "UPDATE %s SET kode = 'P%d', jumlah = NULL WHERE kode = 'K%d' AND NOT EXISTS (SELECT 1 FROM %s WHERE kode = 'P%d')" % (t, n, k, t, n),
            "UPDATE %s SET jumlah = jumlah + 1 WHERE kode LIKE 'K%d%%'" % (t, k % 10),
            "TRUNCATE %s" % t,
        ], [40, 25, 15, 10, 5, 5, 0.05])[0]

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


def restart_kafka(apart):
    folder, port = WORK / "apart/kafka", int(apart.bootstrap.rsplit(":", 1)[1])
    pid = int((folder / "kafka.pid").read_text())
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not alive(pid), 60, "the broker to end")
    done = subprocess.run([str(ROOT / "deploy/kafka/kafka.sh"), "start", str(folder), str(port), str(port + 1)],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + SEEDS))
def test_kills_of_adapter_server_and_broker_under_load(apart, office, seed):
    chance = random.Random(seed)
    own = make(apart, office, "ubahacak%d" % seed, remove_max=100, partitions=3)
    load = Load(office, own.table, seed)
    load.start()
    own.start()
    try:
        faults = ["adapter", "adapter", "server", "slot", "broker"] if seed % 2 else ["adapter", "adapter", "server", "connection"]
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
                office.admin("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'titian-adapter'")
            else:
                own.kill()
                office.drop("titian_%s_unit" % own.opd)
                own.start()
        load.more(50)
        load.stopping.set()
        load.join(60)
        office.sql("INSERT INTO %s VALUES ('AKHIR', 'akhir', 1)" % own.table)
        wait_for(lambda: equal(own, office), 60, "the topic to be the table (seed %d)" % seed)
        places = once(own)
        print("seed %d: %d transactions, %s, %d records, %d of the stream" % (seed, load.committed, faults, own.ends("unit"), len(places)))
        assert places
    finally:
        load.stopping.set()
        load.join(60)
        own.stop()
        # The server has ten places for slots, and the next seed wants one of its own.
        office.drop("titian_%s_unit" % own.opd)
