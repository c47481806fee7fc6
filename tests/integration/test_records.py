"""Topics' records over HTTP as they are: pages, feeds, masks, records resolved to a version, against Confluent's client
and fastavro's own resolution."""
import io
import json
import random
import threading
import time
import urllib.request

import fastavro
import pytest
import sseclient
from confluent_kafka import Consumer, TopicPartition

from conftest import wait_for
from own_gateway import OwnGateway, Topic

NAME = "pku.uji.mentah.v1"
HEAD = {"type": "record", "name": "Mentah", "namespace": "pku.uji", "x_jenis": "register", "x_kunci": "id"}


def field(name, kind, pdp="N", **more):
    return {"name": name, "type": kind, "x_pdp": pdp, **more}


ONE = {**HEAD, "fields": [field("id", "string"), field("nama", "string", "U"), field("n", "int"),
                          field("lama", ["null", "string"], default=None)]}
# renamed with an alias, promoted, new with a default, one gone
TWO = {**HEAD, "fields": [field("id", "string"), field("nama_lengkap", "string", "U", aliases=["nama"]),
                          field("n", "long"), field("kel", "string", default="?"),
                          field("jenis", {"type": "enum", "name": "Jenis", "symbols": ["A", "B"], "default": "A"}, default="B")]}
# needs a field that was never written
THREE = {**HEAD, "fields": [field("id", "string"), field("wajib", "string")]}
VIEW = """/*---
name: mentah
key: id
routes: {uji_mentah: _key}
columns: {id: {type: text, pdp: P}}
---*/
SELECT _key AS id FROM uji_mentah
"""
POLICY = """readers:
  uji: {topics: {"*": {clear: ["*"]}}}
  tutup: {topics: {%s: {}}}
  nama: {topics: {%s: {clear: [nama]}}}
  lain: {views: {mentah: {}}}
  jatah: {quota: 3/1h, topics: {%s: {}}}
""" % (NAME, NAME, NAME)


@pytest.fixture(scope="module")
def topic(apart):
    request = urllib.request.Request(apart.registry + "/config/%s-value" % NAME, b'{"compatibility":"NONE"}',
                                     {"Content-Type": "application/json"}, method="PUT")
    urllib.request.urlopen(request, timeout=30).read()
    topic = Topic(apart, NAME, ONE, partitions=3)
    topic.schemas, topic.ids = [ONE], [topic.id]
    for i in range(40):
        topic.put("k%d" % i, {"id": "k%d" % i, "nama": "Nama %d" % i, "n": i, "lama": None}, partition=i % 3,
                  headers=[("asal", b"uji"), ("nomor", b"%d" % i)], timestamp=1700000000000 + 1000 * i)
    topic.put("k1", partition=1)  # a tombstone
    topic.put("rusak", partition=2, raw=b"not framed")
    topic.put("rusak", partition=2, raw=b"\0" + topic.id.to_bytes(4, "big") + b"\x06ab")
    topic.flush()
    for schema in (TWO, THREE):
        topic.ids.append(topic.register(schema))
        topic.schemas.append(schema)
    topic.id, topic.schema = topic.ids[1], fastavro.parse_schema(TWO)
    for i in range(40, 50):
        topic.put("k%d" % i, {"id": "k%d" % i, "nama_lengkap": "Nama %d" % i, "n": i, "kel": "t", "jenis": "A"},
                  partition=i % 3, timestamp=1700000000000 + 1000 * i)
    topic.flush()
    return topic


@pytest.fixture(scope="module")
def gateway(apart, topic):
    own = OwnGateway(apart, "records", [topic], {"mentah": VIEW}, POLICY, readers=("uji", "tutup", "nama", "lain", "jatah"))
    own.start()
    yield own
    own.stop()


@pytest.fixture(scope="module")
def log(apart, topic):
    """Every record, as Confluent's client gives it: {partition: [message]}."""
    consumer = Consumer({"bootstrap.servers": apart.bootstrap, "group.id": "none", "enable.auto.commit": False})
    consumer.assign([TopicPartition(NAME, p, 0) for p in range(3)])
    out = {0: [], 1: [], 2: []}
    while sum(map(len, out.values())) < 53:
        message = consumer.poll(20)
        assert message is not None and message.error() is None  # a tombstone's len() is 0
        out[message.partition()].append(message)
    consumer.close()
    return out


PATH = "/v1/topics/%s/records" % NAME


def whole(gateway, query="", key=None):
    """All records by pages, and the cursors between them."""
    out, after = [], ""
    while True:
        page = gateway.get(PATH + "?limit=7" + query + after, key=key)
        assert len(page["records"]) <= 7
        out += page["records"]
        after = "&after=" + page["cursor"]
        if page["up_to_date"]:
            return out


def test_pages_give_every_record_once_as_it_is(gateway, topic, log):
    got = whole(gateway)
    assert sorted((r["partition"], r["offset"]) for r in got) == [(p, m.offset()) for p in log for m in log[p]]
    for r in got:
        m = log[r["partition"]][r["offset"]]
        assert r["key"] == m.key().decode()
        assert r["headers"] == {k: v.decode() for k, v in m.headers() or []}
        if m.value() is None:
            assert r["value"] is None and "error" not in r
        elif m.key() == b"rusak":
            assert r["error"]["code"] == "undecodable" and r["error"]["detail"] and "value" not in r
        else:
            written = int.from_bytes(m.value()[1:5], "big")
            schema = topic.schemas[topic.ids.index(written)]
            assert r["schema"] == {"id": written, "version": topic.ids.index(written) + 1}
            assert r["value"] == fastavro.schemaless_reader(io.BytesIO(m.value()[5:]), schema, None)
    for p in log:  # in their order
        assert [r["offset"] for r in got if r["partition"] == p] == [m.offset() for m in log[p]]


def test_one_partition_from_an_offset_or_a_moment(gateway, log):
    page = gateway.get(PATH + "?partition=1&offset=5&limit=3")
    assert [(r["partition"], r["offset"]) for r in page["records"]] == [(1, 5), (1, 6), (1, 7)] and not page["up_to_date"]
    page = gateway.get(PATH + "?partition=1&limit=2&after=" + page["cursor"])
    assert [r["offset"] for r in page["records"]] == [8, 9]
    want = {(p, m.offset()) for p in log for m in log[p] if m.timestamp()[1] >= 1700000045000}
    for moment in ("1700000045000", "2023-11-14T22:14:05Z", "2023-11-15T05:14:05%2B07:00", "2023-11-15T05:14:05+07:00"):
        got = gateway.get(PATH + "?limit=1000&time=" + moment)["records"]
        first = {p: min((r["offset"] for r in got if r["partition"] == p), default=None) for p in log}
        assert first == {p: min(o for q, o in want if q == p) for p in log}, moment
    assert gateway.get(PATH + "?partition=0&offset=100000")["records"] == []


def test_what_is_not_granted_is_not_there_or_masked(gateway, log):
    status, _, body = gateway.request(PATH, key=gateway.keys["lain"])
    assert (status, json.loads(body)["code"]) == (404, "topic-unknown")
    assert gateway.request("/v1/topics/_schemas/records")[0] == 404
    assert gateway.request("/v1/topics/_schemas/records", key=gateway.keys["tutup"])[0] == 404
    masked = [r["value"] for r in whole(gateway, key=gateway.keys["tutup"]) if r.get("value")]
    assert {v.get("nama", v.get("nama_lengkap")) for v in masked} == {"\u2022\u2022\u2022"}
    assert {v["n"] for v in masked} == set(range(50))
    some = [r["value"] for r in whole(gateway, key=gateway.keys["nama"]) if r.get("value")]
    assert {v["nama"] for v in some if "nama" in v} == {"Nama %d" % i for i in range(40)}
    assert {v["nama_lengkap"] for v in some if "nama_lengkap" in v} == {"\u2022\u2022\u2022"}


@pytest.mark.parametrize("query, status", [
    ("?offset=5", 400), ("?partition=9", 404), ("?partition=x", 400), ("?limit=0", 400), ("?limit=1001", 400),
    ("?time=yesterday", 400), ("?schema=9", 400), ("?after=AAAA", 400), ("?what=1", 400), ("?time=2023-02-30", 400)])
def test_questions_without_sense_are_refused(gateway, query, status):
    assert gateway.request(PATH + query)[0] == status


@pytest.mark.parametrize("version", [1, 2, 3])
def test_records_are_resolved_to_a_version_as_fastavro_does(gateway, topic, log, version):
    got = {(r["partition"], r["offset"]): r for r in whole(gateway, "&schema=%d" % version)}
    reader = topic.schemas[version - 1]
    wrong = 0
    for p in log:
        for m in log[p]:
            r = got[(p, m.offset())]
            if m.value() is None or m.key() == b"rusak":
                continue
            writer = topic.schemas[topic.ids.index(int.from_bytes(m.value()[1:5], "big"))]
            try:
                want = fastavro.schemaless_reader(io.BytesIO(m.value()[5:]), writer, reader)
            except Exception:  # fastavro's own errors are of several kinds
                assert r["error"]["code"] == "unresolvable" and r["error"]["detail"], r
                wrong += 1
                continue
            assert r["value"] == want, (r, want)
    assert wrong == {1: 10, 2: 0, 3: 50}[version]


class Feed:
    def __init__(self, gateway, query="", last=None):
        headers = {"Authorization": "Bearer " + gateway.key, "Accept": "text/event-stream"}
        if last:
            headers["Last-Event-ID"] = last
        self.answer = urllib.request.urlopen(urllib.request.Request(gateway.url + PATH + query, headers=headers), timeout=60)
        self.events = []
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        try:
            for e in sseclient.SSEClient(self.answer).events():
                self.events.append((e.event, e.id, json.loads(e.data)))
        except (OSError, ValueError, AttributeError):
            pass

    def records(self):
        return [d for e, _, d in list(self.events) if e == "record"]

    def current(self):
        return self.events and self.events[-1][0] == "up-to-date"


def test_a_feed_gives_what_there_is_then_what_comes_and_goes_on_after_a_kill(gateway, topic):
    first = Feed(gateway)
    wait_for(first.current, 20, "the end")
    assert len(first.records()) == 53
    now = Feed(gateway, "?after=now")
    wait_for(now.current, 20, "the end")
    for i in range(60, 63):
        topic.put("k%d" % i, {"id": "k%d" % i, "nama_lengkap": "x", "n": i, "kel": "t", "jenis": "A"}, partition=i % 3)
        topic.flush()
        wait_for(lambda: len(first.records()) == i - 6 and len(now.records()) == i - 59, 20, "the new record")
    middle = [c for e, c, _ in first.events if e == "record"][20]
    seen = {(r["partition"], r["offset"]) for r in first.records()[:21]}
    gateway.kill()
    gateway.start()
    rest = Feed(gateway, last=middle)
    wait_for(rest.current, 20, "the end")
    later = [(r["partition"], r["offset"]) for r in rest.records()]
    assert len(later) == 56 - 21 and not seen & set(later)


def test_a_poll_waits_for_a_record_and_ndjson_ends_at_the_end(gateway, topic):
    lines = gateway.request(PATH + "?until=now&schema=2", accept="application/x-ndjson")[2].splitlines()
    last = json.loads(lines[-1])
    assert last["event"] == "up-to-date" and len(lines) == 57
    began = time.monotonic()
    empty = gateway.get(PATH + "?wait=1&after=" + last["cursor"])
    assert empty["records"] == [] and empty["up_to_date"] and 0.8 < time.monotonic() - began < 12
    answers = []
    polls = [threading.Thread(target=lambda: answers.append(gateway.get(PATH + "?wait=30&after=" + empty["cursor"])))
             for _ in range(20)]
    for p in polls:
        p.start()
    topic.put("k70", {"id": "k70", "nama_lengkap": "x", "n": 70, "kel": "t", "jenis": "A"}, partition=0)
    topic.flush()
    for p in polls:
        p.join(30)
    assert [[r["key"] for r in a["records"]] for a in answers] == [["k70"]] * 20


def ticket(gateway, key):
    return "?ticket=" + json.loads(gateway.request("/v1/tickets", method="POST", key=key)[2])["ticket"]


def test_a_ticket_counts_on_its_readers_quota(gateway, topic):
    one, two = ticket(gateway, gateway.keys["jatah"]), ticket(gateway, gateway.keys["jatah"])
    assert gateway.request(PATH + one)[0] == 200
    status, _, body = gateway.request(PATH + two)
    assert (status, json.loads(body)["code"]) == (429, "quota-exceeded")


def test_a_ticket_of_a_revoked_key_opens_nothing(gateway, topic):
    key = gateway.new_key("nama")
    gateway.hangup()
    wait_for(lambda: gateway.request("/v1/whoami", key=key)[0] == 200, 20, "the new key")
    assert gateway.request(PATH + ticket(gateway, key))[0] == 200
    left = [ticket(gateway, key) for _ in range(3)]
    file = gateway.dir / "access.keys"
    file.write_text("".join(l for l in file.read_text().splitlines(True) if " %s " % key[3:11] not in l))
    gateway.hangup()
    wait_for(lambda: gateway.request("/v1/whoami", key=key)[0] == 401, 20, "the key to be gone")
    for path, accept in ((PATH, "application/json"), (PATH, "text/event-stream"), ("/v1/views/mentah/changes", "application/json")):
        status, _, body = gateway.request(path + left.pop(), accept=accept)
        assert (status, json.loads(body)["code"]) == (401, "key-unknown")


def test_many_questions_at_once_are_all_answered(gateway, log):
    """More than the pool has threads, with readers that hang up in between."""
    rng, answers = random.Random(7), []

    def ask(partition, offset):
        answers.append((partition, offset, gateway.get(PATH + "?partition=%d&offset=%d&limit=1" % (partition, offset))))

    threads = [threading.Thread(target=ask, args=(rng.randrange(3), rng.randrange(13))) for _ in range(60)]
    for t in threads:
        t.start()
        if rng.random() < 0.2:
            Feed(gateway).answer.close()
    for t in threads:
        t.join(60)
    assert len(answers) == 60
    for partition, offset, page in answers:
        assert [(r["partition"], r["offset"]) for r in page["records"]] == [(partition, offset)]
