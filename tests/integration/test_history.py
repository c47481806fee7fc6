"""Views on a past day: a gateway that reads the sample city's log from its beginning with `history: true`, beside a fold
in Python of the records of up to that moment."""
import datetime
import json
import shutil
import urllib.request

import pytest

import city_fold
from conftest import ROOT
from test_definitions import Gateway

KEPT = ["penerima_bansos_meninggal", "kelayakan_bansos", "kematian", "anak_7_15_tidak_terdaftar", "penduduk_per_tahun_lahir"]


class Until(city_fold.Topics):
    """The topics, up to a moment."""

    def __init__(self, cache, bootstrap, schema_of, moment):
        super().__init__(bootstrap, schema_of)
        self.cache, self.moment = cache, moment

    def records(self, topic):
        if topic not in self.cache:
            self.cache[topic] = list(super().records(topic))
        return (r for r in self.cache[topic] if r[2] <= self.moment)


@pytest.fixture(scope="module")
def past(sample):
    sample.idle()
    gateway = Gateway(sample, "riwayat")
    views = gateway.dir / "views"
    shutil.rmtree(views, ignore_errors=True)
    shutil.copytree(ROOT / "gateway/views", views)
    for name in KEPT:
        path = views / (name + ".sql")
        path.write_text(path.read_text().replace("\nkey: ", "\nhistory: true\nkey: ", 1))
    conf = gateway.conf.read_text().splitlines()
    gateway.conf.write_text("\n".join("  dir: %s" % views if l.strip().startswith("dir:") else l for l in conf) + "\n")
    gateway.start()
    try:
        yield gateway.ready()
    finally:
        gateway.stop()


@pytest.fixture(scope="module")
def until(sample):
    def schema_of(number):
        with urllib.request.urlopen("%s/schemas/ids/%d" % (sample.registry, number), timeout=10) as answer:
            return json.load(answer)["schema"]
    cache = {}
    every = Until(cache, sample.bootstrap, schema_of, float("inf"))
    city_fold.City(every)
    times = sorted(r[2] for records in cache.values() for r in records)
    return (lambda moment: city_fold.City(Until(cache, sample.bootstrap, schema_of, moment))), times


def iso(ms):
    return datetime.datetime.fromtimestamp(ms / 1000, city_fold.WIB).isoformat(timespec="milliseconds").replace("+", "%2B")


def rows(gateway, view, key, more=""):
    status, headers, body = gateway.request("/v1/views/%s?limit=10000%s" % (view, more))
    assert status == 200, body
    return {r[key]: r for r in json.loads(body)}, headers


def test_a_view_as_it_was_while_the_city_arrived(past, until):
    city_until, times = until
    about = {v["name"]: v for v in json.loads(past.request("/v1/views")[2])}
    sizes = {}
    for share in (0.15, 0.5, 0.8, 1):
        moment = times[int(share * (len(times) - 1))]
        then = city_until(moment)
        for view in KEPT:
            if not hasattr(then, view):
                continue
            day = "&per_tanggal=" + city_fold.DAY if about[view]["dated"] else ""
            got, headers = rows(past, view, about[view]["key"], "&as_of=%s%s" % (iso(moment), day))
            assert got == getattr(then, view)(), (view, share)
            assert headers["Titian-As-Of"].startswith('"') and headers["Titian-As-Of"].endswith('";past')
            sizes.setdefault(view, set()).add(len(got))
    assert len(sizes) >= 4 and sum(len(s) > 1 for s in sizes.values()) >= 3  # they were others then


def test_a_row_a_lookup_and_a_file_of_the_past(past, until):
    city_until, times = until
    for share in (0.5, 0.6, 0.7, 0.8, 0.9, 1):  # departments arrive side by side: who is first is another each time
        moment = times[int(share * (len(times) - 1))]
        want = city_until(moment).kelayakan_bansos()
        if want:
            break
    key = sorted(want)[len(want) // 2]
    status, _, body = past.request("/v1/views/kelayakan_bansos/%s?as_of=%s" % (key, iso(moment)))
    assert status == 200 and json.loads(body) == want[key]
    status, headers, body = past.request("/v1/views/kelayakan_bansos?as_of=" + iso(moment), accept="application/x-ndjson")
    assert status == 200 and headers["Content-Type"].startswith("application/x-ndjson")
    assert {r["id_subjek"]: r for r in map(json.loads, body.splitlines())} == want
    status, _, body = past.request("/v1/views/kelayakan_bansos?as_of=" + iso(moment), accept="text/csv")
    assert status == 200 and len(body.splitlines()) == len(want) + 1
    # Before anything was there, and after everything.
    assert rows(past, "kelayakan_bansos", "id_subjek", "&as_of=1999-12-31")[0] == {}
    assert rows(past, "kelayakan_bansos", "id_subjek", "&as_of=2099-12-31")[0] == rows(past, "kelayakan_bansos", "id_subjek")[0]


def test_what_cannot_be_told_is_said(past, sample):
    status, _, body = past.request("/v1/views/penduduk?as_of=2025-12-31")
    assert status == 404 and json.loads(body)["code"] == "history-none"
    assert past.request("/v1/views/kematian?as_of=2025-02-30")[0] == 400
    assert past.request("/v1/views/kematian?as_of=now")[0] == 400
    assert past.request("/v1/views/kematian?as_of=2025-12-31&provenance=true")[0] == 400
    status, _, body = past.request("/v1/views/kematian.xlsx?as_of=2025-12-31")
    assert status == 400, body
