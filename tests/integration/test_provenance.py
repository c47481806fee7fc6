"""Where each cell came from, beside a fold of the log in Python that keeps the place of every record."""
import collections
import datetime
import json
import urllib.request

import pytest

import city_fold

SNAPSHOT, EVENTS, AID = "pku.disdukcapil.penduduk.v1", "pku.disdukcapil.peristiwa.v1", "pku.dinsos.bansos.v1"


class Place(collections.namedtuple("Place", "topic partition offset ms schema record")):
    def __hash__(self):
        return hash(self[:3])


@pytest.fixture(scope="module")
def log(sample):
    """{topic: {key: Place}}: a register's last record a key, an event's first a number; and all events of a person."""
    def schema_of(number):
        with urllib.request.urlopen("%s/schemas/ids/%d" % (sample.registry, number), timeout=10) as answer:
            return json.load(answer)["schema"]
    sample.idle()
    topics = city_fold.Topics(sample.bootstrap, schema_of)
    out = collections.defaultdict(dict)
    for topic in (SNAPSHOT, EVENTS, AID):
        for partition, offset, ms, key, schema, record in topics.records(topic):
            if topic == EVENTS:
                out[topic].setdefault(record["id_peristiwa"], Place(topic, partition, offset, ms, schema, record))
            elif record is None:
                out[topic].pop(key, None)
            else:
                out[topic][key] = Place(topic, partition, offset, ms, schema, record)
    return out


@pytest.fixture(scope="module")
def people(log):
    """Of everybody: column -> places, by the declared merge rule (gateway/views/README.md)."""
    of = collections.defaultdict(list)
    for place in sorted(log[EVENTS].values(), key=lambda p: (p.record["waktu_entri"], p.record["id_peristiwa"])):
        of[place.record["id_subjek"]].append(place)
    out = {}
    for key in set(log[SNAPSHOT]) | set(of):
        events = of[key]
        arrival = [p for p in events if p.record["jenis"] in ("LAHIR", "PINDAH_DATANG")]
        base = log[SNAPSHOT].get(key) or (arrival[0] if arrival else None)
        if not base:
            continue
        said = {f: [p for p in events if p.record[f]][-1:] or [base] for f in ("nama", "no_kk", "id_keluarga", "kode_kel")}
        deaths = [p for p in events if p.record["jenis"] == "MATI"]
        moves = [p for p in events if p.record["jenis"] in ("LAHIR", "PINDAH_DATANG", "PINDAH_KELUAR")]
        out[key] = dict(said, id_subjek=[base], nik=[base], tgl_lahir=[base], jenis_kelamin=[base],
                        tgl_mati=deaths[:1], status=deaths or moves[-1:])
    return out


def version(sample, place, known={}):
    if place.schema not in known:
        url = "%s/schemas/ids/%d/versions" % (sample.registry, place.schema)
        with urllib.request.urlopen(url, timeout=10) as answer:
            known[place.schema] = {v["subject"]: v["version"] for v in json.load(answer)}
    return known[place.schema][place.topic + "-value"]


def check(sample, cell, places):
    """The cell's sources are exactly these records, each told in full."""
    want = {p[:3]: p for p in places}
    got = {(s["topic"], s["partition"], s["offset"]): s for s in cell["sources"]}
    assert cell["complete"] and cell["rows"] == len(cell["sources"]) == len(got)
    assert set(got) == set(want)
    for place, s in got.items():
        p = want[place]
        assert s["opd"] == p.topic.split(".")[1]
        assert round(datetime.datetime.fromisoformat(s["time"]).timestamp() * 1000) == p.ms
        assert s["schema"] == {"id": p.schema, "subject": p.topic + "-value", "version": version(sample, p)}


def pages(sample, view, **query):
    after, n = "", 0
    while after is not None:
        q = "&".join(["provenance=true"] + ["%s=%s" % kv for kv in query.items()] + (["after=" + after] if after else []))
        status, _, body = sample.request("/v1/views/%s?%s" % (view, q), "application/vnd.titian.page+json")
        assert status == 200, body
        page = json.loads(body)
        yield from page["data"]
        after = page["next"].split("after=")[1] if page["next"] else None


def test_every_cell_of_a_joined_view(sample, log, people):
    aid = collections.defaultdict(list)
    for place in log[AID].values():
        if place.record["status"] == "AKTIF":
            aid[place.record["id_subjek"]].append(place)
    rows = list(pages(sample, "penerima_bansos_meninggal"))
    assert len(rows) > 1
    moved = 0
    for row in rows:
        person, cells = people[row["id_subjek"]], row["_provenance"]
        assert set(cells) == set(row) - {"_provenance"}
        for column in ("id_subjek", "nik", "nama", "tgl_mati"):
            check(sample, cells[column], person[column])
            moved += any(p.topic == EVENTS for p in person[column])
        check(sample, cells["program"], aid[row["id_subjek"]])
        assert cells["program"]["way"] == "counted"
        assert all(s["via"] == ["warga"] for s in cells["nama"]["sources"])
    assert moved >= len(rows)  # every death is an event's
    dead = list(pages(sample, "kematian"))
    assert len(dead) > 10
    for row in dead:
        for column in ("id_subjek", "tgl_mati"):
            check(sample, row["_provenance"][column], people[row["id_subjek"]][column])


def test_one_row_with_conditions_and_a_union(sample, people):
    """kelayakan_bansos: status through CASE over warga.status, which is CASE over EXISTS over events."""
    seen = collections.Counter()
    for row in pages(sample, "kelayakan_bansos", select="id_subjek,status_hidup,kode_kel", limit=100):
        person, cells = people.get(row["id_subjek"]), row["_provenance"]
        if person:
            check(sample, cells["status_hidup"], person["status"])
            check(sample, cells["kode_kel"], person["kode_kel"])
            seen[row["status_hidup"]] += 1
        if sum(seen.values()) >= 300:
            break
    key = row["id_subjek"]
    one = json.loads(sample.request("/v1/views/kelayakan_bansos/%s?provenance=true" % key)[2])
    assert one["_provenance"]["kode_kel"] == row["_provenance"]["kode_kel"]
    assert len(seen) >= 2


def test_counts_name_their_rows(sample, people):
    row = json.loads(sample.request("/v1/views/penduduk_hidup_per_kelurahan?provenance=true&limit=1")[2])[0]
    count = [c for c in row if isinstance(row[c], int)][0]
    cell = row["_provenance"][count]
    assert cell["way"] == "counted" and cell["rows"] is not None
    assert len(cell["sources"]) == min(32, cell["rows"]) or not cell["complete"]


def test_every_cell_of_every_view_is_traced(sample):
    """What cannot be traced says so; of the shipped views nothing is."""
    untraced = collections.Counter()
    for view in sample.city.get("/v1/views"):
        query = {"limit": 3, **({"per_tanggal": city_fold.DAY} if view["dated"] else {})}
        q = "&".join("%s=%s" % kv for kv in query.items())
        status, _, body = sample.request("/v1/views/%s?provenance=true&%s" % (view["name"], q))
        assert status == 200, (view["name"], body)
        for row in json.loads(body):
            for column, cell in row["_provenance"].items():
                if cell["sources"] is None:
                    untraced["%s.%s: %s %s" % (view["name"], column, cell["reason"], cell.get("detail"))] += 1
    assert not untraced, untraced


def test_a_lookup_is_traced_in_the_order_asked(sample):
    rows = list(pages(sample, "kematian"))[:3]
    head = {"Authorization": "Bearer " + sample.city.key, "Content-Type": "application/json"}
    asked = [rows[2]["id_subjek"], "0" * 32, rows[0]["id_subjek"]]
    request = urllib.request.Request(sample.city.url + "/v1/views/kematian/lookup?provenance=true", method="POST",
                                     data=json.dumps({"id_subjek": asked}).encode(), headers=head)
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert json.load(answer) == [rows[2], None, rows[0]]


def test_limits_are_said(sample):
    assert sample.request("/v1/views/penduduk?provenance=true&limit=101")[0] == 400
    assert sample.request("/v1/views/penduduk?provenance=true", "text/csv")[0] == 400
