"""OpenDocument spreadsheets: what `titian-adapter preview` makes of them, against pandas (odfpy) reading the same file, and of the
same workbooks as Excel files."""
import csv
import datetime
import itertools
import os
import re
import subprocess
import sys
import zipfile
from xml.sax.saxutils import quoteattr

import openpyxl
import pandas
import pytest
from odf.namespaces import TABLENS
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import CoveredTableCell, Table, TableCell, TableRow
from odf.text import P

from conftest import ROOT
from test_xlsx import ADAPTER, DATA, NIK, REAL, TABLES, adapter, people, preview

OURS = ROOT / "tests/data/ods/libreoffice.ods"
NAMESPACES = " ".join(f'xmlns:{n}="urn:oasis:names:tc:opendocument:xmlns:{n}:1.0"' for n in ("office", "table", "text"))


# --- writing --------------------------------------------------------------------------------------------

def odf_cell(value, **more):
    kind = {"valuetype": "string"}
    if isinstance(value, bool):
        kind = {"valuetype": "boolean", "booleanvalue": str(value).lower()}
    elif isinstance(value, (int, float)):
        kind = {"valuetype": "float", "value": repr(value)}
    elif isinstance(value, (datetime.datetime, datetime.date)):
        kind = {"valuetype": "date", "datevalue": value.isoformat()}
    cell = TableCell(**kind, **more)
    for line in str(value).split("\n"):
        cell.addElement(P(text=line))
    return cell


def to_ods(xlsx, ods):
    """The workbook's values and merged cells, by odfpy; equal rows one below the other are one, repeated."""
    out = OpenDocumentSpreadsheet()
    for sheet in openpyxl.load_workbook(xlsx, data_only=True).worksheets:
        spans = {(r.min_row, r.min_col): (r.max_row - r.min_row + 1, r.max_col - r.min_col + 1) for r in sheet.merged_cells.ranges}
        covered = {(y, x) for r in sheet.merged_cells.ranges for y in range(r.min_row, r.max_row + 1)
                   for x in range(r.min_col, r.max_col + 1)} - set(spans)
        table, last, before = Table(name=sheet.title), None, None
        for y, values in enumerate(sheet.iter_rows(values_only=True), 1):
            merged = any((y, x) in spans or (y, x) in covered for x in range(1, len(values) + 1))
            if values == before and not merged:
                last.setAttrNS(TABLENS, "number-rows-repeated", int(last.getAttrNS(TABLENS, "number-rows-repeated") or 1) + 1)
                continue
            last, before = TableRow(), None if merged else values
            for x, value in enumerate(values, 1):
                span = spans.get((y, x))
                more = {"numberrowsspanned": span[0], "numbercolumnsspanned": span[1]} if span else {}
                last.addElement(CoveredTableCell() if (y, x) in covered else
                                TableCell(**more) if value is None else odf_cell(value, **more))
            table.addElement(last)
        out.spreadsheet.addElement(table)
    out.save(ods)


def write(path, head, rows):
    """Cells as they are given: texts, numbers, dates, booleans; piece by piece, for any number of rows."""
    def cell(v):
        if isinstance(v, bool):
            return f'<table:table-cell office:value-type="boolean" office:boolean-value="{str(v).lower()}"/>'
        if isinstance(v, int):
            return f'<table:table-cell office:value-type="float" office:value="{v}"><text:p>{v}</text:p></table:table-cell>'
        if isinstance(v, datetime.date):
            return f'<table:table-cell office:value-type="date" office:date-value="{v}"><text:p>{v}</text:p></table:table-cell>'
        return f'<table:table-cell office:value-type="string" office:string-value={quoteattr(v)}/>' if v else "<table:table-cell/>"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
        out.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        with out.open("content.xml", "w", force_zip64=True) as to:
            to.write(f'<office:document-content {NAMESPACES}><office:body><office:spreadsheet><table:table table:name="A">'.encode())
            for row in itertools.chain([head], rows):
                to.write(("<table:table-row>" + "".join(map(cell, row)) + "</table:table-row>").encode())
            to.write('<table:table-row table:number-rows-repeated="900000"><table:table-cell table:number-columns-repeated="16384"/>'
                     "</table:table-row></table:table></office:spreadsheet></office:body></office:document-content>".encode())


def mapping(folder, source="", fields="  a: {from: NOMINAL, as: rupiah}\n  teks: {from: TANGGAL}\n"):
    path = folder / "ods.yaml"
    path.write_text("feed: contoh\nfiles: [\"*.ods\"]\ntopic: pku.contoh.baris.v1\nkind: register\n"
                    f"source: {{kind: ods{source}}}\nvalues:\n  nik: {{from: NIK}}\nkey: nik\nfields:\n  kunci: nik\n{fields}")
    return path


# --- real files -----------------------------------------------------------------------------------------

def as_ods(folder, name):
    path = folder / "ods.yaml"
    path.write_text((DATA / f"{name}.yaml").read_text().replace("kind: xlsx", "kind: ods").replace(".xlsx", ".ods"))
    return path


@pytest.fixture(scope="module")
def converted(tmp_path_factory):
    if not REAL.exists():
        pytest.skip("the real files are not beside this checkout")
    folder = tmp_path_factory.mktemp("ods")
    for file in {t[0] for t in TABLES.values()}:
        to_ods(REAL / file, folder / file.replace(".xlsx", ".ods"))
    return folder


@pytest.mark.parametrize("name", TABLES)
def test_a_real_table_reads_as_pandas_reads_it(tmp_path, converted, name):
    file, sheet, first, last, columns, _ = TABLES[name]
    path = converted / file.replace(".xlsx", ".ods")
    frame = pandas.read_excel(path, engine="odf", header=None, sheet_name=sheet, dtype=object, keep_default_na=False)

    def at(row, letter):
        value = frame.iloc[row - 1, ord(letter) - ord("A")]
        return None if value == "" else value
    expected = {}
    for row in range(first, last + 1):
        key = at(row, columns[0])
        if key is None:
            continue
        value = [at(row, c) if c != "-" else None for c in columns[1:]]
        text = " | ".join(str(v).strip() for v in value[2:] if v is not None) or None
        expected[row] = {"kunci": " ".join(str(key).split()), "a": value[0], "b": value[1], "teks": text}
    rows, refused = preview(tmp_path, as_ods(tmp_path, name), path)
    assert expected and refused == [] and rows == expected


def test_the_sample_feed_as_a_spreadsheet_reads_as_its_csv_does(tmp_path):
    feed = ROOT / "deploy/demo/feeds/dinsos_bansos.csv"
    with open(feed, encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.reader(lines, delimiter=";"))
    write(tmp_path / "dinsos_bansos.ods", rows[0], rows[1:])
    text = (ROOT / "adapters/opd/dinsos/bansos.yaml").read_text().replace('"dinsos_bansos*.csv"', '"dinsos_bansos*"')
    as_csv, ods = tmp_path / "csv.yaml", tmp_path / "ods.yaml"
    as_csv.write_text(text)
    for gone in ['  separator: ";"\n', "  encoding: utf-8\n", "  title_rows: 3\n"]:
        assert gone in text
        text = text.replace(gone, "")
    ods.write_text(text.replace("kind: delimited", "kind: ods"))
    schemas = ROOT / "schemas/avsc"
    expected, got = preview(tmp_path, as_csv, feed, schemas), preview(tmp_path, ods, tmp_path / "dinsos_bansos.ods", schemas)
    assert len(expected[0]) > 100 and expected[1] and got == expected


# --- as LibreOffice writes ------------------------------------------------------------------------------

def of_libreoffice(folder, more="", fields="", file=OURS):
    path = folder / "ods.yaml"
    path.write_text(
        "feed: contoh\nfiles: [\"*.ods\"]\ntopic: pku.contoh.baris.v1\nkind: register\n"
        "source: {kind: ods, header: 4, header_rows: 2, end_row: {column: NO, equals: JUMLAH}" + more + "}\n"
        "values:\n  kunci: {join: [{from: NAMA}, {from: NO}], with: \"/\"}\nkey: kunci\nfields:\n  kunci: kunci\n" + fields)
    return preview(folder, path, file)


@pytest.mark.parametrize("flat", [False, True])
def test_what_libreoffice_writes_is_what_its_window_shows(tmp_path, flat):
    file = OURS
    if flat:  # the same XML in one file
        with zipfile.ZipFile(OURS) as book:
            text = book.read("content.xml").decode()
        file = tmp_path / "a.fods"
        file.write_text(text.replace("office:document-content", "office:document"))
    names = ["BUDI  SANTOSO/1", "SITI/2", "AHMAD/3", "DEWI/4", "TETAP/5", "TETAP/5", "TETAP/5", "TERSEMBUNYI/6"]
    rows, refused = of_libreoffice(tmp_path, fields="  a: {from: NO, as: whole}\n  teks: {from: TANGGAL}\n", file=file)
    assert refused == [] and [(n, r["kunci"]) for n, r in rows.items()] == list(enumerate(names, 6))
    assert [r["teks"] for r in rows.values()] == ["2023-03-31", "2023-04-01T14:30:15", "08:05:00", "30:15:00", "2024-02-29",
                                                   "2024-02-29", "2024-02-29", "2024-03-01"]
    rows, _ = of_libreoffice(tmp_path, fields="  teks: {from: KETERANGAN}\n", file=file)
    assert [r["teks"] for r in rows.values()] == ["satu\nbaris", "x", "hasil 3", "1", "sama", "sama", "sama", "café “kutip”"]
    rows, _ = of_libreoffice(tmp_path, fields="  teks: {from: BANTUAN / JUMLAH}\n", file=file)
    assert [r["teks"] for r in rows.values()] == ["750000", "1250000.5", "1500000", "2000000.5", "5", "5", "5", "6"]
    rows, refused = of_libreoffice(tmp_path, fields="  teks: {from: BAGIAN}\n", file=file)
    assert [r["teks"] for r in rows.values()] == ["0.25", "1", "5", "5", "5", "0"]
    assert [(n, c, f) for n, c, f, _ in refused] == [(8, "isian_salah", "BAGIAN"), (9, "isian_salah", "BAGIAN")]
    assert all("an error (#N/A)" in r[3] for r in refused)
    for fill, expected in (("", ["SUKAJADI", None, None]), (", fill_merged: true", ["SUKAJADI"] * 3)):
        rows, _ = of_libreoffice(tmp_path, more=fill, fields="  teks: {from: KECAMATAN}\n", file=file)
        assert [r["teks"] for r in rows.values()] == expected + ["BINAWIDYA"] * 5


def test_a_rounded_nik_and_a_hidden_sheet(tmp_path):
    rows, refused = preview(tmp_path, mapping(tmp_path, ", sheet: NIK", "  teks: {from: NAMA}\n"), OURS)
    assert [(n, r["kunci"], r["teks"]) for n, r in rows.items()] == [(3, NIK[1], "TEKS"), (4, "1471080101900011", "UTUH")]
    assert [(n, f) for n, _, f, _ in refused] == [(2, "NIK")] and "lost its last digit" in refused[0][3]
    text = mapping(tmp_path, ", sheet: tersembunyi", "").read_text().replace("from: NIK", "from: V")
    (tmp_path / "ods.yaml").write_text(text)
    assert preview(tmp_path, tmp_path / "ods.yaml", OURS) == ({2: {"kunci": "7", "a": None, "b": None, "teks": None}}, [])


def test_init_drafts_an_adapter_for_it_and_explain_tells_a_row(tmp_path):
    titian = ROOT / "build/release/bin/titian"

    def run(*words):
        done = subprocess.run([titian, "adapter", *map(str, words)], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout
    run("init", "--yes", "--out", tmp_path / "draf", OURS)
    conf = tmp_path / "draf/adapter.yaml"
    assert "kind: ods" in "".join(p.read_text() for p in (tmp_path / "draf").rglob("*.yaml"))
    assert run("preview", "--count", "--config", conf, OURS).splitlines()[-1] == "8"
    assert "NAMA" in run("explain", "--config", conf, OURS, 7)
    run("init", "--yes", "--sheet", "NIK", "--out", tmp_path / "nik", OURS)
    assert run("preview", "--count", "--config", tmp_path / "nik/adapter.yaml", OURS).splitlines()[-1] == "3"


def test_what_pandas_writes_reads_as_pandas_reads_it(tmp_path):
    file = tmp_path / "a.ods"
    pandas.DataFrame(people(500), columns=["NIK", "NOMINAL", "TANGGAL"]).to_excel(file, index=False, engine="odf")
    frame = pandas.read_excel(file, dtype={"NIK": str}, engine="odf")
    rows, refused = preview(tmp_path, mapping(tmp_path), file)
    assert refused == [] and len(rows) == len(frame) == 500
    assert [r["kunci"] for r in rows.values()] == list(frame["NIK"])
    assert sum(r["a"] for r in rows.values()) == frame["NOMINAL"].sum()
    assert [r["teks"][:10] for r in rows.values()] == [str(d)[:10] for d in frame["TANGGAL"]]


# --- size, damage ---------------------------------------------------------------------------------------

def test_memory_does_not_grow_with_the_file(tmp_path):
    """ODS_ROWS=1000000: make soak-ods."""
    n = int(os.environ.get("ODS_ROWS", 100000))
    first = datetime.date(1982, 2, 18)
    days = [first + datetime.timedelta(days=i) for i in range(9999)]
    write(tmp_path / "a.ods", ["NIK", "NAMA", "ALAMAT", "NOMINAL", "TANGGAL", "AKTIF"],
          ((f"1471080101{i:06d}", f"PENDUDUK NOMOR {i}", f"JALAN JENDERAL SUDIRMAN NOMOR {i} RT 01 RW 02", i, days[i % 9999],
            i % 2 == 1) for i in range(n)))
    adapter(tmp_path, mapping(tmp_path), "check")
    # A child's peak counts that of the process it was forked from: a small one stands between.
    ask = ("import resource, subprocess, sys; r = subprocess.run(sys.argv[1:]).returncode; "
           "u = resource.getrusage(resource.RUSAGE_CHILDREN); print(u.ru_maxrss, u.ru_utime + u.ru_stime); sys.exit(r)")
    done = subprocess.run([sys.executable, "-c", ask, str(ADAPTER), "preview", "--config", str(tmp_path / "adapter.yaml"),
                           "--limit", "1", str(tmp_path / "a.ods")], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0 and re.search(rf"accepted +{n}\n", done.stdout), done.stdout + done.stderr
    peak, cpu = map(float, done.stdout.splitlines()[-1].split())
    print(f"\nadapter_ods_rows_per_cpu_second {n / cpu:.0f} rows/s\nadapter_ods_rss {peak / 1024:.0f} MiB")
    assert peak < 32 * 1024


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.999])
def test_a_file_cut_in_transfer_is_refused(tmp_path, share):
    file = tmp_path / "a.ods"
    write(file, ["NIK", "NOMINAL", "TANGGAL"], people(100))
    os.truncate(file, int(file.stat().st_size * share))
    done = adapter(tmp_path, mapping(tmp_path), "preview", file)
    assert done.returncode == 1 and "damaged or cut off" in done.stderr


def test_bombs_are_refused_in_little_memory(tmp_path):
    """Spaces without end; and a few bytes that say one cell milliards of times."""
    table = (f'<office:document-content {NAMESPACES}><office:body><office:spreadsheet><table:table><table:table-row><table:table-cell '
             'office:value-type="string"><text:p>NIK</text:p></table:table-cell></table:table-row>').encode()
    spaces, cells = tmp_path / "spaces.ods", tmp_path / "cells.ods"
    with zipfile.ZipFile(spaces, "w", zipfile.ZIP_DEFLATED) as out, out.open("content.xml", "w") as to:
        to.write(table)
        for _ in range(100):
            to.write(b" " * 1000000)
    with zipfile.ZipFile(cells, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("content.xml", table + b'<table:table-row table:number-rows-repeated="1048575"><table:table-cell '
                     b'table:number-columns-repeated="16384" office:value-type="float" office:value="1"/></table:table-row></table:table>'
                     b"</office:spreadsheet></office:body></office:document-content>")
    adapter(tmp_path, mapping(tmp_path, fields=""), "check")
    for bomb, says in ((spaces, "a ZIP bomb"), (cells, "a bomb: repeating makes")):
        assert bomb.stat().st_size < 1000000
        done = subprocess.run(["sh", "-c", 'ulimit -v 400000; exec "$@"', "sh", str(ADAPTER), "preview", "--config",
                               str(tmp_path / "adapter.yaml"), str(bomb)], capture_output=True, text=True, timeout=60)
        assert done.returncode == 1 and says in done.stderr
