"""Many writers: adapters of two departments at once on topics of four partitions, killed now and then; and a second adapter of a
department, started by mistake. The log is read by Confluent's consumer, and what it should hold is known from the files."""
import collections
import io
import json
import os
import random
import subprocess
import sys
import time
import uuid

import fastavro
import pytest
from confluent_kafka import Consumer, TopicPartition

from conftest import ROOT, WORK, wait_for
from own_gateway import OwnGateway, Topic

sys.path.insert(0, str(ROOT / "tests/support"))
import stage  # noqa: E402

BIN = ROOT / "build" / os.environ.get("ADAPTER_BUILD", "release") / "bin/titian-adapter"
PARTITIONS, KEYS, FILES = 4, 300, 4
SCHEMA = {"type": "record", "name": "Barang", "namespace": "pku.uji", "x_jenis": "register", "x_kunci": "id",
          "fields": [{"name": "id", "type": "string", "x_pdp": "P"}, {"name": "n", "type": "long", "default": 0, "x_pdp": "N"}]}
MAPPING = """feed: %s_%s
files: ["%s*.csv"]
topic: pku.%s.%s.v1
kind: register
source: {kind: delimited}
values: {id: {from: id}, n: {from: n, as: whole}}
checks:
  - {class: n_salah, fate: refuse, when: {bad: n}}
key: id
fields: {id: id, n: {value: n, else: 0}}
"""
VIEW = """/*---
name: %s
key: id
routes: {%s: _key}
columns: {id: {type: text, pdp: P}, n: {type: int, pdp: N}}
---*/
SELECT _key AS id, n FROM %s
"""


class Adapter:
    """One process: a department, a drop folder of its own, its feeds."""

    def __init__(self, city, opd, name, feeds):
        self.dir = stage.fresh(WORK / "adapters-many" / name)
        self.opd, self.process = opd, None
        self.drop = self.dir / "drop"
        self.drop.mkdir()
        for key in ("city", "opd"):
            (self.dir / (key + ".key")).write_text("7" * 64 + "\n")
            (self.dir / (key + ".key")).chmod(0o600)
        for feed in feeds:
            (self.dir / (feed + ".yaml")).write_text(MAPPING % (opd, feed, feed, opd, feed))
        (self.dir / "adapter.yaml").write_text(
            "opd: %s\ndrop: {dir: %s, quiet: 50ms}\nmappings: [%s]\nreferensi: {dir: %s}\nkey: {city: %s/city.key}\n"
            "reference_year: 2025\nkafka: {bootstrap: '%s'}\nstate: {dir: %s}\n"
            % (opd, self.drop, ", ".join("%s.yaml" % f for f in feeds), ROOT / "adapters/referensi", self.dir, city.bootstrap, self.dir))

    def start(self):
        with open(self.dir / "log", "ab") as log:
            self.process = subprocess.Popen([str(BIN), "--config", str(self.dir / "adapter.yaml")], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        return self

    def log(self):
        return (self.dir / "log").read_text(errors="replace")

    def kill(self):
        self.process.kill()
        self.process.wait(30)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)

    def put(self, name, rows):
        (self.drop / (".new")).write_text("id,n\n" + "".join("%s,%d\n" % row for row in rows))
        (self.drop / ".new").rename(self.drop / name)

    def done(self, name):
        return (self.drop / "done" / name).exists()


def department(city, opd, entities):
    """Its topics, of four partitions each, and their schemas."""
    topics = [Topic(city, "pku.%s.%s.v1" % (opd, e), SCHEMA, partitions=PARTITIONS) for e in entities]
    for own in "berkas", "karantina":
        Topic(city, "pku.%s.%s.v1" % (opd, own), json.loads((ROOT / "schemas/avsc/bersama" / (own + ".avsc")).read_text()), partitions=2)
    return topics


def in_the_log(city, topic):
    """[(partition, key, headers, value)] in the order of each partition."""
    consumer = Consumer({"bootstrap.servers": city.bootstrap, "group.id": str(uuid.uuid4()), "enable.partition.eof": True})
    consumer.assign([TopicPartition(topic, p, 0) for p in range(PARTITIONS)])
    out, left, until = [], set(range(PARTITIONS)), time.monotonic() + 90
    while left:
        assert time.monotonic() < until
        m = consumer.poll(1)
        if m is not None and m.error():
            left.discard(m.partition())
        elif m is not None:
            out.append((m.partition(), m.key().decode(), dict(m.headers()), m.value()))
    consumer.close()
    return out


def assert_once_and_in_order(city, topic, expected):
    """expected: key -> its values, in the order of the files. Each is there once, on one partition, and the numbers of each stream
    have neither a hole nor a repetition."""
    found, places, number = collections.defaultdict(list), {}, collections.Counter()
    for partition, key, headers, value in in_the_log(city, topic.name):
        found[key].append(fastavro.schemaless_reader(io.BytesIO(value[5:]), topic.schema, None)["n"])
        assert places.setdefault(key, partition) == partition
        number[partition] += 1
        assert headers["titian_seq"].decode() == str(number[partition]), (partition, number[partition])
    assert found == expected
    assert len(number) == PARTITIONS


def test_two_departments_at_once_with_kills(apart):
    """Four partitions a topic, three topics, two adapters; each file has every key anew."""
    topics = department(apart, "uja", ["barang", "jasa"]) + department(apart, "ujb", ["barang"])
    keys = ["k%d" % i for i in range(KEYS)]
    adapters = [Adapter(apart, "uja", "uja", ["barang", "jasa"]).start(), Adapter(apart, "ujb", "ujb", ["barang"]).start()]
    names = [t.name.split(".")[1] + "_" + t.name.split(".")[2] for t in topics]
    gateway = OwnGateway(apart, "adapters-many-gw", topics, {"semua_" + n: VIEW % ("semua_" + n, n, n) for n in names},
                         "readers: {uji: {status: true, views: {%s}}}\n" % ", ".join("semua_%s: {}" % n for n in names)).start()
    chance, done = random.Random(6), []
    try:
        for k in range(1, FILES + 1):
            for adapter, feed in ((adapters[0], "barang"), (adapters[0], "jasa"), (adapters[1], "barang")):
                name = "%s%d.csv" % (feed, k)
                adapter.put(name, [(key, k) for key in chance.sample(keys, KEYS)])
                done.append((adapter, name))
            time.sleep(chance.random() * 0.6)  # the random moment; nothing is awaited here
            victim = chance.choice(adapters)
            victim.kill()
            victim.start()
        for adapter, name in done:
            wait_for(lambda: adapter.done(name), 60, "%s of %s: %s" % (name, adapter.opd, adapter.log()[-800:]))
        for topic in topics:
            assert_once_and_in_order(apart, topic, {key: list(range(1, FILES + 1)) for key in keys})
        full = [{"id": key, "n": FILES} for key in sorted(keys)]
        for name in names:
            wait_for(lambda: gateway.get("/v1/views/semua_%s?limit=1000" % name) == full, 30, name)
        assert [t["gaps"] for t in gateway.get("/v1/topics")["topics"]] == [0, 0, 0]
    finally:
        for one in adapters + [gateway]:
            one.stop()


@pytest.mark.parametrize("opd,feed", (("ujc", "barang"), ("ujd", "jasa")))
def test_a_second_adapter_of_a_department(apart, opd, feed):
    """With the same feed, or another: the older one ends and says why, in the middle of a file mostly; started again, the other does.
    The numbers of each stream stay whole."""
    topics = department(apart, opd, sorted({"barang", feed}))
    rows = [("k%d" % i, 1) for i in range(100000)]
    a, b = Adapter(apart, opd, opd + "-a", ["barang"]), Adapter(apart, opd, opd + "-b", [feed])
    try:
        a.start()
        a.put("barang1.csv", rows)
        wait_for(lambda: len(in_the_log(apart, topics[0].name)) > 0, 30, "the first to be at work")
        b.start()
        assert a.process.wait(60) == 3, a.log()[-1500:]
        whole = a.done("barang1.csv")  # it was quicker than the other could begin: then the file is not read again
        assert "another adapter of '%s' has begun" % opd in a.log() and "pid %d" % b.process.pid in a.log()
        b.put(feed + "2.csv", [(key, 2) for key, _ in rows[:1000]])
        wait_for(lambda: b.done(feed + "2.csv"), 30, b.log()[-1500:])
        a.start()
        assert b.process.wait(60) == 3, b.log()[-1500:]
        wait_for(lambda: a.done("barang1.csv"), 60, a.log()[-1500:])
        for topic in topics:
            number, last = collections.Counter(), {}
            for partition, key, headers, value in in_the_log(apart, topic.name):
                number[partition] += 1
                assert headers["titian_seq"].decode() == str(number[partition]), (topic.name, partition, number[partition])
                last[key] = fastavro.schemaless_reader(io.BytesIO(value[5:]), topic.schema, None)["n"]
            second = {key: 2 for key, _ in rows[:1000]}
            if topic is topics[0]:
                assert last == (dict(rows, **second) if whole and feed == "barang" else dict(rows))
            else:
                assert last == second
    finally:
        a.stop()
        b.stop()
