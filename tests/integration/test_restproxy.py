"""Confluent REST Proxy's API v2, produce and metadata, asked as its clients ask (the shapes of kafka-rest's entities and of
Karapace's tests): what is taken lies on the topic as Confluent's consumer and fastavro read it; each code as theirs."""
import base64
import gzip
import http.client
import io
import json
import urllib.request
import uuid

import fastavro
import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

from conftest import wait_for
from own_gateway import OwnGateway, Topic

NAME, KEYED, BYTES, STRICT, GHOST, OTHER, LATE = ("pku.uji.rp%s.v1" % s for s in ("", "kunci", "bita", "ketat", "hantu", "lain", "nanti"))
V2 = "application/vnd.kafka.v2+json"
NIK = "1471015708900002"
ONE = {"type": "record", "name": "Rp", "namespace": "pku.uji", "x_jenis": "register", "x_kunci": "id", "fields": [
    {"name": "id", "type": "string", "x_pdp": "P"}, {"name": "n", "type": ["null", "long"], "default": None, "x_pdp": "N"}]}
TWO = {**ONE, "fields": ONE["fields"] + [{"name": "baru", "type": "string", "default": "?", "x_pdp": "N"}]}
EVENT = {"type": "record", "name": "Rk", "namespace": "pku.uji", "x_jenis": "event",
         "fields": [{"name": "isi", "type": "string", "x_pdp": "N"}]}
KEY = {"type": "record", "name": "Kunci", "namespace": "pku.uji", "fields": [{"name": "kode", "type": "string"}, {"name": "no", "type": "long"}]}
VIEW = """/*---
name: rp
key: id
routes: {uji_rp: _key}
columns: {id: {type: text, pdp: P}}
---*/
SELECT _key AS id FROM uji_rp
"""
POLICY = """readers:
  uji: {views: {rp: {}}, publish: {%s: {}, %s: {}, %s: {bytes: true}, %s: {}, %s: {}, %s: {}}}
  baca: {topics: {%s: {}}}
  sempit: {quota: 1/1h, topics: {%s: {}}}
  tanda: {verify: "%s", must_sign: true, publish: {%s: {}}}
""" % (NAME, KEYED, BYTES, STRICT, GHOST, LATE, NAME, NAME, "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", NAME)


@pytest.fixture(scope="module")
def topics(apart):
    admin = AdminClient({"bootstrap.servers": apart.bootstrap})
    for made in admin.create_topics([NewTopic(t, 2, 1) for t in (BYTES, STRICT, OTHER, LATE)]).values():
        made.result(30)
    one, keyed = Topic(apart, NAME, ONE, partitions=3), Topic(apart, KEYED, EVENT)
    one.ids = [one.id, one.register(TWO)]
    for subject, schema in ((GHOST + "-value", EVENT), (KEYED + "-key", KEY)):
        request = urllib.request.Request("%s/subjects/%s/versions" % (apart.registry, subject), json.dumps({"schema": json.dumps(schema)}).encode(),
                                         {"Content-Type": "application/vnd.schemaregistry.v1+json"})
        keyed.key_id = json.loads(urllib.request.urlopen(request, timeout=30).read())["id"]
    return one, keyed


@pytest.fixture(scope="module")
def gateway(apart, topics):
    own = OwnGateway(apart, "restproxy", topics[:1], {"rp": VIEW}, POLICY, readers=("uji", "baca", "sempit", "tanda"))
    own.start()
    yield own
    own.stop()


@pytest.fixture(scope="module")
def log(apart):
    consumer = Consumer({"bootstrap.servers": apart.bootstrap, "group.id": str(uuid.uuid4()), "enable.auto.commit": False,
                         "fetch.wait.max.ms": 20})

    def at(topic, place):
        consumer.assign([TopicPartition(topic, place["partition"], place["offset"])])
        message = consumer.poll(20)
        assert message is not None and not message.error() and message.offset() == place["offset"]
        return message
    yield at
    consumer.close()


def ask(gateway, path, body=None, kind=None, key=None, **headers):
    """As a client of Confluent's knows it: HTTP Basic."""
    key = gateway.keys["uji"] if key is None else key
    head = {"Accept": V2 + ", application/json; q=0.5", "Authorization": "Basic " + base64.b64encode(b"siapa:" + key.encode()).decode()}
    if kind:
        head["Content-Type"] = "application/vnd.kafka.%s.v2+json" % kind if "/" not in kind else kind
    head.update({k.replace("_", "-"): v for k, v in headers.items()})
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
    status, head, answer = gateway.request(path, method="GET" if body is None else "POST", body=body, headers=head)
    assert head["Content-Type"] in (V2, "application/json"), (head["Content-Type"], answer[:300])
    return status, json.loads(answer), head


def produce(gateway, topic, records, kind, **more):
    status, answer, _ = ask(gateway, "/topics/" + topic, {"records": records, **more}, kind)
    assert status == 200, answer
    assert sorted(answer) == ["key_schema_id", "offsets", "value_schema_id"] and len(answer["offsets"]) == len(records)
    for place in answer["offsets"]:
        assert sorted(place) == ["error", "error_code", "offset", "partition"] and place["error"] is None is place["error_code"]
    return answer


def avro(raw, schema, number):
    assert raw[:5] == b"\0" + number.to_bytes(4, "big")
    return fastavro.schemaless_reader(io.BytesIO(raw[5:]), schema)


def refused(gateway, code, status, path, *args, **more):
    got, answer, head = ask(gateway, path, *args, **more)
    assert (got, answer.get("error_code")) == (status, code), answer
    assert answer["message"] and NIK not in answer["message"]
    return answer["message"], head


# --- avro ---

def test_avro_by_inline_schema_then_by_the_id_that_was_answered(gateway, log, topics):
    first = produce(gateway, NAME, [{"value": {"id": "a%d" % i, "n": {"long": i}}} for i in range(4)], "avro",
                    value_schema=json.dumps({k: v for k, v in ONE.items() if not k.startswith("x_")}))
    assert first["value_schema_id"] == topics[0].ids[0] and first["key_schema_id"] is None
    again = produce(gateway, NAME, [{"value": {"id": "a9", "n": None}}], "avro", value_schema_id=first["value_schema_id"])
    newer = produce(gateway, NAME, [{"value": {"id": "a8", "n": None, "baru": "x"}}], "avro", value_schema_id=str(topics[0].ids[1]))
    for i, place in enumerate(first["offsets"]):
        message = log(NAME, place)
        assert avro(message.value(), ONE, topics[0].ids[0]) == {"id": "a%d" % i, "n": i} and message.key() == b"a%d" % i
    assert avro(log(NAME, again["offsets"][0]).value(), ONE, topics[0].ids[0]) == {"id": "a9", "n": None}
    assert avro(log(NAME, newer["offsets"][0]).value(), TWO, topics[0].ids[1]) == {"id": "a8", "n": None, "baru": "x"}


def test_keys_partitions_and_tombstones(gateway, log, topics):
    more = {"value_schema_id": topics[0].ids[0], "key_schema": '{"type": "string"}'}
    places = produce(gateway, NAME, [{"key": "k1", "value": {"id": "k1", "n": None}, "partition": 2}, {"key": "k1", "value": None},
                                     {"key": "k1", "partition": 1}], "avro", **more)["offsets"]
    assert [p["partition"] for p in places][::2] == [2, 1]
    messages = [log(NAME, p) for p in places]
    assert [m.key() for m in messages] == [b"k1"] * 3 and [m.value() for m in messages[1:]] == [None, None]
    removed = produce(gateway, NAME, [{"key": "k2", "value": None}], "avro", key_schema='"string"')["offsets"][0]
    assert log(NAME, removed).value() is None
    status, answer, _ = ask(gateway, "/topics/%s/partitions/1" % NAME, {"records": [{"value": {"id": "p", "n": None}}], "value_schema_id":
                                                                                       topics[0].ids[0]}, "avro")
    assert status == 200 and answer["offsets"][0]["partition"] == 1
    head = dict(log(NAME, answer["offsets"][0]).headers())
    assert head["titian_publisher"] == b"uji" and head["content-type"] == b"application/avro"


def test_keys_are_avro_where_their_schema_is_registered(gateway, log, topics):
    answer = produce(gateway, KEYED, [{"key": {"kode": "a", "no": 7}, "value": {"isi": "x"}}], "avro", key_schema=json.dumps(KEY),
                     value_schema=json.dumps(EVENT))
    assert (answer["key_schema_id"], answer["value_schema_id"]) == (topics[1].key_id, topics[1].id)
    message = log(KEYED, answer["offsets"][0])
    assert avro(message.key(), KEY, topics[1].key_id) == {"kode": "a", "no": 7}
    assert avro(message.value(), EVENT, topics[1].id) == {"isi": "x"}
    again = produce(gateway, KEYED, [{"key": {"kode": "b", "no": 8}, "value": None}], "avro", key_schema_id=answer["key_schema_id"])
    assert again["key_schema_id"] == topics[1].key_id and log(KEYED, again["offsets"][0]).value() is None
    for key in ({"kode": NIK, "no": 1}, {"kode": "a", "no": int(NIK)}, {"kode": "".join("\\u%04x" % ord(c) for c in NIK), "no": 1}):
        body = json.dumps({"key_schema_id": topics[1].key_id, "value_schema_id": topics[1].id,
                           "records": [{"key": key, "value": {"isi": "x"}}]}).replace("\\\\u", "\\u").encode()
        refused(gateway, 42206, 422, "/topics/" + KEYED, body, "avro")


def test_json_goes_to_a_topic_with_a_schema_as_avro(gateway, log, topics):
    answer = produce(gateway, NAME, [{"key": "j1", "value": {"id": "j1", "n": 5}}, {"value": {"id": "j2"}}], "json")
    assert answer["value_schema_id"] == topics[0].ids[1]
    assert [avro(log(NAME, p).value(), TWO, topics[0].ids[1]) for p in answer["offsets"]] == [
        {"id": "j1", "n": 5, "baru": "?"}, {"id": "j2", "n": None, "baru": "?"}]


def test_an_inline_schema_is_found_again_after_its_version_went(gateway, apart, topics):
    def registry(method, path, body=None):
        request = urllib.request.Request(apart.registry + "/subjects/%s-value/versions%s" % (LATE, path), body and json.dumps(body).encode(),
                                         {"Content-Type": "application/vnd.schemaregistry.v1+json"}, method=method)
        return json.loads(urllib.request.urlopen(request, timeout=30).read())
    said = {"value_schema": json.dumps(EVENT), "records": [{"value": {"isi": "x"}}]}
    refused(gateway, 42205, 422, "/topics/" + LATE, said, "avro")
    first = registry("POST", "", {"schema": json.dumps({**EVENT, "doc": "satu"})})["id"]
    wait_for(lambda: ask(gateway, "/topics/" + LATE, said, "avro")[1].get("value_schema_id") == first, 20, "the schema to be known")
    second = registry("POST", "", {"schema": json.dumps({**EVENT, "doc": "dua"})})["id"]
    assert second != first
    registry("DELETE", "/1")
    wait_for(lambda: ask(gateway, "/topics/" + LATE, said, "avro")[1].get("value_schema_id") == second, 20, "the version that is left")
    refused(gateway, 42205, 422, "/topics/" + LATE, {"value_schema_id": first, "records": said["records"]}, "avro")


# --- bytes ---

def test_binary_and_json_where_no_schema_is(gateway, log):
    sent = bytes(range(256))
    answer = produce(gateway, BYTES, [{"key": base64.b64encode(b"\0k").decode(), "value": base64.b64encode(sent).decode()},
                                      {"value": "", "partition": 1}, {"key": "a3VuY2k=", "value": None}], "binary")
    assert answer["value_schema_id"] is None
    got = [log(BYTES, p) for p in answer["offsets"]]
    assert [(m.key(), m.value()) for m in got] == [(b"\0k", sent), (None, b""), (b"kunci", None)]
    assert dict(got[0].headers())["content-type"] == b"application/octet-stream"
    value = {"foo": ["bar", 1.50, None, {"a": "é \"x\""}]}
    answer = produce(gateway, BYTES, [{"key": {"a": 1}, "value": value}, {"key": "teks", "value": 7}], "json")
    got = [log(BYTES, p) for p in answer["offsets"]]
    assert [json.loads(m.value()) for m in got] == [value, 7] and [m.key() for m in got] == [b'{"a":1}', b'"teks"']
    for value in (b"foo", b""):  # application/json is binary, as Karapace has it
        status, answer, _ = ask(gateway, "/topics/" + BYTES, {"records": [{"value": base64.b64encode(value).decode()}]}, "application/json")
        assert status == 200 and log(BYTES, answer["offsets"][0]).value() == value
    refused(gateway, 42206, 422, "/topics/" + BYTES, {"records": [{"key": "", "value": "YQ=="}]}, "binary")


def test_what_has_no_schema_goes_only_where_the_policy_says_so(gateway, topics):
    refused(gateway, 40301, 403, "/topics/" + STRICT, {"records": [{"value": "Zm9v"}]}, "binary")
    refused(gateway, 40301, 403, "/topics/" + STRICT, {"records": [{"value": 1}]}, "json")
    refused(gateway, 42205, 422, "/topics/" + BYTES, {"value_schema": '"string"', "records": [{"value": "a"}]}, "avro")
    message, _ = refused(gateway, 42205, 422, "/topics/" + NAME, {"records": [{"value": "Zm9v"}]}, "binary")
    assert "avro" in message
    for key in (base64.b64encode(NIK.encode()).decode(), base64.b64encode(b"warga-" + NIK.encode()).decode()):
        refused(gateway, 42206, 422, "/topics/" + BYTES, {"records": [{"key": key, "value": "Zm9v"}]}, "binary")
    refused(gateway, 42206, 422, "/topics/" + BYTES, {"records": [{"key": {"nik": int(NIK)}, "value": 1}]}, "json")


# --- what is refused: the codes are Confluent's ---

@pytest.mark.parametrize("where", ["/topics/" + NAME, "/topics/%s/partitions/0" % NAME])
def test_malformed_requests(gateway, topics, where):
    number = topics[0].ids[0]
    good = {"value": {"id": "x", "n": None}}
    for body, status, code in [
            (b"{", 400, 400), (b"[]", 400, 400), (b"", 400, 400), (b"null", 400, 400), ({"records": []}, 422, 422),
            ({"foo": "bar"}, 422, 422), ({"value_schema_id": number}, 422, 422), ({"records": "teks"}, 400, 400),
            ({"records": ["teks"]}, 400, 400), ({"records": [{"valur": {}}]}, 422, 422), ({"records": [{}]}, 422, 422),
            ({"records": [{**good, "partition": -1}], "value_schema_id": number}, 422, 422),
            ({"records": [good]}, 422, 42202), ({"records": [{"key": "x"}]}, 422, 42201),
            ({"records": [{"key": "x", "value": good["value"]}], "value_schema_id": number}, 422, 42201),
            ({"records": [good], "value_schema_id": 666666}, 422, 42205), ({"records": [good], "value_schema_id": "tujuh"}, 422, 422),
            ({"records": [good], "value_schema_id": topics[1].id}, 422, 42205), ({"records": [good], "value_schema": "{"}, 422, 42205),
            ({"records": [good], "value_schema": json.dumps({**ONE, "name": "Lain"})}, 422, 42205),
            ({"records": [{"key": "x"}], "key_schema": '"long"'}, 422, 42205),
            ({"records": [{"key": "y", "value": good["value"]}], "value_schema_id": number, "key_schema": '"string"'}, 422, 42206),
            ({"records": [good, {"value": {"id": "y", "n": {"long": "teks"}}}], "value_schema_id": number}, 422, 42203),
            ({"records": [{"value": {"id": "x"}}], "value_schema_id": number}, 422, 42203),
            ({"records": [{"value": None}], "value_schema_id": number}, 422, 42206),
            ({"records": [{"value": {"id": NIK, "n": None}}], "value_schema_id": number}, 422, 42206),
            ({"records": [good] * 10001, "value_schema_id": number}, 413, 413)]:
        refused(gateway, code, status, where, body, "avro")
    for value in ("not base64", {"a": 1}, "YQ"):
        refused(gateway, 400, 400, "/topics/" + BYTES, {"records": [{"value": value}]}, "binary")
    message, _ = refused(gateway, 42203, 422, where, {"records": [good, {"value": {"id": 7, "n": None}}], "value_schema_id": number}, "avro")
    assert "/records/1/value/id" in message


def test_a_request_with_one_bad_record_sends_none(gateway, apart):
    def ends():
        return [ask(gateway, "/topics/%s/partitions/%d/offsets" % (NAME, p))[1]["end_offset"] for p in range(3)]
    before = ends()
    refused(gateway, 42203, 422, "/topics/" + NAME, {"records": [{"value": {"id": "x"}}, {"value": {"id": 7}}]}, "json")
    assert ends() == before


def test_a_topic_that_is_not_ones_own(gateway):
    body = {"records": [{"value": {}}]}
    for path in ("/topics/" + OTHER, "/topics/tidak.ada", "/topics/_schemas", "/topics/%s/partitions/0" % OTHER):
        assert refused(gateway, 40401, 404, path, body, "json") [0] == "Topic not found."
    refused(gateway, 40301, 403, "/topics/" + NAME, body, "json", key=gateway.keys["baca"])
    refused(gateway, 404, 404, "/topics/%s/partitions/satu" % NAME, body, "json")
    refused(gateway, 404, 404, "/topics/%s/apa" % NAME)
    refused(gateway, 405, 405, "/brokers", body, "json")
    refused(gateway, 413, 413, "/topics/" + NAME, b" " * (9 << 20), "json")


def test_a_partition_that_is_not_there(gateway, topics):
    good = {"records": [{"value": {"id": "x"}}]}
    refused(gateway, 40402, 404, "/topics/%s/partitions/17" % NAME, good, "json")
    status, answer, _ = ask(gateway, "/topics/" + NAME, {"records": [{"value": {"id": "x"}, "partition": 17}, {"value": {"id": "y"}}]}, "json")
    assert status == 200
    assert answer["offsets"][0]["error_code"] == 40402 and answer["offsets"][0]["offset"] is None and answer["offsets"][0]["error"]
    assert answer["offsets"][1]["error_code"] is None and answer["offsets"][1]["offset"] >= 0


def test_content_types_and_accept(gateway):
    body = {"records": [{"value": {"id": "t"}}]}
    for kind in ("application/vnd.kafka.json.v1+json", "application/vnd.kafka.json+json", "application/vnd.kafka.json.v2+json; charset=utf-8"):
        assert ask(gateway, "/topics/" + NAME, body, kind)[0] == 200
    for kind in ("application/vnd.kafka.v3+json", "application/vnd.kafka.protobuf.v2+json", "text/plain", "bar/baz"):
        refused(gateway, 415, 415, "/topics/" + NAME, body, kind)
    for accept, kind in ((V2, V2), ("application/vnd.kafka+json", V2), ("application/vnd.kafka.v1+json", V2), ("application/json", "application/json"),
                         ("application/*", V2), ("*/json", "application/json"), ("*/*", V2), ("text/html, application/json;q=0.1", "application/json"),
                         (V2 + ";q=0.2, application/json;q=0.3", "application/json")):
        status, _, head = ask(gateway, "/brokers", Accept=accept)
        assert (status, head["Content-Type"]) == (200, kind), accept
    for accept in ("application/octet-stream", "application/vnd.kafka+foo", "foo/*", "bar/json", "*/baz", "application/json;q=0"):
        refused(gateway, 406, 406, "/brokers", Accept=accept)


@pytest.mark.parametrize("method,path,kind,size,status", (
    ("GET", "/topics/a/b/c", None, 0, 404), ("GET", "/consumers/g/nothing", None, 0, 404), ("PUT", "/brokers", V2, 2, 405),
    ("DELETE", "/topics/" + NAME, None, 0, 405), ("GET", "/consumers/g", None, 0, 405), ("GET", "/topics/%00", None, 0, 400),
    ("POST", "/topics/" + NAME, "text/html", 2, 415), ("POST", "/consumers/g", "image/png", 2, 415), ("POST", "/topics/" + NAME, V2, 9 << 20, 413),
    ("POST", "/consumers/g", V2, 2 << 20, 413)))
def test_what_http_itself_says_no_to_has_the_shape_too(gateway, method, path, kind, size, status):
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)
    head = {"X-Api-Key": gateway.keys["uji"], **({"Content-Type": kind} if kind else {}), **({"Content-Length": str(size)} if size else {})}
    connection.putrequest(method, path)
    for name, value in head.items():
        connection.putheader(name, value)
    try:
        connection.endheaders(b" " * size or None)
    except OSError:
        assert status == 413  # it is refused before it is all there
    answer = connection.getresponse()
    body = json.loads(answer.read())
    assert (answer.status, body["error_code"], answer.headers["Content-Type"]) == (status, status, V2), body
    assert sorted(body) == ["error_code", "message"] and body["message"]
    assert (answer.headers["Allow"] is not None) == (status == 405)
    connection.close()


def test_who_asks(gateway):
    for authorization in ("Basic " + base64.b64encode(b"uji:salah").decode(), "Basic !!", "Bearer tk_x"):
        _, head = refused(gateway, 40101, 401, "/brokers", Authorization=authorization)
        assert any(h.startswith("Basic") for h in head.get_all("WWW-Authenticate"))
    refused(gateway, 40101, 401, "/brokers", key=gateway.keys["tanda"])  # a key alone is not enough for it
    assert ask(gateway, "/brokers", Authorization="Bearer " + gateway.key)[0] == 200
    assert ask(gateway, "/brokers", Authorization="Basic eDp5", X_Api_Key=gateway.key)[0] == 200
    assert ask(gateway, "/brokers", key=gateway.keys["sempit"])[0] == 200
    _, head = refused(gateway, 429, 429, "/brokers", key=gateway.keys["sempit"])
    assert int(head["Retry-After"]) > 0


def test_gzip_and_an_idempotency_key_as_in_our_own_api(gateway, log):
    body = gzip.compress(json.dumps({"records": [{"value": {"id": "g"}}]}).encode())
    key = str(uuid.uuid4())
    answers = [ask(gateway, "/topics/" + NAME, body, "json", Content_Encoding="gzip", Idempotency_Key=key) for _ in range(2)]
    assert [a[0] for a in answers] == [200, 200] and answers[0][1]["offsets"] == answers[1][1]["offsets"]
    assert answers[1][2]["Idempotent-Replayed"] == "true" and log(NAME, answers[0][1]["offsets"][0]).key() == b"g"
    refused(gateway, 422, 422, "/topics/%s/partitions/0" % NAME, body, "json", Content_Encoding="gzip", Idempotency_Key=key)


# --- metadata ---

def test_topics_are_those_that_the_reader_may_read_or_publish_to(gateway, apart):
    assert ask(gateway, "/topics")[:2] == (200, sorted([NAME, KEYED, BYTES, STRICT, LATE]))
    assert ask(gateway, "/topics", key=gateway.keys["baca"])[:2] == (200, [NAME])
    for path in ("", "/partitions", "/partitions/0", "/partitions/0/offsets"):
        for topic in (OTHER, "tidak.ada", "_schemas", GHOST):
            assert refused(gateway, 40401, 404, "/topics/" + topic + path)[0] == "Topic not found."


def test_a_topic_its_partitions_and_offsets_as_kafka_has_them(gateway, apart, topics):
    admin = AdminClient({"bootstrap.servers": apart.bootstrap})
    known = admin.list_topics(NAME, timeout=10)
    partitions = [{"partition": p.id, "leader": p.leader, "replicas": [{"broker": b, "leader": b == p.leader, "in_sync": b in p.isrs}
                                                                         for b in p.replicas]}
                  for p in sorted(known.topics[NAME].partitions.values(), key=lambda p: p.id)]
    resource = ConfigResource(ConfigResource.Type.TOPIC, NAME)
    configs = {name: entry.value for name, entry in admin.describe_configs([resource])[resource].result(10).items()}
    assert len(partitions) == 3
    assert ask(gateway, "/topics/" + NAME)[:2] == (200, {"name": NAME, "configs": configs, "partitions": partitions})
    assert ask(gateway, "/topics/%s/partitions" % NAME)[:2] == (200, partitions)
    assert ask(gateway, "/topics/%s/partitions/2" % NAME)[:2] == (200, partitions[2])
    consumer = Consumer({"bootstrap.servers": apart.bootstrap, "group.id": "x"})
    first, end = consumer.get_watermark_offsets(TopicPartition(NAME, 1), timeout=10)
    consumer.close()
    assert ask(gateway, "/topics/%s/partitions/1/offsets" % NAME)[:2] == (200, {"beginning_offset": first, "end_offset": end})
    assert ask(gateway, "/brokers")[:2] == (200, {"brokers": sorted(known.brokers)})
    for path in ("/partitions/3", "/partitions/3/offsets"):
        refused(gateway, 40402, 404, "/topics/" + NAME + path)
    refused(gateway, 404, 404, "/topics/%s/partitions/foo/offsets" % NAME)


def test_asking_makes_no_topic(gateway, apart):
    refused(gateway, 40401, 404, "/topics/" + GHOST)
    status, answer, _ = ask(gateway, "/topics/" + GHOST, {"records": [{"value": {"isi": "x"}}]}, "json")
    assert (status, answer["error_code"], [o["error_code"] for o in answer.get("offsets", [])]) == (404, 40401, [40401]), answer
    assert GHOST not in AdminClient({"bootstrap.servers": apart.bootstrap}).list_topics(timeout=10).topics
