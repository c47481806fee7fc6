"""Nobody is answered from a view that has not had all its rows once: an empty page would say that the city is empty. A gateway that had
them, and starts again, goes on answering from what it has."""
import json
import random

from confluent_kafka.admin import AdminClient, NewTopic

from conftest import wait_for
from group_stage import Reader, Stage
from own_gateway import OwnGateway, Topic

SCHEMA = {"type": "record", "name": "Utuh", "namespace": "pku.uji", "x_jenis": "register", "x_kunci": "id",
          "fields": [{"name": "id", "type": "string", "x_pdp": "P"}, {"name": "n", "type": "int", "x_pdp": "N"}]}
VIEW = """/*---
name: %s
key: id
store: %s
routes: {uji_utuh: _key}
columns: {id: {type: text, pdp: P}, n: {type: int, pdp: N}}
---*/
SELECT _key AS id, n FROM uji_utuh
"""
POLICY = "readers: {uji: {status: true, define: true, views: {'*': {clear: ['*']}}}}\n"


class Unmade(Topic):
    """Its schema is registered, and Kafka has no such topic: a gateway that reads it waits for as long as that is so."""

    def __init__(self, city, name):  # pylint: disable=super-init-not-called
        self.city, self.name = city, name
        self.register(SCHEMA)

    def make(self):
        admin = AdminClient({"bootstrap.servers": self.city.bootstrap})
        admin.create_topics([NewTopic(self.name, 1, 1)])[self.name].result(30)


def ways(view, key="k1", after=None):
    """Every way of reading it: (path, what request() takes besides)."""
    cursor = "&after=" + after if after else ""
    lines = {"accept": "application/x-ndjson"}
    return [("/v1/views/" + view, {}), ("/rest/v1/" + view, {}), ("/v1/views/%s?limit=0" % view, {"headers": {"Prefer": "count=exact"}}),
            ("/v1/views/" + view, {"accept": "text/csv"}), ("/v1/views/%s.csv" % view, {}), ("/v1/views/%s.ndjson" % view, {}),
            ("/v1/views/%s.parquet" % view, {}), ("/v1/views/%s/%s" % (view, key), {}),
            ("/v1/views/%s/lookup" % view, {"method": "POST", "body": json.dumps({"id": [key]}).encode()}),
            ("/v1/views/%s/changes?until=now%s" % (view, cursor), lines), ("/v1/views/%s/changes?wait=0%s" % (view, cursor), {}),
            ("/v1/views/%s/changes?until=now%s" % (view, cursor), {"accept": "text/event-stream"}),
            ("/v1/views/%s/changes?until=now" % view, {"accept": "text/event-stream", "headers": {"Last-Event-ID": after or "0"}}),
            ("/v1/changes?until=now&views=" + view, lines),
            ("/v1/exports", {"method": "POST", "body": json.dumps({"view": view, "format": "csv"}).encode()})]


def refused(gateway, view, **more):
    for path, how in ways(view, **more):
        status, headers, body = gateway.request(path, **how)
        assert (status, headers["Retry-After"]) == (503, "1"), (path, how, status, body[:200])
        assert json.loads(body)["code"] == "not-ready", (path, body[:200])
        assert headers["ETag"] is None and headers["Titian-Cursor"] is None


def answered(gateway, view, n, **more):
    for path, how in ways(view, **more):
        status, _, body = gateway.request(path, **how)
        assert 200 <= status < 300, (path, how, status, body[:200])
    assert len(gateway.get("/v1/views/" + view)) == n


def checked(gateway, text):
    status, _, body = gateway.request("/v1/views/check", method="POST", body=text.encode())
    assert status == 200, body[:300]
    return json.loads(body)


def listed(gateway):
    return {v["name"]: v["rows"] for v in gateway.get("/v1/views")}


def test_a_first_start_and_a_later_one(apart):
    topic, late, later = Topic(apart, "pku.uji.utuh.v1", SCHEMA), Unmade(apart, "pku.uji.utuhl.v1"), Unmade(apart, "pku.uji.utuhm.v1")
    for i in range(20):
        topic.put("k%d" % i, {"id": "k%d" % i, "n": i})
    topic.flush()
    gateway = OwnGateway(apart, "utuh", [topic, late], {"tipis": VIEW % ("tipis", "thin"), "penuh": VIEW % ("penuh", "full")}, POLICY)
    try:
        gateway.begin()
        for view in "tipis", "penuh":
            refused(gateway, view)
        assert gateway.request("/v1/views/tidak_ada")[0] == 404
        assert gateway.request("/v1/quality")[0] == 503
        assert listed(gateway) == {"tipis": None, "penuh": None}
        assert checked(gateway, VIEW % ("tipis", "thin")).keys() & {"diff", "diff_failed"} == {"diff_failed"}
        late.make()
        gateway.await_ready(20)
        for view in "tipis", "penuh":
            answered(gateway, view, 20)
        assert checked(gateway, VIEW % ("tipis", "thin"))["diff"]["rows_now"] == 20
        gateway.kill()
        # One topic more, which is not there; a view more; one that is another by now, and one that reads that.
        config = gateway.dir / "gateway.yaml"
        config.write_text(config.read_text().replace(late.name, late.name + ", " + later.name))
        (gateway.dir / "views/baru.sql").write_text(VIEW % ("baru", "thin"))
        (gateway.dir / "views/penuh.sql").write_text((VIEW % ("penuh", "full")).replace(" n FROM", " n + 1 AS n FROM"))
        gateway.begin()
        assert not gateway.ready()
        answered(gateway, "tipis", 20)
        refused(gateway, "baru")
        refused(gateway, "penuh")
        later.make()
        gateway.await_ready(20)
        for view in "tipis", "baru", "penuh":
            answered(gateway, view, 20)
        assert gateway.get("/v1/views/penuh/k3")["n"] == 4
    finally:
        gateway.stop()


def test_a_gateway_of_a_group_that_has_no_copy_yet(apart):
    stage = Stage(apart, "utuhg")
    stage.write(random.Random(5), 200)
    try:
        a, b = stage.gateway("a").start(), stage.gateway("b")
        stage.settled("a")
        reader = Reader("orang")
        while not reader.poll(a, wait=0):
            pass
        a.stop()  # nobody to copy from
        b.begin()
        wait_for(lambda: stage.role("b")["role"] == "copies", 20, "the second to look for a copy")
        refused(b, "orang", after=reader.cursor)
        refused(b, "penuh")
        a.start()
        b.await_ready(30)
        held = dict(reader.held)
        assert reader.poll(b, wait=0) and reader.held == held == stage.truth("orang")
        answered(b, "orang", len(held), after=reader.cursor, key=min(held))
    finally:
        stage.stop()
