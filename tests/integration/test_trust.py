"""How fresh an answer is, beside Kafka's own word on the same topics."""
import datetime
import json
import re

from confluent_kafka import Consumer, TopicPartition


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
    assert kept and int(kept[1]) < 3600

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
