"""`nasional/agregat`: counts by area and month, small ones withheld. An attacker with everything that was ever published,
month by month and day by day, with the rule, and with the city's own totals, tries to find what is withheld."""
import csv
import hashlib
import io
import json
import os
import random
import subprocess
import urllib.request

import numpy
import pytest
from scipy.optimize import linprog

from conftest import ROOT
from own_gateway import OwnGateway, Topic

K = 10
AREAS = sorted(["14710100%02d" % i for i in range(1, 11)] + ['=1+1', 'Limbungan, "Baru"'])
ALL = AREAS + ["LAINNYA"]
MONTHS = ["2025-%02d" % m for m in range(1, 9)]
COMMANDED = "2025-09"  # published by the command
SCHEMA = {"type": "record", "name": "Peristiwa", "namespace": "uji", "x_jenis": "event", "x_kunci": "id",
          "x_topik": "pku.uji.peristiwa.v1", "fields": [
              {"name": "id", "type": "string"}, {"name": "jenis", "type": "string"},
              {"name": "kel", "type": "string"}, {"name": "bulan", "type": "string"}]}
PLACE = {"type": "record", "name": "Wilayah", "namespace": "uji", "x_jenis": "register", "x_kunci": "kel",
         "fields": [{"name": "kel", "type": "string"}]}
CARD = """access: open
title: {id: Judul, en: Title}
about: {id: Uraian, en: About}
owner: uji
purpose: {id: a, en: b}
basis: UU 1
freshness: {max_age: 1d}
catalogue: {issued: 2026-01-01, since: 2025-01-01, theme: SOCI, area: kelurahan, concept: {id: a, en: b},
  classification: {id: a, en: b}, measure: {id: a, en: b}, unit: orang}
"""
INDICATOR = """/*---
name: agregat_%s
%sinternal: true
figures: {area: kel, month: bulan, count: jumlah, areas: wilayah}
key: sel
store: full
columns:
  sel: {type: text, pdp: N, title: {id: a, en: b}}
  kel: {type: text, pdp: N, title: {id: a, en: b}}
  bulan: {type: text, pdp: N, title: {id: a, en: b}}
  jumlah: {type: int, pdp: N, title: {id: a, en: b}}
---*/
SELECT kel || '.' || bulan AS sel, kel, bulan, count(*) AS jumlah FROM uji_peristiwa WHERE jenis = '%s' GROUP BY kel, bulan
"""
VIEWS = {
    "wilayah": "/*---\nname: wilayah\nkey: kel\ncolumns:\n  kel: {type: text, pdp: N}\n---*/\nSELECT _key AS kel FROM uji_wilayah\n",
    "agregat_lahir": INDICATOR % ("lahir", CARD, "LAHIR"),
    "agregat_mati": INDICATOR % ("mati", CARD, "MATI"),
}
# Views that areas cannot be of: their keys would be told.
PERSONS = VIEWS["wilayah"].replace("pdp: N", "pdp: P")
HIDDEN = VIEWS["wilayah"].replace("key: kel\n", "internal: true\nkey: kel\n")
POLICY = "readers:\n  uji: {define: true, views: {'*': {}}}\n"


class City:
    def __init__(self, apart):
        self.events = Topic(apart, "pku.uji.peristiwa.v1", SCHEMA)
        self.places = Topic(apart, "pku.uji.wilayah.v1", PLACE)
        self.gateway = OwnGateway(apart, "figures", [self.events, self.places], VIEWS, POLICY)
        self.n, self.true = 0, {}
        for area in AREAS:
            self.places.put(area, {"kel": area})
        self.places.flush()

    def add(self, kind, area, month, n):
        cell = (kind, area if area in AREAS else "LAINNYA", month)
        self.true[cell] = self.true.get(cell, 0) + n
        for _ in range(n):
            self.n += 1
            self.events.put("k%d" % self.n, {"id": "k%d" % self.n, "jenis": kind, "kel": area, "bulan": month})
        self.events.flush()

    def publish(self, kind, month):
        return self.gateway.request("/v1/nasional/agregat/agregat_%s/%s" % (kind.lower(), month), method="PUT")

    def figures(self, kind, query=""):
        url = "%s/v1/nasional/agregat/agregat_%s%s" % (self.gateway.url, kind.lower(), query)
        with urllib.request.urlopen(url, timeout=30) as answer:  # without a key: everybody's
            return answer.read()


@pytest.fixture(scope="module")
def city(apart):
    rng = random.Random(6)
    city = City(apart)
    for kind, mean in (("LAHIR", 30), ("MATI", 8)):
        for month in MONTHS:
            for area in AREAS:
                city.add(kind, area, month, max(0, int(rng.gauss(mean, 14))))
    city.add("LAHIR", "di luar kota", MONTHS[0], 3)
    for i, area in enumerate(AREAS):
        city.add("LAHIR", area, COMMANDED, 7 + 5 * i)
        city.add("MATI", area, COMMANDED, i % 3)
    city.gateway.start()
    yield city
    city.gateway.stop()


def rule(kind, month, count):
    """The rule as gateway/figures/suppress.h has it, written again: what is told, and the sum (None: withheld)."""
    told = {a: count[a] >= K for a in ALL}
    hidden = [a for a in ALL if not told[a]]
    total = sum(count.values())
    if not hidden:
        return told, total
    salt = "agregat_%s/%s/" % (kind.lower(), month)
    added = 0
    for area in sorted(ALL, key=lambda a: hashlib.sha256((salt + a).encode()).digest()):
        hidden_sum = sum(count[a] for a in hidden)
        if added and hidden_sum >= (len(hidden) + 2) * K:
            break
        if told[area]:
            told[area] = False
            hidden.append(area)
            added += 1
    if added and sum(count[a] for a in hidden) >= (len(hidden) + 2) * K:
        return told, total
    return dict.fromkeys(ALL, False), None


def columns(city, kind):
    return {m["bulan"]: m for m in json.loads(city.figures(kind))["bulan"]}


def test_months_are_published_once_by_who_may(city):
    for kind in ("LAHIR", "MATI"):
        for month in MONTHS[:6]:
            assert city.publish(kind, month)[0] == 201
    assert city.publish("LAHIR", MONTHS[0])[0] == 200
    for month in ("2999-01", "2025-13", "0001-01", "1999-12"):
        assert city.publish("LAHIR", month)[0] == 400
    assert city.gateway.request("/v1/nasional/agregat/wilayah/2025-01", method="PUT")[0] == 404
    listed = city.gateway.get("/v1/nasional/agregat")
    assert [(i["indikator"], i["bulan"], i["sampai"]) for i in listed] == [
        ("agregat_lahir", 6, MONTHS[5]), ("agregat_mati", 6, MONTHS[5])]
    assert city.gateway.request("/v1/views/agregat_lahir")[0] == 404  # the small counts themselves are nobody's


def titian(city, *words, language="C"):
    run = subprocess.run([str(ROOT / "build/release/bin/titian"), "figures", *words, "--gateway", city.gateway.url,
                          "--key-file", str(city.gateway.dir / "reader.key")],
                         capture_output=True, text=True, timeout=60, env={**os.environ, "LC_ALL": language})
    return run.returncode, [l.split("\t") for l in run.stdout.splitlines()], run.stderr


def test_the_command_publishes_a_month_of_every_indicator(city):
    key = city.gateway.dir / "reader.key"
    key.touch(0o600)
    key.write_text(city.gateway.key)
    assert titian(city, "list")[1] == [["agregat_lahir", "6", MONTHS[0], MONTHS[5]], ["agregat_mati", "6", MONTHS[0], MONTHS[5]]]
    month = COMMANDED
    code, lines, words = titian(city, "publish", month, language="id_ID.UTF-8")
    assert code == 0 and "--yes" in words and "belum" in words
    assert lines == [["agregat_lahir", month, "not-published"], ["agregat_mati", month, "not-published"]]
    assert month not in columns(city, "LAHIR"), "a dry run tells nothing"
    for state in ("published", "before"):
        code, lines, _ = titian(city, "publish", month, "--yes")
        assert code == 0
        for line, kind in zip(lines, ("LAHIR", "MATI"), strict=True):
            told, total = rule(kind, month, {a: city.true.get((kind, a, month), 0) for a in ALL})
            assert line == ["agregat_" + kind.lower(), month, state, "-" if total is None else str(total),
                            str(sum(told.values())), str(len(ALL) - sum(told.values()))]
    assert titian(city, "publish", MONTHS[0], "agregat_mati", "--yes")[1][0][:3] == ["agregat_mati", MONTHS[0], "before"]
    assert [titian(city, "publish", wrong, "--yes")[0] for wrong in ("2999-01", "2025")] == [2, 2]
    assert titian(city, "publish", MONTHS[0], "tidak_ada", "--yes")[0] == 5


def test_what_is_told_is_true_and_what_the_rule_says(city):
    withheld = 0
    for kind in ("LAHIR", "MATI"):
        for month, column in columns(city, kind).items():
            true = {a: city.true.get((kind, a, month), 0) for a in ALL}
            told, total = rule(kind, month, true)
            assert column["wilayah"] == {a: true[a] if told[a] else None for a in ALL}, month
            assert column["jumlah"] == total and column["k"] == K
            withheld += total is None
            assert all(v is None or v >= K for v in column["wilayah"].values())
    assert 0 < withheld < 12, "months that are told, and months that are not"
    text = city.figures("LAHIR", "?format=csv&dari=2025-02&sampai=2025-02").decode()
    lines = list(csv.DictReader(io.StringIO(text, newline="")))
    column = columns(city, "LAHIR")["2025-02"]
    assert [l["kode_wilayah"].lstrip("'") for l in lines] == ALL + ["JUMLAH"] and "\n'=1+1" not in text
    assert [l["jumlah"] for l in lines] == ["" if n is None else str(n) for n in [*column["wilayah"].values(), column["jumlah"]]]
    assert [l["kode_wilayah"] for l in lines if "1+1" in l["kode_wilayah"]] == ["'=1+1"], "no spreadsheet computes it"


def test_late_records_change_nothing_that_was_told(city):
    """Yesterday's table and today's, after 1 to 9 records more in every cell, a restart and a database made anew."""
    before = {k: columns(city, k) for k in ("LAHIR", "MATI")}
    for i, area in enumerate(AREAS):
        city.add("LAHIR", area, MONTHS[2], 1 + i % 9)
    city.gateway.stop()
    for path in city.gateway.dir.glob("city.db*"):
        if path.is_file() and path.suffix in (".db", ".db-wal", ".db-shm"):
            path.unlink()
    city.gateway.start()
    for month in MONTHS[:6]:
        assert city.publish("LAHIR", month)[0] == 200
    assert {k: columns(city, k) for k in ("LAHIR", "MATI")} == before
    for kind in ("LAHIR", "MATI"):
        assert city.publish(kind, MONTHS[6])[0] == 201
        after = columns(city, kind)
        assert {m: c for m, c in after.items() if m in before[kind]} == before[kind]


def test_an_attacker_with_linear_programming_learns_no_small_count(city):
    """Everything published by now, over all months, both indicators, and the city's own totals by kind, which hold months
    that were not published too: the interval of every withheld cell stays at least k-1 wide and holds 0..k-1."""
    cells, rows, values = {}, [], []

    def at(cell):
        return cells.setdefault(cell, len(cells))
    for kind in ("LAHIR", "MATI"):
        total = {at((kind, "rest", "unpublished")): 1}
        known = 0
        for month, column in columns(city, kind).items():
            hidden = {at((kind, a, month)): 1 for a, v in column["wilayah"].items() if v is None}
            told = sum(v for v in column["wilayah"].values() if v is not None)
            if column["jumlah"] is not None and hidden:
                rows.append(hidden)
                values.append(column["jumlah"] - told)
            total.update(hidden)
            known += told
        rows.append(total)  # as peristiwa_per_jenis has it
        values.append(sum(n for (k, _, _), n in city.true.items() if k == kind) - known)
    matrix = numpy.zeros((len(rows), len(cells)))
    for i, row in enumerate(rows):
        for j, v in row.items():
            matrix[i, j] = v
    small = 0
    for cell, j in cells.items():
        if cell[1] == "rest":
            continue
        ends = []
        for sign in (1, -1):
            aim = numpy.zeros(len(cells))
            aim[j] = sign
            best = linprog(aim, A_eq=matrix, b_eq=values, bounds=(0, None), method="highs")
            assert best.status == 0
            ends.append(sign * best.fun)
        assert ends[0] <= 0.001 and ends[1] >= K - 1, (cell[2], ends)
        small += city.true.get(cell, 0) < K
    assert small > 20


def test_an_attacker_who_knows_the_rule_and_all_but_a_few_cells_learns_no_small_count():
    """Worlds that would have been told in the same way, tried one by one: for every small cell every value from 0 to k-1 is
    among them, though the attacker knows the rule and every number but two others."""
    rng = random.Random(7)
    tried = 0
    for n in range(60):
        true = {a: rng.choice([rng.randint(0, 9), rng.randint(10, 60), rng.randint(10, 60)]) for a in ALL}
        public = rule("LAHIR", str(n), true)
        shown = {a: true[a] for a in ALL if public[0][a]}
        for cell in [a for a in ALL if true[a] < K][:2]:
            others = [a for a in ALL if a != cell and not public[0][a]]
            for value in range(K):
                def same(p, q, part):
                    world = dict(true)
                    world[cell] = value
                    world[p] += part
                    world[q] += true[cell] - value - part
                    return min(world.values()) >= 0 and rule("LAHIR", str(n), world) == public and \
                        all(world[a] == v for a, v in shown.items())
                assert any(same(p, q, part) for p in others for q in others for part in range(-K, K + 1)), (n, value)
                tried += 1
    assert tried > 400


def test_k_is_never_lowered(city, apart):
    for k in (1, 9):
        gateway = OwnGateway(apart, "figures-k", [city.events, city.places], VIEWS, POLICY, more="figures: {k: %d}\n" % k)
        with pytest.raises(AssertionError, match="never lowered"):
            gateway.start()


@pytest.mark.parametrize("areas", [PERSONS, HIDDEN])
def test_areas_are_keys_that_may_be_told(city, apart, areas):
    gateway = OwnGateway(apart, "figures-areas", [city.events, city.places], {**VIEWS, "wilayah": areas}, POLICY)
    with pytest.raises(AssertionError, match="'wilayah': its keys are told to everybody"):
        gateway.start()
    status, _, body = city.gateway.request("/v1/views/wilayah?apply=true", method="PUT", body=areas.encode())
    assert status == 422 and "told to everybody" in json.loads(body)["detail"]
    other = VIEWS["agregat_mati"].replace("agregat_mati", "agregat_lain").replace("areas: wilayah", "areas: agregat_lahir")
    status, _, body = city.gateway.request("/v1/views/agregat_lain?apply=true", method="PUT", body=other.encode())
    assert status == 422 and "told to everybody" in json.loads(body)["detail"]
