"""A gateway whose topic of consumers cannot be followed yet: it starts, serves its views, says what it waits for, and serves consumers
once the topic is mended, without being started again. And how much one reader may write into that topic."""
import json
import time
import urllib.request
import uuid

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from conftest import wait_for
from own_gateway import OwnGateway, Topic

NAME = "pku.uji.buka.v1"
SCHEMA = {"type": "record", "name": "Buka", "namespace": "pku.uji", "fields": [{"name": "id", "type": "string", "x_pdp": "N"}]}
VIEW = """/*---
name: buka
key: id
routes: {uji_buka: _key}
columns: {id: {type: text, pdp: P}}
---*/
SELECT _key AS id FROM uji_buka
"""
POLICY = "readers: {uji: {views: {buka: {}}, topics: {%s: {clear: ['*']}}, groups: ['*']}, lain: {views: {}, groups: ['*']}}\n" % NAME
V2 = "application/vnd.kafka.v2+json"


def test_a_topic_of_consumers_that_is_wrong_keeps_nothing_else_from_being_served(apart):
    consumers = "_uji_konsumen_" + uuid.uuid4().hex[:8]
    admin = AdminClient({"bootstrap.servers": apart.bootstrap})
    admin.create_topics([NewTopic(consumers, 2, 1)])[consumers].result(30)  # its order would mean nothing
    topic = Topic(apart, NAME, SCHEMA)
    topic.put("satu", {"id": "satu"})
    topic.flush()
    gateway = OwnGateway(apart, "consumers_open", [topic], {"buka": VIEW}, POLICY, more="restproxy: {topic: %s}\n" % consumers)

    def ready():
        try:
            return json.loads(urllib.request.urlopen(gateway.ops + "/readyz", timeout=5).read())
        except OSError:
            return None

    def create():
        return gateway.request("/consumers/g", accept=V2, method="POST", headers={"Content-Type": V2}, body=b'{"format": "avro"}')
    try:
        gateway.ready = ready
        gateway.start()
        assert ready() == {"status": "ok", "waits": ["restproxy.topic"]} and gateway.metric("titian_consumers_ready") == 0
        assert [r["id"] for r in gateway.get("/v1/views/buka")] == ["satu"]
        for _ in range(2):
            status, head, body = create()
            assert status == 503 and json.loads(body)["error_code"] == 50003 and int(head["Retry-After"]) > 0
            assert head["Content-Type"] == V2
        assert "restproxy.open" in gateway.log()
        admin.delete_topics([consumers])[consumers].result(30)
        wait_for(lambda: create()[0] == 200, 30, "consumers are served")
        wait_for(lambda: ready() == {"status": "ok"}, 5, "readiness says so")
        assert gateway.metric("titian_consumers_ready") == 1
        assert len(admin.list_topics(consumers, 20).topics[consumers].partitions) == 1
    finally:
        gateway.stop()


def test_a_gateway_that_waits_for_it_stops_at_once(apart):
    consumers = "_uji_konsumen_" + uuid.uuid4().hex[:8]
    admin = AdminClient({"bootstrap.servers": apart.bootstrap})
    admin.create_topics([NewTopic(consumers, 2, 1)])[consumers].result(30)
    topic = Topic(apart, "pku.uji.henti.v1", {**SCHEMA, "name": "Henti"})
    gateway = OwnGateway(apart, "consumers_stop", [topic], {"buka": VIEW.replace("uji_buka", "uji_henti")}, POLICY, more="restproxy: {topic: %s}\n" % consumers)
    gateway.ready = lambda: "restproxy.open" in gateway.log() and "titian-gateway.ready" in gateway.log()
    gateway.start()
    gateway.stop()
    assert gateway.process.returncode == 0


def test_who_changes_without_end_is_told_so_and_others_are_not(apart):
    topic = Topic(apart, "pku.uji.batas.v1", {**SCHEMA, "name": "Batas"})
    policy = POLICY.replace(NAME, topic.name)
    gateway = OwnGateway(apart, "consumers_writes", [topic], {"buka": VIEW.replace("uji_buka", "uji_batas")}, policy, readers=("uji", "lain"),
                         more="restproxy: {writes: 6KiB}\n").start()

    def ask(method, path, body=None, reader="uji"):
        return gateway.request("/consumers/" + path, accept=V2, method=method, key=gateway.keys[reader],
                               headers={"Content-Type": V2} if body else {}, body=body and json.dumps(body).encode())

    def until_refused(*what):
        for _ in range(200):
            status, head, body = ask(*what)
            if status == 429:
                assert json.loads(body)["error_code"] == 429 and head["Content-Type"] == V2 and 0 < int(head["Retry-After"]) <= 60
                return
            assert status in (200, 204), (status, body)
        pytest.fail("nothing bounds " + what[1])
    try:
        group = "g" + uuid.uuid4().hex
        for name in ("satu", "dua"):
            assert ask("POST", group, {"name": name, "format": "avro"})[0] == 200
        one = group + "/instances/satu"
        assert ask("POST", one + "/subscription", {"topics": [topic.name]})[0] == 204
        minute = None
        while minute != time.monotonic() // 60:  # counted in whole minutes of this clock: all of it in one
            minute = time.monotonic() // 60
            until_refused("POST", one + "/offsets", {"offsets": [{"topic": topic.name, "partition": 0, "offset": 1}]})
            said = [ask("POST", group, {"format": "avro"})[0], ask("GET", one + "/records?timeout=0")[0],
                    ask("GET", one + "/subscription")[0], ask("POST", "lain", {"format": "avro"}, reader="lain")[0]]
        assert said == [429, 429, 200, 200]  # what changes nothing is answered, and so is another reader
    finally:
        gateway.stop()
