"""Refused rows: listed, mended, published after all, discarded; by whom and why; whatever is killed meanwhile.

What stands in the topics is read by Confluent's consumer and fastavro; what must stand there is told by the files."""
import csv
import hashlib
import io
import json
import os
import random
import re
import time

import pytest
from confluent_kafka import Consumer, TopicPartition

from conftest import wait_for
from own_adapter import BIN, OwnAdapter

OPD = "rawat"
BARANG = {"type": "record", "name": "Barang", "namespace": "id.go.pekanbaru.uji", "doc": "Barang", "x_jenis": "register", "x_kunci": "kode", "fields": [
    {"name": "kode", "type": "string", "doc": "Kode", "x_pdp": "N"},
    {"name": "nama", "type": "string", "doc": "Nama", "x_pdp": "U"},
    {"name": "jumlah", "type": "long", "doc": "Jumlah", "x_pdp": "N"}]}
MAPPING = """feed: rawat_%(name)s
files: ["%(name)s*.csv"]
topic: pku.rawat.%(name)s.v1
kind: register
%(more)s
source: {kind: delimited}
values:
  kode: {from: kode}
  nama: {from: nama, as: clean}
  jumlah: {from: jumlah, as: %(jumlah)s}
checks:
  - {class: nama_kosong, fate: refuse, when: {missing: nama}}
  - {class: jumlah_salah, fate: refuse, when: {bad: jumlah, missing: jumlah}}
%(check)s
key: kode
fields: {kode: kode, nama: nama, jumlah: jumlah}
"""
VERSI = MAPPING.replace("jumlah: {from: jumlah, as: %(jumlah)s}", "jumlah: {from: jumlah, as: %(jumlah)s}\n  versi: {from: versi, as: whole}").replace(
    "key: kode", "newest_by: {value: versi, older: versi_lama}\nkey: kode")
PLAIN = {"more": "", "jumlah": "whole", "check": ""}
MAPPINGS = {
    "barang.yaml": MAPPING % {**PLAIN, "name": "barang"},
    "utuh.yaml": MAPPING % {**PLAIN, "name": "utuh", "more": "complete: true\nremove_max: 100", "check": "  - {class: kode_ganda, fate: refuse, when: {repeated: kode}}"},
    "versi.yaml": VERSI % {**PLAIN, "name": "versi"},
    "banyak.yaml": MAPPING % {**PLAIN, "name": "banyak"},
}


class Stage(OwnAdapter):
    def command(self, *words, check=True):
        """An order's report is waited for longer than a person would: a busy machine may take it."""
        patience = ["--wait", "100"] if words[0] in ("mend", "redrive", "discard") and "--wait" not in words and self.running() else []
        return self.run(BIN / "titian", "quarantine", words[0], "--config", self.conf, *words[1:], *patience, check=check)

    def running(self):
        return self.process and self.process.poll() is None

    def csv(self, name, rows, head="kode,nama,jumlah"):
        """Drops a file and waits until it is read. Returns the first 16 digits of its SHA-256."""
        data = ("\n".join([head] + [",".join(r) for r in rows]) + "\n").encode()
        sha = hashlib.sha256(data).hexdigest()[:16]
        self.drop(name, data)
        wait_for(lambda: (self.dir / "drop/done" / name).exists(), 20, name + " to be read")
        return sha

    def ends(self, entity):
        """How many records the topic has had."""
        topic = "pku.%s.%s.v1" % (self.opd, entity)
        consumer = self.__dict__.setdefault("asking", Consumer({"bootstrap.servers": self.apart.bootstrap, "group.id": "ends"}))
        return sum(consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=20)[1] for p in (0, 1))

    def listed(self, *more):
        out = self.command("list", "--json", "--limit", "100000", *more).stdout
        return {r["id"]: r for r in map(json.loads, out.splitlines())}


@pytest.fixture(scope="module")
def stage(apart):
    own = Stage(apart, OPD, {n: dict(BARANG, name=n.capitalize()) for n in ("barang", "utuh", "versi", "banyak")}, MAPPINGS, partitions=2).start()
    yield own
    own.stop()
    # The way of test_zz_privacy.py: no name of a person of these files in what the adapter logs.
    assert "RAHASIA" not in own.log()


def acts(stage, row):
    return [r.value for r in stage.records("karantina") if r.key == row and r.value["tindakan"]]


def test_listed_shown_mended_and_published_with_provenance(stage):
    sha = stage.csv("barang-1.csv", [("A1", "RAHASIA SATU", "3"), ("A2", "", "4"), ("A3", "RAHASIA TIGA", "x9")])
    rows = stage.listed("--file", "barang-1.csv")
    assert {(r["id"], r["kelas"], r["baris"], r["kolom"]) for r in rows.values()} == {
        (sha + ":3", "nama_kosong", 3, "nama"), (sha + ":4", "jumlah_salah", 4, "jumlah")}
    people = stage.command("list", "--class", "jumlah_salah").stdout
    assert sha + ":4" in people and sha + ":3" not in people
    shown = stage.command("show", sha + ":4")
    assert "RAHASIA" not in shown.stdout and "x9" not in shown.stdout and "jumlah" in shown.stdout
    clear = stage.command("show", sha + ":4", "--show-personal")
    assert "RAHASIA TIGA" in clear.stdout and "A3,RAHASIA TIGA,x9" in clear.stdout and "personal" in clear.stderr

    again = stage.command("redrive", sha + ":4", "--who", "sari", check=False)
    assert again.returncode == 1 and "jumlah_salah" in again.stdout and "x9" not in again.stdout
    stage.command("mend", sha + ":4", "--set", "jumlah=9", "--who", "sari")
    assert stage.listed("--file", "barang-1.csv").keys() == rows.keys()  # mended is not published
    stage.command("redrive", sha + ":4", "--who", "budi", "--why", "salah ketik")
    assert stage.fold("barang") == {"A1": {"kode": "A1", "nama": "RAHASIA SATU", "jumlah": 3}, "A3": {"kode": "A3", "nama": "RAHASIA TIGA", "jumlah": 9}}
    record = [r for r in stage.records("barang") if r.key == "A3"]
    assert len(record) == 1 and record[0].headers["titian_file"] == sha and record[0].headers["titian_line"] == "4"
    history = acts(stage, sha + ":4")
    assert [(a["tindakan"], a["keadaan"], a["oleh"], a["alasan"]) for a in history] == [
        ("terbitkan", "TERBUKA", "sari", None), ("perbaiki", "TERBUKA", "sari", None), ("terbitkan", "TERBIT", "budi", "salah ketik")]
    assert len({a["id"] for a in history}) == 3 and record[0].headers["titian_order"] == history[2]["perintah"]
    told = stage.command("history", sha + ":4").stdout
    assert told.count("sari") == 2 and "budi: salah ketik" in told and "RAHASIA" not in told
    seqs = sorted(int(r.headers["titian_seq"]) for r in stage.records("karantina") if r.partition == 0)
    assert seqs == list(range(1, len(seqs) + 1))


def test_discarded_with_a_reason(stage):
    sha = stage.csv("barang-2.csv", [("B1", "", "1")])
    row = sha + ":2"
    refused = stage.command("discard", row, check=False)
    assert refused.returncode == 2 and "--why" in refused.stderr
    stage.command("discard", row, "--who", "sari", "--why", "baris uji")
    assert row not in stage.listed() and stage.listed("--state", "DIBUANG")[row]["alasan"] == "baris uji"
    late = stage.command("redrive", row, check=False)
    assert late.returncode == 1 and "B1" not in stage.fold("barang")


def table(text):
    assert text.startswith("\ufeff#id,")
    rows = list(csv.DictReader(io.StringIO(text[1:], newline="")))
    assert all(v == "" or v[0] == "'" for r in rows for v in r.values())  # no formula, no number for a spreadsheet to round
    return rows


@pytest.mark.parametrize("dialect", ["excel", "semicolons"])
def test_mended_in_a_spreadsheet(stage, dialect, tmp_path):
    name = "barang-%s.csv" % dialect
    wide = "=CMD|' /C calc'!A0"
    sha = stage.csv(name, [("S%d%s" % (i, dialect), "RAHASIA %d" % i, "x") for i in range(4)] + [("0812%s" % dialect, '"%s, ""dua"""' % wide, "x")])
    assert "RAHASIA" not in stage.command("list", "--csv", "--file", sha).stdout
    assert stage.command("list", "--csv", "--show-personal", "--file", sha, check=False).returncode == 2  # of which feed?
    choice = ("--csv", "--show-personal", "--feed", "rawat_barang", "--file", sha)
    rows = table(stage.command("list", *choice).stdout)
    assert [r["nama"] for r in rows if r["kode"].startswith("'0812")] == ["'" + wide + ', "dua"']
    by = {r["#id"][1:]: r for r in rows}
    assert by.keys() == {"%s:%d" % (sha, n) for n in range(2, 7)} == stage.listed("--file", sha).keys()
    before = {r: acts(stage, r) for r in by}
    by[sha + ":2"]["jumlah"] = "21"    # typed
    by[sha + ":3"]["jumlah"] = "'22"   # as text
    by[sha + ":6"]["jumlah"] = "26"
    wrong = dict(by[sha + ":2"], **{"#id": "'ffffffffffffffff:9"})
    back = tmp_path / "kembali.csv"
    with open(back, "w", newline="", encoding="utf-8") as out:
        write = csv.DictWriter(out, list(rows[0]), delimiter=";" if dialect == "semicolons" else ",")
        write.writeheader()
        write.writerows([by[sha + ":%d" % n] for n in (2, 3, 4, 6)] + [wrong, by[sha + ":2"]])
        out.write("terlalu;pendek\r\n" if dialect == "semicolons" else "terlalu,pendek\r\n")
    counted = stage.command("mend", "--from", back, "--dry-run", check=False)
    assert counted.returncode == 1 and "3 baris" in counted.stdout and {r: acts(stage, r) for r in by} == before
    done = stage.command("mend", "--from", back, "--redrive", "--who", "sari", check=False)
    assert done.returncode == 1 and {int(n) for n in re.findall(r"kembali\.csv:(\d+):", done.stdout)} == {6, 7, 8} and "RAHASIA" not in done.stdout
    held = {k: (v["nama"], v["jumlah"]) for k, v in stage.fold("barang").items() if k.endswith(dialect)}
    assert held == {"S0" + dialect: ("RAHASIA 0", 21), "S1" + dialect: ("RAHASIA 1", 22), "0812" + dialect: (wide + ', "dua"', 26)}
    assert stage.listed("--file", sha).keys() == {sha + ":4", sha + ":5"} and acts(stage, sha + ":4") == []  # as it was: nothing done


def test_a_mended_mapping_takes_all_of_a_class(stage):
    sha = stage.csv("barang-3.csv", [("C%d" % i, "RAHASIA", "Rp %d" % i) for i in range(40)] + [("C99", "", "1")])
    assert len(stage.listed("--class", "jumlah_salah", "--file", sha)) == 40
    path = stage.dir / "map/barang.yaml"
    path.write_text(path.read_text().replace("as: whole", "as: rupiah"))
    stage.stop()
    stage.start()
    counted = stage.command("list", "--count", "--file", sha).stdout.splitlines()
    assert [l.split() for l in counted if "jumlah_salah" in l] == [["rawat_barang", "jumlah_salah", "40", "0", "0"]]
    assert stage.command("redrive", "--class", "jumlah_salah", "--file", sha, "--dry-run").stdout.startswith("40 baris")
    stage.command("redrive", "--class", "jumlah_salah", "--file", sha)
    assert {k: v["jumlah"] for k, v in stage.fold("barang").items() if k[0] == "C"} == {"C%d" % i: i for i in range(40)}
    assert [r["kelas"] for r in stage.listed("--file", sha).values()] == ["nama_kosong"]


def test_what_is_newer_stands(stage):
    """A register: a later file's row; a whole register: a later whole file; newest_by: the higher version."""
    old = stage.csv("barang-4.csv", [("D1", "", "1")])
    stage.csv("barang-5.csv", [("D1", "BARU", "2")])
    out = stage.command("mend", old + ":2", "--set", "nama=LAMA", "--redrive", check=False)
    assert out.returncode == 1 and "lebih_lama" in out.stdout and stage.fold("barang")["D1"]["nama"] == "BARU"
    assert stage.listed()[old + ":2"]["kelas"] == "lebih_lama"

    whole = stage.csv("utuh-1.csv", [("E1", "A", "1"), ("E2", "", "1"), ("E1", "GANDA", "1")])
    twice = stage.command("redrive", whole + ":4", check=False)  # the first row of a file wins, also later
    assert twice.returncode == 1 and stage.fold("utuh")["E1"]["nama"] == "A"
    stage.csv("utuh-2.csv", [("E1", "A", "1")])
    out = stage.command("mend", whole + ":3", "--set", "nama=LAMA", "--redrive", check=False)
    assert out.returncode == 1 and "lebih_lama" in out.stdout and "E2" not in stage.fold("utuh")

    head = "kode,nama,jumlah,versi"
    first = stage.csv("versi-1.csv", [("F1", "", "1", "7"), ("F2", "", "1", "5")], head)
    stage.csv("versi-2.csv", [("F1", "BARU", "2", "6"), ("F2", "BARU", "2", "6")], head)
    stage.command("mend", first + ":2", "--set", "nama=TUJUH", "--redrive")
    out = stage.command("mend", first + ":3", "--set", "nama=LIMA", "--redrive", check=False)
    assert out.returncode == 1 and "versi_lama" in out.stdout
    assert {k: v["nama"] for k, v in stage.fold("versi").items()} == {"F1": "TUJUH", "F2": "BARU"}


def test_two_officers_at_once(stage):
    sha = stage.csv("barang-6.csv", [("G%d" % i, "", "1") for i in range(5)])
    rows = [sha + ":%d" % (i + 2) for i in range(5)]
    stage.kill()  # both orders wait while no adapter runs
    given = [stage.command("discard", *rows, "--who", who, "--why", "x", check=False) for who in ("sari", "budi")]
    assert [g.returncode for g in given] == [4, 4] and "waits" in given[0].stdout
    stage.start()
    wait_for(lambda: len(list((stage.dir / "drop/done").glob("buang-*.laporan.txt"))) >= 3, 30, "both reports")
    for row in rows:
        assert [a["oleh"] for a in acts(stage, row)] in (["sari"], ["budi"])
    reports = [p.read_text() for p in (stage.dir / "drop/done").glob("buang-*.laporan.txt")]
    assert sum("settled before              5" in re.sub(r" +5", "              5", r) for r in reports) == 1


def test_killed_in_the_middle_of_a_redrive(stage):
    """Each row once in the topic and one act, whenever the adapter is killed."""
    chance = random.Random(7)
    for round_ in range(int(os.environ.get("CARE_KILLS", "1"))):
        n = 2500
        rows = [("K%d-%d" % (round_, i), "RAHASIA", "x") for i in range(n)]
        sha = stage.csv("banyak-%d.csv" % round_, rows)
        path = stage.dir / "map/banyak.yaml"
        wrong = path.read_text()
        path.write_text(wrong.replace("as: whole", "as: {words: {x: '5'}}").replace("jumlah: jumlah}", "jumlah: angka}").replace(
            "checks:", "  angka: {value: jumlah, as: whole}\nchecks:"))
        stage.stop()
        given = stage.command("redrive", "--file", sha, "--wait", "0", check=False)
        assert given.returncode == 4, given.stdout + given.stderr
        before = stage.ends("banyak")
        stage.start()
        # Killed once its first record is in the log, or somewhat later: whichever it is must not matter.
        wait_for(lambda: stage.ends("banyak") > before, 30, "the first record")
        time.sleep(chance.uniform(0, 0.1))
        stage.kill()
        stage.start()
        wait_for(lambda: not list((stage.dir / "drop").glob("*.perintah")), 60, "the order")
        mine = [r for r in stage.records("banyak") if r.headers["titian_file"] == sha]
        assert len(mine) == n and {r.key for r in mine} == {r[0] for r in rows}
        assert stage.ends("banyak") - before == n
        done = [r for r in stage.records("karantina") if r.value["sha256"].startswith(sha) and r.value["tindakan"]]
        assert len(done) == n and {r.value["keadaan"] for r in done} == {"TERBIT"} and len({r.key for r in done}) == n
        path.write_text(wrong)
        stage.stop()
        stage.start()
    for part in (0, 1):
        seqs = [int(r.headers["titian_seq"]) for r in stage.records("banyak") if r.partition == part]
        assert seqs == list(range(1, len(seqs) + 1))


def test_refuses_what_is_no_order(stage):
    for name, text in {"a": "{}\n", "b": '{"titian_order":1,"what":"buang","who":"x","why":"y","time":1,"rows":3}\n{"id":"a:1"}\n', "c": "RAHASIA"}.items():
        stage.drop(name + ".perintah", text.encode())
        report = stage.dir / "drop/refused" / (name + ".perintah.laporan.txt")
        wait_for(report.exists, 20, "the report")
        assert "give it again" in report.read_text() and "RAHASIA" not in report.read_text()


def advice(stage, row):
    """What `show` says can be done, without the row and the English."""
    shown = stage.command("show", row).stdout
    return shown[shown.index("apa yang dapat dilakukan"):]


def test_the_command_says_where_its_verbs_are():
    for words in (("help", "quarantine"), ("quarantine",)):
        done = OwnAdapter.run(BIN / "titian", *words, check=False)
        assert "redrive" in done.stdout + done.stderr


def test_each_class_is_told_what_can_be_done_and_that_is_so(stage):
    """In the report beside the file and by `show`; then it is done."""
    sha = stage.csv("utuh-nasihat-1.csv", [("N1", "RAHASIA", "1"), ("N2", "", "1"), ("", "RAHASIA", "1"), ("N1", "RAHASIA LAIN", "2"), ("N5", "RAHASIA"), ("N6", "A", "1")])
    report = (stage.dir / "drop/done/utuh-nasihat-1.csv.laporan.txt").read_text()
    told = dict(re.findall(r"^  (\w+):\n    (.*)$", report[report.index("Apa yang harus"):], re.M))
    assert told.keys() == {"nama_kosong", "isian_kosong", "kode_ganda", "baris_rusak"} and "--file " + sha in report
    rows = {r["kelas"]: r["id"] for r in stage.listed("--file", sha).values()}
    for kind, text in told.items():
        assert text in advice(stage, rows[kind])

    # A column: in quarantine.
    command = re.search(r"titian (quarantine mend .*)", advice(stage, rows["nama_kosong"]))[1]
    stage.run("sh", "-c", "%s/titian %s" % (BIN, command.replace("=...", "=RAHASIA DUA")))
    assert stage.fold("utuh")["N2"]["nama"] == "RAHASIA DUA"
    near = stage.command("mend", rows["kode_ganda"], "--set", "Nama=X", check=False)
    assert near.returncode == 2 and "perhaps 'nama'" in near.stderr
    far = stage.command("mend", rows["kode_ganda"], "--set", "nomor_telepon=X", check=False)
    assert far.returncode == 2 and "kode, nama, jumlah" in far.stderr
    # The key, of a file that is the whole register: in quarantine until the next file, for good in the source.
    assert "hanya sampai berkas berikutnya" in told["isian_kosong"]
    stage.command("mend", rows["isian_kosong"], "--set", "kode=N3", "--redrive")
    assert stage.fold("utuh")["N3"]["nama"] == "RAHASIA"
    stage.csv("utuh-nasihat-2.csv", [("N1", "RAHASIA", "1"), ("N2", "", "1"), ("", "RAHASIA", "1"), ("N5", "RAHASIA", "1"), ("N6", "A", "1")])
    held = stage.fold("utuh")
    assert "N3" not in held and held["N2"]["nama"] == "RAHASIA DUA" and "N5" in held
    # What was not kept: neither mend nor redrive, but the file, mended.
    for words in (("redrive", rows["baris_rusak"]), ("mend", rows["baris_rusak"], "--set", "jumlah=1", "--redrive")):
        again = stage.command(*words, check=False)
        assert again.returncode != 0 and re.search("tidak tersimpan|not kept", again.stdout + again.stderr), again.stdout + again.stderr
    command = re.search(r"titian (quarantine discard .*)", advice(stage, rows["baris_rusak"]))[1]
    stage.run("sh", "-c", "%s/titian %s" % (BIN, command.replace("...", "berkas diperbaiki")))
    assert rows["baris_rusak"] not in stage.listed()

    head = "kode,nama,jumlah,versi"
    sha = stage.csv("versi-nasihat.csv", [("V1", "BARU", "1", "7"), ("V1", "LAMA", "1", "5")], head)
    assert "discard" in advice(stage, sha + ":3") and "Yang lebih baru" in advice(stage, sha + ":3")
    sha = stage.csv("barang-nasihat.csv", [("", "RAHASIA", "1")])
    key = advice(stage, sha + ":2")
    assert "Kolom kunci" in key and "hanya sampai" not in key and "--set 'kode=" in key
    stage.command("mend", sha + ":2", "--set", "kode=K1")
    mended = stage.command("show", sha + ":2").stdout
    assert "belum terbit" in mended and "Kolom kunci" not in mended
    stage.run("sh", "-c", "%s/titian %s" % (BIN, re.search(r"titian (quarantine redrive .*)", mended)[1]))
    assert stage.fold("barang")["K1"]["jumlah"] == 1
