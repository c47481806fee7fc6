"""REST Proxy's consumers (v2): the shapes that its clients know, and their state on Kafka: two gateways that serve the same
consumers, one of them killed. What is expected comes from the log, read by confluent-kafka, and from fastavro."""
import base64
import http.client
import json
import os
import random
import socket
import struct
import threading
import time
import urllib.error
import urllib.request
import uuid

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from conftest import wait_for
from own_gateway import OwnGateway, Topic

NAME = "pku.uji.konsumen.v1"
MANY = "pku.uji.banyak.v1"
RAW = "pku.uji.mentahan.v1"
BIG = "pku.uji.besar.v1"
SCHEMA = {"type": "record", "name": "Konsumen", "namespace": "pku.uji", "x_jenis": "register", "x_kunci": "id", "fields": [
    {"name": "id", "type": "string", "x_pdp": "N"}, {"name": "nama", "type": ["null", "string"], "x_pdp": "U", "default": None},
    {"name": "n", "type": "int", "x_pdp": "N"}, {"name": "isi", "type": "bytes", "x_pdp": "N"}]}
VIEW = """/*---
name: konsumen
key: id
routes: {uji_konsumen: _key}
columns: {id: {type: text, pdp: P}}
---*/
SELECT _key AS id FROM uji_konsumen
"""
POLICY = """readers:
  uji: {topics: {"%s": {clear: ["*"]}, "%s": {clear: ["*"]}, "%s": {clear: ["*"]}, "%s": {clear: ["*"]}}, groups: ["*"]}
  tutup: {topics: {"%s": {}}, groups: ["*"]}
  lain: {views: {konsumen: {}}, groups: ["*"]}
""" % (NAME, MANY, RAW, BIG, NAME)
MORE = "restproxy: {instance_timeout: 6s, max_bytes: 8MiB, per_reader: 40}\n"
V2 = "application/vnd.kafka.v2+json"
PARTITIONS = 4


def typed(fmt):
    return "application/vnd.kafka.%s.v2+json" % fmt


class Client:
    """Asks one of several gateways, by chance; goes on at another where one does not answer."""

    def __init__(self, gateways, reader="uji", seed=1):
        self.gateways, self.reader, self.chance = gateways, reader, random.Random(seed)
        self.broken = 0

    def ask(self, method, path, body=None, accept=V2, kind=V2, timeout=30):
        """(status, JSON or None); OSError when the gateway is gone."""
        gateway = self.chance.choice(self.gateways)
        head = {"Accept": accept, "X-Api-Key": gateway.keys[self.reader]}
        data = None
        if body is not None:
            data, head["Content-Type"] = json.dumps(body).encode(), kind
        request = urllib.request.Request(gateway.url + path, data, headers=head, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                text = answer.read()
                self.type = answer.headers["Content-Type"]
                return answer.status, json.loads(text) if text else None
        except urllib.error.HTTPError as e:
            text = e.read()
            self.type = e.headers["Content-Type"]
            return e.code, json.loads(text) if text else None

    def sure(self, *args, **more):
        """Its answer; 503 is none yet: Kafka's coordinator is there a moment after somebody first asks for it."""
        def asked():
            status, answer = self.ask(*args, **more)
            return None if status == 503 else (status, answer)
        status, answer = wait_for(asked, 30, "an answer other than 503")
        assert status < 300, (args, status, answer)
        return answer

    def create(self, group=None, name=None, **settings):
        body = {"format": "avro", "auto.offset.reset": "earliest", **settings}
        if name:
            body["name"] = name
        group = group or "g" + uuid.uuid4().hex[:12]
        made = self.sure("POST", "/consumers/" + group, body)
        return Instance(self, group, made["instance_id"], body["format"], made["base_uri"])


class Instance:
    def __init__(self, client, group, name, fmt, base):
        self.client, self.group, self.name, self.fmt, self.base = client, group, name, fmt, base
        self.path = "/consumers/%s/instances/%s" % (group, name)

    def ask(self, method, part, body=None, **more):
        return self.client.ask(method, self.path + part, body, **more)

    def sure(self, method, part, body=None, **more):
        return self.client.sure(method, self.path + part, body, **more)

    def records(self, timeout=10000, more="", **what):
        return self.sure("GET", "/records?timeout=%d%s" % (timeout, more), accept=typed(self.fmt), **what)

    def assign(self, topic, *partitions):
        self.sure("POST", "/assignments", {"partitions": [{"topic": topic, "partition": p} for p in partitions]})
        return self

    def subscribe(self, *topics):
        self.sure("POST", "/subscription", {"topics": list(topics)})
        return self

    def drain(self, n=0, quiet=1, timeout=250):
        """The n that there are, and what comes besides until `quiet` answers more were empty: on a busy machine one is empty earlier."""
        out, end = [], time.monotonic() + 90
        while quiet:
            assert time.monotonic() < end, "%d of %d" % (len(out), n)
            got = self.records(timeout)
            out += got
            quiet -= not got and len(out) >= n
        return out


@pytest.fixture(scope="module")
def topic(apart):
    topic = Topic(apart, NAME, SCHEMA, partitions=PARTITIONS)
    admin = AdminClient({"bootstrap.servers": apart.bootstrap})
    admin.create_topics([NewTopic(RAW, 1, 1)])[RAW].result(30)
    for i in range(60):
        topic.put("k%d" % i, {"id": "k%d" % i, "nama": "Nama %d" % i if i % 3 else None, "n": i, "isi": b"\x00\xff"},
                  partition=i % PARTITIONS, timestamp=1700000000000 + 1000 * i)
    topic.put("k1", partition=1)  # a tombstone
    topic.flush()
    return topic


@pytest.fixture(scope="module")
def many(apart):
    return Topic(apart, MANY, {**SCHEMA, "name": "Banyak"}, partitions=PARTITIONS)


@pytest.fixture(scope="module")
def gateways(apart, topic, many):
    readers = ("uji", "tutup", "lain")
    both = [OwnGateway(apart, "consumers%d" % i, [topic], {"konsumen": VIEW}, POLICY, readers=readers, more=MORE, base="http://bus.example").start()
            for i in range(2)]
    yield both
    for g in both:
        g.stop()


@pytest.fixture(scope="module")
def client(gateways):
    return Client(gateways)


@pytest.fixture(scope="module")
def log(apart, topic):
    """{(partition, offset): message}, as Confluent's client reads it."""
    return read_log(apart, NAME, 61)


def read_log(city, name, n):
    consumer = Consumer({"bootstrap.servers": city.bootstrap, "group.id": "none", "enable.auto.commit": False})
    consumer.assign([TopicPartition(name, p, 0) for p in range(PARTITIONS)])
    out = {}
    while len(out) < n:
        message = consumer.poll(20)
        assert message is not None and message.error() is None
        out[message.partition(), message.offset()] = message
    consumer.close()
    return out


def committed(city, group, name=None):
    consumer = Consumer({"bootstrap.servers": city.bootstrap, "group.id": group})
    said = consumer.committed([TopicPartition(name or NAME, p) for p in range(PARTITIONS)], 20)
    consumer.close()
    return {p.partition: p.offset for p in said if p.offset >= 0}


def consumers_topic(city, group):
    """The last record of each consumer of the group: {key: value or None}, as they stand in the topic of consumers."""
    consumer = Consumer({"bootstrap.servers": city.bootstrap, "group.id": "none", "enable.auto.commit": False, "enable.partition.eof": True})
    consumer.assign([TopicPartition("_titian_consumers", 0, 0)])
    out, mine = {}, set()
    while True:
        message = consumer.poll(20)
        if message.error():
            break
        if message.key()[:1] == b"i" and (group.encode() in (message.value() or b"") or message.key() in mine):
            mine.add(message.key())
            out[message.key()] = message.value()
    consumer.close()
    return out


def places(records):
    return [(r["partition"], r["offset"]) for r in records]


def test_create_and_delete(client):
    group = "g" + uuid.uuid4().hex
    one = client.create(group, name="a b")
    assert one.name == "a b" and one.base == "http://bus.example/consumers/%s/instances/a%%20b" % group
    status, error = client.ask("POST", "/consumers/" + group, {"name": "a b"})
    assert (status, error["error_code"]) == (409, 40902) and client.type == V2
    other = client.create(group)
    assert other.name and other.name != one.name
    path = "/consumers/%s/instances/a%%20b" % group
    assert client.ask("DELETE", path) == (204, None)
    for method, part in [("DELETE", ""), ("GET", "/subscription"), ("GET", "/records"), ("POST", "/offsets")]:
        status, error = client.ask(method, path + part, accept="*/*")
        assert (status, error["error_code"]) == (404, 40403), part
    client.create(group, name="a b")
    for wrong in ({"fetch.min.bytes": -10}, {"auto.offset.reset": "bar"}, {"format": "xml"}, {"auto.commit.enable": "perhaps"},
                  {"consumer.request.timeout.ms": "x"}, {"name": "a/b"}, {"name": "k-1471010101900001"}):
        status, error = client.ask("POST", "/consumers/" + group, wrong)
        assert (status, error["error_code"]) == (422, 42204), wrong
    assert client.ask("POST", "/consumers/" + group, [1])[0] == 422
    assert client.create(group, **{"auto.commit.enable": "false", "fetch.min.bytes": "-1"}).name  # settings as text


def test_a_key_is_needed_and_consumers_are_ones_own(client, gateways):
    mine = client.create(name="milik")
    stranger = Client(gateways, reader="tutup")
    status, error = stranger.ask("GET", mine.path + "/subscription")
    assert (status, error["error_code"]) == (404, 40403)
    status, error = stranger.ask("POST", "/consumers/" + mine.group, {})
    assert (status, error["error_code"]) == (403, 40301)
    request = urllib.request.Request(gateways[0].url + mine.path + "/subscription")
    with pytest.raises(urllib.error.HTTPError) as no:
        urllib.request.urlopen(request, timeout=10)
    assert no.value.code == 401 and json.loads(no.value.read())["error_code"] == 40101
    basic = "Basic " + base64.b64encode(b"x:" + gateways[0].keys["uji"].encode()).decode()
    request = urllib.request.Request(gateways[0].url + mine.path + "/subscription", headers={"Authorization": basic})
    assert json.loads(urllib.request.urlopen(request, timeout=10).read()) == {"topics": []}


def test_assignments(client, topic):
    one = client.create()
    assert one.sure("GET", "/assignments") == {"partitions": []}
    status, error = one.ask("GET", "/records", accept="*/*")
    assert (status, error["error_code"]) == (409, 40903)
    one.assign(NAME, 2, 0)
    want = {"partitions": [{"topic": NAME, "partition": 0}, {"topic": NAME, "partition": 2}]}
    assert one.sure("GET", "/assignments") == want
    status, error = one.ask("POST", "/subscription", {"topics": [NAME]})
    assert (status, error["error_code"]) == (409, 40903)
    assert one.ask("POST", "/assignments", {"partitions": [{"topic": "tidak.ada", "partition": 0}]})[1]["error_code"] == 40401
    assert one.ask("POST", "/assignments", {"partitions": [{"topic": NAME, "partition": 9}]})[1]["error_code"] == 40402
    assert one.ask("POST", "/assignments", {"partitions": [{"topic": NAME}]})[0] == 422
    assert one.ask("POST", "/assignments", {"partitions": []})[0] == 204
    assert one.ask("POST", "/subscription", {"topics": [NAME]})[0] == 204
    assert one.ask("POST", "/assignments", want)[1]["error_code"] == 40903


def test_subscription(client, topic, many):
    one = client.create()
    assert one.sure("GET", "/subscription") == {"topics": []}
    one.subscribe(NAME)
    assert one.sure("GET", "/subscription") == {"topics": [NAME]}
    assert len(one.drain(61)) == 61
    assert {(p["topic"], p["partition"]) for p in one.sure("GET", "/assignments")["partitions"]} == {
        (NAME, p) for p in range(PARTITIONS)}
    assert one.ask("DELETE", "/subscription") == (204, None)
    assert one.sure("GET", "/subscription") == {"topics": []} and one.sure("GET", "/assignments") == {"partitions": []}
    assert one.ask("POST", "/subscription", {"topic_pattern": r"pku\.uji\.(%s|%s)\..*" % (NAME.split(".")[2], MANY.split(".")[2])})[0] == 204
    assert sorted(one.sure("GET", "/subscription")["topics"]) == [MANY, NAME]
    for body, code in (({"topics": [NAME], "topic_pattern": "x"}, 40903), ({"topics": NAME}, 422), ({"topic_pattern": ["a"]}, 422),
                       ({}, 422), ({"topic_pattern": "(a"}, 422), ({"topic_pattern": "(a{1,255}){1,255}"}, 422),
                       ({"topics": ["tidak.ada"]}, 40401)):
        assert one.ask("POST", "/subscription", body)[1]["error_code"] == code, body


def expected(message, fmt):
    """What a client of that format gets for a message."""
    import fastavro
    import io
    out = {"topic": message.topic(), "key": message.key().decode(), "partition": message.partition(), "offset": message.offset(),
           "timestamp": message.timestamp()[1], "value": None}
    if fmt == "binary":
        out["key"] = base64.b64encode(message.key()).decode()
        out["value"] = message.value() and base64.b64encode(message.value()).decode()
    elif message.value() is not None:
        row = fastavro.schemaless_reader(io.BytesIO(message.value()[5:]), SCHEMA, None)
        if fmt == "avro":  # Avro's own JSON: fastavro writes it
            text = io.StringIO()
            fastavro.json_writer(text, SCHEMA, [row])
            row = json.loads(text.getvalue())
        else:
            row["isi"] = base64.b64encode(row["isi"]).decode()
        out["value"] = row
    return out


def test_what_is_too_much_is_refused(client, gateways):
    path = "/consumers/g%s/instances/x" % uuid.uuid4().hex
    one = '{"topic":"a","partition":"0","offset":"1","timestamp":"2025-12-31T08:00:00Z"}'
    for n, refused in ((2001, 422), (3000, 422), (21000, 413)):
        many_ = json.loads("[" + ",".join([one] * n) + "]")
        for part, name in (("/assignments", "partitions"), ("/positions", "offsets"), ("/positions", "timestamps"), ("/offsets", "offsets")):
            assert client.ask("POST", path + part, {name: many_})[0] == refused, (n, part, name)
    for body in ({"x": [0] * 80000}, {"topics": [[]] * 80000}):
        assert client.ask("POST", path + "/subscription", body)[0] == 413
    for gateway in gateways:
        assert gateway.process.poll() is None


def test_least_bytes_may_be_minus_one(client, log):
    begun = time.monotonic()
    one = client.create(**{"fetch.min.bytes": -1}).assign(NAME, 0)
    want = {(0, o) for p, o in log if p == 0}
    assert want == set(places(one.drain(len(want))))
    assert time.monotonic() - begun < 25


def test_a_creation_that_is_refused_leaves_nothing(client, gateways, apart):
    group = "g" + uuid.uuid4().hex
    client.create(group, name="satu")
    before = consumers_topic(apart, group)
    for _ in range(4):
        assert client.ask("POST", "/consumers/" + group, {"name": "satu"})[1]["error_code"] == 40902
    assert consumers_topic(apart, group) == before and len(before) == 1
    said = []  # both at a time: one is void, and taken away again

    def create(gateway, name):
        said.append(Client([gateway]).ask("POST", "/consumers/" + group, {"name": name})[0])
    for i in range(8):
        both = [threading.Thread(target=create, args=(g, "n%d" % i)) for g in gateways]
        for t in both:
            t.start()
        for t in both:
            t.join()
    assert sorted(said) == [200] * 8 + [409] * 8
    wait_for(lambda: sum(v is not None for v in consumers_topic(apart, group).values()) == 9, 10, "void ones are taken away")


@pytest.mark.parametrize("fmt", ["avro", "json", "binary"])
def test_records_of_every_format_are_those_of_the_log(client, log, fmt):
    one = client.create(format=fmt).subscribe(NAME)
    got = one.drain(len(log))
    assert client.type == typed(fmt)
    assert {(r["partition"], r["offset"]): r for r in got} == {k: expected(m, fmt) for k, m in log.items()}
    assert len(got) == len(log)
    for p in range(PARTITIONS):
        assert [o for q, o in places(got) if q == p] == sorted(o for q, o in log if q == p)


def test_the_format_asked_for_is_the_instances(client, topic):
    one = client.create(format="json").assign(NAME, 0)
    for other in ("avro", "binary"):
        status, error = one.ask("GET", "/records?timeout=100", accept=typed(other))
        assert (status, error["error_code"]) == (406, 40601)
    assert one.ask("GET", "/records?timeout=100", accept="text/html")[0] == 406
    for accept in ("*/*", "application/json", V2, typed("avro") + ";q=0.5, " + typed("json")):
        assert one.ask("GET", "/records?timeout=100", accept=accept)[0] == 200


def test_masked_fields_stay_masked_and_bytes_are_refused(gateways, log):
    stranger = Client(gateways, reader="tutup")
    got = {(r["partition"], r["offset"]): r for r in stranger.create().subscribe(NAME).drain(len(log))}
    assert got.keys() == log.keys()
    for place, r in got.items():
        want = expected(log[place], "avro")
        if want["value"]:
            want["value"]["nama"] = "•••"
        assert r == want
    assert "Nama" not in json.dumps(list(got.values()))
    binary = stranger.create(format="binary")
    status, error = binary.ask("POST", "/subscription", {"topics": [NAME]})
    assert (status, error["error_code"]) == (403, 40301)
    status, error = binary.ask("POST", "/assignments", {"partitions": [{"topic": NAME, "partition": 0}]})
    assert (status, error["error_code"]) == (403, 40301)
    binary.sure("POST", "/subscription", {"topic_pattern": ".*"})
    assert binary.records(300) == []
    nothing = Client(gateways, reader="lain").create()
    assert nothing.ask("POST", "/subscription", {"topics": [NAME]})[1]["error_code"] == 40401


def test_seek(client, log):
    one = client.create().assign(NAME, 0, 1)
    status, error = one.ask("POST", "/positions", {"offsets": [{"topic": NAME, "partition": 3, "offset": 1}]})
    assert (status, error["error_code"]) == (409, 40903)
    one.sure("POST", "/positions", {"offsets": [{"topic": NAME, "partition": 0, "offset": 10}, {"topic": NAME, "partition": 1, "offset": 13}]})
    want = [(p, o) for p, o in sorted(log) if (p, o) >= (0, 10) and p < 1 or p == 1 and o >= 13]
    assert sorted(places(one.drain(len(want)))) == want
    both = {"partitions": [{"topic": NAME, "partition": p} for p in (0, 1)]}
    one.sure("POST", "/positions/beginning", both)
    want = [(p, o) for p, o in sorted(log) if p < 2]
    assert sorted(places(one.drain(len(want)))) == want
    one.sure("POST", "/positions/end", both)
    assert one.drain() == []
    moment = "2023-11-14T22:14:05Z"  # 1700000045000
    one.sure("POST", "/positions", {"timestamps": [{"topic": NAME, "partition": 0, "timestamp": moment}]})
    want = [(p, o) for (p, o), m in sorted(log.items()) if p == 0 and m.timestamp()[1] >= 1700000045000]
    assert places(one.drain(len(want))) == want
    assert one.ask("POST", "/positions", {"timestamps": [{"topic": NAME, "partition": 0, "timestamp": "yesterday"}]})[0] == 422


def test_max_bytes_bounds_an_answer_and_one_record_always_comes(client, log):
    one = client.create().assign(NAME, 0)
    got = one.records(more="&max_bytes=1")
    assert places(got) == [(0, 0)]
    size = max(len(m.key()) + len(m.value() or b"") for m in log.values())
    seen = 1
    while seen < 15:
        got = one.records(more="&max_bytes=%d" % (3 * size))
        assert [o for _, o in places(got)] == list(range(seen, seen + len(got))) and 1 <= len(got) <= 4
        assert sum(len(log[place].key()) + len(log[place].value()) for place in places(got)) <= 3 * size
        seen += len(got)
    assert one.ask("GET", "/records?max_bytes=0", accept="*/*")[0] == 400


def test_an_empty_answer_takes_the_time_asked_for_and_new_records_end_it(client, many):
    one = client.create(**{"auto.offset.reset": "latest", "consumer.request.timeout.ms": 400}).assign(MANY, 0)
    begun = time.monotonic()
    assert one.sure("GET", "/records", accept=typed("avro")) == []
    assert 0.4 <= time.monotonic() - begun < 10
    threading.Timer(0.5, lambda: (many.put("x", {"id": "x", "nama": None, "n": 0, "isi": b""}, partition=0), many.flush())).start()
    begun = time.monotonic()
    assert [r["key"] for r in one.records(20000)] == ["x"]
    assert time.monotonic() - begun < 10


def test_offsets_are_kafkas_own(client, apart, log):
    one = client.create(**{"auto.commit.enable": "false"}).subscribe(NAME)
    assert one.ask("POST", "/offsets", {}) == (200, None)  # before anything was read
    ask = {"partitions": [{"topic": NAME, "partition": p} for p in range(PARTITIONS)]}
    assert one.sure("GET", "/offsets", ask) == {"offsets": []} and committed(apart, one.group) == {}
    one.drain(len(log))
    assert committed(apart, one.group) == {}
    one.sure("POST", "/offsets", {"offsets": [{"topic": NAME, "partition": 1, "offset": 4}]})
    assert committed(apart, one.group) == {1: 5}
    assert one.sure("GET", "/offsets", ask) == {"offsets": [{"topic": NAME, "partition": 1, "offset": 5, "metadata": ""}]}
    one.sure("POST", "/offsets")
    ends = {p: 1 + max(o for q, o in log if q == p) for p in range(PARTITIONS)}
    assert committed(apart, one.group) == ends
    status, error = one.ask("POST", "/offsets", {"offsets": [{"topic": "tidak.ada", "partition": 1, "offset": 4}]})
    assert (status, error["error_code"]) == (404, 40401)
    # The next one of the group goes on from there; one that commits by itself does so when it ends.
    one.sure("POST", "/offsets", {"offsets": [{"topic": NAME, "partition": p, "offset": 6} for p in range(PARTITIONS)]})
    one.sure("DELETE", "")
    two = client.create(one.group).subscribe(NAME)
    want = sorted(k for k in log if k[1] >= 7)
    assert sorted(places(two.drain(len(want)))) == want
    two.sure("DELETE", "")
    assert committed(apart, one.group) == ends


def test_two_of_a_group_share_and_hand_over(client, apart, log):
    one = client.create(**{"auto.commit.enable": "false"}).subscribe(NAME)
    assert len(one.drain(len(log))) == len(log)  # all is its own
    two = client.create(one.group).subscribe(NAME)
    assert two.records(200) == []  # all is held by the first one, which has not asked since
    one.sure("POST", "/offsets", {"offsets": [{"topic": NAME, "partition": p, "offset": 2 * p} for p in range(PARTITIONS)]})
    assert one.records(200) == []
    left = {p["partition"] for p in one.sure("GET", "/assignments")["partitions"]}
    want = sorted((p, o) for p, o in log if p not in left and o > 2 * p)  # from what was committed
    got = two.drain(len(want))
    moved = {p["partition"] for p in two.sure("GET", "/assignments")["partitions"]}
    assert len(left) == len(moved) == 2 and left | moved == set(range(PARTITIONS))
    assert sorted(places(got)) == want
    status, error = two.ask("POST", "/offsets", {"offsets": [{"topic": NAME, "partition": min(left), "offset": 1}]})
    assert (status, error["error_code"]) == (409, 40903)
    one.sure("DELETE", "")
    want = sorted((p, o) for p, o in log if p in left and o > 2 * p)
    assert sorted(places(two.drain(len(want), quiet=2))) == want


def test_one_that_is_not_heard_of_is_over(client, apart, log):
    one = client.create(**{"auto.commit.enable": "false"}).subscribe(NAME)
    one.drain(len(log))
    two = client.create(one.group).subscribe(NAME)
    begun = time.monotonic()
    got = []
    while len(got) < len(log):
        got += two.records(500)
        assert time.monotonic() - begun < 60
    assert sorted(places(got)) == sorted(log)
    assert time.monotonic() - begun > 2
    assert one.ask("GET", "/subscription")[1]["error_code"] == 40403


def test_a_record_that_cannot_be_given_is_named_and_passed_by_seeking(client, apart):
    from confluent_kafka import Producer
    producer = Producer({"bootstrap.servers": apart.bootstrap})
    for value in (b'{"a": 1}', b"\xff\xfe", b'{"a": 2}'):
        producer.produce(RAW, value)
    producer.flush()
    one = client.create(format="json").assign(RAW, 0)
    assert [r["value"] for r in one.records()] == [{"a": 1}]
    status, error = one.ask("GET", "/records?timeout=1000", accept=typed("json"))
    assert status == 422 and "value deserialization error for format json" in error["message"] and "offset 1" in error["message"]
    one.sure("POST", "/positions", {"offsets": [{"topic": RAW, "partition": 0, "offset": 2}]})
    assert [r["value"] for r in one.records()] == [{"a": 2}]
    raw = client.create(format="binary").assign(RAW, 0)
    assert [base64.b64decode(r["value"]) for r in raw.drain(3)] == [b'{"a": 1}', b"\xff\xfe", b'{"a": 2}']


def test_an_instance_is_read_at_either_gateway_as_if_there_were_one(client, log):
    """Requests alternate by chance; two answers at a time never hold the same record."""
    one = client.create().subscribe(NAME)
    got, lock = [], threading.Lock()

    def read():
        mine = Client(client.gateways, seed=random.random())
        for _ in range(6):
            status, answer = mine.ask("GET", one.path + "/records?timeout=300&max_bytes=400", accept=typed("avro"))
            if status == 200:
                with lock:
                    got.extend(places(answer))
            else:
                assert (status, answer["error_code"]) == (409, 40903)
    threads = [threading.Thread(target=read) for _ in range(3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    got += places(one.drain(len(log) - len(got), quiet=2))
    assert len(set(got)) == len(got) and sorted(got) == sorted(log)


def test_an_answer_that_is_cut_comes_again(client, gateways, apart):
    """More than sockets hold, to a peer that hangs up: the places are where they were, at the other gateway too."""
    big = Topic(apart, BIG, {**SCHEMA, "name": "Besar"})
    for i in range(70):
        big.put("b%d" % i, {"id": "b%d" % i, "nama": None, "n": i, "isi": b"\xff" * 100000}, partition=0)
    big.flush()
    one = client.create().assign(BIG, 0)
    again = sum(g.metric("titian_consumers_again_total") for g in gateways)
    first, other = gateways
    for gateway in (first, other):
        with socket.create_connection(("127.0.0.1", gateway.port)) as s:
            s.sendall(("GET %s/records HTTP/1.1\r\nHost: x\r\nX-Api-Key: %s\r\n\r\n" % (one.path, gateway.keys["uji"])).encode())
            assert s.recv(100).startswith(b"HTTP/1.1 200")
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    for gateway in (other, first):
        def asked():  # 409 while the one that hung up is not known to have done so
            status, got = Client([gateway]).ask("GET", one.path + "/records?max_bytes=150000", accept=typed("avro"))
            return None if status == 409 else (status, got)
        status, got = wait_for(asked, 20, "an answer")
        assert status == 200 and places(got) == [(0, 0) if gateway is other else (0, 1)]
    wait_for(lambda: sum(g.metric("titian_consumers_again_total") for g in gateways) >= again + 2, 10, "both to be counted")
    status, _ = client.ask("HEAD", one.path + "/records")
    assert status == 405
    assert places(one.records(more="&max_bytes=150000")) == [(0, 2)]


def read_all(client, one, until, deadline, hurt, answers):
    """Reads on at whichever gateway answers until `until()` places are there; `hurt` after each answer. Appends to
    answers: places, or None for one that was asked for and did not come."""
    begun = time.monotonic()
    while len({p for a in answers if a for p in a}) < until():
        assert time.monotonic() - begun < deadline
        try:
            status, got = client.ask("GET", one.path + "/records?timeout=300&max_bytes=%d" % client.chance.choice([300, 2000, 20000]),
                                     accept=typed("avro"))
            if status == 200:
                answers.append(places(got))
            else:
                assert status in (409, 503), (status, got)
        except (OSError, EOFError, ValueError, http.client.HTTPException):
            answers.append(None)
        hurt(len(answers))


def check_answers(answers, want):
    """Nothing is missed; what came twice came next to an answer that was lost: it was in that one, or in the one before, of
    which nobody could say that it had arrived."""
    seen, flat = {}, [(n, p) for n, a in enumerate(answers) for p in a or []]
    for n, place in flat:
        if place in seen:
            assert None in answers[seen[place]:n + 1], "%s came again without a reason" % (place,)
        seen.setdefault(place, n)
    assert seen.keys() == want
    for p in range(PARTITIONS):  # in order, but where it goes back
        last = -1
        for n, (q, offset) in flat:
            if q == p:
                assert offset == last + 1 or (offset <= last and None in answers[:n + 1])
                last = offset
    return len(flat) - len(seen)


def test_a_gateway_killed_in_the_middle_loses_nothing(client, gateways, apart, many):
    seed, rounds = int(os.environ.get("CONSUMERS_SEED", "7")), int(os.environ.get("CONSUMERS_KILLS", "2"))
    chance = random.Random(seed)
    total = again = lost = 0
    for kill in range(rounds):
        n = 400
        for i in range(n):
            many.put("m%d" % i, {"id": "m%d" % i, "nama": None, "n": i, "isi": b"x" * chance.randrange(100)}, partition=i % PARTITIONS)
        many.flush()
        group = "kill%d-%s" % (kill, uuid.uuid4().hex[:8])
        ends = {p: many_end(apart, p) for p in range(PARTITIONS)}
        want = {(p, o) for p in ends for o in range(*ends[p])}
        mine = Client(gateways, seed=chance.random())
        one = mine.create(group).subscribe(MANY)
        answers, at, dead = [], chance.randrange(2, 12), []

        def hurt(n):
            if n == at:
                victim = chance.choice(gateways)
                dead.append(victim)
                threading.Timer(chance.random() * 0.02, victim.kill).start()
        read_all(mine, one, lambda: len(want), 180, hurt, answers)
        assert dead or len(answers) <= at
        for g in dead:
            g.process.wait(30)
            g.start()
        repeated = check_answers(answers, want)
        total, again, lost = total + len(want), again + repeated, lost + answers.count(None)
    print("%d kills, %d records, %d requests lost, %d records came again" % (rounds, total, lost, again))


def many_end(city, partition):
    consumer = Consumer({"bootstrap.servers": city.bootstrap, "group.id": "none"})
    ends = consumer.get_watermark_offsets(TopicPartition(MANY, partition), 20)
    consumer.close()
    return ends
