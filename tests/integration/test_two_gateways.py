"""Several gateways with one numbering: readers move between them, leaders are killed, disks are lost."""
import hmac
import http.client
import os
import random
import shutil
import signal
import threading
import time
import urllib.error
import urllib.request

import pytest

from conftest import wait_for
from group_stage import ORANG, Reader, Stage, feed, views

ROUNDS = int(os.environ.get("SOAK_ROUNDS", "2"))
TAKEOVERS = float(os.environ.get("SOAK_TAKEOVERS", "0"))
SEED = int(os.environ.get("SOAK_SEED", "7"))


@pytest.fixture(scope="module")
def stage(apart):
    s = Stage(apart, "dua")
    try:
        alone = s.gateway("a")
        config = alone.dir / "gateway.yaml"
        grouped = config.read_text()
        config.write_text("".join(line for line in grouped.splitlines(True) if not line.startswith("group:")))
        alone.start()
        s.write(random.Random(1), 400)
        s.settled("a")
        s.early = Reader("orang")  # of a store that was of no group yet: its numbers go on
        s.early.poll(alone)
        alone.stop()
        config.write_text(grouped)
        alone.start()
        s.gateway("b").start()
        yield s
    finally:
        s.stop()


def test_two_gateways_have_the_same_rows_and_numbers(stage):
    stage.write(random.Random(2), 400)
    stage.settled("ab")
    stage.equal("ab")
    follow(stage, stage.early, "b", lambda r: r.poll(stage.gateways["b"], wait=0))
    assert stage.early.held == stage.truth("orang") and stage.early.repeats == []
    wait_for(lambda: {stage.role(n)["role"] for n in "ab"} == {"leads", "follows"}, 20, "one to lead, and one to follow")


class Load:
    """Writes all the time, at a pace, until it is ended."""

    def __init__(self, stage, seed):
        self.stage, self.rnd, self.go = stage, random.Random(seed), True
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while self.go:
            self.stage.write(self.rnd, self.rnd.choice((1, 3, 40)))
            time.sleep(self.rnd.random() * 0.03)

    def end(self):
        self.go = False
        self.thread.join()


def follow(stage, reader, name, until, seconds=60):
    """Polls that gateway until until(reader); a gateway that is not there yet is asked again."""
    end = time.monotonic() + seconds
    while not until(reader):
        assert time.monotonic() < end, "the reader does not get on at '%s'" % name
        try:
            reader.poll(stage.gateways[name])
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)


def moving(stage, names, rounds, seed):
    """Each round: readers at one gateway under load, which is killed; on at another, with their cursors."""
    rnd = random.Random(seed)
    readers = [Reader(v) for v in views(stage.p)] + [Reader("orang", key="k1")]
    load = Load(stage, seed)
    try:
        for n in range(rounds):
            here = rnd.choice(names)
            there = rnd.choice([x for x in names if x != here])
            for r in readers:
                enough = r.told + rnd.randrange(1, 6)
                follow(stage, r, here, lambda r, enough=enough: r.told >= enough or r.view != "orang")
            # Who leads is killed in about half of the rounds: a batch of it may be in any state.
            if rnd.random() < 0.3:  # so much at once that a batch is several records
                stage.write(rnd, 800, keys=900)
            stage.gateways[here].kill()
            for r in readers:
                follow(stage, r, there, lambda r: r.poll(stage.gateways[there], wait=0))
            if rnd.random() < TAKEOVERS and len(names) > 1:
                wait_for(lambda: stage.leader() is not None, 30, "another gateway to lead")
            stage.gateways[here].start()
    finally:
        load.end()
    stage.settled(names)
    for r in readers:
        r.poll(stage.gateways[rnd.choice(names)], wait=0)
        follow(stage, r, rnd.choice(names), lambda r: r.poll(stage.gateways[there], wait=0))
        truth = stage.truth(r.view)
        if r.key:
            truth = {k: v for k, v in truth.items() if v["kel"] == r.key}
        assert r.held == truth, (r.view, r.key)
        assert r.repeats == [], (r.view, r.key, r.repeats[:5])
    stage.equal(names)
    return readers


def test_readers_go_on_at_another_gateway_when_theirs_is_killed(stage):
    moving(stage, "ab", ROUNDS, SEED)


def test_another_takes_over_when_the_leader_is_gone(stage):
    leader = wait_for(stage.leader, 30, "a leader")
    other = "a" if leader == "b" else "b"
    reader = Reader("orang")
    follow(stage, reader, leader, lambda r: r.poll(stage.gateways[leader], wait=0))
    stage.gateways[leader].kill()
    stage.write(random.Random(3), 50)  # while nobody leads: it waits
    wait_for(lambda: stage.role(other)["role"] == "leads", 30, "'%s' to lead" % other)
    stage.write(random.Random(4), 50)
    stage.settled([other])
    follow(stage, reader, other, lambda r: r.poll(stage.gateways[other], wait=0))
    assert reader.held == stage.truth("orang") and reader.repeats == []
    stage.gateways[leader].start()
    stage.settled("ab")
    stage.equal("ab")
    wait_for(lambda: stage.role(leader)["role"] == "follows", 20, "who comes back to follow")


def test_a_leader_that_slept_does_not_lead_any_more(stage):
    """It was stopped in the middle, another leads; once awake it finds that out before it shows anybody anything."""
    leader = wait_for(stage.leader, 30, "a leader")
    other = "a" if leader == "b" else "b"
    load = Load(stage, 5)
    try:
        time.sleep(0.3)
        stage.gateways[leader].signal(signal.SIGSTOP)
        try:
            wait_for(lambda: stage.role(other)["role"] == "leads", 30, "'%s' to lead" % other)
            time.sleep(0.5)
        finally:
            stage.gateways[leader].signal(signal.SIGCONT)
        wait_for(lambda: stage.role(leader)["role"] == "follows", 30, "'%s' to follow" % leader)
    finally:
        load.end()
    stage.settled("ab")
    stage.equal("ab")


def test_a_third_copies_and_a_lost_disk_is_copied_again(stage):
    third = stage.gateway("c")
    load = Load(stage, 6)
    try:
        third.start()
        reader = Reader("penuh")
        follow(stage, reader, "c", lambda r: r.poll(third, wait=0))
        third.kill()
        for f in third.dir.glob("city.db*"):
            shutil.rmtree(f) if f.is_dir() else f.unlink()
        stage.write(random.Random(8), 30)
        third.start()
        follow(stage, reader, "c", lambda r: r.poll(third, wait=0))
    finally:
        load.end()
    stage.settled("abc")
    stage.equal("abc")
    follow(stage, reader, "a", lambda r: r.poll(stage.gateways["a"], wait=0))
    assert reader.held == stage.truth("penuh") and reader.repeats == []
    assert third.log().count("id=group.copied") == 2
    third.stop()
    del stage.gateways["c"]


def test_a_copy_of_the_store_is_for_gateways_of_the_group_alone(stage):
    own = stage.gateways["a"]
    for head in ({}, {"Authorization": "Bearer " + own.key}, {"Authorization": "Titian-Group 1.00"}):
        request = urllib.request.Request(own.ops + "/v1/group/store", headers=head)
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=10)
        assert refused.value.code == 401


BARU = """/*---
name: baru
key: id
%scolumns:
  id: {type: text, pdp: P}
  hasil: {type: int, pdp: N}
---*/
SELECT o._key AS id, o.n * %d AS hasil FROM uji_duaorang o WHERE o.n %% 3 <> %d
"""


def define(stage, name, view, text):
    """Asked of any gateway, it comes to run on all."""
    status, _, body = stage.gateways[name].request("/v1/views/%s?apply=true" % view, method="PUT", body=text.encode(),
                                                   headers={"Content-Type": "application/sql"})
    assert status in (200, 202), (status, body[:500])

    def everywhere():
        return all(g.request("/v1/views/%s/definition" % view)[2].decode() == text and
                   g.get("/v1/views/%s/state" % view)["state"] == "running" for g in stage.gateways.values())
    wait_for(everywhere, 40, "'%s' to run everywhere" % view)


@pytest.mark.parametrize("seed", range(int(os.environ.get("SOAK_DEFINITIONS", "1"))))
def test_definitions_are_switched_at_one_place_in_the_order(stage, seed):
    follower = "a" if stage.leader() == "b" else "b"
    load = Load(stage, 900 + seed)
    reader = Reader("baru")
    steps = [("", 2, 0), ("", 3, 1), ("store: full\n", 3, 2), ("scope: [hasil]\n", 5, 2)]
    try:
        for i, step in enumerate(steps):
            define(stage, follower, "baru", BARU % step)
            where = "ab"[i % 2]
            follow(stage, reader, where, lambda r: r.poll(stage.gateways[where], wait=0))
    finally:
        load.end()
    stage.settled("ab")
    truth = {k: {"id": k, "hasil": r["n"] * 5} for k, r in stage.held[0].items() if r["n"] % 3 != 2}
    for name in "ab":
        wait_for(lambda: {r["id"]: r for r in stage.gateways[name].get("/v1/views/baru?limit=1000")} == truth, 20,
                 "baru on '%s'" % name)
    follow(stage, reader, "a", lambda r: r.poll(stage.gateways["a"], wait=0))
    assert reader.held == truth and reader.repeats == []
    wait_for(lambda: feed(stage.gateways["a"], "baru") == feed(stage.gateways["b"], "baru"), 20, "the feeds to be equal")
    status, _, body = stage.gateways["a"].request("/v1/views/baru?apply=true", method="DELETE")
    assert status in (200, 202), body[:300]
    for name in "ab":
        wait_for(lambda: stage.gateways[name].request("/v1/views/baru")[0] == 404, 20, "baru to be gone")
    stage.equal("ab")


def test_schemas_are_taken_up_at_one_place_in_the_order(stage):
    """A field with a plain default: in place. One of a logical type: the topic is read again, under load."""
    def newer(*more):
        with stage.lock:
            return stage.topics[0].register(dict(ORANG, fields=ORANG["fields"] + list(more)))
    tua = {"name": "tua", "type": ["null", "int"], "default": None}
    lahir = {"name": "lahir", "type": {"type": "int", "logicalType": "date"}, "default": 0}
    load = Load(stage, 10)
    try:
        for fields in ([tua], [tua, lahir]):
            new = newer(*fields)
            for name in "ab":
                wait_for(lambda: [t for t in stage.gateways[name].get("/v1/topics")["topics"]
                                  if t["topic"] == stage.topics[0].name][0]["schema"] == new, 30, "schema %d" % new)
    finally:
        load.end()
    stage.settled("ab")
    stage.equal("ab")
    define(stage, "b", "umur", """/*---
name: umur
key: id
columns:
  id: {type: text, pdp: P}
  lahir: {type: text, pdp: N}
---*/
SELECT o._key AS id, o.lahir FROM uji_duaorang o
""")
    for name in "ab":
        assert {r["lahir"] for r in stage.gateways[name].get("/v1/views/umur?limit=1000")} == {"1970-01-01"}
    stage.equal("ab")


def test_a_batch_that_was_never_ended_is_passed_over(stage):
    """The leader dies between two records of a batch: here, the first one is written in its name."""
    from confluent_kafka import Consumer, Producer, TopicPartition
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    topic = "_group_%s" % stage.name
    key = AESGCM(hmac.digest(bytes.fromhex(stage.key.read_text()), b"group", "sha256"))

    def number(at, i):
        value = shift = 0
        while True:
            value |= (at[i] & 0x7F) << shift
            shift, i = shift + 7, i + 1
            if at[i - 1] < 0x80:
                return value, i

    def leb(v):
        return bytes([v & 0x7F | 0x80]) + leb(v >> 7) if v > 0x7F else bytes([v])
    leader = wait_for(stage.leader, 30, "a leader")
    other = "a" if leader == "b" else "b"
    stage.settled("ab")
    reader = Consumer({"bootstrap.servers": stage.city.bootstrap, "group.id": "uji"})
    reader.assign([TopicPartition(topic, 0, 0)])
    end = reader.get_watermark_offsets(TopicPartition(topic, 0), timeout=10)[1]  # signs of life go on coming
    last, m = None, None
    while not m or m.offset() < end - 1:
        m = reader.poll(60)
        assert m and not m.error()
        plain = key.decrypt(m.value()[1:13], m.value()[13:], b"titian-group")
        if plain[:1] in b"CB":
            values, i = [], 1
            for _ in range(4):
                v, i = number(plain, i)
                values.append(v)
            last = values if plain[:1] == b"B" or not last or values[1] > last[1] else last
    reader.close()
    node, epoch, store, n = last
    stage.gateways[leader].kill()
    nonce = os.urandom(12)
    part = b"B" + leb(node) + leb(epoch) + leb(store) + leb(n + 1) + leb(0) + b"\0" + b"V" + leb(5) + b"orang" + \
        b"d" + leb(10 ** 9) + leb(2) + b"o1"
    writer = Producer({"bootstrap.servers": stage.city.bootstrap})
    writer.produce(topic, b"\1" + nonce + key.encrypt(nonce, part, b"titian-group"), partition=0)
    assert writer.flush(10) == 0
    stage.write(random.Random(12), 100)
    wait_for(lambda: stage.role(other)["role"] == "leads", 40, "'%s' to lead" % other)
    wait_for(lambda: "a batch was not ended" in stage.gateways[other].log(), 20, "a word about the batch")
    stage.settled([other])
    stage.gateways[leader].start()
    stage.settled("ab")
    stage.equal("ab")
