"""A gateway whose topic of consumers cannot be followed yet: it starts, serves its views, says what it waits for, and serves consumers
once the topic is mended, without being started again."""
import json
import urllib.request
import uuid

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
POLICY = "readers: {uji: {views: {buka: {}}, topics: {%s: {clear: ['*']}}, groups: ['*']}}\n" % NAME
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
