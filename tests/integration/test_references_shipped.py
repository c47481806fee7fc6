"""The shipped reference topics: business fields, schools, facilities. One adapter publishes them from the shipped tables and the city's own
file; another runs the shipped mappings of pupils, licences and visits, switched to the topics as docs/references.md says. What is
expected comes from the CSVs, read here, and from the city's truth.json, which knows nothing of topics."""
import collections
import csv
import datetime
import io
import json
import re
import types

import pytest

from conftest import ROOT, wait_for
from own_adapter import BIN, OwnAdapter

OPD = ROOT / "adapters/opd"
FEEDS = ROOT / "deploy/demo/feeds"
REFERENCES = {"kbli": OPD / "walidata/kbli", "sekolah": OPD / "disdik/referensi/sekolah", "faskes": OPD / "dinkes/referensi/faskes"}
MAPPINGS = {"siswa": "disdik", "nib": "dpmptsp", "kunjungan": "dinkes"}
TRUTH = json.loads((ROOT / "deploy/demo/truth.json").read_text())["feeds"]
EVENT = {"type": "record", "name": "Masa", "namespace": "id.go.pekanbaru.uji", "doc": "Masa", "x_jenis": "peristiwa", "fields": [
    {"name": n, "type": ["null", "string"], "default": None, "doc": n, "x_pdp": "N"} for n in ("npsn", "kelas", "kbli")]}
EVENT["fields"].insert(0, {"name": "id", "type": "string", "doc": "Nomor", "x_pdp": "N"})
PERIODS = """feed: pakaiacuan_masa
files: ["masa*.csv"]
topic: pku.pakaiacuan.masa.v1
kind: events
source: {kind: delimited, separator: ";"}
values:
  id: {from: ID}
  tgl: {from: TGL, as: {date: YYYY-MM-DD}}
  npsn: {from: NPSN, as: {known: {topic: pku.acuan.sekolah.v1, key: npsn, on: tgl}}}
  kelas: {from: FASKES, as: {lookup: {topic: pku.acuan.faskes.v1, key: kode, give: kelas, on: tgl}}}
  kbli: {from: KBLI, as: {known: {topic: pku.acuan.kbli.v1, key: kode, on: tgl}}}
checks:
  - {class: tutup, fate: note, when: {bad: npsn}}
  - {class: tanpa_kelas, fate: note, when: {bad: kelas}}
  - {class: edisi_lain, fate: note, when: {bad: kbli}}
key: id
fields: {id: id, npsn: npsn, kelas: kelas, kbli: kbli}
"""


def moved(schema, record):
    """A shipped schema, for topics of this test's own."""
    schema = {k: v for k, v in json.loads(schema.read_text()).items() if k not in ("x_topik", "x_produsen")}
    return {**schema, "namespace": "id.go.pekanbaru.%s.v1" % record}


def shipped(path):
    text = path.with_suffix(".yaml").read_text()
    return re.sub(r"(?m)^topic: pku\.\w+\.", "topic: pku.acuan.", text)


def switched(entity):
    """As docs/references.md says: one line changed where there is a check, two added where there is none."""
    text = (OPD / MAPPINGS[entity] / (entity + ".yaml")).read_text()
    guide = (ROOT / "docs/references.md").read_text()
    if entity == "kunjungan":
        value, check = (re.search(r"(?m)^  %s.*\n" % start, guide)[0] for start in ("faskes_terdaftar:", r"- \{class: faskes_salah"))
        text = text.replace("checks:\n", value + "\nchecks:\n" + check, 1)
        want = "pku.dinkes.faskes.v1"
    else:
        table, want = {"siswa": ("ref_sekolah.csv", "pku.disdik.sekolah.v1"), "nib": ("kbli.csv", "pku.walidata.kbli.v1")}[entity]
        told = re.search(r"# .*(\{topic: %s[^}]*\})" % re.escape(want), text)[1]
        assert told in guide
        text, n = re.subn(r"(?m)^( [^#\n]*known: )\{table: %s[^}]*\}" % re.escape(table), lambda m: m[1] + told, text)
        assert n == 1
    text = text.replace(want, re.sub(r"pku\.\w+\.", "pku.acuan.", want))
    return re.sub(r"(?m)^topic: pku\.\w+\.", "topic: pku.pakaiacuan.", text)


def rows(path):
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))


def as_csv(columns, rows):
    out = io.StringIO()
    csv.DictWriter(out, columns, restval="", lineterminator="\n").writerows([dict(zip(columns, columns)), *rows])
    return out.getvalue().encode()


def schools():
    """The city's list with the columns that the shipped mapping reads."""
    return [{"npsn": r["npsn"], "nama": r["nama"], "bentuk_pendidikan": r["jenjang"], "kode_kel": r["kode_kel"],
             "status_sekolah": "Negeri" if "NEGERI" in r["nama"] else "Swasta"} for r in rows(FEEDS / "ref_sekolah.csv")]


SCHOOL = ["npsn", "nama", "bentuk_pendidikan", "status_sekolah", "kode_kel", "berlaku_dari", "berlaku_sampai"]
FACILITY = ["kode", "nama", "jenis", "kelas", "berlaku_dari", "berlaku_sampai"]
CODE = ["kode", "edisi", "berlaku_dari", "berlaku_sampai"]


def day(text):
    return datetime.date.fromisoformat(text) if text else None


def expected(key, rows):
    return {"%s/%s" % (r[key], r.get("berlaku_dari") or ""): (day(r.get("berlaku_dari")), day(r.get("berlaku_sampai"))) for r in rows}


@pytest.fixture(scope="module")
def city(apart):
    keeps = OwnAdapter(apart, "acuan", {e: moved(p.with_suffix(".avsc"), "acuan") for e, p in REFERENCES.items()},
                       {e + ".yaml": shipped(p) for e, p in REFERENCES.items()}).start()
    keeps.drop("kbli_2025.csv", (ROOT / "adapters/referensi/kbli.csv").read_bytes())
    keeps.drop("faskes_1.csv", (ROOT / "adapters/referensi/faskes.csv").read_bytes())
    keeps.drop("sekolah_1.csv", as_csv(SCHOOL, schools()))
    schemas = {e: moved(ROOT / "schemas/avsc" / opd / (e + ".avsc"), "pakaiacuan." + opd) for e, opd in MAPPINGS.items()}
    uses = OwnAdapter(apart, "pakaiacuan", {**schemas, "masa": EVENT},
                      {**{e + ".yaml": switched(e) for e in MAPPINGS}, "masa.yaml": PERIODS}).start()
    yield types.SimpleNamespace(keeps=keeps, uses=uses)
    keeps.stop()
    uses.stop()


def test_the_shipped_tables_are_published_whole(city):
    kbli, faskes = rows(ROOT / "adapters/referensi/kbli.csv"), rows(ROOT / "adapters/referensi/faskes.csv")
    assert (len(kbli), len(faskes), len(schools())) == (1520, 52, 332)
    for entity, key, table in (("kbli", "kode", kbli), ("faskes", "kode", faskes), ("sekolah", "npsn", schools())):
        wait_for(lambda: city.keeps.ends(entity) >= len(table), 60, entity)
        wait_for(lambda: copied(city.uses, entity) == expected(key, table), 60, "the copy of " + entity)  # for the tests after this
        fold = city.keeps.fold(entity)
        assert {k: (v["berlaku_dari"], v["berlaku_sampai"]) for k, v in fold.items()} == expected(key, table)
        for row in table:
            value = fold[row[key] + "/"]
            assert value[key] == row[key]
            assert all(value[c] == (row[c] or None) for c in ("nama", "jenis", "kelas", "edisi", "kode_kel") if c in row)
            assert value.get("status_sekolah", "").lower() == row.get("status_sekolah", "").lower()


def test_no_field_of_a_reference_topic_is_personal(city):
    for path in REFERENCES.values():
        fields = json.loads(path.with_suffix(".avsc").read_text())["fields"]
        assert {f["x_pdp"] for f in fields} == {"N"}
        assert not {f["name"] for f in fields} & {"kepala_sekolah", "telepon", "hp", "email", "nip", "nik"}


@pytest.mark.parametrize("entity, file, own", [("siswa", "disdik_siswa.csv", "npsn_salah"), ("nib", "dpmptsp_nib.json", "kbli_salah"),
                                               ("kunjungan", "dinkes_kunjungan.jsonl", "faskes_salah")])
def test_the_shipped_mappings_say_the_same_by_topic(city, entity, file, own):
    data, accepted, wrong = (FEEDS / file).read_bytes(), TRUTH[file]["diterima"], TRUTH[file]["cacat"].get(own, 0)
    if entity == "kunjungan":  # all of the city's visits are to facilities that there are: one more
        visit = json.loads(next(line for line in data.splitlines() if b"RAWAT_JALAN" in line))
        data += json.dumps({**visit, "id": "DK-LAIN", "faskes": {"kode": "9999999", "nama": "TIDAK ADA"}}).encode() + b"\n"
        accepted, wrong = accepted + 1, wrong + 1
    assert wrong > 0
    city.uses.drop(file, data)
    wait_for(lambda: city.uses.ends(entity) >= accepted, 60, entity)
    flagged = [k for k, v in city.uses.fold(entity).items() if own in v["tanda"]]
    assert len(flagged) == wrong


def test_periods_choose_and_a_changed_table_is_taken_up(city):
    keeps, uses = city.keeps, city.uses
    school, closing = schools()[0], schools()[1]
    hospital = next(r for r in rows(ROOT / "adapters/referensi/faskes.csv") if r["jenis"] == "RUMAH_SAKIT")
    code, new = "01111", "01112"
    tables = {
        "sekolah": (SCHOOL, [{**s, "berlaku_sampai": "2024-06-30" if s["npsn"] == closing["npsn"] else ""} for s in schools()]),
        "faskes": (FACILITY, [r for r in rows(ROOT / "adapters/referensi/faskes.csv") if r["kode"] != hospital["kode"]] + [
            {**hospital, "kelas": "C", "berlaku_sampai": "2023-12-31"}, {**hospital, "kelas": "B", "berlaku_dari": "2024-01-01"}]),
        "kbli": (CODE, [{**r, "berlaku_sampai": "2024-02-29"} if r["kode"] == code else
                        {**r, "berlaku_dari": "2024-03-01"} if r["kode"] == new else r
                        for r in rows(ROOT / "adapters/referensi/kbli.csv")])}
    days = ["2023-12-31", "2024-01-01", "2024-02-29", "2024-03-01", "2024-06-30", "2024-07-01"]
    events = [(d + ("/%d" % i), d, s["npsn"], hospital["kode"], k)
              for d in days for i, (s, k) in enumerate([(school, code), (closing, new)])]

    def in_force(entity, key, code, on):
        return [r for r in tables[entity][1] if r[key] == code and
                (r.get("berlaku_dari") or "0") <= on <= (r.get("berlaku_sampai") or "9")]

    want = {i: (n if in_force("sekolah", "npsn", n, on) else None, in_force("faskes", "kode", f, on)[0]["kelas"],
                k if in_force("kbli", "kode", k, on) else None) for i, on, n, f, k in events}
    assert {k for _, k, _ in want.values()} == {"B", "C"} and {None} < {n for n, _, _ in want.values()}
    for entity, (columns, table) in tables.items():
        keeps.drop(entity + "_2.csv", as_csv(columns, table))
    wait_for(lambda: all(copied(uses, e) == expected("npsn" if e == "sekolah" else "kode", table) for e, (_, table) in tables.items()),
             60, "the new copies")

    def take(name):
        uses.drop(name, ("ID;TGL;NPSN;FASKES;KBLI\n" + "".join(";".join((name + i, *e)) + "\n" for i, *e in events)).encode())
        return wait_for(lambda: whole(name), 30, "the events")

    def whole(name):
        got = {k[len(name):]: (v["npsn"], v["kelas"], v["kbli"]) for k, v in uses.fold("masa").items() if k.startswith(name)}
        return got if len(got) == len(events) else None

    # A copy is there a moment before it is taken up, between two files.
    for n in range(20):
        got = take("masa_%d.csv" % n)
        if got == want:
            break
    assert got == want

    # Without the bus: the copies beside the adapter, by the same mapping.
    uses.stop()
    conf = uses.dir / "away.yaml"
    conf.write_text(uses.conf.read_text().replace(uses.apart.bootstrap, "127.0.0.1:1"))
    data = uses.dir / "masa_lihat.csv"
    data.write_text("ID;TGL;NPSN;FASKES;KBLI\n1;2023-12-31;%s;%s;%s\n" % (school["npsn"], hospital["kode"], code))
    shown = OwnAdapter.run(BIN / "titian-adapter", "preview", "--config", conf, data).stdout
    assert re.search(r'"kelas" *: *"C"', shown), shown
    uses.start()


def copied(uses, entity):
    """The copy beside the adapter, without its line that holds the digest."""
    lines = (uses.dir / "drop/.referensi" / ("pku.acuan.%s.v1.csv" % entity)).read_text().splitlines()[1:]
    return {r["kunci"]: (day(r["berlaku_dari"]), day(r["berlaku_sampai"])) for r in csv.DictReader(lines)}
