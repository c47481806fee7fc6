"""What registering does beside the text, as Confluent's source has it where the conformance cases do not reach; and a
topic as Confluent's registry leaves it. Sources: KafkaSchemaRegistry.register(), AbstractSchemaRegistry
(maybeSetMetadataRuleSet, isCompatibleWithPrevious, modifySchemaTags), SchemaValue.java, InMemoryCache.java.
"""
import json
import os
import time

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from conftest import cpu_s, wait_for
from test_registry import A, B, B_DEFAULT, Registry, record, refused


@pytest.fixture(scope="module")
def kafka(request):
    return os.environ.get("TITIAN_BOOTSTRAP") or request.getfixturevalue("bootstrap")


@pytest.fixture(scope="module")
def registry(kafka, tmp_path_factory):
    """On a topic that Confluent's registry has written (8.x, some records of older ones)."""
    topic = "_schemas_rules_%d_%d" % (os.getpid(), time.time())
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.create_topics([NewTopic(topic, 1, 1, config={"cleanup.policy": "compact"})])[topic].result(30)
    producer = Producer({"bootstrap.servers": kafka})

    def put(key, value):
        producer.produce(topic, key=json.dumps(key, separators=(",", ":")),
                         value=None if value is None else json.dumps(value, separators=(",", ":")))

    def schema(subject, version, number, text, magic=1, **more):
        put({"keytype": "SCHEMA", "subject": subject, "version": version, "magic": magic},
            {"subject": subject, "version": version, "id": number, **more, "schema": text, "deleted": False})

    put({"keytype": "NOOP", "magic": 0}, None)
    put({"keytype": "CONFIG", "subject": None, "magic": 0}, {"compatibilityLevel": "FULL"})
    schema("old", 1, 1, '"int"', magic=0)
    schema("old", 2, 2, '"long"', schemaType="AVRO", metadata={"properties": {"owner": "dinkes"}})
    schema(":.cabang:old", 1, 1, '"string"', schemaType="AVRO")
    put({"keytype": "CONTEXT", "tenant": "default", "context": ".cabang", "magic": 0}, {"tenant": "default", "context": ".cabang"})
    schema("json", 1, 7, '{"type":"object"}', schemaType="JSON")
    schema("gone", 1, 9, '"bytes"', schemaType="AVRO")
    put({"keytype": "DELETE_SUBJECT", "subject": "gone", "magic": 0}, {"subject": "gone", "version": 1})
    schema("cleared", 1, 10, '"float"', schemaType="AVRO")
    put({"keytype": "DELETE_SUBJECT", "subject": "cleared", "magic": 0}, {"subject": "cleared", "version": 1})
    put({"keytype": "CLEAR_SUBJECT", "subject": "cleared", "magic": 0}, {"subject": "cleared"})
    put({"keytype": "MODE", "subject": "locked", "magic": 0}, {"subject": "locked", "mode": "READONLY"})
    put({"keytype": "CONFIG", "subject": "named", "magic": 0}, {"subject": "named", "alias": "old", "normalize": True})
    put({"keytype": "ASSOC", "tenant": "default", "resourceName": "t", "magic": 0}, {"guid": "x"})
    assert producer.flush(30) == 0
    r = Registry(kafka, topic, tmp_path_factory.mktemp("rules")).start()
    yield r
    assert r.kill(15) == 0


def test_a_topic_of_confluents_is_read_as_it_stands(registry):
    assert registry.get("/config")[1] == {"compatibilityLevel": "FULL"}
    assert registry.get("/subjects")[1] == [":.cabang:old", "json", "old"]
    assert registry.get("/subjects?deletedOnly=true")[1] == ["gone"]
    assert registry.get("/contexts")[1] == [".", ".cabang"]
    assert registry.get("/subjects/old/versions/2")[1]["metadata"] == {"properties": {"owner": "dinkes"}}
    assert registry.get("/schemas/ids/1")[1]["schema"] == '"int"'
    assert registry.get("/contexts/.cabang/schemas/ids/1")[1]["schema"] == '"string"'
    assert registry.get("/schemas/ids/7")[1]["schemaType"] == "JSON"
    assert registry.get("/schemas/ids/9")[1]["deleted"] is True
    refused(40403, registry.get("/schemas/ids/10"))
    assert registry.get("/config/named")[1] == {"alias": "old", "normalize": True, "compatibilityLevel": "BACKWARD"}
    assert registry.get("/subjects/named/versions")[1] == [1, 2]
    assert refused(42205, registry.register("locked", '"int"')) == "Subject locked in context  is in read-only mode"
    assert registry.register("new", '"double"')[1]["id"] == 11, "10 was given once"


def test_the_version_before_lends_its_metadata(registry):
    more = {"metadata": {"properties": {"owner": "dinkes"}},
            "ruleSet": {"domainRules": [{"name": "r", "kind": "CONDITION", "mode": "WRITE", "type": "CEL", "expr": "true", "disabled": False}]}}
    registry.register("lend", record(A, name="Lend"), **more)
    after = registry.register("lend", record(A, B_DEFAULT, name="Lend"))[1]
    assert {k: after[k] for k in more} == more
    assert registry.register("lend", record(A, B_DEFAULT, name="Lend"))[1]["version"] == 2, "and is found again without it"
    found = registry.ask("POST", "/subjects/lend", {"schema": record(A, B_DEFAULT, name="Lend")})[1]
    assert found["version"] == 2 and found["metadata"] == more["metadata"]


def test_a_version_that_is_asked_for_is_marked(registry):
    first = registry.register("mark", record(A, name="Mark"), version=-1)[1]
    assert (first["version"], first["metadata"]) == (1, {"properties": {"confluent:version": "1"}})
    second = registry.register("mark", record(A, B_DEFAULT, name="Mark"))[1]
    assert second["metadata"] == {"properties": {"confluent:version": "2"}}, "a mark goes on"
    plain = registry.ask("POST", "/subjects/mark", {"schema": record(A, name="Mark")})[1]
    assert plain["version"] == 1, "found without the mark"
    message = refused(42201, registry.register("mark", record(A, B_DEFAULT, {"name": "c", "type": "int", "default": 1}, name="Mark"), version=9))
    assert message == "Version is not one more than previous version"


def test_reserved_fields_are_kept_free_where_fields_are_validated(registry):
    reserved = {"metadata": {"properties": {"confluent:reserved": "x, y"}}}
    registry.ask("PUT", "/config/reserve", {"validateFields": True, "compatibility": "NONE"})
    x = {"name": "x", "type": "int"}
    message = refused(40901, registry.register("reserve", record(x, name="Res"), **reserved))
    assert message == ('Schema being registered is incompatible with an earlier schema for subject "reserve", details: '
                       "[The new schema has field that conflicts with the reserved field x., "
                       "{validateFields: 'true', compatibility: 'NONE'}]")
    assert registry.register("reserve", record(A, name="Res"), **reserved)[0] == 200
    message = refused(40901, registry.register("reserve", record(A, B, name="Res"), metadata={"properties": {"confluent:reserved": "x"}}))
    assert "[The new schema has reserved field y removed from its metadata which is present in the old schema's metadata., " in message
    many = {"metadata": {"properties": {"confluent:reserved": ",".join("n%d" % i for i in range(1001))}}}
    message = refused(40901, registry.register("reserve", record(A, name="Res"), **many))
    assert "[The new schema reserves 1001 fields; at most 1000 can be., " in message


def test_reserved_fields_said_forty_thousand_times_cost_nothing(registry):
    registry.ask("PUT", "/config/again", {"validateFields": True, "compatibility": "NONE"})
    for field in (A, B_DEFAULT):
        start = cpu_s(registry.process.pid)
        assert registry.register("again", record(field, name="Again"),
                                 metadata={"properties": {"confluent:reserved": "z," * 40000}})[0] == 200
        assert cpu_s(registry.process.pid) - start < 3, "each by each it was 11 s"


def test_tags_go_into_the_text_and_along(registry):
    place = {"schemaEntity": {"entityPath": "Tag.a", "entityType": "sr_field"}, "tags": ["PII"]}
    registry.ask("PUT", "/config/tag", {"compatibility": "NONE"})
    one = registry.register("tag", record(A, name="Tag"), schemaTagsToAdd=[place])[1]
    assert json.loads(one["schema"])["fields"][0]["confluent:tags"] == ["PII"]
    two = registry.register("tag", record(A, B, name="Tag"), propagateSchemaTags=True)[1]
    assert json.loads(two["schema"])["fields"] == [{**A, "confluent:tags": ["PII"]}, B]
    rules = {"domainRules": [{"name": n, "kind": "TRANSFORM", "mode": "WRITE", "type": "CEL", "disabled": False} for n in "ab"]}
    three = registry.ask("POST", "/subjects/tag/versions/2/tags", {"tagsToRemove": [place], "rulesToMerge": rules})[1]
    assert three["version"] == 3 and "confluent:tags" not in three["schema"] and three["ruleSet"] == rules
    four = registry.ask("POST", "/subjects/tag/versions/3/tags", {"newVersion": 4, "tagsToAdd": [place], "rulesToRemove": ["a"]})[1]
    assert [r["name"] for r in four["ruleSet"]["domainRules"]] == ["b"] and four["metadata"]["properties"]["confluent:version"] == "4"
    refused(42210, registry.ask("POST", "/subjects/tag/versions/4/tags", {"ruleSet": rules, "rulesToMerge": rules}))
    refused(42201, registry.ask("POST", "/subjects/tag/versions/4/tags", {"tagsToAdd": [{**place, "schemaEntity": {"entityPath": "No.where", "entityType": "sr_field"}}]}))


def test_a_deleted_subject_does_not_keep_its_id_from_an_import(registry):
    """What users of Confluent's asked for: confluentinc/schema-registry#2430."""
    number = registry.register("lost", record(A, name="Lost"))[1]["id"]
    registry.ask("PUT", "/mode/lost", {"mode": "IMPORT"})  # refused: the subject is there
    assert registry.ask("DELETE", "/subjects/lost")[1] == [1]
    registry.ask("PUT", "/mode/lost?force=true", {"mode": "IMPORT"})
    again = registry.register("lost", record(A, B, name="Lost"), id=number, version=5)
    assert again[0] == 200 and (again[1]["id"], again[1]["version"]) == (number, 5)
    assert registry.get("/subjects/lost/versions?deleted=true")[1] == [5]
    message = refused(42205, registry.register("lost", record(B, name="Lost"), id=number, version=6))
    assert message == "Overwrite new schema with id %d in context  is not permitted." % number
    registry.ask("DELETE", "/mode/lost")
    assert registry.register("fresh", record(B, name="Fresh"))[1]["id"] > number


def test_references_of_a_context_are_shown_with_it_when_asked(registry):
    registry.register(":.cabang:part", record(A, name="Part"))
    registry.register(":.cabang:whole", record({"name": "p", "type": "Part"}, name="Whole"),
                      references=[{"name": "Part", "subject": "part", "version": 1}])
    path = "/subjects/:.cabang:whole/versions/1"
    assert registry.get(path)[1]["references"][0]["subject"] == "part"
    assert registry.get(path + "?referenceFormat=qualified")[1]["references"][0]["subject"] == ":.cabang:part"
    assert registry.get(path + "/schema?format=resolved")[1]["fields"][0]["type"]["name"] == "Part"
    assert refused(42206, registry.ask("DELETE", "/subjects/:.cabang:part")) == \
        "One or more references exist to the schema {magic=1,keytype=SCHEMA,subject=:.cabang:part,version=1}."


def test_contexts_end_before_what_is_kept_of_them_is_too_large(registry, kafka):
    """The highest ids of all are one record, without which nothing can be deleted for good."""
    have = {c for c in registry.get("/contexts")[1] if c != "."}
    name = ":.%%s%s:s" % ("x" * 240)
    producer = Producer({"bootstrap.servers": kafka})
    for i in range(1000 - len(have)):
        subject = name % ("%04d" % i)
        producer.produce(registry.topic, key=json.dumps({"keytype": "SCHEMA", "subject": subject, "version": 1, "magic": 1}, separators=(",", ":")),
                         value=json.dumps({"subject": subject, "version": 1, "id": 1, "schema": '"int"', "deleted": False}))
    assert producer.flush(30) == 0
    last = name % ("%04d" % (999 - len(have)))
    wait_for(lambda: registry.get("/subjects/%s/versions" % last)[0] == 200, 30, "the last of them to be read")
    assert "1000 contexts" in refused(42208, registry.register(":.more:s", '"int"'))
    assert registry.register(last, '"long"')[0] in (200, 409), "in one that is there"
    registry.register("much", '"int"')
    assert registry.ask("DELETE", "/subjects/much")[0] == 200
    assert registry.ask("DELETE", "/subjects/much?permanent=true") == (200, [1])


def test_everything_is_there_after_a_restart(registry):
    def everything():
        return [registry.get(path)[1] for path in (
            "/schemas?subjectPrefix=:*:&deleted=true", "/subjects?deleted=true", "/contexts", "/config/reserve", "/mode/locked")]

    before = everything()
    registry.kill()
    registry.start()
    assert everything() == before
