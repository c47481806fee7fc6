"""Every kind of file, written from tables that chance made up, read by other people's readers, cell by cell."""
import csv
import io
import json
import math
import os
import pathlib
import random
import subprocess

import duckdb
import fastavro
import openpyxl
import pandas
import pyarrow.parquet
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "build/release/export_file"
SEED = int(os.environ.get("SEED", "5"))
HOSTILE = ["", "=1+1", "+62 811", "-2+3|cmd", "-12.5", "@SUM(A1)", "\tx", "\rx", "\nx", "\uff1dcmd", "\uff0bx", "\uff0dx", "\uff20x",
           'a"b', "a,b", "a;b", "a\tb", "line\nline", "cr\r\nlf", "'quoted", "caf\u00e9", "\u6f22\u5b57", "\U0001f600",
           "1409064511679001", "0012", "2025-01-01", "true", "null", "NaN", " lead", "\u2028", "</b>&", "x" * 300]
REPLACED = {"hex": "61ff00c3"}  # a, no UTF-8, NUL, half a character


def program(kind, table, pack=None, check=True):
    run = subprocess.run([str(PROGRAM), kind] + ([pack] if pack else []), input=json.dumps(table).encode(), capture_output=True,
                         cwd=ROOT / "build")
    if check:
        assert run.returncode == 0, run.stderr.decode()
    return run


def columns():
    types = ["text", "text", "text", "int", "real", "bool", "json", "text", "int"]
    names = ["id", "nama", "kode", "jumlah", "nilai", "ya", "rinci", "kosong", "tahun"]
    return [{"name": n, "type": t, "title": n.title(), "unit": "Rp" if n == "jumlah" else None} for n, t in zip(names, types)]


def table(rows, seed=SEED):
    """(what the program is given, what must come back)"""
    chance = random.Random(seed)
    given, want = [], []
    for i in range(rows):
        def maybe(v):
            return None if chance.random() < 0.2 else v
        real = chance.choice([0.0, -0.0, 1.5, -1e300, 5e-324, 0.1, 12345.678, chance.random() * 10 ** chance.randint(-20, 20)])
        cells = ["k%07d" % i,
                 chance.choice(HOSTILE) if rows < 5000 else "nama %d" % chance.randrange(10 ** 9),
                 "kode-%d" % chance.randrange(7),
                 maybe(chance.choice([0, 1, -1, 2 ** 63 - 1, -2 ** 63, chance.randrange(-10 ** 9, 10 ** 9)])),
                 maybe(real), maybe(chance.random() < 0.5),
                 maybe(json.dumps({"a": [1, i], "b": chance.choice(HOSTILE)})), None, maybe(2000 + i % 20)]
        given.append([c if not isinstance(c, float) else {"real": c} for c in cells])
        want.append(cells)
    return {"columns": columns(), "rows": given}, want


def same(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return math.copysign(1, a) == math.copysign(1, b) and a == b
    return a == b and type(a) is type(b)


def assert_rows(got, want):
    assert len(got) == len(want)
    for i, (a, b) in enumerate(zip(got, want)):
        for c, x, y in zip(columns(), a, b):
            assert same(x, y), "row %d, column %s" % (i, c["name"])


@pytest.fixture(scope="module", autouse=True)
def built():
    subprocess.run(["make", "-s", "CONFIG=release", "build/release/export_file"], cwd=ROOT, check=True)


@pytest.mark.parametrize("rows", [0, 1, 2, 1000, 150000])
@pytest.mark.parametrize("pack", ["zstd", "snappy", "none"])
def test_parquet_is_read_by_pyarrow_duckdb_and_pandas(tmp_path, rows, pack):
    if rows > 100000 and pack != "zstd":
        pytest.skip("two row groups once")
    given, want = table(rows)
    path = tmp_path / "t.parquet"
    path.write_bytes(program("parquet", given, pack).stdout)
    names = [c["name"] for c in columns()]

    file = pyarrow.parquet.ParquetFile(path, page_checksum_verification=True)
    arrow = file.read()
    assert arrow.column_names == names
    assert_rows(list(zip(*[c.to_pylist() for c in arrow.columns])) if rows else [], want)
    meta = {k.decode(): v.decode() for k, v in file.metadata.metadata.items()}
    assert meta["titian.view"] == "uji" and meta["titian.cursor"] == "kursor"
    assert [c["title"]["id"] for c in json.loads(meta["titian.columns"])] == [n.title() for n in names]
    assert file.metadata.num_row_groups == (0 if rows == 0 else 2 if rows > 122880 else 1)
    at = 0
    for g in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(g)
        part = want[at:at + group.num_rows]
        at += group.num_rows
        for i in range(len(names)):
            bounds, values = group.column(i).statistics, [r[i] for r in part if r[i] is not None]
            assert bounds.null_count == len(part) - len(values)
            if bounds.has_min_max and names[i] != "rinci":
                encode = (lambda v: v.encode()) if isinstance(values[0], str) else (lambda v: v)
                assert encode(bounds.min) == min(map(encode, values)) and encode(bounds.max) == max(map(encode, values))
    assert at == rows

    con = duckdb.connect()
    got = con.execute("SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
    assert_rows(got, want)
    if rows > 1:
        for value in ("kode-3", "kode-9"):  # bounds lead a filter past what cannot match, and past nothing else
            n = con.execute("SELECT count(*) FROM read_parquet(?) WHERE kode = ?", [str(path), value]).fetchone()[0]
            assert n == sum(r[2] == value for r in want)
        n = con.execute("SELECT count(*) FROM read_parquet(?) WHERE jumlah < 0", [str(path)]).fetchone()[0]
        assert n == sum(r[3] is not None and r[3] < 0 for r in want)
    frame = pandas.read_parquet(path)
    assert list(frame.columns) == names and len(frame) == rows
    assert frame["nama"].tolist() == [r[1] for r in want]


@pytest.mark.parametrize("pack", ["deflate", "snappy", "zstd", "none"])
def test_avro_is_read_by_fastavro(pack):
    given, want = table(2000)
    reader = fastavro.reader(io.BytesIO(program("avro", given, pack).stdout))
    assert reader.codec == {"none": "null", "zstd": "zstandard"}.get(pack, pack)
    assert_rows([tuple(r[c["name"]] for c in columns()) for r in reader], want)
    fields = {f["name"]: f for f in reader.writer_schema["fields"]}
    assert fields["id"]["type"] == "string" and fields["jumlah"]["type"] == ["null", "long"]
    assert fields["jumlah"]["x_unit"] == "Rp" and fields["jumlah"]["x_pdp"] == "N" and fields["jumlah"]["doc"] == "Jumlah"
    assert reader.metadata["titian.cursor"] == "kursor"


def test_ndjson_is_a_line_a_row():
    given, want = table(2000)
    lines = program("ndjson", given).stdout.decode().split("\n")
    assert lines.pop() == ""
    got = []
    for text in lines:
        row = json.loads(text)
        assert list(row) == [c["name"] for c in columns()]
        got.append([v if n != "rinci" or v is None else json.dumps(v) for n, v in row.items()])
    for r in want:
        r[6] = r[6] if r[6] is None else json.dumps(json.loads(r[6]))
        r[4] = r[4] if r[4] is None else float(r[4])
    for a in got:
        a[4] = a[4] if a[4] is None else float(a[4])
    assert_rows(got, want)


def spreadsheet_safe(text):
    """OWASP, CSV injection; what is a plain number is none."""
    if text[:1] in ("=", "+", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20") or (text[:1] == "-" and text != "-12.5"):
        return "'" + text
    return text


@pytest.mark.parametrize("excel", [False, True])
def test_csv_is_read_by_python_pandas_and_duckdb(tmp_path, excel):
    given, want = table(2000)
    data = program("csv", dict(given, excel=excel)).stdout
    assert data.startswith(b"\xef\xbb\xbf") == excel
    path = tmp_path / "t.csv"
    path.write_bytes(data)
    separator = ";" if excel else ","
    got = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=separator, strict=True))
    assert got[0] == [c["name"] for c in columns()]
    assert len(got) == len(want) + 1
    for a, b in zip(got[1:], want):
        assert a[1] == spreadsheet_safe(b[1])
        assert a[3] == ("" if b[3] is None else str(b[3]))
        assert (a[4] == "") == (b[4] is None)
        if b[4] is not None:
            assert float(a[4].replace(",", ".") if excel else a[4]) == b[4]
        assert a[5] == {None: "", True: "true", False: "false"}[b[5]]
        assert a[6] == ("" if b[6] is None else b[6])
    frame = pandas.read_csv(path, sep=separator, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    assert frame["nama"].tolist() == [spreadsheet_safe(r[1]) for r in want]
    duck = duckdb.connect().execute(
        "SELECT nama, kosong FROM read_csv(?, delim=?, header=true, all_varchar=true, quote='\"', escape='\"', allow_quoted_nulls=false)",
        [str(path), separator]).fetchall()
    assert duck == [(spreadsheet_safe(r[1]), None) for r in want]  # empty text is not null
    if excel:  # a cell stays a cell, whatever a spreadsheet takes for the separator
        for other in (",", "\t"):
            for row in csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=other):
                assert not any(cell[:1] in ("=", "+", "@") for cell in row)


def test_xlsx_holds_text_as_text_and_says_what_it_is(tmp_path):
    given, want = table(2000)
    path = tmp_path / "t.xlsx"
    path.write_bytes(program("xlsx", given).stdout)
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["Data", "Kamus"]
    rows = list(book["Data"].iter_rows())
    assert [c.value for c in rows[0]] == [c["name"] for c in columns()]
    assert len(rows) == len(want) + 1
    for cells, row in zip(rows[1:], want):
        text = openpyxl.utils.escape.unescape(cells[1].value or "")
        assert text == row[1].replace("\r\n", "\n").replace("\r", "\n") or text == row[1]
        assert cells[1].data_type in ("s", "inlineStr", "n") and not (cells[1].value and cells[1].data_type in ("n", "f"))
        if row[3] is None:
            assert cells[3].value is None
        elif abs(row[3]) > 2 ** 53:
            assert cells[3].value == str(row[3])
        else:
            assert cells[3].value == row[3]
        assert (cells[4].value is None) == (row[4] is None)
        assert cells[5].value is row[5]
    dictionary = [[c.value for c in r] for r in book["Kamus"].iter_rows()]
    assert [r[0] for r in dictionary[1:10]] == [c["name"] for c in columns()]
    said = {r[0]: r[1] for r in dictionary[10:] if r[0]}
    assert said["kursor / cursor"] == "kursor" and said["sumber / source"] == "diskominfo"


@pytest.mark.parametrize("kind", ["csv", "ndjson", "avro", "parquet", "xlsx"])
def test_bytes_that_are_no_text_are_replaced(tmp_path, kind):
    given = {"columns": columns()[:2], "rows": [["k", REPLACED]]}
    data = program(kind, given).stdout
    nul = "\0" if kind in ("ndjson", "avro", "parquet") else "\ufffd"
    want = "a\ufffd" + nul + "\ufffd"
    if kind == "csv":
        got = list(csv.reader(io.StringIO(data.decode(), newline="")))[1][1]
    elif kind == "ndjson":
        got = json.loads(data)["nama"]
    elif kind == "avro":
        got = next(fastavro.reader(io.BytesIO(data)))["nama"]
    elif kind == "parquet":
        got = pyarrow.parquet.read_table(io.BytesIO(data)).column("nama")[0].as_py()
    else:
        got = openpyxl.load_workbook(io.BytesIO(data))["Data"]["B2"].value
    assert got == want


@pytest.mark.parametrize("kind", ["csv", "ndjson", "avro", "parquet", "xlsx"])
def test_a_cell_of_ten_megabytes(kind):
    big = "0123456789" * 1000000
    run = program(kind, {"columns": columns()[:2], "rows": [["a", big], ["b", "x"], ["c", None]]}, check=False)
    if kind == "xlsx":
        assert run.returncode == 1 and b"32767" in run.stderr and b"0123" not in run.stderr
        return
    if kind == "csv":
        csv.field_size_limit(2 ** 26)
        got = [r[1] for r in csv.reader(io.StringIO(run.stdout.decode(), newline=""))][1:]
        got[2] = got[2] or None
    elif kind == "ndjson":
        got = [json.loads(l)["nama"] for l in run.stdout.splitlines()]
    elif kind == "avro":
        got = [r["nama"] for r in fastavro.reader(io.BytesIO(run.stdout))]
    else:
        got = pyarrow.parquet.read_table(io.BytesIO(run.stdout)).column("nama").to_pylist()
    assert got == [big, "x", None]


@pytest.mark.parametrize("kind", ["csv", "ndjson", "avro", "parquet", "xlsx"])
def test_masked_columns_are_as_in_pages(kind):
    given = {"columns": columns(), "clear": str(1), "rows": [["k", "rahasia", "x", 7, 1.5, True, "[1]", None, 1], ["l"] + [None] * 8]}
    data = program(kind, given).stdout
    mask = "\u2022\u2022\u2022"
    if kind == "csv":
        got = [[c or None for c in r] for r in csv.reader(io.StringIO(data.decode(), newline=""))][1:]
    elif kind == "ndjson":
        got = [list(json.loads(l).values()) for l in data.splitlines()]
    elif kind == "avro":
        got = [list(r.values()) for r in fastavro.reader(io.BytesIO(data))]
    elif kind == "parquet":
        got = [list(r.values()) for r in pyarrow.parquet.read_table(io.BytesIO(data)).to_pylist()]
    else:
        got = [[c.value for c in r] for r in openpyxl.load_workbook(io.BytesIO(data))["Data"].iter_rows(max_col=9)][1:]
    assert got == [["k", mask, mask] + [None] * 6, ["l"] + [None] * 8]


def test_values_of_another_type_are_kept_or_refused():
    columns_ = [{"name": "id", "type": "text"}, {"name": "n", "type": "int"}]
    for kind in ("avro", "parquet"):
        assert program(kind, {"columns": columns_, "rows": [["a", {"real": 3.0}], [{"real": 2.5}, 4]]}, check=True)
        run = program(kind, {"columns": columns_, "rows": [["a", {"real": 3.5}]]}, check=False)
        assert run.returncode == 1 and b"column 'n'" in run.stderr and b"3.5" not in run.stderr


def test_a_sheet_that_is_full_is_refused():
    """Excel's 1,048,576 rows, one of them the header."""
    head = {"columns": [{"name": "id", "type": "text"}]}
    run = program("xlsx", {**head, "rows": [["k"]] * 1048576}, check=False)
    assert run.returncode == 1 and b"etoobig" in run.stderr and b"1048575" in run.stderr
