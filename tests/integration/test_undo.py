"""A bad load is taken back: the topic holds again what it held, by new records, and the bad file stays away.

What a topic held is folded from the log in Python, before the bad load; nothing of ours says what it should be."""
import datetime
import os
import random
import time

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource

from conftest import wait_for
from own_adapter import BIN
from test_quarantine import BARANG, MAPPING, PLAIN, VERSI, Stage

OPD = "batal"
NAMES = "barang", "utuh", "versi", "banyak", "hilang", "peristiwa"


def mapping(text, name, **more):
    text = text % {**PLAIN, "name": name, **more}
    return text.replace("rawat_", OPD + "_").replace("pku.rawat.", "pku.%s." % OPD)


MAPPINGS = {
    "barang.yaml": mapping(MAPPING, "barang"),
    "utuh.yaml": mapping(MAPPING, "utuh", more="complete: true\nremove_max: 100"),
    "versi.yaml": mapping(VERSI, "versi"),
    "banyak.yaml": mapping(MAPPING, "banyak"),
    "hilang.yaml": mapping(MAPPING, "hilang"),
    "peristiwa.yaml": mapping(MAPPING, "peristiwa").replace("kind: register", "kind: events"),
}


class Undoing(Stage):
    def undo(self, to, *words, feed=None, check=True):
        more = ["--feed", "%s_%s" % (OPD, feed)] if feed else []
        more += ["--wait", "100"] if "--wait" not in words else []
        return self.run(BIN / "titian", "adapter", "undo", "--config", self.conf, "--to", to, *more, *words, check=check)

    def now(self):
        """This moment as the command takes it; what comes next comes after it."""
        moment = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=7))).isoformat(timespec="milliseconds")
        time.sleep(0.005)
        return moment

    def file_record(self, name):
        return [r for r in self.records("berkas") if r.value and r.value["nama"] == name][-1]


def seqs_are_gapless(stage, entity):
    for part in (0, 1):
        seqs = [int(r.headers["titian_seq"]) for r in stage.records(entity) if r.partition == part]
        assert seqs == list(range(1, len(seqs) + 1))


def counts(text, topic):
    """The three numbers said of a topic."""
    lines = text.split("pku.%s.%s.v1" % (OPD, topic))[1].splitlines()[1:4]
    return [int(line.split()[-1]) for line in lines]


@pytest.fixture(scope="module")
def stage(apart):
    schemas = {n: dict(BARANG, name=n.capitalize(), **({"x_jenis": "peristiwa"} if n == "peristiwa" else {})) for n in NAMES}
    own = Undoing(apart, OPD, schemas, MAPPINGS, partitions=2).start()
    yield own
    own.stop()
    assert "RAHASIA" not in own.log()


def test_a_register_holds_again_what_it_held(stage):
    stage.csv("barang-baik.csv", [("A%d" % i, "RAHASIA", str(i)) for i in range(10)])
    held, moment = stage.fold("barang"), stage.now()
    bad = [("A%d" % i, "RAHASIA", "0") for i in range(4)] + [("B%d" % i, "RAHASIA", "7") for i in range(3)]
    stage.csv("barang-buruk.csv", bad)
    spoilt = stage.fold("barang")
    assert spoilt != held

    shown = stage.undo(moment, feed="barang")
    assert counts(shown.stdout, "barang") == [3, 3, 0]  # A0 was 0 before, too
    assert "barang-buruk.csv" in shown.stdout and "barang-baik" not in shown.stdout and "RAHASIA" not in shown.stdout
    assert stage.fold("barang") == spoilt
    assert stage.undo(moment, "--yes", feed="barang", check=False).returncode == 2  # no reason
    done = stage.undo(moment, "--yes", "--why", "ekspor salah", "--who", "sari", feed="barang")
    assert counts(done.stdout.split("order report")[1], "barang") == [3, 3, 0]
    assert stage.fold("barang") == held
    seqs_are_gapless(stage, "barang")
    (name,) = [p.name for p in (stage.dir / "drop/done").glob("batalkan-*.perintah")]
    record = stage.file_record(name).value
    assert (record["status"], record["diterbitkan"], record["diterima"], record["dihapus"]) == ("SELESAI", 3, 3, 3)
    assert "sari: ekspor salah" in record["alasan"] and record["umpan"] == OPD + "_barang"

    # The bad file does not come again by itself, not even to an adapter that knows only the log; a mended one does.
    stage.kill()
    stage.start()
    text = ("\n".join(["kode,nama,jumlah"] + [",".join(r) for r in bad]) + "\n").encode()
    stage.drop("barang-buruk.csv", text)
    report = stage.dir / "drop/refused/barang-buruk.csv.laporan.txt"
    wait_for(report.exists, 20, "the report")
    assert "undo" in report.read_text() and stage.fold("barang") == held
    stage.csv("barang-benar.csv", [("A1", "RAHASIA", "11")])
    assert stage.fold("barang") == {**held, "A1": {"kode": "A1", "nama": "RAHASIA", "jumlah": 11}}
    # Until it is said that it may.
    stage.undo(moment, "--yes", "--why", "ternyata benar", "--allow-again", feed="barang")
    assert stage.fold("barang") == held
    stage.drop("barang-lagi.csv", text)
    wait_for(lambda: (stage.dir / "drop/done/barang-lagi.csv").exists(), 20, "the file")
    assert stage.fold("barang") == spoilt
    # Who may only put files into the folder gives no orders: neither with a true one changed, nor with one of his own.
    true = (stage.dir / "drop/done" / name).read_bytes()
    assert b'"who":"sari"' in true
    for n, forged in enumerate((true.replace(b"sari", b"budi"), true[:true.index(b'{"seal"')].replace(b"sari", b"rudi"))):
        stage.drop("palsu%d.perintah" % n, forged)
        wait_for((stage.dir / ("drop/refused/palsu%d.perintah.laporan.txt" % n)).exists, 20, "the report")
    assert stage.fold("barang") == spoilt
    stage.kill()
    stage.start()
    assert "nothing changes" in stage.undo(stage.now(), "--yes", "--why", "x", feed="barang").stdout


def test_removed_keys_and_versions_come_back(stage):
    head = "kode,nama,jumlah,versi"
    stage.csv("utuh-1.csv", [("E%d" % i, "RAHASIA", "1") for i in range(6)])
    stage.csv("versi-1.csv", [("F1", "RAHASIA", "1", "3"), ("F2", "RAHASIA", "1", "3")], head)
    held, moment = (stage.fold("utuh"), stage.fold("versi")), stage.now()
    stage.csv("utuh-2.csv", [("E1", "RAHASIA", "1"), ("E9", "RAHASIA", "1")])
    stage.csv("versi-2.csv", [("F1", "RAHASIA", "2", "999")], head)
    assert set(stage.fold("utuh")) == {"E1", "E9"}
    stage.undo(moment, "--yes", "--why", "terpotong")
    assert (stage.fold("utuh"), stage.fold("versi")) == held
    stage.csv("versi-3.csv", [("F1", "RAHASIA", "4", "4")], head)  # version 999 is forgotten
    assert stage.fold("versi")["F1"]["jumlah"] == 4


def test_what_the_log_no_longer_holds_is_said(stage):
    stage.csv("hilang-1.csv", [("G%d" % i, "RAHASIA", "1") for i in range(8)])
    topic, admin = "pku.%s.hilang.v1" % OPD, AdminClient({"bootstrap.servers": stage.apart.bootstrap})
    policy = ConfigEntry("cleanup.policy", "compact,delete", incremental_operation=AlterConfigOpType.SET)
    for done in admin.incremental_alter_configs([ConfigResource("topic", topic, incremental_configs=[policy])]).values():
        done.result()
    ends = {p: 1 + max(r.offset for r in stage.records("hilang") if r.partition == p) for p in (0, 1)}
    moment = stage.now()
    stage.csv("hilang-2.csv", [("G%d" % i, "RAHASIA", "2") for i in (0, 1, 2)])
    for done in admin.delete_records([TopicPartition(topic, p, end) for p, end in ends.items()]).values():
        done.result()
    told = stage.undo(moment, "--yes", "--why", "x", feed="hilang", check=False)
    assert told.returncode == 1 and "nothing changes" in told.stdout
    assert counts(told.stdout, "hilang") == [0, 0, 3]
    for line in (2, 3, 4):
        assert "hilang-2.csv, baris / line %d" % line in told.stdout
    assert "done/hilang-1.csv" in told.stdout
    assert {v["jumlah"] for v in stage.fold("hilang").values()} == {2}


def test_events_are_not_undone(stage):
    moment = stage.now()
    stage.csv("peristiwa-1.csv", [("H1", "RAHASIA", "1")])
    told = stage.undo(moment, "--yes", "--why", "x", feed="peristiwa")
    assert "events cannot be undone" in told.stdout and list(stage.fold("peristiwa")) == ["H1"]


def test_not_more_than_was_shown(stage):
    """What came between the look and the order is not undone unseen."""
    moment = stage.now()
    stage.csv("barang-x.csv", [("X1", "RAHASIA", "1")])
    stage.kill()
    held = stage.fold("barang")
    (stage.dir / "drop/barang-y.csv").write_text("kode,nama,jumlah\nX2,RAHASIA,1\n")
    time.sleep(0.05)
    stage.undo(moment, "--yes", "--why", "x", "--wait", "0", feed="barang", check=False)
    stage.start()
    wait_for(lambda: list((stage.dir / "drop/refused").glob("batalkan-*.laporan.txt")), 20, "the refusal")
    assert stage.fold("barang") == {**held, "X2": {"kode": "X2", "nama": "RAHASIA", "jumlah": 1}}


def test_killed_in_the_middle_of_an_undo(stage):
    chance, n = random.Random(11), 3000
    for round_ in range(int(os.environ.get("CARE_KILLS", "1"))):
        name = "banyak-%d" % round_
        stage.csv(name + "-baik.csv", [("K%d" % i, "RAHASIA", str(round_)) for i in range(n // 2)])
        held, moment = stage.fold("banyak"), stage.now()
        stage.csv(name + "-buruk.csv", [("K%d" % i, "RAHASIA", str(100 + round_)) for i in range(n)])
        stage.stop()
        given = stage.undo(moment, "--yes", "--why", "x", "--wait", "0", feed="banyak", check=False)
        assert given.returncode == 4, given.stdout + given.stderr
        before = stage.ends("banyak")
        stage.start()
        wait_for(lambda: stage.ends("banyak") > before, 30, "the first record")
        time.sleep(chance.uniform(0, 0.05))
        stage.kill()
        stage.start()
        wait_for(lambda: not list((stage.dir / "drop").glob("*.perintah")), 60, "the order")
        assert stage.fold("banyak") == held and stage.ends("banyak") - before == n  # each key once
        seqs_are_gapless(stage, "banyak")
