"""`titian adapter explain`: what happened to one row, step by step. Needs no Kafka."""
import json
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TITIAN = ROOT / "build/release/bin/titian"

MAPPING = """
feed: uji_barang
files: ["*.csv"]
topic: pku.uji.barang.v1
kind: register
source: {kind: delimited, separator: ";"}
values:
  kode: {from: KODE, as: [clean, upper]}
  jumlah: {from: JUMLAH, as: whole}
  nik: {from: NIK, as: nik}
checks:
  - {class: kode_ganda, fate: refuse, when: {repeated: kode}}
  - {class: nik_salah, fate: flag, when: {bad: nik}}
key: kode
fields:
  kode: kode
  jumlah: jumlah
  nik: nik
  tanda: {flags: true}
"""
SCHEMA = {"type": "record", "name": "Barang", "namespace": "id.go.uji.v1", "doc": "uji", "x_topik": "pku.uji.barang.v1",
          "x_jenis": "register", "x_kunci": "kode", "x_produsen": "uji", "x_walidata": "diskominfotiksan", "fields": [
              {"name": "kode", "type": "string", "doc": "Kode", "x_pdp": "N"},
              {"name": "jumlah", "type": "long", "doc": "Jumlah", "x_pdp": "N"},
              {"name": "nik", "type": ["null", "string"], "default": None, "doc": "NIK", "x_pdp": "U"},
              {"name": "tanda", "type": {"type": "array", "items": "string"}, "default": [], "doc": "Tanda", "x_pdp": "N"}]}
ROWS = ["KODE;JUMLAH;NIK", "a1 ;7;1471014506900001", "b2;x;", "A1;9;", "c3;5;123", "d4;1"]


@pytest.fixture
def config(tmp_path):
    for name in ("skema", "referensi", "masuk"):
        (tmp_path / name).mkdir()
    (tmp_path / "skema/barang.avsc").write_text(json.dumps(SCHEMA))
    (tmp_path / "barang.yaml").write_text(MAPPING)
    subprocess.run([str(TITIAN), "key", "new", str(tmp_path / "kota.key")], check=True, capture_output=True)
    (tmp_path / "adapter.yaml").write_text("opd: uji\ndrop: {dir: masuk}\nmappings: [barang.yaml]\nreferensi: {dir: referensi}\n"
                                           "key: {city: kota.key}\nkafka: {bootstrap: \"127.0.0.1:1\"}\nschemas: {dir: skema}\n")
    (tmp_path / "barang.csv").write_text("\n".join(ROWS) + "\n")
    return tmp_path / "adapter.yaml"


def explain(config, row, *more, check=True):
    done = subprocess.run([str(TITIAN), "adapter", "explain", "--config", str(config), *more, str(config.parent / "barang.csv"),
                           str(row)], capture_output=True, text=True, timeout=30)
    assert not check or done.returncode == 0, done.stderr
    return done if not check else done.stdout


def test_each_step_of_a_row_that_is_published(config):
    said = explain(config, 2)
    steps = re.findall(r"^    (\w+) +-> (.*)$", said, re.M)
    assert steps == [("from", "'a1'"), ("clean", "'a1'"), ("upper", "'A1'"), ("from", "'7'"), ("whole", "'7'"),
                     ("from", "••• (16)"), ("nik", "••• (16)")]
    assert "PUBLISHED" in said and "1471014506900001" not in said and "REFUSED" not in said
    assert json.loads(said.splitlines()[-1]) == {"kode": "A1", "jumlah": 7, "nik": "•••", "tanda": []}
    assert "kode (baris/line 8)" in said  # where the rule stands in the mapping
    open_ = explain(config, 2, "--show-personal")
    assert json.loads(open_.splitlines()[-1])["nik"] == "1471014506900001"


def test_refusals_and_flags_by_their_rules(config):
    assert re.search(r"isian_salah \(refuse\), kolom/column JUMLAH", explain(config, 3))
    again = explain(config, 4)
    assert re.search(r"kode_ganda \(refuse\), kolom/column KODE", again) and "REFUSED" in again
    flagged = explain(config, 5)
    assert "nik_salah (flag)" in flagged and "PUBLISHED" in flagged
    assert json.loads(flagged.splitlines()[-1])["tanda"] == ["nik_salah"] and "'123'" not in flagged
    assert "baris_rusak" in explain(config, 6)
    assert explain(config, 3, "--record") == explain(config, 4)


def test_a_row_that_is_not_there(config):
    for row, more, part in ((1, [], "no record"), (99, [], "no record"), (9, ["--record"], "holds 5")):
        done = explain(config, row, *more, check=False)
        assert done.returncode == 1 and part in done.stderr
    assert explain(config, "x", check=False).returncode == 2


def test_agrees_with_preview_on_every_row(config):
    """Each row's outcome alone is that of the whole file."""
    whole = subprocess.run([str(TITIAN), "adapter", "preview", "--config", str(config), "--limit", "100",
                            str(config.parent / "barang.csv")], capture_output=True, text=True, timeout=30).stdout
    for line in range(2, 7):
        refused = re.search(r"^%d\tDITOLAK" % line, whole, re.M) is not None
        assert ("REFUSED" in explain(config, line)) == refused
