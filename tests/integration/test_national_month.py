"""A month of the national data centre: days of changes and faults, and a mirror that is the truth every evening.

The centre (centre.py) is a program of its own, behind a line that cuts, delays and bends (bad_line.py); it is killed at any
moment, so is the gateway; records come twice. Every evening its SQLite is compared with what was published, kept here in a
dict; at the end with the log as Confluent's consumer reads it.

    NATIONAL_SEEDS=5 NATIONAL_DAYS=30 NATIONAL_SEED=1    make soak-national; a failure names its seed
"""
import io
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time

import fastavro
import pytest
from confluent_kafka import Consumer, KafkaError, TopicPartition

from bad_line import BadLine
from conftest import ROOT, wait_for
from test_national import PRIVATE, Bus

DAYS = int(os.environ.get("NATIONAL_DAYS", "30"))
SEEDS = int(os.environ.get("NATIONAL_SEEDS", "1"))
SEED = int(os.environ.get("NATIONAL_SEED", "1"))
MASK = "\u2022\u2022\u2022"


class Centre:
    """centre.py serve: a child for each order."""

    def __init__(self, bus, line):
        self.folder = bus.gateway.dir / "centre"
        self.folder.mkdir()
        (self.folder / "centre.json").write_text(json.dumps({
            "url": bus.gateway.url, "via": line.url, "reader": "pusat", "key": PRIVATE.private_bytes_raw().hex(), "bus_key": bus.bus_key,
            "views": [bus.rows, bus.counts], "piece": 2000, "timeout": 1.5}))
        self.log = open(self.folder / "centre.log", "ab")
        self.process = subprocess.Popen([sys.executable, str(ROOT / "tests/integration/centre.py"), str(self.folder), "serve"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True)

    def order(self, what):
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()

    def ended(self):
        """(exit code, what it said)."""
        code, _, said = self.process.stdout.readline().partition(" ")
        return int(code), said.strip()

    def rows(self, view):
        db = sqlite3.connect("file:%s?mode=ro" % (self.folder / "mirror.db"), uri=True)
        try:
            return {k: json.loads(t) for k, t in db.execute("SELECT key, text FROM row WHERE view=?", (view,))}
        finally:
            db.close()

    def stop(self):
        self.process.stdin.close()
        self.process.wait(20)
        self.log.close()


class City:
    """What is published, and what that comes to."""

    def __init__(self, bus, chance):
        self.bus, self.chance, self.people, self.published = bus, chance, {}, 0

    def row(self, key):
        c = self.chance
        return {"id": key, "kel": c.choice([None, *("k%02d" % i for i in range(12))]),
                "nilai": c.choice([None, 0.0, -0.0, 1e21, 1.5e-7, c.random(), c.uniform(-1e9, 1e9), 5e-324, 3.0]),
                "jumlah": c.choice([0, -1, c.randrange(10 ** 6), 10 ** 12]),
                "nama": c.choice(["Ani", "", "Budi \"B\" \\ </i>", "\u00c9va\n\t\u0001", "\U0001f600 \ue000", "x" * 200]), "rahasia": "r"}

    def change(self):
        """One thing that happens, told once or twice, to Kafka or over HTTP."""
        c, key = self.chance, "p%03d" % self.chance.randrange(250)
        if key in self.people and c.random() < 0.25:
            del self.people[key]
            self.bus.topic.put(key)
            return
        row = self.people[key] = self.row(key)
        if c.random() < 0.8:
            for _ in range(c.choice((1, 1, 1, 2))):
                self.bus.topic.put(key, row)
            return
        self.bus.topic.flush()  # one order of things
        self.published += 1
        head = {"Content-Type": "application/json", "Idempotency-Key": "hari-%d" % self.published}
        for _ in range(c.choice((1, 2))):
            status, _, body = self.bus.gateway.asked("/v1/topics/%s/records" % self.bus.topic.name, method="POST", headers=head,
                                                     body=json.dumps([row]).encode())
            assert status == 200, body

    def rows(self):
        return {k: {**r, "rahasia": MASK} for k, r in self.people.items()}

    def counts(self):
        out = {}
        for r in self.people.values():
            if r["kel"] is not None:
                one = out.setdefault(r["kel"], {"kel": r["kel"], "orang": 0, "jumlah": 0})
                one["orang"] += 1
                one["jumlah"] += r["jumlah"]
        return out


def evening(bus, city, day):
    """Everything of the day has been applied: the last record says so."""
    city.people["zz"] = {"id": "zz", "kel": None, "nilai": None, "jumlah": day, "nama": "", "rahasia": "r"}
    bus.topic.put("zz", city.people["zz"])
    bus.topic.flush()

    def seen():
        status, _, body = bus.gateway.request("/v1/views/%s/zz" % bus.rows)
        return status == 200 and json.loads(body)["jumlah"] == day

    wait_for(seen, 30, "day %d to be applied" % day)


def log_of(bus, apart):
    """The topic, folded, as another reader has it. Its last offset may be a transaction's marker, which no reader is given."""
    c = Consumer({"bootstrap.servers": apart.bootstrap, "group.id": "uji", "enable.auto.commit": False, "enable.partition.eof": True})
    rows = {}
    c.assign([TopicPartition(bus.topic.name, 0, 0)])
    while True:
        m = c.poll(20)
        assert m is not None, "neither a record nor the end"
        if m.error():
            assert m.error().code() == KafkaError._PARTITION_EOF, m.error()
            break
        if m.value() is None:
            rows.pop(m.key().decode(), None)
        else:
            rows[m.key().decode()] = fastavro.schemaless_reader(io.BytesIO(m.value()[5:]), bus.topic.schema)
    c.close()
    return rows


@pytest.mark.parametrize("seed", range(SEED, SEED + SEEDS))
def test_the_mirror_is_the_truth_every_evening(apart, seed):
    chance = random.Random(seed)
    gateway_killed = set(chance.sample(range(1, DAYS + 1), max(1, DAYS // 8)))  # how often one asks depends on the line
    bus = Bus(apart, 1000 + seed)
    line = BadLine(bus.gateway.port, seed)
    city = City(bus, chance)
    counted = {"gateway killed": len(gateway_killed), "centre killed": 0, "refused": 0, "acknowledged": 0}
    for _ in range(300):
        city.change()
    evening(bus, city, 0)
    centre = Centre(bus, line)
    try:
        for day in range(1, DAYS + 1):
            if followed := chance.random() < 0.8:
                centre.order("follow")
            for _ in range(chance.randrange(5, 40)):
                city.change()
            if day in gateway_killed:
                bus.gateway.kill()
                bus.gateway.start()
            for _ in range(chance.randrange(5, 40)):
                city.change()
            bus.topic.flush()
            if followed:
                time.sleep(chance.random() * 0.1)
                centre.order("kill")
                assert centre.ended()[0] == -signal.SIGKILL
                counted["centre killed"] += 1
            evening(bus, city, day)
            while True:
                centre.order("day %.3f" % (chance.random() * 0.3) if chance.random() < 0.3 else "day")
                code, said = centre.ended()
                if code == 0:
                    break
                assert code == -signal.SIGKILL, "seed %d, day %d: %d" % (seed, day, code)
                counted["centre killed"] += 1
            said = json.loads(said)
            counted["refused"] += said["refused"]
            counted["acknowledged"] += len(said["said"])
            assert centre.rows(bus.rows) == city.rows(), "seed %d, day %d" % (seed, day)
            assert centre.rows(bus.counts) == city.counts(), "seed %d, day %d" % (seed, day)
            for view, answer in said["said"].items():
                assert answer["compared"] == "equal", (seed, day, answer)
                assert answer["rows"] == len(centre.rows(view)) and answer["digest"] == answer["digest_here"]
        assert log_of(bus, apart) == city.people
        print("seed %d: %d days, %r, line %r" % (seed, DAYS, counted, line.done))
        recorded = bus.gateway.get("/v1/nasional/acknowledgements?reader=pusat&limit=1000")
        assert len(recorded) >= counted["acknowledged"] == 2 * DAYS
        if DAYS >= 30:
            assert line.done["cut"] and line.done["delay"] and line.done["bend"] and counted["refused"] and counted["centre killed"], line.done
    finally:
        centre.stop()
        line.close()
        bus.gateway.stop()
