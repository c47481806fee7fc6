"""Reference tables as topics: the shipped table of regions is published by one adapter, and another translates by it. What is expected
is worked out here from the CSV, never by our own reader."""
import csv
import datetime
import json
import threading

import pytest

from conftest import ROOT, wait_for
from own_adapter import BIN, OwnAdapter

TABLE = (ROOT / "adapters/referensi/wilayah_peta_2022.csv").read_text()
WALIDATA = ROOT / "adapters/opd/walidata"
EVENT = {"type": "record", "name": "Pakai", "namespace": "id.go.pekanbaru.uji", "doc": "Pakai", "x_jenis": "peristiwa", "fields": [
    {"name": "id", "type": "string", "doc": "Nomor", "x_pdp": "N"},
    {"name": "kel", "type": "string", "doc": "Kelurahan", "x_pdp": "N"},
    {"name": "tanda", "type": {"type": "array", "items": "string"}, "default": [], "doc": "Tanda", "x_pdp": "N"}]}
MAPPING = """feed: pakai_rujukan
files: ["pakai*.csv"]
topic: pku.pakairujukan.pakai.v1
kind: events
source: {kind: delimited, separator: ";"}
values:
  id: {from: ID}
  tgl: {from: TGL, as: {date: YYYY-MM-DD}}
  kel:
    from: KEL
    as: {lookup: {topic: pku.rujukan.wilayah.v1, key: kode, give: kode_kini, ignore: ".", on: tgl}}
checks:
  - {class: kode_lama, fate: flag, when: {translated: kel}}
  - {class: kode_salah, fate: refuse, when: {bad: kel}}
key: id
fields: {id: id, kel: kel, tanda: {flags: true}}
"""


def rules(text):
    rows = {}
    for row in csv.DictReader(text.splitlines()):
        rows.setdefault(row["kode"].replace(".", ""), []).append(row)
    return rows


def translated(rows, events):
    """{id: (code of today, whether it is another)} of those that are not refused."""
    out = {}
    for number, day, kel in events:
        code = kel.replace(".", "")
        hits = {r["kode_kini"] for r in rows.get(code, [])
                if (r["berlaku_dari"] or "0000") <= day <= (r["berlaku_sampai"] or "9999")}
        if len(hits) == 1:
            now = hits.pop()
            out[number] = (now, now.replace(".", "") != code)
    return out


def some_events(first, extra=()):
    rows = list(csv.DictReader(TABLE.splitlines()))
    days = [datetime.date(2019, 3, 1), datetime.date(2022, 6, 1), datetime.date(2024, 3, 1)]
    events = [("%s%d-%d" % (first, i, k), day.isoformat(), row["kode10"] if i % 2 else row["kode"])
              for i, row in enumerate(rows) for k, day in enumerate(days)]
    return events + [("%sx" % first, "2024-01-01", "99.99.99.9999"), *extra]


def as_file(events):
    return ("ID;TGL;KEL\n" + "".join(";".join(e) + "\n" for e in events)).encode()


@pytest.fixture(scope="module")
def both(apart):
    schema = {k: v for k, v in json.loads((WALIDATA / "wilayah.avsc").read_text()).items() if k not in ("x_topik", "x_produsen")}
    mapping = (WALIDATA / "wilayah.yaml").read_text().replace("pku.walidata.", "pku.rujukan.")
    uses = OwnAdapter(apart, "pakairujukan", {"pakai": EVENT}, {"pakai.yaml": MAPPING})
    start = threading.Thread(target=uses.start)
    start.start()
    # Its first start, and nobody has published the table yet.
    wait_for(lambda: "adapter.waiting" in uses.log() and "pku.rujukan.wilayah.v1" in uses.log(), 30, "what it waits for")
    assert "titian-adapter.ready" not in uses.log()
    keeps = OwnAdapter(apart, "rujukan", {"wilayah": schema}, {"wilayah.yaml": mapping}).start()
    keeps.drop("wilayah_1.csv", TABLE.encode())
    start.join(60)
    yield keeps, uses
    keeps.stop()
    uses.stop()


def seen(uses, first):
    return {k: (v["kel"], v["tanda"] == ["kode_lama"]) for k, v in uses.fold("pakai").items() if k.startswith(first)}


def test_a_reference_topic_from_first_publication_to_damage(both):
    keeps, uses = both
    events = some_events("a")
    want = translated(rules(TABLE), events)
    assert sum(moved for _, moved in want.values()) == 19 * 2 and len(want) < len(events)
    uses.drop("pakai_1.csv", as_file(events))
    wait_for(lambda: len(seen(uses, "a")) >= len(want), 30, "the events")
    assert seen(uses, "a") == want

    # A later table: a code is given to another place from a day on, and one stands for two at a time. No restart.
    changed = TABLE.replace("14.71.01.1002,1471011002,14.71.01.1002,Jadirejo,,\n",
                            "14.71.01.1002,1471011002,14.71.01.1002,Jadirejo,,2024-06-30\n"
                            "14.71.01.1002,1471011002,14.71.01.1099,Lain,2024-07-01,\n"
                            "14.71.01.1003,1471011003,14.71.01.1098,Dua,2024-02-01,2024-04-30\n")
    assert changed != TABLE
    before = uses.log().count("adapter.reference_taken_up")
    keeps.drop("wilayah_2.csv", changed.encode())
    wait_for(lambda: uses.log().count("adapter.reference_taken_up") > before, 30, "the new table")
    for n in range(20):  # it may be taken up in two parts, as its records came
        b = "b%d." % n
        events = some_events(b, [(b + "-old", "2024-06-30", "14.71.01.1002"), (b + "-new", "2024-07-01", "14.71.01.1002"),
                                 (b + "-one", "2024-05-01", "14.71.01.1003"), (b + "-two", "2024-04-30", "14.71.01.1003")])
        want = translated(rules(changed), events)
        assert want[b + "-old"][0] != want[b + "-new"][0] and b + "-two" not in want and b + "-one" in want
        uses.drop("pakai_2_%d.csv" % n, as_file(events))
        wait_for(lambda: (uses.dir / ("drop/done/pakai_2_%d.csv" % n)).exists(), 30, "the events")
        if seen(uses, b) == want:
            break
    assert seen(uses, b) == want

    # Without the bus: what a file would become is shown by the copy that is kept beside the adapter.
    uses.stop()
    data = uses.dir / "lihat.csv"
    data.write_bytes(as_file([("c", "2024-07-01", "14.71.01.1002")]))
    conf = uses.dir / "away.yaml"
    conf.write_text(uses.conf.read_text().replace(uses.apart.bootstrap, "127.0.0.1:1"))
    shown = OwnAdapter.run(BIN / "titian-adapter", "preview", "--config", conf, data).stdout
    assert "14.71.01.1099" in shown, shown

    # A damaged copy is told, and made anew from the bus at the next start.
    copy = uses.dir / "drop/.referensi/pku.rujukan.wilayah.v1.csv"
    whole = copy.read_bytes()
    copy.write_bytes(whole.replace(b"1099", b"1097"))
    refused = OwnAdapter.run(BIN / "titian-adapter", "check", "--config", conf, check=False)
    assert refused.returncode == 2 and "damaged" in refused.stderr, refused.stderr
    uses.start()
    assert copy.read_bytes() == whole
