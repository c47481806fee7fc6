"""Every shipped view of the city, row for row against the topics folded in Python (city_fold.py)."""
import json
import subprocess
import urllib.request

import pytest

import city_fold
from conftest import ROOT

VIEWS = ["kelayakan_bansos", "pbi_jk_anomali", "kematian", "kelahiran", "pindah_datang", "izin_status_pajak",
         "asn_keluarga_penerima_bansos", "asn_penerima_bansos_per_opd", "rentan_bencana", "penduduk_per_tahun_lahir",
         "anak_7_15_tidak_terdaftar", "kualitas_umpan"]


@pytest.fixture(scope="module")
def folded(sample):
    def schema_of(number):
        with urllib.request.urlopen("%s/schemas/ids/%d" % (sample.registry, number), timeout=10) as answer:
            return json.load(answer)["schema"]
    sample.idle()
    return city_fold.City(city_fold.Topics(sample.bootstrap, schema_of))


@pytest.mark.parametrize("view", VIEWS)
def test_rows(sample, folded, view):
    about = {v["name"]: v for v in sample.city.get("/v1/views")}[view]
    query = {"per_tanggal": city_fold.DAY} if about["dated"] else {}
    want = getattr(folded, view)()
    got = list(sample.city.rows(view, **query))
    key = about["key"]
    assert len(got) == len(want) > 0
    differing = [f for row in got for f in row if want.get(row[key], {}).get(f, "?") != row[f]]
    assert not differing, "%d cells differ, in columns %s" % (len(differing), sorted(set(differing)))
    assert {r[key] for r in got} == set(want)
    assert set(got[0]) == set(next(iter(want.values())))


def test_every_shipped_view_says_whose_it_is_and_why(sample):
    for view in sample.city.get("/v1/views"):
        assert view["owner"] and view["purpose"]["id"] and view["purpose"]["en"], view["name"]
        personal = any(c["pdp"] in "USA" for c in view["columns"])
        if personal:
            assessment = (ROOT / "gateway/views/dpia" / (view["name"] + ".md")).read_text()
            assert all("`%s`" % c["name"] in assessment for c in view["columns"]), view["name"]


def test_the_views_own_tests_pass():
    views = sorted(map(str, (ROOT / "gateway/views").glob("*.sql")))
    run = subprocess.run([str(ROOT / "build/release/bin/titian-gateway"), "view", "test", *views], cwd=ROOT,
                         capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stdout[-3000:]
    tested = {line.split()[1].rstrip(":") for line in run.stdout.splitlines() if line.startswith("baik/ok")}
    assert tested == {f.stem for f in (ROOT / "gateway/views/tests").glob("*.yaml")}
