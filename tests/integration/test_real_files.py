"""Every table of the real files in shared/data/real, through its mapping in tests/data/real/mappings: row by row as csv, json or
a Python reading of the dump has it. (The workbooks: test_xlsx.py.)"""
import ast
import csv
import io
import json
import re

import pytest

from conftest import ROOT
from test_xlsx import REAL, adapter, preview

MAPPINGS = ROOT / "tests/data/real/mappings"
pytestmark = pytest.mark.skipif(not REAL.exists(), reason="the real files are not beside this checkout")
MONTHS = "JANUARI FEBRUARI MARET APRIL MEI JUNI JULI AGUSTUS SEPTEMBER OKTOBER NOVEMBER DESEMBER".split()


def clean(s):
    return " ".join(s.replace("\u00a0", " ").split()) or None


def number(s):
    return float(s) if s else None


def whole(s):
    return int(s) if s else None


def sumut(s):
    """1 842,51 and 265.00 in one column."""
    return float(s.replace(" ", "").replace(",", "."))


# file: how csv reads it, lines above the header, then kunci, nama, jumlah, angka of a row.
TABLES = {
    "bandung_individu_dtks": ({}, 0, lambda r: (f"{r['KODE_KD']}/{r['tahun']}", clean(r["bps_desa_kelurahan"]), int(r["jumlah_individu"]), None)),
    "bandung_jumlah_kk": ({"delimiter": ";"}, 0, lambda r: (f"{r['KODE_KD']}/{r['tahun']}/{r['semester']}", clean(r["kemendagri_nama_desa_kelurahan"]),
                                                           int(r["jumlah_kk"]), None)),
    "bandung_kpm_bansos": ({}, 0, lambda r: (f"{r['KODE_KEC']}/{r['jenis_bansos']}/{r['tahun']}", clean(r["kemendagri_nama_kecamatan"]), int(r["jumlah_kpm"]), None)),
    "bandung_resiko_stunting": ({}, 0, lambda r: (f"{r['KODE_KEC']}/{r['kategori']}/{r['tahun']}", clean(r["kemendagri_nama_kecamatan"]), int(r["jumlah"]), None)),
    "bandung_pajak_restoran": ({}, 0, lambda r: (f"{r['tahun']}/{MONTHS.index(r['bulan']) + 1:02d}/{r['kategori']}", r["kategori"], int(r["jumlah"]), None)),
    "bandung_sekolah_npsn": ({}, 0, lambda r: (r["NPSN"] and f"{float(r['NPSN']):.0f}", clean(r["Nama Satuan Pendidikan"]), None, number(r["lattitude"]))),
    "kabbandung_sekolah_dapodik": ({}, 0, lambda r: (r["NPSN"], r["Kecamatan/Kota (LN)"].removeprefix("KEC. "), None, number(r["Lintang"]))),
    "kemkes_dinas_kesehatan": ({}, 0, lambda r: (f"{r['kode_kab']}/{r['kode_instansi']}", clean(r["unit_kerja"]), int(r["kode_kab"]), None)),
    "kemkes_puskesmas": ({}, 0, lambda r: (f"{r['kode_kab']}/{r['kode_instansi']}", clean(r["unit_kerja"]), int(r["kode_kab"]), None)),
    "kemkes_rumah_sakit": ({}, 0, lambda r: (f"{r['kode_kab']}/{r['kode_instansi']}", clean(r["unit_kerja"]), int(r["kode_kab"]), None)),
    "pusdatin_laboratorium": ({}, 0, lambda r: (f"{clean(r['nama_lab'])}/{r['provinsi'].replace('NA', '') if r['provinsi'] == 'NA' else r['provinsi']}",
                                                r["kontak_phone"].strip() if r["kontak_phone"] not in ("", "NA") else None, None,
                                                number(r["lat"] if r["lat"] != "NA" else ""))),
    "bapanas_harga_pangan": ({}, 2, lambda r: (f"{r['Kode Provinsi']}/{r['Komoditas']}/{r['Tahun']}/{r['Bulan'].strip()}", r["Nama Provinsi"].strip(), None,
                                               number(r["Harga"].removeprefix("Rp").replace(",", "")) if r["Harga"].strip() != "-" else None)),
    "bps_indikator_kabkota_2019": ({"delimiter": ";"}, 0, lambda r: (r["KOTKAB"], None, int(r["GK"]), number(r["PDRB"].replace(",", ".")))),
    "bps_sumut_luas": ({}, 0, lambda r: (r["Kabupaten/Kota"][:2], clean(r["Ibukota Kabupaten/Kota"]), whole(r["Jumlah Pulau **)"].replace("-", "")),
                                         sumut(r["Luas *) (km2/ sq.km )"]))),
    "bmkg_cuaca_riau_2023": ({}, 0, lambda r: (r["Tanggal"], r["ddd_car"].strip() or None, whole(r["ddd_x"].replace("8888", "")), number(r["RR"].replace("8888", "")))),
    "bangkalan_penduduk_desa": ({}, 0, lambda r: (f"{r['Desa']}/{r['Kecamatan']}", r["Kecamatan"], int(r["laki-laki"]), None)),
    "jakarta_penumpang_angkutan": ({}, 0, lambda r: ("/".join(r[k] for k in ("tahun", "bulan", "jenis", "kode_trayek")), clean(r["trayek"]),
                                                     int(r["jumlah_penumpang"]), None)),
    "pekanbaru_apotek": ({"delimiter": ";"}, 0, lambda r: (r["No"], r["Jam Buka"] if r["Jam Buka"] != "00:00" else None, None, number(r["Longitude"]))),
}
# What else is known of a file: its rows, and those that are refused (the README beside them says why).
ROWS = {"bandung_jumlah_kk": (2262, 7), "bandung_sekolah_npsn": (2993, 357), "bmkg_cuaca_riau_2023": (361, 11), "kemkes_puskesmas": (10292, 0),
        "kemkes_rumah_sakit": (3116, 0), "kemkes_dinas_kesehatan": (548, 0), "kabbandung_sekolah_dapodik": (2223, 0), "pekanbaru_apotek": (22, 0)}
SQL = {"kemendagri_luas": ("kemendagri_wilayah_luas.sql", "wilayah_luas", lambda r: (r["kode"], clean(r["nama"]), None, float(r["luas"]))),
       "kemendagri_penduduk": ("kemendagri_wilayah_penduduk.sql", "wilayah_penduduk", lambda r: (r["kode"], clean(r["nama"]), int(r["total"]), None))}
OSM = ["fire_station", "hospital", "school"]


def file_of(name):
    return REAL / re.search(r'^files: \["(.*)"\]', (MAPPINGS / (name + ".yaml")).read_text(), re.M)[1]


def as_record(values):
    return dict(zip(("kunci", "nama", "jumlah", "angka"), values))


def first_wins(records):
    """The records, and how many were refused: without a key, or with one that was there."""
    kept, refused = {}, 0
    for r in records:
        if not r["kunci"] or r["kunci"] in kept:
            refused += 1
        else:
            kept[r["kunci"]] = r
    return list(kept.values()), refused


def test_every_mapping_is_tried_and_every_file_has_one(tmp_path):
    names = {p.stem for p in MAPPINGS.glob("*.yaml")}
    assert names == set(TABLES) | set(SQL) | {"osm_" + k for k in OSM}
    read = {file_of(n).name for n in names} | {"bandarlampung_satudata_disunting.sql", "bps_bencana_sumut.xls"}
    assert {p.name for p in REAL.iterdir() if p.suffix in (".csv", ".sql", ".geojson", ".xls")} == read


@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_text_reads_as_csv_reads_it(tmp_path, name):
    dialect, above, record = TABLES[name]
    text = file_of(name).read_bytes().decode("utf-8-sig").split("\n", above)[above]
    expected, refused_ = first_wins([as_record(record(r)) for r in csv.DictReader(io.StringIO(text, newline=""), **dialect)])
    rows, refused = preview(tmp_path, MAPPINGS / f"{name}.yaml", file_of(name), schemas=MAPPINGS)
    assert list(rows.values()) == expected and len(refused) == refused_
    if name in ROWS:
        assert (len(rows) + len(refused), len(refused)) == ROWS[name]


def dump(file, table):
    """The rows of a table's INSERTs, by Python's own reading of quoted texts and whole numbers; fractions stay text."""
    text, rows = (REAL / file).read_text(), []
    for columns, values in re.findall(r"^INSERT INTO `?%s`? ?\((.*?)\)\s*VALUES\s*\n(.*?);$" % table, text, re.M | re.S):
        names = [c.strip(" `") for c in columns.split(",")]
        lines = [line.strip().rstrip(",") for line in values.splitlines() if line.strip().startswith("(")]
        lines = [re.sub(r"([,(] ?)(-?\d+\.\d+)(?=[,)])", r"\1'\2'", line.replace("NULL", "None")) for line in lines]
        rows += [dict(zip(names, ast.literal_eval("[" + line[1:-1] + "]"))) for line in lines]
    return rows


@pytest.mark.parametrize("name", SQL)
def test_a_dump_reads_as_python_reads_it(tmp_path, name):
    file, table, record = SQL[name]
    expected, refused_ = first_wins([as_record(record(r)) for r in dump(file, table)])
    rows, refused = preview(tmp_path, MAPPINGS / f"{name}.yaml", REAL / file, schemas=MAPPINGS)
    assert len(expected) > 500 and list(rows.values()) == expected and len(refused) == refused_


LAMPUNG = "bandarlampung_satudata_disunting.sql"


def test_each_table_of_the_portals_dump_reads_as_python_reads_it(tmp_path):
    tables = re.findall(r"^CREATE TABLE `(\w+)`", (REAL / LAMPUNG).read_text(), re.M)
    total = 0
    for table in tables:
        expected = dump(LAMPUNG, table)
        if not expected:
            continue
        mapping = tmp_path / f"{table}.yaml"
        mapping.write_text(
            f"feed: contoh\nfiles: [\"*.sql\"]\ntopic: pku.contoh.fakta.v1\nkind: register\nsource: {{kind: sqldump, table: {table}}}\n"
            "values:\n  nomor: {join: [%s], with: \"|\"}\n  semua: {join: [%s], with: \"|\"}\nkey: nomor\nfields: {kunci: nomor, nama: semua}\n" % (
                "{from: %s}" % list(expected[0])[0], ", ".join("{from: %s}" % c for c in expected[0])))
        rows, refused = preview(tmp_path, mapping, REAL / LAMPUNG, schemas=MAPPINGS)
        assert refused == []
        assert [r["nama"] for r in rows.values()] == ["|".join("" if v is None else str(v).strip() for v in r.values()) for r in expected], table
        total += len(rows)
    assert total > 400


@pytest.mark.parametrize("kind", OSM)
def test_places_read_as_json_reads_them(tmp_path, kind):
    features = json.loads((REAL / f"pekanbaru_osm_{kind}.geojson").read_text(encoding="utf-8-sig"))["features"]
    expected = [as_record((f"{f['properties']['osm_type']}/{f['properties']['osm_id']}", clean(f["properties"].get("name", "")), None,
                           f["geometry"]["coordinates"][0])) for f in features]
    rows, refused = preview(tmp_path, MAPPINGS / f"osm_{kind}.yaml", REAL / f"pekanbaru_osm_{kind}.geojson", schemas=MAPPINGS)
    assert refused == [] and list(rows.values()) == expected


def test_the_old_workbook_is_refused_in_words_by_every_kind(tmp_path):
    for kind, more in (("delimited", ""), ("xlsx", ""), ("json", ""), ("sqldump", ", table: a")):
        mapping = tmp_path / "a.yaml"
        mapping.write_text(f"feed: contoh\nfiles: [\"*.xls\"]\ntopic: pku.contoh.fakta.v1\nkind: register\nsource: {{kind: {kind}{more}}}\n"
                           "values:\n  kunci: {from: a}\nkey: kunci\nfields: {kunci: kunci}\n")
        done = adapter(tmp_path, mapping, "preview", REAL / "bps_bencana_sumut.xls", schemas=MAPPINGS)
        assert done.returncode == 1 and "legacy .xls is not supported: save it as .xlsx" in done.stderr
