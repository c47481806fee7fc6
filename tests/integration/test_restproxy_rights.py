"""REST Proxy's API for readers who may not have everything: keys in Avro, groups, what is taken back, shares of what all have."""
import io
import json
import threading
import urllib.request
import uuid

import fastavro
import pytest
from confluent_kafka import Consumer, TopicPartition

from conftest import wait_for
from own_gateway import OwnGateway, Topic
from test_restproxy_consumers import SCHEMA, V2, VIEW, Client, committed, places, typed

NAME = "pku.uji.hak.v1"
GRANTS = {"uji": '{topics: {"%s": {clear: ["*"]}}, publish: {"%s": {}}}' % (NAME, NAME),
          "tutup": '{topics: {"%s": {}}}' % NAME,
          "lain": '{topics: {"%s": {clear: ["*"]}}, groups: [laporan, "uji-bersama*"]}' % NAME}
MORE = "restproxy: {topic: _hak_konsumen, per_reader: 30, consumers: 31}\npublish: {topic: _hak_terima}\n"
KEY = {"type": "record", "name": "Kunci", "namespace": "pku.uji", "fields": [{"name": "nama", "type": "string", "x_pdp": "U"}]}
TEXT = {"type": "string"}
MASK = "\u2022\u2022\u2022"


def policy(**grants):
    return "readers:\n" + "".join("  %s: %s\n" % one for one in {**GRANTS, **grants}.items())


def framed(schema_id, schema, datum):
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), datum)
    return b"\0" + schema_id.to_bytes(4, "big") + out.getvalue()


@pytest.fixture(scope="module")
def topic(apart):
    topic = Topic(apart, NAME, SCHEMA, partitions=2)

    def register(subject, schema):
        body = json.dumps({"schema": json.dumps(schema)}).encode()
        request = urllib.request.Request("%s/subjects/%s/versions" % (apart.registry, subject), body,
                                         {"Content-Type": "application/vnd.schemaregistry.v1+json"})
        return json.loads(urllib.request.urlopen(request, timeout=30).read())["id"]
    for i in range(10):
        topic.put("k%d" % i, {"id": "k%d" % i, "nama": None, "n": i, "isi": b""}, partition=0)
    for key in (framed(register("hak-kunci", KEY), KEY, {"nama": "Rahasia Budi"}), framed(register("hak-teks", TEXT), TEXT, "Rahasia Ani"),
                b"\0\0\xff\xff\xffRahasia Siti", b"\0Rahasia", "teks"):
        topic.put(key, {"id": "k", "nama": None, "n": 0, "isi": b""}, partition=1)
    topic.flush()
    return topic


@pytest.fixture(scope="module")
def gateway(apart, topic):
    gateway = OwnGateway(apart, "hak", [topic], {"konsumen": VIEW.replace("uji_konsumen", "uji_hak")}, policy(),
                         readers=tuple(GRANTS), more=MORE).start()
    yield gateway
    gateway.stop()


def group(name):
    return "%s-%s" % (name, uuid.uuid4().hex[:8])


@pytest.mark.parametrize("fmt", ["avro", "json"])
def test_keys_in_avro_are_masked(gateway, fmt):
    """What the keys are, is what fastavro wrote."""
    for reader, want in (("tutup", [{"nama": MASK}, MASK, MASK, MASK, "teks"]), ("uji", [{"nama": "Rahasia Budi"}, "Rahasia Ani"])):
        one = Client([gateway], reader).create(group(reader), format=fmt)
        part = {"partitions": [{"topic": NAME, "partition": 1}]}
        wait_for(lambda: one.ask("POST", "/assignments", part)[0] == 204, 30, "Kafka's coordinator, 503 until it is there")
        got = [r["key"] for r in one.drain(5)]
        assert len(got) == 5 and got[:len(want)] == want and (reader == "uji" or "Rahasia" not in str(got))
        one.sure("DELETE", "")


def test_keys_in_avro_are_masked_in_the_feed_of_records(gateway):
    answer = gateway.get("/v1/topics/%s/records?limit=1000" % NAME, key=gateway.keys["tutup"])
    keys = [r["key"] for r in answer["records"] if r["partition"] == 1]
    assert keys == [MASK] * 4 + ["teks"]


def test_nik_in_traceparent_does_not_reach_kafka(apart, gateway):
    trace, nik = "00-%s-00f067aa0ba902b7-01" % uuid.uuid4().hex.translate(str.maketrans("0123456789", "abcdefabcd")), "1471010101900001"
    row = {"records": [{"value": {"id": "jejak", "nama": None, "n": 1, "isi": ""}}]}
    for text in (trace, nik):
        request = urllib.request.Request(gateway.url + "/topics/" + NAME, json.dumps(row).encode(), headers={
            "X-Api-Key": gateway.keys["uji"], "Content-Type": typed("json"), "Accept": V2, "traceparent": text})
        place = json.loads(urllib.request.urlopen(request, timeout=30).read())["offsets"][0]
        consumer = Consumer({"bootstrap.servers": apart.bootstrap, "group.id": "none"})
        consumer.assign([TopicPartition(NAME, place["partition"], place["offset"])])
        message = consumer.poll(30)
        consumer.close()
        assert message.key() == b"jejak"
        assert dict(message.headers()).get("ce_traceparent") == (trace.encode() if text == trace else None)


def test_groups_are_those_of_the_policy(apart, gateway):
    """A group that programs on Kafka use keeps its places whoever asks here."""
    native = Consumer({"bootstrap.servers": apart.bootstrap, "group.id": "sink", "enable.auto.commit": False})
    native.commit(offsets=[TopicPartition(NAME, 0, 3)], asynchronous=False)
    native.close()
    for reader, name, may in (("uji", "uji", True), ("uji", "uji.laporan", True), ("uji", "uji-a", True), ("uji", "ujian", False),
                              ("uji", "laporan", False), ("lain", "laporan", True), ("lain", "uji-bersama-1", True), ("lain", "lain", False),
                              ("lain", "sink", False), ("tutup", "sink", False)):
        client = Client([gateway], reader)
        status, answer = client.ask("POST", "/consumers/" + name, {"format": "avro", "name": "satu"})
        assert (status, answer.get("error_code")) == ((200, None) if may else (403, 40301)), (reader, name)
        status, answer = client.ask("POST", "/consumers/%s/instances/satu/offsets" % name,
                                    {"offsets": [{"topic": NAME, "partition": 0, "offset": 8}]})
        assert status == (200 if may else 403)
        assert client.ask("DELETE", "/consumers/%s/instances/satu" % name)[0] == (204 if may else 403)
    assert committed(apart, "sink", NAME) == {0: 3}
    assert committed(apart, "laporan", NAME) == {0: 9}


def test_a_topic_that_is_taken_back_is_not_read_on(gateway):
    name = group("uji-bersama")
    one = Client([gateway], "lain").create(name).assign(NAME, 0)
    assert places(one.records(more="&max_bytes=1")) == [(0, 0)]
    (gateway.dir / "policy.yaml").write_text(policy(lain='{groups: ["*"]}'))
    gateway.hangup()
    wait_for(lambda: gateway.request("/topics/" + NAME, accept=V2, key=gateway.keys["lain"])[0] == 404, 20, "the policy")
    status, answer = one.ask("GET", "/records?timeout=1000", accept=typed("avro"))
    (gateway.dir / "policy.yaml").write_text(policy())
    gateway.hangup()
    assert (status, answer["error_code"]) == (404, 40401)
    wait_for(lambda: gateway.request("/topics/" + NAME, accept=V2, key=gateway.keys["lain"])[0] == 200, 20, "the policy")
    assert places(one.records(more="&max_bytes=1")) == [(0, 1)]
    one.sure("DELETE", "")


def test_a_group_is_one_readers_though_two_come_at_a_time(gateway):
    for _ in range(6):
        name, answers = group("uji-bersama"), []

        def create(reader):
            answers.append((reader, *Client([gateway], reader).ask("POST", "/consumers/" + name, {"format": "avro", "name": reader})))
        threads = [threading.Thread(target=create, args=(reader,)) for reader in ("uji", "lain")]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert sorted((s, a.get("error_code", 0)) for _, s, a in answers) == [(200, 0), (403, 40301)]
        owner = next(reader for reader, status, _ in answers if status == 200)
        Client([gateway], owner).sure("DELETE", "/consumers/%s/instances/%s" % (name, owner))


def test_who_makes_and_deletes_many_uses_up_its_own_only(gateway):
    tutup, name = Client([gateway], "tutup"), group("tutup")
    statuses = []
    for i in range(32):
        statuses.append(tutup.ask("POST", "/consumers/" + name, {"name": "n%d" % i})[0])
        tutup.ask("DELETE", "/consumers/%s/instances/n%d" % (name, i))
    assert 429 in statuses and set(statuses) <= {200, 429}
    client = Client([gateway])
    one = client.create(group("uji"))
    one.sure("DELETE", "")


def test_questions_about_the_cluster_wait_by_reader(gateway):
    """One who asks without end is told so; what another one asks is answered."""
    statuses, over = [], threading.Event()

    def flood():
        while not over.is_set():
            statuses.append(gateway.request("/topics/%s/partitions/0/offsets" % NAME, accept=V2, key=gateway.keys["tutup"])[0])
    threads = [threading.Thread(target=flood) for _ in range(60)]
    for t in threads:
        t.start()
    try:
        wait_for(lambda: 429 in statuses, 20, "too many of one reader")
        assert gateway.request("/topics/%s/partitions/0/offsets" % NAME, accept=V2, key=gateway.keys["lain"])[0] == 200
    finally:
        over.set()
        for t in threads:
            t.join()
    assert set(statuses) == {200, 429}
