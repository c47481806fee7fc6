"""`titian adapter init --yes` and `preview --count` on every file at hand: the number of records is what a careful person
counts. Needs no Kafka. Expected numbers are Python's own (csv, json, openpyxl, truth.json), or were counted by eye."""
import csv
import hashlib
import io
import json
import os
import pathlib
import re
import subprocess

import openpyxl
import pytest
import yaml

from init_cases import all_cases

ROOT = pathlib.Path(__file__).resolve().parents[2]
TITIAN = ROOT / "build/release/bin/titian"
REAL = ROOT.parent / "shared" / "data" / "real"
FEEDS = ROOT / "deploy/demo/feeds"

# Of tables that stand among titles, totals and other tables, by eye: each is the largest of its workbook or dump.
BY_EYE = {"bandarlampung_321-DINAS_SOSIAL_2023.xlsx": 20, "bandarlampung_514-DINAS_PERINDUSTRIAN_2023.xlsx": 12,
          "bandarlampung_630-BKD_2023.xlsx": 16, "bandarlampung_788-DINAS_PU_2023.xlsx": 12,
          "bandarlampung_96-DINAS_PERHUBUNGAN.xlsx": 12, "bandarlampung_satudata_disunting.sql": 52}


def run(*words, check=True, **more):
    done = subprocess.run([str(TITIAN), "adapter", *map(str, words)], capture_output=True, text=True, timeout=60, **more)
    assert not check or done.returncode == 0, done.stderr + done.stdout[-2000:]
    return done


def init(tmp, path, *more):
    out = tmp / "draf"
    run("init", "--yes", "--out", out, *more, path)
    return out / "adapter.yaml"


def count(config, path):
    lines = run("preview", "--count", "--config", config, path).stdout.splitlines()
    return int(lines[-1]), int(re.search(r"accepted +(\d+)", "\n".join(lines)).group(1))


def independent(path):
    """How many records, by Python alone."""
    if path.name in BY_EYE:
        return BY_EYE[path.name]
    text = path.read_bytes().decode("utf-8-sig")
    if path.suffix == ".geojson":
        return len(json.loads(text)["features"])
    if path.suffix == ".sql":
        return len(re.findall(r"^\s*\('", text, re.M))
    head = text[:3000]
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=";" if head.count(";") > head.count(",") else ",")
    rows = [r for r in rows if any(c.strip() for c in r)]
    titles = 1 if path.name.startswith("bapanas_") else 0
    return len(rows) - 1 - titles


@pytest.mark.skipif(not REAL.is_dir(), reason="the real files are not beside this checkout")
def test_real_files(tmp_path):
    wrong = []
    files = [p for p in sorted(REAL.iterdir()) if p.suffix in (".csv", ".xlsx", ".sql", ".geojson")]
    assert len(files) == 29
    for i, path in enumerate(files):
        tmp = tmp_path / str(i)
        got, accepted = count(init(tmp, path), path)
        expected = independent(path)
        if got != expected or accepted < 0.8 * expected:
            wrong.append((path.name, got, accepted, expected))
    assert not wrong


@pytest.mark.skipif(not REAL.is_dir(), reason="the real files are not beside this checkout")
def test_legacy_xls_is_refused_in_plain_words(tmp_path):
    done = run("init", "--yes", "--out", tmp_path / "draf", REAL / "bps_bencana_sumut.xls", check=False)
    assert done.returncode == 1 and ".xlsx" in done.stderr
    assert not (tmp_path / "draf").exists()


def test_the_city_s_feeds(tmp_path):
    truth = json.loads((ROOT / "deploy/demo/truth.json").read_text())["feeds"]
    for i, (name, feed) in enumerate(sorted(truth.items())):
        path = FEEDS / name
        got, _ = count(init(tmp_path / str(i), path), path)
        assert (name, got) == (name, feed["baris_data"])


def test_files_as_offices_write_them(tmp_path):
    wrong = []
    for name, data, expected in all_cases():
        path = tmp_path / name
        path.write_bytes(data)
        got = count(init(tmp_path / (name + ".d"), path), path)
        if got != (expected, expected - 2 if name == "baris_rusak.csv" else expected):
            wrong.append((name, got, expected))
    assert not wrong


def test_the_fields_of_xml_and_an_element_that_is_named(tmp_path):
    path = tmp_path / "a.xml"
    path.write_text("<r xmlns='urn:a' xmlns:b='urn:b'>" + "".join(
        "<u no='%d'><nama>N%d</nama><b:nama>B%d</b:nama><di><kel kode='K%d'>Kel</kel></di></u>" % (i, i, i, i) for i in range(9)) + "</r>")
    out = init(tmp_path, path).parent
    draft = yaml.safe_load((out / "a.yaml").read_text())
    spaces = draft["source"]["namespaces"]
    names = {re.sub(r"\bn\d+(?=:)", lambda m: spaces[m.group()], v["from"]) for v in draft["values"].values() if "from" in v}
    assert names == {"@no", "urn:a:nama", "urn:b:nama", "di/kel", "di/kel/@kode"}
    done = run("preview", "--personal", "--limit", "1", "--config", out / "adapter.yaml", path)
    for value in ("N0", "B0", "K0", "Kel"):
        assert '"%s"' % value in done.stdout
    draft = yaml.safe_load((init(tmp_path / "lain", path, "--rows", "kel").parent / "a.yaml").read_text())
    assert draft["source"]["rows"].endswith(":di/n1:kel") and {"@kode", "."} <= {v["from"] for v in draft["values"].values() if "from" in v}


def stacked(path, extra=0):
    """Three tables on one sheet, two of them side by side, and the fourth on another; extra: rows more in each, as next year."""
    wb = openpyxl.Workbook()
    ws = wb.active
    ws.title = "Data"

    def put(row, column, cells):
        for i, c in enumerate(cells):
            ws.cell(row, column + i, c)

    def table(row, column, title, head, n):
        put(row, column, [title[0], title[1:]])
        put(row + 2, column + 1, head)
        for i in range(n):
            put(row + 3 + i, column + 1, ["%s %d" % (head[0], i), 10 + i, 20 + i])
        put(row + 3 + n, column + 1, ["JUMLAH", sum(10 + i for i in range(n)), sum(20 + i for i in range(n))])
        return row + 3 + n + 3

    below = max(table(2, 1, "A.PENDIDIKAN", ["PENDIDIKAN", "PRIA", "WANITA"], 5 + extra),
                table(2, 7, "B.UMUR", ["UMUR", "PRIA", "WANITA"], 7 + extra))
    table(below, 1, "C.GOLONGAN", ["GOLONGAN", "PRIA", "WANITA"], 9 + extra)
    ws = wb.create_sheet("Lain")
    table(1, 1, "D.AGAMA", ["AGAMA", "PRIA", "WANITA"], 4 + extra)
    wb.save(path)


def test_one_of_several_tables_on_a_sheet(tmp_path):
    path, longer = tmp_path / "asn_2023.xlsx", tmp_path / "asn_2024.xlsx"
    stacked(path)
    stacked(longer, extra=3)
    said = run("init", "--yes", "--out", tmp_path / "banyak", path).stdout
    told = re.findall(r"'(\w+)' (\w+:\w+), (\d+) baris/rows: (.*)", said)
    assert sorted(told) == [("Data", "B17:D26", "9", "GOLONGAN | PRIA | WANITA"), ("Data", "B4:D9", "5", "PENDIDIKAN | PRIA | WANITA"),
                            ("Data", "H4:J11", "7", "UMUR | PRIA | WANITA"), ("Lain", "B3:D7", "4", "AGAMA | PRIA | WANITA")]
    assert re.search(r"--sheet 'Data' --table B4$", said, re.M)
    for cell, head, rows in (("B4", "PENDIDIKAN", 5), ("J8", "UMUR", 7), ("B17:D26", "GOLONGAN", 9), ("c15", "GOLONGAN", 9)):
        config = init(tmp_path / cell.replace(":", "_"), path, "--sheet", "Data", "--table", cell)
        draft = yaml.safe_load((config.parent / "asn.yaml").read_text())
        assert {v["from"] for v in draft["values"].values() if "from" in v} == {head, "PRIA", "WANITA"}
        assert count(config, path) == (rows, rows)
        # Next year's tables are longer, and those below stand elsewhere.
        assert count(config, longer) == (rows + 3, rows + 3)
    for cell, part in (("F4", "'Data' B4:D9"), ("B400", "'Lain' B3:D7"), ("PENDIDIKAN", "B5"), ("B", "B5"), ("7", "B5"),
                       ("B4", "--sheet")):
        done = run("init", "--yes", "--out", tmp_path / "tidak", "--table", cell, path, check=False)
        assert done.returncode == 2 and part in done.stderr, done.stderr
        assert not (tmp_path / "tidak").exists()


@pytest.mark.skipif(not REAL.is_dir(), reason="the real files are not beside this checkout")
def test_each_table_of_a_real_sheet(tmp_path):
    path = REAL / "bandarlampung_630-BKD_2023.xlsx"
    for cell, head, rows in (("B8", "PENDIDIKAN", 11), ("I8", "UMUR", 10), ("M30", "GOLONGAN", 16), ("B47", "KODE GOLRU", 16)):
        config = init(tmp_path / cell, path, "--table", cell)
        assert head in (config.parent / "bandarlampung_630_bkd.yaml").read_text()
        assert count(config, path) == (rows, rows)


def test_personal_values_are_nowhere_but_in_the_file(tmp_path):
    path = FEEDS / "disdukcapil_penduduk.psv"
    out = tmp_path / "draf"
    said = run("init", "--yes", "--out", out, path).stdout
    written = "".join(p.read_text() for p in sorted(out.rglob("*.*")) if p.suffix != ".key")
    rows = list(csv.DictReader(path.open(encoding="utf-8", errors="replace"), delimiter="|"))[:200]
    for row in rows:
        for column in ("NIK", "NO_KK", "NAMA_LGKP", "ALAMAT"):
            assert not row[column] or row[column] not in said + written


def test_nothing_is_overwritten_unless_said(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("kode,nama\n01,x\n02,y\n")
    out = tmp_path / "draf"
    run("init", "--yes", "--out", out, path)
    before = {p: hashlib.sha256(p.read_bytes()).hexdigest() for p in out.rglob("*") if p.is_file()}
    done = run("init", "--yes", "--out", out, path, check=False)
    assert done.returncode == 2 and "--force" in done.stderr
    assert before == {p: hashlib.sha256(p.read_bytes()).hexdigest() for p in out.rglob("*") if p.is_file()}
    (out / "adapter.yaml").write_text("x")
    run("init", "--yes", "--force", "--out", out, path)
    after = {p: hashlib.sha256(p.read_bytes()).hexdigest() for p in out.rglob("*") if p.is_file()}
    assert after == before  # keys are never made anew
    assert oct(os.stat(out / "kunci/kota.key").st_mode & 0o777) == "0o600"


@pytest.mark.parametrize("name, data, part", [
    ("kosong.csv", b"", "empty"), ("spasi.csv", b" \r\n \r\n", "empty"), ("judul_saja.csv", b"nama;alamat\r\n", "no row"),
    ("x.pdf", b"%PDF-1.7\n", "PDF"), ("x.gz", b"\x1f\x8b\x08\x00abc", "gzip"), ("biner.dat", b"abc\x00\x01\x02def", "NUL"),
    ("x.json", b'{"a": 1,\n "b": 2}', "array"), ("rusak.json", b'[{"a": 1}, {"a": ]', "JSON|line|value"),
    ("sama.xml", b"<a><b><c>1</c></b><d>2</d></a>", "no element repeats"), ("rusak.xml", b"<a><b>1</b><b></a>", "line|mismatch"),
    ("bom.xml", b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><a><b>&b;</b><b>1</b></a>", "DOCTYPE"),
    ("kosong.sql", b"-- MySQL dump\nCREATE TABLE a (b int);\n", "no rows"),
])
def test_what_cannot_be_read_is_refused(tmp_path, name, data, part):
    path = tmp_path / name
    path.write_bytes(data)
    done = run("init", "--yes", "--out", tmp_path / "draf", path, check=False)
    assert done.returncode == 1 and re.search(part, done.stderr), done.stderr
    assert not (tmp_path / "draf").exists()


def test_asks_when_there_is_a_terminal(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("kode,nama\n01,x\n02,y\n")

    def session(answers):
        main, other = os.openpty()
        p = subprocess.Popen([str(TITIAN), "adapter", "init", "--out", str(tmp_path / "draf"), str(path)], stdin=other,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        os.close(other)
        os.write(main, answers)
        said = p.communicate(timeout=30)[0]
        os.close(main)
        return p.returncode, said

    status, said = session(b"dinsos\nBUKAN NAMA\nwarga\nnama\nt\n")
    assert status == 1 and "a to z" in said and not (tmp_path / "draf").exists()
    status, said = session(b"dinsos\nwarga\n\n\n")
    assert status == 0, said
    config = tmp_path / "draf/adapter.yaml"
    assert "opd: dinsos" in config.read_text() and count(config, path) == (2, 2)
    done = run("init", "--out", tmp_path / "lain", path, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 2 and "--yes" in done.stderr
