"""Excel workbooks: what `titian-adapter preview` makes of them, against openpyxl and pandas reading the same file."""
import csv
import datetime
import json
import os
import re
import subprocess
import sys
import zipfile

import openpyxl
import pandas
import pytest
import xlsxwriter

from conftest import ROOT

ADAPTER = ROOT / "build/release/bin/titian-adapter"
DATA = ROOT / "tests/data/xlsx"
REAL = ROOT.parent / "shared" / "data" / "real"


def adapter(folder, mapping, *command, schemas=DATA):
    key = folder / "city.key"
    if not key.exists():
        key.write_text("5a" * 32 + "\n")
        key.chmod(0o600)
        (folder / "drop").mkdir()
    conf = folder / "adapter.yaml"
    conf.write_text(
        f"opd: contoh\ndrop:\n  dir: {folder}/drop\nmappings: [{mapping}]\n"
        f"referensi: {{dir: {ROOT}/adapters/referensi}}\nkey: {{city: {key}}}\n"
        f"kafka: {{bootstrap: \"127.0.0.1:1\"}}\nschemas: {{dir: {schemas}}}\nstate: {{dir: {folder}}}\n")
    return subprocess.run([str(ADAPTER), command[0], "--config", str(conf), *map(str, command[1:])],
                          capture_output=True, text=True, timeout=120)


def preview(folder, mapping, file, schemas=DATA):
    """Records by the row of the sheet, and refusals as (row, class, column, why)."""
    done = adapter(folder, mapping, "preview", "--personal", "--limit", 2000000, file, schemas=schemas)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "TERPOTONG" not in done.stdout, done.stdout
    rows, refused = {}, []
    for line in done.stdout.split("\n\n")[0].splitlines():
        part = line.split("\t")
        if part[1].startswith("DITOLAK"):
            refused.append((int(part[0]), *part[2:]))
        else:
            rows[int(part[0])] = json.loads(part[1])
    return rows, refused


# --- real files ---------------------------------------------------------------------------------------

# mapping: file, sheet, rows of data, columns of kunci, a, b, teks (joined); the cell where the sheet itself sums a.
SOSIAL = "bandarlampung_321-DINAS_SOSIAL_2023.xlsx"
INDUSTRI = "bandarlampung_514-DINAS_PERINDUSTRIAN_2023.xlsx"
BKD = "bandarlampung_630-BKD_2023.xlsx"
PU = "bandarlampung_788-DINAS_PU_2023.xlsx"
DISHUB = "bandarlampung_96-DINAS_PERHUBUNGAN.xlsx"
TABLES = {
    "dinsos": (SOSIAL, 0, 6, 25, "CDE", "D26"),
    "industri_pertumbuhan": (INDUSTRI, 0, 8, 22, "C--EF", None),
    "industri_usaha": (INDUSTRI, 0, 34, 44, "CDHI", None),
    "bkd_pendidikan": (BKD, 0, 9, 19, "BCD", "C20"),
    "bkd_umur": (BKD, 0, 9, 18, "IJK", "J19"),
    "bkd_golongan": (BKD, 0, 26, 41, "BKMC", "K42"),
    "bkd_golru": (BKD, 0, 48, 63, "BCD", "C64"),
    "pu_jalan": (PU, 0, 8, 8, "A--E", None),
    "pu_permukaan": (PU, 0, 15, 15, "A--C", None),
    "pu_layang": (PU, 0, 19, 30, "BAEC", None),
    "dishub_bulan": (DISHUB, 0, 5, 16, "BCD", "C17"),
    "dishub_jenis": (DISHUB, 1, 6, 12, "CBD", None),
    "dishub_jenis_bukan_umum": (DISHUB, 1, 16, 21, "CBD", None),
    "dishub_moda": (DISHUB, 2, 5, 16, "CDE", "D17"),
}


def test_every_mapping_of_the_real_files_is_tried_and_right(tmp_path):
    assert {p.stem for p in DATA.glob("*.yaml")} == set(TABLES)
    for name in TABLES:
        done = adapter(tmp_path, DATA / f"{name}.yaml", "check")
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", TABLES)
def test_a_real_table_reads_as_openpyxl_reads_it(tmp_path, name):
    file, sheet, first, last, columns, total = TABLES[name]
    if not (REAL / file).exists():
        pytest.skip("the real files are not beside this checkout")
    cells = openpyxl.load_workbook(REAL / file, data_only=True).worksheets[sheet]
    expected = {}
    for row in range(first, last + 1):
        key = cells[f"{columns[0]}{row}"].value
        if key is None:
            continue
        value = [cells[f"{c}{row}"].value if c != "-" else None for c in columns[1:]]
        text = " | ".join(str(v).strip() for v in value[2:] if v is not None) or None
        expected[row] = {"kunci": " ".join(str(key).split()), "a": value[0], "b": value[1], "teks": text}
    rows, refused = preview(tmp_path, DATA / f"{name}.yaml", REAL / file)
    assert refused == [] and rows == expected
    if total:
        assert sum(r["a"] or 0 for r in rows.values()) == cells[total].value


def test_the_old_format_is_refused_in_words(tmp_path):
    if not REAL.exists():
        pytest.skip("the real files are not beside this checkout")
    done = adapter(tmp_path, DATA / "dinsos.yaml", "preview", REAL / "bps_bencana_sumut.xls")
    assert done.returncode == 1 and "legacy .xls is not supported: save it as .xlsx" in done.stderr


# --- a feed that is also CSV ----------------------------------------------------------------------------

def test_the_sample_feed_as_a_workbook_reads_as_its_csv_does(tmp_path):
    """Title rows, a header of two rows, sub-totals, an end row: the same records and the same refusals, row by row."""
    feed = ROOT / "deploy/demo/feeds/dinsos_bansos.csv"
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    with open(feed, encoding="utf-8-sig", newline="") as lines:
        for row in csv.reader(lines, delimiter=";"):
            sheet.append(row)
    book.save(tmp_path / "dinsos_bansos.xlsx")
    text = (ROOT / "adapters/opd/dinsos/bansos.yaml").read_text().replace('"dinsos_bansos*.csv"', '"dinsos_bansos*"')
    as_csv, as_xlsx = tmp_path / "csv.yaml", tmp_path / "xlsx.yaml"
    as_csv.write_text(text)
    for gone in ['  separator: ";"\n', "  encoding: utf-8\n", "  title_rows: 3\n"]:
        assert gone in text
        text = text.replace(gone, "")
    as_xlsx.write_text(text.replace("kind: delimited", "kind: xlsx"))
    schemas = ROOT / "schemas/avsc"
    expected, got = preview(tmp_path, as_csv, feed, schemas), preview(tmp_path, as_xlsx, tmp_path / "dinsos_bansos.xlsx", schemas)
    assert len(expected[0]) > 100 and expected[1] and got == expected


# --- size -----------------------------------------------------------------------------------------------

def large(path, rows):
    """A workbook with three strings of its own a row, dates, numbers and booleans, written piece by piece."""
    with_xlsxwriter(path, [], False)
    with zipfile.ZipFile(path) as small:
        parts = {n: small.read(n).decode() for n in small.namelist()}
    heads = ["NIK", "NAMA", "ALAMAT", "NOMINAL", "TANGGAL", "AKTIF"]
    sheet, strings = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
    before, after = re.split("<sheetData>.*</sheetData>", parts[sheet], flags=re.S)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
        for name in parts.keys() - {sheet, strings}:
            out.writestr(name, parts[name])
        with out.open(strings, "w", force_zip64=True) as to:
            to.write(b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">')
            to.write("".join(f"<si><t>{h}</t></si>" for h in heads).encode())
            for i in range(rows):
                to.write(f"<si><t>1471080101{i:06d}</t></si><si><t>PENDUDUK NOMOR {i}</t></si>"
                         f"<si><t>JALAN JENDERAL SUDIRMAN NOMOR {i} RT 01 RW 02</t></si>".encode())
            to.write(b"</sst>")
        with out.open(sheet, "w", force_zip64=True) as to:
            to.write(f"{before}<sheetData>".encode())
            to.write(("<row>" + "".join(f'<c t="s"><v>{i}</v></c>' for i in range(6)) + "</row>").encode())
            for i in range(rows):
                s = 6 + 3 * i
                to.write(f'<row r="{i + 2}"><c r="A{i + 2}" t="s"><v>{s}</v></c><c r="B{i + 2}" t="s"><v>{s + 1}</v></c>'
                         f'<c r="C{i + 2}" t="s"><v>{s + 2}</v></c><c r="D{i + 2}"><v>{i}</v></c><c r="E{i + 2}" s="1">'
                         f'<v>{30000 + i % 9999}</v></c><c r="F{i + 2}" t="b"><v>{i % 2}</v></c></row>'.encode())
            to.write(f"</sheetData>{after}".encode())


def test_memory_does_not_grow_with_the_file(tmp_path):
    """XLSX_ROWS=1000000: make soak-xlsx."""
    n = int(os.environ.get("XLSX_ROWS", 100000))
    large(tmp_path / "a.xlsx", n)
    adapter(tmp_path, mapping(tmp_path), "check")
    # A child's peak counts that of the process it was forked from: a small one stands between.
    ask = ("import resource, subprocess, sys; r = subprocess.run(sys.argv[1:]).returncode; "
           "u = resource.getrusage(resource.RUSAGE_CHILDREN); print(u.ru_maxrss, u.ru_utime + u.ru_stime); sys.exit(r)")
    done = subprocess.run([sys.executable, "-c", ask, str(ADAPTER), "preview", "--config", str(tmp_path / "adapter.yaml"),
                           "--limit", "1", str(tmp_path / "a.xlsx")], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0 and re.search(rf"accepted +{n}\n", done.stdout), done.stdout + done.stderr
    peak, cpu = map(float, done.stdout.splitlines()[-1].split())
    print(f"\nadapter_xlsx_rows_per_cpu_second {n / cpu:.0f} rows/s\nadapter_xlsx_rss {peak / 1024:.0f} MiB")
    assert peak < 40 * 1024


# --- files of the usual writers -----------------------------------------------------------------------

def mapping(folder, source="", as_="", test=""):
    path = folder / "mapping.yaml"
    path.write_text(
        "feed: contoh\nfiles: [\"*.xlsx\"]\ntopic: pku.contoh.baris.v1\nkind: register\n"
        f"source: {{kind: xlsx{source}}}\nvalues:\n  nik: {{from: NIK{as_}}}\n{test}"
        "key: nik\nfields:\n  kunci: nik\n  a: {from: NOMINAL, as: rupiah}\n  teks: {from: TANGGAL}\n")
    return path


NIK = ["1471080101900001", "1471084101900002", "1471080101900010"]


def people(n):
    return [(f"14710801019{i:05d}", 1000 * i + 7, datetime.date(2020, 1, 1) + datetime.timedelta(days=i % 2000))
            for i in range(n)]


def with_openpyxl(path, rows, only):
    book = openpyxl.Workbook(write_only=only)
    sheet = book.create_sheet() if only else book.active
    sheet.append(["NIK", "NOMINAL", "TANGGAL"])
    for row in rows:
        sheet.append(row)
    book.save(path)


def with_xlsxwriter(path, rows, constant):
    book = xlsxwriter.Workbook(path, {"constant_memory": constant, "default_date_format": "dd/mm/yyyy"})
    sheet = book.add_worksheet()
    for c, name in enumerate(["NIK", "NOMINAL", "TANGGAL"]):
        sheet.write(0, c, name)
    for r, row in enumerate(rows, 1):
        for c, value in enumerate(row):
            sheet.write(r, c, value)
    book.close()


@pytest.mark.parametrize("write", [
    lambda p, r: with_openpyxl(p, r, False), lambda p, r: with_openpyxl(p, r, True),
    lambda p, r: with_xlsxwriter(p, r, False), lambda p, r: with_xlsxwriter(p, r, True),
    lambda p, r: pandas.DataFrame(r, columns=["NIK", "NOMINAL", "TANGGAL"]).to_excel(p, index=False),
], ids=["openpyxl", "openpyxl-write-only", "xlsxwriter", "xlsxwriter-constant-memory", "pandas"])
def test_what_the_usual_writers_write_reads_as_pandas_reads_it(tmp_path, write):
    file = tmp_path / "a.xlsx"
    write(file, people(3000))
    frame = pandas.read_excel(file, dtype={"NIK": str})
    rows, refused = preview(tmp_path, mapping(tmp_path), file)
    assert refused == [] and len(rows) == len(frame) == 3000
    assert [r["kunci"] for r in rows.values()] == list(frame["NIK"])
    assert sum(r["a"] for r in rows.values()) == frame["NOMINAL"].sum()
    assert [r["teks"][:10] for r in rows.values()] == [str(d)[:10] for d in frame["TANGGAL"]]


def test_a_nik_that_excel_rounded_is_named_as_such_and_an_amount_is_not(tmp_path):
    file = tmp_path / "a.xlsx"
    day = datetime.date(2023, 3, 31)
    with_openpyxl(file, [(NIK[0], 3600000000000000, day), (1471080101900000, 5, day), (int(NIK[1]), 6.5, day),
                         (NIK[2], "Rp 1.250,00", day)], False)
    rows, refused = preview(tmp_path, mapping(tmp_path), file)
    assert {n: r["a"] for n, r in rows.items()} == {2: 3600000000000000, 5: 1250}
    assert [(n, c, f) for n, c, f, _ in refused] == [(3, "isian_salah", "NIK"), (4, "isian_salah", "NOMINAL")]
    assert "lost its last digit in Excel: the column must be text" in refused[0][3]
    assert "not a whole amount" in refused[1][3]
    test = "checks:\n  - {class: nik_excel, fate: refuse, when: {scientific: nik}}\n"
    _, refused = preview(tmp_path, mapping(tmp_path, test=test), file)
    assert refused[0][:3] == (3, "nik_excel", "NIK")
    _, refused = preview(tmp_path, mapping(tmp_path, as_=", as: {digits: 16}"), file)
    assert refused[0][:3] == (3, "isian_salah", "NIK")


def test_errors_and_formulas_without_a_result_are_named(tmp_path):
    file = tmp_path / "a.xlsx"
    book = openpyxl.Workbook()
    for row in [["NIK", "NOMINAL", "TANGGAL"], [NIK[0], "=1+1", "x"], [NIK[1], "#N/A", "x"], [NIK[2], 1, "=NOW()"]]:
        book.active.append(row)
    book.save(file)  # openpyxl stores no results
    rows, refused = preview(tmp_path, mapping(tmp_path), file)
    assert rows == {} and [(n, f) for n, _, f, _ in refused] == [(2, "NOMINAL"), (3, "NOMINAL"), (4, "TANGGAL")]
    assert "a formula without its result" in refused[0][3] and "an error (#N/A)" in refused[1][3]


def test_dates_of_the_1904_system(tmp_path):
    file = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(file, {"date_1904": True})
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["NIK", "NOMINAL", "TANGGAL"])
    days = [datetime.date(1904, 1, 2), datetime.date(2000, 2, 29), datetime.date(2023, 3, 31)]
    for r, day in enumerate(days, 1):
        sheet.write_row(r, 0, [NIK[r - 1], r])
        sheet.write_datetime(r, 2, day, book.add_format({"num_format": "d mmmm yyyy"}))
    book.close()
    rows, _ = preview(tmp_path, mapping(tmp_path), file)
    assert [r["teks"] for r in rows.values()] == [d.isoformat() for d in days]


def test_merged_cells_are_filled_down_only_if_asked(tmp_path):
    file = tmp_path / "a.xlsx"
    book = openpyxl.Workbook()
    for row in [["DAFTAR PENERIMA"], [], ["NIK", "NOMINAL", "TANGGAL"], [NIK[0], 1, "JANUARI"], [NIK[1], 2], [NIK[2], 3]]:
        book.active.append(row)
    book.active.merge_cells("A1:C1")
    book.active.merge_cells("C4:C5")
    book.save(file)
    rows, _ = preview(tmp_path, mapping(tmp_path), file)
    assert [r["teks"] for r in rows.values()] == ["JANUARI", None, None]
    rows, _ = preview(tmp_path, mapping(tmp_path, ", fill_merged: true"), file)
    assert [r["teks"] for r in rows.values()] == ["JANUARI", "JANUARI", None]


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.999])
def test_a_file_cut_in_transfer_is_refused(tmp_path, share):
    file = tmp_path / "a.xlsx"
    with_openpyxl(file, people(100), False)
    os.truncate(file, int(file.stat().st_size * share))
    done = adapter(tmp_path, mapping(tmp_path), "preview", file)
    assert done.returncode == 1 and "damaged or cut off" in done.stderr


def test_a_bomb_is_refused_in_little_memory(tmp_path):
    file, bomb = tmp_path / "a.xlsx", tmp_path / "bomb.xlsx"
    with_openpyxl(file, people(2), False)
    with zipfile.ZipFile(file) as good, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as out:
        for name in good.namelist():
            if name != "xl/worksheets/sheet1.xml":
                out.writestr(name, good.read(name))
        with out.open("xl/worksheets/sheet1.xml", "w") as sheet:
            sheet.write(b"<worksheet><sheetData>")
            for _ in range(300):
                sheet.write(b" " * 1000000)
            sheet.write(b"</sheetData></worksheet>")
    assert bomb.stat().st_size < 1000000
    adapter(tmp_path, mapping(tmp_path), "check")
    done = subprocess.run(["sh", "-c", 'ulimit -v 400000; exec "$@"', "sh", str(ADAPTER), "preview", "--config",
                           str(tmp_path / "adapter.yaml"), str(bomb)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "a ZIP bomb" in done.stderr
