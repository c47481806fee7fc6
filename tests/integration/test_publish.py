"""Publishing over HTTP, every shape of body: what is taken lies on the topic as independent readers decode it (fastavro,
Confluent's consumer), what is refused says where and why and never the value. Faults: test_publish_faults.py."""
import base64
import contextlib
import datetime
import gzip
import http.client
import io
import json
import time
import uuid
import urllib.request

import fastavro
import pytest
from cloudevents.core.bindings import http as ce_http
from cloudevents.core.v1.event import CloudEvent
from confluent_kafka import Consumer, TopicPartition

from conftest import wait_for
from own_gateway import OwnGateway, Topic

NAME = "pku.uji.kirim.v1"
LOG = "pku.uji.catatan.v1"
DIM = "pku.uji.pribadi.v1"


def field(name, kind, pdp="N", **more):
    return {"name": name, "type": kind, "x_pdp": pdp, **more}


ONE = {"type": "record", "name": "Kirim", "namespace": "pku.uji", "x_jenis": "register", "x_kunci": "id", "fields": [
    field("id", "string", "P"), field("nama", "string", "U"), field("n", "long"),
    field("tgl", ["null", {"type": "int", "logicalType": "date"}], default=None),
    field("tanda", {"type": "array", "items": "string"}, default=[]),
    field("jenis", {"type": "enum", "name": "Jenis", "symbols": ["A", "B"]}, default="A")]}
TWO = {**ONE, "fields": ONE["fields"] + [field("baru", "string", default="?")]}
EVENT = {"type": "record", "name": "Catatan", "namespace": "pku.uji", "x_jenis": "event", "fields": [field("isi", "string")]}
PERSONAL = {"type": "record", "name": "Pribadi", "namespace": "pku.uji", "x_jenis": "register", "x_kunci": "nik",
            "fields": [field("nik", "string", "U")]}
NIK = "1471015708900002"
VIEW = """/*---
name: kirim
key: id
routes: {uji_kirim: _key}
columns: {id: {type: text, pdp: P}, n: {type: int, pdp: N}}
---*/
SELECT _key AS id, n FROM uji_kirim
"""
POLICY = """readers:
  uji: {views: {kirim: {}}, publish: {%s: {}, %s: {}, %s: {}}}
  baca: {topics: {"*": {}}}
""" % (NAME, LOG, DIM)


def row(i, **more):
    return {"id": "k%s" % i, "nama": "Nama %s" % i, "n": 7, **more}


@pytest.fixture(scope="module")
def topics(apart):
    made = [Topic(apart, NAME, ONE, partitions=3), Topic(apart, LOG, EVENT), Topic(apart, DIM, PERSONAL)]
    made[0].ids = [made[0].id, made[0].register(TWO)]
    return made


@pytest.fixture(scope="module")
def gateway(apart, topics):
    own = OwnGateway(apart, "publish", topics, {"kirim": VIEW}, POLICY, readers=("uji", "baca"))
    own.start()
    yield own
    own.stop()


@pytest.fixture(scope="module")
def log(apart):
    consumer = Consumer({"bootstrap.servers": apart.bootstrap, "group.id": str(uuid.uuid4()), "enable.auto.commit": False,
                         "isolation.level": "read_committed", "auto.offset.reset": "earliest"})
    yield Log(consumer, apart)
    consumer.close()


class Log:
    """The topic as Confluent's consumer and fastavro see it."""

    def __init__(self, consumer, city):
        self.consumer, self.city, self.schemas = consumer, city, {}

    def at(self, topic, partition, offset):
        self.consumer.assign([TopicPartition(topic, partition, offset)])
        message = self.consumer.poll(20)
        assert message is not None and not message.error() and message.offset() == offset, message
        return message

    def value(self, message):
        raw = message.value()
        assert raw[0] == 0
        number = int.from_bytes(raw[1:5], "big")
        if number not in self.schemas:
            url = "%s/schemas/ids/%d" % (self.city.registry, number)
            self.schemas[number] = fastavro.parse_schema(json.loads(json.loads(urllib.request.urlopen(url).read())["schema"]))
        return fastavro.schemaless_reader(io.BytesIO(raw[5:]), self.schemas[number]), number


def post(gateway, body, kind="application/json", topic=NAME, query="", **headers):
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    headers = {k.replace("_", "-"): v for k, v in headers.items()}
    status, head, answer = gateway.asked("/v1/topics/%s/records%s" % (topic, query), method="POST", body=body,
                                         headers={"Content-Type": kind, "Accept-Language": "en", **headers})
    return status, head, json.loads(answer)


def places(answer):
    assert answer[0] == 200, answer
    return [(r["partition"], r["offset"]) for r in answer[2]["records"]]


def test_a_row_a_list_and_lines_are_on_the_topic_as_they_were_sent(gateway, log, topics):
    rows = [row(i, tgl="2024-02-29", tanda=["a", "b"], jenis="B") for i in range(5)]
    answers = [post(gateway, rows[0]), post(gateway, rows[1:3]),
               post(gateway, "\n".join(json.dumps(r) for r in rows[3:]).encode() + b"\n\n", "application/x-ndjson")]
    found = [log.at(NAME, *place) for answer in answers for place in places(answer)]
    assert len(found) == 5
    for sent, message in zip(rows, found):
        value, number = log.value(message)
        assert value == {**sent, "tgl": datetime.date(2024, 2, 29), "baru": "?"}
        assert number == topics[0].ids[1]
        assert message.key().decode() == sent["id"]
        head = dict(message.headers())
        assert (head["ce_specversion"], head["content-type"]) == (b"1.0", b"application/avro")
        assert head["ce_subject"].decode() == sent["id"] and head["titian_publisher"] == b"uji"
        assert head["ce_type"] == b"id.go.pekanbaru.bus.uji.kirim.v1"
    assert len({dict(m.headers())["ce_id"] for m in found}) == 5
    assert {k["id"] for k in gateway.get("/v1/views/kirim?id=in.(k0,k1,k2,k3,k4)")} <= {r["id"] for r in rows}


def test_what_was_published_is_in_the_view(gateway):
    places(post(gateway, row("tampak")))
    wait_for(lambda: gateway.get("/v1/views/kirim?id=eq.ktampak") == [{"id": "ktampak", "n": 7}], 20, "the row")
    places(post(gateway, {"records": [{"key": "ktampak", "value": None}]}))
    wait_for(lambda: gateway.get("/v1/views/kirim?id=eq.ktampak") == [], 20, "the row to go")


def test_envelopes_carry_keys_headers_times_partitions_and_tombstones(gateway, log):
    answer = post(gateway, {"records": [
        {"key": "k9", "value": row(9), "headers": {"asal": "loket 3", "catatan": "\u00e9"}, "partition": 2},
        {"key": "k9", "value": None}]})
    first, second = (log.at(NAME, *place) for place in places(answer))
    assert first.partition() == 2
    assert dict(first.headers())["asal"] == b"loket 3" and dict(first.headers())["catatan"] == "\u00e9".encode()
    assert (second.key(), second.value()) == (b"k9", None)
    event = log.at(LOG, *places(post(gateway, {"records": [{"value": {"isi": "x"}, "timestamp": 1700000000123}]}, topic=LOG))[0])
    assert event.timestamp()[1] == 1700000000123
    tomorrow = {"records": [{"value": {"isi": "x"}, "timestamp": int(time.time() + 86400) * 1000}]}
    tomorrow = post(gateway, tomorrow, topic=LOG)[2]["records"][0]
    assert tomorrow["pointer"].endswith("/timestamp") and "future" in tomorrow["detail"]
    past = post(gateway, {"records": [{"value": row(9), "timestamp": 1700000000123}]})[2]["records"][0]
    assert past["pointer"].endswith("/timestamp") and "register" in past["detail"], "it would rewrite what is history"
    lines = b'{"key":"k8","value":null}\n' + json.dumps({"value": row(8)}).encode()
    answer = post(gateway, lines, "application/x-ndjson", query="?form=record")
    assert [log.at(NAME, *p).value() is None for p in places(answer)] == [True, False]


def test_the_schema_is_the_latest_a_version_or_an_id(gateway, log, topics):
    for query, number in (("", topics[0].ids[1]), ("?schema=1", topics[0].ids[0]), ("?schema=latest", topics[0].ids[1]),
                          ("?schema_id=%d" % topics[0].ids[0], topics[0].ids[0])):
        answer = post(gateway, row("versi"), query=query)
        assert answer[2]["schema_id"] == number
        assert log.value(log.at(NAME, *places(answer)[0]))[1] == number
    answer = post(gateway, {"records": [{"value": row("versi")}], "schema": 1})
    assert answer[2]["schema_id"] == topics[0].ids[0]
    answer = post(gateway, {"records": [{"value": row("versi")}], "schema_id": topics[0].ids[1]})
    assert answer[2]["schema_id"] == topics[0].ids[1]
    for query in ("?schema=9", "?schema_id=%d" % topics[1].id):  # of another topic
        assert post(gateway, row(1), query=query)[2]["code"] == "schema-unknown"
    assert post(gateway, {"records": [{"value": row(1)}], "schema": 1}, query="?schema=1")[2]["code"] == "body-invalid"


def datum(schema, value):
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), value)
    return out.getvalue()


def test_avro_as_a_file_an_object_a_frame_and_alone(gateway, log, topics):
    new, old = {**row(20), "tgl": None, "tanda": [], "jenis": "B", "baru": "ada"}, {**row(21), "tgl": None, "tanda": ["x"], "jenis": "A"}
    kind = "application/vnd.apache.avro"
    for codec in ("null", "deflate", "snappy"):
        for schema, value in ((TWO, new), (ONE, old)):
            file = io.BytesIO()
            fastavro.writer(file, fastavro.parse_schema(schema), [value] * 3, codec=codec)
            answer = post(gateway, file.getvalue(), kind)
            for place in places(answer):  # of the older version: resolved to the latest
                assert log.value(log.at(NAME, *place)) == ({"baru": "?", **value}, topics[0].ids[1])
    # single object: the fingerprint says the version; the frame: the id
    print_ = bytes.fromhex(fastavro.schema.fingerprint(fastavro.schema.to_parsing_canonical_form(fastavro.parse_schema(ONE)), "CRC-64-AVRO"))
    for body, query in ((b"\xc3\x01" + print_ + datum(ONE, old), ""),
                        (b"\0" + topics[0].ids[0].to_bytes(4, "big") + datum(ONE, old), ""), (datum(ONE, old), "?schema=1")):
        answer = post(gateway, body, kind, query=query)
        value, number = log.value(log.at(NAME, *places(answer)[0]))
        assert {k: value[k] for k in old} == old
    broken = post(gateway, datum(ONE, old)[:-1], "avro/binary", query="?schema=1")
    assert broken[0] == 422 and broken[2]["records"][0]["code"] == "record-invalid"
    assert post(gateway, b"Obj\x01broken", kind)[2]["code"] == "body-invalid"


def test_avros_own_json(gateway, log):
    value = {**row(30), "tgl": {"int": 19782}, "tanda": [], "jenis": "A", "baru": "x"}
    answer = post(gateway, [value], "application/vnd.apache.avro+json")
    assert log.value(log.at(NAME, *places(answer)[0]))[0]["tgl"] == datetime.date(2024, 2, 29)
    refused = post(gateway, [{**value, "tgl": 19782}], query="?spelling=avro")
    assert refused[2]["records"][0]["pointer"] == "/0/tgl"


def event(**more):
    return CloudEvent({"id": "e-1", "source": "urn:loket:3", "type": "id.loket.baru", "specversion": "1.0",
                       "datacontenttype": "application/json", "time": datetime.datetime(2025, 1, 2, tzinfo=datetime.timezone.utc), **more},
                      row("ce", n=3))


def test_cloudevents_by_their_own_sdk(gateway, log):
    from cloudevents.core.formats.json import JSONFormat
    messages = [ce_http.to_binary(event(subject="perihal", tingkat="dua"), JSONFormat()),
                ce_http.to_structured(event(subject="perihal", tingkat="dua"), JSONFormat())]
    for message in messages:
        headers = {k: v for k, v in message.headers.items()}
        kind = next(v for k, v in headers.items() if k.lower() == "content-type")
        status, _, body = gateway.request("/v1/topics/%s/records" % NAME, method="POST", body=message.body, headers={**headers, "Content-Type": kind})
        assert status == 200, body
        placed = json.loads(body)["records"][0]
        found = log.at(NAME, placed["partition"], placed["offset"])
        head = dict(found.headers())
        assert (head["ce_id"], head["ce_source"], head["ce_type"], head["ce_subject"], head["ce_tingkat"]) == (
            b"e-1", b"urn:loket:3", b"id.loket.baru", b"perihal", b"dua")
        assert datetime.datetime.fromisoformat(head["ce_time"].decode()) == datetime.datetime(2025, 1, 2, tzinfo=datetime.timezone.utc)
        assert (found.key(), log.value(found)[0]["n"]) == (b"kce", 3)


MUST = [("ce-specversion", "1.0"), ("ce-id", "e-2"), ("ce-source", "urn:loket:3"), ("ce-type", "id.loket.baru")]


def post_headers(gateway, headers, body):
    """Headers as bytes, each as often as it is given."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)) as c:
        c.putrequest("POST", "/v1/topics/%s/records" % NAME)
        for name, value in [("Authorization", "Bearer " + gateway.key), ("Content-Type", "application/json"), ("Content-Length", str(len(body)))] + headers:
            c.putheader(name, value)
        c.endheaders(body)
        answer = c.getresponse()
        return answer.status, json.loads(answer.read())


def test_the_headers_of_an_event_are_read_as_the_binding_has_them(gateway, log):
    """CloudEvents 1.0.2, HTTP binding, 3.1.3.2: percent-encoded, once; a quoted string of older senders is what it quotes."""
    status, body = post_headers(gateway, MUST + [("CE-Subject", "Euro%20%E2%82%AC %2525"), ("ce-tingkat", '"dua \\"lantai\\""')], json.dumps(row("ceh")).encode())
    assert status == 200, body
    placed = body["records"][0]
    head = dict(log.at(NAME, placed["partition"], placed["offset"]).headers())
    assert (head["ce_subject"].decode(), head["ce_tingkat"]) == ("Euro \u20ac %25", b'dua "lantai"')


@pytest.mark.parametrize("wrong", [[("ce-subject", b"rahasia\xff")], [("ce-subject", "rahasia%C3")], [("ce-id", "rahasia")], [("CE-ID", "e-2")], [("ce-data", "rahasia")],
                                   [("ce-data_base64", "e30=")], [("ce-" + 61 * "x", "rahasia")], [("ce-tanda-masuk", "rahasia")], [("ce-x%d" % i, "rahasia") for i in range(61)]],
                         ids=["bytes", "escaped", "other", "same", "data", "base64", "long", "name", "many"])
def test_headers_that_make_no_event_are_refused(gateway, wrong):
    status, body = post_headers(gateway, MUST + wrong, json.dumps(row("cex")).encode())
    assert (status, body["code"]) == (400, "body-invalid") and "CloudEvents 1.0: " in body["detail"] and "rahasia" not in json.dumps(body)


def test_an_event_by_headers_without_what_must_be_is_refused(gateway):
    for i, (name, _) in enumerate(MUST[1:], 1):
        status, body = post_headers(gateway, MUST[:i] + MUST[i + 1:], json.dumps(row("cex")).encode())
        assert (status, body["code"]) == (400, "body-invalid") and name in body["detail"]


def test_a_batch_of_events_with_avro_and_a_tombstone(gateway, log):
    base = {"specversion": "1.0", "source": "urn:x", "type": "t"}
    packed = base64.b64encode(datum(TWO, {**row("b"), "tgl": None, "tanda": [], "jenis": "A", "baru": ""})).decode()
    answer = post(gateway, [{**base, "id": "1", "data": row("a")},
                            {**base, "id": "2", "datacontenttype": "application/avro", "data_base64": packed},
                            {**base, "id": "3", "partitionkey": "ka"},
                            {**base, "source": "urn:x", "data": row("a")},
                            {**base, "id": "5", "data": {"id": "x"}}], "application/cloudevents-batch+json")
    records = answer[2]["records"]
    assert answer[0] == 207 and [r.get("pointer") for r in records] == [None, None, None, "/3/id", "/4/data/nama"]
    found = [log.at(NAME, r["partition"], r["offset"]) for r in records[:3]]
    assert [m.key() for m in found] == [b"ka", b"kb", b"ka"] and found[2].value() is None
    assert log.value(found[1])[0]["nama"] == "Nama b"


def test_each_refusal_says_where_and_never_what(gateway):
    rows = [row(1), {**row(2), "n": "rahasia"}, {k: v for k, v in row(3).items() if k != "nama"}, {**row(4), "lain": "rahasia"},
            {**row(5), "tanda": ["a", 5]}, {**row(6), "jenis": "rahasia"}, "rahasia", {**row(7), "tgl": "2023-02-29"}]
    status, _, body = post(gateway, rows)
    assert status == 207 and (body["accepted"], body["refused"]) == (1, 7)
    assert [(r.get("code"), r.get("pointer")) for r in body["records"]] == [
        (None, None), ("record-invalid", "/1/n"), ("record-invalid", "/2/nama"), ("record-invalid", "/3/lain"),
        ("record-invalid", "/4/tanda/1"), ("record-invalid", "/5/jenis"), ("record-invalid", "/6"), ("record-invalid", "/7/tgl")]
    assert "rahasia" not in json.dumps(body)
    lines = b"\n".join([json.dumps(r).encode() for r in rows[:3]] + [b"{", b'{"id":"rahasia"', b"", json.dumps(rows[1]).encode()])
    body = post(gateway, lines, "application/x-ndjson")[2]
    assert [(r.get("line"), r.get("pointer")) for r in body["records"][1:]] == [(2, "/n"), (3, "/nama"), (4, ""), (5, ""), (7, "/n")]
    assert "rahasia" not in json.dumps(body) and "rahasia" not in gateway.log()


def test_all_or_nothing(gateway, log, apart):
    good, bad = [row("s%d" % i) for i in range(6)], {**row("s9"), "n": None}
    status, _, body = post(gateway, good + [bad], query="?atomic=true")
    assert status == 422 and {r["code"] for r in body["records"][:6]} == {"record-not-sent"}
    assert body["records"][6]["pointer"] == "/6/n" and body["code"] == "publish-refused"
    answer = post(gateway, good, query="?atomic=true")
    found = [log.at(NAME, *place) for place in places(answer)]
    assert [m.key().decode() for m in found] == [r["id"] for r in good]
    assert gateway.get("/v1/views/kirim?id=eq.ks9") == []


def test_keys_are_the_schemas_and_no_nik(gateway, log, apart, topics):
    refused = post(gateway, {"records": [{"key": "lain", "value": row(1)}, {"value": {**row(1), "id": NIK}}, {"key": NIK, "value": None},
                                         {"value": None}, {"value": {**row(1), "id": ""}},
                                         {"key": "k1", "value": row(1), "headers": {"nik": NIK}},
                                         {"key": "k1", "value": row(1), "headers": {"ce_id": "x"}},
                                         {"key": "k1", "value": row(1), "headers": {"x" + NIK: "ya"}}]})
    assert [r["code"] for r in refused[2]["records"]] == ["record-key-other", "record-key-personal", "record-key-personal",
                                                          "record-key-missing", "record-key-missing", "record-key-personal",
                                                          "record-invalid", "record-key-personal"]
    assert NIK not in json.dumps(refused[2]) and NIK not in gateway.log()
    assert post(gateway, {"nik": NIK}, topic=DIM)[2]["records"][0]["code"] == "record-key-personal"
    event = {"specversion": "1.0", "id": "1", "source": "/uji", "type": "uji", "data": row(1), "x" + NIK: "ya"}
    said = post(gateway, event, "application/cloudevents+json")[2]
    assert said["records"][0]["code"] == "record-key-personal" and NIK not in json.dumps(said)
    trace = "00-%s-%s-01" % ("a" * 32, NIK)
    traced = log.at(LOG, *places(post(gateway, {"isi": "tanpa kunci"}, topic=LOG, traceparent=trace))[0])
    assert NIK not in str(traced.headers()), "a trace is left out when it could be one"


def test_with_the_city_key_a_nik_becomes_the_pseudonym_that_adapters_make(apart, topics, log):
    import hashlib
    import hmac
    own = OwnGateway(apart, "publishcity", topics[:1], {"kirim": VIEW}, POLICY, more="publish: {city_key: %s}\n" % "CITY")
    city = own.dir / "city.key"
    city.write_text("ab" * 32 + "\n")
    city.chmod(0o600)
    conf = own.dir / "gateway.yaml"
    conf.write_text(conf.read_text().replace("CITY", str(city)))
    own.start()
    try:
        subject = hmac.new(bytes.fromhex("ab" * 32), NIK.encode(), hashlib.sha256).hexdigest()[:32]
        message = log.at(NAME, *places(post(own, {**row(1), "id": NIK}))[0])
        assert message.key().decode() == subject and log.value(message)[0] == {**row(1), "id": subject, "tgl": None, "tanda": [], "jenis": "A", "baru": "?"}
        assert log.at(NAME, *places(post(own, {"records": [{"key": NIK, "value": None}]}))[0]).key().decode() == subject
        assert NIK.encode() not in b"".join(k.encode() + v for k, v in message.headers())
    finally:
        own.stop()


def test_who_may(gateway):
    assert post(gateway, row(1), topic="pku.uji.takada.v1")[2]["code"] == "topic-unknown"
    status, _, body = gateway.request("/v1/topics/%s/records" % NAME, method="POST", body=b"{}", key=gateway.keys["baca"])
    assert (status, json.loads(body)["code"]) == (403, "not-granted")  # it reads it
    status, _, body = gateway.request("/v1/topics/%s/records" % NAME, method="POST", body=b"{}", headers={"Authorization": "x"})
    assert status == 401


def test_an_idempotency_key_makes_two_requests_one(gateway, log, apart):
    key = str(uuid.uuid4())
    rows = [row("i1"), row("i2"), {"id": "x"}, row("i3")]
    first = post(gateway, rows, Idempotency_Key=key)
    assert first[0] == 207 and "Idempotent-Replayed" not in first[1]
    again = post(gateway, rows, Idempotency_Key='"%s"' % key)
    assert again[2] == first[2] and again[1]["Idempotent-Replayed"] == "true"
    other = post(gateway, rows[:2], Idempotency_Key=key)
    assert (other[0], other[2]["code"]) == (422, "idempotency-other")
    for bad in ("", "a b", "x" * 256, "daftar-" + NIK):
        assert post(gateway, rows, Idempotency_Key=bad)[2]["code"] == "idempotency-invalid"
    # the answer outlives the gateway, and the schema that the body was read by
    gateway.kill()
    gateway.start()
    wait_for(lambda: post(gateway, rows, Idempotency_Key=key)[0] == 207, 20, "the answer")
    assert post(gateway, rows, Idempotency_Key=key)[2] == first[2]
    placed = [r for r in first[2]["records"] if "offset" in r]
    found = [log.at(NAME, r["partition"], r["offset"]) for r in placed]
    assert [dict(m.headers())["ce_id"].decode().split("/")[1] for m in found] == ["0", "1", "3"]


def test_titian_publish_sends_lines_again_without_doubling(gateway, log):
    import subprocess
    titian = str(gateway.dir.parents[1] / "release/bin/titian")
    (gateway.dir / "key").chmod(0o600)
    lines = [json.dumps(row("t%d" % i)) for i in range(7)] + ["{}"]
    run = lambda *more: subprocess.run([titian, "publish", "--gateway", gateway.url, "--key-file", str(gateway.dir / "key"), "--batch", "3",
                                        *more, NAME], input="\n".join(lines), capture_output=True, text=True, env={"LANG": "C"})
    first = run()
    assert first.returncode == 1 and first.stdout.split("\t")[:3] == ["8", "record-invalid", "/id"], (first.stdout, first.stderr)
    assert "7 accepted, 1 refused" in first.stderr
    before = gateway.metric("titian_publish_records_total")
    assert "7 accepted, 1 refused" in run().stderr and gateway.metric("titian_publish_records_total") == before
    assert gateway.metric("titian_publish_replayed_total") >= 3


def test_limits(gateway):
    assert post(gateway, gzip.compress(json.dumps(row(1)).encode()), Content_Encoding="gzip")[0] == 200
    bomb = gzip.compress(b" " * (100 << 20))
    assert post(gateway, bomb, Content_Encoding="gzip")[0] == 413
    assert post(gateway, gzip.compress(b"{}")[:-4], Content_Encoding="gzip")[2]["code"] == "body-invalid"
    assert post(gateway, b"{}", Content_Encoding="br")[0] == 415
    assert post(gateway, b"<x/>", "text/xml")[2]["code"] == "type-unknown"
    assert post(gateway, b" " * (9 << 20))[0] == 413
    assert post(gateway, b"{}\n" * 10001, "application/x-ndjson")[2]["code"] == "publish-too-many"
    deep = b"[" * 10000 + b"]" * 10000
    assert post(gateway, deep)[2]["code"] == "body-invalid"
    assert post(gateway, b'{"id":"x","nama":' + b"[" * 400 + b"]" * 400 + b',"n":1}')[2]["records"][0]["pointer"] == "/nama"
    torn = post(gateway, b'[{"id":"a"')
    assert torn[2]["code"] == "body-invalid" and torn[2]["detail"].endswith("byte 10"), torn
    slip = post(gateway, b'[{"id":"x","nam":"rahasia"}]')[2]["records"][0]
    assert slip["pointer"] == "/0/nam" and "'nama'" in slip["detail"] and "rahasia" not in json.dumps(slip)
    for broken in (b"", b"{", b"[1,]", b'{"records":[{"value":1}]', b"[{}{}]", b"\xff", b"{} {}", b'{"records":[],"a":1}', b"[]"):
        assert post(gateway, broken)[0] in (400, 422), broken
    assert post(gateway, row(1), query="?atomic=ya")[2]["code"] == "parameter-invalid"
    assert gateway.rss_kb() < 400_000
