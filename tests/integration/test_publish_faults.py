"""Exactly once: clients that try again with their Idempotency-Key, two gateways, kill -9 of either and of the broker,
connections hung up before the answer. The topic is then read by Confluent's consumer, what is committed only: every row
is there once, where its receipt says.

    PUBLISH_RUNS=20 PUBLISH_FAULTS=12    make soak-publish; PUBLISH_SEED=N repeats
"""
import http.client
import json
import os
import random
import subprocess
import sys
import threading
import time
import types
import uuid

import pytest
from confluent_kafka import Consumer, IsolationLevel, KafkaError, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from conftest import ROOT, WORK, free_ports, wait_for
from own_adapter import again
from own_gateway import OwnGateway, Topic

sys.path.insert(0, str(ROOT / "tests/support"))
import stage  # noqa: E402

RUNS = int(os.environ.get("PUBLISH_RUNS", "1"))
FAULTS = int(os.environ.get("PUBLISH_FAULTS", "3"))
SEED = int(os.environ.get("PUBLISH_SEED", "1"))
CLIENTS = 6
SCHEMA = {"type": "record", "name": "Sekali", "namespace": "pku.uji", "x_jenis": "register", "x_kunci": "id",
          "fields": [{"name": "id", "type": "string", "x_pdp": "P"}, {"name": "n", "type": "int", "x_pdp": "N"}]}
VIEW = """/*---
name: sekali
key: id
routes: {uji_sekali%d: _key}
columns: {id: {type: text, pdp: P}, n: {type: int, pdp: N}}
---*/
SELECT _key AS id, n FROM uji_sekali%d
"""


class Broker:
    """A broker that can be killed and started again."""

    def __init__(self, folder):
        self.folder, base = folder / "kafka", free_ports(2)
        self.bootstrap, self.ports = "127.0.0.1:%d" % base, (str(base), str(base + 1))
        self.start()

    def do(self, *words):
        run = subprocess.run([str(ROOT / "deploy/kafka/kafka.sh"), *words], capture_output=True, text=True)
        assert run.returncode == 0, run.stderr

    def start(self):
        self.do("start", str(self.folder), *self.ports)

    def kill(self):
        self.do("kill", str(self.folder))


@pytest.fixture(scope="module")
def city():
    folder = stage.fresh(WORK / "publish_faults")
    broker = Broker(folder)
    try:
        with stage.registry(folder, broker.bootstrap) as url:
            yield types.SimpleNamespace(bootstrap=broker.bootstrap, registry=url, broker=broker)
    finally:
        broker.do("stop", str(broker.folder))


class Client(threading.Thread):
    """Publishes batches of rows until it is told to stop; each is tried until it is answered, at any gateway."""

    def __init__(self, number, topic, gateways, over, seed):
        super().__init__(daemon=True)
        self.number, self.topic, self.gateways, self.over = number, topic, gateways, over
        self.chance = random.Random(seed * 1000 + number)
        self.receipts, self.tries, self.wrong = {}, 0, []

    def run(self):
        batch = 0
        while not self.over.is_set():
            batch += 1
            rows = [{"id": "c%d-%d-%d" % (self.number, batch, i), "n": i} for i in range(self.chance.choice((1, 1, 3, 20, 100)))]
            key, body = str(uuid.UUID(int=self.chance.getrandbits(128))), json.dumps(rows)
            until = time.monotonic() + 150
            while True:
                answer = self.once(key, body)
                if answer:
                    self.receipts[key] = (rows, body, answer)
                    break
                if self.wrong or time.monotonic() > until:
                    self.wrong.append("not answered within 150 s")
                    return

    def once(self, key, body):
        gateway = self.chance.choice(self.gateways)
        self.tries += 1
        connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=45)
        try:
            connection.request("POST", "/v1/topics/%s/records" % self.topic, body,
                               {"Authorization": "Bearer " + gateway.key, "Content-Type": "application/json", "Idempotency-Key": key})
            if self.chance.random() < 0.1:  # hung up before the answer
                time.sleep(self.chance.random() * 0.05)
                return None
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            time.sleep(0.05 + self.chance.random() * 0.2)
            return None
        finally:
            connection.close()
        if answer.status == 200:
            return json.loads(text)
        if answer.status in (409, 503):
            assert answer.headers["Retry-After"] == "1"
            time.sleep(0.1 + self.chance.random() * 0.5)
            return None
        self.wrong.append((answer.status, text[:300]))
        return None


def ended(bootstrap, topic, partitions):
    """Waits until no transaction is open: one whose gateway or broker was killed holds back all that was committed after it."""
    admin = AdminClient({"bootstrap.servers": bootstrap})

    def ends(level):
        asked = admin.list_offsets({TopicPartition(topic, p): OffsetSpec.latest() for p in range(partitions)}, isolation_level=level,
                                   request_timeout=30)
        return {place.partition: found.result(30).offset for place, found in asked.items()}
    again(lambda: ends(IsolationLevel.READ_COMMITTED) == ends(IsolationLevel.READ_UNCOMMITTED), "the end of the last transaction")


def read_committed(bootstrap, topic, partitions):
    """id -> its places, by what is committed."""
    ended(bootstrap, topic, partitions)
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": str(uuid.uuid4()), "enable.auto.commit": False,
                         "isolation.level": "read_committed", "enable.partition.eof": True})
    found, left = {}, set(range(partitions))
    consumer.assign([TopicPartition(topic, p, 0) for p in range(partitions)])
    until = time.monotonic() + 90
    while left:
        assert time.monotonic() < until
        message = consumer.poll(1)
        if message is None:
            continue
        if message.error():
            if message.error().code() == KafkaError._PARTITION_EOF:
                left.discard(message.partition())
            continue
        left.add(message.partition())
        found.setdefault(message.key().decode(), []).append((message.partition(), message.offset()))
    consumer.close()
    return found


def up(gateway):
    """Started again. After a kill of the broker a transaction that was open holds back whoever reads what is committed, the
    gateway's views among them, until Kafka has ended it."""
    try:
        gateway.start()
    except AssertionError:
        gateway.await_ready(120)


def faults(chance, city, gateways, n):
    """Kills, one after the other; each gets up again."""
    for _ in range(n):
        time.sleep(0.2 + chance.random() * 2)
        if chance.random() < 0.3:
            city.broker.kill()
            time.sleep(chance.random())
            city.broker.start()
            continue
        gateway = chance.choice(gateways)
        gateway.kill()
        time.sleep(chance.choice((0.1, 0.1, 1, 7)))  # 7: the other one takes its keys over
        up(gateway)


@pytest.mark.parametrize("seed", range(SEED, SEED + RUNS))
def test_every_row_is_there_once(city, seed):
    chance = random.Random(seed)
    topic = Topic(city, "pku.uji.sekali%d.v1" % seed, SCHEMA, partitions=2)
    gateways, over = [], threading.Event()
    try:
        for name in "ab":  # one after the other: ports are free until they are taken
            gateways.append(OwnGateway(city, "sekali%s" % name, [topic], {"sekali": VIEW % (seed, seed)},
                                       "readers: {uji: {views: {sekali: {}}, publish: {%s: {}}}}\n" % topic.name,
                                       more="webhooks: {deliver: false}\n"))
            gateways[-1].start()
        clients = [Client(i, topic.name, gateways, over, seed) for i in range(CLIENTS)]
        for client in clients:
            client.start()
        faults(chance, city, gateways, FAULTS)
        wait_for(lambda: sum(len(c.receipts) for c in clients) > 30, 120, "some requests to be answered")
        over.set()
        for client in clients:
            client.join(200)
            assert not client.is_alive() and not client.wrong, client.wrong
        receipts = {k: v for c in clients for k, v in c.receipts.items()}
        found = read_committed(city.bootstrap, topic.name, 2)
        expected = {}
        for rows, _, answer in receipts.values():
            assert answer["accepted"] == len(rows)
            for row, place in zip(rows, answer["records"]):
                expected[row["id"]] = [(place["partition"], place["offset"])]
        doubled = {k: v for k, v in found.items() if len(v) > 1}
        assert not doubled, (seed, doubled)
        assert found == expected, (seed, len(found), len(expected))
        # every receipt again, from whichever gateway: one that has not read of it yet (a transaction that was open when its
        # gateway or the broker was killed holds back what is committed after it) says 409, and to come again
        for key, (_, body, answer) in chance.sample(sorted(receipts.items()), 10):
            for gateway in gateways:
                def asked():
                    status, head, text = gateway.request("/v1/topics/%s/records" % topic.name, method="POST", body=body.encode(),
                                                         headers={"Content-Type": "application/json", "Idempotency-Key": key})
                    return None if status == 409 and head["Retry-After"] else (status, json.loads(text), head["Idempotent-Replayed"])
                assert wait_for(asked, 60, "an answer other than 409") == (200, answer, "true")
        print("seed %d: %d requests, %d tries, %d rows, each once" % (
            seed, len(receipts), sum(c.tries for c in clients), len(found)), flush=True)
        # and a view of them
        wait_for(lambda: gateways[0].get("/v1/views")[0]["rows"] == len(found), 60, "the view to have all")
    finally:
        over.set()
        for gateway in gateways:
            gateway.stop()
