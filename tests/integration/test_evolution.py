"""An input's schema and partitions change while the gateway runs: Confluent's client writes, a fold in Python says what
the view must show."""
import io
import json
import struct
import urllib.request

import fastavro
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic

from conftest import wait_for
from test_definitions import Gateway, put, runs, state

TOPIC = "pku.uji.orang.v1"
BASE = [{"name": "id", "type": "string"}, {"name": "kel", "type": "string"}]


def schema(*fields):
    return {"type": "record", "name": "Orang", "namespace": "pku.uji", "x_jenis": "register", "x_kunci": "id",
            "fields": BASE + list(fields)}


def view(*columns):
    return ("/*---\nname: orang\nkey: id\nroutes: {uji_orang: _key}\ncolumns:\n  id: {type: text, pdp: P}\n%s---*/\n"
            "SELECT _key AS id, %s FROM uji_orang\n" % (
                "".join("  %s: {type: %s, pdp: N}\n" % c for c in columns), ", ".join(c[0] for c in columns)))


class City:
    """The test's own gateway, with what test_definitions asks of a city."""

    def __init__(self, gateway, key):
        self.gateway = gateway
        self.city = type("Reader", (), {"url": gateway.url, "key": key})()

    def request(self, path, **more):
        return self.gateway.request(path, **more)


class Writer:
    def __init__(self, sample):
        self.sample = sample
        self.admin = AdminClient({"bootstrap.servers": sample.bootstrap})
        self.producer = Producer({"bootstrap.servers": sample.bootstrap})
        self.rows, self.schema, self.id = {}, None, None

    def register(self, schema):
        request = urllib.request.Request("%s/subjects/%s-value/versions" % (self.sample.registry, TOPIC),
                                         json.dumps({"schema": json.dumps(schema)}).encode(),
                                         {"Content-Type": "application/vnd.schemaregistry.v1+json"})
        with urllib.request.urlopen(request) as answer:
            self.id = json.load(answer)["id"]
        self.schema = fastavro.parse_schema(schema)

    def compatibility(self, level):
        urllib.request.urlopen(urllib.request.Request(
            "%s/config/%s-value" % (self.sample.registry, TOPIC), json.dumps({"compatibility": level}).encode(),
            {"Content-Type": "application/vnd.schemaregistry.v1+json"}, method="PUT")).close()

    def put(self, partition, **row):
        out = io.BytesIO(struct.pack(">bI", 0, self.id))
        out.seek(5)
        fastavro.schemaless_writer(out, self.schema, row)
        self.producer.produce(TOPIC, out.getvalue(), row["id"], partition=partition)
        self.rows[row["id"]] = row

    def flush(self):
        assert self.producer.flush(20) == 0


@pytest.fixture(scope="module")
def writer(sample):
    w = Writer(sample)
    for future in w.admin.create_topics([NewTopic(TOPIC, 1, 1)]).values():
        future.result(20)
    w.register(schema({"name": "umur", "type": "int"}))
    yield w
    for path in "config/%s-value", "subjects/%s-value", "subjects/%s-value?permanent=true":  # as it was
        urllib.request.urlopen(urllib.request.Request("%s/%s" % (sample.registry, path % TOPIC), method="DELETE")).close()
    for future in w.admin.delete_topics([TOPIC, "_titian_views_uji"]).values():
        future.result(20)


@pytest.fixture(scope="module")
def city(sample, writer):
    gateway = Gateway(sample, "evolution")
    text = gateway.conf.read_text()
    head = text[:text.index("topics:")]
    views = gateway.dir / "views"
    views.mkdir()
    policy = gateway.dir / "policy.yaml"
    policy.write_text("readers:\n  demo:\n    status: true\n    define: true\n    views:\n      \"*\": {clear: [\"*\"]}\n")
    lines = []
    for line in head.splitlines():
        if line.startswith("  dir: "):
            line = "  dir: %s" % views
        if line.startswith("  policy: "):
            line = "  policy: %s" % policy
        lines.append(line)
    gateway.conf.write_text("\n".join(lines) + "\ndefinitions:\n  topic: _titian_views_uji\ntopics:\n  - %s\n" % TOPIC)
    gateway.start().ready()
    yield City(gateway, sample.city.key)
    gateway.stop()


def shows(city, writer, *columns, view="orang"):
    """The page is what was written, read with the schema of now."""
    want = {k: {c: r.get(c) for c in ("id",) + columns} for k, r in writer.rows.items()}

    def same():
        status, _, body = city.request("/v1/views/%s?limit=10000" % view)
        return status == 200 and {r["id"]: r for r in json.loads(body)} == want

    wait_for(same, 30, "the view to show %d rows with %s" % (len(want), ", ".join(columns)))


def topic(city):
    return json.loads(city.request("/v1/topics")[2])["topics"][0]


def test_fields_types_and_partitions_come_while_it_runs(sample, writer, city):
    for i in range(200):
        writer.put(0, id="o%03d" % i, kel="k%d" % (i % 5), umur=i)
    writer.flush()
    text = view(("kel", "text"), ("umur", "int"))
    assert put(city, text, "orang")[0] == 202
    runs(city, text, "orang")
    shows(city, writer, "kel", "umur")
    first = topic(city)["schema"]

    # A field more, with a default: records that have it and a view that reads it need no restart.
    writer.register(schema({"name": "umur", "type": "int"}, {"name": "hp", "type": ["null", "string"], "default": None}))
    for i in range(50):
        writer.put(0, id="o%03d" % i, kel="baru", umur=i, hp="08%d" % i)
    writer.flush()
    shows(city, writer, "kel", "umur")
    text = view(("kel", "text"), ("umur", "int"), ("hp", "text"))
    assert put(city, text, "orang")[0] == 202
    runs(city, text, "orang")
    shows(city, writer, "kel", "umur", "hp")
    assert topic(city)["schema"] == writer.id != first and topic(city)["undecodable"] == 0

    # Another type of column: the topic is read again, and nothing is missing or doubled.
    applied = topic(city)["applied"]
    writer.register(schema({"name": "umur", "type": "double"}, {"name": "hp", "type": ["null", "string"], "default": None}))
    wait_for(lambda: topic(city)["schema"] == writer.id, 30, "the table to be filled with the newer schema")
    writer.put(0, id="o007", kel="k7", umur=7.5, hp=None)
    writer.flush()
    text = view(("kel", "text"), ("umur", "real"), ("hp", "text"))
    assert put(city, text, "orang")[0] == 202
    runs(city, text, "orang")
    shows(city, writer, "kel", "umur", "hp")
    assert topic(city)["applied"] == applied + 1

    # Two partitions more.
    for future in writer.admin.create_partitions([NewPartitions(TOPIC, 3)]).values():
        future.result(20)

    def written():
        try:
            return 2 in writer.admin.list_topics(TOPIC, 5).topics[TOPIC].partitions
        except KeyError:
            return False

    wait_for(written, 20, "the partitions")
    writer.producer = Producer({"bootstrap.servers": sample.bootstrap})
    for i in range(300, 340):
        writer.put(1 + i % 2, id="o%03d" % i, kel="k3", umur=float(i), hp=None)
    writer.flush()
    shows(city, writer, "kel", "umur", "hp")

    # What a view reads does not go from under it.
    writer.compatibility("NONE")
    was = topic(city)["schema"]
    writer.register(schema({"name": "hp", "type": ["null", "string"], "default": None}))
    wait_for(lambda: topic(city)["schema_held"], 20, "the schema to be held back")
    assert "umur" in topic(city)["schema_held"] and topic(city)["schema"] == was
    assert state(city, "orang")["state"] == "running"
    shows(city, writer, "kel", "umur", "hp")
    text = view(("kel", "text"), ("hp", "text"))
    assert put(city, text, "orang")[0] == 202
    wait_for(lambda: not topic(city)["schema_held"] and topic(city)["schema"] == writer.id, 30, "the schema to be taken up")
    writer.put(2, id="o999", kel="k9", hp="1")
    writer.flush()
    shows(city, writer, "kel", "hp")
