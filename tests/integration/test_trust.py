"""How fresh an answer is, and where departments disagree, beside Kafka's own word on the same topics."""
import collections
import datetime
import json
import re
import urllib.request

import pytest
from confluent_kafka import Consumer, TopicPartition

import city_fold
from conftest import wait_for
from test_definitions import drop, put, state


def newest(bootstrap, topics):
    """Greatest record time over topics, read by another client."""
    c = Consumer({"bootstrap.servers": bootstrap, "group.id": "uji-trust", "enable.auto.commit": False})
    found = 0
    try:
        for topic in topics:
            for p in c.list_topics(topic, 10).topics[topic].partitions:
                low, end = c.get_watermark_offsets(TopicPartition(topic, p), 10)
                c.assign([TopicPartition(topic, p, low)])
                at = low
                while at < end:
                    m = c.poll(10)
                    assert m is not None and m.error() is None
                    found, at = max(found, m.timestamp()[1]), m.offset() + 1
    finally:
        c.close()
    return found


def test_an_answer_says_how_new_its_records_are(sample):
    status, headers, _ = sample.request("/v1/views/penerima_bansos_meninggal")
    assert status == 200
    as_of = re.fullmatch(r'"([^"]+)";seq=(\d+);lag=0', headers["Titian-As-Of"])
    topics = ["pku.disdukcapil.penduduk.v1", "pku.disdukcapil.peristiwa.v1", "pku.dinsos.bansos.v1"]
    want = newest(sample.bootstrap, topics)
    moment = datetime.datetime.fromisoformat(as_of[1])
    assert moment.utcoffset() == datetime.timedelta(hours=7)
    assert round(moment.timestamp() * 1000) == want
    http_date = datetime.datetime.strptime(headers["Last-Modified"], "%a, %d %b %Y %H:%M:%S GMT")
    assert http_date.replace(tzinfo=datetime.timezone.utc).timestamp() == want // 1000
    kept = re.fullmatch(r'fresh;age=(\d+);promise=86400;feed="\w+"', headers["Titian-Freshness"])
    assert kept and int(kept[1]) < 86400

    views = {v["name"]: v for v in json.loads(sample.request("/v1/views")[2])}
    view = views["penerima_bansos_meninggal"]
    assert {i["topic"] for i in view["freshness"]["inputs"]} == set(topics)
    assert datetime.datetime.fromisoformat(view["as_of"]) == moment
    for i in view["freshness"]["inputs"]:
        assert round(datetime.datetime.fromisoformat(i["newest"]).timestamp() * 1000) == newest(
            sample.bootstrap, [i["topic"]])
        # The department's adapter has read the file to its end after its last record.
        assert i["seen"] >= i["newest"]
    row = json.loads(sample.request("/v1/views/penerima_bansos_meninggal?limit=1")[2])[0]
    _, headers, _ = sample.request("/v1/views/penerima_bansos_meninggal/" + row["id_subjek"])
    assert headers["Titian-As-Of"].split(";")[0] == '"%s"' % as_of[1]


def test_who_keeps_its_promise_is_for_those_with_status(sample):
    status, _, body = sample.request("/v1/freshness")
    body = json.loads(body)
    assert status == 200 and body["late"] == 0
    assert all(v["freshness"]["state"] == "fresh" for v in body["views"]) and len(body["views"]) > 10
    assert sample.request("/v1/freshness", key=False)[0] == 401
    text = sample.request("/metrics", url=sample.ops)[2].decode()
    assert re.search(r'titian_view_lag_seconds\{view="penerima_bansos_meninggal"\} \d+', text)


NAMES = {"dinsos_bansos": "pku.dinsos.bansos.v1", "dinkes_kunjungan": "pku.dinkes.kunjungan.v1",
         "disdik_siswa": "pku.disdik.siswa.v1", "bkpsdm_asn": "pku.bkpsdm.asn.v1"}
SAID = {"nama": list(NAMES), "tgl_lahir": ["bkpsdm_asn", "disdik_siswa", "dinsos_bansos"], "no_kk": ["dinsos_bansos"]}


def plain_text(value):
    return value.isoformat() if hasattr(value, "isoformat") else value or ""


@pytest.fixture(scope="module")
def disputes(sample):
    """Of everybody known, by a fold of the topics in Python: {id: {column: (value, {table: [(ms, offset, said)]})}}."""
    def schema_of(number):
        with urllib.request.urlopen("%s/schemas/ids/%d" % (sample.registry, number), timeout=10) as answer:
            return json.load(answer)["schema"]
    sample.idle()
    topics = city_fold.Topics(sample.bootstrap, schema_of)
    people = city_fold.City(topics).warga
    out = {key: {c: (plain_text(p[c]), collections.defaultdict(list)) for c in SAID} for key, p in people.items()}
    for table, topic in NAMES.items():
        rows = {}
        for _, offset, ms, key, _, record in topics.records(topic):
            if record is None:
                rows.pop(key, None)
            elif table != "dinkes_kunjungan" or key not in rows:
                rows[record["id_kunjungan"] if table == "dinkes_kunjungan" else key] = (ms, offset, record)
        for ms, offset, record in rows.values():
            for column in SAID:
                if table not in SAID[column] or record["id_subjek"] not in out:
                    continue
                said, holds = plain_text(record[column]), out[record["id_subjek"]][column][0]
                same = city_fold.plain(said) == city_fold.plain(holds) if column == "nama" else said == holds
                if said and not same:
                    out[record["id_subjek"]][column][1][table].append((ms, offset, said))
    return {k: v for k, v in out.items() if any(others for _, others in v.values())}


def test_where_departments_disagree_is_kept(sample, disputes):
    rows = {r["id_subjek"]: r for r in sample.city.rows("identitas_warga__sengketa")}
    assert set(rows) == set(disputes) and len(rows) > 20
    for key, row in rows.items():
        for column, (holds, others) in disputes[key].items():
            assert row[column] == holds and row[column + "_sumber"] == "warga." + column
            for table in SAID[column]:
                assert row["%s_%s" % (column, table)] == len(others[table])
            told = {o["sumber"]: o for o in row[column + "_lain"]}
            assert set(told) == {"%s.%s" % (t, column) for t in others if others[t]}
            for table, said in others.items():
                if said:
                    one = told["%s.%s" % (table, column)]
                    assert one["nilai"] == max(said)[2] and one["catatan"] == len(said)
                    assert datetime.datetime.fromisoformat(one["sejak"]).timestamp() * 1000 == min(said)[0]


def test_pairs_of_departments_are_counted_as_the_truth_has_them(sample, truth):
    pairs = json.loads(sample.request("/v1/conflicts")[2])
    got = {(p["column"], p["other"]): p for p in pairs if p["view"] == "identitas_warga"}
    for file, table in (("dinkes_kunjungan.jsonl", "dinkes_kunjungan"), ("dinsos_bansos.csv", "dinsos_bansos"),
                        ("disdik_siswa.csv", "disdik_siswa")):
        assert got["nama", table]["records"] == truth["feeds"][file]["cacat"]["nama_beda"] > 0
    assert got["no_kk", "dinsos_bansos"]["records"] == truth["feeds"]["dinsos_bansos.csv"]["cacat"]["kk_beda"] > 0
    assert all(p["authority_opd"] == "disdukcapil" and p["other_opd"] in p["other"] for p in pairs)
    assert sample.request("/v1/conflicts", key=False)[0] == 401


def test_a_view_defined_at_run_time_has_its_conflicts_beside_it(sample):
    beside = "uji_pengenal__sengketa"

    def define(authority, name="uji_pengenal"):
        text = ("/*---\nname: %s\nkey: id_subjek\nroutes: {warga: id_subjek}\n"
                "indexes: [{table: dinsos_bansos, columns: [id_subjek, status]}]\ncolumns:\n"
                "  id_subjek: {type: text, pdp: P}\n  no_kk: {type: text, pdp: U%s}\n---*/\n"
                "SELECT w.id_subjek, w.no_kk FROM warga w\n" % (name, authority))
        return put(sample, text, name)

    def gone():
        return sample.request("/v1/views/" + beside)[0] == 404

    kept = {r["id_subjek"] for r in sample.city.rows("identitas_warga__sengketa") if r["no_kk_dinsos_bansos"] > 0}
    assert define(", authority: [warga.no_kk, dinsos_bansos.no_kk]")[0] == 202
    wait_for(lambda: (state(sample, beside) or {}).get("state") == "running", 60, "the view beside it")
    assert {r["id_subjek"] for r in sample.city.rows(beside)} == kept and kept
    # The name is kept for what authorities give: nobody can put something else under a view's grant.
    status, answer = define("", "uji_pengenal__sengketa")
    assert status == 422 or status == 400, answer
    assert define("")[0] == 202
    wait_for(gone, 60, "no authorities, no conflicts")
    assert define(", authority: [warga.no_kk, dinsos_bansos.no_kk]")[0] == 202
    wait_for(lambda: not gone(), 60, "the view beside it, again")
    assert drop(sample, "uji_pengenal")[0] == 202
    wait_for(lambda: gone() and sample.request("/v1/views/uji_pengenal")[0] == 404, 60, "both gone")


def test_a_shipped_view_on_a_past_day(sample):
    """Every record of the sample city came today: on the last day of 1999 there was none, and now it is as it is."""
    now = list(sample.city.rows("tunggakan_pbb_per_kecamatan"))
    status, headers, body = sample.request("/v1/views/tunggakan_pbb_per_kecamatan?as_of=1999-12-31")
    assert status == 200 and json.loads(body) == []
    assert headers["Titian-As-Of"] == '"1999-12-31T23:59:59.999+07:00";past'
    _, _, body = sample.request("/v1/views/tunggakan_pbb_per_kecamatan?as_of=2099-12-31")
    assert json.loads(body) == now and now
