"""titian-registry against the clients it is made for: Confluent's own, and plain HTTP for shapes and codes.

The registry is one of the test's own, on a topic of its own in the city's Kafka, or in any other:
    TITIAN_BOOTSTRAP=127.0.0.1:9092 pytest tests/integration/test_registry.py
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import time
import urllib.error
import urllib.request
import uuid

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic
from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.schema_registry.schema_registry_client import ConfigCompatibilityLevel, ServerConfig
from confluent_kafka.serialization import MessageField, SerializationContext

from conftest import cpu_s, free_ports, wait_for

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("TITIAN_BIN", ROOT / "build/release/bin"))
TYPE = "application/vnd.schemaregistry.v1+json"


def record(*fields, name="R"):
    return json.dumps({"type": "record", "name": name, "fields": list(fields)})


A = {"name": "a", "type": "string"}
B = {"name": "b", "type": "int"}
B_DEFAULT = {"name": "b", "type": "int", "default": 7}


class Registry:
    def __init__(self, bootstrap, topic, folder):
        self.bootstrap, self.topic, self.folder, self.process = bootstrap, topic, folder, None
        self.port = free_ports(1)
        self.url = "http://127.0.0.1:%d" % self.port

    def start(self):
        log = open(self.folder / "registry.log", "a")
        self.process = subprocess.Popen(
            [BIN / "titian-registry", "--set", "kafka.bootstrap=" + self.bootstrap, "--set", "registry.topic=" + self.topic,
             "--set", "http.port=%d" % self.port], stderr=log)

        def takes_changes():  # ready is who can be read from; a node writes somewhat later
            assert self.process.poll() is None, (self.folder / "registry.log").read_text()
            try:
                return self.get("/readyz")[0] == 200 and self.get("/master_available")[1] == {"master_available": True}
            except OSError:
                return False
        wait_for(takes_changes, 60, "the registry to take changes")
        return self

    def kill(self, how=signal.SIGKILL):
        self.process.send_signal(how)
        return self.process.wait(30)

    def ask(self, method, path, body=None):
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": TYPE}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                status, headers, text = answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as e:
            status, headers, text = e.code, e.headers, e.read()
        if status != 204 and not path.startswith(("/master_available", "/healthz", "/readyz", "/metrics", "/_health")):
            assert headers["Content-Type"] == TYPE
        return status, json.loads(text) if text.strip()[:1] in b'{["0123456789' and text.strip() else text.decode()

    def get(self, path):
        return self.ask("GET", path)

    def register(self, subject, text, **more):
        return self.ask("POST", "/subjects/%s/versions" % subject, {"schema": text, **more})


@pytest.fixture(scope="module")
def kafka(request):
    return os.environ.get("TITIAN_BOOTSTRAP") or request.getfixturevalue("bootstrap")


@pytest.fixture(scope="module")
def registry(kafka, tmp_path_factory):
    r = Registry(kafka, "_schemas_test_%d_%d" % (os.getpid(), time.time()), tmp_path_factory.mktemp("registry")).start()
    yield r
    if r.process.poll() is None:
        assert r.kill(signal.SIGTERM) == 0


@pytest.fixture
def client(registry):
    return SchemaRegistryClient({"url": registry.url})


def refused(code, answer):
    status, body = answer
    assert (status, body["error_code"]) == (int(str(code)[:3]), code), body
    return body["message"]


def test_registers_looks_up_and_lists(registry, client):
    v1 = client.register_schema("city-value", Schema(record(A), "AVRO"))
    v2 = client.register_schema("city-value", Schema(record(A, B_DEFAULT), "AVRO"))
    assert v2 == v1 + 1
    assert client.register_schema("city-value", Schema(record(A), "AVRO")) == v1
    assert client.register_schema("other-value", Schema(record(A), "AVRO")) == v1, "one text, one id"
    assert client.get_versions("city-value") == [1, 2]
    assert json.loads(client.get_schema(v1).schema_str) == json.loads(record(A))
    assert client.get_latest_version("city-value").version == 2
    assert client.get_version("city-value", 1).schema_id == v1
    assert client.lookup_schema("city-value", Schema(record(A, B_DEFAULT), "AVRO")).version == 2
    assert {"city-value", "other-value"} <= set(client.get_subjects())
    assert client.get_subjects_by_schema_id(v1) == ["city-value", "other-value"]
    assert [(s.subject, s.version) for s in client.get_schema_versions(v1)] == [("city-value", 1), ("other-value", 1)]
    assert set(client.get_schema_types()) == {"AVRO", "JSON", "PROTOBUF"}
    assert client.get_contexts() == ["."]
    assert registry.get("/")[1] == {}
    assert registry.get("/schemas/ids/%d/schema" % v1)[1] == json.loads(record(A))
    assert [s["version"] for s in registry.get("/schemas?subjectPrefix=city")[1]] == [1, 2]
    assert [s["version"] for s in registry.get("/schemas?subjectPrefix=city&latestOnly=true")[1]] == [2]
    assert registry.get("/subjects?subjectPrefix=city&limit=1")[1] == ["city-value"]
    assert registry.get("/schemas/ids/%d?fetchMaxId=true" % v1)[1]["maxId"] >= v2
    whole = registry.get("/subjects/city-value/versions/1")[1]
    assert whole.pop("ts") > 1_600_000_000_000
    guid = str(uuid.UUID(bytes=hashlib.md5(client.get_schema(v1).schema_str.encode()).digest()))
    assert whole == {"subject": "city-value", "version": 1, "id": v1, "guid": guid, "schemaType": "AVRO",
                     "schema": client.get_schema(v1).schema_str, "deleted": False}


def test_the_text_is_what_java_gives(registry):
    status, body = registry.register("text", '{ "fields" : [ ], "name" : "n.T", "type" : "record" }')
    assert status == 200
    text = registry.get("/schemas/ids/%d" % body["id"])[1]["schema"]
    assert text == '{"type":"record","name":"T","namespace":"n","fields":[]}'
    assert registry.register("text", text)[1]["id"] == body["id"]


def test_references_that_lead_to_too_much_are_refused_at_once(registry):
    def layer(name, n, doc, refs=0, below=""):
        references = [{"name": "%s%d" % (below, i), "subject": "%s%d" % (below, i), "version": 1} for i in range(refs)]
        for i in range(n):
            text = json.dumps({"type": "record", "name": "%s%d" % (name, i), "doc": doc, "fields": []})
            answer = registry.register("%s%d" % (name, i), text, references=references)
        return answer
    assert layer("Small", 64, "")[0] == 200
    assert layer("Above", 1, "", 64, "Small")[0] == 200
    assert layer("Large", 12, "x" * 100_000)[0] == 200
    assert layer("Few", 1, "", 10, "Large")[0] == 200
    start = cpu_s(registry.process.pid)
    assert "together longer than" in refused(42209, layer("Bomb", 1, "", 12, "Large"))
    assert cpu_s(registry.process.pid) - start < 3


def test_refuses_incompatible_schemas_with_the_reason(registry, client):
    client.register_schema("strict-value", Schema(record(A), "AVRO"))
    assert client.test_compatibility("strict-value", Schema(record(A, B_DEFAULT), "AVRO"))
    assert not client.test_compatibility("strict-value", Schema(record(A, B), "AVRO"))
    assert not client.test_compatibility_all_versions("strict-value", Schema(record(A, B), "AVRO"))
    assert client.test_compatibility("unknown-value", Schema(record(A, B), "AVRO"))
    with pytest.raises(SchemaRegistryError) as e:
        client.register_schema("strict-value", Schema(record(A, B), "AVRO"))
    assert (e.value.http_status_code, e.value.error_code) == (409, 40901)
    assert e.value.error_message.startswith(
        'Schema being registered is incompatible with an earlier schema for subject "strict-value", details: '
        "[{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field 'b' at path '/fields/1' in the new "
        "schema has no default value and is missing in the old schema', additionalInfo:'b'}, {oldSchemaVersion: 1}, ")
    body = registry.ask("POST", "/compatibility/subjects/strict-value/versions/latest?verbose=true",
                        {"schema": record(A, B)})[1]
    assert body["is_compatible"] is False and "READER_FIELD_MISSING_DEFAULT_VALUE" in body["messages"][0]
    assert client.get_versions("strict-value") == [1]
    refused(40402, registry.ask("POST", "/compatibility/subjects/strict-value/versions/9", {"schema": record(A)}))


def test_levels_are_set_globally_and_for_a_subject(registry, client):
    assert client.get_compatibility() == "BACKWARD"
    refused(40408, registry.get("/config/level-value"))
    assert registry.get("/config/level-value?defaultToGlobal=true")[1] == {"compatibilityLevel": "BACKWARD"}
    client.register_schema("level-value", Schema(record(A), "AVRO"))
    assert client.set_compatibility("level-value", "NONE") == {"compatibility": "NONE"}
    client.register_schema("level-value", Schema(record(A, B), "AVRO"))
    client.set_config("level-value", ServerConfig(compatibility=ConfigCompatibilityLevel.FORWARD))
    assert client.get_config("level-value").compatibility_level == ConfigCompatibilityLevel.FORWARD
    with pytest.raises(SchemaRegistryError) as e:
        client.register_schema("level-value", Schema(record({"name": "c", "type": "int"}), "AVRO"))
    assert e.value.http_status_code == 409 and "in the old schema has no default" in e.value.error_message
    client.set_compatibility(level="FULL")
    assert client.get_compatibility() == "FULL"
    assert registry.ask("DELETE", "/config/level-value")[1] == {"compatibilityLevel": "FORWARD"}
    refused(40408, registry.get("/config/level-value"))
    refused(40401, registry.ask("DELETE", "/config/level-value"))
    assert registry.ask("DELETE", "/config")[0] == 200
    assert client.get_compatibility() == "BACKWARD"
    refused(42203, registry.ask("PUT", "/config", {"compatibility": "SIDEWAYS"}))
    assert registry.ask("PUT", "/config", {}) == (200, {}), "says nothing, changes nothing"
    registry.ask("DELETE", "/config")


def test_deletes_softly_then_for_good(registry, client):
    for text in (record(A), record(A, B_DEFAULT)):
        client.register_schema("gone-value", Schema(text, "AVRO"))
    first, second = (registry.get("/subjects/gone-value/versions/%d" % v)[1]["id"] for v in (1, 2))
    refused(40407, registry.ask("DELETE", "/subjects/gone-value/versions/1?permanent=true"))
    assert client.delete_version("gone-value", 1) == 1
    refused(40406, registry.ask("DELETE", "/subjects/gone-value/versions/1"))
    refused(40402, registry.get("/subjects/gone-value/versions/1"))
    assert registry.get("/subjects/gone-value/versions/1?deleted=true")[1]["deleted"] is True
    assert registry.get("/subjects/gone-value/versions?deleted=true")[1] == [1, 2]
    assert registry.get("/schemas/ids/%d" % first)[0] == 200, "an id is for ever"
    refused(40403, registry.ask("POST", "/subjects/gone-value", {"schema": record(A)}))
    assert registry.ask("POST", "/subjects/gone-value?deleted=true", {"schema": record(A)})[1]["version"] == 1
    again = registry.register("gone-value", record(A))[1]
    assert (again["id"], again["version"]) == (first, 3), "the same id, a new version"
    assert client.delete_subject("gone-value") == [2, 3]
    refused(40404, registry.ask("DELETE", "/subjects/gone-value"))
    refused(40401, registry.get("/subjects/gone-value/versions"))
    assert "gone-value" not in client.get_subjects()
    assert "gone-value" in registry.get("/subjects?deleted=true")[1]
    assert registry.get("/subjects?deletedOnly=true&subjectPrefix=gone")[1] == ["gone-value"]
    assert client.delete_subject("gone-value", permanent=True) == [2, 3], "version 1 went when its schema came again"
    refused(40401, registry.ask("DELETE", "/subjects/gone-value?permanent=true"))
    fresh = client.register_schema("fresh-value", Schema(record(A, B, name="Fresh"), "AVRO"))
    assert fresh > max(first, second), "ids are not given twice"


def test_references_are_resolved_and_guarded(registry, client):
    client.register_schema("part", Schema(record(A, name="x.Part"), "AVRO"))
    whole = Schema(record({"name": "p", "type": "x.Part"}, name="x.Whole"), "AVRO", [SchemaReference("x.Part", "part", 1)])
    number = client.register_schema("whole", whole)
    assert registry.get("/schemas/ids/%d" % number)[1]["references"] == [{"name": "x.Part", "subject": "part", "version": 1}]
    assert registry.get("/subjects/part/versions/1/referencedby")[1] == [number]
    refused(42206, registry.ask("DELETE", "/subjects/part"))
    refused(42206, registry.ask("DELETE", "/subjects/part/versions/1"))
    refused(42201, registry.register("w", record({"name": "p", "type": "x.Part"})))
    refused(42201, registry.register("w", record(), references=[{"name": "x", "subject": "none", "version": 1}]))


def test_metadata_and_rules_are_kept(registry):
    more = {"metadata": {"properties": {"owner": "dinkes"}},
            "ruleSet": {"domainRules": [{"name": "r", "kind": "CONDITION", "mode": "WRITE", "type": "CEL", "expr": "true"}]}}
    plain = registry.register("meta", record(name="M"))[1]
    rich = registry.register("meta", record(name="M"), surprise=[1], **more)[1]
    assert rich["id"] != plain["id"] and rich["version"] == 2
    kept = registry.get("/subjects/meta/versions/2")[1]
    more["ruleSet"]["domainRules"][0]["disabled"] = False  # as Confluent's Rule writes it
    assert {k: kept[k] for k in more} == more


def test_modes(registry, client):
    assert client.get_global_mode() == "READWRITE"
    refused(40409, registry.get("/mode/locked"))
    assert registry.ask("PUT", "/mode/locked", {"mode": "READONLY"})[1] == {"mode": "READONLY"}
    refused(42205, registry.register("locked", record(A)))
    refused(42204, registry.ask("PUT", "/mode/locked", {"mode": "SIDEWAYS"}))
    assert registry.ask("DELETE", "/mode/locked")[0] == 200
    assert registry.register("locked", record(A))[0] == 200


def test_says_what_is_wrong_in_confluents_words(registry):
    registry.register("errors", record(A))
    assert refused(40401, registry.get("/subjects/none/versions")) == "Subject 'none' not found."
    assert refused(40402, registry.get("/subjects/errors/versions/9")) == "Version 9 not found."
    assert refused(40401, registry.get("/subjects/none/versions/1")) == "Subject 'none' not found."
    assert refused(40403, registry.get("/schemas/ids/99999")) == "Schema 99999 not found"
    assert refused(40403, registry.ask("POST", "/subjects/errors", {"schema": record(B)})) == "Schema not found"
    assert refused(40401, registry.ask("POST", "/subjects/none", {"schema": record(B)})) == "Subject 'none' not found."
    for version in ("0", "x", "-2", "99999999999"):
        assert refused(42202, registry.get("/subjects/errors/versions/" + version)).startswith(
            "The specified version '%s' is not a valid version id." % version)
    for text in ("{", '{"type":"recrd"}', '"nosuch"', record({"name": "a-b", "type": "int"}),
                 record({"name": "a", "type": "int", "default": "x"}), ""):
        refused(42201, registry.register("errors2", text))
    refused(42201, registry.register("errors2", '{"type":"object"}', schemaType="XML"))
    refused(400, registry.ask("POST", "/subjects/errors/versions", b"not json"))
    refused(404, registry.get("/nowhere"))
    refused(405, registry.ask("PUT", "/subjects"))
    refused(42209, registry.register("errors2", json.dumps("x" * 1_200_000)))
    refused(413, registry.ask("POST", "/subjects/errors/versions", b"x" * 3_000_000))


def test_a_subject_may_have_any_characters(registry, client):
    for subject in ("a/b", "a b?c=d&e", "sekolah-é", "%2F"):
        client.register_schema(subject, Schema(record(A, name="Odd"), "AVRO"))
        assert client.get_latest_version(subject).subject == subject
        assert subject in client.get_subjects()


def test_avro_serializers_work_through_it(registry, client, kafka):
    topic = "registry-test-%d" % time.time()
    context = SerializationContext(topic, MessageField.VALUE)
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(30)
    write_old = AvroSerializer(client, record(A))
    producer = Producer({"bootstrap.servers": kafka})
    producer.produce(topic, write_old({"a": "x"}, context))
    write_new = AvroSerializer(SchemaRegistryClient({"url": registry.url}), record(A, B_DEFAULT))
    producer.produce(topic, write_new({"a": "y", "b": 3}, context))
    assert producer.flush(30) == 0
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": topic, "auto.offset.reset": "earliest"})
    consumer.assign([TopicPartition(topic, 0, 0)])
    read = AvroDeserializer(SchemaRegistryClient({"url": registry.url}), record(A, B_DEFAULT))
    got, end = [], time.monotonic() + 30
    while len(got) < 2 and time.monotonic() < end:
        message = consumer.poll(1)
        if message and not message.error():
            got.append(read(message.value(), context))
    consumer.close()
    assert got == [{"a": "x", "b": 7}, {"a": "y", "b": 3}]


def test_many_writers_get_each_id_once(registry):
    def one(i):
        return registry.register("many-%d" % (i % 4), record({"name": "f%d" % (i // 2), "type": "int", "default": 0}, name="M"))

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(one, range(64)))
    assert {status for status, _ in answers} == {200}
    by_field = {}
    for i, (_, body) in enumerate(answers):
        by_field.setdefault(i // 2, set()).add(body["id"])
    assert all(len(ids) == 1 for ids in by_field.values())
    assert len({ids.pop() for ids in by_field.values()}) == 32


def everything(registry):
    state = {}
    for subject in registry.get("/subjects?deleted=true")[1]:
        path = "/subjects/%s/versions" % urllib.request.quote(subject, safe="")
        for version in registry.get(path + "?deleted=true")[1]:
            state[subject, version] = registry.get(path + "/%d?deleted=true" % version)[1]
    return state


def test_a_killed_registry_comes_back_with_every_id(registry):
    before = everything(registry)
    assert len(before) > 20
    highest = max(v["id"] for v in before.values())
    for i in range(3):
        registry.register("killed", record({"name": "k%d" % i, "type": "int", "default": 0}, name="K"))
        registry.kill()
        registry.start()
    after = everything(registry)
    assert {k: after[k] for k in before} == before
    assert [after["killed", v]["id"] for v in (1, 2, 3)] == [highest + 1, highest + 2, highest + 3]
    # what was deleted for good took its id with it
    last = registry.register("last", record({"name": "z", "type": "int"}, name="Z"))[1]["id"]
    registry.ask("DELETE", "/subjects/last")
    registry.ask("DELETE", "/subjects/last?permanent=true")
    registry.kill()
    registry.start()
    assert registry.register("next", record({"name": "zz", "type": "int"}, name="ZZ"))[1]["id"] == last + 1


def settings_of(kafka, topic):
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    admin = AdminClient({"bootstrap.servers": kafka})
    found = admin.describe_configs([resource])[resource].result(30)
    return {name: entry.value for name, entry in found.items()}


def test_makes_its_topics_and_mends_one_that_is_not_compacted(kafka, tmp_path):
    topic = "_schemas_test_mend_%d_%d" % (os.getpid(), time.time())
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.create_topics([NewTopic(topic, 1, 1, config={"cleanup.policy": "delete", "segment.bytes": "1048576"})])[topic].result(30)
    r = Registry(kafka, topic, tmp_path).start()
    try:
        assert r.register("s", record(A))[0] == 200
        kept = settings_of(kafka, topic)
        assert (kept["cleanup.policy"], kept["segment.bytes"]) == ("compact", "1048576"), "mended, and nothing else changed"
        assert settings_of(kafka, topic + "_nodes")["cleanup.policy"] == "compact"
        assert "registry.topic_mended" in (tmp_path / "registry.log").read_text()
    finally:
        assert r.kill(signal.SIGTERM) == 0


def test_refuses_a_topic_of_several_partitions(kafka, tmp_path):
    topic = "_schemas_test_wide_%d_%d" % (os.getpid(), time.time())
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.create_topics([NewTopic(topic, 2, 1)])[topic].result(30)
    run = subprocess.run([BIN / "titian-registry", "--set", "kafka.bootstrap=" + kafka, "--set", "registry.topic=" + topic,
                          "--set", "http.port=%d" % free_ports(1)], capture_output=True, text=True, timeout=60)
    assert run.returncode == 2, "a setting to be mended, not a try to be repeated"
    assert "topic '%s' has 2 partitions; the order of all schemas needs one" % topic in run.stderr


def test_health_and_metrics(kafka, tmp_path):
    r = Registry(kafka, "_schemas_test_health_%d_%d" % (os.getpid(), time.time()), tmp_path).start()
    try:
        assert r.get("/healthz")[0] == 200
        r.register("m", record(A))
        text = r.get("/metrics")[1]
        assert 'titian_http_requests_total{program="registry",route="/subjects/{subject}/versions",status="200"} 1' in text
        assert "titian_registry_schemas 1" in text
        assert "titian_registry_is_writer 1" in text and "titian_registry_nodes 1" in text
        assert r.ask("GET", "/master_available")[1] == {"master_available": True}
        status = r.ask("GET", "/_health")[1]
        assert status["healthy"] is True and status["status"]["schema_registry_primary_url"] == r.url
    finally:
        assert r.kill(signal.SIGTERM) == 0
